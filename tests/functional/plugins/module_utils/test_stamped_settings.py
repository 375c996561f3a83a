# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several control nodes with separate records: evidence from stamps, from a record, and from attested settings."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import client as _api
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    OptionError,
    PolicyError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.stamp import strip_stamp
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleResult
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options import common as _options
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import apply as _writer
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine as _engine
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_functions
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

A, B = "081200000001", "081200000002"
URL = "https://h.example.com/a?key=s3cret"
OTHER = "https://h.example.com/b?key=s3cret"
OWN: dict[str, t.Any] = {"name": "Toko Satu", "autoread": True, "personal": True, "quick": False}
FULL: dict[str, t.Any] = {**OWN, "webhook": URL}
RESULT_KEYS = ("changed", "operations", "changed_fields", "reasons", "diff", "evidence", "carried", "at_risk")


class Stamping(Controller):
    """A control node whose tasks use stamps unless they set another policy."""

    def run(self, module: str, check: bool = False, **params: t.Any) -> ModuleResult:
        """Run a module; raise FonnteError if it fails."""
        policy = {} if module == "device_info" else {"handle_write_only": "stamped"}
        return super().run(module, check, **{**policy, **params})


@pytest.fixture
def laptop(sandbox: Sandbox, tmp_path: Path) -> Controller:
    return Stamping(sandbox, tmp_path / "laptop")


@pytest.fixture
def runner(sandbox: Sandbox, tmp_path: Path) -> Controller:
    return Stamping(sandbox, tmp_path / "runner")


def wire(controller: Controller, number: str = A) -> dict[str, t.Any]:
    """Return the settings of a device as the service stores them."""
    device = controller.sandbox.device(number)
    return {**device["settings"], "name": device["name"]}


def writes(controller: Controller) -> list[str]:
    paths = [entry["path"] for entry in controller.sandbox.writes()]
    controller.sandbox.clear_journal()
    return paths


def predicted_and_done(controller: Controller, module: str, **params: t.Any) -> dict[str, t.Any]:
    """Return the result of a run, after check mode has predicted the same and changed nothing."""
    files = controller.record_files()
    writes(controller)
    predicted = controller.run(module, True, **params).result
    assert writes(controller) == [] and controller.record_files() == files
    done = controller.run(module, **params).result
    for key in RESULT_KEYS:
        assert predicted[key] == done[key], key
    return done


# Stamps


def test_name_has_the_stamp_and_no_result_shows_it(laptop: Controller, runner: Controller) -> None:
    result = laptop.device(A, **FULL).result
    name = wire(laptop)["name"]
    assert name.startswith("Toko Satu ~") and len(name) == len("Toko Satu") + 7
    assert result["device"]["name"] == result["diff"]["after"]["name"] == "Toko Satu"
    info = runner.run("device_info", profile=True)
    assert [device["name"] for device in info.result["devices"]] == ["Toko Satu"]


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_new_control_node_finds_all_settings_proven(laptop: Controller, runner: Controller, omitted: str) -> None:
    laptop.sandbox.set_readings(omitted=omitted)
    laptop.device(A, **FULL)
    result = predicted_and_done(runner, "device", device="+62 812-0000-0001", **FULL)
    assert not result["changed"] and writes(runner) == []
    assert {option: item["source"] for option, item in result["evidence"].items()} == {
        "name": "service",
        "autoread": "service",
        "personal": "stamped",
        "quick": "stamped",
        "webhook": "stamped",
    }
    assert result["device"]["webhook"].startswith("https://h.example.com/…#")


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_two_tasks_on_two_new_control_nodes_converge(laptop: Controller, runner: Controller, omitted: str) -> None:
    laptop.sandbox.set_readings(omitted=omitted)
    tasks: list[tuple[str, dict[str, t.Any]]] = [("device", OWN), ("webhook_config", {"webhook": URL})]
    for _turn in range(2):
        for controller in (laptop, runner):
            results = [controller.run(module, device=A, **task).result for module, task in tasks]
            first = controller is laptop and _turn == 0
            assert [result["changed"] for result in results] == [first, first]
    assert wire(laptop)["webhook"] == URL and wire(laptop)["personal"] is True


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_settings_proven_by_a_stamp_are_carried_by_the_next_task(
    laptop: Controller, runner: Controller, omitted: str
) -> None:
    laptop.sandbox.set_readings(omitted=omitted)
    laptop.device(A, **OWN)
    laptop.run("webhook_config", device=A, webhook=URL)
    assert not runner.device(A, **OWN).result["changed"]
    result = runner.run("webhook_config", device=A, webhook=OTHER).result
    assert set(result["carried"]) == {"personal", "quick"} and "personal" not in result["at_risk"]
    held = wire(runner)
    assert held["personal"] is True and held["webhook"] == OTHER
    assert not laptop.device(A, **OWN).result["changed"]


def _made_by_hand(controller: Controller) -> None:
    name = wire(controller)["name"]
    controller.sandbox.purge(A)
    Controller(controller.sandbox, controller.records.parent / "hand").device(A, name=strip_stamp(name), autoread=True)
    controller.sandbox.edit(A, name=name)


