# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Search for secrets in a string in any encoding: plain, URL-encoded, JSON-escaped, base64, or in another case.

This is the only file that handles encodings of secrets (invariant 8). It decodes the string and searches the result
for the secrets. So mixed and nested encodings are found without a list of all encodings of a secret.

The time is linear in the length of the string plus that of the secrets, because a peer may choose both.
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
# A shorter secret is matched case-sensitively, since it may be an ordinary word.
MIN_FOLDED_LENGTH = 8
# Shorter secrets are not tokens, codes or URLs. In decoded data they would match by chance.
MIN_DECODED_LENGTH = 4
# The maximum number of nested encodings.
MAX_LAYERS = 3
# Results repeat the same strings. The masked form of a longer string is not cached.
MAX_CACHED_LENGTH = 1000
# With more secrets than this, checking each position of a string is faster than searching for each secret.
MANY = 64

# By the first character of an escape sequence: URL encoding, JSON or Python, HTML.
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
    """A string after decoding, with a function that returns the original span of a decoded span."""

    text: str
    origin: t.Callable[[int, int], Span]


class SecretFinder:
    """Finds and masks secrets in strings.

    The workers of a fleet share one: some of them search while another one adds the token of a new device. So a search
    iterates over copies, and stores its results in the caches that it began with: ``add`` replaces these at its end.

    Args:
        secrets: Strings of any length; empty ones are ignored.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        # Short secrets by their length; long ones in lowercase, and the first characters of these.
        self._short: dict[int, set[str]] = {}
        self._folded: set[str] = set()
        self._heads: set[str] = set()
        self._shortest = 0
        # The automaton of the long secrets, once a search needs it.
        self._automata: list[Automaton] = []
        self._masked: dict[tuple[str, bool], str] = {}
        # Strings without a secret, except for short ones that are not encoded. Results repeat the same strings.
        self._unchanged: set[str] = set()
        self.add(secrets)

    def add(self, secrets: t.Iterable[str]) -> None:
        """Add secrets."""
        new = {secret for secret in secrets if secret} - self._known
        if not new:
            return
        self._known |= new
        for secret in new:
            # base64 and percent-encoding encode a non-ASCII character as several bytes.
            for form in sorted({secret, secret.encode("utf-8", "replace").decode("latin-1")}):
                self._shortest = min(self._shortest or len(form), len(form))
                if len(form) < MIN_FOLDED_LENGTH:
                    self._short.setdefault(len(form), set()).add(form)
                    continue
                folded = form.translate(_LOWER)
                self._folded.add(folded)
                self._heads.add(folded[:MIN_FOLDED_LENGTH])
        self._automata, self._masked, self._unchanged = [], {}, set()

    def known(self) -> frozenset[str]:
        """Return all secrets that were added."""
        return frozenset(self._known)

    def __contains__(self, text: object) -> bool:
        return text in self._known

    def mask(self, text: str, short: bool = True) -> str:
        """Return a string with each secret replaced by a mask.

        Args:
            text: The string.
            short: Whether a short secret that is not encoded is masked, too.
        """
        unchanged, cached = self._unchanged, self._masked
        if not short and text in unchanged:
            return text
        key = (text, short)
        if key in cached:
            return cached[key]
        masked = cover(text, self.spans(text, short))
        if len(text) > MAX_CACHED_LENGTH:
            return masked
        if masked == text and not short:
            unchanged.add(text)
        else:
            cached[key] = masked
        return masked

    def mask_data(self, value: t.Any) -> t.Any:
        """Return data of a result with the secrets in its strings masked.

        A requested token is kept: it is the whole value of a key ``token``. Short secrets that are not encoded are
        kept, too: Ansible masks those from options itself, and a number may contain the same digits.
        """
        if isinstance(value, str):
            return self.mask(value, short=False)
        if isinstance(value, dict):
            unchanged = self._unchanged
            # A function call for each of the many strings would take twice the time.
            return {
                key: item
                if item is None
                or item.__class__ is bool
                or (item.__class__ is str and item in unchanged)
                or (key == "token" and item in self)
                else self.mask_data(item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.mask_data(item) for item in value]
        return value

    def spans(self, text: str, short: bool = True) -> list[Span]:
        """Return the spans of secrets in a string. Spans may overlap."""
        if not self._known:
            return []
        return self._search(text, 0 if short else MIN_FOLDED_LENGTH, MAX_LAYERS, {})

    def _search(self, text: str, shortest: int, layers: int, done: dict[tuple[str, int], list[Span]]) -> list[Span]:
        """Return the spans of secrets after any number of decodings up to a limit.

        Args:
            text: The string.
            shortest: The length of the shortest secrets to find in the string itself.
            layers: The limit for decodings.
            done: The results for strings that were searched already, since the same base64 may occur often.
        """
        if len(text) < self._shortest:
            return []
        if (text, layers) in done:
            return done[text, layers]
        found = list(self._places(text, shortest))
        for view in _decodings(text, self._shortest) if layers else ():
            inner = self._search(view.text, MIN_DECODED_LENGTH, layers - 1, done)
            found += [view.origin(first, last) for first, last in inner]
        # These views are not decoded again: their number would multiply with each layer.
        for view in _decoded_alone(text) if layers else ():
            found += [view.origin(first, last) for first, last in self._places(view.text, MIN_DECODED_LENGTH)]
        done[text, layers] = found
        return found

    def _places(self, text: str, shortest: int) -> t.Iterator[Span]:
        """Yield the spans of secrets of at least this length in a string, without decoding it."""
        automata = self._automata
        for length, secrets in tuple(self._short.items()):
            if shortest <= length <= len(text):
                yield from _occurrences(text, length, secrets)
        folded = text.translate(_LOWER)
        start = self._first_head(folded)
        if start is not None:
            if not automata:
                automata.append(Automaton(tuple(self._folded)))
            yield from automata[0].find(folded, start)

    def _first_head(self, text: str) -> int | None:
        """Return the first position where a long secret may begin; None if the string contains none."""
        if len(self._heads) <= MANY:
            return min((place for place in map(text.find, tuple(self._heads)) if place >= 0), default=None)
        heads, size = self._heads, MIN_FOLDED_LENGTH
        parts = [text[place : place + size] for place in range(len(text) - size + 1)]
        if heads.isdisjoint(parts):
            return None
        return next(place for place, part in enumerate(parts) if part in heads)


def _occurrences(text: str, length: int, secrets: set[str]) -> t.Iterator[Span]:
    """Yield the spans of short secrets, which all have the same length."""
    if len(secrets) <= MANY and not any(secret in text for secret in tuple(secrets)):
        return
    for place in range(len(text) - length + 1):
        if text[place : place + length] in secrets:
            yield place, place + length


def _decodings(text: str, shortest: int) -> t.Iterator[_DecodedView]:
    """Yield the string with one layer of encoding removed, as views that are long enough to contain a secret."""
    yield from _views_of_base64(text, shortest)
    decoded = _decoded(text)
    if decoded is not None:
        yield decoded


def _decoded_alone(text: str) -> t.Iterator[_DecodedView]:
    """Yield the string with one kind of escape removed: a secret may contain the escape character of another kind."""
    marks = [mark for mark in _KINDS if mark in text]
    for mark in marks if len(marks) > 1 else ():
        decoded = _decoded(text, _ESCAPES_OF[mark])
        if decoded is not None:
            yield decoded


def _decoded(encoded: str, escapes: t.Pattern[str] = _ESCAPES) -> _DecodedView | None:
    """Return the string with its escapes decoded once; None if that does not change it."""
    if not any(mark in encoded for mark in _KINDS):
        return None
    pieces: list[str] = []
    # The original start and end of each character. Characters of adjacent escapes share the span of all of these.
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
        # One character for each byte, as in the latin-1 form of a secret.
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
    """Yield the decoded parts that may be base64 of at least so many bytes, from each of the four possible offsets."""
    letters_needed = -(-shortest * _BITS_OF_BYTE // _BITS_OF_CHARACTER)
    for run in _base64_runs(letters_needed).finditer(text):
        letters = run.group().rstrip("=")
        for shift in range(4):
            yield _DecodedView(_from_base64(letters[shift:]), _origin_in_base64(run, len(letters), shift))


@functools.lru_cache(maxsize=None)
def _base64_runs(least: int) -> t.Pattern[str]:
    """Return a pattern for base64 with at least so many letters."""
    return re.compile(r"[0-9A-Za-z+/_-]{%d,}={0,2}" % least)


def _origin_in_base64(run: t.Match[str], length: int, shift: int) -> t.Callable[[int, int], Span]:
    def origin(first: int, last: int) -> Span:
        begin = shift + first * _BITS_OF_BYTE // _BITS_OF_CHARACTER
        end = shift + -(-last * _BITS_OF_BYTE // _BITS_OF_CHARACTER)
        # The padding is masked, too, because it reveals the length of the secret.
        return run.start() + begin, run.end() if end >= length else run.start() + end

    return origin


def _from_base64(text: str) -> str:
    """Decode base64 to one character for each byte; an incomplete group at the end is dropped."""
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    try:
        padded = whole + "=" * (-len(whole) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/")).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def cover(text: str, spans: list[Span]) -> str:
    """Return a string with one mask for each group of overlapping or adjacent spans."""
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if end <= done:
            continue
        if start >= done:
            pieces += [text[done:start], MASK]
        done = end
    return "".join((*pieces, text[done:]))
