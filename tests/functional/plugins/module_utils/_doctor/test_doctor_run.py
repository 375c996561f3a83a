# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API behavior check against the sandbox: it detects the variants, writes only to its device, and never guesses."""

from __future__ import annotations

import itertools
import json
import os
import typing as t
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    RecordError,
    RefusedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import AbandonedError, Lineage
from ansible_collections.fonnte.whatsapp.plugins.module_utils._doctor import run as _doctor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._doctor.choice import OWN_NAME
from ansible_collections.fonnte.whatsapp.plugins.module_utils._doctor.device_under_test import PROBE_URL
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleResult
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_doctor
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.sandbox.readings import VALUES

SCRATCH, ABROAD, CLIENT, OTHER = "081200000001", "6281200000001", "081200000002", "081200000003"
HOOK = "https://hooks.example.com/s3cret"
Json = dict[str, t.Any]

SWITCHES = ("omitted", "update_without_device", "refusal_status", "empty_webhook", "webhook_probe")
READINGS = [
    dict(zip(SWITCHES, values, strict=False)) for values in itertools.product(*(VALUES[switch] for switch in SWITCHES))
]
HARD = {switch: VALUES[switch][-1] for switch in VALUES}
# All variants and all faults are combined with all devices on demand; otherwise each is combined with one.
EVERY_READING = os.environ.get("FONNTE_TESTS_READINGS") == "all"
EVERY_FAULT = os.environ.get("FONNTE_TESTS_FAULTS") == "all"


def in_words(reading: Json) -> str:
    return "-".join(str(value) for value in reading.values())


def truth(reading: Json) -> Json:
    """Return the expected facts for a variant; an accepted empty webhook may also be ignored."""
    words = {"clears": "accepted", "ignored": "accepted"}
    return {switch: words.get(str(value), value) for switch, value in reading.items()}


def client(**fields: t.Any) -> Json:
    settings = {"autoread": True, "quick": True, "webhook": HOOK, "target": "6281299999999"}
    return {"number": CLIENT, "name": "Toko Klien", "token": "token-of-the-client", "settings": settings, **fields}


def begin(controller: Controller, *devices: Json, **readings: t.Any) -> None:
    accounts = [{"token": controller.sandbox.account_token, "devices": list(devices)}]
    controller.sandbox.reset(readings=readings, accounts=accounts)


def found(report: ModuleResult) -> Json:
    return {fact: value for fact, value in report.result["facts"].items() if value is not None}


def written_to(controller: Controller) -> set[t.Any]:
    return {call["number"] for call in controller.sandbox.writes()}


def reported(report_or_fault: ModuleResult | FonnteError) -> str:
    if isinstance(report_or_fault, ModuleResult):
        return json.dumps([report_or_fault.result, report_or_fault.warnings])
    return json.dumps([str(report_or_fault), report_or_fault.partial_result, report_or_fault.warnings])


def same_calls(controller: Controller, result: Json, *, since: int = 0) -> None:
    """Check that the journal of the result lists the requests that the service received."""
    theirs = [(call["path"], call["number"]) for call in controller.sandbox.journal(since)]
    ours = [(call["path"], call["device"]) for call in result["journal"]]
    assert ours == theirs


def test_result_keys_match_the_documentation(controller: Controller) -> None:
    begin(controller)
    documented = yaml.safe_load(fonnte_doctor.RETURN)
    result = controller.run("doctor").result
    assert set(result["record"]) == set(documented["record"]["contains"])
    assert [set(call) for call in result["journal"]] == [set(documented["journal"]["contains"])]


# Facts


@pytest.mark.parametrize("reading", READINGS, ids=in_words)
def test_variants_are_detected_on_a_created_device(controller: Controller, reading: Json) -> None:
    begin(controller, client(), **reading)
    before = controller.sandbox.device(CLIENT)
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert found(report) == {**truth(reading), "add_number": "verbatim"}
    assert written_to(controller) == {SCRATCH} and controller.sandbox.device(CLIENT) == before
    same_calls(controller, report.result)
    made = controller.sandbox.device(SCRATCH)
    assert made["name"] == OWN_NAME and made["settings"]["autoread"] is False
    assert report.result["scratch"]["made"] and report.result["changed"]
    # A webhook that may be left is reported; if none can be left, no warning is shown.
    left = report.result["scratch"]["left"]
    if reading["omitted"] == "resets" or reading["webhook_probe"] == "called":
        assert left == [] and made["settings"]["webhook"] == ""
    elif reading["empty_webhook"] == "refused":
        assert "must be cleared in the dashboard" in left[0] and made["settings"]["webhook"] == PROBE_URL
    else:
        assert "may have been ignored" in left[0] and len(left) == 1
    for token in (controller.sandbox.account_token, made["token"], before["token"], "s3cret"):
        assert token not in reported(report)


@pytest.mark.parametrize(
    ("reading", "autoread"),
    [
        pytest.param(reading, autoread, id=f"{in_words(reading)}-{autoread}")
        for number, reading in enumerate(READINGS)
        for autoread in (True, False)
        # Not only by the parity, which equals that of the last switch.
        if EVERY_READING or autoread is (number.bit_count() % 2 == 0)
    ],
)
def test_variants_are_detected_on_an_existing_device(controller: Controller, reading: Json, autoread: bool) -> None:
    begin(
        controller,
        client(),
        {"number": ABROAD, "name": "Old One", "settings": {**client()["settings"], "autoread": autoread}},
        **reading,
    )
    before = controller.sandbox.devices()
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert found(report) == truth(reading)
    assert written_to(controller) == {ABROAD}
    same_calls(controller, report.result)
    after = controller.sandbox.devices()
    assert after[CLIENT] == before[CLIENT]
    said_is_true(before[ABROAD], after[ABROAD], report.result["scratch"]["left"])
    assert after[ABROAD]["settings"]["autoread"] is autoread


