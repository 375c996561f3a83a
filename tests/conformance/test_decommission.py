# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role and the playbook decommission: nothing before all is confirmed, and nothing twice."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.playing import OTP, WRONG_OTP, Run
from ansible_collections.fonnte.whatsapp.tests.conformance.terminal import at_a_terminal
from ansible_collections.fonnte.whatsapp.tests.conformance.worlds import ACCOUNT, World

FIRST, SECOND, GONE = "081200012001", "081200012002", "081200012009"
NAMES = {FIRST: "Toko Satu", SECOND: "Toko Dua"}


def _leave(world: World, *words: str, devices: object = FIRST, **variables: object) -> Run:
    given = {f"decommission_{name}": value for name, value in {"devices": devices, **variables}.items()}
    # In a file, as in the documents: what is on a command line, every user of the machine can read.
    path = world.player.home.parent / "variables.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    run = world.player.play_by_name("decommission", "-e", f"@{path}", *words, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
    path.unlink()
    return run


@pytest.fixture()
def shops(world: World) -> World:
    """Two devices, one of them linked, and a code that is known."""
    world.begin(there(FIRST, name=NAMES[FIRST], linked=True), there(SECOND, name=NAMES[SECOND]))
    world.sandbox.next_otp(OTP)
    return world


def test_in_two_runs_without_a_person(shops: World) -> None:
    """As a survey would: the first run has the code sent, the second has it; each may come twice."""
    foreseen = _leave(shops, "--check", names=NAMES)
    assert "would be asked for" in foreseen.output and shops.writes() == []
    first = _leave(shops, names=NAMES)
    assert "waiting for its code" in first.output and "failed=0" in first.output
    assert shops.writes() == ["/disconnect", "/delete-device"]
    again = _leave(shops, names=NAMES)
    assert "waiting for its code" in again.output and "changed=0" in again.output
    assert [call["form"]["otp"] for call in shops.sandbox.writes()] == [""], "the code is on its way, and was asked for"
    shops.calls()
    second = _leave(shops, names={"+62 812-0001-2001": NAMES[FIRST]}, otps={"6281200012001": OTP})
    assert f"{FIRST} (Toko Satu): deleted" in second.output and list(shops.devices()) == [SECOND]
    assert shops.writes() == ["/delete-device"]
    last = _leave(shops, names=NAMES, otps={FIRST: OTP})
    assert "is not in the account's list" in last.output and "changed=0" in last.output and "failed=0" in last.output
    assert shops.writes() == []
    assert all(OTP not in run.output for run in (first, again, second, last))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"names": {}}, "081200012001 has another name than the one that was typed, or none was typed"),
        ({"names": {FIRST: "Toko Dua"}}, "081200012001 has another name"),
        ({"names": {SECOND: NAMES[FIRST]}}, "081200012001 has another name"),
        ({"devices": [FIRST, SECOND], "max": 2, "names": {FIRST: NAMES[FIRST]}}, "081200012002 has another name"),
        ({"devices": [FIRST, SECOND], "names": NAMES}, "2 devices are to be deleted, and decommission_max is 1"),
        ({"devices": f"{FIRST}, {SECOND}", "sure": True}, "2 devices are to be deleted, and decommission_max is 1"),
        ({"devices": "0812x"}, "x"),
    ],
)
def test_nothing_is_done_before_all_is_confirmed(shops: World, variables: dict[str, object], words: str) -> None:
    run = _leave(shops, **{"ask": False, **variables})
    assert words in run.output and "failed=1" in run.output, run.output[-3000:]
    assert shops.writes() == []


@pytest.mark.parametrize("devices", [[], "", " , "])
def test_no_device_is_not_all_devices(shops: World, devices: object) -> None:
    run = _leave(shops, devices=devices, sure=True, max=9)
    assert "No device is named." in run.output and "failed=1" in run.output and shops.calls() == []


def test_two_spellings_are_one_device(shops: World) -> None:
    run = _leave(shops, devices=[FIRST, "+62 812 0001 2001"], sure=True)
    assert "failed=0" in run.output and shops.writes() == ["/disconnect", "/delete-device"]


def test_one_that_fails_does_not_stop_the_others(shops: World) -> None:
    """A wrong code is tried once, is told, and the run is red in the end."""
    variables = {"devices": [FIRST, SECOND], "max": 2, "sure": True}
    assert "failed=0" in _leave(shops, **variables).output
    code = shops.sandbox.otp(SECOND)
    shops.writes()
    run = _leave(shops, otps={FIRST: WRONG_OTP, SECOND: code}, **variables)
    assert f"{FIRST} (Toko Satu): FAILED: " in run.output and "incorrect OTP" in run.output
    assert f"{SECOND} (Toko Dua): deleted" in run.output and "1 of 2 devices failed" in run.output
    assert list(shops.devices()) == [FIRST] and shops.writes() == ["/delete-device"] * 2


def test_a_person_at_a_terminal(shops: World) -> None:
    """Is asked for the name and for the code; the code is not shown."""
    output = at_a_terminal(
        shops,
        "decommission",
        ["-e", f"decommission_devices={FIRST}"],
        [
            (f"Device {FIRST} is to be deleted. Type its name", lambda: NAMES[FIRST]),
            ("A code for the deletion of device", lambda: OTP),
        ],
    )
    assert f"{FIRST} (Toko Satu): deleted" in output and "failed=0" in output
    assert OTP not in output and list(shops.devices()) == [SECOND]


def test_a_person_who_types_another_name(shops: World) -> None:
    output = at_a_terminal(
        shops,
        "decommission",
        ["-e", f"decommission_devices={FIRST}"],
        [(f"Device {FIRST} is to be deleted. Type its name", lambda: NAMES[SECOND])],
    )
    assert "has another name than the one that was typed" in output and shops.writes() == []
