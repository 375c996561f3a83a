# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Convert the runs of a fleet's entries to the result of the module."""

from __future__ import annotations

import collections
import typing as t

from .._common.errors import FonnteError
from .._common.redaction import Redactor
from .._reconcile.observe import RunContext
from .._reconcile.outcome import Outcome
from .._reconcile.result import Result, device_diff, device_report, differs, is_connected
from .._reconcile.state import CREATE, DISCONNECT, UPDATE, State
from .device_warnings import group_warnings
from .entries import EntryRun, FleetOptions, Status
from .limit_checks import MAX_REPORTED, undeclared_numbers


class _Row(t.NamedTuple):
    """An entry, and the parts of its run that several parts of the result need."""

    run: EntryRun
    shown: Outcome | None
    number: str
    status: Status
    operations: t.Sequence[str]


def fleet_result(
    context: RunContext, runs: t.Sequence[EntryRun], options: FleetOptions, redactor: Redactor
) -> tuple[Result, list[str]]:
    """Return the result of a fleet and its warnings."""
    rows = [_row(run) for run in runs]
    result: Result = {
        "changed": any(row.operations for row in rows),
        # The result of a device takes a tenth of the time of its plan, so only those that are returned are created.
        "devices": [_device(row, redactor) for row in rows if _is_returned(row, options.result)],
        "summary": _summary(rows),
        "unlisted": undeclared_numbers(context, runs) if options.unlisted == "report" else [],
        "diff": [] if options.result == "summary" else _diffs(rows, redactor),
    }
    return result, _warnings(rows)


def _row(run: EntryRun) -> _Row:
    shown = run.reported
    number = run.entry.desired.number or (shown.observation.number if shown else "")
    return _Row(run, shown, number, run.status, shown.operations if shown else ())


def _is_returned(row: _Row, wanted: str) -> bool:
    return wanted == "all" or (wanted == "changed" and row.status is not Status.UNCHANGED)


def _device(row: _Row, redactor: Redactor) -> Result:
    """Return the result of one device, with the keys of a fonnte_device task and some more."""
    if row.shown is None:
        result: Result = {"changed": False, "device": None, "operations": [], "changed_fields": [], "reasons": {}}
        result.update(evidence={}, carried={}, at_risk=[], forgotten=[], recreated=False)
    else:
        result = device_report(row.run.entry.desired, row.shown, redactor)
    result["number"] = row.number
    result["status"] = row.status.value
    result["msg"] = row.run.message
    result["warnings"] = list(row.shown.warnings) if row.shown else []
    return result


def _diffs(rows: t.Sequence[_Row], redactor: Redactor) -> list[Result]:
    """Return the differences of all devices that have one."""
    diffs = (
        device_diff(row.run.entry.desired, row.shown, redactor) for row in rows if row.shown and differs(row.shown)
    )
    return [diff for diff in diffs if diff["before"] != diff["after"]]


# A device that was not attempted is not in here: it has no error.
_FAILED = frozenset({Status.FAILED, Status.IN_DOUBT})


def _summary(rows: t.Sequence[_Row]) -> Result:
    statuses = collections.Counter(row.status for row in rows)
    operations = collections.Counter(operation for row in rows for operation in row.operations)
    # Those that were just created come first: a long list is not shown to its end.
    to_link = [row.number for row in sorted(rows, key=lambda row: CREATE not in row.operations) if _to_link(row)]
    cleared = [row.number for row in rows if _clears(row.run)]
    return {
        "created": operations[CREATE],
        "updated": operations[UPDATE],
        "disconnected": operations[DISCONNECT],
        "unchanged": statuses[Status.UNCHANGED],
        "failed": statuses[Status.FAILED],
        "not_attempted": statuses[Status.NOT_ATTEMPTED],
        "in_doubt": statuses[Status.IN_DOUBT],
        "to_link": len(to_link),
        "cleared": len(cleared),
        "cleared_devices": cleared,
        "changed_devices": [row.number for row in rows if row.operations],
        "failed_devices": [row.number for row in rows if row.status in _FAILED],
        "to_link_devices": to_link,
    }


def _clears(run: EntryRun) -> bool:
    """Return whether the plan of a device clears a webhook that may be set."""
    return run.predicted is not None and run.predicted.plan.loses_webhooks


def _to_link(row: _Row) -> bool:
    """Return whether a device must still be linked to a phone: it may be connected and is not."""
    return row.run.entry.desired.state is State.PRESENT and row.shown is not None and is_connected(row.shown) is False


def _warnings(rows: t.Sequence[_Row]) -> list[str]:
    """Return the warnings of all devices. Those that differ in the number of the device alone are one, with a list."""
    return group_warnings(
        (row.run.entry.desired.number, text) for row in rows if row.shown for text in row.shown.warnings
    )


class FleetError(FonnteError):
    """Some devices of a fleet failed, are in doubt, or were not attempted."""


def fleet_error(runs: t.Sequence[EntryRun]) -> FleetError | None:
    """Return the error for the devices that failed, are in doubt, or were not attempted; None if there are none."""
    statuses = collections.Counter(run.status for run in runs)
    words = (
        (Status.FAILED, "failed"),
        (Status.IN_DOUBT, "may or may not match the declaration"),
        (Status.NOT_ATTEMPTED, "were not attempted"),
    )
    counts = [f"{statuses[status]} {text}" for status, text in words if statuses[status]]
    if not counts:
        return None
    reported = [f"{run.entry.label}: {run.message.rstrip('.')}" for run in runs if run.message]
    # A reason that many devices share is reported once.
    reasons = list(
        dict.fromkeys(reported if len(reported) <= MAX_REPORTED else [text.partition(": ")[2] for text in reported])
    )[:3]
    trouble = FleetError(
        f"of {len(runs)} devices {', '.join(counts)} ({'; '.join(reasons)})",
        "read msg of each device in the result, and run the playbook again: it repeats no completed operation",
    )
    trouble.operation = "Managing the fleet"
    return trouble
