# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An alert is sent once or not at all, within its time limit, and each problem becomes a warning without secrets."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.notifier import NOTIFY, Notifier
from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.outcome import Failure, Outcome
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SENDER, UNLINKED, PERSON, GROUP = "081200000001", "081200000002", "0812-0000-2001", "120363042012345678@g.us"
TOKEN, DEVICE_TOKEN = "account-token-for-alerts", "device-token-for-alerts"
FAILED = Outcome("site.yml", hosts=1, failed=("web1",), failures=(Failure("web1", "Deploy", "it broke"),))
SUCCEEDED = Outcome("site.yml", hosts=1)
CHECKED = Outcome("site.yml", True, hosts=1, failed=("web1",))


@pytest.fixture(autouse=True)
def account(sandbox: Sandbox) -> None:
    """Create an account with a linked device and an unlinked one."""
    devices = [
        {"number": SENDER, "name": "Toko Satu", "linked": True, "package": "Super", "token": DEVICE_TOKEN},
        {"number": UNLINKED, "name": "Toko Dua", "package": "Super"},
    ]
    sandbox.reset(accounts=[{"token": TOKEN, "devices": devices}])


def notifier(sandbox: Sandbox, environment: t.Mapping[str, str] | None = None, **given: t.Any) -> Notifier:
    defaults = {option: row.get("default") for option, row in {**ACCOUNT, **NOTIFY}.items()}
    params = {"api_endpoint": sandbox.url, "account_token": TOKEN, "notify_device": SENDER, "notify_target": [PERSON]}
    return Notifier({**defaults, "api_retries": 1, "api_retry_max_delay": 0, **params, **given}, environment or {})


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(message["device"], message["target"]) for message in sandbox.outbox()]


def paths(sandbox: Sandbox) -> list[str]:
    return [entry["path"] for entry in sandbox.journal()]


def test_alert_is_sent_by_number_in_any_spelling(sandbox: Sandbox) -> None:
    assert notifier(sandbox, notify_device="+62 812-0000-0001", notify_target=[PERSON, GROUP]).send(FAILED) == ""
    assert sent(sandbox) == [(SENDER, "6281200002001"), (SENDER, GROUP)]
    message = sandbox.outbox()[0]
    assert message["message"].startswith(
        "Ansible: site.yml has failed\nHosts: web1\nTask: Deploy\nError: web1: it broke"
    )
    assert message["fields"] == {"preview": "false"}


def test_alert_by_device_token_needs_no_list(sandbox: Sandbox) -> None:
    made = notifier(sandbox, {"FONNTE_DEVICE_TOKEN": DEVICE_TOKEN}, notify_device=None)
    assert made.send(FAILED) == "" and paths(sandbox) == ["/send"] and sent(sandbox) == [(SENDER, "6281200002001")]


def test_group_is_named_in_the_target(sandbox: Sandbox) -> None:
    groups = [{"id": GROUP, "name": "Gudang"}]
    accounts = sandbox.state()["accounts"]
    accounts[0]["devices"][0].update(groups=groups, fetched_groups=groups, groups_fetched=True)
    sandbox.reset(accounts=accounts)
    assert notifier(sandbox, notify_target=["group:Gudang"]).send(FAILED) == "" and sent(sandbox) == [(SENDER, GROUP)]
    warning = notifier(sandbox, notify_target=["group:Gudan"]).send(FAILED)
    assert "The alert about site.yml was not sent." in warning and 'similar names are "Gudang"' in warning
    assert len(sandbox.outbox()) == 1


def test_named_device_takes_precedence_over_device_token(sandbox: Sandbox) -> None:
    """In a shell with the token of another device, the named one sends."""
    made = notifier(sandbox, {"FONNTE_DEVICE_TOKEN": "token-of-another-device"})
    assert made.send(FAILED) == "" and sent(sandbox) == [(SENDER, "6281200002001")]


@pytest.mark.parametrize(
    ("outcome", "given", "expected"),
    [
        (FAILED, {}, True),
        (SUCCEEDED, {}, False),
        (SUCCEEDED, {"notify_when": "always"}, True),
        (CHECKED, {}, False),
        (CHECKED, {"notify_when": "always"}, False),
        (CHECKED, {"notify_check_mode": True}, True),
    ],
)
def test_wanted_alerts(sandbox: Sandbox, outcome: Outcome, given: dict[str, t.Any], expected: bool) -> None:
    assert notifier(sandbox, **given).is_wanted(outcome) is expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"notify_target": []}, "Option notify_target: it is empty"),
        ({"notify_target": None}, "Option notify_target: it is empty"),
        ({"notify_target": ["what"]}, "Option notify_target[0]: "),
        ({"notify_device": "12"}, "Option notify_device: "),
        ({"notify_device": None}, "Option notify_device: no device is named"),
        ({"account_token": None}, "Option account_token: there is no token; set FONNTE_ACCOUNT_TOKEN."),
        ({"account_token": "a b"}, "Option account_token: "),
        ({"notify_timeout": 0}, "Option notify_timeout: 0 is out of range"),
        ({"notify_timeout": float("nan")}, "Option notify_timeout: "),
        ({"api_endpoint": "http://api.fonnte.com"}, "Option api_endpoint: "),
    ],
)
def test_wrong_options_are_found_before_any_request(sandbox: Sandbox, given: dict[str, t.Any], words: str) -> None:
    with pytest.raises(OptionError) as found:
        notifier(sandbox, **given)
    assert str(found.value).startswith(words) and paths(sandbox) == []


