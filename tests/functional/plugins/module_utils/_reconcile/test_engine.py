# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observe, plan, apply: the engine against the sandbox, with every kind of interruption."""

from __future__ import annotations

import errno
import os
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import client as _api
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    OptionError,
    PolicyError,
    RateLimitedError,
    RecordError,
    RefusedError,
    RequestError,
    ResponseLostError,
    UnexpectedResponseError,
    UnreachableError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import apply as _writer
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine as _engine
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

A, B = "081200000001", "081200000002"
URL = "https://h.example.com/a?key=s3cret"
OTHER = "https://h.example.com/b?key=s3cret"
FULL: dict[str, t.Any] = {"name": "Toko Satu", "autoread": True, "personal": True, "webhook": URL, "quick": False}


def wire(controller: Controller, number: str = A) -> dict[str, t.Any]:
    """Return the settings of a device as the service stores them."""
    device = controller.sandbox.device(number)
    return {**device["settings"], "name": device["name"]}


def writes(controller: Controller) -> list[str]:
    return [entry["path"] for entry in controller.sandbox.writes()]


def applied(controller: Controller) -> list[str]:
    return [entry["path"] for entry in controller.sandbox.writes() if entry["applied"]]


# The sequence of a run


@pytest.mark.parametrize("check", [True, False])
def test_check_mode_predicts_a_creation_and_writes_nothing(controller: Controller, check: bool) -> None:
    report = controller.device(A, check, **FULL)
    assert report.result["operations"] == ["create", "update"] and report.result["changed"]
    assert report.result["device"]["webhook"].startswith("https://h.example.com/…#")
    assert writes(controller) == ([] if check else ["/add-device", "/update-device"])
    assert bool(controller.record_files()) is not check


def test_second_run_changes_nothing_and_sends_one_request(controller: Controller) -> None:
    controller.device(A, **FULL)
    before = controller.record_files()
    controller.sandbox.clear_journal()
    report = controller.device(A, **FULL)
    assert not report.result["changed"] and report.result["operations"] == []
    assert report.result["evidence"]["webhook"]["source"] == "recorded"
    assert report.result["evidence"]["name"] == {"source": "service", "at": None}
    assert [entry["path"] for entry in controller.sandbox.journal()] == ["/get-devices"]
    assert controller.record_files() == before


def test_service_stores_the_declared_settings(controller: Controller) -> None:
    controller.device(A, **FULL)
    held = wire(controller)
    assert held["webhook"] == URL and held["autoread"] is True and held["personal"] is True and held["quick"] is False


@pytest.mark.parametrize("omitted", ["keeps", "resets"])
def test_settings_of_one_task_survive_the_update_of_another(controller: Controller, omitted: str) -> None:
    controller.sandbox.set_readings(omitted=omitted)
    controller.device(A, **FULL)
    controller.run("webhook_config", device=A, webhook_status=OTHER)
    report = controller.device("+62 812-0000-0001", name="Toko Dua")
    assert set(report.result["carried"]) == {"personal", "quick", "webhook", "webhook_status"}
    held = wire(controller)
    assert (held["name"], held["webhook"], held["webhookstatus"], held["personal"]) == ("Toko Dua", URL, OTHER, True)
    assert controller.sandbox.devices().keys() == {A}


def test_result_has_a_token_only_on_request(controller: Controller) -> None:
    assert "token" not in controller.device(A, name="Toko").result
    report = controller.device(A, name="Toko", return_tokens=True)
    assert report.result["token"] == controller.sandbox.device(A)["token"]
    assert "no_log" in report.warnings[-1]
    absent = controller.device(B, True, state="absent", return_tokens=True)
    assert absent.result["token"] is None


# Number and token


def test_number_and_token_of_different_devices_are_refused_before_any_write(controller: Controller) -> None:
    for number in (A, B):
        controller.device(number, name="Toko")
    controller.sandbox.clear_journal()
    token = controller.sandbox.device(B)["token"]
    for more in ({}, {"account_token": None}):
        with pytest.raises(FonnteError) as caught:
            controller.device(A, name="Tako", device_token=token, **more)
        assert A in str(caught.value) and B in str(caught.value)
    assert writes(controller) == []


def test_number_and_token_of_one_device_are_accepted(controller: Controller) -> None:
    controller.device(A, name="Toko")
    token = controller.sandbox.device(A)["token"]
    for more in ({}, {"account_token": None}):
        assert not controller.device(A, name="Toko", device_token=token, **more).result["changed"]


def test_environment_token_is_used_only_without_a_number(controller: Controller) -> None:
    for number in (A, B):
        controller.device(number, name="Toko")
    controller.environment["FONNTE_DEVICE_TOKEN"] = controller.sandbox.device(B)["token"]
    controller.device(A, name="Tako")
    assert (wire(controller, A)["name"], wire(controller, B)["name"]) == ("Tako", "Toko")
    controller.run("device", name="Warung")
    assert (wire(controller, A)["name"], wire(controller, B)["name"]) == ("Tako", "Warung")


def test_null_number_does_not_select_the_device_of_the_environment(controller: Controller) -> None:
    """A variable with an empty value must not disconnect the device that the environment names."""
    controller.device(A, name="Toko")
    token = controller.sandbox.device(A)["token"]
    controller.environment["FONNTE_DEVICE_TOKEN"] = token
    for module, asked in (("device", {"state": "disconnected"}), ("webhook_config", {"state": "absent"})):
        with pytest.raises(OptionError, match="Option device: it is null"):
            controller.run(module, device=None, **asked)
    with pytest.raises(OptionError, match="Option device: it is null"):
        controller.run("message", device=None, target=["628111111111"], msg="x")
    # A token in the task selects its device.
    assert controller.run("device", True, device=None, device_token=token, quick=True).result["changed"]


def test_empty_environment_token_counts_as_none(controller: Controller) -> None:
    controller.environment["FONNTE_DEVICE_TOKEN"] = ""
    with pytest.raises(OptionError, match="no device is named"):
        controller.device(None, name="Toko")


def test_device_token_reads_the_profile_and_never_means_missing(controller: Controller) -> None:
    controller.device(A, name="Toko")
    token = controller.sandbox.device(A)["token"]
    controller.sandbox.clear_journal()
    report = controller.run("device", device_token=token, account_token=None, name="Tako")
    assert [entry["path"] for entry in controller.sandbox.journal()] == ["/device", "/update-device"]
    assert report.result["device"]["device"] == A
    with pytest.raises(RefusedError, match="token invalid"):
        controller.run("device", device_token="another", account_token=None, state="absent")


def test_two_registered_spellings_are_refused_unless_one_is_exact(controller: Controller) -> None:
    international = "62" + A[1:]
    controller.sandbox.reset(
        accounts=[{"token": controller.sandbox.account_token, "devices": [{"number": A}, {"number": international}]}]
    )
    with pytest.raises(FonnteError) as caught:
        controller.device("00" + international, name="Toko")
    assert A in str(caught.value) and international in str(caught.value)
    controller.device(A, name="Toko")
    assert wire(controller, A)["name"] == "Toko" and wire(controller, international)["name"] != "Toko"


