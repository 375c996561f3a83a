# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of Hypothesis for all tests: none of them fails because a machine is busy.

The conftest beside this file loads it, and a mutation run, which has no conftest, loads it as a plugin.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fonnte", deadline=None)
settings.load_profile("fonnte")