def said_is_true(before: Json, after: Json, left: list[str]) -> None:
    """Check that reported changes were left on the device, and that the rest is unchanged."""
    assert (after["number"], after["name"], after["token"]) == (before["number"], before["name"], before["token"])
    reported_of = " ".join(left)
    for setting, value in before["settings"].items():
        if after["settings"][setting] == value:
            continue
        if setting == "autoread":
            assert "autoread" in reported_of
        elif setting == "webhook":
            assert "write-only settings" in reported_of or "webhook" in reported_of
        else:
            assert "write-only settings" in reported_of, f"{setting} changed without a word: {left}"
    if "are reset" in reported_of:
        assert after["settings"]["quick"] is False
    if after["settings"]["webhook"] == PROBE_URL:
        assert PROBE_URL in reported_of


@pytest.mark.parametrize(
    ("reading", "given", "value"),
    [
        ("verbatim", SCRATCH, "verbatim"),
        ("international", SCRATCH, "international"),
        ("verbatim", ABROAD, None),
        ("international", ABROAD, None),
    ],
)
def test_stored_number_is_detected(controller: Controller, reading: str, given: str, value: str | None) -> None:
    begin(controller, add_number=reading)
    report = controller.run("doctor", device=given, consent=True)
    assert report.result["facts"]["add_number"] == value
    assert ("add_number" in report.result["not_found_out"]) == (value is None)
    assert report.result["scratch"]["device"] == (ABROAD if value == "international" else given)


@pytest.mark.parametrize("linked", [ABROAD, "6281277777777", None])
@pytest.mark.parametrize("reading", ["registered", "linked"])
def test_number_in_the_profile_is_detected(controller: Controller, reading: str, linked: str | None) -> None:
    """Only another linked phone shows it, if the profile has its number. This needs no consent."""
    begin(controller, {"number": SCRATCH, "name": OWN_NAME}, profile_number=reading)
    if linked:
        controller.sandbox.link(SCRATCH, linked)
    other_phone = reading == "linked" and linked == "6281277777777"
    report = controller.run("doctor")
    assert report.result["facts"]["profile_number"] == ("linked" if other_phone else None)
    assert controller.sandbox.writes() == []


def test_created_device_that_is_not_listed(controller: Controller) -> None:
    begin(controller)
    # The first list checks the tokens.
    controller.sandbox.fault("mutate", path="/get-devices", skip=1, times=None, set={"data": []})
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert found(report) == {"listing": "partial"}
    assert [call["path"] for call in controller.sandbox.writes()] == ["/add-device"]
    assert report.result["changed"] and any("request_otp: true" in warning for warning in report.warnings)


def test_delayed_list_is_read_again(controller: Controller) -> None:
    begin(controller)
    controller.sandbox.fault("mutate", path="/get-devices", skip=1, times=1, set={"data": []})
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert report.result["facts"]["listing"] is None and report.result["facts"]["omitted"] == "keeps"


def test_device_missing_in_the_list_means_partial_listing(controller: Controller) -> None:
    """The record shows that it belonged to this account; its token works, and the list lacks it."""
    begin(controller, listing="partial")
    controller.run("doctor", device=SCRATCH, consent=True)
    controller.sandbox.edit(SCRATCH, unlisted=True)
    token = controller.sandbox.device(SCRATCH)["token"]
    controller.sandbox.clear_journal()
    report = controller.run("doctor", device=SCRATCH, device_token=token, consent=True)
    assert report.result["facts"]["listing"] == "partial" and token not in reported(report)
    assert controller.sandbox.writes() == [] and not report.result["changed"]
    assert any("could not be observed" in warning for warning in report.warnings)


def test_device_of_another_account_proves_nothing_about_the_list(controller: Controller) -> None:
    begin(controller)
    controller.sandbox.add_account(token="another-account", devices=[{"number": OTHER, "token": "token-of-another"}])
    report = controller.run("doctor", device=OTHER, device_token="token-of-another", consent=True)
    assert report.result["facts"]["listing"] is None
    assert "another account" in report.result["not_found_out"]["listing"]
    assert controller.sandbox.writes() == []


def test_undetermined_facts_have_reasons(controller: Controller) -> None:
    begin(controller)
    report = controller.run("doctor", device=SCRATCH, consent=True)
    open_ones = report.result["not_found_out"]
    assert set(open_ones) == {"listing", "profile_number", "otp_scope", "empty_webhook"}
    assert report.result["facts"]["empty_webhook"] == "accepted" and "cannot be observed" in open_ones["empty_webhook"]
    assert set(report.result["how"]) == set(found(report))
    assert "concluded" in report.result["how"]["webhook_probe"]
    begin(controller, empty_webhook="refused")
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert "empty_webhook" not in report.result["not_found_out"]


def test_both_autoread_values_are_tried_before_a_conclusion(controller: Controller) -> None:
    """Otherwise a service with a default of true could not be distinguished from one that keeps omitted settings."""
    begin(controller)
    controller.run("doctor", device=SCRATCH, consent=True)
    sent = [call["form"].get("autoread") for call in controller.sandbox.writes() if call["path"] == "/update-device"]
    assert sent[:4] == ["true", None, "false", None]


