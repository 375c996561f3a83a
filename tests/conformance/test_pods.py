# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that share one record in a database act like one machine: in sequence, concurrently, and after a kill.

FONNTE_TESTS_KILLS=20 kills twenty runs; the default is three.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import OTP, Run, Task
from ansible_collections.fonnte.whatsapp.tests.conformance.pods import (
    FIRST_UID,
    count_applied,
    kill_in_the_middle,
    run_at_once,
    start_pod,
    wait_until_unlocked,
    why_no_other_users,
)
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.postgresql import Server, postgresql_server, record_url
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

__all__ = ["postgresql_server", "record_url"]

HOOK, OTHER_HOOK = "https://h.example.com/s3cr3t-of-the-hook", "https://h.example.com/s3cr3t-of-another"
COMPARED = ("changed", "changed_fields", "operations", "reasons", "carried", "summary", "evidence", "at_risk")
KILLS = int(os.environ.get("FONNTE_TESTS_KILLS", "3"))
KILL_SEED = 16


def fleet(count: int, first: int = 0, **settings: object) -> Json:
    devices = [{"device": f"0812{first + index:08}", "name": f"Toko {index}", **settings} for index in range(count)]
    return {"devices": devices, "handle_unknown": "ignore"}


def numbers(options: Json) -> list[str]:
    return [entry["device"] for entry in options["devices"]]


@pytest.fixture
def empty(sandbox: Sandbox) -> Sandbox:
    """Return a sandbox with an empty account that may have any number of devices."""
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    return sandbox


@pytest.fixture
def env(empty: Sandbox, record_url: str) -> dict[str, str | None]:
    """Return the environment of a pod: its token, and the database."""
    return {"FONNTE_ACCOUNT_TOKEN": empty.account_token, "FONNTE_RECORD_URL": record_url}


# In sequence

# The declarations of the ten runs. A value that a run does not declare is carried, or becomes unknown.
STORY: Sequence[Json] = (
    fleet(5, quick=True, webhook=HOOK),
    fleet(5, quick=True, webhook=HOOK),
    fleet(5, quick=False),
    fleet(5, webhook=HOOK),
    fleet(5, webhook=OTHER_HOOK, personal=True),
    fleet(7, personal=True),
    fleet(7, quick=False, webhook=OTHER_HOOK, personal=True),
    fleet(3, quick=True),
    fleet(7, webhook=OTHER_HOOK),
    fleet(7, personal=True),
)


def shown(result: Json) -> Json:
    """Return the parts of a result that do not depend on tokens and times."""
    devices = [
        {key: device.get(key) for key in COMPARED if key not in ("carried", "evidence")}
        | {"carried": sorted(device.get("carried") or ())}
        for device in result["devices"]
    ]
    return {"changed": result["changed"], "summary": result["summary"], "devices": devices}


def settings_of(sandbox: Sandbox) -> Json:
    return {number: {"name": one["name"], **one["settings"]} for number, one in sandbox.devices().items()}


@pytest.mark.weekly
def test_ten_pods_converge_like_one_machine(empty: Sandbox, env: dict[str, str | None], tmp_path: Path) -> None:
    """Each pod has another home, and another user if the tests can choose one."""
    machine = Controller(empty, tmp_path / "machine")
    expected = [(shown(machine.run("fleet", **options).result), settings_of(empty)) for options in STORY]
    assert {result["changed"] for result, _settings in expected} == {True, False}
    empty.reset(accounts=[{"token": empty.account_token, "plan": "Super"}])
    for place, (options, (result, settings)) in enumerate(zip(STORY, expected, strict=True)):
        with start_pod(empty, None if why_no_other_users() else FIRST_UID + place) as pod:
            done = pod.play(Task("fonnte_fleet", options), env=env).only()
            assert not done.failed, done.result
            assert (shown(done.result), settings_of(empty)) == (result, settings), f"run {place}"
    assert set(count_applied(empty, "/add-device").values()) == {1}


@pytest.mark.weekly
def test_pods_run_as_different_users(empty: Sandbox, env: dict[str, str | None]) -> None:
    """Otherwise, the ten pods above would run as one user."""
    if why_no_other_users():
        pytest.skip(f"the pods are those of one user: {why_no_other_users()}")
    for uid in (FIRST_UID, FIRST_UID + 1):
        with start_pod(empty, uid) as pod:
            assert pod.play(Task("fonnte_fleet", fleet(1)), env=env).only()["summary"]["failed"] == 0
            assert {path.stat().st_uid for path in pod.home.iterdir()} == {uid}


# Concurrently

EXISTING, CREATED = fleet(40, quick=True, webhook=HOOK), fleet(10, first=1000, quick=True)
SENDER, LEAVING = numbers(EXISTING)[0], numbers(EXISTING)[1:6]


