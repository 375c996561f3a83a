# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute medians, ratios and target figures from measurements. This module is pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from .implementations import (
    ACCOUNTS,
    AUDIT,
    EMPTY,
    FLEET,
    FLOOR,
    FLOOR_ONE,
    IN_ACCOUNT,
    IN_PROCESS,
    MAKE,
    NOTHING,
    PROVISION,
    PROVISION_ACCOUNTS,
    URI,
)
from .measurement import Measure
from .rows import Row

KIB_IN_MB = 1e6 / 1024
LISTING = "/get-devices"


@dataclass(frozen=True)
class Summary:
    """The medians of a row's rounds. The requests are those of the round with the most requests.

    Attributes:
        seconds, cpu, largest, parent, worker, call_seconds, call_cpu: As in ``Measure``.
        fastest, slowest: The range of ``seconds``.
    """

    row: Row
    rounds: int
    seconds: float
    fastest: float
    slowest: float
    cpu: float
    calls: Mapping[str, int]
    largest: float
    parent: float
    worker: float
    call_seconds: float
    call_cpu: float

    @property
    def megabytes(self) -> float:
        """The peak memory of the largest process."""
        return self.largest / KIB_IN_MB


def summary(row: Row, measures: Sequence[Measure]) -> Summary:
    """Return the medians of the rounds of a row."""
    numbers = [each.name for each in fields(Measure) if each.name != "calls"]
    medians = {name: statistics.median(getattr(measure, name) for measure in measures) for name in numbers}
    seconds = [measure.seconds for measure in measures]
    calls = max((measure.calls for measure in measures), key=lambda each: sum(each.values()))
    return Summary(row, len(measures), fastest=min(seconds), slowest=max(seconds), calls=calls, **medians)


class Table:
    """The summaries of a run, and values that compare several of them."""

    def __init__(self, summaries: Sequence[Summary]) -> None:
        self.summaries = tuple(summaries)
        self._by_row = {(s.row.way, s.row.work, s.row.size, s.row.latency, s.row.check): s for s in summaries}

    def find(self, way: str, work: str = NOTHING, size: int = 0, latency: int = 0, check: bool = False) -> Summary:
        """Return a row's summary; raise ``NotMeasured`` if the row was not run."""
        try:
            return self._by_row[(way, work, size, latency, check)]
        except KeyError:
            raise NotMeasured from None

    @property
    def empty(self) -> Summary:
        """The summary of the empty playbook."""
        return self.find(EMPTY)

    def extra(self, one: Summary) -> float:
        """Return the seconds of a run beyond the empty playbook; for a floor, those of its requests."""
        return one.call_seconds if one.row.way in (FLOOR, FLOOR_ONE) else one.seconds - self.empty.seconds

    def extra_kib(self, one: Summary) -> float:
        """Return the peak memory in KiB beyond that of the empty playbook."""
        return one.largest - self.empty.largest

    def beside(self, one: Summary, way: str) -> Summary | None:
        """Return the row of another way with the same work, size and latency, if it was measured."""
        return self._by_row.get((way, one.row.work, one.row.size, one.row.latency, one.row.check))


class NotMeasured(Exception):
    """A figure needs a row that was not run."""


@dataclass(frozen=True)
class Figure:
    """A target figure.

    Attributes:
        measured: The measured value in words; empty if the rows were not run.
        reached: None if the rows were not run.
    """

    what: str
    to_reach: str
    measured: str = ""
    reached: bool | None = None


Reading = Callable[[Table], "tuple[str, bool]"]


def ratio(longer: float, shorter: float) -> float:
    """Return how many times longer one duration is.

    Raises:
        NotMeasured: The shorter duration is zero or negative, which noise can cause.
    """
    if shorter <= 0:
        raise NotMeasured
    return longer / shorter


def _calls(one: Summary) -> str:
    return ", ".join(f"{count} {path}" for path, count in sorted(one.calls.items())) or "none"


def _faster_than_uri(table: Table) -> tuple[str, bool]:
    uri, ours = table.find(URI, NOTHING, 100), table.find(IN_PROCESS, NOTHING, 100)
    beyond = ratio(table.extra(uri), table.extra(ours))
    whole = ratio(uri.seconds, ours.seconds)
    return f"{beyond:.0f} times ({whole:.0f} times in whole); {_calls(ours)}", beyond >= 25 and _one_listing(ours)


def _one_listing(one: Summary) -> bool:
    return dict(one.calls) == {LISTING: 1}


def _cpu_of_an_item(table: Table) -> tuple[str, bool]:
    ours, bare = table.find(IN_PROCESS, NOTHING, 100), table.find(FLOOR_ONE, NOTHING, 100)
    milliseconds = (ours.cpu - table.empty.cpu - bare.call_cpu) / 100 * 1000
    return f"{milliseconds:.1f} ms", milliseconds < 10


def _fleet_alone(table: Table) -> tuple[str, bool]:
    fleet = table.find(FLEET, NOTHING, 1000)
    extra = table.extra(fleet)
    return f"{extra:.2f} s; {_calls(fleet)}", extra < 1.0 and _one_listing(fleet)


def _near_the_floor(table: Table) -> tuple[str, bool]:
    fleet, floor = table.find(FLEET, MAKE, 1000, 50), table.find(FLOOR, MAKE, 1000, 50)
    beyond = ratio(table.extra(fleet), table.extra(floor))
    whole = ratio(fleet.seconds, floor.seconds)
    reported = f"{beyond:.2f} ({table.extra(fleet):.2f} s to {table.extra(floor):.2f} s; {whole:.2f} in whole)"
    return reported, beyond <= 1.25


