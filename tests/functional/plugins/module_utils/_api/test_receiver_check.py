# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The receiver check against real servers: its request, its outcomes, and hosts that it must not reach."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import typing as t
from pathlib import Path

import pytest
import trustme

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.http_session import public_authorities
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.receiver_check import (
    MAX_ADDRESSES,
    MAX_CONCURRENT,
    Address,
    Detail,
    Network,
    Outcome,
    ReceiverCheck,
    check_receiver,
    check_receivers,
    connect,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox import tls

# A check ends before: it decides no test, it only ends one that would hang.
ENOUGH = 20.0
SHORT = 0.5
PUBLIC, PUBLIC_TOO, V6 = "93.184.216.34", "1.1.1.1", "2606:4700::1"
HOST = "hooks.example.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Serve = t.Callable[[socket.socket], None]


class Server:
    """A server on a free port of this machine, which runs a function for each connection.

    Attributes:
        port: Its port.
        requests: The bytes of each request up to the end of its body.
        names: The host name of each TLS connection.
    """

    def __init__(self, serve: Serve | None = None, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self._serve = serve or self._respond
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.ended = threading.Event()
        if context is not None:
            context.sni_callback = lambda _opened, name, _context: self.names.append(name)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _peer = self._socket.accept()
                threading.Thread(target=self._one, args=(opened,), daemon=True).start()

    def _one(self, opened: socket.socket) -> None:
        with contextlib.suppress(OSError), opened:
            opened.settimeout(ENOUGH)
            if self._context is None:
                self._serve(opened)
                return
            with self._context.wrap_socket(opened, server_side=True) as encrypted:
                self._serve(encrypted)

    def read(self, opened: socket.socket) -> None:
        """Read a request with a body of a known length."""
        request = b""
        while b'{"device": ""}' not in request:
            request += opened.recv(4096) or b'{"device": ""}'
        self.requests.append(request)

    def _respond(self, opened: socket.socket) -> None:
        self.read(opened)
        opened.sendall(OK)

    def close(self) -> None:
        """Stop the server, and end the connections that wait for that."""
        self.ended.set()
        self._socket.close()


@pytest.fixture
def start() -> t.Iterator[t.Callable[..., Server]]:
    """Return a function that starts a server, which is stopped after the test."""
    with contextlib.ExitStack() as stack:

        def begin(serve: Serve | None = None, context: ssl.SSLContext | None = None) -> Server:
            server = Server(serve, context)
            stack.callback(server.close)
            return server

        yield begin


def sends(*parts: bytes) -> Serve:
    """Return a function that sends some bytes after any request, and closes the connection."""

    def serve(opened: socket.socket) -> None:
        opened.recv(4096)
        for part in parts:
            opened.sendall(part)

    return serve


def network(**changes: t.Any) -> Network:
    return Network(**{"authorities": "", "allow_private": True, "seconds": ENOUGH, **changes})


def checked(server: Server, path: str = "/hook", **changes: t.Any) -> ReceiverCheck:
    return check_receiver(f"http://127.0.0.1:{server.port}{path}", network(**changes))


def addresses(*hosts: str) -> list[Address]:
    """Return addresses as getaddrinfo does."""
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (host, 443, 0, 0))
        if ":" in host
        else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443))
        for host in hosts
    ]


class Dns:
    """A resolver with an answer for each lookup; the last one is repeated. Connections to its addresses go to a server."""

    def __init__(self, *answers: list[Address], server: Server | None = None) -> None:
        self._answers = list(answers)
        self._server = server
        self.lookups: list[tuple[str, int]] = []
        self.connections: list[str] = []

    def resolve(self, host: str, port: int) -> list[Address]:
        self.lookups.append((host, port))
        return self._answers[min(len(self.lookups), len(self._answers)) - 1]

    def connect(self, address: Address, seconds: float) -> socket.socket:
        self.connections.append(address[4][0])
        if self._server is None:
            raise ConnectionRefusedError
        here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self._server.port))
        return connect(here, seconds)

    def network(self, **changes: t.Any) -> Network:
        return network(**{"allow_private": False, "resolve": self.resolve, "connect": self.connect, **changes})


# --- the request --------------------------------------------------------------------------------------------------


def test_request_is_one_post_without_a_number(start: t.Callable[..., Server]) -> None:
    server = start()
    url = f"http://127.0.0.1:{server.port}/hook/s3cret?key=a%20b&device=#fragment"
    assert check_receiver(url, network()) == ReceiverCheck(Outcome.OK, 200)
    (request,) = server.requests
    assert request.decode() == (
        "POST /hook/s3cret?key=a%20b&device= HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{server.port}\r\n"
        "User-Agent: fonnte.whatsapp\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/json\r\n"
        "Content-Length: 14\r\n"
        "Connection: close\r\n"
        "\r\n"
        '{"device": ""}'
    )


