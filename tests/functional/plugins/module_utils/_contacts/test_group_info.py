# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""fonnte_group_info: the stored list, and refreshes that are never repeated too soon."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import clock as _clock
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    OptionError,
    RecordError,
    RecordLockedError,
    RefusedError,
    UnexpectedResponseError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._contacts import group_list as _group_list
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

NUMBER, OTHER = "081200000001", "081200000002"
GROUPS = [
    {"id": "120363041@g.us", "name": "Toko, Jakarta | 1"},
    {"id": "120363042@g.us", "name": "081200002001"},
    {"id": "6281200-1412@g.us", "name": "{{ lookup('pipe', 'id') }}"},
]
SORTED = sorted(GROUPS, key=lambda group: group["name"])


@pytest.fixture
def phones(controller: Controller) -> Controller:
    """Return a control node of a linked device whose groups were never fetched, and of an unlinked one."""
    devices = [
        {"number": NUMBER, "name": "Toko Satu", "linked": True, "groups": GROUPS},
        {"number": OTHER, "name": "Toko Dua"},
    ]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    return controller


def paths(controller: Controller) -> list[str]:
    return [entry["path"] for entry in controller.sandbox.journal()]


def read(controller: Controller, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    report = controller.run("group_info", check, **{"device": NUMBER, **params})
    assert report.result["changed"] is False
    return report.result


def fetches(controller: Controller) -> int:
    return paths(controller).count("/fetch-group")


def token(controller: Controller, number: str = NUMBER) -> str:
    return str(controller.sandbox.device(number)["token"])


def recorded(controller: Controller) -> DeviceRecord | None:
    return RecordStore(str(controller.records), controller.sandbox.url).device(token(controller)).read()


START = datetime.now(timezone.utc).replace(microsecond=0)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Stop the module's clock these seconds after the start of the tests: a slow machine changes no age."""
    moment = START + timedelta(seconds=seconds)
    monkeypatch.setattr(_group_list, "now", lambda: moment)
    monkeypatch.setattr(_group_list, "now_text", lambda: moment.strftime(_clock.TIME_FORMAT))


# The stored list


def test_stored_list_is_read_without_a_refresh(phones: Controller) -> None:
    read(phones, refresh=True)
    phones.sandbox.edit(NUMBER, groups=[])
    phones.sandbox.clear_journal()
    files = phones.record_files()
    result = read(phones)
    assert result == {
        "changed": False,
        "device": NUMBER,
        "groups": SORTED,
        "refreshed": False,
        "refreshed_at": None,
    }
    assert paths(phones) == ["/get-devices", "/get-whatsapp-group"] and phones.record_files() == files


def test_device_token_alone_needs_one_request(phones: Controller) -> None:
    read(phones, refresh=True)
    phones.sandbox.clear_journal()
    result = read(phones, device=None, account_token=None, device_token=token(phones))
    assert result["device"] is None and result["groups"] == SORTED
    assert paths(phones) == ["/get-whatsapp-group"]


def test_list_that_was_never_fetched_names_the_action(phones: Controller) -> None:
    with pytest.raises(RefusedError, match="refresh: true") as caught:
        read(phones)
    assert f"Reading the groups of device {NUMBER}: Fonnte returned" in str(caught.value)
    assert fetches(phones) == 0 and not phones.records.exists()


def test_missing_device_and_device_of_another_token(phones: Controller) -> None:
    with pytest.raises(NotFoundError, match="has no device 081200009999"):
        read(phones, device="081200009999", refresh=True)
    with pytest.raises(FonnteError, match="are not one device"):
        read(phones, device_token=token(phones, OTHER), refresh=True)
    assert fetches(phones) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"id": "1@g.us"}},
        {"data": ["1@g.us"]},
        {"data": [{"id": "081200002001", "name": "a number"}]},
        {"data": [{"id": "1@g.us,081200002001", "name": "two targets"}]},
        {"data": [{"id": 5, "name": "x"}]},
        {"data": [{"name": "x"}]},
        {"data": [{"id": "1@g.us", "name": ["x"]}]},
        {"data": None},
    ],
)
def test_unknown_response_is_an_error(phones: Controller, change: dict[str, t.Any]) -> None:
    read(phones, refresh=True)
    phones.sandbox.fault("mutate", path="/get-whatsapp-group", set=change)
    with pytest.raises(UnexpectedResponseError, match="sent a response to /get-whatsapp-group"):
        read(phones)


