# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Looking: which device a task means, what the service shows of it, and what is remembered."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field, replace

from .._api.cache import KEPT_SECONDS
from .._api.client import FonnteApi
from .._common.clock import Moment
from .._common.errors import DamagedRecordError, FonnteError, OptionError, RecordError
from .._common.lineage import Lineage, current_lineage
from .._common.phone_numbers import digits_of, displayed_number, same_number
from .._device.models import Device, Listing
from .._device.service_facts import ServiceFacts
from .._device.settings import RECORDED, Settings
from .._record.backend import Mark
from .._record.entries import DeviceRecord, NumberNote
from .._record.files import SealedFile
from .._record.store import RecordStore
from .state import Desired, Observed, Recorded

Faults = t.List[RecordError]


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
        number: The registered number as far as it is known, else the declared one.
        device: What the service tells; None for no such device.
        observed: The same for the plan.
        recorded: What is remembered.
        listing: The account's list; None where it was not read.
        mark: The mark of the record that was taken before the response was requested; None where there is none.
        note_file: The creation entry of the number, as it was read; None without an account token.
        device_file: The record of the device, as it was read; None for no device.
        warnings: What a user should know of the record.
        unread: Why a file of the record cannot be read now. What is in it is not known, so nothing may be written.
    """

    number: str
    device: Device | None
    observed: Observed | None
    recorded: Recorded
    warnings: tuple[str, ...] = ()
    listing: Listing | None = field(default=None, repr=False)
    unread: RecordError | None = None
    mark: object = field(default=None, repr=False, compare=False)
    note_file: SealedFile[NumberNote] | None = field(default=None, repr=False, compare=False)
    device_file: SealedFile[DeviceRecord] | None = field(default=None, repr=False, compare=False)

    @property
    def files(self) -> list[SealedFile[t.Any]]:
        """The entries that a run on this device holds while it writes, in the order of locking."""
        return [file for file in (self.note_file, self.device_file) if file is not None]

    def is_too_old(self) -> bool:
        """Return whether the list is too old to write by: waiting for a lock may take minutes."""
        return self.listing is not None and self.listing.began.age() > KEPT_SECONDS

    def is_stale(self, house: House) -> bool:
        """Return whether another run may have written to this device since the response was requested."""
        names = [file.name for file in self.files]
        return self.mark is None or bool(house.records.backend.stale(t.cast(Mark, self.mark), names))


def look(house: House, desired: Desired, since: Moment | None = None, created: t.Container[str] = ()) -> Sight:
    """Return what the service and the record tell of a device.

    Args:
        house: What a run works with.
        desired: What is declared.
        since: The moment at or after which the listing must have been requested; None for one that is kept.
        created: The names of the records of devices that this run has created, under locks that it still holds.

    Raises:
        FonnteError: They cannot be read, or number and token are not one device.
    """
    require_token(house)
    note_file = house.note_file(desired.number)
    listing, mark = _list(house, desired, note_file, since)
    device = identify(house, desired.number, listing)
    if device is None:
        recorded, faults = _remember_missing(house, note_file, listing)
        told, unread = _told(faults), _unread(faults)
        return Sight(desired.number, None, None, recorded, told, listing, unread, mark, note_file)
    check_listed(device)
    device_file = house.records.device(device.token)
    note_file = note_file or house.note_file(device.number)
    faults = house.records.load(device_file, note_file)
    recorded = _remember(note_file, device_file, desired, created)
    listed = listing is not None and listing.find_token(device.token) is not None
    observed = replace(_observe(device, desired.number, recorded.device.number, listed), stamp=device.stamp)
    told, unread = _told(faults), _unread(faults)
    return Sight(observed.number, device, observed, recorded, told, listing, unread, mark, note_file, device_file)


def _list(
    house: House, desired: Desired, note_file: SealedFile[NumberNote] | None, since: Moment | None
) -> tuple[Listing | None, object]:
    """Return the account's list and the mark that belongs to it; without a list, the mark for the profile."""
    own = [house.records.device(house.device_token).name] if house.device_token else []
    if not house.account_token:
        return None, house.records.mark(own)

    def take_mark() -> Mark:
        if house.records.backend.is_remote:
            return house.records.mark()
        # The name of a record is a digest of the token in the response. The creation entry has it from an earlier run.
        note = note_file.load()[0] if note_file is not None else None
        names = [note_file.name] if note_file is not None else []
        return house.records.mark([*own, *names, *([note.device_file] if note and note.device_file else [])])

    listing = house.api.listing(house.account_token, desired.number, house.device_token, since, take_mark)
    return listing, listing.mark


def entries_of(looks: t.Iterable[tuple[House, Desired]], listing: Listing | None) -> t.Iterator[str]:
    """Yield the names of the entries that looking at some devices reads."""
    for house, desired in looks:
        note_file = house.note_file(desired.number)
        if note_file is not None:
            yield note_file.name
        token = house.device_token
        if not token and listing is not None:
            # What is wrong with the list is reported where the device is looked at.
            with contextlib.suppress(FonnteError):
                device = listing.find(desired.number, house.has_country)
                token = device.token if device is not None else ""
        if token:
            yield house.records.device(token).name


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
        if listing is not None:
            # Raises where another listed device has this number, too.
            listing.find(digits_of(by_token.number))
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


def _remember(
    note_file: SealedFile[NumberNote] | None,
    device_file: SealedFile[DeviceRecord],
    desired: Desired,
    created: t.Container[str],
) -> Recorded:
    """Return what the record holds of a device that is there."""
    record, note = device_file.content, note_file.content if note_file is not None else None
    known, begun, continues = record or DeviceRecord(), False, False
    if note is not None and note.is_creation_of(device_file.name):
        # This creation was never seen to end, so all of it is in doubt.
        begun = device_file.name in created
        continues = note.sent == {option: value for option, value in desired.settings.items() if option in RECORDED}
        known = known.begin(_unseen(note, known, desired), note.at)
    elif note is not None and note.is_unbound_creation() and record is None:
        known = known.begin(_declared_again(note, desired), note.at)
    return Recorded(known, number_seen=note is not None, begun=begun, continues=continues)


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


def _remember_missing(
    house: House, note_file: SealedFile[NumberNote] | None, listing: Listing | None
) -> tuple[Recorded, Faults]:
    """Return what the record holds of a number that no device has, and what is wrong with a part that is not read."""
    faults = house.records.load(note_file)
    note = note_file.content if note_file is not None else None
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


def _told(faults: Faults) -> tuple[str, ...]:
    return tuple(f"{fault.problem}; it counts as no record." for fault in faults)


def _unread(faults: Faults) -> RecordError | None:
    return next((fault for fault in faults if not isinstance(fault, DamagedRecordError)), None)
