# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many devices in one run: order, safety limits, and failures of one device or of the whole service."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import client as _api
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.deadline import Attempt
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.http_session import Session
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.wire import HttpResponse, Request
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    RefusedError,
    ResponseLostError,
    SafetyLimitError,
    UnreachableError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet import result as _fleet_result
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet import run as fleet_run
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.fleet import run_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.lock_files import LockFiles
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

URL = "https://h.example.com/a?key=s3cret"


def number(index: int) -> str:
    return f"0812000{10000 + index}"


def entries(count: int, **settings: t.Any) -> list[dict[str, t.Any]]:
    return [{"device": number(index), "name": f"Toko {index}", **settings} for index in range(count)]


@pytest.fixture
def rich(controller: Controller) -> Controller:
    """Return a control node of an account without the limit of ten free devices."""
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "plan": "Super"}])
    return controller


def fleet(controller: Controller, devices: list[t.Any], check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    """Run fonnte_fleet, and return the result, also of a failure, with its text as msg."""
    try:
        return controller.run("fleet", check, devices=devices, handle_unknown="ignore", **params).result
    except FonnteError as fault:
        return {**fault.partial_result, "msg": str(fault)}


def paths(controller: Controller) -> list[str]:
    found = [entry["path"] for entry in controller.sandbox.journal()]
    controller.sandbox.clear_journal()
    return found


def statuses(result: dict[str, t.Any]) -> list[str]:
    return [device["status"] for device in result["devices"]]


def test_only_one_account_plans_at_a_time(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other accounts share the lock: their plans wait, but not their requests."""
    held: list[tuple[str, bool]] = []

    def observe(owner: t.Any, name: str) -> None:
        real = getattr(owner, name)

        def observed(*args: t.Any, **kwargs: t.Any) -> t.Any:
            held.append((name, rich.planning.locked()))
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, observed)

    observe(_api.FonnteClient, "get_devices")
    observe(fleet_run, "_preview")
    fleet(rich, entries(2), check=True)
    assert held == [("get_devices", False), ("_preview", True), ("_preview", True)]
    assert not rich.planning.locked()


def test_fleet_is_created_and_then_unchanged(rich: Controller) -> None:
    predicted = fleet(rich, entries(20, webhook=URL), check=True)
    assert paths(rich) == ["/get-devices"] and predicted["summary"]["created"] == 20
    done = fleet(rich, entries(20, webhook=URL))
    calls = paths(rich)
    assert (calls.count("/get-devices"), calls.count("/add-device"), calls.count("/update-device")) == (1, 20, 20)
    for one, other in zip(predicted["devices"], done["devices"], strict=False):
        for key in ("operations", "changed_fields", "reasons", "evidence", "number", "status"):
            assert one[key] == other[key]
    assert predicted["diff"] == done["diff"] and len(done["diff"]) == 20
    again = fleet(rich, entries(20, webhook=URL))
    assert paths(rich) == ["/get-devices"]
    assert not again["changed"] and again["summary"]["unchanged"] == 20 and again["summary"]["to_link"] == 20
    assert [device["number"] for device in again["devices"]] == [number(index) for index in range(20)]


def test_changed_fleet_with_a_large_record_reads_the_list_twice(
    rich: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries to mark are known only from the first list. If nothing changes, one list is enough."""
    fleet(rich, entries(5, webhook=URL))
    monkeypatch.setattr(LockFiles, "names", lambda _self, _limit: [])
    paths(rich)
    assert fleet(rich, entries(5, webhook=f"{URL}/new"))["summary"]["updated"] == 5
    calls = paths(rich)
    assert (calls.count("/get-devices"), calls.count("/update-device")) == (2, 5)
    assert fleet(rich, entries(5, webhook=f"{URL}/new"))["summary"]["unchanged"] == 5
    assert paths(rich) == ["/get-devices"]


def test_entries_have_the_results_of_single_tasks(rich: Controller) -> None:
    task = {"name": "Toko 0", "webhook": URL, "autoread": True}
    single = rich.device(number(0), handle_unknown="ignore", **task).result
    many = fleet(rich, [{"device": number(1), **task}])["devices"][0]
    assert set(many) - {"number", "status", "msg", "warnings"} == set(single) - {"diff"}
    assert many["operations"] == single["operations"] and many["reasons"] == single["reasons"]


def test_error_of_an_unchanged_device_does_not_include_the_others(rich: Controller) -> None:
    """One device fails before its first request, and the other one is created by the same run."""
    devices = [{"number": number(0), "name": "Toko 0"}]
    rich.sandbox.reset(accounts=[{"token": rich.sandbox.account_token, "plan": "Super", "devices": devices}])
    declared = entries(2, quick=True)
    declared[0]["handle_write_only"] = "error"
    result = fleet(rich, declared)
    assert (result["summary"]["created"], result["summary"]["failed"]) == (1, 1)
    scope = "handle_write_only: recorded (nothing was changed on this device)"
    assert f"{scope}." in result["devices"][0]["msg"] and scope in result["msg"]
    assert "(nothing was changed)" not in result["devices"][0]["msg"] + result["msg"]


@pytest.mark.parametrize(("wanted", "returned"), [("all", 6), ("changed", 2), ("summary", 0)])
def test_number_of_returned_devices(rich: Controller, wanted: str, returned: int) -> None:
    """The summary lists changed, failed and unlinked devices in each case; check mode returns as much."""
    fleet(rich, entries(5))
    rich.sandbox.link(number(0))
    rich.sandbox.fault(
        "status", path="/update-device", number=number(4), code=200, times=None, body={"status": False, "reason": "no"}
    )
    rich.sandbox.edit(number(4), name="Lain")
    for check in (True, False):
        result = fleet(rich, entries(6), check=check, result=wanted)
        assert len(result["devices"]) == returned
        assert len(result["diff"]) == (0 if wanted == "summary" else 2 if check else 1)
        summary = result["summary"]
        changed = {number(5)} | ({number(4)} if check else set())
        assert set(summary["changed_devices"]) == changed
        assert summary["failed_devices"] == ([] if check else [number(4)])
        assert set(summary["to_link_devices"]) >= {number(1), number(2), number(3)}
        assert summary["to_link_devices"][0] == number(5), "a created device comes first"
        assert summary["to_link"] == len(summary["to_link_devices"]) and number(0) not in summary["to_link_devices"]


def test_failure_before_the_first_write_reports_no_operations(controller: Controller) -> None:
    """Only check mode reports predicted operations."""
    controller.device(number(0), name="Toko")
    controller.records.rename(controller.records.parent / "moved")
    controller.records.write_text("a file in the way")
    sent = len(controller.sandbox.writes())
    result = fleet(controller, entries(2))
    assert len(controller.sandbox.writes()) == sent
    assert not result["changed"] and statuses(result) == ["failed", "failed"]
    summary = result["summary"]
    assert (summary["created"], summary["updated"], summary["failed"]) == (0, 0, 2)
    for device in result["devices"]:
        assert device["operations"] == [] and not device["changed"] and "record_path" in device["msg"]
        assert not any("would fail" in warning for warning in device["warnings"])
    predicted = fleet(controller, entries(2), check=True)
    assert predicted["summary"]["created"] == 1
    assert all("would fail" in device["warnings"][-1] for device in predicted["devices"])


def test_entries_inherit_defaults_and_null_is_unmanaged(rich: Controller) -> None:
    result = fleet(
        rich,
        [
            {"device": number(0), "name": "Toko 0"},
            {"device": number(1), "name": "Toko 1", "quick": False, "personal": None},
        ],
        defaults={"quick": True, "personal": True},
    )
    assert result["devices"][0]["changed_fields"] == ["name", "personal", "quick"]
    assert result["devices"][1]["changed_fields"] == ["name", "quick"]
    held = [rich.sandbox.device(number(index))["settings"] for index in range(2)]
    assert (held[0]["quick"], held[0]["personal"], held[1]["quick"], held[1]["personal"]) == (True, True, False, False)


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ([*entries(2), {"device": "+62 812-0001-0000", "name": "Toko"}], ("devices[0]", "devices[2]", "one device")),
        (
            [{"device": number(0), "name": "T"}, {"device": "12", "name": "Toko"}],
            ("devices[0]", "devices[1]", "digits"),
        ),
        ([*entries(1), {"device": number(1)}], ("devices[1]", number(1), "needs a name")),
        ([*entries(1), {"name": "Toko"}], ("devices[1]", "no device is named")),
        ([{"device": number(0), "name": "Toko", "webhook": "ftp://x"}], ("devices[0]", "webhook")),
    ],
)
def test_invalid_list_fails_before_the_first_write(
    rich: Controller, devices: list[t.Any], words: tuple[str, ...]
) -> None:
    for check in (True, False):
        with pytest.raises(OptionError) as caught:
            rich.run("fleet", check, devices=devices)
        assert all(word in str(caught.value) for word in words), str(caught.value)
    assert rich.sandbox.writes() == []


