# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Right device: an irreversible request goes to the device that the service lists while its lock is held."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import Keep
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import Task
from ansible_collections.fonnte.whatsapp.tests.controller import MODULES, Controller

A, B, C = "081200000001", "081200000002", "081200000003"
OTP = "047193"


def begin(controller: Controller, *numbers: str, **fields: t.Any) -> None:
    devices = [{"number": number, "name": f"Toko {number[-1]}", "package": "Super", **fields} for number in numbers]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


class Loop:
    """The items of one loop: runs of modules in one process, which share connections and the listing."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._keep = Keep()

    def run(self, module: str, **params: t.Any) -> dict[str, t.Any]:
        _spec, command = MODULES[module]
        given = {**self._controller.common, **params}
        task = Task(self._controller.complete(module, **params), {}, keep=self._keep, given=given)
        return command(task).result


@pytest.fixture
def loop(controller: Controller) -> Loop:
    return Loop(controller)


def have_code(controller: Controller, number: str) -> None:
    """Have the service send a code for a deletion, requested by another control node."""
    controller.sandbox.next_otp(OTP)
    before = controller.records
    controller.common["record_path"] = f"{before}-elsewhere"
    controller.device(number, state="absent", request_otp=True)
    controller.common["record_path"] = str(before)


def states(controller: Controller) -> dict[str, bool]:
    return {number: device["linked"] for number, device in controller.sandbox.devices().items()}


def writes_to(controller: Controller) -> list[tuple[str, str]]:
    return [(entry["path"], entry["number"]) for entry in controller.sandbox.writes()]


def test_a_device_that_was_renumbered_during_a_loop_is_not_deleted(controller: Controller, loop: Loop) -> None:
    begin(controller, A, B)
    for number in (A, B):
        have_code(controller, number)
    loop.run("device", device=A, state="absent", otp=OTP)
    controller.sandbox.edit(B, device=C)
    controller.sandbox.clear_journal()
    result = loop.run("device", device=B, state="absent", otp=OTP)
    assert not result["changed"] and writes_to(controller) == []
    assert list(controller.sandbox.devices()) == [C]


@pytest.mark.parametrize("options", [{"state": "absent", "request_otp": True}, {"state": "disconnected"}])
def test_no_code_and_no_disconnection_for_a_device_that_was_renumbered(
    controller: Controller, loop: Loop, options: dict[str, t.Any]
) -> None:
    begin(controller, A, B, linked=True)
    loop.run("device", device=A, **options)
    controller.sandbox.edit(B, device=C)
    controller.sandbox.clear_journal()
    result = loop.run("device", device=B, **options)
    assert not result["changed"] and writes_to(controller) == []
    assert states(controller)[C]


def test_two_devices_that_swapped_their_numbers_during_a_loop(controller: Controller, loop: Loop) -> None:
    begin(controller, A, B, C, linked=True)
    loop.run("device", device=A, state="disconnected")
    names = {device["name"]: number for number, device in controller.sandbox.devices().items()}
    controller.sandbox.edit(B, device="081200000009")
    controller.sandbox.edit(C, device=B)
    controller.sandbox.edit("081200000009", device=C)
    loop.run("device", device=B, state="disconnected")
    left = {device["name"]: device["linked"] for device in controller.sandbox.devices().values()}
    assert names["Toko 2"] == B and left == {"Toko 1": False, "Toko 2": True, "Toko 3": False}


def test_the_listing_of_an_irreversible_request_is_requested_under_the_lock(
    controller: Controller, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(controller, A, B, linked=True)
    held: list[tuple[str, bool]] = []
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteApi
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordFile

    is_held: list[str] = []
    lock, listed, disconnected = RecordFile.lock, FonnteApi.get_devices, FonnteApi.disconnect

    def note_lock(self: RecordFile, seconds: float) -> t.Any:
        is_held.append(self.name)
        return lock(self, seconds)

    def note_listing(self: FonnteApi, account_token: str) -> t.Any:
        held.append(("listing", len(is_held) == 2))
        return listed(self, account_token)

    def note_disconnection(self: FonnteApi, device_token: str) -> None:
        held.append(("disconnect", len(is_held) == 2))
        disconnected(self, device_token)

    monkeypatch.setattr(RecordFile, "lock", note_lock)
    monkeypatch.setattr(FonnteApi, "get_devices", note_listing)
    monkeypatch.setattr(FonnteApi, "disconnect", note_disconnection)
    for number in (A, B):
        is_held.clear()
        held.clear()
        loop.run("device", device=number, state="disconnected")
        assert held[-2:] == [("listing", True), ("disconnect", True)]


@pytest.mark.parametrize("module", ["message", "device_qr"])
def test_a_task_that_names_a_device_for_a_message_or_a_link_lists_the_devices_itself(
    controller: Controller, loop: Loop, module: str, tmp_path: t.Any
) -> None:
    begin(controller, A, B)
    options: dict[str, t.Any] = {"method": "code", "whatsapp": "6281200002001"}
    if module == "message":
        options = {"target": ["081200002001"], "message": "hello", "connect_only": False}
    loop.run(module, device=A, **options)
    controller.sandbox.edit(B, device=C)
    controller.sandbox.clear_journal()
    with pytest.raises(FonnteError, match="does not list it|has no device"):
        loop.run(module, device=B, **options)
    assert writes_to(controller) == []
