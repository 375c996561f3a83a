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

import collections
import concurrent.futures
import contextlib
import threading
import typing as t
from dataclasses import dataclass, field, replace

from .._common.errors import (
    BrakeError,
    CallError,
    FonnteError,
    Meaning,
    OptionError,
    RefusedError,
)
from .._common.phone_numbers import key_of
from .._device.models import Device, Listing
from .._reconcile.apply import Outcome
from .._reconcile.engine import Guard, carry_out, foresee, look_ahead
from .._reconcile.locks import Hold, take_all
from .._reconcile.observe import House, Sight
from .._reconcile.state import CREATE, Desired, Plan
from .limits import FREE_LIMIT, MAX_CLEAR, MAX_CREATE, MAX_DISCONNECT, Allowance
from .turns import Member, Orders, Turn

MOST_TOLD = 10
# Each lock is an open file, and a process may have few of them.
MOST_LOCKED = 100


Progress = t.Callable[[int, int, int], None]


def foresee_fleet(house: House, members: t.Sequence[Member], orders: Orders) -> list[Turn]:
    """Return what a run would do to each member. Only reads.

    Raises:
        BrakeError: The run would do more than the user allows.
        OptionError: An entry cannot be carried out.
    """
    return _braked(house, look_at_all(house, members, orders.concurrency), orders)


def carry_out_fleet(house: House, members: t.Sequence[Member], orders: Orders, progress: Progress) -> list[Turn]:
    """Bring each member to what is declared; what went wrong is in its turn.

    Raises:
        BrakeError: The run would do more than the user allows; nothing was written.
        OptionError: An entry cannot be carried out; nothing was written.
    """
    turns = look_at_all(house, members, orders.concurrency, look_ahead)
    _refuse_impossible(turns)
    _look_again(house, turns)
    turns = _braked(house, turns, orders)
    allowance = Allowance(_left(house, turns, orders))
    work = [turn for turn in turns if turn.fault is None and turn.has_work]
    board = _Board(house, orders, progress, len(work), allowance)
    for turn in turns:
        board.see(turn)
    canaries, rest = work[: orders.canary], work[orders.canary :]
    for turn in canaries:
        board.work(turn)
    if any(turn.fault for turn in canaries):
        board.close("a device of the canary failed")
    board.work_on_all([turn for turn in rest if not turn.disconnects])
    leaving = [turn for turn in rest if turn.disconnects]
    for start in range(0, len(leaving), MOST_LOCKED):
        board.disconnect_all(leaving[start : start + MOST_LOCKED])
    return turns


# Before the first write


def _look_again(house: House, turns: t.Sequence[Turn]) -> None:
    """Plan the devices with work again, with a mark for each: then only a run that writes meanwhile makes it stale.

    Serial: which entries to mark is known from the first list only. An unchanged fleet costs no second one.
    """
    # The list of a device to be disconnected is requested under its lock anyway.
    work = [turn for turn in turns if turn.fault is None and turn.has_work and not turn.disconnects]
    names = {file.name for turn in work if turn.foreseen is not None for file in turn.foreseen.sight.files}
    house.records.watch(names)
    if any(turn.foreseen is not None and turn.foreseen.sight.is_stale(turn.member.house) for turn in work):
        if house.account_token:
            house.api.get_devices(house.account_token, house.records.mark)
        for turn in work:
            _look_at(turn, look_ahead)


Look = t.Callable[[House, Desired], Outcome]


def look_at_all(house: House, members: t.Sequence[Member], concurrency: int, ahead: Look = foresee) -> list[Turn]:
    """Return what a run would do to each member; what is in the way of one is in its turn."""

    def look(turn: Turn) -> None:
        house.lineage.require()
        _look_at(turn, ahead)

    turns = [Turn(member) for member in members]
    if house.account_token:
        # One list for all. If it cannot be read there is nothing to tell of any device.
        house.api.listing(house.account_token, "", "", mark=house.records.mark)
        for turn in turns:
            look(turn)
    else:
        with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(look, turns))
    return turns


def _look_at(turn: Turn, ahead: Look) -> None:
    try:
        turn.foreseen = ahead(turn.member.house, turn.member.desired)
    except FonnteError as fault:
        turn.fault = fault
        so_far = fault.progress.get("outcome")
        turn.foreseen = so_far if isinstance(so_far, Outcome) else None
    if turn.foreseen is not None and not turn.has_work:
        # A large fleet must not keep the contents of all records.
        turn.foreseen.sight = replace(turn.foreseen.sight, note_file=None, device_file=None)


def _braked(house: House, turns: list[Turn], orders: Orders) -> list[Turn]:
    _refuse_impossible(turns)
    _brake(house, turns, orders)
    return turns


def _refuse_impossible(turns: t.Sequence[Turn]) -> None:
    problems = [f"{turn.member.label}: {turn.fault}" for turn in turns if isinstance(turn.fault, OptionError)]
    problems += find_duplicates(turns)
    if problems:
        raise impossible(problems)


