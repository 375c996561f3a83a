# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of the sandbox: real time plus an offset that the control API increases."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Unix seconds. All waits of the service (OTP, purge, webhook retries) use this clock."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.on_move: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the unix time of the sandbox, with fractions."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Advance the clock by ``seconds``; time never goes back."""
        if seconds < 0:
            raise ValueError("The clock only moves forward.")
        self.offset += seconds
        self._tell()

    def reset(self) -> None:
        """Return to real time."""
        self.offset = 0.0
        self._tell()

    def _tell(self) -> None:
        for callback in self.on_move:
            callback()
