# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Run a fleet: one device list, a plan for each device, and then only the requests that the plans need.

Each device is reconciled by ``_reconcile.engine``, as a single device is. This module adds the order: problems of the
declaration are found before the first write, and the failure of one device is distinguished from a failure that
concerns all devices.
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
from .._common.phone_numbers import canonical
from .._device.models import DeviceList
from .._reconcile.engine import Guard, apply, make_preview, preview
from .._reconcile.locks import LockSet, acquire_all
from .._reconcile.observe import Observation, RunContext, entries_of
from .._reconcile.outcome import Outcome
from .._reconcile.state import CREATE, Desired, Plan
from .entries import NO_LOCK, EntryRun, FleetEntry, FleetOptions
from .limit_checks import MAX_REPORTED, _check_limits, _remaining_limits
from .limits import Allowance

# Each lock is an open file, and the operating system limits the open files of a process.
MAX_LOCKED = 100
# The strings of the record are read in batches of this size, to limit the memory for a large fleet.
PREFETCHED = 1000


Progress = t.Callable[[int, int, int], None]


def preview_fleet(context: RunContext, members: t.Sequence[FleetEntry], options: FleetOptions) -> list[EntryRun]:
    """Return the preview of each entry. Only reads.

    Raises:
        SafetyLimitError: The run would exceed a limit of the user.
        OptionError: An entry cannot be carried out.
    """
    return _check_all(context, preview_all(context, members, options.concurrency, planning=options.planning), options)


def apply_fleet(
    context: RunContext, members: t.Sequence[FleetEntry], options: FleetOptions, progress: Progress
) -> list[EntryRun]:
    """Reconcile each entry, and return their runs. An error that concerns one entry is in its ``EntryRun.fault``.

    Raises:
        SafetyLimitError: The run would exceed a limit of the user; nothing was written.
        OptionError: An entry cannot be carried out; nothing was written.
    """
    runs = preview_all(context, members, options.concurrency, make_preview, options.planning)
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
    """Add the entries with work to all further marks, and preview them again where another run may have written.

    Serial: with its names in the mark, a device's preview is stale only if another run writes to that device in the
    meantime. The names are known only after the first preview. An unchanged fleet needs no second device list.
    """
    # The list for a device that will be disconnected is requested under its lock anyway.
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
    """Return whether another run may have written to any of these devices since their mark. One check for each mark."""
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
    """Yield the runs in batches. If the record is remote, the entries of a batch are read before it in one query."""
    for start in range(0, len(runs), PREFETCHED):
        some = runs[start : start + PREFETCHED]
        looks = [(run.entry.context, run.entry.desired) for run in some]
        context.records.prefetch(functools.partial(entries_of, looks, listing))
        yield some


FleetPreview = t.Callable[[RunContext, Desired], Outcome]


def preview_all(
    context: RunContext,
    members: t.Sequence[FleetEntry],
    concurrency: int,
    ahead: FleetPreview = preview,
    planning: t.ContextManager[t.Any] = NO_LOCK,
) -> list[EntryRun]:
    """Return the preview of each entry. An error that concerns one entry is in its ``EntryRun.fault``."""

    def preview_one(run: EntryRun) -> None:
        context.lineage.require()
        _preview(run, ahead)

    runs = [EntryRun(member) for member in members]
    if context.account_token:
        # One list for all devices. If it cannot be read, no device can be previewed.
        listing = context.client.listing(context.account_token, "", "", mark=context.records.mark)
        for some in _batches(context, runs, listing):
            with planning:
                for run in some:
                    preview_one(run)
    else:
        # Each device has its own mark and its own request, so no entry may be read ahead: it would be older than the mark.
        with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(preview_one, runs))
    return runs


def _preview(run: EntryRun, ahead: FleetPreview) -> None:
    try:
        run.predicted = ahead(run.entry.context, run.entry.desired)
    except FonnteError as fault:
        run.fault = fault
        so_far = fault.partial_result.get("outcome")
        run.predicted = so_far if isinstance(so_far, Outcome) else None
    if run.predicted is not None and not run.has_work:
        # A large fleet must not keep the contents of all entries of the record in memory.
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
    """Yield a sentence for each two entries that are one device: one has its number, the other its token.

    Two devices whose numbers are two spellings of one number have one entry of the record, which both would lock.
    """
    first: dict[str, EntryRun] = {}
    of_number: dict[str, EntryRun] = {}
    # Entries with a number were compared before.
    compares = any(not run.entry.desired.number for run in runs)
    for run in runs:
        device = run.predicted.observation.device if run.predicted is not None else None
        if device is None:
            continue
        twin = of_number.setdefault(canonical(device.number), run) if compares else run
        if first.setdefault(device.token, run) is not run:
            yield f"{first[device.token].entry.label} and {run.entry.label} are one device"
        elif twin is not run:
            yield f"{twin.entry.label} and {run.entry.label} have one number in two spellings, so manage them in separate tasks"


