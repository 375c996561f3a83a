# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Whether the process that waits for the result of a run is still there.

A killed ``ansible-playbook`` leaves its worker, and the worker's module, which would work through a whole fleet
unseen. Neither is told, but the kernel gives an orphan another parent. So the parents are noted when the work begins,
and compared before each device.
"""

from __future__ import annotations

import os
import sys
import typing as t

from .errors import FonnteError

# A module is started by one or two shells, and by become.
MAX_ANCESTORS = 12
# With a terminal (use_pty), sudo forks a monitor that has its command line. The command line has the Python of the module.
BECOME_PROGRAMS = frozenset({b"sudo", b"su", b"doas", b"dzdo", b"ksu", b"pbrun", b"pfexec", b"runas"})

# The parent of a process, and its command line; None where it is gone or cannot be read.
Read = t.Callable[[int], t.Optional[t.Tuple[int, bytes]]]


class AbandonedError(FonnteError):
    """The process that waits for the result has ended; nothing new is begun."""

    def __init__(self) -> None:
        super().__init__(
            "the process that started this run has ended, so nothing new was begun",
            "run the play again: what is done is not done twice",
        )


def read_process(pid: int) -> tuple[int, bytes] | None:
    """Return the parent and the command line of a process, from ``/proc``."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return int(fields[1]), stream.read()
    except (OSError, ValueError, IndexError):
        return None


def find_forking_process() -> int:
    """Return the process that has forked this one as a worker, known since the fork; 0 if it is no worker."""
    # Only a worker has it. Python 3.7 has no such function; there, only modules run.
    processes = sys.modules.get("multiprocessing.process")
    known = getattr(processes, "parent_process", lambda: None)()
    return int(known.pid) if known is not None else 0


class Lineage:
    """This process and its parents, up to the one that waits for the result.

    A worker is forked, so it has the command line of ``ansible-playbook``; all between a module and the two are
    shells. With ``async``, the two are the wrapper's: its own parent ends by design, and is not watched. Without
    ``/proc`` only the direct parent is watched.
    """

    def __init__(
        self,
        read: Read = read_process,
        own: int = 0,
        parent: t.Callable[[], int] = os.getppid,
        forked_by: t.Callable[[], int] = find_forking_process,
    ) -> None:
        self._read = read
        self._parent = parent
        self._forked_by = forked_by
        self._own_parent = parent()
        self._links = self._trace(own or os.getpid())

    @property
    def is_forked(self) -> bool:
        """Whether this process is certain to be a fork of the one that waits: it has the command line of its parent."""
        return len(self._links) == 1

    def has_ended(self) -> bool:
        """Return whether one of the parents has ended."""
        if self._parent() != self._own_parent or self._parent() != (self._forked_by() or self._parent()):
            return True
        return any(self._parent_of(pid) != parent for pid, parent in self._links)

    def require(self) -> None:
        """Raise AbandonedError if one of the parents has ended."""
        if self.has_ended():
            raise AbandonedError

    def _parent_of(self, pid: int) -> int | None:
        found = self._read(pid)
        return found[0] if found else None

    def _trace(self, pid: int) -> list[tuple[int, int]]:
        links: list[tuple[int, int]] = []
        child = self._read(pid)
        while child is not None and child[0] > 0 and len(links) < MAX_ANCESTORS:
            parent = self._read(child[0])
            links.append((pid, child[0]))
            if parent is not None and parent[1] == child[1] and _may_be_ansible(child[1]):
                return links
            pid, child = child[0], parent
        return []


def _may_be_ansible(command: bytes) -> bool:
    """Return whether a command line can be that of ansible-playbook, which its worker has too."""
    program = command.partition(b"\0")[0].rpartition(b"/")[2]
    return b"python" in command and program not in BECOME_PROGRAMS


class _Known:
    """The lineage of this process, as it was when its first run began: a loop is many runs of one worker."""

    def __init__(self) -> None:
        self._pid = 0
        self._lineage: Lineage | None = None

    def get(self) -> Lineage:
        pid = os.getpid()
        if self._lineage is None or self._pid != pid:
            self._pid, self._lineage = pid, Lineage()
        return self._lineage


_known = _Known()


def current_lineage() -> Lineage:
    """Return the parents of this process, as they were when it asked first."""
    return _known.get()
