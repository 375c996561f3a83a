# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for each worker, fresh for each test, and a player of playbooks beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# The folder that holds ansible_collections, where whoever starts the tests did not put it on the path.
ROOT = Path(__file__).parents[5]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from ansible_collections.fonnte.whatsapp.tests.conformance.case_runner import IN_PROCESS, Round
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import CASES
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep tests that share processes together on one worker: those with the same text before a bar in their id."""
    from xdist.scheduler import LoadScopeScheduling

    class PlayedTogether(LoadScopeScheduling):
        """A unit of work is all that is played together, or a single other test."""

        def _split_scope(self, nodeid: str) -> str:
            shared, found, _rest = nodeid.partition("[")[2].partition("|")
            return shared if found else nodeid

    return PlayedTogether(config, log)


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """The sandbox of this worker."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def played(
    running_sandbox: Sandbox, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Round]:
    """What happened in a reading, one way or the other: its cases are played when the first of them is asked for."""
    rounds: dict[tuple[str, str], Round | AssertionError] = {}

    def of(label: str, way: str) -> Round:
        if (label, way) not in rounds:
            # Only what was selected: a single case can be tried in seconds.
            rows = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
            chosen = {row["case"] for row in rows if row.get("label") == label and row["way"] in (way, "both")}
            cases = [case for case in CASES if case.name in chosen]
            folder = tmp_path_factory.mktemp("reading")
            try:
                player = Player(folder, running_sandbox, in_process=way == IN_PROCESS)
                rounds[label, way] = Round(running_sandbox, label, cases, player).play()
            except AssertionError as broken:
                rounds[label, way] = broken
        one = rounds[label, way]
        if isinstance(one, AssertionError):
            raise one
        return one

    return of


@pytest.fixture()
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The worker's sandbox with a fresh and empty world, in the default reading."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture()
def player(sandbox: Sandbox, tmp_path: Path) -> Player:
    """Plays tasks against the sandbox, with an empty record."""
    return Player(tmp_path, sandbox)


@pytest.fixture()
def world(sandbox: Sandbox, player: Player) -> World:
    """An account with what a test puts into it, and tasks that speak for it."""
    return World(sandbox, player)
