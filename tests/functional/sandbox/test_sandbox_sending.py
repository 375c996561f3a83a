# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests /send, /status and /qr."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib

import pytest


def refused(text):
    return {"reason": text, "status": False}


BODY = refused("invalid/empty body value")


@pytest.fixture
def linked(sandbox, token, number):
    sandbox.link(number)
    return token


def test_send_response_matches_the_api_documentation(api, sandbox, linked, number):
    reply = api("/send", linked, target="6282227097005,08123456789", message="hello")
    assert reply == {
        "detail": "success! message in queue",
        "id": reply["id"],
        "process": "pending",
        "requestid": reply["requestid"],
        "status": True,
        "target": ["6282227097005", "628123456789"],
    }
    assert len(reply["id"]) == 2 and all(isinstance(one, str) for one in reply["id"])
    assert isinstance(reply["requestid"], int)
    assert [(m["id"], m["target"], m["message"]) for m in sandbox.outbox()] == [
        (reply["id"][0], "6282227097005", "hello"),
        (reply["id"][1], "628123456789", "hello"),
    ]
    assert sandbox.device(number)["quota"] == 998
    assert api("/device", linked)["messages"] == 2


def test_unknown_token_gets_status_with_a_capital_letter(api, linked):
    for wrong in ("nobody", api.sandbox.account_token):
        assert api("/send", wrong, target="628", message="x") == {"reason": "token invalid", "Status": False}


def test_words_of_a_target_fill_the_message(api, sandbox, linked):
    api("/send", linked, target="628333333333|Ann|red|tall,628444444444|Bob", message="{name}: {var1} {var2}")
    assert [m["message"] for m in sandbox.outbox()] == ["Ann: red tall", "Bob: {var1} {var2}"]


@pytest.mark.parametrize(
    ("target", "country", "sent"),
    [
        ("08123456789", None, "628123456789"),
        ("08123456789", "60", "608123456789"),
        ("08123456789", "0", "08123456789"),
        ("120363000000000000@g.us", None, "120363000000000000@g.us"),
        ("rotator#1", None, "rotator#1"),
    ],
)
def test_targets(api, linked, target, country, sent):
    fields = {"countryCode": country} if country else {}
    assert api("/send", linked, target=target, message="x", **fields)["target"] == [sent]


@pytest.mark.parametrize(
    "target",
    ["abc", "+628123456789", "1234567", "628333333333, 628444444444", "628333333333,", "rotator", "x@g.us", "|Ann"],
)
def test_invalid_targets_are_refused(api, sandbox, linked, target):
    assert api("/send", linked, target=target, message="x") == refused("target invalid")
    assert sandbox.outbox() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"target": ""},
        {"message": ""},
        {"message": "x" * 60_001},
        {"typing": "on"},
        {"preview": ""},
        {"schedule": "tomorrow"},
        {"delay": "soon"},
        {"delay": "5-2"},
        {"location": "here"},
        {"location": "91,0"},
        {"followup": "-1"},
        {"inboxid": "x"},
        {"countryCode": ""},
        {"choices": "a,b"},
        {"choices": "a", "select": "single", "pollname": "p"},
        {"choices": ",".join("abcdefghijklm"), "select": "single", "pollname": "p"},
        {"choices": "a,b", "select": "both", "pollname": "p"},
        {"choices": "a,", "select": "single", "pollname": "p"},
        {"url": "https://a.example/x.png"},
        {"url": "x.png"},
        {"file": "x.png"},
        {"data": "x"},
        {"data": "{}"},
        {"data": "[]"},
        {"data": "[1]"},
    ],
)
def test_invalid_fields_are_refused(api, sandbox, linked, number, fields):
    assert api("/send", linked, **{"target": "628333333333", "message": "x", **fields}) == BODY
    assert sandbox.outbox() == [] and sandbox.device(number)["quota"] == 1000


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x" * 60_000},
        {"message": "x", "delay": "2"},
        {"message": "x", "delay": "1-10"},
        {"location": "-6.2,106.8"},
        {"choices": "a,b", "select": "multiple", "pollname": "p"},
        {"message": "x", "schedule": "1900000000", "typing": "true", "sequence": "false", "duration": "3"},
    ],
)
def test_valid_fields_are_accepted(api, linked, fields):
    assert api("/send", linked, target="628333333333", **fields)["status"] is True


def test_quota(api, sandbox, linked, number):
    sandbox.edit(number, quota=1)
    assert api("/send", linked, target="628333333333,628444444444", message="x") == refused("insufficient quota")
    assert api("/send", linked, target="628333333333", message="x")["status"] is True
    assert api("/send", linked, target="628333333333", message="x") == refused("insufficient quota")
    assert len(sandbox.outbox()) == 1


def test_disconnected_device_sends_only_without_connect_only(api, sandbox, token):
    fields = {"target": "628333333333", "message": "x"}
    assert api("/send", token, **fields) == refused("request invalid on disconnected device")
    assert api("/send", token, connectOnly="false", **fields)["status"] is True


@pytest.mark.parametrize("package", ["Super", "Advanced", "ultra"])
def test_attachments(api, sandbox, linked, number, package):
    sandbox.edit(number, package=package)
    assert api("/send", linked, target="628333333333", url="https://a.example/x.png")["status"] is True
    form = {"target": "628333333333", "message": "x"}
    assert api.reply("/send", linked, form, files={"file": ("a.txt", b"hello")}).json()["status"] is True
    assert sandbox.outbox()[1]["file"] == {"filename": "a.txt", "size": 5}
    assert api.reply("/send", linked, form, files={"file": ("a.txt", b"")}).json() == BODY
    assert api.reply("/send", linked, form, files={"picture": ("a.txt", b"x")}).json() == BODY


