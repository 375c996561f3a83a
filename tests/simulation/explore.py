# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all schedules of some programs up to a number of preemptions."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass, field

from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import Desired

from .database import Database
from .files import Disk
from .names import FIRST, NEW, SECOND, TOKENS
from .rows import Table
from .scheduler import Fault, Node, Schedule
from .service import DEFAULTS
from .world import KINDS, PERSONS, Program, World, make_program

DEVICES = {
    TOKENS[FIRST]: {**DEFAULTS, "device": FIRST, "name": "Toko"},
    TOKENS[SECOND]: {**DEFAULTS, "device": SECOND, "name": "Dua"},
}


@dataclass
class Findings:
    """The results of an exploration.

    Attributes:
        schedules: The number of schedules that were run.
        problem: The first property that did not hold, and the schedule that shows it; empty if all hold.
    """

    schedules: int = 0
    problem: str = ""
    violations: int = 0
    traces: list[str] = field(default_factory=list)

    def add(self, world: World, name: str) -> None:
        """Count a schedule that was run. The name shows how to run it again."""
        self.schedules += 1
        if world.problems:
            self.violations += 1
            self.problem = self.problem or f"{world.problems} {name}"
            self.traces = self.traces or [f"{index}: {label}" for index, label in world.schedule.trace]

    def include(self, other: Findings) -> None:
        """Add the findings of another exploration."""
        self.schedules += other.schedules
        self.violations += other.violations
        if other.problem and not self.problem:
            self.problem, self.traces = other.problem, other.traces


def prepare(disk: Disk | Table | Database) -> tuple[Disk | Table | Database, dict[str, dict[str, str]]]:
    """Return the record and the devices after an earlier run on the first device."""
    world = World([Program("earlier")], {}, disk=disk, devices=DEVICES)
    node = Node(0, "earlier", lambda _node: None)
    schedule = Schedule([node])
    program = Program("earlier", (Desired(FIRST, settings={"name": "Toko", "quick": False}),))
    world.run_program(node, program, schedule)
    return world.disk, world.service.devices


class Explorer:
    """Runs schedules and counts them."""

    def __init__(self, disk: Disk | Table | Database | None = None) -> None:
        self.disk, self.devices = prepare(disk if disk is not None else Disk())

    def world(self, programs: t.Sequence[Program], preemptions: t.Mapping[int, int], **more: t.Any) -> World:
        """Run one schedule."""
        return World(programs, preemptions, disk=self.disk, devices=self.devices, **more).run()

    def explore(
        self,
        programs: t.Sequence[Program],
        bound: int,
        faults: t.Sequence[Fault] = (),
        skews: t.Sequence[float] = (),
        limit: int = 10**9,
        stop: bool = True,
    ) -> Findings:
        """Run all schedules up to a number of preemptions, or up to a limit of schedules."""
        found = Findings()
        todo: list[dict[int, int]] = [{}]
        while todo and found.schedules < limit:
            preemptions = todo.pop()
            world = self.world(programs, preemptions, faults=faults, skews=skews)
            found.add(world, f"{preemptions} {list(faults)}")
            if world.problems and stop:
                return found
            if len(preemptions) < bound:
                for number in range(max(preemptions, default=-1) + 1, len(world.schedule.others)):
                    todo += [{**preemptions, number: other} for other in world.schedule.others[number]]
        return found

    def explore_with_person(
        self, programs: t.Sequence[Program], bound: int, faults: t.Sequence[Fault] = (), stop: bool = True
    ) -> Findings:
        """Run all schedules up to a number of preemptions, in which a person, the last program, acts at some step.

        The person has one step, which changes only the devices at the service. Two positions of this step with no
        request between them have the same outcome, so it is tried before each request that the service carries out. It
        is also tried before the first step of each run, since a run that begins later must follow it in the model.
        """
        found = Findings()
        person = len(programs) - 1
        todo: list[dict[int, int]] = [{}]
        while todo:
            preemptions = todo.pop()
            schedule = self._judge(found, programs, preemptions, faults)
            if found.problem and stop:
                return found
            acts = person in preemptions.values()
            for number in range(max(preemptions, default=-1) + 1, len(schedule.others)):
                label, is_first = schedule.asked[number]
                for other in schedule.others[number]:
                    # One preemption is reserved for the person.
                    if (
                        other == person
                        and not acts
                        and (is_first or label.startswith("send"))
                        or other != person
                        and len(preemptions) + (not acts) < bound
                    ):
                        todo.append({**preemptions, number: other})
        return found

    def sample(
        self,
        programs: t.Sequence[Program],
        bound: int,
        faults: t.Sequence[Fault],
        chance: random.Random,
        count: int,
    ) -> Findings:
        """Run some schedules with up to a number of preemptions, each at a random step that a seed determines."""
        found = Findings()
        for _schedule in range(count):
            preemptions: dict[int, int] = {}
            schedule = self._judge(found, programs, preemptions, faults)
            for _preemption in range(chance.randint(1, bound)):
                later = range(max(preemptions, default=-1) + 1, len(schedule.others))
                places = [number for number in later if schedule.others[number]]
                if not places:
                    break
                number = chance.choice(places)
                preemptions = {**preemptions, number: chance.choice(schedule.others[number])}
                schedule = self._judge(found, programs, preemptions, faults)
        return found

    def _judge(
        self,
        found: Findings,
        programs: t.Sequence[Program],
        preemptions: t.Mapping[int, int],
        faults: t.Sequence[Fault],
    ) -> Schedule:
        """Run a schedule, and add it to the findings."""
        world = self.world(programs, preemptions, faults=faults)
        found.add(world, f"{preemptions} {list(faults)}")
        return world.schedule

    def steps(self, programs: t.Sequence[Program]) -> list[str]:
        """Return the steps of the first node if no other node runs in between."""
        return self.world(programs, {}).schedule.nodes[0].labels


def pair(first: str, second: str) -> list[Program]:
    """Return the programs of two nodes that work on one number."""
    target = NEW if "create" in (first, second) else FIRST
    return [make_program(first, 0, target), make_program(second, 1, target)]


def random_world(explorer: Explorer, seed: int) -> World:
    """Run three nodes in a random order from a seed, with different clocks, and perhaps a fault or a person."""
    chance = random.Random(seed)
    kinds = [chance.choice((*KINDS, "fleet")) for _node in range(3)]
    programs = [make_program(kind, index, FIRST) for index, kind in enumerate(kinds)]
    person = chance.choice(("", "", "", *PERSONS))
    if person:
        programs.append(Program(person))
    faults = []
    if chance.random() < 0.4:
        faults = [Fault(chance.randrange(3), chance.randrange(30), chance.choice(("crash", "lost", "late", "refused")))]
    skews = [chance.choice((-3600.0, -30.0, 0.0, 30.0, 3600.0)) for _node in programs]
    return explorer.world(programs, {}, faults=faults, skews=skews, chance=chance)
