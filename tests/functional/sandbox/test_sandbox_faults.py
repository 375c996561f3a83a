# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault, as the client receives it."""

from __future__ import annotations

import contextlib
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from tests.sandbox.driver import ControlError

OK = b"HTTP/1.1 200 OK\r\n"


def listing(api, **options):
    return api.reply("/get-devices", api.sandbox.account_token, **options)


@pytest.mark.parametrize("kind", ["refuse", "reset"])
def test_connection_aborted_before_the_request_is_applied(api, sandbox, number, kind):
    sandbox.fault(kind, path="/add-device")
    with pytest.raises(requests.ConnectionError, match="reset by peer|aborted"):
        api.add()
    assert sandbox.devices() == {}
    entry = sandbox.journal()[-1]
    assert (entry["reached"], entry["applied"], entry["fault"]) == (False, False, kind)
    assert sandbox.writes() == []
    api.add()


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "reset", "when": "after"},
        {"kind": "refuse", "when": "after"},
        {"kind": "reset", "at": "middle"},
        {"kind": "reset", "when": "after", "gentle": True},
        {"kind": "truncated", "short": True},
    ],
)
def test_response_lost_after_the_request_was_applied(api, sandbox, number, rule):
    sandbox.fault(path="/add-device", **rule)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.add()
    assert list(sandbox.devices()) == [number]
    assert sandbox.writes()[-1]["applied"] is True


def test_reset_in_the_middle_comes_after_half_a_response(api, sandbox, token):
    sandbox.fault("reset", path="/get-devices", at="middle")
    with raw(api) as connection:
        ask(connection, sandbox)
        got = connection.recv(65536)
        assert got.startswith(OK) and not got.endswith(b"}")
        with pytest.raises(ConnectionResetError):
            connection.recv(65536)


def test_unreachable(api, sandbox):
    listing(api)
    sandbox.fault("unreachable")
    # A connection that was open is reset. Whether the client detects its end before the next use is a race.
    for session, words in ((api.session, "refused|reset"), (requests.Session(), "refused")):
        with pytest.raises(requests.ConnectionError, match=words):
            session.post(sandbox.url + "/get-devices", timeout=60)
    assert len(sandbox.journal()) == 1
    sandbox.clear_faults()
    assert listing(api).status_code == 200


def test_unreachable_for_a_time(api, sandbox):
    sandbox.fault("unreachable", seconds=3.0)
    with pytest.raises(requests.ConnectionError):
        listing(api)
    _wait_for(lambda: listing(api).status_code == 200)


