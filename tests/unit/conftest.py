# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for all unit tests."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.tests.unit import hypothesis_profile

__all__ = ["hypothesis_profile"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sums of the simulation, which its tests attach to their reports."""
    found = [one for report in terminalreporter.getreports("passed") for one in report.user_properties]
    schedules, violations = (
        sum(value for name, value in found if name == key) for key in ("simulated schedules", "violations")
    )
    bugs = [str(value) for name, value in found if name == "found after"]
    if schedules:
        terminalreporter.write_line(
            f"simulation: {schedules} schedules, {violations} violations; "
            f"{len(bugs)} seeded bugs found (after {', '.join(bugs)} schedules)"
        )
