# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""urllib3's Retry, with its traps taken out."""

from __future__ import annotations

import random
import time
import typing as t

from ._transport import BACKOFF_SECONDS, BUSY, Gate

if t.TYPE_CHECKING:
    from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError
    from urllib3.util.retry import Retry
else:
    try:
        from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError
        from urllib3.util.retry import Retry
    except ImportError:
        # The file has to be importable; the transport says what is missing before it is used.
        Retry = object


class BoundedRetry(Retry):
    """A Retry that never waits longer than it is told, and repeats no status but the given ones.

    urllib3 alone also repeats a 503 that carries Retry-After whatever the list of statuses says, sleeps
    for hours if a header asks for it, and raises on a header that it cannot read.
    """

    longest_delay = 20.0
    gate: Gate | None = None

    @classmethod
    def make(
        cls,
        tries: int,
        statuses: t.Collection[int],
        after_broken_replies: bool,
        longest_delay: float,
        gate: Gate | None = None,
    ) -> BoundedRetry:
        """Return the policy for one path; longest_delay is in seconds, the gate is shared by all paths."""
        retry = cls(
            total=tries,
            connect=tries,
            read=tries if after_broken_replies else False,
            redirect=False,
            status=tries,
            other=0,
            allowed_methods=frozenset({"POST"}),
            status_forcelist=statuses,
            backoff_factor=BACKOFF_SECONDS,
            raise_on_status=False,
        )
        retry.longest_delay = longest_delay
        retry.gate = gate
        return retry

    def new(self, **kw: t.Any) -> BoundedRetry:
        """Keep the bound over tries: urllib3 copies only what it knows."""
        copy = super().new(**kw)
        copy.longest_delay, copy.gate = self.longest_delay, self.gate
        return copy

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Tell whether a status is repeated: only the statuses of the list are, Retry-After or not."""
        return bool(self.total) and status_code in self.status_forcelist

    def increment(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Give up at once when the service asks for more patience than the user has."""
        response = kwargs.get("response")
        wait = self.get_retry_after(response) if response is not None else None
        if wait is not None and wait > self.longest_delay:
            # With raise_on_status off, urllib3 hands the reply out instead of this error.
            pool: t.Any = kwargs.get("_pool")
            raise MaxRetryError(pool, "", None)
        return super().increment(*args, **kwargs)

    def after_broken_body(self, method: str, url: str, fault: Exception) -> BoundedRetry:
        """Count and wait after a body that broke off, which urllib3 does not see; raise the fault at the end."""
        try:
            following = super().increment(method, url, error=ProtocolError())
        except MaxRetryError:
            raise fault from None
        following.sleep()
        return following

    def get_backoff_time(self) -> float:
        """Spread the tries of many runs, so that they do not come back together."""
        return min(self.longest_delay, super().get_backoff_time() * random.uniform(0.5, 1.5))

    def get_retry_after(self, response: t.Any) -> float | None:
        """Return the seconds that a reply asks to wait; a header that says nothing counts as none."""
        return self.seconds(response.headers.get("Retry-After"))

    @classmethod
    def seconds(cls, header: str | None) -> float | None:
        """Return the seconds of a Retry-After header, a number or an HTTP date, or None if it is neither."""
        if header is None:
            return None
        try:
            return float(Retry(0).parse_retry_after(header))
        except (InvalidHeader, ValueError, OverflowError, TypeError):
            return None

    def sleep(self, response: t.Any = None) -> None:
        """Wait before the next try; where the service asks for patience, all who share the gate wait."""
        if self.gate is not None and response is not None and response.status == BUSY:
            self.gate.close(min(self.get_retry_after(response) or self.get_backoff_time(), self.longest_delay))
        super().sleep(response)

    def sleep_for_retry(self, response: t.Any) -> bool:
        """Wait as long as the service asks: by the header as read above."""
        wait = self.get_retry_after(response)
        if wait:
            time.sleep(min(wait, self.longest_delay))
        return bool(wait)
