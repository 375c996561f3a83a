# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a record in memory: each operation of a node is a step."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.lock_files import LockFile, LockFiles

from .scheduler import Node, Schedule


@dataclass
class Disk:
    """A directory that all nodes share: files and lock files by name, and the holder of each lock.

    Attributes:
        written_at: When each lock file was written, by the clock of the node that has written it.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, bytes] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    written_at: dict[str, float] = field(default_factory=dict)
    written_by: dict[str, int] = field(default_factory=dict)
    opened: int = 0
    max_marked: int = 0

    def copy(self) -> Disk:
        """Return a disk with the same files; no lock is held."""
        return Disk(
            dict(self.files), dict(self.locks), {}, dict(self.written_at), dict(self.written_by), 0, self.max_marked
        )


class MemoryDirectory(RecordDirectory):
    """The directory as one node accesses it. Several consecutive reads are one step, since no write is between them."""

    def __init__(self, disk: Disk, schedule: Schedule | None, node: Node) -> None:
        super().__init__("/record")
        self.disk = disk
        self.node = node
        self._schedule = schedule

    def step(self, label: str, waits: bool = False) -> None:
        """Let another node continue."""
        if self._schedule is None:
            return
        reads = label.startswith("read")
        if reads and self.node.labels and self.node.labels[-1] == label and not self.node.is_dead:
            return
        self._schedule.step(self.node, label, waits)

    def wake(self) -> None:
        """Have the nodes that wait for a lock try again."""
        if self._schedule is not None:
            self._schedule.wake()

    @property
    def now(self) -> float:
        """The time by the clock of the node: ten steps a second."""
        return 1000.0 + (len(self._schedule.trace) if self._schedule else 0) / 10 + self.node.skew

    def names(self) -> list[str]:
        self.step("read")
        return sorted(self.disk.files)

    def read(self, name: str) -> bytes | None:
        self.step("read")
        return self.disk.files.get(name)

    def write(self, name: str, data: bytes) -> None:
        self.step(f"write {name[:6]}")
        self.disk.files[name] = data

    def append(self, name: str, data: bytes, size: int) -> bool:
        self.step(f"append {name[:6]}")
        if len(self.disk.files.get(name, b"")) != size:
            return False
        self.disk.files[name] += data
        return True

    def rename(self, name: str, new_name: str) -> None:
        self.step(f"rename {name[:6]}")
        self.disk.files[new_name] = self.disk.files.pop(name)

    def remove(self, name: str) -> None:
        self.step(f"remove {name[:6]}")
        self.disk.files.pop(name, None)

    def sync(self) -> None:
        """Do nothing: no simulated machine loses its power."""


class MemoryLocks(LockFiles):
    """The lock files as one node accesses them."""

    def __init__(self, directory: MemoryDirectory) -> None:
        super().__init__(directory)
        self._memory = directory
        self._names: dict[int, str] = {}

    def open(self, name: str) -> LockFile:
        created = name not in self._memory.disk.locks
        self._memory.disk.locks.setdefault(name, b"")
        self._memory.disk.opened += 1
        number = self._memory.disk.opened
        self._names[number] = name
        return LockFile(number, created)

    def acquire(self, lock: LockFile) -> bool:
        name = self._names[lock.descriptor]
        self._memory.step(f"lock {name[:6]}")
        if name in self._memory.disk.held:
            return False
        self._memory.disk.held[name] = lock.descriptor
        return True

    def is_in_place(self, name: str, lock: LockFile) -> bool:
        return True

    def close(self, lock: LockFile) -> None:
        # The operating system does this after the end of a process, so it is not a step of the process.
        name = self._names[lock.descriptor]
        if self._memory.disk.held.get(name) == lock.descriptor:
            del self._memory.disk.held[name]
            self._memory.wake()

    def content(self, lock: LockFile) -> bytes:
        return self._memory.disk.locks[self._names[lock.descriptor]]

    def write(self, lock: LockFile, content: bytes) -> None:
        name = self._names[lock.descriptor]
        self._memory.step(f"nonce {name[:6]}")
        self._memory.disk.locks[name] = content
        self._memory.disk.written_at[name] = self._memory.now
        self._memory.disk.written_by[name] = self._memory.node.index

    def names(self, limit: int) -> list[str]:
        self._memory.step("read nonces")
        return sorted(self._memory.disk.locks) if limit else []

    def peek(self, name: str) -> bytes | None:
        self._memory.step("read nonces")
        return self._memory.disk.locks.get(name)


def connect(disk: Disk, schedule: Schedule | None, node: Node) -> FileBackend:
    """Return the record of one node. A mark contains all locks, or only those whose names are known before."""
    directory = MemoryDirectory(disk, schedule, node)

    def sleep(_seconds: float) -> None:
        directory.step("wait", waits=True)

    return FileBackend(directory, MemoryLocks(directory), sleep, lambda: 0.0, disk.max_marked)
