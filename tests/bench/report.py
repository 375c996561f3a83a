# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run: Markdown tables, which are also readable on a terminal, and JSON."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .figures import Figure, NotMeasured, Summary, Table, figures, ratio
from .implementations import (
    CONCURRENCY,
    EMPTY,
    FLEET,
    FLOOR,
    FLOOR_ONE,
    FLOORS,
    IN_PROCESS,
    MAKE,
    NOTHING,
    TENTH,
    URI,
    WAYS,
    WORKS,
    tasks,
)
from .rows import LEFT_OUT


@dataclass(frozen=True)
class Setting:
    """The machine and the software of a measurement.

    Attributes:
        load: The load average of a minute, before and after.
        capacity: Requests that the sandbox answers in a second, by their kind.
    """

    date: str
    cores: int
    python: str
    ansible_core: str
    system: str
    load: tuple[float, float]
    capacity: Mapping[str, float]


def table_of(lines: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a Markdown table with aligned columns; the first row is the head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)) for line in lines]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {padded[0]} |", f"|{rule}|", *(f"| {line} |" for line in padded[1:])])


def figures_table(found: Sequence[Figure]) -> str:
    """Return the target figures, and whether they are reached."""
    words = {True: "yes", False: "**no**", None: "not measured"}
    lines = [[one.what, one.to_reach, one.measured, words[one.reached]] for one in found]
    return table_of([["figure", "to reach", "measured", "reached"], *lines])


def rows_tables(table: Table) -> str:
    """Return a table for each size, with a line for each way."""
    sizes = sorted({one.row.size for one in table.summaries if one.row.way != EMPTY})
    texts = []
    for size in sizes:
        ours = [one for one in table.summaries if one.row.size == size and one.row.way != EMPTY]
        order = {name: place for place, name in enumerate(WORKS)}
        ours.sort(key=lambda one: (order[one.row.work], one.row.latency, one.row.check, list(WAYS).index(one.row.way)))
        head = ["work", "latency", "way", "seconds", "beyond empty", "times faster than uri", "to the floor"]
        head += ["API calls", "peak MB", "rounds"]
        texts.append(f"### {size:,} devices\n\n" + table_of([head, *(_line(table, one) for one in ours)]))
    return "\n\n".join(texts)


def _line(table: Table, one: Summary) -> list[str]:
    row = one.row
    return [
        WORKS[row.work] + (", check mode" if row.check else ""),
        f"{row.latency} ms",
        WAYS[row.way],
        f"{one.seconds:.2f}",
        f"{table.extra(one):.2f}",
        _times(table, table.beside(one, URI), one) if row.way not in (URI, *FLOORS) else "",
        _times(table, one, _floor_of(table, one)) if row.way not in FLOORS else "",
        str(sum(one.calls.values())),
        f"{one.megabytes:.0f}",
        str(one.rounds),
    ]


def _floor_of(table: Table, one: Summary) -> Summary | None:
    return table.beside(one, FLOOR if one.row.way.startswith("fleet") else FLOOR_ONE)


def _times(table: Table, longer: Summary | None, shorter: Summary | None) -> str:
    if longer is None or shorter is None:
        return ""
    try:
        times = ratio(table.extra(longer), table.extra(shorter))
    except NotMeasured:
        return ""
    return f"{times:.0f}" if times >= 10 else f"{times:.2f}"


def setting_text(setting: Setting, table: Table) -> str:
    """Describe the machine, the duration of the empty playbook, and the throughput of the sandbox."""
    empty = table.empty
    served = "\n".join(f"- {what}: {rate:,.0f} requests a second" for what, rate in setting.capacity.items())
    return (
        f"Measured on {setting.date} with {setting.cores} cores, Python {setting.python}, ansible-core "
        f"{setting.ansible_core}, {setting.system}; load average {setting.load[0]:.1f} before and {setting.load[1]:.1f} "
        f"after.\nAn empty playbook takes {empty.seconds:.2f} s ({empty.fastest:.2f} to {empty.slowest:.2f}) and "
        f"{empty.megabytes:.0f} MB.\n\nThroughput of the sandbox, with the client on the same cores:\n\n{served}"
    )


def terminal(setting: Setting, table: Table) -> str:
    """Return the text for the terminal."""
    return "\n\n".join([setting_text(setting, table), rows_tables(table), figures_table(figures(table))])


def _yaml(way: str, work: str) -> str:
    # Imported here without its type stubs, which nothing else needs.
    library: Any = importlib.import_module("yaml")
    text = library.safe_dump(tasks(way, work), sort_keys=False, width=1000)
    return f"```yaml\n{text}```"


