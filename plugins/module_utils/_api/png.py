# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""PNG images: validation, and the pixels of the image of a QR code, without a library for images."""

from __future__ import annotations

import struct
import typing as t
import zlib
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The image of a QR code has a few hundred pixels per side.
MAX_IMAGE_SIDE = 2048
# The bytes of an image whose pixels are read. They take about a second.
MAX_READ_BYTES = 1024 * 1024
# The number of samples per pixel for each color type: gray, RGB, palette, gray with alpha, and RGB with alpha.
GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}
# The bits of a sample that the standard permits; for the other color types 8 and 16.
_DEPTHS = {GRAY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8)}
# A pixel is dark if it is nearer to black than to white.
_MIDDLE = 128

Rows = t.List[t.List[bool]]


@dataclass(frozen=True)
class _Header:
    """The header of a PNG: its size in pixels, the bits of a sample, the color type, and whether it is interlaced."""

    width: int
    height: int
    depth: int
    color: int
    interlaced: int

    @property
    def line_bytes(self) -> int:
        """The number of bytes of a line, without its filter."""
        return (self.width * self.depth * _SAMPLES[self.color] + 7) // 8

    @property
    def pixel_bytes(self) -> int:
        """The number of bytes from a pixel to the next one; at least 1."""
        return max(1, self.depth * _SAMPLES[self.color] // 8)


def check_png(png: bytes) -> None:
    """Check that a PNG is complete; raise ValueError if it is not. The message contains no part of it."""
    if not png.startswith(SIGNATURE):
        raise ValueError("it is not a PNG")
    chunks = list(_chunks(png))
    kinds = [kind for kind, _data in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1] != b"IEND" or kinds.count(b"IEND") > 1:
        raise ValueError("it is not one complete PNG")
    header = _header(chunks)
    # A byte before each line names its filter. An interlaced image has some more such bytes.
    size = header.height * (1 + header.line_bytes)
    pixels, complete = _unpack(chunks, 2 * size + 1)
    if not complete or len(pixels) < size or (len(pixels) != size and not header.interlaced):
        raise ValueError("it is damaged")


def read_dark_pixels(png: bytes) -> Rows:
    """Return the rows of a PNG, with True for each dark pixel. A transparent pixel is light.

    Raises:
        ValueError: It is not one complete PNG, it is interlaced or too large, or its filters or its palette are invalid.
    """
    check_png(png)
    chunks = list(_chunks(png))
    header = _header(chunks)
    size = header.height * (1 + header.line_bytes)
    permitted = _DEPTHS.get(header.color, (8, 16))
    if header.interlaced or size > MAX_READ_BYTES or header.depth not in permitted:
        raise ValueError("its pixels cannot be read")
    packed, _complete = _unpack(chunks, size)
    is_dark = _classify(header, dict(chunks))
    return [[is_dark(pixel) for pixel in _pixels(header, line)] for line in _unfilter(header, packed)]


def _chunks(png: bytes) -> t.Iterator[tuple[bytes, bytes]]:
    """Yield the type and the data of each chunk."""
    place = len(SIGNATURE)
    while place < len(png):
        kind, data = _chunk(png, place)
        place += 12 + len(data)
        yield kind, data


def _chunk(png: bytes, place: int) -> tuple[bytes, bytes]:
    """Return the type and the data of the chunk that begins at an offset of a PNG."""
    if len(png) < place + 12:
        raise ValueError("it is truncated")
    (length,) = struct.unpack_from(">I", png, place)
    end = place + 8 + length
    if len(png) < end + 4:
        raise ValueError("it is truncated")
    if struct.unpack_from(">I", png, end)[0] != zlib.crc32(png[place + 4 : end]):
        raise ValueError("it is damaged")
    return png[place + 4 : place + 8], png[place + 8 : end]


def _header(chunks: t.Sequence[tuple[bytes, bytes]]) -> _Header:
    """Return the header; raise ValueError if it is not that of an image of a QR code."""
    data = [data for kind, data in chunks if kind == b"IHDR"][-1]
    if len(data) != 13:
        raise ValueError("it is damaged")
    width, height, depth, color, _packing, _filter, interlaced = struct.unpack(">IIBBBBB", data)
    if not (0 < width <= MAX_IMAGE_SIDE and 0 < height <= MAX_IMAGE_SIDE and color in _SAMPLES and depth <= 16):
        raise ValueError("it is not an image of a QR code")
    return _Header(width, height, depth, color, interlaced)


def _unpack(chunks: t.Iterable[tuple[bytes, bytes]], limit: int) -> tuple[bytes, bool]:
    """Return the unpacked lines, at most so many bytes, and whether these are all; raise ValueError if damaged."""
    unpacking = zlib.decompressobj()
    try:
        pixels = unpacking.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"), limit)
    except zlib.error:
        raise ValueError("it is damaged") from None
    return pixels, unpacking.eof


# --- pixels ---------------------------------------------------------------------------------------------------------


def _unfilter(header: _Header, packed: bytes) -> t.Iterator[bytes]:
    """Yield the lines without their filters."""
    step, length = header.pixel_bytes, header.line_bytes
    above = bytes(length)
    for start in range(0, len(packed), 1 + length):
        line = bytearray(packed[start + 1 : start + 1 + length])
        _undo(packed[start], line, above, step)
        above = bytes(line)
        yield above


def _undo(kind: int, line: bytearray, above: bytes, step: int) -> None:
    """Replace the differences in a line by its values. The filters are none, left, up, average and Paeth."""
    if kind not in (0, 1, 2, 3, 4):
        raise ValueError("it has an unknown filter")
    if kind == 0:
        return
    for place in range(len(line)):
        left = line[place - step] if place >= step else 0
        up = above[place]
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = _paeth(left, up, above[place - step] if place >= step else 0)
        line[place] = (line[place] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    """Return the neighbor that is nearest to left + up - corner."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def _pixels(header: _Header, line: bytes) -> t.Iterable[t.Sequence[int]]:
    """Return the samples of each pixel of a line: indexes of a palette, or values of 0 to 255."""
    if header.depth == 16:
        line = line[::2]
    elif header.depth < 8:
        most = (1 << header.depth) - 1
        scale = 1 if header.color == PALETTE else 255 // most
        per_byte = range(8 - header.depth, -1, -header.depth)
        line = bytes((byte >> shift & most) * scale for byte in line for shift in per_byte)
    count = _SAMPLES[header.color]
    return [line[place : place + count] for place in range(0, header.width * count, count)]


def _classify(header: _Header, chunks: t.Mapping[bytes, bytes]) -> t.Callable[[t.Sequence[int]], bool]:
    """Return the function that returns whether a pixel is dark."""
    if header.color != PALETTE:
        return _is_dark
    colors, alphas = chunks.get(b"PLTE", b""), chunks.get(b"tRNS", b"")
    dark = [
        _is_dark((*colors[place : place + 3], alphas[place // 3] if place // 3 < len(alphas) else 255))
        for place in range(0, len(colors) - 2, 3)
    ]

    def is_dark(pixel: t.Sequence[int]) -> bool:
        if pixel[0] >= len(dark):
            raise ValueError("it has a color that its palette lacks")
        return dark[pixel[0]]

    return is_dark


def _is_dark(pixel: t.Sequence[int]) -> bool:
    color, alpha = (pixel[:-1], pixel[-1]) if len(pixel) in (2, 4) else (pixel, 255)
    light = color[0] if len(color) == 1 else (299 * color[0] + 587 * color[1] + 114 * color[2]) // 1000
    return alpha >= _MIDDLE and light < _MIDDLE
