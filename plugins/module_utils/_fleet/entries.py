# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The members of a fleet, the options of a run, and the state of each member during it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from .._common.errors import FonnteError, RequestError
from .._reconcile.evidence import Source
from .._reconcile.observe import Observation, RunContext
from .._reconcile.outcome import Outcome
from .._reconcile.state import DISCONNECT, Desired
from .limits import MAX_CLEAR, MAX_CREATE, MAX_DISCONNECT, find_limits


class Status(enum.Enum):
    """What became of one device."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True)
class FleetEntry:
    """One entry of the list.

    Attributes:
        index: Its place in the list.
        house: The house of its run: the fleet's, with the entry's own token.
        desired: What is declared.
    """

    index: int
    context: RunContext
    desired: Desired

    @property
    def label(self) -> str:
        """How an error names it."""
        number = self.desired.number
        return f"devices[{self.index}] ({number})" if number else f"devices[{self.index}]"

    @property
    def shown(self) -> str:
        """The number and the name, for a list of devices."""
        name = self.desired.settings.get("name")
        return (self.desired.number or f"devices[{self.index}]") + (f' "{name}"' if name else "")


@dataclass(frozen=True)
class FleetOptions:
    """How a fleet is worked on.

    Attributes:
        concurrency: How many calls at a time. Half as many devices more are worked on.
        stop: Whether the first failure ends the run.
        canary: How many devices go first, alone.
        max_create: The most devices that may be created; None for no limit. The others alike.
        free_limit: The most free devices that the account may come to.
        unlisted: What is done about devices that nobody declared: ``ignore``, ``report`` or ``error``.
        result: The devices to return: ``all``, ``changed`` or ``summary`` (none).
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

    @property
    def limits(self) -> dict[str, int | None]:
        """The limits on plans, by the names of their options."""
        return {MAX_CREATE: self.max_create, MAX_CLEAR: self.max_clear, MAX_DISCONNECT: self.max_disconnect}


@dataclass
class EntryRun:
    """What became of a member.

    Attributes:
        foreseen: What a run would do; None where not even that could be found out.
        outcome: What was done; None until it was tried.
        fault: What ended it.
        skipped: Why it was not tried.
    """

    entry: FleetEntry
    predicted: Outcome | None = None
    outcome: Outcome | None = None
    fault: FonnteError | None = None
    skipped: str = ""

    @property
    def has_work(self) -> bool:
        """Whether something is to be done or to be learnt."""
        plan = self.predicted.plan if self.predicted else None
        return plan is not None and bool(plan.operations or plan.updates_record)

    @property
    def disconnects(self) -> bool:
        """Whether its device is to be disconnected."""
        return self.predicted is not None and DISCONNECT in self.predicted.plan.operations

    @property
    def lacks_record(self) -> bool:
        """Whether this control node has no evidence of any declared write-only setting."""
        return self.predicted is not None and all(
            one.source in (Source.NONE, Source.SERVICE) for one in self.predicted.plan.evidence.values()
        )

    @property
    def limits(self) -> frozenset[str]:
        """The safety limits that its first plan counts for."""
        return find_limits(self.predicted.plan) if self.predicted is not None and self.fault is None else frozenset()

    def check(self, observation: Observation) -> None:
        """Check that the plan is still about the device that it was made for; FonnteError if not.

        A device that was renumbered in the dashboard meanwhile would be created a second time, or renumbered back. One
        that got the number of this entry meanwhile would get the settings of this entry.
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
                    "declare it under the number that it should have, and run the play again",
                )
        if found is not None and earlier.listing is not None:
            for device in earlier.listing.owners(found.token):
                raise FonnteError(
                    f"another device has this number now, which the service listed as {device.number} when the run began",
                    "check both devices, and run the play again",
                )

    @property
    def status(self) -> Status:
        """Return what became of it; in check mode, what would."""
        if self.fault is not None:
            # A lost reply to a mere look leaves no doubt: then there is no outcome yet.
            doubtful = self.outcome is not None and isinstance(self.fault, RequestError) and self.fault.may_be_applied
            return Status.IN_DOUBT if doubtful else Status.FAILED
        if self.skipped:
            return Status.NOT_ATTEMPTED
        known = self.outcome or self.predicted
        return Status.CHANGED if known is not None and known.operations else Status.UNCHANGED

    @property
    def reported(self) -> Outcome | None:
        """Return the outcome that tells most of it."""
        if self.outcome is not None:
            return self.outcome
        if (self.skipped or self.fault) and self.predicted is not None:
            # What was foreseen is not what was done.
            return replace(self.predicted, done=[])
        return self.predicted
