# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The directory of the record: opened once, checked, and safe to share with a group.

Other members of the group may rename, remove and replace everything in it. So no path is used after the directory was
opened, no link is followed, and each file is checked after it was opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import weakref

from .._common.atomic_files import TEMPORARY_END, temporary_start, write_in
from .._common.destinations import close_descriptor, read_descriptor
from .._common.errors import RecordError, UnsafeFileError
from .group_commit import GroupCommit
from .mounts import is_mount

# Another user may have put a pipe or a device in the place of a file: to open it must not block.
SAFE_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MAX_FILE_BYTES = 1024 * 1024
MODE_DIRECTORY, MODE_PARENT = 0o700, 0o755
MODE_OWN, MODE_SHARED = 0o600, 0o660


class RecordDirectory:
    """The directory of the record.

    Attributes:
        path: The path as the user wrote it, for messages; files are opened through the descriptor.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        # With a separator at its end, a link would be followed.
        self._place = path.rstrip(os.sep) or os.sep
        self._guard = threading.Lock()
        self._descriptor: int | None = None
        self._left: tuple[str, ...] | None = None
        self._commits = GroupCommit()

    # The directory

    def prepare(self) -> int:
        """Create the directory if it does not exist, remove the permissions of everyone, and return its descriptor.

        Raises:
            RecordError: It cannot be written, or is not safe to use.
        """
        with self._guard:
            try:
                if self._descriptor is None:
                    _create_parents(os.path.dirname(self._place) or os.curdir)
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(self._place, MODE_DIRECTORY)
                descriptor = self._opened()
                self._close_to_everyone(descriptor)
                if self._left is None:
                    self._left = tuple(name for name in os.listdir(descriptor) if name.endswith(TEMPORARY_END))
            except OSError as exc:
                raise self.unwritable(exc) from None
            return descriptor

    def open(self) -> int:
        """Return the descriptor of the directory.

        Raises:
            OSError: It does not exist, or cannot be opened.
            RecordError: It is not safe to use.
        """
        with self._guard:
            return self._opened()

    def _opened(self) -> int:
        if self._descriptor is None:
            try:
                descriptor = os.open(self._place, os.O_RDONLY | os.O_DIRECTORY | SAFE_FLAGS)
            except OSError:
                if os.path.islink(self._place):
                    raise _is_link(self.path) from None
                raise
            try:
                self._check_owner(os.fstat(descriptor))
            except BaseException:
                close_descriptor(descriptor)
                raise
            weakref.finalize(self, close_descriptor, descriptor)
            self._descriptor = descriptor
        return self._descriptor

    def _check_owner(self, status: os.stat_result) -> None:
        """Refuse a directory of another user where everyone can create directories, such as below /tmp."""
        if status.st_uid in (0, os.geteuid()) or not self._is_below_everyone() or is_mount(self._place):
            return
        raise RecordError(
            f"the record in {self.path} cannot be used: the directory belongs to another user (number "
            f"{status.st_uid}), and everyone can write to the directory above it",
            "name one of your directories with record_path",
        )

    def _is_below_everyone(self) -> bool:
        parent = os.stat(os.path.dirname(os.path.abspath(self._place)))
        return bool(parent.st_mode & stat.S_IWOTH)

    def _close_to_everyone(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        mode = stat.S_IMODE(status.st_mode)
        if not mode & stat.S_IWOTH:
            return
        self._check_planted(descriptor, status)
        try:
            os.fchmod(descriptor, mode & ~stat.S_IWOTH)
        except OSError:
            if not is_mount(self._place):
                raise _open_to_everyone(self.path, mode) from None

    def _check_planted(self, place: int | str, status: os.stat_result) -> None:
        """Refuse to use a shared directory with files of other users, if everyone could have put them there.

        The group of the directory owns each new file in it, so a file of a user outside the group cannot be
        distinguished from the file of a member.
        """
        if not _is_shared(status) or os.geteuid() not in (0, status.st_uid):
            return
        known = (0, os.geteuid(), status.st_uid)
        with os.scandir(place) as entries:
            owners = {entry.stat(follow_symlinks=False).st_uid for entry in entries}
        others = sorted(owner for owner in owners if owner not in known)
        if others:
            raise RecordError(
                f"the record in {self.path} cannot be used: everyone can write to the directory (mode "
                f"{stat.S_IMODE(status.st_mode):04o}), and it has files of other users (number "
                f"{', '.join(map(str, others))})",
                "remove the files of users outside its group, then set it to 2770, or name another with record_path",
            )

    def check_writable(self) -> None:
        """Check without any change whether the directory can be written.

        Raises:
            RecordError: A run would fail as soon as it must write.
        """
        if os.path.islink(self._place):
            raise _is_link(self.path)
        place = os.path.abspath(self._place)
        while not os.path.exists(place):
            place = os.path.dirname(place)
        if not os.path.isdir(place):
            raise self.unwritable(OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
        if not os.access(place, os.W_OK | os.X_OK):
            raise self.unwritable(OSError(errno.EACCES, os.strerror(errno.EACCES)))
        if place == os.path.abspath(self._place):
            status = os.stat(place)
            self._check_owner(status)
            if status.st_mode & stat.S_IWOTH:
                self._check_planted(place, status)
            if self._stays_open(status) and not is_mount(place):
                raise _open_to_everyone(self.path, stat.S_IMODE(status.st_mode))

    def _stays_open(self, status: os.stat_result) -> bool:
        """Return whether everyone can write to the directory, and this user cannot change that."""
        return bool(status.st_mode & stat.S_IWOTH) and os.geteuid() not in (0, status.st_uid)

    def warnings(self) -> list[str]:
        """Return a warning for a volume to which everyone can write. Other such directories are fixed or refused."""
        try:
            status = os.stat(self._place)
        except OSError:
            return []
        if not self._stays_open(status) or not is_mount(self._place):
            return []
        return [
            f"Everyone can write to the volume {self.path} with the record, and can remove or replace files in it; "
            "mount it with a group for the runs (fsGroup), and with mode 2770."
        ]

    def unwritable(self, exc: OSError) -> RecordError:
        """Return the error for a file or directory that cannot be written."""
        return RecordError(
            f"the record in {self.path} cannot be written ({exc.strerror})",
            "check that it is a directory that the user who runs the task can write to, or name another with "
            "record_path",
        )

    # Its files

    def names(self) -> list[str]:
        """Return all names in the directory, sorted; none if the directory does not exist."""
        try:
            return sorted(os.listdir(self.open()))
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise RecordError(
                f"the record in {self.path} cannot be read ({exc.strerror})",
                "check that it is a directory that the user who runs the task can read, or name another with "
                "record_path",
            ) from None

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist.

        Raises:
            RecordError: It cannot be read, or is not safe to use.
        """
        try:
            return read_descriptor(self.open_file(name, os.O_RDONLY), MAX_FILE_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise RecordError(
                f"the record {self.full_path(name)} cannot be read ({exc.strerror})",
                "check that the user who runs the task can read it",
            ) from None

    def write(self, name: str, data: bytes) -> None:
        """Replace a file as a whole; only the holder of its lock may. A power failure may revert the replacement.

        Raises:
            RecordError: It cannot be written.
        """
        descriptor = self.prepare()
        try:
            self._remove_stale(descriptor, name)
            write_in(descriptor, name, data, self.file_mode())
        except OSError as exc:
            raise self.unwritable(exc) from None

    def _remove_stale(self, descriptor: int, name: str) -> None:
        """Remove the temporary files of killed runs for this file. Its lock proves that no other run uses them."""
        for left in self._left or ():
            if left.startswith(temporary_start(name)):
                with contextlib.suppress(OSError):
                    os.unlink(left, dir_fd=descriptor)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a file; RecordError if that fails."""
        try:
            descriptor = self.open()
            os.replace(name, new_name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        except OSError as exc:
            raise self.unwritable(exc) from None

    def remove(self, name: str) -> None:
        """Remove a file, or a link in its place; RecordError if that fails."""
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self.open())
        except OSError as exc:
            raise self.unwritable(exc) from None

    def append(self, name: str, data: bytes, size: int) -> bool:
        """Append to a file; only the holder of its lock may. A power failure may remove all or a part of the new data.

        Args:
            name: The file.
            data: The bytes to append.
            size: The size that the file must have.

        Returns:
            Whether it was appended. False if the file is no longer the one that this run has written or read.

        Raises:
            RecordError: It cannot be written.
        """
        try:
            descriptor = self.open_file(name, os.O_WRONLY | os.O_APPEND)
        except (OSError, UnsafeFileError):
            return False
        try:
            if os.fstat(descriptor).st_size != size:
                return False
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise self.unwritable(exc) from None
        finally:
            close_descriptor(descriptor)
        return True

    def sync(self) -> None:
        """Sync new names to the disk, once for all waiting threads; RecordError if that fails."""
        self._commits.commit(self._sync)

    def _sync(self) -> None:
        try:
            os.fsync(self.open())
        except OSError as exc:
            raise self.unwritable(exc) from None

    def exists(self, name: str) -> bool:
        """Return whether there is a regular file with this name."""
        try:
            return stat.S_ISREG(self.status(name).st_mode)
        except (OSError, RecordError):
            return False

    def full_path(self, name: str) -> str:
        """Return the path of a file, for messages."""
        return os.path.join(self.path, name)

    # Checks

    def status(self, name: str) -> os.stat_result:
        """Return the status of a name, without following a link; OSError if it does not exist."""
        return os.stat(name, dir_fd=self.open(), follow_symlinks=False)

    def open_file(self, name: str, flags: int) -> int:
        """Return the descriptor of a regular file that is safe to use; OSError or UnsafeFileError if there is none."""
        directory = self.open()
        try:
            descriptor = os.open(name, flags | SAFE_FLAGS, dir_fd=directory)
        except OSError as exc:
            # A link, or a pipe without a reader.
            if exc.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO) or (exc.errno == errno.EISDIR):
                raise self._unsafe(name, "it is not a regular file") from None
            raise
        try:
            problem = _file_problem(os.fstat(descriptor), os.fstat(directory))
            if problem:
                raise self._unsafe(name, problem)
        except BaseException:
            close_descriptor(descriptor)
            raise
        return descriptor

    def _unsafe(self, name: str, problem: str) -> UnsafeFileError:
        return UnsafeFileError(
            f"the record {self.full_path(name)} cannot be read safely ({problem})",
            "find out who else can write to its directory, then remove this file",
        )

    def file_mode(self) -> int:
        """Return the permissions of a new file."""
        return MODE_SHARED if _is_shared(os.fstat(self.open())) else MODE_OWN


def _create_parents(path: str) -> None:
    """Create a directory and those above it, writable only for their owner, independent of the umask."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    if above != path and above:
        _create_parents(above)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, MODE_PARENT)


