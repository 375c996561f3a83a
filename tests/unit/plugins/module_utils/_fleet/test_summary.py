# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.summary import summarize

A, B, C = "081200000001", "081200000002", "081200000003"
ACCOUNT = {
    "name": "account",
    "devices": [{"device": A, "name": "Satu"}, {"device": B, "state": "disconnected"}, {"device": C, "webhook": ""}],
    "owners": {A: "Toko", B: "Toko"},
    "clients": [
        {"name": "Toko", "file": "toko", "contacts": [{"name": "Cashier", "whatsapp": "0812"}], "numbers": [A, B]}
    ],
}


def device(number: str, *operations: str, connected: bool | None = False, **more: t.Any) -> dict[str, t.Any]:
    there = {"device": "62" + number[1:], "name": "Satu", "connected": connected}
    return {"number": number, "operations": list(operations), "device": there, **more}


def summary(**counts: int) -> dict[str, int]:
    return {"created": 0, "updated": 0, "disconnected": 0, "unchanged": 0, **counts}


RESULT = {
    "devices": [
        device(A, "create", "update"),
        device(B, "update", "disconnect"),
        device(C, "update", connected=True, reasons={"webhook": "differs"}),
    ],
    "summary": {**summary(created=1, updated=3, disconnected=1, cleared=1), "to_link_devices": [A]},
}


def test_summary_of_a_fleet() -> None:
    reported = summarize([ACCOUNT], [RESULT])
    assert reported["text"] == [
        "3 devices are declared. 1 created, 2 updated, 1 disconnected, 0 unchanged.",
        "To be linked to a phone: 1. The playbook fonnte.whatsapp.link shows the QR code, with -e link_devices=all or a number.",
        f'{A} · "Satu" · Toko · ask Cashier, 0812',
    ]
    assert (reported["created"], reported["to_link"], reported["counts"]["cleared"], reported["failed"]) == (
        [A],
        [A],
        1,
        False,
    )
    assert "Expected result of a run: 1 created" in summarize([ACCOUNT], [RESULT], predicted=True)["text"][0]


@pytest.mark.parametrize(
    ("operations", "counted"),
    [
        (["update"], "0 created, 1 updated"),
        (["forget", "update"], "0 created, 1 updated"),
        (["attest", "update"], "0 created, 1 updated"),
        (["create", "update"], "1 created, 0 updated"),
        (["forget", "create", "update"], "1 created, 0 updated"),
        (["disconnect"], "0 created, 0 updated"),
    ],
)
def test_update_is_counted_unless_the_device_is_new(operations: list[str], counted: str) -> None:
    created = int("create" in operations)
    result = {"devices": [device(A, *operations, connected=True)], "summary": summary(created=created)}
    (line,) = summarize([{**ACCOUNT, "devices": [{"device": A}]}], [result])["text"]
    assert line.startswith(f"1 device is declared. {counted}, ")


def test_undeclared_devices_are_listed_by_account() -> None:
    warung, roti = ({**ACCOUNT, "name": name, "devices": []} for name in ("warung", "roti"))
    many = [f"0812000002{place:02}" for place in range(23)]
    results = [
        {"devices": [], "summary": summary(), "unlisted": many},
        {"devices": [], "summary": summary(), "unlisted": []},
        {"failed": True, "msg": "x", "devices": [], "summary": summary(), "unlisted": [C]},
    ]
    reported = summarize([{**ACCOUNT, "devices": []}, warung, roti], results)
    assert reported["text"][1:] == [
        f"Not declared: 23 devices of account account: {', '.join(many[:20])} and 3 more.",
        f"Not declared: 1 device of account roti: {C}.",
    ]
    assert reported["unlisted"] == [*many, C]
    assert summarize([ACCOUNT], [RESULT])["unlisted"] == [] == summarize([ACCOUNT], [{}])["unlisted"]


def test_failed_accounts_and_skipped_accounts_are_reported() -> None:
    failed = {"failed": True, "msg": "x", "devices": [], "summary": summary(failed=2, in_doubt=1)}
    reported = summarize([ACCOUNT, {**ACCOUNT, "name": "warung"}], [failed, {}])
    assert reported["failed"]
    assert reported["text"] == [
        "6 devices are declared. 0 created, 0 updated, 0 disconnected, 0 unchanged, 2 failed, 1 in doubt.",
        "Not attempted, since another account failed: warung.",
    ]


def test_unreadable_account_is_reported() -> None:
    down = {"failed": True, "msg": "x"}
    assert summarize([ACCOUNT], [down], predicted=True)["text"] == []
    warung = {**ACCOUNT, "name": "warung"}
    head, left, *_links = summarize([warung, ACCOUNT], [down, RESULT])["text"]
    assert head.startswith("6 devices are declared. 1 created") and left == "Nothing was changed in account warung."


def test_account_whose_module_was_killed_is_not_reported_as_unchanged() -> None:
    killed = {"failed": True, "msg": "MODULE FAILURE", "module_stdout": "", "module_stderr": "", "rc": 137}
    warung = {**ACCOUNT, "name": "warung"}
    _head, left, *_links = summarize([warung, ACCOUNT], [killed, RESULT])["text"]
    assert left == "Ended without a result, so it is unknown whether it was changed: account warung."


