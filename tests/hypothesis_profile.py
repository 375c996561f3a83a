# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Hypothesis settings of all tests: no test fails because a machine is busy.

The conftest next to this file loads it. A mutation run has no conftest and loads it as a plugin.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fonnte", deadline=None)
settings.load_profile("fonnte")
