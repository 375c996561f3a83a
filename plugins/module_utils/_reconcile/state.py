# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The words in which the rooms talk: what a task declares, what is seen, what is remembered, what is to be done."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

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

# What nobody can take back: a phone must be linked again, and a code reaches a person.
IRREVERSIBLE = (DISCONNECT, DELETE, REQUEST_OTP)


class State(enum.Enum):
    """What a task wants of a device."""

    PRESENT = "present"
    DISCONNECTED = "disconnected"
    ABSENT = "absent"


class Reason(enum.Enum):
    """Why a setting is changed."""

    DIFFERS = "differs"
    NO_RECORD = "no_record"
    UNPROVEN = "unproven"
    IN_DOUBT = "in_doubt"
    EXPIRED = "expired"
    ALWAYS = "always"


@dataclass(frozen=True)
class Policy:
    """What the user wants done about settings that nobody can read.

    Attributes:
        write_only: ``recorded``, ``stamped``, ``always_update``, ``error`` or ``attest`` (option handle_write_only).
        unknown: ``warn``, ``error`` or ``ignore`` (option handle_unknown).
        undeclared: ``carry`` or ``forget`` (option handle_undeclared).
        max_age: Seconds after which a record no longer counts; None for never.
        facts: What is known of the service.
    """

    write_only: str = "recorded"
    unknown: str = "warn"
    unmanaged_hidden: str = "carry"
    max_age: float | None = None
    facts: ServiceFacts = ServiceFacts()

    @property
    def keeps_omitted(self) -> bool:
        """Whether it is known that the service keeps what an update leaves out."""
        return self.facts.omitted == "keeps"


@dataclass(frozen=True)
class Desired:
    """What a task declares of one device.

    Attributes:
        number: The digits as the user wrote them; empty where only a token was given.
        settings: Only what is declared.
        manages: The settings that the task could declare.
        may_create: Whether a missing device is made; otherwise it is an error.
        expect_earlier: Whether an earlier task of the play may make it, so that check mode must foresee that.
        missing_is_fine: Whether a missing device is as wanted, since nothing has to be taken from it.
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
        set_before = [option for option, entry in record.entries.items() if entry.value not in ("", False)]
        return tuple(
            option
            for option in self.managed_options
            if option in set_before and option not in self.settings and record.declared_by.get(option) == self.task
        )

    def forgets(self, shown: Settings, record: DeviceRecord) -> tuple[str, ...]:
        """Return what is recorded and no longer declared, where the user does not want that to be carried on.

        What the service shows is not taken from the record.
        """
        if self.policy.unmanaged_hidden != "forget":
            return ()
        kept = {*self.settings, *shown}
        return tuple(option for option in self.managed_options if option in record.entries and option not in kept)


@dataclass(frozen=True)
class Observed:
    """What the service shows of a device that is there.

    Attributes:
        number: The registered number as it is displayed.
        certain: Whether that is known to be the registered number, in the registered spelling.
        rival: The number in the profile, where the record has another one.
        stamp: What its name proves of its hidden settings.
        sent_as: The number exactly as the service listed it, which an update sends back: a writable field of the
            service. Empty for the number itself.
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
    """What this controller remembers: of the device, and of its number.

    Attributes:
        device: The record of the device.
        number_seen: Whether anything was ever done about this number.
        had_device: Whether the number had a device that is gone, and that was not deleted by us.
        begun: Whether this run has created the device, under locks that it holds: it has no unknown setting.
        continues: Whether the task declares exactly the settings of a creation of this device that was cut off.
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
    """The complete set that an update sends, and what it says about what was not declared."""

    send: Settings = field(default_factory=dict)
    carried: t.Mapping[str, str | None] = field(default_factory=dict)
    at_risk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be done, and everything that a result says about it.

    Attributes:
        operations: In the order in which they are carried out.
        add: What add-device is given, beside the number.
        send: The complete set that update-device is given, beside the number.
        claims: What the stamp in the name says of that set; None where the name goes out without one.
        attested: What a person vouches for.
        forgotten: What the record is to hold no longer, as the user wishes.
        proven: What the stamp proves, and the record did not know.
        superseded: What the record holds of a set that another controller has replaced since.
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
        """Whether an operation of it cannot be taken back, so that it must not go to another device."""
        return any(operation in IRREVERSIBLE for operation in self.operations)

    @property
    def predicted_operations(self) -> tuple[str, ...]:
        """What a real run would have done: the service refuses a new code while one is on its way."""
        return () if self.otp_wait is not None else self.operations

    @property
    def updates_record(self) -> bool:
        """Whether the stamp told of something that the record should know."""
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