def find_duplicates(turns: t.Sequence[Turn]) -> t.Iterator[str]:
    """Yield the entries that turned out to be one device: one names its number, and the other its token."""
    first: dict[str, Turn] = {}
    for turn in turns:
        device = turn.foreseen.sight.device if turn.foreseen is not None else None
        if device is not None and first.setdefault(device.token, turn) is not turn:
            yield f"{first[device.token].member.label} and {turn.member.label} are one device"


def impossible(problems: t.Sequence[str]) -> OptionError:
    """Return the error for entries that cannot be carried out, each with its index."""
    told = "; ".join(problem.rstrip(".") for problem in problems[:MOST_TOLD])
    more = f"; and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else ""
    return OptionError("devices", f"{told}{more}", "correct the list (nothing was changed)")


_COUNTED = {
    MAX_CREATE: "create {} devices",
    MAX_CLEAR: "clear webhooks of {} devices",
    MAX_DISCONNECT: "disconnect {} devices",
}


def _count(turns: t.Sequence[Turn]) -> collections.Counter[str]:
    """Return how many first plans count for each limit."""
    return collections.Counter(limit for turn in turns for limit in turn.limits)


def _left(house: House, turns: t.Sequence[Turn], orders: Orders) -> dict[str, int]:
    """Return how many more devices each limit that is set allows."""
    counted = _count(turns)
    left = {limit: most - counted[limit] for limit, most in orders.limits.items() if most is not None}
    if orders.free_limit is not None:
        left[FREE_LIMIT] = orders.free_limit - _count_free(house) - counted[FREE_LIMIT]
    return left


def _brake(house: House, turns: t.Sequence[Turn], orders: Orders) -> None:
    counted = _count(turns)
    for option, limit in orders.limits.items():
        if limit is not None and counted[option] > limit:
            raise BrakeError(
                f"the run would {_COUNTED[option].format(counted[option])}, and {option} is {limit}",
                f"look at the list; if that is meant, raise {option} (nothing was changed)",
            )
    created = counted[FREE_LIMIT]
    if orders.free_limit is not None and created:
        free = _count_free(house)
        if free + created > orders.free_limit:
            raise BrakeError(
                f"the account has {free} free devices, the run would create {created} more, and free_device_limit is "
                f"{orders.free_limit}",
                "create fewer, or give some of them a package (nothing was changed)",
            )
    others = unlisted(house, turns) if orders.unlisted == "error" else []
    if others:
        raise BrakeError(
            f"the account has devices that are not in the list: {', '.join(others[:MOST_TOLD])}"
            + (f" and {len(others) - MOST_TOLD} more" if len(others) > MOST_TOLD else ""),
            "declare them, or say unlisted: report (nothing was changed)",
        )


def _count_free(house: House) -> int:
    if not house.account_token:
        return 0
    return count_free(house.api.listing(house.account_token, "", "").devices)


def count_free(devices: t.Iterable[Device]) -> int:
    """Return how many devices are free ones."""
    return sum(device.is_free for device in devices)


def unlisted(house: House, turns: t.Sequence[Turn]) -> list[str]:
    """Return the numbers of the account's devices that no member is, as they were when the run began."""
    listings = [turn.foreseen.sight.listing for turn in turns if turn.foreseen is not None]
    return sorted(device.number for device in strangers(turns, next(filter(None, listings), None)))


def strangers(turns: t.Sequence[Turn], listing: Listing | None) -> list[Device]:
    """Return the devices of a list that no member is."""
    sights = [turn.foreseen.sight for turn in turns if turn.foreseen is not None]
    known = {key_of(turn.member.desired.number) for turn in turns}
    tokens = {sight.device.token for sight in sights if sight.device is not None}
    devices = listing.devices if listing is not None else ()
    return [device for device in devices if key_of(device.number) not in known and device.token not in tokens]


# Writing


class _TurnGuard(Guard):
    """Keeps a member's later plans to its device and to the limits of the fleet."""

    def __init__(self, turn: Turn, allowance: Allowance) -> None:
        self._turn = turn
        self._allowance = allowance
        self._counted = turn.limits

    def check_sight(self, sight: Sight) -> None:
        self._turn.check(sight)

    def check_plan(self, plan: Plan) -> None:
        self._allowance.require(self._turn.member.index, self._counted, plan)