def slice_of_a_job(place: int, gate: Path) -> list[Json]:
    """Return the play of one of two slices for the same devices. They wait for each other before they start."""
    other, mine = gate / str(1 - place), gate / str(place)
    wait = f"touch {mine}; timeout 60 sh -c 'until test -e {other}; do sleep 0.02; done'"
    name = "fonnte.whatsapp.fonnte_"
    tasks: list[Json] = [
        {"ansible.builtin.debug": {"msg": "{{ lookup('ansible.builtin.pipe', wait) }}"}, "vars": {"wait": wait}},
        {f"{name}fleet": EXISTING},
        {f"{name}device": {"device": "{{ item.device }}", "name": "{{ item.name }}", "quick": True}}
        | {"loop": CREATED["devices"], "register": "created"},
        # A message for each device that this run has created.
        {f"{name}message": {"device": SENDER, "target": ["{{ item.item.device }}"], "message": "Welcome"}}
        | {"loop": "{{ created.results }}", "when": "'create' in item.operations"},
        {f"{name}device": {"device": "{{ item }}", "state": "absent", "request_otp": True}} | {"loop": LEAVING},
    ]
    return [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]


def test_two_concurrent_slices_repeat_no_operation(empty: Sandbox, env: dict[str, str | None], tmp_path: Path) -> None:
    assert Controller(empty, tmp_path, str(env["FONNTE_RECORD_URL"])).run("fleet", **fleet(40)).result["changed"]
    empty.link(SENDER)
    empty.clear_journal()
    empty.next_otp(OTP)
    # With latency, the requests of both slices overlap.
    empty.set_options(latency=0.01)
    gate = tmp_path / "gate"
    gate.mkdir()
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(start_pod(empty)) for _place in range(2)]
        works: list[Callable[[], Run]] = [
            functools.partial(pod.play_book, slice_of_a_job(place, gate), env=env) for place, pod in enumerate(pods)
        ]
        runs = run_at_once(works)
    empty.set_options(latency=0.0)
    for run in runs:
        assert not [one.result for one in run.reported if one.failed], run.output[-3000:]
    assert count_applied(empty, "/add-device") == dict.fromkeys(map(known(empty), numbers(CREATED)), 1)
    assert count_applied(empty, "/delete-device") == dict.fromkeys(map(known(empty), LEAVING), 1)
    sent = [message["target"] for message in empty.outbox()]
    assert len(sent) == len(set(sent)) == len(numbers(CREATED))
    assert len([entry for entry in empty.journal() if entry["path"] == "/send"]) == len(sent)
    updates = count_applied(empty, "/update-device")
    assert {number: updates[number] for number in map(known(empty), numbers(EXISTING))} == dict.fromkeys(
        map(known(empty), numbers(EXISTING)), 1
    )
    with start_pod(empty) as pod:
        again = pod.play(Task("fonnte_fleet", EXISTING), Task("fonnte_fleet", CREATED), env=env)
        assert [one.changed or one.failed for one in again.reported] == [False, False]


def known(sandbox: Sandbox) -> Callable[[str], str]:
    """Return a function that converts a declared number to the spelling in the service's list."""
    listed = {number[-9:]: number for number in sandbox.devices()}
    return lambda number: listed[number[-9:]]


# Killed


def test_killed_pod_leaves_no_lock_and_loses_no_value(
    empty: Sandbox,
    env: dict[str, str | None],
    record_url: str,
    postgresql_server: Server,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The moment is pseudorandom: up to 20 ms after a request of the run."""
    database, chance = record_url.rpartition("/")[2], random.Random(KILL_SEED)
    machine = Controller(empty, tmp_path, record_url)
    # A value that no later run declares: each update must carry it.
    machine.run("fleet", **fleet(8, webhook=HOOK))
    waited, left_open = [], 0
    for turn in range(KILLS):
        options = {**fleet(9 + turn, quick=turn % 2 == 0), "concurrency": 2}
        # The device list, and at least one update for each device.
        calls = 1 + len(options["devices"])
        empty.set_options(latency=0.01)
        with start_pod(empty) as pod:
            kill_in_the_middle(pod, Task("fonnte_fleet", options), env, chance, calls)
        waited.append(wait_until_unlocked(postgresql_server, database))
        is_open = postgresql_server.execute("SELECT count(*) FROM fonnte_record WHERE open", database) != [(0,)]
        left_open += is_open
        empty.set_options(latency=0.0)
        with start_pod(empty) as pod:
            done = pod.play(Task("fonnte_fleet", options), env=env).only()
        assert not done.failed and done["summary"]["in_doubt"] == 0, done.result
        assert ("ended before it read the response" in json.dumps(done.result)) == is_open, done.result
        check_nothing_is_lost(empty, machine, options)
    record_property("kills", KILLS)
    print(
        f"{KILLS} kills, {left_open} of them with a request under way; "
        f"locks gone after {statistics.median(waited):.3f} s (median), {max(waited):.3f} s (longest)"
    )


def check_nothing_is_lost(sandbox: Sandbox, machine: Controller, options: Json) -> None:
    """Check that the service has each declared and each carried value, and that the record has them without doubt."""
    held = settings_of(sandbox)
    for place, entry in enumerate(options["devices"]):
        device = held[known(sandbox)(entry["device"])]
        assert (device["name"], device["quick"]) == (entry["name"], entry["quick"])
        assert device["webhook"] == (HOOK if place < 8 else ""), entry
    assert set(count_applied(sandbox, "/add-device").values()) == {1}
    assert not machine.run("fleet", **options).result["changed"]
    recorded = machine.run("record_info").result["devices"]
    assert len(recorded) == len(options["devices"]) and not any(one["doubts"] for one in recorded), recorded
