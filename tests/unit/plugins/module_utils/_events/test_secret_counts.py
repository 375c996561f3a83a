# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests are counted by the secret that they used."""

from __future__ import annotations

import json

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.receiver import EventReceiver, Limits
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.secret_counts import SecretCounts


class Clock:
    """A clock that only a test advances."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


def test_count_of_the_last_hour_falls_to_zero() -> None:
    clock = Clock()
    counts = SecretCounts(2, clock)
    for minute in range(90):
        clock.now = 5000.0 + 60 * minute
        counts.count(1)
    assert counts.as_data() == {"1": {"requests": 0, "last_hour": 0}, "2": {"requests": 90, "last_hour": 60}}
    counts.count(0)
    clock.now += 30 * 60
    assert counts.as_data()["2"] == {"requests": 90, "last_hour": 30}
    clock.now += 30 * 60
    assert counts.as_data() == {"1": {"requests": 1, "last_hour": 0}, "2": {"requests": 90, "last_hour": 0}}


def test_memory_of_the_counts_is_bounded() -> None:
    clock = Clock()
    counts = SecretCounts(1, clock)
    for _minute in range(5000):
        clock.now += 60
        counts.count(0)
    assert len(counts._minutes[0]) <= 61


def test_log_lists_each_of_several_secrets_by_its_place() -> None:
    receiver = EventReceiver(Limits(secrets=("Zk3-9xTq7LmPw2Rb", "Qm5_8vYs1HdNk4Wc")))
    body = json.dumps({"device": "081200001001", "status": "connect", "timestamp": 1760000000}).encode()
    for index in (1, 1, 0):
        receiver.count_secret(index)
        receiver.receive(body)
    report = receiver.report()
    assert report is not None and "1 with secret 1, 2 with secret 2" in report[0]
    receiver.count_secret(0)
    receiver.receive(body)
    report = receiver.report()
    assert report is not None and "1 with secret 1, 0 with secret 2" in report[0]
    assert "Zk3" not in report[0] and "Qm5" not in json.dumps(receiver.counts())


def test_log_of_a_single_secret_has_no_count_of_secrets() -> None:
    receiver = EventReceiver(Limits(secrets=("Zk3-9xTq7LmPw2Rb",)))
    receiver.count_secret(0)
    receiver.receive(b"")
    report = receiver.report()
    assert report is not None and "secret" not in report[0]
