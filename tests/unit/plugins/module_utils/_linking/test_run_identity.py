# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process of a run is found again, and another process with its ID is not taken for it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking import run_identity
from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.run_identity import RunIdentity, current_run

THIS = RunIdentity(run_identity._machine(), os.getpid(), run_identity._start_of(os.getpid()))


class Waiting:
    """A lineage with a process that waits for the result."""

    def __init__(self, pid: int) -> None:
        self.waiting_process = pid


def test_active_process_has_not_ended() -> None:
    assert THIS.machine and THIS.started and THIS.has_ended() is False
    assert RunIdentity.from_json(THIS.to_json()) == THIS


def test_process_with_the_same_id_is_another_one() -> None:
    assert replace(THIS, started="1").has_ended() is True
    assert replace(THIS, pid=2**40).has_ended() is True


def test_process_of_another_machine_is_unknown() -> None:
    assert replace(THIS, machine="another boot").has_ended() is None


def test_current_run_is_the_process_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for pid, run in ((os.getpid(), THIS), (0, None), (2**40, None)):
        monkeypatch.setattr(run_identity, "current_lineage", lambda pid=pid: Waiting(pid))
        assert current_run() == run
