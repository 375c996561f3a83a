# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Atomic writes: a file is replaced whole or not at all, and a link in its place is replaced, never written through.

The directory of a file is opened once, and all further steps use its descriptor. So nobody who can rename a
directory above it leads a write elsewhere once it has begun. No symbolic link of another user is followed to it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
import typing as t
import uuid

from .destinations import close_descriptor, open_directory

# The end of the name of a temporary file, and from which age on a writer can have left it.
TEMPORARY_END = ".new"
STALE_TEMP_SECONDS = 60.0
# A name of a file holds 255 bytes, and a character takes up to four of them.
MAX_NAME_START = 40
# O_NOFOLLOW is implied by O_EXCL on Linux, and not everywhere.
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Enough for each output but a large backup or report, which replace a file of about their own size.
PROBE_BYTES = 64 * 1024


def write_atomic(path: str, data: bytes, mode: int) -> None:
    """Write a file. A link is replaced.

    Args:
        path: The file.
        data: Its complete content.
        mode: Its permissions, as far as the umask and the file system allow them.

    Raises:
        OSError: It cannot be written. The previous file still exists.
    """
    _write_files({path: data}, mode, exact=False)


def write_all(files: t.Mapping[str, bytes], mode: int) -> None:
    """Write several files, none before all of them are on the disk. A link is replaced.

    Args:
        files: The complete content of each, by its path.
        mode: The permissions of each, no more and no less.

    Raises:
        OSError: One cannot be written. Where the disk is full, none was.
    """
    _write_files(files, mode, exact=True)


def _write_files(files: t.Mapping[str, bytes], mode: int, exact: bool) -> None:
    with contextlib.ExitStack() as opened:
        descriptors = _open_directories(files, opened)
        targets = [(descriptors[os.path.dirname(path)], os.path.basename(path)) for path in files]
        with _replacing(targets) as temporary:
            for (descriptor, _name), name, data in zip(targets, temporary, files.values()):
                _create(descriptor, name, data, mode, exact)
        for descriptor in descriptors.values():
            sync_directory(descriptor)


def write_in(directory: int, name: str, data: bytes, mode: int) -> None:
    """Write a file of a directory that is open. The new name survives a power cut only after ``os.fsync`` of it.

    Args:
        directory: The descriptor of the directory.
        name: The file, without a path.
        data: Its complete content.
        mode: Its permissions, no more and no less.

    Raises:
        OSError: It cannot be written. The previous file still exists.
    """
    with _replacing([(directory, name)]) as (temporary,):
        _create(directory, temporary, data, mode, exact=True)


def write_problem(path: str) -> str:
    """Return why a file cannot be replaced, without touching anything; empty if no reason is visible."""
    directory = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(directory):
        return f"there is no folder {directory}"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"the folder {directory} cannot be written"
    if os.path.isdir(path) and not os.path.islink(path):
        return f"{path} is a directory"
    above = os.stat(directory)
    try:
        owners = (os.lstat(path).st_uid, above.st_uid)
    except FileNotFoundError:
        return ""
    except OSError as exc:
        return f"{path} cannot be written ({exc.strerror})"
    if above.st_mode & stat.S_ISVTX and os.geteuid() not in (0, *owners):
        return f"{path} belongs to another user, and {directory} lets only its owner replace it"
    return ""


def probe_write(path: str) -> None:
    """Create, fill and remove a temporary file next to a path: a full disk shows here, not after the work.

    Raises:
        OSError: A file cannot be written there.
    """
    with contextlib.ExitStack() as opened:
        descriptor = _open_directories([path], opened)[os.path.dirname(path)]
        name = temporary_name(os.path.basename(path))
        try:
            _create(descriptor, name, bytes(PROBE_BYTES), 0o600, exact=False)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=descriptor)


def foreign_directory(path: str) -> str:
    """Return the directory that a file is written to if it belongs to another user, otherwise an empty string.

    A link above the file may lead there, so the user must know. A directory of root belongs to the machine.
    """
    directory = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    while not os.path.exists(directory):
        directory = os.path.dirname(directory)
    return "" if os.stat(directory).st_uid in (0, os.geteuid()) else directory


def foreign_warnings(paths: t.Iterable[str]) -> list[str]:
    """Return a warning for each directory of another user that files are written to."""
    directories = dict.fromkeys(filter(None, map(foreign_directory, paths)))
    return [
        f"The directory {directory} belongs to another user, who can read, replace or remove each file in it; "
        "name a directory of your own if this is not intended."
        for directory in directories
    ]


def remove_stale_temp_files(directory: int, name: str) -> None:
    """Remove the temporary files that killed runs have left next to a file of a directory that is open.

    Raises:
        OSError: The directory cannot be read.
    """
    for other in os.listdir(directory):
        if other.startswith(temporary_start(name)) and other.endswith(TEMPORARY_END):
            with contextlib.suppress(OSError):
                written = os.stat(other, dir_fd=directory, follow_symlinks=False).st_mtime
                if time.time() - written > STALE_TEMP_SECONDS:
                    os.unlink(other, dir_fd=directory)


def temporary_name(name: str) -> str:
    """Return a name for a temporary file that no other run uses, on this machine or on another one."""
    return f"{temporary_start(name)}{uuid.uuid4().hex}{TEMPORARY_END}"


def temporary_start(name: str) -> str:
    """Return the start that all temporary files of one file share."""
    return f".{name[:MAX_NAME_START]}."


def sync_directory(descriptor: int) -> None:
    """Make new names survive a power cut. Some network file systems cannot, and the files still exist."""
    with contextlib.suppress(OSError):
        os.fsync(descriptor)


def _open_directories(paths: t.Iterable[str], opened: contextlib.ExitStack) -> dict[str, int]:
    """Return a descriptor for the directory of each path, by the directory as it is written in the path."""
    descriptors: dict[str, int] = {}
    for directory in dict.fromkeys(map(os.path.dirname, paths)):
        descriptors[directory] = open_directory(directory or os.curdir)
        opened.callback(close_descriptor, descriptors[directory])
    return descriptors


@contextlib.contextmanager
def _replacing(targets: t.Sequence[tuple[int, str]]) -> t.Iterator[list[str]]:
    """Yield a temporary name for each file, and then rename them all; after any failure none of them is left."""
    # The names are chosen before the files exist: a Ctrl-C between the two would leave one.
    temporary = [temporary_name(name) for _directory, name in targets]
    try:
        yield temporary
        for (directory, name), source in zip(targets, temporary):
            if not name:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            os.replace(source, name, src_dir_fd=directory, dst_dir_fd=directory)
    finally:
        # A file that was renamed does not have this name any more.
        for (directory, _name), source in zip(targets, temporary):
            with contextlib.suppress(OSError):
                os.unlink(source, dir_fd=directory)


def _create(directory: int, name: str, data: bytes, mode: int, exact: bool) -> None:
    # With exact permissions, no other user can read it at any moment.
    descriptor = os.open(name, CREATE_FLAGS, 0o600 if exact else mode, dir_fd=directory)
    try:
        stream = os.fdopen(descriptor, "wb")
    except BaseException:
        close_descriptor(descriptor)
        raise
    with stream:
        if exact:
            os.fchmod(stream.fileno(), mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