def test_missing_token_is_one_sentence(controller: Controller) -> None:
    known = {"device_token": "sandbox-device-token", "name": "Toko"}
    how = "set the environment variable FONNTE_ACCOUNT_TOKEN, or the option account_token."
    for devices, sentence in (
        (entries(60), f"Option account_token: there is no token; {how}"),
        (
            [known, *entries(3)],
            "Option account_token: there is no token, and 3 of 4 devices have no device_token, the first in devices[1]; "
            + how,
        ),
    ):
        with pytest.raises(OptionError) as caught:
            controller.run("fleet", devices=devices, account_token=None)
        assert str(caught.value) == sentence


def test_safety_limits(rich: Controller) -> None:
    fleet(rich, entries(6, webhook=URL))
    for index in range(6):
        rich.sandbox.link(number(index))
    paths(rich)
    cases: list[tuple[list[t.Any], dict[str, t.Any], str]] = [
        (entries(8, webhook=URL), {"max_create": 1}, "create 2 devices"),
        (entries(4, webhook=""), {}, "clear webhooks of 4 devices"),
        ([{**entry, "state": "disconnected"} for entry in entries(4, webhook=URL)], {}, "disconnect 4 devices"),
        (entries(5, webhook=URL), {"unlisted": "error"}, number(5)),
    ]
    for devices, params, words in cases:
        for check in (True, False):
            assert words in fleet(rich, devices, check, **params)["msg"]
    assert set(paths(rich)) == {"/get-devices"}
    assert fleet(rich, entries(5, webhook=URL), unlisted="report")["unlisted"] == [number(5)]
    assert fleet(rich, entries(4, webhook=""), max_clear=4)["summary"]["updated"] == 4


