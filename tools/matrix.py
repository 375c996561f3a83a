# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of ansible-core that make matrix runs, with their Pythons. docs/dev/matrix.md shows the last results."""

from __future__ import annotations

from dataclasses import dataclass

from tools.interpreters import available

COLUMNS = UNITS, PLAYBOOKS, SANITY, TARGET = "unit tests", "playbooks", "sanity", "modules on the oldest target"


@dataclass(frozen=True)
class Core:
    """A version of ansible-core: the Pythons that it runs on, the one for the unit tests, the oldest of a target."""

    version: str
    controllers: tuple[str, ...]
    # Together the cores run the unit tests on each Python.
    units_on: str
    # The collection supports 3.7 and newer.
    oldest_target: str
    # A release candidate is in the table, and may fail.
    candidate: bool = False

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each Python of this machine: playbooks on the oldest and the newest, others on one."""
        here = [python for python in self.controllers if python in available()]
        if not here:
            return {}
        columns: dict[str, tuple[str, ...]] = dict.fromkeys((here[0], here[-1]), (PLAYBOOKS,))
        columns[here[-1]] += (SANITY, TARGET)
        units_on = self.units_on if self.units_on in here else here[-1]
        columns[units_on] = (UNITS, *columns.get(units_on, ()))
        return columns


# From the support matrix of ansible-core.
CORES: tuple[Core, ...] = (
    Core("2.16.19", ("3.10", "3.11", "3.12"), "3.10", "3.7"),
    Core("2.17.14", ("3.10", "3.11", "3.12"), "3.12", "3.7"),
    Core("2.18.19", ("3.11", "3.12", "3.13"), "3.11", "3.8"),
    Core("2.19.14", ("3.11", "3.12", "3.13"), "3.13", "3.8"),
    Core("2.20.10", ("3.12", "3.13", "3.14"), "3.12", "3.9"),
    Core("2.21.5", ("3.12", "3.13", "3.14"), "3.13", "3.9"),
    Core("2.22.0rc1", ("3.13", "3.14", "3.15"), "3.13", "3.9", candidate=True),
)
