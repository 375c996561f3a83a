# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Atomic writes: a file is replaced completely or not at all. A symbolic link is replaced, its target is not written.

The directory of a file is opened once, and all further steps use its descriptor. So a user who renames a directory
above it cannot redirect a write that has begun. Symbolic links of other users in the path are not followed.
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

# The suffix of temporary files, and the age in seconds from which they count as left by a killed run.
TEMPORARY_END = ".new"
STALE_TEMP_SECONDS = 60.0
# A filename can have 255 bytes, and a character up to four bytes.
MAX_NAME_START = 40
# On Linux, O_EXCL implies O_NOFOLLOW; on other systems it may not.
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Enough for all outputs except a large backup or report, which replaces a file of about the same size.
PROBE_BYTES = 64 * 1024


def write_atomic(path: str, data: bytes, mode: int) -> None:
    """Write a file atomically. A symbolic link is replaced.

    Args:
        path: The file.
        data: Its complete content.
        mode: Its permissions, as far as the umask and the file system allow them.

    Raises:
        OSError: The file cannot be written. The previous file still exists.
    """
    _write_files({path: data}, mode, exact=False)


def write_all(files: t.Mapping[str, bytes], mode: int) -> None:
    """Write several files; none is replaced before all are stored on the disk. A symbolic link is replaced.

    Args:
        files: The complete content of each file, by its path.
        mode: The exact permissions of each file.

    Raises:
        OSError: A file cannot be written. If the disk is full, no file was replaced.
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
    """Write a file in an open directory. Only ``os.fsync`` of the directory protects the new name from a power failure.

    Args:
        directory: The descriptor of the directory.
        name: The filename, without a path.
        data: Its complete content.
        mode: Its exact permissions.

    Raises:
        OSError: The file cannot be written. The previous file still exists.
    """
    with _replacing([(directory, name)]) as (temporary,):
        _create(directory, temporary, data, mode, exact=True)


def write_problem(path: str) -> str:
    """Return the reason why a file cannot be replaced, without changing anything; empty if no reason is visible."""
    directory = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(directory):
        return f"there is no directory {directory}"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"the directory {directory} cannot be written to"
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
    """Write and remove a temporary file next to a path, so that a full disk is found before the work starts.

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
    """Return the directory of a file if it belongs to another user, otherwise an empty string.

    A symbolic link in the path may lead there, so the user must be warned. A directory of root is trusted.
    """
    directory = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    while not os.path.exists(directory):
        directory = os.path.dirname(directory)
    return "" if os.stat(directory).st_uid in (0, os.geteuid()) else directory


def foreign_warnings(paths: t.Iterable[str]) -> list[str]:
    """Return a warning for each directory of another user that will contain a file."""
    directories = dict.fromkeys(filter(None, map(foreign_directory, paths)))
    return [
        f"The directory {directory} belongs to another user, who can read, replace or remove each file in it; name "
        "one of your directories if this is not intended."
        for directory in directories
    ]


def remove_stale_temp_files(directory: int, name: str) -> None:
    """Remove the temporary files of one file that killed runs have left in an open directory.

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
    """Return a unique name for a temporary file: no other run uses it, on this machine or on another one."""
    return f"{temporary_start(name)}{uuid.uuid4().hex}{TEMPORARY_END}"


def temporary_start(name: str) -> str:
    """Return the prefix that all temporary files of one file share."""
    return f".{name[:MAX_NAME_START]}."


def sync_directory(descriptor: int) -> None:
    """Store new filenames on the disk. Errors are ignored: some network file systems do not support it."""
    with contextlib.suppress(OSError):
        os.fsync(descriptor)


def _open_directories(paths: t.Iterable[str], opened: contextlib.ExitStack) -> dict[str, int]:
    """Open the directory of each path; return the descriptors by the directory as the path spells it."""
    descriptors: dict[str, int] = {}
    for directory in dict.fromkeys(map(os.path.dirname, paths)):
        descriptors[directory] = open_directory(directory or os.curdir)
        opened.callback(close_descriptor, descriptors[directory])
    return descriptors


@contextlib.contextmanager
def _replacing(targets: t.Sequence[tuple[int, str]]) -> t.Iterator[list[str]]:
    """Yield a temporary name for each file, then rename all of them; after a failure, remove them."""
    # The names are chosen before the files are created, so that a Ctrl-C in between leaves no file.
    temporary = [temporary_name(name) for _directory, name in targets]
    try:
        yield temporary
        for (directory, name), source in zip(targets, temporary):
            if not name:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            os.replace(source, name, src_dir_fd=directory, dst_dir_fd=directory)
    finally:
        # A file that was renamed does not have this name any more, so it is not removed.
        for (directory, _name), source in zip(targets, temporary):
            with contextlib.suppress(OSError):
                os.unlink(source, dir_fd=directory)


def _create(directory: int, name: str, data: bytes, mode: int, exact: bool) -> None:
    # Created with 0600, so that other users cannot read the file before its permissions are set.
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
