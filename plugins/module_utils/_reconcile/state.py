# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The data of the reconciliation: the declaration, the observed and the recorded state, and the plan."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from .._common.phone_numbers import COUNTRY
from .._device.service_facts import ServiceFacts
from .._device.settings import SETTINGS, WEBHOOKS, Settings
from .._device.stamp import Claims, Stamp
from .._record.entries import DeviceRecord
from .evidence import Evidence

FORGET, ATTEST, CREATE, UPDATE, DISCONNECT, DELETE, REQUEST_OTP = OPERATIONS = (
    "forget",
    "attest",
    "create",
    "update",
    "disconnect",
    "delete",
    "request_otp",
)

# Operations that cannot be undone: a phone must be linked again, or a code reaches a person.
IRREVERSIBLE = (DISCONNECT, DELETE, REQUEST_OTP)


# The values of settings that a new device has.
_OF_NEW_DEVICE = ("", False, COUNTRY)


class State(enum.Enum):
    """The state of a device that a task requires."""

    PRESENT = "present"
    DISCONNECTED = "disconnected"
    ABSENT = "absent"


class Reason(enum.Enum):
    """The reason for the change of a setting."""

    DIFFERS = "differs"
    NO_RECORD = "no_record"
    UNPROVEN = "unproven"
    IN_DOUBT = "in_doubt"
    EXPIRED = "expired"
    ALWAYS = "always"


@dataclass(frozen=True)
class Policy:
    """The user's policy for settings that cannot be read.

    Attributes:
        write_only: ``recorded``, ``stamped``, ``always_update``, ``error`` or ``attest`` (option handle_write_only).
        unknown: ``warn``, ``error`` or ``ignore`` (option handle_unknown).
        undeclared: ``carry`` or ``forget`` (option handle_undeclared).
        max_age: Seconds after which a record no longer counts; None for never.
        facts: The known facts about the service.
    """

    write_only: str = "recorded"
    unknown: str = "warn"
    unmanaged_hidden: str = "carry"
    max_age: float | None = None
    facts: ServiceFacts = ServiceFacts()

    @property
    def keeps_omitted(self) -> bool:
        """Whether the service is known to keep the settings that an update leaves out."""
        return self.facts.omitted == "keeps"


@dataclass(frozen=True)
class Desired:
    """The declaration of one device by a task.

    Attributes:
        number: The digits as the user wrote them; empty if only a token is given.
        state: The required state.
        settings: The declared settings only.
        managed_options: The settings that the task could declare.
        policy: The policy for settings that cannot be read.
        otp: The code for the deletion; empty if there is none.
        request_otp: Whether to request that code.
        may_create: Whether a missing device is created; otherwise, it is an error.
        created_by_earlier_task: Whether an earlier task of the play may create it, so that check mode must predict
            that.
        allow_missing: Whether a missing device needs no work, since the task would only remove something from it.
    """

    number: str
    state: State = State.PRESENT
    settings: Settings = field(default_factory=dict)
    managed_options: tuple[str, ...] = tuple(setting.option for setting in SETTINGS)
    policy: Policy = Policy()
    otp: str = field(default="", repr=False)
    request_otp: bool = False
    may_create: bool = True
    created_by_earlier_task: bool = False
    allow_missing: bool = False

    @property
    def task(self) -> str:
        """The kind of task, as the record stores who declares a setting: tasks of two kinds may share a device."""
        return "webhooks" if self.managed_options == WEBHOOKS else "device"

    def removed(self, record: DeviceRecord) -> tuple[str, ...]:
        """Return the settings that a task of this kind declared earlier, no longer declares, and that are still set."""
        # The values of a new device: there is nothing to clear.
        return tuple(option for option in self._removed(record) if record.entries[option].value not in _OF_NEW_DEVICE)

    def removed_empty(self, record: DeviceRecord) -> tuple[str, ...]:
        """Return the settings that a task of this kind declared earlier as a new device has them, and no longer declares."""
        return tuple(option for option in self._removed(record) if record.entries[option].value in _OF_NEW_DEVICE)

    def _removed(self, record: DeviceRecord) -> t.Iterator[str]:
        # Without settings, it is a task that only disconnects a device, for example.
        for option in self.managed_options if self.settings else ():
            declared = option in record.entries and record.declared_by.get(option) == self.task
            if declared and option not in self.settings:
                yield option

    def forgets(self, shown: Settings, record: DeviceRecord) -> tuple[str, ...]:
        """Return the recorded settings that are no longer declared, if the user's policy is to forget these.

        Settings that the service shows are not removed from the record.
        """
        if self.policy.unmanaged_hidden != "forget":
            return ()
        kept = {*self.settings, *shown}
        return tuple(option for option in self.managed_options if option in record.entries and option not in kept)


