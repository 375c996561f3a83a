# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait for a delivery: its rounds, its end, and its sentences, on a clock that only a pause advances."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import Timer
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    MalformedResponseError,
    OptionError,
    RefusedError,
    RequestError,
    ResponseLostError,
    UnreachableError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.delivery import (
    DELIVERED,
    FIRST_PAUSE,
    LAST_ROUND_SECONDS,
    LONGEST_PAUSE,
    QUEUED,
    SENT,
    DeliveryWatch,
    States,
    Waiting,
    read_waiting,
    start_states,
)


class Service:
    """Answers requests for states, and keeps the time of each request.

    Args:
        answers: The answers for each ID, in order; the last one is repeated.
        seconds: The duration of a request.
    """

    def __init__(self, answers: dict[str, list[str | RequestError]], seconds: float = 0.0) -> None:
        self._answers = {name: list(found) for name, found in answers.items()}
        self._seconds = seconds
        self.now = 1000.0
        self.requests: list[tuple[float, str]] = []
        self.pauses: list[float] = []

    def read_state(self, name: str) -> str:
        self.requests.append((self.now - 1000.0, name))
        self.now += self._seconds
        found = self._answers[name]
        answer = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(answer, RequestError):
            raise answer
        return answer

    def pause(self, seconds: float) -> None:
        assert seconds >= 0
        self.pauses.append(seconds)
        self.now += seconds

    def watch(self, state: str = DELIVERED, timeout: float = 60.0) -> States:
        """Wait, and return the states at the end, whether or not the wait failed."""
        states = start_states(list(self._answers), len(self._answers))
        timer = Timer(lambda: self.now, self.pause)
        self.error: FonnteError | None = None
        try:
            DeliveryWatch(Waiting(state, timeout), states, self.read_state, lambda: None, timer).run()
        except FonnteError as exc:
            self.error = exc
        return states

    @property
    def times(self) -> list[float]:
        return [moment for moment, _name in self.requests]


# Which states end the wait


@pytest.mark.parametrize("word", ["delivered", "Delivered", "read", "READ"])
@pytest.mark.parametrize("wait", [SENT, DELIVERED])
def test_delivered_and_read_end_each_wait(wait: str, word: str) -> None:
    service = Service({"7": [word]})
    assert service.watch(wait) == {"7": word} and service.error is None
    assert service.times == [FIRST_PAUSE]


def test_sent_ends_only_the_wait_for_sent() -> None:
    service = Service({"7": ["Sent"]})
    assert service.watch(SENT) == {"7": "Sent"} and service.error is None
    service = Service({"7": ["sent", "sent", "delivered"]})
    assert service.watch(DELIVERED) == {"7": "delivered"} and service.error is None
    assert len(service.requests) == 3


@pytest.mark.parametrize("word", ["expired", "Invalid", "failed", "Url unreachable"])
def test_state_that_no_other_one_follows_ends_the_wait_with_an_error(word: str) -> None:
    service = Service({"7": ["pending", word, "delivered"]})
    assert service.watch() == {"7": word}
    assert str(service.error) == (
        f'the message was queued with the ID 7, but will not be delivered: 7 is "{word}"; check the target and the '
        "sending device in the dashboard; a second run sends the message again."
    )


@pytest.mark.parametrize(
    "word", ["pending", "waiting", "processing", "delivered!", "not delivered", "undelivered", "ok"]
)
def test_other_states_and_unknown_words_are_reported_and_not_interpreted(word: str) -> None:
    service = Service({"7": [word]})
    assert service.watch(timeout=60) == {"7": word}
    assert str(service.error) == (
        "the message was queued with the ID 7, but not reported as delivered within 60 s: "
        f'7 is "{word}"; check it in the dashboard, and run the task again only to send the message a second time.'
    )


def test_each_message_is_watched_until_its_own_state_is_final() -> None:
    service = Service(
        {"1": ["delivered"], "2": ["sent", "read"], "3": ["pending", "expired"], "4": ["sent", "sent", "delivered"]}
    )
    states = service.watch()
    assert states == {"1": "delivered", "2": "read", "3": "expired", "4": "delivered"}
    asked = [name for _moment, name in service.requests]
    assert asked == ["1", "2", "3", "4", "2", "3", "4", "4"]
    assert 'with the IDs 1, 2, 3 and 1 more, but will not be delivered: 3 is "expired"' in str(service.error)


# The time


def test_pauses_grow_to_a_limit_and_the_last_round_is_at_the_end() -> None:
    service = Service({"7": ["sent"]})
    service.watch(timeout=100)
    assert service.times == [2, 6, 14, 30, 60, 90, 100]
    assert max(service.pauses) == LONGEST_PAUSE and service.now == 1100.0


def test_number_of_requests_is_bounded_for_a_long_wait() -> None:
    service = Service({"7": ["sent"]})
    service.watch(timeout=86400)
    assert len(service.requests) <= 86400 / LONGEST_PAUSE + 5 and service.now == 1000.0 + 86400


def test_slow_service_gets_little_time_after_the_end() -> None:
    """Many messages and a service that needs 40 seconds for each request: the wait still ends soon."""
    service = Service({str(n): ["sent"] for n in range(50)}, seconds=40)
    service.watch(timeout=60)
    assert service.now - 1000.0 <= 60 + LAST_ROUND_SECONDS + 40
    assert "not reported as delivered within 60 s" in str(service.error)
    assert "the state of 2 is unknown" in str(service.error)


