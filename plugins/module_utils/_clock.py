# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The time, in the form in which records and results hold it."""

from __future__ import annotations

from datetime import datetime, timezone

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


def stamp() -> str:
    """Return the time as text."""
    return now().strftime(TIME_FORMAT)


def age(at: str | None, moment: datetime) -> float:
    """Return the seconds from a time of the record to a moment; infinity where there is no such time."""
    try:
        then = datetime.strptime(at or "", TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return float("inf")
    return (moment - then).total_seconds()


def expired(at: str | None, max_age: float | None, moment: datetime) -> bool:
    """Tell whether a time of the record is longer ago than the seconds given; what has no date has no age."""
    if max_age is None or at is None:
        return False
    # A record from the future is one whose age nobody knows.
    return not 0 <= age(at, moment) <= max_age


def unix_to_text(seconds: int | None) -> str | None:
    """Return unix seconds as text; None for none, and for what no calendar holds."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime(TIME_FORMAT)
    except (ValueError, OverflowError, OSError):
        return None
