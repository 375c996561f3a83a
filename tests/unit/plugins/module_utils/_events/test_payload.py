# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Webhooks of four kinds are converted to one shape."""

from __future__ import annotations

import base64
import json
import math
import typing as t
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.inert_text import make_inert
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import payload as _events
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import reader as _reader
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import secrecy as _secrecy
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.payload import (
    PayloadError,
    event_of,
    normalize,
    read_body,
)

TOKEN = "tok3n+of-a-client"
DROPPED: dict[str, t.Any] = {
    "device": "081200001001",
    "status": "disconnect",
    "timestamp": 1760000000,
    "reason": "logged out",
    "token": TOKEN,
}
CHAT: dict[str, t.Any] = {
    "device": "081200001001",
    "sender": "6281299990000",
    "message": "halo",
    "text": "",
    "member": "",
    "name": "Warung Tiga",
    "location": "-6.2,106.8",
    "pollname": "Kapan?",
    "choices": "pagi, sore",
    "timestamp": "1760000000",
    "inboxid": "4711",
    "url": "https://files.example.com/a.jpg",
    "filename": "a",
    "extension": "jpg",
}
SENT: dict[str, t.Any] = {
    "device": "081200001001",
    "id": "80367170",
    "stateid": "st1",
    "status": "sent",
    "state": "sent",
}
COMMON = ("kind", "device", "number", "outgoing", "connected", "reason", "at", "withheld", "other", "altered")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(sorted({*DROPPED, *CHAT, *SENT, "Device", "state-id", "secretkey", "extra"}))
PAYLOADS = st.dictionaries(KEYS | st.text(), JSON | st.sampled_from(["connect", "disconnect", "0812-0000-1001", ""]))


def data_of(payload: dict[str, t.Any], kind: str | None = None) -> dict[str, t.Any]:
    return event_of(payload, kind).data


def test_disconnect_event() -> None:
    assert data_of(DROPPED) == {
        "kind": "connect",
        "device": "081200001001",
        "number": "6281200001001",
        "outgoing": None,
        "connected": False,
        "reason": "logged out",
        "at": "2025-10-09T08:53:20Z",
        "withheld": ["token"],
        "other": {},
        "altered": [],
    }


def test_connect_event() -> None:
    data = data_of({"device": "081200001001", "status": "connect", "timestamp": 1760000000})
    assert (data["connected"], data["reason"], data["withheld"]) == (True, None, [])


def test_unknown_status_is_kept_and_sets_no_connection_state() -> None:
    data = data_of({**DROPPED, "status": "restarting"})
    assert data["connected"] is None
    assert data["other"] == {"status": "restarting"}


def test_incoming_chat_event() -> None:
    data = data_of(CHAT)
    assert {key: data[key] for key in data if key not in COMMON} == {
        "sender": "6281299990000",
        "message": "halo",
        "text": None,
        "member": None,
        "name": "Warung Tiga",
        "location": "-6.2,106.8",
        "poll_name": "Kapan?",
        "choices": ["pagi", "sore"],
        "inbox_id": 4711,
        "url": "https://files.example.com/a.jpg",
        "filename": "a",
        "extension": "jpg",
    }
    assert (data["kind"], data["at"], data["other"]) == ("incoming", "2025-10-09T08:53:20Z", {})


def test_message_state_event_and_a_later_one_with_only_the_state_id() -> None:
    first, later = data_of(SENT), data_of({"stateid": "st1", "state": "read"})
    assert (first["kind"], first["message_id"], first["state_id"], first["status"]) == (
        "status",
        "80367170",
        "st1",
        "sent",
    )
    assert (later["kind"], later["device"], later["message_id"], later["state"]) == ("status", None, None, "read")


@pytest.mark.parametrize("more", [{}, {"stateid": "", "state": ""}, {"device": "081200001001"}])
def test_status_without_a_state_is_no_connection(more: dict[str, str]) -> None:
    data = data_of({"id": "80367170", "status": "invalid", **more})
    assert (data["kind"], data["message_id"], data["status"], data["connected"]) == (
        "status",
        "80367170",
        "invalid",
        None,
    )


