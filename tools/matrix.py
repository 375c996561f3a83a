# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: every ansible-core that the collection is for, on every Python of this machine that it runs on."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from tools import stages, venvs
from tools.counts import Counts
from tools.interpreters import find
from tools.paths import BUILD, ROOT, TREE_ROOT
from tools.runner import Outcome, locked, play, say, set_up
from tools.stages import Context, Stage

PAGE = ROOT / "docs" / "matrix.md"


@dataclass(frozen=True)
class Core:
    """A version of ansible-core, and the Pythons (3.N) that it runs on and that its targets may have."""

    version: str
    controllers: Tuple[int, ...]
    # The one that the unit tests are played on: together the cores have each.
    units_on: int
    oldest_target: int
    # A release candidate is shown, and may fail.
    candidate: bool = False

    @property
    def minor(self) -> str:
        """Return the series: 2.16."""
        return ".".join(self.version.split(".")[:2])


# As the support matrix of ansible-core has it.
CORES: Tuple[Core, ...] = (
    Core("2.16.19", (10, 11, 12), 10, 6),
    Core("2.17.14", (10, 11, 12), 12, 7),
    Core("2.18.19", (11, 12, 13), 11, 8),
    Core("2.19.14", (11, 12, 13), 13, 8),
    Core("2.20.10", (12, 13, 14), 12, 9),
    Core("2.21.5", (12, 13, 14), 13, 9),
    Core("2.22.0rc1", (13, 14, 15), 13, 9, candidate=True),
)
# What the collection supports: a target older than this is none of its.
OLDEST_TARGET = 7

NOT_HERE = "not here"
NOT_INSTALLED = "cannot be installed"
NOT_PLAYED = "not played"


@dataclass(frozen=True)
class Cell:
    """One result of the table: a stage, or why there is none."""

    core: Core
    python: int
    column: str
    stage: Optional[Stage] = None
    why_not: str = ""


def _units(context: Context) -> Counts:
    return stages.units(_alone(context))


def _playbooks(context: Context) -> Counts:
    return stages.conformance(_alone(context))


def _alone(context: Context) -> Context:
    """A stage's functions look for their programs in the environment called newest."""
    names = {"target" if name.startswith("target") else "newest": venv for name, venv in context.venvs.items()}
    return Context(context.name, names, context.tree, context.tree_hash, context.log, context.arguments)


def _on_target(context: Context) -> Counts:
    return stages.integration_on_target(_alone(context))


UNITS, PLAYBOOKS, SANITY, TARGET = "unit tests", "playbooks", "sanity", "modules on the oldest target"


def _venv(core: Core, python: int) -> str:
    return "core-%s-py3.%d" % (core.version, python)


def _stage(
    core: Core,
    python: int,
    column: str,
    run: Callable[[Context], Counts],
    needs: str,
    arguments: Tuple[str, ...] = (),
    more_venvs: Tuple[str, ...] = (),
) -> Stage:
    name = "matrix-%s-py3.%d-%s" % (core.minor, python, column.split()[0].rstrip(","))
    # ansible-test writes into its tree, and keeps one core busy; pytest takes all.
    alone = column in (SANITY, TARGET)
    tree = BUILD / ("tree-%s-%s" % (core.minor, column.split()[0])) if alone else TREE_ROOT
    return Stage(
        name,
        "%s, ansible-core %s, Python 3.%d" % (column, core.version, python),
        run,
        needs,
        venvs=(_venv(core, python),) + more_venvs,
        cores=1 if alone else 2,
        tree=tree,
        arguments=arguments,
    )


def _cells_of(core: Core, here: Callable[[int], bool]) -> Iterator[Cell]:
    """Playbooks on the oldest and the newest Python that is here, all else on one of the two."""
    yield from (Cell(core, python, UNITS, why_not=NOT_HERE) for python in core.controllers if not here(python))
    pythons = [python for python in core.controllers if here(python)]
    if not pythons:
        return
    oldest, newest = pythons[0], pythons[-1]
    units_on = core.units_on if here(core.units_on) else newest
    yield Cell(core, units_on, UNITS, _stage(core, units_on, UNITS, _units, "tests/unit", QUICK_UNITS))
    for python in sorted({oldest, newest}):
        playbooks = _stage(core, python, PLAYBOOKS, _playbooks, "tests/conformance", SMOKE)
        yield Cell(core, python, PLAYBOOKS, playbooks)
    yield Cell(core, newest, SANITY, _stage(core, newest, SANITY, stages.sanity, "plugins"))
    yield _target_cell(core, newest, here)


def _target_cell(core: Core, newest: int, here: Callable[[int], bool]) -> Cell:
    target = max(core.oldest_target, OLDEST_TARGET)
    if not here(target):
        return Cell(core, newest, TARGET, why_not="Python 3.%d is %s" % (target, NOT_HERE))
    venv = "target-py3.%d" % target
    needs = "tests/integration/targets"
    return Cell(core, newest, TARGET, _stage(core, newest, TARGET, _on_target, needs, module_targets(), (venv,)))


QUICK_UNITS = ("tests/unit", "tests/functional", "-m", "not long")
SMOKE = ("tests/conformance", "-m", "smoke")


def module_targets() -> Tuple[str, ...]:
    """Return the integration targets of modules: those of plugins run where Ansible runs."""
    folder = ROOT / "tests" / "integration" / "targets"
    return tuple(sorted(path.name for path in folder.glob("fonnte_*")))


