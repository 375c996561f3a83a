# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit in real playbooks: in-process and as a module, on the newest and the oldest ansible-core."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import READINGS, Hook, account_token
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK, Player, Run, Task, snapshot
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

CORES = [Path(sys.executable).parent, *(Path(path) for path in [os.environ.get("FONNTE_TESTS_OLDEST")] if path)]
ACCOUNT = account_token("audit")
NUMBERS = ("081200007001", "081200007002", "081200007003")
STRANGER = "081200007009"


@pytest.fixture(params=CORES, ids=lambda core: "oldest" if core != CORES[0] else "newest")
def core(request: pytest.FixtureRequest) -> Path:
    """Return the directory of the programs of the newest or the oldest ansible-core."""
    path: Path = request.param
    return path


def task(module: str, devices: list[dict[str, Any]], **args: object) -> Task:
    return Task(module, {"account_token": ACCOUNT, "devices": devices, "api_retries": 0, **args})


def declared(sandbox: Sandbox, reading: str = "default") -> list[dict[str, Any]]:
    hook = Hook("audit").url(sandbox, READINGS[reading])
    chats = {"autoread": True, "personal": True, "webhook": hook}
    return [{"device": number, "name": f"Toko {place}", **chats} for place, number in enumerate(NUMBERS)]


def begin(sandbox: Sandbox, player: Player, reading: str = "default") -> list[dict[str, Any]]:
    """Create three declared devices, rename the second one by hand, and create one that no entry declares."""
    stranger = {"number": STRANGER, "name": "Siapa", "package": "Super"}
    sandbox.reset(readings=READINGS[reading], accounts=[{"token": ACCOUNT, "devices": [stranger]}])
    devices = declared(sandbox, reading)
    assert not player.play(task("fonnte_fleet", devices, handle_unknown="ignore")).only().failed
    edited = next(number for number in sandbox.devices() if number.endswith(NUMBERS[1][1:]))
    sandbox.edit(edited, name="Lain <b>")
    sandbox.clear_journal()
    return devices


def kinds(run: Run) -> list[str]:
    return [found["kind"] for found in run.only()["findings"]]


