# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""fonnte_device_qr: the fetched codes, the wait, and the errors."""

from __future__ import annotations

import base64
import itertools
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    OptionError,
    RefusedError,
    ResponseLostError,
    UnexpectedResponseError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import AbandonedError, Lineage
from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.link import LIST_SECONDS, PROFILE_SECONDS
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import device_qr as _module_qr
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput, ModuleResult
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

A, B, C = "081200000001", "081200000002", "081200000003"
PHONE = "6281200000001"
CODE: dict[str, t.Any] = {"method": "code", "whatsapp": PHONE}
PACKAGE = {"package": "Super"}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "qr.png"


def world(controller: Controller, *devices: t.Mapping[str, object], **readings: object) -> None:
    tokens = {"token": controller.sandbox.account_token}
    controller.sandbox.reset(readings, [{**tokens, "devices": [{"name": "Toko Satu", **device} for device in devices]}])


def after(controller: Controller, seconds: float, act: t.Callable[[], object]) -> None:
    """Call a function once, as soon as the task has waited longer than this."""

    def pause(waited: float) -> None:
        if waited > seconds:
            controller.on_pause = lambda _waited: None
            act()

    controller.on_pause = pause


def linked_after(controller: Controller, seconds: float) -> None:
    """The owner scans the code once the task has waited longer than this."""
    after(controller, seconds, lambda: controller.sandbox.link(A))


def calls(controller: Controller) -> list[str]:
    paths = [entry["path"] for entry in controller.sandbox.journal()]
    controller.sandbox.clear_journal()
    return paths


def asked(controller: Controller) -> int:
    return sum(entry["path"] == "/qr" for entry in controller.sandbox.journal())


def by_token(controller: Controller, number: str = A) -> dict[str, t.Any]:
    return {"account_token": None, "device_token": controller.sandbox.device(number)["token"]}


def failing(controller: Controller, kind: type[FonnteError] = FonnteError, **params: t.Any) -> FonnteError:
    with pytest.raises(kind) as caught:
        controller.run("device_qr", **params)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and caught.value.operation, sentence
    return caught.value


def result(report: ModuleResult) -> dict[str, t.Any]:
    return {key: report.result[key] for key in ("changed", "connected", "dest", "code")}


# Codes


