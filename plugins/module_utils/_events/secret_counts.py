# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Counts of the requests by the secret that they used, for the rotation of secrets.

A secret is identified by its place in the option, beginning with 1. No secret is stored here.
"""

from __future__ import annotations

import time
import typing as t

MINUTE = 60.0
MINUTES = 60


class SecretCounts:
    """Counts of requests for each secret: since the start, in the last hour, and since the last report."""

    def __init__(self, secrets: int, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._totals = [0] * secrets
        self._reported = [0] * secrets
        # The counts of each minute in which a request arrived.
        self._minutes: list[dict[int, int]] = [{} for _secret in range(secrets)]

    def count(self, index: int) -> None:
        """Count a request with the secret at an index."""
        self._totals[index] += 1
        minutes = self._minutes[index]
        minute = self._minute()
        minutes[minute] = minutes.get(minute, 0) + 1
        if len(minutes) > MINUTES:
            self._forget_old(minutes)

    def as_data(self) -> dict[str, dict[str, int]]:
        """Return the counts by the place of the secret."""
        for minutes in self._minutes:
            self._forget_old(minutes)
        return {
            str(place): {"requests": total, "last_hour": sum(minutes.values())}
            for place, (total, minutes) in enumerate(zip(self._totals, self._minutes), 1)
        }

    def report(self) -> str:
        """Return the counts since the last report, also those that are zero; empty for a single secret."""
        since = [total - reported for total, reported in zip(self._totals, self._reported)]
        self._reported = list(self._totals)
        if len(since) < 2:
            return ""
        return ", ".join(f"{count} with secret {place}" for place, count in enumerate(since, 1))

    def _minute(self) -> int:
        return int(self._clock() // MINUTE)

    def _forget_old(self, minutes: dict[int, int]) -> None:
        oldest = self._minute() - MINUTES
        for minute in [minute for minute in minutes if minute <= oldest]:
            del minutes[minute]
