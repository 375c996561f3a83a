# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a fault, a run writes only to its own device, and resolves the doubt about a request that was not sent."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, RefusedError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import AbandonedError, Lineage
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine as _engine
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import list_age as _list_age
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import record_writer as _record_writer
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, EntryStatus
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.files import EncryptedFile
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

A, B, C = "081200000001", "081200000002", "081200000009"
URL = "https://h.example.com/a?key=s3cret"
SETTINGS: dict[str, t.Any] = {"name": "Toko Satu", "webhook": URL, "personal": True}


def store(controller: Controller) -> RecordStore:
    return RecordStore(str(controller.records), controller.sandbox.url)


def device_record(controller: Controller, number: str) -> EncryptedFile[DeviceRecord]:
    return store(controller).device(controller.sandbox.device(number)["token"])


def run(controller: Controller, module: str, **settings: t.Any) -> None:
    """Declare device A with fonnte_device, or as the only entry of fonnte_fleet."""
    if module == "device":
        controller.device(A, handle_unknown="ignore", **settings)
    else:
        controller.run("fleet", devices=[{"device": A, "handle_unknown": "ignore", **settings}])


def after_fault(monkeypatch: pytest.MonkeyPatch, edit: t.Callable[[], object]) -> None:
    """Edit the account between the first fault of a run and its second list."""
    decide = _engine._list_may_be_stale

    def edit_first(fault: t.Any) -> bool:
        edit()
        return decide(fault)

    monkeypatch.setattr(_engine, "_list_may_be_stale", edit_first)


class Dashboard:
    """A colleague who deletes device A in the dashboard and creates another client's device with its number."""

    def __init__(self, controller: Controller, directory: Path) -> None:
        self._sandbox = controller.sandbox
        self._elsewhere = Controller(controller.sandbox, directory / "elsewhere")

    def recreate(self) -> None:
        token = self._sandbox.device(A)["token"]
        self._sandbox.purge(A)
        self._elsewhere.device(A, name="Another client")
        assert self._sandbox.device(A)["token"] != token
        self._sandbox.clear_journal()


def assert_untouched(controller: Controller) -> None:
    """Check that the device with number A has nothing of the task, now and after the next task."""
    other = controller.sandbox.device(A)
    assert other["name"] == "Another client" and other["settings"]["webhook"] == ""
    assert other["token"] not in [entry["token"] for entry in controller.sandbox.writes()]
    assert device_record(controller, A).read() is None
    controller.device(A, name="Renamed", handle_unknown="ignore")
    to_other = [entry["form"] for entry in controller.sandbox.writes() if entry["token"] == other["token"]]
    assert [form.get("webhook") for form in to_other] == [None]
    assert controller.sandbox.device(A)["settings"]["webhook"] == ""


# The second plan


@pytest.mark.parametrize("module", ["device", "fleet"])
@pytest.mark.parametrize("end", ["lost", "refused"])
def test_created_device_values_are_not_sent_to_another_device_with_its_number(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, end: str
) -> None:
    dashboard = Dashboard(controller, tmp_path)
    if end == "lost":
        controller.sandbox.fault("reset", path="/update-device", when="before")
        after_fault(monkeypatch, dashboard.recreate)
    else:
        # The service refuses the update, because the device is deleted.
        update = FonnteClient.update_device

        def update_late(api: FonnteClient, *args: t.Any) -> None:
            monkeypatch.setattr(FonnteClient, "update_device", update)
            dashboard.recreate()
            update(api, *args)

        monkeypatch.setattr(FonnteClient, "update_device", update_late)
    with pytest.raises(FonnteError) as caught:
        run(controller, module, **SETTINGS)
    reported = str(caught.value.partial_result["devices"][0]["msg"] if module == "fleet" else caught.value)
    assert "another device has this number now" in reported
    assert ("it is unknown whether" in reported) is (end == "lost")
    monkeypatch.undo()
    assert_untouched(controller)


