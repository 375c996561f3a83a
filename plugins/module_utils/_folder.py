# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The folder of the record, seen from outside: nothing is made, opened or touched."""

from __future__ import annotations

import os
import pwd
import re
import stat
import tempfile
import typing as t

from ._errors import RecordError

if t.TYPE_CHECKING:
    from ._record import RecordStore

MOUNTS = "/proc/self/mountinfo"
# What is here is gone when the machine is switched off.
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
# On top of an image: gone with the container.
LAYERED = frozenset({"overlay", "aufs", "fuse.fuse-overlayfs"})


def folder_state(store: RecordStore) -> dict[str, t.Any]:
    """Return what can be known of the record's folder.

    Returns:
        ``path``, ``exists``, ``writable``, and of the folder itself ``owner`` (a user's name) and ``mode`` (as
        ``0700``), both None where it does not exist; ``doubts`` is a sentence for each thing that speaks
        against it. No doubt is no promise: a machine may be thrown away as a whole.
    """
    path = os.path.abspath(store.folder)
    problem = _unwritable(store)
    found = _stat(path)
    doubts = [problem] if problem else []
    if found is not None:
        doubts += _strangers(found)
    doubts += short_lived(_nearest(path), _mounts(), tempfile.gettempdir())
    return {
        "path": path,
        "exists": found is not None,
        "writable": not problem,
        "owner": _owner(found.st_uid) if found is not None else None,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}" if found is not None else None,
        "doubts": doubts,
    }


def _unwritable(store: RecordStore) -> str:
    try:
        store.check_writable()
    except RecordError as fault:
        return fault.problem
    return ""


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _strangers(found: os.stat_result) -> list[str]:
    """Return a sentence for each way in which somebody else has a say in the folder."""
    doubts = []
    if found.st_uid != os.geteuid():
        doubts.append(f"it belongs to {_owner(found.st_uid)}, and this run is {_owner(os.geteuid())}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        doubts.append("others than its owner can remove files from it")
    return doubts


def _nearest(path: str) -> str:
    """Return the path without links, or the nearest folder above it that is there: it would be made in it."""
    place = os.path.realpath(path)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    return place


def _mounts() -> str:
    """Return the kernel's list of mounts; empty where there is none, as on other systems than Linux."""
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError:
        return ""


def short_lived(place: str, mounts: str, temporary: str) -> list[str]:
    """Return a sentence for each sign that what lies at a place will not last.

    Args:
        place: A path without links.
        mounts: The kernel's list of mounts, in the form of ``/proc/self/mountinfo``.
        temporary: The folder for temporary files.
    """
    signs = []
    if _is_below(place, os.path.realpath(temporary)):
        signs.append(f"it is below {temporary}, which is emptied from time to time")
    point, kind = _mount_of(place, mounts)
    if kind in IN_MEMORY:
        signs.append(f"it is in memory ({kind} at {point}), and gone when the machine is switched off")
    if point == "/" and kind in LAYERED:
        signs.append(f"it is in the file system of a container ({kind}), and gone with the container")
    return signs


def _mount_of(place: str, mounts: str) -> tuple[str, str]:
    """Return where the file system of a path is mounted, and its kind; both empty where that is not known."""
    found = ("", "")
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if dash and len(fields) > 4:
            point = _plain(fields[4])
            # A later line covers an earlier one at the same place.
            if _is_below(place, point) and len(point) >= len(found[0]):
                found = (point, kind)
    return found


def _plain(escaped: str) -> str:
    """Return a path of the list of mounts, in which a space is written as ``\\040``."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), escaped)


def _is_below(place: str, folder: str) -> bool:
    return place == folder or place.startswith(folder.rstrip("/") + "/")
