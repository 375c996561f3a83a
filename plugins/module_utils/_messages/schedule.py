# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The option ``schedule`` of a message: ISO 8601 with an offset, or unix seconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .._common.clock import TIME_FORMAT
from .._common.errors import OptionError

# A later time is probably in milliseconds, or has a wrong year.
MAX_TIMESTAMP = timedelta(days=5 * 365)


_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<minute>\d\d:\d\d)(?P<second>:\d\d)?(?:\.\d+)?\s*"
    r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)


def parse_schedule(value: object, moment: datetime) -> int | None:
    """Return the unix time of a schedule, None for None; raise OptionError if it is invalid, past or too late."""
    if value is None:
        return None
    try:
        then = _unix(value) if re.fullmatch(r"[0-9]{1,15}(\.[0-9]+)?", str(value)) else _iso(str(value))
    except (ValueError, OverflowError, OSError):
        raise OptionError("schedule", "it is not a time", _SCHEDULE_ADVICE) from None
    if then <= moment:
        raise OptionError(
            "schedule",
            f"{then:{TIME_FORMAT}} is in the past",
            f"it is {moment:{TIME_FORMAT}} now: set a later time, or leave it out to send now",
        )
    if then - moment > MAX_TIMESTAMP:
        raise OptionError("schedule", f"it lies in the year {then.year}", "check the year; unix time is in seconds")
    return int(then.timestamp())


_SCHEDULE_ADVICE = "write it with its offset and in quotes, as in '2027-01-31T08:00:00+07:00', or as unix seconds"


def _unix(value: object) -> datetime:
    # The limit is the end of year 9999, so that for milliseconds the error message is about the year.
    return datetime.fromtimestamp(min(int(str(value).partition(".")[0]), 253_402_300_799), timezone.utc)


def _iso(text: str) -> datetime:
    found = _ISO.fullmatch(text.strip())
    if not found:
        raise ValueError
    offset = found.group("offset")
    if not offset:
        raise OptionError("schedule", "it has no time zone", _SCHEDULE_ADVICE)
    local = datetime.strptime(
        f"{found.group('day')} {found.group('minute')}{found.group('second') or ':00'}", "%Y-%m-%d %H:%M:%S"
    )
    return (local - _offset(offset)).replace(tzinfo=timezone.utc)


def _offset(text: str) -> timedelta:
    if text in ("Z", "z"):
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 14 or minutes > 59:
        raise ValueError
    size = timedelta(hours=hours, minutes=minutes)
    return -size if text[0] == "-" else size