def test_renumbered_created_device_is_not_created_again(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.sandbox.fault("reset", path="/update-device", when="before")
    after_fault(monkeypatch, lambda: controller.sandbox.edit(A, device=C))
    with pytest.raises(FonnteError, match=f"the service lists it as {C} now"):
        controller.device(A, **SETTINGS)
    assert list(controller.sandbox.devices()) == [C]


@pytest.mark.parametrize("path", ["/update-device", "/disconnect"])
def test_device_renumbered_after_a_lost_response_is_not_reported_as_done(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.link(A)
    controller.sandbox.fault("reset", path=path, when="before")
    after_fault(monkeypatch, lambda: controller.sandbox.edit(A, device=C))
    wanted: dict[str, t.Any] = {"name": "Tako"} if path == "/update-device" else {"state": "disconnected"}
    with pytest.raises(FonnteError, match=f"the service lists it as {C} now"):
        controller.device(A, **wanted)
    assert list(controller.sandbox.devices()) == [C] and controller.sandbox.device(C)["linked"]


def test_previously_listed_device_is_not_the_one_of_a_lost_creation(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client's device gets the number after the created one was deleted."""
    controller.device(B, name="Another client")
    controller.sandbox.fault("reset", path="/add-device", at="start", when="after")

    def give_number_to_the_other() -> None:
        controller.sandbox.purge(A)
        controller.sandbox.edit(B, device=A)
        controller.sandbox.clear_journal()

    after_fault(monkeypatch, give_number_to_the_other)
    with pytest.raises(FonnteError, match="another device has this number now"):
        controller.device(A, handle_unknown="ignore", **SETTINGS)
    other = controller.sandbox.device(A)
    assert (other["name"], other["settings"]["webhook"]) == ("Another client", "")
    assert controller.sandbox.writes() == []


def test_doubt_of_a_lost_update_stays_with_its_device(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The created device is deleted, and the run creates another one: each has a separate record."""
    written: list[tuple[str, str]] = []

    def note(_records: RecordStore, device: Device, file: EncryptedFile[DeviceRecord], *_sent: object) -> str:
        written.append((store(controller).device(device.token).name, file.name))
        return ""

    monkeypatch.setattr(_record_writer, "doubt_after_lost_locks", note)
    controller.sandbox.fault("reset", path="/update-device", when="before")
    after_fault(monkeypatch, lambda: controller.sandbox.purge(A))
    controller.device(A, **SETTINGS)
    assert written and all(device == file for device, file in written)


# A request that was not sent


@pytest.fixture
def abandon(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[bool], None]:
    """Simulate the end of ansible-playbook for the runs of a test, or its return."""
    state = {"ended": False}
    monkeypatch.setattr(Lineage, "has_ended", lambda self: state["ended"])
    return lambda ended: state.update(ended=ended)


Abandon = t.Callable[[bool], None]


def test_unsent_update_leaves_no_doubt(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, abandon: Abandon
) -> None:
    controller.device(A, name="Toko")
    before = device_record(controller, A).read()
    update = FonnteClient.update_device

    def end_first(api: FonnteClient, *args: t.Any) -> None:
        abandon(True)
        update(api, *args)

    monkeypatch.setattr(FonnteClient, "update_device", end_first)
    with pytest.raises(AbandonedError):
        controller.device(A, **SETTINGS)
    abandon(False)
    monkeypatch.setattr(FonnteClient, "update_device", update)
    assert device_record(controller, A).read() == before
    controller.sandbox.clear_journal()
    controller.device(A, name="Renamed")
    assert [entry["form"].get("webhook") for entry in controller.sandbox.writes()] == [None]


def test_unsent_creation_leaves_no_entry(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, abandon: Abandon
) -> None:
    add = FonnteClient.add_device

    def end_first(api: FonnteClient, *args: t.Any) -> Device:
        abandon(True)
        return add(api, *args)

    monkeypatch.setattr(FonnteClient, "add_device", end_first)
    with pytest.raises(AbandonedError):
        controller.device(A, **SETTINGS)
    assert store(controller).number(controller.sandbox.account_token, A).read() is None
    assert controller.sandbox.writes() == []


@pytest.mark.parametrize("module", ["device", "fleet"])
def test_run_abandoned_after_a_creation_writes_no_value_to_another_record(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abandon: Abandon, module: str
) -> None:
    """The response to the creation was lost, so the run cannot know that the device is another one."""
    dashboard = Dashboard(controller, tmp_path)
    controller.sandbox.fault("reset", path="/add-device", at="start", when="after")

    def recreate_and_end() -> None:
        dashboard.recreate()
        abandon(True)

    after_fault(monkeypatch, recreate_and_end)
    with pytest.raises(FonnteError):
        run(controller, module, **SETTINGS)
    abandon(False)
    assert_untouched(controller)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [({"state": "disconnected"}, "/update-device"), ({"state": "absent", "request_otp": True}, "/delete-device")],
)
def test_request_without_settings_records_no_declared_value(
    controller: Controller, tmp_path: Path, wanted: dict[str, t.Any], path: str
) -> None:
    """After a creation without a response, declared values are in doubt only in the plan."""
    controller.sandbox.fault("reset", path="/add-device", at="start", when="after")
    controller.sandbox.fault("status", path="/get-devices", code=503, when="before", skip=1, times=None)
    with pytest.raises(FonnteError):
        controller.device(A, **SETTINGS)
    controller.sandbox.clear_faults()
    Dashboard(controller, tmp_path).recreate()
    controller.sandbox.link(A)
    refused = {"status": False, "reason": "quota of calls used up"}
    controller.sandbox.fault("status", path="/update-device", code=200, body=refused)
    with contextlib.suppress(RefusedError):
        controller.device(A, handle_unknown="ignore", webhook=URL, **wanted)
    assert [entry["path"] for entry in controller.sandbox.journal() if entry["write"]] == [path]
    found = device_record(controller, A).read()
    assert found is None or "webhook" not in found.entries


def test_failed_list_request_leaves_no_doubt(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.device(A, name="Toko")
    before = device_record(controller, A).read()
    monkeypatch.setattr(_list_age, "MAX_CACHE_SECONDS", -1.0)
    controller.sandbox.fault("reset", path="/get-devices", when="after", skip=1, times=None)
    controller.sandbox.clear_journal()
    with pytest.raises(FonnteError, match="could not be requested again.*nothing was sent") as caught:
        controller.device(A, **SETTINGS)
    assert not getattr(caught.value, "may_be_applied", False) and controller.sandbox.writes() == []
    found = device_record(controller, A).read()
    assert found == before
    assert found is None or EntryStatus.IN_DOUBT not in {entry.status for entry in found.entries.values()}
