# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Draw a QR code with characters, so that a phone can scan it from a terminal, such as over SSH.

Each character shows two modules, one above the other. The colors are exact, black on white, and do not depend on the
theme of the terminal. The drawing consists of these characters and two fixed sequences for colors, so no string of the
service reaches the terminal.
"""

from __future__ import annotations

import typing as t

from .._api.png import Rows, read_dark_pixels

# The light border of a QR code, in modules, as its standard requires.
QUIET = 4
# A finder pattern is seven modules wide; the code has one in three of its corners.
FINDER = 7
MIN_SIDE, MAX_SIDE = 21, 177
# Black on white, in the colors 16 and 231 of 256, which no theme changes.
_BEGIN, _END = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_BLOCKS = {(False, False): " ", (True, False): "\u2580", (False, True): "\u2584", (True, True): "\u2588"}


def read_modules(png: bytes) -> Rows:
    """Return the modules of a QR code from its image, without the border; True is dark.

    Raises:
        ValueError: The image does not show exactly one upright QR code.
    """
    pixels = read_dark_pixels(png)
    rows = [place for place, row in enumerate(pixels) if any(row)]
    columns = [place for place, column in enumerate(zip(*pixels)) if any(column)]
    if not rows or not columns:
        raise ValueError("it is empty")
    top, left = rows[0], columns[0]
    height, width = rows[-1] + 1 - top, columns[-1] + 1 - left
    run = next((place for place in range(width) if not pixels[top][left + place]), width)
    if not run:
        raise ValueError("it has no finder pattern")
    # The side is 4 n + 17 modules. The image may be scaled by a fraction.
    side = 17 + 4 * round((width * FINDER / run - 17) / 4)
    if not MIN_SIDE <= side <= MAX_SIDE or side > width or side > height or abs(width - height) * side > width:
        raise ValueError("it is not a QR code")

    def middle(place: int, length: int) -> int:
        return (2 * place + 1) * length // (2 * side)

    modules = [
        [pixels[top + middle(row, height)][left + middle(column, width)] for column in range(side)]
        for row in range(side)
    ]
    if not _has_fixed_patterns(modules):
        raise ValueError("it is not a QR code")
    return modules


def _has_fixed_patterns(modules: Rows) -> bool:
    """Return whether the patterns that all QR codes share are there: three corners, and two dotted lines."""
    side = len(modules)
    rest = side - FINDER
    for top, left in ((0, 0), (0, rest), (rest, 0)):
        for row in range(FINDER):
            for column in range(FINDER):
                ring = max(abs(row - 3), abs(column - 3))
                if modules[top + row][left + column] is not (ring != 2):
                    return False
    line = FINDER - 1
    return all(
        modules[line][place] is modules[place][line] is (place % 2 == 0) for place in range(FINDER + 1, rest - 1)
    )


def drawing_size(modules: Rows) -> tuple[int, int]:
    """Return the columns and the lines of the drawing."""
    side = len(modules) + 2 * QUIET
    return side, (side + 1) // 2


def draw(modules: Rows) -> str:
    """Return the lines of the drawing, with the light border."""
    side = len(modules) + 2 * QUIET
    blank = [False] * side
    border = [False] * QUIET
    rows = [*[blank] * QUIET, *([*border, *row, *border] for row in modules), *[blank] * (QUIET + side % 2)]
    pairs = zip(rows[::2], rows[1::2])
    return "\n".join(_line(upper, lower) for upper, lower in pairs)


def _line(upper: t.Iterable[bool], lower: t.Iterable[bool]) -> str:
    return _BEGIN + "".join(_BLOCKS[pair] for pair in zip(upper, lower)) + _END
