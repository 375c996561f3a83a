# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages: every field arrives, invalid messages are not sent, and no recipient gets a message twice."""

from __future__ import annotations

import os
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.transport import ApiResponse, Transport
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    NotFoundError,
    OptionError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import AbandonedError, Lineage
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages import attachment as _attachment
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.attachment import MAX_FILE_BYTES
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.message import read_message, read_targets
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.options import MESSAGE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.message import run_message
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

SENDER, OTHER, PERSON, SECOND = "081200000001", "081200000002", "081200002001", "081200002002"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def linked(controller: Controller) -> None:
    """Return a control node of a device that can send anything, and of an unlinked one with a free package."""
    devices = [
        {"number": SENDER, "name": "Toko Satu", "linked": True, "package": "Super", "quota": 100},
        {"number": OTHER, "name": "Toko Dua", "linked": False, "package": "Free", "quota": 1},
    ]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


def send(controller: Controller, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    given_params = {"device": SENDER, "target": [PERSON], "message": "hello", **params}
    return controller.run("message", check, **given_params).result


def options(**params: t.Any) -> dict[str, t.Any]:
    complete = {option: description.get("default") for option, description in MESSAGE.items()}
    return {**complete, "target": [PERSON], "msg": "hello", **params}


def paths(controller: Controller) -> list[str]:
    return [entry["path"] for entry in controller.sandbox.journal()]


# Fields


FIELDS = [
    ({"delay": "2"}, {"delay": "2"}),
    ({"delay": " 1 - 10 "}, {"delay": "1-10"}),
    ({"country_code": "65"}, {"countryCode": "65"}),
    ({"location": "-6.1754, 106.8272"}, {"location": "-6.1754,106.8272"}),
    ({"typing": True, "duration": 3}, {"typing": "true", "duration": "3"}),
    ({"sequence": True, "preview": False}, {"sequence": "true", "preview": "false"}),
    ({"connect_only": False}, {"connectOnly": "false"}),
    ({"follow_up": 60}, {"followup": "60"}),
    ({"inbox_id": 17}, {"inboxid": "17"}),
    (
        {"url": "https://files.example.com/a.pdf", "filename": "a b.pdf"},
        {"url": "https://files.example.com/a.pdf", "filename": "a b.pdf"},
    ),
    (
        {"poll": {"name": "When?", "choices": [" Monday", "Friday"], "select": "multiple"}},
        {"pollname": "When?", "choices": "Monday,Friday", "select": "multiple"},
    ),
    ({"method": "get", "delay": "3"}, {"delay": "3"}),
]


@pytest.mark.parametrize(("params", "fields"), FIELDS)
def test_each_field_is_sent(controller: Controller, params: dict[str, t.Any], fields: dict[str, str]) -> None:
    result = send(controller, **params)
    (message,) = controller.sandbox.outbox()
    carried = {name: value for name, value in message["fields"].items() if name not in ("token",)}
    assert carried == fields and message["message"] == "hello" and message["device"] == SENDER
    assert result["changed"] and result["queued"] is True
    assert result["messages"] == [{"id": message["id"], "target": message["target"]}]
    assert result["request_id"] == message["requestid"] and result["process"] == "pending"
    assert paths(controller) == ["/get-devices", "/send"]


def test_nothing_is_sent_if_no_process_waits_for_the_result(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user would run the playbook again, and send the message twice."""
    queue = FonnteClient.send

    def end_first(api: FonnteClient, *args: t.Any) -> t.Any:
        monkeypatch.setattr(Lineage, "has_ended", lambda self: True)
        return queue(api, *args)

    monkeypatch.setattr(FonnteClient, "send", end_first)
    with pytest.raises(AbandonedError) as caught:
        send(controller)
    assert caught.value.partial_result["queued"] is False and controller.sandbox.outbox() == []


def test_omitted_flags_are_not_sent(controller: Controller) -> None:
    send(controller)
    (message,) = controller.sandbox.outbox()
    assert message["fields"] == {}


def test_file_is_sent_under_its_name_or_another(controller: Controller, tmp_path: Path) -> None:
    path = tmp_path / "invoice ü.pdf"
    path.write_bytes(b"x" * 1000)
    send(controller, file=str(path))
    send(controller, file=str(path), filename="other.pdf", message=None)
    first, second = controller.sandbox.outbox()
    assert first["file"] == {"filename": "invoice ü.pdf", "size": 1000}
    assert second["file"] == {"filename": "other.pdf", "size": 1000} and second["message"] == ""


def test_words_of_targets_fill_the_message(controller: Controller) -> None:
    result = send(
        controller,
        message="Hello {name}, {var1} at {var2}",
        target=[
            f"{PERSON}|Toko Satu|Friday|10",
            {"to": "+62 812-0000-2002", "name": "Toko Dua", "variables": ["Monday", 14]},
            {"to": "120363041234567890@g.us"},
            "rotator#7",
            {"to": 6281200002003, "variables": ["x"]},
        ],
    )
    assert [(message["target"], message["message"]) for message in controller.sandbox.outbox()] == [
        ("6281200002001", "Hello Toko Satu, Friday at 10"),
        ("6281200002002", "Hello Toko Dua, Monday at 14"),
        ("120363041234567890@g.us", "Hello {name}, {var1} at {var2}"),
        ("rotator#7", "Hello {name}, {var1} at {var2}"),
        ("6281200002003", "Hello , x at {var2}"),
    ]
    assert [message["target"] for message in result["messages"]] == [
        message["target"] for message in controller.sandbox.outbox()
    ]


def test_number_that_is_named_twice_gets_one_message(controller: Controller) -> None:
    report = controller.run(
        "message",
        device=SENDER,
        message="hi {name}",
        target=[PERSON, "+62 812 0000 2001", f"{PERSON}|Toko Satu", "6281200002001|Toko Satu", SECOND],
    )
    sent = [(message["target"], message["message"]) for message in controller.sandbox.outbox()]
    assert sent == [("6281200002001", "hi {name}"), ("6281200002001", "hi Toko Satu"), ("6281200002002", "hi {name}")]
    (warning,) = report.warnings
    assert "6281200002001" in warning and "one message" in warning


@pytest.mark.parametrize(
    "spelling", ["0062 812 0000 2001", "+62 (0)812 0000 2001", "62081200002001", "+62 812-0000-2001", PERSON]
)
def test_reported_target_is_the_recipient_for_every_spelling(controller: Controller, spelling: str) -> None:
    """The service only replaces a first 0, so other zeros would lead to another recipient."""
    result = send(controller, target=[spelling])
    assert [message["target"] for message in controller.sandbox.outbox()] == ["6281200002001"]
    assert result["messages"][0]["target"] == "6281200002001" == result["diff"]["after"]["target"][0]


def test_zero_of_countries_that_keep_it_is_sent(controller: Controller) -> None:
    result = send(controller, target=["06 1234 5678"], country_code="39")
    assert [message["target"] for message in controller.sandbox.outbox()] == ["390612345678"]
    assert result["diff"]["after"]["target"] == ["390612345678"]


def test_numbers_are_unchanged_with_country_code_0(controller: Controller) -> None:
    result = send(controller, target=[PERSON, "6281200002001"], country_code="0")
    assert [message["target"] for message in controller.sandbox.outbox()] == [PERSON, "6281200002001"]
    assert len(result["messages"]) == 2


@pytest.mark.parametrize(
    "schedule",
    [
        "2026-11-22T20:00:00+07:00",
        "2026-11-22 20:00:00+0700",
        "2026-11-22T13:00Z",
        "2026-11-22 13:00:00.5+00:00",
        1795352400,
        1795352400.75,
    ],
)
def test_schedule_is_parsed_in_common_formats(schedule: object) -> None:
    message = read_message(options(schedule=schedule), NOW)
    assert message.scheduled == 1795352400 and message.form["schedule"] == "1795352400"


def test_schedule_is_sent_and_reported_in_utc(controller: Controller) -> None:
    at = datetime.fromtimestamp(controller.sandbox.now() + 3600, timezone.utc).replace(microsecond=0)
    local = at.astimezone(timezone(timedelta(hours=7)))
    result = send(controller, schedule=local.isoformat())
    (message,) = controller.sandbox.outbox()
    assert message["fields"]["schedule"] == str(int(at.timestamp()))
    assert result["scheduled"] == at.strftime("%Y-%m-%dT%H:%M:%SZ")


@given(
    at=st.datetimes(datetime(2026, 11, 23), datetime(2030, 1, 1)),
    minutes=st.integers(-12 * 60, 14 * 60),
    space=st.sampled_from("T "),
)
def test_time_with_an_offset_equals_that_of_python(at: datetime, minutes: int, space: str) -> None:
    local = at.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert read_message(options(schedule=local.isoformat(space)), NOW).scheduled == int(local.timestamp())


# Refused messages


BAD = [
    ({"target": []}, "target: it is empty"),
    ({"target": ["Toko Satu"]}, r'target\[0\]: it has the character "T"'),
    ({"target": [PERSON, "0812,0813"]}, r"target\[1\]: it has a comma"),
    ({"target": ["0812"]}, "4 digits"),
    ({"target": [812000020]}, "quote it"),
    ({"target": [True]}, "not a number"),
    ({"target": [{"name": "Toko Satu"}]}, "no key to"),
    ({"target": [{"to": PERSON, "vars": []}]}, "other than to, name and variables"),
    ({"target": [{"to": PERSON, "variables": "x"}]}, "not a list"),
    ({"target": [{"to": PERSON, "name": "a,b"}]}, "comma or a vertical bar"),
    ({"target": [f"{PERSON}|a,b"]}, "comma or a vertical bar"),
    ({"target": ["rotator#x"]}, "character"),
    ({"target": ["evil@g.us"]}, "character"),
    ({"target": 297191048}, r"Option target\[0\]: it is an unquoted YAML number"),
    ({"target": 6.2812e12}, r"Option target\[0\]: it is a decimal number"),
    ({"target": [{"to": PERSON, "na\nme": "x"}]}, "other than to, name and variables"),
    ({"target": [{"to": PERSON, "name": True}]}, "YAML reads its name or a variable as true; quote it"),
    ({"target": [{"to": PERSON, "variables": [["x"]]}]}, "its name or a variable is not a string"),
    ({"target": [f"{PERSON}|\ud800"]}, "Option target: it has a character that cannot be sent"),
    ({"message": "half \ud83d"}, "Option msg: it has a character that cannot be sent"),
    ({"message": "half \ud83d", "method": "get"}, "Option msg: it has a character that cannot be sent"),
    ({"message": "a\0b"}, "Option msg: it has a character that cannot be sent"),
    ({"file": "NAME"}, "Option file: its name has a character that cannot be sent"),
    ({"message": True}, "Option msg: YAML reads it as true"),
    ({"message": ["x"]}, "Option msg: it is not a string"),
    ({"poll": {"name": False, "choices": ["a", "b"]}}, "Option poll: YAML reads its name as false"),
    ({"poll": {"name": "Coming?", "choices": [True, False]}}, "Option poll: YAML reads a choice as true; quote it"),
    ({"poll": {"name": "Coming?", "choices": ["a", {"b": "c"}]}}, "a choice is not a string"),
    ({"poll": {"name": "Coming?", "choices": ["a", None]}}, "a choice is empty"),
    ({"poll": {"name": "\udc00", "choices": ["a", "b"]}}, "Option poll: it has a character that cannot be sent"),
    ({"message": None}, "nothing to send"),
    ({"message": ""}, "nothing to send"),
    ({"message": "x" * 60_001}, "60001 characters"),
    ({"url": "ftp://x/y"}, "Option url: it is not a URL"),
    ({"url": "https://x/a b"}, "percent-encode"),
    ({"url": ""}, "not a URL"),
    ({"filename": "x.pdf"}, "no attachment"),
    ({"filename": "a/b.pdf", "url": "https://h.example.com/x"}, "name of a file"),
    ({"filename": "a\r\nb", "url": "https://h.example.com/x"}, "name of a file"),
    ({"filename": " ", "url": "https://h.example.com/x"}, "name of a file"),
    ({"file": "nowhere.pdf"}, "no such file"),
    ({"file": "."}, "not a file"),
    ({"file": "FILE", "url": "https://h.example.com/x"}, "one attachment"),
    ({"file": "FILE", "method": "get"}, "cannot send a file"),
    ({"file": "EMPTY"}, "it is empty"),
    ({"file": "LARGE"}, "larger than 10 MB"),
    ({"delay": "soon"}, "Option delay"),
    ({"delay": "9-2"}, "Option delay"),
    ({"location": "91,0"}, "Option location"),
    ({"location": "0,181"}, "Option location"),
    ({"location": "here"}, "Option location"),
    ({"country_code": "+62"}, "Option country_code"),
    ({"follow_up": -1}, "Option follow_up"),
    ({"duration": -1}, "Option duration"),
    ({"inbox_id": -1}, "Option inbox_id"),
    ({"poll": {"name": "?", "choices": ["one"]}}, "it has 1 choices"),
    ({"poll": {"name": "?", "choices": [str(n) for n in range(13)]}}, "it has 13 choices"),
    ({"poll": {"name": "?", "choices": ["a", "b,c"]}}, "a choice has a comma"),
    ({"poll": {"name": "?", "choices": ["a", " "]}}, "a choice is empty"),
    ({"poll": {"name": "?", "choices": ["a", "a "]}}, "the same"),
    ({"poll": {"name": " ", "choices": ["a", "b"]}}, "its name is empty"),
    ({"schedule": "2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00Z is in the past"),
    ({"schedule": 1000}, "in the past"),
    ({"schedule": 1795352400000}, "unix time is in seconds"),
    ({"schedule": "2036-01-01T00:00:00Z"}, "the year 2036"),
    ({"schedule": "2030-01-01T00:00:00"}, "time zone"),
    ({"schedule": "2030-02-30T00:00:00Z"}, "it is not a time"),
    ({"schedule": "2030-01-01"}, "it is not a time"),
    ({"schedule": "2030-01-01T00:00:00+99:00"}, "it is not a time"),
    ({"schedule": "tomorrow"}, "it is not a time"),
    ({"schedule": True}, "it is not a time"),
    ({"schedule": ""}, "it is not a time"),
    ({"message": "é" * 1300, "method": "get"}, "URL of"),
    ({"device_token": "two\nlines"}, "Option device_token"),
    ({"device": None}, "no device is named"),
    ({"device": "12"}, "Option device"),
    ({"record_max_age": "x"}, "Option record_max_age"),
    ({"account_token": None}, "there is no token"),
]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("params", "words"), BAD)
def test_invalid_message_is_one_error_and_no_request(
    controller: Controller, tmp_path: Path, params: dict[str, t.Any], words: str, check: bool
) -> None:
    files = {"FILE": b"x", "EMPTY": b"", "LARGE": b"x" * (MAX_FILE_BYTES + 1), "NAME": b"x"}
    given_params = dict(params)
    if given_params.get("file") in files:
        path = tmp_path / str(given_params["file"]).replace("NAME", os.fsdecode(b"in\xff.pdf"))
        path.write_bytes(files[str(given_params["file"])])
        given_params["file"] = str(path)
    with pytest.raises(OptionError, match=words) as caught:
        send(controller, check, **given_params)
    sentence = str(caught.value)
    assert sentence.startswith("Option ") and sentence.endswith(".") and "\n" not in sentence
    assert controller.sandbox.journal() == []


def test_unreadable_file_is_refused(controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")

    # Root may read everything, so the mode of the file has no effect.
    def refuse(*_args: object, **_more: object) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(_attachment, "read_start", refuse)
    with pytest.raises(OptionError, match="Permission denied"):
        send(controller, file=str(path))


def test_pipe_is_refused_without_waiting(controller: Controller, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match="not a file"):
        send(controller, file=str(tmp_path / "pipe"))


@given(words=st.lists(st.text(st.characters(exclude_characters=",|"), max_size=5), max_size=3))
def test_words_as_text_and_as_a_dictionary_are_equal(words: list[str]) -> None:
    as_text = read_targets(["|".join([PERSON, *words])], "62")
    as_dict = read_targets(
        [{"to": PERSON, "name": words[0], "variables": words[1:]} if words else {"to": PERSON}], "62"
    )
    assert as_text == as_dict and as_text[0].wire == "|".join([PERSON, *words])


# The sender


def test_device_token_without_a_number_needs_one_request(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    result = send(controller, account_token=None, device=None, device_token=token)
    assert paths(controller) == ["/send"] and result["device"] is None


def test_environment_token_is_used_only_without_a_device(controller: Controller) -> None:
    controller.environment["FONNTE_DEVICE_TOKEN"] = controller.sandbox.device(SENDER)["token"]
    controller.run("message", account_token=None, target=[PERSON], message="hello")
    with pytest.raises(FonnteError, match="not linked|disconnected"):
        send(controller, device=OTHER)
    assert [message["device"] for message in controller.sandbox.outbox()] == [SENDER]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("account", [False, True])
def test_number_and_token_of_different_devices_send_nothing(controller: Controller, account: bool, check: bool) -> None:
    token = controller.sandbox.device(OTHER)["token"]
    more = {} if account else {"account_token": None}
    with pytest.raises(FonnteError, match=f"{SENDER} and device_token are not one device"):
        send(controller, check, device_token=token, **more)
    assert "/send" not in paths(controller)


def test_missing_sender_is_refused(controller: Controller) -> None:
    with pytest.raises(NotFoundError, match="081200000009: the account does not list it, and nothing was sent"):
        send(controller, device="081200000009")
    report = controller.run("message", True, device="081200000009", target=[PERSON], message="x")
    assert report.result["changed"] and "unless an earlier one creates it" in report.warnings[0]
    assert "/send" not in paths(controller)


def test_each_message_of_a_loop_reads_its_own_list(controller: Controller) -> None:
    """The device that has the number when the message is sent is the one that sends it."""
    keep = ProcessCache()
    for number in range(20):
        params = controller.complete("message", device=SENDER, target=[PERSON], message=f"no {number}")
        run_message(ModuleInput(params, {}, cache=keep))
    assert paths(controller) == ["/get-devices", "/send"] * 20
    assert [message["message"] for message in controller.sandbox.outbox()] == [f"no {n}" for n in range(20)]
    keep.clear()


def _in_a_loop(controller: Controller, keep: ProcessCache, **params: t.Any) -> dict[str, t.Any]:
    given_params = {"device": SENDER, "target": [PERSON], "message": "hello", **params}
    return run_message(ModuleInput(controller.complete("message", **given_params), {}, cache=keep)).result


def test_device_recreated_during_a_loop_sends_with_its_new_token(controller: Controller) -> None:
    keep = ProcessCache()
    _in_a_loop(controller, keep, message="old")
    device = {"number": SENDER, "name": "Toko Satu", "linked": True, "package": "Super", "token": "made-anew-7"}
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": [device]}])
    assert _in_a_loop(controller, keep, message="new")["queued"] is True
    assert [message["message"] for message in controller.sandbox.outbox()] == ["new"]
    assert paths(controller) == ["/get-devices", "/send"]
    keep.clear()


def test_device_recreated_between_list_and_message_sends_with_its_new_token(controller: Controller) -> None:
    controller.sandbox.fault("mutate", path="/get-devices", set_each={"token": "an-earlier-token"}, only=SENDER)
    assert send(controller)["queued"] is True
    assert paths(controller) == ["/get-devices", "/send", "/get-devices", "/send"]


def test_token_refused_twice_is_not_retried_again(controller: Controller) -> None:
    no = {"status": False, "reason": "token invalid"}
    controller.sandbox.fault("mutate", path="/send", when="after", times=None, args={"set": no})
    with pytest.raises(FonnteError, match="token invalid.*nothing was sent") as caught:
        send(controller)
    assert caught.value.partial_result["queued"] is False
    assert paths(controller) == ["/get-devices", "/send", "/get-devices"]


def test_device_created_during_a_loop_is_found(controller: Controller) -> None:
    keep = ProcessCache()
    _in_a_loop(controller, keep)
    device = {"number": "081200000003", "name": "Toko Tiga", "linked": True, "package": "Super", "quota": 9}
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": [device]}])
    assert _in_a_loop(controller, keep, device="081200000003")["queued"] is True
    with pytest.raises(NotFoundError):
        send(controller, device="081200000004")
    assert paths(controller) == ["/get-devices", "/send", "/get-devices"]
    keep.clear()


# Refusals


@pytest.mark.parametrize(
    ("params", "text", "advice"),
    [
        ({"device": OTHER}, "request invalid on disconnected device", "link the device first"),
        ({"device": OTHER, "connect_only": False, "target": [PERSON, SECOND]}, "insufficient quota", "package"),
        (
            {"device": OTHER, "connect_only": False, "url": "https://h.example.com/x"},
            "invalid/empty body value",
            "Super",
        ),
        (
            {"account_token": None, "device": None, "device_token": "no-such-token"},
            "token invalid",
            "token of this device",
        ),
        (
            {"url": "https://h.example.com/x", "message": None},
            "message cannot empty",
            "set msg as well",
        ),
    ],
)
def test_refusal_has_an_action_and_states_that_nothing_was_sent(
    controller: Controller, params: dict[str, t.Any], text: str, advice: str
) -> None:
    controller.sandbox.set_readings(url_without_message="refused")
    with pytest.raises(FonnteError, match=f'Fonnte returned "{text}", and nothing was sent; .*{advice}') as caught:
        send(controller, **params)
    assert caught.value.partial_result["queued"] is False and not caught.value.partial_result["changed"]
    assert controller.sandbox.outbox() == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"device": OTHER}, ["is not linked"]),
        ({"device": OTHER, "connect_only": False}, []),
        (
            {"device": OTHER, "connect_only": False, "target": [PERSON, SECOND]},
            [("has 1 messages left, and this task sends 2")],
        ),
        ({"device": OTHER, "connect_only": False, "url": "https://h.example.com/x"}, ["has the package Free"]),
        ({"url": "https://h.example.com/x"}, []),
        ({}, []),
    ],
)
def test_check_mode_sends_nothing_and_predicts_a_refusal(
    controller: Controller, params: dict[str, t.Any], words: list[str]
) -> None:
    given_params = {"device": SENDER, "target": [PERSON], "message": "hello", **params}
    report = controller.run("message", True, **given_params)
    assert report.result["changed"] and report.result["queued"] is False
    assert report.result["messages"][0] == {"id": None, "target": "6281200002001"}
    assert len(report.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, report.warnings, strict=False))
    assert paths(controller) == ["/get-devices"]


def test_check_mode_verifies_a_device_token(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    result = send(controller, True, account_token=None, device=None, device_token=token)
    assert paths(controller) == ["/device"] and result["device"] == SENDER
    with pytest.raises(FonnteError, match="token invalid"):
        send(controller, True, account_token=None, device=None, device_token="no-such-token")


# At most once, and without secrets in the result


LOST = [
    ("reset", {"when": "after"}),
    ("reset", {"when": "after", "at": "middle"}),
    ("reset", {"when": "before"}),
    ("hang", {"when": "after"}),
    ("truncated", {"when": "after"}),
    ("empty", {"when": "after"}),
    ("html", {"when": "after"}),
    ("status", {"when": "after", "code": 502}),
    ("status", {"when": "after", "code": 503, "headers": {"Retry-After": "0"}}),
    ("list", {"when": "after"}),
    ("redirect", {"when": "after", "code": 307, "location": "http://127.0.0.1:9/"}),
]


@pytest.mark.parametrize("method", ["post", "get"])
@pytest.mark.parametrize(("kind", "args"), LOST)
def test_lost_response_is_reported_as_unknown_and_nothing_is_sent_again(
    controller: Controller, kind: str, args: dict[str, t.Any], method: str
) -> None:
    controller.sandbox.fault(kind, path="/send", times=None, **args)
    with pytest.raises(FonnteError, match="whether the message is queued is not known") as caught:
        send(controller, method=method, api_timeout=0.3)
    assert caught.value.partial_result["queued"] is None and caught.value.partial_result["changed"]
    assert "run this task again only if" in str(caught.value)
    assert paths(controller).count("/send") == 1
    reported = f"{caught.value}{caught.value.partial_result}"
    assert controller.sandbox.device(SENDER)["token"] not in reported


@pytest.mark.parametrize("code", [429, 404])
def test_error_status_states_that_nothing_was_sent(controller: Controller, code: int) -> None:
    controller.sandbox.fault("status", path="/send", times=None, code=code)
    with pytest.raises(FonnteError, match="and nothing was sent") as caught:
        send(controller)
    assert caught.value.partial_result["queued"] is False
    assert paths(controller).count("/send") == 1 and controller.sandbox.outbox() == []


def test_unreadable_list_sends_nothing_and_states_that(controller: Controller) -> None:
    controller.sandbox.fault("reset", path="/get-devices", times=None)
    with pytest.raises(FonnteError) as caught:
        send(controller)
    assert caught.value.partial_result["queued"] is False and SENDER in str(caught.value)


def test_get_request_has_no_header_and_no_token_is_logged(
    controller: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    caplog.set_level(0)
    report = controller.run("message", device=SENDER, target=[PERSON], message="a & b = c?", method="get")
    entry = controller.sandbox.journal()[-1]
    assert entry["method"] == "GET" and controller.sandbox.outbox()[0]["message"] == "a & b = c?"
    assert token not in f"{report.result}{caplog.text}"


def test_diff_shows_the_message_without_secrets(controller: Controller) -> None:
    result = send(controller, url="https://files.example.com/a.pdf?signature=s3cret", schedule=None)
    after = result["diff"]["after"]
    assert result["diff"]["before"] == {} and after["msg"] == "hello" and after["target"] == ["6281200002001"]
    assert after["url"].startswith("https://files.example.com/…#") and "s3cret" not in str(result)


def test_response_with_fewer_messages_is_a_warning(controller: Controller) -> None:
    controller.sandbox.fault("mutate", path="/send", when="after", args={"set": {"id": ["7"], "target": None}})
    report = controller.run("message", device=SENDER, target=[PERSON, SECOND], message="x")
    assert report.result["queued"] is True and report.result["messages"] == [{"id": "7", "target": None}]
    assert "lists 1 messages where 2 were requested" in report.warnings[0]


def test_token_repeated_by_the_response_is_not_shown(controller: Controller) -> None:
    token = controller.sandbox.device(SENDER)["token"]
    said = {"id": [f"7 {token}"], "target": f"{PERSON}\x1b[2J {token}", "process": f"sent by {token}"}
    controller.sandbox.fault("mutate", path="/send", when="after", args={"set": said})
    result = send(controller)
    assert result["messages"] == [{"id": "7 ********", "target": f"{PERSON} [2J ********"}]
    assert result["process"] == "sent by ********"


def test_single_id_that_is_no_list_is_accepted(controller: Controller) -> None:
    controller.sandbox.fault("mutate", path="/send", when="after", args={"set": {"id": 7, "target": "6281200002001"}})
    assert send(controller)["messages"] == [{"id": "7", "target": "6281200002001"}]


def test_success_with_an_error_status_is_unknown(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transport, "request", lambda *_args: ApiResponse(400, {"status": True, "id": ["7"]}))
    token = controller.sandbox.device(SENDER)["token"]
    with pytest.raises(FonnteError, match="not known") as caught:
        send(controller, account_token=None, device=None, device_token=token)
    assert caught.value.partial_result["queued"] is None and caught.value.partial_result["changed"]
