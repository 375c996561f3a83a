# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one sandbox for each worker, which is reset before each test, and a player of playbooks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# The directory that contains ansible_collections, for callers of pytest that do not add it to the path.
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
    """Run tests that share processes on one worker: those whose ids have the same text before a bar."""
    from xdist.scheduler import LoadScopeScheduling

    class RunTogether(LoadScopeScheduling):
        """Schedules the tests that share processes as one unit of work, and each other test alone."""

        def _split_scope(self, nodeid: str) -> str:
            shared, found, _rest = nodeid.partition("[")[2].partition("|")
            return shared if found else nodeid

    return RunTogether(config, log)


# Another core, ordinary modules, and another variant of the service: the same tests run in the usual way.
UNUSUAL = ("oldest", "as-module", "all-hard", "('newest', False)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark a test in an unusual way as weekly, unless it is one of the few that each change must pass on each core."""
    for item in items:
        call = getattr(item, "callspec", None)
        if call is None or item.get_closest_marker("smoke"):
            continue
        if call.params.get("in_process") is False or any(word in call.id for word in UNUSUAL):
            item.add_marker("weekly")


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """Yield the sandbox of this worker."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def rounds_of(
    running_sandbox: Sandbox, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Round]:
    """Return a function that returns the results of a variant and a way; its first call runs the cases."""
    rounds: dict[tuple[str, str], Round | AssertionError] = {}

    def of(label: str, way: str) -> Round:
        if (label, way) not in rounds:
            # Only the selected cases, so that a single one takes seconds.
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
    """Return the worker's sandbox after a reset, in the default variant."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture()
def player(sandbox: Sandbox, tmp_path: Path) -> Player:
    """Return a player of tasks against the sandbox, with an empty record."""
    return Player(tmp_path, sandbox)


@pytest.fixture()
def world(sandbox: Sandbox, player: Player) -> World:
    """Return an account that the test fills, with a player whose tasks use its token."""
    return World(sandbox, player)