@dataclass
class _Board:
    """What the workers tell each other.

    Attributes:
        closed: Why no device is begun any more.
        full: Why none is created any more.
        probes: How often somebody has asked whether the service is still there.
        lock: For the three of them and done. Nobody holds it while a call is under way.
    """

    house: House
    orders: Orders
    progress: Progress
    total: int
    allowance: Allowance
    done: int = 0
    failed: int = 0
    closed: str = ""
    full: str = ""
    probes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self, why: str) -> None:
        """Let no device be begun any more."""
        with self.lock:
            self.closed = self.closed or why

    def see(self, turn: Turn) -> None:
        """Take note of a member that failed before anything was tried."""
        if turn.fault is not None and self.orders.stop:
            self.close("another device failed, and on_error is stop")

    def disconnect_all(self, turns: t.Sequence[Turn]) -> None:
        """Work on members whose devices are to be disconnected: all of them are locked before the list is requested.

        They come last, and the locks of no other devices are taken meanwhile: two fleets cannot wait for each other.
        """
        if self.closed:
            self.work_on_all(turns)
            return
        holds = {turn.member.index: Hold(self.house.records, self.house.api.moment) for turn in turns}
        files = {turn.member.index: turn.foreseen.sight.files for turn in turns if turn.foreseen is not None}
        try:
            faults = take_all(holds, files)
        except BaseException:
            for hold in holds.values():
                hold.close()
            raise
        for turn in turns:
            turn.fault = faults.get(turn.member.index)
            if turn.fault is not None:
                holds[turn.member.index].close()
                turn.fault.doing = f"Locking device {turn.member.desired.number}".rstrip()
                self.see(turn)
                self.done += 1
                self.failed += 1
        self.work_on_all([turn for turn in turns if turn.fault is None], holds)

    def work_on_all(self, turns: t.Sequence[Turn], holds: t.Mapping[int, Hold] | None = None) -> None:
        """Work on members side by side, and return when all are done or given up; holds are their locks by index."""
        # While one device waits for its record to be on the disk, another one calls. The transport counts the calls.
        pool = concurrent.futures.ThreadPoolExecutor(self.orders.concurrency + self.orders.concurrency // 2)
        try:
            for ended in concurrent.futures.as_completed(
                [pool.submit(self.work, turn, (holds or {}).get(turn.member.index)) for turn in turns]
            ):
                # A fault of our own must not pass for a device that is done.
                ended.result()
                self.progress(self.done, self.failed, self.total)
        except BaseException as fault:
            # What is under way ends; nothing new begins. Where the task's time is over, or somebody pressed Ctrl-C,
            # that is told without waiting. The process still ends after its threads: Python joins them at its exit.
            self.close("the run was cut off")
            pool.shutdown(wait=isinstance(fault, Exception))
            raise
        pool.shutdown()

    def work(self, turn: Turn, hold: Hold | None = None) -> None:
        """Carry out one member under the locks that it holds, unless what happened to others speaks against it."""
        # The worker releases them: where the run is cut off, it still works while the run has ended.
        with hold if hold is not None else contextlib.ExitStack():
            self._work(turn, hold)

    def _work(self, turn: Turn, hold: Hold | None) -> None:
        plan = turn.foreseen.plan if turn.foreseen else None
        creates = plan is not None and CREATE in plan.operations
        if self.house.lineage.has_ended():
            self.close("the process that started this run has ended")
        turn.skipped = self.closed or (self.full if creates else "")
        if turn.skipped:
            return
        probes = self.probes
        guard = _TurnGuard(turn, self.allowance)
        try:
            ahead = turn.foreseen if hold is None else None
            turn.outcome = carry_out(turn.member.house, turn.member.desired, hold, guard, ahead)
        except FonnteError as fault:
            so_far = fault.progress.get("outcome")
            turn.fault, turn.outcome = fault, so_far if isinstance(so_far, Outcome) else None
            self._learn(turn, fault, probes)
        if turn.outcome is not None:
            # A long run requests many lists, and must not keep all of them.
            turn.outcome.sight = replace(turn.outcome.sight, listing=None, note_file=None, device_file=None)
        with self.lock:
            self.done += 1
            self.failed += turn.fault is not None

    def _learn(self, turn: Turn, fault: FonnteError, probes: int) -> None:
        """Conclude from one failure what it means for the others; probes is how many there were when it was begun."""
        if isinstance(fault, RefusedError) and fault.meaning is Meaning.ACCOUNT_FULL:
            with self.lock:
                self.full = "the account holds no more free devices"
        elif isinstance(fault, RefusedError) and fault.meaning is Meaning.BAD_TOKEN and fault.call == "/add-device":
            self.close("the service does not accept the account token")
        if self.orders.stop:
            self.close("another device failed, and on_error is stop")
        if isinstance(fault, CallError) and not isinstance(fault, RefusedError) and self._is_to_probe(probes):
            self._probe(turn)

    def _is_to_probe(self, probes: int) -> bool:
        """Tell whether to ask if the service is there; what failed together is one reason to."""
        with self.lock:
            if self.closed or self.probes != probes:
                return False
            self.probes += 1
            return True

    def _probe(self, turn: Turn) -> None:
        """Ask whether the service is still there, so that not every device has to find out by itself."""
        house = turn.member.house
        try:
            if house.account_token:
                house.api.get_devices(house.account_token)
            else:
                house.api.profile(house.device_token)
        except CallError as fault:
            self.close(f"the service went away: {fault.problem}")
