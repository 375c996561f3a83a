# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The head of a request is parsed without the HTTP library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.request_head import (
    MAX_HEAD_BYTES,
    HeadReader,
    HeadTooLargeError,
    MalformedHeadError,
    RequestHead,
)

HEAD = b"POST /a%41?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"


def head_of(data: bytes) -> RequestHead:
    found = HeadReader().feed(data)
    assert found is not None
    return found[0]


@given(st.integers(1, 40), st.binary(max_size=50), st.integers(0, 3))
def test_head_ends_at_the_body_for_any_chunks(size: int, body: bytes, blank: int) -> None:
    reader = HeadReader()
    data = b"\r\n" * blank + HEAD + body
    for start in range(0, len(data), size):
        found = reader.feed(data[start : start + size])
        if found is not None:
            head, rest = found
            assert (head.method, head.path, head.content_length) == ("POST", "/aA", 5)
            assert rest + data[start + size :] == body
            return
    raise AssertionError("the head was not found")


@given(st.integers(1, 5000))
def test_endless_head_is_too_large(size: int) -> None:
    reader = HeadReader()
    sent = 0
    with pytest.raises(HeadTooLargeError):
        while sent <= 2 * MAX_HEAD_BYTES:
            assert reader.feed(b"X" * size) is None
            sent += size
    assert sent <= MAX_HEAD_BYTES


def test_head_with_very_many_fields_is_too_large() -> None:
    with pytest.raises(HeadTooLargeError):
        HeadReader().feed(b"POST / HTTP/1.1\r\n" + b"a:\r\n" * 101 + b"\r\n")
    assert HeadReader().feed(b"POST / HTTP/1.1\r\n" + b"a:\r\n" * 100 + b"\r\n") is not None


def test_no_more_than_the_maximum_head_is_kept() -> None:
    reader = HeadReader()
    with pytest.raises(HeadTooLargeError):
        reader.feed(b"POST / HTTP/1.1\r\nX: " + b"y" * 1_000_000)
    assert len(reader._bytes) <= MAX_HEAD_BYTES + 4
    with pytest.raises(HeadTooLargeError):
        HeadReader().feed(b"\r\n" * MAX_HEAD_BYTES)
    assert HeadReader().feed(HEAD + b"x" * 1_000_000) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01",
        b"get / HTTP/1.1\r\n",
        b"GET / HTTP/2.0\r\n",
        b"GET / HTTP/1.1\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET http://xn--/ HTTP/1.1\r\n",
        b"CONNECT x:443 HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nX y\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_malformed_head_is_refused_immediately(data: bytes) -> None:
    with pytest.raises(MalformedHeadError):
        HeadReader().feed(data)


@given(st.binary(max_size=300))
def test_random_bytes_are_a_head_or_malformed_or_incomplete(data: bytes) -> None:
    try:
        HeadReader().feed(b"POST / HTTP/1.1\r\n" + data + b"\r\n\r\n")
    except (MalformedHeadError, HeadTooLargeError):
        return


def test_only_known_fields_are_passed_to_the_library() -> None:
    head = head_of(
        b"POST /secret HTTP/1.1\r\nHost: xn--\r\nCookie: a=b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Expect: 100-continue\r\nContent-Encoding: \xff\xff\r\nTransfer-Encoding: Chunked\r\n\r\n"
    )
    assert head.content_length is None
    assert head.compose().split(b"\r\n") == [
        b"POST / HTTP/1.1",
        b"Host: localhost",
        b"Transfer-Encoding: chunked",
        b"Connection: keep-alive",
        b"content-encoding: unknown",
        b"expect: 100-continue",
        b"",
        b"",
    ]


@pytest.mark.parametrize(
    ("version", "value", "kept"),
    [("1.1", "x", True), ("1.1", "x, Close", False), ("1.0", "x", False), ("1.0", "Keep-Alive", True)],
)
def test_keep_alive_follows_the_http_version_and_field(version: str, value: str, kept: bool) -> None:
    assert head_of(f"GET / HTTP/{version}\r\nConnection: {value}\r\n\r\n".encode()).keeps_connection == kept