def test_path_sets_the_kind_if_the_keys_do_not() -> None:
    payload = {"device": "081200001001", "sender": "6281299990000", "message": "ya", "flow": {"step": 2}}
    data = data_of(payload, "chaining")
    assert (data["kind"], data["message"], data["other"]) == ("chaining", "ya", {"flow": {"step": 2}})


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        (1760000000, "2025-10-09T08:53:20Z"),
        ("1760000000", "2025-10-09T08:53:20Z"),
        (1760000000.9, "2025-10-09T08:53:20Z"),
        (1760000000123, "2025-10-09T08:53:20Z"),
        ("yesterday", None),
        (True, None),
        (-5, None),
        (10**17, None),
        (1e300, None),
    ],
)
def test_timestamp_is_converted(timestamp: object, at: str | None) -> None:
    data = data_of({**DROPPED, "timestamp": timestamp})
    assert data["at"] == at
    assert ("timestamp" in data["other"]) is (at is None)


@pytest.mark.parametrize("key", ["Device", "DEVICE", " device "])
def test_other_spellings_of_a_key_are_accepted(key: str) -> None:
    payload = {key: "081200001001", "Status": "disconnect"}
    assert data_of(payload)["device"] == "081200001001"
    assert data_of(payload)["connected"] is False


def test_other_types_of_values_are_converted_or_kept() -> None:
    assert data_of({**CHAT, "choices": ["pagi", "sore"]})["choices"] == ["pagi", "sore"]
    odd = data_of({**CHAT, "choices": {"a": 1}, "message": True, "inboxid": 12.5})
    assert (odd["choices"], odd["message"], odd["inbox_id"]) == ([], None, None)
    assert odd["other"] == {"choices": {"a": 1}, "message": True, "inboxid": 12.5}
    assert data_of({**DROPPED, "device": 6281200001001})["device"] == "6281200001001"


def test_documented_spelling_of_a_key_has_priority() -> None:
    assert data_of({"DEVICE": "1", **DROPPED})["device"] == "081200001001"
    assert data_of({**DROPPED, "DEVICE": "1"})["device"] == "081200001001"


@pytest.mark.parametrize(
    "key", ["token", "Token", "secret", "secretkey", "secret_key", "x-api-key", "password", "auth"]
)
def test_secret_keys_are_removed_at_any_depth(key: str) -> None:
    payload = {**DROPPED, key: TOKEN, "more": [{key: TOKEN, "n": 1}]}
    data = data_of(payload)
    assert TOKEN not in json.dumps(data)
    assert key in data["withheld"]
    assert data["other"] == {"more": [{"n": 1}]}


def test_secret_keys_are_kept_on_request() -> None:
    data = event_of({**DROPPED, "secretkey": "abc"}, return_tokens=True).data
    assert (data["token"], data["withheld"], data["other"]) == (TOKEN, [], {"secretkey": "abc"})


@pytest.mark.parametrize(
    ("payload", "kind", "words"),
    [
        ({"status": "disconnect"}, None, "it lacks device"),
        ({"sender": "62812"}, None, "it lacks device"),
        ({"device": "081200001001", "message": "x"}, "incoming", "it lacks sender"),
        ({"state": "read"}, None, "it lacks stateid"),
        ({"foo": 1, "bar": 2}, None, "only bar, foo"),
        ({f"k{n}": 1 for n in range(99)}, None, "k0, k1, k10, k11"),
    ],
)
def test_payload_without_required_keys_is_refused_and_names_them(payload: t.Any, kind: str | None, words: str) -> None:
    with pytest.raises(PayloadError) as caught:
        event_of(payload, kind)
    assert words in str(caught.value)
    assert caught.value.readable and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b"null",
        b"\xff\xfe\x00",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": -1E+400}',
        b"[" * 100_000,
        b'{"a":' * 20 + b"1" + b"}" * 20,
    ],
)
def test_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError) as caught:
        read_body(body)
    assert not caught.value.readable


def test_empty_body_is_a_probe() -> None:
    assert read_body(b" \n") == {}
    assert _events.is_probe({})
    assert _events.is_probe({"device": "081200001001", "Token": TOKEN})
    assert not _events.is_probe(DROPPED)


