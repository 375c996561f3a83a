# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Plan and apply: one device on its way through the house.

Check mode is ``foresee``: it stops after the plan. ``carry_out`` goes on.
"""

from __future__ import annotations

from dataclasses import replace

from .._common.clock import now
from .._common.errors import (
    BrakeError,
    CallError,
    FonnteError,
    Meaning,
    PolicyError,
    RecordChangedError,
    RecordError,
    RecordHeldError,
    RefusedError,
    UnansweredError,
)
from .apply import Outcome, Writer, doing_to
from .locks import LOCK_SECONDS, Hold
from .observe import House, Sight, look
from .planner import make_plan, stand_still
from .state import CREATE, DELETE, OPERATIONS, REQUEST_OTP, Desired, Plan

# A run observes a second time under its locks, and then no other run writes. Only a person who renumbers or swaps
# devices meanwhile makes it take other locks and observe again.
MAX_LOOKS = 5

# A second call of these could do harm, so a lost reply is followed by a look and never by a repeat.
NEVER_AGAIN = (DELETE, REQUEST_OTP)


def foresee(house: House, desired: Desired) -> Outcome:
    """Return what a real run would do, and warn if it would fail. Only reads: no call that writes, no file touched."""
    outcome = look_ahead(house, desired)
    if outcome.plan.operations:
        outcome.warn(*_record_warnings(house, outcome.sight))
    return outcome


def look_ahead(house: House, desired: Desired) -> Outcome:
    """Return what a run is about to do. Only reads."""
    with doing_to("Looking up", desired.number):
        sight = look(house, desired)
    plan = _planned(desired, sight)
    outcome = Outcome(plan, sight, list(plan.foreseen), device=sight.device, otp_wait=plan.otp_wait)
    outcome.warn(*sight.warnings, *plan.warnings)
    return outcome


def _record_warnings(house: House, sight: Sight) -> tuple[str, ...]:
    """Tell in check mode that a real run from here would fail. Who only audits needs no record to write to."""
    try:
        if sight.unread is not None:
            raise sight.unread
        house.records.check_writable()
    except RecordError as fault:
        return (f"A real run from here would fail: {fault}",)
    return ()


class Guard:
    """What a caller checks whenever a run has looked or planned; it raises FonnteError to stop before a write."""

    def check_sight(self, sight: Sight) -> None:
        """Check what was seen."""

    def check_plan(self, plan: Plan) -> None:
        """Check what is about to be done."""


def carry_out(
    house: House,
    desired: Desired,
    hold: Hold | None = None,
    guard: Guard | None = None,
    ahead: Outcome | None = None,
) -> Outcome:
    """Bring one device to what is declared.

    Args:
        house: What the run works with.
        desired: What is declared.
        hold: Locks that the run holds already; they are released when it ends.
        guard: Checks each sight and each plan, also those after a lost response.
        ahead: What ``look_ahead`` has returned before: it is used as long as it still applies under the locks.

    Raises:
        FonnteError: With ``progress`` set to the outcome so far, as far as there is one.
    """
    guard = guard if guard is not None else Guard()
    with hold if hold is not None else Hold(house.records, house.api.moment) as held:
        for is_last in (*[False] * (MAX_LOOKS - 1), True):
            sight, plan = _look_and_hold(house, desired, held, guard, ahead)
            ahead = None
            outcome = Outcome(plan, sight, device=sight.device)
            outcome.warn(*sight.warnings, *plan.warnings, *_left_open(sight, held))
            writer = Writer(house, desired, sight, outcome, held)
            try:
                _write(house, desired, outcome, writer, held, guard)
                break
            except RecordChangedError as fault:
                # The record is not the one that the plan was created from: a person has copied a file, for example.
                if writer.has_begun or is_last:
                    fault.progress = {"outcome": outcome}
                    raise
            except FonnteError as fault:
                fault.progress = {"outcome": outcome}
                raise
            finally:
                writer.renew_doubt()
    return outcome


def _write(house: House, desired: Desired, outcome: Outcome, writer: Writer, hold: Hold, guard: Guard) -> None:
    """Do what the plan says, and observe what a lost response leaves open."""
    try:
        writer.run(outcome.plan)
    except CallError as fault:
        if not _second_look_helps(fault):
            raise
        _finish_after_fault(house, desired, outcome, fault, hold, writer.step, guard)


def _left_open(sight: Sight, hold: Hold) -> tuple[str, ...]:
    """Return a warning where a run has died between a request for this device and its response."""
    if not hold.left_open:
        return ()
    return (
        f"A run ended before it read the response to its last request for device {sight.number}, which the service may "
        "still carry out. Its values were in doubt, and this run has read the device again. Run the play once more in "
        "some minutes to be sure.",
    )


def _planned(desired: Desired, sight: Sight) -> Plan:
    with doing_to("Planning", sight.number):
        try:
            return make_plan(desired, sight.observed, sight.recorded, now())
        except FonnteError as fault:
            nothing = stand_still(desired, sight.observed, sight.recorded)
            at_risk = fault.at_risk if isinstance(fault, PolicyError) else ()
            known = Outcome(replace(nothing, at_risk=at_risk), sight, device=sight.device)
            known.warn(*sight.warnings)
            fault.progress = {"outcome": known}
            raise


def _look_and_hold(
    house: House, desired: Desired, hold: Hold, guard: Guard, ahead: Outcome | None = None
) -> tuple[Sight, Plan]:
    """Observe, and where there is something to do hold the device and verify that the observation still applies.

    Serial: it applies where no other run has written since the mark that was taken before the response was requested.
    Otherwise the device is observed again under the locks, where no other run writes.

    The right device: a plan that cannot be taken back stands only if it was made from a listing that was requested
    under the locks. Number and token come from that one response.
    """
    fallback: tuple[Sight, Plan] | None = None
    for _turn in range(MAX_LOOKS):
        if ahead is not None and hold.since is None and not ahead.sight.is_too_old():
            sight, plan = ahead.sight, ahead.plan
        else:
            try:
                with doing_to("Looking up", desired.number):
                    sight = look(house, desired, hold.since, hold.created)
                    guard.check_sight(sight)
            except CallError:
                if fallback is None:
                    raise
                return fallback
            plan = _planned(desired, sight)
        with doing_to("Planning", sight.number):
            guard.check_plan(plan)
        ahead = fallback = None
        if not plan.operations and not plan.teaches:
            return sight, plan
        if sight.unread is not None and plan.operations:
            # The plan lacks what was recorded: an update by it would leave that out.
            with doing_to("Looking up", sight.number):
                raise sight.unread
        is_held = hold.holds(sight.files)
        if plan.operations:
            with doing_to("Locking", sight.number):
                hold.take(sight.files, LOCK_SECONDS)
        else:
            ignorant = _hold_to_learn(plan, sight, hold)
            if ignorant is not None:
                return sight, ignorant
            fallback = sight, _without_lessons(plan)
        # A response that was requested under these locks needs no mark.
        if is_held or (not _is_outdated(house, sight, hold) and _may_act(plan, sight, hold)):
            return sight, plan
        house.api.doubt_listing(sight.number, house.device_token)
    if fallback is not None:
        return fallback
    fault = FonnteError(
        "its number or its token changes again and again while this run reads the list",
        "let whoever works in the dashboard end, then run the play again",
    )
    with doing_to("Locking", desired.number):
        raise fault


def _is_outdated(house: House, sight: Sight, hold: Hold) -> bool:
    """Return whether another run may have written, or a person may have had the time to, before the locks were taken."""
    return sight.is_stale(house) or (hold.waited and sight.is_too_old())


def _may_act(plan: Plan, sight: Sight, hold: Hold) -> bool:
    """Return whether a plan may be carried out that was made before the locks were taken."""
    return not plan.is_irreversible or (sight.listing is None and not hold.waited)


def _hold_to_learn(plan: Plan, sight: Sight, hold: Hold) -> Plan | None:
    """Hold the entries that a stamp has news for, if that can be done at once.

    Returns:
        The plan without the news where they cannot be held: it does no harm, the next run learns them. None otherwise.
    """
    if sight.unread is not None:
        return _without_lessons(plan)
    try:
        hold.take(sight.files, 0.0)
    except RecordHeldError:
        return _without_lessons(plan)
    except RecordError as fault:
        forgetful = f"What the stamp of device {sight.number} proves could not be recorded: {fault.problem}."
        return replace(_without_lessons(plan), warnings=(*plan.warnings, forgetful))
    return None


def _without_lessons(plan: Plan) -> Plan:
    return replace(plan, proven={}, superseded=())


# After a fault


def _second_look_helps(fault: CallError) -> bool:
    # The list may have been behind: it has a device that is gone, or lacks one that is there.
    behind = (Meaning.ALREADY_EXISTS, Meaning.GONE)
    return fault.may_be_applied or (isinstance(fault, RefusedError) and fault.meaning in behind)


def _finish_after_fault(
    house: House, desired: Desired, outcome: Outcome, fault: CallError, hold: Hold, lost: str, guard: Guard
) -> None:
    """See what became of the operation whose answer was lost, plan anew, and do what is still to be done, once."""
    house.api.doubt_listing(outcome.sight.number, house.device_token)
    first = outcome.plan
    try:
        sight, plan = _look_and_hold(house, desired, hold, guard)
    except RefusedError as refusal:
        if lost == DELETE and refusal.meaning is Meaning.BAD_TOKEN:
            raise _unknown(fault, "the service does not know its token any more, so it is probably deleted") from None
        raise _unseen(fault, refusal, lost) from None
    except (PolicyError, BrakeError) as refusal:
        if not fault.may_be_applied:
            raise
        if isinstance(refusal, PolicyError):
            outcome.plan = replace(first, at_risk=refusal.at_risk)
        raise _forbidden(fault, refusal) from None
    except FonnteError as second:
        raise _unseen(fault, second, lost) from None
    if lost == CREATE and sight.device is None and not fault.may_be_applied:
        raise fault
    before = outcome.sight.device
    if before is not None and sight.device is not None and sight.device.token != before.token:
        # The right device: the first plan was made for the device that had this number before.
        raise _unknown(fault, "another device has this number now: check both devices, and run the play again")
    if lost in NEVER_AGAIN and lost in plan.operations:
        raise _unknown(fault, _AFTERWARDS[lost])
    outcome.device = sight.device or outcome.device
    outcome.warn(*sight.warnings, *plan.warnings)
    if CREATE in plan.operations or (lost == CREATE and not fault.may_be_applied):
        # Not the world that the first plan was made for.
        outcome.plan, outcome.sight = plan, sight
    else:
        if lost not in (*plan.operations, *outcome.done):
            outcome.done.append(lost)
        outcome.plan = _joined(first, plan)
    writer = Writer(house, desired, sight, outcome, hold)
    try:
        writer.finish(lost, first, plan)
    finally:
        writer.renew_doubt()


def _joined(first: Plan, second: Plan) -> Plan:
    """Return the plan of a run that planned twice: from where the first began to where the second ends."""
    operations = tuple(operation for operation in OPERATIONS if operation in (*first.operations, *second.operations))
    return replace(
        first,
        operations=operations,
        reasons={**second.reasons, **first.reasons},
        carried={**first.carried, **second.carried},
        at_risk=tuple(dict.fromkeys((*first.at_risk, *second.at_risk))),
        after=second.after,
    )


_LOOK_FOR_CODE = "look at the WhatsApp of the account's owner, and run with otp if a code is there"
_AFTERWARDS = {
    REQUEST_OTP: _LOOK_FOR_CODE,
    DELETE: "it is still there: run again with the same code, or ask for a new one",
}
_UNSEEN = {
    REQUEST_OTP: _LOOK_FOR_CODE,
    DELETE: "run again with the same code: where the device is gone, nothing is done",
}


def _unseen(fault: CallError, second: FonnteError, lost: str) -> FonnteError:
    """Return what to say where looking again failed too: what was sent before counts for more."""
    if not fault.may_be_applied:
        return second
    unseen = _unknown(fault, _UNSEEN.get(lost, "run it again: what was begun is looked at first"))
    unseen.problem += f"; looking at it again failed too ({second.problem})"
    return unseen


def _forbidden(fault: CallError, refusal: FonnteError) -> CallError:
    """Return the error for a policy or safety limit that forbids the rest of a run, after a request that may have been applied."""
    advice = refusal.advice.replace(" (nothing was changed)", "")
    forbidden = UnansweredError(
        f"{fault.problem}, and a policy or safety limit forbids the rest: {refusal.problem}", advice
    )
    forbidden.doing = fault.doing
    return forbidden


def _unknown(fault: CallError, advice: str) -> CallError:
    """Say of a call that must not be repeated that nobody knows whether it was carried out."""
    unknown = UnansweredError(f"{fault.problem}, and it is unknown whether the service carried the call out", advice)
    unknown.doing = fault.doing
    return unknown
