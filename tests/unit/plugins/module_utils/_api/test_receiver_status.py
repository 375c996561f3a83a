# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status line of a receiver's response, in any pieces, and of any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.receiver_check import (
    MAX_RECEIVED_BYTES,
    NotHttpError,
    parse_status,
)

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (b"", None),
        (b"HTT", None),
        (b"HTTP/1.1 20", None),
        (b"HTTP/1.1 200 OK\r", None),
        (b"HTTP/1.1 200 OK\r\n", 200),
        (b"HTTP/1.1 200\n", 200),
        (b"HTTP/1.0 404 \r\nmore", 404),
        (b"HTTP/1.1 101 Switching Protocols\r\n", 101),
        (HINTS, None),
        (HINTS[:-2], None),
        (HINTS + b"HTTP/1.1 500 x\r\n", 500),
        (b"HTTP/1.1 100 Continue\n\nHTTP/1.1 204 x\n", 204),
    ],
)
def test_status_of_a_beginning(received: bytes, status: int | None) -> None:
    assert parse_status(received) == status


@pytest.mark.parametrize(
    "received",
    [
        b"x",
        b"\r\n",
        b"HTTP/2",
        b"HTTP/1.1 0\n",
        b"HTTP/1.1 600 x\n",
        b"HTTP/1.1 99\n",
        b"HTTP/1.1 2000\n",
        b"HTTP/1.1 200 a\rb\n",
        HINTS + b"x",
        b"HTTP/1.1 " + b"1" * 9000,
        b"HTTP/1.1 100 x\r\n" + b"a" * MAX_RECEIVED_BYTES,
    ],
)
def test_other_bytes_are_not_http(received: bytes) -> None:
    with pytest.raises(NotHttpError):
        parse_status(received)


@given(st.lists(st.sampled_from([HINTS, b"HTTP/1.1 100 C\r\n\r\n"]), max_size=3), st.integers(200, 599))
def test_status_is_the_same_in_any_pieces(before: list[bytes], status: int) -> None:
    whole = b"".join(before) + b"HTTP/1.1 %d Reason\r\n" % status
    assert [parse_status(whole[:length]) for length in range(len(whole))] == [None] * len(whole)
    assert parse_status(whole) == status


@given(st.binary(max_size=200))
def test_any_bytes_have_a_status_or_none_or_are_refused(received: bytes) -> None:
    try:
        status = parse_status(b"HTTP/1.1 " + received)
    except NotHttpError:
        return
    assert status is None or 101 <= status <= 599