def test_retries_have_the_same_identity_and_other_events_another() -> None:
    again = event_of(dict(reversed(list(DROPPED.items()))))
    assert again.identity == event_of(DROPPED).identity == event_of({**DROPPED, "token": "new"}).identity
    others = [
        {**DROPPED, "timestamp": 1760000001},
        {**DROPPED, "status": "connect"},
        {**DROPPED, "device": "628"},
        SENT,
    ]
    others += [
        {**SENT, "state": "read"},
        {"stateid": "st1", "state": "read"},
        {"stateid": "st2", "state": "read"},
        CHAT,
    ]
    identities = {event_of(payload).identity for payload in [DROPPED, *others]}
    assert len(identities) == 1 + len(others)


def test_loss_without_a_time_may_repeat_after_the_device_connected() -> None:
    lost = event_of({"device": "081200001001", "status": "disconnect", "reason": "a"})
    back = event_of({"device": "6281200001001", "status": "connect"})
    assert back.ends == lost.identity and lost.ends == back.identity
    assert event_of({"device": "0812-0000-1001", "status": "disconnect"}).identity == lost.identity


def test_log_line_of_an_event_is_short_and_without_secrets() -> None:
    assert event_of(DROPPED).log_safe() == "connect of 081200001001 at 2025-10-09T08:53:20Z"
    assert event_of(SENT).log_safe() == "status of 081200001001 at no time (state_id st1)"
    line = event_of({"device": "1\n2\x1b[31m" + "9" * 500, "status": "connect"}).log_safe()
    assert line.isprintable() and len(line) < 100


@given(PAYLOADS, st.sampled_from([None, *_events.KINDS]))
def test_any_payload_is_an_event_or_refused_and_nothing_is_lost(payload: t.Any, kind: str | None) -> None:
    payload = {**payload, "token": TOKEN}
    try:
        data = event_of(payload, kind).data
    except PayloadError as error:
        assert error.readable
        data = normalize(payload, kind)
        assert data["kind"] in ("unknown", "probe")
    assert set(COMMON) <= set(data)
    assert make_inert(data) == (data, [])
    # Events cross to Java and to a log, so they must be valid JSON.
    text = json.dumps(data, allow_nan=False).encode("utf-8")
    json.dumps(data, ensure_ascii=False).encode("utf-8")
    assert TOKEN.encode() not in text
    assert data["device"] is None or isinstance(data["device"], str)
    assert data["connected"] in (True, False, None)
    for key, value in payload.items():
        if value not in (None, "", []) and not _secrecy._SECRET.search(key):
            reported = [*data["other"], *(known for known in data if data[known] not in (None, []))]
            ((name, _value),) = make_inert({_secrecy._clean_text(key): None})[0].items()
            assert any(_reader._plain(one) == _reader._plain(name) for one in reported) or _known(key, data)


def _known(key: str, data: dict[str, t.Any]) -> bool:
    names = {"timestamp": "at", "id": "message_id", "status": "connected"}
    return data.get(names.get(_reader._plain(key), "")) is not None


def _sent(value: object) -> bytes:
    """Return a value as JSON can transfer it: without Infinity, but with numbers that are too large for Python."""
    return json.dumps(value).replace("Infinity", "1e999").encode()


@given(st.binary(max_size=300) | JSON.map(_sent) | PAYLOADS.map(_sent))
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    try:
        payload = read_body(body)
    except PayloadError as error:
        assert not error.readable
    else:
        assert isinstance(payload, dict)
        json.dumps(payload, allow_nan=False)
        json.dumps(normalize(payload), allow_nan=False)


@given(JSON)
def test_any_value_is_normalized(value: t.Any) -> None:
    data = normalize(value)
    assert set(COMMON) <= set(data)
    if not isinstance(value, dict):
        assert (data["kind"], bool(data["problem"])) == ("unknown", True)


