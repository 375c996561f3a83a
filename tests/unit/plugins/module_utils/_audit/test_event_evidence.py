# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings from the last events, and their wording."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.event_evidence import add_last_event
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.event_texts import describe_event
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.exports import as_data, csv_text
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import AuditedDevice, Kind, Level
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.html_report import render
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import Messages
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.last_events import LastEvent, LastEvents
from ansible_collections.fonnte.whatsapp.tests.browser.samples import (
    HOOK,
    NOW,
    auditor,
    device,
    everything,
    recorded,
    seen,
)

NUMBER = "081200000001"
SINCE = "2026-11-01T00:00:00Z"


def audited(
    events: LastEvents | None, days: int = 7, connected: bool = True, state: str = "present", **declared: t.Any
) -> AuditedDevice:
    settings = {"webhook": HOOK, **declared}
    known = {key: value for key, value in settings.items() if value != ""}
    one = seen(device(NUMBER, connected=connected), record=recorded(**known), state=state, **settings)
    return add_last_event(auditor().audit_declared(one), one.desired, events, NOW, days)


def events_at(since: str = SINCE, **times: str) -> LastEvents:
    events = LastEvents(since)
    for kind, at in times.items():
        events.record("6281200000001", kind, at)
    return events


def silences(subject: AuditedDevice) -> list[tuple[t.Any, ...]]:
    return [(f.found, f.count, f.declared, f.field) for f in subject.findings if f.kind is Kind.NO_EVENTS]


def test_device_without_messages_for_days_is_a_notice() -> None:
    at = "2026-11-11T07:00:00Z"
    subject = audited(events_at(incoming=at, status="2026-11-20T07:00:00Z"))
    assert silences(subject) == [(at, 9, 7, "webhook")] and subject.level is Level.NOTICE
    # The last event is of any kind; only a message proves the webhook for chats.
    assert subject.last_event == LastEvent("status", "2026-11-20T07:00:00Z", 1800)


@pytest.mark.parametrize(
    ("at", "days", "found"),
    [
        ("2026-11-13T07:30:00Z", 7, 1),
        ("2026-11-13T07:30:01Z", 7, 0),
        ("2026-11-13T07:30:00Z", 8, 0),
        ("2026-11-19T07:29:00Z", 1, 1),
        # The clock of another machine may be ahead.
        ("2026-11-20T08:00:00Z", 1, 0),
    ],
)
def test_limit_is_in_whole_days(at: str, days: int, found: int) -> None:
    assert len(silences(audited(events_at(incoming=at), days))) == found


def test_device_that_never_received_a_message_counts_from_the_start_of_the_file() -> None:
    assert silences(audited(events_at())) == [(None, 19, 7, "webhook")]
    assert silences(audited(events_at(since="2026-11-15T00:00:00Z"))) == []
    assert silences(audited(events_at(connect="2026-11-20T07:00:00Z"))) == [(None, 19, 7, "webhook")]


def test_device_of_which_no_message_is_expected_has_no_finding() -> None:
    assert silences(audited(events_at(), webhook="")) == []
    assert silences(audited(events_at(), connected=False)) == []
    assert silences(audited(events_at(), state="disconnected")) == []
    undeclared = add_last_event(auditor().audit_undeclared(device(NUMBER)), None, events_at(), NOW, 7)
    assert silences(undeclared) == [] and undeclared.last_event is None


def test_nothing_is_reported_without_the_file() -> None:
    subject = audited(None)
    assert subject.last_event is None and silences(subject) == []


@pytest.mark.parametrize(
    ("age", "english", "indonesian"),
    [
        (0, "0 min ago", "0 menit yang lalu"),
        (12 * 60, "12 min ago", "12 menit yang lalu"),
        (7199, "119 min ago", "119 menit yang lalu"),
        (7200, "2 h ago", "2 jam yang lalu"),
        (48 * 3600 - 1, "47 h ago", "47 jam yang lalu"),
        (48 * 3600, "2 days ago", "2 hari yang lalu"),
        (9 * 86400, "9 days ago", "9 hari yang lalu"),
    ],
)
def test_age_of_an_event_in_words(age: int, english: str, indonesian: str) -> None:
    event = LastEvent("incoming", SINCE, age)
    assert describe_event(Messages("en"), event) == f"Last event: incoming message, {english}."
    assert describe_event(Messages("id"), event) == f"Peristiwa terakhir: pesan masuk, {indonesian}."


def test_finding_is_a_sentence_with_its_source() -> None:
    words = Messages("en")
    (known,) = (f for f in audited(events_at(incoming="2026-11-11T07:00:00Z")).findings if f.kind is Kind.NO_EVENTS)
    (never,) = (f for f in audited(events_at()).findings if f.kind is Kind.NO_EVENTS)
    assert words.sentence(known) == "Last incoming message: 2026-11-11 07:00 UTC (whole days ago: 9)."
    assert words.sentence(never) == "No incoming message since the recording of events began (whole days: 19)."
    assert words.evidence(known) == words.evidence(never) == "Recorded by the event source"
    assert (known.evidence.source.value, known.evidence.at) == ("service", "2026-11-11T07:00:00Z")


@pytest.mark.parametrize("language", ["en", "id"])
def test_last_event_is_in_each_format(language: str) -> None:
    audit, words = everything(), Messages(language)
    last = [one["last_event"] for one in as_data(audit, words)["devices"]]
    assert last[0] == {"kind": "incoming", "at": "2026-11-11T07:00:00Z"} and last[3] is None
    for shown in ("9 days ago", "12 min ago") if language == "en" else ("9 hari yang lalu", "12 menit yang lalu"):
        assert shown in render(audit, words)
    assert words.label(Kind.NO_EVENTS) in csv_text(audit, words, ",")
