# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The stamp: evidence that travels with the device, in the one free text that the service shows, its name.

``Toko Satu ~k3f9x`` is the name ``Toko Satu`` and a code of five characters. The code is made from the
device's token, the name, and the hidden settings that went out in the same call. So it holds exactly
as long as they do, and one listing proves them to whoever has the token and knows what they should be.

A code holds three numbers: a digest of the device's own hidden settings, a digest of its webhooks, and
autoread as it was sent. ARCHITECTURE.md says why there are two digests.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import string
import typing as t
from dataclasses import dataclass, field

OWN, HOOKS = PARTS = ("own", "webhooks")
# By part, what an update sent; a part that it knew nothing of is left out.
Claims = t.Mapping[str, t.Mapping[str, t.Union[str, bool]]]

MARK = " ~"
CODE_LENGTH = 5
LENGTH = len(MARK) + CODE_LENGTH

_PLAIN = string.digits + string.ascii_letters
_LETTERS = string.ascii_letters
# A code has a digit, so that no name such as "Toko ~Medan" is taken for a stamped one.
_STAMPED = re.compile(r"(\S.*\S)" + re.escape(MARK) + r"(?=[A-Za-z]*[0-9])([0-9A-Za-z]{5})", re.DOTALL)

# Autoread as it was sent: three ways. What room the code has left is shared by the two digests.
_AUTOREAD: tuple[bool | None, ...] = (None, False, True)
_DIGESTS = 13365
# The digest of nothing.
_VOID = 0


@dataclass(frozen=True)
class Stamp:
    """What the name of a device proves of its hidden settings.

    Attributes:
        name: The device's name, without the stamp.
        autoread: As the last update sent it; None if it did not.
    """

    name: str
    autoread: bool | None
    digests: t.Mapping[str, int]
    token: str = field(repr=False)

    def speaks_of(self, part: str) -> bool:
        """Tell whether the last update knew anything of a part."""
        return self.digests[part] != _VOID

    def proves(self, part: str, settings: t.Mapping[str, str | bool]) -> bool:
        """Tell whether these, all of them and no others, are what the last update sent of a part."""
        return bool(settings) and self.digests[part] == _digest(self.token, self.name, part, settings)


def bare_name(text: str) -> str:
    """Return a device's name as people gave it, without a stamp."""
    found = _STAMPED.fullmatch(text)
    return found.group(1) if found else text


def read_stamp(token: str, text: str) -> Stamp | None:
    """Return the stamp in the name of the device that a token belongs to; None where there is none."""
    found = _STAMPED.fullmatch(text)
    number = _decode(found.group(2)) if found else None
    if found is None or number is None:
        return None
    number, autoread = divmod(number, len(_AUTOREAD))
    own, hooks = divmod(number, _DIGESTS)
    if own >= _DIGESTS:
        return None
    return Stamp(found.group(1), _AUTOREAD[autoread], {OWN: own, HOOKS: hooks}, token)


def stamped_name(token: str, name: str, claims: Claims, autoread: bool | None) -> str:
    """Return a name with the stamp for what goes out with it.

    Args:
        token: The device's token.
        name: The name without a stamp.
        claims: All hidden settings that the update sends, by part.
        autoread: As the update sends it; None if it does not.
    """
    number = 0
    for part in PARTS:
        settings = claims.get(part)
        number = number * _DIGESTS + (_digest(token, name, part, settings) if settings else _VOID)
    return name + MARK + _encode(number * len(_AUTOREAD) + _AUTOREAD.index(autoread))


def _digest(token: str, name: str, part: str, settings: t.Mapping[str, str | bool]) -> int:
    key = b"fonnte.whatsapp/stamp/1\0" + token.encode()
    text = json.dumps([part, name, sorted(settings.items())])
    whole = int.from_bytes(hmac.new(key, text.encode(), hashlib.sha256).digest(), "big")
    return 1 + whole % (_DIGESTS - 1)


# Codes are numbered by where their first digit is: after no letter, after one, and so on.


def _encode(number: int) -> str:
    for letters in range(CODE_LENGTH):
        rest = CODE_LENGTH - 1 - letters
        size = _size(letters)
        if number < size:
            number, tail = divmod(number, len(_PLAIN) ** rest)
            head, digit = divmod(number, 10)
            return _text(head, _LETTERS, letters) + string.digits[digit] + _text(tail, _PLAIN, rest)
        number -= size
    raise ValueError("there are not so many codes")


def _decode(code: str) -> int | None:
    letters = next((place for place, letter in enumerate(code) if letter in string.digits), None)
    if letters is None:
        return None
    before = sum(_size(fewer) for fewer in range(letters))
    head, digit, tail = code[:letters], code[letters], code[letters + 1 :]
    number = _value(head, _LETTERS) * 10 + string.digits.index(digit)
    return before + number * int(len(_PLAIN) ** len(tail)) + _value(tail, _PLAIN)


def _size(letters: int) -> int:
    """Return how many codes have their first digit after so many letters."""
    rest = CODE_LENGTH - 1 - letters
    return int(len(_LETTERS) ** letters * 10 * len(_PLAIN) ** rest)


def _text(number: int, alphabet: str, length: int) -> str:
    text = ""
    for _place in range(length):
        number, letter = divmod(number, len(alphabet))
        text = alphabet[letter] + text
    return text


def _value(text: str, alphabet: str) -> int:
    number = 0
    for letter in text:
        number = number * len(alphabet) + alphabet.index(letter)
    return number
