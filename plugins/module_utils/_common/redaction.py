# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Redaction: secrets are masked, and external strings are cleaned before they are printed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import re
import typing as t
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import FonnteError
from .spellings import MASK, SecretFinder, cover

MAX_TEXT_LENGTH = 300
# A longer string of the service is cut to this length before it is searched for secrets.
MAX_EXAMINED_LENGTH = 20_000
# The maximum number of characters that encode one character of a secret.
MAX_CHARACTERS = 12
# A longer part of a URL is masked even if it has only lowercase letters, like an ordinary word.
MAX_WORD_LENGTH = 11
# Masking shorter strings would also mask ordinary words.
MIN_SECRET_LENGTH = 4

_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


class Redactor:
    """Masks secrets in strings, and replaces a URL by its host and a digest.

    The digest is an HMAC with the user's token as the key. It shows a change of the URL, but a reader of a log cannot
    use it to check guesses of the secret part.
    """

    def __init__(self, key: str, secrets: t.Iterable[str | None] = (), finder: SecretFinder | None = None) -> None:
        self._key = b"fonnte.whatsapp/shown-url/1\0" + key.encode()
        self._finder = SecretFinder() if finder is None else finder
        self.add_secrets((key, *secrets))

    def add_secrets(self, secrets: t.Iterable[str | None]) -> None:
        """Add further secrets, such as the tokens of a device list."""
        self._finder.add(filter(None, secrets))

    def url(self, url: str) -> str:
        """Return ``https://host/…#1a2b3c`` for a URL; an empty string for an empty one."""
        return _shown_url(self._key, url) if url else ""

    def text(self, text: str, secrets: t.Iterable[str] = (), sent: t.Iterable[str] = ()) -> str:
        """Return a string of the service in printable form: one line without secrets and control characters.

        Args:
            text: The string of the service.
            secrets: Further secrets that it may contain.
            sent: The values of the request. All parts of a URL among them, except its host, are secrets.
        """
        urls = [value for value in sent if _URL.match(value)]
        if len(text) > MAX_EXAMINED_LENGTH:
            # The cut may have split a secret, so the longest possible part of one is dropped, too.
            text = truncate(text, MAX_EXAMINED_LENGTH)
            text = text[: -max(len(secret) * MAX_CHARACTERS for secret in (*urls, *secrets, MASK))]
        for url in urls:
            text = text.replace(url, self.url(url))
        further = SecretFinder([*filter(None, secrets), *(part for url in urls for part in _parts(url))])
        text = cover(text, [*self._finder.spans(text), *further.spans(text)])
        text = _URL.sub(lambda found: self.url(found.group()), text)
        return truncate(printable(text, " "), MAX_TEXT_LENGTH)


# A result contains most URLs several times.
@functools.lru_cache(maxsize=1024)
def _shown_url(key: bytes, url: str) -> str:
    digest = hmac.new(key, url.encode(), hashlib.sha256).hexdigest()[:6]
    return f"{origin(url)}/…#{digest}"


@contextlib.contextmanager
def masking(finder: SecretFinder) -> t.Iterator[None]:
    """Mask the secrets in all parts of a FonnteError that passes."""
    try:
        yield
    except FonnteError as exc:
        exc.problem, exc.advice, exc.operation = map(finder.mask_data, (exc.problem, exc.advice, exc.operation))
        exc.partial_result, exc.warnings = finder.mask_data(exc.partial_result), finder.mask_data(exc.warnings)
        raise


def _parts(url: str) -> set[str]:
    """Return the secret parts of a URL, as they are written and URL-decoded."""
    try:
        parts = urlsplit(url)
        words = [url, f"{parts.path}?{parts.query}", parts.path, parts.query, parts.fragment]
        words += [parts.netloc.rpartition("@")[0], parts.username or "", parts.password or ""]
        # A parameter name without a value may be the secret.
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            words += [value, name if not value or _is_secret(name) else ""]
        words += [parts.path.lstrip("/"), f"{parts.path}?{parts.query}".lstrip("/")] if "/" in parts.path[1:] else []
        words += [part for part in parts.path.split("/") if _is_secret(part)]
    except ValueError:
        words = [url]
    return {form for word in words for form in (word, unquote(word)) if len(form) >= MIN_SECRET_LENGTH}


def _is_secret(word: str) -> bool:
    """Return whether a part of a URL may be secret. Masking an ordinary word would garble messages of the service."""
    return len(word) > MAX_WORD_LENGTH or not word.isalpha() or not word.islower()


def printable(text: str, mark: str = "?", kept: str = "") -> str:
    """Return a string with each non-printable character replaced.

    These are line ends, terminal control characters, direction marks, and unpaired surrogates.

    Args:
        text: The string.
        mark: The replacement.
        kept: Non-printable characters that are not replaced.
    """
    return "".join(letter if letter.isprintable() or letter in kept else mark for letter in text)


def truncate(text: str, longest: int) -> str:
    """Return a string, cut to a length and marked with an ellipsis if it is longer."""
    return text if len(text) <= longest else text[:longest] + "…"


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL, without user, path and query."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    return f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"


def is_origin(url: str) -> bool:
    """Return whether a URL is only a scheme, a host and a port, and so contains no secret."""
    return url.rstrip("/") == origin(url)