@pytest.mark.parametrize("shown", ["on", "off", None])
def test_list_that_does_not_show_a_change(controller: Controller, shown: str | None) -> None:
    begin(controller, {"number": SCRATCH, "name": OWN_NAME})
    changes: Json = {"set_each": {"autoread": shown}} if shown else {"remove_each": ["autoread"]}
    controller.sandbox.fault("mutate", path="/get-devices", times=None, **changes)
    report = controller.run("doctor", consent=True)
    assert report.result["facts"]["omitted"] is None
    assert found(report)["update_without_device"] == "works"


def test_device_renumbered_by_a_colleague_is_not_renumbered_back(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(controller, {"number": SCRATCH, "name": OWN_NAME})
    update = FonnteClient.update_device

    def renumber_after(api: FonnteClient, *args: t.Any) -> None:
        update(api, *args)
        if SCRATCH in controller.sandbox.devices():
            controller.sandbox.edit(SCRATCH, device=OTHER)

    monkeypatch.setattr(FonnteClient, "update_device", renumber_after)
    with pytest.raises(FonnteError, match=f"lists device {SCRATCH} as {OTHER} now, so no update was sent"):
        controller.run("doctor", consent=True)
    sent = [call["form"].get("device") for call in controller.sandbox.writes()]
    assert set(sent) == {SCRATCH} and list(controller.sandbox.devices()) == [OTHER]


def test_creation_that_was_not_sent_leaves_no_entry(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(controller)
    add = FonnteClient.add_device

    def end_first(api: FonnteClient, *args: t.Any) -> t.Any:
        monkeypatch.setattr(Lineage, "has_ended", lambda self: True)
        return add(api, *args)

    monkeypatch.setattr(FonnteClient, "add_device", end_first)
    with pytest.raises(AbandonedError):
        controller.run("doctor", device=SCRATCH, consent=True)
    store = RecordStore(str(controller.records), controller.sandbox.url)
    assert store.number(controller.sandbox.account_token, SCRATCH).read() is None
    assert controller.sandbox.writes() == []


def test_update_that_changes_the_number_is_an_error(controller: Controller) -> None:
    begin(controller, {"number": SCRATCH, "name": OWN_NAME})
    # The lists: tokens, start, four of omitted, and then the one after the update without a number.
    controller.sandbox.fault("mutate", path="/get-devices", skip=7, times=1, set_each={"device": "0"})
    with pytest.raises(FonnteError, match=f"lists device {SCRATCH} as 0 now") as caught:
        controller.run("doctor", consent=True)
    assert caught.value.partial_result["facts"]["update_without_device"] is None
    assert "instead of" in caught.value.partial_result["not_found_out"]["update_without_device"]


def test_device_renumbered_during_the_check_is_not_renumbered_back(controller: Controller) -> None:
    begin(controller, {"number": SCRATCH, "name": OWN_NAME})
    # The lists: tokens, start, refusal_status, and then the first one after an update.
    controller.sandbox.fault("mutate", path="/get-devices", skip=3, times=None, set_each={"device": "6289999999999"})
    with pytest.raises(FonnteError, match=f"lists device {SCRATCH} as 6289999999999 now, so no update was sent"):
        controller.run("doctor", consent=True)
    assert [call["path"] for call in controller.sandbox.writes()] == ["/update-device"]


@pytest.mark.parametrize("text", ["come back tomorrow", "input invalid", "invalid/empty body value"])
def test_unrelated_refusals_end_the_run(controller: Controller, text: str) -> None:
    """Every update is refused, so no conclusion is possible.

    The run ends with an error, since it cannot restore the device.
    """
    begin(controller, {"number": SCRATCH, "name": OWN_NAME})
    refusal = {"status": False, "reason": text}
    controller.sandbox.fault("status", path="/update-device", times=None, code=200, body=refusal)
    with pytest.raises(RefusedError) as caught:
        controller.run("doctor", consent=True)
    assert set(caught.value.partial_result["how"]) <= {"refusal_status"}
    assert caught.value.partial_result["changed"] is False and "not written to" in str(caught.value)


# Tokens


@pytest.mark.parametrize(
    ("account", "device", "expected", "words"),
    [
        ("account", None, ("account", None), ""),
        ("account", "device", ("account", "device"), ""),
        ("device", None, ("device", None), "account_token is the token of a device"),
        ("nobody", None, ("unknown", None), "not know this account_token"),
        ("device", "account", ("device", "account"), "swapped"),
        ("nobody", "device", ("unknown", "device"), "not know this account_token"),
        ("account", "nobody", ("account", "unknown"), "not know this device_token"),
        ("account", "another-account", ("account", "account"), "device_token is the token of an account"),
        (None, "device", (None, "device"), ""),
        (None, "account", (None, "account"), "device_token is the token of an account"),
        ("nobody", "nobody-else", ("unknown", "unknown"), "not know this device_token"),
    ],
)
@pytest.mark.parametrize("status", VALUES["refusal_status"])
def test_tokens_are_identified(
    controller: Controller,
    account: str | None,
    device: str | None,
    expected: tuple[str | None, str | None],
    words: str,
    status: int,
) -> None:
    begin(controller, client(), refusal_status=status)
    controller.sandbox.add_account(token="token:another-account")
    tokens = {"account": controller.sandbox.account_token, "device": "token-of-the-client", None: None}
    given = [tokens.get(token, f"token:{token}") for token in (account, device)]
    report = controller.run("doctor", account_token=given[0], device_token=given[1], consent=True)
    assert (report.result["tokens"]["account_token"], report.result["tokens"]["device_token"]) == expected
    assert controller.sandbox.writes() == [] and not report.result["changed"]
    about_tokens = [one for one in report.warnings if not one.startswith(("The record", "No device is tested"))]
    assert any(words in warning for warning in about_tokens) if words else not about_tokens
    assert not any(token in reported(report) for token in given if token)


@pytest.mark.parametrize("token", ["token:nobody", "token:another-account"])
def test_no_experiment_with_an_invalid_token(controller: Controller, token: str) -> None:
    begin(controller, client())
    controller.sandbox.add_account(token="token:another-account")
    report = controller.run("doctor", device=SCRATCH, device_token=token, consent=True)
    assert controller.sandbox.writes() == [] and not report.result["changed"]
    assert any("valid tokens" in warning for warning in report.warnings)


def test_missing_token_is_refused(controller: Controller) -> None:
    with pytest.raises(OptionError, match="FONNTE_ACCOUNT_TOKEN"):
        controller.run("doctor", account_token=None)


def test_device_token_without_account_token_shows_only_the_refusal_status(controller: Controller) -> None:
    begin(controller, client(), refusal_status=400)
    report = controller.run("doctor", account_token=None, device_token="token-of-the-client", consent=True)
    assert found(report) == {"refusal_status": 400} and controller.sandbox.writes() == []
    same_calls(controller, report.result)


def test_unknown_refusal_of_a_token_is_an_error(controller: Controller) -> None:
    begin(controller)
    refusal = {"status": False, "reason": "come back tomorrow"}
    controller.sandbox.fault("status", path="/get-devices", times=None, code=200, body=refusal)
    with pytest.raises(RefusedError, match="Identifying the tokens: .*come back tomorrow"):
        controller.run("doctor")


# Which device


def test_nothing_is_written_without_consent(controller: Controller) -> None:
    """This applies to any other options; the planned requests are listed."""
    begin(controller, client(), {"number": OTHER, "name": OWN_NAME})
    for params in (
        {},
        {"device": SCRATCH},
        {"device": CLIENT},
        {"device": CLIENT, "device_token": "token-of-the-client"},
    ):
        for check in (True, False):
            report = controller.run("doctor", check, **params)
            assert not report.result["changed"]
            assert {call["path"] for call in report.result["would_call"]} >= {"/update-device", "/get-devices"}
            assert report.result["facts"]["omitted"] is None
            assert "consent: true" in report.result["not_found_out"]["omitted"]
    assert controller.sandbox.writes() == [] and not controller.records.exists()


@pytest.mark.parametrize("reading", [{}, HARD], ids=["default", "all-hard"])
@pytest.mark.parametrize("device", [SCRATCH, CLIENT])
def test_check_mode_predicts_the_requests(controller: Controller, reading: Json, device: str) -> None:
    begin(controller, client(), **reading)
    predicted = controller.run("doctor", True, device=device, consent=True)
    assert predicted.result["changed"] and controller.sandbox.writes() == [] and not controller.records.exists()
    report = controller.run("doctor", device=device, consent=True)
    asked_before = {"tokens", "refusal_status", "profile_number"}
    called = Counter((call["purpose"], call["path"]) for call in report.result["journal"])
    most = {(call["purpose"], call["path"]): call["at_most"] for call in predicted.result["would_call"]}
    for (purpose, path), times in called.items():
        assert purpose in asked_before or times <= most[purpose, path]
    assert {purpose for purpose, _path in most} == {purpose for purpose, _path in called} - asked_before
    assert report.result["would_call"] == []


def test_only_the_own_test_device_is_written_without_a_device_option(controller: Controller) -> None:
    begin(controller, client(), {"number": OTHER, "name": "fonnte doctors"})
    report = controller.run("doctor", consent=True)
    assert controller.sandbox.writes() == [] and report.result["scratch"] is None
    assert any("no scratch device" in warning for warning in report.warnings)
    # The name that the user chose for a new device selects no existing one.
    report = controller.run("doctor", consent=True, name="Toko Klien")
    assert controller.sandbox.writes() == []
    # A token does not select a device either, since it may come from the environment.
    controller.environment["FONNTE_DEVICE_TOKEN"] = "token-of-the-client"
    report = controller.run("doctor", consent=True)
    assert controller.sandbox.writes() == [] and report.result["tokens"]["device_token"] == "device"


def test_two_test_devices_are_a_warning(controller: Controller) -> None:
    begin(controller, {"number": SCRATCH, "name": OWN_NAME}, {"number": OTHER, "name": OWN_NAME})
    report = controller.run("doctor", consent=True)
    assert controller.sandbox.writes() == []
    assert any(SCRATCH in warning and OTHER in warning for warning in report.warnings)
    controller.run("doctor", consent=True, device=OTHER)
    assert written_to(controller) == {OTHER}


@pytest.mark.parametrize("twin", [{"device": "+6281 2000-00001"}, {"token": "token-of-the-scratch"}])
def test_test_device_listed_twice_is_refused(controller: Controller, twin: Json) -> None:
    own = {"number": ABROAD, "name": OWN_NAME, "token": "token-of-the-scratch"}
    begin(controller, own, {"number": OTHER, "name": "Toko"})
    controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each=twin, only=OTHER)
    with pytest.raises(FonnteError, match="more than one device|one token for several"):
        controller.run("doctor", consent=True)
    assert controller.sandbox.writes() == []


@pytest.mark.parametrize("again", [{"device": SCRATCH}, {}], ids=["named", "its own"])
@pytest.mark.parametrize("reading", [{}, HARD], ids=["default", "all-hard"])
def test_second_run_creates_no_second_device(controller: Controller, again: Json, reading: Json) -> None:
    begin(controller, **reading)
    first = controller.run("doctor", device=SCRATCH, consent=True)
    second = controller.run("doctor", consent=True, **again)
    assert len(controller.sandbox.devices()) == 1 and not second.result["scratch"]["made"]
    assert found(second) == {fact: value for fact, value in found(first).items() if fact != "add_number"}
    assert any("request_otp: true" in warning for warning in second.warnings)


def test_number_and_token_of_different_devices_are_refused(controller: Controller) -> None:
    begin(controller, client(), {"number": OTHER, "token": "token-of-other"})
    controller.sandbox.add_account(token="another-account", devices=[{"number": ABROAD, "token": "token-of-another"}])
    elsewhere, other = "token-of-another", "token-of-other"
    for number, token in ((CLIENT, other), (SCRATCH, other), (CLIENT, elsewhere), ("081200000009", elsewhere)):
        with pytest.raises(FonnteError, match="not one device"):
            controller.run("doctor", device=number, device_token=token, consent=True)
    assert controller.sandbox.writes() == []


@pytest.mark.parametrize(
    ("problem", "words"),
    [("full", "too much free device"), ("taken", "device already exist")],
)
def test_failed_creation_is_an_error(controller: Controller, problem: str, words: str) -> None:
    full = [{"number": f"08120000010{index}"} for index in range(10)] if problem == "full" else []
    begin(controller, *full)
    if problem == "taken":
        controller.sandbox.add_account(token="another-account", devices=[{"number": SCRATCH}])
    with pytest.raises(RefusedError, match=f"Creating the scratch device {SCRATCH}: .*{words}.*nothing was written"):
        controller.run("doctor", device=SCRATCH, consent=True)


def test_documented_deletion_of_the_test_device_works(controller: Controller) -> None:
    begin(controller)
    report = controller.run("doctor", device=SCRATCH, consent=True)
    (line,) = [warning for warning in report.warnings if "request_otp" in warning]
    assert f'fonnte.whatsapp.fonnte_device: {{device: "{SCRATCH}", state: absent, request_otp: true}}' in line
    assert f'fonnte.whatsapp.fonnte_device: {{device: "{SCRATCH}", state: absent, otp: "the code"}}' in line
    controller.device(SCRATCH, state="absent", request_otp=True)
    controller.device(SCRATCH, state="absent", otp=controller.sandbox.otp(SCRATCH))
    assert controller.sandbox.devices() == {}


def test_invalid_name_is_refused(controller: Controller) -> None:
    with pytest.raises(OptionError, match="Option name"):
        controller.run("doctor", device=SCRATCH, consent=True, name="x")


# The record


def test_tested_device_has_no_recorded_settings(controller: Controller) -> None:
    """With a service that resets, the recorded settings are gone, and the next task must send them again."""
    begin(controller, omitted="resets")
    controller.device(CLIENT, name="Toko Klien", quick=True, webhook=HOOK)
    assert not controller.device(CLIENT, name="Toko Klien", quick=True, webhook=HOOK).result["changed"]
    before = controller.record_files()
    controller.run("doctor", device=CLIENT)
    assert controller.record_files() == before
    report = controller.run("doctor", device=CLIENT, consent=True)
    assert any("recorded values" in warning for warning in report.warnings)
    again = controller.device(CLIENT, name="Toko Klien", quick=True, webhook=HOOK).result
    assert set(again["changed_fields"]) == {"quick", "webhook"}
    assert controller.sandbox.device(CLIENT)["settings"]["webhook"] == HOOK


def test_stamp_of_a_tested_device_is_removed(controller: Controller, tmp_path: Path) -> None:
    """Another control node trusts the stamp in a name, so the stamp is removed, with a warning."""
    begin(controller, omitted="resets")
    declared = {"name": "Toko Klien", "quick": True, "handle_write_only": "stamped"}
    controller.device(CLIENT, **declared)
    assert " ~" in controller.sandbox.device(CLIENT)["name"]
    elsewhere = Controller(controller.sandbox, tmp_path / "elsewhere")
    assert not elsewhere.device(CLIENT, **declared).result["changed"]
    report = controller.run("doctor", device=CLIENT, consent=True)
    assert controller.sandbox.device(CLIENT)["name"] == "Toko Klien"
    assert "the stamp in its name is gone" in report.result["scratch"]["left"]
    assert "quick" in elsewhere.device(CLIENT, **declared).result["changed_fields"]
    assert controller.sandbox.device(CLIENT)["settings"]["quick"] is True


def test_unwritable_record_ends_the_run_before_a_write(controller: Controller) -> None:
    begin(controller)
    controller.records.write_text("", encoding="utf-8")
    with pytest.raises(RecordError, match="nothing was written") as caught:
        controller.run("doctor", device=SCRATCH, consent=True)
    assert controller.sandbox.writes() == []
    assert caught.value.partial_result["record"]["writable"] is False
    # The reads are done nevertheless.
    assert controller.run("doctor", device=SCRATCH).result["record"]["writable"] is False


def test_device_is_locked_during_the_check(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(controller, client())
    monkeypatch.setattr(_doctor, "LOCK_SECONDS", 0.1)
    store = _doctor_store(controller)
    for file in (store.number(controller.sandbox.account_token, CLIENT), store.device("token-of-the-client")):
        with file.lock(0.1), pytest.raises(RecordError, match="another run"):
            controller.run("doctor", device=CLIENT, consent=True)
    assert controller.sandbox.writes() == []


def _doctor_store(controller: Controller) -> t.Any:
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore

    return RecordStore(str(controller.records), controller.sandbox.url)


def note(controller: Controller, number: str) -> NumberRecord | None:
    return _doctor_store(controller).number(controller.sandbox.account_token, number).load()[0]


LOST = {"lost before": "before", "lost after": "after"}


@pytest.mark.parametrize("when", LOST.values(), ids=list(LOST))
def test_device_that_may_have_been_created_has_a_creation_entry(controller: Controller, when: str) -> None:
    """The next run knows that a device of this account may have this number, but not which one."""
    begin(controller)
    controller.sandbox.fault("reset", path="/add-device", at="start", when=when)
    with pytest.raises(FonnteError, match="may exist now"):
        controller.run("doctor", device=SCRATCH, consent=True)
    begun = note(controller, SCRATCH)
    assert begun is not None and (begun.state, dict(begun.sent)) == ("creating", {})
    if when == "after":
        # The device may be another one, so a task with a strict policy stops.
        careful = {"name": OWN_NAME, "quick": True, "handle_unknown": "error"}
        with pytest.raises(FonnteError, match="may reset settings"):
            controller.device(SCRATCH, **careful)


def test_experiments_end_the_creation_entry(controller: Controller) -> None:
    """Other settings were applied, so a later task must be warned."""
    begin(controller)
    controller.sandbox.fault("reset", path="/add-device", at="start", when="after")
    with pytest.raises(FonnteError, match="may exist now"):
        controller.run("doctor", device=SCRATCH, consent=True)
    report = controller.run("doctor", device=SCRATCH, consent=True)
    token = controller.sandbox.device(SCRATCH)["token"]
    present = note(controller, SCRATCH)
    assert present is not None
    assert (present.state, present.device_file) == ("present", _doctor_store(controller).device(token).name)
    assert not any("The recorded values" in warning for warning in report.warnings)


def test_settings_of_an_earlier_creation_entry_are_removed(controller: Controller) -> None:
    begin(controller, {"number": SCRATCH, "name": "Toko"})
    note_file = _doctor_store(controller).number(controller.sandbox.account_token, SCRATCH)
    note_file.save(NumberRecord("creating", "2026-11-22T09:00:00Z", {"quick": True}))
    report = controller.run("doctor", device=SCRATCH, consent=True)
    present = note(controller, SCRATCH)
    assert present is not None and (present.state, dict(present.sent)) == ("present", {})
    assert any("The recorded values" in warning for warning in report.warnings)


def test_creation_entry_of_another_spelling_is_unchanged(controller: Controller) -> None:
    begin(controller, {"number": SCRATCH, "name": "Toko"})
    note_file = _doctor_store(controller).number(controller.sandbox.account_token, SCRATCH)
    other = NumberRecord("creating", "2026-11-22T09:00:00Z", {"quick": True}, "device-" + "0" * 32, is_bound=True)
    note_file.save(other)
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert note(controller, SCRATCH) == other
    assert not any("The recorded values" in warning for warning in report.warnings)


@pytest.mark.parametrize("older", [None, NumberRecord("deleted", "2026-11-22T09:00:00Z")], ids=["none", "deleted"])
def test_refused_creation_leaves_no_creation_entry(controller: Controller, older: NumberRecord | None) -> None:
    begin(controller, *({"number": f"08120000010{index}"} for index in range(10)))
    if older is not None:
        _doctor_store(controller).number(controller.sandbox.account_token, SCRATCH).save(older)
    with pytest.raises(RefusedError, match="too much free device"):
        controller.run("doctor", device=SCRATCH, consent=True)
    assert note(controller, SCRATCH) == older


@pytest.mark.parametrize("became", ["gone", "renumbered"])
def test_record_of_the_previous_device_of_the_number_is_removed(controller: Controller, became: str) -> None:
    """Later its device would be unknown. A renumbered device keeps its record."""
    begin(controller)
    controller.device(SCRATCH, name="Toko", quick=True)
    token = controller.sandbox.device(SCRATCH)["token"]
    older = _doctor_store(controller).device(token)
    moved = [{"number": OTHER, "name": "Toko", "token": token}] if became == "renumbered" else []
    begin(controller, *moved)
    controller.run("doctor", device=SCRATCH, consent=True)
    present = note(controller, SCRATCH)
    assert present is not None and present.device_file not in ("", older.name)
    assert (older.encrypted() is not None) == (became == "renumbered")


def test_device_renamed_during_the_check_is_left_unchanged(controller: Controller) -> None:
    begin(controller, {"number": SCRATCH, "name": OWN_NAME})
    controller.sandbox.fault("mutate", path="/get-devices", skip=1, times=1, set_each={"name": "Toko Baru"})
    with pytest.raises(FonnteError, match="changed by another run"):
        controller.run("doctor", consent=True)
    assert controller.sandbox.writes() == []


@pytest.mark.parametrize(
    ("device", "expected", "words"),
    [
        (CLIENT, OWN_NAME, f'lists device {CLIENT} as "Toko Klien", and expected_name is "{OWN_NAME}"'),
        (CLIENT, "", f'lists device {CLIENT} as "Toko Klien", and expected_name is ""'),
        (None, "Toko Klien", f'lists device {OTHER} as "{OWN_NAME}", and expected_name is "Toko Klien"'),
        (SCRATCH, OWN_NAME, f'does not list device {SCRATCH}, and expected_name is "{OWN_NAME}"'),
    ],
)
def test_only_the_confirmed_device_is_written(
    controller: Controller, device: str | None, expected: str, words: str
) -> None:
    begin(controller, client(), {"number": OTHER, "name": OWN_NAME})
    with pytest.raises(FonnteError) as caught:
        controller.run("doctor", device=device, consent=True, expected_name=expected)
    assert words in str(caught.value) and controller.sandbox.writes() == []


@pytest.mark.parametrize(("device", "expected"), [(CLIENT, "Toko Klien"), (SCRATCH, "")])
def test_confirmed_device_is_written(controller: Controller, device: str, expected: str) -> None:
    begin(controller, client(), {"number": OTHER, "name": OWN_NAME})
    controller.run("doctor", device=device, consent=True, expected_name=expected)
    assert written_to(controller) <= {device, SCRATCH} and controller.sandbox.writes()


def test_device_without_a_name_matches_no_expected_name(controller: Controller) -> None:
    begin(controller, client())
    controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each={"name": ""})
    with pytest.raises(FonnteError, match='as "", and expected_name is ""'):
        controller.run("doctor", device=CLIENT, consent=True, expected_name="")
    assert controller.sandbox.writes() == []


# Faults

KINDS: dict[str, Json] = {
    "lost before": {"kind": "reset", "at": "start", "when": "before"},
    "lost after": {"kind": "reset", "at": "start", "when": "after"},
    "502 before": {"kind": "html", "code": 502, "when": "before"},
    "502 after": {"kind": "html", "code": 502, "when": "after"},
    "not JSON": {"kind": "html", "code": 200, "when": "after"},
    "429": {"kind": "status", "code": 429, "when": "before"},
}
LONGEST = 22


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("device", "reading", "times"),
    [
        pytest.param(SCRATCH, {}, 1, id="made-default-once"),
        pytest.param(CLIENT, HARD, None, id="there-all-hard-for ever"),
        *([pytest.param(SCRATCH, {}, None, id="made-default-for ever")] if EVERY_FAULT else []),
        *([pytest.param(CLIENT, HARD, 1, id="there-all-hard-once")] if EVERY_FAULT else []),
        *([pytest.param(SCRATCH, HARD, 1, id="made-all-hard-once")] if EVERY_FAULT else []),
        *([pytest.param(CLIENT, {}, None, id="there-default-for ever")] if EVERY_FAULT else []),
    ],
)
def test_fault_at_any_request_never_causes_a_wrong_fact(
    controller: Controller, device: str, reading: Json, kind: str, times: int | None
) -> None:
    """A fault at each request in turn: no false fact, an error of one sentence, and a correct report of the device."""
    controller.common["api_retries"] = 0
    for skip in range(LONGEST):
        begin(controller, client(), **reading)
        before = controller.sandbox.devices()
        controller.sandbox.fault(**KINDS[kind], skip=skip, times=times)
        try:
            outcome: ModuleResult | FonnteError = controller.run("doctor", device=device, consent=True)
        except FonnteError as fault:
            outcome = fault
        controller.sandbox.clear_faults()
        check_outcome(controller, outcome, before, reading)
        if isinstance(outcome, ModuleResult):
            break
    assert isinstance(outcome, ModuleResult), "no fault was met any more, and the run still failed"
    assert skip > 10, "hardly a call was broken"


