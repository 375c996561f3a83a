# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite "surroundings": the main operations in the environments that start them."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.control_nodes import ControlNode
from ansible_collections.fonnte.whatsapp.tests.conformance.environments import FACTORS, absent, possible
from ansible_collections.fonnte.whatsapp.tests.conformance.operations import OPERATIONS
from ansible_collections.fonnte.whatsapp.tests.conformance.pairwise import Row, pairs_of
from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.conformance.selection import (
    ROWS,
    WITH_OPERATION,
    combined,
    label,
    pairwise,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.verdicts import WRONG, carry_out
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

# The directory of the verdicts for the page, as JSON files.
CELLS = os.environ.get("FONNTE_TESTS_CELLS")


def test_rows_contain_each_pair_of_values() -> None:
    """An independent count of the pairs of values that can be combined."""
    factors = {name: values for name, values in combined().items() if name != "operation"}
    wanted = {
        frozenset([(one, first), (other, second)])
        for one, other in itertools.combinations(factors, 2)
        for first, second in itertools.product(factors[one], factors[other])
    }
    held = set().union(*map(pairs_of, pairwise()))
    assert all(not possible(dict(pair)) for pair in wanted - held) and len(wanted & held) > 100
    for operation, place in itertools.product(OPERATIONS, WITH_OPERATION):
        assert place[1] not in factors[place[0]] or frozenset([("operation", operation.name), place]) in held


@pytest.fixture
def volume() -> Iterator[Path]:
    """Yield a directory with a short name: Ansible puts sockets below it, whose paths have at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="fs-") as path:
        yield Path(path)


def test_missing_values_are_listed_and_usual_values_exist() -> None:
    """Some machines have no namespaces; the first values of the factors must work on each machine."""
    missing = absent()
    if CELLS:
        rows = [[name, value, why] for (name, value), why in missing.items()]
        (Path(CELLS) / "absent.json").write_text(json.dumps(rows), encoding="utf-8")
    assert not any((name, values[0]) in missing for name, values in FACTORS.items())


# Each value is in several rows: a quarter of them runs for each change.
@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[pytest.mark.weekly] if place % 4 else []) for place, row in enumerate(ROWS)],
    ids=label,
)
def test_operation_in_environment_succeeds_or_is_refused(row: Row, sandbox: Sandbox, volume: Path) -> None:
    """It uses the right fleet and the right paths with valid output, or is refused before its first request."""
    node = ControlNode(sandbox, volume, CORES[row["core"].partition(",")[0]], "job/project")
    with Person(sandbox):
        verdict = carry_out(node, row)
    if CELLS:
        cell = {"row": dict(row), "verdict": verdict.kind, "why": verdict.why}
        (Path(CELLS) / f"{label(row)}.json").write_text(json.dumps(cell), encoding="utf-8")
    assert verdict.kind != WRONG, verdict.why
