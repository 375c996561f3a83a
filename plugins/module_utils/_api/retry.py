# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""How often a call is tried, how long it waits in between, and where all calls wait together.

urllib3's ``Retry`` counts the tries and knows the pauses. urllib3's own loop over them is not used: it knows no end of
a whole call, and goes on in a thread that was left behind. Here all of it happens in the thread of whoever makes the
call, so a call that is given up is not tried again by anybody.
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
    """Where all calls of a transport wait, before each of their tries, when the service has asked one for patience."""

    def __init__(self) -> None:
        self._closing = threading.Lock()
        self._opens_at = 0.0

    def close(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._closing:
            self._opens_at = max(self._opens_at, time.monotonic() + seconds)

    def wait(self, deadline: float = math.inf) -> bool:
        """Return True when it is open, or False as soon as it is known to stay closed until the deadline.

        Those who waited do not all go at once.
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
    """The tries of one call, whatever they fail of.

    Attributes:
        deadline: When the call ends with all its tries, by the monotonic clock.
    """

    def __init__(self, gate: RateLimitGate, retry: Retry, longest_delay: float, deadline: float) -> None:
        self._gate = gate
        self._retry = retry
        self._longest_delay = longest_delay
        self.deadline = deadline

    def wait_for_next(self, retry_after: float | None = None) -> bool:
        """Count a failed try, and return True when it is time for another.

        Returns False at once if none is left, if the service asks for more patience than the user has, or if the
        time of the call would be over before.

        Args:
            patience: The seconds that the service asks to wait; without any, the pauses grow from try to try.
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
        """Spread the tries of many runs, so that they do not come back together; the first comes at once."""
        return min(self._longest_delay, self._retry.get_backoff_time() * random.uniform(0.5, 1.5))
