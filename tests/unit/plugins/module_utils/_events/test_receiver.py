# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handling of received events: none is lost or duplicated, and all are counted."""

from __future__ import annotations

import json
import tracemalloc
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import receiver as _intake
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.connections import EVICTED
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.receiver import DedupWindow, EventReceiver, Limits


class Clock:
    """A clock that only a test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def dropped(number: int = 0, device: str = "081200001001") -> bytes:
    payload = {"device": device, "status": "disconnect", "timestamp": 1760000000 + number, "token": "a-token"}
    return json.dumps(payload).encode()


def outcome(intake: EventReceiver, body: bytes, kind: str | None = None) -> tuple[int, str]:
    answer = intake.receive(body, kind)
    return answer.status, answer.outcome


def sound(intake: EventReceiver) -> bool:
    """Check that the counts agree with each other and with the queue."""
    counts = intake.counts()
    whole = sum(counts[name] for name in ("accepted", "duplicates", "probes", "own_messages"))
    whole += sum(counts["refused"].values())
    return (
        counts["received"] == whole
        and counts["accepted"] == counts["taken"] + counts["waiting"]
        and counts["waiting"] == len(list(intake.waiting()))
    )


def test_repeated_event_is_a_duplicate_within_the_window() -> None:
    clock = Clock()
    intake = EventReceiver(Limits(duplicates_within=1200), clock)
    assert outcome(intake, dropped()) == (200, "accepted")
    for minute in range(1, 15):
        clock.now = 1000.0 + 60 * minute
        assert outcome(intake, dropped()) == (200, "duplicate"), minute
    assert outcome(intake, dropped(1)) == (200, "accepted")
    clock.now = 1000.0 + 1200
    assert outcome(intake, dropped()) == (200, "accepted")
    assert len(list(intake.waiting())) == 3 and sound(intake)


def test_own_message_is_counted_and_no_event() -> None:
    recorded: list[tuple[object, str]] = []
    intake = EventReceiver(Limits(), accepted=lambda number, kind: recorded.append((number, kind)))
    own = json.dumps({"device": "081200001001", "sender": "6281200001001", "message": "halo"}).encode()
    assert [outcome(intake, own) for _try in range(3)] == [(200, "own_message")] * 3
    person = json.dumps({"device": "081200001001", "sender": "6281299990000", "message": "halo"}).encode()
    assert outcome(intake, person) == (200, "accepted") and outcome(intake, person) == (200, "duplicate")
    assert sound(intake) and intake.counts()["own_messages"] == 3
    report = intake.report()
    # Own messages are no refusals, which would be a warning.
    assert report is not None and "3 own_message" in report[0] and report[1] is False
    assert recorded == [("6281200001001", "incoming")]


def test_own_message_is_an_event_on_request() -> None:
    recorded: list[tuple[object, str]] = []
    limits = Limits(keep_own_messages=True)
    intake = EventReceiver(limits, accepted=lambda number, kind: recorded.append((number, kind)))
    own = json.dumps({"device": "081200001001", "sender": "6281299990000", "message": "x", "quick": True}).encode()
    assert outcome(intake, own) == (200, "accepted") and sound(intake)
    assert [event.data["outgoing"] for event in intake.waiting()] == [True]
    # It does not prove that the messages of other people arrive.
    assert recorded == []


def test_own_message_of_another_device_is_counted_as_that() -> None:
    intake = EventReceiver(Limits(numbers=frozenset({"6281200001002"})))
    own = json.dumps({"device": "081200001001", "sender": "6281200001001", "message": "halo"}).encode()
    assert outcome(intake, own) == (200, "other_device") and sound(intake)


def test_deduplication_window_is_bounded_in_number_and_in_time() -> None:
    clock = Clock()
    window = DedupWindow(10, 100, clock)
    for number in range(1000):
        window.remember(b"%d" % number)
        assert len(window) <= 100
    assert window.knows(b"999") and window.knows(b"900") and not window.knows(b"899")
    clock.now += 10
    assert not window.knows(b"999") and len(window) == 0


def test_loss_without_a_time_counts_again_after_the_device_connected() -> None:
    intake = EventReceiver(Limits())
    lost, back = (
        json.dumps({"device": "081200001001", "status": status}).encode() for status in ("disconnect", "connect")
    )
    reported = [outcome(intake, body)[1] for body in (lost, lost, back, back, lost, lost, back)]
    assert reported == ["accepted", "duplicate", "accepted", "duplicate", "accepted", "duplicate", "accepted"]


def test_event_refused_with_503_is_accepted_later() -> None:
    intake = EventReceiver(Limits(waiting=2))
    assert [outcome(intake, dropped(number)) for number in range(3)] == [
        (200, "accepted"),
        (200, "accepted"),
        (503, "full"),
    ]
    # A duplicate needs no space in the queue.
    assert outcome(intake, dropped(1)) == (200, "duplicate")
    first = intake.first()
    assert first is not None and first.data["at"] == "2025-10-09T08:53:20Z"
    intake.acknowledge()
    assert outcome(intake, dropped(2)) == (200, "accepted")
    assert sound(intake)


def test_large_events_fill_the_queue_sooner() -> None:
    intake = EventReceiver(Limits(waiting=1000))
    big = [
        json.dumps({"device": "081200001001", "sender": "62812", "inboxid": n, "message": "x" * 1_000_000}).encode()
        for n in range(17)
    ]
    assert [outcome(intake, body)[0] for body in big] == [200] * 16 + [503]
    assert intake.above_high_water()
    for _event in range(16):
        intake.acknowledge()
    assert outcome(intake, big[16])[0] == 200


def test_queue_is_bounded_by_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body of many small objects, which Python stores in 20 times as many bytes, waits as bytes."""
    monkeypatch.setattr(_intake, "MAX_WAITING_BYTES", 200_000)
    intake = EventReceiver(Limits(waiting=100_000))
    body = {"device": "081200001001", "sender": "62812", "extra": [[]] * 2000}
    tracemalloc.start()
    try:
        for number in range(40):
            intake.receive(json.dumps({**body, "inboxid": number}).encode())
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert intake.counts()["waiting"] > 10 and intake.counts()["refused"]["full"] > 0
    assert held < 1.5 * 200_000


