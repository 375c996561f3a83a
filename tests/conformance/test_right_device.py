# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No other device is ever renumbered or deleted, although the number is a writable field of the service."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import Reading, device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import OTP, Task, device, webhook_config
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

FIRST, SECOND, THIRD = "081200002001", "081200002002", "081200002003"
NEW = "081200002009"
HOOK = "https://hooks.example.com/naming"


@pytest.mark.smoke
@pytest.mark.parametrize("check", [False, pytest.param(True, marks=pytest.mark.weekly)], ids=["run", "check"])
def test_number_and_token_of_different_devices_are_refused(world: World, check: bool) -> None:
    """For every kind of task, the error names both devices, before any write request."""
    world.begin(there(FIRST, linked=True), there(SECOND))
    before = world.devices()
    other = {"device": FIRST, "device_token": device_token(SECOND)}
    tasks = [
        device(**other, name="Toko Salah"),
        device(**other, name="Toko Salah", account_token=None),
        device(**other, state="disconnected"),
        device(**other, state="absent", otp=OTP),
        device(**other, state="absent", request_otp=True, account_token=None),
        webhook_config(**other, webhook=HOOK),
        webhook_config(**other, state="absent", account_token=None),
    ]
    for task, reported in zip(tasks, world.play(*tasks, check=check).reported, strict=False):
        assert reported.failed, f"{task} was not refused: {reported.result}"
        assert FIRST in reported.message and SECOND in reported.message, (
            f"{task} does not name both: {reported.message}"
        )
    assert world.writes() == []
    assert world.devices() == before


@pytest.mark.weekly
def test_new_number_with_token_of_another_device_is_refused(world: World) -> None:
    """The request would renumber the device of the token."""
    world.begin(there(FIRST))
    before = world.devices()
    reported = world.run_task(device(device=NEW, device_token=device_token(FIRST), name="Toko Baru"))
    assert reported.failed and NEW in reported.message and FIRST in reported.message, reported.result
    assert world.writes() == []
    assert world.devices() == before


@pytest.mark.weekly
def test_token_of_environment_is_ignored_if_number_is_given(world: World) -> None:
    """In a loop, each item is the device of its number, not that of FONNTE_DEVICE_TOKEN."""
    world.begin(there(FIRST), there(SECOND), there(THIRD))
    loop = [{"number": number, "name": f"Toko {number[-1]}"} for number in (FIRST, SECOND, THIRD)]
    run = world.play(
        device(device="{{ item.number }}", name="{{ item.name }}").named(loop=loop),
        webhook_config(device="{{ item.number }}", webhook=HOOK, handle_unknown="ignore").named(loop=loop),
        webhook_config(webhook_status=HOOK, handle_unknown="ignore", account_token=None),
        env={"FONNTE_DEVICE_TOKEN": device_token(SECOND)},
    )
    assert not any(reported.failed for reported in run.reported), [reported.message for reported in run.reported]
    found = world.devices()
    assert {number: found[number]["name"] for number in sorted(found)} == {
        FIRST: "Toko 1",
        SECOND: "Toko 2",
        THIRD: "Toko 3",
    }
    assert {number: found[number]["token"] for number in found} == {number: device_token(number) for number in found}
    assert all(known["settings"]["webhook"] == HOOK for known in found.values())
    assert {number for number in found if found[number]["settings"]["webhookstatus"]} == {SECOND}


def test_every_spelling_finds_registered_device(world: World) -> None:
    """The registered number is never rewritten."""
    world.begin(there("081200002001"), there("6281200002002"))
    local = [
        "081200002001",
        "0812-0000-2001",
        "+62 812 0000 2001",
        "62812.0000.2001",
        "+62 (0)812 0000 2001",
        "0062 812 0000 2001",
    ]
    abroad = ["6281200002002", "0812 0000 2002", "+62-812-0000-2002", 6281200002002]
    run = world.play(
        *(device(device=number, name="Toko Satu") for number in local),
        *(device(device=number, name="Toko Dua") for number in abroad),
    )
    assert [reported.get("operations") for reported in run.reported] == [
        ["update"],
        *([[]] * (len(local) - 1)),
        ["update"],
        *([[]] * (len(abroad) - 1)),
    ]
    assert {number: known["name"] for number, known in world.devices().items()} == {
        "081200002001": "Toko Satu",
        "6281200002002": "Toko Dua",
    }


