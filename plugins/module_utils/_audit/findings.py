# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What an audit finds: where an account is not as declared, what the evidence is, and what nobody knows.

Pure: no network, no files, no clock. A plan says what a run would do to a device; here it is read for what it tells
of the device, and never carried out.
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
from .._reconcile.evidence import Evidence, Source
from .._reconcile.state import Desired, Plan, Reason, State

# A field of a finding that is no setting: whether a phone is linked, and the number itself.
CONNECTED, NUMBER = "connected", "device"
# It joins the parts of one emoji, and is the only mark without a shape that a name needs.
_JOINER = "\u200d"
_UNSHOWABLE = "\ufffd"

Shown = t.Union[str, bool, int, None]
Show = t.Callable[[str, t.Optional[Value]], Shown]


class Level(enum.Enum):
    """How much a finding asks of a person, the most urgent first."""

    ACTION = "action"
    NOTICE = "notice"
    UNKNOWN = "unknown"
    FINE = "fine"


_URGENCY = {level: place for place, level in enumerate(Level)}


class Kind(enum.Enum):
    """What was found."""

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
    UNKNOWN = "unknown"
    NOT_CHECKED = "not_checked"

    @property
    def level(self) -> Level:
        """Return how much it asks of a person. What nobody knows is not what is wrong."""
        if self in (Kind.UNKNOWN, Kind.NOT_CHECKED):
            return Level.UNKNOWN
        if self in (Kind.UNLISTED, Kind.NO_LONGER_DECLARED, Kind.PACKAGE_ENDS, Kind.QUOTA_LOW, Kind.FREE_SLOTS):
            return Level.NOTICE
        return Level.ACTION


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        number: The device; empty for the account as a whole.
        field: The setting, ``connected`` or ``device``; empty where it is about none.
        declared: What was to be: a value of the setting, or a threshold. A URL is masked.
        found: What is instead; None where nobody knows.
        evidence: From where that is known, and since when.
        reason: Why nobody knows, of an unknown one.
        note: The words of an error, of one that could not be checked.
        count: A figure beside it: the days that are left, or the devices that are still to be made.
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
        declared: Whether anybody declared it.
        state: What is declared of it: ``present`` or ``disconnected``; empty where nothing is.
        expires: When its package ends, ``YYYY-MM-DDTHH:MM:SSZ``.
        stands: How many of its declared settings are as declared, by where that is known from.
        oldest: Since when the oldest of these is known.
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
    findings: tuple[Finding, ...] = ()

    @property
    def level(self) -> Level:
        """Return the most urgent level of its findings."""
        levels = {finding.kind.level for finding in self.findings}
        return next(level for level in Level if level in levels or level is Level.FINE)


@dataclass(frozen=True)
class Limits:
    """From when on a figure is a finding.

    Attributes:
        days: A package that ends within so many days.
        quota: A device with fewer messages left than this.
        free: So many free devices are all that an account may have.
    """

    days: int = 14
    quota: int = 100
    free: int = 10


