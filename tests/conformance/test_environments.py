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

# Where each verdict is written for the page, as a file of JSON.
CELLS = os.environ.get("FONNTE_TESTS_CELLS")


def test_the_rows_hold_each_pair_of_values() -> None:
    """An independent count: of the values that can be combined, no pair is left out."""
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
    """A directory with a short name: Ansible may put sockets below it, whose paths have at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="fs-") as path:
        yield Path(path)


def test_the_page_lists_the_values_that_are_not_here() -> None:
    """Not every machine has namespaces; the usual values need nothing of the machine."""
    missing = absent()
    if CELLS:
        rows = [[name, value, why] for (name, value), why in missing.items()]
        (Path(CELLS) / "absent.json").write_text(json.dumps(rows), encoding="utf-8")
    assert not any((name, values[0]) in missing for name, values in FACTORS.items())


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_an_operation_in_an_environment(row: Row, sandbox: Sandbox, volume: Path) -> None:
    """The right fleet, the right place and valid output, or one sentence before the first request."""
    node = ControlNode(sandbox, volume, CORES[row["core"].partition(",")[0]], "job/project")
    with Person(sandbox):
        verdict = carry_out(node, row)
    if CELLS:
        cell = {"row": dict(row), "verdict": verdict.kind, "why": verdict.why}
        (Path(CELLS) / f"{label(row)}.json").write_text(json.dumps(cell), encoding="utf-8")
    assert verdict.kind != WRONG, verdict.why
