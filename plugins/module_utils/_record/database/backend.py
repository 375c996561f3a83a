# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The record in a PostgreSQL database that any number of control nodes share.

The locks are advisory locks of the database session, so they end with the process that holds them. All revisions come
from one counter that each write updates in its own transaction. A mark is the value of that counter.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import typing as t

from ..._common.clock import Clock, read_steady_clock
from ..._common.errors import RecordChangedError, RecordError, RecordLockedError
from ..._common.redaction import printable, truncate
from ..._common.spellings import SecretFinder
from ..backend import Mark, Phase, StorageCheck, Stored, Write
from ..encryption import is_name
from . import statements as sql
from .rows import Chain, Revisions, Row
from .session import DatabaseSession, RefusedStatementError, run_name
from .url import database_warnings

LOCK_POLL_SECONDS = 0.2
# A session that was silent for longer may have ended without notice. This is shorter than the time after which the
# server ends the session of a vanished host, so no lock ends within it.
PROVEN_SECONDS = 5.0
MISSING = 0
NO_TABLE = "42P01"
MAX_HOLDER_LENGTH = 100


class PostgresqlBackend:
    """The record in one database, through one session.

    Args:
        url: The database.
        secrets: The password is added to it.
        clock: Measures the time since the last proof that the session exists, including the time of a suspended
            machine.
        sleep: Waits between two attempts to lock.
    """

    def __init__(
        self,
        url: str,
        secrets: SecretFinder | None = None,
        clock: Clock = read_steady_clock,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._session = DatabaseSession(url, sql.INSPECT, secrets)
        self._clock = clock
        self._sleep = sleep
        self._writer = run_name()
        self._guard = threading.RLock()
        self._held: dict[str, Row] = {}
        self._chains: dict[str, Chain] = {}
        self._proven_at = 0.0
        self._has_table = False
        self._has_entries = False

    is_remote = True

    @property
    def place(self) -> str:
        """The database without user name and password."""
        return self._session.place

    def label(self, name: str) -> str:
        """Return where an entry is stored, for messages."""
        return f"{name} in {self.place}"

    def mask_with(self, finder: SecretFinder) -> None:
        """Add the passwords to a finder, which masks all errors from now on."""
        self._session.mask_with(finder)

    def is_usable(self) -> bool:
        """Return whether another run can use the session. A session that was silent for long is checked first."""
        try:
            self.verify_held()
        except RecordError:
            return False
        return True

    def close(self) -> None:
        """End the session, and with it its locks."""
        self._session.close()

    # Reading

    def mark(self, names: t.Collection[str] = ()) -> Mark:
        """Return a mark of the present time: the value of the counter, which applies to all names."""
        rows = self._query(sql.MARK)
        return Mark(Revisions(self._session, rows[0][0] if rows else MISSING))

    def stale(self, mark: Mark, names: t.Collection[str]) -> t.Collection[str]:
        """Return the names that another run may have written since the mark, or left open."""
        if not names:
            return ()
        moment = t.cast(Revisions, mark)
        if not isinstance(moment, Revisions) or moment.session is not self._session or self._session.is_lost:
            return set(names)
        with self._guard:
            held = {name: self._held[name] for name in names if name in self._held}
            others = [name for name in names if name not in held]
            rows = {name: (revision, is_open) for name, revision, is_open in self._revisions(others)}
            rows.update({name: (t.cast(int, row.stored.revision), row.open) for name, row in held.items()})
            return {name for name, row in rows.items() if self._is_stale(name, *row, moment)}

    def _revisions(self, names: t.Sequence[str]) -> list[tuple[str, int, bool]]:
        return t.cast("list[t.Tuple[str, int, bool]]", self._query(sql.REVISIONS, list(names))) if names else []

    def _is_stale(self, name: str, revision: int, is_open: bool, moment: Revisions) -> bool:
        chain = self._chains.get(name)
        if chain is not None and chain.last == revision:
            return chain.base > moment.revision
        return is_open or revision > moment.revision

    def read(self, names: t.Collection[str]) -> dict[str, Stored]:
        """Return the strings of some entries, in one query. Those under a lock are already known."""
        with self._guard:
            self._session.require()
            unknown = [name for name in names if name not in self._held]
            found = {row[0]: Stored(row[1], row[2]) for row in self._query(sql.READ, unknown)} if unknown else {}
            missing = Stored(None, MISSING)
            return {name: self._held[name].stored if name in self._held else found.get(name, missing) for name in names}

    def names(self) -> list[str]:
        """Return the names of all entries, sorted."""
        return [name for (name,) in self._query(sql.NAMES) if is_name(name)]

    def is_empty(self) -> bool:
        """Return whether there is no entry at all. After one was found, the database is not queried again."""
        if not self._has_entries:
            self._has_entries = bool(self._query(sql.ANY))
        return not self._has_entries

    def damaged(self) -> list[str]:
        """Return the names under which strings that could not be decrypted were kept, sorted."""
        return [name for (name,) in self._query(sql.NAMES) if not is_name(name)]

    def _query(self, statement: str, *parameters: t.Any) -> list[tuple[t.Any, ...]]:
        """Return the rows of a query that takes no lock; none if the table does not exist."""
        try:
            return self._run(statement, *parameters)[0]
        except RefusedStatementError as exc:
            if exc.code != NO_TABLE:
                raise
            return []

    def _run(self, statements: str, *parameters: t.Any) -> list[list[tuple[t.Any, ...]]]:
        began = self._clock()
        results = self._session.run(statements, parameters)
        self._proven_at = max(self._proven_at, began)
        return results

    # Locking

    @contextlib.contextmanager
    def lock(self, names: t.Sequence[str], seconds: float) -> t.Iterator[None]:
        """Hold entries for one run, in the order given, all or none. One round trip locks and reads them."""
        keys = [sql.lock_key(name) for name in names]
        self._create_table()
        rows = self._lock(names, keys, time.monotonic() + seconds, seconds)
        found = {name: (Stored(value, revision), is_open) for name, value, revision, is_open in rows}
        with self._guard:
            for name in names:
                stored, is_open = found.get(name, (Stored(None, MISSING), False))
                self._held[name] = Row(stored, is_open, is_open)
        dies = False
        try:
            yield
        except Exception:
            raise
        except BaseException:
            dies = True
            raise
        finally:
            self._release(names, keys, dies)

    def _lock(
        self, names: t.Sequence[str], keys: t.Sequence[int], give_up: float, seconds: float
    ) -> list[tuple[t.Any, ...]]:
        used = 0
        try:
            while True:
                # The second statement sees each commit from before the lock was taken; a single statement would not.
                tries, rows = self._run(sql.TRY_LOCKS + sql.READ, list(keys[used:]), list(names))
                free = [granted for (granted,) in tries]
                first = free.index(False) if False in free else len(free)
                beyond = [key for key, granted in zip(keys[used + first :], free[first:]) if granted]
                used += first
                if used == len(keys):
                    return rows
                # A run that waits while it holds later locks could wait for a run that waits for those locks.
                self._unlock(beyond)
                if time.monotonic() >= give_up:
                    raise self._locked_error(keys[used], seconds)
                self._sleep(LOCK_POLL_SECONDS)
        except BaseException as exc:
            # If the server had no room for one of the locks, only the server knows which locks it has given.
            given = keys if isinstance(exc, RefusedStatementError) else keys[:used]
            with contextlib.suppress(RecordError):
                self._unlock(given)
            raise

    def _unlock(self, keys: t.Sequence[int]) -> None:
        if keys:
            self._run(sql.UNLOCK, list(keys))

    def _locked_error(self, key: int, seconds: float) -> RecordLockedError:
        rows = self._query(sql.HOLDER, key)
        return RecordLockedError(
            f"another run has been working on this device for over {seconds:g} s{_holder(*rows[0]) if rows else ''}",
            "wait for it to end, then run the playbook again",
        )

    def _release(self, names: t.Sequence[str], keys: t.Sequence[int], dies: bool) -> None:
        # A failure here has been reported before where it matters: without the session, the locks are gone, and open
        # names stay open.
        with contextlib.suppress(RecordError):
            # An entry that a dead run left open stays so until a run has written: its outcome is unknown until then.
            still_open = [name for name in names if self._held[name].open and self._held[name].written]
            if still_open and not dies:
                self._put([Write(name, self._held[name].stored.text, self._held[name].stored) for name in still_open])
        with self._guard:
            for name in names:
                del self._held[name]
        with contextlib.suppress(RecordError):
            self._unlock(keys)

    def left_open(self, names: t.Collection[str]) -> t.Collection[str]:
        """Return those of some held names that were open when they were locked."""
        with self._guard:
            return {name for name in names if self._held[name].left_open}

    def verify_held(self) -> None:
        """Check that the locks are held, if the last proof is too old.

        Each statement proves that the session exists, and its locks end only with the session.
        """
        self._session.require()
        if self._clock() - self._proven_at <= PROVEN_SECONDS:
            return
        with self._guard:
            keys = {sql.lock_key(name) for name in self._held}
            ((proof,),) = self._run(sql.OWN_LOCKS, list(keys))
            if proof != (self._session.pid, len(keys)):
                raise self._lost_locks()

    def reopen(self) -> PostgresqlBackend | None:
        """Return a backend with a new session if this one, or a lock of it, is lost."""
        self._proven_at = 0.0
        if self.is_usable():
            return None
        fresh = PostgresqlBackend(self._url, clock=self._clock, sleep=self._sleep)
        fresh.mask_with(self._session.finder)
        return fresh

    def _lost_locks(self) -> RecordError:
        return RecordError(
            f"the locks in the record's database at {self.place} are no longer held",
            "name the PostgreSQL server itself in record_url, without a pooler, and run the playbook again",
        )

    # Writing

    def put(self, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        """Write strings in one statement, all or none, and return them with their new revisions."""
        loose = [write.name for write in writes if write.name not in self._held]
        if loose:
            with self.lock(sorted(loose, key=_rank), 0.0):
                return self.put(writes, phase)
        aside = [
            Write(f"{write.name}.damaged-{write.planned.revision}", write.planned.text, Stored(None, MISSING))
            for write in writes
            if write.keep_damaged and write.planned.text is not None
        ]
        return self._put(writes, phase is Phase.BEGIN, aside)

    def _put(
        self, writes: t.Sequence[Write], is_open: bool = False, aside: t.Sequence[Write] = ()
    ) -> dict[str, Stored]:
        rows = [*writes, *aside]
        keys = {sql.lock_key(write.name) for write in writes}
        with self._guard:
            written = self._run(
                sql.PUT,
                [write.name for write in rows],
                [write.text for write in rows],
                [write.planned.revision for write in rows],
                [is_open and write not in aside for write in rows],
                self._session.pid,
                list(keys),
                len(keys),
                self._writer,
            )[0]
            if len(written) != len(rows):
                raise self._missed(writes)
            revision = int(written[0][0])
            return {write.name: self._note(write, revision, is_open) for write in writes}

    def _note(self, write: Write, revision: int, is_open: bool) -> Stored:
        row = self._held[write.name]
        planned = t.cast(int, write.planned.revision)
        chain = self._chains.get(write.name)
        # If the previous run has died, a mark from before this write proves nothing.
        base = chain.base if chain is not None and chain.last == planned else revision if row.left_open else planned
        self._chains[write.name] = Chain(base, revision)
        row.stored, row.open, row.written = Stored(write.text, revision), is_open, True
        return row.stored

    def _missed(self, writes: t.Sequence[Write]) -> RecordError:
        names = [write.name for write in writes]
        revisions = {name: revision for name, revision, _open in self._revisions(names)}
        changed = [write.name for write in writes if revisions.get(write.name, MISSING) != write.planned.revision]
        if not changed:
            return self._lost_locks()
        return RecordChangedError(
            f"the record {self.label(changed[0])} was written by another run in the meantime",
            "run the playbook again",
        )

    # The place

    def _create_table(self) -> None:
        with self._guard:
            if self._has_table:
                return
            self._session.open()
            exists, may_create, _may_write, user = self._session.facts
            if not exists and not may_create:
                raise self._no_table(user)
            if not exists:
                self._run(sql.LOCK_CREATION + sql.CREATE)
            self._has_table = True

    def _no_table(self, user: str) -> RecordError:
        return RecordError(
            f"the record's database at {self.place} has no table {sql.TABLE}, and the user {printable(user)} may not "
            "create one",
            f"have its administrator run '{sql.CREATE} {sql.GRANT} {printable(user)};', then run the playbook again",
        )

    def check_writable(self) -> None:
        """Check without any change whether entries can be written."""
        self._session.open()
        exists, may_create, may_write, user = self._session.facts
        if not exists and not may_create:
            raise self._no_table(user)
        if exists and not may_write:
            raise RecordError(
                f"the record's database at {self.place} does not permit the user {printable(user)} to write",
                f"have its administrator run '{sql.GRANT} {printable(user)};'",
            )

    def warnings(self) -> list[str]:
        """Return a warning for a connection that another machine on the network path could read and change."""
        return database_warnings(self._url, os.environ)

    def health(self) -> StorageCheck:
        """Return the facts on the database, without any change."""
        self._session.open()
        exists, may_create, may_write, _user = self._session.facts
        writable = bool(may_write if exists else may_create)
        because = "It is in a database, which exists for as long as its administrator keeps and backs it up."
        return StorageCheck(self.place, bool(exists), writable, None, True, because)


def _rank(name: str) -> tuple[bool, str]:
    """Return the position of a name in the order of locking: creation entries before records."""
    return name.startswith("device-"), name


def _holder(name: str | None, host: str | None, seconds: int | None) -> str:
    """Return a description of the run that holds a lock, as far as the database shows it to this user."""
    facts = [
        printable(name or "") and f'"{truncate(printable(name or ""), MAX_HOLDER_LENGTH)}"',
        f"from {truncate(printable(host), MAX_HOLDER_LENGTH)}" if host else "",
        f"connected for {seconds} s" if seconds is not None else "",
    ]
    shown = ", ".join(fact for fact in facts if fact)
    return f" ({shown})" if shown else ""
