# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts for sample reports: one with each kind of finding, and one of any size.

They use a fixed time, so that the same page is created each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.receiver_check import Outcome, ReceiverCheck
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.auditor import Auditor, Show, audit_policy
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.event_evidence import add_last_event
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import Audit, AuditInput, Limits
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.receivers import add_receivers
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import Redactor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import Settings
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.last_events import LastEvents
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.planner import make_plan
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.result import mask_value
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import Desired, Observed, Recorded, State
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord

NOW = datetime(2026, 11, 20, 7, 30, tzinfo=timezone.utc)
DAY = 86400
LONG_AGO = "2026-06-02T03:04:05Z"


def shown() -> Show:
    """Return the function that masks the values of settings."""
    redactor = Redactor("a key")
    return lambda option, value: mask_value(option, value, redactor)


def auditor(owners: dict[str, str] | None = None, secrets: Sequence[str] = ()) -> Auditor:
    """Return an auditor with the defaults of the module."""
    return Auditor(NOW, Limits(), owners or {}, shown(), secrets)


def device(number: str, name: str = "Toko", **fields: object) -> Device:
    """Return a linked device with a package, as the device list shows it.

    ``fields`` are fields of Device, or ``settings``.
    """
    settings = {"name": name, "autoread": True, **fields.pop("settings", {})}  # type: ignore[dict-item]
    given = {"connected": True, "package": "Super", "quota": 5000, "expires": int(NOW.timestamp()) + 90 * DAY}
    return Device(number, f"token-of-{number}", settings=settings, **{**given, **fields})  # type: ignore[arg-type]


def seen(
    there: Device | None,
    number: str = "",
    record: DeviceRecord | None = None,
    state: str = "present",
    **declared: object,
) -> AuditInput:
    """Return a declared device, with the plan that a run would create for it."""
    settings: Settings = declared  # type: ignore[assignment]
    desired = audit_policy(Desired(number or (there.number if there else ""), State(state), settings))
    observed = Observed(there.number, there.settings, there.connected, stamp=there.stamp) if there else None
    plan = make_plan(desired, observed, Recorded(record or DeviceRecord()), NOW)
    return AuditInput(desired, desired.number, there, plan)


def recorded(**settings: object) -> DeviceRecord:
    """Return a record of settings that were applied long ago."""
    return DeviceRecord().mark_confirmed(settings, LONG_AGO)


def report(
    subjects: Sequence[AuditInput],
    others: Sequence[Device] = (),
    owners: dict[str, str] | None = None,
    events: LastEvents | None = None,
) -> Audit:
    """Return a report of declared devices (``subjects``) and undeclared ones (``others``)."""
    judge = auditor(owners)
    listed = [one.device for one in subjects if one.device] + list(others)
    free = sum((one.package or "").lower() == "free" for one in listed)
    found = [add_last_event(judge.audit_declared(one), one.desired, events, NOW, 7) for one in subjects]
    missing = sum(one.device is None for one in subjects)
    return Audit(
        NOW,
        "Toko Bersama",
        "https://api.fonnte.com",
        Limits(),
        (*found, *(add_last_event(judge.audit_undeclared(one), None, events, NOW, 7) for one in others)),
        judge.account(free, missing),
        len(listed),
        free,
    )


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|'/c calc'!A1",
    "--",
    "]]>",
    "&lt;",
    "</style>",
]


def named(name: str) -> Audit:
    """Return a report in which every external string has this text."""
    number = "081200000001"
    there = device(number, name, package=name)
    audit = report([seen(there, name="Toko")], [device("081200000002", name)], {"6281200000001": name})
    return replace(audit, title=name)


HOOK = "https://hooks.example.com/toko?key=s3cr3t"


def everything() -> Audit:
    """Return an account with each kind of finding."""
    masked = shown()
    one, two, three, four, five, six, seven, eight = (f"08120000{index:04d}" for index in range(1, 9))
    full = [
        seen(device(f"08130000{index:04d}", f"Warung {index}", package="Free"), name=f"Warung {index}")
        for index in range(1, 10)
    ]
    soon = int(NOW.timestamp()) + 5 * DAY
    chats = {"autoread": True, "personal": True}
    subjects = [
        seen(
            device(one, "Toko Satu Lama"),
            record=recorded(webhook=HOOK, personal=True),
            name="Toko Satu",
            webhook=HOOK,
            **chats,
        ),
        seen(
            device(two, "Toko Dua"),
            record=recorded(webhook=HOOK, quick=True, personal=True),
            name="Toko Dua",
            webhook=HOOK + "2",
            **chats,
        ),
        seen(device(three, "Toko Tiga", connected=False), name="Toko Tiga", autoread=True),
        seen(device(four, "Toko Empat", expires=int(NOW.timestamp()) - DAY), name="Toko Empat"),
        # The line of its webhook was removed from the declaration.
        seen(
            device(five, "Toko Lima", expires=soon, quota=12),
            record=recorded(webhook=HOOK).declare(["webhook"], "device"),
            name="Toko Lima",
        ),
        seen(None, six, name="Toko Enam"),
        seen(device(seven, "Toko Tujuh"), name="Toko Tujuh", webhook=HOOK, quick=True),
        AuditInput(
            Desired(eight), eight, observation=False, fault=f"Looking up device {eight}: the service did not answer."
        ),
        *full,
    ]
    others = [device("081400000001", "Siapa ini?", package="Free")]
    events = LastEvents("2026-11-01T00:00:00Z")
    events.record("62" + one[1:], "incoming", "2026-11-11T07:00:00Z")
    for number in (two, seven):
        events.record("62" + number[1:], "incoming", "2026-11-20T07:18:00Z")
    audit = report(subjects, others, {"62812" + number[4:]: "PT Contoh" for number in (one, two, three)}, events)
    results = {HOOK: ReceiverCheck(Outcome.OK, 200), HOOK + "2": ReceiverCheck(Outcome.STATUS, 404)}
    return add_receivers(
        audit, [one.desired.settings for one in subjects], results, lambda url: str(masked("webhook", url))
    )


def many(count: int) -> Audit:
    """Return an account with a number of devices of twenty clients; every second device matches its declaration."""
    subjects = []
    for index in range(count):
        name, number = f"Toko {index:05d}", f"0812{index:08d}"
        there = device(
            number,
            name if index % 2 else name + " Lama",
            connected=index % 5 != 0,
            quota=index % 997 * 10,
            expires=int(NOW.timestamp()) + (index * 7 % 400 - 20) * DAY,
        )
        hook = {"webhook": HOOK} if index % 3 else {}
        subjects.append(seen(there, record=recorded(quick=True), name=name, quick=True, **hook))
    owners = {f"62812{index:08d}": f"Klien {index % 20:02d}" for index in range(count)}
    return report(subjects, (), owners)
