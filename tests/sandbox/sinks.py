# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhook targets for tests and the demo, under ``/sink/{name}`` of the control port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Sink:
    """The received requests, and the next responses: ``status`` for ``times`` requests, then 200."""

    received: list[dict[str, object]] = field(default_factory=list)
    status: int = 200
    times: int = 0


class Sinks:
    """Sinks by name. A sink exists as soon as its name is used."""

    def __init__(self) -> None:
        self._sinks: dict[str, Sink] = {}

    def named(self, name: str) -> Sink:
        """Return the sink with a name."""
        return self._sinks.setdefault(name, Sink())

    def take(self, name: str, post: Mapping[str, object]) -> int:
        """Store a POST request; return the status of its response."""
        sink = self.named(name)
        sink.received.append(dict(post))
        if sink.times > 0:
            sink.times -= 1
            return sink.status
        return 200

    def clear(self) -> None:
        """Remove all sinks."""
        self._sinks.clear()
