# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The picture of a QR code: believed only when it is a whole PNG, and the file that holds it.

Whoever sees the picture can link another phone instead of the right one, so only its owner can read the file. A link
in its place is replaced, and a directory that a link of another user names is refused.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import stat
import struct
import zlib

from .._common.atomic_files import probe_write, remove_left, write_all, write_problem
from .._common.errors import FonnteError, OptionError

DEST = "dest"

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DATA_URL = re.compile(r"data:image/png;base64,", re.IGNORECASE)
# A QR code has some kilobytes and some hundred pixels a side.
LARGEST_PICTURE = 1024 * 1024
LONGEST_SIDE = 2048
# How many samples a pixel has in each colour type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


# --- the picture ----------------------------------------------------------------------------------------------------


def read_picture(text: str) -> bytes:
    """Return the PNG in a text of base64, bare or as a data: URL.

    Raises:
        ValueError: It is not one whole PNG; the text of the error holds nothing of it.
    """
    prefix = _DATA_URL.match(text)
    bare = re.sub(r"[ \t\r\n]", "", text[prefix.end() :] if prefix else text)
    if len(bare) > LARGEST_PICTURE * 4 // 3 + 4:
        raise ValueError("it is too large")
    try:
        png = base64.b64decode(bare.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("it is not base64") from None
    _check_png(png)
    return png


def _check_png(png: bytes) -> None:
    if not png.startswith(_SIGNATURE):
        raise ValueError("it is not a PNG")
    kinds: list[bytes] = []
    header, packed = b"", b""
    place = len(_SIGNATURE)
    while place < len(png):
        kind, data = _chunk(png, place)
        place += 12 + len(data)
        kinds.append(kind)
        header = data if kind == b"IHDR" else header
        packed += data if kind == b"IDAT" else b""
    if kinds[:1] != [b"IHDR"] or kinds[-1] != b"IEND" or kinds.count(b"IEND") > 1:
        raise ValueError("it is not one whole PNG")
    _check_pixels(header, packed)


def _chunk(png: bytes, place: int) -> tuple[bytes, bytes]:
    """Return kind and data of the part of a PNG that begins there."""
    if len(png) < place + 12:
        raise ValueError("it breaks off")
    (length,) = struct.unpack_from(">I", png, place)
    end = place + 8 + length
    if len(png) < end + 4:
        raise ValueError("it breaks off")
    if struct.unpack_from(">I", png, end)[0] != zlib.crc32(png[place + 4 : end]):
        raise ValueError("it is damaged")
    return png[place + 4 : place + 8], png[place + 8 : end]


def _check_pixels(header: bytes, packed: bytes) -> None:
    """See that a PNG has all its pixels; ValueError if not."""
    if len(header) != 13:
        raise ValueError("it is damaged")
    width, height, depth, colour, _packing, _filter, interlaced = struct.unpack(">IIBBBBB", header)
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE and colour in _SAMPLES and depth <= 16):
        raise ValueError("it is no picture of a QR code")
    # A byte before each line says how it is packed. An interlaced picture has some more such bytes.
    size = height * (1 + (width * depth * _SAMPLES[colour] + 7) // 8)
    unpacking = zlib.decompressobj()
    try:
        pixels = unpacking.decompress(packed, 2 * size + 1)
    except zlib.error:
        raise ValueError("it is damaged") from None
    if not unpacking.eof or len(pixels) < size or (len(pixels) != size and not interlaced):
        raise ValueError("it is damaged")


# --- the file -------------------------------------------------------------------------------------------------------


def picture_path(dest: str, number: str) -> str:
    """Return the file for the picture of a device: dest itself, or one named by the number where dest is a folder."""
    # A number from the service may hold anything.
    name = f"{re.sub('[^0-9]', '', number) or 'device'}.png"
    return os.path.abspath(os.path.join(dest, name) if os.path.isdir(dest) or dest.endswith("/") else dest)


def check_place(dest: str) -> None:
    """Check before any request that a picture can be written.

    Raises:
        OptionError: It cannot, or a file that is no picture would be lost.
    """
    check_file(dest)
    problem = write_problem(picture_path(dest, ""))
    if problem:
        advice = "name a file in a folder of your own"
        if problem.startswith("there is no folder"):
            advice = "make it first, or name a file in one that is there"
        raise OptionError(DEST, problem, advice)


def probe_place(dest: str, number: str) -> None:
    """Write a temporary file where a picture will be written, so that a full disk is found before the request.

    Raises:
        FonnteError: It cannot be written.
    """
    path = picture_path(dest, number)
    try:
        probe_write(path)
    except OSError as exc:
        raise _unwritten(path, exc) from None


def check_file(path: str) -> None:
    """Check that nothing but an older picture is lost, and that no link of another user is on the path.

    Raises:
        OptionError: Something speaks against writing there.
    """
    link = _link_of_another(path)
    if link:
        raise OptionError(
            DEST, f"{link} is a symbolic link of another user", "name a file in a folder of your own, without that link"
        )
    if os.path.isdir(path) or not os.path.lexists(path):
        return
    if not _may_be_replaced(path):
        raise OptionError(
            DEST, f"the file {path} is no PNG, so it is not replaced", "name another file, or remove this one"
        )


def _may_be_replaced(path: str) -> bool:
    """Tell whether a file is an older picture, or empty: what somebody has made ready to be filled."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            # The link is replaced, and the file that it names stays.
            return True
        if not stat.S_ISREG(status.st_mode):
            return False
        with open(path, "rb") as stream:
            return stream.read(len(_SIGNATURE)) in (b"", _SIGNATURE)
    except OSError:
        return False


def _link_of_another(path: str) -> str:
    """Return the part of a path that is a symbolic link of another user; empty where there is none."""
    place = os.path.abspath(path)
    while place != os.path.dirname(place):
        with contextlib.suppress(OSError):
            status = os.lstat(place)
            if stat.S_ISLNK(status.st_mode) and status.st_uid not in (0, os.geteuid()):
                return place
        place = os.path.dirname(place)
    return ""


def write_picture(path: str, png: bytes) -> None:
    """Write a picture that only its owner can read, whole or not at all.

    Raises:
        OptionError: Something speaks against writing there.
        FonnteError: It cannot be written. What was there before is still there.
    """
    check_file(path)
    try:
        # Who finds what a killed run has left could link a phone with it.
        remove_left(path)
        write_all({path: png}, 0o600)
    except OSError as exc:
        raise _unwritten(path, exc) from None


def _unwritten(path: str, exc: OSError) -> FonnteError:
    return FonnteError(
        f"the QR code cannot be written to {path} ({exc.strerror})", "make room for it, or name another dest"
    )


def remove_picture(path: str, png: bytes) -> bool:
    """Remove a picture that is of no use any more, if it is still this one; return whether no file is there."""
    with contextlib.suppress(OSError):
        if os.path.islink(path):
            return False
        with open(path, "rb") as stream:
            if stream.read(len(png) + 1) != png:
                return False
        os.unlink(path)
    return not os.path.exists(path)
