# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Check the storage of a record: whether it can be written, and whether it will still exist for later runs."""

from __future__ import annotations

import os
import stat
import tempfile
import typing as t

from .._common.errors import RecordError
from .backend import Backend, StorageCheck
from .mounts import MOUNTS, Mount, find_mount, is_below

IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
# The writable layer of a container, which is removed with the container.
LAYERS = ("overlay", "fuse.fuse-overlayfs", "aufs")
TEMPORARY = ("/tmp", "/var/tmp")
# Programs that show an object store, or the disk of another machine, as directories. Their locks do not reach other
# machines.
WITHOUT_LOCKS = (
    "blobfuse",
    "blobfuse2",
    "gcsfuse",
    "geesefs",
    "goofys",
    "mount-s3",
    "mountpoint-s3",
    "rclone",
    "s3fs",
    "sshfs",
)
# Options of NFS and SMB with which locks stay on this machine.
LOCAL_LOCKS = ("nolock", "local_lock=all", "local_lock=flock", "nobrl")


def check_storage(records: Backend, mounts: str = MOUNTS, temporary: t.Sequence[str] = TEMPORARY) -> StorageCheck:
    """Return the facts on the directory of a record, without any change.

    Args:
        records: The record.
        mounts: The file in which the system lists the mounted file systems.
        temporary: The directories that the system empties, in addition to its own directory for temporary files.
    """
    folder = os.path.abspath(records.place)
    exists = os.path.isdir(folder)
    place = os.path.realpath(_nearest(folder))
    mount = find_mount(place, mounts)
    mode = f"{stat.S_IMODE(os.stat(folder).st_mode):04o}" if exists else None
    lasting, because = _is_persistent(place, mount, (*temporary, tempfile.gettempdir()))
    if exists and lasting is not False:
        trouble = _describe_other_writers(folder)
        lasting, because = (False, trouble) if trouble else (lasting, because)
    return StorageCheck(folder, exists, _writable(records), mode, lasting, because)


def _nearest(folder: str) -> str:
    """Return a directory, or the nearest existing directory above it."""
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return folder


def _writable(records: Backend) -> bool:
    try:
        records.check_writable()
    except RecordError:
        return False
    return True


def find_storage_warnings(folder: str, mounts: str = MOUNTS) -> list[str]:
    """Return a warning for a record on storage where locks do not reach other machines."""
    mount = find_mount(os.path.realpath(_nearest(os.path.abspath(folder))), mounts)
    if not _is_without_locks(mount):
        return []
    return [
        f"The record in {folder} is on {mount.kind}, where locks do not reach other machines: one of two concurrent "
        "runs can lose the entries that the other has recorded. Run one at a time, or name a directory on a local "
        "disk or NFS 4 in record_path or FONNTE_RECORD_PATH."
    ]


def _is_without_locks(mount: Mount) -> bool:
    kind, _dot, program = mount.kind.partition(".")
    if kind == "fuse" and (program or mount.source) in WITHOUT_LOCKS:
        return True
    return any(option in LOCAL_LOCKS for option in mount.options)


def _is_persistent(place: str, mount: Mount, temporary: t.Sequence[str]) -> tuple[bool | None, str]:
    kind = mount.kind
    for directory in temporary:
        if is_below(place, os.path.realpath(directory)):
            return False, f"It is below {directory}, which is for temporary files."
    if kind in IN_MEMORY:
        return False, f"It is in memory ({kind}), and is lost when the machine restarts."
    if kind in LAYERS:
        return None, (
            f"It is in the layer of a container ({kind}), and is deleted with it unless the container is kept."
        )
    if not kind:
        return None, "The type of its file system is unknown."
    if _is_without_locks(mount):
        return True, f"It is on a persistent file system ({kind}), but locks do not reach other machines there."
    return True, f"It is on a persistent file system ({kind}), and not below a directory for temporary files."


def _describe_other_writers(folder: str) -> str:
    """Return a sentence on the harm that other users could do to the directory; empty if there is none."""
    status = os.stat(folder)
    # Root uses the directories of other users, as in a container with a mounted home. A group shares its directory.
    if os.geteuid() not in (0, status.st_uid) and not status.st_mode & stat.S_IWGRP:
        return f"It belongs to another user (number {status.st_uid}), who can remove it."
    if status.st_mode & stat.S_IWOTH:
        return f"Everyone can write to it (mode {stat.S_IMODE(status.st_mode):04o}): set it to 0700, or to 2770 for a group."
    return ""