class CountedList(list[t.Any]):
    """A list that counts its iterations."""

    iterations = 0

    def __iter__(self) -> t.Iterator[t.Any]:
        self.iterations += 1
        return super().__iter__()

    def __reversed__(self) -> t.Iterator[t.Any]:
        self.iterations += 1
        return super().__reversed__()


def test_names_of_devices_to_link_are_searched_once_per_account() -> None:
    """Each name was searched in the whole account, with two conversions of a number for each of its devices."""
    devices = CountedList({"device": f"0812000{index:05d}", "name": f"Toko {index}"} for index in range(30))
    account = {"name": "account", "devices": devices, "owners": {}, "clients": []}
    numbers = ["6281200000007", "081200000009"]
    new = [device(number, "create") for number in numbers]
    result = {"devices": new, "summary": {"to_link_devices": numbers}}
    text = summarize([account], [result])["text"]
    assert text[-2:] == ['6281200000007 · "Toko 7"', '081200000009 · "Toko 9"']
    assert devices.iterations == 1


def test_device_without_an_observation_is_not_to_link() -> None:
    result = {"devices": [{"number": A, "operations": [], "device": None}], "summary": summary(failed=1)}
    assert summarize([ACCOUNT], [result])["to_link"] == []


def test_at_most_twenty_devices_are_listed() -> None:
    many = [f"0812000001{place:02}" for place in range(25)]
    account = {"name": "account", "devices": [{"device": number} for number in many], "owners": {}, "clients": []}
    new = [device(number, "create") for number in many]
    text = summarize([account], [{"devices": new, "summary": {"to_link_devices": many}}])["text"]
    assert len(text) == 23 and text[-1] == "and 5 more."


def test_existing_devices_to_link_are_one_line() -> None:
    """They were 20 lines in each run, next to the devices that the run had just created."""
    many = [f"0812000001{place:02}" for place in range(12)]
    account = {**ACCOUNT, "devices": [{"device": number} for number in (A, *many)]}
    result = {"devices": [device(A, "create")], "summary": {"to_link_devices": [A, *many]}}
    head, new, others = summarize([account], [result])["text"][1:]
    assert head.startswith("To be linked to a phone: 13. ") and new.startswith(f"{A} · ")
    assert others == f"Existing devices (12): {', '.join(many[:10])} and 2 more."
    alone = summarize([account], [{"devices": [], "summary": {"to_link_devices": many[:1]}}])["text"]
    assert alone[2:] == [f"Existing devices (1): {many[0]}."]


CAUSES = {
    "unproven": "no stamp proves them",
    "in_doubt": "an earlier request ended without a response",
    "expired": "their record is older than record_max_age",
    "always": "handle_write_only is always_update",
}


@pytest.mark.parametrize("cause", CAUSES)
def test_device_whose_settings_are_only_sent_again_is_listed_with_the_cause(cause: str) -> None:
    """The summary had "1 updated", and no line with the device: the diff of such an update is empty."""
    again = device(A, "update", reasons={"webhook": cause, "personal": cause})
    changed = device(B, "update", reasons={"name": "differs", "webhook": cause})
    diff = [{"before": {"device": B, "name": "Dua"}, "after": {"device": B, "name": "Tiga"}}]
    text = summarize([ACCOUNT], [{"devices": [again, changed], "summary": {}, "diff": diff}])["text"]
    assert text[1:] == [
        f'name: Dua → Tiga (1): {B} "Tiga".',
        f'Sent again, since {CAUSES[cause]} (1): {A} "Satu".',
    ]


def test_each_change_is_listed_once_with_its_devices() -> None:
    numbers = [f"0812000000{index:02}" for index in range(12)]
    changes = [
        {"before": {"device": number, "autoread": True}, "after": {"device": number, "name": "T", "autoread": False}}
        for number in numbers
    ]
    created = {"before": {}, "after": {"device": A, "name": "Toko", "webhook": ""}}
    text = summarize([ACCOUNT], [{"devices": [], "summary": {}, "diff": [*changes, created]}])["text"]
    first = ", ".join(f'{number} "T"' for number in numbers[:10])
    assert f"autoread: true → false (12): {first} and 2 more." in text
    assert f'Created (1): {A} "Toko".' in text


def test_unknown_and_empty_values_are_words() -> None:
    change = {
        "before": {"device": A, "target": None, "webhook": "x"},
        "after": {"device": A, "target": "1", "webhook": ""},
    }
    text = summarize([ACCOUNT], [{"devices": [], "summary": {}, "diff": [change]}])["text"]
    assert f"target: unknown → 1 (1): {A}." in text and f"webhook: x → empty (1): {A}." in text


def test_shared_reason_is_reported_once() -> None:
    devices = [
        {"number": number, "status": status, "msg": f"Updating device {number}: no.", "operations": []}
        for number, status in (("081", "failed"), ("082", "in_doubt"), ("083", "unchanged"))
    ]
    text = summarize([ACCOUNT], [{"devices": devices, "summary": {}, "failed": True}])["text"]
    assert "Failed (2): 081, 082: Updating device 081: no." in text
    assert sum("Failed" in line for line in text) == 1
