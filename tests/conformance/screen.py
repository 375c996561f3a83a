# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the output of a terminal as pixels, and scan the QR codes in it with a real decoder."""

from __future__ import annotations

import re

import zxingcpp

# The size of half a character, in pixels.
SCALE = 4
# The exact colors of a palette of 256: black, white, and those of a dark terminal for everything else.
COLORS = {"16": 0, "231": 255}
FOREGROUND, BACKGROUND = 200, 20
# The upper and the lower half: whether they have the color of the foreground.
HALVES = {" ": (False, False), "\u2580": (True, False), "\u2584": (False, True), "\u2588": (True, True)}
TOKENS = re.compile(r"\x1b\[([0-9;]*)m|(.)", re.DOTALL)


def scan(shown: str) -> list[str]:
    """Return the contents of the QR codes on a screen with this text, in the order of the screen."""
    rows = _pixels(shown)
    width = max(map(len, rows))
    padded = [row + [BACKGROUND] * (width - len(row)) for row in rows]
    data = bytes(pixel for row in padded for _line in range(SCALE) for pixel in row for _column in range(SCALE))
    picture = memoryview(data).cast("B", (len(padded) * SCALE, width * SCALE))
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode, try_invert=False)
    return [barcode.text for barcode in sorted(found, key=lambda barcode: barcode.position.top_left.y)]


def _pixels(shown: str) -> list[list[int]]:
    """Return two rows of pixels for each line."""
    rows: list[list[int]] = []
    front, back = FOREGROUND, BACKGROUND
    for line in shown.splitlines():
        upper, lower = [], []
        for codes, character in TOKENS.findall(line):
            if not character:
                front, back = _colors(codes, front, back)
                continue
            # Another character is a gray cell: its shape does not matter.
            top, bottom = HALVES.get(character, (True, True))
            upper.append(front if top else back)
            lower.append(front if bottom else back)
        rows += [upper, lower]
    return rows


def _colors(codes: str, front: int, back: int) -> tuple[int, int]:
    """Return the colors after a sequence."""
    if codes in ("", "0"):
        return FOREGROUND, BACKGROUND
    for kind, color in re.findall(r"([34]8);5;(\d+)", codes):
        front, back = (COLORS[color], back) if kind == "38" else (front, COLORS[color])
    return front, back
