# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Observe: find the device of a task, and read its state from the service and its record."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from .._api.cache import MAX_CACHE_SECONDS
from .._api.client import FonnteClient
from .._common.clock import Moment
from .._common.errors import DamagedRecordError, FonnteError, OptionError, RecordError
from .._common.lineage import Lineage, current_lineage
from .._common.phone_numbers import displayed_number, only_digits, refuse_lost_zero, same_number
from .._device.models import Device, DeviceList
from .._device.service_facts import ServiceFacts
from .._device.settings import RECORDED, Settings
from .._record.backend import Mark
from .._record.entries import DeviceRecord, NumberRecord
from .._record.files import EncryptedFile
from .._record.store import RecordStore
from .state import Desired, Observed, Recorded, State

Faults = t.List[RecordError]


@dataclass(frozen=True)
class RunContext:
    """The context of a run: the service, the record, tokens and known facts.

    Attributes:
        client: The client of the service.
        records: The record.
        account_token: Empty if none was given.
        device_token: Empty if none was given.
        has_country: Whether the task gives the number of its device with the country code, as in +62.
        operator: The person who runs the task, to be recorded with attested settings.
        facts: The known behavior of the service.
        lineage: Shows whether a process still waits for the result.
    """

    client: FonnteClient
    records: RecordStore
    account_token: str = field(default="", repr=False)
    device_token: str = field(default="", repr=False)
    has_country: bool = False
    operator: str = ""
    facts: ServiceFacts = ServiceFacts()
    lineage: Lineage = field(default_factory=current_lineage, repr=False)

    def creation_file(self, number: str) -> EncryptedFile[NumberRecord] | None:
        """Return the creation entry of a number. It belongs to the account, so a device token alone has none."""
        return self.records.number(self.account_token, only_digits(number)) if self.account_token and number else None


@dataclass(frozen=True)
class Observation:
    """The state of one device at one time, from the service and the record.

    Attributes:
        number: The registered number if it is known, otherwise the declared one.
        device: The device as the service shows it; None if it does not exist.
        observed: Its state for the planner; None if it does not exist.
        recorded: Its recorded state.
        warnings: Problems of the record that the user should know.
        listing: The device list of the account; None if it was not read.
        unreadable_record: Why an entry of the record cannot be read now. Its content is unknown, so nothing may be
            written.
        mark: The mark of the record that was taken before the response was requested; None if there is none.
        creation_file: The creation entry of the number, as it was read; None without an account token.
        device_file: The record of the device, as it was read; None if there is no device.
    """

    number: str
    device: Device | None
    observed: Observed | None
    recorded: Recorded
    warnings: tuple[str, ...] = ()
    listing: DeviceList | None = field(default=None, repr=False)
    unreadable_record: RecordError | None = None
    mark: object = field(default=None, repr=False, compare=False)
    creation_file: EncryptedFile[NumberRecord] | None = field(default=None, repr=False, compare=False)
    device_file: EncryptedFile[DeviceRecord] | None = field(default=None, repr=False, compare=False)

    @property
    def files(self) -> list[EncryptedFile[t.Any]]:
        """The entries that a run on this device locks while it writes, in the order of locking."""
        return [file for file in (self.creation_file, self.device_file) if file is not None]

    def is_too_old(self) -> bool:
        """Return whether the list is too old for a write: waiting for a lock may take minutes."""
        return self.listing is not None and self.listing.fetched_at.age() > MAX_CACHE_SECONDS

    def is_stale(self, context: RunContext) -> bool:
        """Return whether another run may have written to this device since the response was requested."""
        names = [file.name for file in self.files]
        return self.mark is None or bool(context.records.backend.stale(t.cast(Mark, self.mark), names))