BREAKS: dict[str, t.Callable[[Controller], t.Any]] = {
    "renamed": lambda other: other.sandbox.edit(A, name="Toko Dua"),
    "renamed, and the stamp left": lambda other: other.sandbox.edit(
        A, name=wire(other)["name"].replace("Satu", "Dua"), webhook=OTHER
    ),
    "autoread and a webhook": lambda other: other.sandbox.edit(A, autoread=False, webhook=OTHER),
    "another control node": lambda other: other.device(A, webhook=OTHER),
    "another control node without stamps": lambda other: other.device(A, webhook=OTHER, handle_write_only="recorded"),
    "purged and made by hand": _made_by_hand,
}


@pytest.mark.parametrize("how", BREAKS)
def test_invalid_stamp_causes_the_settings_to_be_sent_again(laptop: Controller, runner: Controller, how: str) -> None:
    laptop.device(A, **FULL)
    BREAKS[how](runner)
    result = predicted_and_done(laptop, "device", device=A, **FULL)
    assert "webhook" in result["changed_fields"]
    assert wire(laptop)["webhook"] == URL and wire(laptop)["personal"] is True
    assert not laptop.device(A, **FULL).result["changed"]


def test_stamp_does_not_detect_an_edit_of_only_write_only_settings(laptop: Controller, runner: Controller) -> None:
    """A person edits write-only settings and nothing else. The documentation states this limit."""
    laptop.device(A, **FULL)
    laptop.sandbox.edit(A, webhook=OTHER)
    assert not laptop.device(A, **FULL).result["changed"] and not runner.device(A, **FULL).result["changed"]


def test_lost_response_of_an_applied_update_is_proven_and_not_sent_again(
    laptop: Controller, runner: Controller
) -> None:
    laptop.device(A, **FULL)
    laptop.sandbox.fault("reset", path="/update-device", when="after", times=1)
    writes(laptop)
    result = laptop.device(A, **{**FULL, "webhook": OTHER}).result
    assert result["operations"] == ["update"] and writes(laptop) == ["/update-device"]
    again = laptop.device(A, **{**FULL, "webhook": OTHER}).result
    assert not again["changed"] and again["evidence"]["webhook"]["source"] == "stamped"
    entries = laptop.run("device_info", recorded=True).result["devices"][0]["recorded"]
    assert entries["webhook"]["source"] == "recorded"
    assert not runner.device(A, **{**FULL, "webhook": OTHER}).result["changed"]


def test_lost_update_of_a_creation_is_proven(laptop: Controller, runner: Controller) -> None:
    laptop.sandbox.fault("reset", path="/update-device", when="after", times=None)
    result = laptop.device(A, **FULL).result
    assert result["operations"] == ["create", "update"]
    assert writes(laptop) == ["/add-device", "/update-device"]
    assert not laptop.device(A, **FULL).result["changed"] and not runner.device(A, **FULL).result["changed"]


