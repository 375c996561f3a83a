# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some schedules of the simulation with the record in a real PostgreSQL database."""

from __future__ import annotations

import contextlib
import random
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.tests.postgresql import Server
from ansible_collections.fonnte.whatsapp.tests.simulation.database import create_database
from ansible_collections.fonnte.whatsapp.tests.simulation.explore import Explorer, Findings, pair, random_world
from ansible_collections.fonnte.whatsapp.tests.simulation.scheduler import Fault
from ansible_collections.fonnte.whatsapp.tests.simulation.suite import FIRST_SEED, LAST_SEED, Record, faults_of, report
from ansible_collections.fonnte.whatsapp.tests.simulation.world import KINDS

# The number of schedules of each pair, and of three nodes at random.
SERVER_SAMPLES, SERVER_SEEDS = 1, 20


@pytest.fixture
def on_a_server(postgresql_server: Server) -> t.Iterator[Explorer]:
    """Return an explorer with the record in a real database, with the queries of the collection."""
    with contextlib.ExitStack() as stack:
        yield Explorer(stack.enter_context(create_database(postgresql_server)))


@pytest.mark.long
@pytest.mark.parametrize("first", KINDS)
def test_some_schedules_on_a_real_server(first: str, on_a_server: Explorer, record_property: Record) -> None:
    """A seed chooses them, since a schedule takes about fifty times as long as with the model of rows."""
    chance, total = random.Random(first), Findings()
    for second in KINDS:
        programs = pair(first, second)
        total.include(on_a_server.sample(programs, 2, [], chance, SERVER_SAMPLES))
        cuts = [[Fault(0, step, "cut")] for step, _label in enumerate(on_a_server.steps(programs))]
        for faults in (chance.choice(cuts), chance.choice(list(faults_of(on_a_server, programs)))):
            total.include(on_a_server.sample(programs, 1, faults, chance, SERVER_SAMPLES))
    record_property("on PostgreSQL", total.schedules)
    report(record_property, total)


@pytest.mark.long
def test_three_nodes_at_random_on_a_real_server(on_a_server: Explorer, record_property: Record) -> None:
    total = Findings()
    for seed in range(FIRST_SEED, min(FIRST_SEED + SERVER_SEEDS, LAST_SEED)):
        total.add(random_world(on_a_server, seed), f"seed {seed}")
    record_property("on PostgreSQL", total.schedules)
    report(record_property, total)