def observe(
    context: RunContext, desired: Desired, since: Moment | None = None, created: t.Container[str] = ()
) -> Observation:
    """Read the state of a device from the service and the record.

    Args:
        context: The context of the run.
        desired: The declaration of the device.
        since: The time at or after which the list must have been requested; None if a cached one is sufficient.
        created: The names of the records of devices that this run has created, under locks that it still holds.

    Raises:
        FonnteError: The state cannot be read, or number and token are not one device.
    """
    require_token(context)
    creation_file = context.creation_file(desired.number)
    listing, mark = _list(context, desired, creation_file, since)
    device = resolve_device(context, desired.number, listing)
    if device is None:
        if desired.state is State.PRESENT and desired.may_create and not context.has_country:
            refuse_lost_zero(desired.number, desired.number, "device")
        recorded, faults = _read_missing(context, creation_file, listing)
        reported, unread = _fault_warnings(faults), _unreadable(faults)
        return Observation(desired.number, None, None, recorded, reported, listing, unread, mark, creation_file)
    check_listed(device)
    device_file = context.records.device(device.token)
    creation_file = creation_file or context.creation_file(device.number)
    faults = context.records.load(device_file, creation_file)
    recorded = _read_record(creation_file, device_file, desired, created)
    listed = listing is not None and listing.find_by_token(device.token) is not None
    observed = _to_observed(device, desired.number, recorded.device.number, listed)
    reported, unread = _fault_warnings(faults), _unreadable(faults)
    return Observation(
        observed.number, device, observed, recorded, reported, listing, unread, mark, creation_file, device_file
    )


def _list(
    context: RunContext, desired: Desired, creation_file: EncryptedFile[NumberRecord] | None, since: Moment | None
) -> tuple[DeviceList | None, object]:
    """Return the device list of the account and its mark; without a list, the mark for the ``/device`` response."""
    own = [context.records.device(context.device_token).name] if context.device_token else []
    if not context.account_token:
        return None, context.records.mark(own)

    def take_mark() -> Mark:
        if context.records.backend.is_remote:
            return context.records.mark()
        # The name of a record is a digest of the token, which is only in the response. The creation entry has the name
        # from an earlier run.
        note = creation_file.load()[0] if creation_file is not None else None
        names = [creation_file.name] if creation_file is not None else []
        return context.records.mark([*own, *names, *([note.device_file] if note and note.device_file else [])])

    listing = context.client.listing(context.account_token, desired.number, context.device_token, since, take_mark)
    return listing, listing.mark


def entries_of(looks: t.Iterable[tuple[RunContext, Desired]], listing: DeviceList | None) -> t.Iterator[str]:
    """Yield the names of the entries that the observation of some devices will read."""
    for context, desired in looks:
        creation_file = context.creation_file(desired.number)
        if creation_file is not None:
            yield creation_file.name
        token = context.device_token
        if not token and listing is not None:
            # Problems of the list are reported when the device is observed.
            with contextlib.suppress(FonnteError):
                device = listing.find(desired.number, context.has_country)
                token = device.token if device is not None else ""
        if token:
            yield context.records.device(token).name


def check_listed(device: Device) -> None:
    """Check that requests can identify a device by its token and its number; FonnteError if not."""
    if not device.token:
        raise FonnteError(
            f"the service lists device {device.number} without a token that can be used",
            "check the device in the dashboard",
        )
    if not device.can_be_sent_back:
        raise FonnteError(
            f"the service lists device {device.number} with a number that cannot be sent back",
            "correct the number in the dashboard",
        )


def require_token(context: RunContext) -> None:
    """Check that there is any token; OptionError if not."""
    if not context.account_token and not context.device_token:
        raise OptionError(
            "account_token",
            "there is no token",
            "set the environment variable FONNTE_ACCOUNT_TOKEN, or the option account_token or device_token",
        )


def resolve_device(context: RunContext, number: str, listing: DeviceList | None) -> Device | None:
    """Return the one device with this number and token; None if there is none.

    A token that is in no list needs a ``/device`` request. Number and token must match, because the number is a
    writable field of update-device: with the token of another device, an update would renumber that device.
    """
    by_number = listing.find(number, context.has_country) if listing and number else None
    if not context.device_token:
        return by_number
    by_token = listing.find_by_token(context.device_token) if listing else None
    if number and (by_number or by_token) and by_number != by_token:
        raise _not_one_device(number, by_token.number if by_token else "")
    if by_token:
        if listing is not None:
            # Raises an error if another listed device also has this number.
            listing.find(only_digits(by_token.number))
        return by_token
    profile = context.client.profile(context.device_token)
    # The profile may show the linked number. The number that a list has shown before must match as well.
    known_number = (context.records.device(context.device_token).load()[0] or DeviceRecord()).number
    for known in filter(None, (profile.number, known_number)):
        if number and not same_number(number, known):
            raise _not_one_device(number, known)
    return profile


