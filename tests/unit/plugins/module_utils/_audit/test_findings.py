# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of an audit and their evidence: differences and unknown values."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.auditor import Auditor, audit_policy, sanitize
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import (
    Audit,
    AuditedDevice,
    AuditInput,
    Kind,
    Level,
    Limits,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import LANGUAGES, Messages
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.stamp import (
    OWN,
    Stamp,
    make_code,
    read_stamp,
    stamped_name,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.evidence import Source
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.planner import make_plan
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import (
    Desired,
    Observed,
    Policy,
    Reason,
    Recorded,
    State,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord
from ansible_collections.fonnte.whatsapp.tests.browser.samples import (
    DAY,
    HOOK,
    LONG_AGO,
    NOW,
    auditor,
    device,
    everything,
    many,
    recorded,
    report,
    seen,
    shown,
)

NUMBER = "081200000001"
AT = "2026-11-20T07:30:00Z"


def judged(one: AuditInput) -> AuditedDevice:
    return auditor().audit_declared(one)


def reported(one: AuditInput) -> list[tuple[t.Any, ...]]:
    """Return each finding as kind, field, declared, found, source, time and reason."""
    return [
        (f.kind.value, f.field, f.declared, f.found, f.evidence.source.value, f.evidence.at, f.reason)
        for f in judged(one).findings
    ]


def planned(policy: Policy, record: DeviceRecord, stamp: Stamp | None = None, **declared: t.Any) -> AuditInput:
    """Return a linked device with the plan of an audit under a policy."""
    there = device(NUMBER)
    desired = audit_policy(Desired(NUMBER, settings=declared, policy=policy))
    observed = Observed(NUMBER, there.settings, True, stamp=stamp)
    return AuditInput(desired, NUMBER, there, make_plan(desired, observed, Recorded(record), NOW))


def test_matching_device_has_no_finding_and_counts_its_evidence() -> None:
    subject = judged(seen(device(NUMBER), record=recorded(quick=True), name="Toko", quick=True))
    assert subject.findings == () and subject.level is Level.FINE
    assert subject.compliant_counts == {"recorded": 1, "service": 1} and subject.oldest == LONG_AGO


def test_listed_setting_that_differs_is_drift() -> None:
    found = reported(seen(device(NUMBER, "Lama"), name="Toko", autoread=True))
    assert found == [("drift", "name", "Toko", "Lama", "service", AT, Reason.DIFFERS)]


def test_recorded_setting_that_differs_has_the_recorded_time_and_no_secret() -> None:
    declared = {"webhook": HOOK + "2", "personal": True}
    (found,) = reported(seen(device(NUMBER), record=recorded(webhook=HOOK, personal=True), **declared))
    kind, field, wanted, there, source, at, reason = found
    assert (kind, field, source, at, reason) == ("drift_recorded", "webhook", "recorded", LONG_AGO, Reason.DIFFERS)
    assert wanted != there and {str(url)[:26] for url in (wanted, there)} == {"https://hooks.example.com/"}
    assert "s3cr3t" not in f"{wanted}{there}"


def test_attested_setting_that_differs_is_recorded_drift() -> None:
    record = DeviceRecord().attest({"quick": True}, LONG_AGO, "ani")
    (found,) = judged(seen(device(NUMBER), record=record, quick=False)).findings
    assert (found.kind, found.evidence.source, found.evidence.by) == (Kind.DRIFT_RECORDED, Source.ATTESTED, "ani")


@pytest.mark.parametrize(
    ("policy", "record", "reason", "source", "at"),
    [
        (Policy(), DeviceRecord(), Reason.NO_RECORD, "none", None),
        (Policy(), DeviceRecord().mark_pending({"quick": True}, LONG_AGO), Reason.IN_DOUBT, "in_doubt", LONG_AGO),
        (Policy(max_age=DAY), recorded(quick=True), Reason.EXPIRED, "recorded", LONG_AGO),
        (Policy(write_only="stamped"), recorded(quick=True), Reason.UNPROVEN, "recorded", LONG_AGO),
    ],
)
def test_unknown_setting_is_no_drift(
    policy: Policy, record: DeviceRecord, reason: Reason, source: str, at: str | None
) -> None:
    subject = judged(planned(policy, record, quick=True))
    (found,) = subject.findings
    assert (found.kind, found.reason, found.found) == (Kind.UNKNOWN, reason, None)
    assert (found.evidence.source.value, found.evidence.at) == (source, at)
    assert subject.level is Level.UNKNOWN and subject.compliant_counts == {}


def test_stamped_setting_counts_as_stamped() -> None:
    token = device(NUMBER).token
    code = make_code(token, "Toko", {OWN: {"quick": True}}, True)
    stamp = read_stamp(token, stamped_name("Toko", code))
    subject = judged(planned(Policy(write_only="stamped"), DeviceRecord(), stamp, quick=True))
    assert subject.findings == () and subject.compliant_counts == {"stamped": 1}
    other = judged(planned(Policy(write_only="stamped"), recorded(quick=True), stamp, quick=False))
    assert [(f.kind, f.evidence.source) for f in other.findings] == [(Kind.DRIFT, Source.STAMPED)]


@pytest.mark.parametrize("write_only", ["recorded", "always_update", "error", "attest"])
def test_no_policy_keeps_an_audit_from_its_finding(write_only: str) -> None:
    policy = Policy(write_only=write_only, unknown="error", unmanaged_hidden="forget")
    record = recorded(quick=True, group=True)
    assert judged(planned(policy, record, name="Toko", quick=True)).findings == ()
    assert [f.kind for f in judged(planned(policy, record, name="Toko", resend=True)).findings] == [Kind.UNKNOWN]


def test_missing_device_is_a_finding() -> None:
    subject = judged(seen(None, NUMBER, name="Toko", webhook=HOOK))
    found, risk = subject.findings
    assert (found.kind, found.found, found.evidence.source) == (Kind.MISSING, None, Source.SERVICE)
    assert (risk.kind, risk.cause, risk.found) == (Kind.DELIVERY_RISK, "incoming_off", "autoread, personal")
    assert subject.name == "Toko" and subject.connected is None
    moved = judged(replace(seen(None, NUMBER, name="Toko"), renumbered_to="081200000077"))
    assert moved.findings[0].found == "081200000077"


@pytest.mark.parametrize(
    ("declared", "field", "found", "cause"),
    [
        ({"webhook": HOOK}, "personal", "personal", "incoming_off"),
        ({"webhook_status": "http://127.1/s3cr3t"}, "webhook_status", "webhook_status", "local_host"),
        (
            {"webhook_status": HOOK, "webhook_chaining": HOOK},
            "webhook_status",
            "webhook_status, webhook_chaining",
            "shared_url",
        ),
        ({"webhook_connect": "http://hooks.example.com/s3cr3t"}, "webhook_connect", "webhook_connect", "plain_http"),
    ],
)
def test_delivery_risk_is_a_finding_without_a_secret(
    declared: dict[str, t.Any], field: str, found: str, cause: str
) -> None:
    subject = judged(seen(device(NUMBER), record=recorded(**declared), **declared))
    (risk,) = subject.findings
    assert (risk.kind, risk.kind.level, risk.field, risk.found, risk.cause) == (
        Kind.DELIVERY_RISK,
        Level.NOTICE,
        field,
        found,
        cause,
    )
    assert "s3cr3t" not in str(risk) and subject.level is Level.NOTICE
    for language in LANGUAGES:
        words = Messages(language)
        assert found in words.sentence(risk) and words.evidence(risk) != words.source(risk.evidence)


def test_failed_lookup_is_a_not_checked_finding() -> None:
    subject = judged(AuditInput(Desired(NUMBER), NUMBER, observation=False, fault="Fonnte said no."))
    (found,) = subject.findings
    assert (found.kind, found.note, found.kind.level) == (Kind.NOT_CHECKED, "Fonnte said no.", Level.UNKNOWN)
    there = replace(seen(device(NUMBER, connected=False), name="Toko"), fault="It cannot be compared.")
    assert [f.kind for f in judged(there).findings] == [Kind.DISCONNECTED, Kind.NOT_CHECKED]


@pytest.mark.parametrize(
    ("connected", "state", "found"),
    [
        (False, "present", [(Kind.DISCONNECTED, True, False)]),
        (True, "present", []),
        (None, "present", []),
        (True, "disconnected", [(Kind.DRIFT, False, True)]),
        (None, "disconnected", [(Kind.UNKNOWN, False, None)]),
        (False, "disconnected", []),
    ],
)
def test_link_state_that_differs_is_a_finding(connected: bool | None, state: str, found: list[t.Any]) -> None:
    subject = judged(seen(device(NUMBER, connected=connected), state=state, name="Toko"))
    assert [(f.kind, f.declared, f.found) for f in subject.findings] == found
    assert all(f.field == "connected" for f in subject.findings)


@pytest.mark.parametrize(
    ("seconds", "kind", "left"),
    [
        (-1, Kind.PACKAGE_ENDED, None),
        (0, Kind.PACKAGE_ENDED, None),
        (1, Kind.PACKAGE_ENDS, 0),
        (14 * DAY, Kind.PACKAGE_ENDS, 14),
        (14 * DAY + 1, None, None),
    ],
)
def test_expiring_package_is_a_finding(seconds: int, kind: Kind | None, left: int | None) -> None:
    ends = device(NUMBER, expires=int(NOW.timestamp()) + seconds)
    for subject in (judged(seen(ends, name="Toko")), auditor().audit_undeclared(ends)):
        found = [(f.kind, f.count) for f in subject.findings if f.kind is not Kind.UNLISTED]
        assert found == ([] if kind is None else [(kind, left)])


@pytest.mark.parametrize(("quota", "low"), [(99, True), (100, False), (None, False), (0, True)])
def test_low_quota_is_a_finding(quota: int | None, low: bool) -> None:
    found = judged(seen(device(NUMBER, quota=quota), name="Toko")).findings
    assert [(f.kind, f.found, f.declared) for f in found] == ([(Kind.QUOTA_LOW, quota, 100)] if low else [])


def test_undeclared_device_has_no_link_finding() -> None:
    subject = auditor().audit_undeclared(device(NUMBER, connected=False))
    assert [f.kind for f in subject.findings] == [Kind.UNLISTED]
    assert not subject.declared and subject.level is Level.NOTICE and subject.state == ""


@pytest.mark.parametrize(
    ("free", "to_make", "found"), [(None, 5, 0), (9, 1, 0), (9, 2, 1), (10, 0, 1), (0, 10, 0), (0, 11, 1)]
)
def test_few_free_slots_are_a_finding(free: int | None, to_make: int, found: int) -> None:
    reported = auditor().account(free, to_make)
    assert len(reported) == found
    assert all((f.kind, f.found, f.declared, f.count) == (Kind.FREE_SLOTS, free, 10, to_make) for f in reported)


def test_most_urgent_finding_is_first_and_sets_the_level() -> None:
    subject = judged(seen(device(NUMBER, "Lama", quota=1), name="Toko", quick=True))
    assert [f.kind for f in subject.findings] == [Kind.DRIFT, Kind.QUOTA_LOW, Kind.UNKNOWN]
    assert subject.level is Level.ACTION


def test_owners_match_any_spelling() -> None:
    judge = auditor({"6281200000001": "PT Satu"})
    owners = [
        judge.audit_undeclared(device(n)).owner for n in (NUMBER, "6281200000001", "+62 812-0000-0001", "081200000002")
    ]
    assert owners == ["PT Satu", "PT Satu", "PT Satu", ""]


def test_external_strings_are_sanitized() -> None:
    token = device(NUMBER).token
    evil = f"a\u202eb\x1b[31m\ud800 {token} account-s3cr3t"
    there = device(NUMBER, evil, package=evil)
    subject = Auditor(NOW, Limits(), {}, shown(), ["account-s3cr3t"]).audit_declared(seen(there, name="Toko"))
    texts = [subject.name, subject.package, subject.findings[0].found]
    assert texts == ["a\ufffdb\ufffd[31m\ufffd ******** ********"] * 3
    assert sanitize("👨\u200d👩\u200d👧 Ibu") == "👨\u200d👩\u200d👧 Ibu"


def test_report_counts() -> None:
    audit = everything()
    assert all(count == 1 + (kind is Kind.UNKNOWN) for kind, count in audit.counts().items())
    assert audit.devices_with()[Kind.UNKNOWN] == 1 and audit.devices_with()[Kind.FREE_SLOTS] == 0
    assert sum(audit.levels().values()) == len(audit.devices)
    assert {kind.level for kind in Kind} == set(Level) - {Level.FINE}
    empty = Audit(NOW, "", "", Limits())
    assert set(empty.counts().values()) == {0} and set(empty.levels().values()) == {0}


def test_sample_accounts_have_drift_and_unknown() -> None:
    counts = many(50).counts()
    assert counts[Kind.DRIFT] == 25 and 0 < counts[Kind.UNKNOWN] < 50
    assert report([]).devices == ()


def test_subject_states_match_the_state_enum() -> None:
    assert judged(seen(device(NUMBER), state="present")).state == State.PRESENT.value
