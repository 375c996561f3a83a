# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The requests and plans of record maintenance, and how a plan is applied."""

from __future__ import annotations

import enum
import hashlib
import typing as t
from dataclasses import dataclass, field

from .._common.errors import FonnteError
from .._reconcile.observe import RunContext
from .._reconcile.result import Result
from .._record.files import RecordFile


class RecordOperation(enum.Enum):
    """An operation on the record."""

    BACKUP = "backup"
    RESTORE = "restore"
    FORGET = "forget"
    MIGRATE = "migrate"


@dataclass(frozen=True)
class RecordRequest:
    """The request of a fonnte_record task.

    Attributes:
        operation: The operation.
        numbers: Only the devices with these numbers; None for all.
        path: The backup; empty if there is none.
        orphans: Whether to forget also the entries that belong to no listed device.
        overwrite: Whether an entry of the backup replaces an existing one.
        old_account_token: The account token from which entries are migrated.
    """

    operation: RecordOperation
    numbers: tuple[str, ...] | None
    path: str = ""
    orphans: bool = False
    overwrite: bool = False
    old_account_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Change:
    """The creation, removal or replacement of an encrypted string.

    Attributes:
        file: Its entry in the record.
        number: The number that the entry belongs to; empty if that is unknown.
        before: The present string; None if there is none.
        after: The new string; None to remove the entry.
    """

    file: RecordFile
    number: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class RecordPlan:
    """A plan to change the record, or its backup.

    Attributes:
        place: The record or the backup, for the diff.
        changes: The changes, sorted by the name of the entry.
        apply: Applies the changes, and adds each to a list once it is applied.
        facts: The other keys of the result.
        warnings: The warnings to report.
    """

    place: str
    changes: tuple[Change, ...]
    apply: t.Callable[[list[Change]], None]
    facts: Result = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def preview_plan(context: RunContext, plan: RecordPlan) -> tuple[Result, list[str]]:
    """Return the predicted result of a plan, and its warnings. Nothing is written."""
    warnings = list(plan.warnings)
    if plan.changes and plan.place == context.records.folder:
        warnings += context.records.write_warnings()
    return _result(plan, plan.changes), warnings


def apply_plan(plan: RecordPlan) -> tuple[Result, list[str]]:
    """Apply a plan, and return its result and its warnings.

    Raises:
        FonnteError: With the result so far in ``partial_result``.
    """
    done: list[Change] = []
    try:
        plan.apply(done)
    except FonnteError as fault:
        fault.partial_result = _result(plan, done)
        raise
    left = len(plan.changes) - len(done)
    if not left:
        return _result(plan, done), list(plan.warnings)
    were = f"{_count(left, 'file')} {'was' if left == 1 else 'were'}"
    meanwhile = f"{were} written by another run in the meantime and left: see kept. Run it again."
    return _result(plan, done), [*plan.warnings, meanwhile]


def _result(plan: RecordPlan, made: t.Sequence[Change]) -> Result:
    changes = sorted(made, key=_name)
    return {
        "changed": bool(changes),
        "changed_files": [change.file.name for change in changes],
        "changed_devices": sorted({change.number for change in changes if change.number}),
        **plan.facts,
        **({"kept": _kept(plan, changes)} if "kept" in plan.facts else {}),
        "diff": {
            "before_header": plan.place,
            "after_header": plan.place,
            "before": "".join(_line(change, change.before) for change in changes),
            "after": "".join(_line(change, change.after) for change in changes),
        },
    }


def _kept(plan: RecordPlan, changes: t.Sequence[Change]) -> list[str]:
    """Return the entries that are not changed: those of the plan, and those that another run has written first."""
    return sorted([*plan.facts["kept"], *(change.file.name for change in plan.changes if change not in changes)])


def _name(change: Change) -> str:
    return change.file.name


def _line(change: Change, sealed: bytes | None) -> str:
    """Return a line for an entry: its name, its number, and a digest of its string, so that a change is visible."""
    if sealed is None:
        return ""
    return f"{change.file.name} {change.number or '-'} {hashlib.sha256(sealed).hexdigest()[:6]}\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
