# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What kind of place the record lies in: whether it can be written, and whether it will be there tomorrow."""

from __future__ import annotations

import os
import stat
import tempfile
import typing as t

from .._common.errors import RecordError
from .backend import StorageHealth
from .mounts import MOUNTS, Mount, read_mounts

IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
# What a container writes over its image, and what is thrown away with it.
LAYERS = ("overlay", "fuse.fuse-overlayfs", "aufs")
TEMPORARY = ("/tmp", "/var/tmp")


class Place(t.Protocol):
    """A directory with a record."""

    @property
    def place(self) -> str:
        """Its path."""
        ...

    def check_writable(self) -> None:
        """Check without touching anything whether it can be written; RecordError if not."""
        ...


def check_storage(records: Place, mounts: str = MOUNTS, temporary: t.Sequence[str] = TEMPORARY) -> StorageHealth:
    """Return the facts on the directory of a record, without touching anything.

    Args:
        records: The record.
        mounts: The file in which the system lists what is mounted where.
        temporary: The directories that the system empties, besides its own for temporary files.
    """
    folder = os.path.abspath(records.place)
    exists = os.path.isdir(folder)
    place = os.path.realpath(_nearest(folder))
    kind = _file_system(place, mounts)
    mode = f"{stat.S_IMODE(os.stat(folder).st_mode):04o}" if exists else None
    lasting, because = _lasting(place, kind, (*temporary, tempfile.gettempdir()))
    if exists and lasting is not False:
        trouble = _others(folder)
        lasting, because = (False, trouble) if trouble else (lasting, because)
    return StorageHealth(folder, exists, _writable(records), mode, lasting, because)


def _nearest(folder: str) -> str:
    """Return the folder, or the nearest one above it that is there."""
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return folder


def _writable(records: Place) -> bool:
    try:
        records.check_writable()
    except RecordError:
        return False
    return True


def _lasting(place: str, kind: str, temporary: t.Sequence[str]) -> tuple[bool | None, str]:
    for directory in temporary:
        if _below(place, os.path.realpath(directory)):
            return False, f"It is below {directory}, which is for temporary files."
    if kind in IN_MEMORY:
        return False, f"It is in memory ({kind}), and gone when the machine is started again."
    if kind in LAYERS:
        return None, f"It is in the layer of a container ({kind}), and goes with it unless the container is kept."
    if not kind:
        return None, "Nothing tells on what kind of file system it is."
    return True, f"It is on a file system that stays ({kind}), and not below a directory for temporary files."


def _others(folder: str) -> str:
    """Return in a sentence what another user could do to the folder; empty for nothing."""
    status = os.stat(folder)
    # Root works in the directories of others, as in a container with a mounted home. A group shares its directory.
    if os.geteuid() not in (0, status.st_uid) and not status.st_mode & stat.S_IWGRP:
        return f"It belongs to another user (number {status.st_uid}), who can take it away."
    if status.st_mode & stat.S_IWOTH:
        return f"Everyone can write to it (mode {stat.S_IMODE(status.st_mode):04o}): set it to 0700, or to 2770 for a group."
    return ""


def _below(place: str, directory: str) -> bool:
    return os.path.commonpath((place, directory)) == directory


def _file_system(place: str, mounts: str) -> str:
    """Return the kind of the file system that a place is on; empty where the machine does not list it."""
    best = Mount("", "")
    for mount in read_mounts(mounts):
        # Of two that are mounted at one point, the later one counts.
        if _below(place, mount.point) and len(mount.point) >= len(best.point):
            best = mount
    return best.kind
