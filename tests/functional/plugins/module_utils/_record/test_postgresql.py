# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record in PostgreSQL: its locks, the order of its revisions, and each fault of a database with its message."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import sys
import threading
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    OptionError,
    RecordChangedError,
    RecordError,
    RecordLockedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import SecretFinder
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Phase, Stored, Write
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database import session as postgresql_session
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.statements import CREATE, lock_key
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.url import (
    check_database_url,
    database_secrets,
    database_warnings,
    show_database,
)
from ansible_collections.fonnte.whatsapp.tests.postgresql import (
    GUEST,
    OWNER,
    PASSWORD,
    QUOTED_PASSWORD,
    Server,
    start_encrypted_or_skip,
    start_replica,
    start_server,
)
from ansible_collections.fonnte.whatsapp.tests.postgresql_proxy import Proxy
from ansible_collections.fonnte.whatsapp.tests.sandbox.tls import make as make_certificate

ENTRY, DEVICE = f"number-{'a1' * 16}", f"device-{'f2' * 16}"
BOTH = (ENTRY, DEVICE)
TREE = Path(__file__).parents[8]


def database(url: str) -> str:
    return url.rpartition("/")[2]


def error_of(work: t.Callable[[], object]) -> str:
    with pytest.raises(RecordError) as caught:
        work()
    return str(caught.value)


def write(backend: PostgresqlBackend, text: bytes = b"text", phase: Phase = Phase.EDIT) -> dict[str, Stored]:
    before = backend.read([DEVICE])
    return backend.put([Write(DEVICE, text, before[DEVICE])], phase)


# The URL


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/database",
        "host/database",
        "postgresql://user:pass word@host/database",
        "postgresql://user:p@ss@host/database",
        "postgresql://user:pa/ss@host/database",
        "postgresql://user:pa?ss@host/database",
        "postgresql://user:pa#ss@host/database",
        "postgresql://user:pa\nss@host/database",
    ],
)
def test_url_that_the_library_would_parse_differently_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_database_url(url)
    shown = str(caught.value)
    assert "record_url" in shown and not any(part in shown for part in ("user:", "host/", "ss@", "p@", "pa/"))


@pytest.mark.parametrize(
    "rest",
    [
        "%zzet@host/database",
        # Python cannot convert these names of hosts.
        "et@db..example.com/database",
        f"et@{'long' * 20}.example.com/database",
    ],
)
def test_invalid_url_is_not_quoted(rest: str) -> None:
    with pytest.raises(OptionError) as caught:
        PostgresqlBackend(f"postgresql://user:secr{rest}").mark()
    assert "secr" not in str(caught.value) and "%zz" not in str(caught.value)


def test_all_passwords_of_a_url_are_secrets() -> None:
    url = "postgresql://user:p%40ss@h1:1,h2:2/d?sslpassword=key%2Fpass&password=other&connect_timeout=3"
    assert database_secrets(url, {"PGPASSWORD": "of-the-environment"}) >= {
        "p%40ss",
        "p@ss",
        "key/pass",
        "other",
        "of-the-environment",
        url,
    }
    assert show_database(url) == "postgresql://h1:1,h2:2/d"
    assert show_database("postgresql://user:x@[::1]:5432") == "postgresql://[::1]:5432"


# Opening


def test_session_sets_the_parameters_of_its_locks_and_writes(record_url: str, postgresql_server: Server) -> None:
    backend = PostgresqlBackend(record_url)
    backend.mark()
    wanted = {
        "synchronous_commit": "on",
        "statement_timeout": "30s",
        "lock_timeout": "15s",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "25000",
    }
    for name, value in wanted.items():
        assert backend._session.run(f"SHOW {name}") == [[(value,)]]
    ((name,),) = postgresql_server.execute(
        f"SELECT application_name FROM pg_stat_activity WHERE pid = {backend._session.pid}"
    )
    assert name.startswith("fonnte.whatsapp ") and name.endswith(f" {os.getpid()}")


