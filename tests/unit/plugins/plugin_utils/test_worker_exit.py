# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker of Ansible ends with ansible-playbook, but never in the middle of a task."""

from __future__ import annotations

import threading

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import Lineage
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._abandoned import WorkerWatch, current_watch

ME, MAIN, LOGIN = 30, 20, 10
PLAYBOOK = b"/usr/bin/python3\0/usr/bin/ansible-playbook\0site.yml\0"


class Worker:
    """A worker of ansible-playbook, or a process of another program with its own command line."""

    def __init__(self, command: bytes = PLAYBOOK) -> None:
        self.table = {ME: (MAIN, command), MAIN: (LOGIN, PLAYBOOK), LOGIN: (1, b"-bash\0")}
        self.lineage = Lineage(self.table.get, ME, lambda: self.table[ME][0])
        self.ended = threading.Event()
        self.statuses: list[int] = []
        self.watch = WorkerWatch(self.lineage, self.end)

    def end(self, status: int) -> None:
        self.statuses.append(status)
        self.ended.set()

    def lose_parent(self) -> None:
        self.table[ME] = (1, self.table[ME][1])


def test_worker_ends_with_ansible_playbook() -> None:
    worker = Worker()
    assert not worker.watch.check()
    worker.lose_parent()
    assert worker.watch.check() and worker.statuses == [1]


def test_task_in_progress_is_not_interrupted() -> None:
    worker = Worker()
    with worker.watch.working():
        worker.lose_parent()
        with worker.watch.working():
            assert not worker.watch.check()
        assert not worker.watch.check()
    assert worker.watch.check()


def test_watch_detects_the_end_in_its_thread() -> None:
    worker = Worker()
    worker.lose_parent()
    worker.watch.start()
    worker.ended.wait()
    assert worker.statuses == [1]


def test_only_a_worker_is_watched() -> None:
    worker, before = Worker(b"/usr/bin/python3\0program.py\0"), threading.active_count()
    worker.watch.start()
    assert not worker.lineage.is_forked and threading.active_count() == before


def test_a_process_has_one_watch() -> None:
    assert current_watch() is current_watch()
