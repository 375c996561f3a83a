# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API, the journal, the transport and the process."""

from __future__ import annotations

import concurrent.futures
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.sandbox.driver import ControlError, Sandbox

ROOT = Path(__file__).resolve().parents[3]


# --- worlds ---


def test_default_world(sandbox):
    state = sandbox.state()
    assert state["accounts"] == [{"token": "sandbox-account-token", "plan": "Free", "devices": []}]
    assert sandbox.account_token == "sandbox-account-token"
    assert state["readings"]["omitted"] == "keeps"


def test_reset_restores_defaults(api, sandbox, token):
    sandbox.fault("empty")
    sandbox.advance(1000)
    sandbox.set_options(latency=0.01)
    sandbox.set_readings(omitted="resets")
    sandbox.reset(readings={"listing": "partial"})
    state = sandbox.state()
    assert state["faults"] == [] and state["clock"]["offset"] == 0 and state["options"]["latency"] == 0
    assert state["readings"]["omitted"] == "keeps" and state["readings"]["listing"] == "partial"
    assert sandbox.journal() == [] and sandbox.devices() == {}
    assert api("/device", token)["reason"] == "token invalid"


@pytest.mark.parametrize("slow", ["latency", "delay"])
def test_request_in_progress_at_a_reset_does_not_change_the_new_world(sandbox, token, slow):
    if slow == "latency":
        sandbox.set_options(latency=10)
    else:
        sandbox.fault("delay", path="*", when="before", seconds=10)

    def call():
        with pytest.raises(requests.ConnectionError):
            requests.post(sandbox.url + "/get-devices", headers={"Authorization": token}, timeout=60)

    with concurrent.futures.ThreadPoolExecutor(1) as others:
        on_its_way = others.submit(call)
        time.sleep(1)
        sandbox.reset()
        on_its_way.result()
    assert sandbox.journal() == []


def test_tokens_differ_after_a_reset(api, sandbox, token):
    sandbox.reset()
    assert api.add() != token


def test_state_can_be_restored(api, sandbox, token, number):
    api.update(token, webhook="https://a.example/x", quick="true")
    sandbox.link(number)
    accounts = sandbox.state()["accounts"]
    sandbox.reset(accounts=accounts)
    assert sandbox.state()["accounts"] == accounts
    assert api("/device", token)["status"] is True


def test_initial_worlds(sandbox):
    sandbox.reset(
        accounts=[
            {
                "token": "a",
                "devices": [
                    {
                        "number": "628000000001",
                        "name": "first",
                        "token": "tok!",
                        "webhook": "http://x/",
                        "settings": {"quick": True},
                        "linked": True,
                        "unlisted": True,
                        "quota": 5,
                    }
                ],
            },
            {"devices": []},
        ]
    )
    device = sandbox.device("628000000001")
    assert (device["token"], device["linked_number"], device["quota"]) == ("tok!", "628000000001", 5)
    assert device["settings"]["webhook"] == "http://x/" and device["settings"]["quick"] is True
    assert len(sandbox.state()["accounts"][1]["token"]) == 20