def test_stricter_durability_of_the_user_is_kept(record_url: str, postgresql_server: Server) -> None:
    for given, used in (("remote_apply", "remote_apply"), ("off", "on")):
        backend = PostgresqlBackend(f"{record_url}?options=-csynchronous_commit%3D{given}")
        backend.mark()
        assert backend._session.run("SHOW synchronous_commit") == [[(used,)]]


def test_unavailable_database_is_reported(record_url: str, postgresql_server: Server) -> None:
    url = postgresql_server.url(database(record_url), port=1)
    text = error_of(lambda: PostgresqlBackend(url).mark())
    assert f"the record's database at postgresql://127.0.0.1:1/{database(record_url)} cannot be reached" in text
    assert "check host and port in record_url" in text and "Connection refused" in text


@pytest.mark.parametrize("role, quoted", [(OWNER, "wr%40ng-passw0rd"), ("nobody", QUOTED_PASSWORD)])
def test_wrong_password_or_user_is_reported(record_url: str, role: str, quoted: str) -> None:
    url = record_url.replace(OWNER, role).replace(QUOTED_PASSWORD, quoted)
    text = error_of(lambda: PostgresqlBackend(url).mark())
    assert "password authentication failed" in text and "check user name, password, database and certificates" in text
    assert "wr@ng" not in text and quoted not in text and PASSWORD not in text


def test_missing_database_is_reported(record_url: str) -> None:
    text = error_of(lambda: PostgresqlBackend(record_url + "-x").mark())
    assert "(database does not exist" in text and "check user name, password, database and certificates" in text


def test_password_is_read_from_the_environment_or_a_file(
    record_url: str, postgresql_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = f"postgresql:///{database(record_url)}"
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(postgresql_server.port))
    monkeypatch.setenv("PGUSER", OWNER)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    finder = SecretFinder()
    PostgresqlBackend(bare, finder).mark()
    assert finder.mask(f"<{PASSWORD}>") == "<********>"
    monkeypatch.delenv("PGPASSWORD")
    passwords = tmp_path / "pgpass"
    passwords.touch(mode=0o600)
    passwords.write_text(f"*:*:*:{OWNER}:{PASSWORD}\n")
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    finder = SecretFinder()
    PostgresqlBackend(bare, finder).mark()
    assert finder.mask(f"<{PASSWORD}>") == "<********>"


def test_replica_is_refused(record_url: str, postgresql_server: Server) -> None:
    with start_replica(postgresql_server) as replica:
        text = error_of(lambda: PostgresqlBackend(replica.url(database(record_url))).mark())
    assert "can only be read: it is a replica" in text and "name the primary server" in text


def test_certificate_of_the_server_is_verified(tmp_path: Path) -> None:
    with start_encrypted_or_skip() as server:
        url = server.create_database()
        PostgresqlBackend(f"{url}?sslmode=verify-full&sslrootcert={server.ca}").mark()
        make_certificate("valid", "127.0.0.1", tmp_path)
        wrong = f"{url}?sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}"
        text = error_of(lambda: PostgresqlBackend(wrong).mark())
        assert "certificate verify failed" in text and PASSWORD not in text


def test_pooler_is_refused(record_url: str, postgresql_server: Server) -> None:
    """PgBouncer sends its own process number: a lock would belong to its session, which others share."""
    with Proxy(postgresql_server.port) as plain, Proxy(postgresql_server.port, pools=True) as pooler:
        PostgresqlBackend(postgresql_server.url(database(record_url), port=plain.port)).mark()
        text = error_of(lambda: PostgresqlBackend(postgresql_server.url(database(record_url), port=pooler.port)).mark())
    assert "behind a pooler such as PgBouncer" in text and "name the PostgreSQL server itself" in text


def test_password_is_masked_in_every_spelling_of_an_error(record_url: str) -> None:
    session = PostgresqlBackend(record_url)._session
    spellings = [PASSWORD, QUOTED_PASSWORD, quote(PASSWORD), base64.b64encode(PASSWORD.encode()).decode()]
    text = session._text(RuntimeError(f"conninfo {' '.join(spellings)} {record_url}"))
    assert not any(spelling in text for spelling in spellings) and "conninfo" in text