def test_unlisted_device_is_found_by_its_token(controller: Controller) -> None:
    controller.sandbox.set_readings(listing="partial")
    controller.device(A, name="Toko")
    controller.sandbox.edit(A, unlisted=True)
    with pytest.raises(RefusedError, match="another account.*omits.*device_token"):
        controller.device(A, name="Tako")
    controller.device(A, name="Tako", device_token=controller.sandbox.device(A)["token"])
    assert wire(controller)["name"] == "Tako"


# Clearing


@pytest.mark.parametrize("reading", ["clears", "ignored", "refused"])
def test_webhook_is_cleared_once_and_other_changes_are_applied(controller: Controller, reading: str) -> None:
    controller.sandbox.set_readings(empty_webhook=reading)
    controller.device(A, **FULL)
    report = controller.device(A, webhook="", name="Toko Dua")
    assert report.result["changed_fields"] == ["name", "webhook"] and wire(controller)["name"] == "Toko Dua"
    assert any("refused to clear webhook" in warning for warning in report.warnings) is (reading == "refused")
    again = controller.device(A, webhook="", name="Toko Dua")
    assert not again.result["changed"] and again.result["evidence"]["webhook"]["source"] == "unconfirmed"
    later = controller.device(A, name="Toko Tiga")
    assert later.result["changed_fields"] == ["name"] and not any("refused" in text for text in later.warnings)
    assert (wire(controller)["webhook"] == "") is (reading == "clears")


def test_refusal_unrelated_to_clearing_is_an_error(controller: Controller) -> None:
    controller.sandbox.set_readings(webhook_probe="called")
    controller.device(A, name="Toko")
    with pytest.raises(RefusedError, match="webhook url") as caught:
        controller.device(A, webhook="http://127.0.0.1:1/closed", webhook_status="", name="Tako")
    assert wire(controller)["name"] == "Toko"
    assert caught.value.partial_result["operations"] == [] and not caught.value.partial_result["changed"]


# Deleting


def test_deletion_in_two_steps(controller: Controller) -> None:
    controller.device(A, **FULL)
    assert controller.device(A, True, state="absent", request_otp=True).result["otp_requested"]
    assert controller.sandbox.otp(A) is None
    asked = controller.device(A, state="absent", request_otp=True, otp="")
    assert asked.result["operations"] == ["request_otp"] and asked.result["otp_requested"] and asked.result["changed"]
    for check in (True, False):
        pending = controller.device(A, check, state="absent", request_otp=True)
        assert not pending.result["changed"] and pending.result["otp_pending"] and pending.result["retry_after"] > 500
    code = controller.sandbox.otp(A)
    with pytest.raises(RefusedError, match="incorrect OTP"):
        controller.device(A, state="absent", otp="000000" if code != "000000" else "111111")
    assert applied(controller).count("/delete-device") == 1
    deleted = controller.device(A, state="absent", otp=code)
    assert deleted.result["operations"] == ["delete"] and deleted.result["device"] is None
    assert deleted.result["diff"]["after"] == {} and deleted.result["diff"]["before"]["name"] == "Toko Satu"
    assert controller.sandbox.devices() == {}
    again = controller.device(A, state="absent", otp=code)
    assert not again.result["changed"] and again.warnings == []
    assert not [name for name in controller.record_files() if name.startswith("device-") and not name.endswith(".lock")]


def test_empty_code_never_becomes_a_request(controller: Controller) -> None:
    controller.device(A, name="Toko")
    with pytest.raises(OptionError, match="one-time code"):
        controller.device(A, state="absent", otp="")
    assert controller.sandbox.otp(A) is None


