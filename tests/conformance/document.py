# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/dev/surroundings.md: a table of operations and environments, from the cells that the tests wrote."""

from __future__ import annotations

import collections
import datetime
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# A cell shows its worst verdict on any core.
WORST_FIRST = ("wrong", "refused", "Ansible", "right")
NOT_HERE = "not here"
Cell = dict[str, Any]
Place = tuple[str, str]


def main() -> None:
    """Write the page from a directory of cells; the directory and the page are the arguments."""
    cells, target = map(Path, sys.argv[1:])
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(cells.glob("*.json"))]
    absent = json.loads((cells / "absent.json").read_text(encoding="utf-8"))
    written = page([cell for cell in found if isinstance(cell, dict)], absent, datetime.date.today())
    target.write_text(written, encoding="utf-8")


def differences(row: Mapping[str, str], usual: Mapping[str, str]) -> list[Place]:
    """Return the values of a row that differ from a shell, without the operation and the core."""
    return [(name, row[name]) for name in usual if name not in ("operation", "core") and row[name] != usual[name]]


def _table(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield a row for each environment that differs from a shell in one value at most."""
    usual = _usual(cells)
    operations = sorted({cell["row"]["operation"] for cell in cells})
    found: dict[Place, dict[str, list[str]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for cell in cells:
        places = differences(cell["row"], usual) or [("started by", usual["started by"])]
        if len(places) == 1:
            found[places[0]][cell["row"]["operation"]].append(cell["verdict"])
    yield "| | environment | %s |" % " | ".join(operations)
    yield "|---|---|%s|" % "|".join("---" for _operation in operations)
    names = list(usual)
    for place in sorted(found, key=lambda place: (names.index(place[0]), place[1] != usual[place[0]], place[1])):
        shown = [_worst(found[place].get(operation, [])) for operation in operations]
        yield "| %s | %s | %s |" % (place[0], place[1], " | ".join(shown))


def _usual(cells: Sequence[Cell]) -> dict[str, str]:
    """Return the row of a shell: the most frequent value of each factor."""
    counted = {name: collections.Counter(cell["row"][name] for cell in cells) for name in cells[0]["row"]}
    return {name: counts.most_common(1)[0][0] for name, counts in counted.items()}


def _cores(cells: Sequence[Cell], usual: Mapping[str, str]) -> list[str]:
    """Return the cores that ran an environment of the table."""
    return sorted({cell["row"]["core"] for cell in cells if len(differences(cell["row"], usual)) == 1})


def _worst(verdicts: Sequence[str]) -> str:
    worst = next((verdict for verdict in WORST_FIRST if verdict in verdicts), NOT_HERE)
    return "**wrong**" if worst == "wrong" else worst


# \x3a is a colon, so that license checkers do not read the line as the license of this file.
TEXT = """\
<!--
Copyright (c) 2026, fonnte.whatsapp contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier\x3a GPL-3.0-or-later
-->

# Operations and the environments that start them

`make surroundings` wrote this page on {date}. It ran {cells} cells: {counts}.

A cell is one operation in one environment, on {cores}, and from a shell also on the oldest one, with and without
`jinja2_native`. A cell that was run on several shows the worst verdict:

- **right**: the right devices were changed, files are in the right place only, the output is valid, and no token is in it.
- **refused**: the operation ended with one sentence before its first request, and wrote nothing.
- **Ansible**: Ansible itself ended the run, before a request was sent.
- **not here**: the machine could not provide the environment, for example because it has no user namespaces.
- **wrong**: anything else. The suite fails then.

{table}

The first environment is a shell on an engineer's machine. Each other row differs from it in one value. "loop" is a
loop over `fonnte_device`, "fleet" one task of `fonnte_fleet`, "inventory" a playbook on the hosts of the inventory
plugin. "group_info" refreshes the groups of a phone, "number_info" checks a number, and "message" is a message to
`group:NAME`, each as one task. "notify" is a failing playbook with the callback, which must send one alert, also to
`group:NAME`. "dropped_off" reports a change since the state of an earlier run. The others are the playbooks of these
names. `ansible_become` applies to the tasks of `loop`, `fleet`, `group_info`, `number_info` and `message`, so Ansible
ends them there.

{pairs} more cells combine values: each two values of two factors occur together in at least one of them. `make test`
runs those on the newest core; `tests/conformance/selection.py` chooses them.

- **runner**: ansible-runner 2.4.3, `run`, and `transmit | worker | process`. Separate tests run the
  project of `docs/awx.md` (`test_ansible_runner.py`) and the units of `docs/systemd.md` (`test_systemd.py`). `make guides` runs
  `docs/awx.md` and `docs/ci.md` in a shell.
- **systemd**: a clean environment with the variables that the unit sets. systemd itself is not started.
- **JSON lines** is a callback of the tests that prints JSON like `ansible.posix.jsonl`. The real ones are separate rows.
- **unknown uid**, **read-only** and **one volume** are user and mount namespaces of Linux, without capabilities.
"""


def page(cells: Sequence[Cell], absent: Sequence[Sequence[str]], date: datetime.date) -> str:
    """Return the page; ``absent`` contains a factor, a value and a reason for each environment that was not run."""
    usual = _usual(cells)
    counts = collections.Counter(cell["verdict"] for cell in cells)
    combined = sum(len(differences(cell["row"], usual)) > 1 for cell in cells)
    return TEXT.format(
        date=date.isoformat(),
        cells=len(cells),
        counts=", ".join("%d %s" % (counts[verdict], verdict) for verdict in reversed(WORST_FIRST)),
        table="\n".join([*_table(cells), *("| %s | %s | %s: %s |" % (*row[:2], NOT_HERE, row[2]) for row in absent)]),
        pairs=combined,
        cores=" and on ".join("the %s ansible-core" % core for core in _cores(cells, usual)),
    )


if __name__ == "__main__":
    main()