def test_event_larger_than_the_queue_is_accepted_alone() -> None:
    intake = EventReceiver(Limits())
    large = json.dumps({"device": "0812", "sender": "62", "message": "{" * 6_000_000}).encode()
    assert [outcome(intake, large), outcome(intake, dropped())] == [(200, "accepted"), (503, "full")]


def test_long_ids_are_stored_as_digests() -> None:
    intake = EventReceiver(Limits(waiting=100_000))
    long = "x" * 200_000
    tracemalloc.start()
    try:
        for number in range(100):
            first = {"device": "081200001001", "id": "80", "stateid": f"{number}{long}", "state": "sent"}
            assert outcome(intake, json.dumps(first).encode()) == (200, "accepted")
            intake.acknowledge()
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # One id is in a variable of this test, and the other ids are not stored.
    assert held < 1_000_000
    intake.receive(json.dumps({"stateid": f"7{long}", "state": "read"}).encode())
    event = intake.first()
    assert event is not None and (event.data["device"], event.data["message_id"]) == ("081200001001", "80")
    # The service never gives a device or a message a name of this length.
    for device, message in ((long, "80"), ("081200001001", long)):
        intake.receive(json.dumps({"device": device, "id": message, "stateid": "s", "state": "sent"}).encode())
        intake.receive(json.dumps({"stateid": "s", "state": "read", "n": message[:9]}).encode())
        assert list(intake.waiting())[-1].data["device"] is None


def test_reason_in_the_log_contains_no_secret() -> None:
    secret = "Zk3xY9kLmN0pQrS7"
    intake = EventReceiver(Limits(secrets=(secret,)))
    intake.receive(json.dumps({secret: 1, "x": 2}).encode(), None)
    text, _refused = intake.report() or ("", False)
    assert "********" in text and secret not in text


def test_connections_closed_without_a_response_are_in_the_same_report() -> None:
    intake = EventReceiver(Limits())
    for _number in range(5000):
        intake.count_connection(EVICTED)
        intake.count(_intake.NOT_FOUND)
    text, refused = intake.report() or ("", False)
    assert refused and text.endswith("connections closed without a response: 5000 evicted") and len(text) < 200
    assert intake.report() is None and intake.counts()["connections"][EVICTED] == 5000


def test_half_full_queue_is_above_high_water() -> None:
    intake = EventReceiver(Limits(waiting=4))
    seen = []
    for number in range(4):
        outcome(intake, dropped(number))
        seen.append(intake.above_high_water())
    assert seen == [False, False, True, True]


