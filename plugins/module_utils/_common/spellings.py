# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Secrets in a string, in whatever spelling: plain, URL-encoded, JSON-escaped, in base64, in other case.

This is the only place that knows the spellings (invariant 8). The string is decoded, and the secrets are looked
up in it. So mixed and nested encodings are found, and no list of spellings is needed.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import typing as t
from dataclasses import dataclass

MASK = "********"
# A shorter secret is masked as it is written, and not in other case: it may be an ordinary word.
MIN_FOLDED_LENGTH = 8
# Shorter ones are no tokens, codes or URLs; decoded, they would be found anywhere.
MIN_DECODED_LENGTH = 4
# How often an encoding may have been applied to the result of another.
MAX_LAYERS = 3
# Strings of results come again and again. The result for a longer one is not kept.
MAX_CACHED_LENGTH = 1000
# With more secrets than this, looking up each place of a string is quicker than looking for each secret.
MANY = 64

# By the character that marks an escape: URL-encoding, JSON or Python, HTML.
_KINDS = {
    "%": r"(?:%[0-9A-Fa-f]{2})+",
    "\\": r"(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[^ux]",
    "&": r"&#?[0-9A-Za-z]{1,10};",
}
_ESCAPES_OF = {mark: re.compile(pattern, re.DOTALL) for mark, pattern in _KINDS.items()}
_ESCAPES = re.compile("|".join(_KINDS.values()), re.DOTALL)
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{5,}={0,2}")
_BITS_OF_CHARACTER, _BITS_OF_BYTE = 6, 8
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

Span = t.Tuple[int, int]


@dataclass(frozen=True)
class _View:
    """A string as it reads after some decoding, and where a part of it came from."""

    text: str
    origin: t.Callable[[int, int], Span]


