# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The rows of the database as the backend stores them in memory."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..backend import Stored
from .session import DatabaseSession


@dataclass(frozen=True)
class Revisions:
    """A mark: the value of the counter, in one database session."""

    session: DatabaseSession
    revision: int


@dataclass
class Row:
    """A row under this session's lock, so that no other session can write it.

    Attributes:
        stored: Its string and revision.
        open: Whether a request may still be applied.
        left_open: Whether it was open when it was locked: the previous run has died.
        written: Whether this run has written it since.
    """

    stored: Stored
    open: bool
    left_open: bool
    written: bool = False


class Chain(t.NamedTuple):
    """Writes of this session to one row, without a write of another run in between.

    Attributes:
        base: The revision after which all writes are its own.
        last: The revision of the last one.
    """

    base: int
    last: int
