# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""From the turns of a fleet to the result that a user sees."""

from __future__ import annotations

import collections
import typing as t

from .._common.errors import FonnteError
from .._common.redaction import Redactor
from .._reconcile.observe import House
from .._reconcile.result import Result, device_result
from .._reconcile.state import CREATE, DISCONNECT, UPDATE
from .run import MOST_TOLD, unlisted
from .turns import Orders, Status, Turn


def fleet_result(house: House, turns: t.Sequence[Turn], orders: Orders, redactor: Redactor) -> tuple[Result, list[str]]:
    """Return the result of a fleet and its warnings."""
    devices, diffs = [], []
    for turn in turns:
        device, diff = _device(turn, redactor)
        devices.append(device)
        if diff["before"] != diff["after"]:
            diffs.append(diff)
    result: Result = {
        "changed": any(device["changed"] for device in devices),
        "devices": [device for device in devices if _is_returned(device, orders.result)],
        "summary": _summary(turns, devices),
        "unlisted": unlisted(house, turns) if orders.unlisted == "report" else [],
        "diff": [] if orders.result == "summary" else diffs,
    }
    return result, _warnings(turns)


def _is_returned(device: Result, wanted: str) -> bool:
    return wanted == "all" or (wanted == "changed" and device["status"] != Status.UNCHANGED.value)


def _device(turn: Turn, redactor: Redactor) -> tuple[Result, Result]:
    """Return the entry of one device, with the same keys as a task of its own would have, and its diff."""
    shown = turn.shown
    if shown is None:
        result: Result = {"changed": False, "device": None, "operations": [], "changed_fields": [], "reasons": {}}
        result.update(evidence={}, carried={}, at_risk=[], forgotten=[], recreated=False)
        diff: Result = {"before": {}, "after": {}}
    else:
        result = device_result(turn.member.desired, shown, redactor)
        diff = result.pop("diff")
    result["number"] = turn.member.desired.number or (shown.sight.number if shown else "")
    result["status"] = turn.status.value
    result["msg"] = str(turn.fault) if turn.fault else turn.skipped
    result["warnings"] = list(shown.warnings) if shown else []
    return result, diff


# A device that was not attempted has no error of its own.
_FAILED = frozenset({Status.FAILED.value, Status.IN_DOUBT.value})


def _summary(turns: t.Sequence[Turn], devices: t.Sequence[Result]) -> Result:
    statuses = collections.Counter(turn.status for turn in turns)
    operations = collections.Counter(operation for device in devices for operation in device["operations"])
    to_link = [device["number"] for turn, device in zip(turns, devices) if _to_link(turn, device)]
    return {
        "created": operations[CREATE],
        "updated": operations[UPDATE],
        "disconnected": operations[DISCONNECT],
        "unchanged": statuses[Status.UNCHANGED],
        "failed": statuses[Status.FAILED],
        "not_attempted": statuses[Status.NOT_ATTEMPTED],
        "in_doubt": statuses[Status.IN_DOUBT],
        "to_link": len(to_link),
        "cleared": sum(_clears(turn) for turn in turns),
        "changed_devices": [device["number"] for device in devices if device["changed"]],
        "failed_devices": [device["number"] for device in devices if device["status"] in _FAILED],
        "to_link_devices": to_link,
    }


def _clears(turn: Turn) -> bool:
    """Return whether the plan of a device clears a webhook that may be set."""
    return turn.foreseen is not None and turn.foreseen.plan.loses_webhooks


def _to_link(turn: Turn, device: Result) -> bool:
    """Tell whether a device that may be linked is not."""
    facts = device["device"]
    return turn.member.desired.state.value == "present" and facts is not None and facts["connected"] is False


def _warnings(turns: t.Sequence[Turn]) -> list[str]:
    """Return what a user should know, once each; of a large fleet the first, the others are with their devices."""
    texts = list(dict.fromkeys(text for turn in turns if turn.shown for text in turn.shown.warnings))
    if len(texts) <= MOST_TOLD:
        return texts
    more = f"There are {len(texts) - MOST_TOLD} more warnings; each device of the result has its own."
    return [*texts[:MOST_TOLD], more]


class FleetError(FonnteError):
    """Some devices of a fleet are not as declared."""


def fleet_trouble(turns: t.Sequence[Turn]) -> FleetError | None:
    """Return the error for the devices that are not as declared; None if all are."""
    statuses = collections.Counter(turn.status for turn in turns)
    words = (
        (Status.FAILED, "failed"),
        (Status.IN_DOUBT, "may or may not be as declared"),
        (Status.NOT_ATTEMPTED, "were not attempted"),
    )
    counts = [f"{statuses[status]} {text}" for status, text in words if statuses[status]]
    if not counts:
        return None
    told = [
        f"{turn.member.label}: {str(turn.fault or turn.skipped).rstrip('.')}"
        for turn in turns
        if turn.fault or turn.skipped
    ]
    # A reason that many share is told once.
    reasons = list(dict.fromkeys(told if len(told) <= MOST_TOLD else [text.partition(": ")[2] for text in told]))[:3]
    trouble = FleetError(
        f"of {len(turns)} devices {', '.join(counts)} ({'; '.join(reasons)})",
        "look at msg of each device in the result, and run the play again: what is done is not done twice",
    )
    trouble.doing = "Managing the fleet"
    return trouble