def test_update_of_a_killed_run_is_proven(
    laptop: Controller, runner: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = _api.FonnteClient.update_device

    def killed(*arguments: t.Any) -> t.NoReturn:
        update(*arguments)
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(_api.FonnteClient, "update_device", killed)
        laptop.device(A, **FULL)
    for controller in (laptop, runner):
        result = controller.device(A, **FULL).result
        assert not result["changed"] and result["evidence"]["webhook"]["source"] == "stamped"
    # The creation is complete: settings that others changed since may be unknown again.
    assert "quick" in laptop.run("webhook_config", True, device=A, webhook=OTHER).result["carried"]


def test_superseded_setting_is_not_carried(laptop: Controller, runner: Controller) -> None:
    """The laptop's record of the webhook is old.

    If it were sent with the new name, it would revert the runner's change.
    """
    laptop.device(A, **FULL)
    runner.run("webhook_config", device=A, webhook=OTHER)
    result = predicted_and_done(laptop, "device", device=A, name="Toko Dua", personal=True, quick=False)
    assert "webhook" not in result["carried"] and "webhook" in result["at_risk"]
    assert wire(laptop)["webhook"] == OTHER
    recorded = laptop.run("device_info", recorded=True).result["devices"][0]["recorded"]
    assert "webhook" not in recorded


def test_superseded_declared_setting_is_sent(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **FULL)
    runner.device(A, **{**FULL, "webhook": OTHER})
    result = predicted_and_done(laptop, "device", device=A, **FULL)
    assert result["reasons"] == {"webhook": "unproven"} and result["evidence"]["personal"]["source"] == "stamped"
    assert result["evidence"]["webhook"] == {"source": "none", "at": None}


@pytest.mark.parametrize("profile_number", ["registered", "linked"])
def test_device_token_is_sufficient_for_stamps(laptop: Controller, runner: Controller, profile_number: str) -> None:
    laptop.sandbox.set_readings(profile_number=profile_number)
    laptop.device(A, **FULL)
    alone = {"account_token": None, "device_token": laptop.sandbox.device(A)["token"], **FULL}
    assert not runner.run("device", **alone).result["changed"]
    result = predicted_and_done(runner, "device", **{**alone, "autoread": False})
    assert result["reasons"] == {"autoread": "differs"}
    assert wire(laptop)["autoread"] is False and wire(laptop)["webhook"] == URL
    assert laptop.device(A, **FULL).result["reasons"] == {"autoread": "differs"}


@pytest.mark.parametrize("reading", ["clears", "ignored", "refused"])
def test_cleared_webhook_is_not_claimed_to_be_empty(laptop: Controller, runner: Controller, reading: str) -> None:
    laptop.sandbox.set_readings(empty_webhook=reading)
    laptop.device(A, **{**FULL, "webhook_status": OTHER})
    laptop.device(A, **{**FULL, "webhook_status": ""})
    for controller in (laptop, runner):
        writes(controller)
        result = controller.device(A, **{**FULL, "webhook_status": ""}).result
        assert not result["changed"] and writes(controller) == []
        assert result["evidence"]["webhook_status"]["source"] == "unconfirmed"
        assert result["evidence"]["webhook"]["source"] == "stamped"


def test_creation_without_a_needed_update_is_stamped_too(laptop: Controller, runner: Controller) -> None:
    result = predicted_and_done(laptop, "device", device=A, **{**OWN, "quick": None})
    assert result["operations"] == ["create", "update"]
    assert not runner.device(A, **{**OWN, "quick": None}).result["changed"]


def test_device_without_write_only_settings_gets_no_stamp(laptop: Controller) -> None:
    assert laptop.device(A, name="Toko Satu", autoread=True).result["operations"] == ["create"]
    laptop.device(A, name="Toko Dua", handle_unknown="ignore")
    assert wire(laptop)["name"] == "Toko Dua"


def test_stamp_needs_no_additional_request(laptop: Controller) -> None:
    plain = Controller(laptop.sandbox, laptop.records.parent / "plain")
    calls = []
    for controller, number in ((plain, A), (laptop, B)):
        for task in (FULL, FULL, {**FULL, "webhook": OTHER}, {**FULL, "webhook": OTHER}):
            controller.device(number, **task)
        calls.append([entry["path"] for entry in controller.sandbox.journal()])
        controller.sandbox.clear_journal()
    assert calls[0] == calls[1]


@pytest.mark.parametrize("module", ["device", "webhook_config"])
def test_name_without_space_for_a_stamp_is_refused_before_a_write(laptop: Controller, module: str) -> None:
    laptop.device(A, name="N" * 24, handle_write_only="recorded")
    writes(laptop)
    for check in (True, False):
        with pytest.raises(OptionError) as caught:
            laptop.run(module, check, device=A, webhook=URL)
        assert "24 characters" in str(caught.value) and "23" in str(caught.value)
    laptop.sandbox.clear_journal()
    with pytest.raises(OptionError) as caught:
        laptop.device(B, name="N" * 24)
    assert "23" in str(caught.value) and laptop.sandbox.journal() == []
    assert laptop.device(B, name="N" * 23, webhook=URL).result["changed"]


def test_expired_record_is_applied_again_although_the_stamp_is_valid(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **FULL)
    result = laptop.device(A, record_max_age="0s", **FULL).result
    assert result["reasons"]["webhook"] == "expired"
    assert not runner.device(A, record_max_age="0s", **FULL).result["changed"]


def test_unwritable_record_is_no_failure_if_nothing_changes(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **FULL)
    file = laptop.records.parent / "file"
    file.write_text("no directory")
    report = runner.device(A, record_path=str(file / "records"), **FULL)
    assert not report.result["changed"]
    assert "could not be recorded" in report.warnings[-1]


def test_update_without_stamps_removes_the_stamp(laptop: Controller) -> None:
    laptop.device(A, **FULL)
    stamped = wire(laptop)["name"]
    assert not laptop.device(A, handle_write_only="recorded", **FULL).result["changed"]
    assert wire(laptop)["name"] == stamped
    laptop.device(A, handle_write_only="recorded", webhook=OTHER)
    assert wire(laptop)["name"] == "Toko Satu"
    assert "webhook" in laptop.device(A, **FULL).result["reasons"]


# Limits of a record without stamps. With stamps each of these is a change; see
# test_invalid_stamp_causes_the_settings_to_be_sent_again.


def _recorded_misses(mine: Controller, behind: t.Callable[[], t.Any], **task: t.Any) -> None:
    declared = {**FULL, **task}
    mine.device(A, handle_write_only="recorded", **declared)
    behind()
    result = mine.device(A, handle_write_only="recorded", **declared).result
    assert not result["changed"]
    assert wire(mine)["webhook"] != declared["webhook"]


def test_record_does_not_detect_a_write_only_setting_edited_in_the_dashboard(controller: Controller) -> None:
    _recorded_misses(controller, lambda: controller.sandbox.edit(A, webhook=OTHER))


def test_record_does_not_detect_a_setting_applied_by_another_control_node(
    controller: Controller, runner: Controller
) -> None:
    _recorded_misses(controller, lambda: runner.device(A, webhook=OTHER, handle_write_only="recorded"))


def test_record_does_not_detect_settings_reset_by_another_control_node(
    controller: Controller, runner: Controller
) -> None:
    controller.sandbox.set_readings(omitted="resets")
    _recorded_misses(controller, lambda: runner.device(A, autoread=True, quick=True, handle_write_only="recorded"))


def test_record_does_not_detect_changes_after_a_restored_backup(controller: Controller) -> None:
    def restore() -> None:
        shutil.copytree(controller.records, controller.records.parent / "backup")
        controller.device(A, webhook=OTHER, handle_write_only="recorded")
        shutil.rmtree(controller.records)
        shutil.copytree(controller.records.parent / "backup", controller.records)

    _recorded_misses(controller, restore)


def test_stamp_detects_a_record_restored_from_an_old_backup(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **FULL)
    backup = laptop.records.parent / "backup"
    shutil.copytree(laptop.records, backup)
    runner.device(A, **{**FULL, "webhook": OTHER})
    laptop.device(A, **{**FULL, "webhook": OTHER})
    shutil.rmtree(laptop.records)
    shutil.copytree(backup, laptop.records)
    assert not laptop.device(A, **{**FULL, "webhook": OTHER}).result["changed"]
    assert laptop.device(A, **FULL).result["reasons"] == {"webhook": "differs"}


def test_new_control_node_without_stamps_reports_a_change_although_nothing_differs(
    controller: Controller, runner: Controller
) -> None:
    controller.device(A, **FULL)
    result = runner.device(A, handle_write_only="recorded", **FULL).result
    assert result["reasons"] == {"personal": "no_record", "quick": "no_record", "webhook": "no_record"}


# Regression tests


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_recorded_setting_outside_a_proven_set_is_unknown(laptop: Controller, runner: Controller, omitted: str) -> None:
    """The laptop once declared quick as well; the runner's update did not have it. Neither reverts the other."""
    laptop.sandbox.set_readings(omitted=omitted)
    laptop.device(A, **OWN)
    fewer = {option: value for option, value in OWN.items() if option != "quick"}
    runner.device(A, **fewer, webhook=URL)
    for _turn in range(2):
        assert not laptop.device(A, **fewer).result["changed"]
        laptop.run("webhook_config", device=A, webhook=URL)
        assert wire(laptop)["personal"] is True
        assert not runner.device(A, **fewer).result["changed"]
    recorded = laptop.run("device_info", recorded=True).result["devices"][0]["recorded"]
    assert "quick" not in recorded


HICCUP = {
    "kind": "status",
    "path": "/update-device",
    "code": 200,
    "body": {"status": False, "reason": "webhook url is dead"},
}


@pytest.mark.parametrize(
    "then", [{**HICCUP}, {"kind": "reset", "path": "/update-device", "when": "before"}], ids=["refused", "lost"]
)
def test_update_without_the_clears_does_not_claim_them(
    laptop: Controller, runner: Controller, then: dict[str, t.Any]
) -> None:
    laptop.device(A, **FULL, webhook_status=OTHER)
    cleared = {**FULL, "webhook_status": ""}
    laptop.sandbox.fault(**HICCUP, times=1)
    laptop.sandbox.fault(**then, times=3, skip=1)
    with contextlib.suppress(FonnteError):
        laptop.device(A, **cleared)
    laptop.sandbox.clear_faults()
    for controller in (runner, laptop):
        result = controller.device(A, **cleared).result
        assert result["changed"] == (controller is runner)
    assert wire(laptop)["webhookstatus"] == ""


def test_recorded_clear_is_stamped_only_if_it_is_proven_or_sent(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **OWN, webhook_status=OTHER)
    laptop.device(A, **OWN, webhook_status="")
    runner.run("webhook_config", device=A, webhook_status=URL, handle_write_only="recorded")
    laptop.device(A, **OWN)
    assert laptop.run("webhook_config", device=A, webhook_status="").result["changed"]
    assert wire(laptop)["webhookstatus"] == ""


def test_undeclared_cleared_webhook_does_not_prevent_a_stable_state(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **OWN, webhook_connect=OTHER, webhook_chaining="", handle_write_only="recorded")
    task = {**OWN, "webhook": ""}
    assert laptop.device(A, **task).result["changed"]
    assert not laptop.device(A, **task).result["changed"]


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_name_edited_around_its_stamp_loses_no_recorded_setting(laptop: Controller, omitted: str) -> None:
    laptop.sandbox.set_readings(omitted=omitted)
    laptop.device(A, **FULL, group=True)
    laptop.sandbox.edit(A, name=wire(laptop)["name"].replace("Satu", "Dua"))
    result = predicted_and_done(laptop, "device", device=A, **OWN)
    assert set(result["carried"]) == {"group", "webhook"}
    assert wire(laptop)["webhook"] == URL and wire(laptop)["group"] is True


@pytest.mark.parametrize("edit", [{"autoread": False}, {}], ids=["autoread edited", "as it was"])
def test_setting_in_doubt_does_not_restore_a_superseded_value(
    laptop: Controller, runner: Controller, edit: dict[str, t.Any]
) -> None:
    laptop.device(A, **FULL)
    laptop.sandbox.fault("reset", path="/update-device", when="before", times=None)
    with pytest.raises(FonnteError):
        laptop.run("webhook_config", device=A, webhook_connect=OTHER)
    laptop.sandbox.clear_faults()
    runner.run("webhook_config", device=A, webhook=OTHER)
    laptop.sandbox.edit(A, **edit)
    result = predicted_and_done(laptop, "device", device=A, **{**OWN, "name": "Toko Dua"})
    assert "webhook" not in result["carried"] and "webhook_connect" not in result["carried"]
    assert wire(laptop)["webhook"] == OTHER


def test_own_setting_in_doubt_is_sent_again(laptop: Controller) -> None:
    laptop.device(A, **FULL)
    laptop.sandbox.fault("reset", path="/update-device", when="before", times=None)
    with pytest.raises(FonnteError):
        laptop.run("webhook_config", device=A, webhook=OTHER)
    laptop.sandbox.clear_faults()
    result = predicted_and_done(laptop, "device", device=A, **{**OWN, "name": "Toko Dua"})
    assert "webhook" in result["carried"] and wire(laptop)["webhook"] == OTHER


def test_autoread_edited_with_a_write_only_setting_invalidates_the_stamp(laptop: Controller) -> None:
    task: dict[str, t.Any] = {"name": "Toko Satu", "personal": True, "webhook": URL}
    laptop.device(A, **task)
    laptop.sandbox.edit(A, autoread=True, personal=False)
    assert laptop.device(A, **task).result["reasons"] == {"personal": "unproven", "webhook": "unproven"}
    assert wire(laptop)["personal"] is True


def test_forgetting_with_only_a_device_token_converges(laptop: Controller) -> None:
    laptop.device(A, **OWN)
    alone = {"account_token": None, "device_token": laptop.sandbox.device(A)["token"], "handle_undeclared": "forget"}
    changed = [
        laptop.run("device", name="Toko Satu", personal=True, quick=False, **alone).result["changed"]
        for _turn in range(4)
    ]
    assert changed[1:] == [False, False, False]


def test_forgetting_settings_of_a_killed_creation_converges(
    laptop: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: t.Any) -> t.NoReturn:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(_api.FonnteClient, "update_device", killed)
        laptop.device(A, **FULL)
    forget: dict[str, t.Any] = {"name": "Toko Satu", "handle_undeclared": "forget", "handle_write_only": "recorded"}
    assert laptop.device(A, **forget).result["operations"] == ["forget"]
    assert not laptop.device(A, **forget).result["changed"]


def test_name_that_begins_with_a_space_is_stamped_once(laptop: Controller, sandbox: Sandbox) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [{"number": A, "name": " Toko "}]}])
    for turn in range(2):
        assert laptop.run("webhook_config", device=A, webhook=URL).result["changed"] == (turn == 0)
    assert strip_stamp(wire(laptop)["name"]) == " Toko "