# The table


def test_reads_and_check_mode_create_no_table(record_url: str, postgresql_server: Server) -> None:
    backend = PostgresqlBackend(record_url)
    mark = backend.mark()
    assert backend.read(BOTH) == dict.fromkeys(BOTH, Stored(None, 0))
    assert not backend.stale(mark, BOTH) and backend.names() == backend.damaged() == []
    backend.check_writable()
    assert backend.health().exists is False and backend.health().writable is True
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert postgresql_server.execute(tables, database(record_url)) == [(0,)]
    with backend.lock([DEVICE], 0):
        write(backend)
    assert postgresql_server.execute(tables, database(record_url)) == [(1,)]
    # A write after the mark is known to be later, although the table did not exist at the time of the mark.
    assert PostgresqlBackend(record_url).names() == [DEVICE]


def test_error_without_create_permission_contains_the_statements(record_url: str, postgresql_server: Server) -> None:
    where = database(record_url)
    # Before PostgreSQL 15, everyone may create tables in the schema public.
    postgresql_server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", where)
    url = postgresql_server.url(where, GUEST)
    with pytest.raises(RecordError) as caught, PostgresqlBackend(url).lock([DEVICE], 0):
        pass
    advice = caught.value.advice
    assert error_of(PostgresqlBackend(url).check_writable) == str(caught.value)
    statements = advice.partition("'")[2].rpartition("'")[0]
    assert CREATE in statements
    postgresql_server.execute(statements, where)
    backend = PostgresqlBackend(url)
    backend.check_writable()
    with backend.lock([DEVICE], 0):
        write(backend)
    postgresql_server.execute(f"REVOKE UPDATE ON fonnte_record FROM {GUEST}", where)
    assert "does not permit the user fonnte_guest to write" in error_of(PostgresqlBackend(url).check_writable)
    with backend.lock([DEVICE], 0):
        assert "grant SELECT, INSERT and UPDATE on the table" in error_of(lambda: write(backend))


