# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of the service, and the sentences that are made of them."""

from __future__ import annotations

import pytest
from ansible_collections.fonnte.whatsapp.plugins.module_utils._errors import (
    REFUSALS,
    FonnteError,
    Meaning,
    RefusedError,
)

DOCUMENTED = [
    ("/get-devices", "unknown user", Meaning.BAD_TOKEN, None),
    ("/add-device", "unknown user", Meaning.BAD_TOKEN, None),
    ("/add-device", "input invalid", Meaning.BAD_INPUT, None),
    ("/add-device", "too much free device", Meaning.ACCOUNT_FULL, None),
    ("/add-device", "device already exist", Meaning.ALREADY_EXISTS, None),
    ("/update-device", "device not found", Meaning.GONE, None),
    ("/update-device", "webhook url is not reachable", Meaning.WEBHOOK, None),
    ("/update-device", "webhook url \nmultiline", Meaning.WEBHOOK, None),
    ("/update-device", "input invalid", Meaning.BAD_INPUT, None),
    ("/update-device", "invalid/empty body value", Meaning.BAD_INPUT, None),
    ("/device", "token invalid", Meaning.BAD_TOKEN, None),
    ("/disconnect", "token invalid", Meaning.BAD_TOKEN, None),
    ("/disconnect", "device already disconnected", Meaning.AS_WANTED, None),
    ("/delete-device", "invalid device", Meaning.BAD_TOKEN, None),
    ("/delete-device", "please wait 591 seconds before requesting new otp", Meaning.OTP_PENDING, 591),
    ("/delete-device", "otp haven't requested", Meaning.OTP_UNASKED, None),
    ("/delete-device", "delete failed. try again in 60 seconds", Meaning.OTP_LOCKED, 60),
    ("/delete-device", "incorrect OTP", Meaning.OTP_WRONG, None),
]


@pytest.mark.parametrize(("call", "text", "meaning", "seconds"), DOCUMENTED)
def test_each_documented_refusal_is_understood(call: str, text: str, meaning: Meaning, seconds: int | None) -> None:
    refusal = RefusedError(call, text, text)
    assert (refusal.meaning, refusal.seconds) == (meaning, seconds)
    assert not refusal.may_be_applied


def test_each_row_of_the_table_is_documented() -> None:
    assert {(row.call, row.meaning) for row in REFUSALS} == {(call, meaning) for call, _text, meaning, _s in DOCUMENTED}


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
    ],
)
def test_a_text_that_is_only_like_another_means_nothing(call: str, text: str) -> None:
    refusal = RefusedError(call, text, text)
    assert refusal.meaning is Meaning.UNKNOWN
    assert f'"{text}"' in str(refusal) and "not known to the collection" in str(refusal)


def test_an_error_is_one_sentence_of_three_parts() -> None:
    error = FonnteError("the service is asleep", "wake it")
    assert str(error) == "the service is asleep; wake it."
    error.doing = "Updating device 0812"
    assert str(error) == "Updating device 0812: the service is asleep; wake it."


def test_no_part_of_the_table_ends_the_sentence_early() -> None:
    assert not [row.advice for row in REFUSALS if row.advice.endswith((".", ";")) or row.advice != row.advice.strip()]