@dataclass(frozen=True)
class Observed:
    """The state of an existing device as the service shows it.

    Attributes:
        number: The registered number as it is displayed.
        settings: The settings that the service shows.
        connected: Whether a phone is linked; None if it is unknown.
        number_confirmed: Whether ``number`` is known to be the registered number, in the registered spelling.
        conflicting_number: The number in the profile, if the record has another one.
        sent_as: The number exactly as the service listed it, which an update sends back: it is a writable field of the
            service. Empty if it equals ``number``.
        stamp: The stamp in its name; None if there is none.
    """

    number: str
    settings: Settings = field(default_factory=dict)
    connected: bool | None = None
    number_confirmed: bool = True
    conflicting_number: str = ""
    sent_as: str = ""
    stamp: Stamp | None = None

    @property
    def registered(self) -> str:
        """The number that an update sends back."""
        return self.sent_as or self.number


@dataclass(frozen=True)
class Recorded:
    """The recorded state of a device and of its number.

    Attributes:
        device: The record of the device.
        number_seen: Whether the number has a creation entry.
        existed_before: Whether the number had a device that is gone and that this collection has not deleted.
        creation_pending: Whether this run has created the device, under locks that it holds: it has no unknown setting.
        continues: Whether the task declares exactly the settings of an interrupted creation of this device.
        doubt_is_assumed: Whether the entries of ``device`` are only declarations of the task, in doubt because of a
            creation whose response was lost. The device may be another one, so they must not be written to its record.
        renumbered_to: The number that the device has now; it was changed in the dashboard.
    """

    device: DeviceRecord = field(default_factory=DeviceRecord)
    number_seen: bool = False
    existed_before: bool = False
    creation_pending: bool = False
    continues: bool = False
    doubt_is_assumed: bool = False
    renumbered_to: str = ""


@dataclass(frozen=True)
class UpdatePayload:
    """The complete set of settings that an update sends, and the settings that the task does not declare.

    Attributes:
        send: The settings to send.
        carried: The undeclared settings that are sent because they are recorded, each with the time of its evidence.
        at_risk: The settings that have no known value, so the update leaves them out and may reset them.
    """

    send: Settings = field(default_factory=dict)
    carried: t.Mapping[str, str | None] = field(default_factory=dict)
    at_risk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The operations to carry out, and all other data for the result.

    Attributes:
        operations: The operations, in the order in which they are carried out.
        add: The settings in the add-device request, next to the number.
        send: The complete set of settings in the update-device request, next to the number.
        claims: The claims of the stamp in the name of that request; None for a name without a stamp.
        attested: The settings that a person attests.
        forgotten: The settings to remove from the record, because of the user's policy.
        proven: The settings that the stamp proves and the record lacks.
        superseded: The recorded settings that another control node has replaced since.
        seen_code: The code of the stamp in the name; empty for none.
        reasons: For each field that changes.
        before: Known settings, and connected where it changes; None for no device.
        after: The same afterwards.
        removed: The evidence of settings that an earlier task declared, that are still set, and are no longer declared.
        otp_wait: Seconds until the service makes another code, where this controller knows of one on its way.
    """

    operations: tuple[str, ...] = ()
    add: Settings = field(default_factory=dict)
    send: Settings = field(default_factory=dict)
    claims: Claims | None = None
    attested: Settings = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()
    proven: Settings = field(default_factory=dict)
    superseded: tuple[str, ...] = ()
    seen_code: str = ""
    reasons: t.Mapping[str, Reason] = field(default_factory=dict)
    evidence: t.Mapping[str, Evidence] = field(default_factory=dict)
    carried: t.Mapping[str, str | None] = field(default_factory=dict)
    at_risk: tuple[str, ...] = ()
    before: Settings | None = None
    after: Settings | None = None
    recreated: bool = False
    otp_wait: int | None = None
    removed: t.Mapping[str, Evidence] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def is_irreversible(self) -> bool:
        """Whether it has an operation that cannot be undone, so that it must not go to another device."""
        return any(operation in IRREVERSIBLE for operation in self.operations)

    @property
    def predicted_operations(self) -> tuple[str, ...]:
        """The operations of a real run. For some time after a code, the service refuses to send another one."""
        return () if self.otp_wait is not None else self.operations

    @property
    def updates_record(self) -> bool:
        """Whether the stamp shows something that must be recorded."""
        return bool(self.proven or self.superseded)

    @property
    def clears(self) -> Settings:
        """The settings that are sent as empty."""
        return {option: value for option, value in self.send.items() if value == ""}

    @property
    def loses_webhooks(self) -> bool:
        """Whether a webhook may be lost: one is sent as empty that is not known to be empty already."""
        before = self.before or {}
        return any(before.get(option) != "" for option in self.clears if option in WEBHOOKS)
