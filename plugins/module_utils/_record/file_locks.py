# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Locks of files: one process at a time reads a file, changes it and writes it. They end with their process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
import typing as t

from .._common.destinations import close_descriptor, open_directory

# Without O_NONBLOCK, opening a pipe that another user has put there would block.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o600
_TRY_SECONDS = 0.05


def try_lock(descriptor: int) -> bool:
    """Lock an open file, and return whether no other process holds it; OSError if it cannot be locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def hold_lock(path: str, seconds: float, pause: t.Callable[[float], None] = time.sleep) -> t.Iterator[None]:
    """Hold the lock of a file, which is a hidden file next to it. It is never removed: others may wait for it.

    Args:
        path: The file, which may not exist. Its directory must exist.
        seconds: How long to wait while another process holds the lock.
        pause: Waits for so many seconds.

    Raises:
        TimeoutError: Another process held it for longer.
        OSError: It cannot be locked.
    """
    directory, name = os.path.split(path)
    above = open_directory(directory or os.curdir)
    try:
        descriptor = os.open(f".{name}.lock", _FLAGS, _MODE, dir_fd=above)
    finally:
        close_descriptor(above)
    try:
        waited = 0.0
        while not try_lock(descriptor):
            if waited >= seconds:
                # It is a TimeoutError.
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            pause(_TRY_SECONDS)
            waited += _TRY_SECONDS
        yield
    finally:
        close_descriptor(descriptor)