def check_outcome(controller: Controller, outcome: ModuleResult | FonnteError, before: Json, reading: Json) -> None:
    result = outcome.result if isinstance(outcome, ModuleResult) else outcome.partial_result
    real = {**truth(controller.sandbox.state()["readings"]), "listing": None, "profile_number": None}
    assert all(value is None or value == real[fact] for fact, value in result["facts"].items())
    after = controller.sandbox.devices()
    tokens = [controller.sandbox.account_token, *(known["token"] for known in after.values())]
    assert not any(token in reported(outcome) for token in tokens)
    if isinstance(outcome, FonnteError):
        sentence = str(outcome)
        assert sentence.endswith(".") and "\n" not in sentence and "determined so far: " in sentence
        if not result["changed"]:
            assert after == before and ("nothing was written" in sentence or "not written to" in sentence)
        for number in set(after) - set(before):
            assert number[-11:] in sentence or number in sentence or SCRATCH in sentence
    scratch = result["scratch"]
    if scratch and scratch["device"] in before:
        said_is_true(before[scratch["device"]], after[scratch["device"]], scratch["left"])


def test_lost_response_is_followed_by_one_attempt_to_restore(controller: Controller) -> None:
    begin(controller, client(settings={"autoread": False}))
    controller.sandbox.fault("reset", path="/update-device", at="start", when="after", times=1)
    with pytest.raises(FonnteError) as caught:
        controller.run("doctor", device=CLIENT, consent=True)
    assert controller.sandbox.device(CLIENT)["settings"]["autoread"] is False
    assert "autoread may have changed" not in str(caught.value)
    assert caught.value.partial_result["journal"][-1]["purpose"] == "put back"
    controller.sandbox.fault("reset", path="/update-device", at="start", when="after", times=None)
    with pytest.raises(FonnteError, match="its autoread may have changed, and was off"):
        controller.run("doctor", device=CLIENT, consent=True)


