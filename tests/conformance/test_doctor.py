# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook fonnte.whatsapp.doctor by its name: its facts and its prompt, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import EVERYTHING, READINGS, Hook, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK, Run, device, doctor
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.conformance.terminal import at_a_terminal

SCRATCH, CLIENT = "081200012001", "081200012002"
CONSENT = ("-e", f"doctor_device={SCRATCH}", "-e", "doctor_consent=true")
HOOKS = {
    option: f"https://hooks.example.com/{MARK}-{option}"
    for option, value in EVERYTHING.items()
    if isinstance(value, Hook)
}
TRUTH: dict[str, dict[str, Any]] = {
    "default": {
        "omitted": "keeps",
        "empty_webhook": "accepted",
        "add_number": "verbatim",
        "refusal_status": 200,
        "update_without_device": "works",
        "webhook_probe": "not_called",
    },
    "all-hard": {
        "omitted": "resets",
        "empty_webhook": "refused",
        "add_number": "international",
        "refusal_status": 400,
        "update_without_device": "refused",
        "webhook_probe": "called",
    },
}


def play(world: World, *words: str) -> Run:
    """Run the playbook with the account's token in the environment, as a user does."""
    return world.player.play_by_name("doctor", *words, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})


def facts_file(world: World) -> Path:
    """Return the default path of the facts."""
    return world.player.home / ".ansible" / "fonnte-facts.json"


def same_calls(world: World, *journals: list[dict[str, Any]]) -> None:
    """Check that the journals contain the requests that the service received."""
    ours = [(call["path"], call["device"]) for journal in journals for call in journal]
    assert ours == [(call["path"], call["number"]) for call in world.sandbox.journal()]


@pytest.mark.parametrize("reading", [pytest.param("default", marks=pytest.mark.smoke), "all-hard"])
def test_doctor_with_consent_finds_behavior_variant(world: World, reading: str) -> None:
    """It finds the right variant and writes to no other device, and other modules can read its file."""
    world.begin(there(CLIENT, quick=True, webhook=HOOKS["webhook"]), reading=READINGS[reading])
    before = world.devices()[CLIENT]
    looked, tried, report = play(world, *CONSENT).reported[-3:]
    assert not looked.changed and looked["would_call"] and tried.changed and not tried.failed, tried.result
    assert {fact: value for fact, value in tried["facts"].items() if value is not None} == TRUTH[reading]
    assert json.loads(facts_file(world).read_text(encoding="utf-8"))["facts"] == TRUTH[reading]
    (made,) = set(world.devices()) - {CLIENT}
    assert {call["number"] for call in world.sandbox.writes()} <= {made, SCRATCH}
    assert world.devices()[CLIENT] == before
    same_calls(world, looked["journal"], tried["journal"])
    lines = "\n".join(report["msg"])
    assert all(f"{fact} is {value}: " in lines for fact, value in TRUTH[reading].items()), lines
    assert "otp_scope: " in lines and f"Calls: {len(world.sandbox.journal())}" in lines
    assert any("request_otp: true" in warning for warning in tried.warnings)
    reported = world.run_task(device(device=CLIENT, name="Toko Baru", service_facts_path=str(facts_file(world))))
    assert reported["operations"] == ["update"], reported.result


@pytest.mark.parametrize(
    "words",
    [
        (),
        pytest.param(("-e", "doctor_consent=false"), marks=pytest.mark.weekly),
        pytest.param(("--check", "-e", "doctor_consent=true"), marks=pytest.mark.weekly),
    ],
)
def test_doctor_without_consent_only_reads(world: World, words: tuple[str, ...]) -> None:
    """Without a terminal, with consent denied, and in check mode, no write request is sent."""
    world.begin(there(CLIENT, name="fonnte doctor"))
    for number in (SCRATCH, CLIENT):
        run = play(world, "-e", f"doctor_device={number}", *words)
        assert not any(reported.failed for reported in run.reported), run.output
        assert "failed=0" in run.output
    assert world.sandbox.writes() == [] and not world.player.record.exists()
    assert {call["path"] for call in world.sandbox.journal()} == {"/get-devices", "/device"}


