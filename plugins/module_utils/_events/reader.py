# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Reading of webhook fields, whose names and types differ between events."""

from __future__ import annotations

import math
import re
import typing as t

from .._common.clock import unix_to_text
from .secrecy import _SECRET, DEEPEST, _clean_text, _secret_keys

# Unix seconds beyond this are in the year 5138 or later, so the value is in milliseconds.
FIRST_MILLISECONDS = 10**11


LONGEST_WHOLE = 18


LONGEST_SHOWN = 40


_TRUE = ("true", "yes", "on", "1")


Payload = t.Dict[str, t.Any]


T = t.TypeVar("T")


def log_safe(text: str) -> str:
    """Return an external string in a form for logs: one line of limited length."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _plain(key: str) -> str:
    return key.strip().lower().replace("_", "").replace("-", "")


class PayloadReader:
    """Reads the keys of a payload. Each key is read once; the remaining ones are returned by ``rest``."""

    def __init__(self, payload: Payload) -> None:
        self._payload = {str(key): value for key, value in payload.items()}
        self._left = dict(self._payload)
        self._spelled: dict[str, str] = {}
        for key in self._payload:
            self._spelled.setdefault(_plain(key), key)
        for key in self._payload:
            # The documented spelling has priority.
            if key == _plain(key):
                self._spelled[key] = key

    def has(self, *keys: str) -> bool:
        return any(self._raw(key) not in (None, "") for key in keys)

    def names(self) -> str:
        found = [log_safe(key) for key in sorted(self._payload)]
        return ", ".join(found[:10]) + (", …" if len(found) > 10 else "")

    def withheld(self) -> list[str]:
        return sorted({_clean_text(key) for key in _secret_keys(self._left)})

    def rest(self, return_tokens: bool) -> Payload:
        cleaned: Payload = _clean(self._left, return_tokens)
        return cleaned

    def text(self, key: str) -> str | None:
        return self._take(key, _text)

    def whole(self, key: str) -> int | None:
        return self._take(key, _parse_int)

    def time(self, key: str) -> str | None:
        return self._take(key, _time)

    def texts(self, key: str) -> list[str]:
        return self._take(key, _texts) or []

    def choice(self, key: str, known: t.Mapping[str, bool]) -> bool | None:
        return self._take(key, lambda value: known.get(value.strip().lower()) if isinstance(value, str) else None)

    def any_true(self, keys: t.Collection[str]) -> bool:
        """Return whether one of the keys is true, in any of its spellings. The keys stay in the rest."""
        return any(_is_true(value) for key, value in self._payload.items() if _plain(key) in keys)

    def _raw(self, key: str) -> object:
        return self._payload.get(self._spelled.get(key, key))

    def _take(self, key: str, read: t.Callable[[t.Any], T | None]) -> T | None:
        value = self._raw(key)
        found = None if value is None else read(value)
        if found is not None or value in (None, ""):
            # A value of an unexpected type stays in the rest, so that it is not lost.
            self._left.pop(self._spelled.get(key, key), None)
        return found


def _is_true(value: object) -> bool:
    return isinstance(value, (str, int)) and str(value).strip().lower() in _TRUE


def _text(value: object) -> str | None:
    """Return a value as a string; None for an empty string, so that a missing value has only one form."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return str(value)
    return (_clean_text(value) or None) if isinstance(value, str) else None


def _parse_int(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    text = str(value).strip() if isinstance(value, (int, str)) else ""
    return int(text) if re.fullmatch(rf"-?[0-9]{{1,{LONGEST_WHOLE}}}", text) else None


def _time(value: object) -> str | None:
    seconds = _parse_int(int(value) if isinstance(value, float) and abs(value) < FIRST_MILLISECONDS**2 else value)
    if seconds is None or seconds < 0:
        return None
    return unix_to_text(seconds // 1000 if seconds >= FIRST_MILLISECONDS else seconds)


def _texts(value: object) -> list[str] | None:
    if isinstance(value, str):
        return [part.strip() for part in _clean_text(value).split(",") if part.strip()] or None
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return [_clean_text(part) for part in value]
    return None


def _clean(value: t.Any, return_tokens: bool, depth: int = 0) -> t.Any:
    if depth > DEEPEST:
        return "nested too deeply"
    if isinstance(value, dict):
        return {
            _clean_text(str(key)): _clean(part, return_tokens, depth + 1)
            for key, part in value.items()
            if return_tokens or not _SECRET.search(str(key))
        }
    if isinstance(value, list):
        return [_clean(part, return_tokens, depth + 1) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return _clean_text(value) if isinstance(value, str) else value
