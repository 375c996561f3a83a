# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What may be shown of a secret, and how text from outside is made safe to print."""

from __future__ import annotations

import hashlib
import hmac
import re
import typing as t
from urllib.parse import urlsplit

MASK = "********"
LONGEST_TEXT = 300

_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


class Redactor:
    """Shows URLs by their host and a digest, and takes secrets out of text.

    The digest is keyed by a token of the user's, so that any change of a URL shows, and nobody who
    reads a log can try out guesses at its secret part.
    """

    def __init__(self, key: str, secrets: t.Iterable[str | None] = ()) -> None:
        self._key = b"fonnte.whatsapp/shown-url/1\0" + key.encode()
        self._secrets = sorted({secret for secret in (key, *secrets) if secret}, key=len, reverse=True)

    def url(self, url: str) -> str:
        """Return ``https://host/…#1a2b3c`` for a URL, and the empty text for none."""
        if not url:
            return ""
        digest = hmac.new(self._key, url.encode(), hashlib.sha256).hexdigest()[:6]
        return f"{bare_host(url)}/…#{digest}"

    def text(self, text: str) -> str:
        """Return text of the service as it may be printed: one line, no secret, no control character."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _URL.sub(lambda found: self.url(found.group()), text)
        text = "".join(letter if letter.isprintable() else " " for letter in text)
        return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def bare_host(url: str) -> str:
    """Return scheme and host of a URL, without userinfo, path and query."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    return f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"


def is_bare(url: str) -> bool:
    """Tell whether a URL is no more than its host, and so holds nothing to hide."""
    return url.rstrip("/") == bare_host(url)
