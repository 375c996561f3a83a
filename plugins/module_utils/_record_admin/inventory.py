# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""List the entries of the record and their devices, without any value. Only reads.

The names of entries are digests, so only a run with the secret of an entry can find its number. The list contains the
token of each device, and the account token decrypts each creation entry, which contains its number. It is unknown to
this run to whom the other entries belong.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.clock import DAY_SECONDS, age, now
from .._common.errors import error_context
from .._common.phone_numbers import NumberIndex, displayed_number
from .._device.models import Device
from .._reconcile.observe import RunContext, require_token
from .._reconcile.result import Result
from .._record.encryption import is_name
from .._record.entries import DeviceRecord, Entry, EntryStatus, NumberRecord
from .._record.files import EncryptedFile, RecordFile


@dataclass(frozen=True)
class Owner:
    """A number, and its entries in the record.

    Attributes:
        number: The number as the service or the creation entry spells it.
        record_file: The record of the device, which may not exist; None if no token of a device is known.
        creation_file: The creation entry of the number, which may not exist; None without the account token.
        creation_entry: The content of the creation entry.
        orphaned: The record of a device that had the number before.
        renumbered_to: The number that the device has now.
    """

    number: str
    record_file: EncryptedFile[DeviceRecord] | None = None
    creation_file: EncryptedFile[NumberRecord] | None = None
    creation_entry: NumberRecord | None = None
    orphaned: RecordFile | None = None
    renumbered_to: str = ""

    @property
    def files(self) -> list[RecordFile]:
        """All entries, existing or not, in the order of locking."""
        return [file for file in (self.creation_file, self.record_file, self.orphaned) if file is not None]


@dataclass(frozen=True)
class RecordInventory:
    """The entries of the record, with their owners as far as the tokens reveal them.

    Attributes:
        devices: The devices that the service shows, sorted by number.
        gone: The numbers with a creation entry and without a device that the service shows, sorted.
        names: The names of all entries, of every account.
        whole: Whether the device list of the account was read. Without it, no entry is known to be orphaned.
    """

    devices: tuple[Owner, ...]
    gone: tuple[Owner, ...]
    names: tuple[str, ...]
    whole: bool

    @property
    def everyone(self) -> tuple[Owner, ...]:
        """All devices, and the numbers without one."""
        return (*self.devices, *self.gone)

    def choose(self, numbers: tuple[str, ...] | None) -> tuple[list[Owner], list[str]]:
        """Return the requested owners, each once, and the requested numbers of which nothing is known."""
        if numbers is None:
            return list(self.everyone), []
        index = NumberIndex(dict.fromkeys(owner.number for owner in self.everyone))
        spellings = {number: index.find(number) for number in numbers}
        chosen = {spelling for found in spellings.values() for spelling in found}
        return (
            [owner for owner in self.everyone if owner.number in chosen],
            [number for number, found in spellings.items() if not found],
        )

    def orphans(self) -> dict[str, str]:
        """Return the entries of this account that belong to no device in its list, each with its number."""
        gone = {file.name: owner.number for owner in self.gone for file in owner.files}
        left = {owner.orphaned.name: owner.number for owner in self.devices if owner.orphaned is not None}
        return {name: number for name, number in sorted({**gone, **left}.items()) if name in self.names}

    def unclaimed(self) -> list[str]:
        """Return the entries whose owner is unknown to this run."""
        claimed = {file.name for owner in self.everyone for file in owner.files}
        return [name for name in self.names if name not in claimed]


def scan(context: RunContext, numbers: tuple[str, ...] | None) -> RecordInventory:
    """Return the inventory of the record: one request for the list, and one more for a device that it does not contain.

    Args:
        context: The context of the run.
        numbers: The requested numbers. A creation entry that cannot be decrypted is only found by its number.
    """
    devices = _devices(context)
    owned = {context.records.device(device.token).name: device.number for device in devices if device.token}
    known = tuple(_owner(context, device, owned) for device in sorted(devices, key=_number))
    listed = {owner.creation_file.name for owner in known if owner.creation_file is not None}
    notes = context.records.creation_entries(context.account_token) if context.account_token else {}
    names = tuple(context.records.names())
    unlisted = {name: note.number for name, note in notes.items()}
    for number in numbers or ():
        file = context.creation_file(number)
        if file is not None and file.name in names:
            unlisted.setdefault(file.name, number)
    gone = sorted(number for name, number in unlisted.items() if name not in listed)
    return RecordInventory(
        known, tuple(_gone(context, number, owned) for number in gone), names, bool(context.account_token)
    )


def _number(device: Device) -> str:
    return device.number


def _devices(context: RunContext) -> list[Device]:
    require_token(context)
    devices: list[Device] = []
    if context.account_token:
        with error_context("Listing the account's devices"):
            devices += context.client.get_devices(context.account_token).devices
    if context.device_token and context.device_token not in [device.token for device in devices]:
        with error_context("Looking up the device"):
            profile = context.client.profile(context.device_token)
        # The profile may show the linked number. The record has the number that the list has shown before.
        record = context.records.device(context.device_token).load()[0] or DeviceRecord()
        devices.append(Device(displayed_number(record.number) or profile.number, context.device_token))
    return devices


