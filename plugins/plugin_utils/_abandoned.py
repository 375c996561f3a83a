# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""End Ansible's worker once ``ansible-playbook`` has ended.

A worker sends the result of each item through a pipe that it can read itself. When ``ansible-playbook`` is killed,
nothing empties or closes the pipe: the worker blocks as soon as the pipe is full, and never exits.
"""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import Lineage, current_lineage

CHECK_SECONDS = 1.0
REPORT = (
    "fonnte.whatsapp: ansible-playbook has ended, so its worker ends as well: no further operation is started. Run "
    "it again.\n"
)

Exit = t.Callable[[int], object]


def report_and_exit(status: int) -> None:
    """End this process at once, and report it if standard error is open: newer ansible-cores close it."""
    with contextlib.suppress(OSError):
        os.write(2, REPORT.encode())
    os._exit(status)


class WorkerWatch:
    """Ends a worker whose ``ansible-playbook`` has ended, but never while a task of this collection runs.

    Args:
        lineage: The parents of this process.
        end: Ends the process with an exit status.
    """

    def __init__(self, lineage: Lineage, end: Exit = report_and_exit) -> None:
        self._lineage = lineage
        self._end = end
        self._working = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def working(self) -> t.Iterator[None]:
        """Keep the process alive while a task runs."""
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1

    def check(self) -> bool:
        """End the process if no task runs and ``ansible-playbook`` has ended; return whether it was ended."""
        with self._lock:
            if self._working or not self._lineage.has_ended():
                return False
            self._end(1)
            return True

    def start(self) -> None:
        """Check in a separate thread until the process ends.

        Only a process that is certain to be a worker is watched: a process with the command line of its parent.
        """
        if self._lineage.is_forked:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not self.check():
            pause.wait(CHECK_SECONDS)


_watches: dict[int, WorkerWatch] = {}


def current_watch() -> WorkerWatch:
    """Return the watch of this process, and start it when it is first requested."""
    pid = os.getpid()
    if pid not in _watches:
        _watches.clear()
        _watches[pid] = WorkerWatch(current_lineage())
        _watches[pid].start()
    return _watches[pid]
