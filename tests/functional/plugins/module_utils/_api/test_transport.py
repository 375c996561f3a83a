# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transport: sent requests, retries, and the end of a request."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import itertools
import logging
import os
import signal
import socket
import socketserver
import threading
import time
import tracemalloc
import typing as t
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import deadline as _deadline
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import http_session as _session
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import transport as _transport
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.body import MAX_BODY_BYTES
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.http_session import make_retry, parse_retry_after
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.retry import RateLimitGate, RetryBudget
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.transport import ApiResponse, Transport
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.wire import Connection, Request
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.endpoint import (
    check_endpoint,
    environment_proxies,
    is_loopback,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    MissingLibraryError,
    OptionError,
    RateLimitedError,
    RequestError,
    ResponseLostError,
    UnexpectedResponseError,
    UnreachableError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import MAX_INPUT_BYTES
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_functions
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

LIST, PROFILE, ADD, UPDATE, DISCONNECT, DELETE, LINK = (
    "/get-devices",
    "/device",
    "/add-device",
    "/update-device",
    "/disconnect",
    "/delete-device",
    "/qr",
)
# Longer than any pause of a busy machine.
PATIENT = 30.0
READS, WRITES, ONCE = (LIST, PROFILE), (UPDATE, DISCONNECT, LINK), (ADD, DELETE)


def connect(sandbox: Sandbox, **changes: t.Any) -> Transport:
    settings: dict[str, t.Any] = {
        "endpoint": sandbox.url,
        "timeout": PATIENT,
        "retries": 3,
        "longest_delay": 0.05,
        "verify": True,
        "ca_path": sandbox.ca,
    }
    return Transport(Connection(**{**settings, **changes}))


def post(sandbox: Sandbox, path: str = LIST, **changes: t.Any) -> ApiResponse:
    return connect(sandbox, **changes).request(Request(path, sandbox.account_token))


def tries(sandbox: Sandbox, path: str) -> int:
    return len([entry for entry in sandbox.journal() if entry["path"] == path])


class Clock:
    """A clock that advances only when the code sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = self.now = time.monotonic()
        self.waits: list[float] = []
        replace_functions(monkeypatch, "time", monotonic=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class Held:
    """Connections that are established only when the test releases them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._go = threading.Event()
        self._threads: list[threading.Thread] = []
        self._connect = urllib3.util.connection.create_connection
        monkeypatch.setattr(urllib3.util.connection, "create_connection", self._held)
        self.meanwhile: t.Callable[[], None] = lambda: None

    def _held(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        self._threads.append(threading.current_thread())
        self.meanwhile()
        assert self._go.wait(60)
        return self._connect(*args, **kwargs)

    def let_go(self) -> int:
        """Release the connections, and return their number when all subsequent work has ended."""
        self._go.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        return len(self._threads)


@contextlib.contextmanager
def a_second_for_a_call(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """End each request after a second, even with a long timeout."""
    with monkeypatch.context() as patched:
        patched.setattr(_transport, "MAX_TIMEOUTS_PER_REQUEST", 1 / PATIENT)
        yield


# Concurrency


def test_pool_size_limits_concurrent_requests_of_many_threads(sandbox: Sandbox) -> None:
    sandbox.set_options(latency=0.2)
    transport = connect(sandbox, pool_size=2)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _number: transport.request(Request(LIST, sandbox.account_token)), range(6)))
    assert all(reply.body["status"] is True for reply in replies)
    at = sorted(entry["at"] for entry in sandbox.journal())
    # Three rounds of two: a request is recorded when its response is sent.
    assert all(at[number + 2] - at[number] > 0.15 for number in range(4))


# Endpoints


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.fonnte.com",
        "http://127.0.0.1:8900",
        "http://127.8.9.1",
        "http://[::1]:8080",
        "http://localhost/",
        "https://gw.example.com/fonnte/",
    ],
)
def test_safe_endpoint_is_accepted(endpoint: str) -> None:
    assert check_endpoint(endpoint) == endpoint.rstrip("/")


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://api.fonnte.com", "plain http"),
        ("http://localhost.example.com", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
        ("http://0.0.0.0", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("ftp://api.fonnte.com", "not an http"),
        ("api.fonnte.com", "not an http"),
        ("https://", "not an http"),
        ("https://[::1", "not an http"),
        ("https://api.fonnte.com:x", "not an http"),
        ("https://user:secret@api.fonnte.com", "user name"),
        ("https://api.fonnte.com?a=secret", "query"),
        ("https://api.fonnte.com#a", "fragment"),
    ],
)
def test_unsafe_endpoint_is_refused(endpoint: str, words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        check_endpoint(endpoint)
    assert str(caught.value).startswith("Option api_endpoint: ") and "secret" not in str(caught.value)


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.255.0.1", "::1"]))
    assert not any(map(is_loopback, ["", "localhost.", "128.0.0.1", "::2", "example.com", "0"]))


# Retries


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reset", {"when": "before"}),
        ("reset", {"when": "after"}),
        ("reset", {"when": "after", "at": "middle"}),
        ("truncated", {"when": "after", "short": True}),
        ("hang", {}),
        *[("status", {"code": code}) for code in (429, 500, 502, 503, 504)],
        *[("status", {"code": code, "headers": {"Retry-After": "0"}}) for code in (429, 503)],
        ("status", {"code": 429, "headers": {"Retry-After": "soon"}}),
    ],
)
def test_read_is_repeated_after_a_temporary_fault(
    sandbox: Sandbox, path: str, kind: str, more: dict[str, t.Any]
) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [{"number": "081200000001"}]}])
    token = sandbox.account_token if path == LIST else sandbox.device("081200000001")["token"]
    sandbox.fault(kind, path=path, times=2, **more)
    assert (
        connect(sandbox, timeout=1.0 if kind in ("hang", "delay") else PATIENT)
        .request(Request(path, token))
        .body["status"]
        is True
    )
    assert tries(sandbox, path) == 3


