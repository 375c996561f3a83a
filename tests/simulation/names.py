# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of the devices in a simulation."""

from __future__ import annotations

FIRST, SECOND, NEW, OTHER = "081200000001", "081200000002", "081200000003", "081200000009"
TOKENS = {FIRST: "tok1", SECOND: "tok2"}