def test_two_runs_may_create_the_table_at_once(record_url: str) -> None:
    faults: list[BaseException] = []

    def work() -> None:
        try:
            with PostgresqlBackend(record_url).lock([DEVICE], 10):
                pass
        except BaseException as exc:
            faults.append(exc)

    threads = [threading.Thread(target=work) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


# Locks


def test_error_for_a_held_device_names_the_other_run(record_url: str) -> None:
    with PostgresqlBackend(record_url).lock(BOTH, 0):
        with pytest.raises(RecordLockedError) as caught, PostgresqlBackend(record_url).lock([DEVICE], 0.3):
            pass
    text = str(caught.value)
    assert f'"{postgresql_session.run_name()}", from 127.0.0.1, connected for ' in text and "0.3 s" in text


def test_name_of_another_run_is_shown_without_control_characters(record_url: str) -> None:
    other = PostgresqlBackend(f"{record_url}?application_name=%1b%5b31mred")
    with other.lock([DEVICE], 0), pytest.raises(RecordLockedError) as caught:
        with PostgresqlBackend(record_url).lock([DEVICE], 0):
            pass
    assert "\x1b" not in str(caught.value) and "31mred" in str(caught.value)


def test_names_with_the_same_key_exclude_other_runs_and_one_run_may_hold_both(record_url: str) -> None:
    twin = DEVICE[:-16] + "0" * 16
    assert lock_key(twin) == lock_key(DEVICE) and twin != DEVICE
    backend = PostgresqlBackend(record_url)
    with backend.lock([DEVICE, twin], 0):
        stored = backend.read([DEVICE, twin])
        backend.put([Write(name, b"text", stored[name]) for name in (DEVICE, twin)], Phase.EDIT)
        with pytest.raises(RecordLockedError), PostgresqlBackend(record_url).lock([twin], 0):
            pass
    with PostgresqlBackend(record_url).lock([twin], 0):
        pass


def test_waiting_run_holds_no_later_lock(record_url: str) -> None:
    """Two runs that each hold a lock of the other would wait indefinitely."""
    names = [f"device-{number:032x}" for number in range(1 << 64, (1 << 64) * 9, 1 << 64)]
    first, third = PostgresqlBackend(record_url), PostgresqlBackend(record_url)
    free: list[str] = []

    def sleep(_seconds: float) -> None:
        for name in names:
            with contextlib.suppress(RecordLockedError), third.lock([name], 0):
                free.append(name)
        raise InterruptedError

    waiting = PostgresqlBackend(record_url, sleep=sleep)
    with first.lock([names[3]], 0):
        with pytest.raises(InterruptedError), waiting.lock(names, 60):
            pass
        # It waits for the fourth, and releases all locks when it ends.
        assert free == names[4:]
        with third.lock(names[:3], 0):
            pass


def test_each_kind_of_write_requires_the_lock(record_url: str) -> None:
    backend = PostgresqlBackend(record_url)
    with backend.lock([DEVICE], 0):
        # A pooler does this between two clients.
        backend._session.run("DISCARD ALL")
        for phase in Phase:
            text = error_of(lambda phase=phase: write(backend, phase=phase))
            assert "the locks in the record's database" in text and "are no longer held" in text
    assert PostgresqlBackend(record_url).names() == []


def test_locks_are_verified_if_the_last_check_is_too_old(record_url: str, postgresql_server: Server) -> None:
    moment = [1000.0]
    backend = PostgresqlBackend(record_url, clock=lambda: moment[0])
    with backend.lock([DEVICE], 0):
        write(backend, phase=Phase.BEGIN)
        postgresql_server.execute(f"SELECT pg_terminate_backend({backend._session.pid})")
        # The remaining window: the server was reached less than five seconds ago.
        moment[0] += 5.0
        backend.verify_held()
        moment[0] += 0.1
        assert "was lost" in error_of(backend.verify_held)
    backend = PostgresqlBackend(record_url, clock=lambda: moment[0])
    with backend.lock([DEVICE], 0):
        moment[0] += 6.0
        backend.verify_held()
        backend._session.run("DISCARD ALL")
        moment[0] += 6.0
        assert "are no longer held" in error_of(backend.verify_held)


HOLDER = """
import sys, time
sys.path[:0] = sys.argv[1].split(":")
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Phase, Write
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend
backend = PostgresqlBackend(sys.argv[2])
names = sys.argv[3].split(",")
with backend.lock(names, 10):
    print("held", flush=True)
    while True:
        stored = backend.read(names)
        backend.put([Write(name, b"text", stored[name]) for name in names], Phase.BEGIN)
"""


@pytest.mark.long
def test_killed_process_holds_nothing(record_url: str) -> None:
    for _turn in range(20):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, ":".join(sys.path), record_url, ",".join(BOTH)], stdout=subprocess.PIPE
        )
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
        backend = PostgresqlBackend(record_url)
        with backend.lock(BOTH, 10):
            stored = backend.read(BOTH)
            left = backend.left_open(BOTH)
            # Both or none, since they are one statement.
            assert stored[ENTRY] == stored[DEVICE] and set(left) in (set(), set(BOTH))
        backend.close()


# Sessions


def test_lost_session_is_not_reopened(record_url: str, postgresql_server: Server) -> None:
    with Proxy(postgresql_server.port) as proxy:
        backend = PostgresqlBackend(postgresql_server.url(database(record_url), port=proxy.port))
        mark = backend.mark()
        with backend.lock(BOTH, 0):
            write(backend, phase=Phase.BEGIN)
            proxy.cut()
            for work in (
                lambda: write(backend),
                lambda: backend.put([Write(DEVICE, b"x", Stored(b"text", 1))], Phase.CONFIRM),
                lambda: backend.read(BOTH),
                backend.mark,
                backend.names,
                backend.verify_held,
                lambda: backend.lock([DEVICE], 0).__enter__(),
            ):
                text = error_of(work)
                assert "the session with the record's database" in text and "was lost" in text
            assert set(backend.stale(mark, BOTH)) == set(BOTH)
        # A new session finds the pending entry of the lost one, and its lock released.
        other = PostgresqlBackend(record_url)
        with other.lock(BOTH, 10):
            assert other.left_open(BOTH) == {DEVICE} and other.read(BOTH)[DEVICE].text == b"text"


