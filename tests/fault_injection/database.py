# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells that are run a second time, with the record in a PostgreSQL database."""

from __future__ import annotations

import contextlib
import typing as t

from ..postgresql import NoTableError, Server
from .tables import CELLS, Cell

# The modules that write to the record.
_MODULES = ("device", "fleet", "record", "group_info")
# The faults of this section are those of a directory.
_OF_FILES = "The record"

ON_A_DATABASE: tuple[Cell, ...] = tuple(
    cell for cell in CELLS if cell.scene.module in _MODULES and cell.section != _OF_FILES
)
_QUICK = [cell for cell in ON_A_DATABASE if not cell.slow]
# A sample of the cells with files has each fault and each request. Here, only the place of the record differs.
SAMPLE: tuple[Cell, ...] = tuple(_QUICK[::52])


def emptied_database(server: Server) -> t.Callable[[], str]:
    """Return a function that empties a separate database and returns its URL."""
    url = server.create_database()

    def empty() -> str:
        with contextlib.suppress(NoTableError):
            server.execute("DELETE FROM fonnte_record WHERE name <> 'revision'", url.rpartition("/")[2])
        return url

    return empty
