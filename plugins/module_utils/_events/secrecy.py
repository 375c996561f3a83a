# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Detection and masking of the secrets in an event."""

from __future__ import annotations

import re
import typing as t

from .._common.spellings import MIN_FOLDED_LENGTH, SecretFinder

# A webhook is not nested. Deeper data is an attack on the parser.
DEEPEST = 16


# The maximum number of secret values that are masked in the other strings of an event.
MAX_SECRETS = 8


# A shorter value is not a token, which has 20 characters, but may be an ordinary word.
MIN_SECRET, MAX_SECRET = MIN_FOLDED_LENGTH, 256


# Since 2025, a secret key can be added to webhooks; the name of its field is not documented.
_SECRET = re.compile(r"token|secret|passw|auth|key$|signature", re.IGNORECASE)


def _parts(value: object) -> t.Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def secret_values(value: object) -> list[str]:
    """Return the values of the secret keys in a payload: the first ``MAX_SECRETS`` that may be tokens."""
    found: dict[str, None] = {}
    left = [value]
    while left and len(found) < MAX_SECRETS:
        one = left.pop()
        if isinstance(one, dict):
            for key, part in one.items():
                if _SECRET.search(str(key)):
                    found.update((text, None) for text in _scalars(part) if MIN_SECRET <= len(text) <= MAX_SECRET)
            left += [part for key, part in one.items() if not _SECRET.search(str(key))]
        elif isinstance(one, list):
            left += one
    return list(found)[:MAX_SECRETS]


def _scalars(value: object) -> t.Iterator[str]:
    left = [value]
    while left:
        one = left.pop()
        left += _parts(one)
        if isinstance(one, (str, int)):
            yield _clean_text(str(one))


_NUMBER = re.compile(r"[0-9 +().-]{5,30}")
# Python refuses to convert much longer integers, and no secret is so long.
MAX_DIGITS = 300


class _Secrecy:
    """The secrets of one payload."""

    def __init__(self, payload: object, return_tokens: bool, secrets: t.Iterable[str]) -> None:
        self.return_tokens = return_tokens
        self._secrets = list(secrets)
        self._own = [] if return_tokens else secret_values(payload)

    def finder(self, device: str | None) -> SecretFinder:
        """Return a finder for the secrets. The number of the device is not masked, even if a secret key contains it."""
        is_number = device is not None and _NUMBER.fullmatch(device) is not None
        return SecretFinder([*self._secrets, *(value for value in self._own if not is_number or value != device)])


def _masked(value: t.Any, finder: SecretFinder) -> t.Any:
    """Return data with all secrets in its strings masked, in any encoding."""
    if isinstance(value, str):
        return finder.mask(value, short=False)
    if isinstance(value, int) and not isinstance(value, bool):
        # A secret may consist of digits.
        shown = finder.mask(str(value), short=False) if abs(value) < 10**MAX_DIGITS else ""
        return value if shown in ("", str(value)) else shown
    if isinstance(value, dict):
        return {key: _masked(part, finder) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(part, finder) for part in value]
    return value


def _clean_text(text: str) -> str:
    # JSON allows an unpaired surrogate, but no encoding of logs or of other processes does.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _secret_keys(value: object, depth: int = 0) -> t.Iterator[str]:
    if isinstance(value, dict):
        yield from (str(key) for key in value if _SECRET.search(str(key)))
        value = [part for key, part in value.items() if not _SECRET.search(str(key))]
    if isinstance(value, list) and depth <= DEEPEST:
        for part in value:
            yield from _secret_keys(part, depth + 1)
