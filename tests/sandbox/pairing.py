# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The responses of /qr: a PNG with a pattern, or a code of eight characters.

They are valid, but cannot link a phone.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib

# How long the image stays the same. The real lifetime is unknown, usually 20 to 60 seconds.
LIFETIME = 30
MODULES = 29
QUIET = 4
SCALE = 8
CODE_CHARACTERS = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"


def qr_png(token: str, now: float) -> str:
    """Return base64 without a ``data:`` prefix, as the service does."""
    return base64.b64encode(_png(_pattern(_digest(token, now)))).decode()


def pairing_code(token: str, whatsapp: str, now: float) -> str:
    """Return eight characters in two groups, as the WhatsApp app expects."""
    digest = _digest(f"{token} {whatsapp}", now)
    text = "".join(CODE_CHARACTERS[byte % len(CODE_CHARACTERS)] for byte in digest[:8])
    return f"{text[:4]}-{text[4:]}"


def _digest(secret: str, now: float) -> bytes:
    return hashlib.sha256(f"{secret} {int(now // LIFETIME)}".encode()).digest()


def _pattern(digest: bytes) -> list[list[bool]]:
    """Yield dark modules: the three corner marks of a QR code, and bits of the digest elsewhere."""
    bits = b"".join(hashlib.sha256(digest + bytes([row])).digest() for row in range(MODULES))
    return [
        [_module(bits[row * 32 + column // 8] >> (column % 8) & 1, row, column) for column in range(MODULES)]
        for row in range(MODULES)
    ]


def _module(bit: int, row: int, column: int) -> bool:
    for top, left in ((0, 0), (0, MODULES - 7), (MODULES - 7, 0)):
        if top - 1 <= row <= top + 7 and left - 1 <= column <= left + 7:
            ring = max(abs(row - top - 3), abs(column - left - 3))
            return ring in (0, 1, 3)
    return bool(bit)


def _png(modules: list[list[bool]]) -> bytes:
    """Return a grayscale PNG with eight bits a pixel."""
    size = (MODULES + 2 * QUIET) * SCALE
    blank = [False] * (MODULES + 2 * QUIET)
    rows = [blank] * QUIET + [[False] * QUIET + row + [False] * QUIET for row in modules] + [blank] * QUIET
    lines = []
    for row in rows:
        pixels = b"".join((b"\x00" if dark else b"\xff") * SCALE for dark in row)
        lines.append((b"\x00" + pixels) * SCALE)
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(b"".join(lines))),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
