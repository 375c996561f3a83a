# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Looking: which device a task means, what the service shows of it, and what is remembered."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._api.cache import KEPT_SECONDS
from .._api.client import FonnteApi
from .._common.clock import Moment, now, within
from .._common.errors import DamagedRecordError, FonnteError, OptionError, RecordError
from .._common.lineage import Lineage, current_lineage
from .._common.phone_numbers import digits_of, displayed_number, same_number
from .._device.models import Device, Listing
from .._device.service_facts import ServiceFacts
from .._device.settings import Settings
from .._record.entries import Content, DeviceRecord, NumberNote
from .._record.files import SealedFile
from .._record.store import RecordStore
from .state import Desired, Observed, Recorded

# For this time after a creation, no other actor is assumed to have set anything on the device that it has created.
BEGUN_SECONDS = 900

Faults = t.Tuple[RecordError, ...]


@dataclass(frozen=True)
class House:
    """What a run works with.

    Attributes:
        api: The service.
        records: The record.
        account_token: Empty where none was given.
        device_token: Empty where none was given.
        has_country: Whether the task names its device with the code of its country, as in +62.
        person: Who runs the task, for what is attested.
        facts: What was found out about the service.
        lineage: Tells whether anybody still waits for the result.
    """

    api: FonnteApi
    records: RecordStore
    account_token: str = field(default="", repr=False)
    device_token: str = field(default="", repr=False)
    has_country: bool = False
    person: str = ""
    facts: ServiceFacts = ServiceFacts()
    lineage: Lineage = field(default_factory=current_lineage, repr=False)

    def note_file(self, number: str) -> SealedFile[NumberNote] | None:
        """Return the note on a number; it is the account's, so a device's token alone has none."""
        return self.records.number(self.account_token, digits_of(number)) if self.account_token and number else None


@dataclass(frozen=True)
class Sight:
    """What was seen of one device at one time.

    Attributes:
        began: When the look began.
        number: The registered number as far as it is known, else the declared one.
        device: What the service tells; None for no such device.
        observed: The same for the plan.
        recorded: What is remembered.
        listing: The account's list; None where it was not read.
        warnings: What a user should know of the record.
        unread: Why a file of the record cannot be read now. What is in it is not known, so nothing may be written.
    """

    began: Moment
    number: str
    device: Device | None
    observed: Observed | None
    recorded: Recorded
    warnings: tuple[str, ...] = ()
    listing: Listing | None = field(default=None, repr=False)
    unread: RecordError | None = None

    def files(self, house: House) -> list[SealedFile[t.Any]]:
        """Return the files that a run on this device holds while it writes, in the order of locking."""
        note_file = house.note_file(self.number)
        device = [house.records.device(self.device.token)] if self.device else []
        return [*([note_file] if note_file else []), *device]

    def is_too_old(self) -> bool:
        """Return whether the list is too old to write by: waiting for a lock may take minutes."""
        return self.listing is not None and self.listing.began.age() > KEPT_SECONDS

    def is_stale(self, files: t.Iterable[SealedFile[t.Any]]) -> bool:
        """Tell whether another process may have written these files since."""
        return self.began.clock_was_set() or any(file.touched_since(self.began.wall_ns) for file in files)


def look(house: House, desired: Desired, since: Moment | None = None) -> Sight:
    """Return what the service and the record tell of a device.

    Args:
        house: What a run works with.
        desired: What is declared.
        since: The moment at or after which the listing must have been requested; None for one that is kept.

    Raises:
        FonnteError: They cannot be read, or number and token are not one device.
    """
    require_token(house)
    began = house.api.moment()
    listing = (
        house.api.listing(house.account_token, desired.number, house.device_token, since)
        if house.account_token
        else None
    )
    if listing is not None:
        # What another run wrote since the list was read is not in it.
        began = listing.began
    device = identify(house, desired.number, listing)
    if device is None:
        recorded, faults = _remember_missing(house, desired.number, listing)
        return Sight(began, desired.number, None, None, recorded, _told(faults), listing, _unread(faults))
    check_listed(device)
    recorded, faults = _remember(house, device, desired)
    listed = listing is not None and listing.find_token(device.token) is not None
    observed = replace(_observe(device, desired.number, recorded.device.number, listed), stamp=device.stamp)
    return Sight(began, observed.number, device, observed, recorded, _told(faults), listing, _unread(faults))


def check_listed(device: Device) -> None:
    """See that requests can name a device by its token and its number; FonnteError if not."""
    if not device.token:
        raise FonnteError(
            f"the service lists device {device.number} without a token that can be used",
            "look at the device in the dashboard",
        )
    if not device.can_be_sent_back:
        raise FonnteError(
            f"the service lists device {device.number} with a number that cannot be sent back",
            "correct the number in the dashboard",
        )


