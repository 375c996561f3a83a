# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Progress of a long task, as lines on standard error: standard output may be JSON that a program reads."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import DAY_SECONDS
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.url import (
    check_database_url,
    show_database,
)

LINE_SECONDS = 5.0
SILENCE_SECONDS = 10.0

Show = t.Callable[[str], None]


class Progress:
    """Reports progress in at most one line per five seconds, and reports once that a server has been silent for ten.

    Args:
        show: Shows a line.
        peers: The servers that a task may wait for, as ``awaited_peers`` returns them.
        request_seconds: The time limit of a request, in seconds.
        clock: Returns the time in seconds; replaced by tests.
    """

    def __init__(
        self, show: Show, peers: str, request_seconds: float, clock: t.Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._peers = peers
        self._request_seconds = request_seconds
        self._clock = clock
        self._started = self._shown = clock()
        self._ended = threading.Event()

    def update(self, done: int, failed: int, total: int) -> None:
        """Show how many devices are finished, how many of them failed, and the estimated time for the others."""
        now = self._clock()
        if now - self._shown < LINE_SECONDS:
            return
        self._shown = now
        left = (now - self._started) / max(1, done) * (total - done)
        self._show(f"{done} of {total} devices are done, {failed} failed; about {_duration(left)} left")

    def check_silence(self) -> bool:
        """Report once that nothing has happened for ten seconds; return whether it was reported."""
        silent = self._clock() - self._shown
        if silent < SILENCE_SECONDS:
            return False
        self._show(
            f"{self._peers} has not responded for {silent:.0f} s; a request ends after {self._request_seconds:g} s"
        )
        return True

    def watch(self) -> None:
        """Check for silence in a separate thread, until it was reported or the task has ended."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            if self.check_silence():
                return

    def end(self) -> None:
        """Stop the check for silence: the task has ended."""
        self._ended.set()


def awaited_peers(endpoint: str, record_url: str | None) -> str:
    """Return the servers that a task may wait for: the service, and the record's database if it has one."""
    if not record_url:
        return endpoint
    try:
        check_database_url(record_url)
    except OptionError:
        # The task fails with this error, and no part of such a URL may be shown.
        return endpoint
    return f"{endpoint} or the record's database at {show_database(record_url)}"


def _duration(seconds: float) -> str:
    if seconds >= DAY_SECONDS:
        return "more than a day"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