def test_deletion_of_another_device_is_reported(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    controller.sandbox.fault(
        "mutate", path="/delete-device", when="after", set={"detail": f"device {B} successfully deleted"}
    )
    with pytest.raises(FonnteError, match=f"deleted device {B}, not {A}"):
        controller.device(A, state="absent", otp=controller.sandbox.otp(A))


# A response that is lost after the service has applied the request


def cut_off_creation(controller: Controller) -> None:
    """Create a device with personal on, and lose the response and all lists."""
    lose(controller, "/add-device")
    controller.sandbox.fault("status", path="/get-devices", code=500, times=None, skip=1)
    with pytest.raises(ResponseLostError, match="Creating device .* reading it again failed as well"):
        controller.device(A, name="Toko", personal=True)
    controller.sandbox.clear_faults()


def interrupt_creation(controller: Controller) -> None:
    """Create a device with quick on, and have its update refused: the creation entry is bound to the device."""
    controller.sandbox.fault("status", path="/update-device", code=429, times=None)
    with pytest.raises(RateLimitedError, match="429"):
        controller.device(A, name="Toko", quick=True)
    controller.sandbox.clear_faults()


def lose(controller: Controller, path: str) -> None:
    controller.sandbox.fault("reset", path=path, when="after")


def test_lost_creation_is_found_in_the_list_and_completed(controller: Controller) -> None:
    lose(controller, "/add-device")
    report = controller.device(A, **FULL)
    assert report.result["operations"] == ["create", "update"]
    assert applied(controller) == ["/add-device", "/update-device"]
    assert not controller.device(A, **FULL).result["changed"]


def test_lost_update_of_write_only_settings_is_sent_again(controller: Controller) -> None:
    controller.device(A, **FULL)
    lose(controller, "/update-device")
    report = controller.device(A, webhook=OTHER)
    assert report.result["operations"] == ["update"] and wire(controller)["webhook"] == OTHER
    assert not controller.device(A, webhook=OTHER).result["changed"]


def test_lost_update_of_readable_settings_is_not_sent_again(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.clear_journal()
    lose(controller, "/update-device")
    report = controller.device(A, name="Tako")
    assert report.result["operations"] == ["update"] and applied(controller) == ["/update-device"]


@pytest.mark.parametrize(
    ("ends", "listings"),
    [
        ({"name": "Toko Dua"}, 1),
        # The second one is requested under the lock.
        ({"state": "disconnected"}, 2),
        ({"state": "absent", "otp": "123456"}, 2),
    ],
)
def test_lost_response_is_reported_if_the_service_is_unavailable_afterwards(
    controller: Controller, ends: dict[str, t.Any], listings: int
) -> None:
    """The error is about the sent request, whose outcome is unknown, and not about the failed lookup."""
    controller.device(A, **FULL)
    controller.sandbox.link(A)
    if "otp" in ends:
        controller.sandbox.next_otp("123456")
        controller.device(A, state="absent", request_otp=True)
    before = controller.record_files()
    path = {"name": "/update-device", "state": "/disconnect", "otp": "/delete-device"}[list(ends)[-1]]
    sent = applied(controller).count(path)
    lose(controller, path)
    controller.sandbox.fault("refuse", path="/get-devices", times=None, skip=listings)
    with pytest.raises(ResponseLostError) as caught:
        controller.device(A, **ends)
    reported = str(caught.value)
    assert (
        "it is unknown whether the service carried out the request" in reported
        and "reading it again failed as well" in reported
    )
    assert reported.startswith(("Updating", "Disconnecting", "Deleting")) and "run" in caught.value.advice
    assert caught.value.may_be_applied and caught.value.partial_result["operations"] == []
    controller.sandbox.clear_faults()
    assert controller.record_files().keys() == before.keys()
    controller.device(A, **ends)
    # Uncertain requests are checked, and sent again only if that is safe.
    assert applied(controller).count(path) - sent in ((1, 2) if path == "/update-device" else (1,))


def test_disconnection_happens_after_a_refused_and_then_lost_clear(controller: Controller) -> None:
    """The lost request is the one that was in progress, regardless of earlier requests."""
    controller.sandbox.set_readings(empty_webhook="refused")
    controller.device(A, name="Toko", webhook=URL)
    controller.sandbox.link(A)
    controller.sandbox.fault("reset", path="/update-device", skip=2)
    report = controller.device(A, webhook="", quick=True, state="disconnected")
    assert controller.sandbox.device(A)["linked"] is False
    assert report.result["operations"] == ["update", "disconnect"] and "/disconnect" in writes(controller)


def test_needless_disconnection_after_a_lost_update_keeps_the_update_in_the_result(
    controller: Controller,
) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.link(A)
    lose(controller, "/update-device")
    refusal = {"status": False, "detail": "device already disconnected"}
    controller.sandbox.fault("status", path="/disconnect", code=200, body=refusal)
    report = controller.device(A, name="Toko Dua", state="disconnected")
    assert report.result["operations"] == ["update"] and report.result["changed_fields"] == ["name"]
    assert report.result["diff"]["before"]["name"] == "Toko" and report.result["diff"]["after"]["name"] == "Toko Dua"


def test_lost_disconnection_is_not_repeated(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.link(A)
    lose(controller, "/disconnect")
    report = controller.device(A, state="disconnected")
    assert report.result["operations"] == ["disconnect"] and report.result["device"]["connected"] is False
    assert applied(controller).count("/disconnect") == 1


def test_lost_deletion_is_recognized_as_done(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    lose(controller, "/delete-device")
    assert controller.device(A, state="absent", otp=controller.sandbox.otp(A)).result["operations"] == ["delete"]
    again = controller.device(A, state="absent")
    assert not again.result["changed"] and again.warnings == []


def test_lost_request_for_a_code_is_never_repeated(controller: Controller) -> None:
    controller.device(A, name="Toko")
    lose(controller, "/delete-device")
    with pytest.raises(
        ResponseLostError, match="unknown whether the service carried out the request; check the WhatsApp"
    ):
        controller.device(A, state="absent", request_otp=True)
    assert writes(controller).count("/delete-device") == 1


def test_deletion_that_may_have_failed_is_never_repeated(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    controller.sandbox.fault("reset", path="/delete-device", when="before")
    code = controller.sandbox.otp(A)
    controller.sandbox.clear_journal()
    with pytest.raises(ResponseLostError, match="unknown whether .*still exists"):
        controller.device(A, state="absent", otp=code)
    assert len([entry for entry in controller.sandbox.journal() if entry["path"] == "/delete-device"]) == 1
    assert controller.device(A, state="absent", otp=code).result["operations"] == ["delete"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "arguments", "error"),
    [
        ("reset", {}, ResponseLostError),
        ("hang", {}, ResponseLostError),
        ("html", {"code": 200}, UnexpectedResponseError),
        ("html", {"code": 503}, UnexpectedResponseError),
        ("empty", {}, UnexpectedResponseError),
        ("list", {}, UnexpectedResponseError),
        ("status", {"code": 500}, UnexpectedResponseError),
        ("redirect", {"location": "https://elsewhere.example.com/x"}, UnexpectedResponseError),
    ],
)
def test_unanswered_update_stays_in_doubt(
    controller: Controller, when: str, kind: str, arguments: dict[str, t.Any], error: type[RequestError]
) -> None:
    controller.device(A, **FULL)
    controller.common["api_timeout"] = 0.2
    controller.sandbox.fault(kind, path="/update-device", when=when, times=2, **arguments)
    with pytest.raises(error) as caught:
        controller.device(A, webhook=OTHER)
    assert str(caught.value).startswith(f"Updating device {A}: ")
    assert "s3cret" not in str(caught.value)
    for check in (True, False):
        report = controller.device(A, check, webhook=OTHER)
        assert report.result["reasons"] == {"webhook": "in_doubt"}
        assert report.result["evidence"]["webhook"]["source"] == "in_doubt"
    assert wire(controller)["webhook"] == OTHER
    assert not controller.device(A, webhook=OTHER).result["changed"]


@pytest.mark.parametrize(
    ("kind", "arguments", "error"),
    [
        ("truncated", {"short": False}, UnexpectedResponseError),
        ("truncated", {"short": True}, ResponseLostError),
        ("reset", {"at": "middle"}, ResponseLostError),
    ],
)
def test_partial_response_leaves_the_setting_in_doubt(
    controller: Controller, kind: str, arguments: dict[str, t.Any], error: type[RequestError]
) -> None:
    controller.device(A, **FULL)
    controller.sandbox.fault(kind, path="/update-device", when="after", times=2, **arguments)
    with pytest.raises(error):
        controller.device(A, webhook=OTHER)
    assert controller.device(A, webhook=OTHER).result["reasons"] == {"webhook": "in_doubt"}


def test_setting_in_doubt_is_carried_by_a_task_that_declares_other_settings(controller: Controller) -> None:
    controller.device(A, **FULL)
    controller.sandbox.fault("reset", path="/update-device", when="before", times=2)
    with pytest.raises(ResponseLostError):
        controller.device(A, webhook=OTHER)
    report = controller.device(A, name="Toko Dua")
    assert "webhook" in report.result["carried"] and wire(controller)["webhook"] == OTHER
    assert not controller.device(A, webhook=OTHER).result["changed"]


def test_settings_of_an_interrupted_creation_are_carried(controller: Controller) -> None:
    interrupt_creation(controller)
    controller.sandbox.set_readings(omitted="resets")
    report = controller.run("webhook_config", device=A, webhook=URL)
    assert "quick" in report.result["carried"] and wire(controller)["quick"] is True


def test_setting_of_a_lost_creation_is_in_doubt_only_if_declared(controller: Controller) -> None:
    """The device may be another one: an undeclared value of the creation is not sent to it."""
    cut_off_creation(controller)
    assert controller.device(A, True, personal=True).result["reasons"] == {"personal": "in_doubt"}
    report = controller.run("webhook_config", device=A, webhook=URL)
    assert report.result["carried"] == {} and "personal" in report.result["at_risk"]
    assert controller.device(A, True, personal=True).result["reasons"] == {"personal": "no_record"}


def test_disconnection_keeps_the_doubt_of_an_interrupted_creation(controller: Controller) -> None:
    interrupt_creation(controller)
    controller.sandbox.link(A)
    controller.device(A, state="disconnected")
    assert controller.device(A, True, quick=True).result["reasons"] == {"quick": "in_doubt"}


def test_unsent_request_leaves_no_doubt(controller: Controller) -> None:
    controller.device(A, **FULL)
    before = controller.record_files()
    controller.sandbox.fault("status", path="/update-device", code=429, times=None)
    with pytest.raises(RateLimitedError, match="429"):
        controller.device(A, webhook=OTHER)
    controller.sandbox.clear_faults()
    assert controller.device(A, True, webhook=URL).result["reasons"] == {}
    assert controller.record_files().keys() == before.keys()


def test_refused_update_leaves_the_record_unchanged(controller: Controller) -> None:
    controller.device(A, **FULL)
    controller.sandbox.fault(
        "status", path="/update-device", code=200, body={"status": False, "reason": "quota of calls used up"}
    )
    with pytest.raises(RefusedError, match='Fonnte returned "quota of calls used up"'):
        controller.device(A, webhook=OTHER)
    assert not controller.device(A, webhook=URL).result["changed"]


def test_refused_connection_is_reported(controller: Controller) -> None:
    controller.common["api_endpoint"] = "http://127.0.0.1:1"
    with pytest.raises(
        UnreachableError, match=f"Looking up device {A}: the service cannot be reached .Connection refused."
    ):
        controller.device(A, name="Toko")


# Safety limits and failures


def test_unreadable_record_is_neither_overwritten_nor_ignored(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record may be valid. An update without its settings could reset them, and the file would be moved aside."""
    controller.device(A, **FULL)
    good = controller.record_files()
    opened = os.open

    def out_of_files(path: t.Any, flags: int, *more: t.Any, **named: t.Any) -> int:
        if str(path).startswith("device-") and not flags & os.O_RDWR:
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(path, flags, *more, **named)

    replace_os(monkeypatch, open=out_of_files)
    sent = writes(controller)
    with pytest.raises(RecordError, match=f"Looking up device {A}: the record .* cannot be read .Too many open files"):
        controller.device(A, name="Toko Dua")
    predicted = controller.device(A, True, name="Toko Dua")
    assert "A real run from here would fail: the record " in predicted.warnings[-1]
    assert not controller.device(A, name="Toko Satu").result["changed"]
    monkeypatch.undo()
    assert writes(controller) == sent
    assert {name: text for name, text in controller.record_files().items() if name in good} == good
    assert not any("damaged" in name for name in controller.record_files())


def test_unwritable_record_fails_before_the_first_write(controller: Controller) -> None:
    controller.records.write_text("a file in the way")
    with pytest.raises(RecordError, match="record_path"):
        controller.device(A, name="Toko")
    assert writes(controller) == []
    report = controller.device(A, True, name="Toko")
    assert report.result["changed"] and "A real run from here would fail: " in report.warnings[-1]


def test_removed_line_is_reported_unless_it_is_the_default(controller: Controller) -> None:
    controller.device(A, name="Toko", country_code="62", quick=False, personal=True, handle_unknown="ignore")
    (warning,) = controller.device(A, True, name="Toko", handle_unknown="ignore").warnings
    assert "no longer declares personal, and still has" in warning
    controller.device(A, name="Toko", country_code="60", personal=True, handle_unknown="ignore")
    warnings = controller.device(A, True, name="Toko", personal=True, handle_unknown="ignore").warnings
    assert any("no longer declares country_code, and still has" in warning for warning in warnings)


COMPLETE = {
    **dict.fromkeys(("personal", "group", "quick", "resend"), False),
    **dict.fromkeys(("webhook", "webhook_connect", "webhook_status", "webhook_chaining", "target"), ""),
    "country_code": "62",
}


@pytest.mark.parametrize(
    ("write_only", "unknown", "reported"),
    [("stamped", "error", True), ("stamped", "warn", False), ("recorded", "error", False)],
)
def test_removed_empty_line_is_reported_if_others_refuse_the_next_change(
    controller: Controller, write_only: str, unknown: str, reported: bool
) -> None:
    """This control node knows from its record that the setting is empty. Others know only what the stamp proves."""
    policy = {"handle_write_only": write_only, "handle_unknown": unknown}
    controller.device(A, name="Toko", **COMPLETE, **policy)
    left = {option: value for option, value in COMPLETE.items() if option not in ("webhook_status", "group")}
    texts = controller.device(A, True, name="Toko", **left, **policy).warnings
    assert [text for text in texts if "no longer declares" in text] == [
        f"Device {A} no longer declares group, webhook_status, which are known here to have the values of a new device. "
        "Control nodes without this record refuse the next change. Keep the lines group: false, webhook_status: ''."
    ] * reported
    assert list(controller.device(A, True, name="Toko", **COMPLETE, **policy).warnings) == []


def test_webhooks_of_a_missing_device(controller: Controller) -> None:
    with pytest.raises(NotFoundError, match=f"no device {A}"):
        controller.run("webhook_config", device=A, webhook=URL)
    report = controller.run("webhook_config", True, device=A, webhook=URL)
    assert report.result["changed"] and "does not exist yet" in report.warnings[0]
    assert report.result["webhooks"]["webhook"].startswith("https://h.example.com/…#")
    for check in (True, False):
        cleared = controller.run("webhook_config", check, device=A, state="absent")
        assert not cleared.result["changed"] and cleared.result["device"] is None


def test_full_account_error_has_an_action(controller: Controller) -> None:
    for index in range(10):
        controller.device(f"08120000010{index}", name="Toko")
    with pytest.raises(RefusedError, match="too much free device.*ten free devices"):
        controller.device(A, name="Toko")
    assert controller.device(A, True, name="Toko").result["operations"] == ["create"]


def test_number_in_another_account_error_has_an_action(controller: Controller) -> None:
    controller.sandbox.add_account(token="another-account", devices=[{"number": A}])
    with pytest.raises(RefusedError, match="another account has this number"):
        controller.device(A, name="Toko")
    assert not controller.device(A, True, state="absent").result["changed"]


def test_recreated_device_is_reported_and_its_old_record_removed(controller: Controller) -> None:
    controller.device(A, **FULL)
    old = {name for name in controller.record_files() if name.startswith("device-") and not name.endswith(".lock")}
    controller.sandbox.purge(A)
    for check in (True, False):
        report = controller.device(A, check, **FULL)
        assert report.result["recreated"] and any("new token" in text for text in report.warnings)
    new = {name for name in controller.record_files() if name.startswith("device-") and not name.endswith(".lock")}
    assert len(new) == 1 and not old & new
    assert not controller.device(A, **FULL).result["recreated"]


def test_damaged_record_is_ignored_with_a_warning(controller: Controller) -> None:
    controller.device(A, **FULL)
    (name,) = [name for name in controller.record_files() if name.startswith("device-") and not name.endswith(".lock")]
    (controller.records / name).write_bytes(b"damaged")
    for check in (True, False):
        report = controller.device(A, check, **FULL)
        assert report.result["reasons"] == {"personal": "no_record", "quick": "no_record", "webhook": "no_record"}
        assert any("damaged" in warning for warning in report.warnings)
    assert not controller.device(A, **FULL).result["changed"]
    assert [content for key, content in controller.record_files().items() if "damaged" in key] == [b"damaged"]


def overtaken(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, then: t.Callable[[], None] = lambda: None
) -> list[int]:
    """Have another run rename the device after the next observation; return a list that grows with each observation."""
    looks: list[int] = []

    def look_and_be_overtaken(
        house: _engine.RunContext, desired: t.Any, since: t.Any, created: t.Any
    ) -> _engine.Observation:
        sight = look(house, desired, since, created)
        looks.append(1)
        if len(looks) == 1:
            with monkeypatch.context() as another_process:
                another_process.setattr(_engine, "observe", look)
                controller.device(A, name="Renamed by another")
            then()
        return sight

    look = _engine.observe
    monkeypatch.setattr(_engine, "observe", look_and_be_overtaken)
    return looks


def test_write_between_observation_and_lock_repeats_the_observation(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run renames the device after this one has listed it: the new name must not be reverted."""
    controller.device(A, **FULL)
    looks = overtaken(controller, monkeypatch)
    controller.device(A, webhook=OTHER)
    assert len(looks) == 2
    assert wire(controller)["name"] == "Renamed by another" and wire(controller)["webhook"] == OTHER


def test_file_restored_by_a_person_meanwhile_is_not_overwritten_unread(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock and no nonce shows it: the write itself compares the string that the plan was created from."""
    controller.device(A, **FULL)
    (path,) = controller.records.glob("device-*[!k]")
    older = path.read_bytes()
    controller.device(A, quick=not FULL["quick"])
    looks: list[int] = []
    look = _engine.observe

    def look_and_put_back(*args: t.Any) -> _engine.Observation:
        looks.append(1)
        sight = look(*args)
        if len(looks) == 1:
            path.write_bytes(older)
        return sight

    monkeypatch.setattr(_engine, "observe", look_and_put_back)
    controller.device(A, webhook=OTHER)
    assert len(looks) == 2 and wire(controller)["webhook"] == OTHER


def test_run_killed_during_a_request_is_reported_by_the_next_one(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.device(A, **FULL)

    def killed(*_args: t.Any) -> t.NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_api.FonnteClient, "update_device", killed)
        with pytest.raises(KeyboardInterrupt):
            controller.device(A, webhook=OTHER)
    words = "A run ended before it read the response to its last request for device"
    controller.sandbox.clear_journal()
    report = controller.device(A, webhook=OTHER)
    assert sum(words in warning for warning in report.warnings) == 1 and report.result["reasons"] == {
        "webhook": "in_doubt"
    }
    # It was observed under the lock.
    assert [entry["path"] for entry in controller.sandbox.journal()] == ["/get-devices"] * 2 + ["/update-device"]
    again = controller.device(A, webhook=OTHER)
    assert not again.result["changed"] and not any(words in warning for warning in again.warnings)


@pytest.mark.parametrize("seconds", [-30, 30])
def test_clock_of_another_control_node_has_no_influence(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Another clock has dated the files. With a clock 30 s behind, the write seemed older than the list."""

    def date_files() -> None:
        for path in controller.records.iterdir():
            os.utime(path, times=(path.stat().st_mtime + seconds,) * 2)

    controller.device(A, **FULL)
    date_files()
    looks = overtaken(controller, monkeypatch, date_files)
    controller.device(A, webhook=OTHER)
    assert len(looks) == 2
    assert wire(controller)["name"] == "Renamed by another" and wire(controller)["webhook"] == OTHER


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_runs_with_different_clocks_succeed_immediately(controller: Controller, seconds: int) -> None:
    """With a clock 30 s ahead, a completed write of another control node seemed to be still in progress."""
    controller.device(A, **FULL)
    for path in controller.records.iterdir():
        os.utime(path, times=(path.stat().st_mtime + seconds,) * 2)
    controller.sandbox.clear_journal()
    controller.device(A, webhook=OTHER)
    paths = [entry["path"] for entry in controller.sandbox.journal()]
    assert paths == ["/get-devices", "/update-device"]


# The list


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "mutate", "when": "after", "set": {"data": None}}, "without a list of devices"),
        ({"kind": "mutate", "when": "after", "set": {"data": [1]}}, "without a list of devices"),
        ({"kind": "mutate", "when": "after", "remove_each": ["device"]}, "has no number"),
        ({"kind": "mutate", "when": "after", "remove_each": ["token"]}, "without a token"),
        ({"kind": "mutate", "when": "after", "set": {"status": "maybe"}}, "neither a success nor a refusal"),
        ({"kind": "status", "code": 403, "body": "Forbidden"}, "not JSON"),
        ({"kind": "status", "code": 200, "body": {"status": False}}, "neither a success nor a refusal"),
    ],
)
def test_unreadable_list_is_reported(controller: Controller, fault: dict[str, t.Any], words: str) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.fault(path="/get-devices", **fault)
    with pytest.raises(FonnteError, match=words):
        controller.device(A, name="Toko")


@pytest.mark.parametrize(
    "damage",
    [
        {"quota": None},
        {"expired": "never"},
        {"expired": "9" * 18},
        {"status": "sleeping"},
        {"autoread": "maybe"},
        {"package": 5},
    ],
)
def test_unreadable_fact_is_unknown(controller: Controller, damage: dict[str, t.Any]) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.fault("mutate", path="/get-devices", when="after", set_each=damage)
    facts = controller.device(A, name="Toko").result["device"]
    (key,) = damage
    assert facts[{"expired": "expires", "status": "connected"}.get(key, key)] is None


@pytest.mark.parametrize("token", [None, "", "two\nlines", "tokén", 5])
def test_token_that_no_header_can_contain_is_none(controller: Controller, token: object) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.fault("mutate", path="/get-devices", when="after", set_each={"token": token})
    with pytest.raises(FonnteError, match="without a token"):
        controller.device(A, name="Tako")


def test_name_with_a_lone_surrogate_is_not_sent_without_a_declaration(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.fault("mutate", path="/get-devices", when="after", times=None, set_each={"name": "Toko \ud83d"})
    assert controller.device(A, autoread=False).result["device"]["name"] is None
    for check in (True, False):
        with pytest.raises(FonnteError, match="Option name: .*cannot be sent back; declare it"):
            controller.device(A, check, autoread=True)
    controller.device(A, autoread=True, name="Toko Satu")
    assert wire(controller)["name"] == "Toko Satu"


def test_registered_number_with_a_plus_is_found_and_kept(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.fault("mutate", path="/get-devices", when="after", set_each={"device": "+62" + A[1:]}, times=2)
    assert not controller.device(A, name="Toko").result["changed"]
    assert controller.device(A, True, name="Tako").result["device"]["device"] == "+62" + A[1:]


# The number if the list does not show it


INTERNATIONAL = "62" + A[1:]


def only_token(controller: Controller, number: str = A) -> dict[str, t.Any]:
    return {"account_token": None, "device_token": controller.sandbox.device(number)["token"]}


@pytest.mark.parametrize("update_without_device", ["works", "refused"])
@pytest.mark.parametrize("declared", [None, A, INTERNATIONAL])
@pytest.mark.parametrize("linked", [None, INTERNATIONAL])
def test_recorded_number_has_priority_over_the_profile(
    controller: Controller, update_without_device: str, declared: str | None, linked: str | None
) -> None:
    controller.sandbox.set_readings(profile_number="linked", update_without_device=update_without_device)
    controller.device(A, name="Toko")
    if linked:
        controller.sandbox.link(A, linked_number=linked)
    report = controller.device(declared, name="Tako", **only_token(controller))
    assert set(controller.sandbox.devices()) == {A} and wire(controller)["name"] == "Tako"
    assert report.result["device"]["device"] == A


@pytest.mark.parametrize("declared", [None, INTERNATIONAL])
def test_unknown_number_is_not_sent_unless_the_service_requires_it(
    controller: Controller, declared: str | None
) -> None:
    account = {"token": controller.sandbox.account_token, "devices": [{"number": A}]}
    controller.sandbox.reset(readings={"profile_number": "linked"}, accounts=[account])
    controller.sandbox.link(A, linked_number=INTERNATIONAL)
    report = controller.device(declared, name="Tako", **only_token(controller))
    assert any("account_token" in warning for warning in report.warnings)
    assert set(controller.sandbox.devices()) == {A} and wire(controller)["name"] == "Tako"


@pytest.mark.parametrize("update_without_device", ["works", "refused"])
def test_different_numbers_in_record_and_profile_never_renumber(
    controller: Controller, update_without_device: str
) -> None:
    controller.sandbox.set_readings(profile_number="linked", update_without_device=update_without_device)
    controller.device(A, name="Toko")
    controller.sandbox.link(A, linked_number="628777777777")
    for declared in (A, "628777777777"):
        with pytest.raises(FonnteError, match="not one device"):
            controller.device(declared, name="Tako", **only_token(controller))
    if update_without_device == "works":
        controller.device(None, name="Tako", **only_token(controller))
    else:
        with pytest.raises(
            FonnteError, match=(f"{A} according to the record and as 628777777777 according to its profile")
        ):
            controller.device(None, name="Tako", **only_token(controller))
    assert set(controller.sandbox.devices()) == {A}


# Regression tests


def test_temporary_webhook_failure_is_not_treated_as_a_refused_clear(controller: Controller) -> None:
    controller.sandbox.set_readings(webhook_probe="called")
    first, second = controller.sandbox.sink_url("x"), controller.sandbox.sink_url("y")
    controller.device(A, name="Toko", webhook=first, webhook_status=second)
    controller.sandbox.sink_answers("x", 500, 1)
    report = controller.device(A, name="Toko", webhook=first, webhook_status="")
    assert wire(controller)["webhookstatus"] == "" and not any("refused" in text for text in report.warnings)


def test_device_renumbered_in_the_dashboard_keeps_its_record(controller: Controller) -> None:
    controller.sandbox.set_readings(omitted="resets")
    controller.device(A, **FULL)
    controller.sandbox.edit(A, device=B)
    report = controller.device(A, name="Neu")
    assert not report.result["recreated"] and any(B in warning for warning in report.warnings)
    controller.device(B, name="Toko B")
    assert wire(controller, B)["webhook"] == URL


def test_doubt_of_an_interrupted_creation_survives_a_refused_update(controller: Controller) -> None:
    interrupt_creation(controller)
    controller.sandbox.set_readings(omitted="resets")
    controller.sandbox.fault(
        "status", path="/update-device", code=200, body={"status": False, "reason": "webhook url is down"}
    )
    with pytest.raises(RefusedError):
        controller.run("webhook_config", device=A, webhook=URL)
    report = controller.run("webhook_config", device=A, webhook=URL)
    assert "quick" in report.result["carried"] and wire(controller)["quick"] is True


def test_failure_reports_completed_and_missing_operations(controller: Controller) -> None:
    controller.device(A, **FULL)
    controller.sandbox.link(A)
    controller.sandbox.fault("status", path="/disconnect", code=200, body={"status": False, "detail": "server is busy"})
    with pytest.raises(RefusedError, match="server is busy") as caught:
        controller.device(A, state="disconnected", name="Neu")
    reported = caught.value.partial_result
    assert reported["operations"] == ["update"] and reported["changed"]
    assert reported["device"]["connected"] is True and reported["device"]["name"] == "Neu"
    assert reported["diff"]["after"]["connected"] is True and reported["diff"]["after"]["name"] == "Neu"


@pytest.mark.parametrize("lost", ["/add-device", "/update-device"])
def test_policies_do_not_stop_the_own_creation(controller: Controller, lost: str) -> None:
    lose(controller, lost)
    policies = {"handle_write_only": "error", "handle_unknown": "error"}
    # With a lost response of /add-device, the device may be another one: then only a declaration covers the unknown.
    hooks = {"webhook_connect": "", "webhook_status": "", "webhook_chaining": ""}
    covered = {**FULL, "group": False, "resend": False, **hooks}
    task = covered if lost == "/add-device" else FULL
    assert controller.device(A, **task, **policies).result["operations"] == ["create", "update"]
    assert wire(controller)["webhook"] == URL
    assert not controller.device(A, **task, **policies).result["changed"]


def test_policies_do_not_stop_the_creation_of_a_killed_run(controller: Controller) -> None:
    controller.sandbox.fault("reset", path="/update-device", when="before", times=None)
    policies = {"handle_write_only": "error", "handle_unknown": "error"}
    with pytest.raises(ResponseLostError) as caught:
        controller.device(A, **FULL, **policies)
    assert caught.value.partial_result["operations"] == ["create"]
    controller.sandbox.clear_faults()
    controller.device(A, **FULL, **policies)
    assert wire(controller)["webhook"] == URL
    with pytest.raises(FonnteError, match="may reset settings"):
        controller.device(A, name="Another", **policies)


def test_failed_creation_returns_no_device(controller: Controller) -> None:
    controller.sandbox.add_account(token="another-account", devices=[{"number": A}])
    with pytest.raises(RefusedError) as caught:
        controller.device(A, name="Toko")
    assert caught.value.partial_result["device"] is None and caught.value.partial_result["diff"]["after"] == {}


@pytest.mark.parametrize(
    "reported",
    [
        "token {token} is blocked",
        "webhook url {url} is not responding",
        "webhook url h.example.com/a'b?key=s3cret is down",
        "webhook url https:\\/\\/h.example.com\\/a'b?key=s3cret is down",
        "webhook url https%3A%2F%2Fh.example.com%2Fa%27b%3Fkey%3Ds3cret",
        "webhook url /a'b?key=s3cret",
        "webhook url key s3cret",
    ],
)
def test_secrets_in_responses_are_masked(controller: Controller, reported: str) -> None:
    url = "https://h.example.com/a'b?key=s3cret"
    controller.device(A, name="Toko", webhook=url)
    token = controller.sandbox.device(A)["token"]
    text = reported.replace("{token}", token).replace("{url}", url)
    controller.sandbox.fault("status", path="/update-device", code=200, body={"status": False, "reason": text})
    with pytest.raises(RefusedError) as caught:
        controller.device(A, name="Tako")
    assert "s3cret" not in str(caught.value) and token not in str(caught.value)


def test_huge_number_in_a_refusal_is_only_text(controller: Controller) -> None:
    controller.device(A, name="Toko")
    text = f"please wait {'9' * 5000} seconds before requesting new otp"
    controller.sandbox.fault("status", path="/delete-device", code=200, body={"status": False, "reason": text})
    with pytest.raises(RefusedError, match="not known to the collection"):
        controller.device(A, state="absent", request_otp=True)


class Overtaking:
    """Another run, in another process, that works on the device as soon as a request has been applied."""

    def __init__(self, controller: Controller, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
        self.error: BaseException | None = None
        self._controller = controller
        original = getattr(_api.FonnteClient, after)

        def call_and_be_overtaken(*arguments: t.Any) -> t.Any:
            answer = original(*arguments)
            with monkeypatch.context() as another:
                another.setattr(_api.FonnteClient, after, original)
                replace_os(another, getpid=lambda: -1)
                for room in (_engine, _writer):
                    another.setattr(room, "LOCK_SECONDS", 0.1)
                self._work()
            return answer

        monkeypatch.setattr(_api.FonnteClient, after, call_and_be_overtaken)

    def _work(self) -> None:
        try:
            self._controller.run("webhook_config", device=A, webhook=URL)
        except FonnteError as fault:
            self.error = fault


def test_other_runs_are_locked_out_during_a_creation(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.sandbox.set_readings(omitted="resets")
    other = Overtaking(controller, monkeypatch, after="add_device")
    controller.device(A, name="Toko", quick=True)
    assert isinstance(other.error, RecordError) and "another run" in str(other.error)
    assert wire(controller)["quick"] is True and wire(controller)["webhook"] == ""
    assert controller.run("webhook_config", True, device=A, webhook=URL).result["changed"]


def test_device_deleted_during_an_update_is_recreated_and_reported(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.device(A, **FULL)
    original = _api.FonnteClient.update_device

    def vanish(*arguments: t.Any) -> None:
        monkeypatch.setattr(_api.FonnteClient, "update_device", original)
        controller.sandbox.purge(A)
        raise ResponseLostError("the connection broke", "look again")

    monkeypatch.setattr(_api.FonnteClient, "update_device", vanish)
    report = controller.device(A, name="Tako", webhook=OTHER)
    assert report.result["operations"] == ["create", "update"] and report.result["recreated"]
    assert any("new token" in warning for warning in report.warnings)
    assert report.result["diff"]["before"] == {} and "personal" not in report.result["diff"]["after"]
    assert report.result["device"]["personal"] is None


def test_device_created_by_another_run_is_observed_again(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.link(A)
    controller.sandbox.fault("mutate", path="/get-devices", when="after", set={"data": []})
    report = controller.device(A, name="Toko")
    assert not report.result["changed"] and report.result["changed_fields"] == []
    assert (
        report.result["device"]["connected"] is True
        and report.result["diff"]["before"] == report.result["diff"]["after"]
    )


def test_lost_deletion_removes_the_record(controller: Controller) -> None:
    controller.device(A, **FULL)
    controller.device(A, state="absent", request_otp=True)
    lose(controller, "/delete-device")
    controller.device(A, state="absent", otp=controller.sandbox.otp(A))
    assert not [name for name in controller.record_files() if name.startswith("device-") and not name.endswith(".lock")]
    assert not controller.device(A, name="Toko").result["recreated"]


def test_lost_deletion_with_only_a_token_is_reported_as_probable(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    token = only_token(controller)
    lose(controller, "/delete-device")
    with pytest.raises(ResponseLostError, match="probably deleted"):
        controller.device(None, state="absent", otp=controller.sandbox.otp(A), **token)


def test_interrupted_creation_on_a_reused_number_is_still_a_creation(controller: Controller) -> None:
    controller.device(A, **FULL)
    controller.sandbox.purge(A)
    controller.sandbox.fault("reset", path="/add-device", when="before", times=None)
    with pytest.raises(ResponseLostError):
        controller.device(A, **FULL)
    controller.sandbox.clear_faults()
    assert controller.device(A, **FULL).result["recreated"]


def test_device_that_was_already_disconnected_is_unchanged(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.sandbox.fault("mutate", path="/get-devices", when="after", set_each={"status": "connect"})
    report = controller.device(A, state="disconnected")
    assert not report.result["changed"] and report.result["operations"] == [] and report.result["changed_fields"] == []
    assert (
        report.result["device"]["connected"] is False
        and report.result["diff"]["before"] == report.result["diff"]["after"]
    )


def test_list_that_contradicts_the_record_corrects_it(controller: Controller) -> None:
    controller.device(A, name="Toko", autoread=True)
    controller.sandbox.edit(A, autoread=False)
    controller.device(A, name="Tako")
    assert controller.device(None, True, autoread=True, **only_token(controller)).result["changed_fields"] == [
        "autoread"
    ]


def test_response_that_contradicts_the_request_is_reported_and_corrected(controller: Controller) -> None:
    controller.sandbox.fault("mutate", path="/add-device", when="after", set={"personal": "off"})
    report = controller.device(A, name="Toko", personal=True)
    assert any("another personal" in warning for warning in report.warnings)
    assert controller.device(A, name="Toko", personal=True).result["reasons"] == {"personal": "differs"}


def test_failure_in_planning_reports_the_known_state(controller: Controller) -> None:
    controller.device(A, name="Toko")
    with pytest.raises(FonnteError) as caught:
        controller.device(A, webhook=URL, handle_write_only="error", validate_certs=False)
    reported = caught.value.partial_result
    assert reported["device"]["name"] == "Toko" and reported["evidence"]["webhook"] == {"source": "none", "at": None}
    assert (
        reported["operations"] == []
        and not reported["changed"]
        and reported["diff"]["before"] == reported["diff"]["after"]
    )
    assert any("validate_certs" in warning for warning in caught.value.warnings)


def test_refused_clear_is_not_sent_again_and_not_claimed(controller: Controller) -> None:
    controller.sandbox.set_readings(empty_webhook="refused")
    controller.device(A, **FULL)
    assert controller.device(A, webhook="").result["device"]["webhook"] is None
    report = controller.device(A, webhook="", handle_write_only="always_update")
    assert report.result["reasons"] == {"webhook": "always"} and not any("refused" in text for text in report.warnings)


def test_task_with_only_a_token_names_the_device(controller: Controller) -> None:
    controller.device(A, name="Toko")
    report = controller.device(None, True, resend=True, **only_token(controller))
    assert any(f"Device {A} has resend on" in warning for warning in report.warnings)
    controller.sandbox.fault("status", path="/update-device", code=200, body={"status": False, "reason": "no"})
    with pytest.raises(RefusedError, match=f"Updating device {A}: "):
        controller.device(None, resend=True, **only_token(controller))


def test_failure_of_the_second_clear_keeps_the_applied_update_in_the_result(controller: Controller) -> None:
    controller.sandbox.set_readings(empty_webhook="refused")
    controller.device(A, name="Toko", webhook=URL, webhook_status=OTHER)
    controller.sandbox.fault("status", path="/update-device", code=429, times=None, skip=2)
    with pytest.raises(RateLimitedError) as caught:
        controller.device(A, webhook="https://h.example.com/new", webhook_status="")
    assert caught.value.partial_result["operations"] == ["update"]
    controller.sandbox.clear_faults()
    assert controller.device(A, True, webhook=URL).result["changed_fields"] == ["webhook"]
    assert controller.device(A, True, webhook_status="").result["changed_fields"] == ["webhook_status"]


def test_permanent_webhook_failure_is_not_treated_as_a_refused_clear(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.sandbox.set_readings(webhook_probe="called")
    first, second = controller.sandbox.sink_url("x"), controller.sandbox.sink_url("y")
    controller.device(A, name="Toko", webhook=first, webhook_status=second)
    with monkeypatch.context() as patched:
        patched.setattr(_api.FonnteClient, "update_device", _refuse_with_empty_values(_api.FonnteClient.update_device))
        with pytest.raises(RefusedError, match="webhook url"):
            controller.device(A, name="Toko", webhook=first, webhook_status="")
    assert controller.device(A, True, webhook_status="").result["changed_fields"] == ["webhook_status"]


def test_lost_creation_found_complete_is_finished(controller: Controller) -> None:
    controller.sandbox.set_readings(omitted="resets")
    lose(controller, "/add-device")
    controller.device(A, name="Toko")
    controller.sandbox.edit(A, webhook="https://by-hand.example.com/x")
    with pytest.raises(FonnteError, match="may reset settings"):
        controller.device(A, name="Tako", handle_unknown="error")
    assert wire(controller)["webhook"] == "https://by-hand.example.com/x"


def test_conflicting_numbers_leave_no_doubt(controller: Controller) -> None:
    controller.sandbox.set_readings(profile_number="linked", update_without_device="refused")
    controller.device(A, **FULL)
    controller.sandbox.link(A, linked_number="628777777777")
    with pytest.raises(RequestError, match="requires a number"):
        controller.device(None, webhook=OTHER, **only_token(controller))
    assert not controller.device(A, webhook=URL).result["changed"]


def test_words_of_the_service_are_not_masked(controller: Controller) -> None:
    controller.device(A, name="Toko", webhook="https://h.example.com/webhook/responding?k=s3cret")
    controller.sandbox.fault(
        "status", path="/update-device", code=200, body={"status": False, "reason": "webhook url is not responding"}
    )
    with pytest.raises(RefusedError, match='Fonnte returned "webhook url is not responding"'):
        controller.device(A, name="Tako")


def test_device_deleted_by_its_token_is_not_reported_as_recreated(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    controller.device(None, state="absent", otp=controller.sandbox.otp(A), **only_token(controller))
    assert not controller.device(A, name="Toko").result["recreated"]


def test_number_in_the_deletion_response_is_compared_with_the_declared_one(controller: Controller) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    controller.sandbox.fault(
        "mutate", path="/delete-device", when="after", set={"detail": f"device {B} successfully deleted"}
    )
    with pytest.raises(FonnteError, match=f"deleted device {B}") as caught:
        controller.device(INTERNATIONAL, state="absent", otp=controller.sandbox.otp(A), **only_token(controller))
    assert caught.value.partial_result["device"] is not None and caught.value.partial_result["operations"] == ["delete"]


def _refuse_with_empty_values(original: t.Callable[..., None]) -> t.Callable[..., None]:
    """Return a wrapper whose service reports that another webhook is down whenever a webhook is cleared."""

    def update_device(
        api: t.Any, token: str, number: str | None, settings: t.Mapping[str, t.Any], *guard: t.Any
    ) -> None:
        if "" in settings.values():
            raise RefusedError("/update-device", "webhook url is not responding", "webhook url is not responding")
        original(api, token, number, settings, *guard)

    return update_device


def test_target_without_forwarding_at_risk_causes_no_warning(controller: Controller) -> None:
    """Without forwarding, the target does not matter, and there is no value that declares it as empty."""
    controller.sandbox.reset(
        accounts=[{"token": controller.sandbox.account_token, "devices": [{"number": A, "name": "Toko"}]}]
    )
    declared: dict[str, t.Any] = dict.fromkeys(["autoread", "personal", "group", "quick"], False)
    declared.update(dict.fromkeys(["webhook", "webhook_connect", "webhook_status", "webhook_chaining"], ""))
    for resend in ({}, {"resend": True}):
        with pytest.raises(PolicyError) as caught:
            controller.device(A, name="Tako", handle_unknown="error", **declared, **resend)
        assert "target, country_code" in str(caught.value)
    report = controller.device(A, name="Tako", handle_unknown="warn", resend=False, **declared)
    assert report.result["operations"] == ["update"] and report.result["at_risk"] == ["target", "country_code"]
    assert not [text for text in report.warnings if "may reset" in text]


def test_settings_at_risk_are_in_the_failure(controller: Controller) -> None:
    controller.device(A, name="Toko")
    with pytest.raises(FonnteError) as caught:
        controller.device(A, name="Tako", handle_unknown="error")
    assert "webhook" in caught.value.partial_result["at_risk"]


def test_endpoint_without_tls_is_named(controller: Controller) -> None:
    controller.common.update(api_endpoint=controller.sandbox.url.replace("http://", "https://"), api_retries=0)
    with pytest.raises(RequestError, match="check http or https"):
        controller.device(A, name="Toko")


def test_token_of_another_device_is_masked(controller: Controller) -> None:
    for number in (A, B):
        controller.device(number, name="Toko")
    other = controller.sandbox.device(B)["token"]
    controller.sandbox.fault(
        "status", path="/update-device", code=200, body={"status": False, "reason": f"it is linked by {other}"}
    )
    with pytest.raises(RefusedError, match="it is linked by ") as caught:
        controller.device(A, name="Tako")
    assert other not in str(caught.value)


@pytest.mark.parametrize("module", ["device", "webhook_config"])
def test_delivery_risks_are_one_warning_each_and_the_same_in_check_mode(controller: Controller, module: str) -> None:
    """The warnings are equal in check mode, in the run, and in the next run, which changes nothing."""
    hooks = {
        "webhook": "http://127.1/s3cret",
        "webhook_connect": "http://n8n/s3cret",
        "webhook_status": "http://n8n/s3cret",
    }
    settings = {"name": "Toko", "autoread": True, "personal": False, "group": False}
    if module == "webhook_config":
        controller.device(A, **settings)
        settings = {}
    runs = [controller.run(module, check, device=A, **settings, **hooks) for check in (True, False, True, False)]
    assert [run.result["changed"] for run in runs] == [True, True, False, False]
    advice = [[text for text in run.warnings if "webhook" in text and "reset" not in text] for run in runs]
    assert advice[0] == advice[1] == advice[2] == advice[3]
    assert len(advice[0]) == 4 and all(A in text and "s3cret" not in text for text in advice[0])
    assert ["with fonnte_device" in text for text in advice[0]] == [module == "webhook_config", False, False, False]
