# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conclusions from responses, without requests, and updates of the test device."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import Moment
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    RefusedError,
    StaleListError,
    UnexpectedResponseError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import Redactor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device, DeviceList
from ansible_collections.fonnte.whatsapp.plugins.module_utils._doctor.device_under_test import (
    TestDevice as ScratchDevice,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._doctor.experiments import (
    Finding,
    Trial,
    conclude_add_number,
    conclude_empty_webhook,
    conclude_omitted,
    conclude_profile_number,
    conclude_refusal_status,
    conclude_update_without_device,
    conclude_webhook_probe,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._doctor.journal import JournalingClient

LOCAL, ABROAD = "081200000001", "6281200000001"


def refused(text: str, path: str = "/update-device", status: int | None = 200) -> RefusedError:
    return RefusedError(path, text, text, status)


INPUT, BODY = refused("input invalid"), refused("invalid/empty body value")
STRANGE = refused("come back tomorrow")


@pytest.mark.parametrize(
    ("rounds", "value"),
    [
        ([Trial(True, True, True), Trial(False, False, False)], "keeps"),
        ([Trial(True, True, False)], "resets"),
        # A default that is on cannot be distinguished from a kept value, until autoread is off.
        ([Trial(True, True, True), Trial(False, False, True)], "resets"),
        ([Trial(True, True, True)], None),
        ([Trial(False, False, False)], None),
        # A list that is not up to date shows neither.
        ([Trial(True, False, False)], None),
        ([Trial(True, False, True)], None),
        ([Trial(True, None, None)], None),
        ([Trial(True, True, None)], None),
        ([Trial(True, True, True), Trial(False, True, True)], None),
    ],
)
def test_conclude_omitted(rounds: list[Trial], value: str | None) -> None:
    assert conclude_omitted(rounds).value == value


@pytest.mark.parametrize(
    ("refusal", "control", "after", "value"),
    [
        (None, None, LOCAL, "works"),
        (None, None, "", None),
        (None, None, ABROAD, None),
        (INPUT, None, LOCAL, "refused"),
        # The same update is refused with its number too, so the cause is another one.
        (INPUT, INPUT, LOCAL, None),
        (BODY, None, LOCAL, None),
        (STRANGE, None, LOCAL, None),
    ],
)
def test_conclude_update_without_device(
    refusal: RefusedError | None, control: RefusedError | None, after: str, value: str | None
) -> None:
    assert conclude_update_without_device(refusal, control, LOCAL, after).value == value


@pytest.mark.parametrize(
    ("refusal", "value"),
    [
        (None, "not_called"),
        (refused("webhook url is not responding"), "called"),
        (refused("webhook urls are for paid packages"), None),
        (INPUT, None),
        (BODY, None),
        (STRANGE, None),
    ],
)
def test_conclude_webhook_probe(refusal: RefusedError | None, value: str | None) -> None:
    finding = conclude_webhook_probe(refusal)
    assert finding.value == value
    assert ("concluded" in finding.reason) == (value == "not_called")


@pytest.mark.parametrize(
    ("refusal", "control", "value"),
    [
        (None, None, "accepted"),
        (BODY, None, "refused"),
        (BODY, BODY, None),
        (INPUT, None, None),
        (STRANGE, None, None),
    ],
)
def test_conclude_empty_webhook(refusal: RefusedError | None, control: RefusedError | None, value: str | None) -> None:
    assert conclude_empty_webhook(refusal, control).value == value


@pytest.mark.parametrize(
    ("given", "stored", "value"),
    [
        (LOCAL, LOCAL, "verbatim"),
        (LOCAL, ABROAD, "international"),
        (LOCAL, "+" + ABROAD, None),
        (ABROAD, ABROAD, None),
        (ABROAD, LOCAL, None),
    ],
)
def test_conclude_add_number(given: str, stored: str, value: str | None) -> None:
    assert conclude_add_number(given, stored).value == value


@pytest.mark.parametrize(
    ("shown", "connected", "value"),
    [
        (LOCAL, True, None),
        (ABROAD, True, None),
        (ABROAD, False, None),
        ("6281277777777", True, "linked"),
        ("6281277777777", None, "linked"),
    ],
)
def test_conclude_profile_number(shown: str, connected: bool | None, value: str | None) -> None:
    assert conclude_profile_number(shown, LOCAL, connected).value == value


@pytest.mark.parametrize(
    ("refusal", "value"),
    [
        (refused("unknown user", "/get-devices", 200), 200),
        (refused("unknown user", "/get-devices", 401), 401),
        (refused("unknown user", "/get-devices", None), None),
        (refused("come back tomorrow", "/get-devices", 403), None),
        (None, None),
    ],
)
def test_conclude_refusal_status(refusal: RefusedError | None, value: int | None) -> None:
    assert conclude_refusal_status(refusal).value == value


def test_unknown_refusals_are_quoted() -> None:
    """Without a conclusion, the user has the text of the service to report."""
    findings: list[Finding] = [
        conclude_update_without_device(STRANGE, None, LOCAL, LOCAL),
        conclude_webhook_probe(STRANGE),
        conclude_empty_webhook(STRANGE, None),
        conclude_empty_webhook(BODY, STRANGE),
        conclude_refusal_status(STRANGE),
    ]
    assert all("come back tomorrow" in finding.reason for finding in findings)


def test_journal_masks_secrets_in_responses() -> None:
    class Talkative:
        def profile(self, token: str) -> t.Any:
            raise UnexpectedResponseError(f"somebody said {token}", "do not listen", False)

    calls = JournalingClient(t.cast(t.Any, Talkative()), Redactor("account-s3cret", ["device-s3cret"]))
    with pytest.raises(UnexpectedResponseError):
        calls.profile("device-s3cret", LOCAL, "tokens")
    assert [(entry.device, entry.response) for entry in calls.entries] == [(LOCAL, "somebody said ********")]


# The test device


class Calls(JournalingClient):
    """A service with one device. Each attempt of an update takes time, and all requests are recorded.

    Args:
        numbers: The number of the device in consecutive responses; the last one is repeated.
    """

    def __init__(self, *numbers: str) -> None:
        self.seconds = 0.0
        self.sent: list[str | None] = []
        self.tries_after: list[float] = [0.0]
        self._numbers = list(numbers)

    def clock(self) -> float:
        return self.seconds

    def listing(self, token: str, device: str | None, purpose: str) -> DeviceList:
        self.sent.append("list")
        number = self._numbers.pop(0) if len(self._numbers) > 1 else self._numbers[0]
        return DeviceList([scratch(number)], fetched_at=Moment.now(self.clock))

    def update(self, device: Device, number: str | None, settings: t.Any, purpose: str, guard: t.Any) -> None:
        for seconds in self.tries_after:
            self.seconds += seconds
            guard()
            self.sent.append(number)


def scratch(number: str) -> Device:
    return Device(number, "token", sent_as=number, settings={"name": "fonnte doctor"})


def on(calls: Calls, number: str = LOCAL) -> ScratchDevice:
    return ScratchDevice(calls, "account", scratch(number), False, Moment.now(calls.clock))


def test_update_uses_a_recent_list() -> None:
    calls = Calls(LOCAL)
    device = on(calls)
    calls.seconds = 30.0
    device.update({})
    assert calls.sent == [LOCAL]
    calls.seconds = 30.5
    device.update({})
    assert calls.sent == [LOCAL, "list", LOCAL]


def test_renumbered_device_is_not_updated() -> None:
    calls = Calls(ABROAD)
    device = on(calls)
    calls.seconds = 31.0
    for send in (device.update, device.update_without_number):
        with pytest.raises(FonnteError, match=f"lists device {LOCAL} as {ABROAD} now"):
            send({})
    with pytest.raises(FonnteError, match=f"lists device {LOCAL} as {ABROAD} now"):
        device.restore()
    assert calls.sent == ["list"] and not device.touched


def test_delayed_update_is_sent_with_a_new_list() -> None:
    calls = Calls(LOCAL)
    calls.tries_after = [31.0]
    device = on(calls)
    with pytest.raises(StaleListError):
        # A service that is always too slow: three new lists, and no update is sent.
        device.update({"autoread": True})
    assert calls.sent == ["list"] * 3 and device.settled and not device.touched
    calls.tries_after = [0.0, 20.0]
    device.update({"autoread": True})
    assert calls.sent[3:] == ["list", LOCAL, LOCAL]
