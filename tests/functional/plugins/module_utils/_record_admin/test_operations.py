# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record maintenance: the information about the record, and the operations backup, restore and forget."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, RecordError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import record as _module_record
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleResult
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record_admin import operations as _record_care
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record_admin import plan_types as _plan_types
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

A, B, GONE, NEVER = "081200000001", "081200000002", "081200000003", "081200000009"
HOOK = "https://user:s3cret@hooks.example.com/s3cret?key=s3cret"


@pytest.fixture
def fleet(controller: Controller) -> Controller:
    """Return a control node of two devices with a record each, and a number whose device was purged."""
    controller.device(A, name="Toko Satu", webhook=HOOK, quick=True)
    controller.device(B, name="Toko Dua", webhook="")
    controller.device(GONE, name="Toko Tiga", quick=False)
    controller.sandbox.purge(GONE)
    controller.sandbox.clear_journal()
    return controller


def care(controller: Controller, operation: str, check: bool = False, **params: t.Any) -> ModuleResult:
    """Run fonnte_record, and check that it wrote nothing to the service and showed no secret."""
    return harmless(controller, controller.run("record", check, operation=operation, **params))


def look(controller: Controller, check: bool = False, **params: t.Any) -> ModuleResult:
    """Run fonnte_record_info, and check the same, and that it changed no file."""
    before = on_the_disk(controller)
    report = harmless(controller, controller.run("record_info", check, **params))
    assert on_the_disk(controller) == before and report.result["changed"] is False
    return report


def harmless(controller: Controller, report: ModuleResult) -> ModuleResult:
    assert controller.sandbox.writes() == []
    reported = json.dumps(report.result) + " ".join(report.warnings)
    for secret in ("s3cret", controller.sandbox.account_token, *tokens(controller)):
        assert secret not in reported
    return report


def on_the_disk(controller: Controller) -> dict[str, tuple[bytes, int]]:
    """Return the contents of the record's files, with their modification times."""
    files = controller.record_files()
    return {name: (text, os.stat(controller.records / name).st_mtime_ns) for name, text in files.items()}


def tokens(controller: Controller) -> list[str]:
    return [device["token"] for device in controller.sandbox.devices().values()]


def sealed_files(controller: Controller) -> dict[str, bytes]:
    """Return the present string of each entry, since a file may contain an earlier one as well."""
    records = store(controller)
    return {name: records.file(name).encrypted() or b"" for name in records.names()}


def store(controller: Controller) -> RecordStore:
    return RecordStore(str(controller.records), controller.sandbox.url)


def renumber(controller: Controller, number: str, other: str) -> None:
    """Renumber a device as in the dashboard: it keeps its token."""
    controller.sandbox.edit(number, device=other)


def second_controller(fleet: Controller, folder: Path) -> Controller:
    """Return a control node that never ran anything."""
    folder.mkdir()
    return Controller(fleet.sandbox, folder)


# fonnte_record_info


def test_info_shows_each_device_without_values(fleet: Controller) -> None:
    result = look(fleet).result
    first, second = result["devices"]
    assert (first["number"], first["recorded"], first["opens"], first["note"]) == (A, True, True, "present")
    assert {option: entry["standing"] for option, entry in first["settings"].items()} == {
        "webhook": "recorded",
        "quick": "recorded",
    }
    assert set(first["settings"]["webhook"]) == {"standing", "at"}
    assert first["oldest"] <= first["newest"] and (first["oldest_days"], first["newest_days"]) == (0, 0)
    assert first["doubts"] == [] and first["otp_requested_at"] is None
    assert second["number"] == B and second["settings"]["webhook"]["standing"] == "recorded"
    assert result["changed"] is False and result["damaged"] == [] and result["missing"] == []
    assert result["folder"] == str(fleet.records) and result["mode"] == "0700" and result["writable"] is True
    # The directory of the tests is a temporary one.
    assert result["lasting"] is False and "temporary" in result["lasting_because"]