def test_user_of_a_url_is_sent_as_other_clients_do(start: t.Callable[..., Server]) -> None:
    server = start()
    check_receiver(f"http://us%65r:p%40ss@127.0.0.1:{server.port}", network())
    (request,) = server.requests
    assert request.startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Basic dXNlcjpwQHNz\r\n" in request and b"p%40ss" not in request


# --- the outcomes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.OK),
        (101, Outcome.STATUS),
        (204, Outcome.STATUS),
        (301, Outcome.REDIRECT),
        (302, Outcome.REDIRECT),
        (307, Outcome.REDIRECT),
        (404, Outcome.STATUS),
        (500, Outcome.STATUS),
        (503, Outcome.STATUS),
    ],
)
def test_status_decides_and_nothing_is_repeated_or_followed(
    start: t.Callable[..., Server], status: int, outcome: Outcome
) -> None:
    target = start()

    def serve(opened: socket.socket) -> None:
        server.read(opened)
        opened.sendall(
            f"HTTP/1.1 {status} Any reason\r\nLocation: http://127.0.0.1:{target.port}/\r\nRetry-After: 0\r\n\r\n".encode()
        )

    server = start(serve)
    assert checked(server) == ReceiverCheck(outcome, status)
    assert len(server.requests) == 1 and target.requests == []


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.0 200\r\n"),
        tuple(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\n"),
    ],
)
def test_status_after_informational_responses_and_in_pieces(
    start: t.Callable[..., Server], parts: tuple[bytes, ...]
) -> None:
    assert checked(start(sends(*parts))) == ReceiverCheck(Outcome.OK, 200)


def test_endless_body_is_not_read(start: t.Callable[..., Server]) -> None:
    def serve(opened: socket.socket) -> None:
        opened.recv(4096)
        opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.ended.is_set():
            opened.sendall(b"x" * 65536)

    server = start(serve)
    assert checked(server) == ReceiverCheck(Outcome.OK, 200)


def _reset(opened: socket.socket) -> None:
    opened.recv(4096)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("serve", "detail"),
    [
        (sends(b""), Detail.CLOSED),
        (_reset, Detail.CLOSED),
        (sends(b"HTTP/1.1 2"), Detail.NOT_HTTP),
        (sends(b"SSH-2.0-OpenSSH_9.6\r\n"), Detail.NOT_HTTP),
        (sends(b"HTTP/2 200\r\n\r\n"), Detail.NOT_HTTP),
        (sends(b"HTTP/1.1 200OK\r\n\r\n"), Detail.NOT_HTTP),
        (sends(b"HTTP/1.1 " + b"9" * 100_000), Detail.NOT_HTTP),
        (sends(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 10_000), Detail.NOT_HTTP),
        (sends(b"HTTP/1.1 100 Continue\r\n" + b"x: y\r\n" * 100_000), Detail.NOT_HTTP),
    ],
)
def test_no_http_response_is_unreachable(start: t.Callable[..., Server], serve: Serve, detail: Detail) -> None:
    assert checked(start(serve)) == ReceiverCheck(Outcome.UNREACHABLE, None, detail)


def test_closed_port_is_unreachable(start: t.Callable[..., Server]) -> None:
    server = start()
    server.close()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as bound:
        port = bound.getsockname()[1]
    result = check_receiver(f"http://127.0.0.1:{port}/", network())
    assert result == ReceiverCheck(Outcome.UNREACHABLE, None, Detail.NO_CONNECTION)


def _is_silent(server_of: t.Callable[[], Server]) -> Serve:
    def serve(opened: socket.socket) -> None:
        server_of().ended.wait(ENOUGH)

    return serve


def test_silent_receiver_is_slow(start: t.Callable[..., Server]) -> None:
    server = start(_is_silent(lambda: server))
    assert checked(server, seconds=SHORT) == ReceiverCheck(Outcome.SLOW)
    # It accepts the connection, and never begins with TLS.
    url = f"https://127.0.0.1:{server.port}/"
    assert check_receiver(url, network(seconds=SHORT, authorities=public_authorities())) == ReceiverCheck(Outcome.SLOW)


def test_limit_applies_to_the_whole_exchange(start: t.Callable[..., Server]) -> None:
    def serve(opened: socket.socket) -> None:
        """Send a byte of a header again and again: each receive is fast, and the response has no end."""
        opened.sendall(b"HTTP/1.1 100 Continue\r\n")
        while not server.ended.wait(SHORT / 10):
            opened.sendall(b"x")

    server = start(serve)
    assert checked(server, seconds=SHORT) == ReceiverCheck(Outcome.SLOW)


