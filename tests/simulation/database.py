# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record in a real PostgreSQL database: each query of a node is a step, as in the model of its rows."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database import statements as sql
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend

from ..postgresql import OWNER, Server
from .scheduler import Crash, Node, Schedule

_LABELS = {sql.MARK: "query mark", sql.READ: "query read", sql.REVISIONS: "query read", sql.NAMES: "query read"}
# The time between two reads of the clock, large enough that locks are verified before each request.
SILENT_SECONDS = 10.0

if t.TYPE_CHECKING:
    import psycopg

Rows = list[tuple[t.Any, ...]]


@dataclass
class Database:
    """A database that all nodes share.

    Attributes:
        url: Its URL.
        administrator: A connection to it.
        rows: The rows at the start of a schedule; None to use the rows in the database.
        opened: The backends of the last schedule.
        observers: The backends that checks read with, outside of the steps of a schedule.
    """

    url: str
    administrator: psycopg.Connection[tuple[t.Any, ...]]
    rows: Rows | None = None
    opened: list[PostgresqlBackend] = field(default_factory=list)
    observers: list[PostgresqlBackend] = field(default_factory=list)

    def copy(self) -> Database:
        """Restore the rows of the start of a schedule. No session and no lock remains."""
        for backend in self.opened:
            backend.close()
        self.opened.clear()
        self.wait_for_the_end(*(f"AND pid <> {backend._session.pid}" for backend in self.observers))
        if self.rows is None:
            self.rows = self._read()
        else:
            self._write(self.rows)
        return Database(self.url, self.administrator, opened=self.opened, observers=self.observers)

    def _read(self) -> Rows:
        if self.execute(f"SELECT to_regclass('{sql.TABLE}')") == [(None,)]:
            return []
        return self.execute(f"SELECT * FROM {sql.TABLE}")

    def _write(self, rows: Rows) -> None:
        with self.administrator.transaction():
            self.administrator.execute(f"DELETE FROM {sql.TABLE}".encode())
            insert = f"INSERT INTO {sql.TABLE} VALUES (%s, %s, %s, %s, %s)".encode()
            for row in rows:
                self.administrator.execute(insert, row)

    def execute(self, statement: str) -> Rows:
        """Run a query as the administrator, and return its rows."""
        return self.administrator.execute(statement.encode()).fetchall()

    def wait_for_the_end(self, *also: str) -> None:
        """Wait until the server has ended all sessions, or those that match conditions; this releases their locks."""
        others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        while self.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others} {' '.join(also)}") != [(0,)]:
            pass


@contextlib.contextmanager
def create_database(server: Server) -> t.Iterator[Database]:
    """Create an empty database."""
    name = server.create_database().rpartition("/")[2]
    # The socket needs no password, which saves time: each schedule opens several sessions.
    url = f"postgresql://{OWNER}@/{name}?host={server.folder}&port={server.port}"
    with server.connect(name) as administrator:
        database = Database(url, administrator)
        yield database
        for backend in (*database.opened, *database.observers):
            backend.close()


class SteppedBackend(PostgresqlBackend):
    """The record as one node accesses it."""

    def __init__(self, database: Database, schedule: Schedule, node: Node) -> None:
        super().__init__(database.url, clock=self._read_clock, sleep=self._wait)
        self._readings = 0
        self._database = database
        self._schedule = schedule
        self._node = node
        database.opened.append(self)

    def _read_clock(self) -> float:
        self._readings += 1
        return SILENT_SECONDS * self._readings

    def _wait(self, _seconds: float) -> None:
        self._step("wait", waits=True)

    def _step(self, label: str, waits: bool = False) -> None:
        try:
            if self._schedule.step(self._node, label, waits) == "cut":
                self._disconnect()
        except Crash:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        """End the session; when this returns, another run can take its locks."""
        pid = self._session.pid
        connection = self._session._connection
        if connection is not None and not connection.closed:
            # The connection ends as a network failure ends it: the session detects this with its next statement.
            self._database.execute(f"SELECT pg_terminate_backend({pid})")
            self._database.wait_for_the_end(f"AND pid = {pid}")
        self._schedule.wake()

    def _run(self, statements: str, *parameters: t.Any) -> list[Rows]:
        if statements.startswith(sql.TRY_LOCKS):
            self._step(f"lock {parameters[1][0][:6]}")
        elif statements == sql.PUT:
            self._step(f"write {parameters[0][0][:6]}")
        else:
            self._step(_LABELS.get(statements, "query verify"))
        return super()._run(statements, *parameters)

    def _unlock(self, keys: t.Sequence[int]) -> None:
        super()._unlock(keys)
        self._schedule.wake()

    def reopen(self) -> PostgresqlBackend | None:
        """Return another session if this one is lost."""
        self._proven_at = 0.0
        return None if self.is_usable() else SteppedBackend(self._database, self._schedule, self._node)


def connect_database(database: Database, schedule: Schedule | None, node: Node) -> PostgresqlBackend:
    """Return the record of one node; without a schedule, one that only reads."""
    if schedule is not None:
        return SteppedBackend(database, schedule, node)
    if not database.observers:
        database.observers.append(PostgresqlBackend(database.url))
    return database.observers[0]
