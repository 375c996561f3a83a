# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The responses of /qr: a PNG with a QR code, or a code of eight characters.

They are valid, but cannot link a phone.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib

from .qr_code import encode

# How long the image stays the same. The real lifetime is unknown, usually 20 to 60 seconds.
LIFETIME = 30
QUIET = 4
SCALE = 8
CODE_CHARACTERS = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"


def qr_png(token: str, now: float) -> str:
    """Return base64 without a ``data:`` prefix, as the service does."""
    return base64.b64encode(_png(encode(qr_text(token, now).encode()))).decode()


def qr_text(token: str, now: float) -> str:
    """Return the content of the QR code. It has the form and the length of those that WhatsApp shows."""
    parts = [hashlib.sha512(f"{part} {_digest(token, now).hex()}".encode()).digest() for part in range(3)]
    return f"2@{','.join(base64.b64encode(part).decode()[:76] for part in parts)}"


def pairing_code(token: str, whatsapp: str, now: float) -> str:
    """Return eight characters in two groups, as the WhatsApp app expects."""
    digest = _digest(f"{token} {whatsapp}", now)
    text = "".join(CODE_CHARACTERS[byte % len(CODE_CHARACTERS)] for byte in digest[:8])
    return f"{text[:4]}-{text[4:]}"


def _digest(secret: str, now: float) -> bytes:
    return hashlib.sha256(f"{secret} {int(now // LIFETIME)}".encode()).digest()


def _png(modules: list[list[bool]]) -> bytes:
    """Return a grayscale PNG with eight bits a pixel."""
    size = (len(modules) + 2 * QUIET) * SCALE
    blank = [False] * (len(modules) + 2 * QUIET)
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