def test_name_is_one_bounded_line(phones: Controller) -> None:
    names = ["a\x1b]0;x\x07b\nc", "x" * 100_000, None, "keluarga \U0001f468\u200d\U0001f469", "half \ud83d"]
    data = [{"id": f"{index}@g.us", "name": name} for index, name in enumerate(names)]
    phones.sandbox.fault("status", path="/get-whatsapp-group", code=200, body={"status": True, "data": data})
    shown = {group["id"]: group["name"] for group in read(phones)["groups"]}
    assert shown["0@g.us"] == "a ]0;x b c" and len(shown["1@g.us"]) == 201 and shown["2@g.us"] == ""
    assert shown["3@g.us"] == names[3] and shown["4@g.us"] == "half ?"


def test_token_in_a_name_is_masked(phones: Controller) -> None:
    data = [{"id": "1@g.us", "name": f"toko {token(phones)}"}]
    phones.sandbox.fault("status", path="/get-whatsapp-group", code=200, body={"status": True, "data": data})
    assert token(phones) not in str(read(phones))


# Refreshes


def test_refresh_reads_the_phone_once_in_a_day(phones: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 0)
    first = read(phones, refresh=True)
    assert first["refreshed"] is True and first["groups"] == SORTED
    assert paths(phones) == ["/get-devices", "/fetch-group", "/get-whatsapp-group"]
    phones.sandbox.edit(NUMBER, groups=[])
    again = read(phones, refresh=True)
    assert again == {**first, "refreshed": False} and fetches(phones) == 1
    later(monkeypatch, 86399)
    assert read(phones, refresh=True)["refreshed"] is False
    later(monkeypatch, 86400)
    renewed = read(phones, refresh=True)
    assert renewed["refreshed"] is True and renewed["groups"] == [] and fetches(phones) == 2
    assert renewed["refreshed_at"] > first["refreshed_at"]


def test_refresh_after_is_in_seconds(phones: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 0)
    read(phones, refresh=True)
    later(monkeypatch, 600)
    assert read(phones, refresh=True, refresh_after=3600)["refreshed"] is False
    assert read(phones, refresh=True, refresh_after=600)["refreshed"] is True


@pytest.mark.parametrize("seconds", [59, 0, -1, float("nan"), 1e12])
def test_interval_that_abuses_the_request_is_refused(phones: Controller, seconds: float) -> None:
    with pytest.raises(OptionError, match="refresh_after"):
        read(phones, refresh_after=seconds)
    assert paths(phones) == []


def test_other_control_node_with_the_record_does_not_refresh_again(phones: Controller, tmp_path: Path) -> None:
    read(phones, refresh=True)
    other = Controller(phones.sandbox, tmp_path / "other")
    other.common["record_path"] = str(phones.records)
    assert read(other, refresh=True)["refreshed"] is False
    # By its token alone, it is the same device.
    by_token = {"device": None, "account_token": None, "device_token": token(phones), "refresh": True}
    assert read(other, **by_token)["refreshed"] is False
    assert fetches(phones) == 1


def test_control_nodes_with_one_database_refresh_once(phones: Controller, tmp_path: Path, record_url: str) -> None:
    nodes = [Controller(phones.sandbox, tmp_path / name, record_url) for name in ("one", "two")]
    assert [read(node, refresh=True)["refreshed"] for node in (*nodes, nodes[0])] == [True, False, False]
    assert fetches(phones) == 1


def test_settings_in_the_record_survive_a_refresh(phones: Controller) -> None:
    phones.device(NUMBER, name="Toko Satu", webhook="https://h.example.com/a", quick=True)
    read(phones, refresh=True)
    again = phones.device(NUMBER, name="Toko Satu", webhook="https://h.example.com/a", quick=True)
    assert again.result["changed"] is False and again.result["evidence"]["webhook"]["source"] == "recorded"
    phones.device(NUMBER, quick=False)
    assert read(phones, refresh=True)["refreshed"] is False
    kept = recorded(phones)
    assert kept is not None and kept.groups_fetched_at is not None and kept.entries["webhook"].value


