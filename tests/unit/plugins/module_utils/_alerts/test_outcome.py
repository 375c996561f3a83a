# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recap decides which failures count: not the rescued, the ignored, and those of an earlier file."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.outcome import (
    MAX_KEPT_FAILURES,
    Failure,
    FailureCollector,
    HostCounts,
)


def collector(*failures: Failure) -> FailureCollector:
    made = FailureCollector()
    made.begin("site.yml")
    for failure in failures:
        made.add(failure)
    return made


def test_rescued_failure_is_no_failure() -> None:
    outcome = collector(Failure("a", "rescued")).end({"a": HostCounts(changed=2)}, False)
    assert (outcome.failed, outcome.failures, outcome.changed) == ((), (), 1)


def test_last_failures_of_host_are_those_without_rescue() -> None:
    made = collector(Failure("a", "rescued"), Failure("b", "first"), Failure("a", "second"))
    outcome = made.end({"a": HostCounts(1), "b": HostCounts(1), "c": HostCounts()}, False)
    assert [failure.task for failure in outcome.failures] == ["first", "second"]
    assert outcome.failed == ("b", "a") and outcome.hosts == 3


def test_ignored_unreachable_host_is_no_failure() -> None:
    made = collector(Failure("a", "ping", unreachable=True), Failure("b", "ping", unreachable=True))
    outcome = made.end({"a": HostCounts(), "b": HostCounts(unreachable=1)}, False)
    assert outcome.failed == ("b",) and outcome.unreachable == {"b"}
    assert [failure.host for failure in outcome.failures] == ["b"]


def test_host_that_fails_and_then_is_unreachable_is_listed_once() -> None:
    made = collector(Failure("a", "first"), Failure("a", "ping", unreachable=True))
    outcome = made.end({"a": HostCounts(1, 1)}, False)
    assert outcome.failed == ("a",) and [failure.task for failure in outcome.failures] == ["first", "ping"]


def test_counts_of_earlier_file_are_subtracted() -> None:
    made = collector(Failure("a", "one"))
    assert made.end({"a": HostCounts(1, 0, 3)}, False).failed == ("a",)
    made.begin("second.yml")
    outcome = made.end({"a": HostCounts(1, 0, 3), "b": HostCounts(0, 0, 1)}, True)
    assert (outcome.playbook, outcome.failed, outcome.failures, outcome.changed) == ("second.yml", (), (), 1)
    assert outcome.check_mode


def test_failure_without_event_is_counted() -> None:
    outcome = collector().end({"b": HostCounts(1), "a": HostCounts(1)}, False)
    assert outcome.failed == ("a", "b") and outcome.failures == ()


def test_number_of_kept_failures_is_limited() -> None:
    made = collector(*(Failure("a", str(number)) for number in range(1000)))
    outcome = made.end({"a": HostCounts(1000)}, False)
    assert [failure.task for failure in outcome.failures] == [
        str(1000 - MAX_KEPT_FAILURES + number) for number in range(10)
    ]