@dataclass(frozen=True)
class AuditInput:
    """What was seen of one declared device.

    Attributes:
        number: The registered number as far as it is known, else the declared one.
        device: What the service tells; None for no such device, or where nobody could look.
        plan: What a run would do; None where that could not be found out.
        looked: Whether it could be looked up at all.
        renumbered_to: The number that the device has now; it was changed in the dashboard.
        fault: Why it could not be looked up or compared, as a sentence.
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
        at: When the account was looked at.
        endpoint: Where, without anything secret.
        subjects: The declared devices in the order of the declaration, then the others by number.
        account: What was found of the account as a whole.
        listed: How many devices the account's list has; None where it was not read.
        free: How many of them are free ones.
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
        """Yield everything that was found: of the account, then device by device."""
        yield from self.account
        for subject in self.devices:
            yield from subject.findings

    def counts(self) -> dict[Kind, int]:
        """Return how many findings there are of each kind."""
        found = collections.Counter(finding.kind for finding in self.findings())
        return {kind: found[kind] for kind in Kind}

    def devices_with(self) -> dict[Kind, int]:
        """Return how many devices have findings of each kind."""
        found = collections.Counter(kind for subject in self.devices for kind in {f.kind for f in subject.findings})
        return {kind: found[kind] for kind in Kind}

    def levels(self) -> dict[Level, int]:
        """Return how many devices there are on each level."""
        found = collections.Counter(subject.level for subject in self.devices)
        return {level: found[level] for level in Level}


def sanitize(text: str, finder: SecretFinder | None = None) -> str:
    """Return text from outside as a report may hold it: no secret, and nothing but what can be seen."""
    return printable(finder.mask(text) if finder else text, _UNSHOWABLE, kept=_JOINER)


def audit_policy(desired: Desired) -> Desired:
    """Return a declaration as an audit plans it: nothing forbids the plan, and nothing is sent for its own sake."""
    policy = desired.policy
    trusts = policy.write_only if policy.write_only == "stamped" else "recorded"
    permissive = replace(policy, write_only=trusts, unknown="ignore", unmanaged_hidden="carry")
    return replace(desired, policy=permissive)


class Auditor:
    """Reads what was seen, and tells what is to be found in it.

    Args:
        at: When it was seen.
        limits: From when on a figure is a finding.
        owners: Whose a number is, by what all its spellings have in common.
        show: Masks the value of a setting.
        secrets: What no text may hold, beside the token of the device that it is about.
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
        """Return what is found of a declared device."""
        subject = self._audited_device(seen.device, seen.number)
        name = subject.name or sanitize(str(seen.desired.settings.get("name", "")), self._secrets)
        stands, oldest = _count_compliant(seen)
        return replace(
            subject,
            name=name,
            state=seen.desired.state.value,
            compliant_counts=stands,
            oldest=oldest,
            findings=_urgent_first(
                *self._compared(seen), *self._service_findings(seen.device, subject, seen.desired.state)
            ),
        )

    def audit_undeclared(self, device: Device) -> AuditedDevice:
        """Return what is found of a device that nobody declared."""
        subject = replace(self._audited_device(device, device.number), declared=False)
        unlisted = self._read(Kind.UNLISTED, subject.number)
        return replace(subject, findings=_urgent_first(unlisted, *self._service_findings(device, subject, None)))

    def account(self, free: int | None, to_make: int) -> tuple[Finding, ...]:
        """Return what is found of the account as a whole.

        Args:
            free: How many free devices it has; None where nobody knows.
            to_make: How many declared devices are missing. A new device is a free one.
        """
        limit = self._limits.free
        if free is None or (free < limit and free + to_make <= limit):
            return ()
        return (replace(self._read(Kind.FREE_SLOTS, "", found=free, declared=limit), count=to_make),)

    def _audited_device(self, device: Device | None, number: str) -> AuditedDevice:
        self._secrets.add([device.token] if device else [])
        # A number of the list is whatever the service says.
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
        """Return a finding that was read from the service just now."""
        return Finding(kind, number, evidence=Evidence(Source.SERVICE, self._now), **more)

    def _compared(self, seen: AuditInput) -> t.Iterator[Finding]:
        """Yield where a device is not as declared, or nobody knows."""
        if seen.observation and seen.device is None:
            renumbered_to = sanitize(seen.renumbered_to, self._secrets) or None
            yield self._read(Kind.MISSING, seen.number, field=NUMBER, declared=seen.number, found=renumbered_to)
        elif seen.fault or seen.plan is None:
            yield Finding(Kind.NOT_CHECKED, seen.number, note=sanitize(seen.fault, self._secrets))
        else:
            for option, reason in _open_reasons(seen.plan).items():
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
        """Yield what the list itself tells, whatever is declared of the settings."""
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


def _urgent_first(*findings: Finding) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: _URGENCY[finding.kind.level]))


def _open_reasons(plan: Plan) -> dict[str, Reason]:
    """Return the reasons for changes without those that only write a stamp for an attested value."""
    attested = {option for option, item in plan.evidence.items() if item.source is Source.ATTESTED}
    return {
        option: reason
        for option, reason in plan.reasons.items()
        if reason is not Reason.UNPROVEN or option not in attested
    }


def _count_compliant(seen: AuditInput) -> tuple[dict[str, int], str | None]:
    """Return how many declared settings are as declared, by their evidence, and since when the oldest is known."""
    if seen.plan is None or seen.device is None or seen.fault:
        return {}, None
    reasons = _open_reasons(seen.plan)
    good = [item for option, item in seen.plan.evidence.items() if option not in reasons]
    found = collections.Counter(item.source.value for item in good)
    return dict(sorted(found.items())), min((item.at for item in good if item.at), default=None)
