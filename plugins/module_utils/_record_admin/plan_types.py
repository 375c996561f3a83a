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

from .._common.errors import FonnteError, RecordError
from .._reconcile.observe import RunContext
from .._reconcile.result import Result
from .._record.files import RecordFile


class RecordOperation(enum.Enum):
    """What is done with the record."""

    BACKUP = "backup"
    RESTORE = "restore"
    FORGET = "forget"
    MIGRATE = "migrate"


@dataclass(frozen=True)
class RecordRequest:
    """What a task of fonnte_record asks for.

    Attributes:
        operation: What is done.
        numbers: Only these; None for all.
        path: The backup; empty where there is none.
        orphans: Whether files that belong to no listed device are forgotten too.
        overwrite: Whether a file that is there is replaced by the backup's.
        old_account_token: The account token that entries are migrated from.
    """

    operation: RecordOperation
    numbers: tuple[str, ...] | None
    path: str = ""
    orphans: bool = False
    overwrite: bool = False
    old_account_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Change:
    """A sealed file that comes, goes or becomes another.

    Attributes:
        file: Where it lies in the record.
        number: Whose it is; empty where nobody can tell.
        before: The sealed text that is there; None for none.
        after: The one that will be; None for none.
    """

    file: RecordFile
    number: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class RecordPlan:
    """What is to be done about the record, or about its backup.

    Attributes:
        place: What is changed, for the diff.
        changes: What will be changed, sorted by the name of the file.
        act: Makes the changes, and adds each to a list when it is made.
        facts: What else the result tells.
        warnings: What a user should know.
    """

    place: str
    changes: tuple[Change, ...]
    apply: t.Callable[[list[Change]], None]
    facts: Result = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def preview_plan(context: RunContext, plan: RecordPlan) -> tuple[Result, list[str]]:
    """Return the result that the job would have, and warnings; nothing is written."""
    warnings = list(plan.warnings)
    if plan.changes and plan.place == context.records.folder:
        try:
            context.records.check_writable()
        except RecordError as fault:
            warnings.append(f"A real run from here would fail: {fault}")
    return _result(plan, plan.changes), warnings


def apply_plan(plan: RecordPlan) -> tuple[Result, list[str]]:
    """Do the job, and return its result and warnings.

    Raises:
        FonnteError: With the result so far as ``progress``.
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
    """Return the files that stay as they are: those of the plan, and those that another run was quicker to write."""
    return sorted([*plan.facts["kept"], *(change.file.name for change in plan.changes if change not in changes)])


def _name(change: Change) -> str:
    return change.file.name


def _line(change: Change, sealed: bytes | None) -> str:
    """Return a line for a file: its name, whose it is, and a digest of the sealed text, so that a change shows."""
    if sealed is None:
        return ""
    return f"{change.file.name} {change.number or '-'} {hashlib.sha256(sealed).hexdigest()[:6]}\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
