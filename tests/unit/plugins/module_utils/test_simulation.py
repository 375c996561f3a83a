# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several control nodes, one record and the service, in each order of their steps.

Here, all schedules are run:

- of pairs of runs, up to two preemptions; - of pairs of runs and a person in the dashboard, up to two preemptions, of
which one is the person's; - of pairs of runs of which the first one fails at some step, up to one preemption; - of
pairs of runs of which the first one fails, and a person, who acts at each possible step, and no other preemption.

There are 36 pairs, about eleven faults of each and three actions of a person. With a second preemption, the last two
would be about 300,000 schedules, or twenty minutes. Seeds choose some of these, so that all of it takes about two
minutes of one processor. FONNTE_TESTS_PREEMPTIONS=3 tries all of them up to three; FONNTE_TESTS_SEEDS=1000-9000 runs
other seeds.
"""

from __future__ import annotations

import itertools
import os
import random
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.tests.simulation.explore import Explorer, Findings, pair, random_world
from ansible_collections.fonnte.whatsapp.tests.simulation.files import Disk
from ansible_collections.fonnte.whatsapp.tests.simulation.rows import Table
from ansible_collections.fonnte.whatsapp.tests.simulation.scheduler import Fault
from ansible_collections.fonnte.whatsapp.tests.simulation.seeded import BUGS, ON_ROWS
from ansible_collections.fonnte.whatsapp.tests.simulation.service import WRITES
from ansible_collections.fonnte.whatsapp.tests.simulation.suite import FIRST_SEED, LAST_SEED, Record, faults_of, report
from ansible_collections.fonnte.whatsapp.tests.simulation.world import KINDS, PERSONS, Program

# On demand; 0 is the amount that takes a minute.
DEEP = int(os.environ.get("FONNTE_TESTS_PREEMPTIONS", "0"))
SEEDS_PER_TEST = 250
# For each first run: with a person and a fault at once, and one more preemption.
CASES, SAMPLES = 40, 5

STORES: dict[str, t.Callable[[], Explorer]] = {
    # A mark contains the entries whose names are known before the list; in a small record it contains all.
    "files": Explorer,
    "few files": lambda: Explorer(Disk(max_marked=100)),
    "rows": lambda: Explorer(Table()),
}


def search(explorer: Explorer, cases: t.Iterable[tuple[list[Program], list[Fault]]], bound: int) -> Findings:
    """Try all schedules of some programs with their faults."""
    total = Findings()
    for programs, faults in cases:
        total.include(explorer.explore(programs, bound, faults))
    return total


def distinct_faults_of(explorer: Explorer, programs: list[Program]) -> t.Iterator[list[Fault]]:
    """Yield a crash after each change that is visible to other nodes, and each lost request and response.

    A crash at another step has the same outcome as the previous one, if no other run is in between.
    """
    before = "nonce"
    for step, label in enumerate(explorer.steps(programs)):
        verb, _space, path = label.partition(" ")
        writes = verb in ("send", "response") and path in WRITES
        if (
            before.partition(" ")[0] in ("write", "append", "rename", "remove", "nonce")
            or verb == "response"
            and writes
        ):
            yield [Fault(0, step, "crash")]
        if writes:
            yield [Fault(0, step, "lost")]
        before = label


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("first", KINDS)
def test_pairs_of_runs_agree_with_one_order(store: str, first: str, record_property: Record) -> None:
    explorer = STORES[store]()
    bound = max(DEEP, 2 if store == "files" else 1)
    report(record_property, search(explorer, ((pair(first, second), []) for second in KINDS), bound))


@pytest.mark.parametrize("first", KINDS)
def test_failed_run_leaves_no_false_state(first: str, record_property: Record) -> None:
    """It crashes at each step, and each of its writes is refused, lost, not answered, or carried out late."""
    explorer = Explorer()
    cases = ((pair(first, second), fault) for second in KINDS for fault in faults_of(explorer, pair(first, second)))
    report(record_property, search(explorer, cases, DEEP or 1))


@pytest.mark.parametrize("first", KINDS)
def test_changes_in_the_dashboard_are_handled(first: str, record_property: Record) -> None:
    """Devices are renumbered, swapped, deleted and created manually, at each step of two runs."""
    explorer, total = Explorer(), Findings()
    for second, action in itertools.product(KINDS, PERSONS[1:]):
        total.include(explorer.explore_with_person([*pair(first, second), Program(action)], DEEP or 2))
    report(record_property, total)


@pytest.mark.parametrize("first", KINDS)
def test_person_and_fault_together(first: str, record_property: Record) -> None:
    """First without other preemptions and with the person at each step; then with others that a fixed seed chooses."""
    explorer, total = Explorer(), Findings()
    cases = []
    for second in KINDS:
        programs = pair(first, second)
        for faults, action in itertools.product(distinct_faults_of(explorer, programs), PERSONS[1:]):
            total.include(explorer.explore_with_person([*programs, Program(action)], DEEP or 1, faults))
        cases += [
            ([*programs, Program(action)], faults)
            for faults, action in itertools.product(faults_of(explorer, programs), PERSONS[1:])
        ]
    chance = random.Random(first)
    for programs, faults in chance.sample(cases, CASES):
        total.include(explorer.sample(programs, 2, faults, chance, SAMPLES))
    report(record_property, total)


@pytest.mark.parametrize("start", range(FIRST_SEED, LAST_SEED, SEEDS_PER_TEST))
def test_three_nodes_at_random(start: int, record_property: Record) -> None:
    """With fleets, clocks that differ by up to an hour, faults and persons. The same seed gives the same run."""
    explorer, total = Explorer(), Findings()
    for seed in range(start, min(start + SEEDS_PER_TEST, LAST_SEED)):
        total.add(random_world(explorer, seed), f"seed {seed}")
    report(record_property, total)


@pytest.mark.parametrize("name", BUGS)
def test_seeded_bug_is_found(name: str, record_property: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]

    def explorer() -> Explorer:
        return STORES["rows" if name in ON_ROWS else "files"]()

    right = bug.search(explorer())
    assert not right.problem and right.schedules > 1
    bug.seed(monkeypatch)
    found = bug.search(explorer())
    assert found.problem, f"{found.schedules} schedules have not found it"
    record_property("found after", found.schedules)
    print(f"{name}: found after {found.schedules} schedules: {found.problem}")


def test_schedule_is_repeatable() -> None:
    explorer = Explorer()
    traces = [random_world(explorer, 7).schedule.trace for _run in range(3)]
    assert traces[0] == traces[1] == traces[2] and len(traces[0]) > 20