def test_info_states_why_a_run_could_not_write(fleet: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(backend: FileBackend) -> None:
        raise RecordError("the record cannot be written (Read-only file system)", "name another with record_path")

    assert look(fleet).warnings == []
    monkeypatch.setattr(FileBackend, "check_writable", refuse)
    (warning,) = look(fleet).warnings
    assert warning.startswith("A real run from here would fail: ") and "(Read-only file system)" in warning


def test_info_sends_one_request(fleet: Controller) -> None:
    look(fleet)
    assert [call["path"] for call in fleet.sandbox.journal()] == ["/get-devices"]


def test_info_in_check_mode_is_the_same(fleet: Controller) -> None:
    predicted, reported = look(fleet, check=True, devices=[A, GONE, NEVER]), look(fleet, devices=[A, GONE, NEVER])
    assert (predicted.result, predicted.warnings) == (reported.result, reported.warnings)


def test_info_without_a_record_creates_none(controller: Controller) -> None:
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": [{"number": A}]}])
    result = look(controller).result
    (device,) = result["devices"]
    assert (device["recorded"], device["opens"], device["settings"], device["oldest"]) == (False, None, {}, None)
    assert result["mode"] is None and result["writable"] is True and not controller.records.exists()


def test_number_without_a_device_is_found_by_its_creation_entry(fleet: Controller) -> None:
    (number,) = look(fleet).result["numbers"]
    assert (number["number"], number["state"], number["recorded"], number["opens"]) == (GONE, "present", True, True)
    assert look(fleet, devices=[A]).result["numbers"] == []
    (asked,) = look(fleet, devices=["+62 812-0000-0003"]).result["numbers"]
    assert asked == number


def test_unknown_numbers_are_returned_as_missing(fleet: Controller) -> None:
    result = look(fleet, devices=[NEVER, "62" + B[1:]]).result
    assert result["missing"] == [NEVER] and [device["number"] for device in result["devices"]] == [B]


def test_deleted_device_leaves_its_creation_entry(fleet: Controller) -> None:
    fleet.sandbox.next_otp("047193")
    fleet.device(B, state="absent", request_otp=True)
    asked = look_after_writes(fleet, devices=[B])["devices"]
    assert asked[0]["otp_requested_at"]
    fleet.device(B, state="absent", otp="047193")
    (number,) = look_after_writes(fleet, devices=[B])["numbers"]
    assert (number["state"], number["recorded"]) == ("deleted", False)


def look_after_writes(controller: Controller, **params: t.Any) -> dict[str, t.Any]:
    controller.sandbox.clear_journal()
    return look(controller, **params).result


def test_renumbered_device_is_shown_as_moved(fleet: Controller) -> None:
    renumber(fleet, A, "081200000011")
    result = look(fleet).result
    moved = {number["number"]: number for number in result["numbers"]}
    assert moved[A]["moved_to"] == "081200000011" and moved[A]["recorded"] is False
    assert moved[GONE]["moved_to"] is None
    assert result["orphans"]["count"] == 3


def test_settings_in_doubt_are_shown(fleet: Controller) -> None:
    fleet.sandbox.fault("reset", path="/update-device", times=None)
    with pytest.raises(FonnteError):
        fleet.device(A, webhook="https://hooks.example.com/new")
    fleet.sandbox.clear_faults()
    (device,) = look_after_writes(fleet, devices=[A])["devices"]
    assert device["doubts"] == ["autoread", "webhook"] and device["settings"]["webhook"]["standing"] == "in_doubt"


def test_attesting_person_is_shown(fleet: Controller) -> None:
    fleet.device(A, webhook_status="https://hooks.example.com/s3cret", handle_write_only="attest")
    (device,) = look_after_writes(fleet, devices=[A])["devices"]
    attested = device["settings"]["webhook_status"]
    assert attested["standing"] == "attested" and attested["by"] and set(attested) == {"standing", "at", "by"}
    assert "by" not in device["settings"]["quick"] and device["doubts"] == []


def test_settings_of_an_interrupted_creation_are_in_doubt(fleet: Controller) -> None:
    note_file = store(fleet).number(fleet.sandbox.account_token, A)
    begun = {"personal": True, "quick": True, "webhook": ""}
    device_file = store(fleet).device(fleet.sandbox.device(A)["token"])
    note_file.save(NumberRecord("creating", "2026-11-22T09:00:00Z", begun, device_file.name, is_bound=True))
    (device,) = look(fleet, devices=[A]).result["devices"]
    assert device["note"] == "creating" and device["doubts"] == ["personal"]
    # An unbound entry may belong to another device: it counts only while nothing else is known.
    note_file.save(NumberRecord("creating", "2026-11-22T09:00:00Z", begun))
    assert look(fleet, devices=[A]).result["devices"][0]["doubts"] == []
    device_file.remove()
    assert look(fleet, devices=[A]).result["devices"][0]["doubts"] == ["personal", "quick"]
    note_file.save(NumberRecord("creating", "2026-11-22T09:00:00Z", begun, "device-" + "0" * 32, is_bound=True))
    assert look(fleet, devices=[A]).result["devices"][0]["doubts"] == []


def test_damaged_record_cannot_be_opened(fleet: Controller) -> None:
    file = store(fleet).device(fleet.sandbox.device(A)["token"])
    Path(file.path).write_bytes(b"damaged")
    note_file = store(fleet).number(fleet.sandbox.account_token, GONE)
    Path(note_file.path).write_bytes(b"damaged")
    report = look(fleet, devices=[A, B, GONE])
    first, second = report.result["devices"]
    assert (first["recorded"], first["opens"]) == (True, False) and second["opens"] is True
    assert [(number["number"], number["opens"]) for number in report.result["numbers"]] == [(GONE, False)]
    assert [warning for warning in report.warnings if "damaged; it is treated as missing" in warning] == report.warnings
    assert len(report.warnings) == 2
    fleet.device(A, quick=True)
    assert look_after_writes(fleet)["damaged"] == [
        name for name in fleet.record_files() if name.startswith(file.name + ".damaged-")
    ]


def test_orphans_and_unclaimed_files_are_distinguished(fleet: Controller) -> None:
    """Orphans belong to this account, but their device is gone; the owner of unclaimed files is unknown."""
    gone = set(sealed_files(fleet)) - listed(fleet)
    foreign = RecordStore(str(fleet.records), "https://api.example.com")
    foreign.number(fleet.sandbox.account_token, NEVER).save(NumberRecord("present", "2026-11-22T09:00:00Z"))
    store(fleet).number("token-of-another-account", NEVER).save(NumberRecord("present", "2026-11-22T09:00:00Z"))
    strangers = set(sealed_files(fleet)) - gone - listed(fleet)
    result = look(fleet).result
    assert result["orphans"] == {"count": 2, "files": sorted(gone)} and len(gone) == 2
    assert result["unclaimed"] == {"count": 2, "files": sorted(strangers)} and len(strangers) == 2


def listed(controller: Controller) -> set[str]:
    """Return the names of the files that belong to devices of the account."""
    records, account = store(controller), controller.sandbox.account_token
    devices = controller.sandbox.devices().items()
    return {records.number(account, number).name for number, _device in devices} | {
        records.device(device["token"]).name for _number, device in devices
    }


def test_info_with_a_device_token_shows_only_that_device(fleet: Controller) -> None:
    token = fleet.sandbox.device(A)["token"]
    result = look(fleet, account_token=None, device_token=token).result
    assert [device["number"] for device in result["devices"]] == [A]
    assert result["orphans"] is None and result["unclaimed"] is None
    assert [call["path"] for call in fleet.sandbox.journal()] == ["/device"]


def test_registered_number_is_shown_if_the_profile_has_another(fleet: Controller) -> None:
    fleet.sandbox.set_readings(profile_number="linked")
    fleet.sandbox.link(A, linked_number="628777777777")
    alone = {"account_token": None, "device_token": fleet.sandbox.device(A)["token"]}
    assert [device["number"] for device in look(fleet, **alone).result["devices"]] == [A]
    assert care(fleet, "forget", check=True, devices=["628777777777"], **alone).result["missing"] == ["628777777777"]
    assert care(fleet, "forget", check=True, devices=[A], **alone).result["changed_devices"] == [A]


def test_unlisted_device_is_found_by_its_token(fleet: Controller) -> None:
    token = fleet.sandbox.device(A)["token"]
    fleet.sandbox.set_readings(listing="partial")
    fleet.sandbox.edit(A, unlisted=True)
    without = look(fleet).result
    assert [device["number"] for device in without["devices"]] == [B] and without["orphans"]["count"] == 4
    result = look(fleet, device_token=token).result
    assert [device["number"] for device in result["devices"]] == [A, B] and result["orphans"]["count"] == 2


# backup


def test_backup_contains_only_encrypted_files(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    report = care(fleet, "backup", path=str(path))
    assert report.result["changed"] and report.warnings == []
    assert report.result["changed_devices"] == [A, B, GONE]
    text = path.read_text()
    held = json.loads(text)["files"]
    assert {name: sealed.encode() for name, sealed in held.items()} == sealed_files(fleet) and len(held) == 6
    assert report.result["changed_files"] == sorted(held) and report.result["files"] == 6
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (
        "s3cret",
        "hooks.example.com",
        "http",
        A[1:],
        "webhook",
        fleet.sandbox.account_token,
        *tokens(fleet),
    ):
        assert secret not in text


def test_second_backup_is_unchanged_until_a_record_changes(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    written = path.stat().st_mtime_ns
    again = care(fleet, "backup", path=str(path)).result
    assert not again["changed"] and again["changed_files"] == [] and again["diff"]["after"] == ""
    assert path.stat().st_mtime_ns == written
    before = path.read_text().splitlines()
    fleet.device(A, quick=False)
    fleet.sandbox.clear_journal()
    third = care(fleet, "backup", path=str(path)).result
    assert third["changed_devices"] == [A]
    after = path.read_text().splitlines()
    assert len(before) == len(after) and sum(one != other for one, other in zip(before, after, strict=False)) == 1


def test_backup_of_named_devices_contains_only_theirs(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    report = care(fleet, "backup", path=str(path), devices=["+" + "62" + A[1:], GONE, NEVER])
    assert report.result["changed_devices"] == [A, GONE] and report.result["missing"] == [NEVER]
    assert len(json.loads(path.read_text())["files"]) == 4


def test_backup_with_a_device_token_contains_only_its_record(fleet: Controller, tmp_path: Path) -> None:
    path, token = tmp_path / "backup.json", fleet.sandbox.device(A)["token"]
    care(fleet, "backup", path=str(path), account_token=None, device_token=token)
    assert list(json.loads(path.read_text())["files"]) == [store(fleet).device(token).name]


def test_check_mode_of_a_backup_predicts_and_writes_nothing(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    predicted = care(fleet, "backup", check=True, path=str(path))
    assert not path.exists()
    assert care(fleet, "backup", path=str(path)).result == predicted.result


def test_empty_record_never_replaces_a_backup(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    text = path.read_text()
    fresh = second_controller(fleet, tmp_path / "second")
    report = care(fresh, "backup", path=str(path))
    assert not report.result["changed"] and report.result["files"] == 6 and "nothing to back up" in report.warnings[0]
    assert path.read_text() == text


def test_backup_warns_of_entries_that_only_the_previous_backup_has(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    care(fleet, "forget", devices=[GONE])
    report = care(fleet, "backup", path=str(path))
    assert len(report.result["changed_files"]) == 2 and "2 files of the earlier backup are not" in report.warnings[0]


def test_damaged_record_is_not_backed_up(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    (fleet.records / name).write_bytes(b"damaged")
    report = care(fleet, "backup", path=str(path))
    assert name not in json.loads(path.read_text())["files"] and name in report.warnings[0]


def test_locks_and_damaged_copies_are_not_backed_up(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    for ending in (".new", ".damaged-1790000000"):
        (fleet.records / (name + ending)).write_bytes((fleet.records / name).read_bytes())
    assert (fleet.records / (name + ".lock")).exists()
    care(fleet, "backup", path=str(path))
    assert set(json.loads(path.read_text())["files"]) == set(sealed_files(fleet))


# restore


def test_restored_record_makes_the_run_of_a_new_control_node_unchanged(fleet: Controller, tmp_path: Path) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fresh = second_controller(fleet, tmp_path / "second")
    assert fresh.device(A, check=True, webhook=HOOK, quick=True).result["changed"]
    predicted = care(fresh, "restore", check=True, path=path)
    assert not fresh.records.exists()
    report = care(fresh, "restore", path=path)
    assert report.result == predicted.result and report.warnings == predicted.warnings
    assert report.result["changed_devices"] == [A, B, GONE] and len(report.result["changed_files"]) == 6
    assert any("always_update" in warning and "record_max_age" in warning for warning in report.warnings)
    assert sealed_files(fresh) == sealed_files(fleet)
    assert stat.S_IMODE(fresh.records.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in fresh.records.iterdir()} == {0o600}
    assert not fresh.device(A, webhook=HOOK, quick=True).result["changed"]
    again = care(fresh, "restore", path=path)
    assert not again.result["changed"] and again.warnings == []


def test_existing_entries_are_kept_unless_overwriting_is_requested(fleet: Controller, tmp_path: Path) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fleet.device(A, quick=False)
    fleet.sandbox.clear_journal()
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    newer = sealed_files(fleet)
    kept = care(fleet, "restore", path=path)
    assert not kept.result["changed"] and kept.result["kept"] == [name] and "overwrite: true" in kept.warnings[0]
    assert sealed_files(fleet) == newer
    replaced = care(fleet, "restore", path=path, overwrite=True)
    assert replaced.result["changed_files"] == [name] and replaced.result["changed_devices"] == [A]
    assert fleet.device(A, check=True, quick=True).result["changed"] is False
    assert not care(fleet, "restore", path=path, overwrite=True).result["changed"]


def test_only_named_devices_are_restored(fleet: Controller, tmp_path: Path) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fresh = second_controller(fleet, tmp_path / "second")
    report = care(fresh, "restore", path=path, devices=[A, "62" + GONE[1:], NEVER])
    assert report.result["changed_devices"] == [A, GONE] and report.result["missing"] == [NEVER]
    assert len(sealed_files(fresh)) == 4
    alone = second_controller(fleet, tmp_path / "third")
    token = fleet.sandbox.device(B)["token"]
    care(alone, "restore", path=path, account_token=None, device_token=token)
    assert list(sealed_files(alone)) == [store(fleet).device(token).name]


def test_damaged_record_is_kept_aside_when_it_is_replaced(fleet: Controller, tmp_path: Path) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    (fleet.records / name).write_bytes(b"damaged")
    care(fleet, "restore", path=path, overwrite=True)
    (aside,) = look(fleet).result["damaged"]
    assert aside.startswith(name) and (fleet.records / aside).read_bytes() == b"damaged"
    assert not fleet.device(A, webhook=HOOK, quick=True).result["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_backup_with_a_changed_name_is_refused_completely(fleet: Controller, tmp_path: Path, check: bool) -> None:
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    data = json.loads(path.read_text())
    name, text = next(iter(data["files"].items()))
    for wrong in ("../precious", str(tmp_path / "precious"), name + ".lock", f"../{name}"):
        path.write_text(json.dumps({**data, "files": {**data["files"], wrong: text}}))
        fresh = second_controller(fleet, tmp_path / f"second-{len(os.listdir(tmp_path))}")
        with pytest.raises(FonnteError, match="not the name of a file of the record"):
            care(fresh, "restore", check, path=str(path), overwrite=True)
        assert not fresh.records.exists() and not (tmp_path / "precious").exists()


def test_entry_of_another_device_is_refused_by_name(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    data = json.loads(path.read_text())
    records = store(fleet)
    first, second = (records.device(fleet.sandbox.device(number)["token"]).name for number in (A, B))
    data["files"][first] = data["files"][second]
    path.write_text(json.dumps(data))
    fresh = second_controller(fleet, tmp_path / "second")
    with pytest.raises(FonnteError, match=f"the entry of {second} under the name {first}"):
        care(fresh, "restore", path=str(path))
    assert not fresh.records.exists()


def somebody_is_quicker(monkeypatch: pytest.MonkeyPatch, plan: str, other: Controller, **settings: t.Any) -> None:
    """Have another run change device A between a plan and its execution."""
    planned = getattr(_module_record, plan)

    def and_then(*args: t.Any) -> _plan_types.RecordPlan:
        job: _plan_types.RecordPlan = planned(*args)
        other.device(A, **settings)
        other.sandbox.clear_journal()
        return job

    monkeypatch.setattr(_module_record, plan, and_then)


def test_entry_written_during_a_restore_is_kept(
    fleet: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fresh = second_controller(fleet, tmp_path / "second")
    somebody_is_quicker(monkeypatch, "plan_restore", fresh, quick=True)
    result = care(fresh, "restore", path=path).result
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    assert name not in result["changed_files"] and len(result["changed_files"]) == 4
    assert name in result["kept"] and len(result["kept"]) == 2
    assert sealed_files(fresh)[name] != sealed_files(fleet)[name]


def test_entry_written_during_a_forced_restore_is_not_reverted(
    fleet: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fleet.device(A, quick=False)
    fleet.sandbox.clear_journal()
    somebody_is_quicker(monkeypatch, "plan_restore", fleet, quick=True, personal=True)
    result = care(fleet, "restore", path=path, overwrite=True).result
    assert not result["changed"] and len(result["kept"]) == 1
    assert not fleet.device(A, quick=True, personal=True).result["changed"]


def test_interrupted_restore_reports_its_changes(
    fleet: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fresh = second_controller(fleet, tmp_path / "second")
    apply = _record_care.apply_change
    count = []

    def full_at_the_fourth(change: _plan_types.Change) -> bool:
        count.append(change)
        if len(count) == 4:
            raise RecordError("the record cannot be written (No space left on device)", "free disk space")
        return apply(change)

    monkeypatch.setattr(_record_care, "apply_change", full_at_the_fourth)
    with pytest.raises(RecordError, match="Restoring the record of ") as caught:
        care(fresh, "restore", path=path)
    progress = caught.value.partial_result
    assert progress["changed"] and progress["changed_files"] == sorted(sealed_files(fresh))
    assert len(progress["changed_files"]) == 3


# A backup of another account


def test_entry_that_no_token_opens_does_not_replace_one(fleet: Controller, tmp_path: Path) -> None:
    """The backup has a string for an entry of another account, which cannot be authenticated."""
    other = store(fleet).device("token-of-bank-b")
    other.save(DeviceRecord(number="628222222222"))
    genuine = other.encrypted()
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    whole = json.loads(path.read_text())
    sealed = whole["files"][other.name]
    # The name stays, and the encrypted part is invalid.
    whole["files"][other.name] = sealed[:-20] + sealed[-20:-12].swapcase() + sealed[-12:]
    path.write_text(json.dumps(whole))
    for check in (True, False):
        report = care(fleet, "restore", check, path=str(path), overwrite=True)
        assert not report.result["changed"] and report.result["kept"] == [other.name]
        assert any("No token of this run decrypts them" in warning for warning in report.warnings)
    assert store(fleet).device("token-of-bank-b").encrypted() == genuine


# Backup to a path of another backup


def test_backup_of_fewer_devices_does_not_replace_a_larger_one(fleet: Controller, tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    before = path.read_bytes()
    for check in (True, False):
        with pytest.raises(FonnteError, match="has 4 files of the record that the new one would not have"):
            care(fleet, "backup", check, path=str(path), devices=[A])
    assert path.read_bytes() == before
    # A larger set of devices replaces a smaller one, and an equal set is replaced too.
    small = tmp_path / "small.json"
    for devices in ([A], [A], [A, B]):
        care(fleet, "backup", path=str(small), devices=devices)
    assert len(json.loads(small.read_text())["files"]) == 4


def test_backup_with_a_damaged_file_does_not_replace_a_complete_one(fleet: Controller, tmp_path: Path) -> None:
    """The earlier backup has the last copy of the entry."""
    path = tmp_path / "backup.json"
    care(fleet, "backup", path=str(path))
    before = path.read_bytes()
    (fleet.records / sorted(sealed_files(fleet))[0]).write_bytes(b"damaged")
    with pytest.raises(FonnteError, match="has 1 file of the record that the new one would not have"):
        care(fleet, "backup", path=str(path))
    assert path.read_bytes() == before


# forget


@pytest.mark.parametrize("number", [A, "0812-0000-0002"])
def test_number_that_is_listed_twice_is_not_forgotten(fleet: Controller, number: str) -> None:
    """The digits of both are the same: an exact spelling would hide the other device."""
    listed = "0812-0000-0001" if number == A else "+6281200000002"
    fleet.sandbox.fault("mutate", path="/get-devices", times=None, set_each={"device": listed}, only=B)
    before = sealed_files(fleet)
    if number == A:
        with pytest.raises(FonnteError, match=f"more than one device with this number: {listed} and {A}; check"):
            care(fleet, "forget", devices=[number])
        assert sealed_files(fleet) == before
    else:
        assert care(fleet, "forget", devices=[number]).result["changed_devices"] == [listed]


def test_entry_written_during_a_forget_is_kept(fleet: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be the pending entry of a run in progress; with orphans it may belong to a new device."""
    somebody_is_quicker(monkeypatch, "plan_forget", fleet, quick=True, personal=True)
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    report = care(fleet, "forget", devices=[A])
    assert name not in report.result["changed_files"] and report.result["kept"] == [name]
    assert "written by another run in the meantime and left" in report.warnings[-1]
    monkeypatch.undo()
    assert not fleet.device(A, quick=True, personal=True).result["changed"]
    assert care(fleet, "forget", devices=[A]).result["changed_files"]


@pytest.mark.parametrize("spelling", [A, "62" + A[1:], "+62 812-0000-0001"])
def test_forgotten_device_is_unknown(fleet: Controller, spelling: str) -> None:
    predicted = care(fleet, "forget", check=True, devices=[spelling])
    assert len(sealed_files(fleet)) == 6
    report = care(fleet, "forget", devices=[spelling])
    assert report.result == predicted.result and report.warnings == predicted.warnings
    assert report.result["changed_devices"] == [A] and len(report.result["changed_files"]) == 2
    assert A in report.warnings[0] and "sends the declared settings again" in report.warnings[0]
    assert len(sealed_files(fleet)) == 4
    assert not care(fleet, "forget", devices=[spelling]).result["changed"]
    assert fleet.device(A, check=True, quick=True).result["reasons"] == {"quick": "no_record"}


def test_locks_are_kept_by_forget(fleet: Controller) -> None:
    locks = {name for name in fleet.record_files() if name.endswith(".lock")}
    care(fleet, "forget", devices=[A])
    assert locks <= set(fleet.record_files())


def test_number_without_a_device_is_forgotten_with_its_record(fleet: Controller) -> None:
    report = care(fleet, "forget", devices=[GONE, NEVER])
    assert report.result["changed_devices"] == [GONE] and len(report.result["changed_files"]) == 2
    assert report.result["missing"] == [NEVER]
    assert set(sealed_files(fleet)) == listed(fleet)


def test_record_of_a_renumbered_device_is_kept(fleet: Controller) -> None:
    renumber(fleet, A, "081200000011")
    report = care(fleet, "forget", devices=[A])
    assert len(report.result["changed_files"]) == 1
    assert store(fleet).device(fleet.sandbox.device("081200000011")["token"]).load()[0] is not None


def test_orphans_are_forgotten_and_unclaimed_files_are_kept(fleet: Controller) -> None:
    store(fleet).device("token-of-another-account").save(replace_number(fleet))
    strangers = set(sealed_files(fleet)) - listed(fleet)
    report = care(fleet, "forget", orphans=True)
    assert report.result["changed_devices"] == [GONE] and len(report.result["changed_files"]) == 2
    left = set(sealed_files(fleet)) - listed(fleet)
    assert len(left) == 1 and left < strangers
    assert any(left.copy().pop() in warning for warning in report.warnings)
    again = care(fleet, "forget", orphans=True)
    assert not again.result["changed"]


def replace_number(controller: Controller) -> t.Any:
    record, _problem = store(controller).device(controller.sandbox.device(A)["token"]).load()
    assert record is not None
    return replace(record, number=NEVER)


def test_forgetting_orphans_requires_the_list(fleet: Controller) -> None:
    token = fleet.sandbox.device(A)["token"]
    with pytest.raises(FonnteError, match="Option orphans: .*account_token"):
        care(fleet, "forget", orphans=True, account_token=None, device_token=token)
    assert len(sealed_files(fleet)) == 6


def test_ambiguous_number_is_not_forgotten(fleet: Controller) -> None:
    renumber(fleet, B, "62" + A[1:])
    with pytest.raises(FonnteError, match="more than one device with this number"):
        care(fleet, "forget", devices=["0062" + A[1:]])
    assert len(sealed_files(fleet)) == 6
    assert len(care(fleet, "forget", devices=["62" + A[1:]]).result["changed_files"]) == 2


def test_forget_waits_for_another_run_on_the_device(fleet: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_record_care, "LOCK_SECONDS", 0.1)
    note_file = store(fleet).number(fleet.sandbox.account_token, A)
    with note_file.lock(1):
        with pytest.raises(RecordError, match=f"Forgetting device {A}: another run has been working") as caught:
            care(fleet, "forget", devices=[A])
        assert caught.value.partial_result["changed"] is False
        assert len(sealed_files(fleet)) == 6
        # Reads and backups need not wait.
        look(fleet)


def test_creation_entries_are_locked_before_device_records(fleet: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    hold = FileBackend.lock

    def noted(backend: FileBackend, names: t.Sequence[str], seconds: float) -> t.Any:
        order.extend(name.partition("-")[0] for name in names)
        return hold(backend, names, seconds)

    monkeypatch.setattr(FileBackend, "lock", noted)
    care(fleet, "forget", devices=[A])
    assert order == ["number", "device"]


def test_check_mode_warns_of_an_unwritable_directory(fleet: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_os(monkeypatch, access=lambda path, mode: False)
    report = care(fleet, "forget", check=True, devices=[A])
    assert report.result["changed"] and any("A real run from here would fail" in text for text in report.warnings)


def test_diff_names_files_and_devices_and_shows_changed_strings(fleet: Controller, tmp_path: Path) -> None:
    path = str(tmp_path / "backup.json")
    care(fleet, "backup", path=path)
    fleet.device(A, quick=False)
    fleet.sandbox.clear_journal()
    diff = care(fleet, "backup", path=path).result["diff"]
    name = store(fleet).device(fleet.sandbox.device(A)["token"]).name
    assert diff["before"].startswith(f"{name} {A} ") and diff["after"].startswith(f"{name} {A} ")
    assert diff["before"] != diff["after"] and diff["before"].count("\n") == 1
