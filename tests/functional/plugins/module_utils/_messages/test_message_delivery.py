# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages that a task waits for: each failure reports that they are queued, and none is sent again."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import AbandonedError, Lineage
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

SENDER, UNLINKED, PERSON, SECOND = "081200000001", "081200000002", "081200002001", "081200002002"


@pytest.fixture(autouse=True)
def linked(controller: Controller) -> None:
    """Create a linked device and an unlinked one."""
    devices = [
        {"number": SENDER, "name": "Toko Satu", "linked": True, "package": "Super", "quota": 100},
        {"number": UNLINKED, "name": "Toko Dua", "linked": False},
    ]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


def send(controller: Controller, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    given = {"device": SENDER, "target": [PERSON], "message": "hello", "wait": "delivered", **params}
    return controller.run("message", check, **given).result


def paths(controller: Controller) -> list[str]:
    return [entry["path"] for entry in controller.sandbox.journal()]


def ids(controller: Controller) -> list[str]:
    return [sent["id"] for sent in controller.sandbox.outbox()]


def deliver(controller: Controller, *states: str, after: float = 0.0) -> None:
    """Give the messages these states, in their order, once the task has waited so long."""

    def report(waited: float) -> None:
        if waited > after:
            controller.on_pause = lambda _waited: None
            for name, state in zip(ids(controller), states, strict=True):
                controller.sandbox.message_status(name, state)

    controller.on_pause = report


def failed(controller: Controller, words: str, **params: t.Any) -> dict[str, t.Any]:
    """Return the result of a failed wait, after the checks that hold for each one."""
    with pytest.raises(FonnteError, match=words) as caught:
        send(controller, **params)
    result, sentence = caught.value.partial_result, str(caught.value)
    assert result["changed"] is True and result["queued"] is True, "the message was queued"
    assert [found["id"] for found in result["messages"]] == ids(controller)
    assert sentence.startswith("Waiting for the delivery from ") and sentence.endswith(".") and "\n" not in sentence
    assert "nothing was sent" not in sentence and "not known" not in sentence
    assert re_send(sentence) and paths(controller).count("/send") == 1
    return result


def re_send(sentence: str) -> bool:
    """Return whether an error warns of a second run."""
    return "a second time" in sentence or "a second run sends the message again" in sentence


# Success


def test_queued_is_the_default_and_reads_no_state(controller: Controller) -> None:
    params: dict[str, t.Any]
    for params in ({}, {"wait": "queued", "wait_timeout": 5}):
        result = controller.run("message", device=SENDER, target=[PERSON], message="x", **params).result
        assert "states" not in result and not {"wait", "wait_timeout"} & set(result["diff"]["after"])
    assert paths(controller) == ["/get-devices", "/send"] * 2 and controller.waited == 0


def test_sent_message_is_reported_by_id(controller: Controller) -> None:
    result = send(controller, wait="sent")
    (name,) = ids(controller)
    assert result["states"] == {name: "sent"} and result["queued"] is True and result["changed"] is True
    assert paths(controller) == ["/get-devices", "/send", "/status"]
    assert controller.sandbox.journal()[-1]["form"] == {"id": name}


@pytest.mark.parametrize("state", ["delivered", "read"])
def test_task_waits_until_each_message_is_delivered(controller: Controller, state: str) -> None:
    deliver(controller, state, "delivered", after=10)
    result = send(controller, target=[PERSON, SECOND])
    assert result["states"] == dict(zip(ids(controller), (state, "delivered"), strict=True))
    assert paths(controller).count("/send") == 1 and paths(controller).count("/status") == 6
    assert controller.waited == 14.0


def test_device_token_alone_reads_the_state_too(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    result = send(controller, account_token=None, device=None, device_token=token, wait="sent", method="get")
    assert list(result["states"].values()) == ["sent"] and paths(controller) == ["/send", "/status"]


# Failures: the messages are queued


def test_message_that_is_not_delivered_in_time(controller: Controller) -> None:
    result = failed(controller, 'not reported as delivered within 60 s: .* is "sent"', wait_timeout=60)
    assert list(result["states"].values()) == ["sent"]


def test_expired_message_among_delivered_ones(controller: Controller) -> None:
    deliver(controller, "delivered", "expired")
    result = failed(controller, 'will not be delivered: .* is "expired"', target=[PERSON, SECOND])
    assert list(result["states"].values()) == ["delivered", "expired"]


def test_unknown_state_is_quoted_without_control_characters_and_secrets(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    controller.sandbox.fault(
        "mutate", path="/status", times=None, set={"message_status": f"half\x1b[2J way {token} {{{{ 7 * 7 }}}}"}
    )
    result = failed(controller, "within 5 s", wait_timeout=5)
    (state,) = result["states"].values()
    assert token not in state and state.isprintable() and state.startswith("half [2J way ********")


@pytest.mark.parametrize("wait", ["sent", "delivered"])
@pytest.mark.parametrize("reading", ["delivered", "sent", "gone"])
def test_wait_is_correct_in_each_variant(controller: Controller, reading: str, wait: str) -> None:
    """A service without later states, or without the request, never leads to a wrong success."""
    controller.sandbox.set_readings(message_status=reading)
    deliver(controller, "delivered")
    if reading == "delivered" or (reading == "sent" and wait == "sent"):
        state = "sent" if reading == "sent" else "delivered"
        assert list(send(controller, wait=wait)["states"].values()) == [state]
    elif reading == "sent":
        assert list(failed(controller, "within 60 s", wait=wait, wait_timeout=60)["states"].values()) == ["sent"]
    else:
        result = failed(controller, r"does not exist any more \(HTTP 404\)", wait=wait)
        assert list(result["states"].values()) == [None] and paths(controller).count("/status") == 1


LOST = [
    ("reset", {"when": "after"}),
    ("reset", {"when": "after", "at": "middle"}),
    ("refuse", {}),
    ("hang", {}),
    ("truncated", {}),
    ("empty", {"when": "after"}),
    ("html", {"code": 503}),
    ("status", {"code": 429, "headers": {"Retry-After": "0"}}),
    ("status", {"code": 429, "headers": {"Retry-After": "3600"}}),
    ("list", {}),
    ("redirect", {"location": "http://127.0.0.1:9/"}),
    ("status", {"code": 200, "body": {"status": False, "reason": "not now"}}),
    ("mutate", {"remove": ["message_status"]}),
    ("mutate", {"set": {"message_status": 7}}),
    ("mutate", {"set": {"message_status": " "}}),
    ("mutate", {"set": {"id": 12}}),
]


@pytest.mark.parametrize(("kind", "args"), LOST)
def test_lost_response_does_not_hide_that_the_message_is_queued(
    controller: Controller, kind: str, args: dict[str, t.Any]
) -> None:
    controller.sandbox.fault(kind, path="/status", times=None, **args)
    result = failed(
        controller, "the state of .* is unknown, and the last request failed", wait_timeout=5, api_timeout=0.3
    )
    assert list(result["states"].values()) == [None]
    assert controller.sandbox.device(SENDER)["token"] not in str(result)


@pytest.mark.parametrize(("kind", "args"), LOST)
def test_wait_continues_after_a_lost_response(controller: Controller, kind: str, args: dict[str, t.Any]) -> None:
    controller.sandbox.fault(kind, path="/status", times=3, **args)
    result = send(controller, wait="sent", api_timeout=0.3)
    assert list(result["states"].values()) == ["sent"] and paths(controller).count("/send") == 1


def test_read_request_is_repeated_within_a_round(controller: Controller) -> None:
    controller.sandbox.fault("status", path="/status", times=1, code=502)
    send(controller, wait="sent")
    assert paths(controller)[2:] == ["/status", "/status"] and controller.waited == 2.0


def test_deleted_device_ends_the_wait(controller: Controller) -> None:
    controller.on_pause = lambda _waited: controller.sandbox.remove(SENDER)
    result = failed(controller, 'its state cannot be read: Fonnte returned "token invalid"')
    assert result["device"] == SENDER and paths(controller).count("/status") == 1


@pytest.mark.parametrize("ids_sent", [["7"], None, ["7", "7"], ["7", "8", "9"], []])
def test_response_without_an_id_for_each_target(controller: Controller, ids_sent: list[str] | None) -> None:
    controller.sandbox.fault("mutate", path="/send", when="after", args={"set": {"id": ids_sent}})
    with pytest.raises(FonnteError, match="the message was queued, but the response has . IDs for 2 targets") as caught:
        send(controller, target=[PERSON, SECOND])
    assert caught.value.partial_result["queued"] is True and caught.value.partial_result["states"] == {}
    assert len(ids(controller)) == 2 and "/status" not in paths(controller)


def test_id_with_a_token_is_masked(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    controller.sandbox.fault("mutate", path="/send", when="after", args={"set": {"id": [f"7 {token}"]}})
    with pytest.raises(FonnteError, match="id required") as caught:
        send(controller)
    reported = f"{caught.value}{caught.value.partial_result}"
    assert token not in reported and caught.value.partial_result["states"] == {"7 ********": None}


def test_failed_message_is_not_waited_for(controller: Controller) -> None:
    """A response to /send that was lost still leaves open whether the message is queued."""
    controller.sandbox.fault("reset", path="/send", when="after")
    with pytest.raises(FonnteError, match="whether the message is queued is not known") as caught:
        send(controller)
    assert caught.value.partial_result["queued"] is None and caught.value.partial_result["states"] == {}
    assert "/status" not in paths(controller) and controller.waited == 0


def test_nobody_waits_for_the_result(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.on_pause = lambda waited: waited > 2 and monkeypatch.setattr(Lineage, "has_ended", lambda self: True)
    with pytest.raises(AbandonedError) as caught:
        send(controller)
    assert caught.value.partial_result["queued"] is True and paths(controller).count("/status") == 2


# Before anything is sent


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"schedule": "2030-01-31T08:00:00+07:00"}, "Option wait: schedule is set as well"),
        ({"wait": "sent", "schedule": "2030-01-31T08:00:00+07:00"}, "Option wait: schedule is set as well"),
        ({"follow_up": 300}, "Option wait_timeout: it is 300 s, and .* is sent after 300 s"),
        ({"delay": "20-30", "target": [PERSON, SECOND], "wait_timeout": 20}, "Option wait_timeout: it is 20 s"),
        ({"wait_timeout": 0.5}, "Option wait_timeout: 0.5 is out of range"),
        ({"wait_timeout": 90000}, "Option wait_timeout: 90000 is out of range"),
        ({"wait_timeout": float("nan"), "wait": "queued"}, "Option wait_timeout: nan is out of range"),
    ],
)
def test_wait_that_must_fail_sends_nothing(
    controller: Controller, params: dict[str, t.Any], words: str, check: bool
) -> None:
    with pytest.raises(OptionError, match=words):
        send(controller, check, **params)
    assert controller.sandbox.journal() == []


def test_check_mode_sends_nothing_and_reads_no_state(controller: Controller) -> None:
    predicted = send(controller, True)
    assert paths(controller) == ["/get-devices"] and controller.waited == 0
    assert predicted["states"] == {} and predicted["queued"] is False
    deliver(controller, "delivered")
    assert set(send(controller)) == set(predicted)


@pytest.mark.parametrize(("wait", "count"), [("queued", 0), ("sent", 1), ("delivered", 1)])
def test_check_mode_warns_of_a_wait_for_an_unlinked_device(controller: Controller, wait: str, count: int) -> None:
    params = {"device": UNLINKED, "target": [PERSON], "message": "x", "connect_only": False, "wait": wait}
    warnings = controller.run("message", True, **params).warnings
    assert ["the message stays in the queue" in warning for warning in warnings] == [True] * count


def test_message_of_an_unlinked_device_stays_pending(controller: Controller) -> None:
    result = failed(controller, 'is "pending"', device=UNLINKED, connect_only=False, wait="sent", wait_timeout=30)
    assert list(result["states"].values()) == ["pending"]


# Warnings


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"url": "https://files.example.com/a.pdf", "message": None}, "url is set without msg"),
        ({"sequence": True, "delay": "2", "target": [PERSON, SECOND]}, "Fonnte ignores delay"),
        ({"sequence": True, "schedule": "2030-01-31T08:00:00+07:00"}, "Fonnte ignores schedule"),
        ({"sequence": True, "follow_up": 3}, "Fonnte ignores follow_up"),
        ({"delay": "2"}, "delay has no effect"),
    ],
)
def test_warnings_are_equal_in_check_mode_in_a_run_and_in_a_failure(
    controller: Controller, params: dict[str, t.Any], words: str
) -> None:
    given = {"device": SENDER, "target": [PERSON], "message": "x", **params}
    for check in (True, False):
        (warning,) = controller.run("message", check, **given).warnings
        assert words in warning
    controller.sandbox.fault("reset", path="/send", when="after")
    with pytest.raises(FonnteError) as caught:
        controller.run("message", **given)
    assert [words in warning for warning in caught.value.warnings] == [True]