def test_lost_response_to_the_creation_is_reported(controller: Controller) -> None:
    """The device may exist, and the next run finds it."""
    begin(controller)
    controller.sandbox.fault("reset", path="/add-device", at="start", when="after")
    with pytest.raises(FonnteError, match=f"device {SCRATCH} may exist now") as caught:
        controller.run("doctor", device=SCRATCH, consent=True)
    assert caught.value.partial_result["changed"] is True
    report = controller.run("doctor", consent=True)
    assert list(controller.sandbox.devices()) == [SCRATCH] and report.result["facts"]["omitted"] == "keeps"


def test_device_deleted_during_the_check_is_reported(controller: Controller) -> None:
    begin(controller, client())
    gone = {"status": False, "reason": "device not found"}
    controller.sandbox.fault("status", path="/update-device", skip=2, times=None, code=200, body=gone)
    with pytest.raises(RefusedError, match="device not found") as caught:
        controller.run("doctor", device=CLIENT, consent=True)
    assert caught.value.partial_result["facts"]["omitted"] is None


# The file


def test_facts_file_is_written_and_read_by_other_modules(controller: Controller, tmp_path: Path) -> None:
    begin(controller)
    path = tmp_path / "facts.json"
    predicted = controller.run("doctor", True, device=SCRATCH, consent=True, dest=str(path))
    assert not path.exists() and predicted.result["changed"]
    # The variable may name the file for every module before the check creates it.
    report = controller.run("doctor", device=SCRATCH, consent=True, dest=str(path), service_facts_path=str(path))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["facts"] == found(report) and content["endpoint"] == controller.sandbox.url
    assert report.result["dest"] == str(path)
    assert (report.result["diff"]["before"], report.result["diff"]["after"]) == ({}, found(report))
    controller.run("device_info", service_facts_path=str(path))


