# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The data of an audit: findings, which are differences, unknown settings and risks, the audited devices, and the report.

Pure: no network, no files, no clock.
"""

from __future__ import annotations

import collections
import enum
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from .._device.models import Device
from .._events.last_events import LastEvent
from .._reconcile.evidence import Evidence
from .._reconcile.state import Desired, Plan, Reason

# Fields of a finding that are not settings: whether a phone is linked, and the number itself.
CONNECTED, NUMBER = "connected", "device"
# The outcome of a receiver check that is no finding: HTTP 200.
OK = "ok"

Shown = t.Union[str, bool, int, None]


class Level(enum.Enum):
    """The urgency of a finding, the most urgent first."""

    ACTION = "action"
    NOTICE = "notice"
    UNKNOWN = "unknown"
    FINE = "fine"


_URGENCY = {level: place for place, level in enumerate(Level)}


class Kind(enum.Enum):
    """The kind of a finding."""

    DRIFT = "drift"
    DRIFT_RECORDED = "drift_recorded"
    MISSING = "missing"
    DISCONNECTED = "disconnected"
    PACKAGE_ENDED = "package_ended"
    RECEIVER_FAILED = "receiver_failed"
    DELIVERY_RISK = "delivery_risk"
    UNLISTED = "unlisted"
    NO_LONGER_DECLARED = "no_longer_declared"
    PACKAGE_ENDS = "package_ends"
    QUOTA_LOW = "quota_low"
    FREE_SLOTS = "free_slots"
    NO_EVENTS = "no_events"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not_checked"

    @property
    def level(self) -> Level:
        """Return the urgency. An unknown setting is not a problem by itself."""
        if self in (Kind.UNKNOWN, Kind.NOT_CHECKED):
            return Level.UNKNOWN
        if self in _NOTICES:
            return Level.NOTICE
        return Level.ACTION


_NOTICES = frozenset(
    (
        Kind.DELIVERY_RISK,
        Kind.UNLISTED,
        Kind.NO_LONGER_DECLARED,
        Kind.PACKAGE_ENDS,
        Kind.QUOTA_LOW,
        Kind.FREE_SLOTS,
        Kind.NO_EVENTS,
    )
)


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        kind: Its kind.
        number: The device; empty for the account as a whole.
        field: The setting, ``connected`` or ``device``; empty if it is about none.
        declared: The declared value of the setting, or a limit. A URL is masked.
        found: The actual value; None if it is unknown.
        evidence: The evidence of the actual value.
        reason: The reason why the value is unknown.
        note: The error, if the device could not be checked; the detail of a receiver check.
        count: An additional count: days that are left or have passed, or devices that are still to create.
        cause: The cause of a delivery risk, or the outcome of a receiver check.
    """

    kind: Kind
    number: str = ""
    field: str = ""
    declared: Shown = None
    found: Shown = None
    evidence: Evidence = Evidence()
    reason: Reason | None = None
    note: str = ""
    count: int | None = None
    cause: str = ""


def sort_by_urgency(*findings: Finding) -> tuple[Finding, ...]:
    """Return findings, the most urgent first."""
    return tuple(sorted(findings, key=lambda finding: _URGENCY[finding.kind.level]))


@dataclass(frozen=True)
class AuditedDevice:
    """One device of a report.

    Attributes:
        number: Its number.
        name: Its name; empty if it is unknown.
        owner: Its client; empty if there is none.
        declared: Whether it is declared.
        state: The declared state, ``present`` or ``disconnected``; empty if it is not declared.
        connected: Whether a phone is linked; None if it is unknown.
        package: Its package; None if it is unknown.
        quota: The messages that are left; None if it is unknown.
        expires: When its package ends, as ``YYYY-MM-DDTHH:MM:SSZ``.
        compliant_counts: The number of declared settings that match, by the source of their evidence.
        oldest: The time of the oldest evidence among these.
        last_event: The last event that the event source has received of it; None if there is none, or it is unknown.
        findings: Its findings, the most urgent first.
    """

    number: str
    name: str = ""
    owner: str = ""
    declared: bool = True
    state: str = ""
    connected: bool | None = None
    package: str | None = None
    quota: int | None = None
    expires: str | None = None
    compliant_counts: t.Mapping[str, int] = field(default_factory=dict)
    oldest: str | None = None
    last_event: LastEvent | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def level(self) -> Level:
        """Return the urgency of its most urgent finding."""
        levels = {finding.kind.level for finding in self.findings}
        return next(level for level in Level if level in levels or level is Level.FINE)


@dataclass(frozen=True)
class Limits:
    """The limits from which on a count is a finding.

    Attributes:
        days: A package that ends within this number of days is a finding.
        quota: A device with fewer messages left than this is a finding.
        free: The number of free devices that an account may have.
        silence: A device without an incoming event for this number of days is a finding.
    """

    days: int = 14
    quota: int = 100
    free: int = 10
    silence: int = 7


@dataclass(frozen=True)
class AuditInput:
    """The observation of one declared device.

    Attributes:
        desired: Its declaration.
        number: The registered number if it is known, otherwise the declared one.
        device: The device as the service shows it; None if it does not exist, or could not be observed.
        plan: The plan of a run; None if there is none because of an error.
        observation: Whether it could be observed at all.
        renumbered_to: The number that the device has now; it was changed in the dashboard.
        fault: The reason why it could not be observed or compared, as a sentence.
    """

    desired: Desired
    number: str
    device: Device | None = None
    plan: Plan | None = None
    observation: bool = True
    renumbered_to: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Receiver:
    """The check of one receiver.

    Attributes:
        url: Its URL, masked.
        outcome: The outcome, ``ok`` for a response with HTTP 200.
        status: The HTTP status; None without a response.
        devices: The numbers of the devices that declare the URL.
    """

    url: str
    outcome: str
    status: int | None
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """A report.

    Attributes:
        at: When the account was read.
        title: The title of the report.
        endpoint: The endpoint of the service, without any secret.
        limits: The limits of the audit.
        devices: The declared devices in the order of the declaration, then the others by number.
        account: The findings of the account as a whole.
        listed: The number of devices in the account's list; None if it was not read.
        free: The number of free devices among these.
        receivers: The checked receivers; None if they were not checked.
    """

    at: datetime
    title: str
    endpoint: str
    limits: Limits
    devices: tuple[AuditedDevice, ...] = ()
    account: tuple[Finding, ...] = ()
    listed: int | None = None
    free: int | None = None
    receivers: tuple[Receiver, ...] | None = None

    def findings(self) -> t.Iterator[Finding]:
        """Yield all findings: those of the account, then those of each device."""
        yield from self.account
        for subject in self.devices:
            yield from subject.findings

    def counts(self) -> dict[Kind, int]:
        """Return the number of findings of each kind."""
        found = collections.Counter(finding.kind for finding in self.findings())
        return {kind: found[kind] for kind in Kind}

    def devices_with(self) -> dict[Kind, int]:
        """Return the number of devices with findings of each kind."""
        found = collections.Counter(kind for subject in self.devices for kind in {f.kind for f in subject.findings})
        return {kind: found[kind] for kind in Kind}

    def levels(self) -> dict[Level, int]:
        """Return the number of devices on each level."""
        found = collections.Counter(subject.level for subject in self.devices)
        return {level: found[level] for level in Level}