def test_limit_of_free_devices(controller: Controller) -> None:
    fleet(controller, entries(3))
    assert "3 free devices" in fleet(controller, entries(6), free_device_limit=5)["msg"]
    assert "msg" not in fleet(controller, entries(5), free_device_limit=5)


def test_full_account_stops_only_creations(controller: Controller) -> None:
    fleet(controller, entries(8))
    result = fleet(controller, [*entries(14)[8:], *entries(8, quick=True)], concurrency=1)
    assert result["summary"]["created"] == 2 and result["summary"]["updated"] == 8
    assert result["summary"]["failed"] == 1 and result["summary"]["not_attempted"] == 3
    assert "too much free device" in result["msg"]


def test_one_failure_does_not_stop_the_others_unless_requested(rich: Controller) -> None:
    refusal = {"status": False, "reason": "no"}
    for on_error, expected in (
        ("continue", ["failed", "changed", "changed"]),
        ("stop", ["failed", *["not_attempted"] * 2]),
    ):
        rich.sandbox.reset(accounts=[{"token": rich.sandbox.account_token, "plan": "Super"}])
        rich.sandbox.fault("status", path="/add-device", code=200, body=refusal, times=1)
        result = fleet(rich, entries(3), concurrency=1, on_error=on_error)
        assert statuses(result) == expected
        assert number(0) in result["devices"][0]["msg"] and "run the playbook again" in result["msg"]
        assert "msg" not in fleet(rich, entries(3))


