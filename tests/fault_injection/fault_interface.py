# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of a fault: it begins before a run and ends after it."""

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
    """The environment of a run.

    Attributes:
        sandbox: The service.
        elsewhere: Another server, which must not receive requests.
        folder: An empty directory.
        controller: The control node.
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
        """The name in the documents."""

    @property
    def slow(self) -> bool:
        """Whether it ends with a timeout, or transfers megabytes."""

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene."""

    def during(self, scene: Scene, place: Place) -> contextlib.AbstractContextManager[Options]:
        """Apply the fault during the context, and yield the options that a run needs with it."""