@pytest.mark.weekly
def test_ambiguous_spelling_is_refused(world: World) -> None:
    """An exact match is accepted; any other spelling is an error that names both devices."""
    world.begin(there("081200002001"), there("6281200002001"))
    run = world.play(
        device(device="0812-0000-2001", name="Toko Nol"),
        device(device="+62 812 0000 2001", name="Toko Enam Dua"),
        device(device="+62 (0)812 0000 2001", name="Toko Mana"),
        webhook_config(device="0062 812 0000 2001", state="absent"),
        device(device="+62 (0)812 0000 2001", state="absent", otp=OTP),
    )
    assert [reported.failed for reported in run.reported] == [False, False, True, True, True]
    for reported in run.reported[2:]:
        assert "081200002001" in reported.message and "6281200002001" in reported.message, reported.message
    assert world.writes() == ["/update-device", "/update-device"]
    assert {number: known["name"] for number, known in world.devices().items()} == {
        "081200002001": "Toko Nol",
        "6281200002001": "Toko Enam Dua",
    }


@pytest.mark.weekly
@pytest.mark.parametrize("reading", [{}, {"profile_number": "linked"}], ids=["registered", "linked"])
def test_token_alone_rewrites_number_only_with_warning(world: World, reading: Reading) -> None:
    """With the device list, the number is never rewritten. Without it, only the profile shows a number.

    It is unknown whether the profile shows the registered number. A warning must state that the number may be
    rewritten, also in check mode.
    """
    world.begin(there(FIRST), reading=reading)
    world.sandbox.link(FIRST, linked_number="6281200002777")
    listed = world.run_task(device(device_token=device_token(FIRST), name="Toko Daftar"))
    assert not listed.failed and list(world.devices()) == [FIRST], listed.result
    _rewritten_only_with_a_warning(
        world, device(device_token=device_token(FIRST), name="Toko Token", account_token=None)
    )


@pytest.mark.weekly
def test_token_with_other_spelling_rewrites_number_only_with_warning(world: World) -> None:
    """The user spells the number in another way than it is registered."""
    world.begin(there(FIRST))
    named = {"device": "+62 812 0000 2001", "device_token": device_token(FIRST)}
    listed = world.run_task(device(**named, name="Toko Daftar"))
    assert not listed.failed and list(world.devices()) == [FIRST], listed.result
    _rewritten_only_with_a_warning(world, device(**named, name="Toko Token", account_token=None))


def _rewritten_only_with_a_warning(world: World, task: Task) -> None:
    predicted, given = world.run_task(task, check=True), world.run_task(task)
    assert not given.failed, given.message
    found = list(world.devices())
    assert len(found) == 1
    if found != [FIRST]:
        for reported in (predicted, given):
            assert any(found[0] in warning for warning in reported.warnings), (
                f"rewritten to {found[0]}: {reported.result}"
            )


@pytest.mark.weekly
def test_number_and_token_need_device_list_if_profile_differs(world: World) -> None:
    """In the variant "linked", the profile is no evidence of the registered number."""
    world.begin(there(FIRST), reading={"profile_number": "linked"})
    world.sandbox.link(FIRST, linked_number="6281200002777")
    named = {"device": FIRST, "device_token": device_token(FIRST), "name": "Toko Bukti"}
    run = world.play(device(**named, account_token=None), device(**named))
    assert run.reported[0].failed and "6281200002777" in run.reported[0].message and FIRST in run.reported[0].message
    assert not run.reported[1].failed, run.reported[1].message
    assert list(world.devices()) == [FIRST]


def test_invalid_token_is_not_absence(world: World) -> None:
    """With a device token only, "token invalid" is an error for every kind of task."""
    world.begin(there(FIRST))
    unknown = {"device_token": "nobody-has-this-one", "account_token": None}
    run = world.play(
        device(**unknown, state="absent", otp=OTP),
        device(**unknown, device=FIRST, state="absent"),
        webhook_config(**unknown, state="absent"),
        device(**unknown, state="disconnected"),
    )
    for reported in run.reported:
        assert reported.failed and "token invalid" in reported.message, reported.result
    assert world.writes() == []


@pytest.mark.weekly
def test_number_of_another_account_is_explained(world: World) -> None:
    """Only the service can refuse it; the error explains both causes and the solution."""
    world.begin(there(FIRST), others=(there(NEW),))
    task = device(device=NEW, name="Toko Orang")
    predicted = world.run_task(task, check=True)
    assert predicted.get("operations") == ["create"], predicted.result
    world.calls()
    reported = world.run_task(task)
    assert reported.failed and not reported.changed
    for words in ("device already exist", "another account", "device_token", NEW):
        assert words in reported.message, reported.message
    assert world.calls() == ["/get-devices", "/add-device", "/get-devices"]
    assert world.devices()[NEW]["name"] == "Toko Lama"
