# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Right device: an irreversible request goes to the device that the service lists while its lock is held."""

from __future__ import annotations

import itertools
import threading
import time
import types
import typing as t

import pytest
import urllib3

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import (
    Clock,
    choose_steady_clock,
    read_steady_clock,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import MODULES, Controller

A, B, C = "081200000001", "081200000002", "081200000003"
OTP = "047193"


def begin(controller: Controller, *numbers: str, **fields: t.Any) -> None:
    devices = [{"number": number, "name": f"Toko {number[-1]}", "package": "Super", **fields} for number in numbers]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


class Loop:
    """The items of one loop: runs of modules in one process, which share connections and the listing."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._keep = ProcessCache()
        self.warnings: list[str] = []

    def run(self, module: str, **params: t.Any) -> dict[str, t.Any]:
        _spec, command = MODULES[module]
        given = {**self._controller.common, **params}
        task = ModuleInput(self._controller.complete(module, **params), {}, cache=self._keep, raw_params=given)
        report = command(task)
        self.warnings = report.warnings
        return report.result


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


def test_device_renumbered_during_a_loop_is_not_deleted(controller: Controller, loop: Loop) -> None:
    begin(controller, A, B)
    for number in (A, B):
        have_code(controller, number)
    loop.run("device", device=A, state="absent", otp=OTP)
    controller.sandbox.edit(B, device=C)
    controller.sandbox.clear_journal()
    result = loop.run("device", device=B, state="absent", otp=OTP)
    assert not result["changed"] and writes_to(controller) == []
    assert list(controller.sandbox.devices()) == [C]
    assert any("is not in the account's list" in warning for warning in loop.warnings)


@pytest.mark.parametrize("options", [{"state": "absent", "request_otp": True}, {"state": "disconnected"}])
def test_device_renumbered_during_a_loop_is_not_disconnected_and_gets_no_code(
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


def test_irreversible_request_uses_a_list_requested_under_the_lock(
    controller: Controller, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(controller, A, B, linked=True)
    held: list[tuple[str, bool]] = []
    is_held: list[str] = []
    hold, listed, disconnected = FileBackend.lock, FonnteClient.get_devices, FonnteClient.disconnect

    def note_lock(self: FileBackend, names: t.Sequence[str], seconds: float) -> t.Any:
        is_held.extend(names)
        return hold(self, names, seconds)

    def note_listing(self: FonnteClient, *args: t.Any) -> t.Any:
        held.append(("listing", len(is_held) == 2))
        return listed(self, *args)

    def note_disconnection(self: FonnteClient, device_token: str, *guard: t.Any) -> None:
        held.append(("disconnect", len(is_held) == 2))
        disconnected(self, device_token, *guard)

    monkeypatch.setattr(FileBackend, "lock", note_lock)
    monkeypatch.setattr(FonnteClient, "get_devices", note_listing)
    monkeypatch.setattr(FonnteClient, "disconnect", note_disconnection)
    for number in (A, B):
        is_held.clear()
        held.clear()
        loop.run("device", device=number, state="disconnected")
        assert held[-2:] == [("listing", True), ("disconnect", True)]


@pytest.mark.parametrize("module", ["message", "device_qr"])
def test_message_and_link_tasks_request_their_own_list(
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


# A list that becomes too old


class Jumping:
    """A clock that jumps, as on a suspended machine, once the service has received a request that writes.

    Args:
        controller: The control node whose sandbox is checked.
        meanwhile: The action of a person in the meantime.
    """

    def __init__(self, controller: Controller, meanwhile: t.Callable[[], object] = lambda: None) -> None:
        self._controller = controller
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._offset = 0.0

    def __call__(self) -> float:
        with self._lock:
            if not self._offset and any(entry["write"] for entry in self._controller.sandbox.journal()):
                self._meanwhile()
                self._offset = 31.0
        return read_steady_clock() + self._offset


def run(controller: Controller, module: str, clock: Clock = read_steady_clock, **params: t.Any) -> dict[str, t.Any]:
    """Run a module with another clock; return the result of a failure too, with its text as msg."""
    _spec, command = MODULES[module]
    given = {**controller.common, **params}
    task = ModuleInput(
        controller.complete(module, **params), {}, cache=ProcessCache(clock), raw_params=given, clock=clock
    )
    try:
        return command(task).result
    except FonnteError as fault:
        return {**fault.partial_result, "msg": str(fault)}


def tries(controller: Controller, path: str) -> int:
    return sum(entry["path"] == path for entry in controller.sandbox.journal())


def listings(controller: Controller) -> int:
    return tries(controller, "/get-devices")


def entries(*numbers: str, **settings: t.Any) -> list[dict[str, t.Any]]:
    return [{"device": number, "handle_unknown": "ignore", **settings} for number in numbers]


def test_slow_fleet_requests_the_list_once_more_for_all(controller: Controller) -> None:
    numbers = [f"0812000100{index:02d}" for index in range(20)]
    begin(controller, *numbers)
    controller.sandbox.clear_journal()
    # The clock jumps when the canary is done, so all workers begin with a list that is too old.
    result = run(controller, "fleet", Jumping(controller), devices=entries(*numbers, quick=True), canary=1)
    assert "msg" not in result and result["summary"]["updated"] == 20
    assert listings(controller) == 2


def test_device_renumbered_during_a_fleet_run_is_not_renumbered_back(controller: Controller) -> None:
    begin(controller, A, B)
    clock = Jumping(controller, lambda: controller.sandbox.edit(B, device=C))
    result = run(controller, "fleet", clock, devices=entries(A, B, quick=True, name="Toko"), concurrency=1)
    assert [device["status"] for device in result["devices"]] == ["changed", "failed"]
    assert f"lists it as {C} now" in result["devices"][1]["msg"] and B in result["devices"][1]["msg"]
    assert list(controller.sandbox.devices()) == [A, C]


@pytest.mark.parametrize("module", ["device", "fleet"])
def test_disconnection_after_a_slow_update_requests_the_list_again(controller: Controller, module: str) -> None:
    begin(controller, A, linked=True)
    clock = Jumping(controller, lambda: controller.sandbox.edit(A, device=C))
    wanted = {"device": A, "name": "Tako", "state": "disconnected", "handle_unknown": "ignore"}
    result = run(controller, module, clock, **(wanted if module == "device" else {"devices": [wanted]}))
    assert "no longer lists it with this number and this token" in result["msg"]
    assert [path for path, _number in writes_to(controller)] == ["/update-device"] and states(controller) == {C: True}


URL = "https://h.example.com/a?key=s3cret"


def wait_once(controller: Controller, path: str) -> None:
    """Have the service answer a request with a wait, during which the list becomes too old."""
    controller.sandbox.fault("status", path=path, code=429, headers={"Retry-After": "0"}, when="before")


@pytest.mark.parametrize("module", ["device", "fleet"])
def test_delayed_update_requests_the_list_again_and_renumbers_none_back(controller: Controller, module: str) -> None:
    begin(controller, A)
    wait_once(controller, "/update-device")
    clock = Jumping(controller, lambda: controller.sandbox.edit(A, device=C))
    wanted = {"device": A, "name": "Tako", "handle_unknown": "ignore"}
    result = run(controller, module, clock, **(wanted if module == "device" else {"devices": [wanted]}))
    assert "no longer lists it with this number and this token" in result["msg"]
    assert list(controller.sandbox.devices()) == [C] and tries(controller, "/update-device") == 1


def test_delayed_update_is_sent_if_the_device_is_still_listed(controller: Controller) -> None:
    begin(controller, A)
    wait_once(controller, "/update-device")
    result = run(controller, "device", Jumping(controller), device=A, name="Tako", handle_unknown="ignore")
    assert result["changed"] and "msg" not in result
    assert controller.sandbox.device(A)["name"] == "Tako"
    assert [entry["path"] for entry in controller.sandbox.journal()][-3:] == [
        "/update-device",
        "/get-devices",
        "/update-device",
    ]


@pytest.mark.parametrize("listing", ["complete", "partial"])
@pytest.mark.parametrize("edit", ["none", "renumbered"])
def test_delayed_update_of_a_created_device_checks_its_number(controller: Controller, listing: str, edit: str) -> None:
    controller.sandbox.set_readings(listing=listing)

    def meanwhile() -> None:
        if listing == "partial":
            controller.sandbox.edit(A, unlisted=True)
        if edit == "renumbered":
            controller.sandbox.edit(A, device=C)

    result = run(controller, "device", Jumping(controller, meanwhile), device=A, name="Toko", webhook=URL)
    if edit == "none":
        assert result["operations"] == ["create", "update"] and "msg" not in result
        assert controller.sandbox.device(A)["settings"]["webhook"] == URL
    else:
        assert "no longer lists it with this number and this token" in result["msg"]
        assert list(controller.sandbox.devices()) == [C] and tries(controller, "/update-device") == 0


def test_service_that_is_always_too_slow_is_an_error(controller: Controller) -> None:
    """Each list is too old when its request could be sent."""
    begin(controller, A)
    clock = itertools.count(0, 31)
    result = run(controller, "device", lambda: float(next(clock)), device=A, name="Tako", handle_unknown="ignore")
    assert "nothing was sent" in result["msg"] and writes_to(controller) == []
    assert 0 < listings(controller) < 10
    assert controller.sandbox.device(A)["name"] == "Toko 1"


class LateConnection:
    """A clock that jumps while a connection is opened, as with a slow name server, after a number of lists."""

    def __init__(
        self,
        controller: Controller,
        monkeypatch: pytest.MonkeyPatch,
        lists: int,
        meanwhile: t.Callable[[], object],
    ) -> None:
        self._offset = 0.0
        create = urllib3.util.connection.create_connection
        # Each request opens its own connection.
        controller.sandbox.fault("close_idle", path="/get-devices", times=None)

        def connect(*args: t.Any, **kwargs: t.Any) -> t.Any:
            connected = create(*args, **kwargs)
            if not self._offset and listings(controller) >= lists:
                self._offset = 31.0
                meanwhile()
            return connected

        monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)

    def __call__(self) -> float:
        return read_steady_clock() + self._offset


@pytest.mark.parametrize(
    ("path", "wanted", "lists"),
    [
        ("/disconnect", {"state": "disconnected"}, 2),
        ("/delete-device", {"state": "absent", "otp": OTP}, 2),
        ("/delete-device", {"state": "absent", "request_otp": True}, 2),
        ("/update-device", {"name": "Tako"}, 1),
    ],
)
@pytest.mark.parametrize("swapped", [True, False])
def test_slow_connection_sends_nothing_to_another_device(
    controller: Controller,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    wanted: dict[str, t.Any],
    lists: int,
    swapped: bool,
) -> None:
    begin(controller, A, B, linked=True)
    if "otp" in wanted:
        have_code(controller, A)

    def swap_numbers() -> None:
        if swapped:
            for old, new in ((A, C), (B, A), (C, B)):
                controller.sandbox.edit(old, device=new)

    controller.sandbox.clear_journal()
    clock = LateConnection(controller, monkeypatch, lists, swap_numbers)
    result = run(controller, "device", clock, device=A, handle_unknown="ignore", **wanted)
    if swapped:
        assert "no longer lists it with this number and this token" in result["msg"]
        assert writes_to(controller) == [] and set(states(controller).values()) == {True}
        assert controller.sandbox.device(A)["name"] == "Toko 2"
    else:
        assert "msg" not in result and writes_to(controller) == [(path, A)]


def test_message_is_sent_from_the_device_that_has_the_number_at_that_time(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(controller, A, B, linked=True)
    first, second = (controller.sandbox.device(number)["token"] for number in (A, B))

    def swap_numbers() -> None:
        for old, new in ((A, C), (B, A), (C, B)):
            controller.sandbox.edit(old, device=new)

    clock = LateConnection(controller, monkeypatch, 1, swap_numbers)
    result = run(controller, "message", clock, device=A, target=["081200002001"], message="hello")
    assert "msg" not in result and result["queued"] is True
    sent = [entry["token"] for entry in controller.sandbox.journal() if entry["path"] == "/send"]
    assert sent == [second] and first not in sent


def test_message_is_not_sent_if_its_list_cannot_be_requested_again(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(controller, A, linked=True)

    def lose_lists() -> None:
        controller.sandbox.clear_faults()
        controller.sandbox.fault("reset", path="/get-devices", when="after", times=None)

    clock = LateConnection(controller, monkeypatch, 1, lose_lists)
    result = run(controller, "message", clock, device=A, target=["081200002001"], message="hello")
    assert "nothing was sent" in result["msg"] and result["queued"] is False and result["changed"] is False
    assert controller.sandbox.outbox() == []


@pytest.mark.parametrize("renumbered", [True, False])
def test_code_links_no_phone_to_a_renumbered_device(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, renumbered: bool
) -> None:
    begin(controller, A)
    clock = LateConnection(
        controller, monkeypatch, 1, lambda: controller.sandbox.edit(A, device=C) if renumbered else None
    )
    result = run(controller, "device_qr", clock, device=A, method="code", whatsapp="6281200002001")
    assert ("msg" in result) is renumbered and tries(controller, "/qr") == (not renumbered)
    if renumbered:
        assert f"the service lists it as {C} now" in result["msg"]


def test_behavior_check_renumbers_no_device_back(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is renumbered after the list from before the first update, while a connection is opened."""
    begin(controller, A, B)
    clock = LateConnection(controller, monkeypatch, 3, lambda: controller.sandbox.edit(A, device=C))
    result = run(controller, "doctor", clock, device=A, consent=True)
    numbers = {entry["form"].get("device") for entry in controller.sandbox.journal() if entry["write"]}
    assert numbers == set() and list(controller.sandbox.devices()) == [B, C]
    assert f"the account lists device {A} as {C} now, so no update was sent" in result["msg"]


def test_device_that_gets_the_number_of_a_planned_creation_is_unchanged(controller: Controller) -> None:
    begin(controller, B, C)
    clock = Jumping(controller, lambda: controller.sandbox.edit(C, device=A))
    devices = [*entries(B, quick=True), *entries(A, name="Toko", webhook=URL)]
    result = run(controller, "fleet", clock, devices=devices, concurrency=1, canary=1)
    assert [device["status"] for device in result["devices"]] == ["changed", "failed"]
    assert f"listed as {C} when the run began" in result["devices"][1]["msg"]
    other = controller.sandbox.device(A)
    assert (other["name"], other["settings"]["webhook"]) == (f"Toko {C[-1]}", "")


def test_clock_of_ages_includes_the_time_of_a_suspended_machine() -> None:
    def no_clock(number: int) -> float:
        raise OSError("no such clock")

    linux = types.SimpleNamespace(monotonic=lambda: 1.0, CLOCK_BOOTTIME=7, clock_gettime=lambda number: 100.0 + number)
    assert choose_steady_clock(linux)() == 107.0
    assert choose_steady_clock(types.SimpleNamespace(monotonic=lambda: 1.0))() == 1.0
    refused = types.SimpleNamespace(monotonic=lambda: 1.0, CLOCK_BOOTTIME=7, clock_gettime=no_clock)
    assert choose_steady_clock(refused)() == 1.0


# Locks


@pytest.mark.parametrize("module", ["device", "fleet"])
def test_device_renumbered_while_a_run_waits_for_its_lock_is_unchanged(controller: Controller, module: str) -> None:
    begin(controller, A, B, linked=True)
    token = controller.sandbox.device(B)["token"]
    another_run = RecordStore(str(controller.records), controller.sandbox.url).device(token)
    wanted = entries(A, B, state="disconnected")
    params = {"devices": wanted} if module == "fleet" else wanted[1]
    results: list[dict[str, t.Any]] = []
    runs = threading.Thread(target=lambda: results.append(run(controller, module, **params)))
    with another_run.lock(1.0):
        runs.start()
        while not listings(controller):
            time.sleep(0.01)
        controller.sandbox.edit(B, device=C)
    runs.join()
    assert states(controller)[C], results
    assert ("/disconnect", C) not in writes_to(controller)


def test_fleet_locks_all_devices_to_disconnect_before_it_lists_them(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [f"0812000100{index:02d}" for index in range(6)]
    begin(controller, *numbers, linked=True)
    taken: list[tuple[str, int]] = []
    hold = FileBackend.lock

    def note_lock(self: FileBackend, names: t.Sequence[str], seconds: float) -> t.Any:
        taken.extend((name, listings(controller)) for name in names)
        return hold(self, names, seconds)

    monkeypatch.setattr(FileBackend, "lock", note_lock)
    result = run(controller, "fleet", devices=entries(*numbers, state="disconnected"), max_disconnect=6)
    assert result["summary"]["disconnected"] == 6 and listings(controller) == 2
    names = [name for name, _listings in taken]
    assert [count for _name, count in taken] == [1] * 12
    assert names[:6] == sorted(names[:6]) and names[6:] == sorted(names[6:])
    assert all(name.startswith("number-") for name in names[:6])


def test_two_fleets_do_not_deadlock(controller: Controller) -> None:
    numbers = [f"0812000100{index:02d}" for index in range(12)]
    begin(controller, *numbers, linked=True)
    fleets = [
        [*entries(*numbers[:6], state="disconnected"), *entries(*numbers[6:], quick=True)],
        [*entries(*reversed(numbers[6:]), state="disconnected"), *entries(*reversed(numbers[:6]), quick=True)],
    ]
    results: list[dict[str, t.Any]] = []

    def work(devices: list[t.Any]) -> None:
        results.append(run(controller, "fleet", devices=devices, max_disconnect=6, concurrency=2))

    runs = [threading.Thread(target=work, args=(devices,)) for devices in fleets]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert [result.get("msg", "") for result in results] == ["", ""]
    assert not any(states(controller).values())