def test_read_fails_after_its_retries(sandbox: Sandbox) -> None:
    sandbox.fault("status", path=LIST, code=502, times=None)
    with pytest.raises(UnexpectedResponseError, match="HTTP 502"):
        post(sandbox)
    assert tries(sandbox, LIST) == 4


def test_read_fails_after_repeated_partial_bodies(sandbox: Sandbox) -> None:
    sandbox.fault("reset", path=LIST, when="after", at="middle", times=None)
    with pytest.raises(ResponseLostError, match="is incomplete"):
        post(sandbox)
    assert tries(sandbox, LIST) == 4


def test_zero_retries_mean_one_attempt(sandbox: Sandbox) -> None:
    for kind, more in (("status", {"code": 503}), ("reset", {"when": "after", "at": "middle"})):
        sandbox.clear_journal()
        sandbox.clear_faults()
        sandbox.fault(kind, path=LIST, times=None, **more)
        with pytest.raises(RequestError):
            post(sandbox, retries=0)
        assert tries(sandbox, LIST) == 1


@pytest.mark.parametrize(
    ("kind", "more"),
    [("reset", {"when": "after", "at": "middle"}), ("html", {"code": 200}), ("hang", {})],
)
def test_alternating_faults_share_the_retries(sandbox: Sandbox, kind: str, more: dict[str, t.Any]) -> None:
    for _turn in range(3):
        sandbox.fault("status", path=LIST, code=502, times=2)
        sandbox.fault(kind, path=LIST, times=1, **more)
    with pytest.raises(RequestError):
        post(sandbox, retries=2, timeout=0.5 if kind == "hang" else PATIENT)
    assert tries(sandbox, LIST) == 3


@pytest.mark.parametrize("path", [*WRITES, *ONCE])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reset", {"when": "before"}),
        ("reset", {"when": "after", "at": "middle"}),
        ("hang", {}),
        *[("status", {"code": code}) for code in (500, 502, 503, 504)],
        # urllib3 by itself would repeat this one.
        ("status", {"code": 503, "headers": {"Retry-After": "0"}}),
        ("status", {"code": 413, "headers": {"Retry-After": "0"}}),
    ],
)
def test_write_that_may_have_been_applied_is_never_repeated(
    sandbox: Sandbox, path: str, kind: str, more: dict[str, t.Any]
) -> None:
    sandbox.fault(kind, path=path, times=None, **more)
    with pytest.raises(RequestError) as caught:
        post(sandbox, path, timeout=0.1 if kind == "hang" else PATIENT)
    assert caught.value.may_be_applied is (more.get("code") != 413)
    # On a busy machine, the time may be over before the request arrives.
    assert tries(sandbox, path) == 1 or (kind == "hang" and tries(sandbox, path) == 0)


