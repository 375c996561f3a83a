# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The stamp: a suffix of the device's name that is evidence of the write-only settings.

The service shows no write-only setting, but it shows the name. ``Toko Satu ~k3f9x`` is the name ``Toko Satu`` with a
code of five characters, computed from the device's token, the name, and the write-only settings in the same request.
So the stamp is valid as long as these settings are, and one device list proves them to a run that has the token and the
declared settings.

A code contains three numbers: a digest of the device's own write-only settings, a digest of its webhooks, and the value
of autoread in the request. docs/dev/decisions/0003-stamp.md gives the reason for two digests.
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
# By part, the settings in the request or the digest in the previous stamp. A part without known settings is omitted.
Claims = t.Mapping[str, t.Union[t.Mapping[str, t.Union[str, bool]], int]]

SEPARATOR = " ~"
CODE_LENGTH = 5
LENGTH = len(SEPARATOR) + CODE_LENGTH

_DIGITS = string.digits
_LETTERS = string.ascii_letters
_ALL = _DIGITS + _LETTERS
# A code has a letter and a digit, so that the names "Toko ~Medan" and "Toko ~60115" do not count as stamped.
_STAMPED = re.compile(
    r"(.{2,})" + re.escape(SEPARATOR) + r"(?=[0-9]*[A-Za-z])(?=[A-Za-z]*[0-9])([0-9A-Za-z]{5})", re.DOTALL
)

# The three values of autoread in a request. The two digests share the remaining range of a code.
_AUTOREAD: tuple[bool | None, ...] = (None, False, True)
_DIGESTS = 13364
# The digest of a part without known settings.
_VOID = 0


@dataclass(frozen=True)
class Stamp:
    """The stamp in the name of a device.

    Attributes:
        code: The five characters.
        name: The name of the device, without the stamp.
        autoread: The value of autoread in the last update; None if it was omitted.
        digests: The digest of each part.
        token: The token of the device.
    """

    code: str
    name: str
    autoread: bool | None
    digests: t.Mapping[str, int]
    token: str = field(repr=False)

    def covers(self, part: str) -> bool:
        """Return whether the last update contained known settings of a part."""
        return self.digests[part] != _VOID

    def matches(self, part: str, settings: t.Mapping[str, str | bool]) -> bool:
        """Return whether the last update contained exactly these settings of a part."""
        return bool(settings) and self.digests[part] == _digest(self.token, self.name, part, settings)


def strip_stamp(text: str) -> str:
    """Return the name of a device without its stamp."""
    found = _STAMPED.fullmatch(text)
    return found.group(1) if found else text


def read_stamp(token: str, text: str) -> Stamp | None:
    """Return the stamp in the name of a device; None if it has none."""
    found = _STAMPED.fullmatch(text)
    if found is None:
        return None
    number, autoread = divmod(_decode(found.group(2)), len(_AUTOREAD))
    own, hooks = divmod(number, _DIGESTS)
    if own >= _DIGESTS:
        return None
    return Stamp(found.group(2), found.group(1), _AUTOREAD[autoread], {OWN: own, HOOKS: hooks}, token)


def make_code(token: str, name: str, claims: Claims, autoread: bool | None) -> str:
    """Return the code of the stamp for an update.

    Args:
        token: The token of the device.
        name: The name without a stamp.
        claims: All write-only settings that the update sends, by part.
        autoread: The value of autoread in the update; None if it is omitted.
    """
    number = 0
    for part in PARTS:
        held = claims.get(part) or _VOID
        number = number * _DIGESTS + (held if isinstance(held, int) else _digest(token, name, part, held))
    return _encode(number * len(_AUTOREAD) + _AUTOREAD.index(autoread))


def stamped_name(name: str, code: str) -> str:
    """Return a name with the stamp."""
    return name + SEPARATOR + code


def _digest(token: str, name: str, part: str, settings: t.Mapping[str, str | bool]) -> int:
    key = b"fonnte.whatsapp/stamp/1\0" + token.encode()
    text = json.dumps([part, name, sorted(settings.items())])
    whole = int.from_bytes(hmac.new(key, text.encode(), hashlib.sha256).digest(), "big")
    return 1 + whole % (_DIGESTS - 1)


# Codes are numbered in blocks. A block has codes that begin with a certain number of digits or of letters, then one
# character of the other kind, then any characters.

_BLOCKS = tuple(
    (first, other, count)
    for first, other in ((_DIGITS, _LETTERS), (_LETTERS, _DIGITS))
    for count in range(1, CODE_LENGTH)
)


def _encode(number: int) -> str:
    for first, other, count in _BLOCKS:
        rest = CODE_LENGTH - 1 - count
        size = _size(first, other, count)
        if number < size:
            number, tail = divmod(number, len(_ALL) ** rest)
            head, middle = divmod(number, len(other))
            return _text(head, first, count) + other[middle] + _text(tail, _ALL, rest)
        number -= size
    raise ValueError("there are not so many codes")


def _decode(code: str) -> int:
    before = 0
    for first, other, count in _BLOCKS:
        if all(letter in first for letter in code[:count]) and code[count] in other:
            tail = code[count + 1 :]
            number = _value(code[:count], first) * len(other) + other.index(code[count])
            return before + number * int(len(_ALL) ** len(tail)) + _value(tail, _ALL)
        before += _size(first, other, count)
    raise ValueError("a code has a letter and a digit")


def _size(first: str, other: str, count: int) -> int:
    """Return the number of codes in a block."""
    return int(len(first) ** count * len(other) * len(_ALL) ** (CODE_LENGTH - 1 - count))


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
