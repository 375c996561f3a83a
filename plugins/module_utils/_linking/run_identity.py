# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The identity of a run: its ``ansible-playbook`` process, which a later run can search for.

The tasks of a run are separate processes, so no lock of a task lasts until the run ends. A process is found again by its
ID and its start. Both are valid only for one boot of a machine, and in one PID namespace, such as of a container.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .._common.lineage import current_lineage

_STATE, _START = 0, 19
_ENDED = (b"Z", b"X", b"x")


@dataclass(frozen=True)
class RunIdentity:
    """The process of a run.

    Attributes:
        machine: The boot of the machine, and the PID namespace.
        pid: The ID of the process.
        started: When it started, as the kernel counts.
    """

    machine: str
    pid: int
    started: str

    def to_json(self) -> dict[str, t.Any]:
        """Return the identity as plain data."""
        return {"machine": self.machine, "pid": self.pid, "started": self.started}

    @classmethod
    def from_json(cls, data: t.Any) -> RunIdentity:
        """Return the identity from plain data; ValueError, TypeError or KeyError if the data is not one."""
        machine, pid, started = data["machine"], data["pid"], data["started"]
        if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
            raise ValueError("not the ID of a process")
        if not isinstance(machine, str) or not isinstance(started, str):
            raise ValueError("not a process")
        return cls(machine, pid, started)

    def has_ended(self) -> bool | None:
        """Return whether the process has ended; None if this machine cannot know it."""
        if self.machine != _machine():
            return None
        return _start_of(self.pid) != self.started


def current_run() -> RunIdentity | None:
    """Return the identity of the run that waits for this process; None without ``/proc``, or without such a run."""
    pid, machine = current_lineage().waiting_process, _machine()
    started = _start_of(pid) if pid else ""
    return RunIdentity(machine, pid, started) if machine and started else None


def _machine() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            return f"{stream.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return ""


def _start_of(pid: int) -> str:
    """Return when a process started; empty if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
        return "" if fields[_STATE] in _ENDED else fields[_START].decode("ascii")
    except (OSError, ValueError, IndexError):
        return ""
