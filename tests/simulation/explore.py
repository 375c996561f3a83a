# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all schedules of some programs up to a number of preemptions."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass, field

from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import Desired

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
    """What an exploration has come to.

    Attributes:
        schedules: How many were run.
        problem: The first property that did not hold, and the schedule that shows it; empty for none.
    """

    schedules: int = 0
    problem: str = ""
    violations: int = 0
    traces: list[str] = field(default_factory=list)


def prepare(disk: Disk | Table) -> tuple[Disk | Table, dict[str, dict[str, str]]]:
    """Return the record and the devices after an earlier run on the first device."""
    world = World([Program("earlier")], {}, disk=disk, devices=DEVICES)
    node = Node(0, "earlier", lambda _node: None)
    schedule = Schedule([node])
    program = Program("earlier", (Desired(FIRST, settings={"name": "Toko", "quick": False}),))
    world.run_program(node, program, schedule)
    return world.disk, world.service.devices


class Explorer:
    """Runs schedules, and counts them."""

    def __init__(self, disk: Disk | Table | None = None) -> None:
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
            found.schedules += 1
            if world.problems:
                found.violations += 1
                found.problem = found.problem or f"{world.problems} {preemptions} {list(faults)}"
                found.traces = found.traces or [f"{index}: {label}" for index, label in world.schedule.trace]
                if stop:
                    return found
            if len(preemptions) < bound:
                for number in range(max(preemptions, default=-1) + 1, len(world.schedule.others)):
                    todo += [{**preemptions, number: other} for other in world.schedule.others[number]]
        return found

    def steps(self, programs: t.Sequence[Program]) -> list[str]:
        """Return the steps of the first node, where no other one comes in between."""
        return self.world(programs, {}).schedule.nodes[0].labels


def pair(first: str, second: str) -> list[Program]:
    """Return the programs of two nodes that work on one number."""
    target = NEW if "create" in (first, second) else FIRST
    return [make_program(first, 0, target), make_program(second, 1, target)]


def random_world(explorer: Explorer, seed: int) -> World:
    """Run three nodes in an order that a seed decides, with clocks that differ, and perhaps a fault or a person."""
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
