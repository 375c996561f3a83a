# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault of a record in a database, with its message: nothing is written without a report.

An old dump has no message: with stamps, the result of the next run reports it.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine as _engine
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.session import run_name
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.postgresql import (
    PASSWORD,
    QUOTED_PASSWORD,
    Server,
    start_replica,
)
from ansible_collections.fonnte.whatsapp.tests.postgresql_proxy import Proxy
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

pytestmark = pytest.mark.long

NUMBER, SECOND = "081200001001", "081200001002"
HOOK = "https://h.example.com/a"


@dataclass(frozen=True)
class Place:
    """The environment of a fault.

    Attributes:
        url: The database without the fault.
        controller: The run with the fault.
        patch: Ends with the fault.
    """

    server: Server
    url: str
    controller: Controller
    patch: pytest.MonkeyPatch

    @property
    def name(self) -> str:
        """The name of the database."""
        return self.url.rpartition("/")[2]

    def use(self, url: str) -> None:
        """Have the run use another URL."""
        self.controller.common["record_url"] = url


Trouble = t.Callable[[Place], t.ContextManager[None]]


@contextlib.contextmanager
def _unavailable(place: Place) -> t.Iterator[None]:
    place.use(place.server.url(place.name, port=1))
    yield


@contextlib.contextmanager
def _wrong_password(place: Place) -> t.Iterator[None]:
    place.use(place.url.replace(QUOTED_PASSWORD, "wr%40ng-s3cr3t"))
    yield


@contextlib.contextmanager
def _replica(place: Place) -> t.Iterator[None]:
    with start_replica(place.server) as replica:
        place.use(replica.url(place.name))
        yield


@contextlib.contextmanager
def _pooler(place: Place) -> t.Iterator[None]:
    with Proxy(place.server.port, pools=True) as pooler:
        place.use(place.server.url(place.name, port=pooler.port))
        yield


@contextlib.contextmanager
def _lock_held(place: Place) -> t.Iterator[None]:
    place.patch.setattr(_engine, "LOCK_SECONDS", 0.3)
    other, sandbox = PostgresqlBackend(place.url), place.controller.sandbox
    creation = RecordStore("", sandbox.url, other).number(sandbox.account_token, SECOND).name
    with other.lock([creation, *other.names()], 0):
        yield