def test_no_string_of_an_event_is_a_template() -> None:
    payload = {
        **CHAT,
        "device": "081200001001 {{ 1 }}",
        "message": "x {",
        "name": "#jinja2",
        "choices": ["{{ 1 }}", "b"],
        "__ansible_vault": "x",
        "{{ 2 }}": [{"__ansible_unsafe": "{% %}"}],
    }
    data = data_of(payload)
    assert (data["message"], data["name"]) == ("x \uff5b", "\uff03jinja\uff12")
    assert data["choices"] == ["\uff5b\uff5b 1 }}", "b"]
    assert data["other"] == {
        "\uff3f\uff3fansible_vault": "x",
        "\uff5b\uff5b 2 }}": [{"\uff3f\uff3fansible_unsafe": "\uff5b% %}"}],
    }
    assert data["altered"] == [
        "device",
        "number",
        "message",
        "name",
        "choices[0]",
        "other.\uff3f\uff3fansible_vault",
        "other.\uff5b\uff5b 2 }}",
        "other.\uff5b\uff5b 2 }}[0].\uff3f\uff3fansible_unsafe",
    ]
    # The problem of a payload that is no webhook names its keys.
    assert "{" not in json.dumps(list(normalize({"{{ 3 }}": 1}).values())[:-1]).replace('{"', "")
    assert event_of(payload).identity != event_of({**payload, "message": "x \uff5b"}).identity


def test_deeply_nested_values_are_cut() -> None:
    deep: t.Any = "end"
    for _level in range(5000):
        deep = {"a": deep}
    assert "nested too deeply" in json.dumps(normalize(deep))
    assert "nested too deeply" in json.dumps(normalize({**DROPPED, "extra": deep}))


def test_infinite_and_nan_numbers_become_strings() -> None:
    """Other event sources pass such numbers to the filter."""
    data = normalize({**DROPPED, "a": math.inf, "b": [-math.inf, {"c": math.nan}], "d": 1.5})
    assert data["other"] == {"a": "inf", "b": ["-inf", {"c": "nan"}], "d": 1.5}


@pytest.mark.parametrize(
    "shown",
    [
        TOKEN,
        f"https://md.example.com/f/{TOKEN}/x.jpg",
        f"https://md.example.com/?t={quote(TOKEN, safe='')}",
        base64.b64encode(TOKEN.encode()).decode(),
        json.dumps({"token": TOKEN}),
    ],
)
def test_value_of_a_secret_key_is_masked_in_all_other_values(shown: str) -> None:
    payload = {**CHAT, "token": TOKEN, "url": shown, "message": f"see {shown}", "x": [{"y": shown}]}
    for data in (event_of(payload).data, normalize(payload), normalize({"token": TOKEN, "x": shown})):
        text = json.dumps(data)
        assert TOKEN not in text and quote(TOKEN, safe="") not in text and "********" in text
        assert base64.b64encode(TOKEN.encode()).decode() not in text
    assert event_of(payload, return_tokens=True).data["url"] == make_inert(shown)[0]


def test_secret_of_the_source_is_masked_even_if_tokens_are_returned() -> None:
    data = event_of({**CHAT, "message": "/Zk3-9xTq7LmPw2Rb/"}, return_tokens=True, secrets=["Zk3-9xTq7LmPw2Rb"]).data
    assert data["message"] == "/********/"


def test_secret_of_digits_is_masked_in_integers_too() -> None:
    secret = "8305917264820593"
    data = event_of({**CHAT, "inboxid": secret, "x": int(secret)}, secrets=[secret]).data
    assert data["inbox_id"] == data["other"]["x"] == "********"


def test_device_that_equals_the_token_is_masked() -> None:
    assert TOKEN not in json.dumps(normalize({**DROPPED, "device": TOKEN, "token": TOKEN, "reason": TOKEN}))


def test_device_number_is_kept_if_it_equals_a_secret_value() -> None:
    assert event_of({**DROPPED, "token": DROPPED["device"]}).data["device"] == DROPPED["device"]


@pytest.mark.parametrize(
    "payload",
    [
        {**CHAT, **{str(number): 1 for number in range(_events.MAX_PARTS)}},
        {**CHAT, "x": [0] * _events.MAX_PARTS},
        {**CHAT, "x": "a" * (_events.MAX_CHARACTERS + 1)},
        {**CHAT, "a" * (_events.MAX_CHARACTERS + 1): 1},
        "a" * (_events.MAX_CHARACTERS + 1),
    ],
)
def test_oversized_payload_is_unknown_and_not_parsed(payload: object) -> None:
    data = normalize(payload)
    assert (data["kind"], data["problem"]) == ("unknown", _events.TOO_LARGE) and len(json.dumps(data)) < 1000
