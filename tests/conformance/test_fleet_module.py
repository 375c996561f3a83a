# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fonnte_fleet in real playbooks: in the behavior variants, in-process and as a module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.case_runner import AS_MODULES, IN_PROCESS, ways
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import READINGS, USUAL_READINGS, Hook, account_token
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, Run, Task
from ansible_collections.fonnte.whatsapp.tests.conformance.test_behavior_variants import comparable
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

ACCOUNT = account_token("fleet")
NUMBERS = ("081200009001", "081200009002", "081200009003", "081200009004")


def fleet(devices: list[dict[str, Any]], **args: object) -> Task:
    return Task("fonnte_fleet", {"account_token": ACCOUNT, "devices": devices, "api_retries": 0, **args})


def life(sandbox: Sandbox, folder: Path, reading: str, in_process: bool) -> list[Run]:
    """Run a fleet: check mode, creation and a second run; the same after an edit and a refusal; then invalid tasks."""
    sandbox.reset(readings=READINGS[reading], accounts=[{"token": ACCOUNT}])
    player = Player(folder, sandbox, in_process=in_process)
    hook = Hook("fleet").url(sandbox, READINGS[reading])
    declared = [{"device": number, "name": f"Toko {place}", "webhook": hook} for place, number in enumerate(NUMBERS)]
    declared[1]["quick"] = None
    task = fleet(declared, defaults={"quick": True, "autoread": True}, unlisted="report", canary=1)
    runs = [player.play(task, check=True), player.play(task), player.play(task)]
    edited = next(number for number in sandbox.devices() if number[-9:] == NUMBERS[2][-9:])
    sandbox.edit(edited, autoread=False)
    sandbox.fault("status", path="/update-device", code=200, body={"status": False, "reason": "no"}, times=1)
    runs += [player.play(task, check=True), player.play(task), player.play(task)]
    mistakes = [
        fleet([*declared, {"device": "+62 812-0000-9001"}]),
        fleet([{"device": NUMBERS[0], "name": "T"}]),
        fleet([{"device": NUMBERS[0], "nme": "Toko"}]),
        fleet([{**device, "webhook": ""} for device in declared], max_clear=3),
    ]
    return [*runs, player.play(*mistakes)]


@pytest.mark.weekly
@pytest.mark.parametrize("reading", USUAL_READINGS)
def test_life_of_fleet_is_equal_in_process_and_as_module(reading: str, sandbox: Sandbox, tmp_path: Path) -> None:
    reported = []
    for way in ways(reading):
        folder = tmp_path / way
        folder.mkdir()
        runs = life(sandbox, folder, reading, in_process=way == IN_PROCESS)
        predicted, made, again, found, failed, healed, mistakes = runs
        assert made.only()["summary"]["created"] == 4 and made.only().changed
        for key in ("diff", "changed"):
            assert predicted.only()[key] == made.only()[key]
        # Check mode lists no devices to link, since they do not exist yet.
        assert {**predicted.only()["summary"], "to_link": 4} == made.only()["summary"]
        assert not again.only().changed and again.only()["unlisted"] == []
        assert [device["status"] for device in found.only()["devices"]] == [
            "unchanged",
            "unchanged",
            "changed",
            "unchanged",
        ]
        assert failed.only().failed and failed.only()["summary"]["failed"] == 1
        assert healed.only().changed and healed.only()["summary"]["updated"] == 1
        assert all(mistake.failed for mistake in mistakes.reported)
        assert all(word in mistakes.reported[0].message for word in ("devices[0]", "devices[4]"))
        assert "nme" in mistakes.reported[2].message and "max_clear is 3" in mistakes.reported[3].message
        reported.append([comparable(one) for run in runs for one in run.reported])
    # Each way has a separate directory for its record.
    texts = [json.dumps(one, sort_keys=True).replace(AS_MODULES, IN_PROCESS) for one in reported]
    assert texts[1:] in ([], texts[:1])


@pytest.mark.smoke
def test_unchanged_fleet_sends_one_request_and_shows_no_secret(sandbox: Sandbox, player: Player) -> None:
    sandbox.reset(accounts=[{"token": ACCOUNT, "plan": "Super"}])
    declared = [
        {"device": f"0812000{10000 + index}", "name": f"Toko {index}", "webhook": Hook(f"{index}").url(sandbox, {})}
        for index in range(30)
    ]
    assert player.play(fleet(declared)).only()["summary"]["created"] == 30
    sandbox.clear_journal()
    assert not player.play(fleet(declared)).only().changed
    assert [call["path"] for call in sandbox.journal()] == ["/get-devices"]
