# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of the service, and the sentences of errors."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    REFUSALS,
    FonnteError,
    MissingLibraryError,
    OptionError,
    PolicyError,
    RateLimitedError,
    RefusalKind,
    RefusedError,
    RequestError,
    ResponseLostError,
    UnexpectedResponseError,
    UnreachableError,
    error_context,
)

DOCUMENTED = [
    ("/get-devices", "unknown user", RefusalKind.INVALID_TOKEN, None),
    ("/add-device", "unknown user", RefusalKind.INVALID_TOKEN, None),
    ("/add-device", "input invalid", RefusalKind.INVALID_INPUT, None),
    ("/add-device", "too much free device", RefusalKind.ACCOUNT_FULL, None),
    ("/add-device", "device already exist", RefusalKind.ALREADY_EXISTS, None),
    ("/update-device", "device not found", RefusalKind.GONE, None),
    ("/update-device", "webhook url is not reachable", RefusalKind.WEBHOOK, None),
    ("/update-device", "webhook url \nmultiline", RefusalKind.WEBHOOK, None),
    ("/update-device", "input invalid", RefusalKind.INVALID_INPUT, None),
    ("/update-device", "invalid/empty body value", RefusalKind.INVALID_INPUT, None),
    ("/device", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/disconnect", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/disconnect", "device already disconnected", RefusalKind.ALREADY_DONE, None),
    ("/delete-device", "invalid device", RefusalKind.INVALID_TOKEN, None),
    ("/delete-device", "please wait 591 seconds before requesting new otp", RefusalKind.OTP_PENDING, 591),
    ("/delete-device", "otp haven't requested", RefusalKind.OTP_NOT_REQUESTED, None),
    ("/delete-device", "delete failed. try again in 60 seconds", RefusalKind.OTP_LOCKED, 60),
    ("/delete-device", "incorrect OTP", RefusalKind.OTP_WRONG, None),
    ("/send", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/send", "insufficient quota", RefusalKind.NO_QUOTA, None),
    ("/send", "target invalid", RefusalKind.INVALID_INPUT, None),
    ("/send", "invalid/empty body value", RefusalKind.INVALID_INPUT, None),
    ("/send", "request invalid on disconnected device", RefusalKind.NOT_LINKED, None),
    ("/send", "message cannot empty", RefusalKind.INVALID_INPUT, None),
    ("/status", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/status", "id required", RefusalKind.INVALID_INPUT, None),
    ("/get-whatsapp-group", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/fetch-group", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/fetch-group", "cannot fetch with disconnected device", RefusalKind.NOT_LINKED, None),
    ("/fetch-group", "failed to fetch whatsapp group list", RefusalKind.UNKNOWN, None),
    ("/validate", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/validate", "target required", RefusalKind.INVALID_INPUT, None),
    ("/validate", "target invalid", RefusalKind.INVALID_INPUT, None),
    ("/qr", "token invalid", RefusalKind.INVALID_TOKEN, None),
    ("/qr", "device already connect", RefusalKind.ALREADY_DONE, None),
    ("/qr", "free device already connected", RefusalKind.BLOCKED, None),
]


@pytest.mark.parametrize(("call", "text", "meaning", "seconds"), DOCUMENTED)
def test_each_documented_refusal_is_recognized(call: str, text: str, meaning: RefusalKind, seconds: int | None) -> None:
    refusal = RefusedError(call, text, text)
    assert (refusal.kind, refusal.seconds) == (meaning, seconds)
    assert not refusal.may_be_applied


def test_each_row_of_the_table_is_documented() -> None:
    assert {(row.call, row.kind) for row in REFUSALS} == {(call, meaning) for call, _text, meaning, _s in DOCUMENTED}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("/disconnect", "free device already disconnected"),
        ("/disconnect", "device already disconnected."),
        ("/add-device", "free device already exist"),
        ("/delete-device", "incorrect otp"),
        ("/delete-device", "please wait some seconds before requesting new otp"),
        ("/update-device", "token invalid"),
        ("/device", "unknown user"),
        ("/qr", "free device already connect"),
        ("/qr", "device already connected"),
        ("/qr", "device already connect "),
    ],
)
def test_similar_text_is_an_unknown_refusal(call: str, text: str) -> None:
    refusal = RefusedError(call, text, text)
    assert refusal.kind is RefusalKind.UNKNOWN
    assert f'"{text}"' in str(refusal) and "not known to the collection" in str(refusal)


def test_an_error_is_one_sentence_of_three_parts() -> None:
    error = FonnteError("the service is asleep", "wake it")
    assert str(error) == "the service is asleep; wake it."
    assert error.args == (error.problem,) == ("the service is asleep",)
    error.operation = "Updating device 0812"
    assert str(error) == "Updating device 0812: the service is asleep; wake it."


def test_advice_of_refusals_does_not_end_the_sentence_early() -> None:
    assert not [row.advice for row in REFUSALS if row.advice.endswith((".", ";")) or row.advice != row.advice.strip()]


def test_every_error_has_a_problem_and_an_action() -> None:
    assert str(OptionError("name", "it is short", "make it longer")) == "Option name: it is short; make it longer."
    assert str(PolicyError("it is forbidden", "allow it")) == "it is forbidden; allow it."
    assert str(UnexpectedResponseError("a page came", "look at it", True)) == "a page came; look at it."
    missing = MissingLibraryError("cryptography", "a trace")
    assert str(missing).startswith("the Python library cryptography is missing; install cryptography ")
    assert (missing.library, missing.trace) == ("cryptography", "a trace")
    refused = RefusedError("/device", "token invalid", "token invalid")
    assert str(refused).startswith('Fonnte returned "token invalid"; use the token of this device')


def test_new_error_has_no_progress_warnings_or_settings_at_risk() -> None:
    error = PolicyError("it is forbidden", "allow it")
    assert (error.operation, error.partial_result, error.warnings, error.at_risk) == ("", {}, [], ())
    assert PolicyError("it is forbidden", "allow it", ("webhook",)).at_risk == ("webhook",)


def test_innermost_context_sets_the_operation() -> None:
    error = FonnteError("the service is asleep", "wake it")
    with pytest.raises(FonnteError), error_context("Looking after the fleet"), error_context("Updating device 0812"):
        raise error
    assert error.operation == "Updating device 0812"


def test_only_a_request_that_may_have_arrived_may_be_applied() -> None:
    assert ResponseLostError("no reply came", "wait").may_be_applied is True
    for kind in (RequestError, UnreachableError, RateLimitedError):
        assert kind("nothing went out", "wait").may_be_applied is False
    for applied in (True, False):
        assert UnexpectedResponseError("a page came", "look", applied).may_be_applied is applied


def test_refusal_contains_request_sanitized_text_and_status() -> None:
    refusal = RefusedError("/add-device", "input invalid", "input [safe]", 400)
    assert (refusal.call, refusal.text, refusal.status) == ("/add-device", "input [safe]", 400)
    assert refusal.kind is RefusalKind.INVALID_INPUT and 'Fonnte returned "input [safe]"' in str(refusal)
    assert RefusedError("/add-device", "input invalid", "input invalid").status is None
