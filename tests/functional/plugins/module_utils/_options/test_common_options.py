# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid options, which are refused before any request, and fonnte_device_info."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    RefusedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options import common as _options
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.policy import max_age
from ansible_collections.fonnte.whatsapp.tests.control_node import MODULES, Controller

A, B, C = "081200000001", "081200000002", "6281200000003"


@pytest.mark.parametrize(
    ("params", "option", "words"),
    [
        ({"name": "a"}, "name", "1 character;"),
        ({"name": "a" * 31}, "name", "31 characters"),
        ({"device": "0812x000001"}, "device", '"x"'),
        ({"device": "1234567"}, "device", "7 digits"),
        ({"device": "1234567890123456"}, "device", "16 digits"),
        ({"device": 21555432}, "device", "quote it"),
        ({"webhook": "ftp://h.example.com/s3cret"}, "webhook", "http:// or https://"),
        ({"target": 21555432}, "target", "quote it"),
        ({"account_token": ""}, "account_token", "empty"),
        ({"account_token": "line\nbreak"}, "account_token", "white space"),
        ({"account_token": "tokén"}, "account_token", "non-ASCII"),
        ({"account_token": "'sandbox-account-token'"}, "account_token", "quotation mark"),
        ({"device_token": ""}, "device_token", "empty"),
        ({"device_token": "sandbox-account-token"}, "device_token", "same as account_token"),
        ({"api_endpoint": "gopher://h.example.com"}, "api_endpoint", "not an http"),
        ({"api_endpoint": "http://api.example.com"}, "api_endpoint", "plain http"),
        ({"otp": "012345"}, "otp", "state is present"),
        ({"otp": "012345", "state": "disconnected"}, "otp", "state is disconnected"),
        ({"request_otp": True}, "request_otp", "state is present"),
        ({"otp": 123456, "state": "absent"}, "otp", "quote it"),
        ({"otp": "12 34", "state": "absent"}, "otp", "not a code"),
        ({"api_timeout": 0.0}, "api_timeout", "0.1 to "),
        ({"api_timeout": float("nan")}, "api_timeout", "0.1 to "),
        ({"api_timeout": float("inf")}, "api_timeout", "0.1 to "),
        ({"api_timeout": 1e9}, "api_timeout", "0.1 to 3600"),
        ({"api_retries": -1}, "api_retries", "0 to "),
        ({"api_retry_max_delay": -0.5}, "api_retry_max_delay", "0 to "),
        ({"record_path": ""}, "record_path", "empty"),
        ({"record_path": "~/.ansible/fonnte"}, "record_path", "neither HOME nor"),
        ({"record_max_age": "soon"}, "record_max_age", "as in 30d"),
        ({"record_max_age": "-1d"}, "record_max_age", "as in 30d"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_invalid_option_is_refused_before_any_request(
    controller: Controller, params: dict[str, t.Any], option: str, words: str, check: bool
) -> None:
    with pytest.raises(OptionError) as caught:
        controller.run("device", check, **{"device": A, "name": "Toko", **params})
    assert str(caught.value).startswith(f"Option {option}: ") and words in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert controller.sandbox.journal() == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30.0), ("30s", 30.0), ("5m", 300.0), ("2h", 7200.0), ("1d", 86400.0), ("2w", 1209600.0), (None, None)],
)
def test_max_age_is_parsed(text: str | None, seconds: float | None) -> None:
    assert max_age(text) == seconds


@pytest.mark.parametrize("check", [True, False])
def test_declared_webhook_with_state_absent_is_refused(controller: Controller, check: bool) -> None:
    with pytest.raises(OptionError, match="Option webhook_status: .*state: present"):
        controller.run("webhook_config", check, device=A, state="absent", webhook_status="https://h.example.com/s3cret")
    assert not controller.run("webhook_config", check, device=A, state="absent", webhook_status="").result["changed"]


def test_missing_token_error_names_the_variable(controller: Controller) -> None:
    controller.common["account_token"] = None
    with pytest.raises(OptionError, match="FONNTE_ACCOUNT_TOKEN"):
        controller.device(A, name="Toko")
    with pytest.raises(OptionError, match="FONNTE_ACCOUNT_TOKEN"):
        controller.run("device_info")
    with pytest.raises(OptionError, match="FONNTE_ACCOUNT_TOKEN"):
        controller.run("record_info")
    with pytest.raises(OptionError, match="FONNTE_ACCOUNT_TOKEN"):
        controller.run("record", operation="forget", devices=[A])


