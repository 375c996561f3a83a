# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the tests cannot or should not tell some mutants apart: a sentence for each change that may survive.

A change is named by its file, by what it is in, and by the line before and after; so it is found again wherever the
line moves. ``make mutation`` fails for a survivor that has no sentence here, and tells of sentences that are idle.
"""

from __future__ import annotations

from typing import Dict, Tuple

# File, function, line before, line after.
Change = Tuple[str, str, str, str]

WHY: Tuple[Tuple[str, Tuple[Change, ...]], ...] = ()


def sentences() -> Dict[Change, str]:
    """Return the sentence of each change."""
    return {change: why for why, changes in WHY for change in changes}
