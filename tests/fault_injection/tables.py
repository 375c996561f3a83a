# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables: their cells, and how they are written to the documents and parsed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .after_request import AFTERWARDS
from .cell_run import Stage, Verdict
from .environment_faults import DAMAGES, MACHINES, OTHERS, WAYS
from .fault_interface import Trouble
from .request_faults import FAULTS, LASTING
from .scenarios import SCENES, Scene

IMPOSSIBLE = "-"
FAULTY = "fault"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        troubles: One fault, or two: once, and for all requests of the run.
    """

    section: str
    row: str
    column: str
    scene: Scene
    troubles: tuple[Trouble, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """The section, row and column."""
        return self.section, self.row, self.column

    @property
    def slow(self) -> bool:
        """Whether it takes seconds."""
        return any(trouble.slow for trouble in self.troubles)

    def play(self, stage: Stage) -> list[Verdict]:
        """Return the outcomes of its faults."""
        return [stage.play(self.scene, trouble) for trouble in self.troubles]


def _faults() -> t.Iterator[Cell]:
    lasting = {fault.name: fault for fault in LASTING}
    for scene in SCENES:
        for fault in FAULTS:
            if fault.at(scene):
                both = (fault, lasting[fault.name]) if fault.name in lasting else (fault,)
                yield Cell(f"fonnte_{scene.module}", fault.name, _call(scene), scene, both)


def _call(scene: Scene) -> str:
    return f"{scene.call.strip('/')} {scene.what}".strip()


def _around(section: str, troubles: t.Sequence[Trouble], with_call: bool = False) -> t.Iterator[Cell]:
    for scene in SCENES:
        for trouble in troubles:
            if trouble.at(scene):
                column = f"fonnte_{scene.module} {_call(scene)}" if with_call else f"fonnte_{scene.module}"
                yield Cell(section, trouble.name, column, scene, (trouble,))


CELLS: tuple[Cell, ...] = (
    *_faults(),
    *_around("The way to the service", WAYS),
    *_around("The machine", MACHINES),
    *_around("The record", DAMAGES, with_call=True),
    *_around("After the request", AFTERWARDS, with_call=True),
    *_around("Others at work", OTHERS, with_call=True),
)


# The number of cells of a column in a sample.
PER_COLUMN = 2


def choose_sample(cells: t.Sequence[Cell]) -> list[Cell]:
    """Return a fixed part of some cells: some of each column of each table, and each row of at least one table.

    A row of a table is a fault, a column is a request of a module. The next column begins one row further down, so the
    sample has different faults for different requests.
    """
    chosen: set[tuple[str, str, str]] = set()
    for number, column in enumerate(_group(cells, lambda cell: (cell.section, cell.column))):
        step = max(1, len(column) // PER_COLUMN)
        chosen.update(cell.key for cell in column[number % step :: step])
    for number, row in enumerate(_group(cells, lambda cell: (cell.row,))):
        if not any(cell.key in chosen for cell in row):
            chosen.add(row[number % len(row)].key)
    return [cell for cell in cells if cell.key in chosen]


def _group(cells: t.Iterable[Cell], by: t.Callable[[Cell], tuple[str, ...]]) -> list[list[Cell]]:
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(by(cell), []).append(cell)
    return list(groups.values())


def text_of(verdicts: t.Iterable[Verdict]) -> str:
    """Return the text of a cell."""
    return ", ".join(verdict.value for verdict in verdicts)


def table(section: str, texts: t.Mapping[tuple[str, str, str], str]) -> str:
    """Return the table of a section in Markdown."""
    cells = [cell for cell in CELLS if cell.section == section]
    columns = list(dict.fromkeys(cell.column for cell in cells))
    rows = list(dict.fromkeys(cell.row for cell in cells))
    lines = [[FAULTY, *columns]]
    lines += [[row, *(texts.get((section, row, column), IMPOSSIBLE) for column in columns)] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    padded = [" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=False)) for line in lines]
    return "\n".join(
        [f"| {padded[0]} |", "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
        + [f"| {line} |" for line in padded[1:]]
    )


def read(document: str) -> dict[tuple[str, str, str], str]:
    """Return the cells of a document, by section, row and column."""
    found: dict[tuple[str, str, str], str] = {}
    section = ""
    columns: list[str] = []
    for line in document.splitlines():
        if line.startswith("## "):
            section, columns = line[3:], []
        elif line.startswith("| "):
            texts = [text.strip() for text in line.strip("| ").split(" | ")]
            if not columns:
                columns = texts[1:]
            else:
                found.update(
                    {(section, texts[0], column): text for column, text in zip(columns, texts[1:], strict=False)}
                )
    return {key: text for key, text in found.items() if text != IMPOSSIBLE}
