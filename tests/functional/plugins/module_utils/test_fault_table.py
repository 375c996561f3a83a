# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the cells of docs/dev/faults.md, and compare the outcomes with the page."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.fault_injection.cell_run import Stage, Verdict
from ansible_collections.fonnte.whatsapp.tests.fault_injection.database import ON_A_DATABASE, SAMPLE, emptied_database
from ansible_collections.fonnte.whatsapp.tests.fault_injection.document import counts
from ansible_collections.fonnte.whatsapp.tests.fault_injection.tables import CELLS, Cell, choose_sample, read, text_of
from ansible_collections.fonnte.whatsapp.tests.postgresql import Server
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

PAGE = Path(__file__).parents[4] / "docs" / "dev" / "faults.md"
TEXT = PAGE.read_text(encoding="utf-8")
WRITTEN = read(TEXT)


@pytest.fixture(scope="module")
def stage(running_sandbox: Sandbox) -> t.Iterator[Stage]:
    with Sandbox() as elsewhere:
        yield Stage(running_sandbox, elsewhere)


@pytest.fixture(scope="module")
def database_stage(running_sandbox: Sandbox, postgresql_server: Server) -> t.Iterator[Stage]:
    with Sandbox() as elsewhere:
        yield Stage(running_sandbox, elsewhere, emptied_database(postgresql_server))


# All cells take minutes: they run weekly, and before a release. Otherwise, a sample with each row and column runs.
ALL_CELLS = os.environ.get("FONNTE_TESTS_FAULTS") == "all"


def _is_quick(cell: Cell) -> bool:
    return cell.section == "fonnte_device" and not cell.slow


def _parameters() -> t.Iterator[t.Any]:
    chosen = {cell.key for cell in choose_sample(CELLS)}
    for cell in CELLS:
        if ALL_CELLS or cell.key in chosen:
            yield pytest.param(cell, id="/".join(cell.key), marks=[] if _is_quick(cell) else [pytest.mark.long])


@pytest.mark.parametrize("cell", list(_parameters()))
def test_outcome_of_a_cell_matches_the_page(stage: Stage, cell: Cell) -> None:
    assert text_of(cell.play(stage)) == WRITTEN[cell.key]


ON_A_DATABASE_NOW = ON_A_DATABASE if ALL_CELLS else SAMPLE


@pytest.mark.long
@pytest.mark.parametrize("cell", ON_A_DATABASE_NOW, ids=["/".join(cell.key) for cell in ON_A_DATABASE_NOW])
def test_outcome_with_a_record_in_a_database_matches_the_page(database_stage: Stage, cell: Cell) -> None:
    assert text_of(cell.play(database_stage)) == WRITTEN[cell.key]


def test_sample_has_a_cell_of_each_row_and_column() -> None:
    chosen = {cell.key for cell in choose_sample(CELLS)}
    assert {row for _section, row, _column in chosen} == {cell.row for cell in CELLS}
    assert {(key[0], key[2]) for key in chosen} == {(cell.section, cell.column) for cell in CELLS}
    assert len(chosen) < len(CELLS) / 3


def test_page_is_complete_and_its_counts_match_its_cells() -> None:
    assert list(WRITTEN) == [cell.key for cell in _in_order()]
    verdicts = {key: [Verdict(word) for word in text.split(", ")] for key, text in WRITTEN.items()}
    assert f"\n{len(ON_A_DATABASE)} cells of the modules" in TEXT
    assert counts(verdicts) in TEXT, f"write into {PAGE.name}: {counts(verdicts)}"


def _in_order() -> list[Cell]:
    """Return the cells in the order of the page: by section, row and column."""
    sections = list(dict.fromkeys(cell.section for cell in CELLS))
    rows = list(dict.fromkeys((cell.section, cell.row) for cell in CELLS))
    return sorted(CELLS, key=lambda cell: (sections.index(cell.section), rows.index((cell.section, cell.row))))
