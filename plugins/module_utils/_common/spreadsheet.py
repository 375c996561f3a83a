# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Cells of CSV files that a spreadsheet does not change or run as a formula."""

from __future__ import annotations

import re

from .phone_numbers import parse_number

BOM = "\ufeff"


def spreadsheet_safe(number: str) -> str:
    """Return a number with dashes, so that a spreadsheet treats it as text and keeps its zero and its last digits."""
    digits = parse_number(number, "device")
    groups = [digits[start : start + 4] for start in range(0, len(digits), 4)]
    if len(groups[-1]) < 2:
        groups[-2:] = [groups[-2] + groups[-1]]
    return "-".join(groups)


# East Asian versions also read the full-width forms as the start of a formula.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


# A spreadsheet that uses another separator than the file starts a cell after it, even inside quotation marks.
_AFTER_SEPARATOR = re.compile(r"([;,\t|][\s\"]*)(?=[%s])" % re.escape("".join(_FORMULA)))


def guard_formula(text: str) -> str:
    """Return the text of a cell that no spreadsheet runs as a formula, with any separator."""
    start = len(text) - len(text.lstrip()) + 1
    guarded = text[:start] + _AFTER_SEPARATOR.sub("\\1'", text[start:])
    return "'" + guarded if text.lstrip().startswith(_FORMULA) else guarded
