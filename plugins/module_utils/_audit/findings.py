# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The findings of an audit: differences between an account and its declaration, their evidence, and unknown settings.

Pure: no network, no files, no clock. The audit reads the plan that a run would carry out, and derives its findings from
that plan.
"""

from __future__ import annotations

import collections
import enum
import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime

from .._common.clock import DAY_SECONDS, TIME_FORMAT, unix_to_text
from .._common.phone_numbers import canonical
from .._common.redaction import printable
from .._common.spellings import SecretFinder
from .._device.models import Device
from .._device.settings import Value
from .._events.last_events import LastEvent
from .._reconcile.evidence import Evidence, Source
from .._reconcile.state import Desired, Plan, Reason, State
from .plan_reasons import open_reasons

# Fields of a finding that are not settings: whether a phone is linked, and the number itself.
CONNECTED, NUMBER = "connected", "device"
# Joins the parts of one emoji. It is the only invisible character that a name needs.
_JOINER = "\u200d"
_UNSHOWABLE = "\ufffd"

Shown = t.Union[str, bool, int, None]
Show = t.Callable[[str, t.Optional[Value]], Shown]


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
        return Level.NOTICE if self in _NOTICES else Level.ACTION


_NOTICES = (Kind.UNLISTED, Kind.NO_LONGER_DECLARED, Kind.PACKAGE_ENDS, Kind.QUOTA_LOW, Kind.FREE_SLOTS, Kind.NO_EVENTS)


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
        note: The error, if the device could not be checked.
        count: An additional count: days that are left or have passed, or devices that are still to create.
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
    """

    at: datetime
    title: str
    endpoint: str
    limits: Limits
    devices: tuple[AuditedDevice, ...] = ()
    account: tuple[Finding, ...] = ()
    listed: int | None = None
    free: int | None = None

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


def sanitize(text: str, finder: SecretFinder | None = None) -> str:
    """Return text from outside in a form for reports: without secrets and invisible characters."""
    return printable(finder.mask(text) if finder else text, _UNSHOWABLE, kept=_JOINER)


def audit_policy(desired: Desired) -> Desired:
    """Return a declaration for an audit: its policy forbids no plan, and causes no update by itself."""
    policy = desired.policy
    trusts = policy.write_only if policy.write_only == "stamped" else "recorded"
    permissive = replace(policy, write_only=trusts, unknown="ignore", unmanaged_hidden="carry")
    return replace(desired, policy=permissive)


