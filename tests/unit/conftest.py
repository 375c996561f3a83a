# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of all unit tests. None of them starts a process or a server: such a test belongs to tests/functional."""

from __future__ import annotations

import os
import sys
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.tests import hypothesis_profile

__all__ = ["hypothesis_profile"]

# The audit events of the interpreter that a unit test must not cause.
FORBIDDEN = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "socket.bind", "socket.connect")


class ImpureTestError(Exception):
    """A unit test starts a process or uses the network."""


class _Guard:
    """An audit hook, which cannot be removed, so it is active only while a unit test runs."""

    def __init__(self) -> None:
        self.active = False

    def __call__(self, event: str, _arguments: tuple[t.Any, ...]) -> None:
        if self.active and event in FORBIDDEN:
            raise ImpureTestError(f"{event} in a unit test; move the test to tests/functional")


_GUARD = _Guard()
sys.addaudithook(_GUARD)


@pytest.fixture(autouse=True)
def pure() -> t.Iterator[None]:
    """Fail a test that starts a process or opens a connection."""
    _GUARD.active = True
    yield
    _GUARD.active = False


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies and tokens of the user's environment."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("FONNTE_"):
            monkeypatch.delenv(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sums of the simulation, which its tests attach to their reports."""
    found = [one for report in terminalreporter.getreports("passed") for one in report.user_properties]
    schedules, on_server, violations = (
        sum(value for name, value in found if name == key)
        for key in ("simulated schedules", "on PostgreSQL", "violations")
    )
    bugs = [str(value) for name, value in found if name == "found after"]
    found_bugs = f"; {len(bugs)} seeded bugs found (after {', '.join(bugs)} schedules)" if bugs else ""
    if schedules:
        terminalreporter.write_line(
            f"simulation: {schedules} schedules, {on_server} of them on PostgreSQL, {violations} violations{found_bugs}"
        )
