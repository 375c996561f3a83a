# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Detection of an orphaned run: the process that waits for the result has ended.

If ``ansible-playbook`` is killed, its worker and the worker's module continue, and would process a whole fleet
unattended. They receive no signal, but the kernel gives an orphan another parent. So the parent processes are stored
when the work begins, and compared before each device.
"""

from __future__ import annotations

import os
import sys
import typing as t

from .errors import FonnteError

# A module is started through one or two shells, and through become.
MAX_ANCESTORS = 12
# With a terminal (use_pty), sudo forks a monitor with the same command line, which contains the module's Python.
BECOME_PROGRAMS = frozenset({b"sudo", b"su", b"doas", b"dzdo", b"ksu", b"pbrun", b"pfexec", b"runas"})

# Reads the parent and the command line of a process; None if it has ended or cannot be read.
Read = t.Callable[[int], t.Optional[t.Tuple[int, bytes]]]


class AbandonedError(FonnteError):
    """The process that waits for the result has ended; no further operation is started."""

    def __init__(self) -> None:
        super().__init__(
            "the process that started this run has ended, so no further operation was started",
            "run the playbook again: it repeats no completed operation",
        )


def read_process(pid: int) -> tuple[int, bytes] | None:
    """Read the parent and the command line of a process from ``/proc``; None if this fails."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return int(fields[1]), stream.read()
    except (OSError, ValueError, IndexError):
        return None


def find_forking_process() -> int:
    """Return the ID of the process that forked this one as a worker, as stored at the fork; 0 if it is no worker."""
    # multiprocessing sets it only in a worker. Python 3.7 lacks the function; there, only modules run.
    processes = sys.modules.get("multiprocessing.process")
    known = getattr(processes, "parent_process", lambda: None)()
    return int(known.pid) if known is not None else 0


class Lineage:
    """The chain of parent processes from this process to the one that waits for the result.

    A worker is a fork, so it has the command line of ``ansible-playbook``; all processes between a module and the
    worker are shells or become programs. With ``async``, the chain ends at the async wrapper and its fork, because the
    wrapper's parent ends by design. Without ``/proc``, only the direct parent is compared.
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
        self._own = own or os.getpid()
        self._links = self._trace(self._own)

    @property
    def is_forked(self) -> bool:
        """Whether this process is certainly a fork of the waiting one: it has the command line of its parent."""
        return len(self._links) == 1

    @property
    def waiting_process(self) -> int:
        """The ID of the process that waits for the result, such as ``ansible-playbook``; 0 if it is unknown."""
        return self._links[-1][1] if self._links else 0

    def has_ended(self) -> bool:
        """Return whether a process of the chain has ended."""
        if self._parent() != self._own_parent or self._parent() != (self._forked_by() or self._parent()):
            return True
        # The parent of this process was compared above, without reading a file: it is enough for a worker.
        return any(self._parent_of(pid) != parent for pid, parent in self._links if pid != self._own)

    def require(self) -> None:
        """Raise AbandonedError if a process of the chain has ended."""
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
    """Return whether a command line may be that of ansible-playbook, which its workers share."""
    program = command.partition(b"\0")[0].rpartition(b"/")[2]
    return b"python" in command and program not in BECOME_PROGRAMS


class _Known:
    """The lineage of this process, stored at its first run: one worker runs all items of a loop."""

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
    """Return the lineage of this process, as it was at the first call."""
    return _known.get()