class Auditor:
    """Derives the findings from observations.

    Args:
        at: When the account was read.
        limits: The limits of the audit.
        owners: The client of a number, by the canonical form of the number.
        show: Masks the value of a setting.
        secrets: The secrets that no text may contain, in addition to the token of its device.
    """

    def __init__(
        self,
        at: datetime,
        limits: Limits,
        owners: t.Mapping[str, str],
        show: Show,
        secrets: t.Sequence[str] = (),
    ) -> None:
        self._at = at
        self._now = at.strftime(TIME_FORMAT)
        self._limits = limits
        self._owners = owners
        self._show = show
        self._secrets = SecretFinder(secrets)

    def audit_declared(self, seen: AuditInput) -> AuditedDevice:
        """Return a declared device with its findings."""
        subject = self._audited_device(seen.device, seen.number)
        name = subject.name or sanitize(str(seen.desired.settings.get("name", "")), self._secrets)
        stands, oldest = _count_compliant(seen)
        return replace(
            subject,
            name=name,
            state=seen.desired.state.value,
            compliant_counts=stands,
            oldest=oldest,
            findings=urgent_first(
                *self._compared(seen), *self._service_findings(seen.device, subject, seen.desired.state)
            ),
        )

    def audit_undeclared(self, device: Device) -> AuditedDevice:
        """Return an undeclared device with its findings."""
        subject = replace(self._audited_device(device, device.number), declared=False)
        unlisted = self._read(Kind.UNLISTED, subject.number)
        return replace(subject, findings=urgent_first(unlisted, *self._service_findings(device, subject, None)))

    def account(self, free: int | None, to_make: int) -> tuple[Finding, ...]:
        """Return the findings of the account as a whole.

        Args:
            free: The number of its free devices; None if it is unknown.
            to_make: The number of declared devices that are missing. A new device is a free one.
        """
        limit = self._limits.free
        if free is None or (free < limit and free + to_make <= limit):
            return ()
        return (replace(self._read(Kind.FREE_SLOTS, "", found=free, declared=limit), count=to_make),)

    def _audited_device(self, device: Device | None, number: str) -> AuditedDevice:
        self._secrets.add([device.token] if device else [])
        # The service may return any string as a number.
        shown = sanitize(number, self._secrets)
        owner = self._owners.get(canonical(number), "")
        if device is None:
            return AuditedDevice(shown, owner=owner)
        return AuditedDevice(
            shown,
            name=sanitize(str(device.settings.get("name", "")), self._secrets),
            owner=owner,
            connected=device.connected,
            package=None if device.package is None else sanitize(device.package, self._secrets),
            quota=device.quota,
            expires=unix_to_text(device.expires),
        )

    def _read(self, kind: Kind, number: str, **more: t.Any) -> Finding:
        """Return a finding whose value was just read from the service."""
        return Finding(kind, number, evidence=Evidence(Source.SERVICE, self._now), **more)

    def _compared(self, seen: AuditInput) -> t.Iterator[Finding]:
        """Yield the differences between a device and its declaration, and the unknown settings."""
        if seen.observation and seen.device is None:
            renumbered_to = sanitize(seen.renumbered_to, self._secrets) or None
            yield self._read(Kind.MISSING, seen.number, field=NUMBER, declared=seen.number, found=renumbered_to)
        elif seen.fault or seen.plan is None:
            yield Finding(Kind.NOT_CHECKED, seen.number, note=sanitize(seen.fault, self._secrets))
        else:
            for option, reason in open_reasons(seen.plan).items():
                yield self._drift_finding(seen, seen.plan, option, reason)
            for option in seen.plan.removed:
                yield self._removed_finding(seen, seen.plan, option)

    def _removed_finding(self, seen: AuditInput, plan: Plan, option: str) -> Finding:
        found = self._sanitize_value(self._show(option, (plan.before or {}).get(option)))
        return Finding(Kind.NO_LONGER_DECLARED, seen.number, option, None, found, plan.removed[option])

    def _drift_finding(self, seen: AuditInput, plan: Plan, option: str, reason: Reason) -> Finding:
        before: t.Mapping[str, t.Any] = plan.before or {}
        if option == CONNECTED:
            known = before.get(CONNECTED) is not None
            kind = Kind.DRIFT if known else Kind.UNKNOWN
            found = Finding(kind, seen.number, option, False, before.get(CONNECTED), Evidence(), reason)
            return replace(found, evidence=Evidence(Source.SERVICE, self._now)) if known else found
        evidence = plan.evidence.get(option, Evidence())
        wanted = self._sanitize_value(self._show(option, seen.desired.settings[option]))
        if reason is not Reason.DIFFERS:
            return Finding(Kind.UNKNOWN, seen.number, option, wanted, None, evidence, reason)
        read = evidence.source in (Source.SERVICE, Source.STAMPED)
        if evidence.source is Source.SERVICE:
            evidence = replace(evidence, at=self._now)
        there = self._sanitize_value(self._show(option, before.get(option)))
        return Finding(
            Kind.DRIFT if read else Kind.DRIFT_RECORDED, seen.number, option, wanted, there, evidence, reason
        )

    def _sanitize_value(self, value: Shown) -> Shown:
        return sanitize(value, self._secrets) if isinstance(value, str) else value

    def _service_findings(
        self, device: Device | None, subject: AuditedDevice, state: State | None
    ) -> t.Iterator[Finding]:
        """Yield the findings that follow from the list itself, independent of the declared settings."""
        if device is None:
            return
        if state is State.PRESENT and device.connected is False:
            yield self._read(Kind.DISCONNECTED, subject.number, field=CONNECTED, declared=True, found=False)
        if device.expires is not None and subject.expires is not None:
            left = device.expires - self._at.timestamp()
            if left <= 0:
                yield self._read(Kind.PACKAGE_ENDED, subject.number, found=subject.expires)
            elif left <= self._limits.days * DAY_SECONDS:
                ends = self._read(Kind.PACKAGE_ENDS, subject.number, declared=self._limits.days, found=subject.expires)
                yield replace(ends, count=int(left // DAY_SECONDS))
        if device.quota is not None and device.quota < self._limits.quota:
            yield self._read(Kind.QUOTA_LOW, subject.number, declared=self._limits.quota, found=device.quota)


def urgent_first(*findings: Finding) -> tuple[Finding, ...]:
    """Return findings with the most urgent one first."""
    return tuple(sorted(findings, key=lambda finding: _URGENCY[finding.kind.level]))


def _count_compliant(seen: AuditInput) -> tuple[dict[str, int], str | None]:
    """Return the counts of declared settings that match, by the source of their evidence, and the oldest time."""
    if seen.plan is None or seen.device is None or seen.fault:
        return {}, None
    reasons = open_reasons(seen.plan)
    good = [item for option, item in seen.plan.evidence.items() if option not in reasons]
    found = collections.Counter(item.source.value for item in good)
    return dict(sorted(found.items())), min((item.at for item in good if item.at), default=None)
