# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers and tokens as the service lists them: sent back byte-equal, and refused if two devices share one."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device, DeviceList, ambiguities
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

A, B, C = "081200000001", "081200000002", "081200000003"
MARKED = f"\u200e{A}\u202c"


@pytest.fixture(autouse=True)
def three(controller: Controller) -> None:
    devices = [{"number": number, "name": f"Toko {number[-1]}", "package": "Super"} for number in (A, B, C)]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


def list_as(controller: Controller, number: str, **fields: str) -> None:
    """Have the service list a device with other fields, from now on."""
    controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each=fields, only=number)


def updates(controller: Controller) -> list[str | None]:
    return [entry["form"].get("device") for entry in controller.sandbox.journal() if entry["path"] == "/update-device"]


def fails(controller: Controller, module: str, **params: t.Any) -> str:
    with pytest.raises(FonnteError) as caught:
        controller.run(module, **params)
    return str(caught.value)


# The number that is sent


def test_listed_number_with_invisible_marks_is_sent_back_byte_equal(controller: Controller) -> None:
    list_as(controller, A, device=MARKED)
    # The sandbox accepts only digits; the sent value is the one that matters.
    assert "input invalid" in fails(controller, "device", device=A, name="Tako")
    assert updates(controller) == [MARKED]


def test_listed_number_with_invisible_marks_is_displayed_without_them(controller: Controller) -> None:
    list_as(controller, A, device=MARKED)
    assert controller.device(A, True, name="Tako").result["device"]["device"] == A
    assert [device["device"] for device in controller.run("device_info", devices=[A]).result["devices"]] == [A]
    fleet = controller.run("fleet", True, devices=[{"device": A, "name": "Tako"}], handle_unknown="ignore").result
    assert fleet["devices"][0]["operations"] == ["update"]


def test_run_with_a_device_token_sends_the_listed_number(controller: Controller) -> None:
    list_as(controller, A, device=MARKED)
    token = controller.sandbox.device(A)["token"]
    controller.sandbox.link(A)
    # The record stores the number that the list showed.
    controller.device(A, state="disconnected")
    fails(controller, "device", account_token=None, device_token=token, name="Tuko")
    assert updates(controller) == [MARKED]


@pytest.mark.parametrize("listed", ["0812\ud83d00000001", "9" * 100])
def test_number_that_cannot_be_sent_back_is_an_error_only_for_its_device(controller: Controller, listed: str) -> None:
    list_as(controller, A, device=listed)
    token = controller.sandbox.device(A)["token"]
    assert "cannot be sent back" in fails(controller, "device", device_token=token, name="Tako")
    assert controller.device(B, name="Tako", handle_unknown="ignore").result["changed"]


# Ambiguous lists


AMBIGUOUS = [("token", "one token for several devices"), ("device", "one number for several devices")]


def make_ambiguous(controller: Controller, field: str) -> tuple[str, str]:
    """List A and B with one token or one number; return how the list names each."""
    value = controller.sandbox.device(A)["token"] if field == "token" else A
    list_as(controller, B, **{field: value})
    return A, B if field == "token" else A


@pytest.mark.parametrize(("field", "words"), AMBIGUOUS)
def test_ambiguous_list_is_an_error_for_tasks_on_these_devices(controller: Controller, field: str, words: str) -> None:
    numbers = make_ambiguous(controller, field)
    controller.sandbox.clear_journal()
    tasks: list[tuple[str, dict[str, t.Any]]] = [
        ("device", {"name": "Tako"}),
        ("device", {"state": "absent", "request_otp": True}),
        ("device", {"state": "disconnected"}),
        ("webhook_config", {"webhook": "https://h.example.com/x"}),
        ("message", {"target": ["081200002001"], "message": "hello"}),
        ("device_qr", {"method": "code", "whatsapp": "6281200002001"}),
        ("group_info", {"refresh": True}),
        ("number_info", {"numbers": ["081200002001"]}),
        ("record", {"operation": "forget"}),
    ]
    for number in dict.fromkeys(numbers):
        for module, params in tasks:
            named: dict[str, t.Any] = {"devices": [number]} if module == "record" else {"device": number}
            reported = fails(controller, module, **named, **params)
            assert words in reported or "one number or one token for several devices" in reported
            if module != "record":
                assert "Toko 1" in reported and "Toko 2" in reported
    token = controller.sandbox.device(A)["token"]
    assert words in fails(controller, "device", device_token=token, name="Tako")
    assert controller.sandbox.writes() == []