@pytest.mark.weekly
def test_second_run_creates_no_second_device(world: World) -> None:
    world.begin()
    play(world, *CONSENT)
    _looked, tried, _report = play(world, "-e", "doctor_consent=true").reported[-3:]
    assert list(world.devices()) == [SCRATCH] and tried["scratch"]["made"] is False
    assert tried["facts"]["omitted"] == "keeps"


@pytest.mark.weekly
def test_failure_contains_facts_found_so_far(world: World) -> None:
    """The message also describes the state of the scratch device."""
    world.begin()
    world.sandbox.fault("html", path="/update-device", code=502, skip=4, times=None)
    run = play(world, *CONSENT)
    (failure,) = [reported for reported in run.reported if reported.failed]
    assert "determined so far: " in failure.message and "omitted keeps" in failure.message
    assert f"of device {SCRATCH}, " in failure.message and failure["facts"]["omitted"] == "keeps"


@pytest.mark.weekly
def test_swapped_tokens_are_reported(world: World) -> None:
    """The warning does not contain the tokens: the player searches the output."""
    world.begin(there(CLIENT))
    token = world.devices()[CLIENT]["token"]
    reported = world.run_task(doctor(account_token=token, device_token=ACCOUNT, consent=True))
    assert any("swapped" in warning for warning in reported.warnings) and world.sandbox.writes() == []


def test_doctor_on_client_device_shows_no_recorded_secret(world: World) -> None:
    """A client's device is the worst choice of a scratch device, since the record contains its webhooks."""
    world.begin(there(CLIENT), reading=READINGS["omitted=resets"])
    first, tried, again = world.play(
        device(device=CLIENT, **{**EVERYTHING, **HOOKS}),
        doctor(device=CLIENT, consent=True),
        device(device=CLIENT, **{**EVERYTHING, **HOOKS}),
    ).reported
    assert first.changed and tried.changed and not tried.failed, tried.result
    assert set(HOOKS) < set(again["changed_fields"]), "the record still claims what the experiments reset"


@pytest.mark.weekly
@pytest.mark.parametrize(("answer", "writes"), [("yes", True), ("", False), ("no", False)])
def test_prompt_lists_requests_and_requires_yes(world: World, answer: str, writes: bool) -> None:
    """At a terminal, the prompt lists the requests and warns of lost settings; any answer but yes only reads."""
    world.begin()
    output = at_a_terminal(world, "doctor", CONSENT[:2], [("anything else only reads", lambda: answer)])
    assert "/update-device, at most 4 times" in output and "MAY BE LOST" in output and SCRATCH in output
    assert bool(world.sandbox.writes()) is writes, output
    assert MARK not in output and "failed=0" in output


@pytest.mark.weekly
def test_consent_is_valid_only_for_device_in_prompt(world: World) -> None:
    """Two devices exchange their names during the prompt."""
    world.begin(there(SCRATCH, name="fonnte doctor"), there(CLIENT, name="Bank B"))

    def exchange() -> str:
        world.sandbox.edit(SCRATCH, name="old scratch")
        world.sandbox.edit(CLIENT, name="fonnte doctor")
        return "yes"

    output = at_a_terminal(world, "doctor", (), [("anything else only reads", exchange)])
    assert f"scratch device {SCRATCH} and to no other" in output
    assert 'as "old scratch", and expected_name is "fonnte doctor"' in output.replace("\\", "")
    assert world.sandbox.writes() == [] and "failed=1" in output


def test_device_created_during_prompt_is_not_written_to(world: World) -> None:
    world.begin()

    def create() -> str:
        world.begin(there(SCRATCH, name="Bank B"))
        return "yes"

    words = ("-e", f"doctor_device={SCRATCH}")
    output = at_a_terminal(world, "doctor", words, [("anything else only reads", create)])
    assert "and expected_name is" in output and world.sandbox.writes() == [] and "failed=1" in output
