# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lost responses: an applied change is not repeated, and one that was not applied is."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import code_sent, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import OTP, device
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

NEW, OLD, LINKED = "081200006001", "081200006002", "081200006003"
HOOK = "https://hooks.example.com/lost"


@pytest.mark.parametrize(
    "fault",
    [
        {"when": "after"},
        pytest.param({"when": "after", "at": "middle"}, marks=pytest.mark.weekly),
        {"when": "before"},
    ],
    ids=["applied", "applied-and-half-a-reply", "not-applied"],
)
def test_one_lost_response_is_recovered(world: World, fault: dict[str, object]) -> None:
    """The run converges, no creation or disconnection is repeated, and the next run changes nothing."""
    world.begin(there(OLD), there(LINKED, linked=True))
    world.sandbox.fault("reset", path="/add-device", **fault)
    world.sandbox.fault("reset", path="/update-device", number=OLD, **fault)
    world.sandbox.fault("reset", path="/disconnect", **fault)
    tasks = [
        device(device=NEW, name="Toko Baru", personal=True),
        device(device=OLD, name="Toko Ganti", webhook=HOOK),
        device(device=LINKED, state="disconnected"),
    ]
    run = world.play(*tasks)
    for reported, operation in zip(run.reported, ("create", "update", "disconnect"), strict=False):
        # The write-only settings of a creation are in doubt, and may be sent once more.
        assert reported.changed and not reported.failed and reported["operations"][0] == operation, reported.result
    assert world.sandbox.faults() == [], "not every fault was met"
    applied = [call["path"] for call in world.sandbox.writes() if call["applied"]]
    assert applied.count("/add-device") == 1 and applied.count("/disconnect") == 1, applied
    found = world.devices()
    assert sorted(found) == [NEW, OLD, LINKED]
    assert found[NEW]["settings"]["personal"] and found[NEW]["name"] == "Toko Baru"
    assert found[OLD]["settings"]["webhook"] == HOOK and found[OLD]["name"] == "Toko Ganti"
    assert not found[LINKED]["linked"]
    world.writes()
    again = world.play(*tasks)
    assert [reported.get("operations") for reported in again.reported] == [[], [], []], [
        reported.result for reported in again.reported
    ]
    assert world.writes() == []


@pytest.mark.weekly
def test_lost_responses_of_creation_with_write_only_settings(world: World) -> None:
    """Both requests of a creation lose their response: the result is one device with all declared settings."""
    world.begin()
    world.sandbox.fault("reset", path="/add-device", when="after")
    world.sandbox.fault("reset", path="/update-device", when="after")
    task = device(device=NEW, name="Toko Baru", personal=True, quick=True, webhook=HOOK)
    run = world.play(task, task, task)
    assert not run.reported[2].failed and not run.reported[2].changed, run.reported[2].result
    found = world.devices()
    assert list(found) == [NEW]
    assert {key: found[NEW]["settings"][key] for key in ("personal", "quick", "webhook")} == {
        "personal": True,
        "quick": True,
        "webhook": HOOK,
    }


@pytest.mark.weekly
def test_request_for_code_is_never_repeated(world: World) -> None:
    """It is unknown whether a code was sent, and the error reports that."""
    world.begin(there(OLD))
    world.sandbox.fault("reset", path="/delete-device", when="before")
    reported = world.run_task(device(device=OLD, state="absent", request_otp=True, api_retries=3))
    assert reported.failed and "unknown" in reported.message and OLD in reported.message, reported.result
    assert world.calls().count("/delete-device") == 1


@pytest.mark.weekly
@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
def test_code_is_never_sent_again(world: World, applied: bool) -> None:
    """After a lost response the device list is read: a missing device was deleted, and a listed one is a failure."""
    world.begin(there(OLD), there(LINKED))
    code_sent(OLD)(world.sandbox)
    world.calls()
    world.sandbox.fault("reset", path="/delete-device", when="after" if applied else "before")
    reported = world.run_task(device(device=OLD, state="absent", otp=OTP, api_retries=3))
    assert world.calls().count("/delete-device") == 1
    if applied:
        assert not reported.failed and reported["operations"] == ["delete"] and reported["device"] is None, (
            reported.result
        )
    else:
        assert reported.failed and "unknown" in reported.message and not reported.changed, reported.result
    assert sorted(world.devices()) == ([LINKED] if applied else [OLD, LINKED])