def document(setting: Setting, table: Table) -> str:
    """Return the page for users: the chart, and tables of run times."""
    return PAGE.format(
        empty=f"{table.empty.seconds:.1f}",
        setting=setting,
        times="\n\n".join(f"## {title}\n\n{_times_table(table, work, latency)}" for title, work, latency in COMPARED),
    )


def _times_table(table: Table, work: str, latency: int) -> str:
    """Return a table with a line for each implementation, and a column for each number of devices."""
    lines = [[name, *(_seconds(table, way, work, size, latency) for size in SIZES)] for way, name in SHOWN.items()]
    head = ["implementation", *(f"{size:,} devices" for size in SIZES)]
    return table_of([head, *(line for line in lines if any(line[1:]))])


def _seconds(table: Table, way: str, work: str, size: int, latency: int) -> str:
    try:
        return f"{table.extra(table.find(way, work, size, latency)):.1f} s"
    except NotMeasured:
        return ""


def details(setting: Setting, table: Table) -> str:
    """Return the page for developers: target figures, the machine, the method and the measured tasks."""
    return DETAILS.format(
        setting=setting_text(setting, table),
        figures=figures_table(figures(table)),
        left_out="\n".join(f"- {text}" for text in LEFT_OUT),
        uri_make=_yaml("uri", MAKE),
        uri_look=_yaml("uri", NOTHING),
        uri_one_list=_yaml("uri-one-list", TENTH),
        loop=_yaml("in-process", NOTHING),
        fleet=_yaml("fleet", NOTHING),
    )


def as_json(setting: Setting, table: Table) -> str:
    """Return all results for programs."""
    found: dict[str, Any] = {
        "machine": asdict(setting),
        "figures": [asdict(one) for one in figures(table)],
        "rows": [{"name": one.row.name, **_numbers(one)} for one in table.summaries],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _numbers(one: Summary) -> dict[str, Any]:
    reported = asdict(one)
    del reported["row"]
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in reported.items()}


# The compared works of the page for users: title, work, and milliseconds for each request.
COMPARED = (
    ("Nothing to change", NOTHING, 0),
    ("One device in ten to change", TENTH, 0),
    ("Create all devices, with 50 ms for each request", MAKE, 50),
)
SIZES = (10, 100, 1000, 10000)
SHOWN = {
    URI: "loop over `ansible.builtin.uri`",
    IN_PROCESS: "loop over `fonnte_device`",
    FLEET: f"`fonnte_fleet`, {CONCURRENCY} requests at a time",
}

# \x3a is a colon: license scanners would take the line for the header of this file.
_LICENSE = """<!--
Copyright (c) 2026, fonnte.whatsapp contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier\x3a GPL-3.0-or-later
-->

"""

PAGE = (
    _LICENSE
    + """# Benchmarks

Compare the run times of loops and of `fonnte_fleet`.

![Bars: the run time of each implementation](bench.svg)

The times are in addition to an empty playbook, which takes {empty} s. They were measured on {setting.date} with a sandbox
on the same machine ({setting.cores} cores, Python {setting.python}, ansible-core {setting.ansible_core}).
Real runs also wait for the network and for Fonnte. An empty cell was not measured.

{times}
"""
)

DETAILS = (
    _LICENSE
    + """# The benchmark

`make bench` writes this page, and [the page for users](../bench.md). It measures run times against the sandbox.

## Figures

{figures}

## Machine

{setting}

## Method

- Each number is the median of several rounds. A round runs all rows in sequence; `bench.json` contains all rows.
- *Beyond empty*: the time of the playbook minus that of an empty playbook; for a floor, the time of its requests.
- The devices are in a JSON file that `--extra-vars` reads. The time includes reading it.
- Ansible has its defaults. The host is the implicit localhost.
- The floor is a plain aiohttp client in a separate process. It sends the same requests, without a record, evidence or check mode.
- *Peak MB*: the largest resident memory of a single process (`ansible-playbook`, its worker or a module), from `ru_maxrss` of `wait4`.
  `bench.json` also has `parent` and `worker`, sampled from `VmHWM` in `/proc` every 20 ms.
- After each run, the benchmark counts the write requests. A run with a wrong number fails.
- *One in ten to change*: each tenth device has a new name.

Not measured:

{left_out}

## Tasks of the implementations

A loop over `ansible.builtin.uri` that creates devices:

{uri_make}

A loop that lists each device, and updates it if its name differs. It cannot detect a webhook that was cleared:

{uri_look}

The same with one list request for all:

{uri_one_list}

A loop over `fonnte_device`; as an ordinary module, with `fonnte_in_process: false`:

{loop}

One task for all devices:

{fleet}
"""
)