def test_wrong_device_token_names_its_own_option(sandbox: Sandbox) -> None:
    with pytest.raises(OptionError, match="^Option device_token: "):
        notifier(sandbox, {"FONNTE_DEVICE_TOKEN": "a b"}, notify_device=None)


FAULTS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "list lost": ("/get-devices", {"kind": "reset", "times": None, "when": "after"}),
    "list hangs": ("/get-devices", {"kind": "hang", "times": None}),
    "list trickles": ("/get-devices", {"kind": "trickle", "times": None, "args": {"interval": 0.2}}),
    "list is busy": (
        "/get-devices",
        {"kind": "status", "times": None, "args": {"code": 429, "headers": {"Retry-After": "900"}}},
    ),
    "list is HTML": ("/get-devices", {"kind": "html", "times": None}),
    "message busy": ("/send", {"kind": "status", "times": None, "args": {"code": 429}}),
}


def order(sandbox: Sandbox, path: str, rule: dict[str, t.Any]) -> None:
    rule = dict(rule)
    sandbox.fault(rule.pop("kind"), path=path, **rule.pop("args", {}), **rule)


@pytest.mark.parametrize("name", FAULTS)
def test_alert_that_was_not_sent_is_reported(sandbox: Sandbox, name: str) -> None:
    """After notify_timeout, a hung or trickling service is not waited for, and no retry begins."""
    order(sandbox, *FAULTS[name])
    warning = notifier(sandbox, notify_timeout=1.0).send(FAILED)
    assert warning.startswith("The alert about site.yml was not sent. "), warning
    assert sent(sandbox) == [] and paths(sandbox).count("/send") <= 1
    if "hangs" in name or "trickles" in name:
        assert paths(sandbox) == ["/get-devices"], "the retry would begin after the time limit"
    assert TOKEN not in warning and DEVICE_TOKEN not in warning


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "reset", "times": None, "when": "after"},
        {"kind": "hang", "times": None, "when": "after"},
        {"kind": "trickle", "times": None, "args": {"interval": 0.2}},
        {"kind": "html", "times": None, "when": "after", "args": {"code": 502}},
    ],
    ids=lambda rule: rule["kind"],
)
def test_lost_response_sends_no_second_alert(sandbox: Sandbox, rule: dict[str, t.Any]) -> None:
    order(sandbox, "/send", rule)
    warning = notifier(sandbox, notify_timeout=1.0).send(FAILED)
    assert warning.startswith("It is not known whether the alert about site.yml was sent. "), warning
    assert warning.endswith("; check the outbox of the dashboard.")
    assert len(sent(sandbox)) == 1 and paths(sandbox).count("/send") == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"notify_device": UNLINKED}, 'Fonnte returned "request invalid on disconnected device"'),
        ({"notify_device": "081200000009"}, "the account does not list it"),
        ({"account_token": "wrong-account-token"}, 'Fonnte returned "unknown user"'),
        ({"api_endpoint": "http://127.0.0.1:9"}, "raise notify_timeout (now 10 s)."),
    ],
)
def test_refused_alert_is_reported(sandbox: Sandbox, given: dict[str, t.Any], words: str) -> None:
    warning = notifier(sandbox, **given).send(FAILED)
    assert warning.startswith("The alert about site.yml was not sent. ") and words in warning, warning
    assert sent(sandbox) == []


def test_second_alert_is_sent_after_failed_one(sandbox: Sandbox) -> None:
    """Each file of a run has a separate time limit and separate connections."""
    made = notifier(sandbox, notify_timeout=1.0)
    sandbox.fault("hang", path="/get-devices")
    assert made.send(FAILED) != "" and made.send(FAILED) == ""
    assert len(sent(sandbox)) == 1


def test_known_secrets_are_masked(sandbox: Sandbox) -> None:
    made = notifier(sandbox, {"DB_PASSWORD": "from-environment", "HOME": "/home/you"}, account_token=TOKEN)
    text = f"{TOKEN} from-environment from-arguments /home/you"
    masked = made.mask(text, {"login_password": "from-arguments"})
    assert masked == "******** ******** ******** /home/you"


def test_detail_names_sends_no_error(sandbox: Sandbox) -> None:
    assert notifier(sandbox, notify_detail="names").send(FAILED) == ""
    assert sandbox.outbox()[0]["message"] == "Ansible: site.yml has failed\nHosts: web1\nTask: Deploy"
