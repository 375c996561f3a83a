# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""When two spellings are one number.

A number is what the owner of a device reads on it: ``0812-3456-789``, ``+62 812 3456 789`` and
``628123456789`` are one phone. Fonnte seems to store what it was given, so the spelling in the list
has to be found from any other, and must not be rewritten by it.
"""

from __future__ import annotations

import re
import typing as t

from .errors import OptionError

MIN_DIGITS = 8
MAX_DIGITS = 15
# YAML 1.1 reads an unquoted 02155543210 as an octal number. What comes out is short; a real number
# that YAML leaves alone starts with its country and has ten digits or more.
MIN_UNQUOTED_DIGITS = 10

# The service's own default for the country of a number that starts with 0.
COUNTRY = "62"

# Where a national number begins with a 0 that is dialled from abroad too: Italy, Ivory Coast, Benin, Congo, San Marino.
ZERO_STAYS = frozenset({"39", "225", "229", "242", "378"})

_DROPPED = re.compile(r"[\s+\-.()\[\]]")
_WITH_COUNTRY = re.compile(r"\s*(?:\+|00)\s*[1-9]")
# +62 (0)812 ...: the zero is for those who leave the country out.
_OPTIONAL_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")


def parse_number(value: object, option: str) -> str:
    """Return the digits of a number as a user wrote it.

    Args:
        value: What the option holds: text, or the integer that YAML made of unquoted digits.
        option: The name of the option, for the message.

    Raises:
        OptionError: The value is not a number that the service could know.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _unquoted(value, option)
    if not isinstance(value, str):
        raise OptionError(option, "it is not a number", 'write it in quotes, as in "6281234567890"')
    digits = _DROPPED.sub("", value)
    stranger = re.search(r"[^0-9]", digits)
    if stranger:
        raise OptionError(
            option,
            f"it has the character {_character(stranger.group())}",
            "only digits, spaces, +, -, dots and brackets belong in a number",
        )
    return _bounded(digits, option)


def _unquoted(value: int, option: str) -> str:
    digits = str(value)
    if value < 0 or len(digits) < MIN_UNQUOTED_DIGITS:
        raise OptionError(
            option,
            "it is an unquoted YAML number and may have lost its leading zero",
            'quote it, as in "081234567890"',
        )
    return _bounded(digits, option)


def _bounded(digits: str, option: str) -> str:
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        raise OptionError(
            option,
            f"it has {len(digits)} digits",
            f"a number has {MIN_DIGITS} to {MAX_DIGITS} digits",
        )
    return digits


def _character(text: str) -> str:
    # Numbers copied from a chat carry marks that no terminal shows.
    return f'"{text}"' if text.isprintable() else f"U+{ord(text):04X}"


def international(digits: str, country: str = COUNTRY) -> str:
    """Return the digits as they are dialled from abroad: the form in which two spellings are compared."""
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = country + digits[1:]
    if digits.startswith(country + "0"):
        # +62 (0)812 ...
        digits = country + digits[len(country) + 1 :]
    return digits


def dialled(value: object, country: str = COUNTRY, option: str = "number") -> str:
    """Return the digits with which a number, as a user wrote it in an option, is dialled from abroad.

    Raises:
        OptionError: The value is not a number.
    """
    if isinstance(value, str) and _WITH_COUNTRY.match(value):
        value = _OPTIONAL_ZERO.sub("", value)
    digits = parse_number(value, option)
    if country not in ZERO_STAYS:
        digits = international(digits, country)
    elif digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = country + digits
    if digits.startswith("0"):
        raise OptionError(option, "it has a 0 where its country should be", "write it as in +6281234567890")
    return _bounded(digits, option)


def check_country(value: object) -> str:
    """Return the digits of a country's code, such as 62; OptionError if it is none."""
    text = str(value).strip().lstrip("+") if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise OptionError("country", "it is not the code of a country", 'write its digits, as in "62"')
    return text


def key_of(number: str) -> str:
    """Return what all spellings of a number have in common. One from the list may have a plus or spaces."""
    return international(_DROPPED.sub("", number))


def same_number(one: str, other: str) -> bool:
    """Tell whether two spellings name one phone."""
    return one == other or key_of(one) == key_of(other)


class NumberIndex:
    """Numbers as they are registered, found by any spelling without looking through all of them each time."""

    def __init__(self, registered: t.Iterable[str]) -> None:
        self._spellings: dict[str, list[str]] = {}
        for spelling in registered:
            self._spellings.setdefault(key_of(spelling), []).append(spelling)

    def spellings(self, number: str) -> list[str]:
        """Return all registered spellings of a phone, in the order in which they were given."""
        return list(self._spellings.get(key_of(number), ()))

    def find(self, wanted: str) -> list[str]:
        """Return those of the registered spellings that are the wanted number.

        An exact match wins and is alone; otherwise every spelling of the same phone is returned, so that
        the caller can refuse to choose between two.
        """
        spellings = self.spellings(wanted)
        return [wanted] if wanted in spellings else spellings


def matches(wanted: str, registered: t.Iterable[str]) -> list[str]:
    """Return the same for one number; who asks for many makes an index."""
    return NumberIndex(registered).find(wanted)
