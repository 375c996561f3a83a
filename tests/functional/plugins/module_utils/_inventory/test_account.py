# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account that reads its device list and shares it between lookups."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT, Account, open_account
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

A, B = "081200000001", "6281200000002"


def account(sandbox: Sandbox, keep: ProcessCache, **given: t.Any) -> Account:
    params = {option: description.get("default") for option, description in ACCOUNT.items()}
    quick = {"api_timeout": 2.0, "api_retries": 0, "api_endpoint": sandbox.url, "account_token": sandbox.account_token}
    return open_account({**params, **quick, **given}, keep)


def world(sandbox: Sandbox, *numbers: str) -> None:
    devices = [{"number": number, "token": f"token-{number}"} for number in numbers]
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": devices}])


def calls(sandbox: Sandbox) -> int:
    return len(sandbox.journal())


def test_any_spelling_finds_the_device_with_one_request(sandbox: Sandbox) -> None:
    world(sandbox, A, B)
    one = account(sandbox, ProcessCache())
    for number in (A, "62" + A[1:], "0062" + A[1:], B, "0" + B[2:]):
        found = one.find(number)
        assert found is not None and found.token in (f"token-{A}", f"token-{B}")
    assert calls(sandbox) == 1


def test_each_opened_account_reads_its_own_list(sandbox: Sandbox) -> None:
    """A device may have been renumbered since the last item of a loop."""
    world(sandbox, A)
    keep = ProcessCache()
    first = account(sandbox, keep)
    assert first.find(B) is None and first.find("081299999999") is None
    assert calls(sandbox) == 1
    sandbox.edit(A, device=B)
    second = account(sandbox, keep)
    assert second.find(A) is None and second.find(B) is not None
    assert second.find("081299999999") is None and calls(sandbox) == 2


def test_two_accounts_share_nothing(sandbox: Sandbox) -> None:
    world(sandbox, A)
    other = sandbox.add_account()["token"]
    keep = ProcessCache()
    assert account(sandbox, keep).find(A) is not None
    assert account(sandbox, keep, account_token=other).find(A) is None
    assert calls(sandbox) == 2


def test_full_list_is_always_read_again(sandbox: Sandbox) -> None:
    world(sandbox, A)
    one = account(sandbox, ProcessCache())
    assert [device.number for device in one.devices()] == [device.number for device in one.devices()] == [A]
    assert calls(sandbox) == 2


def test_cache_id_depends_on_token_and_address_and_reveals_neither(sandbox: Sandbox) -> None:
    marks = {
        account(sandbox, ProcessCache(), **given).cache_id
        for given in ({}, {"account_token": "another"}, {"api_endpoint": "https://elsewhere.example.com"}, {})
    }
    assert len(marks) == 3
    assert not any(sandbox.account_token in mark or "another" in mark for mark in marks)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account_token": None}, "there is no token; set the environment variable FONNTE_ACCOUNT_TOKEN"),
        ({"account_token": ""}, "it is empty"),
        ({"account_token": "to ken"}, "white space"),
        ({"api_endpoint": "http://api.example.com"}, "plain http"),
        ({"api_timeout": 0.0}, "out of range"),
        ({"api_retries": -1}, "out of range"),
        ({"api_retry_max_delay": -1.0}, "out of range"),
    ],
)
def test_invalid_options_are_refused(sandbox: Sandbox, given: dict[str, t.Any], words: str) -> None:
    with pytest.raises(FonnteError, match="^Option ") as caught:
        account(sandbox, ProcessCache(), **given)
    assert words in str(caught.value)


def test_two_spellings_in_one_account_are_an_error(sandbox: Sandbox) -> None:
    world(sandbox, A, "62" + A[1:])
    with pytest.raises(FonnteError) as caught:
        account(sandbox, ProcessCache()).find("0062" + A[1:])
    assert str(caught.value).startswith("Looking up device 00628") and "more than one device" in str(caught.value)
