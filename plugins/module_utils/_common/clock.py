# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Clocks: UTC times in the format of records and results, and the ages of data in a process."""

from __future__ import annotations

import itertools
import time
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
DAY_SECONDS = 86400
# The reference for the order of times: no valid time is later.
LAST_TIME = datetime.max.replace(tzinfo=timezone.utc)


# A clock that measures ages: it returns the seconds since any fixed moment.
Clock = t.Callable[[], float]


def choose_steady_clock(source: t.Any = time) -> Clock:
    """Return a clock that counts the time of a suspended machine (CLOCK_BOOTTIME), or else the monotonic clock.

    Args:
        source: The module time, or a replacement of it.
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


# After an hour of suspension, a laptop must not use an old response as a new one.
read_steady_clock = choose_steady_clock()


@dataclass(frozen=True)
class Timer:
    """The clock of a wait, in seconds, and the function that pauses it."""

    clock: Clock = read_steady_clock
    pause: t.Callable[[float], None] = time.sleep


_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Moment:
    """A moment in this process. A steady clock measures its age; its order in relation to others needs no clock.

    Attributes:
        steady: The time on the steady clock, in seconds.
        number: A number that is higher for a later moment.
        clock: The steady clock.
    """

    steady: float
    number: int
    clock: Clock = field(default=read_steady_clock, repr=False, compare=False)

    @classmethod
    def now(cls, clock: Clock = read_steady_clock) -> Moment:
        """Return the current moment."""
        return cls(clock(), next(_NUMBERS), clock)

    def age(self) -> float:
        """Return the age in seconds, on the steady clock."""
        return self.clock() - self.steady

    def is_before(self, other: Moment) -> bool:
        """Return whether this moment is earlier than another one of this process."""
        return self.number < other.number


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(timezone.utc)


def now_text() -> str:
    """Return the current time in UTC as a string."""
    return now().strftime(TIME_FORMAT)


def age(at: str | None, moment: datetime) -> float:
    """Return the seconds from a time in the record to a moment; infinity if the time is missing or invalid."""
    try:
        then = datetime.strptime(at or "", TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return float("inf")
    return (moment - then).total_seconds()


def within(at: str | None, seconds: float, moment: datetime) -> bool:
    """Return whether a time in the record is at most so old. A time in the future is not: its age is unknown."""
    return 0 <= age(at, moment) <= seconds


def expired(at: str | None, max_age: float | None, moment: datetime) -> bool:
    """Return whether a time in the record is older than max_age, or in the future; False if either value is None."""
    return max_age is not None and at is not None and not within(at, max_age, moment)


def unix_to_text(seconds: int | None) -> str | None:
    """Return a unix time as a string; None for None or for a time outside the range of the calendar."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime(TIME_FORMAT)
    except (ValueError, OverflowError, OSError):
        return None
