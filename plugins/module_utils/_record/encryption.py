# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Encrypt the strings of the record, each for one entry.

The key is derived from a token, which no entry contains, and from the name, the kind and the endpoint of the entry. So
a string that is copied to another entry cannot be decrypted there. The string also begins with the name of its entry: a
string in the wrong entry is reported as such without a token, and not as damaged.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
import re
import traceback
import typing as t

from .._common.errors import MissingLibraryError

_NAME = re.compile(r"(?:device|number)-[0-9a-f]{32}")
# A string is base64 of a version, a nonce, and the encrypted content with its tag. The content is padded to whole blocks
# of AES, so that the size shows less about it, and most truncated strings have a wrong size. The version is 1: the first
# character is A, the second one has two bits of it.
_STRING = re.compile(rb"((?:device|number)-[0-9a-f]{32}):(A[Q-Za-f][A-Za-z0-9_-]+={0,2})")
_VERSION = b"\x01"
_NONCE_SIZE, _BLOCK_SIZE = 12, 16
_SMALLEST = len(_VERSION) + _NONCE_SIZE + 2 * _BLOCK_SIZE


class ForeignStringError(ValueError):
    """A string was encrypted for another entry.

    Attributes:
        owner: The name of that entry.
    """

    def __init__(self, owner: str) -> None:
        super().__init__(f"it belongs to {owner}")
        self.owner = owner


class Place(t.NamedTuple):
    """The entry that a string is encrypted for.

    Attributes:
        name: Its name.
        kind: ``device`` or ``number``.
        endpoint: The service that its content is about.
    """

    name: str
    kind: str
    endpoint: str


def is_name(name: str) -> bool:
    """Return whether an entry of the record can have a name; False for a path or the name of a lock file."""
    return _NAME.fullmatch(name) is not None


def file_name(secret: str, kind: str, *parts: str) -> str:
    """Return the name of an entry: a keyed digest, which reveals nothing about the entry without the secret."""
    text = "\0".join(("fonnte.whatsapp/record-name/1", kind, *parts))
    return f"{kind}-{hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]}"


# A file is checked when it is read, and again when it is decrypted.
@functools.lru_cache(maxsize=64)
def owner_of(encrypted: bytes) -> str:
    """Return the name of the entry for which a string claims to be encrypted; empty if it has another form.

    Only the token can prove that claim.
    """
    found = _STRING.fullmatch(encrypted)
    return found.group(1).decode() if found and _is_whole(found.group(2)) else ""


def _is_whole(text: bytes) -> bool:
    """Return whether base64 has the size of an encrypted string."""
    size = len(text) // 4 * 3 - text.count(b"=")
    return len(text) % 4 == 0 and size >= _SMALLEST and (size - _SMALLEST) % _BLOCK_SIZE == 0


class Cipher:
    """The cipher of one secret for one entry: AES-GCM, with a separate key, which is derived once."""

    def __init__(self, secret: str, place: Place) -> None:
        self._secret = secret
        self.place = place
        self._aes: t.Any = None

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"Cipher({self.place.name})"

    def encrypt(self, content: t.Mapping[str, t.Any]) -> bytes:
        """Return content as a string that can only be decrypted for this entry."""
        plain = json.dumps({**content, "file": self.place.name}).encode()
        plain += b" " * (-len(plain) % _BLOCK_SIZE)
        nonce = os.urandom(_NONCE_SIZE)
        raw = _VERSION + nonce + self._get().encrypt(nonce, plain, None)
        return self.place.name.encode() + b":" + base64.urlsafe_b64encode(raw)

    def decrypt(self, encrypted: bytes) -> dict[str, t.Any]:
        """Return the content of a string.

        Raises:
            ForeignStringError: It was encrypted for another entry.
            ValueError: It was not encrypted with this secret, or is damaged.
        """
        owner = owner_of(encrypted)
        if owner not in ("", self.place.name):
            raise ForeignStringError(owner)
        if not owner:
            raise ValueError("it is no string of this format")
        raw = base64.urlsafe_b64decode(encrypted.partition(b":")[2])
        start = len(_VERSION) + _NONCE_SIZE
        aes, invalid_tag = self._get(), load_library().InvalidTag
        try:
            data = json.loads(aes.decrypt(raw[len(_VERSION) : start], raw[start:], None))
        except invalid_tag:
            raise ValueError("it does not decrypt") from None
        if not isinstance(data, dict) or data.pop("file", None) != self.place.name:
            raise ValueError("it does not contain its own name")
        return data

    def _get(self) -> t.Any:
        if self._aes is None:
            self._aes = _aes(self._secret, self.place)
        return self._aes


class _Library(t.NamedTuple):
    """The used parts of cryptography."""

    AESGCM: t.Any
    HKDF: t.Any
    SHA256: t.Any
    InvalidTag: t.Any


@functools.lru_cache(maxsize=1)
def load_library() -> _Library:
    """Return the used parts of cryptography, which is imported here because ordinary modules may need none.

    Raises:
        MissingLibraryError: It is not installed.
    """
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError:
        raise MissingLibraryError("cryptography", traceback.format_exc()) from None
    return _Library(AESGCM, HKDF, SHA256, InvalidTag)


def _aes(secret: str, place: Place) -> t.Any:
    """Return the cipher for one entry."""
    library = load_library()
    # No part contains the separator, so two entries never have the same bytes.
    info = "\0".join(("fonnte.whatsapp/record/1", place.kind, place.name, place.endpoint)).encode()
    key = library.HKDF(algorithm=library.SHA256(), length=32, salt=None, info=info).derive(secret.encode())
    return library.AESGCM(key)
