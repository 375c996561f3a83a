# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One record in a database for several control nodes: each module that uses the record, and lost sessions."""

from __future__ import annotations

import collections
import json
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    RecordError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import check_record_place
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.session import DatabaseSession
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.postgresql import PASSWORD, QUOTED_PASSWORD, Server
from ansible_collections.fonnte.whatsapp.tests.postgresql_proxy import Proxy
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

NUMBER, SECOND = "081200001001", "081200001002"
HOOK, OTHER_HOOK = "https://h.example.com/a", "https://h.example.com/b"


def database(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.fixture
def nodes(sandbox: Sandbox, tmp_path: Path, record_url: str) -> list[Controller]:
    """Return three control nodes that share only the database."""
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    return [Controller(sandbox, tmp_path / str(number), record_url) for number in range(3)]


def fleet(count: int, **settings: object) -> dict[str, t.Any]:
    devices = [{"device": f"0812{index:08}", "name": f"Toko {index}", **settings} for index in range(count)]
    return {"devices": devices, "handle_unknown": "ignore"}


# Modules that use the record


def test_control_nodes_share_evidence(nodes: list[Controller]) -> None:
    first, second, third = nodes
    assert first.device(NUMBER, name="Toko", quick=True, webhook=HOOK).result["operations"] == ["create", "update"]
    for node in nodes:
        assert not node.device(NUMBER, name="Toko", quick=True, webhook=HOOK).result["changed"]
    predicted = second.device(NUMBER, check=True, quick=False, handle_unknown="ignore").result
    done = second.device(NUMBER, quick=False, handle_unknown="ignore").result
    assert predicted["changed_fields"] == done["changed_fields"] == ["quick"] and list(done["carried"]) == ["webhook"]
    assert third.device(NUMBER, check=True, quick=True, handle_unknown="ignore").result["reasons"] == {
        "quick": "differs"
    }
    assert not third.device(NUMBER, webhook=HOOK).result["changed"]
    assert not first.records.exists()


def test_check_mode_writes_nothing(nodes: list[Controller], postgresql_server: Server, record_url: str) -> None:
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    nodes[0].device(NUMBER, check=True, name="Toko", quick=True)
    nodes[0].run("fleet", check=True, **fleet(3, quick=True))
    assert postgresql_server.execute(tables, database(record_url)) == [(0,)]
    nodes[0].device(NUMBER, name="Toko", quick=True)
    rows = "SELECT name, revision, open FROM fonnte_record ORDER BY name"
    before = postgresql_server.execute(rows, database(record_url))
    nodes[1].device(NUMBER, check=True, quick=False, handle_unknown="ignore")
    nodes[1].run("fleet", check=True, **fleet(3, quick=True))
    assert postgresql_server.execute(rows, database(record_url)) == before


def test_fleet_of_one_node_is_unchanged_for_another(nodes: list[Controller]) -> None:
    assert nodes[0].run("fleet", **fleet(12, quick=True)).result["summary"]["created"] == 12
    assert not nodes[1].run("fleet", **fleet(12, quick=True)).result["changed"]
    changed = nodes[2].run("fleet", **fleet(12, quick=False)).result["summary"]
    assert changed["updated"] == 12 and changed["failed"] == 0
    assert not nodes[0].run("fleet", **fleet(12, quick=False)).result["changed"]


def test_backup_moves_a_record_in_both_directions(nodes: list[Controller], sandbox: Sandbox, tmp_path: Path) -> None:
    files = Controller(sandbox, tmp_path / "files")
    path = str(tmp_path / "backup.json")
    files.device(NUMBER, name="Toko", quick=True, webhook=HOOK)
    files.device(SECOND, name="Toko Dua", quick=True)
    assert files.run("record", operation="backup", path=path).result["files"] == 4
    # From files to the database.
    assert nodes[0].run("record", check=True, operation="restore", path=path).result["changed"]
    assert len(nodes[0].run("record", operation="restore", path=path).result["changed_files"]) == 4
    assert not nodes[1].run("record", operation="restore", path=path).result["changed"]
    assert not nodes[1].device(NUMBER, name="Toko", quick=True, webhook=HOOK).result["changed"]
    # From the database to files.
    nodes[2].device(NUMBER, webhook=OTHER_HOOK, handle_unknown="ignore")
    assert nodes[2].run("record", operation="backup", path=path).result["changed"]
    back = Controller(sandbox, tmp_path / "back")
    assert len(back.run("record", operation="restore", path=path).result["changed_files"]) == 4
    assert not back.device(NUMBER, name="Toko", quick=True, webhook=OTHER_HOOK).result["changed"]
    # A newer entry is kept unless the user requests that of the backup.
    nodes[0].device(SECOND, quick=False, handle_unknown="ignore")
    kept = nodes[1].run("record", operation="restore", path=path).result
    assert len(kept["kept"]) == 1 and not kept["changed"]
    assert nodes[1].run("record", operation="restore", path=path, overwrite=True).result["changed"]


def test_record_info_forget_and_migrate(nodes: list[Controller], sandbox: Sandbox) -> None:
    first, second, third = nodes
    sandbox.reset()
    first.device(NUMBER, name="Toko", quick=True)
    info = second.run("record_info").result
    assert info["folder"].startswith("postgresql://127.0.0.1:") and info["writable"] and info["mode"] is None
    assert [device["number"] for device in info["devices"]] == [NUMBER] and info["devices"][0]["settings"]["quick"]
    assert second.run("record", operation="forget", devices=[NUMBER]).result["changed_devices"] == [NUMBER]
    assert third.device(NUMBER, check=True, quick=True).result["reasons"] == {"quick": "no_record"}
    third.device(NUMBER, name="Toko", quick=True, handle_unknown="ignore")
    sandbox.purge(NUMBER)
    assert first.run("record_info").result["orphans"]["count"] == 2
    assert first.run("record", operation="forget", orphans=True).result["changed"]
    assert second.run("record_info").result["orphans"]["count"] == 0
    first.device(NUMBER, name="Toko", quick=True)
    old = sandbox.account_token
    sandbox.reset(accounts=[{"token": "another-account-token", "devices": sandbox.state()["accounts"][0]["devices"]}])
    for node in nodes:
        node.common["account_token"] = "another-account-token"
    assert first.run("record", operation="migrate", old_account_token=old).result["changed"]
    assert not second.run("record", operation="migrate", old_account_token=old).result["changed"]


def test_attest_audit_doctor_and_lists(nodes: list[Controller], tmp_path: Path) -> None:
    first, second, third = nodes
    first.device(NUMBER, name="Toko", quick=True)
    attested = second.device(NUMBER, webhook=HOOK, handle_write_only="attest").result
    assert attested["operations"] == ["attest"]
    assert not third.device(NUMBER, webhook=HOOK, quick=True).result["changed"]
    listed = third.run("device_info", recorded=True).result["devices"]
    assert HOOK not in json.dumps(listed) and "h.example.com" in json.dumps(listed)
    audit = third.run("audit", devices=[{"device": NUMBER, "name": "Toko", "quick": False}]).result
    assert "differs" in json.dumps(audit) or audit["findings"]
    found = second.run("doctor", device=NUMBER)
    assert "postgresql://" in json.dumps(found.result)


def test_two_places_in_one_task_are_an_error(nodes: list[Controller], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="record_path is given as well"):
        nodes[0].device(NUMBER, name="Toko", record_path=str(tmp_path / "elsewhere"))
    with pytest.raises(OptionError, match="it is empty"):
        nodes[0].device(NUMBER, name="Toko", record_url="")
    assert nodes[0].sandbox.journal() == []
    # The variable of the environment has priority, and the user is informed.
    complete = nodes[0].complete("device", device=NUMBER, name="Toko")
    given = {"device": NUMBER, "record_path": str(tmp_path / "elsewhere")}
    assert "is not used" in check_record_place(complete, given)[0]
    assert check_record_place(complete, {"device": NUMBER}) == []


def test_old_dump_is_like_an_old_backup(nodes: list[Controller], record_url: str, postgresql_server: Server) -> None:
    """Stamps detect it; without them, the record is wrong about settings that were applied since."""
    first, second, third = nodes
    stamped = {"device": NUMBER, "name": "Toko", "handle_write_only": "stamped", "handle_unknown": "ignore"}
    first.run("device", **stamped, quick=True)
    postgresql_server.execute("CREATE TABLE dump AS TABLE fonnte_record", database(record_url))
    second.run("device", **stamped, quick=False)
    postgresql_server.execute("DELETE FROM fonnte_record", database(record_url))
    postgresql_server.execute("INSERT INTO fonnte_record SELECT * FROM dump", database(record_url))
    assert third.run("device", check=True, **stamped, quick=True).result["changed_fields"] == ["quick"]
    recorded = {**stamped, "handle_write_only": "recorded"}
    assert not third.run("device", check=True, **recorded, quick=True).result["changed"]


def test_round_trips(nodes: list[Controller], monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet reads in one batch; a changed device needs four: lock and read, begin, confirm, release."""
    count = [0]
    real = DatabaseSession.run

    def run(session: DatabaseSession, statements: str, parameters: t.Sequence[t.Any] = ()) -> t.Any:
        count[0] += 1
        return real(session, statements, parameters)

    monkeypatch.setattr(DatabaseSession, "run", run)

    def trips(size: int, **settings: object) -> int:
        before = count[0]
        nodes[0].run("fleet", **fleet(size, **settings))
        return count[0] - before

    trips(12, quick=True)
    # Whether a record exists, a mark, and all entries.
    assert trips(12, quick=True) == trips(2, quick=True) == 3
    # One query whether any of them was written since.
    assert trips(6, quick=False) == 4 + 4 * 6 and trips(12, personal=True) == 4 + 4 * 12


# Faults


@pytest.mark.parametrize("module", ["device", "fleet", "record", "record_info", "audit", "doctor"])
def test_unavailable_database_fails_before_the_first_request(
    module: str, nodes: list[Controller], record_url: str, postgresql_server: Server, tmp_path: Path
) -> None:
    options: dict[str, dict[str, t.Any]] = {
        "device": {"device": NUMBER, "name": "Toko"},
        "fleet": fleet(2),
        "record": {"operation": "backup", "path": str(tmp_path / "backup.json")},
        "audit": {"devices": [{"device": NUMBER, "name": "Toko"}]},
    }
    nodes[0].sandbox.clear_journal()
    nodes[0].common["record_url"] = postgresql_server.url(database(record_url), port=1)
    with pytest.raises(FonnteError) as caught:
        nodes[0].run(module, **options.get(module, {}))
    text = str(caught.value)
    assert "the record's database at postgresql://127.0.0.1:1/" in text and "cannot be reached" in text
    assert PASSWORD not in text and QUOTED_PASSWORD not in text
    assert nodes[0].sandbox.writes() == []


def test_session_lost_before_a_request_prevents_it(
    nodes: list[Controller],
    sandbox: Sandbox,
    record_url: str,
    postgresql_server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes[0].device(NUMBER, name="Toko", quick=True)
    real = PostgresqlBackend.verify_held
    with Proxy(postgresql_server.port) as proxy:
        nodes[0].common["record_url"] = postgresql_server.url(database(record_url), port=proxy.port)

        def verify(backend: PostgresqlBackend) -> None:
            proxy.cut()
            # As after a request that waited.
            backend._proven_at = 0.0
            real(backend)

        monkeypatch.setattr(PostgresqlBackend, "verify_held", verify)
        sandbox.clear_journal()
        with pytest.raises(RecordError, match="was lost"):
            nodes[0].device(NUMBER, quick=False, handle_unknown="ignore")
    assert sandbox.writes() == []
    monkeypatch.undo()
    info = nodes[1].run("record_info").result["devices"][0]
    assert "quick" in info["doubts"]
    assert nodes[1].device(NUMBER, quick=False, handle_unknown="ignore").result["reasons"] == {"quick": "in_doubt"}


@pytest.mark.parametrize("answered", [True, False])
def test_session_lost_during_a_request_leaves_doubt(
    answered: bool,
    nodes: list[Controller],
    sandbox: Sandbox,
    record_url: str,
    postgresql_server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lock ends with the session, another run writes, and the request takes effect after that of the other run."""
    first, second, third = nodes
    first.device(NUMBER, name="Toko", quick=True, webhook=HOOK)
    real = FonnteClient.update_device
    with Proxy(postgresql_server.port) as proxy:
        first.common["record_url"] = postgresql_server.url(database(record_url), port=proxy.port)

        def update(api: FonnteClient, *arguments: t.Any) -> object:
            monkeypatch.setattr(FonnteClient, "update_device", real)
            proxy.cut()
            other = second.device(NUMBER, quick=False, webhook=OTHER_HOOK, handle_unknown="ignore")
            assert other.result["operations"] == ["update"]
            if not answered:
                sandbox.fault("reset", path="/update-device", when="after", times=1)
            # Its locks are lost, and the request was in progress.
            return real(api, *arguments[:-1], lambda: None)

        monkeypatch.setattr(FonnteClient, "update_device", update)
        try:
            done = first.device(NUMBER, quick=True, webhook=HOOK, name="Toko Satu", handle_unknown="ignore")
            assert answered and "it could not be recorded" in " ".join(done.warnings)
        except FonnteError as exc:
            assert not answered and "reading it again failed as well" in str(exc)
    assert sandbox.device(NUMBER)["settings"]["quick"] is True
    info = third.run("record_info").result["devices"][0]
    assert {"quick", "webhook"} <= set(info["doubts"])
    # The other run's declaration is applied again, since it does not prove the state of the service.
    healed = second.device(NUMBER, quick=False, webhook=OTHER_HOOK, handle_unknown="ignore").result
    assert healed["reasons"] == {"quick": "in_doubt", "webhook": "in_doubt"}
    assert sandbox.device(NUMBER)["settings"]["quick"] is False


def test_concurrent_runs_create_and_send_nothing_twice(nodes: list[Controller], sandbox: Sandbox) -> None:
    results: dict[int, t.Any] = {}

    def work(number: int) -> None:
        results[number] = nodes[number].run("fleet", **fleet(10, quick=True)).result

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3 and all(result["summary"]["failed"] == 0 for result in results.values())
    made = collections.Counter(
        entry["number"] for entry in sandbox.journal() if entry["path"] == "/add-device" and entry["applied"]
    )
    assert set(made.values()) == {1} and len(made) == 10
    assert not nodes[0].run("fleet", **fleet(10, quick=True)).result["changed"]


def test_database_contains_only_digests_and_encrypted_strings(
    nodes: list[Controller], sandbox: Sandbox, record_url: str, postgresql_server: Server
) -> None:
    nodes[0].device(NUMBER, name="Toko", quick=True, webhook=HOOK)
    rows = postgresql_server.execute("SELECT name, value, writer FROM fonnte_record", database(record_url))
    token = sandbox.devices()[NUMBER]["token"]
    names = {row[0] for row in rows}
    store = RecordStore("", sandbox.url, PostgresqlBackend(record_url))
    assert names == {"revision", store.device(token).name, store.number(sandbox.account_token, NUMBER).name}
    everything = b"".join(str(row[0]).encode() + (row[1] or b"") + str(row[2]).encode() for row in rows)
    for secret in (NUMBER, token, sandbox.account_token, HOOK, "h.example.com", "Toko"):
        assert secret.encode() not in everything
