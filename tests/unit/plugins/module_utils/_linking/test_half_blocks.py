# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A QR code in the terminal is scanned back by a real decoder, from the characters and the colors that are shown."""

from __future__ import annotations

import base64
import re
import struct
import zlib

import pytest
import zxingcpp

from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.half_blocks import (
    draw,
    drawing_size,
    read_modules,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.screen import scan
from ansible_collections.fonnte.whatsapp.tests.sandbox.pairing import qr_png, qr_text

TEXT = qr_text("a token", 0.0)
PNG = base64.b64decode(qr_png("a token", 0.0))
Rows = list[list[int]]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def image(rows: Rows) -> bytes:
    """Return a grayscale PNG of pixels of 0 to 255."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def code(text: str, scale: int, quiet: bool = True) -> Rows:
    """Return the pixels of a QR code that another program has created."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    pixels = memoryview(barcode.to_image(scale=scale, add_quiet_zones=quiet))
    height, width = pixels.shape[0], pixels.shape[1]
    return [[int(pixels[row, column]) for column in range(width)] for row in range(height)]


def resized(rows: Rows, side: int) -> Rows:
    """Return the pixels in another size, as a dashboard scales them by a fraction."""
    return [
        [rows[row * len(rows) // side][column * len(rows) // side] for column in range(side)] for row in range(side)
    ]


def test_drawing_is_scanned_back() -> None:
    modules = read_modules(PNG)
    assert drawing_size(modules) == (65, 33)
    assert scan(draw(modules)) == [TEXT]


@pytest.mark.parametrize("length", [1, 20, 60, 150, 237, 300])
@pytest.mark.parametrize("scale", [1, 2, 5])
def test_code_of_another_program_is_scanned_back(length: int, scale: int) -> None:
    text = ("2@" + "aB3/+x=" * 60)[: length + 2]
    assert scan(draw(read_modules(image(code(text, scale))))) == [text]


@pytest.mark.parametrize("side", [150, 200, 264, 300, 333, 500])
def test_code_scaled_by_a_fraction_is_scanned_back(side: int) -> None:
    assert scan(draw(read_modules(image(resized(code(TEXT, 10), side))))) == [TEXT]


def test_code_without_a_border_gets_one() -> None:
    drawing = draw(read_modules(image(code(TEXT, 3, quiet=False))))
    assert scan(drawing) == [TEXT]
    lines = [re.sub(r"\x1b[^m]*m", "", line) for line in drawing.split("\n")]
    assert not any(line.strip() for line in (*lines[:2], *lines[-2:]))
    assert all(line[:4] + line[-4:] == " " * 8 for line in lines)


def test_drawing_has_only_our_sequences_and_characters() -> None:
    """Each line sets black on white and resets it, so that the theme of the terminal has no effect."""
    for line in draw(read_modules(PNG)).split("\n"):
        assert re.fullmatch(r"\x1b\[38;5;16;48;5;231m[ \u2580\u2584\u2588]{65}\x1b\[0m", line), line


@pytest.mark.parametrize(
    "rows",
    [
        [[255] * 30] * 30,
        [[0] * 30] * 30,
        [[0, 255] * 15] * 30,
        [[255 - value for value in row] for row in code(TEXT, 2)],
        [row[:100] for row in code(TEXT, 2)],
        code(TEXT, 2)[:100],
        [*code(TEXT, 2), *code(TEXT, 2)],
        [[0] * 150, *([255] * 150 for _row in range(149))],
        [[0]],
        [[255, 0], [0, 0]],
    ],
    ids=[
        "blank",
        "black",
        "stripes",
        "inverted",
        "cut-right",
        "cut-below",
        "two-codes",
        "a-line",
        "a-dot",
        "light-corner",
    ],
)
def test_other_images_are_refused(rows: Rows) -> None:
    with pytest.raises(ValueError, match="it (is|has)"):
        read_modules(image(rows))


def test_code_with_a_damaged_corner_is_refused() -> None:
    rows = code(TEXT, 1)
    rows[6][6] = 255 - rows[6][6]
    with pytest.raises(ValueError, match="it is not a QR code"):
        read_modules(image(rows))
