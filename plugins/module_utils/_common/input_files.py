# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Bounded reads of files that a user names or that other users can replace.

A pipe, a device or an endless file must neither block a run nor fill its memory. Symbolic links are followed, because
Kubernetes mounts each file of a ConfigMap as a link.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat

from .destinations import close_descriptor

MAX_INPUT_BYTES = 16 * 1024 * 1024
# Without O_NONBLOCK, opening a pipe waits for a writer. O_NOCTTY prevents that a terminal becomes the controlling one.
_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_start(path: str, size: int, directory: int | None = None) -> bytes:
    """Return the first bytes of a regular file.

    Args:
        path: The file.
        size: The maximum number of bytes.
        directory: The descriptor of the base directory of a relative path. A symbolic link is not followed then.

    Raises:
        OSError: The file cannot be read, or is not a regular file.
    """
    flags = _READ_FLAGS if directory is None else _READ_FLAGS | os.O_NOFOLLOW
    # Opening some devices has an effect, so the type is checked before opening, and again after it: the file may have
    # been replaced.
    _check_type(os.stat(path, dir_fd=directory))
    descriptor = os.open(path, flags, dir_fd=directory)
    try:
        _check_type(os.fstat(descriptor))
        stream = os.fdopen(descriptor, "rb")
    except BaseException:
        close_descriptor(descriptor)
        raise
    with stream:
        content = stream.read(size)
    if content is None:
        raise OSError(errno.EAGAIN, "it has no content yet")
    return content


def read_whole(path: str) -> bytes:
    """Return the content of a regular file of at most 16 MB.

    Raises:
        OSError: The file cannot be read, is not a regular file, or is larger.
    """
    content = read_start(path, MAX_INPUT_BYTES + 1)
    if len(content) > MAX_INPUT_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_INPUT_BYTES // 2**20} MB")
    return content


class EncodingError(ValueError):
    """A file is not UTF-8 text. The message continues a sentence that begins with the path."""


# The longer ones first, because the byte-order mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# The default encoding of Windows programs for Western languages.
_USUAL_OTHER = "cp1252"


def decode_text(content: bytes) -> str:
    """Decode the content of a text file. A byte-order mark is kept.

    Raises:
        EncodingError: The content is not UTF-8.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            raise EncodingError(f"is saved as {encoding}")
    if b"\0" in content:
        # UTF-16 without a byte-order mark has a zero byte next to the letters of most languages.
        raise EncodingError("is saved as UTF-16, or is not text")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        problem = _describe_byte(content, exc.start)
    raise EncodingError(f"is not saved as UTF-8 ({problem})")


def _describe_byte(content: bytes, place: int) -> str:
    line = content.count(b"\n", 0, place) + 1
    byte = content[place : place + 1]
    letter = byte.decode(_USUAL_OTHER, "ignore")
    meant = f", which is {letter} in Windows-1252" if letter.isalpha() else ""
    return f"byte {byte[0]:02X} in line {line}{meant}"


def find_encoding_problem(path: str) -> str:
    """Return why a text file cannot be read, as the end of a sentence; an empty string if it can be read."""
    try:
        decode_text(read_whole(path))
    except EncodingError as exc:
        return str(exc)
    except OSError as exc:
        return f"cannot be read ({exc.strerror})"
    return ""


def _check_type(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
