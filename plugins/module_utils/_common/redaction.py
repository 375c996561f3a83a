# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What may be shown of a secret, and how text from outside is made safe to print."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import typing as t
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import FonnteError
from .spellings import MASK, SecretFinder, cover

MAX_TEXT_LENGTH = 300
# More of a string of the service is not looked at: it is cut to the length above.
MAX_EXAMINED_LENGTH = 20_000
# For a character of a secret, in any spelling of it.
MAX_CHARACTERS = 12
# A longer part of a URL is masked even if it consists of small letters alone, as ordinary words do.
MAX_WORD_LENGTH = 11
# Shorter ones would blot out ordinary words.
MIN_SECRET_LENGTH = 4

_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


class Redactor:
    """Shows URLs by their host and a digest, and takes secrets out of text.

    The digest is keyed by a token of the user's, so that any change of a URL shows, and nobody who
    reads a log can try out guesses at its secret part.
    """

    def __init__(self, key: str, secrets: t.Iterable[str | None] = (), finder: SecretFinder | None = None) -> None:
        self._key = b"fonnte.whatsapp/shown-url/1\0" + key.encode()
        self._finder = SecretFinder() if finder is None else finder
        self.add_secrets((key, *secrets))

    def add_secrets(self, secrets: t.Iterable[str | None]) -> None:
        """Take note of further secrets, such as the tokens of a list."""
        self._finder.add(filter(None, secrets))

    def url(self, url: str) -> str:
        """Return ``https://host/…#1a2b3c`` for a URL, and the empty text for none."""
        if not url:
            return ""
        digest = hmac.new(self._key, url.encode(), hashlib.sha256).hexdigest()[:6]
        return f"{origin(url)}/…#{digest}"

    def text(self, text: str, secrets: t.Iterable[str] = (), sent: t.Iterable[str] = ()) -> str:
        """Return text of the service as it may be printed: one line, no secret, no control character.

        Args:
            text: The service's words.
            secrets: Further secrets that it may repeat.
            sent: Values that were sent; of each URL among them every part but the host is a secret.
        """
        urls = [value for value in sent if _URL.match(value)]
        if len(text) > MAX_EXAMINED_LENGTH:
            # A secret may be cut in two here: no part of it is shown.
            text = truncate(text, MAX_EXAMINED_LENGTH)
            text = text[: -max(len(secret) * MAX_CHARACTERS for secret in (*urls, *secrets, MASK))]
        for url in urls:
            text = text.replace(url, self.url(url))
        further = SecretFinder([*filter(None, secrets), *(part for url in urls for part in _parts(url))])
        text = cover(text, [*self._finder.spans(text), *further.spans(text)])
        text = _URL.sub(lambda found: self.url(found.group()), text)
        return truncate(printable(text, " "), MAX_TEXT_LENGTH)


@contextlib.contextmanager
def masking(finder: SecretFinder) -> t.Iterator[None]:
    """Mask the secrets in all that an error shows."""
    try:
        yield
    except FonnteError as exc:
        exc.problem, exc.advice, exc.operation = map(finder.mask_data, (exc.problem, exc.advice, exc.operation))
        exc.partial_result, exc.warnings = finder.mask_data(exc.partial_result), finder.mask_data(exc.warnings)
        raise


def _parts(url: str) -> set[str]:
    """Return what of a URL must not be shown; it may be repeated encoded or decoded."""
    try:
        parts = urlsplit(url)
        words = [url, f"{parts.path}?{parts.query}", parts.path, parts.query, parts.fragment]
        words += [parts.netloc.rpartition("@")[0], parts.username or "", parts.password or ""]
        # A name without a value may be the secret itself.
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            words += [value, name if not value or _is_secret(name) else ""]
        words += [parts.path.lstrip("/"), f"{parts.path}?{parts.query}".lstrip("/")] if "/" in parts.path[1:] else []
        words += [part for part in parts.path.split("/") if _is_secret(part)]
    except ValueError:
        words = [url]
    return {form for word in words for form in (word, unquote(word)) if len(form) >= MIN_SECRET_LENGTH}


def _is_secret(word: str) -> bool:
    """Return whether a part of a URL may be secret; a mask for an ordinary word would blot out the service's words."""
    return len(word) > MAX_WORD_LENGTH or not word.isalpha() or not word.islower()


def printable(text: str, mark: str = "?", kept: str = "") -> str:
    """Return text from outside with a mark for each character that nobody sees.

    These are line ends, colours of a terminal, marks that turn the direction of writing, and halves of characters.

    Args:
        text: The text.
        mark: What takes their place.
        kept: Those that stay all the same.
    """
    return "".join(letter if letter.isprintable() or letter in kept else mark for letter in text)


def truncate(text: str, longest: int) -> str:
    """Return a text, or as many of its characters as are given, with a sign that there are more."""
    return text if len(text) <= longest else text[:longest] + "…"


def origin(url: str) -> str:
    """Return scheme and host of a URL, without userinfo, path and query."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    return f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"


def is_origin(url: str) -> bool:
    """Tell whether a URL is no more than its host, and so holds nothing to hide."""
    return url.rstrip("/") == origin(url)
