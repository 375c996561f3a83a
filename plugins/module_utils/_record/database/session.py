# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""One database session with PostgreSQL. The only file that imports psycopg.

A session is never opened again silently. Its locks end with it, and nothing that was read under these locks is valid
any more. After the session is lost, each further operation fails.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
import traceback
import typing as t
import weakref

from ..._common.errors import MissingLibraryError, OptionError, RecordError
from ..._common.redaction import printable, truncate
from ..._common.spellings import SecretFinder
from .failures import ADDRESS, describe_failure
from .limits import SessionLimits, SessionWatch
from .url import OPTION, check_database_url, database_secrets, show_database

LIBRARY = "psycopg"
CONNECT_SECONDS = 10
# A request takes at most a second; a statement that waits for longer waits for a server with a problem.
STATEMENT_SECONDS, LOCK_WAIT_SECONDS = 30, 15
# A host that has vanished loses its locks after IDLE + COUNT * INTERVAL seconds. This is longer than the time within
# which a request is still sent, so no lock ends in between.
KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 10, 5, 3
DEAD_AFTER_MS = (KEEPALIVE_IDLE + KEEPALIVE_COUNT * KEEPALIVE_INTERVAL) * 1000
# PostgreSQL truncates longer names.
MAX_NAME_LENGTH = 63
MAX_TEXT_LENGTH = 300

_SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{LOCK_WAIT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{STATEMENT_SECONDS}s",
    "tcp_keepalives_idle": str(KEEPALIVE_IDLE),
    "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL),
    "tcp_keepalives_count": str(KEEPALIVE_COUNT),
    "tcp_user_timeout": str(DEAD_AFTER_MS),
}
# A user may configure more durability than "on", but not less.
_STRICTER = "remote_apply"
_OPEN = (
    "SELECT pg_backend_pid(), pg_is_in_recovery() OR current_setting('transaction_read_only')::bool, "
    + ", ".join(
        f"set_config('{name}', CASE current_setting('{name}') WHEN '{_STRICTER}' THEN '{_STRICTER}' ELSE '{value}' END, false)"
        for name, value in _SETTINGS.items()
    )
    + "; "
)

Row = t.Tuple[t.Any, ...]


class LostSessionError(RecordError):
    """The database session has ended, and its locks with it, so nothing that was read under them is valid any more."""


class RefusedStatementError(RecordError):
    """The database refused a statement.

    Attributes:
        code: The SQLSTATE.
    """

    def __init__(self, problem: str, advice: str, code: str) -> None:
        super().__init__(problem, advice)
        self.code = code


