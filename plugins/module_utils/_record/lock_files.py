# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The lock files of a record. A run locks one per entry; each contains a nonce that changes with every write.

A nonce shows another run that an entry was written, without any clock. It is read without the lock before a response is
requested, and through the descriptor that holds the lock afterwards.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
import typing as t

from .._common.destinations import close_descriptor
from .._common.errors import RecordError, UnsafeFileError
from .directory import MODE_OWN, MODE_SHARED, SAFE_FLAGS, RecordDirectory
from .encryption import is_name
from .file_locks import try_lock

NONCE_BYTES = 16
OPEN, CLOSED = b"o", b"c"
LENGTH = NONCE_BYTES + 1
# Before it has its final permissions, the new lock file of another user cannot be opened.
LOCK_TRIES = 40
LOCK_TRY_SECONDS = 0.05


class LockFile(t.NamedTuple):
    """A lock file that was opened.

    Attributes:
        descriptor: Its descriptor.
        created: Whether it did not exist before.
    """

    descriptor: int
    created: bool


def new_content(is_open: bool) -> bytes:
    """Return a new content for a lock file: a nonce, and whether a request of its writer may still be applied."""
    return os.urandom(NONCE_BYTES) + (OPEN if is_open else CLOSED)


def is_closed(content: bytes) -> bool:
    """Return whether a content is complete, and no request of its writer may still be applied."""
    return len(content) == LENGTH and content.endswith(CLOSED)


def is_open(content: bytes) -> bool:
    """Return whether the writer of a content has not read the response to its last request."""
    return len(content) == LENGTH and content.endswith(OPEN)


class LockFiles:
    """The lock files in the directory of a record.

    Args:
        directory: The directory.
        sleep: Waits for some seconds.
    """

    def __init__(self, directory: RecordDirectory, sleep: t.Callable[[float], None] = time.sleep) -> None:
        self._directory = directory
        self._sleep = sleep

    def open(self, name: str) -> LockFile:
        """Open the lock file of an entry, and create it if it does not exist.

        Raises:
            RecordError: It cannot be opened, or is not safe to use.
        """
        directory = self._directory.prepare()
        mode = self._directory.file_mode()
        tries_left = LOCK_TRIES
        while True:
            try:
                return self._open_or_create(directory, _file(name), mode)
            except OSError as exc:
                # Another run is creating the file, or has not opened it to the group yet.
                transient = isinstance(exc, FileExistsError) or (
                    isinstance(exc, PermissionError) and mode == MODE_SHARED
                )
                if not transient or not tries_left:
                    raise self._directory.unwritable(exc) from None
            tries_left -= 1
            self._sleep(LOCK_TRY_SECONDS)

    def _open_or_create(self, directory: int, file: str, mode: int) -> LockFile:
        with contextlib.suppress(FileNotFoundError):
            descriptor = self._directory.open_file(file, os.O_RDWR)
            _repair_mode(descriptor, mode)
            return LockFile(descriptor, created=False)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | SAFE_FLAGS, MODE_OWN, dir_fd=directory)
        try:
            os.fchmod(descriptor, mode)
        except BaseException:
            close_descriptor(descriptor)
            raise
        return LockFile(descriptor, created=True)

    def acquire(self, lock: LockFile) -> bool:
        """Lock a file, and return whether no other run holds it; RecordError if it cannot be locked."""
        try:
            return try_lock(lock.descriptor)
        except OSError as exc:
            raise self._directory.unwritable(exc) from None

    def is_in_place(self, name: str, lock: LockFile) -> bool:
        """Return whether a lock file still has its name. The lock of a replaced file excludes no other run."""
        held = os.fstat(lock.descriptor)
        try:
            return os.path.samestat(held, self._directory.status(_file(name)))
        except FileNotFoundError:
            return False

    def close(self, lock: LockFile) -> None:
        """Close a lock file, which releases it."""
        close_descriptor(lock.descriptor)

    def content(self, lock: LockFile) -> bytes:
        """Return the content of a lock file that is held."""
        try:
            return os.pread(lock.descriptor, LENGTH + 1, 0)
        except OSError as exc:
            raise self._directory.unwritable(exc) from None

    def write(self, lock: LockFile, content: bytes) -> None:
        """Replace the content of a lock file that is held; RecordError if that fails."""
        try:
            if os.pwrite(lock.descriptor, content, 0) != len(content):
                raise OSError("a write was cut off")
            if os.fstat(lock.descriptor).st_size > LENGTH:
                os.ftruncate(lock.descriptor, LENGTH)
        except OSError as exc:
            raise self._directory.unwritable(exc) from None

    def names(self, limit: int) -> list[str]:
        """Return the names of the entries that have a lock file; none if there are more than the limit."""
        found: list[str] = []
        try:
            with os.scandir(self._directory.open()) as entries:
                for entry in entries if limit else ():
                    name, dot, end = entry.name.partition(".")
                    if dot and end == "lock" and is_name(name):
                        found.append(name)
                    if len(found) > limit:
                        return []
        except (OSError, RecordError):
            # Without the names, each entry is stale until a list was requested under its lock.
            return []
        return found

    def peek(self, name: str) -> bytes | None:
        """Return the content of a lock file without its lock; None if the file does not exist.

        A file that cannot be read counts as empty, which no other content is equal to.
        """
        try:
            descriptor = self._directory.open_file(_file(name), os.O_RDONLY)
        except FileNotFoundError:
            return None
        except (OSError, UnsafeFileError):
            return b""
        try:
            return os.pread(descriptor, LENGTH + 1, 0)
        except OSError:
            return b""
        finally:
            close_descriptor(descriptor)


def _repair_mode(descriptor: int, mode: int) -> None:
    """Set the permissions of this user's lock file, if a run was killed between creating it and setting them."""
    status = os.fstat(descriptor)
    if mode == MODE_SHARED and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == MODE_OWN:
        # The lock can be used even if this fails.
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, mode)


def _file(name: str) -> str:
    return f"{name}.lock"