def _ten_times_the_fleet(table: Table) -> tuple[str, bool]:
    large, small = table.find(FLEET, NOTHING, 10000), table.find(FLEET, NOTHING, 1000)
    times = ratio(table.extra(large), table.extra(small))
    return f"{times:.1f} times; {_calls(large)}", times <= 11 and _one_listing(large)


def _memory_of_the_fleet(table: Table) -> tuple[str, bool]:
    large, small = table.find(FLEET, NOTHING, 10000), table.find(FLEET, NOTHING, 1000)
    times = ratio(table.extra_kib(large), table.extra_kib(small))
    return f"{times:.1f} times; {large.megabytes:.0f} MB", times <= 11 and large.megabytes < 250


def _check_mode(table: Table) -> tuple[str, bool]:
    checked = [one for one in table.summaries if one.row.check]
    if not checked:
        raise NotMeasured
    right = [one for one in checked if _one_listing(one)]
    return f"{len(right)} of {len(checked)} rows", len(right) == len(checked)


def _provision_one(table: Table) -> tuple[str, bool]:
    extra = table.extra(table.find(PROVISION, NOTHING, 1))
    return f"{extra:.2f} s", extra <= 0.6


def _provision_to_fleet(table: Table) -> tuple[str, bool]:
    ours, fleet = table.find(PROVISION, NOTHING, 1000), table.find(FLEET, NOTHING, 1000)
    times = ratio(ours.seconds, fleet.seconds)
    return f"{times:.2f} ({ours.seconds:.2f} s to {fleet.seconds:.2f} s)", times <= 1.4


def _provision_to_floor(table: Table) -> tuple[str, bool]:
    ours, floor = table.find(PROVISION, MAKE, 300, 50), table.find(FLOOR, MAKE, 300, 50)
    times = ratio(table.extra(ours), table.extra(floor))
    return f"{times:.2f} ({table.extra(ours):.2f} s to {table.extra(floor):.2f} s)", times <= 1.3


def _accounts_to_one(table: Table) -> tuple[str, bool]:
    # Creating 804 devices is limited by the processors, not by the latency, so it is not compared.
    all_of_them = table.find(PROVISION_ACCOUNTS, NOTHING, ACCOUNTS * IN_ACCOUNT, 50)
    one = table.find(PROVISION, NOTHING, IN_ACCOUNT, 50)
    times = ratio(all_of_them.seconds, one.seconds)
    return f"{times:.2f} ({all_of_them.seconds:.2f} s to {one.seconds:.2f} s)", times <= 1.3


def _audit(table: Table) -> tuple[str, bool]:
    extra = table.extra(table.find(AUDIT, NOTHING, 1000))
    return f"{extra:.2f} s", extra <= 2


def _cpu_of_a_creation(table: Table) -> tuple[str, bool]:
    many, one = table.find(FLEET, MAKE, 1000), table.find(IN_PROCESS, MAKE, 1000)
    many_ms, one_ms = ((row.cpu - table.empty.cpu) / 1000 * 1000 for row in (many, one))
    return f"{many_ms:.1f} ms to {one_ms:.1f} ms", many_ms <= 1.3 * one_ms


FIGURES: tuple[tuple[str, str, Reading], ...] = (
    (
        "loop of 100, nothing to change, compared with a loop over uri, beyond an empty playbook",
        "25 times faster, one listing in all",
        _faster_than_uri,
    ),
    ("the same: CPU of an item beyond the bare calls", "under 10 ms", _cpu_of_an_item),
    ("fleet of 1,000, nothing to change, beyond an empty playbook", "under 1.0 s, one call", _fleet_alone),
    ("fleet of 1,000, create all, 50 ms latency, to the floor", "1.25 or less", _near_the_floor),
    (
        "fleet of 10,000, nothing to change: time beyond an empty playbook, to that of 1,000",
        "11 times or less, one call",
        _ten_times_the_fleet,
    ),
    (
        "the same: memory beyond an empty playbook, to that of 1,000; peak of the largest process",
        "11 times or less; under 250 MB",
        _memory_of_the_fleet,
    ),
    ("playbook provision, 1 device, nothing to change, beyond an empty playbook", "0.6 s or less", _provision_one),
    (
        "playbook provision, 1,000, nothing to change, to fonnte_fleet with variables",
        "1.4 or less",
        _provision_to_fleet,
    ),
    ("playbook provision, create 300, 50 ms latency, to the floor", "1.3 or less", _provision_to_floor),
    (
        f"playbook provision, {ACCOUNTS} accounts of {IN_ACCOUNT}, nothing to change, 50 ms, to one such account",
        "1.3 or less",
        _accounts_to_one,
    ),
    ("playbook audit, 1,000, beyond an empty playbook", "2 s or less", _audit),
    ("CPU of a creation, 16 at a time, to one at a time in a loop", "1.3 times or less", _cpu_of_a_creation),
    ("check mode, loop in-process and fleet: calls", "one listing", _check_mode),
)


def figures(table: Table) -> list[Figure]:
    """Return the figures, as far as their rows were measured."""
    return [_figure(table, what, to_reach, reading) for what, to_reach, reading in FIGURES]


def _figure(table: Table, what: str, to_reach: str, reading: Reading) -> Figure:
    try:
        measured, reached = reading(table)
    except NotMeasured:
        return Figure(what, to_reach)
    return Figure(what, to_reach, measured, reached)
