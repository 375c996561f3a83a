# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The export of tokens: a client gets only the tokens of its devices."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.tokens import PREDICTED, tokens_by_client

A, B, C = "081200000001", "081200000002", "081200000003"
ACCOUNT = {
    "name": "account",
    "devices": [{"device": A, "name": "Satu"}, {"device": B, "state": "disconnected"}, {"device": C, "webhook": ""}],
    "owners": {A: "Toko", B: "Toko"},
    "clients": [{"name": "Toko", "file": "toko", "contacts": [], "numbers": [A, B]}],
}


def result(*created: str, failed: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """Return the result of a fleet."""
    devices = [{"number": number, "operations": ["create"]} for number in created]
    return {"devices": devices, "summary": {"failed_devices": list(failed)}}


def listed(*rows: tuple[str, str]) -> list[dict[str, t.Any]]:
    """Return devices with their tokens."""
    return [{"device": number, "token": token, "name": f"name of {token}"} for number, token in rows]


def exported(devices: list[dict[str, t.Any]], *declared: str, **more: t.Any) -> tuple[dict[str, str], list[str]]:
    """Return the tokens that a client with some devices gets, and the problems."""
    account = {"name": "account", "devices": [{"device": number} for number in declared], "owners": {}, "clients": []}
    clients, problems = tokens_by_client(account, more.get("result", result()), devices)
    return clients[0]["tokens"], problems


def test_tokens_are_grouped_by_client() -> None:
    devices = listed(("62" + A[1:], "token-a"), ("62" + C[1:], "token-c"))
    (toko, nobody), problems = tokens_by_client(ACCOUNT, result(A), devices)
    assert toko == {"client": "Toko", "file": "toko", "numbers": [A, B], "tokens": {A: "token-a"}, "new": [A]}
    assert nobody == {"client": "", "file": "account", "numbers": [C], "tokens": {C: "token-c"}, "new": []}
    assert problems == []


def test_a_predicted_device_has_no_token_yet() -> None:
    account = {**ACCOUNT, "devices": [{"device": A}]}
    assert tokens_by_client(account, result(A), [], predicted=True)[0][0]["tokens"] == {A: PREDICTED}
    # If the run has created it but the list lacks it, no token can be exported.
    assert tokens_by_client(account, result(A), [])[0][0]["tokens"] == {}


@pytest.mark.parametrize("order", [1, -1])
def test_exact_spelling_has_priority_over_another_device_with_an_equivalent_number(order: int) -> None:
    devices = listed(("0811111111", "shop-a"), ("62811111111", "bank-b"))[::order]
    assert exported(devices, "0811111111") == ({"0811111111": "shop-a"}, [])
    assert exported(devices, "62811111111") == ({"62811111111": "bank-b"}, [])
    assert exported(devices, "+62811111111") == ({"+62811111111": "bank-b"}, [])


@pytest.mark.parametrize(
    ("devices", "named"),
    [
        # Neither is the exact spelling.
        (listed(("0811111111", "shop-a"), ("62 811-111-111", "bank-b")), ["0811111111", "62 811-111-111"]),
        # One number in two spellings with the same digits, and one number twice.
        (listed(("0062811111111", "shop-a"), ("+0062811111111", "bank-b")), ["0062811111111", "+0062811111111"]),
        (listed(("62811111111", "shop-a"), ("62811111111", "bank-b")), ["name of shop-a", "name of bank-b"]),
        # One token of two devices.
        (listed(("62811111111", "twin"), ("62822222222", "twin")), ["62811111111", "62822222222"]),
    ],
)
def test_ambiguous_number_gives_no_token_and_an_error_that_names_both(
    devices: list[dict[str, t.Any]], named: list[str]
) -> None:
    declared = "0062811111111" if len(devices[0]["device"]) == 13 else "62811111111"
    tokens, problems = exported(devices, declared)
    assert tokens == {} and len(problems) == 1
    assert problems[0].startswith(f"Exporting the token of device {declared}: ")
    assert all(name in problems[0] for name in named)


def test_the_other_devices_of_an_ambiguous_list_are_exported() -> None:
    devices = listed((A, "token-a"), (B, "one"), (B, "two"))
    tokens, problems = exported(devices, A, B)
    assert tokens == {A: "token-a"} and len(problems) == 1


@pytest.mark.parametrize("number", [A, "+62" + A[1:]])
def test_a_device_whose_entry_failed_has_no_token(number: str) -> None:
    failed = result(failed=["62" + A[1:] if number.startswith("+") else A])
    devices = listed((number.lstrip("+"), "token-a"), (B, "token-b"))
    assert exported(devices, number, B, result=failed) == ({B: "token-b"}, [])


def test_device_is_new_only_under_the_created_number() -> None:
    account = {**ACCOUNT, "devices": [{"device": "0811111111"}], "clients": [], "owners": {}}
    devices = listed(("0811111111", "shop-a"), ("62811111111", "bank-b"))
    (client,), _problems = tokens_by_client(account, result("62811111111"), devices)
    assert client["new"] == []


def test_number_with_a_country_code_belongs_to_its_client() -> None:
    account = {**ACCOUNT, "devices": [{"device": "+628111"}], "owners": {"628111": "Toko"}}
    (client,), _problems = tokens_by_client(account, result(), listed(("628111", "t")))
    assert (client["client"], client["tokens"]) == ("Toko", {"+628111": "t"})
