# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Secrets in a string, in whatever spelling: plain, URL-encoded, JSON-escaped, in base64, in other case.

This is the only place that knows the spellings (invariant 8). The string is decoded, and the secrets are looked
up in it. So mixed and nested encodings are found, and no list of spellings is needed.

The time is linear in the length of the string plus that of the secrets: a peer may have chosen both.
"""

from __future__ import annotations

import base64
import binascii
import functools
import html
import json
import re
import typing as t
from dataclasses import dataclass

from .automaton import Automaton

MASK = "********"
# A shorter secret is masked as it is written, and not in other case: it may be an ordinary word.
MIN_FOLDED_LENGTH = 8
# Shorter ones are no tokens, codes or URLs; decoded, they would be found anywhere.
MIN_DECODED_LENGTH = 4
# How often an encoding may have been applied, to the secret or to the result of another one.
MAX_LAYERS = 3
# Strings of results come again and again. The result for a longer one is not kept.
MAX_CACHED_LENGTH = 1000
# With more secrets than this, a look at each place of a string is quicker than a search for each secret.
MANY = 64

# By the character that marks an escape: URL-encoding, JSON or Python, HTML.
_KINDS = {
    "%": r"(?:%[0-9A-Fa-f]{2})+",
    "\\": r"(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[^ux]",
    "&": r"&#?[0-9A-Za-z]{1,10};",
}
_ESCAPES_OF = {mark: re.compile(pattern, re.DOTALL) for mark, pattern in _KINDS.items()}
_ESCAPES = re.compile("|".join(_KINDS.values()), re.DOTALL)
_BITS_OF_CHARACTER, _BITS_OF_BYTE = 6, 8
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

Span = t.Tuple[int, int]


@dataclass(frozen=True)
class _DecodedView:
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
        # Short forms by their length, and long ones without their case, by the characters that they begin with.
        self._short: dict[int, set[str]] = {}
        self._folded: set[str] = set()
        self._heads: set[str] = set()
        self._shortest = 0
        self._automaton: Automaton | None = None
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
                self._shortest = min(self._shortest or len(form), len(form))
                if len(form) < MIN_FOLDED_LENGTH:
                    self._short.setdefault(len(form), set()).add(form)
                    continue
                folded = form.translate(_LOWER)
                self._folded.add(folded)
                self._heads.add(folded[:MIN_FOLDED_LENGTH])
                self._automaton = None

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
        if not self._known:
            return []
        return self._search(text, 0 if short else MIN_FOLDED_LENGTH, MAX_LAYERS, {})

    def _search(self, text: str, shortest: int, layers: int, done: dict[tuple[str, int], list[Span]]) -> list[Span]:
        """Return where secrets of this length and longer are, after up to so many decodings.

        Args:
            done: The results for other strings; the same base64 may come again and again.
        """
        if len(text) < self._shortest:
            return []
        if (text, layers) in done:
            return done[text, layers]
        found = list(self._places(text, shortest))
        for view in _decodings(text, self._shortest) if layers else ():
            inner = self._search(view.text, MIN_DECODED_LENGTH, layers - 1, done)
            found += [view.origin(first, last) for first, last in inner]
        # These are not decoded again: their number would grow with each layer.
        for view in _decoded_alone(text) if layers else ():
            found += [view.origin(first, last) for first, last in self._places(view.text, MIN_DECODED_LENGTH)]
        done[text, layers] = found
        return found

    def _places(self, text: str, shortest: int) -> t.Iterator[Span]:
        """Yield where secrets of this length and longer are, in a string that is not decoded any more."""
        for length, secrets in self._short.items():
            if shortest <= length <= len(text):
                yield from _occurrences(text, length, secrets)
        folded = text.translate(_LOWER)
        start = self._first_head(folded)
        if start is not None:
            self._automaton = self._automaton or Automaton(self._folded)
            yield from self._automaton.find(folded, start)

    def _first_head(self, text: str) -> int | None:
        """Return where a long secret may begin first; None where it contains none for sure."""
        if len(self._heads) <= MANY:
            return min((place for place in map(text.find, self._heads) if place >= 0), default=None)
        heads, size = self._heads, MIN_FOLDED_LENGTH
        return next((place for place in range(len(text) - size + 1) if text[place : place + size] in heads), None)


def _occurrences(text: str, length: int, secrets: set[str]) -> t.Iterator[Span]:
    """Yield the places of short secrets, which all have one length."""
    if len(secrets) <= MANY and not any(secret in text for secret in secrets):
        return
    for place in range(len(text) - length + 1):
        if text[place : place + length] in secrets:
            yield place, place + length


def _decodings(text: str, shortest: int) -> t.Iterator[_DecodedView]:
    """Yield the views of a string with one encoding resolved; each may contain a secret of so many characters."""
    yield from _views_of_base64(text, shortest)
    decoded = _decoded(text)
    if decoded is not None:
        yield decoded


def _decoded_alone(text: str) -> t.Iterator[_DecodedView]:
    """Yield a string with the escapes of one kind resolved: a secret may have the mark of another kind itself."""
    marks = [mark for mark in _KINDS if mark in text]
    for mark in marks if len(marks) > 1 else ():
        decoded = _decoded(text, _ESCAPES_OF[mark])
        if decoded is not None:
            yield decoded


def _decoded(encoded: str, escapes: t.Pattern[str] = _ESCAPES) -> _DecodedView | None:
    """Return a string with its escapes resolved once; None where it has none."""
    if not any(mark in encoded for mark in _KINDS):
        return None
    pieces: list[str] = []
    # Where each character begins and ends. Those of several escapes in a row have the place of all of them.
    begins: list[int] = []
    ends: list[int] = []
    done = 0
    for found in escapes.finditer(encoded):
        plain = _resolved(found.group())
        pieces += [encoded[done : found.start()], plain]
        begins += [*range(done, found.start()), *[found.start()] * len(plain)]
        ends += [*range(done + 1, found.start() + 1), *[found.end()] * len(plain)]
        done = found.end()
    pieces.append(encoded[done:])
    begins += range(done, len(encoded))
    ends += range(done + 1, len(encoded) + 1)
    text = "".join(pieces)
    return _DecodedView(text, lambda first, last: (begins[first], ends[last - 1])) if text != encoded else None


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


def _views_of_base64(text: str, shortest: int) -> t.Iterator[_DecodedView]:
    """Yield the parts of a string that may be base64 of so many bytes, decoded; it may begin within such a part."""
    letters_needed = -(-shortest * _BITS_OF_BYTE // _BITS_OF_CHARACTER)
    for run in _base64_runs(letters_needed).finditer(text):
        letters = run.group().rstrip("=")
        for shift in range(4):
            yield _DecodedView(_from_base64(letters[shift:]), _origin_in_base64(run, len(letters), shift))


@functools.lru_cache(maxsize=None)
def _base64_runs(least: int) -> t.Pattern[str]:
    """Return the pattern of base64 with at least so many letters."""
    return re.compile(r"[0-9A-Za-z+/_-]{%d,}={0,2}" % least)


def _origin_in_base64(run: t.Match[str], length: int, shift: int) -> t.Callable[[int, int], Span]:
    def origin(first: int, last: int) -> Span:
        begin = shift + first * _BITS_OF_BYTE // _BITS_OF_CHARACTER
        end = shift + -(-last * _BITS_OF_BYTE // _BITS_OF_CHARACTER)
        # The padding shows how long the secret is.
        return run.start() + begin, run.end() if end >= length else run.start() + end

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
