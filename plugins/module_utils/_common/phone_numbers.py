# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Phone numbers: parsing, and the comparison of different spellings of one number.

``0812-3456-789``, ``+62 812 3456 789`` and ``628123456789`` are one number. Fonnte seems to store a number as it was
sent, so a device must be found in the list by any spelling, and its stored spelling must not be changed.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata

from .country_codes import has_calling_code
from .errors import OptionError
from .redaction import printable

MIN_DIGITS = 8
MAX_DIGITS = 15
# YAML 1.1 reads an unquoted 02155543210 as an octal number. Up to twelve digits, the resulting number has ten or fewer.
# A number that YAML does not change begins with its country code; the few that have only ten digits must be quoted.
MIN_UNQUOTED_DIGITS = 11

# The service's default country code for a number that begins with 0.
COUNTRY = "62"
# With this country code, the service does not change numbers.
NO_COUNTRY = "0"

# Countries where the leading 0 of a national number is also dialed from abroad: Italy, Ivory Coast, Benin, Congo, San
# Marino.
COUNTRIES_KEEPING_ZERO = frozenset({"39", "225", "229", "242", "378"})

_DROPPED = re.compile(r"[\s+\-.()\[\]]")
# 6281200002001.0, as pandas and csvkit write a column with empty cells. Dots between groups of digits do not match.
_DECIMAL = re.compile(r"\s*\+?[0-9]+[.,]0+\s*|.*[0-9][.,]0{1,2}\s*", re.DOTALL)
# 6.2812E+12, as a spreadsheet displays a long number.
_ROUNDED = re.compile(r"\s*\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+\s*")
# An Indonesian mobile number without its 0. The same digits may also be a number with the country code of Japan,
# Vietnam or another country whose code begins with 8.
_LOST_ZERO = re.compile(r"8[1-9][0-9]{6,10}")
_WITH_COUNTRY = re.compile(r"\s*(?:\+|00)\s*[1-9]")
# +62 (0)812 ...: the zero is dialed only without the country code.
_OPTIONAL_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")
_KEEPS_ZERO = re.compile(rf"\s*(?:\+|00)\s*(?:{'|'.join(sorted(COUNTRIES_KEEPING_ZERO))})")


_QUOTE = 'write its digits alone, in quotes, as in "6281234567890"'