def _wait_for(there):
    """Wait until a condition is true, which may take long on a busy machine."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if there():
                return
        time.sleep(0.05)
    pytest.fail("it never came")


def test_status(api, sandbox, number):
    sandbox.fault("status", path="/add-device", code=429, headers={"Retry-After": 7}, body={"status": False})
    reply = api.reply("/add-device", sandbox.account_token, {"name": "one", "device": number})
    assert (reply.status_code, reply.headers["Retry-After"], reply.json()) == (429, "7", {"status": False})
    assert sandbox.devices() == {}


def test_status_after_the_request_was_applied(api, sandbox, number):
    sandbox.fault("status", path="/add-device", when="after", code=502, body="Bad Gateway")
    reply = api.reply("/add-device", sandbox.account_token, {"name": "one", "device": number})
    assert (reply.status_code, reply.text) == (502, "Bad Gateway")
    assert list(sandbox.devices()) == [number]
    assert sandbox.journal()[-1]["status"] == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_delay(api, sandbox, number, when):
    sandbox.fault("delay", path="/add-device", seconds=3.0, when=when)
    with pytest.raises(requests.Timeout):
        api.reply("/add-device", sandbox.account_token, {"name": "one", "device": number}, timeout=0.5)
    assert (number in sandbox.devices()) is (when == "after")
    _wait_for(lambda: number in sandbox.devices())


@pytest.mark.parametrize("headers", [False, True])
def test_trickle(api, sandbox, headers):
    sandbox.fault("trickle", path="/get-devices", interval=0.005, headers=headers)
    with raw(api) as connection:
        ask(connection, sandbox)
        pieces = drain(connection)
    # The bytes do not arrive one at a time: on a busy machine several may arrive before a read.
    assert len(pieces) > 20
    assert (b"\r\n\r\n" not in pieces[0]) is headers
    assert b"".join(pieces).startswith(OK) and b"".join(pieces).endswith(b'"type":"device"}')


def test_truncated_json(api, sandbox):
    sandbox.fault("truncated", path="/get-devices")
    reply = listing(api)
    assert reply.status_code == 200 and reply.text.startswith('{"connected"')
    with pytest.raises(ValueError):
        reply.json()


@pytest.mark.parametrize("code", [200, 503])
def test_html(api, sandbox, code):
    sandbox.fault("html", code=code)
    reply = listing(api)
    assert reply.status_code == code and reply.headers["Content-Type"].startswith("text/html")
    assert reply.text.startswith("<html>")


def test_empty_and_list(api, sandbox):
    sandbox.fault("empty")
    sandbox.fault("list", items=[{"status": True}])
    assert listing(api).content == b""
    assert listing(api).json() == [{"status": True}]


def test_mutate(api, sandbox, token, number, other):
    api.add(other)
    sandbox.fault(
        "mutate",
        path="/get-devices",
        set={"devices": None},
        remove=["type"],
        set_each={"quota": None},
        remove_each=["token"],
        only=number,
    )
    reply = listing(api).json()
    assert reply["devices"] is None and "type" not in reply
    items = {item["device"]: item for item in reply["data"]}
    assert items[number]["quota"] is None and "token" not in items[number]
    assert items[other]["quota"] == "1000" and items[other]["token"]
    assert listing(api).json()["devices"] == 2


@pytest.mark.parametrize("chunked", [False, True])
def test_huge(api, sandbox, chunked):
    sandbox.fault("huge", path="/get-devices", megabytes=3, chunked=chunked)
    reply = listing(api)
    assert len(reply.content) == 3_000_000 and reply.json()["status"] is True
    assert ("Content-Length" in reply.headers) is not chunked


def test_huge_response_may_be_aborted(api, sandbox):
    sandbox.fault("huge", path="/get-devices", megabytes=50)
    with listing(api, stream=True) as reply:
        next(reply.iter_content(1000))
    assert listing(api).status_code == 200


def test_redirect(api, sandbox):
    sandbox.fault("redirect", path="/get-devices", location="http://elsewhere.invalid/", code=307)
    reply = listing(api, allow_redirects=False)
    assert (reply.status_code, reply.headers["Location"]) == (307, "http://elsewhere.invalid/")


def test_hang(api, sandbox):
    sandbox.fault("hang", path="/get-devices")
    with pytest.raises(requests.ReadTimeout):
        listing(api, timeout=0.1)
    assert listing(api).status_code == 200


def test_close_idle(api, sandbox):
    sandbox.fault("close_idle", path="/get-devices")
    with raw(api) as connection:
        ask(connection, sandbox)
        pieces = drain(connection)
    assert b"Connection: close" not in b"".join(pieces) and b"".join(pieces).endswith(b"}")
    assert [listing(api).status_code for unused in range(3)] == [200, 200, 200]


def test_rules_select_their_requests(api, sandbox, token, number, other):
    second = api.add(other)
    sandbox.fault("empty", number=other, path="/device", times=2, skip=1)
    sandbox.fault("list", token=token)
    assert api.reply("/device", token).text == "[]"
    assert [len(api.reply("/device", second).content) > 0 for unused in range(4)] == [True, False, False, True]
    sandbox.fault("empty", method="GET", times=None)
    assert listing(api).content
    assert api.session.get(sandbox.url + "/send").content == b"" == api.session.get(sandbox.url + "/send").content
    assert len(sandbox.faults()) == 1
    sandbox.clear_faults()
    assert sandbox.faults() == []


def test_rule_can_select_the_device_that_is_added(api, sandbox, number, other):
    sandbox.fault("empty", path="/add-device", number=other)
    api.add(number)
    assert api.reply("/add-device", sandbox.account_token, {"name": "one", "device": other}).content == b""


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "earthquake"},
        {"kind": "unreachable", "path": "/device"},
        {"kind": "unreachable", "code": 5},
        {"kind": "status", "code": "x"},
        {"kind": "status", "colour": "red"},
        {"kind": "mutate", "when": "before"},
        {"kind": "reset", "at": "end"},
        {"kind": "empty", "times": 0},
        {"kind": "empty", "skip": -1},
        {"kind": "empty", "when": "never"},
        {"kind": "empty", "path": "device"},
        {"kind": "delay", "seconds": True},
        {"kind": "empty", "number": 628},
    ],
)
def test_invalid_rules_are_refused(sandbox, rule):
    with pytest.raises(ControlError):
        sandbox.fault(**rule)
    assert sandbox.faults() == []


# --- raw connections ---


def raw(api):
    parts = urlsplit(api.sandbox.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def ask(connection, sandbox):
    connection.sendall(
        f"POST /get-devices HTTP/1.1\r\nHost: x\r\nAuthorization: {sandbox.account_token}\r\n"
        "Content-Length: 0\r\n\r\n".encode(),
    )


def drain(connection):
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return pieces