def test_qr_code_is_written_and_never_shown(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    report = controller.run("device_qr", device=A, dest=str(dest))
    assert calls(controller) == ["/get-devices", "/qr"]
    assert result(report) == {"changed": True, "connected": False, "dest": str(dest), "code": None}
    assert (report.result["device"], report.result["name"], report.result["method"]) == (A, "Toko Satu", "qr")
    assert report.result["fetched_at"] and report.warnings == [] and controller.shown == []
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    assert base64.b64encode(dest.read_bytes()).decode() not in str(report)
    again = controller.run("device_qr", device=A, dest=str(dest))
    assert again.result["changed"] is True, "a new QR code was fetched"


class ShownOnce(list[str]):
    """Receives the messages that a task shows; a colleague acts at the first one."""

    def __init__(self, act: t.Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def append(self, text: str) -> None:
        super().append(text)
        if len(self) == 1:
            self._act()


def test_device_renumbered_during_the_wait_ends_the_task(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A}, {"number": B})
    controller.shown = ShownOnce(lambda: controller.sandbox.edit(A, device=C))
    fault = failing(controller, device=A, dest=str(dest), wait=True)
    assert f"the service lists it as {C} now" in str(fault) and asked(controller) == 1


def test_no_code_is_fetched_if_no_process_waits_for_it(
    controller: Controller, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(controller, {"number": A})
    fetch = FonnteClient.qr_image

    def end_first(api: FonnteClient, *args: t.Any) -> bytes:
        monkeypatch.setattr(Lineage, "has_ended", lambda self: True)
        return fetch(api, *args)

    monkeypatch.setattr(FonnteClient, "qr_image", end_first)
    failing(controller, AbandonedError, device=A, dest=str(dest))
    assert asked(controller) == 0 and not dest.exists()


def test_image_is_the_one_that_the_service_sent(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    controller.run("device_qr", device=A, dest=str(dest))
    (sent,) = [entry for entry in controller.sandbox.journal() if entry["path"] == "/qr"]
    assert sent["form"] == {"type": "qr"} and dest.read_bytes() == base64.b64decode(sent["reply"]["url"])


def test_pairing_code_is_in_the_result(controller: Controller, tmp_path: Path) -> None:
    world(controller, {"number": A})
    report = controller.run("device_qr", device=A, method="code", whatsapp="0812-0000-0001")
    (sent,) = [entry for entry in controller.sandbox.journal() if entry["path"] == "/qr"]
    assert sent["form"] == {"type": "code", "whatsapp": PHONE}
    assert result(report) == {"changed": True, "connected": False, "dest": None, "code": sent["reply"]["code"]}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [{}, CODE, {"wait": True}, {**CODE, "wait": True}, {"fetch": False, "wait": True}])
def test_linked_device_is_unchanged(controller: Controller, dest: Path, more: dict[str, t.Any]) -> None:
    world(controller, {"number": A, "linked": True}, {"number": B})
    dest.write_bytes(b"")
    place = {} if more.get("method") == "code" else {"dest": str(dest)}
    for check in (True, False):
        report = controller.run("device_qr", check, device="+62 812 0000 0001", **place, **more)
        assert result(report) == {"changed": False, "connected": True, "dest": None, "code": None}
        assert report.result["device"] == A and report.result["diff"]["before"] == report.result["diff"]["after"]
    assert calls(controller) == ["/get-devices"] * 2 and dest.read_bytes() == b""


@pytest.mark.parametrize("more", [{"dest": "qr.png"}, CODE])
@pytest.mark.parametrize("wait", [False, True])
def test_device_linked_since_the_list_is_no_failure(
    controller: Controller, tmp_path: Path, more: dict[str, t.Any], wait: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response of the service is newer than the list, and shows the desired state."""
    monkeypatch.chdir(tmp_path)
    world(controller, {"number": A, "linked": True})
    controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each={"status": "disconnect"})
    report = controller.run("device_qr", device=A, wait=wait, **more)
    assert result(report) == {"changed": False, "connected": True, "dest": None, "code": None}
    assert report.result["diff"]["before"] == report.result["diff"]["after"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("more", [{"dest": "qr.png"}, CODE])
def test_check_mode_predicts_the_run_and_fetches_nothing(
    controller: Controller, tmp_path: Path, more: dict[str, t.Any], wait: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world(controller, {"number": A})
    predicted = controller.run("device_qr", True, device=A, wait=wait, **more)
    assert calls(controller) == ["/get-devices"] and list(tmp_path.iterdir()) == [] and controller.shown == []
    assert predicted.result["connected"] is False and predicted.result["code"] is None
    assert predicted.result["dest"] == (str(tmp_path / "qr.png") if "dest" in more else None)
    linked_after(controller, 0) if wait else None
    done = controller.run("device_qr", device=A, wait=wait, **more)
    for key in ("changed", "diff", "device", "name", "method"):
        assert predicted.result[key] == done.result[key], key
    assert done.result["changed"] is True


# Selection of the device


def test_device_is_found_by_its_token(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    params = by_token(controller)
    assert controller.run("device_qr", True, dest=str(dest), **params).result["changed"] is True
    report = controller.run("device_qr", dest=str(dest), **params)
    assert calls(controller) == ["/device", "/device", "/qr"]
    assert result(report)["changed"] and report.result["device"] == A and dest.exists()
    controller.sandbox.link(A)
    assert result(controller.run("device_qr", dest=str(dest), **params))["changed"] is False


def test_environment_token_is_used_only_without_a_number(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A}, {"number": B})
    controller.environment["FONNTE_DEVICE_TOKEN"] = controller.sandbox.device(B)["token"]
    assert controller.run("device_qr", dest=str(dest)).result["device"] == B
    assert controller.run("device_qr", device=A, dest=str(dest)).result["device"] == A


def test_number_and_token_of_different_devices_are_refused(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A}, {"number": B})
    token = controller.sandbox.device(B)["token"]
    fault = failing(controller, device=A, device_token=token, dest=str(dest))
    assert "are not one device" in str(fault) and A in str(fault) and B in str(fault)
    assert asked(controller) == 0 and not dest.exists()


def test_missing_device_is_refused(controller: Controller, dest: Path) -> None:
    """Check mode predicts that an earlier task creates it."""
    world(controller)
    assert f"Linking device {A}: the account has no device {A}; create it" in str(
        failing(controller, NotFoundError, device=A, dest=str(dest))
    )
    predicted = controller.run("device_qr", True, device=A, dest=str(dest))
    assert predicted.result["changed"] is True and any("earlier task" in warning for warning in predicted.warnings)
    assert asked(controller) == 0


def test_unknown_token_is_refused(controller: Controller, dest: Path) -> None:
    world(controller)
    fault = failing(controller, account_token=None, device_token="unknown-token", dest=str(dest))
    assert "token invalid" in str(fault) and "unknown-token" not in str(fault)


# The limit of one linked free device


def test_blocking_device_is_named(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A}, {"number": B, "linked": True}, {"number": C, "linked": True, **PACKAGE})
    predicted = controller.run("device_qr", True, device=A, dest=str(dest))
    assert any(f"the free device {B} is linked" in warning for warning in predicted.warnings)
    fault = failing(controller, RefusedError, device=A, dest=str(dest))
    assert 'Fonnte returned "free device already connected"; the free device 081200000002 is linked' in str(fault)
    assert "state: disconnected" in str(fault) and C not in str(fault)
    assert fault.partial_result["changed"] is False and fault.partial_result["connected"] is False and not dest.exists()
    controller.run("device", device=B, state="disconnected")
    assert controller.run("device_qr", device=A, dest=str(dest)).result["changed"] is True


def test_device_with_a_package_is_not_blocked(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A, **PACKAGE}, {"number": B, "linked": True})
    predicted = controller.run("device_qr", True, device=A, dest=str(dest))
    assert predicted.warnings == []
    assert controller.run("device_qr", device=A, dest=str(dest)).result["changed"] is True


def test_unlisted_blocking_device_is_reported(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A}, {"number": B, "linked": True, "unlisted": True}, listing="partial")
    assert "list does not show which one" in str(failing(controller, device=A, dest=str(dest)))
    assert "set account_token" in str(failing(controller, dest=str(dest), **by_token(controller)))
    controller.sandbox.fault("html", path="/get-devices", code=502, skip=1, times=None)
    assert "list does not show which one" in str(failing(controller, device=A, dest=str(dest)))


# Waiting


def test_run_waits_until_the_device_is_linked(controller: Controller, dest: Path) -> None:
    """The image is useless then and must not be mistaken for a valid one."""
    world(controller, {"number": A})
    linked_after(controller, 2 * LIST_SECONDS)
    seen: list[bool] = []
    controller.shown = _Watched(lambda: seen.append(dest.exists()))
    report = controller.run("device_qr", device=A, dest=str(dest), wait=True)
    assert 2 * LIST_SECONDS < controller.waited <= 3 * LIST_SECONDS
    assert result(report) == {"changed": True, "connected": True, "dest": None, "code": None}
    assert seen == [True] and not dest.exists()
    (line,) = controller.shown
    assert A in line and str(dest) in line
    assert report.result["diff"]["after"] == {"device": A, "connected": True, "fetched": "a QR code"}
    assert controller.run("device_qr", device=A, dest=str(dest), wait=True).result["changed"] is False


class _Watched(list[str]):
    """Receives the messages of a run, and calls a function at that moment."""

    def __init__(self, act: t.Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def append(self, text: str) -> None:
        self._act()
        super().append(text)


def test_file_replaced_during_the_wait_is_kept(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    controller.shown = _Watched(lambda: dest.write_text("something else"))
    linked_after(controller, 0)
    report = controller.run("device_qr", device=A, dest=str(dest), wait=True)
    assert report.result["dest"] == str(dest) and dest.read_text() == "something else"


def test_pairing_code_is_shown_before_the_wait_and_requested_once(controller: Controller) -> None:
    world(controller, {"number": A})
    linked_after(controller, 2.5)
    report = controller.run("device_qr", device=A, wait=True, refresh=1, **CODE)
    assert report.result["connected"] and report.result["changed"] and asked(controller) == 1
    (line,) = controller.shown
    assert report.result["code"] in line and A in line and PHONE in line


def test_fetch_false_only_waits(controller: Controller, tmp_path: Path) -> None:
    world(controller, {"number": A})
    predicted = controller.run("device_qr", True, device=A, fetch=False, wait=True)
    linked_after(controller, 0)
    report = controller.run("device_qr", device=A, fetch=False, wait=True)
    assert result(report) == {"changed": True, "connected": True, "dest": None, "code": None}
    assert (predicted.result["changed"], predicted.result["diff"]) == (True, report.result["diff"])
    assert asked(controller) == 0 and list(tmp_path.iterdir()) == [] and controller.shown == []


@pytest.mark.parametrize("alone", [False, True], ids=["list", "profile"])
def test_wait_ends_with_its_timeout(controller: Controller, dest: Path, alone: bool) -> None:
    world(controller, {"number": A})
    which = by_token(controller) if alone else {"device": A}
    calls(controller)
    fault = failing(controller, dest=str(dest), wait=True, wait_timeout=60, refresh=3600, **which)
    assert 59 < controller.waited <= 60
    assert str(fault).startswith(f"Linking device {A}: no phone was linked within 60 s; run the task again, and scan ")
    assert str(dest) in str(fault) and dest.exists()
    assert fault.partial_result["changed"] is True and fault.partial_result["connected"] is False
    assert fault.partial_result["dest"] == str(dest)
    paths = calls(controller)
    looks = paths.count("/device" if alone else "/get-devices") - 1
    assert looks == 60 // (PROFILE_SECONDS if alone else LIST_SECONDS), paths
    assert paths.count("/get-devices" if alone else "/device") == 0


@pytest.mark.parametrize("scanned", [True, False])
def test_last_poll_is_at_the_timeout(controller: Controller, dest: Path, scanned: bool) -> None:
    """Also if the next poll would be much later."""
    world(controller, {"number": A})
    linked_after(controller, 0) if scanned else None
    params = {"device": A, "dest": str(dest), "wait": True, "wait_timeout": 1}
    if scanned:
        assert controller.run("device_qr", **params).result["connected"] is True
    else:
        assert "no phone was linked within 1 s" in str(failing(controller, **params))
    assert 0.9 < controller.waited <= 1


def test_error_after_the_timeout_names_the_action(controller: Controller) -> None:
    world(controller, {"number": A})
    fault = failing(controller, device=A, wait=True, wait_timeout=1, **CODE)
    assert (
        "type the new pairing code" in str(fault)
        and fault.partial_result["code"]
        and fault.partial_result["changed"] is True
    )
    fault = failing(controller, device=A, wait=True, wait_timeout=1, fetch=False)
    assert "fetch a new QR code or pairing code" in str(fault) and fault.partial_result["changed"] is False


def test_qr_code_is_renewed_when_it_expires(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    seen: list[bytes] = []

    def act() -> None:
        seen.append(dest.read_bytes())
        controller.sandbox.advance(30)

    def scan() -> None:
        seen.append(dest.read_bytes())
        controller.sandbox.link(A)

    controller.shown = _Watched(act)
    after(controller, 1, scan)
    report = controller.run("device_qr", device=A, dest=str(dest), wait=True, refresh=1)
    # The third request is answered with "already linked".
    assert report.result["connected"] and asked(controller) == 3
    assert len(set(seen)) == 2, "the file still holds the old QR code"


def test_each_qr_code_is_drawn_once(controller: Controller, dest: Path) -> None:
    """A code that has not expired is not drawn again, and without a wait nothing is drawn."""
    world(controller, {"number": A})

    def act() -> None:
        # The second response contains the same code, and the third one a new code.
        same = base64.b64encode(dest.read_bytes()).decode()
        controller.sandbox.fault("mutate", path="/qr", times=1, set={"url": same})
        controller.sandbox.advance(30)

    controller.shown = _Watched(act)
    linked_after(controller, 3)
    controller.run("device_qr", device=A, dest=str(dest), wait=True, refresh=1)
    # The last response reports that the device is linked.
    images, drawn = asked(controller) - 1, len(controller.drawn)
    assert 2 <= drawn < images
    assert all(first != second for first, second in itertools.pairwise(controller.drawn))
    controller.sandbox.unlink(A)
    drawn = len(controller.drawn)
    controller.run("device_qr", device=A, dest=str(dest))
    assert len(controller.drawn) == drawn


def test_temporary_faults_during_the_wait_are_tolerated(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})

    def act() -> None:
        controller.sandbox.fault("html", path="/get-devices", code=200, times=4)
        controller.sandbox.fault("reset", path="/qr", times=1)
        controller.sandbox.fault("status", path="/qr", times=1, code=200, body={"status": False, "reason": "not now"})

    controller.shown = _Watched(act)
    # After the four lists that fail, with one every five seconds.
    linked_after(controller, 4 * LIST_SECONDS)
    report = controller.run("device_qr", device=A, dest=str(dest), wait=True, refresh=1, api_retries=0)
    assert report.result["connected"] and controller.sandbox.faults() == [] and asked(controller) >= 3


def test_permanent_faults_during_the_wait_are_reported_at_the_end(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    controller.shown = _Watched(
        lambda: controller.sandbox.fault("html", path="/get-devices", code=502, times=None) and None
    )
    fault = failing(controller, device=A, dest=str(dest), wait=True, wait_timeout=1, api_retries=0)
    assert "within 1 s, and the last request failed: the service failed with HTTP 502; run" in str(fault)


def test_incomplete_new_image_keeps_the_previous_one(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    kept: list[bytes] = []

    def act() -> None:
        kept.append(dest.read_bytes())
        half = base64.b64encode(kept[0][: len(kept[0]) // 2]).decode()
        controller.sandbox.fault("mutate", path="/qr", times=None, set={"url": half})

    controller.shown = _Watched(act)
    fault = failing(controller, device=A, dest=str(dest), wait=True, wait_timeout=2, refresh=1, api_retries=0)
    assert asked(controller) > 1 and "no phone was linked" in str(fault)
    assert dest.read_bytes() == kept[0]


def test_device_deleted_during_the_wait_ends_it(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    controller.shown = _Watched(lambda: controller.sandbox.remove(A))
    # Waiting to its end would exceed the time limit of a test.
    wait = {"wait": True, "wait_timeout": 3600, "refresh": 1}
    assert "token invalid" in str(failing(controller, device=A, dest=str(dest), **wait))


def test_another_free_device_linked_during_the_wait_ends_it(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A}, {"number": B})
    controller.shown = _Watched(lambda: controller.sandbox.link(B))
    assert f"the free device {B} is linked" in str(failing(controller, device=A, dest=str(dest), wait=True, refresh=1))


def test_full_disk_during_the_wait_ends_it(controller: Controller, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world(controller, {"number": A})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    controller.shown = _Watched(lambda: replace_os(monkeypatch, fsync=full))
    fault = failing(controller, device=A, dest=str(dest), wait=True, refresh=1)
    assert f"Linking device {A}: the QR code cannot be written to {dest} (No space left on device)" in str(fault)


# Lost responses


LOST: tuple[dict[str, t.Any], ...] = (
    {"kind": "reset", "when": "after"},
    {"kind": "truncated"},
    {"kind": "html", "code": 503},
    {"kind": "status", "code": 200, "body": {"status": "perhaps"}},
    {"kind": "mutate", "remove": ["url", "code"]},
)


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["kind"])
def test_lost_qr_code_is_requested_again(controller: Controller, dest: Path, fault: dict[str, t.Any]) -> None:
    world(controller, {"number": A})
    controller.sandbox.fault(path="/qr", **fault)
    assert controller.run("device_qr", device=A, dest=str(dest)).result["changed"] is True
    assert calls(controller) == ["/get-devices", "/qr", "/get-devices", "/qr"] and dest.exists()
    controller.sandbox.fault(path="/qr", times=None, **fault)
    failing(controller, device=A, dest=str(dest))
    assert calls(controller) == ["/get-devices", "/qr", "/get-devices", "/qr"]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["kind"])
def test_lost_pairing_code_is_not_requested_again(controller: Controller, fault: dict[str, t.Any]) -> None:
    world(controller, {"number": A})
    controller.sandbox.fault(path="/qr", **fault)
    sentence = str(failing(controller, ResponseLostError, device=A, **CODE))
    assert "unknown whether a pairing code was created; run the task again for a new one" in sentence
    assert asked(controller) == 1


def test_device_linked_during_a_lost_response(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    controller.sandbox.fault("delay", path="/qr", when="before", seconds=0.3)
    controller.sandbox.link(A, after=0.15)
    report = controller.run("device_qr", device=A, dest=str(dest), api_timeout=0.2)
    assert result(report) == {"changed": False, "connected": True, "dest": None, "code": None}


@pytest.mark.parametrize("code", ["", "abc", 7, None, "x" * 21, "abcd\nefgh", "<b>abcd</b>", ["abcd"]])
def test_invalid_pairing_code_is_not_shown(controller: Controller, code: object) -> None:
    world(controller, {"number": A})
    controller.sandbox.fault("mutate", path="/qr", set={"code": code})
    assert "without a pairing code" in str(failing(controller, ResponseLostError, device=A, **CODE))


@pytest.mark.parametrize("url", ["", None, 7, "<html>", "aGVsbG8="])
def test_invalid_image_is_not_written(controller: Controller, dest: Path, url: object) -> None:
    world(controller, {"number": A})
    controller.sandbox.fault("mutate", path="/qr", times=None, set={"url": url})
    sentence = str(failing(controller, UnexpectedResponseError, device=A, dest=str(dest)))
    assert "with an image that cannot be used, since it is " in sentence and not dest.exists()


def test_loop_reads_the_list_again_for_each_item(controller: Controller, dest: Path) -> None:
    """Each item requests its own list."""
    world(controller, {"number": A}, {"number": B, **PACKAGE})
    keep = ProcessCache()

    def run(number: str) -> dict[str, t.Any]:
        params = controller.complete("device_qr", device=number, dest=str(dest))
        return result(_module_qr.run_device_qr(ModuleInput(params, {}, cache=keep)))

    assert run(A)["changed"] and run(B)["changed"]
    assert calls(controller) == ["/get-devices", "/qr", "/get-devices", "/qr"]
    controller.sandbox.link(A)
    assert run(A) == {"changed": False, "connected": True, "dest": None, "code": None}
    assert calls(controller) == ["/get-devices"]


# Options


@pytest.mark.parametrize(
    ("params", "option", "words"),
    [
        ({}, "dest", "name the file for the PNG"),
        ({"dest": ""}, "dest", "it is empty"),
        ({"dest": "/no/such/folder/qr.png"}, "dest", "there is no directory /no/such/folder; create it first"),
        ({"dest": "qr.png", "whatsapp": PHONE}, "whatsapp", "set method: code"),
        ({"method": "code"}, "whatsapp", "it is missing"),
        ({**CODE, "dest": "qr.png"}, "dest", "it is for method: qr"),
        ({**CODE, "whatsapp": "0812-x"}, "whatsapp", '"x"'),
        ({**CODE, "whatsapp": 21555432}, "whatsapp", "quote it"),
        ({"dest": "qr.png", "fetch": False}, "fetch", "set wait: true"),
        ({"dest": "qr.png", "wait_timeout": 0.5}, "wait_timeout", "1 to 86400"),
        ({"dest": "qr.png", "refresh": 0}, "refresh", "1 to 3600"),
        ({"dest": "qr.png", "record_max_age": "soon"}, "record_max_age", "as in 30d"),
        ({"dest": "qr.png", "device": None}, "device", "no device is named"),
    ],
)
def test_invalid_option_is_refused_before_any_request(
    controller: Controller, params: dict[str, t.Any], option: str, words: str
) -> None:
    fault = failing(controller, OptionError, **{"device": A, **params})
    assert str(fault).startswith(f"Option {option}: ") and words in str(fault)
    assert controller.sandbox.journal() == []


def test_check_mode_accepts_a_missing_directory(controller: Controller, tmp_path: Path) -> None:
    world(controller, {"number": A})
    report = controller.run("device_qr", True, device=A, dest=str(tmp_path / "new" / "qr.png"))
    assert report.result["changed"] is True and any("there is no directory" in warning for warning in report.warnings)


def test_directory_gets_a_file_for_each_device(controller: Controller, tmp_path: Path) -> None:
    world(controller, {"number": A}, {"number": B, **PACKAGE})
    for number in (A, B):
        report = controller.run("device_qr", device=number, dest=str(tmp_path))
        assert report.result["dest"] == str(tmp_path / f"{number}.png")
    assert {path.name for path in tmp_path.iterdir()} == {f"{A}.png", f"{B}.png"}


def test_failed_request_keeps_the_previous_image(controller: Controller, dest: Path) -> None:
    world(controller, {"number": A})
    controller.run("device_qr", device=A, dest=str(dest))
    before = dest.read_bytes()
    controller.sandbox.advance(30)
    controller.sandbox.fault("mutate", path="/qr", times=None, set={"url": "aGVsbG8="})
    failing(controller, device=A, dest=str(dest))
    assert dest.read_bytes() == before
