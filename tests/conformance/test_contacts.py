# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fonnte_group_info and fonnte_number_info as playbooks: groups by name, refreshes, and numbers, without a change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    Player,
    Task,
    group_info,
    message,
    number_info,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

PHONE, UNLINKED, PERSON, ABSENT = "081200012001", "081200012002", "081200002001", "081200002002"
EVIL = "{{ lookup('pipe', 'touch /proc/self/no-such-file') }}"
GROUPS = [
    {"id": "120363041@g.us", "name": "Tim Gudang"},
    {"id": "120363042@g.us", "name": "Toko, Jakarta | 1"},
    {"id": "120363043@g.us", "name": EVIL},
    {"id": "120363044@g.us", "name": "Kembar"},
    {"id": "120363045@g.us", "name": "Kembar"},
    {"id": "120363046@g.us", "name": "Merah\x1b[31m"},
]


def _begin(world: World) -> World:
    world.begin(there(PHONE, linked=True, package="Super", groups=GROUPS), there(UNLINKED))
    world.sandbox.without_whatsapp(ABSENT)
    return world


@pytest.fixture(params=[(core, way) for core in USUAL_CORES for way in (True, False)], ids=str)
def everywhere(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> World:
    """Return a world on each core, in-process and as an ordinary module."""
    core, in_process = request.param
    return _begin(World(sandbox, Player(tmp_path, sandbox, CORES[core], in_process=in_process)))


def _send(*target: object, **args: object) -> Task:
    return message(**{"device": PHONE, "target": list(target), "message": "hello", **args})


def test_groups_are_refreshed_once_and_named_as_targets(everywhere: World) -> None:
    refresh = group_info(device="+62 812-0001-2001", refresh=True)
    tasks = [
        refresh,
        refresh,
        group_info(account_token=None, device_token=device_token(PHONE)),
        _send("group:Tim Gudang", "group:Toko, Jakarta | 1", PERSON),
        _send("group:Kembar"),
        _send("group:Gudang"),
        group_info(device=UNLINKED, refresh=True),
    ]
    predicted = everywhere.play(*tasks, check=True)
    assert [reported.failed for reported in predicted.reported] == [False, False, True, False, False, False, False]
    assert [reported["refreshed"] for reported in predicted.reported[:2]] == [True, True]
    assert {"/fetch-group", "/send"}.isdisjoint(everywhere.calls()) and not everywhere.player.record.exists()
    run = everywhere.play(*tasks)
    assert [reported.failed for reported in run.reported] == [False] * 4 + [True] * 3, [
        reported.message for reported in run.reported
    ]
    assert [reported["refreshed"] for reported in run.reported[:3]] == [True, False, False]
    assert not any(reported.changed for reported in run.reported[:3])
    names = [group["name"] for group in run.reported[0]["groups"]]
    assert names == sorted(["Tim Gudang", "Toko, Jakarta | 1", EVIL, "Kembar", "Kembar", "Merah [31m"])
    assert run.reported[0]["groups"] == run.reported[1]["groups"] == run.reported[2]["groups"]
    assert [sent["target"] for sent in everywhere.sandbox.outbox()] == [
        "120363041@g.us",
        "120363042@g.us",
        "6281200002001",
    ]
    assert "120363044@g.us, 120363045@g.us" in run.reported[4].message and run.reported[4]["queued"] is False
    assert 'similar names are "Tim Gudang"' in run.reported[5].message
    assert "link the device first" in run.reported[6].message
    assert everywhere.calls().count("/fetch-group") == 2
    again = everywhere.play(refresh, check=True).only()
    assert again["refreshed"] is False and again["groups"] == run.reported[0]["groups"]


@pytest.mark.weekly
def test_numbers_are_validated_in_check_mode_as_in_the_run(everywhere: World) -> None:
    numbers = ["+62 812-0000-2002", 6281200002001, PERSON, *(f"0813{index:08}" for index in range(600))]
    tasks = [
        number_info(device=PHONE, numbers=numbers),
        number_info(account_token=None, device_token=device_token(PHONE), numbers=PERSON),
        number_info(device=UNLINKED, numbers=[PERSON]),
        number_info(device=PHONE, numbers=[]),
    ]
    predicted, run = everywhere.play(*tasks, check=True), everywhere.play(*tasks)
    assert [reported.failed for reported in run.reported] == [False, False, True, False], [
        reported.message for reported in run.reported
    ]
    assert not any(reported.failed for reported in predicted.reported)
    assert any("unless an earlier one" in warning for warning in predicted.reported[2].warnings)
    for place in (0, 1, 3):
        assert predicted.reported[place].result == run.reported[place].result
    result = run.reported[0]
    assert result["not_registered"] == [numbers[0]] and result["registered"] == list(map(str, numbers[1:]))
    assert [one["number"] for one in result["results"]] == list(map(str, numbers)) and not result.changed
    assert "no phone is linked to the device" in run.reported[2].message and run.reported[2]["unanswered"] == [PERSON]
    assert run.reported[3]["results"] == [] and everywhere.sandbox.writes() == []


def test_name_of_a_group_is_never_a_template(world: World) -> None:
    """A task that loops over the groups prints the name, and sends nothing that a template would return."""
    _begin(world)
    run = world.play(
        group_info(device=PHONE, refresh=True).named(register="phone"),
        _send("group:{{ phone.groups | map(attribute='name') | select('match', '{{') | first }}"),
        message(device=PHONE, target=["{{ phone.groups[0].id }}"], message="{{ phone.groups[0].name }}"),
    )
    assert not any(reported.failed for reported in run.reported), [reported.message for reported in run.reported]
    assert [sent["target"] for sent in world.sandbox.outbox()] == ["120363043@g.us", "120363044@g.us"]


@pytest.mark.weekly
@pytest.mark.parametrize("in_process", [True, False])
def test_parallel_hosts_validate_one_after_another(sandbox: Sandbox, tmp_path: Path, in_process: bool) -> None:
    """Ansible runs the task for five hosts at the same time, and the sandbox mixes the answers of parallel requests."""
    world = _begin(World(sandbox, Player(tmp_path, sandbox)))
    sandbox.set_options(validate_seconds=0.05)
    numbers = "{{ range(100000, 100020) | map('regex_replace', '^', '08' ~ inventory_hostname[-1] ~ '12') | list }}"
    options = {"account_token": ACCOUNT, "device": PHONE, "numbers": numbers}
    tasks = [{"name": "Check", "fonnte.whatsapp.fonnte_number_info": options}]
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}
    hosts = "".join(f"toko{index}," for index in range(1, 6))
    switch = json.dumps({"fonnte_in_process": in_process})
    run = world.player.play_book([play], "-i", hosts, "-e", switch)
    assert len(run.reported) == 5 and not any(reported.failed for reported in run.reported), [
        reported.message for reported in run.reported
    ]
    assert all(len(reported["registered"]) == 20 and not reported.warnings for reported in run.reported)