ONE = {"number": "628000000001"}


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        {"readings": {"omitted": "x"}},
        {"readings": []},
        {"accounts": {}},
        {"accounts": ["a"]},
        {"accounts": [{"token": ""}]},
        {"accounts": [{"token": "a"}, {"token": "a"}]},
        {"accounts": [{"token": "a", "devices": [ONE, ONE]}]},
        {"accounts": [{"token": "a", "devices": [{**ONE, "colour": "red"}]}]},
        {"accounts": [{"token": "a", "devices": [{**ONE, "quick": "true"}]}]},
        {"accounts": [{"token": "a", "devices": [{**ONE, "settings": {"x": 1}}]}]},
        {"accounts": [{"token": "a", "devices": [{**ONE, "token": ""}]}]},
        {"accounts": [{"token": "a", "devices": [{**ONE, "quota": -1}]}]},
        {"accounts": [{"token": "a", "devices": [{**ONE, "name": "x"}]}]},
        {"accounts": [{"token": "a", "devices": [{"name": "one"}]}]},
        {
            "accounts": [
                {"token": "a", "devices": [{**ONE, "linked": True}, {"number": "628000000002", "linked": True}]}
            ]
        },
    ],
)
def test_invalid_resets_change_nothing(sandbox, token, number, body):
    reply = requests.post(sandbox.control_url + "/reset", json=body, timeout=60)
    assert reply.status_code == 400 and reply.json()["error"].endswith(".")
    assert list(sandbox.devices()) == [number]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/reset", b"{", 400),
        ("POST", "/reset", b"[]", 400),
        ("GET", "/nowhere", b"", 404),
        ("DELETE", "/state", b"", 405),
        ("POST", "/clock", b'{"advance": -1}', 400),
        ("POST", "/clock", b'{"now": 1}', 400),
        ("POST", "/devices/628999999999/link", b"", 404),
        ("PATCH", "/readings", b'{"omitted": 1}', 400),
        ("PATCH", "/options", b'{"latency": "x"}', 400),
        ("PATCH", "/options", b'{"x": 1}', 400),
        ("GET", "/journal?since=x", b"", 400),
        ("POST", "/otp", b'{"next": "12"}', 400),
        ("POST", "/outbox/1/status", b"", 404),
        ("PATCH", "/sinks/a", b'{"status": 20}', 400),
    ],
)
def test_invalid_requests_get_an_error_sentence(sandbox, method, path, body, status):
    reply = requests.request(method, sandbox.control_url + path, data=body, timeout=60)
    assert reply.status_code == status and reply.json()["error"]


def test_dashboard_edits(api, sandbox, token, number, other):
    sandbox.edit(
        number,
        name="new name",
        webhook="https://a.example/x",
        quick=True,
        package="Ultra",
        quota=7,
        expires=1707782400,
        countryCode="60",
    )
    device = sandbox.device(number)
    assert device["settings"]["webhook"] == "https://a.example/x" and device["settings"]["quick"] is True
    assert api.account("/get-devices")["data"][0]["name"] == "new name"
    sandbox.edit(number, device=other)
    assert list(sandbox.devices()) == [other]
    sandbox.remove(other)
    assert sandbox.devices() == {} and sandbox.writes()[1:] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "x"},
        {"linked": True},
        {"quick": "on"},
        {"name": "x"},
        {"quota": "5"},
        {"device": "628222222222"},
        {"device": 5},
        {"webhook": None},
    ],
)
def test_dashboard_refuses_invalid_edits(api, sandbox, token, number, other, fields):
    api.add(other)
    before = sandbox.device(number)
    with pytest.raises(ControlError):
        sandbox.edit(number, **{"package": "Ultra", **fields})
    assert sandbox.device(number) == before


def test_at_most_one_free_device_is_linked(api, sandbox, token, number, other):
    api.add(other)
    sandbox.link(number)
    sandbox.link(number)
    with pytest.raises(ControlError, match="Only one free device"):
        sandbox.link(other)
    sandbox.unlink(number)
    assert sandbox.link(other)["linked_number"] == other


# --- the journal ---


def test_journal(api, sandbox, token, number):
    api("/device", token)
    api.account("/add-device", name="x", device="1")
    api.session.get(sandbox.url + "/get-devices", timeout=60)
    api.reply("/nowhere", "nobody")
    journal = sandbox.journal()
    assert [entry["n"] for entry in journal] == [1, 2, 3, 4, 5]
    first = journal[0]
    assert first == {
        "n": 1,
        "at": first["at"],
        "path": "/add-device",
        "method": "POST",
        "token": sandbox.account_token,
        "number": number,
        "form": {"name": "one", "device": number},
        "write": True,
        "reached": True,
        "applied": True,
        "status": 200,
        "reply": first["reply"],
        "fault": None,
    }
    assert first["reply"]["token"] == token
    assert [(e["path"], e["number"], e["write"], e["applied"], e["status"]) for e in journal[1:]] == [
        ("/device", number, False, True, 200),
        ("/add-device", "1", True, False, 200),
        ("/get-devices", None, False, False, 405),
        ("/nowhere", None, False, False, 404),
    ]
    assert [entry["n"] for entry in sandbox.writes()] == [1, 3]
    assert [entry["n"] for entry in sandbox.journal(since=3)] == [4, 5]
    sandbox.clear_journal()
    api("/device", token)
    assert [entry["n"] for entry in sandbox.journal()] == [6]