@pytest.mark.weekly
def test_audit_is_equal_in_process_and_as_module(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    reported = []
    for in_process in (True, False):
        folder = tmp_path / str(in_process)
        folder.mkdir()
        player = Player(folder, sandbox, programs=core, in_process=in_process)
        devices = begin(sandbox, player)
        before, report = snapshot(player.record), player.home / "report"
        audit = task("fonnte_audit", devices, dest=str(report), owners={NUMBERS[0]: "PT Satu"})
        runs = [player.play(audit, check=True), player.play(audit)]
        for run in runs:
            assert not run.only().changed
            assert kinds(run) == ["disconnected", "drift", "disconnected", "disconnected", "unlisted"]
        assert [call["path"] for call in sandbox.journal()] == ["/get-devices"] * 2
        assert snapshot(player.record) == before
        assert sorted(path.name for path in report.iterdir()) == [
            "audit.csv",
            "audit.html",
            "audit.json",
            "audit.txt",
        ]
        assert "Lain &lt;b&gt;" in (report / "audit.html").read_text(encoding="utf-8")
        refused = player.play(audit.but(fail_on=["drift", "unknown", "missing"])).only()
        assert refused.failed and refused.message == (
            f"Auditing the account: there are findings that fail_on names (drift: 1); read {report / 'audit.html'}."
        )
        assert not player.play(audit.but(fail_on=["unknown", "missing", "package_ended"])).only().failed
        reported.append([{**run.only().result, "text": "", "files": {}, "findings": kinds(run)} for run in runs])
    for key in ("changed", "summary", "findings"):
        assert reported[0][0][key] == reported[0][1][key] == reported[1][0][key] == reported[1][1][key]


@pytest.mark.smoke
def test_audit_shows_no_secret_and_reports_unknown_values(sandbox: Sandbox, player: Player) -> None:
    devices = begin(sandbox, player)
    # The player searches all output and all files in the home for tokens and for the mark of every secret.
    devices[0]["webhook"] += f"-{MARK}"
    devices[2]["quick"] = True
    run = player.play(task("fonnte_audit", devices, dest=str(player.home / "report")))
    assert sorted(set(kinds(run))) == ["disconnected", "drift", "drift_recorded", "unknown", "unlisted"]
    found = {one["kind"]: one for one in run.only()["findings"]}
    assert found["unknown"]["field"] == "quick" and found["unknown"]["source"] == "none"
    assert found["drift_recorded"]["source"] == "recorded" and found["drift_recorded"]["at"]


@pytest.mark.weekly
@pytest.mark.parametrize("reading", ["all-hard", "listing=partial"])
def test_audit_finds_drift_in_other_behavior_variants(reading: str, sandbox: Sandbox, player: Player) -> None:
    devices = begin(sandbox, player, reading)
    run = player.play(task("fonnte_audit", devices))
    assert "drift" in kinds(run) and sandbox.writes() == []


# --- the playbook -------------------------------------------------------------------------------------------------


@pytest.mark.weekly
@pytest.mark.parametrize("core", CORES[: len(USUAL_CORES)], ids=USUAL_CORES, indirect=True)
def test_names_of_client_files_are_owners(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.reset(accounts=[{"token": ACCOUNT}])
    player = Player(tmp_path, sandbox, programs=core)
    clients = player.home / "clients"
    clients.mkdir()
    (clients / "satu.yml").write_text(
        'fleet_defaults: {autoread: true}\nfleet_devices: [{device: "081200007001", name: Toko Satu}]\n',
        encoding="utf-8",
    )
    (clients / "dua.yml").write_text('fleet_devices: [{device: "081200007002", autoread: null}]\n', encoding="utf-8")
    env = {"FONNTE_ACCOUNT_TOKEN": ACCOUNT}
    words = ["-e", f"audit_files={clients}", "-e", "audit_dest=report", "-e", "audit_language=id", "--check"]
    run = player.play_by_name("audit", *words, env=env)
    assert not any(one.failed for one in run.reported), run.output[-3000:]
    data = json.loads((player.directory / "report" / "audit.json").read_text(encoding="utf-8"))
    assert {device["device"]: device["owner"] for device in data["devices"]} == {
        "081200007001": "satu",
        "081200007002": "dua",
    }
    assert data["language"] == "id"
    owners = json.dumps({"audit_owners": {"081200007001": "PT Satu"}})
    player.play_by_name("audit", *words, "-e", owners, env=env)
    data = json.loads((player.directory / "report" / "audit.json").read_text(encoding="utf-8"))
    assert [device["owner"] for device in data["devices"]] == ["dua", "PT Satu"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "There is nothing to read."),
        (["-e", "audit_files=/nowhere"], "There is no /nowhere."),
    ],
)
def test_audit_playbook_names_missing_files(sandbox: Sandbox, player: Player, words: list[str], says: str) -> None:
    run = player.play_by_name("audit", *words, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
    assert run.reported[-1].failed and says in run.reported[-1].message and sandbox.journal() == []


@pytest.mark.weekly
@pytest.mark.parametrize("core", CORES[: len(USUAL_CORES)], ids=USUAL_CORES, indirect=True)
def test_receivers_are_checked_on_request_and_never_in_check_mode(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """The sinks are on this machine, so they get a request only with audit_allow_private."""
    stranger = {"number": STRANGER, "name": "Siapa", "package": "Super"}
    sandbox.reset(accounts=[{"token": ACCOUNT, "devices": [stranger]}])
    sandbox.sink_answers("broken", 503, times=9)
    player = Player(tmp_path, sandbox, programs=core)
    good, bad = (f"{sandbox.sink_url(name)}/{MARK}?key={MARK}" for name in ("good", "broken"))
    devices = [
        {"device": NUMBERS[0], "name": "Toko Satu", "autoread": True, "personal": True, "webhook": good},
        {"device": NUMBERS[1], "name": "Toko Dua", "webhook_status": good, "webhook_connect": bad},
    ]
    # The player searches its home for secrets.
    declaration = tmp_path / "devices.yml"
    declaration.write_text(json.dumps({"fleet_devices": devices}), encoding="utf-8")
    check = ["-e", f"audit_files={declaration}", "-e", "audit_dest=report"]
    asked, permitted = ["-e", "audit_check_receivers=true"], ["-e", "audit_allow_private=true"]
    env = {"FONNTE_ACCOUNT_TOKEN": ACCOUNT}

    def outcomes(*words: str) -> list[tuple[str, int | None, list[str]]] | None:
        run = player.play_by_name("audit", *check, *words, env=env)
        assert not any(one.failed for one in run.reported), run.output[-3000:]
        data = json.loads((player.directory / "report" / "audit.json").read_text(encoding="utf-8"))
        found: list[dict[str, Any]] | None = data["receivers"]
        return None if found is None else [(one["outcome"], one["status"], one["devices"]) for one in found]

    assert outcomes(*permitted) is None and outcomes(*asked, *permitted, "--check") is None
    assert outcomes(*asked) == [("refused", None, [*NUMBERS[:2]]), ("refused", None, [NUMBERS[1]])]
    assert sandbox.sink("good") == sandbox.sink("broken") == []
    assert outcomes(*asked, *permitted) == [("ok", 200, [*NUMBERS[:2]]), ("status", 503, [NUMBERS[1]])]
    for name in ("good", "broken"):
        (request,) = sandbox.sink(name)
        assert request["body"] == {"device": ""}
    assert {call["path"] for call in sandbox.journal()} == {"/get-devices"}
    fatal = json.dumps({"audit_fail_on": ["receiver_failed"]})
    run = player.play_by_name("audit", *check, *asked, *permitted, "-e", fatal, env=env)
    assert run.reported[-1].failed and "fail_on names: receiver_failed" in run.output
