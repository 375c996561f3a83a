# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Cells that a spreadsheet leaves alone."""

from __future__ import annotations

from .phone_numbers import parse_number

BOM = "\ufeff"


def dashed(number: str) -> str:
    """Return a number with dashes: a spreadsheet takes it for text, and keeps its zero and its last digits."""
    digits = parse_number(number, "device")
    groups = [digits[start : start + 4] for start in range(0, len(digits), 4)]
    if len(groups[-1]) < 2:
        groups[-2:] = [groups[-2] + groups[-1]]
    return "-".join(groups)


# The full-width forms begin a formula too, in East Asian versions.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def guard_formula(text: str) -> str:
    """Return the string of a cell that no spreadsheet runs."""
    return "'" + text if text.lstrip().startswith(_FORMULA) else text
