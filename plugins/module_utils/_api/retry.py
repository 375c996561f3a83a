# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Retries: how often a request is sent, the delays between the attempts, and the common wait after a rate limit.

urllib3's ``Retry`` counts the retries and computes the delays. Its loop is not used: it has no deadline for the whole
request, and would continue in an abandoned thread. All attempts here run in the thread of the caller, so a request
that the caller has abandoned is not sent again.
"""

from __future__ import annotations

import math
import random
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from urllib3.util.retry import Retry

BACKOFF_SECONDS = 0.5


class RateLimitGate:
    """A gate that delays all attempts of a transport after the service has reported a rate limit."""

    def __init__(self) -> None:
        self._closing = threading.Lock()
        self._opens_at = 0.0

    def close(self, seconds: float) -> None:
        """Delay all attempts for so many seconds."""
        with self._closing:
            self._opens_at = max(self._opens_at, time.monotonic() + seconds)

    def wait(self, deadline: float = math.inf) -> bool:
        """Wait until the gate is open and return True; return False early if it stays closed until the deadline.

        A random delay spreads the requests that were waiting.
        """
        while True:
            left = self._opens_at - time.monotonic()
            if left <= 0:
                return True
            left += random.uniform(0, BACKOFF_SECONDS / 2)
            if time.monotonic() + left >= deadline:
                return False
            time.sleep(left)


class RetryBudget:
    """The attempts of one request, after failures of any kind.

    Attributes:
        deadline: The time at which the request must end, with all its attempts, on the monotonic clock.
    """

    def __init__(self, gate: RateLimitGate, retry: Retry, longest_delay: float, deadline: float) -> None:
        self._gate = gate
        self._retry = retry
        self._longest_delay = longest_delay
        self.deadline = deadline

    def wait_for_next(self, retry_after: float | None = None) -> bool:
        """Count a failed attempt, wait, and return True if another attempt may start.

        Returns False at once if no attempt is left, if the delay is longer than the maximum delay, or if the delay
        would end after the deadline.

        Args:
            retry_after: The delay that the service requests, in seconds; without one, the delays grow exponentially.
        """
        if not self._retry.total:
            return False
        self._retry = self._retry.increment()
        wait = retry_after or self._backoff()
        if wait > self._longest_delay or time.monotonic() + wait >= self.deadline:
            return False
        if wait:
            time.sleep(wait)
        return self._gate.wait(self.deadline) and time.monotonic() < self.deadline

    def _backoff(self) -> float:
        """Return a random delay, so that the retries of many runs do not coincide. The first retry has no delay."""
        return min(self._longest_delay, self._retry.get_backoff_time() * random.uniform(0.5, 1.5))
