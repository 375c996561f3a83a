# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run stops when no process waits for its result any more."""

from __future__ import annotations

import os
import sys

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import (
    AbandonedError,
    Lineage,
    current_lineage,
    read_process,
)

ME, SHELL, WORKER, MAIN, LOGIN = 50, 40, 30, 20, 10
PLAYBOOK = b"/usr/bin/python3\0/usr/bin/ansible-playbook\0site.yml\0"


class Processes(dict[int, tuple[int, bytes]]):
    """A table of processes, with the chain of a module that Ansible has started."""

    def __init__(self) -> None:
        super().__init__(
            {
                ME: (SHELL, b"/usr/bin/python3\0AnsiballZ_fonnte_fleet.py\0"),
                SHELL: (WORKER, b"/bin/sh\0-c\0/usr/bin/python3 AnsiballZ_fonnte_fleet.py\0"),
                WORKER: (MAIN, PLAYBOOK),
                MAIN: (LOGIN, PLAYBOOK),
                LOGIN: (1, b"-bash\0"),
                1: (0, b"/sbin/init\0"),
            }
        )

    def lineage(self, own: int = ME) -> Lineage:
        return Lineage(self.get, own, lambda: self[own][0])

    def end(self, pid: int, new_parent: int = 1) -> None:
        del self[pid]
        for child, (parent, command) in list(self.items()):
            if parent == pid:
                self[child] = (new_parent, command)


def test_worker_whose_parent_ended_before_its_first_run_is_abandoned() -> None:
    processes = Processes()
    processes.end(MAIN)
    # The parent's process id is known since the fork.
    late = Lineage(processes.get, WORKER, lambda: processes[WORKER][0], lambda: MAIN)
    assert late.has_ended()
    processes = Processes()
    assert not Lineage(processes.get, WORKER, lambda: processes[WORKER][0], lambda: MAIN).has_ended()


@pytest.mark.parametrize("own", [ME, WORKER])
@pytest.mark.parametrize("new_parent", [1, LOGIN])
def test_end_of_ansible_playbook_is_detected(own: int, new_parent: int) -> None:
    processes = Processes()
    lineage = processes.lineage(own)
    assert not lineage.has_ended()
    lineage.require()
    assert lineage.waiting_process == MAIN
    processes.end(MAIN, new_parent)
    assert lineage.has_ended()
    with pytest.raises(AbandonedError, match="no further operation was started"):
        lineage.require()


@pytest.mark.parametrize("ended", [SHELL, WORKER])
def test_end_of_a_process_between_is_detected(ended: int) -> None:
    processes = Processes()
    lineage = processes.lineage()
    processes.end(ended)
    assert lineage.has_ended()


@pytest.mark.parametrize("own", [ME, WORKER])
def test_end_of_the_terminal_is_ignored(own: int) -> None:
    """The process that started ansible-playbook may end, as with nohup."""
    processes = Processes()
    lineage = processes.lineage(own)
    processes.end(LOGIN)
    assert not lineage.has_ended()


def test_async_wrapper_may_outlive_its_parent() -> None:
    wrapper = b"/usr/bin/python3\0async_wrapper.py\0j123\0"
    processes = Processes()
    processes.update(
        {ME: (48, b"/usr/bin/python3\0module\0"), 48: (46, wrapper), 46: (44, wrapper), 44: (MAIN, wrapper)}
    )
    lineage = processes.lineage()
    processes.end(44)
    processes.end(MAIN)
    assert not lineage.has_ended()
    # This process monitors the time limit, and Ansible ends it when the time is over.
    processes.end(46)
    assert lineage.has_ended()


@pytest.mark.parametrize("program", [b"sudo", b"/usr/bin/sudo", b"/opt/bin/doas", b"su"])
@pytest.mark.parametrize("ended", [MAIN, WORKER, SHELL])
def test_become_program_and_its_monitor_are_not_ansible(program: bytes, ended: int) -> None:
    """With use_pty, sudo forks a process with its own command line, which has the Python of the module."""
    become = program + b"\0-u\0root\0/bin/sh\0-c\0/usr/bin/python3 AnsiballZ_fonnte_fleet.py\0"
    processes = Processes()
    processes.update({ME: (48, processes[ME][1]), 48: (46, become), 46: (SHELL, become)})
    lineage = processes.lineage()
    assert not lineage.has_ended()
    processes.end(ended)
    assert lineage.has_ended()


def test_direct_parent_is_watched_without_proc() -> None:
    parents = [SHELL]
    lineage = Lineage(lambda pid: None, ME, lambda: parents[-1])
    assert not lineage.has_ended()
    parents.append(1)
    assert lineage.has_ended()


def test_own_process_entry_is_read() -> None:
    if sys.platform != "linux":
        assert read_process(os.getpid()) is None
        return
    found = read_process(os.getpid())
    assert found is not None and found[0] == os.getppid() and b"python" in found[1]
    assert read_process(2**22 + 1) is None
    assert current_lineage() is current_lineage() and not current_lineage().has_ended()