def _is_shared(directory: os.stat_result) -> bool:
    """Return whether new files are for the group of the directory: the group can write to it, and owns new files."""
    return bool(directory.st_mode & stat.S_IWGRP and directory.st_mode & stat.S_ISGID)


def _file_problem(status: os.stat_result, directory: os.stat_result) -> str:
    """Return why an opened file must not be used; empty if it may be used."""
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    # A link count of zero is allowed: another run has replaced the file since it was opened.
    if status.st_nlink > 1:
        return f"it has {status.st_nlink} hard links"
    owners = (os.geteuid(), directory.st_uid)
    of_the_group = bool(directory.st_mode & stat.S_IWGRP) and status.st_gid == directory.st_gid
    if status.st_uid not in owners and not of_the_group:
        return f"it belongs to another user, number {status.st_uid}"
    return ""


def _is_link(path: str) -> RecordError:
    return RecordError(
        f"the record in {path} cannot be used: this is a symbolic link",
        "name the directory itself with record_path",
    )


def _open_to_everyone(path: str, mode: int) -> RecordError:
    return RecordError(
        f"the record in {path} cannot be used: everyone can write to the directory (mode {mode:04o}), and only its "
        "owner can change that",
        "have its owner set it to 0700, or to 2770 for a group, or name another with record_path",
    )
