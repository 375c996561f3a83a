# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Response bodies are read and decompressed in bounded steps, for any data from the peer."""

from __future__ import annotations

import gzip
import io
import math
import typing as t
import zlib

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.body import (
    CHUNK,
    DecodingError,
    _Compressed,
    read_body,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.deadline import Attempt, DeadlineExceeded
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import UnexpectedResponseError


def headerless(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, t.Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "identity": (" Identity ", bytes),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", headerless),
}


def body_of(wire: bytes, encoding: str, piece: int = CHUNK, **more: t.Any) -> bytes:
    stream = io.BytesIO(wire)
    return read_body(lambda size: stream.read(min(size, piece)), encoding, Attempt(math.inf), **more)


@pytest.mark.parametrize("packer", PACKERS)
@given(data=st.binary(max_size=300), times=st.integers(1, 200), piece=st.integers(1, 400))
def test_body_is_decoded(packer: str, data: bytes, times: int, piece: int) -> None:
    encoding, pack = PACKERS[packer]
    assert body_of(pack(data * times), encoding, piece) == data * times


@pytest.mark.parametrize("packer", PACKERS)
def test_body_beyond_the_limit_is_refused(packer: str) -> None:
    encoding, pack = PACKERS[packer]
    assert len(body_of(pack(bytes(1_000_000)), encoding, limit=1_000_000)) == 1_000_000
    with pytest.raises(UnexpectedResponseError, match="larger than"):
        body_of(pack(bytes(1_000_001)), encoding, limit=1_000_000)


def test_decompression_step_returns_at_most_one_chunk() -> None:
    sizes = [len(piece) for piece in _Compressed(False).decode(gzip.compress(bytes(10_000_000)))]
    assert max(sizes) == CHUNK and sum(sizes) == 10_000_000


@pytest.mark.parametrize("packer", ["gzip", "deflate", "deflate without a header"])
def test_damaged_body_is_an_error(packer: str) -> None:
    encoding, pack = PACKERS[packer]
    wire = pack(b'{"status":true}' * 30)
    for damaged in (wire[:-6], b"\xff" + wire, b"{}"):
        with pytest.raises(DecodingError):
            body_of(damaged, encoding)
    assert body_of(b"", encoding) == b""


def test_bytes_after_the_compressed_body_count_only_for_the_limit() -> None:
    wire = gzip.compress(b"{}")
    assert body_of(wire + b"more" * 100, "gzip") == b"{}"
    with pytest.raises(UnexpectedResponseError, match="larger than"):
        body_of(wire + bytes(2_000_000), "gzip", limit=1_000_000)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,deflate", "compress"])
def test_unsupported_encoding_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(UnexpectedResponseError, match=f'compressed as "{encoding}"'):
        body_of(b"x", encoding)


@pytest.mark.parametrize("encoding", ["{{ 7*6 }}", "\x1b[31m", "x" * 100])
def test_malformed_encoding_name_is_not_shown(encoding: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="an unknown encoding") as caught:
        body_of(b"x", encoding)
    assert encoding not in str(caught.value)


def test_no_decompression_after_the_deadline() -> None:
    now = [0.0]
    attempt, stream = Attempt(1.0, lambda: now[0]), io.BytesIO(gzip.compress(bytes(10_000_000)))

    def read(size: int) -> bytes:
        now[0] = 2.0
        return stream.read(size)

    with pytest.raises(DeadlineExceeded):
        read_body(read, "gzip", attempt)