def test_facts_of_an_earlier_run_are_kept(controller: Controller, tmp_path: Path) -> None:
    begin(controller)
    path = tmp_path / "facts.json"
    first = found(controller.run("doctor", device=SCRATCH, consent=True, dest=str(path)))
    before = path.read_bytes()
    report = controller.run("doctor", dest=str(path))
    assert not report.result["changed"] and path.read_bytes() == before
    controller.sandbox.set_readings(refusal_status=400, omitted="resets")
    assert controller.run("doctor", True, dest=str(path)).result["changed"] and path.read_bytes() == before
    report = controller.run("doctor", dest=str(path))
    assert report.result["changed"] and controller.sandbox.device(SCRATCH)["name"] == OWN_NAME
    assert json.loads(path.read_text(encoding="utf-8"))["facts"] == {**first, "refusal_status": 400}
    controller.run("doctor", consent=True, dest=str(path))
    assert json.loads(path.read_text(encoding="utf-8"))["facts"]["omitted"] == "resets"


def test_file_is_not_written_without_facts(controller: Controller, tmp_path: Path) -> None:
    begin(controller)
    report = controller.run("doctor", dest=str(tmp_path / "facts.json"))
    assert not report.result["changed"] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["keep = me\n", '{"format": 1, "endpoint": "https://b.example.com", "facts": {}}'])