def test_mark_of_another_session_is_invalid(record_url: str) -> None:
    first, second = PostgresqlBackend(record_url), PostgresqlBackend(record_url)
    assert set(first.stale(second.mark(), BOTH)) == set(BOTH)


# Writing


def test_write_is_compared_with_the_string_of_the_plan(record_url: str) -> None:
    backend, other = PostgresqlBackend(record_url), PostgresqlBackend(record_url)
    planned = backend.read(BOTH)
    with other.lock(BOTH, 0):
        write(other, b"theirs")
    with backend.lock(BOTH, 0):
        with pytest.raises(RecordChangedError) as caught:
            backend.put([Write(name, b"ours", planned[name]) for name in BOTH], Phase.BEGIN)
        assert DEVICE in str(caught.value)
        stored = backend.read(BOTH)
    assert (stored[ENTRY].text, stored[DEVICE].text) == (None, b"theirs")


def test_revisions_become_visible_in_order(record_url: str, postgresql_server: Server) -> None:
    """With a sequence, a later revision can be visible before an earlier one, and a mark would miss the earlier one."""
    where, other = database(record_url), f"device-{'0e' * 16}"
    backends = {name: PostgresqlBackend(record_url) for name in (DEVICE, other)}
    holds = contextlib.ExitStack()
    for name, backend in backends.items():
        holds.enter_context(backend.lock([name], 0))
    # The first write has its revision, and waits before its commit.
    postgresql_server.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$",
        where,
    )
    postgresql_server.execute(
        f"CREATE TRIGGER wait BEFORE INSERT ON fonnte_record FOR EACH ROW WHEN (NEW.name = '{DEVICE}') "
        "EXECUTE FUNCTION wait()",
        where,
    )

    def work(name: str) -> None:
        backends[name].put([Write(name, b"text", Stored(None, 0))], Phase.EDIT)

    def wait_for(count: int, second: threading.Thread | None = None) -> None:
        waiting = f"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '{where}'"
        while postgresql_server.execute(waiting) != [(count,)] and (second is None or second.is_alive()):
            pass

    threads = {name: threading.Thread(target=work, args=(name,)) for name in backends}
    reader = PostgresqlBackend(record_url)
    with holds, postgresql_server.connect(where) as admin:
        admin.execute("SELECT pg_advisory_lock(42)")
        threads[DEVICE].start()
        wait_for(1)
        threads[other].start()
        wait_for(2, threads[other])
        mark = reader.mark()
        assert reader.read([DEVICE])[DEVICE].text is None
        admin.execute("SELECT pg_advisory_unlock(42)")
        for thread in threads.values():
            thread.join()
        assert set(reader.stale(mark, [DEVICE, other])) == {DEVICE, other}


def test_full_disk_is_reported(record_url: str, postgresql_server: Server) -> None:
    backend = PostgresqlBackend(record_url)
    with backend.lock([DEVICE], 0):
        _raise_on_write(postgresql_server, database(record_url), "53100")
        text = error_of(lambda: write(backend))
        assert "its disk is full" in text and "free disk space on the database server" in text
        assert backend.read([DEVICE])[DEVICE].text is None
    assert PostgresqlBackend(record_url).names() == []


def test_read_only_primary_is_reported(record_url: str, postgresql_server: Server) -> None:
    backend = PostgresqlBackend(record_url)
    with backend.lock([DEVICE], 0):
        backend._session.run("SET default_transaction_read_only = on")
        assert "can only be read" in error_of(lambda: write(backend))


def test_other_failures_of_the_server_are_reported(record_url: str, postgresql_server: Server) -> None:
    backend = PostgresqlBackend(record_url)
    with backend.lock([DEVICE], 0):
        backend._session.run("SET statement_timeout = 200")
        with postgresql_server.connect(database(record_url)) as admin, admin.transaction():
            admin.execute("LOCK TABLE fonnte_record")
            assert "did not answer within 30 s" in error_of(lambda: backend._query("SELECT * FROM fonnte_record"))
        _raise_on_write(postgresql_server, database(record_url), "23514")
        assert "refused a statement" in error_of(lambda: write(backend))


