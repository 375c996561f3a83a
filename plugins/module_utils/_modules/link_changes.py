# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_link_changes: the devices that were disconnected or linked since the last run."""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._common.atomic_files import foreign_warnings
from .._common.destinations import check_destination, check_links
from .._common.errors import OptionError, error_context
from .._linking.link_changes import (
    Change,
    Comparison,
    Known,
    cancel,
    compare,
    finish,
    hold_state,
    read_state,
    start,
    state_bytes,
    write_state,
)
from .._linking.run_claim import Claim, refuse_other_run
from .._linking.run_identity import RunIdentity, current_run
from .._options.common import Spec
from .._reconcile.result import Result
from .task import ModuleInput, ModuleResult

COMPARE, START, FINISH, CANCEL = "compare", "start", "finish", "cancel"

# The module sends no request, so it has none of the common options.
LINK_CHANGES: Spec = {
    "devices": {"type": "list", "elements": "dict", "required": True},
    "path": {"type": "path", "required": True},
    "operation": {"type": "str", "choices": [COMPARE, START, FINISH, CANCEL], "default": COMPARE},
}


def run_link_changes(task: ModuleInput, find_run: t.Callable[[], RunIdentity | None] = current_run) -> ModuleResult:
    """Compare the links of devices with the last run, and store them (module fonnte_link_changes).

    Args:
        task: The task.
        find_run: Returns the identity of this run; None if it is unknown.
    """
    path, operation = task.params["path"], task.params["operation"]
    if not path or path.endswith(os.sep):
        raise OptionError("path", "it is not a file", "name a file in one of your directories")
    check_destination("path", path)
    check_links("path", path)
    path = os.path.abspath(path)
    devices = [_device(index, given) for index, given in enumerate(task.params["devices"])]
    run = find_run()
    with error_context("Comparing the links of the devices"), contextlib.ExitStack() as held:
        if not task.check_mode:
            held.enter_context(hold_state(path, task.pause))
        stored = read_state(path)
        claim = stored.claim if stored is not None else None
        refuse_other_run(path, claim, run)
        before = stored.devices if stored is not None else None
        found = compare(before, _with_one_state(filter(None, devices)))
        after = _state_after(operation, found)
        changed = before is None or after != before
        claimed = _claim_after(operation, found, claim, run)
        if (changed or claimed != claim) and not task.check_mode:
            write_state(path, after, claimed)
    return ModuleResult(
        {
            "changed": changed,
            "first": before is None,
            "path": path,
            **_described(found),
            "diff": _diff(path, before, after),
        },
        foreign_warnings([path]),
    )


def _state_after(operation: str, found: Comparison) -> dict[str, Known]:
    """Return the state to store after an operation."""
    if operation == START:
        return start(found)
    if operation == FINISH:
        return finish(found)
    if operation == CANCEL:
        return cancel(found)
    return dict(found.seen)


def _claim_after(operation: str, found: Comparison, claim: Claim | None, run: RunIdentity | None) -> Claim | None:
    """Return the claim to store after an operation. The claims of this run and of runs that have ended are replaced."""
    if operation in (FINISH, CANCEL):
        return None
    if operation == COMPARE and not found.dropped and not found.recovered:
        return None
    if claim is not None and claim.run == run and operation == COMPARE:
        return claim
    return Claim.of(run) if run is not None else None


def _device(index: int, given: t.Any) -> Change | None:
    """Return a device of the option devices; None if it is unknown whether the device is linked."""
    number, name, connected = given.get("device"), given.get("name"), given.get("connected")
    if not isinstance(number, str) or not (connected is None or isinstance(connected, bool)):
        raise OptionError(
            f"devices[{index}]",
            "it has no device (a string) or no connected (true, false or null)",
            "pass the devices of fonnte_device_info",
        )
    return None if connected is None else Change(number, name if isinstance(name, str) else None, connected)


def _with_one_state(devices: t.Iterable[Change]) -> list[Change]:
    """Return each number once, without those that the service lists as linked and as disconnected."""
    of_number: dict[str, list[Change]] = {}
    for device in devices:
        of_number.setdefault(device.device, []).append(device)
    return [same[0] for same in of_number.values() if len({one.connected for one in same}) == 1]


def _diff(path: str, before: t.Mapping[str, Known] | None, after: t.Mapping[str, Known]) -> Result:
    """Return the content of the file before and after the run."""
    texts = ["" if state is None else state_bytes(state).decode("ascii") for state in (before, after)]
    return {"before_header": path, "after_header": path, "before": texts[0], "after": texts[1]}


def _described(found: Comparison) -> Result:
    return {
        group: [
            {"device": change.device, "name": change.name, "repeated": change.repeated}
            for change in getattr(found, group)
        ]
        for group in ("dropped", "recovered", "never_linked")
    }
