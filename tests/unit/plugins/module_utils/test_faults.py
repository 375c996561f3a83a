# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of docs/faults.md: what the page says is what happens."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.faults.database import ON_A_DATABASE, SAMPLE, emptied_database
from ansible_collections.fonnte.whatsapp.tests.faults.document import counts
from ansible_collections.fonnte.whatsapp.tests.faults.playing import Stage, Verdict
from ansible_collections.fonnte.whatsapp.tests.faults.tables import CELLS, Cell, read, text_of
from ansible_collections.fonnte.whatsapp.tests.postgresql import Server
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

PAGE = Path(__file__).parents[4] / "docs" / "faults.md"
README = PAGE.parents[1] / "README.md"
WRITTEN = read(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stage(running_sandbox: Sandbox) -> t.Iterator[Stage]:
    with Sandbox() as elsewhere:
        yield Stage(running_sandbox, elsewhere)


@pytest.fixture(scope="module")
def database_stage(running_sandbox: Sandbox, postgresql_server: Server) -> t.Iterator[Stage]:
    with Sandbox() as elsewhere:
        yield Stage(running_sandbox, elsewhere, emptied_database(postgresql_server))


def _parameters() -> t.Iterator[t.Any]:
    for cell in CELLS:
        quick = cell.section == "fonnte_device" and not cell.slow
        yield pytest.param(cell, id="/".join(cell.key), marks=[] if quick else [pytest.mark.long])


# All of them are run by make faults.
CHOSEN = ON_A_DATABASE if os.environ.get("FONNTE_TESTS_FAULTS") == "all" else SAMPLE


@pytest.mark.parametrize("cell", list(_parameters()))
def test_what_the_page_says_is_what_happens(stage: Stage, cell: Cell) -> None:
    assert text_of(cell.play(stage)) == WRITTEN[cell.key]


@pytest.mark.long
@pytest.mark.parametrize("cell", CHOSEN, ids=["/".join(cell.key) for cell in CHOSEN])
def test_the_same_happens_with_a_record_in_a_database(database_stage: Stage, cell: Cell) -> None:
    assert text_of(cell.play(database_stage)) == WRITTEN[cell.key]


def test_the_page_is_whole_and_its_counts_are_of_its_cells() -> None:
    assert list(WRITTEN) == [cell.key for cell in _in_order()]
    verdicts = {key: [Verdict(word) for word in text.split(", ")] for key, text in WRITTEN.items()}
    assert f"\n{len(ON_A_DATABASE)} cells of the modules" in PAGE.read_text(encoding="utf-8")
    for page in (PAGE, README):
        assert counts(verdicts) in page.read_text(encoding="utf-8"), f"write into {page.name}: {counts(verdicts)}"


def _in_order() -> list[Cell]:
    """Return the cells as a reader meets them: by section, row and column."""
    sections = list(dict.fromkeys(cell.section for cell in CELLS))
    rows = list(dict.fromkeys((cell.section, cell.row) for cell in CELLS))
    return sorted(CELLS, key=lambda cell: (sections.index(cell.section), rows.index((cell.section, cell.row))))
