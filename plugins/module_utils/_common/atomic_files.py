# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Files that are there whole or not at all: written aside, to the disk, then renamed.

The record has its own way: its files are locked, and which of its writes must survive a power cut is a rule of its own.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
import uuid

# What a killed run may leave beside a file, and from when on it is nobody's any more.
_ASIDE = ".new"
_LEFT_SECONDS = 60.0
# A name of a file holds 255 bytes, and a letter takes up to four of them.
_LONGEST_START = 40
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def write_whole(path: str, data: bytes, mode: int) -> None:
    """Write a file. A link is kept, and what it leads to is written.

    Args:
        path: The file.
        data: All that it is to hold.
        mode: Its permissions, as far as the umask and the disk go along with them.

    Raises:
        OSError: It cannot be written. What was there before is still there.
    """
    with _in_place_of([os.path.realpath(path)]) as (aside,):
        with os.fdopen(os.open(aside, _NEW, mode), "wb") as stream:
            _fill(stream, data)


def write_all(files: t.Mapping[str, bytes], mode: int) -> None:
    """Write several files, none before all of them are on the disk. A link is replaced.

    Args:
        files: What each is to hold, by its path.
        mode: The permissions of each, no more and no less.

    Raises:
        OSError: One cannot be written. Where there is no room, none was.
    """
    with _in_place_of(list(files)) as asides:
        for aside, data in zip(asides, files.values()):
            # For nobody else to read at any moment.
            with os.fdopen(os.open(aside, _NEW, 0o600), "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                _fill(stream, data)


def remove_left(path: str) -> None:
    """Remove what runs that were killed while they wrote a file have left beside it.

    Raises:
        OSError: Its folder cannot be read.
    """
    folder, name = os.path.split(os.path.realpath(path))
    for entry in os.scandir(folder):
        if entry.name.startswith(_start(name)) and entry.name.endswith(_ASIDE):
            with contextlib.suppress(OSError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_SECONDS:
                    os.unlink(entry.path)


@contextlib.contextmanager
def _in_place_of(paths: t.Sequence[str]) -> t.Iterator[list[str]]:
    """Give a name beside each file, and put what is written there into its place; whatever fails, nothing is left."""
    # The names are chosen before the files are there: a Ctrl-C between the two would leave one.
    asides = [_aside(path) for path in paths]
    try:
        yield asides
        for aside, path in zip(asides, paths):
            os.replace(aside, path)
    finally:
        # What was renamed is not there any more.
        for aside in asides:
            with contextlib.suppress(OSError):
                os.unlink(aside)
    for folder in dict.fromkeys(os.path.dirname(path) for path in paths):
        _sync_folder(folder or os.curdir)


def _aside(path: str) -> str:
    """Return a name beside a file that no other run has, on this machine or on another that shares the folder."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f"{_start(name)}{uuid.uuid4().hex}{_ASIDE}")


def _start(name: str) -> str:
    return f".{name[:_LONGEST_START]}."


def _fill(stream: t.BinaryIO, data: bytes) -> None:
    stream.write(data)
    stream.flush()
    os.fsync(stream.fileno())


def _sync_folder(folder: str) -> None:
    """Make new names survive a power cut. Some disks of a network cannot, and the files are in their place all the same."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