def parse_number(value: object, option: str, spreadsheet_advice: str = _QUOTE) -> str:
    """Return the digits of a number that a user has written.

    Args:
        value: The value of the option: a string, or the integer that YAML reads from unquoted digits.
        option: The name of the option, for the message.
        spreadsheet_advice: The required action for a number that a spreadsheet has changed.

    Raises:
        OptionError: The value cannot be a number of the service.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _unquoted(value, option)
    if isinstance(value, float):
        raise OptionError(option, "it is a decimal number, as spreadsheets write it", spreadsheet_advice)
    if not isinstance(value, str):
        raise OptionError(option, "it is not a number", 'write it in quotes, as in "6281234567890"')
    if _ROUNDED.fullmatch(value):
        raise OptionError(option, "a spreadsheet has rounded it", "find the original number, and " + spreadsheet_advice)
    if _DECIMAL.fullmatch(value):
        raise OptionError(option, "a spreadsheet has converted it to a decimal number", spreadsheet_advice)
    digits = _DROPPED.sub("", value)
    unknown_number = re.search(r"[^0-9]", digits)
    if unknown_number:
        raise OptionError(
            option,
            f"it has the character {_character(unknown_number.group())}",
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
    # A number copied from a chat may contain invisible characters.
    return f'"{text}"' if text.isprintable() else f"U+{ord(text):04X}"


def international(digits: str, country: str = COUNTRY) -> str:
    """Return the digits in international form, with the country code. Two spellings are compared in this form."""
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = country + digits[1:]
    if digits.startswith(country + "0"):
        # +62 (0)812 ...
        digits = country + digits[len(country) + 1 :]
    return digits


def check_dialed(digits: str, option: str) -> str:
    """Return the digits of a number to store at the service; raise OptionError if no phone has such a number.

    The service stores it as it is sent. In a comparison, this spelling is equal to that without the zeros.
    """
    if digits.startswith(("00", COUNTRY + "0")):
        raise OptionError(option, f"{digits} cannot be dialed", f'write "{international(digits)}"')
    return digits


def to_international(value: object, country: str = COUNTRY, option: str = "number") -> str:
    """Return the international form of a number that a user has written in an option.

    Raises:
        OptionError: The value is not a number, or has a 0 instead of its country code.
    """
    if isinstance(value, str) and _WITH_COUNTRY.match(value) and not _KEEPS_ZERO.match(value):
        value = _OPTIONAL_ZERO.sub("", value)
    digits = parse_number(value, option)
    if country not in COUNTRIES_KEEPING_ZERO:
        digits = international(digits, country)
    elif digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = country + digits
    if digits.startswith("0"):
        raise OptionError(option, "it has a 0 instead of the code of its country", "write it as in +6281234567890")
    return _bounded(digits, option)


def check_country(value: object) -> str:
    """Return the digits of a country calling code, such as 62; raise OptionError if it is invalid."""
    text = str(value).strip().lstrip("+") if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise OptionError("country", "it is not the code of a country", 'write its digits, as in "62"')
    return text


def has_country(value: object) -> bool:
    """Return whether a number is written with its country code, as in +62 or 0062."""
    return isinstance(value, str) and _WITH_COUNTRY.match(value) is not None


def may_lack_zero(digits: str, country: str = COUNTRY) -> bool:
    """Return whether a number begins with 8, like a number of Indonesia that has lost its leading zero."""
    return country == COUNTRY and _LOST_ZERO.fullmatch(digits) is not None


def refuse_lost_zero(value: object, digits: str, option: str, country: str = COUNTRY) -> None:
    """Refuse the number of a phone if it may lack its leading zero.

    Args:
        value: The number as the user has written it.
        digits: The digits of the number.
        option: The name of the option, for the message.
        country: The country code of numbers that begin with 0.

    Raises:
        OptionError: The number begins with 8, like a number of Indonesia that has lost its leading zero.
    """
    if may_lack_zero(digits, country) and not has_country(value):
        raise OptionError(
            option,
            f"{digits} begins with 8, like a number that has lost its leading zero in a spreadsheet",
            f'write "0{digits}", or "+{digits}" if 8 begins the code of its country',
        )


def dialed_number(value: object, country: str, option: str) -> tuple[str, str]:
    """Return the digits to send for a number of a person, and the number that the service should convert them to.

    The service only replaces a first 0, so digits that it would convert differently are in international form.

    Args:
        value: The number as the user has written it.
        country: The country code that replaces a first 0; ``NO_COUNTRY`` for none.
        option: The name of the option, for the message.

    Raises:
        OptionError: The value is not a number, or may lack its leading zero.
    """
    digits = parse_number(value, option)
    if country == NO_COUNTRY:
        return digits, digits
    refuse_lost_zero(value, digits, option, country)
    dials = to_international(value, country, option)
    converted = country + digits[1:] if digits.startswith("0") else digits
    return (digits if converted == dials else dials), dials


def no_country(digits: str, country: str = COUNTRY) -> t.Iterator[str]:
    """Yield a warning if no country calling code matches the number."""
    dials = international(digits, country)
    if not has_calling_code(dials):
        yield f"No country has numbers that begin with {dials[:3]}: check the number {digits}."


def displayed_number(listed: str) -> str:
    """Return a number from the service in a printable form.

    Invisible characters, such as direction marks in a number copied from a chat, are dropped, and each white space is an
    ordinary space. Requests contain the number with them.
    """
    if listed.isascii() and listed.isprintable():
        return listed
    spaced = "".join(" " if letter.isspace() else letter for letter in listed)
    return printable("".join(letter for letter in spaced if unicodedata.category(letter) not in ("Cf", "Cc")))


def only_digits(number: str) -> str:
    """Return a listed number without separators, such as a plus or spaces."""
    return _DROPPED.sub("", displayed_number(number))


def canonical(number: str) -> str:
    """Return the form that all spellings of a number share, without separators and with the country code."""
    return international(only_digits(number))


def same_number(one: str, other: str) -> bool:
    """Return whether two spellings are the same number."""
    return one == other or canonical(one) == canonical(other)


class LostZeroError(OptionError):
    """A number is not registered, but the same number with a leading 0 is."""

    def __init__(self, wanted: str, registered: t.Sequence[str]) -> None:
        longer = " and ".join(registered)
        super().__init__(
            "device",
            f"{wanted} is not registered, and {longer} is: a spreadsheet may have dropped the leading zero",
            f'write "{registered[0]}", or "+{wanted}" if that is another number, with the code of its country',
        )
        # The caller sets the option, which this class does not know.
        self.operation = ""


class NumberIndex:
    """An index of registered numbers, which finds a number by any spelling in constant time."""

    def __init__(self, registered: t.Iterable[str]) -> None:
        self._spellings: dict[str, list[str]] = {}
        for spelling in registered:
            self._spellings.setdefault(canonical(spelling), []).append(spelling)

    def spellings(self, number: str) -> list[str]:
        """Return all registered spellings of a number, in their original order."""
        return list(self._spellings.get(canonical(number), ()))

    def find(self, wanted: str) -> list[str]:
        """Return the registered spellings that match a number.

        An exact match is returned alone. Otherwise all spellings of the number are returned, so that the caller can
        refuse an ambiguous number.
        """
        spellings = self.spellings(wanted)
        return [wanted] if wanted in spellings else spellings

    def locate(self, wanted: str, has_country: bool = False) -> list[str]:
        """Return the registered spellings that match a number, and refuse one that may lack its leading zero.

        Args:
            wanted: The digits of the number that a user has written.
            has_country: Whether the number is written with its country code.

        Raises:
            LostZeroError: The number is not registered, but the same number with a leading 0 is.
        """
        found = self.find(wanted)
        if not found and not has_country and not wanted.startswith("0"):
            longer = self.spellings("0" + wanted)
            if longer:
                raise LostZeroError(wanted, longer)
        return found


def matches(wanted: str, registered: t.Iterable[str]) -> list[str]:
    """Return the registered spellings that match one number. To search for several, create a NumberIndex."""
    return NumberIndex(registered).find(wanted)
