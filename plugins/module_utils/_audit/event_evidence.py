# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Findings from the last events: a device whose webhook for chats is declared, and that has received nothing. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from .._common.clock import DAY_SECONDS, age
from .._common.phone_numbers import canonical
from .._events.last_events import LastEvents
from .._reconcile.evidence import Evidence, Source
from .._reconcile.state import Desired, State
from .findings import AuditedDevice, Finding, Kind, sort_by_urgency

INCOMING, WEBHOOK = "incoming", "webhook"


def add_last_event(
    subject: AuditedDevice, desired: Desired | None, events: LastEvents | None, at: datetime, days: int
) -> AuditedDevice:
    """Return a device with its last event, and with a finding if no message has arrived for a number of days.

    Args:
        subject: The device.
        desired: Its declaration; None for an undeclared device.
        events: The last events of all numbers; None if they are unknown.
        at: The time of the audit.
        days: The number of days.
    """
    if events is None:
        return subject
    number = canonical(subject.number)
    subject = replace(subject, last_event=events.last(number, at))
    # A device without a phone has another finding, which explains the missing events.
    expected = desired is not None and desired.state is State.PRESENT and bool(desired.settings.get(WEBHOOK))
    if not expected or not subject.connected:
        return subject
    last = events.devices.get(number, {}).get(INCOMING)
    silent = int(age(last or events.since, at) // DAY_SECONDS)
    if silent < days:
        return subject
    evidence = Evidence(Source.SERVICE, last) if last else Evidence()
    found = Finding(Kind.NO_EVENTS, subject.number, WEBHOOK, days, last, evidence, count=silent)
    return replace(subject, findings=sort_by_urgency(*subject.findings, found))
