# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The error for a sheet with invalid cells: cells with the same error are one part of the sentence."""

from __future__ import annotations

import typing as t

from .._common.errors import FonnteError
from .sheets import CellError


class SheetError(FonnteError):
    """A filled sheet has invalid cells; nothing was written."""


def sheet_error(wrong: t.Sequence[CellError], path: str) -> SheetError:
    """Return the error for invalid cells; ``partial_result`` has all of them under ``wrong``."""
    count = "1 cell is wrong" if len(wrong) == 1 else f"{len(wrong)} cells are wrong"
    kinds: dict[tuple[str, str, str], list[CellError]] = {}
    for one in wrong:
        kinds.setdefault((one.column, one.problem, one.advice), []).append(one)
    error = SheetError(f"{count}: {'; '.join(map(_describe, kinds.values()))}", "correct the sheet and run again")
    error.operation = f"Reading the sheet {path}"
    error.partial_result = {
        "wrong": [
            {"row": one.row, "device": one.device, "column": one.column, "problem": one.problem, "advice": one.advice}
            for one in wrong
        ]
    }
    return error


def _describe(wrong: t.Sequence[CellError]) -> str:
    """Return the cells that have the same error, as one part of a sentence."""
    if len(wrong) == 1:
        return str(wrong[0])
    places = ", ".join(f"{one.row} ({one.device})" if one.device else one.row for one in wrong)
    return f"column {wrong[0].column} of {len(wrong)} devices: {wrong[0].problem} ({wrong[0].advice}): {places}"
