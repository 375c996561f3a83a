# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Paths to which a user lets the collection write: checks, and directories that are opened safely.

A destination inside an installed collection is refused, because the next installation would delete it. The path is
opened directory by directory. Symbolic links of other users are not followed: they could redirect a run of root.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from .errors import OptionError

# ansible-galaxy creates this file in each collection that it installs.
_INSTALLED_MARK = "MANIFEST.json"
# The limit of Linux for symbolic links in one path.
_MAX_LINKS = 40
# O_PATH, because a directory above a destination may lack the read permission.
_STEP_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read_descriptor(descriptor: int, limit: int) -> bytes:
    """Return at most this number of bytes of a file, and close it."""
    try:
        data = os.read(descriptor, limit)
        # Some file systems return less than a whole file.
        while len(data) < limit:
            more = os.read(descriptor, limit - len(data))
            if not more:
                break
            data += more
        return data
    finally:
        close_descriptor(descriptor)


def close_descriptor(descriptor: int) -> None:
    """Close the descriptor of a directory, of a lock, or of a file whose content is already stored on the disk.

    A network file system can report an error here. The descriptor is closed nevertheless, so the error must not
    replace the result of finished work.
    """
    with contextlib.suppress(OSError):
        os.close(descriptor)


class ForeignLinkError(OSError):
    """A path contains a symbolic link of another user."""

    def __init__(self, link: str) -> None:
        super().__init__(errno.ELOOP, f"{link} is a symbolic link of another user")
        self.link = link


def check_destination(option: str, path: str) -> None:
    """Refuse a path inside an installed collection, and one below a home directory that does not exist.

    Raises:
        OptionError: The next installation of the collection would delete the file, or the path has an unexpanded "~".
    """
    if "~" in path.split(os.sep) and os.path.expanduser("~") == "~":
        # It would become a directory of this name, such as in the working directory of a pod, which is not kept.
        raise OptionError(
            option,
            f"{path} needs a home directory, and neither HOME nor the list of users names one",
            "set HOME, or name a path in a persistent directory",
        )
    parts = os.path.realpath(os.path.expanduser(path)).split(os.sep)
    for place in range(len(parts) - 2):
        root = os.sep.join(parts[: place + 3])
        if parts[place] == "ansible_collections" and os.path.exists(os.path.join(root, _INSTALLED_MARK)):
            raise OptionError(
                option,
                f"{path} is inside the installed collection {parts[place + 1]}.{parts[place + 2]}, and the next "
                "installation deletes it",
                "name one of your directories, such as ~/fonnte",
            )


def check_links(option: str, path: str, user: int | None = None) -> None:
    """Refuse a path with a symbolic link of another user. A path that does not exist is accepted.

    Args:
        option: The option that contains the path, for the message.
        path: A directory or a file; all parts are checked, the last one included.
        user: The ID of the user of the process, if it is not the effective one.

    Raises:
        OptionError: The path has such a link, or cannot be opened. Links of root are accepted.
    """
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            close_descriptor(open_directory(path, user=user))
    except ForeignLinkError as exc:
        raise OptionError(
            option,
            f"{exc.link} is a symbolic link of another user",
            "name a path in one of your directories, without that link",
        ) from None
    except OSError as exc:
        raise OptionError(option, f"{path} cannot be opened ({exc.strerror})", "name another path") from None


def make_directory(path: str, mode: int) -> None:
    """Create a directory and its parents. An existing one keeps its permissions.

    Raises:
        ForeignLinkError: The path has a symbolic link of another user.
        OSError: The directory cannot be created.
    """
    close_descriptor(open_directory(path, create_mode=mode))


def open_directory(path: str, create_mode: int | None = None, user: int | None = None) -> int:
    """Open a directory without following symbolic links of other users, and return its descriptor.

    Args:
        path: The directory.
        create_mode: The permissions of directories that are created; None to create none.
        user: The ID of the user of the process, if it is not the effective one.

    Raises:
        ForeignLinkError: The path has such a link.
        OSError: The directory cannot be opened or created.
    """
    trusted = (0, os.geteuid() if user is None else user)
    pending = path.split(os.sep)[::-1]
    place = os.sep if os.path.isabs(path) else os.curdir
    descriptor = os.open(place, _STEP_FLAGS)
    links = 0
    try:
        while pending:
            part = pending.pop()
            if part in ("", os.curdir):
                continue
            target = _read_link(descriptor, part, os.path.join(place, part), trusted)
            if target is None:
                descriptor = _replace(descriptor, _enter(descriptor, part, create_mode))
                place = os.path.join(place, part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            if os.path.isabs(target):
                place = os.sep
                descriptor = _replace(descriptor, os.open(place, _STEP_FLAGS))
            pending += target.split(os.sep)[::-1]
        return os.open(os.curdir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
    finally:
        close_descriptor(descriptor)


def _read_link(directory: int, name: str, place: str, trusted: tuple[int, ...]) -> str | None:
    """Return the target of a symbolic link in a directory; None if it is not a symbolic link."""
    try:
        before = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(before.st_mode):
        return None
    target = os.readlink(name, dir_fd=directory)
    after = os.stat(name, dir_fd=directory, follow_symlinks=False)
    # Another user may have replaced the link between the two steps.
    same = (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino)
    if not same or before.st_uid not in trusted:
        raise ForeignLinkError(place)
    return target


def _enter(directory: int, name: str, create_mode: int | None) -> int:
    if create_mode is not None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, create_mode, dir_fd=directory)
    return os.open(name, _STEP_FLAGS, dir_fd=directory)


def _replace(old: int, new: int) -> int:
    close_descriptor(old)
    return new
