# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The time, in the form in which records and results hold it."""

from __future__ import annotations

import itertools
import time
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
DAY_SECONDS = 86400


# A clock that measures ages: seconds since any fixed moment.
Clock = t.Callable[[], float]


def choose_steady_clock(source: t.Any = time) -> Clock:
    """Return CLOCK_BOOTTIME, which counts the time of a suspended machine, or the monotonic clock where it is missing.

    Args:
        source: The module time, or a stand-in for it.
    """
    monotonic: Clock = source.monotonic
    number = getattr(source, "CLOCK_BOOTTIME", None)
    if number is None:
        return monotonic
    try:
        source.clock_gettime(number)
    except OSError:
        return monotonic

    def read_boottime() -> float:
        return float(source.clock_gettime(number))

    return read_boottime


# A laptop that was closed for an hour must not take an old response for a new one.
read_steady_clock = choose_steady_clock()


_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Moment:
    """A moment of this process: its age is measured by a steady clock, and its order needs no clock.

    Attributes:
        steady: The result of the steady clock, in seconds.
        number: It is higher for a later moment.
        clock: The steady clock.
    """

    steady: float
    number: int
    clock: Clock = field(default=read_steady_clock, repr=False, compare=False)

    @classmethod
    def now(cls, clock: Clock = read_steady_clock) -> Moment:
        """Return this moment."""
        return cls(clock(), next(_NUMBERS), clock)

    def age(self) -> float:
        """Return the seconds that have passed since, by the steady clock."""
        return self.clock() - self.steady

    def is_before(self, other: Moment) -> bool:
        """Return whether this moment came before another one of this process."""
        return self.number < other.number


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


def now_text() -> str:
    """Return the time as text."""
    return now().strftime(TIME_FORMAT)


def age(at: str | None, moment: datetime) -> float:
    """Return the seconds from a time of the record to a moment; infinity where there is no such time."""
    try:
        then = datetime.strptime(at or "", TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return float("inf")
    return (moment - then).total_seconds()


def within(at: str | None, seconds: float, moment: datetime) -> bool:
    """Tell whether a time of the record is at most so long ago. Of one in the future nobody knows how old it is."""
    return 0 <= age(at, moment) <= seconds


def expired(at: str | None, max_age: float | None, moment: datetime) -> bool:
    """Tell whether a time of the record is longer ago than the seconds given; what has no date has no age."""
    return max_age is not None and at is not None and not within(at, max_age, moment)


def unix_to_text(seconds: int | None) -> str | None:
    """Return unix seconds as text; None for none, and for what no calendar holds."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime(TIME_FORMAT)
    except (ValueError, OverflowError, OSError):
        return None
