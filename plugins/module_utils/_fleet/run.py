# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Many devices in one run: one list, a plan for all, and then only the calls that the plans need.

Each device goes the same way through the house as a single one. What is added here is order: what is wrong with
the declaration is found before the first write, and one device's trouble is told apart from everybody's.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import threading
import typing as t
from dataclasses import dataclass, field, replace

from .._common.errors import (
    FonnteError,
    OptionError,
    RefusalKind,
    RefusedError,
    RequestError,
)
from .._device.models import DeviceList
from .._reconcile.engine import Guard, apply, make_preview, preview
from .._reconcile.locks import LockSet, acquire_all
from .._reconcile.observe import Observation, RunContext, entries_of
from .._reconcile.outcome import Outcome
from .._reconcile.state import CREATE, Desired, Plan
from .entries import EntryRun, FleetEntry, FleetOptions
from .limit_checks import MAX_REPORTED, _check_limits, _remaining_limits
from .limits import Allowance

# Each lock is an open file, and a process may have few of them.
MAX_LOCKED = 100
# A large fleet must not keep the strings of all records.
PREFETCHED = 1000


Progress = t.Callable[[int, int, int], None]


def preview_fleet(context: RunContext, members: t.Sequence[FleetEntry], options: FleetOptions) -> list[EntryRun]:
    """Return what a run would do to each member. Only reads.

    Raises:
        SafetyLimitError: The run would do more than the user allows.
        OptionError: An entry cannot be carried out.
    """
    return _check_all(context, preview_all(context, members, options.concurrency), options)


def apply_fleet(
    context: RunContext, members: t.Sequence[FleetEntry], options: FleetOptions, progress: Progress
) -> list[EntryRun]:
    """Bring each member to what is declared; what went wrong is in its turn.

    Raises:
        SafetyLimitError: The run would do more than the user allows; nothing was written.
        OptionError: An entry cannot be carried out; nothing was written.
    """
    runs = preview_all(context, members, options.concurrency, make_preview)
    _refuse_impossible(runs)
    _preview_again(context, runs)
    runs = _check_all(context, runs, options)
    allowance = Allowance(_remaining_limits(context, runs, options))
    work = [run for run in runs if run.fault is None and run.has_work]
    board = FleetState(context, options, progress, len(work), allowance)
    for run in runs:
        board.note_failure(run)
    canaries, rest = work[: options.canary], work[options.canary :]
    for run in canaries:
        board.work(run)
    if any(run.fault for run in canaries):
        board.stop("a device of the canary failed")
    board.work_on_all([run for run in rest if not run.disconnects])
    leaving = [run for run in rest if run.disconnects]
    for start in range(0, len(leaving), MAX_LOCKED):
        board.disconnect_all(leaving[start : start + MAX_LOCKED])
    return runs


# Before the first write


def _preview_again(context: RunContext, runs: t.Sequence[EntryRun]) -> None:
    """Plan the devices with work again, with a mark for each: then only a run that writes meanwhile makes it stale.

    Serial: which entries to mark is known from the first list only. An unchanged fleet costs no second one.
    """
    # The list of a device to be disconnected is requested under its lock anyway.
    work = [run for run in runs if run.fault is None and run.has_work and not run.disconnects]
    names = {file.name for run in work if run.predicted is not None for file in run.predicted.observation.files}
    context.records.watch(names)
    if _are_stale(context, work):
        listing = (
            context.client.get_devices(context.account_token, context.records.mark) if context.account_token else None
        )
        for some in _batches(context, work, listing):
            for run in some:
                _preview(run, make_preview)


def _are_stale(context: RunContext, runs: t.Iterable[EntryRun]) -> bool:
    """Return whether another run may have written to any of some devices since their mark; one question for a list."""
    marks: dict[int, tuple[t.Any, list[str]]] = {}
    for run in runs:
        if run.predicted is not None:
            observation = run.predicted.observation
            _mark, names = marks.setdefault(id(observation.mark), (observation.mark, []))
            names += [file.name for file in observation.files]
    return any(mark is None or bool(context.records.backend.stale(mark, names)) for mark, names in marks.values())


def _batches(
    context: RunContext, runs: t.Sequence[EntryRun], listing: DeviceList | None
) -> t.Iterator[t.Sequence[EntryRun]]:
    """Yield the turns in parts, each after its entries were read at once where single reads would be round trips."""
    for start in range(0, len(runs), PREFETCHED):
        some = runs[start : start + PREFETCHED]
        looks = [(run.entry.context, run.entry.desired) for run in some]
        context.records.prefetch(functools.partial(entries_of, looks, listing))
        yield some