def impossible_error(problems: t.Sequence[str]) -> OptionError:
    """Return the error for entries that cannot be carried out, each with its index."""
    reported = "; ".join(problem.rstrip(".") for problem in problems[:MAX_REPORTED])
    more = f"; and {len(problems) - MAX_REPORTED} more" if len(problems) > MAX_REPORTED else ""
    return OptionError("devices", f"{reported}{more}", "correct the list (nothing was changed)")


# Writing


class _EntryGuard(Guard):
    """A guard that restricts later plans of an entry to its device and to the safety limits of the fleet."""

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
    """The state that the workers of a run share.

    Attributes:
        context: The context of the run.
        options: The options of the run.
        progress: Reports the numbers of finished, failed and all devices.
        total: The number of devices with work.
        allowance: The safety limits for later plans.
        done: The number of finished devices.
        failed: The number of finished devices that failed.
        stop_reason: The reason why no further device is begun; empty if there is none.
        account_full: The reason why no further device is created; empty if there is none.
        probes: The number of checks whether the service still responds.
        lock: Protects the counts and reasons above. No worker holds it during a request.
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
        """Begin no further device."""
        with self.lock:
            self.stop_reason = self.stop_reason or why

    def note_failure(self, run: EntryRun) -> None:
        """Stop the run if required, where the preview of an entry failed."""
        if run.fault is not None and self.options.stop:
            self.stop("another device failed, and on_error is stop")

    def disconnect_all(self, runs: t.Sequence[EntryRun]) -> None:
        """Work on entries whose devices will be disconnected: lock all of these before the device list is requested.

        They are the last entries of a run, and no lock of another device is taken in the meantime, so two fleets cannot
        wait for each other.
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
        """Work on entries concurrently until all are finished or skipped. ``lock_sets`` has their locks by index."""
        # There are more threads than requests at a time: while one device waits for its record to reach the disk,
        # another one sends a request. The transport limits the number of requests.
        pool = concurrent.futures.ThreadPoolExecutor(self.options.concurrency + self.options.concurrency // 2)
        try:
            for ended in concurrent.futures.as_completed(
                [pool.submit(self.work, run, (lock_sets or {}).get(run.entry.index)) for run in runs]
            ):
                # Raise a programming error of a worker, so that its device does not count as finished.
                ended.result()
                self.progress(self.done, self.failed, self.total)
        except BaseException as fault:
            # Requests that have begun are finished, and no new device is begun. After a timeout of the task or Ctrl-C,
            # the error is raised without waiting. The process still ends after its threads, because Python joins them
            # at exit.
            self.stop("the run was interrupted")
            pool.shutdown(wait=isinstance(fault, Exception))
            raise
        pool.shutdown()

    def work(self, run: EntryRun, locks: LockSet | None = None) -> None:
        """Apply one entry under the locks that it holds, unless the failures of other entries prevent it."""
        # The worker releases the locks, because it may still be working when an interrupted run has ended.
        with locks if locks is not None else contextlib.ExitStack():
            self._work(run, locks)

    def _work(self, run: EntryRun, locks: LockSet | None) -> None:
        plan = run.predicted.plan if run.predicted else None
        creates = plan is not None and CREATE in plan.operations
        if self.context.lineage.has_ended():
            self.stop("the process that started this run has ended")
        if self.options.interrupted():
            self.stop("the run was interrupted")
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
            # A long run requests many lists, and must not keep all of them in memory.
            run.outcome.observation = replace(
                run.outcome.observation, listing=None, creation_file=None, device_file=None
            )
        with self.lock:
            self.done += 1
            self.failed += run.fault is not None

    def _conclude(self, run: EntryRun, fault: FonnteError, probes: int) -> None:
        """Apply the consequences of one device's failure to the others.

        Args:
            run: The run of the device.
            fault: Its error.
            probes: The number of probes when the device was begun.
        """
        if isinstance(fault, RefusedError) and fault.kind is RefusalKind.ACCOUNT_FULL:
            with self.lock:
                self.account_full = "the account cannot have more free devices; delete one, or buy a package for one"
        elif (
            isinstance(fault, RefusedError) and fault.kind is RefusalKind.INVALID_TOKEN and fault.call == "/add-device"
        ):
            self.stop("the service does not accept the account token")
        if self.options.stop:
            self.stop("another device failed, and on_error is stop")
        if isinstance(fault, RequestError) and not isinstance(fault, RefusedError) and self._is_to_probe(probes):
            self._probe(run)

    def _is_to_probe(self, probes: int) -> bool:
        """Return whether to check that the service responds. Devices that fail at the same time cause one check."""
        with self.lock:
            if self.stop_reason or self.probes != probes:
                return False
            self.probes += 1
            return True

    def _probe(self, run: EntryRun) -> None:
        """Check that the service still responds, and stop the run if not: otherwise each device would fail alone."""
        context = run.entry.context
        try:
            if context.account_token:
                context.client.get_devices(context.account_token)
            else:
                context.client.profile(context.device_token)
        except RequestError as fault:
            self.stop(f"the service became unavailable: {fault.problem}")
