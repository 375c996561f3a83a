# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dark pixels of a PNG in each of its forms: filters, color types and depths."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.png import (
    MAX_READ_BYTES,
    check_png,
    read_dark_pixels,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.pairing import qr_png

GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHECKERS = [[(row + column) % 3 == 0 for column in range(11)] for row in range(7)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, color: int, packed: bytes, *more: bytes, interlaced: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more)
    return head + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b"")


def pack(rows: list[list[int]], depth: int) -> list[bytes]:
    """Return the samples of each line as bytes."""
    if depth == 16:
        return [b"".join(struct.pack(">H", value) for value in row) for row in rows]
    bits = ["".join(f"{value:0{depth}b}" for value in row) for row in rows]
    return [int(line.ljust(-len(line) % 8 + len(line), "0"), 2).to_bytes((len(line) + 7) // 8, "big") for line in bits]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_gray_of_each_depth(depth: int) -> None:
    most = (1 << depth) - 1
    rows = [[0 if dark else most for dark in row] for row in CHECKERS]
    packed = b"".join(b"\0" + line for line in pack(rows, depth))
    image = png(11, 7, depth, GRAY, packed)
    check_png(image)
    assert read_dark_pixels(image) == CHECKERS


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    ("color", "dark", "light"),
    [
        (RGB, (20, 0, 90), (255, 255, 0)),
        (GRAY_ALPHA, (0, 255), (255, 255)),
        (GRAY_ALPHA, (0, 255), (0, 0)),
        (RGB_ALPHA, (0, 0, 0, 255), (0, 0, 0, 0)),
        (RGB_ALPHA, (0, 90, 0, 255), (200, 255, 200, 255)),
    ],
)
def test_colors_and_transparency(depth: int, color: int, dark: tuple[int, ...], light: tuple[int, ...]) -> None:
    scale = 257 if depth == 16 else 1
    rows = [[value * scale for is_dark in row for value in (dark if is_dark else light)] for row in CHECKERS]
    packed = b"".join(b"\0" + line for line in pack(rows, depth))
    assert read_dark_pixels(png(11, 7, depth, color, packed)) == CHECKERS


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [True, False])
def test_palette(depth: int, transparent: bool) -> None:
    rows = [[1 if dark else 0 for dark in row] for row in CHECKERS]
    packed = b"".join(b"\0" + line for line in pack(rows, depth))
    light = (b"\0\0\0", chunk(b"tRNS", b"\0")) if transparent else (b"\xff\xff\xff", b"")
    more = (chunk(b"PLTE", light[0] + b"\x10\x10\x10"), light[1])
    assert read_dark_pixels(png(11, 7, depth, PALETTE, packed, *more)) == CHECKERS


def filtered(lines: list[bytes], kinds: list[int], step: int) -> bytes:
    """Return lines with the filters of the standard."""
    out, above = b"", bytes(len(lines[0]))
    for line, kind in zip(lines, kinds, strict=True):
        out += bytes([kind])
        for place, value in enumerate(line):
            left = line[place - step] if place >= step else 0
            corner = above[place - step] if place >= step else 0
            up = above[place]
            near = (
                {abs(up - corner): left}
                if abs(up - corner) <= min(abs(left - corner), abs(left + up - 2 * corner))
                else {}
            )
            paeth = left if near else up if abs(left - corner) <= abs(left + up - 2 * corner) else corner
            out += bytes([(value - (0, left, up, (left + up) // 2, paeth)[kind]) & 0xFF])
        above = line
    return out


@given(st.data(), st.sampled_from([(GRAY, 1), (RGB, 3), (RGB_ALPHA, 4)]))
def test_each_filter_is_undone(data: st.DataObject, form: tuple[int, int]) -> None:
    color, samples = form
    width, height = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    lines = [
        bytes(data.draw(st.lists(st.integers(0, 255), min_size=width * samples, max_size=width * samples)))
        for _line in range(height)
    ]
    kinds = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    plain = png(width, height, 8, color, b"".join(b"\0" + line for line in lines))
    assert read_dark_pixels(png(width, height, 8, color, filtered(lines, kinds, samples))) == read_dark_pixels(plain)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (png(2, 2, 8, GRAY, b"\0ab\0cd", interlaced=1), "pixels cannot be read"),
        (png(1, 1, 0, GRAY, b"\0"), "pixels cannot be read"),
        (png(1, 1, 3, GRAY, b"\0a"), "pixels cannot be read"),
        (png(2, 1, 4, RGB, b"\0abc"), "pixels cannot be read"),
        (png(1, 1, 16, PALETTE, b"\0ab", chunk(b"PLTE", b"abc")), "pixels cannot be read"),
        (png(1, 1, 8, GRAY, b"\x05a"), "unknown filter"),
        (png(1, 1, 8, PALETTE, b"\0\x01", chunk(b"PLTE", b"abc")), "its palette lacks"),
        (png(1, 1, 8, PALETTE, b"\0\0"), "its palette lacks"),
        (png(2048, 600, 8, GRAY, bytes(600 * 2049)), "pixels cannot be read"),
    ],
)
def test_valid_image_with_other_pixels_is_refused(image: bytes, words: str) -> None:
    check_png(image)
    with pytest.raises(ValueError, match=words):
        read_dark_pixels(image)


@given(
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 17),
    st.integers(0, 7),
    st.binary(max_size=60),
    st.binary(max_size=9),
)
def test_each_image_is_read_or_refused(
    width: int, height: int, depth: int, color: int, packed: bytes, palette: bytes
) -> None:
    try:
        rows = read_dark_pixels(png(width, height, depth, color, packed, chunk(b"PLTE", palette)))
    except ValueError:
        return
    assert len(rows) == height and {len(row) for row in rows} == {width}


def test_limit_admits_images_of_the_service() -> None:
    image = base64.b64decode(qr_png("a token", 0.0))
    assert len(read_dark_pixels(image)) ** 2 * 4 < MAX_READ_BYTES * 2