def test_refresh_is_in_the_backup_of_the_record(phones: Controller, tmp_path: Path) -> None:
    read(phones, refresh=True)
    backup = str(tmp_path / "backup.json")
    phones.run("record", operation="backup", path=backup)
    for path in phones.records.iterdir():
        path.unlink()
    phones.run("record", operation="restore", path=backup)
    assert read(phones, refresh=True)["refreshed"] is False


@pytest.mark.parametrize("place", ["files", "database"])
def test_restore_does_not_bring_back_an_earlier_refresh(
    phones: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, place: str
) -> None:
    """With overwrite, the settings are those of the backup, and the time of the last refresh is the later one."""
    url = request.getfixturevalue("record_url") if place == "database" else ""
    node = Controller(phones.sandbox, tmp_path / "node", url)
    restore = {"operation": "restore", "path": str(tmp_path / "backup.json"), "overwrite": True}
    node.device(NUMBER, quick=True, handle_unknown="ignore")
    read(node, refresh=True)
    node.run("record", operation="backup", path=restore["path"])
    later(monkeypatch, 2 * 86400)
    refreshed_at = read(node, refresh=True)["refreshed_at"]
    # Only the time differs, so there is nothing to restore.
    assert node.run("record", **restore).result["changed"] is False
    node.device(NUMBER, quick=False, handle_unknown="ignore")
    predicted, done, again = (node.run("record", check, **restore).result for check in (True, False, False))
    assert predicted["changed_devices"] == done["changed_devices"] == [NUMBER] and again["changed"] is False
    assert node.device(NUMBER, check=True, quick=True).result["changed"] is False
    result = read(node, refresh=True)
    assert (result["refreshed"], result["refreshed_at"], fetches(node)) == (False, refreshed_at, 2)


def test_later_refresh_of_a_backup_is_restored(phones: Controller, tmp_path: Path) -> None:
    """The backup of another control node may have a later refresh."""
    other = Controller(phones.sandbox, tmp_path / "other")
    phones.device(NUMBER, quick=True, handle_unknown="ignore")
    read(other, refresh=True)
    path = str(tmp_path / "backup.json")
    other.run("record", operation="backup", path=path)
    phones.run("record", operation="restore", path=path, overwrite=True)
    assert read(phones, refresh=True)["refreshed"] is False and fetches(phones) == 1


@pytest.mark.parametrize("kind", ["reset", "hang", "html", "truncated", "empty"])
def test_lost_response_counts_as_a_refresh(phones: Controller, kind: str) -> None:
    phones.sandbox.fault(kind, path="/fetch-group", when="after")
    with pytest.raises(FonnteError, match="it counts as a refresh") as caught:
        read(phones, refresh=True, api_timeout=0.3)
    assert f"Refreshing the groups of device {NUMBER}" in str(caught.value)
    assert read(phones, refresh=True)["refreshed"] is False and fetches(phones) == 1