FleetPreview = t.Callable[[RunContext, Desired], Outcome]


def preview_all(
    context: RunContext, members: t.Sequence[FleetEntry], concurrency: int, ahead: FleetPreview = preview
) -> list[EntryRun]:
    """Return what a run would do to each member; what is in the way of one is in its turn."""

    def preview_one(run: EntryRun) -> None:
        context.lineage.require()
        _preview(run, ahead)

    runs = [EntryRun(member) for member in members]
    if context.account_token:
        # One list for all. If it cannot be read there is nothing to tell of any device.
        listing = context.client.listing(context.account_token, "", "", mark=context.records.mark)
        for some in _batches(context, runs, listing):
            for run in some:
                preview_one(run)
    else:
        with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
            for some in _batches(context, runs, None):
                list(pool.map(preview_one, some))
    return runs


def _preview(run: EntryRun, ahead: FleetPreview) -> None:
    try:
        run.predicted = ahead(run.entry.context, run.entry.desired)
    except FonnteError as fault:
        run.fault = fault
        so_far = fault.partial_result.get("outcome")
        run.predicted = so_far if isinstance(so_far, Outcome) else None
    if run.predicted is not None and not run.has_work:
        # A large fleet must not keep the contents of all records.
        run.predicted.observation = replace(run.predicted.observation, creation_file=None, device_file=None)


def _check_all(context: RunContext, runs: list[EntryRun], options: FleetOptions) -> list[EntryRun]:
    _refuse_impossible(runs)
    _check_limits(context, runs, options)
    return runs


def _refuse_impossible(runs: t.Sequence[EntryRun]) -> None:
    problems = [f"{run.entry.label}: {run.fault}" for run in runs if isinstance(run.fault, OptionError)]
    problems += find_duplicates(runs)
    if problems:
        raise impossible_error(problems)


def find_duplicates(runs: t.Sequence[EntryRun]) -> t.Iterator[str]:
    """Yield the entries that turned out to be one device: one names its number, and the other its token."""
    first: dict[str, EntryRun] = {}
    for run in runs:
        device = run.predicted.observation.device if run.predicted is not None else None
        if device is not None and first.setdefault(device.token, run) is not run:
            yield f"{first[device.token].entry.label} and {run.entry.label} are one device"


def impossible_error(problems: t.Sequence[str]) -> OptionError:
    """Return the error for entries that cannot be carried out, each with its index."""
    reported = "; ".join(problem.rstrip(".") for problem in problems[:MAX_REPORTED])
    more = f"; and {len(problems) - MAX_REPORTED} more" if len(problems) > MAX_REPORTED else ""
    return OptionError("devices", f"{reported}{more}", "correct the list (nothing was changed)")


# Writing


class _EntryGuard(Guard):
    """Keeps a member's later plans to its device and to the limits of the fleet."""

    def __init__(self, run: EntryRun, allowance: Allowance) -> None:
        self._turn = run
        self._allowance = allowance
        self._counted = run.limits

    def check_observation(self, observation: Observation) -> None:
        self._turn.check(observation)

    def check_plan(self, plan: Plan) -> None:
        self._allowance.require(self._turn.entry.index, self._counted, plan)


