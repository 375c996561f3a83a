# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The image of a QR code: validation of the PNG, and the file that stores it.

Every reader of the image can link another phone to the device, so only the owner of the file can read it. A symbolic
link at the destination is replaced. A directory behind a symbolic link of another user is refused.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import os
import re
import stat
import typing as t

from .._common.atomic_files import probe_write, remove_stale_temp_files, sync_directory, write_in, write_problem
from .._common.destinations import ForeignLinkError, check_links, close_descriptor, make_directory, open_directory
from .._common.errors import FonnteError, OptionError
from .._common.input_files import read_start
from .png import SIGNATURE, check_png

DEST = "dest"

_DATA_URL = re.compile(r"data:image/png;base64,", re.IGNORECASE)
# The image of a QR code has a few kilobytes.
MAX_IMAGE_BYTES = 1024 * 1024
MODE_DIRECTORY = 0o700


# --- the image ------------------------------------------------------------------------------------------------------


def read_image(text: str) -> bytes:
    """Decode a PNG from base64, with or without the prefix of a data: URL.

    Raises:
        ValueError: It is not one complete PNG. The message contains no part of it.
    """
    prefix = _DATA_URL.match(text)
    bare = re.sub(r"[ \t\r\n]", "", text[prefix.end() :] if prefix else text)
    if len(bare) > MAX_IMAGE_BYTES * 4 // 3 + 4:
        raise ValueError("it is too large")
    try:
        png = base64.b64decode(bare.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("it is not base64") from None
    check_png(png)
    return png


# --- the file -------------------------------------------------------------------------------------------------------


def image_path(dest: str, number: str) -> str:
    """Return the path of a device's image: dest, or a file named after the number where dest is a directory."""
    # The service may send any string as a number.
    name = f"{re.sub('[^0-9]', '', number) or 'device'}.png"
    return os.path.abspath(os.path.join(dest, name) if os.path.isdir(dest) or dest.endswith("/") else dest)


def check_dest(dest: str) -> None:
    """Check, before any request, that an image can be written.

    Raises:
        OptionError: It cannot be written, or it would replace a file that is not an image.
    """
    check_file(dest)
    problem = write_problem(
        os.path.join(_existing_above(dest), "x") if _is_new_directory(dest) else image_path(dest, "")
    )
    if problem:
        advice = "name a file in one of your directories"
        if problem.startswith("there is no directory"):
            advice = "create it first, or name a file in an existing one"
        raise OptionError(DEST, problem, advice)


def _is_new_directory(dest: str) -> bool:
    """Return whether dest names a directory that does not exist yet."""
    return dest.endswith(os.sep) and not os.path.lexists(dest.rstrip(os.sep) or os.sep)


def _existing_above(path: str) -> str:
    """Return the nearest existing directory above a path."""
    above = os.path.dirname(os.path.abspath(path))
    while not os.path.exists(above):
        above = os.path.dirname(above)
    return above


def probe_dest(dest: str, number: str) -> None:
    """Write a temporary file at the destination of an image, so that a full disk is found before the request.

    A missing directory is created, with access for its owner only.

    Raises:
        FonnteError: The file cannot be written.
    """
    path = image_path(dest, number)
    try:
        if _is_new_directory(dest):
            make_directory(dest, MODE_DIRECTORY)
        probe_write(path)
    except OSError as exc:
        raise _write_error(path, exc) from None


def check_file(path: str) -> None:
    """Check that only an older image or an empty file is replaced, and that the path has no link of another user.

    Raises:
        OptionError: The file must not be written.
    """
    check_links(DEST, path)
    if os.path.isdir(path):
        return
    # If the directory cannot be opened, no file can be lost, and write_problem reports the reason.
    with contextlib.suppress(OSError), _directory_of(path) as (directory, name):
        _check_replaceable(directory, name, path)


def _check_replaceable(directory: int, name: str, path: str) -> None:
    """Raise OptionError unless the file is missing, empty (created in advance), a link, or an older image."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(status.st_mode):
        if status.st_uid not in (0, os.geteuid()):
            raise ForeignLinkError(path)
        # The link is replaced. Its target is not changed.
        return
    start = None
    with contextlib.suppress(OSError):
        start = read_start(name, len(SIGNATURE), directory)
    if start not in (b"", SIGNATURE):
        raise OptionError(
            DEST, f"the file {path} is not a PNG, so it is not replaced", "name another file, or remove this one"
        )


@contextlib.contextmanager
def _directory_of(path: str) -> t.Iterator[tuple[int, str]]:
    """Open the directory of a file; yield its descriptor and the name of the file in it."""
    directory, name = os.path.split(os.path.abspath(path))
    descriptor = open_directory(directory)
    try:
        yield descriptor, name
    finally:
        close_descriptor(descriptor)


def write_image(path: str, png: bytes) -> None:
    """Write an image that only its owner can read, completely or not at all.

    Raises:
        OptionError: The file must not be written.
        FonnteError: The file cannot be written. An older image still exists.
    """
    check_links(DEST, path)
    try:
        # All steps use one descriptor, so that replacing the directory meanwhile has no effect.
        with _directory_of(path) as (directory, name):
            _check_replaceable(directory, name, path)
            # An image that a killed run has left could be used to link a phone.
            remove_stale_temp_files(directory, name)
            write_in(directory, name, png, 0o600)
            sync_directory(directory)
    except OSError as exc:
        raise _write_error(path, exc) from None


def _write_error(path: str, exc: OSError) -> FonnteError:
    return FonnteError(
        f"the QR code cannot be written to {path} ({exc.strerror})", "free disk space, or set another dest"
    )


def remove_image(path: str, png: bytes) -> bool:
    """Remove an image that is no longer valid, if the file still contains it; return whether no file is left."""
    with contextlib.suppress(OSError), _directory_of(path) as (directory, name):
        if read_start(name, len(png) + 1, directory) != png:
            return False
        os.unlink(name, dir_fd=directory)
    return not os.path.lexists(path)
