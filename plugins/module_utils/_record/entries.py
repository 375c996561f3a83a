# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The content of the record: the values that were last applied to a device, and how certain each of them is.

A value is durable as *in doubt* before the request that carries it. It becomes *recorded* only by a success, a stamp or
data of the service. If a process dies in between, the value stays in doubt, and is never wrongly reported as certain.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field, replace

from .._common.clock import LAST_TIME, age
from .._device.settings import BY_OPTION, CLEARABLE, RECORDED, Settings, Value, ValueType

FORMAT = 1


class EntryStatus(enum.Enum):
    """How certain the value of an entry is."""

    RECORDED = "recorded"
    # It was cleared, but the service may have ignored that.
    UNCONFIRMED = "unconfirmed"
    IN_DOUBT = "in_doubt"
    # It was not sent: a person has confirmed it.
    ATTESTED = "attested"


class Entry(t.NamedTuple):
    """The recorded value of a setting.

    Attributes:
        value: The value that was last sent, or attested.
        at: When, as ``YYYY-MM-DDTHH:MM:SSZ``.
        status: How certain it is.
        by: The person who attested it; empty if it was not attested.
    """

    value: Value
    at: str
    status: EntryStatus = EntryStatus.RECORDED
    by: str = ""


@dataclass(frozen=True)
class DeviceRecord:
    """The values that were last sent to a device, or attested for it.

    Attributes:
        entries: The values by setting.
        otp_requested_at: When a code for its deletion was last requested.
        number: The registered number as the list showed it; a profile may show another.
        carried: The settings that a warning has named as sent only because they are recorded.
        stamps: The codes of the stamps that go with the entries: first the one of the last confirmed update (empty
            where it had none), then those of the updates in doubt, the last one last. Any other code is that of
            another control node.
        declared_by: The kind of task that last declared a setting, by setting.
        groups_fetched_at: When a run last caused the service to fetch the list of groups from the phone, or was about
            to.
    """

    entries: t.Mapping[str, Entry] = field(default_factory=dict)
    otp_requested_at: str | None = None
    number: str = ""
    carried: frozenset[str] = frozenset()
    stamps: tuple[str, ...] = ()
    declared_by: t.Mapping[str, str] = field(default_factory=dict)
    groups_fetched_at: str | None = None

    def mark_pending(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record with the settings of a request as in doubt, before it is sent.

        A value that is sent again as it was recorded is certain whether the request is applied or not.

        Args:
            sent: The settings.
            at: The time.
            code: The code of the stamp that is sent with them; empty for none.
        """
        doubtful = {
            option: Entry(value, at, EntryStatus.IN_DOUBT)
            for option, value in sent.items()
            if option in RECORDED and not self._holds(option, value)
        }
        return replace(self, entries={**self.entries, **doubtful}, stamps=self._codes_with(code))

    def mark_in_doubt(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record of another run, with all values in doubt that a later request may have changed.

        The service may have applied that request after the request of the other run: it may have set these settings,
        and reset all others.

        Args:
            sent: The settings of that request.
            at: The time.
            code: The code of its stamp; empty for none.
        """
        begun = self.mark_pending(sent, at, code)
        reset = {
            option: entry._replace(status=EntryStatus.IN_DOUBT)
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
        """Return the record after a successful update with these settings, and with the code of its stamp."""
        applied = {
            option: Entry(value, at, _after_success(option, value))
            for option, value in sent.items()
            if option in RECORDED
        }
        return replace(self, entries={**self.entries, **applied}, stamps=(code,) if code else ())

    def set_known(self, known: Settings, at: str) -> DeviceRecord:
        """Return the record with values that are known without having been sent, such as those of a new device."""
        return replace(self, entries={**self.entries, **{option: Entry(value, at) for option, value in known.items()}})

    def attest(self, seen: Settings, at: str, by: str) -> DeviceRecord:
        """Return the record with the values that a person attests."""
        vouched = {option: Entry(value, at, EntryStatus.ATTESTED, by) for option, value in seen.items()}
        return replace(self, entries={**self.entries, **vouched})

    def drop(self, options: t.Iterable[str]) -> DeviceRecord:
        """Return the record without some settings, whose values are then unknown."""
        dropped = set(options)
        entries = {option: entry for option, entry in self.entries.items() if option not in dropped}
        declared_by = {option: task for option, task in self.declared_by.items() if option not in dropped}
        return replace(self, entries=entries, carried=self.carried - dropped, declared_by=declared_by)

    def declare(self, options: t.Iterable[str], task: str) -> DeviceRecord:
        """Return the record with the kind of task that declares these settings now."""
        declared = {option: task for option in options if option in RECORDED}
        return replace(self, declared_by={**self.declared_by, **declared})

    def keep_later_times(self, other: DeviceRecord) -> DeviceRecord:
        """Return the record with the later times of requests that must not be repeated too soon, of two records."""
        return replace(
            self,
            otp_requested_at=_later(self.otp_requested_at, other.otp_requested_at),
            groups_fetched_at=_later(self.groups_fetched_at, other.groups_fetched_at),
        )

    def to_json(self) -> dict[str, t.Any]:
        """Return the record as plain data, which is then encrypted."""
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
            **({"groups_fetched_at": self.groups_fetched_at} if self.groups_fetched_at else {}),
        }

    @classmethod
    def from_json(cls, data: t.Any) -> DeviceRecord:
        """Return the record from its decrypted data.

        Raises:
            ValueError: The data is not a record of this format.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("entries"), dict):
            raise ValueError("not a record of this format")
        asked, number, carried = data.get("otp_requested_at"), data.get("number"), data.get("carried")
        fetched = data.get("groups_fetched_at")
        if not all(at is None or isinstance(at, str) for at in (asked, fetched)) or not isinstance(number, str):
            raise ValueError("not a time, or not a number")
        stamps = data.get("stamps")
        if not isinstance(carried, list) or not isinstance(stamps, list):
            raise ValueError("not a list")
        if not all(isinstance(item, str) for item in (*carried, *stamps)):
            raise ValueError("not a list of names")
        # A setting that only a newer release knows is ignored: this release can state nothing about it.
        entries = {option: _entry(option, raw) for option, raw in data["entries"].items() if option in RECORDED}
        reported = frozenset(option for option in carried if option in entries)
        declared_by = data.get("declared_by", {})
        if not isinstance(declared_by, dict) or not all(isinstance(task, str) for task in declared_by.values()):
            raise ValueError("not a dictionary of tasks")
        declared = {option: task for option, task in declared_by.items() if option in entries}
        return cls(entries, asked, number, reported, tuple(stamps), declared, fetched)


def _later(one: str | None, other: str | None) -> str | None:
    """Return the later one of two times; one that is missing or invalid counts as the earliest."""
    return one if age(one, LAST_TIME) <= age(other, LAST_TIME) else other


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
    """The creation entry of a number in an account. It exists before the token of a device is known.

    A number is not a device: it may have another device later, and two spellings of it may have one device each.
    Without a token, a person can restore an older entry at any time. So the values of a creation belong to a device
    only if the entry is bound to that device.

    Attributes:
        state: ``creating``, ``present`` or ``deleted``.
        at: The time of the entry.
        sent: The settings that a creation was about to set. An empty webhook is one that the task declared.
        device_file: The name of the record of the device that was last created or seen. For a creation that is not
            bound, it is the device that had the number before.
        number: The number in the spelling of the run that wrote the entry. It is stored in the entry because the
            entry's name, a digest, does not reveal it.
        is_bound: Whether this creation has created the device of ``device_file``: its token was in the response.
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
        """Return the entry as plain data, which is then encrypted."""
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
        """Return the entry from its decrypted data; ValueError if the data is not one."""
        if (
            not isinstance(data, dict)
            or data.get("format") != FORMAT
            or data.get("state") not in ("creating", "present", "deleted")
        ):
            raise ValueError("not a creation entry of this format")
        at, sent, device_file = data.get("at"), data.get("sent"), data.get("device_file")
        number = data.get("number")
        if not isinstance(at, str) or not isinstance(sent, dict):
            raise ValueError("not a creation entry")
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
