# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running sandbox: the world and its surroundings. The API and the control API share this object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .clock import Clock
from .faults import FaultQueue
from .journal import Journal
from .model import World
from .readings import Readings
from .sinks import Sinks
from .webhooks import Webhooks

ACCOUNT_TOKEN = "sandbox-account-token"


class Listener(Protocol):
    """The port of the API, as the fault ``unreachable`` needs it."""

    async def close_for(self, seconds: float | None) -> None:
        """Refuse connections, for a time or until ``reopen``."""

    async def reopen(self) -> None:
        """Accept connections again."""


@dataclass(frozen=True)
class Options:
    """Options that can change while the sandbox runs. All are in seconds, except the number of tries."""

    latency: float = 0.0
    webhook_retry: float = 60.0
    webhook_tries: int = 15
    probe_timeout: float = 5.0
    validate_seconds: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ValueError(f"The option {name} is a number, 0 or more, not {value!r}.")

    def but(self, changes: Mapping[str, Any]) -> Options:
        """Return a copy with some changes; raise ``ValueError`` for a name or a value that does not exist."""
        unknown = sorted(set(changes) - set(vars(self)))
        if unknown:
            raise ValueError(f"There is no option {', '.join(unknown)}; there are: {', '.join(vars(self))}.")
        return replace(self, **changes)


@dataclass
class Service:
    """The service. A reset returns to ``start_readings`` and ``options``, which come from the command line."""

    start_readings: Readings = field(default_factory=Readings)
    options: Options = field(default_factory=Options)
    journal_limit: int = 200_000
    listener: Listener | None = None

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.faults = FaultQueue()
        self.sinks = Sinks()
        self.webhooks = Webhooks(self.clock)
        self._start_options = self.options
        self._generation = 0
        self.world = self._fresh(self.start_readings)
        self.world.add_account(ACCOUNT_TOKEN, "Free")

    def _fresh(self, readings: Readings) -> World:
        return World(self.clock, readings, Journal(self.journal_limit), self._generation)

    async def reset(self, readings: Mapping[str, object]) -> World:
        """Create a new world without accounts, and clear faults, pending webhooks, sinks and time."""
        chosen = self.start_readings.but(readings)
        self._generation += 1
        self.options = self._start_options
        self.faults.clear()
        self.sinks.clear()
        await self.webhooks.clear()
        self.clock.reset()
        if self.listener:
            await self.listener.reopen()
        self.world = self._fresh(chosen)
        return self.world
