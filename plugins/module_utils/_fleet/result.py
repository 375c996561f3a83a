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
from .._reconcile.result import Result, device_result
from .._reconcile.state import CREATE, DISCONNECT, UPDATE
from .device_warnings import group_warnings
from .entries import EntryRun, FleetOptions, Status
from .limit_checks import MAX_REPORTED, undeclared_numbers


def fleet_result(
    context: RunContext, runs: t.Sequence[EntryRun], options: FleetOptions, redactor: Redactor
) -> tuple[Result, list[str]]:
    """Return the result of a fleet and its warnings."""
    devices, diffs = [], []
    for run in runs:
        device, diff = _device(run, redactor)
        devices.append(device)
        if diff["before"] != diff["after"]:
            diffs.append(diff)
    result: Result = {
        "changed": any(device["changed"] for device in devices),
        "devices": [device for device in devices if _is_returned(device, options.result)],
        "summary": _summary(runs, devices),
        "unlisted": undeclared_numbers(context, runs) if options.unlisted == "report" else [],
        "diff": [] if options.result == "summary" else diffs,
    }
    return result, _warnings(runs)


def _is_returned(device: Result, wanted: str) -> bool:
    return wanted == "all" or (wanted == "changed" and device["status"] != Status.UNCHANGED.value)


def _device(run: EntryRun, redactor: Redactor) -> tuple[Result, Result]:
    """Return the result of one device, with the keys of a fonnte_device task and some more, and its diff."""
    shown = run.reported
    if shown is None:
        result: Result = {"changed": False, "device": None, "operations": [], "changed_fields": [], "reasons": {}}
        result.update(evidence={}, carried={}, at_risk=[], forgotten=[], recreated=False)
        diff: Result = {"before": {}, "after": {}}
    else:
        result = device_result(run.entry.desired, shown, redactor)
        diff = result.pop("diff")
    result["number"] = run.entry.desired.number or (shown.observation.number if shown else "")
    result["status"] = run.status.value
    result["msg"] = run.message
    result["warnings"] = list(shown.warnings) if shown else []
    return result, diff


# A device that was not attempted is not in here: it has no error.
_FAILED = frozenset({Status.FAILED.value, Status.IN_DOUBT.value})


def _summary(runs: t.Sequence[EntryRun], devices: t.Sequence[Result]) -> Result:
    statuses = collections.Counter(run.status for run in runs)
    operations = collections.Counter(operation for device in devices for operation in device["operations"])
    to_link = [device["number"] for run, device in zip(runs, devices) if _to_link(run, device)]
    return {
        "created": operations[CREATE],
        "updated": operations[UPDATE],
        "disconnected": operations[DISCONNECT],
        "unchanged": statuses[Status.UNCHANGED],
        "failed": statuses[Status.FAILED],
        "not_attempted": statuses[Status.NOT_ATTEMPTED],
        "in_doubt": statuses[Status.IN_DOUBT],
        "to_link": len(to_link),
        "cleared": sum(_clears(run) for run in runs),
        "cleared_devices": [device["number"] for run, device in zip(runs, devices) if _clears(run)],
        "changed_devices": [device["number"] for device in devices if device["changed"]],
        "failed_devices": [device["number"] for device in devices if device["status"] in _FAILED],
        "to_link_devices": to_link,
    }


def _clears(run: EntryRun) -> bool:
    """Return whether the plan of a device clears a webhook that may be set."""
    return run.predicted is not None and run.predicted.plan.loses_webhooks


def _to_link(run: EntryRun, device: Result) -> bool:
    """Return whether a device must still be linked to a phone: it may be connected and is not."""
    facts = device["device"]
    return run.entry.desired.state.value == "present" and facts is not None and facts["connected"] is False


def _warnings(runs: t.Sequence[EntryRun]) -> list[str]:
    """Return the warnings of all devices. Those that differ in the number of the device alone are one, with a list."""
    return group_warnings(
        (run.entry.desired.number, text) for run in runs if run.reported for text in run.reported.warnings
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