def test_file_with_other_content_is_not_overwritten(controller: Controller, tmp_path: Path, content: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(content, encoding="utf-8")
    for check in (True, False):
        with pytest.raises(OptionError, match="Option dest"):
            controller.run("doctor", check, device=SCRATCH, consent=True, dest=str(path))
    assert controller.sandbox.journal() == [] and path.read_text(encoding="utf-8") == content


def test_unwritable_file_is_detected_before_any_request(controller: Controller, tmp_path: Path) -> None:
    begin(controller)
    path = tmp_path / "not there" / "facts.json"
    with pytest.raises(OptionError, match="Option dest: there is no directory"):
        controller.run("doctor", device=SCRATCH, consent=True, dest=str(path))
    assert controller.sandbox.journal() == []
    # In check mode, an earlier task may create the directory.
    report = controller.run("doctor", True, device=SCRATCH, consent=True, dest=str(path))
    assert any("there is no directory" in warning for warning in report.warnings)


def test_failed_write_of_the_file_loses_no_fact(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._device import service_facts as _facts

    begin(controller)

    def full(*_given: object) -> None:
        raise OptionError("dest", "No space left on device", "make some")

    monkeypatch.setattr(_facts, "save_facts", full)
    with pytest.raises(OptionError, match="No space left on device") as caught:
        controller.run("doctor", device=ABROAD, consent=True, dest=str(tmp_path / "facts.json"))
    assert caught.value.partial_result["facts"]["omitted"] == "keeps" and caught.value.partial_result["changed"] is True
    assert any("request_otp" in warning for warning in caught.value.warnings)


def test_created_test_device_without_a_listed_name_is_left_unchanged(controller: Controller) -> None:
    controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each={"name": ["x"]})
    report = controller.run("doctor", device=SCRATCH, consent=True)
    assert [entry["path"] for entry in controller.sandbox.writes()] == ["/add-device"]
    assert "without a token, a number or a name" in report.result["not_found_out"]["omitted"]
    assert any("was not deleted" in warning for warning in report.warnings)