def test_empty_code_counts_as_missing(controller: Controller) -> None:
    assert controller.device(A, name="Toko", otp="").result["operations"] == ["create"]


def test_every_module_has_the_common_options() -> None:
    for spec, _command in MODULES.values():
        assert set(_options.API) <= set(spec)
        assert all(spec[option] == description for option, description in _options.API.items())


def test_only_secrets_are_masked() -> None:
    secrets = {
        "account_token",
        "device_token",
        "old_account_token",
        "otp",
        "record_url",
        "webhook",
        "webhook_connect",
        "webhook_status",
        "webhook_chaining",
        # Not masked for an attachment: everyone who has its link can read it.
        "url",
    }
    for spec, _command in MODULES.values():
        assert {option for option, description in spec.items() if description.get("no_log")} == secrets & set(spec)


def test_webhook_with_only_a_host_is_not_masked() -> None:
    params = {
        "webhook": "https://h.example.com",
        "webhook_status": "https://h.example.com/s3cret",
        "webhook_connect": "",
    }
    assert _options.non_secret_urls(params) == {"https://h.example.com"}


def test_disabled_validation_is_a_warning(controller: Controller) -> None:
    tasks: dict[str, dict[str, t.Any]] = {
        "device": {"device": A, "name": "Toko"},
        "webhook_config": {"device": A},
        "fleet": {"devices": [{"device": A, "name": "Toko"}]},
        "message": {"device": A, "target": [A], "message": "hello"},
        "device_qr": {"device": A, "dest": "qr.png"},
        "group_info": {"device": A, "refresh": True},
        "number_info": {"device": A, "numbers": [A]},
        "audit": {"devices": [{"device": A, "name": "Toko"}]},
        "record": {"operation": "forget", "devices": [A]},
    }
    for module in MODULES:
        report = controller.run(module, True, validate_certs=False, **tasks.get(module, {}))
        assert any("validate_certs" in warning for warning in report.warnings)


# fonnte_device_info


@pytest.fixture
def fleet(controller: Controller) -> Controller:
    now = int(controller.sandbox.now())
    devices: list[dict[str, t.Any]] = [
        {"number": C, "name": "Three", "package": "Super", "quota": 5, "expires": now + 3 * 86400},
        {"number": A, "name": "One", "package": "Free", "quota": 1000, "expires": now + 30 * 86400, "linked": True},
        {"number": B, "name": "Two", "package": "Super", "quota": 500, "expires": now - 86400, "linked": True},
    ]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    return controller


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [A, B, C]),
        ({"connection": "connected"}, [A, B]),
        ({"connection": "disconnected"}, [C]),
        ({"package": "super"}, [B, C]),
        ({"expires_within": 7}, [B, C]),
        ({"expires_within": 0}, [B]),
        ({"quota_below": 501}, [B, C]),
        ({"quota_below": 5}, []),
        ({"devices": ["+62 812-0000-0001", C]}, [A, C]),
        ({"devices": [A, A]}, [A]),
        ({"devices": []}, []),
        ({"devices": [A, C], "connection": "connected"}, [A]),
    ],
)
def test_filters_select_devices(fleet: Controller, filters: dict[str, t.Any], numbers: list[str]) -> None:
    result = fleet.run("device_info", **filters).result
    assert [device["device"] for device in result["devices"]] == numbers
    assert result["missing"] == [] and result["changed"] is False
    assert result["account"] == {"devices": 3, "connected": 2, "messages": 0}


def test_missing_numbers_are_returned(fleet: Controller) -> None:
    result = fleet.run("device_info", devices=["081299999999", A, "0812 9999 9999"]).result
    assert result["missing"] == ["081299999999"] and len(result["devices"]) == 1


def test_invalid_number_is_named_by_its_index(fleet: Controller) -> None:
    with pytest.raises(OptionError, match=r"Option devices\[1\]"):
        fleet.run("device_info", devices=[A, "x"])


def test_device_info_shows_listed_and_recorded_settings(fleet: Controller) -> None:
    fleet.device(A, autoread=True, webhook="https://h.example.com/s3cret")
    (device,) = fleet.run("device_info", devices=[A], profile=True, recorded=True).result["devices"]
    assert (device["name"], device["quota"], device["package"], device["connected"]) == ("One", 1000, "Free", True)
    assert device["webhook"] is None and device["messages"] == 0 and "token" not in device
    assert device["recorded"]["webhook"]["source"] == "recorded" and "s3cret" not in str(device)
    (with_token,) = fleet.run("device_info", devices=[A], return_tokens=True).result["devices"]
    assert with_token["token"] == fleet.sandbox.device(A)["token"]


