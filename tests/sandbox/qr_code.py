# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A QR code of version 10 with error correction level L (ISO/IEC 18004): the size that WhatsApp uses for linking."""

from __future__ import annotations

import functools
from collections.abc import Iterator

VERSION, LEVEL_L, MASK = 10, 0b01, 0
SIDE = 17 + 4 * VERSION
# The data codewords of each block, and the codewords for the correction of errors in each block.
BLOCKS, CORRECTION = (68, 68, 69, 69), 18
ALIGNMENT = (6, 28, 50)
# Four bits for the mode and sixteen for the length.
MAX_BYTES = sum(BLOCKS) - 3
BYTE_MODE, PADDING = 0b0100, (0xEC, 0x11)
FIELD, FORMAT, FORMAT_MASK, VERSION_POLYNOMIAL = 0x11D, 0x537, 0x5412, 0x1F25

Modules = list[list[bool]]
_Grid = list[list["bool | None"]]


def encode(data: bytes) -> Modules:
    """Return the modules of a QR code with these bytes, without a border; True is dark."""
    assert len(data) <= MAX_BYTES, f"a code of this version has at most {MAX_BYTES} bytes"
    grid = _fixed_patterns()
    bits = (bool(byte >> shift & 1) for byte in _codewords(data) for shift in range(7, -1, -1))
    for row, column in _free_modules(grid):
        # Mask 0 inverts every second module.
        grid[row][column] = next(bits, False) ^ ((row + column) % 2 == 0)
    return [[bool(module) for module in row] for row in grid]


def _codewords(data: bytes) -> bytes:
    """Return the codewords of all blocks, interleaved."""
    head = BYTE_MODE << 16 | len(data)
    stream = head << 8 * len(data) | int.from_bytes(data, "big")
    # The mode, the length, the data, and four bits that end them.
    content = (stream << 4).to_bytes(3 + len(data), "big")
    count = sum(BLOCKS)
    content += bytes(PADDING[place % 2] for place in range(count - len(content)))
    blocks, start = [], 0
    for length in BLOCKS:
        blocks.append(content[start : start + length])
        start += length
    extra = [_correction(block) for block in blocks]
    return bytes(
        block[place]
        for group in (blocks, extra)
        for place in range(max(map(len, group)))
        for block in group
        if place < len(block)
    )


def _multiply(one: int, other: int) -> int:
    """Multiply in the field of 256 elements."""
    product = 0
    for shift in range(7, -1, -1):
        product = (product << 1) ^ ((product >> 7) * FIELD)
        product ^= (other >> shift & 1) * one
    return product


@functools.cache
def _generator() -> list[int]:
    """Return the coefficients of the Reed-Solomon polynomial, without the leading one."""
    result, root = [0] * (CORRECTION - 1) + [1], 1
    for _root in range(CORRECTION):
        for place in range(CORRECTION):
            result[place] = _multiply(result[place], root)
            if place + 1 < CORRECTION:
                result[place] ^= result[place + 1]
        root = _multiply(root, 2)
    return result


@functools.cache
def _products(factor: int) -> list[int]:
    """Return the coefficients of the polynomial, multiplied by a factor."""
    return [_multiply(coefficient, factor) for coefficient in _generator()]


def _correction(block: bytes) -> bytes:
    """Return the codewords that correct errors in a block."""
    rest = [0] * CORRECTION
    for byte in block:
        factor = byte ^ rest.pop(0)
        rest.append(0)
        rest = [one ^ other for one, other in zip(rest, _products(factor), strict=True)]
    return bytes(rest)


def _remainder(value: int, polynomial: int) -> int:
    """Return the remainder of a division of polynomials whose coefficients are bits."""
    degree = polynomial.bit_length()
    while value.bit_length() >= degree:
        value ^= polynomial << (value.bit_length() - degree)
    return value


def _fixed_patterns() -> _Grid:
    """Return the modules that are the same in all codes of this version; None is free for data."""
    grid: _Grid = [[None] * SIDE for _row in range(SIDE)]
    for place in range(SIDE):
        grid[6][place] = grid[place][6] = place % 2 == 0
    for top, left in ((0, 0), (0, SIDE - 7), (SIDE - 7, 0)):
        _square(grid, top + 3, left + 3, 4, (0, 1, 3))
    corners = {(6, 6), (6, ALIGNMENT[-1]), (ALIGNMENT[-1], 6)}
    for row in ALIGNMENT:
        for column in ALIGNMENT:
            if (row, column) not in corners:
                _square(grid, row, column, 2, (0, 2))
    _write_format(grid)
    _write_version(grid)
    return grid


def _square(grid: _Grid, row: int, column: int, radius: int, dark: tuple[int, ...]) -> None:
    """Draw rings around a module; the numbers of the dark rings are given."""
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            if 0 <= row + down < SIDE and 0 <= column + right < SIDE:
                grid[row + down][column + right] = max(abs(down), abs(right)) in dark


def _write_format(grid: _Grid) -> None:
    data = LEVEL_L << 3 | MASK
    bits = (data << 10 | _remainder(data << 10, FORMAT)) ^ FORMAT_MASK
    # Around the corner at the top left, without the dotted lines; and again next to the two other corners.
    around = [*range(6), 7, 8]
    first = [*((row, 8) for row in around), *((8, column) for column in (7, *range(5, -1, -1)))]
    second = [*((8, SIDE - 1 - place) for place in range(8)), *((SIDE - 15 + place, 8) for place in range(8, 15))]
    for places in (first, second):
        for place, (row, column) in enumerate(places):
            grid[row][column] = bool(bits >> place & 1)
    grid[SIDE - 8][8] = True


def _write_version(grid: _Grid) -> None:
    bits = VERSION << 12 | _remainder(VERSION << 12, VERSION_POLYNOMIAL)
    for place in range(18):
        row, column = SIDE - 11 + place % 3, place // 3
        grid[row][column] = grid[column][row] = bool(bits >> place & 1)


def _free_modules(grid: _Grid) -> Iterator[tuple[int, int]]:
    """Yield the free modules in the order of the data: pairs of columns from the right, upward and downward in turn."""
    upward = True
    for right in [*range(SIDE - 1, 6, -2), *range(5, 0, -2)]:
        for step in range(SIDE):
            row = SIDE - 1 - step if upward else step
            for column in (right, right - 1):
                if grid[row][column] is None:
                    yield row, column
        upward = not upward
