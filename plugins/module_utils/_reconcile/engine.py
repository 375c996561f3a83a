# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Reconcile one device: observe, plan, apply.

Check mode is ``preview``, which stops after the plan. ``apply`` carries it out.
"""

from __future__ import annotations

from dataclasses import replace

from .._common.clock import now
from .._common.errors import (
    FonnteError,
    PolicyError,
    RecordChangedError,
    RecordError,
    RecordLockedError,
    RefusalKind,
    RefusedError,
    RequestError,
    SafetyLimitError,
)
from .apply import Executor
from .fault_errors import (
    _RUN_AGAIN,
    _another_device_error,
    _AnotherDeviceError,
    _forbidden_error,
    _not_listed_error,
    _unknown_error,
)
from .locks import LOCK_SECONDS, LockSet
from .observe import Observation, RunContext, observe
from .outcome import Outcome, device_context
from .planner import make_plan, noop_plan
from .state import CREATE, DELETE, OPERATIONS, REQUEST_OTP, Desired, Plan

# A run observes a second time under its locks, when no other run can write. It locks other entries and observes again
# only if a person renumbers or swaps devices in the meantime.
MAX_OBSERVATIONS = 5

# A second request of these could do harm. A lost response is followed by an observation, never by a repetition.
NON_REPEATABLE = (DELETE, REQUEST_OTP)


def preview(context: RunContext, desired: Desired) -> Outcome:
    """Return the plan of a real run, and warn if it would fail. Sends no request that writes, and writes no file."""
    outcome = make_preview(context, desired)
    if outcome.plan.operations:
        outcome.warn(*_record_warnings(context, outcome.observation))
    return outcome


def make_preview(context: RunContext, desired: Desired) -> Outcome:
    """Return the plan of a run with its observation. Only reads."""
    with device_context("Looking up", desired.number):
        observation = observe(context, desired)
    plan = _planned(desired, observation)
    outcome = Outcome(
        plan, observation, list(plan.predicted_operations), device=observation.device, otp_wait=plan.otp_wait
    )
    outcome.warn(*observation.warnings, *plan.warnings)
    return outcome


def _record_warnings(context: RunContext, observation: Observation) -> list[str]:
    """Return a warning for check mode if a real run could not read or write the record."""
    if observation.unreadable_record is not None:
        return [f"A real run from here would fail: {observation.unreadable_record}"]
    return context.records.write_warnings()


class Guard:
    """Checks of a caller on each observation and each plan. They raise FonnteError to stop the run before a write."""

    def check_observation(self, observation: Observation) -> None:
        """Check an observation."""

    def check_plan(self, plan: Plan) -> None:
        """Check a plan before it is carried out."""


def apply(
    context: RunContext,
    desired: Desired,
    locks: LockSet | None = None,
    guard: Guard | None = None,
    ahead: Outcome | None = None,
) -> Outcome:
    """Reconcile one device.

    Args:
        context: The context of the run.
        desired: The declaration of the device.
        locks: Locks that the run already holds; they are released when it ends.
        guard: Checks each observation and each plan, including those after a lost response.
        ahead: The result of ``make_preview``, which is used if it still applies under the locks.

    Raises:
        FonnteError: With the outcome so far in ``partial_result``, if there is one.
    """
    guard = guard if guard is not None else Guard()
    with locks if locks is not None else LockSet(context.records, context.client.now) as held:
        for is_last in (*[False] * (MAX_OBSERVATIONS - 1), True):
            observation, plan = _observe_and_lock(context, desired, held, guard, ahead)
            ahead = None
            outcome = Outcome(plan, observation, device=observation.device)
            outcome.warn(*observation.warnings, *plan.warnings, *_left_open(observation, held))
            executor = Executor(context, desired, observation, outcome, held)
            try:
                _write(context, desired, outcome, executor, held, guard)
                break
            except RecordChangedError as fault:
                # The record differs from the one that the plan was created from, for example because a person has
                # copied a file.
                if executor.has_begun or is_last:
                    fault.partial_result = {"outcome": outcome}
                    raise
            except FonnteError as fault:
                fault.partial_result = {"outcome": outcome}
                raise
            finally:
                executor.renew_doubt()
    return outcome


def _write(
    context: RunContext, desired: Desired, outcome: Outcome, executor: Executor, locks: LockSet, guard: Guard
) -> None:
    """Carry out the plan, and observe the device again if a lost response leaves the result unknown."""
    try:
        executor.run(outcome.plan)
    except RequestError as fault:
        if not _list_may_be_stale(fault):
            raise
        _finish_after_fault(context, desired, outcome, fault, locks, executor.step, guard)


def _left_open(observation: Observation, locks: LockSet) -> tuple[str, ...]:
    """Return a warning if a run has died between a request for this device and its response."""
    if not locks.left_open:
        return ()
    return (
        f"A run ended before it read the response to its last request for device {observation.number}, which the "
        "service may still carry out. Its values were in doubt, and this run has read the device again. Run the "
        "playbook again in some minutes to be sure.",
    )


def _planned(desired: Desired, observation: Observation) -> Plan:
    with device_context("Planning", observation.number):
        try:
            return make_plan(desired, observation.observed, observation.recorded, now())
        except FonnteError as fault:
            nothing = noop_plan(desired, observation.observed, observation.recorded)
            at_risk = fault.at_risk if isinstance(fault, PolicyError) else ()
            known = Outcome(replace(nothing, at_risk=at_risk), observation, device=observation.device)
            known.warn(*observation.warnings)
            fault.partial_result = {"outcome": known}
            raise


def _observe_and_lock(
    context: RunContext, desired: Desired, locks: LockSet, guard: Guard, ahead: Outcome | None = None
) -> tuple[Observation, Plan]:
    """Observe a device; if there is work, lock it and verify that the observation still applies.

    Serial: an observation applies if no other run has written since the mark that was taken before its response was
    requested. Otherwise the device is observed again under the locks, when no other run can write.

    The right device: a plan that cannot be undone is only used if it was created from a list that was requested under
    the locks. Number and token come from that one response.

    Returns:
        The observation, and the plan that was created from it.
    """
    fallback: tuple[Observation, Plan] | None = None
    for _turn in range(MAX_OBSERVATIONS):
        if ahead is not None and locks.since is None and not ahead.observation.is_too_old():
            observation, plan = ahead.observation, ahead.plan
        else:
            try:
                with device_context("Looking up", desired.number):
                    observation = observe(context, desired, locks.since, locks.created)
                    guard.check_observation(observation)
            except RequestError:
                if fallback is None:
                    raise
                return fallback
            plan = _planned(desired, observation)
        with device_context("Planning", observation.number):
            guard.check_plan(plan)
        ahead = fallback = None
        if not plan.operations and not plan.updates_record:
            return observation, plan
        if observation.unreadable_record is not None and plan.operations:
            # The plan lacks the recorded settings: its update would leave them out.
            with device_context("Looking up", observation.number):
                raise observation.unreadable_record
        is_held = locks.holds(observation.files)
        if plan.operations:
            with device_context("Locking", observation.number):
                locks.acquire(observation.files, LOCK_SECONDS)
        else:
            ignorant = _lock_to_record(plan, observation, locks)
            if ignorant is not None:
                return observation, ignorant
            fallback = observation, _without_stamp_updates(plan)
        # A response that was requested under these locks needs no mark.
        if is_held or (not _is_outdated(context, observation, locks) and _may_act(plan, observation, locks)):
            return observation, plan
        context.client.invalidate_cache(observation.number, context.device_token)
    if fallback is not None:
        return fallback
    fault = FonnteError(
        "its number or its token changes again and again while this run reads the list",
        "wait until the work in the dashboard is finished, then run the playbook again",
    )
    with device_context("Locking", desired.number):
        raise fault


def _is_outdated(context: RunContext, observation: Observation, locks: LockSet) -> bool:
    """Return whether another run may have written before the locks were taken, or a person may have had the time to."""
    return observation.is_stale(context) or (locks.waited and observation.is_too_old())


def _may_act(plan: Plan, observation: Observation, locks: LockSet) -> bool:
    """Return whether a plan that was created before the locks were taken may be carried out."""
    return not plan.is_irreversible or (observation.listing is None and not locks.waited)


def _lock_to_record(plan: Plan, observation: Observation, locks: LockSet) -> Plan | None:
    """Lock the entries for which the stamp proves new values, if that is possible without waiting.

    Returns:
        The plan without these values if the entries cannot be locked: the next run records them. None otherwise.
    """
    if observation.unreadable_record is not None:
        return _without_stamp_updates(plan)
    try:
        locks.acquire(observation.files, 0.0)
    except RecordLockedError:
        return _without_stamp_updates(plan)
    except RecordError as fault:
        forgetful = (
            f"The settings that the stamp of device {observation.number} proves could not be recorded: {fault.problem}."
        )
        return replace(_without_stamp_updates(plan), warnings=(*plan.warnings, forgetful))
    return None


def _without_stamp_updates(plan: Plan) -> Plan:
    return replace(plan, proven={}, superseded=())


# After a fault


def _list_may_be_stale(fault: RequestError) -> bool:
    # The list may have been out of date: it contains a deleted device, or lacks an existing one.
    behind = (RefusalKind.ALREADY_EXISTS, RefusalKind.GONE)
    return fault.may_be_applied or (isinstance(fault, RefusedError) and fault.kind in behind)


class _SameDeviceGuard(Guard):
    """Restricts the second plan of a run to the device of the first: the one that it observed or created.

    If the response to a creation was lost, the token of the device is unknown. The device must then at least not be one
    that was listed under another number before.

    Args:
        guard: Checks everything else.
        outcome: The outcome of the first plan so far.
    """

    def __init__(self, guard: Guard, outcome: Outcome) -> None:
        device = outcome.device if CREATE in outcome.done else outcome.observation.device
        self._guard = guard
        self._token = device.token if device is not None else ""
        self._earlier = outcome.observation.listing

    def check_observation(self, observation: Observation) -> None:
        """Check the device before it is locked or planned: nothing must be written to another device or its record."""
        found, listing = observation.device, observation.listing
        others = self._earlier.owners(found.token) if found is not None and self._earlier is not None else ()
        if found is not None and (found.token != self._token if self._token else others):
            raise _AnotherDeviceError(
                "another device has this number now", "check both devices, and run the playbook again"
            )
        if found is None and self._token and listing is not None:
            for device in listing.owners(self._token):
                raise _AnotherDeviceError(
                    f"the service lists it as {device.number} now",
                    "declare it under the number that it should have, and run the playbook again",
                )
        self._guard.check_observation(observation)

    def check_plan(self, plan: Plan) -> None:
        self._guard.check_plan(plan)


def _finish_after_fault(
    context: RunContext,
    desired: Desired,
    outcome: Outcome,
    fault: RequestError,
    locks: LockSet,
    lost: str,
    guard: Guard,
) -> None:
    """Observe the device again after a failed request, plan again, and carry out the remaining operations once."""
    context.client.invalidate_cache(outcome.observation.number, context.device_token)
    first = outcome.plan
    try:
        observation, plan = _observe_and_lock(context, desired, locks, _SameDeviceGuard(guard, outcome))
    except _AnotherDeviceError as another:
        raise _another_device_error(fault, another) from None
    except RefusedError as refusal:
        if lost == DELETE and refusal.kind is RefusalKind.INVALID_TOKEN:
            raise _unknown_error(fault, "the service no longer knows its token, so it is probably deleted") from None
        raise _not_listed_error(fault, refusal, lost) from None
    except (PolicyError, SafetyLimitError) as refusal:
        if not fault.may_be_applied:
            raise
        if isinstance(refusal, PolicyError):
            outcome.plan = replace(first, at_risk=refusal.at_risk)
        raise _forbidden_error(fault, refusal) from None
    except FonnteError as second:
        raise _not_listed_error(fault, second, lost) from None
    if lost == CREATE and observation.device is None and not fault.may_be_applied:
        raise fault
    if lost in NON_REPEATABLE and lost in plan.operations:
        raise _unknown_error(fault, _RUN_AGAIN[lost])
    outcome.device = observation.device or outcome.device
    outcome.warn(*observation.warnings, *plan.warnings)
    if CREATE in plan.operations or (lost == CREATE and not fault.may_be_applied):
        # The first plan was created for another state.
        outcome.plan, outcome.observation = plan, observation
    else:
        if lost not in (*plan.operations, *outcome.done):
            outcome.done.append(lost)
        outcome.plan = _join(first, plan)
    executor = Executor(context, desired, observation, outcome, locks)
    try:
        executor.finish(lost, first, plan)
    finally:
        executor.renew_doubt()


def _join(first: Plan, second: Plan) -> Plan:
    """Return the plan of a run that planned twice: from the start of the first plan to the end of the second."""
    operations = tuple(operation for operation in OPERATIONS if operation in (*first.operations, *second.operations))
    return replace(
        first,
        operations=operations,
        reasons={**second.reasons, **first.reasons},
        carried={**first.carried, **second.carried},
        at_risk=tuple(dict.fromkeys((*first.at_risk, *second.at_risk))),
        after=second.after,
    )