def test_damaged_record_is_reported(fleet: Controller) -> None:
    fleet.device(A, autoread=True, webhook="https://h.example.com/s3cret")
    for path in fleet.records.glob("device-*"):
        path.write_bytes(b"damaged")
    report = fleet.run("device_info", recorded=True)
    assert len(report.warnings) == 1 and "damaged" in report.warnings[0]
    assert not fleet.run("device_info").warnings


def test_device_token_shows_its_device(fleet: Controller) -> None:
    token = fleet.sandbox.device(B)["token"]
    result = fleet.run("device_info", account_token=None, device_token=token, profile=True).result
    assert [(device["device"], device["autoread"], device["messages"]) for device in result["devices"]] == [
        (B, None, 0)
    ]
    assert result["account"] is None
    fleet.environment["FONNTE_DEVICE_TOKEN"] = token
    assert (
        fleet.run("device_info", account_token=None).result
        == fleet.run("device_info", account_token=None, device_token=token).result
    )


def test_date_of_a_profile_is_parsed(fleet: Controller) -> None:
    token = fleet.sandbox.device(C)["token"]
    for text, expected in (
        ("18 November 2029", "2029-11-18T00:00:00Z"),
        ("1 march 2030", "2030-03-01T00:00:00Z"),
        ("31 February 2030", None),
        ("18 Nop 2029", None),
        ("", None),
        (None, None),
    ):
        fleet.sandbox.fault("mutate", path="/device", when="after", set={"expired": text})
        (device,) = fleet.run("device_info", account_token=None, device_token=token).result["devices"]
        assert device["expires"] == expected


def test_invalid_record_max_age_is_refused_by_device_info(fleet: Controller) -> None:
    with pytest.raises(OptionError, match="Option record_max_age"):
        fleet.run("device_info", record_max_age="soon")


def test_invalid_token_is_reported(fleet: Controller) -> None:
    with pytest.raises(FonnteError, match='Fonnte returned "unknown user"; copy the whole account token'):
        fleet.run("device_info", account_token="another")


# fonnte_record


@pytest.mark.parametrize(
    ("params", "option", "words"),
    [
        ({"operation": "backup"}, "path", "operation is backup"),
        ({"operation": "restore", "path": ""}, "path", "operation is restore"),
        ({"operation": "forget", "devices": [A], "path": "/somewhere"}, "path", "operation is forget"),
        ({"operation": "backup", "path": "/somewhere", "overwrite": True}, "overwrite", "operation is backup"),
        ({"operation": "restore", "path": "/somewhere", "orphans": True}, "orphans", "operation is restore"),
        ({"operation": "forget"}, "devices", "orphans: true"),
        ({"operation": "forget", "devices": []}, "devices", "orphans: true"),
        ({"operation": "forget", "devices": [A, "x"]}, r"devices[1]", '"x"'),
        ({"operation": "forget", "devices": [21555432]}, r"devices[0]", "quote it"),
        ({"operation": "forget", "devices": [A], "record_max_age": "soon"}, "record_max_age", "as in 30d"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_missing_or_unsuitable_record_option_is_refused(
    controller: Controller, params: dict[str, t.Any], option: str, words: str, check: bool
) -> None:
    with pytest.raises(OptionError) as caught:
        controller.run("record", check, **params)
    assert str(caught.value).startswith(f"Option {option}: ") and words in str(caught.value)
    assert controller.sandbox.journal() == []


# fonnte_record_info


@pytest.mark.parametrize(
    ("params", "option", "words"),
    [
        ({"devices": [A, "x"]}, r"devices[1]", '"x"'),
        ({"devices": [21555432]}, r"devices[0]", "quote it"),
        ({"record_max_age": "soon"}, "record_max_age", "as in 30d"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_invalid_record_info_option_is_refused(
    controller: Controller, params: dict[str, t.Any], option: str, words: str, check: bool
) -> None:
    with pytest.raises(OptionError) as caught:
        controller.run("record_info", check, **params)
    assert str(caught.value).startswith(f"Option {option}: ") and words in str(caught.value)
    assert controller.sandbox.journal() == []


@pytest.mark.parametrize("status", [200, 400])
def test_refusal_has_the_http_status(fleet: Controller, status: int) -> None:
    fleet.sandbox.set_readings(refusal_status=status)
    with pytest.raises(RefusedError) as caught:
        fleet.run("device_info", account_token="another")
    assert caught.value.status == status