def _disk_is_full(when: str) -> Trouble:
    @contextlib.contextmanager
    def full(place: Place) -> t.Iterator[None]:
        """Have the server report a full disk to each writer of such a row."""
        refuse = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END"
        trigger = "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON fonnte_record FOR EACH ROW"
        place.server.execute(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {refuse} $$", place.name)
        place.server.execute(f"{trigger} WHEN ({when}) EXECUTE FUNCTION refuse()", place.name)
        yield
        place.server.execute("DROP FUNCTION refuse CASCADE", place.name)

    return full


@contextlib.contextmanager
def _cut_before_the_request(place: Place) -> t.Iterator[None]:
    real = PostgresqlBackend.verify_held

    def verify(backend: PostgresqlBackend) -> None:
        place.server.execute(f"SELECT pg_terminate_backend({backend._session.pid})")
        # As after a request that waited.
        backend._proven_at = 0.0
        real(backend)

    place.patch.setattr(PostgresqlBackend, "verify_held", verify)
    yield


@contextlib.contextmanager
def _cut_after_the_request(place: Place) -> t.Iterator[None]:
    with Proxy(place.server.port) as proxy:
        place.use(place.server.url(place.name, port=proxy.port))
        for method in ("add_device", "update_device"):
            real = getattr(FonnteClient, method)

            def send_and_cut(api: FonnteClient, *arguments: t.Any, real: t.Any = real, **more: t.Any) -> t.Any:
                response = real(api, *arguments, **more)
                proxy.cut()
                return response

            place.patch.setattr(FonnteClient, method, send_and_cut)
        yield


@dataclass(frozen=True)
class Row:
    """A row of the list.

    Attributes:
        words: The words that the message contains: the problem, and the action.
        sends: Whether a request is sent, since the fault begins after it.
    """

    trouble: Trouble
    words: tuple[str, ...]
    sends: bool = False


ROWS: dict[str, Row] = {
    "the database is unavailable": Row(
        _unavailable, ("the record's database at postgresql://127.0.0.1:1/", "cannot be reached", "check host and port")
    ),
    "wrong password": Row(
        _wrong_password, ("password authentication failed", "check user name, password, database and certificates")
    ),
    "a replica": Row(_replica, ("can only be read: it is a replica", "name the primary server in record_url")),
    "PgBouncer in transaction mode": Row(
        _pooler, ("behind a pooler such as PgBouncer", "name the PostgreSQL server itself in record_url")
    ),
    "the lock is held": Row(
        _lock_held, ("another run has been working on this device", f'"{run_name()}"', "wait for it to end")
    ),
    "the disk is full": Row(_disk_is_full("true"), ("its disk is full", "free disk space on the database server")),
    "the disk is full after the request": Row(
        _disk_is_full("NOT NEW.open AND NEW.name <> 'revision'"),
        ("succeeded, but it could not be recorded", "its disk is full"),
        sends=True,
    ),
    "the session is cut before the request": Row(
        _cut_before_the_request, ("the session with the record's database at", "was lost", "run the playbook again")
    ),
    "the session is cut after the request": Row(
        _cut_after_the_request,
        ("it could not be recorded", "the session with the record's database at", "was lost"),
        True,
    ),
}
RUNS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "an update": ("device", {"device": NUMBER, "quick": False, "handle_unknown": "ignore"}),
    "a creation": ("device", {"device": SECOND, "name": "Dua", "quick": False}),
    "a fleet": (
        "fleet",
        {"devices": [{"device": NUMBER, "name": "Toko", "quick": False}], "handle_unknown": "ignore"},
    ),
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", ROWS)
def test_nothing_is_written_without_a_report(
    name: str, run: str, sandbox: Sandbox, tmp_path: Path, record_url: str, postgresql_server: Server
) -> None:
    row, (module, options) = ROWS[name], RUNS[run]
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    healthy = Controller(sandbox, tmp_path / "healthy", record_url)
    healthy.device(NUMBER, name="Toko", quick=True, webhook=HOOK)
    rows = "SELECT name, value FROM fonnte_record WHERE name <> 'revision' ORDER BY name"
    before = postgresql_server.execute(rows, record_url.rpartition("/")[2])
    sandbox.clear_journal()
    with pytest.MonkeyPatch.context() as patch:
        place = Place(postgresql_server, record_url, Controller(sandbox, tmp_path / "ill", record_url), patch)
        with row.trouble(place):
            text, reported = outcome(place.controller, module, options)
    assert all(word in text for word in row.words), text
    assert PASSWORD not in text and QUOTED_PASSWORD not in text
    applied = [entry["path"] for entry in sandbox.writes() if entry["applied"]]
    assert bool(applied) == row.sends
    operations = {"/add-device": "create", "/update-device": "update"}
    assert {operations[path] for path in applied} <= reported, (applied, reported)
    if not row.sends:
        after = postgresql_server.execute(rows, record_url.rpartition("/")[2])
        assert after == before or name.startswith("the session is cut"), "the record was changed"
    complete(healthy, sandbox, module, options)


def outcome(controller: Controller, module: str, options: dict[str, t.Any]) -> tuple[str, set[str]]:
    """Return the message of a run with its warnings, and the operations that it reports."""
    try:
        report = controller.run(module, **options)
    except FonnteError as exc:
        progress = dict(exc.partial_result)
        return f"{exc} {exc.warnings} {progress}", operations_of(progress)
    return f"{report.result} {report.warnings}", operations_of(report.result)


def operations_of(result: t.Mapping[str, t.Any]) -> set[str]:
    """Return the operations of a result, or of the devices in it."""
    found = set(result.get("operations", ()))
    return found.union(*(device["operations"] for device in result.get("devices", ())))


def complete(controller: Controller, sandbox: Sandbox, module: str, options: dict[str, t.Any]) -> None:
    """Check that the next run without the fault completes the work, and that one more run changes nothing."""
    predicted = controller.run(module, True, **options).result
    done = controller.run(module, **options).result
    assert predicted["changed"] == done["changed"]
    assert not controller.run(module, **options).result["changed"]
    for declared in options.get("devices", [options]):
        assert sandbox.device(declared["device"])["settings"]["quick"] is False
    assert sandbox.device(NUMBER)["settings"]["webhook"] == HOOK
    creations = [entry["number"] for entry in sandbox.journal() if entry["path"] == "/add-device" and entry["applied"]]
    assert len(creations) == len(set(creations))


def test_restored_old_dump_is_reported(
    sandbox: Sandbox, tmp_path: Path, record_url: str, postgresql_server: Server
) -> None:
    """With stamps, the next run sends the values again, and its result has the reason."""
    where = record_url.rpartition("/")[2]
    controller = Controller(sandbox, tmp_path, record_url)
    stamped = {"name": "Toko", "handle_write_only": "stamped", "handle_unknown": "ignore"}
    controller.device(NUMBER, **stamped, quick=True)
    postgresql_server.execute("CREATE TABLE dump AS TABLE fonnte_record", where)
    controller.device(NUMBER, **stamped, quick=False)
    postgresql_server.execute("DELETE FROM fonnte_record", where)
    postgresql_server.execute("INSERT INTO fonnte_record SELECT * FROM dump", where)
    sandbox.clear_journal()
    done = controller.device(NUMBER, **stamped, quick=True)
    assert done.result["operations"] == ["update"] and done.result["reasons"] == {"quick": "unproven"}
    assert [entry["path"] for entry in sandbox.writes()] == ["/update-device"]
    assert sandbox.device(NUMBER)["settings"]["quick"] is True
    assert not controller.device(NUMBER, **stamped, quick=True).result["changed"]
