# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The receiver check: one POST request to the URL of a webhook, like the one that Fonnte may send when it is saved.

A URL may come from a stranger, for example from a pull request, and this machine may reach hosts that the stranger
cannot. So the address of the host is resolved once, checked, and pinned: the connection goes to the checked address.
Redirects, proxies and retries do not exist, and only the status line of the response is interpreted.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import enum
import re
import socket
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from .._device.addresses import Reach, address_reach
from .deadline import Attempt, DeadlineExceeded, run_with_deadline
from .watchdog import Watchdog

# Seconds for the whole exchange, with the DNS lookup. The limit of Fonnte is unknown.
MAX_SECONDS = 10.0
# A host may have many addresses; each attempt to connect takes a share of the time.
MAX_ADDRESSES = 4
# Bytes of a response: informational responses may precede the status line.
MAX_RECEIVED_BYTES = 64 * 1024
MAX_CONCURRENT = 32
# The JSON object that Fonnte may post when a webhook is saved has only the device's number. The number belongs to a
# person, so this request has none.
BODY = b'{"device": ""}'

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?")
_END_OF_HEADERS = re.compile(rb"(?:^|\n)\r?\n")
_LONGEST_STATUS_LINE = 8 * 1024


class Outcome(enum.Enum):
    """The outcome of a check."""

    OK = "ok"
    STATUS = "status"
    REDIRECT = "redirect"
    TLS = "tls"
    SLOW = "slow"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class Detail(enum.Enum):
    """The reason for an outcome, where an outcome has several."""

    NONE = ""
    # Of REFUSED.
    PRIVATE = "private"
    RESERVED = "reserved"
    # Of UNREACHABLE.
    NAME = "name"
    NO_CONNECTION = "no_connection"
    CLOSED = "closed"
    NOT_HTTP = "not_http"
    # Of TLS.
    EXPIRED = "expired"
    WRONG_HOST = "wrong_host"
    UNTRUSTED = "untrusted"
    HANDSHAKE = "handshake"


@dataclass(frozen=True)
class ReceiverCheck:
    """The result of a check.

    Attributes:
        outcome: The outcome.
        status: The HTTP status of the response; None without one.
        detail: The reason for the outcome.
    """

    outcome: Outcome
    status: int | None = None
    detail: Detail = Detail.NONE


# An entry of socket.getaddrinfo: family, type, protocol, canonical name, and the address.
Address = t.Tuple[t.Any, t.Any, int, str, t.Tuple[t.Any, ...]]


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a host, from one lookup."""
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def connect(address: Address, seconds: float) -> socket.socket:
    """Return a socket that is connected to a numeric address, so that no second lookup occurs."""
    family, kind, protocol, _name, place = address
    opened = socket.socket(family, kind, protocol)
    try:
        opened.settimeout(seconds)
        opened.connect(place)
    except BaseException:
        opened.close()
        raise
    return opened


@dataclass(frozen=True)
class Network:
    """The network and the limits of a check.

    Attributes:
        authorities: The file with the certificate authorities that Fonnte presumably trusts: those of the public.
        allow_private: Whether a host may be this machine or in a private network.
        seconds: The limit for one check.
        resolve: Returns the addresses of a host and port.
        connect: Connects to one of them within a number of seconds.
        clock: Returns the time on the monotonic clock, in seconds.
    """

    authorities: str
    allow_private: bool = False
    seconds: float = MAX_SECONDS
    resolve: t.Callable[[str, int], list[Address]] = resolve
    connect: t.Callable[[Address, float], socket.socket] = connect
    clock: t.Callable[[], float] = time.monotonic


class _Failed(Exception):
    """A check has ended without a status."""

    def __init__(self, outcome: Outcome, detail: Detail = Detail.NONE) -> None:
        super().__init__(outcome.value)
        self.result = ReceiverCheck(outcome, None, detail)


def check_receivers(
    urls: t.Iterable[str], network: Network, concurrency: int, guard: t.Callable[[], None] = lambda: None
) -> dict[str, ReceiverCheck]:
    """Check each URL once, and return the results by URL.

    Args:
        urls: The URLs, which may occur several times.
        network: The network and the limits.
        concurrency: The number of simultaneous checks, limited to MAX_CONCURRENT.
        guard: Called before each check; raises an error to end the run.
    """
    distinct = list(dict.fromkeys(urls))
    stopped = threading.Event()

    def check(url: str) -> ReceiverCheck | None:
        if stopped.is_set():
            return None
        guard()
        return check_receiver(url, network)

    pool = concurrent.futures.ThreadPoolExecutor(max(1, min(concurrency, MAX_CONCURRENT)))
    try:
        results = list(pool.map(check, distinct))
    finally:
        stopped.set()
        pool.shutdown()
    return {url: result for url, result in zip(distinct, results) if result is not None}


def check_receiver(url: str, network: Network) -> ReceiverCheck:
    """Send one POST request to a URL, and return the outcome. Raises no error of the network."""
    parts = urlsplit(url)
    attempt = Attempt(network.clock() + network.seconds, network.clock)
    try:
        with _connected(parts, network, attempt) as opened, _shut_at_end(opened, attempt):
            encrypted = parts.scheme.lower() != "http"
            with _encrypted(opened, parts, network, attempt) if encrypted else contextlib.nullcontext(opened) as used:
                status = _exchange(used, _request(parts), attempt)
    except _Failed as failure:
        return failure.result
    except DeadlineExceeded:
        return ReceiverCheck(Outcome.SLOW)
    if status == 200:
        return ReceiverCheck(Outcome.OK, status)
    return ReceiverCheck(Outcome.REDIRECT if 300 <= status < 400 else Outcome.STATUS, status)


def _connected(parts: SplitResult, network: Network, attempt: Attempt) -> socket.socket:
    """Return a connection to the host of a URL."""
    addresses = _pinned(parts, network, attempt)
    opened = None
    for place, address in enumerate(addresses):
        try:
            opened = network.connect(address, attempt.time_left() / (len(addresses) - place))
            break
        except (OSError, DeadlineExceeded):
            continue
    if opened is None:
        raise _Failed(Outcome.UNREACHABLE, Detail.NO_CONNECTION)
    return opened


@contextlib.contextmanager
def _shut_at_end(opened: socket.socket, attempt: Attempt) -> t.Iterator[None]:
    """Shut a connection down when the time is over."""
    watchdog = Watchdog()
    try:
        with watchdog.limit(opened, attempt):
            yield
    finally:
        watchdog.close()


def _pinned(parts: SplitResult, network: Network, attempt: Attempt) -> list[Address]:
    """Return the checked addresses of a host. One that is not permitted refuses all: an honest host has none."""
    host, port = parts.hostname or "", parts.port or (80 if parts.scheme.lower() == "http" else 443)
    try:
        found = run_with_deadline(attempt, lambda: network.resolve(host, port), lambda: None)
    except (OSError, UnicodeError, DeadlineExceeded):
        raise _Failed(Outcome.UNREACHABLE, Detail.NAME) from None
    addresses = [address for address in found if address[0] in (socket.AF_INET, socket.AF_INET6)]
    reaches = {address_reach(str(address[4][0])) for address in addresses}
    if Reach.RESERVED in reaches:
        raise _Failed(Outcome.REFUSED, Detail.RESERVED)
    if Reach.PRIVATE in reaches and not network.allow_private:
        raise _Failed(Outcome.REFUSED, Detail.PRIVATE)
    return addresses[:MAX_ADDRESSES]


# The codes of OpenSSL for a certificate that is not accepted.
_CERTIFICATE: t.Mapping[int, Detail] = {
    10: Detail.EXPIRED,
    18: Detail.UNTRUSTED,
    19: Detail.UNTRUSTED,
    20: Detail.UNTRUSTED,
    21: Detail.UNTRUSTED,
    62: Detail.WRONG_HOST,
    64: Detail.WRONG_HOST,
}


def _encrypted(opened: socket.socket, parts: SplitResult, network: Network, attempt: Attempt) -> socket.socket:
    """Return the connection with TLS. The certificate must be that of the host's name, not of its address.

    The context is created without ``ssl.create_default_context``, which reads variables of the environment.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(network.authorities)
    context.set_alpn_protocols(["http/1.1"])
    try:
        opened.settimeout(attempt.time_left())
        return context.wrap_socket(opened, server_hostname=(parts.hostname or "").rstrip("."))
    except BaseException as fault:
        opened.close()
        if isinstance(fault, (socket.timeout, DeadlineExceeded)) or _is_over(attempt):
            raise _Failed(Outcome.SLOW) from None
        if isinstance(fault, ssl.SSLCertVerificationError):
            raise _Failed(Outcome.TLS, _CERTIFICATE.get(fault.verify_code, Detail.HANDSHAKE)) from None
        # A host that ssl cannot check is a ValueError.
        if isinstance(fault, (OSError, ValueError)):
            raise _Failed(Outcome.TLS, Detail.HANDSHAKE) from None
        raise


