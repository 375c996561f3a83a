# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The body of a response, read and decompressed in bounded steps.

The collection requests the encoding ``identity``, but a proxy or a hostile peer may still compress a response. The
HTTP libraries decompress each chunk at once, and their old versions without a limit: a few kilobytes can become
gigabytes.
"""

from __future__ import annotations

import re
import typing as t
import zlib

from .._common.errors import UnexpectedResponseError
from .deadline import Attempt
from .wire import NO_RESPONSE

MAX_BODY_BYTES = 32 * 1024 * 1024
# The bytes that one step reads or decompresses.
CHUNK = 8 * 1024

# Parameters of zlib. With the first, it detects itself whether a header is that of gzip or of zlib.
_AUTOMATIC, _HEADERLESS = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_HEADER_SIZE = 2
_COMPRESSED = ("gzip", "x-gzip", "deflate")
_NAME = re.compile(r"[a-z0-9, -]{1,40}")


class DecodingError(Exception):
    """The body does not match its Content-Encoding."""


def read_body(read: t.Callable[[int], bytes], encoding: str, attempt: Attempt, limit: int = MAX_BODY_BYTES) -> bytes:
    """Return the body of a response, decompressed.

    Args:
        read: Reads up to the given number of bytes, still compressed; returns none at the end.
        encoding: The Content-Encoding header.
        attempt: The attempt that the response belongs to.
        limit: The maximum size in bytes, compressed and decompressed.

    Raises:
        UnexpectedResponseError: The body is too large, or its encoding is unknown.
        DecodingError: The body is damaged.
        DeadlineExceeded: The time of the attempt is over.
    """
    decoder = _decoder(encoding.strip().lower())
    pieces: list[bytes] = []
    wire = size = 0
    while True:
        attempt.time_left()
        data = read(CHUNK)
        wire += len(data)
        if not data:
            decoder.finish()
            return b"".join(pieces)
        for piece in decoder.decode(data):
            pieces.append(piece)
            size += len(piece)
            if max(size, wire) > limit:
                raise UnexpectedResponseError(f"the response is larger than {limit // 2**20} MB", NO_RESPONSE, True)
            attempt.time_left()


class _Plain:
    def decode(self, data: bytes) -> t.Iterator[bytes]:
        """Yield the data unchanged."""
        yield data

    def finish(self) -> None:
        """Do nothing: the connection checks the length."""


class _Compressed:
    """One zlib stream. Data after its end is ignored."""

    def __init__(self, deflate: bool) -> None:
        self._deflate = deflate
        self._start = b""
        self._zlib: t.Any = None

    def decode(self, data: bytes) -> t.Iterator[bytes]:
        """Yield the decompressed data in pieces of at most one chunk."""
        if self._zlib is None:
            self._start += data
            if len(self._start) < _HEADER_SIZE:
                return
            data, self._zlib = self._start, zlib.decompressobj(self._window())
        while not self._zlib.eof:
            try:
                piece = self._zlib.decompress(data, CHUNK)
            except zlib.error:
                raise DecodingError from None
            data = self._zlib.unconsumed_tail
            if not data and not piece:
                break
            yield piece
        # The caller checks the size also where no data came out.
        yield b""

    def _window(self) -> int:
        """Return the window parameter of zlib. "deflate" is sent both with and without a zlib header."""
        first, second = self._start[:_HEADER_SIZE]
        has_header = first & 15 == zlib.DEFLATED and (first << 8 | second) % 31 == 0
        return _AUTOMATIC if has_header or not self._deflate else _HEADERLESS

    def finish(self) -> None:
        """Raise DecodingError if the stream is incomplete. An empty body is an empty response."""
        if self._start and (self._zlib is None or not self._zlib.eof):
            raise DecodingError


def _decoder(encoding: str) -> _Plain | _Compressed:
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in _COMPRESSED:
        return _Compressed(encoding == "deflate")
    shown = f'"{encoding}"' if _NAME.fullmatch(encoding) else "an unknown encoding"
    raise UnexpectedResponseError(f"the response is compressed as {shown}, which was not requested", NO_RESPONSE, True)