def _owner(context: RunContext, device: Device, owned: t.Mapping[str, str]) -> Owner:
    creation_file = context.creation_file(device.number)
    note = creation_file.load()[0] if creation_file else None
    record_file = context.records.device(device.token) if device.token else None
    return Owner(device.number, record_file, creation_file, note, _orphaned(context, note, owned))


def _gone(context: RunContext, number: str, owned: t.Mapping[str, str]) -> Owner:
    creation_file = context.creation_file(number)
    note = creation_file.load()[0] if creation_file else None
    renumbered_to = owned.get(note.device_file, "") if note else ""
    return Owner(number, None, creation_file, note, _orphaned(context, note, owned), renumbered_to)


def _orphaned(context: RunContext, note: NumberRecord | None, owned: t.Mapping[str, str]) -> RecordFile | None:
    """Return the existing record that a creation entry names, if no device that the service shows has it."""
    name = note.device_file if note else ""
    return context.records.file(name) if is_name(name) and name not in owned and context.records.has(name) else None


# Result


def record_info(context: RunContext, numbers: tuple[str, ...] | None) -> tuple[Result, list[str]]:
    """Return the facts on the record, without any of its values, and warnings."""
    view = scan(context, numbers)
    chosen, missing = view.choose(numbers)
    wanted = {owner.number for owner in chosen}
    warnings = context.records.write_warnings()
    health = context.records.health()
    orphans, unclaimed, damaged = list(view.orphans()), view.unclaimed(), context.records.damaged()
    return {
        "changed": False,
        "folder": health.place,
        "mode": health.mode,
        "writable": health.writable,
        "lasting": health.persistent,
        "lasting_because": health.reason,
        "devices": [_device_facts(owner, warnings) for owner in view.devices if owner.number in wanted],
        "numbers": [_number_facts(owner, warnings) for owner in view.gone if owner.number in wanted],
        "missing": missing,
        "orphans": {"count": len(orphans), "files": orphans} if view.whole else None,
        "unclaimed": {"count": len(unclaimed), "files": unclaimed} if view.whole else None,
        "damaged": damaged,
    }, warnings


def _device_facts(owner: Owner, warnings: list[str]) -> Result:
    record, problem = owner.record_file.load() if owner.record_file else (None, "")
    warnings += [f"{fault}; it is treated as missing." for fault in (problem, _creation_problem(owner)) if fault]
    entries = record.entries if record else {}
    oldest, newest = _span(entries)
    return {
        "number": owner.number,
        "recorded": record is not None or bool(problem),
        "opens": False if problem else True if record else None,
        "settings": {option: _entry_facts(entry) for option, entry in sorted(entries.items())},
        "oldest": oldest,
        "oldest_days": _days(oldest),
        "newest": newest,
        "newest_days": _days(newest),
        "doubts": _doubts(owner, record),
        "otp_requested_at": record.otp_requested_at if record else None,
        "note": owner.creation_entry.state if owner.creation_entry else None,
    }


def _entry_facts(entry: Entry) -> Result:
    facts: Result = {"standing": entry.status.value, "at": entry.at}
    return {**facts, "by": entry.by} if entry.by else facts


def _doubts(owner: Owner, record: DeviceRecord | None) -> list[str]:
    """Return the settings in doubt. Those of a creation are in doubt until an update has ended it."""
    entries = record.entries if record else {}
    doubts = {option for option, entry in entries.items() if entry.status is EntryStatus.IN_DOUBT}
    return sorted(doubts | (_pending_creation(owner, record) - set(entries)))


def _pending_creation(owner: Owner, record: DeviceRecord | None) -> set[str]:
    """Return the settings of an unfinished creation of this device.

    If the device has no record, this includes a creation that may have created another device.
    """
    note, file = owner.creation_entry, owner.record_file
    if note is None or file is None:
        return set()
    if note.is_creation_of(file.name) or (note.is_unbound_creation() and record is None):
        return {option for option, value in note.sent.items() if value != ""}
    return set()


def _number_facts(owner: Owner, warnings: list[str]) -> Result:
    problem = _creation_problem(owner)
    warnings += [f"{problem}; it is treated as missing."] if problem else []
    return {
        "number": owner.number,
        "opens": not problem,
        "state": owner.creation_entry.state if owner.creation_entry else None,
        "at": owner.creation_entry.at if owner.creation_entry else None,
        "recorded": owner.orphaned is not None,
        "moved_to": owner.renumbered_to or None,
    }


def _creation_problem(owner: Owner) -> str:
    return owner.creation_file.load()[1] if owner.creation_file is not None and owner.creation_entry is None else ""


def _span(entries: t.Mapping[str, Entry]) -> tuple[str | None, str | None]:
    times = sorted(entry.at for entry in entries.values())
    return (times[0], times[-1]) if times else (None, None)


def _days(at: str | None) -> int | None:
    """Return the whole days since a time of the record; None if it is not a valid time."""
    seconds = age(at, now())
    return None if seconds == float("inf") else int(seconds // DAY_SECONDS)
