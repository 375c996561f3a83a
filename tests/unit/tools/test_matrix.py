# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the matrix: what is played, what is shown, and what may fail."""

from __future__ import annotations

import datetime
import re

import pytest

from tools import matrix
from tools.counts import Counts
from tools.matrix import CORES, PAGE, PLAYBOOKS, SANITY, TARGET, UNITS, Cell
from tools.paths import ROOT
from tools.runner import Outcome

ALL = matrix.cells(here=lambda minor: minor != 14)


def outcomes(*failed: str) -> dict[str, Outcome]:
    """How all cells ended: those whose name is given failed."""
    stages = [cell.stage for cell in ALL if cell.stage]
    return {stage.name: Outcome(stage, Counts(7, int(stage.name in failed)), 1.0) for stage in stages}


def test_a_stage_is_played_once() -> None:
    names = [cell.stage.name for cell in ALL if cell.stage]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.version)
def test_each_core_has_each_column(core: matrix.Core) -> None:
    columns = {cell.column for cell in ALL if cell.core == core and cell.stage}
    assert columns == {UNITS, PLAYBOOKS, SANITY, TARGET}


def test_a_core_without_a_python_is_shown() -> None:
    cells = matrix.cells(["2.16"], here=lambda minor: False)
    assert [cell.stage for cell in cells] == [None] * 3
    assert "| 2.16.19 | 3.10 | not here |" in matrix.page(cells, {}, datetime.date(2026, 1, 2))


def test_a_target_that_is_not_here_is_shown() -> None:
    cells = matrix.cells(["2.17"], here=lambda minor: minor > 9)
    assert "Python 3.7 is not here" in matrix.page(cells, {}, datetime.date(2026, 1, 2))


def test_a_failure_is_one_unless_it_is_a_candidate_s() -> None:
    assert matrix.good(ALL, outcomes())
    assert not matrix.good(ALL, outcomes("matrix-2.16-py3.10-unit"))
    assert matrix.good(ALL, outcomes("matrix-2.22-py3.13-unit"))
    assert "| **1 failed**, 7 passed |" in matrix.page(ALL, outcomes("matrix-2.22-py3.13-unit"), datetime.date.today())


def test_what_was_not_played_has_not_passed() -> None:
    ended = outcomes()
    del ended["matrix-2.19-py3.11-playbooks"]
    assert not matrix.good(ALL, ended)
    assert "| not played |" in matrix.page(ALL, ended, datetime.date.today())


@pytest.mark.parametrize(("minor", "good"), [("2.16", False), ("2.22", True)])
def test_what_cannot_be_installed_has_not_passed(minor: str, good: bool) -> None:
    table = [matrix._not_installed(cell) if cell.core.minor == minor else cell for cell in ALL]
    assert matrix.good(table, outcomes()) is good
    assert "cannot be installed" in matrix.page(table, outcomes(), datetime.date.today())


def test_nothing_played_is_not_good() -> None:
    assert not matrix.good([], {})
    assert not matrix.good([Cell(CORES[0], 10, UNITS, why_not="not here")], {})


def test_the_readme_tells_the_day_of_the_page() -> None:
    day = re.search(r"wrote this page on (\S+)\.", PAGE.read_text(encoding="utf-8"))
    assert day and day.group(1) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_shows_every_core_on_every_python() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for core in CORES:
        for python in core.controllers:
            count = sum(line.startswith("| %s | 3.%d |" % (core.version, python)) for line in lines)
            # What is between the oldest and the newest may be without a line.
            assert count == 1 or (count == 0 and python == core.controllers[1])