@pytest.mark.parametrize("path", WRITES)
def test_update_is_repeated_after_a_429(sandbox: Sandbox, path: str) -> None:
    sandbox.fault("status", path=path, code=429, times=2, headers={"Retry-After": "0"})
    assert post(sandbox, path).body["status"] is False
    assert tries(sandbox, path) == 3


@pytest.mark.parametrize("path", ONCE)
def test_creation_and_code_request_are_not_repeated_after_a_429(sandbox: Sandbox, path: str) -> None:
    sandbox.fault("status", path=path, code=429, times=None)
    with pytest.raises(RateLimitedError) as caught:
        post(sandbox, path)
    assert not caught.value.may_be_applied and tries(sandbox, path) == 1


@pytest.mark.parametrize("path", [*READS, *WRITES, *ONCE])
def test_refused_connection_is_retried_and_the_request_was_not_sent(
    sandbox: Sandbox, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Clock(monkeypatch).waits
    with pytest.raises(UnreachableError, match="Connection refused") as caught:
        post(sandbox, path, endpoint="http://127.0.0.1:1", longest_delay=20.0)
    assert not caught.value.may_be_applied
    assert len(waits) == 2 and 0.5 <= waits[0] <= 1.5 and 1.0 <= waits[1] <= 3.0


# Retry-After


def test_retry_after_beyond_the_limit_fails_immediately_and_shows_the_wait(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    for path, code in ((LIST, 429), (LIST, 503), (UPDATE, 429)):
        sandbox.clear_journal()
        sandbox.fault("status", path=path, code=code, headers={"Retry-After": "3600"})
        with pytest.raises(RateLimitedError, match="requires a wait of 3600 s.*api_retry_max_delay"):
            post(sandbox, path, timeout=3600.0)
        assert tries(sandbox, path) == 1
    # Only the gate waits, before each of the requests.
    assert all(wait <= 0.05 + 0.25 for wait in clock.waits)


def test_retry_after_within_the_limit_is_obeyed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    sandbox.fault("status", path=LIST, code=429, times=2, headers={"Retry-After": "7"})
    post(sandbox, timeout=PATIENT, longest_delay=10.0)
    assert clock.waits == [7.0, 7.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        (" 5 ", 5.0),
        ("soon", None),
        ("", None),
        ("-3", None),
        ("1e3", None),
        ("9" * 400, 21600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 21600.0),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        (" ", None),
        ("²", None),
    ],
)
def test_retry_after_header_is_parsed(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


def test_retry_after_date_is_parsed() -> None:
    assert parse_retry_after(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=90)
    assert parse_retry_after(formatdate(time.time() - 100, usegmt=True)) == 0.0
    assert parse_retry_after("Mon, 99 Foo 2026 99:99:99 GMT") is None


def test_retry_delays_grow_to_a_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pauses = RetryBudget(RateLimitGate(), make_retry(99), 86400.0, clock.now + 86400)
    assert all(pauses.wait_for_next() for _try in range(100 - 1))
    assert len(clock.waits) == 98 and 0.5 <= clock.waits[0] <= 1.5 and 16 <= clock.waits[5] <= 48
    assert 60 <= min(clock.waits[8:]) <= max(clock.waits) <= 180
    assert not pauses.wait_for_next()
    clock.waits.clear()
    short = RetryBudget(RateLimitGate(), make_retry(99), 3.0, clock.now + 86400)
    assert all(short.wait_for_next() for _try in range(99)) and max(clock.waits) == 3.0


# The end of a request


@pytest.mark.parametrize("more", [{"headers": False}, {"headers": True}])
def test_slow_response_ends_with_the_deadline_of_the_request(
    sandbox: Sandbox, more: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fault("trickle", path=LIST, when="after", interval=0.5, **more)
    transport = connect(sandbox, timeout=PATIENT)
    with (
        a_second_for_a_call(monkeypatch),
        pytest.raises(ResponseLostError, match=("no complete response arrived within 1 s")),
    ):
        transport.request(Request(LIST, sandbox.account_token))
    assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True


def test_request_ends_although_the_tls_library_does_not_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL can process messages of a peer without end inside one call: no timeout of the socket applies then."""
    monkeypatch.setattr(_deadline._Limit, "__enter__", lambda limit: limit._socket.settimeout(PATIENT))
    with Sandbox(tls="valid") as sandbox:
        sandbox.fault("hang", path=LIST, times=None)
        transport = connect(sandbox, timeout=PATIENT)
        late = pytest.raises(ResponseLostError, match="no complete response arrived within 1 s")
        with a_second_for_a_call(monkeypatch), late:
            transport.request(Request(LIST, sandbox.account_token))
        sandbox.clear_faults()
        assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
        transport.close()


def test_cookies_are_not_parsed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library parses a folded Set-Cookie2 header in quadratic time, after the last byte was received."""

    def parse(*_arguments: object) -> t.NoReturn:
        raise AssertionError("cookies were parsed")

    headers = {"Set-Cookie": "a=b", "Set-Cookie2": 'a="b"; Version=1', "Retry-After": "x" * 5000}
    sandbox.fault("status", path=LIST, code=429, times=1, headers=headers)
    monkeypatch.setattr("requests.adapters.extract_cookies_to_jar", parse)
    assert post(sandbox).body["status"] is True
    assert parse_retry_after("9" * 5000) is None


def test_connection_retries_end_before_the_deadline_of_the_request(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(UnreachableError, match="Connection refused"):
        post(sandbox, UPDATE, endpoint="http://127.0.0.1:1", timeout=0.3, retries=10, longest_delay=20.0)
    assert clock.waits and clock.now < clock.began + 3


@pytest.mark.parametrize("path", [LIST, UPDATE])
def test_retry_after_waits_end_before_the_deadline_of_the_request(
    sandbox: Sandbox, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    sandbox.fault("status", path=path, code=429, times=None, headers={"Retry-After": "120"})
    with pytest.raises(RateLimitedError, match="requires a wait of 120 s; run the playbook again later"):
        post(sandbox, path, timeout=PATIENT, retries=4, longest_delay=150.0)
    # The third wait would end after 360 seconds, but the request ends after 300.
    assert clock.waits == [120.0, 120.0] and tries(sandbox, path) == 3


@pytest.mark.parametrize("path", [LIST, UPDATE, ADD])
def test_nothing_is_sent_after_the_request_was_reported_as_not_sent(
    sandbox: Sandbox, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, held = connect(sandbox, timeout=PATIENT), Held(monkeypatch)
    late = pytest.raises(UnreachableError, match="no connection was established within 1 s")
    with a_second_for_a_call(monkeypatch), late as caught:
        transport.request(Request(path, sandbox.account_token))
    assert not caught.value.may_be_applied
    assert held.let_go() == 1
    assert sandbox.journal() == []
    # A later request works as usual.
    assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True


def test_nothing_is_sent_after_an_interrupt(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    transport, held = connect(sandbox, timeout=PATIENT), Held(monkeypatch)
    held.meanwhile = lambda: os.kill(os.getpid(), signal.SIGINT)
    # A process that a shell starts in the background ignores this signal by default.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            transport.request(Request(UPDATE, sandbox.account_token))
    finally:
        signal.signal(signal.SIGINT, before)
    assert held.let_go() == 1
    assert sandbox.journal() == []


def test_sent_write_may_be_applied_after_its_deadline(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.fault("trickle", path=UPDATE, when="after", interval=0.5, headers=True)
    late = pytest.raises(ResponseLostError, match="no complete response arrived within 1 s")
    with a_second_for_a_call(monkeypatch), late as caught:
        post(sandbox, UPDATE, timeout=PATIENT)
    assert caught.value.may_be_applied and tries(sandbox, UPDATE) == 1


def test_request_on_an_open_connection_starts_no_thread(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []

    class Counted(threading.Thread):
        def start(self) -> None:
            started.append(self)
            super().start()

    transport = connect(sandbox, timeout=PATIENT)
    with monkeypatch.context() as patched:
        replace_functions(patched, "threading", Thread=Counted)
        for _number in range(5):
            assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
    # The thread that has connected.
    assert len(started) == 1


def test_retries_wait_for_the_retry_after_of_another_request(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, transport = Clock(monkeypatch), connect(sandbox, timeout=PATIENT, longest_delay=10.0)
    sandbox.fault("status", path=LIST, code=502, times=2)
    sandbox.fault("status", path=ADD, code=429, headers={"Retry-After": "7"})
    asked_at: list[float] = []

    def another_is_asked(seconds: float) -> None:
        if not asked_at:
            asked_at.append(clock.now)
            with pytest.raises(RateLimitedError):
                transport.request(Request(ADD, sandbox.account_token))
        clock.sleep(seconds)

    replace_functions(monkeypatch, "time", sleep=another_is_asked)
    assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
    assert clock.now >= asked_at[0] + 7


def test_retry_that_would_exceed_the_deadline_is_not_sent(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, transport = Clock(monkeypatch), connect(sandbox, timeout=PATIENT, longest_delay=400.0)
    sandbox.fault("status", path=LIST, code=502, times=2)
    sandbox.fault("status", path=ADD, code=429, headers={"Retry-After": "310"})

    def another_is_asked(seconds: float) -> None:
        if not clock.waits:
            with pytest.raises(RateLimitedError):
                transport.request(Request(ADD, sandbox.account_token))
        clock.sleep(seconds)

    replace_functions(monkeypatch, "time", sleep=another_is_asked)
    with pytest.raises(UnexpectedResponseError, match="HTTP 502"):
        transport.request(Request(LIST, sandbox.account_token))
    assert tries(sandbox, LIST) == 2 and clock.now < clock.began + 10 * PATIENT


def test_oversized_response_is_not_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "read_body", functools.partial(_session.read_body, limit=1_000_000))
    for chunked in (True, False):
        sandbox.fault("huge", path=LIST, megabytes=3, chunked=chunked)
        with pytest.raises(UnexpectedResponseError, match="larger than"):
            post(sandbox)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LINE = b"x" * 60_000
ENDLESS = {
    "informational responses": (b"", b"HTTP/1.1 100 Continue\r\nx: " + LINE + b"\r\n\r\n"),
    "chunk extensions": (CHUNKED, b"1;" + LINE + b"\r\na\r\n"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"x: " + LINE + b"\r\n"),
    "small chunks": (CHUNKED, b"1\r\na\r\n" * 10_000),
}


class FloodServer(socketserver.ThreadingTCPServer):
    """A server of such responses. It ignores errors of closed connections."""

    daemon_threads = True
    kind = ""


class Flood(socketserver.BaseRequestHandler):
    """Sends one kind of data endlessly, with almost no body."""

    def handle(self) -> None:
        begin, again = ENDLESS[t.cast(FloodServer, self.server).kind]
        self.request.recv(65536)
        with contextlib.suppress(OSError):
            self.request.sendall(begin)
            while True:
                self.request.sendall(again)


@pytest.mark.parametrize("kind", ENDLESS)
def test_endless_headers_and_framing_are_limited(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_deadline, "MAX_RECEIVED_BYTES", 2**20)
    with FloodServer(("127.0.0.1", 0), Flood) as server:
        server.kind = kind
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            connection = Connection(f"http://127.0.0.1:{server.server_address[1]}", 1.0, 0, 0.0, True, None)
            with pytest.raises(UnexpectedResponseError, match="larger than"):
                Transport(connection).request(Request(LIST, "token-of-the-test"))
        finally:
            server.shutdown()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_compressed_response_needs_no_more_memory_than_a_large_one(sandbox: Sandbox, encoding: str) -> None:
    """400 kB decompress to 400 MB, and so do 1.8 kB that are compressed twice."""
    sandbox.fault("huge", path=UPDATE, megabytes=400, encoding=encoding)
    tracemalloc.start()
    try:
        with pytest.raises(RequestError) as caught:
            post(sandbox, UPDATE, timeout=PATIENT)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.may_be_applied and peak < 3 * MAX_BODY_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_response_is_read_although_it_was_not_requested(sandbox: Sandbox, encoding: str) -> None:
    sandbox.fault("huge", path=LIST, megabytes=0.2, encoding=encoding, times=2)
    transport = connect(sandbox, retries=0)
    for _turn in range(2):
        assert transport.request(Request(LIST, sandbox.account_token)).body["padding"].startswith("xxx")


def test_response_in_an_unknown_encoding_is_refused_by_name(sandbox: Sandbox) -> None:
    sandbox.fault("huge", path=UPDATE, megabytes=0.1, encoding="br")
    with pytest.raises(UnexpectedResponseError, match='compressed as "br"'):
        post(sandbox, UPDATE)


def test_connections_are_reused_after_each_kind_of_response(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    create = urllib3.util.connection.create_connection

    def counted(*args: t.Any, **kwargs: t.Any) -> t.Any:
        opened.append(args)
        return create(*args, **kwargs)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", counted)
    transport = connect(sandbox, timeout=PATIENT)
    for faults in ({}, {"chunked": True}, {"encoding": "gzip"}, {}):
        if faults:
            sandbox.fault("huge", path=LIST, megabytes=0.2, **faults)
        assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
    transport.close()
    assert len(opened) == 1


def test_connection_closed_while_idle_causes_no_error(sandbox: Sandbox) -> None:
    transport = connect(sandbox)
    sandbox.fault("close_idle", path=LIST, when="after")
    for _turn in range(2):
        assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
        time.sleep(0.1)


def test_request_writes_nothing_to_the_logs_of_libraries(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert post(sandbox).body["status"] is True
    assert caplog.records == []


# Responses


@pytest.mark.parametrize(
    ("fault", "words", "may_be_applied"),
    [
        ({"kind": "html", "code": 200}, "not JSON", True),
        ({"kind": "html", "code": 404}, "not JSON", False),
        ({"kind": "empty"}, "an empty response", True),
        ({"kind": "list"}, "not an object", True),
        ({"kind": "status", "code": 405, "body": "Method Not Allowed"}, "HTTP 405", False),
        ({"kind": "status", "code": 200, "body": "[" * 50_000}, "not JSON", True),
        ({"kind": "status", "code": 500, "body": {"status": False, "reason": "x"}}, "HTTP 500", True),
    ],
)
def test_response_without_a_valid_answer_is_an_error(
    sandbox: Sandbox, fault: dict[str, t.Any], words: str, may_be_applied: bool
) -> None:
    sandbox.fault(path=UPDATE, **fault)
    with pytest.raises(UnexpectedResponseError, match=words) as caught:
        post(sandbox, UPDATE)
    assert caught.value.may_be_applied is may_be_applied


@pytest.mark.parametrize(
    "fault", [{"kind": "html", "code": 200}, {"kind": "empty"}, {"kind": "list"}, {"kind": "truncated"}]
)
def test_read_with_an_empty_response_is_repeated_once(sandbox: Sandbox, fault: dict[str, t.Any]) -> None:
    sandbox.fault(path=LIST, **fault)
    assert post(sandbox).body["status"] is True
    sandbox.fault(path=LIST, **{**fault, "times": 2})
    with pytest.raises(UnexpectedResponseError):
        post(sandbox)
    sandbox.fault(path=LIST, **fault)
    with pytest.raises(UnexpectedResponseError):
        post(sandbox, retries=0)


def test_not_found_page_is_not_read_again(sandbox: Sandbox) -> None:
    sandbox.fault("html", path=LIST, code=404)
    with pytest.raises(UnexpectedResponseError):
        post(sandbox)


def test_response_that_breaks_the_library_may_be_applied(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    class Choking:
        def __setattr__(self, name: str, value: t.Any) -> None:
            if name == "raw":
                value.close()
                raise ValueError("what is this")

    with monkeypatch.context() as patched:
        patched.setattr("requests.Response", Choking)
        with pytest.raises(ResponseLostError, match="ValueError") as caught:
            post(sandbox, UPDATE)
    assert caught.value.may_be_applied and tries(sandbox, UPDATE) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_is_named_and_never_followed(sandbox: Sandbox, code: int) -> None:
    sandbox.fault("redirect", path=LIST, code=code, location=f"{sandbox.sink_url('thief')}?x=s3cret")
    with pytest.raises(UnexpectedResponseError, match="redirect to http://127.0.0.1:") as caught:
        post(sandbox)
    assert "s3cret" not in str(caught.value)
    assert sandbox.sink("thief") == []


@pytest.mark.parametrize("location", ["http://[", "//[x", "https://user:s3cret@h.example.com/", ""])
def test_invalid_redirect_is_an_error(sandbox: Sandbox, location: str) -> None:
    sandbox.fault("redirect", path=LIST, location=location)
    with pytest.raises(UnexpectedResponseError, match="redirect") as caught:
        post(sandbox)
    assert "s3cret" not in str(caught.value)


# Independence of the machine


def test_settings_of_the_machine_do_not_change_the_request(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password taken\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "none"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(sandbox).body["status"] is True
    assert sandbox.journal()[-1]["token"] == sandbox.account_token


def test_proxies_come_from_the_environment_and_never_apply_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    assert environment_proxies("https://api.fonnte.com")["https"] == "http://proxy.example.com:3128"
    assert environment_proxies("https://127.0.0.1:8900") == {}
    monkeypatch.setenv("no_proxy", "fonnte.com")
    assert environment_proxies("https://api.fonnte.com") == {}


def test_unreachable_proxy_means_not_sent(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(UnreachableError, match="proxy variables"):
        post(sandbox, endpoint="https://api.example.com", retries=0)


class Tunnel(socketserver.StreamRequestHandler):
    """A proxy that forwards everything to one address."""

    def handle(self) -> None:
        # TLS to the proxy itself is refused immediately, as by a real proxy without TLS.
        if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", urlsplit(os.environ["TUNNEL_TO"]).port or 0)) as there:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self._pass_on, args=(there, self.connection))
            back.start()
            self._pass_on(self.connection, there)
            back.join()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for some in iter(lambda: source.recv(65536), b""):
                sink.sendall(some)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


class Proxy(socketserver.ThreadingTCPServer):
    # A persistent connection must not delay the end of the test.
    daemon_threads = True


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Sandbox]:
    """Return a sandbox that is reached through a proxy under any host name."""
    with Sandbox(tls="valid") as sandbox, Proxy(("127.0.0.1", 0), Tunnel) as proxy:
        threading.Thread(target=proxy.serve_forever).start()
        monkeypatch.setenv("TUNNEL_TO", sandbox.url)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_address[1]}")
        try:
            yield sandbox
        finally:
            proxy.shutdown()


def test_sent_state_is_known_behind_a_proxy(proxied: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    far = {"endpoint": "https://api.example.com", "verify": False, "timeout": PATIENT}
    proxied.fault("reset", path=ADD, when="after")
    transport = connect(proxied, **far)
    with pytest.raises(ResponseLostError) as caught:
        transport.request(Request(ADD, proxied.account_token))
    assert caught.value.may_be_applied and tries(proxied, ADD) == 1
    assert transport.request(Request(LIST, proxied.account_token)).body["status"] is True
    transport.close()
    held = Held(monkeypatch)
    late = pytest.raises(UnreachableError, match="no connection was established within 1 s")
    with a_second_for_a_call(monkeypatch), late:
        connect(proxied, **far).request(Request(UPDATE, proxied.account_token))
    held.let_go()
    assert tries(proxied, UPDATE) == 0


@pytest.mark.parametrize("tls", [None, "valid"])
@pytest.mark.parametrize("path", [ADD, UPDATE, DISCONNECT, DELETE, LINK, "/send"])
def test_guard_runs_between_the_connection_and_the_request(
    path: str, tls: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server, a slow network or a handshake may take minutes."""
    opened: list[str] = []
    create = urllib3.util.connection.create_connection

    def connect_late(*args: t.Any, **kwargs: t.Any) -> t.Any:
        connected = create(*args, **kwargs)
        opened.append(path)
        return connected

    def guard() -> None:
        if opened:
            raise FonnteError("the list is too old", "run the playbook again")

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect_late)
    with Sandbox(tls=tls) as sandbox:
        opened.clear()
        transport = connect(sandbox, timeout=PATIENT)
        with pytest.raises(FonnteError, match="the list is too old"):
            transport.request(Request(path, sandbox.account_token, {"device": "628111111111"}, guard=guard))
        assert opened == [path] and sandbox.journal() == []
        # The unused connection is not kept.
        assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
        transport.close()


def test_guard_runs_before_a_request_on_a_reused_connection(sandbox: Sandbox) -> None:
    transport, calls = connect(sandbox), itertools.count(1)

    def guard() -> None:
        if next(calls) == 2:
            raise FonnteError("the list is too old", "run the playbook again")

    transport.request(Request(LIST, sandbox.account_token))
    sandbox.clear_journal()
    with pytest.raises(FonnteError, match="the list is too old"):
        transport.request(Request(DISCONNECT, sandbox.account_token, guard=guard))
    assert sandbox.journal() == []


def test_missing_requests_library_is_reported(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "REQUESTS_MISSING", "ImportError")
    with pytest.raises(MissingLibraryError, match="requests"):
        post(sandbox)


# TLS


@pytest.mark.parametrize(
    ("tls", "words"), [("expired", "expired"), ("wrong-host", "match"), ("self-signed", "self.signed")]
)
def test_invalid_certificate_stops_the_request_before_the_token_is_sent(
    tls: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(tls=tls) as sandbox:
        with pytest.raises(UnreachableError, match=f"certificate was refused.*{words}"):
            waits = Clock(monkeypatch).waits
            post(sandbox, ADD, ca_path=sandbox.ca if tls != "self-signed" else None)
        # No retry: the certificate would still be invalid.
        assert sandbox.journal() == [] and waits == []


def test_failed_handshake_has_sent_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(UnreachableError, match="check http or https") as caught:
        post(sandbox, ADD, endpoint=sandbox.url.replace("http://", "https://"))
    assert not caught.value.may_be_applied and sandbox.journal() == []


def test_certificate_of_a_private_authority_needs_ca_path_or_no_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(tls="valid") as sandbox:
        assert post(sandbox).body["status"] is True
        with pytest.raises(UnreachableError, match="certificate was refused.*ca_path"):
            post(sandbox, ca_path=None)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.ca))
        with pytest.raises(UnreachableError, match="certificate was refused"):
            post(sandbox, ca_path=None)
        assert post(sandbox, verify=False, ca_path=None).body["status"] is True


def test_missing_ca_path_is_refused_before_any_request(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Option ca_path"):
        post(sandbox, ca_path=str(tmp_path / "none.pem"))
    assert sandbox.journal() == []


def test_ca_path_that_is_no_regular_file_or_too_large_is_not_read(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read of a pipe would wait for a writer, and an endless file would exhaust the memory."""
    pipe, large = tmp_path / "pipe.pem", tmp_path / "large.pem"
    os.mkfifo(pipe)
    with Sandbox(tls="valid") as other:
        certificate = Path(str(other.ca)).read_bytes()
    with large.open("wb") as stream:
        stream.write(certificate)
        # A sparse file.
        stream.truncate(MAX_INPUT_BYTES + 1)
    with pytest.raises(OptionError, match="Option ca_path: .*it is not a regular file"):
        post(sandbox, ca_path=str(pipe))
    with pytest.raises(OptionError, match="Option ca_path: .*it is larger than 16 MB"):
        post(sandbox, ca_path=str(large))
    assert sandbox.journal() == []


def test_ca_path_is_read_once(tmp_path: Path) -> None:
    """The library would read the file again for each connection, even if it was replaced."""
    with Sandbox(tls="valid") as sandbox:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes("# Autorità\n".encode("latin-1") + Path(str(sandbox.ca)).read_bytes())
        transport = connect(sandbox, ca_path=str(bundle))
        sandbox.fault("close_idle", path=LIST, times=None)
        for _request in range(2):
            assert transport.request(Request(LIST, sandbox.account_token)).body["status"] is True
            bundle.write_text("no certificate")
        transport.close()


def test_ca_path_without_a_certificate_is_refused_before_any_request(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no certificate")
    with pytest.raises(OptionError, match="Option ca_path: it contains no certificates"):
        post(sandbox, ca_path=str(tmp_path / "note.txt"))


@pytest.mark.parametrize("host", ["a..example.com", "a" * 64 + ".example.com"])
def test_impossible_host_name_is_an_error(sandbox: Sandbox, host: str) -> None:
    with pytest.raises(UnreachableError, match="cannot be reached"):
        post(sandbox, endpoint=f"https://{host}", retries=0)