def _not_one_device(number: str, other: str) -> FonnteError:
    owner = f"device {other}" if other else "a device that the account does not list"
    return FonnteError(
        f"device {number} and device_token are not one device: the token belongs to {owner}",
        "set only one of the two, or two that belong to one device; with account_token as well, the list shows "
        "which device has the token",
    )


def _to_observed(device: Device, declared: str, known_number: str, listed: bool) -> Observed:
    """Return the state of a device for the planner, with the registered number if it is known.

    Only the list shows that number for certain, and the record contains the number that the list showed. The profile
    may show the linked number instead, which has a country code. So if nothing else is known, a number in the profile
    that starts with 0 is a better guess than another spelling of it.
    """
    shown = device.number
    if listed:
        return Observed(shown, device.settings, device.connected, sent_as=device.registered, stamp=device.stamp)
    if known_number:
        same, name = same_number(known_number, shown), displayed_number(known_number)
        conflict = "" if same else shown
        return Observed(
            name, device.settings, device.connected, same, conflict, sent_as=known_number, stamp=device.stamp
        )
    number = shown if shown.startswith("0") or not declared else declared
    return Observed(
        number, device.settings, device.connected, number_confirmed=False, sent_as=number, stamp=device.stamp
    )


def _read_record(
    creation_file: EncryptedFile[NumberRecord] | None,
    device_file: EncryptedFile[DeviceRecord],
    desired: Desired,
    created: t.Container[str],
) -> Recorded:
    """Return the recorded state of an existing device."""
    record, note = device_file.content, creation_file.content if creation_file is not None else None
    known, begun, continues, is_assumed = record or DeviceRecord(), False, False, False
    if note is not None and note.is_creation_of(device_file.name):
        # The end of this creation was never recorded, so all its values are in doubt.
        begun = device_file.name in created
        continues = note.sent == {option: value for option, value in desired.settings.items() if option in RECORDED}
        known = known.mark_pending(_missing_values(note, known, desired), note.at)
    elif note is not None and note.is_unbound_creation() and record is None:
        known, is_assumed = known.mark_pending(_declared_again(note, desired), note.at), True
    return Recorded(
        known,
        number_seen=note is not None,
        creation_pending=begun,
        continues=continues,
        doubt_is_assumed=is_assumed,
    )


def _missing_values(note: NumberRecord, record: DeviceRecord, desired: Desired) -> Settings:
    """Return the values of a creation that the record of its device lacks."""
    return {
        option: value
        for option, value in note.sent.items()
        # A new device has no webhook, so an empty one matters only if it is declared.
        if option not in record.entries and (value != "" or option in desired.settings)
    }


def _declared_again(note: NumberRecord, desired: Desired) -> Settings:
    """Return the settings that a creation may have set and that the task declares, with the values of the task.

    Bound: no value of the entry is used, since the device may be another one than the one that was created.
    """
    return {option: value for option, value in desired.settings.items() if option in note.sent}


def _read_missing(
    context: RunContext, creation_file: EncryptedFile[NumberRecord] | None, listing: DeviceList | None
) -> tuple[Recorded, Faults]:
    """Return the recorded state of a number without a device, and the problems of entries that cannot be read."""
    faults = context.records.load(creation_file)
    note = creation_file.content if creation_file is not None else None
    existed_before = note is not None and note.state != "deleted" and context.records.has(note.device_file)
    renumbered_to = (
        find_listed(context, note.device_file, listing) if note is not None and existed_before and listing else ""
    )
    return Recorded(
        number_seen=note is not None, existed_before=existed_before and not renumbered_to, renumbered_to=renumbered_to
    ), faults


def find_listed(context: RunContext, device_file: str, listing: DeviceList) -> str:
    """Return the number of the listed device with a record; empty if there is none. A renumbered device is not gone."""
    owners = (
        device.number
        for device in listing.devices
        if device.token and context.records.device(device.token).name == device_file
    )
    return next(owners, "")


def _fault_warnings(faults: Faults) -> tuple[str, ...]:
    return tuple(f"{fault.problem}; it is treated as missing." for fault in faults)


def _unreadable(faults: Faults) -> RecordError | None:
    return next((fault for fault in faults if not isinstance(fault, DamagedRecordError)), None)
