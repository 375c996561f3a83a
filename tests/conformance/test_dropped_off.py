# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook dropped_off by its name; tests/eda runs it with its rulebook."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Run
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World

GONE, SENDER, OTHER = "081200014001", "081200014002", "081200014003"
WATCHERS = ["6281299990000", "6281299990001"]


def play(world: World, **variables: object) -> Run:
    extra = json.dumps({f"dropped_off_{name}": value for name, value in variables.items()})
    return world.player.play_by_name("dropped_off", "-e", extra, env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})


@pytest.mark.parametrize(
    ("targets", "senders"), [(WATCHERS, [GONE, SENDER]), (", ".join(WATCHERS), f"{GONE},{SENDER}")]
)
def test_lists_and_strings_with_commas_are_accepted(world: World, targets: object, senders: object) -> None:
    world.begin(there(GONE, package="Super"), there(SENDER, package="Super", linked=True))
    run = play(world, targets=targets, senders=senders)
    assert "failed=0" in run.output
    assert [(sent["device"], sent["target"]) for sent in world.sandbox.outbox()] == [(SENDER, one) for one in WATCHERS]


def test_invalid_name_does_not_prevent_message(world: World) -> None:
    """The name of one device must not prevent the message about all devices."""
    names = ["a\x00b", "\x1b[31mred", "Toko\n- Toko Palsu (1)", "\u202eterbalik", "half \ud83d", "x" * 30]
    numbers = [f"08120001401{number}" for number in range(len(names))]
    gone = [there(number, name=name) for number, name in zip(numbers, names, strict=False)]
    world.begin(*gone, there(SENDER, package="Super", linked=True))
    reason = {"device": numbers[0], "reason": "a\x00b\n- c"}
    event = {"ansible_eda": {"event": {"fonnte": reason}}}
    extra = {
        "dropped_off_targets": WATCHERS[:1],
        "dropped_off_senders": [SENDER],
        "dropped_off_devices": numbers,
        **event,
    }
    run = world.player.play_by_name("dropped_off", "-e", json.dumps(extra), env={"FONNTE_ACCOUNT_TOKEN": ACCOUNT})
    assert "failed=0" in run.output
    (sent,) = world.sandbox.outbox()
    lines = sent["message"].splitlines()
    assert len(lines) == len(names) + 2
    for number, line in zip(numbers, sorted(lines[1:-1], key=lambda line: line.partition("(0")[2]), strict=False):
        assert line.startswith("- ") and f"({number})" in line and line.isprintable() and len(line) < 200
    assert f"- a b ({numbers[0]}): a b - c" in lines


def test_custom_message_with_invalid_name_is_sent(world: World) -> None:
    world.begin(there(GONE, name="a\x00b"), there(SENDER, package="Super", linked=True))
    message = "{{ dropped_off_now.devices | map(attribute='name') | join }}"
    run = play(world, targets=WATCHERS[:1], senders=[SENDER], message=message)
    assert "failed=0" in run.output and [sent["message"] for sent in world.sandbox.outbox()] == ["a b"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": None},
        {"targets": [6281299990000]},
        {"targets": 6281299990000},
        {"senders": None},
        {"senders": " , "},
        {"senders": [81200014002]},
        {"senders": {"device": SENDER}},
        {"senders": "0812x"},
    ],
)
def test_invalid_variables_fail_while_all_devices_are_linked(world: World, wrong: dict[str, object]) -> None:
    """Otherwise, the error would appear only when a device drops off, and no message would be sent."""
    world.begin(there(SENDER, package="Super", linked=True))
    run = play(world, **{"targets": WATCHERS, "senders": [SENDER], **wrong})
    assert run.told[-1].message.startswith("Set the recipients in dropped_off_targets") and world.calls() == []
