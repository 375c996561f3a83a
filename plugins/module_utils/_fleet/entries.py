# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The entries of a fleet, the options of its run, and the state of each entry during the run."""

from __future__ import annotations

import contextlib
import enum
import typing as t
from dataclasses import dataclass, replace

from .._common.errors import FonnteError, RequestError, limit_scope
from .._reconcile.evidence import Source
from .._reconcile.observe import Observation, RunContext
from .._reconcile.outcome import Outcome
from .._reconcile.state import DISCONNECT, Desired
from .limits import MAX_CLEAR, MAX_CREATE, MAX_DISCONNECT, find_limits


class Status(enum.Enum):
    """The status of a device after a run."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True)
class FleetEntry:
    """One entry of the option ``devices``.

    Attributes:
        index: Its index in the list.
        context: The context of its run: that of the fleet, with the token of the entry.
        desired: The declaration of its device.
    """

    index: int
    context: RunContext
    desired: Desired

    @property
    def label(self) -> str:
        """The name of the entry in errors."""
        number = self.desired.number
        return f"devices[{self.index}] ({number})" if number else f"devices[{self.index}]"

    @property
    def shown(self) -> str:
        """The number and the name, for a list of devices."""
        name = self.desired.settings.get("name")
        return (self.desired.number or f"devices[{self.index}]") + (f' "{name}"' if name else "")


NO_LOCK: t.ContextManager[t.Any] = contextlib.nullcontext()


@dataclass(frozen=True)
class FleetOptions:
    """The options of a fleet's run.

    Attributes:
        concurrency: The number of requests at a time. The number of devices at a time is 1.5 times as high.
        stop: Whether the first failure ends the run.
        canary: The number of devices to finish one after another before all others.
        max_create: The most devices that may be created; None for no limit.
        max_clear: The most devices whose webhooks may be cleared; None for no limit.
        max_disconnect: The most devices that may be disconnected; None for no limit.
        free_limit: The most free devices that the account may have after the run; None for no limit.
        unlisted: The handling of devices that no entry declares: ``ignore``, ``report`` or ``error``.
        result: The devices to return: ``all``, ``changed`` or ``summary`` (none).
        planning: Held while the devices are planned, see ``ModuleInput``.
        interrupted: Whether the task was interrupted, see ``ModuleInput``.
    """

    concurrency: int = 4
    stop: bool = False
    canary: int = 0
    max_create: int | None = None
    max_clear: int | None = None
    max_disconnect: int | None = None
    free_limit: int | None = None
    unlisted: str = "ignore"
    result: str = "all"
    planning: t.ContextManager[t.Any] = NO_LOCK
    interrupted: t.Callable[[], bool] = lambda: False

    @property
    def limits(self) -> dict[str, int | None]:
        """The limits on plans, by the names of their options."""
        return {MAX_CREATE: self.max_create, MAX_CLEAR: self.max_clear, MAX_DISCONNECT: self.max_disconnect}


@dataclass
class EntryRun:
    """The state of one entry during a run.

    Attributes:
        entry: The entry.
        predicted: Its preview; None if the preview failed before there was a plan.
        outcome: The outcome of its run; None until it is attempted.
        fault: The error that ended it; None if there was none.
        skipped: The reason why it was not attempted; empty otherwise.
    """

    entry: FleetEntry
    predicted: Outcome | None = None
    outcome: Outcome | None = None
    fault: FonnteError | None = None
    skipped: str = ""

    @property
    def has_work(self) -> bool:
        """Whether its plan has operations or updates the record."""
        plan = self.predicted.plan if self.predicted else None
        return plan is not None and bool(plan.operations or plan.updates_record)

    @property
    def disconnects(self) -> bool:
        """Whether its plan disconnects the device."""
        return self.predicted is not None and DISCONNECT in self.predicted.plan.operations

    @property
    def lacks_record(self) -> bool:
        """Whether this control node has no evidence of any declared write-only setting."""
        return self.predicted is not None and all(
            one.source in (Source.NONE, Source.SERVICE) for one in self.predicted.plan.evidence.values()
        )

    @property
    def limits(self) -> frozenset[str]:
        """The safety limits that its first plan counts towards."""
        return find_limits(self.predicted.plan) if self.predicted is not None and self.fault is None else frozenset()

    @property
    def message(self) -> str:
        """The error, or the reason why the entry was not attempted; empty if there is none."""
        return limit_scope(str(self.fault), "on this device") if self.fault else self.skipped

    def check(self, observation: Observation) -> None:
        """Check that the plan still applies to the same device; FonnteError if not.

        If the device was renumbered in the dashboard in the meantime, the plan would create it a second time, or revert
        its number. If another device now has the number of this entry, the plan would apply this entry's settings to
        it.
        """
        if self.predicted is None or observation.listing is None:
            return
        earlier, found = self.predicted.observation, observation.device
        before = earlier.device
        if before is not None:
            if found is not None and found.token == before.token:
                return
            for device in observation.listing.owners(before.token):
                raise FonnteError(
                    f"the service lists it as {device.number} now, and listed it as {before.number} when the run began",
                    "declare it under the number that it should have, and run the playbook again",
                )
        if found is not None and earlier.listing is not None:
            for device in earlier.listing.owners(found.token):
                raise FonnteError(
                    f"another device has this number now, which the service listed as {device.number} when the run began",
                    "check both devices, and run the playbook again",
                )

    @property
    def status(self) -> Status:
        """The status of the device after the run; in check mode, the predicted one."""
        if self.fault is not None:
            # After a lost response to a request that only reads, there is no outcome yet, and nothing is in doubt.
            doubtful = self.outcome is not None and isinstance(self.fault, RequestError) and self.fault.may_be_applied
            return Status.IN_DOUBT if doubtful else Status.FAILED
        if self.skipped:
            return Status.NOT_ATTEMPTED
        known = self.outcome or self.predicted
        return Status.CHANGED if known is not None and known.operations else Status.UNCHANGED

    @property
    def reported(self) -> Outcome | None:
        """The outcome to report: that of the run, otherwise the preview."""
        if self.outcome is not None:
            return self.outcome
        if (self.skipped or self.fault) and self.predicted is not None:
            # A preview lists the predicted operations as done, but nothing was done here.
            return replace(self.predicted, done=[])
        return self.predicted
