# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Derive the findings of an audit from observations.

Pure: no network, no files, no clock. The audit reads the plan that a run would carry out, and derives its findings from
that plan.
"""

from __future__ import annotations

import collections
import typing as t
from dataclasses import replace
from datetime import datetime

from .._common.clock import DAY_SECONDS, TIME_FORMAT, unix_to_text
from .._common.phone_numbers import canonical
from .._common.redaction import printable, truncate
from .._common.spellings import SecretFinder
from .._device.delivery import find_delivery_risks
from .._device.models import Device
from .._device.settings import Value
from .._reconcile.evidence import Evidence, Source
from .._reconcile.state import Desired, Plan, Reason, State
from .findings import CONNECTED, NUMBER, AuditedDevice, AuditInput, Finding, Kind, Limits, Shown, sort_by_urgency

# Joins the parts of one emoji. It is the only invisible character that a name needs.
_JOINER = "\u200d"
# The service may return any string as a name. Sorting a longer one could take minutes.
MAX_TEXT_LENGTH = 1000
_UNSHOWABLE = "\ufffd"

Show = t.Callable[[str, t.Optional[Value]], Shown]


def sanitize(text: str, finder: SecretFinder | None = None) -> str:
    """Return text from outside in a form for reports: without secrets and invisible characters, and cut if very long."""
    return printable(truncate(finder.mask(text) if finder else text, MAX_TEXT_LENGTH), _UNSHOWABLE, kept=_JOINER)


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
            findings=sort_by_urgency(
                *self._compared(seen),
                *self._risk_findings(seen),
                *self._service_findings(seen.device, subject, seen.desired.state),
            ),
        )

    def audit_undeclared(self, device: Device) -> AuditedDevice:
        """Return an undeclared device with its findings."""
        subject = replace(self._audited_device(device, device.number), declared=False)
        unlisted = self._read(Kind.UNLISTED, subject.number)
        return replace(subject, findings=sort_by_urgency(unlisted, *self._service_findings(device, subject, None)))

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
            for option, reason in _open_reasons(seen.plan).items():
                yield self._drift_finding(seen, seen.plan, option, reason)
            for option in seen.plan.removed:
                yield self._removed_finding(seen, seen.plan, option)

    def _risk_findings(self, seen: AuditInput) -> t.Iterator[Finding]:
        """Yield the declared settings with which events may not arrive: the same ones that a run warns about."""
        if seen.plan is None or seen.plan.after is None:
            return
        desired = seen.desired
        for risk in find_delivery_risks(desired.settings, seen.plan.after, desired.managed_options):
            first = risk.options[0]
            value = self._sanitize_value(self._show(first, desired.settings.get(first)))
            names = ", ".join(risk.options)
            yield Finding(Kind.DELIVERY_RISK, seen.number, first, value, names, cause=risk.cause.value)

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
            evidence = evidence._replace(at=self._now)
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


def _open_reasons(plan: Plan) -> dict[str, Reason]:
    """Return the reasons for changes without those that only write a stamp for an attested value."""
    attested = {option for option, item in plan.evidence.items() if item.source is Source.ATTESTED}
    stamps = {option for option, reason in plan.reasons.items() if reason is Reason.UNPROVEN and option in attested}
    return {option: reason for option, reason in plan.reasons.items() if option not in stamps}


def _count_compliant(seen: AuditInput) -> tuple[dict[str, int], str | None]:
    """Return the counts of declared settings that match, by the source of their evidence, and the oldest time."""
    if seen.plan is None or seen.device is None or seen.fault:
        return {}, None
    reasons = _open_reasons(seen.plan)
    good = [item for option, item in seen.plan.evidence.items() if option not in reasons]
    found = collections.Counter(item.source.value for item in good)
    return dict(sorted(found.items())), min((item.at for item in good if item.at), default=None)
