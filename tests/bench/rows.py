# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows to measure: implementation, work, size, latency, and the number of rounds."""

from __future__ import annotations

from dataclasses import dataclass

from .implementations import (
    ACCOUNTS,
    AUDIT,
    DATABASES,
    DISCONNECT,
    EMPTY,
    FLEET,
    FLOOR,
    FLOOR_ONE,
    IN_ACCOUNT,
    IN_PROCESS,
    MAKE,
    NOTHING,
    ORDINARY,
    PROVISION,
    PROVISION_ACCOUNTS,
    SEND,
    TENTH,
    URI,
    URI_ONE_LIST,
)


@dataclass(frozen=True)
class Row:
    """One row to measure.

    Attributes:
        latency: The latency of the service for each request, in milliseconds.
        rounds: The number of rounds in which it is measured.
        check: Whether it runs in check mode.
    """

    way: str
    work: str = NOTHING
    size: int = 0
    latency: int = 0
    rounds: int = 3
    check: bool = False

    @property
    def name(self) -> str:
        """The name of the row on the command line."""
        words = [self.way] if self.way == EMPTY else [self.way, self.work, str(self.size), f"{self.latency}ms"]
        return "/".join([*words, *(["check"] if self.check else [])])


WORKS = (NOTHING, TENTH, MAKE)
LATENCIES = (0, 50)


def _grid(
    ways: tuple[str, ...], works: tuple[str, ...], size: int, latencies: tuple[int, ...], rounds: int
) -> list[Row]:
    return [Row(way, work, size, latency, rounds) for latency in latencies for work in works for way in ways]


SLOW = (URI, ORDINARY)
QUICK_WAYS = (IN_PROCESS, FLEET, FLOOR, FLOOR_ONE)

# A loop of 100 that starts a process for each item takes half a minute and more, so it has few rounds.
FULL: tuple[Row, ...] = (
    Row(EMPTY, rounds=5),
    *_grid(SLOW, WORKS, 10, (0,), 2),
    *_grid(SLOW, WORKS, 10, (50,), 1),
    *_grid((URI_ONE_LIST,), (NOTHING,), 10, LATENCIES, 3),
    *_grid(QUICK_WAYS, WORKS, 10, LATENCIES, 3),
    *_grid(SLOW, (NOTHING,), 100, (0,), 2),
    *_grid(SLOW, (TENTH, MAKE), 100, (0,), 1),
    *_grid((URI_ONE_LIST,), (NOTHING,), 100, LATENCIES, 3),
    *_grid(QUICK_WAYS, WORKS, 100, LATENCIES, 3),
    *_grid((IN_PROCESS,), WORKS, 1000, (0,), 1),
    *_grid((IN_PROCESS,), (DISCONNECT, SEND), 1000, (0,), 2),
    *_grid((FLEET, FLOOR), WORKS, 1000, LATENCIES, 3),
    *_grid((FLEET, FLOOR), (NOTHING,), 10000, LATENCIES, 3),
    *_grid((FLEET, FLOOR), (TENTH, MAKE), 10000, (0,), 1),
    *_grid(tuple(DATABASES), (NOTHING, MAKE), 1000, (0,), 3),
    *_grid(tuple(DATABASES), (NOTHING,), 10000, (0,), 3),
    *(Row(PROVISION, NOTHING, size) for size in (1, 1000)),
    *_grid((PROVISION, FLOOR), (MAKE,), 300, (50,), 3),
    *(Row(PROVISION, work, IN_ACCOUNT, 50) for work in (NOTHING, MAKE)),
    *(Row(PROVISION_ACCOUNTS, work, ACCOUNTS * IN_ACCOUNT, 50) for work in (NOTHING, MAKE)),
    Row(AUDIT, NOTHING, 1000),
    *(Row(IN_PROCESS, work, 100, rounds=1, check=True) for work in WORKS),
    *(Row(FLEET, work, 1000, rounds=1, check=True) for work in WORKS),
    Row(FLEET, NOTHING, 10000, rounds=1, check=True),
)

# The omitted parts of the grid of all implementations, works, sizes and latencies, with reasons.
LEFT_OUT = (
    "Loops that start a process for each device (`uri`, ordinary module) are measured with 10 devices, and with 100 "
    "without latency: 1,000 would take a quarter of an hour.",
    "The in-process loop is measured with 1,000 devices without latency only: sequential requests of 50 ms add 100 "
    "seconds to creating them, for every client.",
    "The record in a database is measured without latency of the service: the two add up.",
    "`fonnte_fleet` creates and changes 10,000 devices without latency only: 20,000 requests of 50 ms, 16 at a time, "
    "add a minute.",
)

QUICK: tuple[Row, ...] = (
    Row(EMPTY, rounds=2),
    *_grid((URI, ORDINARY, IN_PROCESS, FLEET, FLOOR), (NOTHING,), 10, (0,), 1),
    *_grid((IN_PROCESS, FLEET, FLOOR, FLOOR_ONE), (NOTHING,), 100, (0,), 2),
    *_grid((FLEET, FLOOR), (NOTHING,), 1000, (0,), 2),
    *_grid((IN_PROCESS,), (DISCONNECT, SEND), 1000, (0,), 1),
    *_grid((FLEET, FLOOR), (MAKE,), 1000, (50,), 1),
    Row(FLEET, MAKE, 1000, rounds=1, check=True),
)
