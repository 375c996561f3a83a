# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Group commit: threads that need the same slow operation at the same time share one."""

from __future__ import annotations

import threading
import typing as t


class GroupCommit:
    """An operation that serves all threads that requested it before it began."""

    def __init__(self) -> None:
        self._commit = threading.Lock()
        self._guard = threading.Lock()
        self._asked = 0
        self._done = 0

    def commit(self, operation: t.Callable[[], None]) -> None:
        """Return after an operation that has begun after this call.

        Args:
            operation: Syncs everything to the disk that was written before it is called. Its exception is raised in the
                thread that has called it; the other threads call it themselves.
        """
        with self._guard:
            self._asked += 1
            ticket = self._asked
        with self._commit:
            # The previous thread has committed for this one as well.
            if self._done >= ticket:
                return
            with self._guard:
                served = self._asked
            operation()
            self._done = served
