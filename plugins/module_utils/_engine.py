# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Look, plan, apply: one device on its way through the house.

Check mode is ``foresee``: it stops after the plan. ``carry_out`` is the only writer, of the service and
of the record.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ._api import Device, FonnteApi, Listing
from ._errors import (
    CallError,
    FonnteError,
    Meaning,
    NotFoundError,
    OptionError,
    RefusedError,
    UnansweredError,
)
from ._number import same_number
from ._plan import (
    CREATE,
    DELETE,
    DISCONNECT,
    OPERATIONS,
    REQUEST_OTP,
    TIME_FORMAT,
    UPDATE,
    Desired,
    Observed,
    Plan,
    Recorded,
    make_plan,
)
from ._record import DeviceRecord, NumberNote, RecordStore, SealedFile

# Another run may hold a device for as long as its calls and their retries last.
LOCK_SECONDS = 300.0
# How often a device is looked at again because another run wrote to it in the meantime.
MOST_LOOKS = 5
# Longer than a tick of the file system's clock, or the same write would be seen again.
LOOK_AGAIN_SECONDS = 0.05

# A second call of these could do harm, so a lost reply is followed by a look and never by a repeat.
NEVER_AGAIN = (DELETE, REQUEST_OTP)


@dataclass(frozen=True)
class House:
    """What a run works with.

    Attributes:
        api: The service.
        records: The record.
        account_token: Empty where none was given.
        device_token: Empty where none was given.
    """

    api: FonnteApi
    records: RecordStore
    account_token: str = field(default="", repr=False)
    device_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Sight:
    """What was seen of one device at one time."""

    began_ns: int
    number: str
    device: Device | None
    observed: Observed | None
    recorded: Recorded
    warnings: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What a run did, or in check mode would do; the result is made from it."""

    plan: Plan
    sight: Sight
    done: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    device: Device | None = None
    otp_wait: int | None = None

    @property
    def operations(self) -> list[str]:
        """What was done, in the order of the contract."""
        return [operation for operation in OPERATIONS if operation in self.done]


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


def _stamp() -> str:
    return now().strftime(TIME_FORMAT)


def foresee(house: House, desired: Desired) -> Outcome:
    """Return what a real run would do. Only reads: no call that writes, no file touched."""
    with _doing("Looking up", desired):
        sight = look(house, desired)
    plan = _planned(desired, sight)
    return Outcome(plan, sight, list(plan.foreseen), [*sight.warnings, *plan.warnings], sight.device, plan.otp_wait)


def carry_out(house: House, desired: Desired) -> Outcome:
    """Bring one device to what is declared.

    Raises:
        FonnteError: With ``progress`` set to the outcome so far, as far as there is one.
    """
    for _attempt in range(MOST_LOOKS):
        with _doing("Looking up", desired):
            sight = look(house, desired)
        lock = _lock_of(house, desired, sight)
        with _doing("Working on", desired), contextlib.ExitStack() as held:
            if _planned(desired, sight).operations:
                held.enter_context(lock.lock(LOCK_SECONDS))
            # Another run may have written between our look and our lock.
            if not lock.touched_since(sight.began_ns):
                return _apply(house, desired, sight, lock, held)
        time.sleep(LOOK_AGAIN_SECONDS)
    raise FonnteError(
        f"other runs keep writing to device {desired.number}", "let them end, and see that no two plays manage one device at a time"
    )


def _lock_of(house: House, desired: Desired, sight: Sight) -> SealedFile[t.Any]:
    if sight.device is not None:
        return house.records.device(sight.device.token)
    return house.records.number(house.account_token, desired.number)


@contextlib.contextmanager
def _doing(what: str, desired: Desired) -> t.Iterator[None]:
    """Name what was being done in any error that does not know it yet."""
    try:
        yield
    except FonnteError as fault:
        fault.doing = fault.doing or f"{what} device {desired.number}".rstrip()
        raise


# Looking


def look(house: House, desired: Desired) -> Sight:
    """Return what the service and the record tell of a device.

    Raises:
        FonnteError: They cannot be read, or number and token are not one device.
    """
    began = time.time_ns()
    if not house.account_token and not house.device_token:
        raise OptionError("account_token", "there is no token", "set account_token or FONNTE_ACCOUNT_TOKEN, or give the device_token")
    listing = house.api.get_devices(house.account_token) if house.account_token else None
    device, certain = _identify(house, desired.number, listing)
    if device is None:
        recorded, warnings = _remember(house, desired.number, None)
        return Sight(began, desired.number, None, None, recorded, warnings)
    if not device.token:
        raise FonnteError(f"the service lists device {device.number} without its token", "look at the device in the dashboard")
    number = device.number if certain else (desired.number or device.number)
    recorded, warnings = _remember(house, number, device)
    observed = Observed(number, device.settings, device.connected, certain)
    return Sight(began, number, device, observed, recorded, warnings)


def _identify(house: House, number: str, listing: Listing | None) -> tuple[Device | None, bool]:
    """Return the one device that number and token name, and whether its registered number is certain.

    The number is a writable field of update-device: a token of another device would renumber that one.
    """
    by_number = listing.find(number) if listing and number else None
    if not house.device_token:
        return by_number, True
    by_token = listing.find_token(house.device_token) if listing else None
    if number and (by_number or by_token) and by_number != by_token:
        raise _not_one_device(number, by_token.number if by_token else None)
    if by_token:
        return by_token, True
    profile = house.api.profile(house.device_token)
    if number and not same_number(number, profile.number):
        raise _not_one_device(number, profile.number)
    return profile, number == profile.number


def _not_one_device(number: str, other: str | None) -> FonnteError:
    owner = f"device {other}" if other else "a device that the account does not list"
    return FonnteError(
        f"device {number} and device_token are not one device: the token belongs to {owner}",
        "give one of the two, or the ones that belong together (nothing was changed)",
    )


def _remember(house: House, number: str, device: Device | None) -> tuple[Recorded, tuple[str, ...]]:
    """Return what the record holds, and a warning for each part of it that does not open."""
    problems: list[str] = []
    record, note = None, None
    if device is not None:
        record, problem = house.records.device(device.token).load()
        problems.append(problem)
    if house.account_token and number:
        note, problem = house.records.number(house.account_token, number).load()
        problems.append(problem)
    record = record or DeviceRecord()
    if device is not None and note is not None and note.state == "creating":
        # A creation was begun and its end was never seen.
        missing = {option: value for option, value in note.sent.items() if option not in record.entries}
        record = record.begin(missing, note.at)
    recorded = Recorded(record, number_seen=note is not None, had_device=note is not None and note.state == "present")
    return recorded, tuple(f"{problem}; it counts as no record." for problem in problems if problem)


def _planned(desired: Desired, sight: Sight) -> Plan:
    with _doing("Planning", desired):
        return make_plan(desired, sight.observed, sight.recorded, now())


# Applying


def _apply(house: House, desired: Desired, sight: Sight, lock: SealedFile[t.Any], held: contextlib.ExitStack) -> Outcome:
    """Carry out the plan; after a fault that leaves the state unknown, look and plan anew, once."""
    plan = _planned(desired, sight)
    outcome = Outcome(plan, sight, [], [*sight.warnings, *plan.warnings], sight.device)
    try:
        _Writer(house, desired, sight, outcome, held).run(plan)
    except CallError as fault:
        if not _second_look_helps(fault):
            fault.progress = {"outcome": outcome}
            raise
        _finish_after_fault(house, desired, outcome, fault, lock, held)
    except FonnteError as fault:
        fault.progress = {"outcome": outcome}
        raise
    return outcome


def _second_look_helps(fault: CallError) -> bool:
    return fault.may_be_applied or (isinstance(fault, RefusedError) and fault.meaning is Meaning.ALREADY_EXISTS)


def _finish_after_fault(
    house: House, desired: Desired, outcome: Outcome, fault: CallError, lock: SealedFile[t.Any], held: contextlib.ExitStack
) -> None:
    """See what became of a call whose answer was lost, and do what is still to be done."""
    lost = next(operation for operation in outcome.plan.operations if operation not in outcome.done)
    try:
        with _doing("Looking again after a lost reply at", desired):
            sight = look(house, desired)
        plan = make_plan(desired, sight.observed, sight.recorded, now())
        if lost == CREATE and sight.device is None:
            # Not created. A refusal stays what it was; a lost call is made again below.
            if isinstance(fault, RefusedError):
                raise fault
        elif lost not in plan.operations and fault.may_be_applied:
            outcome.done.append(lost)
        if lost in NEVER_AGAIN and lost in plan.operations:
            raise _unknown(fault, lost)
        if CREATE not in outcome.done or lost == CREATE:
            _lock_new(house, desired, sight, lock, held)
        outcome.device = sight.device or outcome.device
        _Writer(house, desired, sight, outcome, held).run(plan)
    except FonnteError as second:
        second.progress = {"outcome": outcome}
        raise


def _lock_new(house: House, desired: Desired, sight: Sight, lock: SealedFile[t.Any], held: contextlib.ExitStack) -> None:
    """Hold the device that the second look found, where it is not the one that is held already."""
    found = _lock_of(house, desired, sight)
    if found.path != lock.path:
        held.enter_context(found.lock(LOCK_SECONDS))


def _unknown(fault: CallError, operation: str) -> CallError:
    """Say of a call that must not be repeated that nobody knows whether it was carried out."""
    what, then = {
        REQUEST_OTP: ("whether a code was sent", "look at the WhatsApp of the account's owner, and run with otp if one is there"),
        DELETE: ("whether the code was used", "the device is still there: run again with the same code, or ask for a new one"),
    }[operation]
    unknown = UnansweredError(f"{fault.problem}, and it is unknown {what}", then)
    unknown.doing = fault.doing
    return unknown


class _Writer:
    """Carries out the steps of one plan. Every write to the service stands between two of the record."""

    def __init__(self, house: House, desired: Desired, sight: Sight, outcome: Outcome, held: contextlib.ExitStack) -> None:
        self._house = house
        self._desired = desired
        self._sight = sight
        self._outcome = outcome
        self._held = held
        self._record = sight.recorded.device
        self._steps: dict[str, tuple[str, t.Callable[[Plan], None]]] = {
            CREATE: ("Creating", self._create),
            UPDATE: ("Updating", self._update),
            DISCONNECT: ("Disconnecting", self._disconnect),
            DELETE: ("Deleting", self._delete),
            REQUEST_OTP: ("Asking for a code to delete", self._request_otp),
        }

    def run(self, plan: Plan) -> None:
        """Do what the plan says, in its order."""
        for operation in plan.operations:
            what, step = self._steps[operation]
            with _doing(what, self._desired):
                step(plan)

    @property
    def _device(self) -> Device:
        device = self._outcome.device
        if device is None:
            raise NotFoundError(f"the account has no device {self._desired.number}", "run the play again to see what is there now")
        return device

    def _note_file(self) -> SealedFile[NumberNote] | None:
        """Return the note on the number; it is the account's, and a device's token alone has none."""
        number = self._desired.number or self._sight.number
        return self._house.records.number(self._house.account_token, number) if self._house.account_token else None

    def _create(self, plan: Plan) -> None:
        note_file = self._house.records.number(self._house.account_token, self._desired.number)
        old, _problem = note_file.load()
        hidden = {option: value for option, value in plan.add.items() if option != "name"}
        note_file.save(NumberNote("creating", _stamp(), hidden, old.device_file if old else ""))
        try:
            device = self._house.api.add_device(self._house.account_token, self._desired.number, plan.add)
        except CallError as fault:
            if not fault.may_be_applied:
                note_file.restore(old)
            raise
        self._outcome.device = device
        self._outcome.done.append(CREATE)
        if old is not None:
            self._house.records.discard(old.device_file)
        self._remember_new(device, plan, note_file)

    def _remember_new(self, device: Device, plan: Plan, note_file: SealedFile[NumberNote]) -> None:
        at = _stamp()
        # What the reply shows is what was set, whatever was sent.
        added = {option: device.settings.get(option, value) for option, value in plan.add.items()}
        empty = {option: value for option, value in self._desired.settings.items() if value == ""}
        device_file = self._house.records.device(device.token)
        # The number is held until now; from here on other runs know the device by its token.
        self._held.enter_context(device_file.lock(LOCK_SECONDS))
        record = (device_file.load()[0] or DeviceRecord()).confirm(added, at).note(empty, at)
        # In doubt already, so that nothing is forgotten between the two calls of one creation.
        device_file.save(record.begin(plan.send, at))
        note_file.save(NumberNote("present", at, {}, device_file.name))
        self._record = record

    def _update(self, plan: Plan) -> None:
        device = self._device
        device_file = self._house.records.device(device.token)
        before, _problem = device_file.load()
        self._record = self._record.begin(plan.send, _stamp())
        device_file.save(self._record)
        self._see_number(device_file)
        try:
            self._send(device, plan)
        except CallError as fault:
            if not fault.may_be_applied:
                device_file.restore(before)
            raise
        self._outcome.done.append(UPDATE)
        self._record = self._record.confirm(plan.send, _stamp())
        device_file.save(self._record)

    def _send(self, device: Device, plan: Plan) -> None:
        number = self._sight.number if CREATE not in self._outcome.done else device.number
        try:
            self._house.api.update_device(device.token, number, plan.send)
        except RefusedError as refusal:
            if not plan.clears or refusal.meaning not in (Meaning.BAD_INPUT, Meaning.WEBHOOK):
                raise
            # One reading of the service refuses an empty webhook, and with it everything else that was sent.
            rest = {option: value for option, value in plan.send.items() if option not in plan.clears}
            self._house.api.update_device(device.token, number, rest)
            names = ", ".join(plan.clears)
            self._outcome.warnings.append(
                f'Fonnte refused to clear {names} of device {number} ("{refusal.text}"); everything else was applied. '
                "Clear it in the dashboard; it is not tried again."
            )

    def _see_number(self, device_file: SealedFile[DeviceRecord]) -> None:
        """Note that the number was seen with this device, unless that is known."""
        note_file = self._note_file()
        if note_file is None:
            return
        old, _problem = note_file.load()
        if old is not None and old.state == "creating":
            # What the creation was about to set is now the device's own doubt.
            device_file.save(self._record)
        if old is None or old.state != "present" or old.device_file != device_file.name:
            note_file.save(NumberNote("present", _stamp(), {}, device_file.name))

    def _disconnect(self, plan: Plan) -> None:
        device = self._device
        self._see_number(self._house.records.device(device.token))
        try:
            self._house.api.disconnect(device.token)
        except RefusedError as refusal:
            if refusal.meaning is not Meaning.AS_WANTED:
                raise
        self._outcome.done.append(DISCONNECT)

    def _delete(self, plan: Plan) -> None:
        device = self._device
        device_file = self._house.records.device(device.token)
        # A folder that cannot be written fails here, before the code is used.
        device_file.save(self._record)
        self._see_number(device_file)
        deleted = self._house.api.delete_device(device.token, self._desired.otp)
        self._outcome.done.append(DELETE)
        self._check_deleted(deleted)
        device_file.remove()
        note_file = self._note_file()
        if note_file is not None:
            note_file.save(NumberNote("deleted", _stamp()))

    def _check_deleted(self, deleted: str | None) -> None:
        observed = self._sight.observed
        if deleted is None or observed is None or not observed.certain or same_number(deleted, observed.number):
            return
        raise FonnteError(
            f"the service says that it deleted device {deleted}, not {observed.number}",
            "look at both devices in the dashboard before anything else is done",
        )

    def _request_otp(self, plan: Plan) -> None:
        device = self._device
        device_file = self._house.records.device(device.token)
        # A folder that cannot be written fails here, before a code is sent.
        device_file.save(self._record)
        self._see_number(device_file)
        try:
            self._house.api.request_otp(device.token)
        except RefusedError as refusal:
            if refusal.meaning is not Meaning.OTP_PENDING:
                raise
            self._outcome.otp_wait = refusal.seconds
            return
        self._outcome.done.append(REQUEST_OTP)
        device_file.save(replace(self._record, otp_requested_at=_stamp()))