def _raise_on_write(server: Server, where: str, code: str) -> None:
    """Have the server report an error to each writer, as it does if its disk is full."""
    server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{code}'; END $$",
        where,
    )
    server.execute(
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON fonnte_record FOR EACH ROW EXECUTE FUNCTION refuse()", where
    )


def test_more_locks_than_the_server_supports_is_reported(postgresql_server: Server) -> None:
    with start_server(postgresql_server.installation, max_locks_per_transaction="10", max_connections="10") as small:
        backend = PostgresqlBackend(small.create_database())
        names = [f"device-{number:032x}" for number in range(1 << 64, (1 << 64) * 20001, 1 << 64)]
        with pytest.raises(RecordError) as caught, backend.lock(names, 0):
            pass
        assert "raise max_locks_per_transaction on the database server" in str(caught.value)
        # The locks that were acquired before are released.
        with PostgresqlBackend(small.url("record1")).lock(names[:10], 0):
            pass


def test_open_name_is_closed_by_a_failed_run_and_not_by_a_killed_one(record_url: str) -> None:
    for failure, left in ((ValueError(), set()), (KeyboardInterrupt(), {DEVICE})):
        backend = PostgresqlBackend(record_url)
        with pytest.raises(type(failure)), backend.lock(BOTH, 0):
            write(backend, phase=Phase.BEGIN)
            raise failure
        backend.close()
        other = PostgresqlBackend(record_url)
        with other.lock(BOTH, 10):
            assert other.left_open(BOTH) == left


def test_batch_is_one_round_trip_and_a_changed_device_needs_four(record_url: str, postgresql_server: Server) -> None:
    with Proxy(postgresql_server.port) as proxy:
        backend = PostgresqlBackend(postgresql_server.url(database(record_url), port=proxy.port))
        with backend.lock([DEVICE], 0):
            pass
        before = proxy.trips
        backend.read([f"device-{number:032x}" for number in range(1000)])
        assert proxy.trips - before == 1
        before = proxy.trips
        with backend.lock(BOTH, 0):
            stored = backend.read(BOTH)
            stored = backend.put([Write(name, b"begun", stored[name]) for name in BOTH], Phase.BEGIN)
            backend.verify_held()
            backend.put([Write(name, b"done", stored[name]) for name in BOTH], Phase.CONFIRM)
        assert proxy.trips - before == 4


@pytest.mark.parametrize(
    "url, environment, warns",
    [
        ("postgresql://u:p@db.example.com/d", {}, True),
        ("postgresql://u:p@db.example.com/d?sslmode=prefer", {"PGSSLMODE": "require"}, True),
        ("postgresql://u:p@db.example.com/d", {"PGSSLMODE": "verify-full"}, False),
        ("postgresql://u:p@db.example.com/d?sslmode=verify-full", {}, False),
        ("postgresql://u:p@localhost,db.example.com/d", {}, True),
        ("postgresql://u:p@[2001:db8::1]:5432/d", {}, True),
        ("postgresql:///d?host=db.example.com", {}, True),
        ("postgresql:///d", {"PGHOST": "db.example.com"}, True),
        ("postgresql:///d", {}, False),
        ("postgresql://u:p@[::1]:5432/d", {}, False),
        ("postgresql://u:p@127.0.0.1:5432/d", {}, False),
        ("postgresql://u:p@%2Frun%2Fpostgresql/d", {}, False),
    ],
)
def test_remote_connection_must_be_encrypted(url: str, environment: dict[str, str], warns: bool) -> None:
    warnings = database_warnings(url, environment)
    assert bool(warnings) == warns and all("sslmode=verify-full" in text and "u:p" not in text for text in warnings)


def test_place_shows_no_password(record_url: str) -> None:
    backend = PostgresqlBackend(record_url)
    assert backend.place == backend.health().place and PASSWORD not in backend.place and OWNER not in backend.place
