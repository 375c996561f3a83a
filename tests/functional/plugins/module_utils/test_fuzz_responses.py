# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For any response and any file content, a module returns a result or a typed error, without harmful output.

FONNTE_FUZZ sets the number of examples of each test; the default is a few hundred, a night allows a million.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.transport import ApiResponse, Transport
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.wire import Connection, Request
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import Redactor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import load_facts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import BY_OPTION, RECORDED
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backup import read_backup
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import is_name
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

EXAMPLES = int(os.environ.get("FONNTE_FUZZ", "200"))
fuzz = settings(
    max_examples=EXAMPLES,
    derandomize="FONNTE_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)

NUMBER = "081200000001"
ENDPOINT = "https://api.example.com"
# Values that a person in the dashboard, or an impostor of the service, may put in a name or a number.
NASTY = (
    "{{ 7 * 191 }}",
    "{% for i in range(10**9) %}{% endfor %}",
    "{{ lookup('ansible.builtin.pipe', 'id') }}",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe",
    "two\nlines\r\nand more",
    "\x00nothing\x00",
    "../../../etc/passwd",
    "__class__",
    "=HYPERLINK(1)",
    "\ud83d",
    "x" * 100_000,
    "9" * 100_000,
)
FIELDS = (
    *("status", "Status", "reason", "detail", "data", "device", "token", "name", "connected", "messages"),
    *("package", "quota", "expired", "autoread", "device_status", "webhook", "__class__", "__dict__"),
    *(setting.wire for setting in BY_OPTION.values()),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from((*NASTY, NUMBER, "connect", "disconnect", "true", "18 November 2029", "31 February 2029")),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=25,
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8)
DEVICES = st.fixed_dictionaries(
    {"device": st.sampled_from((*NASTY, NUMBER)) | VALUES},
    optional={"token": VALUES, "name": VALUES, "status": VALUES, "quota": VALUES, "expired": VALUES},
)
LISTS = st.fixed_dictionaries({"status": st.just(True), "data": st.lists(DEVICES, max_size=4)})


class Pretender:
    """A transport to a server that answers as the test requires."""

    def __init__(self, status: int, body: dict[str, t.Any]) -> None:
        self._reply = ApiResponse(status, body)

    def request(self, call: Request) -> ApiResponse:
        return self._reply


def is_harmless(text: str) -> bool:
    return text.isprintable() and len(text) < 2000


def calls(api: FonnteClient) -> t.Iterator[t.Callable[[], object]]:
    sent: dict[str, t.Any] = {"name": "Toko", "webhook": "https://h.example.com/x"}
    yield lambda: api.get_devices("account")
    yield lambda: api.profile("token")
    yield lambda: api.add_device("account", NUMBER, sent)
    yield lambda: api.update_device("token", NUMBER, sent)
    yield lambda: api.disconnect("token")
    yield lambda: api.request_otp("token")
    yield lambda: api.delete_device("token", "123456")
    yield lambda: api.send(Request("/send", "token", {"target": NUMBER, "message": "hello"}))
    yield lambda: api.qr_image("token")
    yield lambda: api.pairing_code("token", NUMBER)


# Responses


@fuzz
@given(status=st.sampled_from((200, 201, 400, 403)), body=BODIES | LISTS)
def test_any_json_response_is_a_result_or_a_typed_error(status: int, body: dict[str, t.Any]) -> None:
    pretender: t.Any = Pretender(status, body)
    for call in calls(FonnteClient(pretender, Redactor("account"))):
        try:
            call()
        except FonnteError as fault:
            assert is_harmless(str(fault)), str(fault)[:300]


@pytest.fixture(scope="module")
def raw_server() -> t.Iterator[tuple[str, list[bytes]]]:
    """Run a server that sends the bytes in the list to each client, and closes the connection."""
    said = [b""]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _address = server.accept()
                    with client, contextlib.suppress(OSError):
                        client.recv(65536)
                        client.sendall(said[0])
                        client.shutdown(socket.SHUT_WR)
                        client.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", said
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


HEADS = st.sampled_from(
    (
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 301 Gone\r\nLocation: //[\r\n\r\n",
        b"HTTP/1.1 999 What\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n",
        b"",
    )
)


@fuzz
@given(head=HEADS, body=st.binary(max_size=60) | st.sampled_from((b'{"status": true}', b"5\r\n{}{}{\r\n", b"[" * 9000)))
@example(head=b"HTTP/1.1 200 OK\r\n\r\n", body=b'{"status": ' + b"9" * 5000 + b"}")
def test_any_bytes_are_a_response_or_a_typed_error(
    raw_server: tuple[str, list[bytes]], head: bytes, body: bytes
) -> None:
    endpoint, said = raw_server
    said[0] = head + body
    transport = Transport(Connection(endpoint, 2.0, 0, 0.01, True, None))
    try:
        with contextlib.suppress(FonnteError):
            transport.request(Request("/get-devices", "account"))
    finally:
        transport.close()


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("field", ["device", "name", "package", "status", "token"])
def test_listed_strings_never_control_the_terminal(controller: Controller, field: str, nasty: str) -> None:
    """Warnings and errors are printed unescaped; a result is printed as JSON, which escapes."""
    controller.device(NUMBER, name="Toko", quick=True)
    controller.sandbox.fault("mutate", path="/get-devices", times=None, set_each={field: nasty})
    runs: tuple[tuple[str, dict[str, t.Any]], ...] = (
        ("device", {"device": NUMBER, "name": "Tako"}),
        ("device_info", {"recorded": True}),
        ("fleet", {"devices": [{"device": "081200000002", "name": "Toko"}], "unlisted": "error"}),
        ("record_info", {}),
        ("audit", {"devices": [{"device": NUMBER, "name": "Toko"}]}),
        ("webhook_config", {"device": NUMBER, "webhook": ""}),
        ("record", {"operation": "forget", "orphans": True}),
        ("doctor", {}),
        ("device_qr", {"device": NUMBER, "dest": str(controller.records.parent)}),
        ("group_info", {"device": NUMBER, "refresh": True}),
        ("number_info", {"device": NUMBER, "numbers": ["081200000009"]}),
    )
    for module, params in runs:
        try:
            report = controller.run(module, True, **params)
        except FonnteError as fault:
            texts = [str(fault), *fault.warnings]
        else:
            texts = report.warnings
        assert all(is_harmless(text) for text in texts), (module, [text[:300] for text in texts])
    # The lock of a validation has no entry.
    names = {name.partition(".")[0].replace("validate-", "device-") for name in controller.record_files()}
    assert names and all(map(is_name, names))
    assert all(path.parent == controller.records for path in controller.records.rglob("*"))


# The record


@given(token=st.text(min_size=1), number=st.sampled_from((*NASTY, NUMBER)) | st.text(), endpoint=st.text())
def test_entry_names_never_leave_the_directory(token: str, number: str, endpoint: str) -> None:
    store = RecordStore("/records", "x")
    with contextlib.suppress(UnicodeEncodeError):
        assert is_name(store.device(token).name) and is_name(store.number(token, number).name)


ENTRIES = st.dictionaries(st.sampled_from((*RECORDED, "newer", "__class__")), st.lists(VALUES, max_size=5), max_size=4)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "format": st.just(1) | VALUES,
        "entries": ENTRIES | VALUES,
        "otp_requested_at": VALUES,
        "number": VALUES,
        "carried": VALUES,
        "stamps": VALUES,
        "state": st.sampled_from(("creating", "present", "deleted")) | VALUES,
        "at": VALUES,
        "sent": BODIES | VALUES,
        "device_file": VALUES,
    },
)


@fuzz
@given(data=RECORDS | VALUES)
def test_any_record_data_is_loaded_or_refused(data: t.Any) -> None:
    for read in (DeviceRecord.from_json, NumberRecord.from_json):
        with contextlib.suppress(ValueError):
            again = read(data).to_json()
            assert read(json.loads(json.dumps(again))).to_json() == again


@fuzz
@given(content=st.binary(max_size=300) | st.text(max_size=50).map(str.encode))
def test_any_file_content_is_loaded_or_a_typed_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    store = RecordStore(str(folder), ENDPOINT)
    file = store.device("token")
    Path(file.path).write_bytes(content)
    found, problem = file.load()
    assert found is None and problem and is_harmless(problem)
    other = folder / "other"
    other.write_bytes(content)
    for read in (lambda: read_backup(str(other)), lambda: load_facts(str(other), ENDPOINT, "service_facts_path")):
        with contextlib.suppress(FonnteError):
            read()