def test_attachments_have_a_maximum_size(api, sandbox, linked, number):
    sandbox.edit(number, package="Super")
    form = {"target": "628333333333"}
    large = {"file": ("a.bin", b"x" * (10 * 1024 * 1024 + 1))}
    assert api.reply("/send", linked, form, files=large).json() == BODY


def test_attachments_require_a_package(api, linked):
    form = {"target": "628333333333", "message": "x"}
    assert api.reply("/send", linked, form, files={"file": ("a.txt", b"hello")}).json() == BODY


def test_several_requests_in_data(api, sandbox, linked):
    data = [{"target": "628333333333", "message": "a"}, {"target": "628444444444", "message": "b", "typing": True}]
    assert api("/send", linked, data=json.dumps(data))["target"] == ["628333333333", "628444444444"]
    assert [m["message"] for m in sandbox.outbox()] == ["a", "b"]
    data[1]["target"] = "nobody"
    assert api("/send", linked, data=json.dumps(data)) == refused("target invalid")
    assert len(sandbox.outbox()) == 2


def get(api, **query):
    return api.session.get(api.sandbox.url + "/send", params=query, allow_redirects=False)


def test_get(api, sandbox, linked):
    assert get(api, token=linked, target="628333333333", message="x").json()["status"] is True
    entry = sandbox.journal()[-1]
    assert (entry["method"], entry["token"], entry["write"], entry["applied"]) == ("GET", linked, True, True)
    assert "token" not in entry["form"]


def test_get_requires_the_token_in_the_query(api, linked):
    reply = api.session.get(
        api.sandbox.url + "/send", params={"target": "628333333333", "message": "x"}, headers={"Authorization": linked}
    )
    assert reply.json()["Status"] is False


def test_get_redirects(api, linked):
    reply = get(api, token=linked, target="628333333333", message="x", redirect="https://a.example/thanks")
    assert (reply.status_code, reply.headers["Location"]) == (302, "https://a.example/thanks")
    assert get(api, token=linked, target="628333333333", message="x", redirect="thanks").json() == BODY


# --- status ---


def test_status_response_matches_the_api_documentation(api, sandbox, linked):
    (sent,) = api("/send", linked, target="628333333333", message="x")["id"]
    assert api("/status", linked, id=sent) == {"id": int(sent), "message_status": "sent", "status": True}
    for state in ("delivered", "read"):
        sandbox.message_status(sent, state)
        assert api("/status", linked, id=sent)["message_status"] == state


def test_status_of_messages_that_are_not_sent_yet(api, sandbox, token, number):
    (queued,) = api("/send", token, target="628333333333", message="x", connectOnly="false")["id"]
    assert api("/status", token, id=queued)["message_status"] == "pending"
    sandbox.link(number)
    (later,) = api("/send", token, target="628333333333", message="x", schedule="1900000000")["id"]
    assert api("/status", token, id=later)["message_status"] == "waiting"


def test_status_refusals(api, sandbox, linked, other):
    (sent,) = api("/send", linked, target="628333333333", message="x")["id"]
    second = api.add(other)
    for wrong in ("nobody", sandbox.account_token):
        assert api("/status", wrong, id=sent) == refused("token invalid")
    for missing in ({}, {"id": ""}, {"id": "x"}, {"id": f"{sent},{sent}"}):
        assert api("/status", linked, **missing) == refused("id required")
    assert api("/status", linked, id="1") == refused("there is no such message")
    assert api("/status", second, id=sent) == refused("there is no such message")
    assert [entry["write"] for entry in sandbox.journal() if entry["path"] == "/status"] == [False] * 8


# --- qr ---


def chunks(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    position = 8
    while position < len(png):
        length, kind = struct.unpack(">I4s", png[position : position + 8])
        data = png[position + 8 : position + 8 + length]
        assert struct.unpack(">I", png[position + 8 + length : position + 12 + length])[0] == zlib.crc32(kind + data)
        yield kind, data
        position += 12 + length


def test_qr_response_is_a_png(api, token):
    reply = api("/qr", token)
    assert set(reply) == {"status", "url"} and reply["status"] is True
    parts = dict(chunks(base64.b64decode(reply["url"], validate=True)))
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    assert len(zlib.decompress(parts[b"IDAT"])) == height * (width + 1)


def test_qr_code_changes_over_time(api, sandbox, token):
    first = api("/qr", token, type="qr")["url"]
    sandbox.advance(60)
    assert api("/qr", token)["url"] != first


def test_qr_request_for_a_pairing_code(api, token):
    reply = api("/qr", token, type="code", whatsapp="628111111111")
    assert reply["status"] is True and re.fullmatch("[0-9A-Z]{4}-[0-9A-Z]{4}", reply["code"])


@pytest.mark.parametrize("fields", [{"type": "code"}, {"type": "code", "whatsapp": "x"}, {"type": "picture"}])
def test_qr_refuses_invalid_input(api, token, fields):
    assert api("/qr", token, **fields) == refused("input invalid")


def test_qr_refusals(api, sandbox, token, number, other):
    second = api.add(other)
    for wrong in ("nobody", sandbox.account_token):
        assert api("/qr", wrong) == refused("token invalid")
    sandbox.link(number)
    assert api("/qr", token) == refused("device already connect")
    assert api("/qr", second) == refused("free device already connected")
    sandbox.edit(other, package="Reguler")
    assert api("/qr", second)["status"] is True