def test_removal_of_a_stamp_is_reported(laptop: Controller, controller: Controller) -> None:
    laptop.device(A, **FULL)
    report = controller.run("webhook_config", device=A, webhook=OTHER)
    assert any("stamp" in warning and "removes it" in warning for warning in report.warnings)
    laptop.device(A, **FULL)
    own = laptop.device(A, webhook=OTHER, handle_write_only="recorded")
    assert not any("removes it" in warning for warning in own.warnings)


def test_error_shows_the_name_without_its_stamp(laptop: Controller) -> None:
    laptop.device(A, **FULL)
    laptop.device(A, name="Toko Dua")
    sent = wire(laptop)["name"]
    laptop.sandbox.edit(A, name="Toko Satu")
    body = {"status": False, "reason": f"the name {sent} is taken"}
    laptop.sandbox.fault("status", path="/update-device", code=200, body=body, times=None)
    with pytest.raises(FonnteError) as caught:
        laptop.device(A, name="Toko Dua")
    assert strip_stamp(sent) != sent and '"the name Toko Dua is taken"' in str(caught.value)


def test_run_that_only_updates_the_record_does_not_wait_for_another(
    laptop: Controller, runner: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.device(A, **FULL)
    token = laptop.sandbox.device(A)["token"]
    file = RecordStore(str(runner.records), runner.sandbox.url).device(token)
    monkeypatch.setattr(_writer, "LOCK_SECONDS", 0.01)
    with file.lock(1):
        report = runner.device(A, **FULL)
    assert not report.result["changed"] and report.warnings == []


def test_attest_with_state_absent(controller: Controller) -> None:
    result = controller.run("webhook_config", device=A, state="absent", handle_write_only="attest").result
    assert not result["changed"]
    with pytest.raises(OptionError):
        controller.device(A, state="absent", request_otp=True, handle_write_only="attest")


def test_new_device_with_an_empty_webhook_is_proven_on_another_control_node(
    laptop: Controller, runner: Controller
) -> None:
    task = {**FULL, "webhook_status": ""}
    laptop.device(A, **task)
    assert not runner.device(A, **task).result["changed"]


def test_attested_settings_expire_after_another_stamp(laptop: Controller, runner: Controller, sandbox: Sandbox) -> None:
    by_hand(sandbox)
    laptop.device(A, handle_write_only="attest", **SEEN)
    runner.device(A, personal=True, handle_unknown="ignore")
    result = laptop.device(A, **SEEN).result
    assert result["reasons"] == {"webhook": "unproven", "webhook_status": "unproven"}


def test_autoread_is_stamped_for_tasks_with_only_a_device_token(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, name="Toko Satu", autoread=False)
    laptop.device(A, name="Toko Satu", autoread=True)
    alone = {"account_token": None, "device_token": laptop.sandbox.device(A)["token"]}
    assert not runner.run("device", name="Toko Satu", autoread=True, **alone).result["changed"]


def test_readable_settings_are_not_forgotten(laptop: Controller) -> None:
    """The record of autoread is for runs with only a device token; with a list it is not read."""
    laptop.device(A, **OWN)
    rest = {option: value for option, value in OWN.items() if option != "autoread"}
    assert laptop.device(A, handle_undeclared="forget", **rest).result["forgotten"] == []


def test_forgotten_setting_is_reported_again_when_it_is_carried_again(controller: Controller) -> None:
    controller.device(A, **FULL)
    assert any("also sends" in warning for warning in controller.device(A, name="Toko Dua").warnings)
    controller.device(A, handle_undeclared="forget", **{**OWN, "name": "Toko Dua"})
    controller.device(A, webhook=URL)
    assert any("also sends" in warning for warning in controller.device(A, name="Toko Tiga").warnings)


def test_proven_value_has_the_time_of_the_matching_record(laptop: Controller, runner: Controller) -> None:
    laptop.device(A, **FULL)
    assert laptop.device(A, **FULL).result["evidence"]["webhook"]["at"]
    assert runner.device(A, **FULL).result["evidence"]["webhook"]["at"] is None
    assert runner.device(A, **FULL).result["evidence"]["webhook"]["at"]


# Attested


def by_hand(sandbox: Sandbox, number: str = A) -> None:
    """Create a device as a person does in the dashboard."""
    settings = {"autoread": True, "personal": True, "webhook": URL}
    sandbox.reset(
        accounts=[{"token": sandbox.account_token, "devices": [{"number": number, **settings, "name": "Toko Satu"}]}]
    )


SEEN: dict[str, t.Any] = {"name": "Toko Satu", "autoread": True, "personal": True, "webhook": URL, "webhook_status": ""}


def test_attested_settings_are_recorded_and_not_sent(controller: Controller, sandbox: Sandbox) -> None:
    by_hand(sandbox)
    result = predicted_and_done(controller, "device", device=A, handle_write_only="attest", **SEEN)
    assert result["changed"] and result["operations"] == ["attest"]
    assert result["changed_fields"] == ["personal", "webhook", "webhook_status"]
    again = predicted_and_done(controller, "device", device=A, handle_write_only="attest", **SEEN)
    assert not again["changed"] and again["evidence"]["personal"]["source"] == "attested"
    assert again["evidence"]["personal"]["by"] and again["evidence"]["webhook_status"]["source"] == "attested"
    for policy in ("recorded", "error"):
        plain = predicted_and_done(controller, "device", device=A, handle_write_only=policy, **SEEN)
        assert not plain["changed"] and plain["evidence"]["webhook"]["source"] == "attested"
    assert writes(controller) == []


def test_attest_does_not_change_readable_settings(controller: Controller, sandbox: Sandbox) -> None:
    by_hand(sandbox)
    for wrong in ({"name": "Toko Dua"}, {"autoread": False}):
        with pytest.raises(PolicyError) as caught:
            controller.device(A, handle_write_only="attest", **{**SEEN, **wrong})
        assert next(iter(wrong)) in str(caught.value)
    with pytest.raises(NotFoundError) as missing:
        controller.device(B, handle_write_only="attest", **SEEN)
    assert B in str(missing.value)
    with pytest.raises(OptionError):
        controller.device(A, handle_write_only="attest", state="disconnected", **SEEN)
    assert writes(controller) == [] and controller.record_files() == {}


def test_attest_resolves_doubt_and_an_unconfirmed_clear(controller: Controller) -> None:
    controller.device(A, **{**FULL, "webhook_status": OTHER})
    controller.device(A, webhook_status="")
    controller.sandbox.fault("reset", path="/update-device", times=None)
    with pytest.raises(FonnteError):
        controller.device(A, quick=True)
    controller.sandbox.clear_faults()
    result = controller.device(A, handle_write_only="attest", quick=False, webhook_status="").result
    assert result["reasons"] == {"quick": "in_doubt", "webhook_status": "unproven"}
    assert not controller.device(A, quick=False, webhook_status="").result["changed"]


def test_update_sends_attested_settings(controller: Controller, sandbox: Sandbox) -> None:
    by_hand(sandbox)
    sandbox.set_readings(omitted="resets")
    controller.run("webhook_config", device=A, handle_write_only="attest", webhook=URL)
    controller.device(A, handle_write_only="attest", personal=True)
    result = controller.device(A, name="Toko Dua").result
    assert set(result["carried"]) == {"personal", "webhook"}
    assert wire(controller)["webhook"] == URL and wire(controller)["personal"] is True


def facts(folder: Path, sandbox: Sandbox, **known: str) -> str:
    path = folder / "facts.json"
    found = {"format": 1, "endpoint": sandbox.url, "found_at": "2026-11-22T10:00:00Z", "facts": known}
    path.write_text(json.dumps(found))
    return str(path)


def test_first_stamped_run_writes_stamps_for_attested_settings(
    controller: Controller, laptop: Controller, runner: Controller, sandbox: Sandbox
) -> None:
    """The attested values are in one record only. After the run, any control node can check them."""
    by_hand(sandbox)
    laptop.device(A, handle_write_only="attest", **SEEN)
    first = predicted_and_done(laptop, "device", device=A, handle_write_only="stamped", **SEEN)
    assert first["operations"] == ["update"] and set(first["reasons"].values()) == {"unproven"}
    (update,) = sandbox.writes()
    assert update["form"]["webhook"] == URL and update["form"]["webhookstatus"] == ""
    for node in (laptop, runner):
        assert not node.device(A, **SEEN).result["changed"]


def test_attest_against_a_stamp_warns(controller: Controller, laptop: Controller) -> None:
    laptop.device(A, **FULL)
    report = controller.device(A, handle_write_only="attest", webhook=OTHER)
    assert any("stamp of other settings" in warning for warning in report.warnings)
    assert not controller.device(A, handle_write_only="attest", webhook=OTHER).result["changed"]


# Carried and forgotten


def test_carried_settings_are_reported_once(controller: Controller) -> None:
    controller.device(A, **FULL)
    first = controller.device(A, True, name="Toko Dua")
    assert any("webhook (20" in warning and "handle_undeclared" in warning for warning in first.warnings)
    assert first.warnings == controller.device(A, name="Toko Dua").warnings
    second = controller.device(A, name="Toko Tiga")
    assert set(second.result["carried"]) == {"personal", "quick", "webhook"}
    assert not any("also sends" in warning for warning in second.warnings)


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_forgotten_settings_are_not_sent(controller: Controller, omitted: str) -> None:
    controller.sandbox.set_readings(omitted=omitted)
    controller.device(A, **FULL)
    forget: dict[str, t.Any] = {"device": A, "handle_undeclared": "forget", **OWN}
    result = predicted_and_done(controller, "device", **forget)
    assert result["changed"] and result["operations"] == ["forget"] and result["forgotten"] == ["webhook"]
    assert writes(controller) == []
    assert not predicted_and_done(controller, "device", **forget)["changed"]
    result = controller.device(A, name="Toko Dua").result
    assert "webhook" not in result["carried"] and "webhook" in result["at_risk"]
    assert wire(controller)["webhook"] == (URL if omitted == "keeps" else "")


def test_forgetting_precedes_the_update_of_the_same_run(controller: Controller) -> None:
    controller.device(A, **FULL)
    result = predicted_and_done(
        controller, "device", device=A, handle_undeclared="forget", **{**OWN, "name": "Toko Dua"}
    )
    assert result["operations"] == ["forget", "update"] and result["carried"] == {}
    assert "webhook" not in controller.sandbox.writes()[-1]["form"]


def test_webhook_config_forgets_only_webhooks(controller: Controller) -> None:
    controller.device(A, **{**FULL, "webhook_status": OTHER})
    result = controller.run("webhook_config", device=A, webhook=URL, handle_undeclared="forget").result
    assert result["forgotten"] == ["webhook_status"]
    recorded = controller.run("device_info", recorded=True).result["devices"][0]["recorded"]
    assert set(recorded) == {"autoread", "personal", "quick", "webhook"}


@pytest.mark.parametrize("alone", [False, True])
def test_forgetting_with_stamps_converges(laptop: Controller, runner: Controller, alone: bool) -> None:
    laptop.device(A, **FULL)
    token = {"account_token": None, "device_token": laptop.sandbox.device(A)["token"]} if alone else {}
    task = {"webhook_connect": OTHER, "handle_undeclared": "forget", **OWN, **token}
    laptop.run("device", device=A, **task)
    assert not laptop.run("device", device=A, **task).result["changed"]
    assert not runner.run("device", device=A, **task).result["changed"]


# Facts


def test_no_warning_if_the_service_is_known_to_keep_omitted_settings(
    controller: Controller, sandbox: Sandbox, tmp_path: Path
) -> None:
    by_hand(sandbox)
    known = facts(tmp_path, sandbox, omitted="keeps")
    report = controller.device(A, name="Toko Dua", handle_unknown="error", service_facts_path=known)
    assert report.result["at_risk"] == [] and report.warnings == []
    with pytest.raises(PolicyError):
        controller.device(
            A, name="Toko Tiga", handle_unknown="error", service_facts_path=facts(tmp_path, sandbox, omitted="resets")
        )


def test_no_warning_if_the_service_is_known_to_need_no_number(
    controller: Controller, sandbox: Sandbox, tmp_path: Path
) -> None:
    by_hand(sandbox)
    alone = {"account_token": None, "device_token": sandbox.device(A)["token"], "handle_unknown": "ignore"}
    assert "renumbered" in controller.run("device", True, name="Toko Dua", **alone).warnings[0]
    known = facts(tmp_path, sandbox, update_without_device="works")
    assert controller.run("device", True, name="Toko Dua", service_facts_path=known, **alone).warnings == []


def test_operator_has_a_name_if_the_system_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    replace_functions(monkeypatch, "getpass", getuser=nobody)
    assert _options._operator() == f"user {os.getuid()}"


def test_unchanged_run_does_not_wait_for_other_runs(
    laptop: Controller, runner: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.device(A, **FULL)
    monkeypatch.setattr(_engine, "MAX_OBSERVATIONS", 1)
    assert not runner.device(A, **FULL).result["changed"]


# Two jobs in pods without a record: one declares settings, the other one webhooks

JOBS: tuple[tuple[str, dict[str, t.Any]], ...] = (
    ("device", {"device": A, **OWN, "group": False, "resend": False}),
    ("webhook_config", {"device": A, "webhook": URL}),
)


def run_in_pod(sandbox: Sandbox, folder: Path, module: str, params: dict[str, t.Any], **more: t.Any) -> ModuleResult:
    """Run a job in a pod: check mode first, and then the run, each with an empty record."""
    pod = Stamping(sandbox, Path(tempfile.mkdtemp(dir=folder)))
    predicted = pod.run(module, True, handle_unknown="ignore", **params, **more).result
    done = pod.run(module, handle_unknown="ignore", **params, **more)
    assert all(predicted[key] == done.result[key] for key in RESULT_KEYS)
    return done


def test_two_jobs_without_a_record_report_that_they_revert_each_other(sandbox: Sandbox, tmp_path: Path) -> None:
    run_in_pod(sandbox, tmp_path, *JOBS[0])
    for _turn in range(2):
        for (module, params), lost in ((JOBS[1], "its own settings"), (JOBS[0], "its webhooks")):
            report = run_in_pod(sandbox, tmp_path, module, params)
            reported = [text for text in report.warnings if "in one job" in text]
            assert report.result["changed"] and len(reported) == 1 and lost in reported[0], report.warnings
            # The same for every device, so that a fleet reports it once.
            assert A not in reported[0]


def test_one_job_with_both_declarations_is_stable(sandbox: Sandbox, tmp_path: Path) -> None:
    both = {**JOBS[0][1], **JOBS[1][1]}
    assert run_in_pod(sandbox, tmp_path, "device", both).result["changed"]
    report = run_in_pod(sandbox, tmp_path, "device", both)
    assert not report.result["changed"] and "in one job" not in " ".join(report.warnings)


def test_jobs_that_share_a_record_do_not_revert_each_other(laptop: Controller) -> None:
    for turn in range(3):
        for module, params in JOBS:
            report = laptop.run(module, handle_unknown="ignore", **params)
            assert report.result["changed"] == (turn == 0) and "in one job" not in " ".join(report.warnings)


def test_two_jobs_converge_if_the_service_keeps_omitted_settings(sandbox: Sandbox, tmp_path: Path) -> None:
    known = facts(tmp_path, sandbox, omitted="keeps")
    for turn in range(3):
        for module, params in JOBS:
            report = run_in_pod(sandbox, tmp_path, module, params, service_facts_path=known)
            assert report.result["changed"] == (turn == 0), (turn, module, report.result["reasons"])
            assert "in one job" not in " ".join(report.warnings)
    # A visible change in the dashboard does not prove the settings of the other job.
    sandbox.edit(A, name=sandbox.device(A)["name"].replace("Satu", "Dua"))
    for _turn in range(2):
        changed = [
            run_in_pod(sandbox, tmp_path, module, params, service_facts_path=known).result["changed"]
            for module, params in JOBS
        ]
    assert changed == [False, False] and wire(Controller(sandbox, tmp_path))["webhook"] == URL


def test_kept_proof_ends_with_a_change_of_the_name_or_of_autoread(sandbox: Sandbox, tmp_path: Path) -> None:
    known = facts(tmp_path, sandbox, omitted="keeps")
    more = {"service_facts_path": known}
    for edit in ({"name": "Toko Dua ~k3f9x"}, {"autoread": False}):
        for module, params in JOBS:
            run_in_pod(sandbox, tmp_path, module, params, **more)
        sandbox.edit(A, webhook=OTHER, **edit)
        # Another setting of only the first job: its update must not keep the proof of the webhooks.
        run_in_pod(sandbox, tmp_path, "device", {**JOBS[0][1], "quick": True}, **more)
        assert run_in_pod(sandbox, tmp_path, *JOBS[1], **more).result["changed"], edit
        assert wire(Controller(sandbox, tmp_path))["webhook"] == URL
