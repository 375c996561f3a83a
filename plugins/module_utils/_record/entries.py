# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The content of the record: the values that were last applied to a device, and how certain each of them is.

A value is durable as *in doubt* before the request that carries it; only a success, a stamp or data from the
service makes it *recorded*. A process that dies in between leaves doubt, never a false claim.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field, replace

from .._device.settings import BY_OPTION, CLEARABLE, RECORDED, Settings, Value, ValueType

FORMAT = 1


class EntryStatus(enum.Enum):
    """How far an entry of the record can be believed."""

    RECORDED = "recorded"
    # Cleared, but the service may have ignored it.
    UNCONFIRMED = "unconfirmed"
    IN_DOUBT = "in_doubt"
    # Not sent: a person looked, and said so.
    ATTESTED = "attested"


@dataclass(frozen=True)
class Entry:
    """What is known of a setting.

    Attributes:
        value: As it was last sent, or attested.
        at: When, as ``YYYY-MM-DDTHH:MM:SSZ``.
        standing: How far it can be believed.
        by: Who attested it.
    """

    value: Value
    at: str
    status: EntryStatus = EntryStatus.RECORDED
    by: str = ""


@dataclass(frozen=True)
class DeviceRecord:
    """What this controller knows to have sent to a device.

    Attributes:
        entries: By setting.
        otp_requested_at: When a code for its deletion was last asked for.
        number: The registered number as the list showed it; a profile may show another.
        carried: The settings of which the user was told that they are sent only because they were recorded.
        stamps: The codes of the stamps that go with the entries: first the one of the last confirmed update (empty
            where it had none), then those of the updates in doubt, the last one last. Any other code is that of
            another control node.
        declared_by: The kind of task that last declared a setting, by setting.
    """

    entries: t.Mapping[str, Entry] = field(default_factory=dict)
    otp_requested_at: str | None = None
    number: str = ""
    carried: frozenset[str] = frozenset()
    stamps: tuple[str, ...] = ()
    declared_by: t.Mapping[str, str] = field(default_factory=dict)

    def mark_pending(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record with what is about to be sent in doubt.

        A value that is sent again as it was recorded is the same whether the call is applied or not.

        Args:
            sent: The settings.
            at: The time.
            code: The code of the stamp that goes out with them; empty for none.
        """
        doubtful = {
            option: Entry(value, at, EntryStatus.IN_DOUBT)
            for option, value in sent.items()
            if option in RECORDED and not self._holds(option, value)
        }
        return replace(self, entries={**self.entries, **doubtful}, stamps=self._codes_with(code))

    def mark_in_doubt(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record of another run with all in doubt that a request with these settings may have changed.

        The service may have carried it out after the request of the other run: it may have set what was sent, and
        reset the rest.
        """
        begun = self.mark_pending(sent, at, code)
        reset = {
            option: replace(entry, status=EntryStatus.IN_DOUBT)
            for option, entry in begun.entries.items()
            if option not in sent
        }
        return replace(begun, entries={**begun.entries, **reset})

    def _codes_with(self, code: str) -> tuple[str, ...]:
        if not code:
            return self.stamps
        confirmed, in_doubt = self.stamps[:1] or ("",), self.stamps[1:]
        return (*confirmed, *(other for other in in_doubt if other != code), code)

    def _holds(self, option: str, value: Value) -> bool:
        entry = self.entries.get(option)
        return entry is not None and entry.value == value and entry.status is not EntryStatus.IN_DOUBT

    def mark_confirmed(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record after the service said yes to what was sent, with this code in the name."""
        applied = {
            option: Entry(value, at, _after_success(option, value))
            for option, value in sent.items()
            if option in RECORDED
        }
        return replace(self, entries={**self.entries, **applied}, stamps=(code,) if code else ())

    def set_known(self, known: Settings, at: str) -> DeviceRecord:
        """Return the record with values that hold without having been sent, as on a new device."""
        return replace(self, entries={**self.entries, **{option: Entry(value, at) for option, value in known.items()}})

    def attest(self, seen: Settings, at: str, by: str) -> DeviceRecord:
        """Return the record with what a person vouches for."""
        vouched = {option: Entry(value, at, EntryStatus.ATTESTED, by) for option, value in seen.items()}
        return replace(self, entries={**self.entries, **vouched})

    def drop(self, options: t.Iterable[str]) -> DeviceRecord:
        """Return the record without some settings: nothing is known of them."""
        dropped = set(options)
        entries = {option: entry for option, entry in self.entries.items() if option not in dropped}
        declared_by = {option: task for option, task in self.declared_by.items() if option not in dropped}
        return replace(self, entries=entries, carried=self.carried - dropped, declared_by=declared_by)

    def declare(self, options: t.Iterable[str], task: str) -> DeviceRecord:
        """Return the record with the kind of task that declares these settings now."""
        declared = {option: task for option in options if option in RECORDED}
        return replace(self, declared_by={**self.declared_by, **declared})

    def to_json(self) -> dict[str, t.Any]:
        """Return the record as it is sealed."""
        return {
            "format": FORMAT,
            "entries": {
                option: [entry.value, entry.at, entry.status.value, *([entry.by] if entry.by else [])]
                for option, entry in self.entries.items()
            },
            "otp_requested_at": self.otp_requested_at,
            "number": self.number,
            "carried": sorted(self.carried),
            "stamps": list(self.stamps),
            "declared_by": dict(self.declared_by),
        }

    @classmethod
    def from_json(cls, data: t.Any) -> DeviceRecord:
        """Return the record that was sealed.

        Raises:
            ValueError: It is not one that this format allows.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("entries"), dict):
            raise ValueError("not a record of this format")
        asked, number, carried = data.get("otp_requested_at"), data.get("number"), data.get("carried")
        if not (asked is None or isinstance(asked, str)) or not isinstance(number, str):
            raise ValueError("not a time, or not a number")
        stamps = data.get("stamps")
        if not isinstance(carried, list) or not isinstance(stamps, list):
            raise ValueError("not a list")
        if not all(isinstance(item, str) for item in (*carried, *stamps)):
            raise ValueError("not a list of names")
        # A setting that only a newer release knows is not ours to claim anything about.
        entries = {option: _entry(option, raw) for option, raw in data["entries"].items() if option in RECORDED}
        reported = frozenset(option for option in carried if option in entries)
        declared_by = data.get("declared_by", {})
        if not isinstance(declared_by, dict) or not all(isinstance(task, str) for task in declared_by.values()):
            raise ValueError("not a dictionary of tasks")
        declared = {option: task for option, task in declared_by.items() if option in entries}
        return cls(entries, asked, number, reported, tuple(stamps), declared)


def _after_success(option: str, value: Value) -> EntryStatus:
    cleared = value == "" and option in CLEARABLE
    return EntryStatus.UNCONFIRMED if cleared else EntryStatus.RECORDED


def _entry(option: str, raw: t.Any) -> Entry:
    if not isinstance(raw, list) or len(raw) not in (3, 4):
        raise ValueError("not an entry")
    value, at, standing, by = [*raw, ""][:4]
    wanted = bool if BY_OPTION[option].value_type is ValueType.FLAG else str
    if not isinstance(value, wanted) or not isinstance(at, str) or not isinstance(by, str):
        raise ValueError("not a value")
    return Entry(value, at, EntryStatus(standing), by)


@dataclass(frozen=True)
class NumberRecord:
    """The creation entry of a number in an account: it exists before the token of any device is known.

    A number is not a device: it may have another device later, and two spellings of it may have one each. Without a
    token, an older entry can be put back at any time. So the values of a creation belong to a device only where the
    entry is bound to it.

    Attributes:
        state: ``creating``, ``present`` or ``deleted``.
        sent: The settings that a creation was about to set; an empty webhook is one that it declared.
        device_file: The name of the record of the device that was last created or seen. Of a creation that is not
            bound, it is the device that had the number before.
        bound: Whether this creation has created the device of ``device_file``: its token was in the response.
        number: The number as it was spelled when the note was written. The file adds it, since nobody can
            derive it from the file's name, a digest.
    """

    state: str
    at: str
    sent: Settings = field(default_factory=dict)
    device_file: str = ""
    number: str = field(default="", compare=False)
    is_bound: bool = False

    def is_creation_of(self, device_file: str) -> bool:
        """Return whether this is the unfinished creation of the device with this record."""
        return self.state == "creating" and self.is_bound and self.device_file == device_file

    def is_unbound_creation(self) -> bool:
        """Return whether this is a creation whose response was never read: its device is unknown."""
        return self.state == "creating" and not self.is_bound

    def is_creation_of_other(self, device_file: str) -> bool:
        """Return whether this is the unfinished creation of a device with another record."""
        return self.state == "creating" and self.is_bound and self.device_file != device_file

    def to_json(self) -> dict[str, t.Any]:
        """Return the note as it is sealed."""
        return {
            "format": FORMAT,
            "state": self.state,
            "at": self.at,
            "sent": dict(self.sent),
            "device_file": self.device_file,
            "number": self.number,
            **({"bound": True} if self.is_bound else {}),
        }

    @classmethod
    def from_json(cls, data: t.Any) -> NumberRecord:
        """Return the note that was sealed; ValueError if it is not one."""
        if (
            not isinstance(data, dict)
            or data.get("format") != FORMAT
            or data.get("state") not in ("creating", "present", "deleted")
        ):
            raise ValueError("not a note of this format")
        at, sent, device_file = data.get("at"), data.get("sent"), data.get("device_file")
        number = data.get("number")
        if not isinstance(at, str) or not isinstance(sent, dict):
            raise ValueError("not a note")
        if not isinstance(device_file, str) or not isinstance(number, str):
            raise ValueError("not a name, or not a number")
        # An entry of an earlier release has no such key, and is bound to no device.
        bound = data.get("bound", False)
        if not isinstance(bound, bool):
            raise ValueError("neither bound nor not bound")
        entries = {
            option: _entry(option, [value, at, "in_doubt"]).value
            for option, value in sent.items()
            if option in RECORDED
        }
        return cls(data["state"], at, entries, device_file, number, bound)


Content = t.TypeVar("Content", DeviceRecord, NumberRecord)
