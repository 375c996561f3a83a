# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the tests of the simulation: its seeds, the faults of a pair of runs, and the report of the counts."""

from __future__ import annotations

import os
import typing as t

from .explore import Explorer, Findings
from .scheduler import Fault
from .world import Program

FIRST_SEED, LAST_SEED = map(int, os.environ.get("FONNTE_TESTS_SEEDS", "0-1000").split("-"))
Record = t.Callable[[str, object], None]


def report(record_property: Record, found: Findings) -> None:
    """Attach the counts to the test, for the summary line of its stage; fail if a property did not hold."""
    record_property("simulated schedules", found.schedules)
    record_property("violations", found.violations)
    print(f"{found.schedules} schedules, {found.violations} violations")
    assert not found.problem, "\n".join([found.problem, *found.traces])


def faults_of(explorer: Explorer, programs: list[Program]) -> t.Iterator[list[Fault]]:
    """Yield a crash at each step of the first node, and each fault of its requests that write."""
    for step, label in enumerate(explorer.steps(programs)):
        yield [Fault(0, step, "crash")]
        verb, _space, path = label.partition(" ")
        if verb in ("send", "response") and path not in ("/get-devices", "/device"):
            yield [Fault(0, step, "lost")]
            if verb == "send":
                yield from ([Fault(0, step, "late")], [Fault(0, step, "refused")])