def cells(wanted: Sequence[str] = (), here: Callable[[int], bool] = lambda minor: bool(find(3, minor))) -> List[Cell]:
    """Return the cells of the wanted series of ansible-core, of all when none is named."""
    return [cell for core in CORES if not wanted or core.minor in wanted for cell in _cells_of(core, here)]


def _installable(table: Sequence[Cell]) -> Dict[str, bool]:
    """Set up the environments one by one, so that one that cannot be made leaves the others their results."""
    names = sorted({name for cell in table if cell.stage for name in cell.stage.venvs})
    made = {}
    with locked():
        for name in names:
            try:
                set_up([name])
                made[name] = True
            except venvs.SetUpFailed as error:
                say(str(error))
                made[name] = False
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the matrix, or the named series of ansible-core; print the table, and write it when it is whole."""
    table = cells(arguments)
    if not table:
        say("no such series of ansible-core; there are %s" % ", ".join(core.minor for core in CORES))
        return 2
    made = _installable(table)
    table = [cell if _can_be_played(cell, made) else _not_installed(cell) for cell in table]
    # Those that keep all cores busy first, so that the others find one another.
    ready = sorted(_stages(table), key=lambda stage: -stage.cores)
    outcomes = {outcome.stage.name: outcome for outcome in (play(ready) if ready else [])}
    text = page(table, outcomes, datetime.date.today())
    say("\n" + text[text.index("| ") :])
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
    return 0 if good(table, outcomes) else 1


def _stages(table: Sequence[Cell]) -> List[Stage]:
    return [cell.stage for cell in table if cell.stage]


def _can_be_played(cell: Cell, made: Dict[str, bool]) -> bool:
    return cell.stage is None or all(made[name] for name in cell.stage.venvs)


def _not_installed(cell: Cell) -> Cell:
    return Cell(cell.core, cell.python, cell.column, why_not=NOT_INSTALLED)


def good(table: Sequence[Cell], outcomes: Dict[str, Outcome]) -> bool:
    """Tell whether all that may not fail has passed; a candidate may fail, and what is not here is only shown."""
    counted = [cell for cell in table if not cell.core.candidate and cell.why_not != NOT_INSTALLED]
    failing = [cell for cell in table if not cell.core.candidate and cell.why_not == NOT_INSTALLED]
    ended = [outcomes.get(stage.name) for stage in _stages(counted)]
    return bool(ended) and not failing and all(outcome and not outcome.counts.failed for outcome in ended)


def _shown(cell: Optional[Cell], outcomes: Dict[str, Outcome]) -> str:
    if cell is None:
        return ""
    if cell.stage is None:
        return cell.why_not
    outcome = outcomes.get(cell.stage.name)
    if outcome is None:
        return NOT_PLAYED
    on = " (Python %s)" % cell.stage.venvs[1].rpartition("-py")[2] if cell.column == TARGET else ""
    counts = outcome.counts
    return ("**%d failed**, %d passed" % (counts.failed, counts.passed) if counts.failed else str(counts.passed)) + on


def _rows(table: Sequence[Cell], outcomes: Dict[str, Outcome]) -> Iterator[str]:
    yield "| ansible-core | Python | %s | %s | %s | %s |" % (UNITS, PLAYBOOKS, SANITY, TARGET)
    yield "|---|---|---|---|---|---|"
    by_place = {(cell.core, cell.python, cell.column): cell for cell in table}
    for core, python in sorted({place[:2] for place in by_place}, key=lambda place: (CORES.index(place[0]), place[1])):
        shown = [_shown(by_place.get((core, python, column)), outcomes) for column in COLUMNS]
        yield "| %s | 3.%d | %s |" % (core.version, python, " | ".join(shown))


COLUMNS = (UNITS, PLAYBOOKS, SANITY, TARGET)
# \x3a is a colon: what reads licences would take the line for this file's own.
HEAD = """\
<!--
Copyright (c) 2026, fonnte.whatsapp contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier\x3a GPL-3.0-or-later
-->

# What it was tested with

`make matrix` wrote this page on {date}. A number is how many checks passed; where one failed, it says so.

"""
FOOT = """
- **{units}**: `tests/unit` and `tests/functional` without the long ones, once for each ansible-core; together they have every Python.
- **{playbooks}**: real `ansible-playbook` processes with the built artifact against the sandbox, the tests marked
  `smoke`, on the oldest and the newest Python of each ansible-core.
- **{sanity}**: `ansible-test sanity` without any ignore, once for each ansible-core. It compiles and imports the modules
  with every Python from 3.7 on that is on the machine and that this ansible-core can have on a target.
- **{target}**: `ansible-test integration`, with Ansible on the Python of the row and every module on the oldest Python of
  a target that this ansible-core and this collection allow.

"not here" is a Python that the machine did not have, "not played" what was not run. {candidates} is a release candidate: it may fail, and is shown.
"""


def page(table: Sequence[Cell], outcomes: Dict[str, Outcome], date: datetime.date) -> str:
    """Return the page."""
    candidates = ", ".join("ansible-core %s" % core.version for core in CORES if core.candidate)
    names = {"units": UNITS, "playbooks": PLAYBOOKS, "sanity": SANITY, "target": TARGET}
    rows = "\n".join(_rows(table, outcomes)) + "\n"
    return HEAD.format(date=date.isoformat()) + rows + FOOT.format(candidates=candidates, **names)