@dataclass
class FleetState:
    """What the workers tell each other.

    Attributes:
        closed: Why no device is begun any more.
        full: Why none is created any more.
        probes: How often somebody has asked whether the service is still there.
        lock: For the three of them and done. Nobody holds it while a call is under way.
    """

    context: RunContext
    options: FleetOptions
    progress: Progress
    total: int
    allowance: Allowance
    done: int = 0
    failed: int = 0
    stop_reason: str = ""
    account_full: str = ""
    probes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self, why: str) -> None:
        """Let no device be begun any more."""
        with self.lock:
            self.stop_reason = self.stop_reason or why

    def note_failure(self, run: EntryRun) -> None:
        """Take note of a member that failed before anything was tried."""
        if run.fault is not None and self.options.stop:
            self.stop("another device failed, and on_error is stop")

    def disconnect_all(self, runs: t.Sequence[EntryRun]) -> None:
        """Work on members whose devices are to be disconnected: all of them are locked before the list is requested.

        They come last, and the locks of no other devices are taken meanwhile: two fleets cannot wait for each other.
        """
        if self.stop_reason:
            self.work_on_all(runs)
            return
        lock_sets = {run.entry.index: LockSet(self.context.records, self.context.client.now) for run in runs}
        files = {run.entry.index: run.predicted.observation.files for run in runs if run.predicted is not None}
        try:
            faults = acquire_all(lock_sets, files)
        except BaseException:
            for locks in lock_sets.values():
                locks.close()
            raise
        for run in runs:
            run.fault = faults.get(run.entry.index)
            if run.fault is not None:
                lock_sets[run.entry.index].close()
                run.fault.operation = f"Locking device {run.entry.desired.number}".rstrip()
                self.note_failure(run)
                self.done += 1
                self.failed += 1
        self.work_on_all([run for run in runs if run.fault is None], lock_sets)

    def work_on_all(self, runs: t.Sequence[EntryRun], lock_sets: t.Mapping[int, LockSet] | None = None) -> None:
        """Work on members side by side, and return when all are done or given up; holds are their locks by index."""
        # While one device waits for its record to be on the disk, another one calls. The transport counts the calls.
        pool = concurrent.futures.ThreadPoolExecutor(self.options.concurrency + self.options.concurrency // 2)
        try:
            for ended in concurrent.futures.as_completed(
                [pool.submit(self.work, run, (lock_sets or {}).get(run.entry.index)) for run in runs]
            ):
                # A fault of our own must not pass for a device that is done.
                ended.result()
                self.progress(self.done, self.failed, self.total)
        except BaseException as fault:
            # What is under way ends; nothing new begins. Where the task's time is over, or somebody pressed Ctrl-C,
            # that is told without waiting. The process still ends after its threads: Python joins them at its exit.
            self.stop("the run was cut off")
            pool.shutdown(wait=isinstance(fault, Exception))
            raise
        pool.shutdown()

    def work(self, run: EntryRun, locks: LockSet | None = None) -> None:
        """Carry out one member under the locks that it holds, unless what happened to others speaks against it."""
        # The worker releases them: where the run is cut off, it still works while the run has ended.
        with locks if locks is not None else contextlib.ExitStack():
            self._work(run, locks)

    def _work(self, run: EntryRun, locks: LockSet | None) -> None:
        plan = run.predicted.plan if run.predicted else None
        creates = plan is not None and CREATE in plan.operations
        if self.context.lineage.has_ended():
            self.stop("the process that started this run has ended")
        run.skipped = self.stop_reason or (self.account_full if creates else "")
        if run.skipped:
            return
        probes = self.probes
        guard = _EntryGuard(run, self.allowance)
        try:
            ahead = run.predicted if locks is None else None
            run.outcome = apply(run.entry.context, run.entry.desired, locks, guard, ahead)
        except FonnteError as fault:
            so_far = fault.partial_result.get("outcome")
            run.fault, run.outcome = fault, so_far if isinstance(so_far, Outcome) else None
            self._conclude(run, fault, probes)
        if run.outcome is not None:
            # A long run requests many lists, and must not keep all of them.
            run.outcome.observation = replace(
                run.outcome.observation, listing=None, creation_file=None, device_file=None
            )
        with self.lock:
            self.done += 1
            self.failed += run.fault is not None

    def _conclude(self, run: EntryRun, fault: FonnteError, probes: int) -> None:
        """Conclude from one failure what it means for the others; probes is how many there were when it was begun."""
        if isinstance(fault, RefusedError) and fault.kind is RefusalKind.ACCOUNT_FULL:
            with self.lock:
                self.account_full = "the account holds no more free devices"
        elif (
            isinstance(fault, RefusedError) and fault.kind is RefusalKind.INVALID_TOKEN and fault.call == "/add-device"
        ):
            self.stop("the service does not accept the account token")
        if self.options.stop:
            self.stop("another device failed, and on_error is stop")
        if isinstance(fault, RequestError) and not isinstance(fault, RefusedError) and self._is_to_probe(probes):
            self._probe(run)

    def _is_to_probe(self, probes: int) -> bool:
        """Tell whether to ask if the service is there; what failed together is one reason to."""
        with self.lock:
            if self.stop_reason or self.probes != probes:
                return False
            self.probes += 1
            return True

    def _probe(self, run: EntryRun) -> None:
        """Ask whether the service is still there, so that not every device has to find out by itself."""
        context = run.entry.context
        try:
            if context.account_token:
                context.client.get_devices(context.account_token)
            else:
                context.client.profile(context.device_token)
        except RequestError as fault:
            self.stop(f"the service went away: {fault.problem}")
