# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The mounted file systems, as Linux lists them."""

from __future__ import annotations

import os
import re
import typing as t

MOUNTS = "/proc/self/mountinfo"


class Mount(t.NamedTuple):
    """A mounted file system.

    Attributes:
        point: The directory where it is mounted.
        kind: Its type, such as ``ext4`` or ``fuse.sshfs``.
        source: The device, the share or the program that provides it.
        options: The options of the file system itself, such as ``local_lock=none``.
    """

    point: str
    kind: str
    source: str = ""
    options: tuple[str, ...] = ()


def read_mounts(path: str = MOUNTS) -> list[Mount]:
    """Return all mounts, in the order in which they were mounted; none if the system does not list them."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return []
    mounts = []
    for line in lines:
        fields, _separator, rest = line.partition(" - ")
        point = _unescape(fields.split(" ")[4]) if len(fields.split(" ")) > 4 and rest else ""
        if point:
            kind, source, options = (*rest.split(" "), "", "")[:3]
            mounts.append(Mount(point, kind, _unescape(source), tuple(options.split(","))))
    return mounts


def is_mount(directory: str, mounts: str = MOUNTS) -> bool:
    """Return whether a file system, or a directory of one, is mounted at a directory."""
    place = os.path.realpath(directory)
    return os.path.ismount(place) or any(mount.point == place for mount in read_mounts(mounts))


def find_mount(place: str, mounts: str = MOUNTS) -> Mount:
    """Return the mount that contains a path without links; an empty one if the system does not list it."""
    best = Mount("", "")
    for mount in read_mounts(mounts):
        # If two file systems are mounted at one directory, the later one is visible.
        if is_below(place, mount.point) and len(mount.point) >= len(best.point):
            best = mount
    return best


def is_below(place: str, directory: str) -> bool:
    """Return whether a path is equal to a directory or below it."""
    return os.path.commonpath((place, directory)) == directory


def _unescape(text: str) -> str:
    """Return a path of the list, in which a space is written as ``\\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)