@pytest.mark.parametrize("end", ["\u00a0", "\t", "\n", "\0"])
def test_number_with_white_space_is_the_same_number(controller: Controller, end: str) -> None:
    list_as(controller, B, device=A + end)
    controller.sandbox.clear_journal()
    for params in ({"name": "Tako"}, {"state": "absent", "request_otp": True}, {"state": "disconnected"}):
        reported = fails(controller, "device", device=A, **params)
        assert "one number for several devices" in reported or "more than one device with this number" in reported
    assert controller.sandbox.writes() == []


def test_number_shared_by_two_devices_is_an_error_for_a_task_with_the_token_of_one(controller: Controller) -> None:
    token = controller.sandbox.devices()[A]["token"]
    list_as(controller, B, device=f"+{A}")
    controller.sandbox.clear_journal()
    said = fails(controller, "device", device=None, device_token=token, state="disconnected")
    assert "more than one device with this number" in said and controller.sandbox.writes() == []


@pytest.mark.parametrize(("field", "words"), AMBIGUOUS)
def test_ambiguous_list_does_not_affect_other_devices(controller: Controller, field: str, words: str) -> None:
    numbers = make_ambiguous(controller, field)
    assert controller.device(C, name="Tako", handle_unknown="ignore").result["changed"]
    devices = [{"device": number, "name": "Tuko"} for number in dict.fromkeys((*numbers, C))]
    with pytest.raises(FonnteError) as caught:
        controller.run("fleet", devices=devices, handle_unknown="ignore")
    reported = caught.value.partial_result["devices"]
    assert [device["status"] for device in reported] == [*["failed"] * (len(devices) - 1), "changed"]
    assert all(words in device["msg"] for device in reported[:-1])
    assert {entry["number"] for entry in controller.sandbox.writes()} == {C}


@pytest.mark.parametrize(("field", "words"), AMBIGUOUS)
def test_ambiguous_list_is_reported_by_modules_that_only_read(controller: Controller, field: str, words: str) -> None:
    numbers = make_ambiguous(controller, field)
    info = controller.run("device_info")
    assert [device["device"] for device in info.result["devices"]] == sorted([*numbers, C])
    assert any(words in warning and "Toko 1" in warning for warning in info.warnings)
    named = controller.run("device_info", devices=list(numbers)).result
    assert [device["device"] for device in named["devices"]] == sorted(numbers)
    audit = controller.run("audit", devices=[{"device": A, "name": "Toko 1"}])
    assert any(words in warning for warning in audit.warnings)
    assert "not_checked" in [finding["kind"] for finding in audit.result["findings"]]


def test_devices_without_a_token_are_not_ambiguous() -> None:
    listing = DeviceList([Device(A, ""), Device(B, "")])
    assert listing.find(A) == listing.devices[0] and listing.find_by_token("") is None
    assert ambiguities(listing.devices) == []


@pytest.mark.parametrize("path", ["/disconnect", "/update-device"])
def test_device_that_has_the_number_after_a_lost_response_is_unchanged(
    controller: Controller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one was renumbered meanwhile, and the second one has its number now."""
    sandbox = controller.sandbox
    second = sandbox.devices()[B]["token"]
    for number in (A, B):
        sandbox.link(number)
    helps = engine._list_may_be_stale

    def renumber(fault: t.Any) -> bool:
        sandbox.edit(A, device="081200000009")
        sandbox.edit(B, device=A)
        return helps(fault)

    monkeypatch.setattr(engine, "_list_may_be_stale", renumber)
    sandbox.fault("reset", path=path, when="before")
    wanted: dict[str, t.Any] = {"state": "disconnected"} if path == "/disconnect" else {"name": "Other"}
    said = fails(controller, "device", device=A, handle_unknown="ignore", **wanted)
    assert "another device has this number now" in said
    assert second not in [entry["token"] for entry in sandbox.journal() if entry["path"] == path]