def test_canary_devices_run_first(rich: Controller) -> None:
    refusal = {"status": False, "reason": "no"}
    rich.sandbox.fault("status", path="/add-device", code=200, body=refusal, times=1, skip=1)
    result = fleet(rich, entries(6), canary=2, concurrency=4)
    assert statuses(result) == ["changed", "failed", *["not_attempted"] * 4]
    assert [entry["number"] for entry in rich.sandbox.writes()][:1] == [number(0)]
    assert fleet(rich, entries(6), canary=2)["summary"]["created"] == 5


def test_record_is_not_read_before_the_mark_of_a_device(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a list of the account, each device has its own mark, which comes minutes later in a large fleet."""
    fleet(rich, entries(2))
    tokens = [device["token"] for device in rich.sandbox.devices().values()]
    steps: list[str] = []
    for name in ("mark", "prefetch"):
        real = getattr(RecordStore, name)
        monkeypatch.setattr(
            RecordStore, name, lambda *given, real=real, name=name: (steps.append(name), real(*given))[1]
        )
    result = fleet(rich, [{"device_token": token} for token in tokens], account_token=None)
    assert statuses(result) == ["unchanged"] * 2 and set(steps) == {"mark"}


def test_proof_by_a_stamp_is_work_for_another_control_node(rich: Controller, tmp_path: Path) -> None:
    """It is no change. With several accounts, only an account with work is run after its preview."""
    declared = entries(1, webhook=URL)
    fleet(rich, declared, handle_write_only="stamped")
    other = Controller(rich.sandbox, tmp_path / "other")
    for check in (True, False, True):
        assert not fleet(other, declared, check=check, handle_write_only="stamped")["changed"]
    assert other.found_work == [True, False]


@pytest.mark.parametrize("state", ["present", "disconnected"])
def test_two_spellings_of_one_number_are_refused(rich: Controller, state: str) -> None:
    """Both would lock the same entry of the record for their number."""
    twins = [number(0), "62" + number(0)[1:]]
    account = {"token": rich.sandbox.account_token, "plan": "Super", "devices": [{"number": one} for one in twins]}
    rich.sandbox.reset(accounts=[account])
    tokens = [rich.sandbox.devices()[one]["token"] for one in twins]
    rich.sandbox.clear_journal()
    result = fleet(rich, [{"device_token": token, "state": state, "name": "Toko"} for token in tokens])
    assert "have one number in two spellings" in result["msg"] and "in separate tasks" in result["msg"]
    assert rich.sandbox.writes() == []


def test_interrupted_task_begins_no_further_device(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread waits for the accounts of a task, and only that thread gets its timeout."""
    adding(monkeypatch, {number(1): rich.interrupted.set})
    result = fleet(rich, entries(6), concurrency=1, canary=2)
    assert statuses(result) == ["changed", "changed", *["not_attempted"] * 4]
    assert len(rich.sandbox.devices()) == 2


def test_refused_token_stops_all_devices(rich: Controller) -> None:
    refusal = {"status": False, "reason": "unknown user"}
    rich.sandbox.fault("status", path="/add-device", code=200, body=refusal, times=None)
    result = fleet(rich, entries(6), concurrency=1)
    assert statuses(result) == ["failed", *["not_attempted"] * 5]
    assert paths(rich).count("/add-device") == 1


def test_unavailable_service_is_probed_once(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_arguments: t.Any) -> t.NoReturn:
        raise UnreachableError("the service cannot be reached", "check the network")

    listed = _api.FonnteClient.get_devices
    reads: list[str] = []

    def read(self: _api.FonnteClient, account_token: str, *mark: t.Any) -> t.Any:
        reads.append(account_token)
        if len(reads) > 1:
            gone()
        return listed(self, account_token, *mark)

    monkeypatch.setattr(_api.FonnteClient, "get_devices", read)
    monkeypatch.setattr(_api.FonnteClient, "add_device", gone)
    result = fleet(rich, entries(8), concurrency=1)
    assert statuses(result) == ["failed", *["not_attempted"] * 7]
    assert len(reads) == 2 and "became unavailable" in result["devices"][7]["msg"]


class Reads:
    """Counts the reads of the list, and lets a test act when the service is probed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, probed: t.Callable[[], object] = lambda: None) -> None:
        self.count = 0
        listed = _api.FonnteClient.get_devices

        def read(api: _api.FonnteClient, account_token: str, *mark: t.Any) -> t.Any:
            # The lists before the first write have marks of the record; that of a probe has none.
            if not mark:
                self.count += 1
                probed()
            return listed(api, account_token, *mark)

        monkeypatch.setattr(_api.FonnteClient, "get_devices", read)


def unreachable() -> t.NoReturn:
    raise UnreachableError("the service cannot be reached", "check the network")


def adding(monkeypatch: pytest.MonkeyPatch, before: dict[str, t.Callable[[], object]]) -> None:
    """Call a function before the devices with these numbers are created."""
    add = _api.FonnteClient.add_device

    def with_that(api: _api.FonnteClient, account_token: str, device: str, settings: t.Any, *guard: t.Any) -> t.Any:
        before.get(device, lambda: None)()
        return add(api, account_token, device, settings, *guard)

    monkeypatch.setattr(_api.FonnteClient, "add_device", with_that)


# Only a failing test waits this long.
PATIENCE = 30.0


def test_probe_does_not_block_devices_that_are_done(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    another_done = threading.Event()
    in_time: list[bool] = []
    Reads(monkeypatch, lambda: in_time.append(another_done.wait(PATIENCE)))
    adding(monkeypatch, {number(0): unreachable})
    params = rich.complete("fleet", devices=entries(2), concurrency=2)
    task = ModuleInput(params, {}, raw_params=params, progress=lambda _done, _failed, _total: another_done.set())
    with pytest.raises(FonnteError):
        run_fleet(task)
    assert in_time == [True]


def test_concurrent_failures_cause_one_probe(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    both, probed = threading.Event(), threading.Event()

    def second() -> None:
        both.set()
        assert probed.wait(PATIENCE)
        unreachable()

    def first() -> None:
        assert both.wait(PATIENCE)
        unreachable()

    reads = Reads(monkeypatch, probed.set)
    adding(monkeypatch, {number(0): first, number(1): second})
    assert statuses(fleet(rich, entries(2), concurrency=2)) == ["failed", "failed"]
    assert reads.count == 1


def test_unavailable_service_after_a_temporary_failure_is_detected(
    rich: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch, lambda: reads.count > 1 and unreachable())
    adding(monkeypatch, {number(0): unreachable, number(2): unreachable})
    result = fleet(rich, entries(5), concurrency=1)
    assert statuses(result) == ["failed", "changed", "failed", *["not_attempted"] * 2]
    assert reads.count == 2 and "became unavailable" in result["devices"][4]["msg"]


def test_no_probe_if_no_device_remains(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    adding(monkeypatch, {number(0): unreachable})
    assert statuses(fleet(rich, entries(2), concurrency=1, on_error="stop")) == ["failed", "not_attempted"]
    assert reads.count == 0


def test_temporary_failure_of_one_device_does_not_stop_the_others(rich: Controller) -> None:
    rich.sandbox.fault("reset", path="/add-device", when="before", times=2)
    result = fleet(rich, entries(6), concurrency=1)
    # The second attempt fails like the first, so it is unknown whether one of them arrived.
    assert statuses(result) == ["in_doubt", *["changed"] * 5] and number(0) in result["msg"]
    assert statuses(fleet(rich, entries(6))).count("failed") == 0
    assert len(rich.sandbox.devices()) == 6


def test_lost_response_reads_the_list_again_only_for_its_device(rich: Controller) -> None:
    rich.sandbox.fault("reset", path="/update-device", when="after", times=1)
    result = fleet(rich, entries(10, webhook=URL), concurrency=1)
    assert result["summary"]["created"] == 10 and "msg" not in result
    assert paths(rich).count("/get-devices") == 2


@pytest.mark.parametrize("module", ["fleet", "audit"])
@pytest.mark.parametrize("check", [True, False])
def test_device_named_by_number_and_by_token_is_refused_before_the_first_write(
    rich: Controller, check: bool, module: str
) -> None:
    fleet(rich, entries(2))
    sent = len(rich.sandbox.writes())
    token = rich.sandbox.device(number(1))["token"]
    devices = [
        {"device": number(0), "name": "Toko Baru"},
        {"device": number(1), "name": "Toko A"},
        {"device_token": token, "name": "Toko B"},
    ]
    with pytest.raises(OptionError) as caught:
        rich.run(module, check, devices=devices, handle_unknown="ignore")
    assert f"devices[1] ({number(1)}) and devices[2] are one device" in str(caught.value)
    assert token not in str(caught.value) and len(rich.sandbox.writes()) == sent
    both = [devices[0], {**devices[2], "device": number(1)}]
    assert rich.run(module, check, devices=both, handle_unknown="ignore").result["changed"] == (module == "fleet")


def test_devices_identified_only_by_their_tokens(rich: Controller) -> None:
    fleet(rich, entries(3, webhook=URL))
    tokens = [rich.sandbox.device(number(index))["token"] for index in range(3)]
    devices = [{"device_token": token, "name": "Toko Baru", "webhook": URL} for token in tokens]
    result = fleet(rich, devices, account_token=None)
    assert result["summary"]["updated"] == 3
    assert not fleet(rich, devices, account_token=None)["changed"]
    with pytest.raises(OptionError):
        rich.run("fleet", devices=entries(1), account_token=None)
    with pytest.raises(OptionError, match="one device"):
        rich.run("fleet", devices=[devices[0], devices[0]])


def test_retry_after_slows_down_all_devices(rich: Controller) -> None:
    fleet(rich, entries(6, webhook=URL))
    first, *others = (entry["device"] for entry in entries(6))
    rich.sandbox.fault("status", path="/update-device", number=first, code=429, headers={"Retry-After": "1"})
    for number in others:
        # Requests in progress during the first 429 are answered after it.
        rich.sandbox.fault("delay", path="/update-device", number=number, seconds=0.5)
    rich.sandbox.clear_journal()
    result = fleet(rich, entries(6, webhook=URL, quick=True), concurrency=3, api_retry_max_delay=2.0)
    assert result["summary"]["updated"] == 6 and "msg" not in result
    calls = [entry for entry in rich.sandbox.journal() if entry["path"] == "/update-device"]
    (reported,) = [entry["at"] for entry in calls if entry["fault"] == "status"]
    # Two others may be in progress; later ones wait with the request that got the 429.
    assert sum(reported < entry["at"] < reported + 0.8 for entry in calls) <= 2


@pytest.mark.parametrize("concurrency", [1, 4])
def test_concurrency_limits_the_requests(rich: Controller, monkeypatch: pytest.MonkeyPatch, concurrency: int) -> None:
    fleet(rich, entries(8, webhook=URL))
    send, in_progress = Session.send, threading.Semaphore(concurrency)
    # No update ends before so many wait here; with fewer at a time, this would fail.
    all_at_once = threading.Barrier(concurrency, timeout=60)

    def count(session: Session, call: Request, attempt: Attempt) -> HttpResponse:
        assert in_progress.acquire(blocking=False), "more requests than permitted"
        try:
            response = send(session, call, attempt)
            if call.path == "/update-device":
                all_at_once.wait()
            return response
        finally:
            in_progress.release()

    monkeypatch.setattr(Session, "send", count)
    assert fleet(rich, entries(8, quick=True), concurrency=concurrency)["summary"]["updated"] == 8


def test_internal_error_is_not_reported_as_success(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: t.Any) -> t.NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(_api.FonnteClient, "add_device", broken)
    with pytest.raises(ZeroDivisionError):
        rich.run("fleet", devices=entries(30))
    workers = [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]
    assert not workers, "the run is over and still at work"


def test_entries_that_always_update_does_not_reach_are_reported(rich: Controller) -> None:
    """After a leak, "always_update" for the fleet silently left out the entries that have another value."""
    devices = [*entries(3, personal=True), {**entries(4)[3], "handle_write_only": "recorded", "personal": True}]
    fleet(rich, devices)
    report = rich.run("fleet", True, devices=devices, handle_unknown="ignore", handle_write_only="always_update")
    assert report.result["summary"]["updated"] == 3
    assert [text for text in report.warnings if "always_update" in text] == [
        f"handle_write_only: always_update does not apply to 1 device, whose entries have another value: {number(3)}. "
        "Their write-only settings are not sent again; change or remove handle_write_only in these entries."
    ]
    recorded = rich.run("fleet", True, devices=devices, handle_unknown="ignore")
    assert not any("always_update" in text for text in recorded.warnings)


def test_warnings_that_differ_in_the_number_are_one(rich: Controller) -> None:
    report = rich.run("fleet", devices=entries(15, webhook=URL, autoread=True))
    (warning,) = report.warnings
    assert f"the webhook of device {number(0)}: personal is off or unknown" in warning
    assert "The same applies to 14 devices: " in warning
    assert all(number(index) in warning for index in range(15))
    assert all(len(device["warnings"]) == 1 for device in report.result["devices"])


@pytest.mark.parametrize(("result", "created"), [("all", 15), ("changed", 0), ("summary", 0)])
def test_results_are_created_only_if_they_are_returned(
    rich: Controller, monkeypatch: pytest.MonkeyPatch, result: str, created: int
) -> None:
    """For a large unchanged fleet, they would take a tenth of the time."""
    fleet(rich, entries(15, webhook=URL))
    reports, diffs = [], []

    def count(calls: list[t.Any], name: str) -> None:
        original = getattr(_fleet_result, name)
        monkeypatch.setattr(_fleet_result, name, lambda *given: [calls.append(given), original(*given)][1])

    count(reports, "device_report")
    count(diffs, "device_diff")
    assert fleet(rich, entries(15, webhook=URL), result=result)["summary"]["unchanged"] == 15
    assert len(reports) == created and diffs == []


def test_known_empty_webhooks_are_not_counted_as_cleared(rich: Controller) -> None:
    """The renamed devices have no stamps, so the empty webhooks are sent again with the other settings."""
    declared = entries(5, webhook="", quick=False)
    fleet(rich, declared, handle_write_only="stamped")
    for entry in declared:
        rich.sandbox.edit(entry["device"], name="Another")
    assert fleet(rich, declared, handle_write_only="stamped", max_clear=0)["summary"]["updated"] == 5
    # A control node without a record cannot know this.
    for entry in declared:
        rich.sandbox.edit(entry["device"], name="Another")
    elsewhere = str(rich.records / "of-another-machine")
    with pytest.raises(SafetyLimitError):
        rich.run("fleet", devices=declared, handle_write_only="stamped", max_clear=4, record_path=elsewhere)


# The safety limits apply to later plans too


def lost_update(monkeypatch: pytest.MonkeyPatch, meanwhile: t.Callable[[], object], refused: bool = False) -> None:
    """Lose the response of the first update, or have it refused, and call a function at that moment."""
    update = _api.FonnteClient.update_device
    calls: list[str] = []

    def lose_first(api: _api.FonnteClient, *values: t.Any) -> None:
        calls.append("update")
        if len(calls) > 1:
            update(api, *values)
            return
        meanwhile()
        if refused:
            raise RefusedError("/update-device", "device not found", "device not found")
        raise ResponseLostError("the response was lost", "check the network")

    monkeypatch.setattr(_api.FonnteClient, "update_device", lose_first)


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "lost"])
@pytest.mark.parametrize(("limits", "allowed"), [({"max_create": 0}, False), ({}, True), ({"max_create": 1}, True)])
def test_second_plan_obeys_the_creation_limit(
    rich: Controller, monkeypatch: pytest.MonkeyPatch, refused: bool, limits: dict[str, int], allowed: bool
) -> None:
    fleet(rich, entries(1))
    lost_update(monkeypatch, lambda: rich.sandbox.remove(number(0)), refused)
    result = fleet(rich, entries(1, quick=True), **limits)
    assert (len(rich.sandbox.devices()) == 1) == allowed
    assert ("max_create does not allow one more" in result.get("msg", "")) != allowed
    if not allowed:
        assert statuses(result) == ["failed" if refused else "in_doubt"]


def test_second_plan_counts_free_devices(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(rich, entries(2))
    free = sum(device["package"] == "Free" for device in rich.sandbox.devices().values())
    lost_update(monkeypatch, lambda: rich.sandbox.remove(number(0)))
    result = fleet(rich, entries(2, quick=True), concurrency=1, free_device_limit=free)
    assert "free_device_limit does not allow one more" in result["msg"] and len(rich.sandbox.devices()) == 1


def test_second_plan_obeys_the_disconnection_limit(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(rich, entries(1))
    lost_update(monkeypatch, lambda: rich.sandbox.link(number(0)))
    result = fleet(rich, entries(1, quick=True, state="disconnected"), max_disconnect=0)
    assert "max_disconnect does not allow one more" in result["msg"]
    assert rich.sandbox.device(number(0))["linked"]


def test_second_plan_obeys_the_clear_limit(rich: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    # A created device has no webhooks to clear, until another run has created it.
    def by_another_run(*_values: t.Any) -> t.NoReturn:
        monkeypatch.setattr(_api.FonnteClient, "add_device", add)
        controller.device(number(0), name="Toko 0", webhook=URL)
        raise ResponseLostError("the response was lost", "check the network")

    controller, add = Controller(rich.sandbox, rich.records.parent / "other"), _api.FonnteClient.add_device
    monkeypatch.setattr(_api.FonnteClient, "add_device", by_another_run)
    result = fleet(rich, entries(1, webhook=""), max_clear=0)
    assert "max_clear does not allow one more" in result["msg"] and statuses(result) == ["in_doubt"]
    assert rich.sandbox.device(number(0))["settings"]["webhook"] == URL


SHOP, BANK = "0811111111", "62811111111"


@pytest.mark.parametrize("check", [True, False])
def test_undeclared_device_with_an_equivalent_number_is_reported(controller: Controller, check: bool) -> None:
    devices = [{"number": SHOP, "name": "shop A"}, {"number": BANK, "name": "bank B"}]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    declared = [{"device": SHOP, "name": "shop A"}]
    refused = fleet(controller, declared, check, unlisted="error")
    assert f"the account has devices that are not declared: {BANK};" in refused["msg"]
    assert fleet(controller, declared, check, unlisted="report")["unlisted"] == [BANK]
    assert fleet(controller, [{"device": "+" + BANK}], check, unlisted="report")["unlisted"] == [SHOP]


def test_ambiguous_declared_device_is_not_undeclared(controller: Controller) -> None:
    """Two devices match the number: the entry fails, and neither device counts as undeclared."""
    devices = [{"number": SHOP, "name": "shop A"}, {"number": BANK, "name": "bank B"}]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    result = fleet(controller, [{"device": "00" + BANK, "name": "shop A"}], unlisted="report")
    assert "more than one device" in result["msg"] and result["unlisted"] == []


def test_check_mode_warns_of_free_devices_that_the_service_would_refuse(controller: Controller) -> None:
    assert controller.run("fleet", True, devices=entries(10)).warnings == []
    (warning,) = controller.run("fleet", True, devices=entries(12)).warnings
    assert warning.startswith("The account has 0 of 10 free devices, and the run would create 12: ")
    assert "refuse 2 of them" in warning


def test_check_mode_warns_of_a_linked_free_device(controller: Controller) -> None:
    fleet(controller, entries(1))
    controller.sandbox.link(number(0))
    warnings = controller.run("fleet", True, devices=entries(2)).warnings
    assert [text for text in warnings if text.startswith(f"The free device {number(0)} is linked.")]
