# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: the versions of ansible-core with their Pythons, and the table of docs/matrix.md."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from typing import Dict, Iterator, Tuple

from tools.interpreters import MINORS, available
from tools.paths import RESULTS, ROOT

PAGE = ROOT / "docs" / "matrix.md"
COLUMNS = UNITS, PLAYBOOKS, SANITY, TARGET = "unit tests", "playbooks", "sanity", "modules on the oldest target"


@dataclass(frozen=True)
class Core:
    """A version of ansible-core: the Pythons that it runs on, the one for the unit tests, the oldest of a target."""

    version: str
    controllers: Tuple[str, ...]
    # Together the cores run the unit tests on each Python.
    units_on: str
    # The collection supports 3.7 and newer.
    oldest_target: str
    # A release candidate is in the table, and may fail.
    candidate: bool = False

    def columns(self) -> Dict[str, Tuple[str, ...]]:
        """Return the columns of each Python of this machine: playbooks on the oldest and the newest, others on one."""
        here = [python for python in self.controllers if python in available()]
        if not here:
            return {}
        columns: Dict[str, Tuple[str, ...]] = {python: (PLAYBOOKS,) for python in (here[0], here[-1])}
        columns[here[-1]] += (SANITY, TARGET)
        units_on = self.units_on if self.units_on in here else here[-1]
        columns[units_on] = (UNITS, *columns.get(units_on, ()))
        return columns


# From the support matrix of ansible-core.
CORES: Tuple[Core, ...] = (
    Core("2.16.19", ("3.10", "3.11", "3.12"), "3.10", "3.7"),
    Core("2.17.14", ("3.10", "3.11", "3.12"), "3.12", "3.7"),
    Core("2.18.19", ("3.11", "3.12", "3.13"), "3.11", "3.8"),
    Core("2.19.14", ("3.11", "3.12", "3.13"), "3.13", "3.8"),
    Core("2.20.10", ("3.12", "3.13", "3.14"), "3.12", "3.9"),
    Core("2.21.5", ("3.12", "3.13", "3.14"), "3.13", "3.9"),
    Core("2.22.0rc1", ("3.13", "3.14", "3.15"), "3.13", "3.9", candidate=True),
)
NOT_HERE, NOT_RUN = "not here", "not run"


def rows(results: Dict[str, Dict[str, str]], here: Dict[str, str]) -> Iterator[str]:
    """Yield the lines of the table. ``results`` has the cells of each row, by ``CORE-PYTHON``."""
    yield "| ansible-core | Python | %s |" % " | ".join(COLUMNS)
    yield "|---|---|%s|" % "|".join("---" for _column in COLUMNS)
    for core in CORES:
        planned = core.columns()
        for python in sorted(core.controllers, key=MINORS.index):
            cells = results.get("%s-%s" % (core.version, python), {})
            if python not in here:
                shown = [NOT_HERE, "", "", ""]
            elif python in planned:
                shown = [cells.get(name, NOT_RUN if name in planned[python] else "") for name in COLUMNS]
            else:
                continue
            yield "| %s | %s | %s |" % (core.version, python, " | ".join(shown))


def replace_table(page: str, lines: Iterator[str], date: datetime.date) -> str:
    """Return the page with a new table and a new date."""
    page = re.sub(r"(?m)^\|.*\n(\|.*\n)*", lambda _found: "".join(line + "\n" for line in lines), page, count=1)
    return re.sub(r"wrote this page on \S+\.", "wrote this page on %s." % date.isoformat(), page)


def main() -> None:
    """Write the results of the last run into the page."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS / "matrix").glob("*.json")}
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replace_table(page, rows(found, available()), datetime.date.today()), encoding="utf-8")


if __name__ == "__main__":
    main()