def test_handshake_without_an_end_is_slow(start: t.Callable[..., Server]) -> None:
    """OpenSSL ignores each HelloRequest inside one call, in which no timeout of the socket applies."""
    hello_requests = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 10_000

    def serve(opened: socket.socket) -> None:
        opened.recv(4096)
        while not server.ended.is_set():
            opened.sendall(hello_requests)

    server = start(serve)
    # Without the limit, the check ends only with the server.
    threading.Timer(ENOUGH, server.close).start()
    url = f"https://127.0.0.1:{server.port}/"
    found = check_receiver(url, network(seconds=SHORT, authorities=public_authorities()))
    assert found == ReceiverCheck(Outcome.SLOW) and not server.ended.is_set()


def test_lookup_without_an_end_is_unreachable() -> None:
    ended = threading.Event()

    def resolve(host: str, port: int) -> list[Address]:
        ended.wait(ENOUGH)
        return []

    result = check_receiver(f"https://{HOST}/", network(resolve=resolve, seconds=SHORT))
    ended.set()
    assert result == ReceiverCheck(Outcome.UNREACHABLE, None, Detail.NAME)


@pytest.mark.parametrize("fault", [socket.gaierror(-2, "no name"), UnicodeError("label too long"), OSError("x")])
def test_name_without_an_address_is_unreachable(fault: Exception) -> None:
    def resolve(host: str, port: int) -> list[Address]:
        raise fault

    result = check_receiver(f"https://{HOST}/", network(resolve=resolve))
    assert result == ReceiverCheck(Outcome.UNREACHABLE, None, Detail.NAME)


# --- TLS ----------------------------------------------------------------------------------------------------------


def test_certificate_must_be_that_of_the_name_and_not_of_the_address(
    start: t.Callable[..., Server], tmp_path: Path
) -> None:
    made = tls.make("valid", HOST, tmp_path)
    server = start(None, made.context)
    dns = Dns(addresses(PUBLIC), server=server)
    assert check_receiver(f"https://{HOST}/hook", dns.network(authorities=str(made.ca))) == ReceiverCheck(
        Outcome.OK, 200
    )
    assert server.names == [HOST] and dns.lookups == [(HOST, 443)] and dns.connections == [PUBLIC]
    assert b"\r\nHost: hooks.example.com\r\n" in server.requests[0]
    # A root dot is no part of the name in a certificate.
    dotted = check_receiver(f"https://{HOST}.:8443/", dns.network(authorities=str(made.ca)))
    assert dotted.outcome is Outcome.OK and server.names[-1] == HOST and dns.lookups[-1] == (f"{HOST}.", 8443)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("self-signed", Detail.UNTRUSTED), ("wrong-host", Detail.WRONG_HOST), ("expired", Detail.EXPIRED)],
)
def test_certificate_with_a_defect(start: t.Callable[..., Server], tmp_path: Path, kind: str, detail: Detail) -> None:
    made = tls.make(kind, HOST, tmp_path)
    server = start(None, made.context)
    dns = Dns(addresses(PUBLIC), server=server)
    result = check_receiver(f"https://{HOST}/", dns.network(authorities=str(made.ca)))
    assert result == ReceiverCheck(Outcome.TLS, None, detail) and server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_certificate_of_an_address(start: t.Callable[..., Server], tmp_path: Path, host: str) -> None:
    made = tls.make("valid", "127.0.0.1", tmp_path)
    server = start(None, made.context)
    result = check_receiver(f"https://{host}:{server.port}/", network(authorities=str(made.ca)))
    assert result == ReceiverCheck(Outcome.OK, 200)


