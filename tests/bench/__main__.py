# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.bench``: measure, print the tables, and with ``--docs`` write the documents."""

from __future__ import annotations

import argparse
import fnmatch
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from ..postgresql import NoServerError, find_installations
from ..sandbox.driver import Sandbox
from . import chart, report
from .figures import Table, summary
from .implementations import DATABASES, EMPTY
from .measurement import Bench, BenchError, Measure
from .rows import FULL, QUICK, Row

LARGEST_SHARED = 1000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench",
        description="How fast the collection is, against the sandbox. In full it takes about a quarter of an hour, "
        "and writes docs/bench.* and docs/dev/bench.md; with --quick or with rows it only prints.",
    )
    parser.add_argument(
        "rows", nargs="*", help="rows by name or pattern, such as 'fleet/*/1000/*' (see --list); and the empty playbook"
    )
    parser.add_argument("--quick", action="store_true", help="a few rows, in about a minute")
    parser.add_argument("--rounds", type=int, help="how many rounds of every row")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("--folder", type=Path, default=Path(".build/bench"), help=argparse.SUPPRESS)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help=argparse.SUPPRESS)
    return parser


def chosen(patterns: Sequence[str], quick: bool) -> list[Row]:
    """Return the rows to run; the empty playbook is always among them."""
    rows = QUICK if quick else FULL
    wanted = [row for row in rows if row.way == EMPTY or not patterns or _matches(row, patterns)]
    unknown = [text for text in patterns if not any(_matches(row, [text]) for row in rows)]
    if unknown:
        raise BenchError(f"there is no row {', '.join(unknown)}; see --list")
    return wanted


def _matches(row: Row, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(row.name, pattern) for pattern in patterns)


def measurable(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that can be measured here, and print which cannot."""
    if any(row.way in DATABASES for row in rows):
        try:
            find_installations()
        except NoServerError as exc:
            _say(f"not measured: the record in a database, since no PostgreSQL server can be started here: {exc}")
            return [row for row in rows if row.way not in DATABASES]
    return list(rows)


def measure(bench: Bench, rows: Sequence[Row], rounds: int | None) -> Table:
    """Run all rows, round by round, so that other load on the machine affects all of them."""
    measures: dict[Row, list[Measure]] = {row: [] for row in rows}
    for number in range(max(rounds or row.rounds for row in rows)):
        for row in rows:
            if number < (rounds or row.rounds):
                began = time.monotonic()
                measures[row].append(bench.measure(row))
                took = measures[row][-1].seconds
                _say(f"round {number + 1}  {row.name:<32} {took:7.2f} s  (in all {time.monotonic() - began:.0f} s)")
    return Table([summary(row, ones) for row, ones in measures.items()])


def capacity(bench: Bench, rows: Sequence[Row]) -> dict[str, float]:
    """Return the throughput of the sandbox, for the sizes that are measured."""
    sizes = sorted({row.size for row in rows if row.size})
    found = {
        f"list of {size:,} devices": bench.capacity("/get-devices", size, max(3, min(300, 100_000 // size)))
        for size in sizes
    }
    shared = max((size for size in sizes if size <= LARGEST_SHARED), default=0)
    if shared:
        found["update of a device"] = bench.capacity("/update-device", shared, 2000)
    return found


def _say(text: str) -> None:
    print(text, flush=True)


def run(options: argparse.Namespace) -> None:
    """Measure the selected rows, and print the results."""
    rows = measurable(chosen(options.rows, options.quick))
    before = os.getloadavg()[0]
    with Sandbox() as sandbox:
        bench = Bench(sandbox, options.folder.resolve() / "work")
        served = capacity(bench, rows)
        table = measure(bench, rows, options.rounds)
        bench.clear()
    setting = report.Setting(
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        ansible_core=importlib.metadata.version("ansible-core"),
        system=f"{platform.system()} {platform.machine()}",
        load=(before, os.getloadavg()[0]),
        capacity=served,
    )
    _say("\n" + report.terminal(setting, table))
    folder = options.folder if options.quick or options.rows else options.docs
    (folder / "bench.json").write_text(report.as_json(setting, table), encoding="utf-8")
    (folder / "bench.md").write_text(report.document(setting, table), encoding="utf-8")
    (folder / "dev").mkdir(exist_ok=True)
    (folder / "dev" / "bench.md").write_text(report.details(setting, table), encoding="utf-8")
    (folder / "bench.svg").write_text(chart.draw(chart.panels(table)), encoding="utf-8")
    _say(f"\nwritten: bench.md, dev/bench.md, bench.svg and bench.json in {folder}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code. A figure that is not reached is printed, and is not a failure."""
    options = _parser().parse_args(arguments)
    try:
        if options.list:
            for row in chosen(options.rows, options.quick):
                _say(row.name)
        else:
            run(options)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
