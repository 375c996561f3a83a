# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The head of an HTTP request: at most 16 KiB, parsed without the HTTP library (invariant 9).

Only the format that Fonnte and proxies send is accepted: HTTP/1.0 or 1.1, a path as the target, lines that end with
CR LF, and one unambiguous length of the body. All other requests are malformed.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote

# The limit for the request line and the headers. Fonnte's have 300 bytes; a proxy adds a few hundred.
MAX_HEAD_BYTES = 16 * 1024
# Parsing thousands of empty fields would delay the events of others.
MAX_FIELDS = 100
# The limit for each value that is passed on to the HTTP library.
MAX_VALUE_LENGTH = 64

_HEAD_END = b"\r\n\r\n"
_LINE_END = b"\r\n"
_REQUEST_LINE = re.compile(rb"([A-Z][A-Z-]{0,31}) (/[\x21-\x7e]*) HTTP/1\.([01])")
_METHOD_BEGIN = re.compile(rb"[A-Z]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_LENGTH = re.compile(r"[0-9]{1,15}")
_TOKENS = re.compile(r"[A-Za-z0-9 ,*._-]*")
_READ_ONCE = ("content-length", "transfer-encoding", "content-encoding", "expect")
_READ = (*_READ_ONCE, "connection")


class MalformedHeadError(Exception):
    """The bytes are not the head of an acceptable request."""


class HeadTooLargeError(Exception):
    """The head has more than ``MAX_HEAD_BYTES``."""


@dataclass(frozen=True)
class RequestHead:
    """The parts of a head that the gate uses.

    Attributes:
        method: The method in uppercase.
        path: The decoded path of the target, without the query.
        minor_version: The minor version of HTTP/1: 0 or 1.
        content_length: The length of the body in bytes; None if it is chunked.
        fields: The values of the known headers, by their lowercase name.
    """

    method: str
    path: str
    minor_version: int
    content_length: int | None
    fields: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def keeps_connection(self) -> bool:
        """Whether the client may send another request on the connection."""
        tokens = [token.strip().lower() for token in self.fields.get("connection", "").split(",")]
        return "close" not in tokens and (self.minor_version == 1 or "keep-alive" in tokens)

    def compose(self) -> bytes:
        """Return a head for the HTTP library, which contains only known fields and no part of the target."""
        length = (
            "Transfer-Encoding: chunked" if self.content_length is None else f"Content-Length: {self.content_length}"
        )
        lines = [f"{self.method} / HTTP/1.{self.minor_version}", "Host: localhost", length]
        lines.append("Connection: " + ("keep-alive" if self.keeps_connection else "close"))
        lines += [f"{name}: {self.fields[name]}" for name in ("content-encoding", "expect") if name in self.fields]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


class HeadReader:
    """Collects the bytes of one request head."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._blank = 0
        self._line_known = False

    def feed(self, data: bytes) -> tuple[RequestHead, bytes] | None:
        """Add bytes; return the head and the bytes after it, or None while the head is incomplete.

        Raises:
            HeadTooLargeError: The head exceeds the limit.
            MalformedHeadError: The head is not acceptable, even if more bytes follow.
        """
        if not self._bytes:
            # Blank lines before a request are allowed, and count towards the length of its head.
            stripped = data.lstrip(_LINE_END)
            self._blank += len(data) - len(stripped)
            data = stripped
        before = len(self._bytes)
        self._bytes += data[: max(0, MAX_HEAD_BYTES + len(_HEAD_END) - self._blank - before)]
        end = self._bytes.find(_HEAD_END, max(0, before - len(_HEAD_END) + 1))
        self._check_begin()
        if self._blank + (len(self._bytes) if end < 0 else end) > MAX_HEAD_BYTES:
            raise HeadTooLargeError
        if end < 0:
            return None
        return _parse(bytes(self._bytes[:end])), data[end + len(_HEAD_END) - before :]

    def _check_begin(self) -> None:
        """Refuse another protocol after its first bytes, because its client may never send the end of a head."""
        if self._line_known or not self._bytes:
            return
        end = self._bytes.find(b"\n")
        self._line_known = end >= 0
        if not _METHOD_BEGIN.match(self._bytes):
            raise MalformedHeadError
        if self._line_known:
            _request_line(bytes(self._bytes[: end + 1]).removesuffix(_LINE_END))


def _request_line(line: bytes) -> t.Match[bytes]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise MalformedHeadError
    return match


def _parse(head: bytes) -> RequestHead:
    first, *lines = head.split(_LINE_END)
    if len(lines) > MAX_FIELDS:
        raise HeadTooLargeError
    method, target, minor = (part.decode("ascii") for part in _request_line(first).groups())
    fields: dict[str, str] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise MalformedHeadError
        name, value = (part.decode("latin-1").strip(" \t") for part in match.groups())
        name = name.lower()
        if name in _READ_ONCE and name in fields:
            raise MalformedHeadError
        if name in _READ:
            fields[name] = f"{fields[name]},{value}" if name in fields else value
    path = unquote(target.partition("?")[0].partition("#")[0], errors="replace")
    length = _content_length(fields, int(minor))
    return RequestHead(method, path, int(minor), length, {name: _plain(fields[name]) for name in fields})


def _content_length(fields: t.Mapping[str, str], minor_version: int) -> int | None:
    """Return the length of the body. Two lengths, or an unknown coding, could hide a request in a body: refuse them."""
    length, coding = fields.get("content-length"), fields.get("transfer-encoding")
    if coding is None:
        if length is not None and not _LENGTH.fullmatch(length):
            raise MalformedHeadError
        return int(length or 0)
    if length is not None or coding.lower() != "chunked" or minor_version == 0:
        raise MalformedHeadError
    return None


def _plain(value: str) -> str:
    """Return the value of a header for the HTTP library; "unknown" for an unexpected value."""
    return value if len(value) <= MAX_VALUE_LENGTH and _TOKENS.fullmatch(value) else "unknown"