def test_nobody_waits_for_the_result_ends_the_wait() -> None:
    def end() -> None:
        raise FonnteError("the process has ended", "run again")

    service = Service({"7": ["sent"]})
    watch = DeliveryWatch(Waiting(SENT, 60), {"7": None}, service.read_state, end, Timer(lambda: 0, service.pause))
    with pytest.raises(FonnteError, match="the process has ended"):
        watch.run()
    assert service.requests == []


# Failed requests


LOST = ResponseLostError("the connection broke", "run again")
UNREACHABLE = UnreachableError("the service cannot be reached", "check the network")
UNKNOWN = RefusedError("/status", "come back later", "come back later")


@pytest.mark.parametrize("fault", [LOST, UNREACHABLE, UNKNOWN], ids=repr)
def test_failed_request_is_repeated_in_the_next_round(fault: RequestError) -> None:
    service = Service({"7": [fault, "sent", fault, "delivered"], "8": ["delivered"]})
    assert service.watch() == {"7": "delivered", "8": "delivered"} and service.error is None
    assert [name for _moment, name in service.requests] == ["7", "8", "7", "7", "7"]


@pytest.mark.parametrize("fault", [LOST, UNREACHABLE, UNKNOWN], ids=repr)
def test_lasting_fault_is_reported_with_the_queued_message(fault: RequestError) -> None:
    service = Service({"7": [fault]})
    assert service.watch(timeout=20) == {"7": None}
    assert str(service.error) == (
        "the message was queued with the ID 7, but not reported as delivered within 20 s: the state of 7 is unknown, "
        f"and the last request failed ({fault.problem}); check it in the dashboard, and run the task again only to "
        "send the message a second time."
    )
    assert not isinstance(service.error, RequestError), "no part of the sentence may state that nothing was sent"


@pytest.mark.parametrize("status", [404, 405, 410])
def test_request_that_does_not_exist_any_more_ends_the_wait(status: int) -> None:
    service = Service({"7": ["sent", MalformedResponseError("a page", "wait", False, status)], "8": ["delivered"]})
    assert service.watch() == {"7": "sent", "8": "delivered"}
    assert f"does not exist any more (HTTP {status}); set wait: queued" in str(service.error)
    assert str(service.error).startswith("the messages were queued with the IDs 7, 8, but ")
    assert len(service.requests) == 3


@pytest.mark.parametrize("status", [None, 200, 400, 403])
def test_other_pages_do_not_mean_that_the_request_is_gone(status: int | None) -> None:
    service = Service({"7": [MalformedResponseError("a page", "wait", False, status), "delivered"]})
    assert service.watch() == {"7": "delivered"} and service.error is None


def test_refused_token_ends_the_wait() -> None:
    service = Service({"7": [RefusedError("/status", "token invalid", "token invalid")]})
    assert service.watch() == {"7": None} and len(service.requests) == 1
    assert str(service.error).startswith(
        'the message was queued with the ID 7, but its state cannot be read: Fonnte returned "token invalid"; use the '
    )


def test_long_lists_and_states_are_shortened() -> None:
    service = Service({str(n): ["x" * 300] for n in range(9)})
    service.watch(timeout=5)
    assert "with the IDs 0, 1, 2 and 6 more, but" in str(service.error)
    assert f'0 is "{"x" * 40}…"' in str(service.error) and len(str(service.error)) < 500


# Before the wait


@pytest.mark.parametrize("ids", [[], ["7"], ["7", None], ["7", "7"], ["7", "8", "9"], [None, None]])
def test_response_without_an_id_for_each_target_cannot_be_watched(ids: list[str | None]) -> None:
    with pytest.raises(FonnteError, match="the message was queued, but the response has . IDs for 2 targets"):
        start_states(ids, 2)


def test_each_id_starts_without_a_state() -> None:
    assert start_states(["8", "7"], 2) == {"8": None, "7": None}


@pytest.mark.parametrize(
    ("form", "targets"),
    [
        ({}, 5),
        ({"delay": "2-90"}, 30),
        ({"followup": "59"}, 1),
        ({"delay": "90"}, 1),
        ({"delay": "90", "sequence": "true"}, 9),
    ],
)
def test_message_that_can_be_sent_in_time_is_watched(form: dict[str, str], targets: int) -> None:
    assert read_waiting(SENT, 60.0, form, targets) == Waiting(SENT, 60.0)
    assert read_waiting(QUEUED, 60.0, form, targets) is None


@pytest.mark.parametrize(
    ("form", "targets", "words"),
    [
        ({"schedule": "1795352400"}, 1, "Option wait: schedule is set as well"),
        ({"followup": "60"}, 1, "Option wait_timeout: it is 60 s, and .* after 60 s"),
        ({"delay": "2-5"}, 31, "after 60 s"),
        ({"delay": "20", "followup": "20"}, 3, "after 60 s"),
    ],
)
def test_wait_that_must_fail_is_refused_before_anything_is_sent(form: dict[str, str], targets: int, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        read_waiting(DELIVERED, 60.0, form, targets)
    assert read_waiting(QUEUED, 60.0, form, targets) is None