def test_long_listings_are_shortened(api, sandbox):
    devices = [{"number": str(628000000000 + index)} for index in range(10_000)]
    sandbox.reset(accounts=[{"token": "a", "plan": "Super", "devices": devices}])
    assert len(api("/get-devices", "a")["data"]) == 10_000
    assert sandbox.journal()[0]["reply"]["data"] == "10000 devices, left out of the journal"


def test_clock(sandbox):
    first, now, last = time.time(), sandbox.now(), time.time()
    assert first - 1 <= now <= last + 1
    assert sandbox.advance(3600)["offset"] == 3600
    first, now, last = time.time(), sandbox.now(), time.time()
    assert first - 1 <= now - 3600 <= last + 1


# --- the transport ---


def test_response_is_one_segment(api, sandbox, token):
    """Headers and body in two segments cost 44 ms per request on persistent connections."""
    parts = urlsplit(sandbox.url)
    request = (f"POST /device HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 0\r\n\r\n").encode()
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        for _unused in range(200):
            connection.sendall(request)
            head, separator, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert separator and json.loads(body)["status"] is True
            assert f"Content-Length: {len(body)}".encode() in head


def get_devices(url, ca):
    # Not with requests: its verify= could hide an error.
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=ca)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as plain:
        with context.wrap_socket(
            plain,
            server_hostname=parts.hostname,
            suppress_ragged_eofs=False,
        ) as connection:
            connection.sendall(b"POST /get-devices HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            return connection.recv(65536)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("valid", None),
        ("expired", "certificate has expired"),
        ("wrong-host", "mismatch"),
        ("self-signed", "self.signed"),
    ],
)
def test_tls_certificates(kind, problem):
    pytest.importorskip("cryptography")
    with Sandbox(tls=kind) as sandbox:
        assert sandbox.url.startswith("https://") and sandbox.control_url.startswith("http://")
        folder = Path(sandbox.ca).parent
        if problem:
            with pytest.raises(ssl.SSLCertVerificationError, match=problem):
                get_devices(sandbox.url, sandbox.ca)
        else:
            assert b"unknown user" in get_devices(sandbox.url, sandbox.ca)
            sandbox.fault("reset")
            with pytest.raises(OSError):
                get_devices(sandbox.url, sandbox.ca)
    assert not folder.exists()


# --- the process ---


def started(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-B", "-m", "tests.sandbox", "--port", "0", "--control-port", "0", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("how", ["stdin", signal.SIGTERM, signal.SIGINT])
def test_process_stops_cleanly(how):
    process = started("--json", "--stop-with-stdin", "--readings", "omitted=resets", "refusal_status=400")
    said = json.loads(process.stdout.readline())
    assert set(said) == {"api", "control", "account_token", "ca"}
    state = requests.get(said["control"] + "/state", timeout=60).json()
    assert state["readings"]["omitted"] == "resets" and state["readings"]["refusal_status"] == 400
    if how == "stdin":
        process.stdin.close()
    else:
        process.send_signal(how)
    with process:
        assert process.wait(timeout=60) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_process_prints_its_addresses():
    process = started()
    lines = [process.stdout.readline() for unused in range(4)]
    process.terminate()
    process.communicate(timeout=60)
    assert lines[0].startswith("API ") and "sandbox-account-token" in lines[2] and "curl" in lines[3]


@pytest.mark.parametrize("arguments", [["--readings", "omitted=x"], ["--readings", "omitted"], ["--latency", "-1"]])
def test_invalid_command_lines_are_refused(arguments):
    process = started(*arguments)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 2 and "error: " in said


def test_port_in_use_is_an_error(sandbox):
    port = urlsplit(sandbox.url).port
    with pytest.raises(RuntimeError, match="exit code 1"):
        Sandbox(port=port).start()


def test_driver_works_from_a_collection(tmp_path):
    """It is imported as ansible_collections.fonnte.whatsapp.tests.sandbox.driver, from another directory."""
    namespace = tmp_path / "ansible_collections" / "fonnte"
    namespace.mkdir(parents=True)
    (namespace / "whatsapp").symlink_to(ROOT)
    code = (
        "from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox\n"
        "with Sandbox() as sandbox:\n    print(sandbox.devices())\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, done.stderr) == ("{}\n", "")


def test_latency(sandbox, api):
    sandbox.set_options(latency=0.05)
    begin = time.monotonic()
    api.account("/get-devices")
    assert time.monotonic() - begin >= 0.05
