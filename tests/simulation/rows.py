# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of a database that stores the record: rows with revisions, and locks that end with a session.

Each query of a node is a step. At each query the session can be cut; then another run can take its locks.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    RecordChangedError,
    RecordError,
    RecordLockedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import (
    Mark,
    Phase,
    StorageCheck,
    Stored,
    Write,
)

from .scheduler import Node, Schedule


@dataclass
class Row:
    """A row: its string, the revision of its last write, and whether a request of its writer may be in progress."""

    text: bytes | None = None
    revision: int = 0
    is_open: bool = False


@dataclass
class Table:
    """The rows by name, the last revision, and the session that holds each lock."""

    rows: dict[str, Row] = field(default_factory=dict)
    revision: int = 0
    held: dict[str, object] = field(default_factory=dict)

    def copy(self) -> Table:
        """Return a table with the same rows; no lock is held."""
        rows = {name: Row(row.text, row.revision, row.is_open) for name, row in self.rows.items()}
        return Table(rows, self.revision)


class RowBackend:
    """The record as one node accesses it."""

    place = "database.example.com/fonnte"
    is_remote = True

    def __init__(self, table: Table, schedule: Schedule | None, node: Node) -> None:
        self.table = table
        self.session = object()
        self.is_cut = False
        self._schedule = schedule
        self._node = node
        # The rows as they were when they were locked.
        self._found: dict[str, Row] = {}

    def label(self, name: str) -> str:
        return f"{self.place}: {name}"

    def _query(self, label: str, waits: bool = False) -> None:
        if self._schedule is not None and self._schedule.step(self._node, label, waits) == "cut":
            self.is_cut = True
            self._leave()
        if self.is_cut:
            raise RecordError("the session with the database has ended", "run the playbook again")

    def _leave(self) -> None:
        self.table.held = {name: owner for name, owner in self.table.held.items() if owner is not self.session}
        if self._schedule is not None:
            self._schedule.wake()

    def _row(self, name: str) -> Row:
        return self.table.rows.get(name, Row())

    def mark(self, names: t.Collection[str] = ()) -> Mark:
        self._query("query mark")
        return Mark((self.session, self.table.revision))

    def stale(self, mark: Mark, names: t.Collection[str]) -> t.Collection[str]:
        session, revision = t.cast(tuple[object, int], mark)
        rows = {name: self._found.get(name) or self._row(name) for name in names}
        return [
            name for name, row in rows.items() if session is not self.session or row.revision > revision or row.is_open
        ]

    def read(self, names: t.Collection[str]) -> dict[str, Stored]:
        self._query("query read")
        return {name: Stored(self._row(name).text, self._row(name).revision) for name in names}

    def names(self) -> list[str]:
        self._query("query read")
        return sorted(name for name, row in self.table.rows.items() if row.text is not None)

    def is_empty(self) -> bool:
        return not self.names()

    def damaged(self) -> list[str]:
        return []

    @contextlib.contextmanager
    def lock(self, names: t.Sequence[str], seconds: float) -> t.Iterator[None]:
        is_dying = False
        self._query(f"lock {names[0][:6]}")
        while any(name in self.table.held for name in names):
            if not seconds:
                raise RecordLockedError("another run works on this device", "wait for it to end")
            self._query("wait", waits=True)
            self._query(f"lock {names[0][:6]}")
        for name in names:
            row = self._row(name)
            self.table.held[name] = self.session
            self._found[name] = Row(row.text, row.revision, row.is_open)
        try:
            yield
        except Exception:
            raise
        except BaseException:
            is_dying = True
            raise
        finally:
            mine = [name for name in names if self.table.held.get(name) is self.session]
            for name in mine:
                if not is_dying and self._row(name).is_open and self._row(name).revision != self._found[name].revision:
                    self._row(name).is_open = False
                del self.table.held[name]
            for name in names:
                self._found.pop(name, None)
            if self._schedule is not None:
                self._schedule.wake()

    def left_open(self, names: t.Collection[str]) -> t.Collection[str]:
        return [name for name in names if name in self._found and self._found[name].is_open]

    def verify_held(self) -> None:
        self._query("query verify")

    def reopen(self) -> RowBackend | None:
        try:
            self._query("query verify")
        except RecordError:
            return RowBackend(self.table, self._schedule, self._node)
        return None

    def put(self, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        free = sorted({write.name for write in writes if write.name not in self._found})
        with self.lock(free, 0.0) if free else contextlib.nullcontext():
            self._query(f"write {writes[0].name[:6]}")
            for write in writes:
                self.check_write(write)
            self.table.revision += 1
            for write in writes:
                self.table.rows[write.name] = Row(write.text, self.table.revision, phase is Phase.BEGIN)
            return {write.name: Stored(write.text, self.table.revision) for write in writes}

    def check_write(self, write: Write) -> None:
        """Compare the revision of a row with the one that the plan was created from, under a lock that is held."""
        if self.table.held.get(write.name) is not self.session:
            raise RecordError("the lock was lost", "run the playbook again")
        if self._row(write.name).revision != write.planned.revision:
            raise RecordChangedError("it was written by another run", "run the playbook again")

    def check_writable(self) -> None:
        """Do nothing: the model can always be written."""

    def warnings(self) -> list[str]:
        return []

    def health(self) -> StorageCheck:
        return StorageCheck(self.place, True, True, None, True, "It is a model.")


def connect_rows(table: Table, schedule: Schedule | None, node: Node) -> RowBackend:
    """Return the record of one node."""
    return RowBackend(table, schedule, node)