def test_process_that_dies_during_the_request_has_refreshed(
    phones: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    seen: list[DeviceRecord | None] = []

    def die(*args: t.Any) -> None:
        seen.append(recorded(phones))
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(_group_list, "fetch_groups", die)
        read(phones, refresh=True)
    # It was durable before the request.
    assert seen[0] is not None and seen[0].groups_fetched_at is not None
    with pytest.raises(RefusedError, match="refresh: true"):
        read(phones, refresh=True)
    assert fetches(phones) == 0


def test_refusals_that_query_no_phone_are_no_refresh(phones: Controller) -> None:
    phones.sandbox.unlink(NUMBER)
    before = phones.record_files()
    with pytest.raises(RefusedError, match="link the device first"):
        read(phones, refresh=True)
    assert [name for name in phones.record_files() if not name.endswith(".lock")] == list(before)
    phones.sandbox.link(NUMBER)
    assert read(phones, refresh=True)["refreshed"] is True


@pytest.mark.parametrize("text", ["failed to fetch whatsapp group list", "not now"])
def test_other_refusals_count_as_a_refresh(phones: Controller, text: str) -> None:
    body = {"status": False, "detail": text}
    phones.sandbox.fault("status", path="/fetch-group", code=200, body=body)
    with pytest.raises(RefusedError, match=text):
        read(phones, refresh=True)
    with pytest.raises(RefusedError):
        read(phones, refresh=True)
    assert fetches(phones) == 1


def test_rate_limit_is_no_refresh(phones: Controller) -> None:
    read(phones, refresh=True)
    first = recorded(phones)
    phones.sandbox.fault("status", path="/fetch-group", code=429, times=None)
    with pytest.MonkeyPatch.context() as patch:
        later(patch, 2 * 86400)
        with pytest.raises(FonnteError):
            read(phones, refresh=True)
        phones.sandbox.clear_faults()
        assert recorded(phones) == first
        assert read(phones, refresh=True)["refreshed"] is True


def test_record_that_cannot_be_written_prevents_the_refresh(phones: Controller) -> None:
    phones.records.parent.mkdir(exist_ok=True)
    phones.records.write_text("no directory", encoding="utf-8")
    with pytest.raises(RecordError):
        read(phones, refresh=True)
    assert fetches(phones) == 0


def test_run_that_holds_the_device_delays_the_refresh(phones: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_group_list, "LOCK_SECONDS", 0.05)
    store = RecordStore(str(phones.records), phones.sandbox.url)
    with store.device(token(phones)).lock(0.0), pytest.raises(RecordLockedError):
        read(phones, refresh=True)
    assert fetches(phones) == 0 and read(phones, refresh=True)["refreshed"] is True


def test_run_that_waited_does_not_refresh_again(phones: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run refreshes after this one has read the record and before it has the lock."""
    load, turns = _group_list._load, iter(range(9))

    def load_then_refresh(file: t.Any) -> t.Any:
        found = load(file)
        if next(turns) == 0:
            monkeypatch.setattr(_group_list, "_load", load)
            read(phones, refresh=True)
        return found

    monkeypatch.setattr(_group_list, "_load", load_then_refresh)
    assert read(phones, refresh=True)["refreshed"] is False and fetches(phones) == 1


def test_time_in_the_future_delays_and_warns(phones: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        later(patch, 10 * 86400)
        read(phones, refresh=True)
    report = phones.run("group_info", device=NUMBER, refresh=True)
    assert report.result["refreshed"] is False and fetches(phones) == 1
    assert any("in the future" in warning for warning in report.warnings)


def test_damaged_record_warns_and_is_kept(phones: Controller) -> None:
    read(phones, refresh=True)
    (path,) = [path for path in phones.records.iterdir() if not path.name.endswith(".lock")]
    path.write_bytes(b"damaged")
    report = phones.run("group_info", device=NUMBER, refresh=True)
    assert report.result["refreshed"] is True and "treated as missing" in report.warnings[0]
    assert any("damaged" in name for name in phones.record_files())


# Check mode


def test_check_mode_never_refreshes_and_predicts_it(phones: Controller) -> None:
    report = phones.run("group_info", True, device=NUMBER, refresh=True)
    assert report.result["refreshed"] is True and report.result["groups"] == []
    assert any("unknown until a run refreshes them" in warning for warning in report.warnings)
    assert fetches(phones) == 0 and not phones.records.exists()
    read(phones, refresh=True)
    files = phones.record_files()
    predicted = read(phones, True, refresh=True)
    assert predicted["refreshed"] is False and predicted["groups"] == SORTED and predicted["refreshed_at"]
    assert phones.record_files() == files and fetches(phones) == 1


def test_check_mode_without_refresh_fails_like_the_run(phones: Controller) -> None:
    with pytest.raises(RefusedError, match="refresh: true"):
        read(phones, True)


def test_check_mode_warns_of_a_missing_device(phones: Controller) -> None:
    report = phones.run("group_info", True, device="081200009999", refresh=True)
    assert report.result["groups"] == [] and report.result["refreshed"] is True
    assert any("unless an earlier one creates the device" in warning for warning in report.warnings)