class SecretFinder:
    """Finds secrets in strings.

    Args:
        secrets: Strings of any length; empty ones count as none.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._exact: dict[int, set[str]] = {}
        self._folded: dict[int, set[str]] = {}
        self._masked: dict[tuple[str, bool], str] = {}
        self.add(secrets)

    def add(self, secrets: t.Iterable[str]) -> None:
        """Add secrets."""
        new = {secret for secret in secrets if secret} - self._known
        if not new:
            return
        self._known |= new
        self._masked.clear()
        for secret in new:
            # In base64 and percent-encoding a character beyond ASCII is several bytes.
            for form in sorted({secret, secret.encode("utf-8", "replace").decode("latin-1")}):
                self._exact.setdefault(len(form), set()).add(form)
                if len(form) >= MIN_FOLDED_LENGTH:
                    self._folded.setdefault(len(form), set()).add(form.translate(_LOWER))

    def known(self) -> frozenset[str]:
        """Return the secrets that were added so far."""
        return frozenset(self._known)

    def __contains__(self, text: object) -> bool:
        return text in self._known

    def mask(self, text: str, short: bool = True) -> str:
        """Return a string with a mask for each secret in it.

        Args:
            text: The string.
            short: Whether a secret that is short and not encoded is masked too.
        """
        key = (text, short)
        if key in self._masked:
            return self._masked[key]
        masked = cover(text, self.spans(text, short))
        if len(text) <= MAX_CACHED_LENGTH:
            self._masked[key] = masked
        return masked

    def mask_data(self, value: t.Any) -> t.Any:
        """Return a result, or a part of one, with masks for the secrets in its strings.

        A token that was requested stays: it is the whole value of the key ``token``. So do short secrets as they are
        written: Ansible masks those of options itself, and a number may have the digits of one.
        """
        if isinstance(value, str):
            return self.mask(value, short=False)
        if isinstance(value, dict):
            return {
                key: item if key == "token" and item in self else self.mask_data(item) for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.mask_data(item) for item in value]
        return value

    def spans(self, text: str, short: bool = True) -> list[Span]:
        """Return where secrets are in a string; the spans may overlap."""
        shortest = min(self._exact, default=len(text) + 1)
        if len(text) < shortest:
            return []
        view: _View | None = _View(text, lambda first, last: (first, last))
        found: list[Span] = []
        for layer in range(MAX_LAYERS + 1):
            if view is None:
                break
            found += self._within(view, 0 if short or layer > 0 else MIN_FOLDED_LENGTH)
            for hidden in _views_of_base64(view, shortest):
                found += self._within(hidden, MIN_DECODED_LENGTH)
                plain = _decoded(hidden)
                found += self._within(plain, MIN_DECODED_LENGTH) if plain is not None else ()
            for alone in _decoded_alone(view):
                found += self._within(alone, MIN_DECODED_LENGTH)
            view = _decoded(view)
        return found

    def _within(self, view: _View, shortest: int) -> t.Iterator[Span]:
        for first, last in self._places(view.text, shortest):
            yield view.origin(first, last)

    def _places(self, text: str, shortest: int) -> t.Iterator[Span]:
        """Yield where secrets of this length and longer are, in a string that is not decoded any more."""
        for forms, within in ((self._exact, text), (self._folded, text.translate(_LOWER))):
            for length, secrets in forms.items():
                if shortest <= length <= len(within):
                    yield from _occurrences(within, length, secrets)


def _occurrences(text: str, length: int, secrets: set[str]) -> t.Iterator[Span]:
    if len(secrets) > MANY:
        for place in range(len(text) - length + 1):
            if text[place : place + length] in secrets:
                yield place, place + length
        return
    for secret in secrets:
        place = text.find(secret)
        while place >= 0:
            yield place, place + length
            place = text.find(secret, place + 1)


def _decoded_alone(view: _View) -> t.Iterator[_View]:
    """Yield a string with the escapes of one kind resolved: a secret may have the mark of another kind itself."""
    marks = [mark for mark in _KINDS if mark in view.text]
    for mark in marks if len(marks) > 1 else ():
        decoded = _decoded(view, _ESCAPES_OF[mark])
        if decoded is not None:
            yield decoded


def _decoded(view: _View, escapes: t.Pattern[str] = _ESCAPES) -> _View | None:
    """Return a string with its escapes resolved once; None where it has none."""
    if not any(mark in view.text for mark in _KINDS):
        return None
    pieces: list[str] = []
    # Where each character begins and ends. Those of several escapes in a row have the place of all of them.
    begins: list[int] = []
    ends: list[int] = []
    done = 0
    for found in escapes.finditer(view.text):
        plain = _resolved(found.group())
        pieces += [view.text[done : found.start()], plain]
        begins += [*range(done, found.start()), *[found.start()] * len(plain)]
        ends += [*range(done + 1, found.start() + 1), *[found.end()] * len(plain)]
        done = found.end()
    pieces.append(view.text[done:])
    begins += range(done, len(view.text))
    ends += range(done + 1, len(view.text) + 1)
    text = "".join(pieces)
    return _View(text, lambda first, last: view.origin(begins[first], ends[last - 1])) if text != view.text else None


def _resolved(escape: str) -> str:
    if escape.startswith("%"):
        # Each byte is a character, as in the forms of a secret.
        return bytes.fromhex(escape.replace("%", "")).decode("latin-1")
    if escape.startswith("&"):
        return html.unescape(escape)
    if escape.startswith("\\x"):
        return chr(int(escape[2:], 16))
    try:
        return str(json.loads(f'"{escape}"'))
    except ValueError:
        return escape[1:]


def _views_of_base64(view: _View, shortest: int) -> t.Iterator[_View]:
    """Yield the parts of a string that may be base64 of so many bytes, decoded; it may begin within such a part."""
    for run in _BASE64.finditer(view.text):
        letters = run.group().rstrip("=")
        if len(letters) * _BITS_OF_CHARACTER < shortest * _BITS_OF_BYTE:
            continue
        for shift in range(4):
            yield _View(_from_base64(letters[shift:]), _origin_in_base64(view, run, len(letters), shift))


def _origin_in_base64(view: _View, run: t.Match[str], length: int, shift: int) -> t.Callable[[int, int], Span]:
    def origin(first: int, last: int) -> Span:
        begin = shift + first * _BITS_OF_BYTE // _BITS_OF_CHARACTER
        end = shift + -(-last * _BITS_OF_BYTE // _BITS_OF_CHARACTER)
        # The padding shows how long the secret is.
        return view.origin(run.start() + begin, run.end() if end >= length else run.start() + end)

    return origin


def _from_base64(text: str) -> str:
    """Return the bytes of base64 as characters; what is left over at its end is dropped."""
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    try:
        padded = whole + "=" * (-len(whole) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/")).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def cover(text: str, spans: list[Span]) -> str:
    """Return a string with one mask for each group of spans that touch."""
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if end <= done:
            continue
        if start >= done:
            pieces += [text[done:start], MASK]
        done = end
    return "".join((*pieces, text[done:]))