def _request(parts: SplitResult) -> bytes:
    """Return the request. The URL was validated, so it contains no space and no control character."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "User-Agent: fonnte.whatsapp",
        "Accept: */*",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        "Connection: close",
    ]
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        lines.append(f"Authorization: Basic {base64.b64encode(login).decode('ascii')}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + BODY


def _exchange(opened: socket.socket, request: bytes, attempt: Attempt) -> int:
    """Send the request, and return the status of its response. The body is not read."""
    received = b""
    try:
        opened.settimeout(attempt.time_left())
        opened.sendall(request)
        while True:
            status = parse_status(received)
            if status is not None:
                return status
            opened.settimeout(attempt.time_left())
            part = opened.recv(MAX_RECEIVED_BYTES - len(received))
            if not part:
                attempt.time_left()
                raise _Failed(Outcome.UNREACHABLE, Detail.NOT_HTTP if received else Detail.CLOSED)
            received += part
    except (socket.timeout, DeadlineExceeded):
        raise _Failed(Outcome.SLOW) from None
    except NotHttpError:
        raise _Failed(Outcome.UNREACHABLE, Detail.NOT_HTTP) from None
    except OSError:
        raise _Failed(*((Outcome.SLOW,) if _is_over(attempt) else (Outcome.UNREACHABLE, Detail.CLOSED))) from None


def _is_over(attempt: Attempt) -> bool:
    try:
        attempt.time_left()
    except DeadlineExceeded:
        return True
    return False


class NotHttpError(Exception):
    """A response is not HTTP/1, or its beginning is too long."""


def parse_status(received: bytes) -> int | None:
    """Return the status in the beginning of a response; None if more bytes are necessary.

    Informational responses before it are skipped.

    Raises:
        NotHttpError: It is not a response of HTTP/1, or its status line or the bytes before it exceed a limit.
    """
    rest = received
    while True:
        line, ended, after = rest.partition(b"\n")
        if not ended:
            prefix = b"HTTP/1."
            if rest[: len(prefix)] != prefix[: len(rest)] or len(rest) > _LONGEST_STATUS_LINE:
                raise NotHttpError
            break
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise NotHttpError
        status = int(found.group(1))
        if status >= 200 or status == 101:
            return status
        end = _END_OF_HEADERS.search(after)
        if end is None:
            break
        rest = after[end.end() :]
    if len(received) >= MAX_RECEIVED_BYTES:
        raise NotHttpError
    return None