def require_token(house: House) -> None:
    """See that there is a token at all; OptionError if not."""
    if not house.account_token and not house.device_token:
        raise OptionError(
            "account_token", "there is no token", "set account_token or FONNTE_ACCOUNT_TOKEN, or give the device_token"
        )


def identify(house: House, number: str, listing: Listing | None) -> Device | None:
    """Return the one device that number and token name; None for no such device. A token alone costs a profile call.

    The number is a writable field of update-device: a token of another device would renumber that one.
    """
    by_number = listing.find(number, house.has_country) if listing and number else None
    if not house.device_token:
        return by_number
    by_token = listing.find_token(house.device_token) if listing else None
    if number and (by_number or by_token) and by_number != by_token:
        raise _not_one_device(number, by_token.number if by_token else "")
    if by_token:
        return by_token
    profile = house.api.profile(house.device_token)
    # The profile may show the linked number. What the list showed once has to agree as well.
    remembered = (house.records.device(house.device_token).load()[0] or DeviceRecord()).number
    for known in filter(None, (profile.number, remembered)):
        if number and not same_number(number, known):
            raise _not_one_device(number, known)
    return profile


def _not_one_device(number: str, other: str) -> FonnteError:
    owner = f"device {other}" if other else "a device that the account does not list"
    return FonnteError(
        f"device {number} and device_token are not one device: the token belongs to {owner}",
        "give one of the two, or the ones that belong together; with account_token as well the list can tell",
    )


def _observe(device: Device, declared: str, remembered: str, listed: bool) -> Observed:
    """Return what is seen, with the registered number as far as it is known.

    Only the list shows it for certain, and the record remembers what the list showed. The profile may show
    the linked number instead. That one is dialled from abroad, so where nothing else is known a number in the
    profile that starts with 0 is a better guess than another spelling of it.
    """
    shown = device.number
    if listed:
        return Observed(shown, device.settings, device.connected, sent_as=device.registered)
    if remembered:
        same, name = same_number(remembered, shown), displayed_number(remembered)
        rival = "" if same else shown
        return Observed(name, device.settings, device.connected, same, rival, sent_as=remembered)
    number = shown if shown.startswith("0") or not declared else declared
    return Observed(number, device.settings, device.connected, certain=False, sent_as=number)


def _remember(house: House, device: Device, desired: Desired) -> tuple[Recorded, Faults]:
    """Return what the record holds of a device that is there, and what is wrong with each part that is not read."""
    device_file = house.records.device(device.token)
    record, faults = _read(device_file)
    note, note_faults = _read(house.note_file(desired.number or device.number))
    known, begun = record or DeviceRecord(), False
    if note is not None and note.is_creation_of(device_file.name):
        # This creation was never seen to end, so all of it is in doubt.
        begun = within(note.at, BEGUN_SECONDS, now())
        known = known.begin(_unseen(note, known, desired), note.at)
    elif note is not None and note.is_unbound_creation() and record is None:
        known = known.begin(_declared_again(note, desired), note.at)
    return Recorded(known, number_seen=note is not None, begun=begun), (*faults, *note_faults)


def _unseen(note: NumberNote, record: DeviceRecord, desired: Desired) -> Settings:
    """Return the values of a creation that the record of its own device lacks."""
    return {
        option: value
        for option, value in note.sent.items()
        # A new device has no webhook, so an empty one matters only where it is declared.
        if option not in record.entries and (value != "" or option in desired.settings)
    }


def _declared_again(note: NumberNote, desired: Desired) -> Settings:
    """Return the settings that a creation may have set and the task declares, with the values of the task.

    Bound: no value of the entry is used, since the device may be another one than the creation has created.
    """
    return {option: value for option, value in desired.settings.items() if option in note.sent}


def _remember_missing(house: House, number: str, listing: Listing | None) -> tuple[Recorded, Faults]:
    """Return what the record holds of a number that no device has, and what is wrong with a part that is not read."""
    note, faults = _read(house.note_file(number))
    had_device = note is not None and note.state != "deleted" and house.records.has(note.device_file)
    moved_to = find_listed(house, note.device_file, listing) if note is not None and had_device and listing else ""
    return Recorded(number_seen=note is not None, had_device=had_device and not moved_to, moved_to=moved_to), faults


def find_listed(house: House, device_file: str, listing: Listing) -> str:
    """Return the number of the listed device that a record belongs to: one that was renumbered is not gone."""
    owners = (
        device.number
        for device in listing.devices
        if device.token and house.records.device(device.token).name == device_file
    )
    return next(owners, "")


def _read(file: SealedFile[Content] | None) -> tuple[Content | None, Faults]:
    try:
        return file.read() if file else None, ()
    except RecordError as fault:
        return None, (fault,)


def _told(faults: Faults) -> tuple[str, ...]:
    return tuple(f"{fault.problem}; it counts as no record." for fault in faults)


def _unread(faults: Faults) -> RecordError | None:
    return next((fault for fault in faults if not isinstance(fault, DamagedRecordError)), None)