def test_event_of_an_unselected_device_is_answered_with_200_and_counted() -> None:
    intake = EventReceiver(Limits(numbers=frozenset(["6281200001001"])))
    for device in ("081200001001", "+62 812-0000-1001", "6281200001001"):
        assert outcome(intake, dropped(device=device))[0] == 200
    assert outcome(intake, dropped(device="081200001002")) == (200, "other_device")
    assert intake.counts()["refused"]["other_device"] == 1
    assert {event.data["number"] for event in list(intake.waiting())} == {"6281200001001"}


def test_state_without_a_device_gets_that_of_its_message() -> None:
    intake = EventReceiver(Limits(numbers=frozenset(["6281200001001"])))
    for device, state_id in (("081200001001", "ours"), ("081200001002", "theirs")):
        first = {"device": device, "id": "80", "stateid": state_id, "status": "sent", "state": "sent"}
        intake.receive(json.dumps(first).encode())
    assert outcome(intake, b'{"stateid": "ours", "state": "read"}') == (200, "accepted")
    assert outcome(intake, b'{"stateid": "theirs", "state": "read"}') == (200, "other_device")
    # The device of an unknown message cannot be determined, so its state is kept.
    assert outcome(intake, b'{"stateid": "unheard", "state": "read"}') == (200, "accepted")
    ours, unheard = (event.data for event in list(intake.waiting())[1:])
    assert (ours["device"], ours["number"], ours["message_id"]) == ("081200001001", "6281200001001", "80")
    assert unheard["device"] is None


def test_devices_of_a_bounded_number_of_messages_are_stored() -> None:
    intake = EventReceiver(Limits(waiting=100_000))
    for number in range(_intake.MAX_MESSAGES + 1):
        intake.receive(json.dumps({"device": "081200001001", "stateid": str(number), "state": "sent"}).encode())
    intake.receive(b'{"stateid": "0", "state": "read"}')
    intake.receive(b'{"stateid": "1", "state": "read"}')
    assert [event.data["device"] for event in list(intake.waiting())[-2:]] == [None, "081200001001"]


def test_probe_is_no_event() -> None:
    intake = EventReceiver(Limits())
    for body in (b"", b"{}", b'{"device": "081200001001"}', b'{"device": "081200001001", "token": "a-token"}'):
        assert outcome(intake, body) == (200, "probe")
    assert list(intake.waiting()) == [] and intake.counts()["probes"] == 4


def test_no_event_is_accepted_while_stopping() -> None:
    intake = EventReceiver(Limits())
    intake.stopping = True
    assert outcome(intake, dropped()) == (503, "stopping")
    intake.stopping = False
    assert outcome(intake, dropped()) == (200, "accepted")


def test_refusals_are_reported_once_in_one_line() -> None:
    intake = EventReceiver(Limits())
    assert intake.report() is None
    intake.receive(dropped())
    assert intake.report() == ("since the last report: 1 accepted; 1 waiting", False)
    for number in range(100):
        intake.receive(json.dumps({f"s3cr3t{number}": "v4lue", "line\nbreak": 1}).encode())
    text, refused = intake.report() or ("", False)
    assert refused and text.isprintable() and "100 not_understood" in text
    assert "v4lue" not in text and text.count("it has no key") == _intake.MAX_REASONS
    assert intake.report() is None


BODIES = st.sampled_from(
    [
        b"",
        b"{",
        b"[1]",
        b'{"x": 1}',
        b'{"device": "081200001001"}',
        b'{"stateid": "1", "state": "read"}',
        *(dropped(number) for number in range(6)),
        dropped(1, "081200001009"),
    ]
)


@given(st.lists(BODIES | st.just(None), max_size=60), st.integers(1, 4), st.integers(0, 4))
def test_each_accepted_event_is_delivered_once_or_waits(steps: list[bytes | None], waiting: int, kept: int) -> None:
    intake = EventReceiver(Limits(frozenset(["6281200001001"]), waiting, duplicates_kept=kept))
    accepted: list[t.Any] = []
    taken: list[t.Any] = []
    for step in steps:
        if step is not None:
            if intake.receive(step) is _intake.ACCEPTED:
                accepted.append(list(intake.waiting())[-1])
        elif intake.first() is not None:
            taken.append(intake.first())
            intake.acknowledge()
        assert sound(intake) and len(list(intake.waiting())) <= waiting
    assert taken + list(intake.waiting()) == accepted
