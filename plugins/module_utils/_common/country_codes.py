# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Country calling codes: the first digits of an international number (ITU-T E.164).

Codes without a country, for example of satellite networks, count as assigned. No code is a prefix of another one.
"""

from __future__ import annotations

import typing as t


def _codes(prefix: str, last_digits: str) -> t.Iterator[str]:
    return (prefix + digit for digit in last_digits)


ASSIGNED: frozenset[str] = frozenset(
    (
        "1",
        "7",
        *_codes("2", "07"),
        *_codes("3", "0123469"),
        *_codes("4", "013456789"),
        *_codes("5", "12345678"),
        *_codes("6", "0123456"),
        *_codes("8", "1246"),
        *_codes("9", "0123458"),
        *_codes("21", "12368"),
        *_codes("22", "0123456789"),
        *_codes("23", "0123456789"),
        *_codes("24", "0123456789"),
        *_codes("25", "012345678"),
        *_codes("26", "0123456789"),
        *_codes("29", "01789"),
        *_codes("35", "0123456789"),
        *_codes("37", "0123456789"),
        *_codes("38", "01235679"),
        *_codes("42", "013"),
        *_codes("50", "0123456789"),
        *_codes("59", "0123456789"),
        *_codes("67", "023456789"),
        *_codes("68", "012356789"),
        *_codes("69", "012"),
        *_codes("80", "08"),
        *_codes("85", "02356"),
        *_codes("87", "08"),
        *_codes("88", "012368"),
        *_codes("96", "012345678"),
        *_codes("97", "012345679"),
        *_codes("99", "234568"),
    )
)
LONGEST_CODE = 3


def has_calling_code(digits: str) -> bool:
    """Return whether an international number begins with an assigned code."""
    return any(digits[:length] in ASSIGNED for length in range(1, LONGEST_CODE + 1))