def run_name() -> str:
    """Return the name under which the database lists a session of this process: user, host and process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    name = f"fonnte.whatsapp {user}@{socket.gethostname()} {os.getpid()}"
    return printable(name).encode("ascii", "replace").decode()[:MAX_NAME_LENGTH]


class DatabaseSession:
    """A session with one database, shared by the threads of a run.

    Args:
        url: The database, as ``check_database_url`` accepts it.
        inspection: A query of one row, for ``facts``.
        secrets: The passwords are added to it.
        environment: The environment variables of libpq.
        limits: The limits of each response, enforced here and not by the server.

    Attributes:
        place: The database, for messages.
        pid: The server process of the session, according to the protocol; 0 before it is open.
        finder: Masks errors, and knows the passwords.
        facts: The row of the inspection; empty before the session is open.
    """

    def __init__(
        self,
        url: str,
        inspection: str,
        secrets: SecretFinder | None = None,
        environment: t.Mapping[str, str] | None = None,
        limits: SessionLimits | None = None,
    ) -> None:
        check_database_url(url)
        self._watch = SessionWatch(SessionLimits() if limits is None else limits)
        self._url = url
        self._inspection = inspection
        self._environment = os.environ if environment is None else environment
        self._secrets = database_secrets(url, self._environment)
        self.finder = SecretFinder()
        self.mask_with(SecretFinder() if secrets is None else secrets)
        self.place = show_database(url)
        self.pid = 0
        self.facts: Row = ()
        self._connection: t.Any = None
        self._lost = ""
        self._unopened: tuple[str, str] | None = None
        self._guard = threading.RLock()

    def open(self) -> None:
        """Open the session if it is not open; RecordError if the database cannot be used."""
        with self._guard:
            self._opened()

    def mask_with(self, finder: SecretFinder) -> None:
        """Add the passwords to a finder, which masks all errors from now on."""
        self.finder = finder
        finder.add(self._secrets)

    def run(self, statements: str, parameters: t.Sequence[t.Any] = ()) -> list[list[Row]]:
        """Run statements in one round trip and one transaction, and return the rows of each.

        Each statement sees everything that was committed before it began, even if it is not the first one of the
        transaction.

        Raises:
            LostSessionError: The session has ended, now or before.
            RefusedStatementError: The database refused a statement. No statement has an effect, except for locks.
            RecordError: The database cannot be used.
        """
        with self._guard:
            connection = self._opened()
            psycopg = _library()
            try:
                return self._results(connection, statements, parameters)
            except psycopg.Error as exc:
                raise self._fault(exc, connection) from None

    def _fault(self, exc: t.Any, connection: t.Any) -> RecordError:
        code = exc.sqlstate or ""
        text = self._text(exc)
        if connection.closed or connection.broken:
            self._lost = self._watch.reason or text
            return self._lost_error()
        problem, advice = _refusal(code, text, self.place)
        return RefusedStatementError(problem, advice, code)

    def _results(self, connection: t.Any, statements: str, parameters: t.Sequence[t.Any] = ()) -> list[list[Row]]:
        with self._watch.limited(connection.fileno()):
            return _results(_library().ClientCursor(connection), statements, parameters)

    def _text(self, exc: BaseException) -> str:
        return truncate(printable(self.finder.mask(str(exc)), " ").replace("?", " ").strip(), MAX_TEXT_LENGTH)

    def _lost_error(self) -> LostSessionError:
        return LostSessionError(
            f"the session with the record's database at {self.place} was lost ({self._lost}), and its locks with it",
            "run the playbook again; each value that was being sent is recorded as in doubt",
        )

    @property
    def is_lost(self) -> bool:
        """Whether the session is known to have ended."""
        return bool(self._lost)

    def require(self) -> None:
        """Raise LostSessionError if the session is known to have ended."""
        if self._lost:
            raise self._lost_error()

    def close(self) -> None:
        """End the session, and with it its locks."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._lost = self._lost or "it was closed"

    # Opening

    def _opened(self) -> t.Any:
        self.require()
        if self._unopened is not None:
            # A fleet must not wait for an unavailable server once for each device.
            raise RecordError(*self._unopened)
        if self._connection is None:
            try:
                self._connection = self._checked(self._connect())
            except RecordError as exc:
                self._unopened = exc.problem, exc.advice
                raise
        return self._connection

    def _checked(self, connection: t.Any) -> t.Any:
        try:
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        weakref.finalize(self, _end, connection, os.getpid())
        return connection

    def _connect(self) -> t.Any:
        psycopg = _library()
        try:
            connection = psycopg.connect(self._url, autocommit=True, **self._parameters(psycopg))
        except (psycopg.ProgrammingError, UnicodeError):
            # UnicodeError: the name of the host has an empty part, or one that is too long. The text of the other error
            # quotes the part that cannot be parsed, which may be a part of the password.
            raise OptionError(
                OPTION,
                "PostgreSQL's library cannot read it",
                "write postgresql://USER:PASSWORD@HOST/DATABASE, and percent-encode special characters",
            ) from None
        except psycopg.Error as exc:
            raise self._unreachable(*describe_failure(str(exc), exc.sqlstate or "")) from None
        # The password may come from a password file.
        self._secrets.update(filter(None, [connection.info.password]))
        self.mask_with(self.finder)
        return connection

    def _parameters(self, psycopg: t.Any) -> dict[str, t.Any]:
        """Return the parameters of a connection that neither the URL nor the environment sets."""
        given = psycopg.conninfo.conninfo_to_dict(self._url)
        parameters = {
            "connect_timeout": (CONNECT_SECONDS, "PGCONNECT_TIMEOUT"),
            "application_name": (run_name(), "PGAPPNAME"),
            "keepalives_idle": (KEEPALIVE_IDLE, ""),
            "keepalives_interval": (KEEPALIVE_INTERVAL, ""),
            "keepalives_count": (KEEPALIVE_COUNT, ""),
            "tcp_user_timeout": (DEAD_AFTER_MS, ""),
        }
        missing = {
            name: value
            for name, (value, variable) in parameters.items()
            if name not in given and not self._environment.get(variable)
        }
        return {**missing, "client_encoding": "UTF8"}

    def _unreachable(self, text: str, advice: str) -> RecordError:
        return RecordError(f"the record's database at {self.place} cannot be reached ({text})", advice)

    def _check(self, connection: t.Any) -> None:
        """Configure the session, and refuse a server that cannot hold locks or rows for it."""
        psycopg = _library()
        try:
            (row,), (facts,) = self._results(connection, _OPEN + self._inspection)
        except psycopg.Error as exc:
            raise self._unreachable(self._watch.reason or self._text(exc), ADDRESS) from None
        pid, read_only = row[:2]
        if pid != connection.info.backend_pid:
            raise RecordError(
                f"the record's database at {self.place} is behind a pooler such as PgBouncer: a lock would belong to "
                "the pooler's session, which other runs share",
                "name the PostgreSQL server itself in record_url",
            )
        if read_only:
            raise RecordError(
                f"the record's database at {self.place} can only be read: it is a replica, or read-only for this user",
                "name the primary server in record_url, or add target_session_attrs=read-write to it",
            )
        self.pid, self.facts = int(pid), facts


def _end(connection: t.Any, process: int) -> None:
    """Close a connection that is not used any more, unless it belongs to the parent process."""
    if process == os.getpid():
        connection.close()


def _library() -> t.Any:
    """Return psycopg. It is imported here because a record in files does not need it."""
    try:
        import psycopg
    except ImportError:
        raise MissingLibraryError(LIBRARY, traceback.format_exc()) from None
    return psycopg


def _results(cursor: t.Any, statements: str, parameters: t.Sequence[t.Any]) -> list[list[Row]]:
    with cursor:
        cursor.execute(statements, parameters or None)
        results = []
        while True:
            results.append(cursor.fetchall() if cursor.description else [])
            if not cursor.nextset():
                return results


def _refusal(code: str, text: str, place: str) -> tuple[str, str]:
    """Return the problem and the advice for a statement that the database refused."""
    where = f"the record's database at {place}"
    if code == "53100":
        return f"{where} cannot be written: its disk is full ({text})", "free disk space on the database server"
    if code == "53200":
        return (
            f"{where} has no room for more locks ({text})",
            "raise max_locks_per_transaction on the database server",
        )
    if code in ("57014", "55P03"):
        return (
            f"{where} did not answer within {STATEMENT_SECONDS} s ({text})",
            "find the cause of the load on the database server, then run the playbook again",
        )
    if code == "25006":
        return f"{where} can only be read ({text})", "name the primary server in record_url"
    if code == "42501":
        return (
            f"{where} does not permit this ({text})",
            "grant SELECT, INSERT and UPDATE on the table fonnte_record to the user of record_url",
        )
    return (
        f"{where} refused a statement ({text}, SQLSTATE {code})",
        "check the table fonnte_record and the server's log",
    )
