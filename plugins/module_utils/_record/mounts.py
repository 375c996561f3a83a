# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The file systems that the machine has mounted, as Linux lists them."""

from __future__ import annotations

import os
import re
import typing as t

MOUNTS = "/proc/self/mountinfo"


class Mount(t.NamedTuple):
    """A mounted file system: where, and its kind."""

    point: str
    kind: str


def read_mounts(path: str = MOUNTS) -> list[Mount]:
    """Return all mounts, in the order in which they were made; none where the machine does not list them."""
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
            mounts.append(Mount(point, rest.split(" ")[0]))
    return mounts


def is_mount(directory: str, mounts: str = MOUNTS) -> bool:
    """Return whether a file system, or a directory of one, is mounted at a directory."""
    place = os.path.realpath(directory)
    return os.path.ismount(place) or any(mount.point == place for mount in read_mounts(mounts))


def _unescape(text: str) -> str:
    """Return a path of the list, in which a space is written as ``\\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)