def test_plain_http_behind_an_https_url(start: t.Callable[..., Server], tmp_path: Path) -> None:
    made = tls.make("valid", "127.0.0.1", tmp_path)
    server = start(sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    result = check_receiver(f"https://127.0.0.1:{server.port}/", network(authorities=str(made.ca)))
    assert result == ReceiverCheck(Outcome.TLS, None, Detail.HANDSHAKE)


def test_environment_has_no_effect(
    start: t.Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tls.make("valid", "127.0.0.1", tmp_path)
    proxy, server = start(), start(None, made.context)
    foreign = tmp_path / "foreign.pem"
    trustme.CA().cert_pem.write_to_path(foreign)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(made.ca))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    url = f"https://127.0.0.1:{server.port}/"
    assert check_receiver(url, network(authorities=str(made.ca))).outcome is Outcome.OK
    assert check_receiver(url, network(authorities=str(foreign))).detail is Detail.UNTRUSTED
    assert proxy.requests == [] and not (tmp_path / "keys").exists()


# --- hosts that must not be reached -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]"]
)
def test_this_machine_gets_no_request_in_any_spelling(start: t.Callable[..., Server], host: str) -> None:
    server = start()
    connections: list[Address] = []

    def refuse(address: Address, seconds: float) -> socket.socket:
        connections.append(address)
        raise OSError

    result = check_receiver(f"http://{host}:{server.port}/", network(allow_private=False, connect=refuse))
    assert result == ReceiverCheck(Outcome.REFUSED, None, Detail.PRIVATE) and connections == []


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize(
    ("found", "detail"),
    [
        (("10.0.0.1",), Detail.PRIVATE),
        ((PUBLIC, "192.168.1.1"), Detail.PRIVATE),
        ((V6, "::ffff:10.0.0.1"), Detail.PRIVATE),
        (("64:ff9b::a00:1",), Detail.PRIVATE),
        (("fd00::1",), Detail.PRIVATE),
        (("169.254.169.254",), Detail.RESERVED),
        ((PUBLIC, "10.0.0.1", "::ffff:169.254.169.254"), Detail.RESERVED),
        (("0.0.0.0",), Detail.RESERVED),
        (("::",), Detail.RESERVED),
        (("fe80::1%eth0",), Detail.RESERVED),
        (("224.0.0.1",), Detail.RESERVED),
    ],
)
def test_name_with_an_internal_address_gets_no_connection(
    found: tuple[str, ...], detail: Detail, allow_private: bool
) -> None:
    dns = Dns(addresses(*found))
    result = check_receiver(f"https://{HOST}/", dns.network(allow_private=allow_private))
    if allow_private and detail is Detail.PRIVATE:
        assert dns.connections and result.detail is Detail.NO_CONNECTION
    else:
        assert result == ReceiverCheck(Outcome.REFUSED, None, detail) and dns.connections == []


def test_rebound_name_is_resolved_once_and_the_checked_address_is_used(
    start: t.Callable[..., Server], tmp_path: Path
) -> None:
    """The second lookup of the name would return an internal address, and the public one refuses the first connection."""
    made = tls.make("valid", HOST, tmp_path)
    server = start(None, made.context)
    dns = Dns(addresses(PUBLIC), addresses("127.0.0.1"), server=server)
    result = check_receiver(f"https://{HOST}/", dns.network(authorities=str(made.ca)))
    assert result.outcome is Outcome.OK and dns.lookups == [(HOST, 443)] and dns.connections == [PUBLIC]
    failing = Dns(addresses(PUBLIC), addresses("127.0.0.1"))
    assert check_receiver(f"https://{HOST}/", failing.network()).outcome is Outcome.UNREACHABLE
    assert failing.lookups == [(HOST, 443)] and failing.connections == [PUBLIC]


def test_next_address_is_used_if_one_cannot_be_reached(start: t.Callable[..., Server]) -> None:
    server = start()
    dns = Dns(addresses(V6, PUBLIC, PUBLIC_TOO), server=server)

    def second_only(address: Address, seconds: float) -> socket.socket:
        if address[4][0] == V6:
            raise OSError("the network is unreachable")
        return dns.connect(address, seconds)

    result = check_receiver(f"http://{HOST}/", dns.network(connect=second_only))
    assert result.outcome is Outcome.OK and dns.connections == [PUBLIC] and len(server.requests) == 1


def test_number_of_attempts_to_connect_is_limited() -> None:
    dns = Dns(addresses(*[PUBLIC] * 500))
    assert check_receiver(f"http://{HOST}/", dns.network()).detail is Detail.NO_CONNECTION
    assert len(dns.connections) == MAX_ADDRESSES


# --- several receivers --------------------------------------------------------------------------------------------


def test_each_url_is_checked_once(start: t.Callable[..., Server]) -> None:
    server = start()
    one, two = (f"http://127.0.0.1:{server.port}/{name}" for name in ("one", "two"))
    results = check_receivers([one, two, one, two, one], network(), 4)
    assert list(results) == [one, two] and all(result.outcome is Outcome.OK for result in results.values())
    assert sorted(request.split()[1] for request in server.requests) == [b"/one", b"/two"]


@pytest.mark.parametrize("concurrency", [1, 3, 1000])
def test_concurrency_is_limited(concurrency: int) -> None:
    limit = min(concurrency, MAX_CONCURRENT)
    active, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(limit)

    def resolve(host: str, port: int) -> list[Address]:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        # All checks that may run at the same time do.
        full.wait(ENOUGH)
        with lock:
            active -= 1
        raise OSError

    urls = [f"http://{HOST}/{place}" for place in range(3 * limit)]
    assert len(check_receivers(urls, network(resolve=resolve), concurrency)) == len(urls)
    assert most == limit


def test_guard_ends_the_run_before_the_next_request(start: t.Callable[..., Server]) -> None:
    server = start()
    urls = [f"http://127.0.0.1:{server.port}/{place}" for place in range(5)]
    calls = 0

    def guard() -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise RuntimeError("the run has ended")

    with pytest.raises(RuntimeError, match="the run has ended"):
        check_receivers(urls, network(), 1, guard)
    assert len(server.requests) == 2
