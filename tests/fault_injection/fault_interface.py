# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trouble is: something that begins before a run and is over after it."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..control_node import Controller
from ..sandbox.driver import Sandbox

if t.TYPE_CHECKING:
    from .scenarios import Scene

Options = dict[str, t.Any]


@dataclass(frozen=True)
class Place:
    """Where a run takes place.

    Attributes:
        sandbox: The service.
        elsewhere: Another server, that nobody has a reason to call.
        folder: An empty folder.
        controller: Who runs.
        params: The options of the run.
    """

    sandbox: Sandbox
    elsewhere: Sandbox
    folder: Path
    controller: Controller
    params: Options


class Trouble(t.Protocol):
    """A row of a table."""

    @property
    def name(self) -> str:
        """What a reader of the documents sees."""

    @property
    def slow(self) -> bool:
        """Whether it ends by a time-out, or moves megabytes."""

    def at(self, scene: Scene) -> bool:
        """Whether it can happen in a scene."""

    def during(self, scene: Scene, place: Place) -> contextlib.AbstractContextManager[Options]:
        """Have the trouble for as long as the context lasts, and give the options that a run then needs."""
