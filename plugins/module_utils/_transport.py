# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""HTTP: what is sent, what is sent again, and when a call ends.

Nothing of the machine changes what is sent: no .netrc, no REQUESTS_CA_BUNDLE, no proxy of the system.
Proxies come from the environment's ``*_proxy`` variables only, and never apply to loopback.
"""

from __future__ import annotations

import ipaddress
import json
import os
import queue
import ssl
import threading
import time
import traceback
import typing as t
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from ._errors import (
    BusyError,
    MissingLibraryError,
    OptionError,
    UnansweredError,
    UnreachableError,
    UnreadableError,
)
from ._redact import bare_host
from ._retry import BACKOFF_SECONDS, BUSY, BoundedRetry, Gate

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
except ImportError:
    REQUESTS_MISSING = traceback.format_exc()
else:
    REQUESTS_MISSING = ""

LARGEST_BODY = 32 * 1024 * 1024
CHUNK = 64 * 1024
# A whole call, all its tries included, ends after this many times api_timeout.
CALL_TIMEOUTS = 10

_TRY_LATER = "run the play again later"
_CHECK_NETWORK = "check api_endpoint, the network and the proxy variables of the environment"
_CHECK_CERTIFICATE = "check api_endpoint, or name the authority that signed it with ca_path"
# The start of a private-looking body is no help and may hold anything: only its kind is told.
_NO_ANSWER = "a proxy or a maintenance page may stand in front of the service: run the play again later"


@dataclass(frozen=True)
class Connection:
    """How the service is reached. Times are in seconds.

    Attributes:
        pool_size: How many calls at a time, in however many threads, and so how many connections.
    """

    endpoint: str
    timeout: float
    retries: int
    longest_delay: float
    verify: bool
    ca_path: str | None
    pool_size: int = 4


@dataclass(frozen=True)
class Policy:
    """Which failed tries of a call may be followed by another."""

    after_broken_replies: bool
    statuses: frozenset[int]


READ = Policy(True, frozenset({429, 500, 502, 503, 504}))
# A 429 says that the call was not carried out.
WRITE = Policy(False, frozenset({429}))
# Sent again only when no request can have reached the service.
ONCE = Policy(False, frozenset())

POLICIES: dict[str, Policy] = {
    "/get-devices": READ,
    "/device": READ,
    "/update-device": WRITE,
    "/disconnect": WRITE,
    "/add-device": ONCE,
    "/delete-device": ONCE,
}


@dataclass(frozen=True)
class Reply:
    """A reply that is one JSON object: the service's own words, or its like."""

    status: int
    body: dict[str, t.Any]


def check_endpoint(endpoint: str) -> str:
    """Return the endpoint without a trailing slash.

    Raises:
        OptionError: It is not a URL to which a token may be sent.
    """
    option = "api_endpoint"
    try:
        parts = urlsplit(endpoint)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise OptionError(option, "it is not an http:// or https:// URL", "leave it out to use https://api.fonnte.com")
    if parts.username is not None or "?" in endpoint or "#" in endpoint:
        raise OptionError(option, "it has a user name, a query or a fragment", "give scheme, host, port and path only")
    if parts.scheme == "http" and not is_loopback(host):
        raise OptionError(option, f"plain http to {host} would show the token to the network", "use https://")
    return endpoint.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host name can only be this machine: no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def environment_proxies(url: str) -> dict[str, str]:
    """Return the proxies for a URL as ``requests`` takes them, from the environment's variables alone."""
    host = urlsplit(url).hostname or ""
    # The type stubs do not know the function that reads no_proxy from the environment alone.
    library: t.Any = urllib.request
    if is_loopback(host) or library.proxy_bypass_environment(host):
        return {}
    return urllib.request.getproxies_environment()


def _authorization(token: str) -> t.Callable[[t.Any], t.Any]:
    """Return what sets the header at the last moment: as a plain header it could be replaced by a .netrc entry."""

    def sign(request: t.Any) -> t.Any:
        request.headers["Authorization"] = token
        return request

    return sign


class Transport:
    """Posts forms to one endpoint over kept-alive connections."""

    def __init__(self, connection: Connection) -> None:
        if REQUESTS_MISSING:
            raise MissingLibraryError("requests", REQUESTS_MISSING)
        if not hasattr(BoundedRetry, "DEFAULT_ALLOWED_METHODS"):
            raise MissingLibraryError("urllib3 >= 1.26", "An older one is installed.")
        if connection.ca_path is not None:
            _check_authorities(connection.ca_path)
        self._connection = connection
        self._proxies = environment_proxies(connection.endpoint)
        self._gate = Gate()
        self._slots = threading.BoundedSemaphore(connection.pool_size)
        self._session = self._open()

    def _open(self) -> t.Any:
        session: t.Any = requests.Session()
        session.trust_env = False
        # Redirects are not followed, and where they lead is not even worked out: nonsense there raises.
        session.get_redirect_target = lambda response: None
        # A compressed body could be small on the wire and huge here.
        session.headers.update(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "fonnte.whatsapp"}
        )
        size = self._connection.pool_size
        pools = urllib3.PoolManager(num_pools=size, maxsize=size, block=False)
        for path, policy in POLICIES.items():
            adapter = HTTPAdapter(max_retries=self._retry(policy))
            # A retry policy for each path, connections shared by all.
            adapter.poolmanager = pools
            session.mount(self._connection.endpoint + path, adapter)
        if not self._connection.verify:
            # The module warns in its own words; the library would print to stderr at every call.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return session

    def _retry(self, policy: Policy) -> t.Any:
        return BoundedRetry.make(
            tries=self._connection.retries,
            statuses=policy.statuses,
            after_broken_replies=policy.after_broken_replies,
            longest_delay=self._connection.longest_delay,
            gate=self._gate,
        )

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._session.close()

    def post(self, path: str, token: str, form: t.Mapping[str, str]) -> Reply:
        """Post a form and return the JSON object that came back.

        Raises:
            CallError: No such object came back; the error knows whether the call may have been applied.
        """
        with self._slots:
            self._gate.wait()
            status, headers, body = self._ended(path, token, form)
            if status == BUSY:
                asked = BoundedRetry.seconds(headers.get("Retry-After"))
                self._gate.close(min(asked or BACKOFF_SECONDS, self._connection.longest_delay))
        return _read(path, status, headers, body, self._connection.longest_delay)

    def _ended(self, path: str, token: str, form: t.Mapping[str, str]) -> tuple[int, t.Any, bytes]:
        """Send and read, and end it when its time is up."""
        seconds = self._connection.timeout * CALL_TIMEOUTS
        deadline = time.monotonic() + seconds
        try:
            answer: tuple[int, t.Any, bytes] = _within(seconds, lambda: self._exchange(path, token, form, deadline))
        except _Late:
            # The connection is in an unknown state, and the thread that holds it may live on for a while.
            self.close()
            self._session = self._open()
            raise UnansweredError(
                f"no whole answer came within {seconds:g} s", "run the play again, or raise api_timeout"
            ) from None
        return answer

    def _exchange(self, path: str, token: str, form: t.Mapping[str, str], deadline: float) -> tuple[int, t.Any, bytes]:
        """Send, and read the body; a read whose body breaks off is sent again like any other broken read."""
        policy = POLICIES[path]
        retry = self._retry(policy)
        while True:
            try:
                return self._send(path, token, form, deadline)
            except _BrokenBody as fault:
                if not policy.after_broken_replies or time.monotonic() >= deadline:
                    raise _unanswered(fault) from None
                retry = retry.after_broken_body("POST", path, _unanswered(fault))

    def _send(self, path: str, token: str, form: t.Mapping[str, str], deadline: float) -> tuple[int, t.Any, bytes]:
        connection = self._connection
        try:
            response = self._session.post(
                connection.endpoint + path,
                data=dict(form),
                auth=_authorization(token),
                timeout=(connection.timeout, connection.timeout),
                verify=(connection.ca_path or True) if connection.verify else False,
                proxies=self._proxies,
                allow_redirects=False,
                stream=True,
            )
        except requests.exceptions.RequestException as fault:
            raise _connection_fault(fault) from None
        except (urllib3.exceptions.HTTPError, ValueError) as fault:
            # What fails before a connection is tried, such as a host name that cannot be one, is not wrapped.
            raise UnreachableError(f"the service cannot be reached ({type(fault).__name__})", _CHECK_NETWORK) from None
        try:
            return response.status_code, response.headers, _body(response, deadline)
        finally:
            response.close()


def _check_authorities(path: str) -> None:
    try:
        ssl.create_default_context().load_verify_locations(
            cafile=path if os.path.isfile(path) else None, capath=path if os.path.isdir(path) else None
        )
    except (OSError, TypeError):
        raise OptionError("ca_path", "it holds no certificates in PEM format", "give the path of a CA bundle") from None


class _Late(Exception):
    pass


class _BrokenBody(Exception):
    pass


def _within(seconds: float, work: t.Callable[[], t.Any]) -> t.Any:
    """Return what the work returns, or raise _Late.

    A read timeout alone never ends a reply that trickles, nor a name that is looked up for ever, so the
    work has a thread of its own which is left behind when time is up.
    """
    answers: queue.Queue[tuple[bool, t.Any]] = queue.Queue()

    def run() -> None:
        try:
            answers.put((True, work()))
        except BaseException as fault:  # pylint: disable=broad-except
            answers.put((False, fault))

    threading.Thread(target=run, daemon=True).start()
    try:
        done, answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise _Late from None
    if not done:
        raise answer
    return answer


def _body(response: t.Any, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in response.iter_content(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_BODY:
                raise UnreadableError(f"the reply is larger than {LARGEST_BODY // 2**20} MB", _NO_ANSWER, True)
            if time.monotonic() >= deadline:
                raise _Late
    except requests.exceptions.RequestException as fault:
        raise _BrokenBody(_cause(fault)) from None
    return b"".join(chunks)


def _unanswered(fault: _BrokenBody) -> UnansweredError:
    return UnansweredError(f"the reply broke off ({fault})", "run the play again to see what is there now")


def _chain(fault: BaseException | None) -> t.Iterator[BaseException]:
    """Yield the faults beneath a fault, outermost first: requests and urllib3 wrap each other's."""
    seen: set[int] = set()
    pending = [fault]
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]


def _cause(fault: BaseException) -> str:
    """Return the innermost reason in words that hold no URL, host or token of a request."""
    words = ""
    for link in _chain(fault):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate was refused: {link.verify_message}"
        if isinstance(link, OSError) and link.strerror and not isinstance(link, requests.exceptions.RequestException):
            words = str(link.strerror)
    return words or "no reason is given"


def _connection_fault(fault: t.Any) -> UnreachableError | UnansweredError:
    links = list(_chain(fault))
    never_sent = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        ssl.SSLCertVerificationError,
    )
    if any(isinstance(link, never_sent) for link in links) or isinstance(
        fault, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.InvalidProxyURL)
    ):
        refused = any(isinstance(link, ssl.SSLCertVerificationError) for link in links)
        return UnreachableError(
            f"the service cannot be reached ({_cause(fault)})", _CHECK_CERTIFICATE if refused else _CHECK_NETWORK
        )
    if isinstance(fault, requests.exceptions.Timeout) or any(
        isinstance(link, urllib3.exceptions.ReadTimeoutError) for link in links
    ):
        return UnansweredError("the service did not answer in time", "run the play again, or raise api_timeout")
    advice = "run the play again to see what is there now"
    if any(isinstance(link, ssl.SSLError) for link in links):
        advice = "check http or https, host and port in api_endpoint, then run the play again"
    return UnansweredError(f"the connection broke ({_cause(fault)})", advice)


def _read(path: str, status: int, headers: t.Mapping[str, str], body: bytes, longest_delay: float) -> Reply:
    """Return the JSON object of a reply, or raise what the reply is instead."""
    if status == 429 or (status == 503 and POLICIES[path] is READ and "Retry-After" in headers):
        raise _busy(status, headers, longest_delay)
    if 300 <= status < 400:
        host = bare_host(headers.get("Location", ""))
        where = f"to {host} " if host.startswith("http") and host.isprintable() else ""
        raise UnreadableError(
            f"the service sent a redirect {where}(HTTP {status}), which is never followed",
            "give the address that answers itself as api_endpoint",
            True,
        )
    if status >= 500:
        raise UnreadableError(f"the service failed with HTTP {status}", _NO_ANSWER, True)
    try:
        answer = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        kind = "an empty reply" if not body.strip() else "a reply that is not JSON"
        # A 4xx of a web server stands for "not carried out"; a 200 without an answer stands for nothing.
        raise UnreadableError(f"the service sent {kind} (HTTP {status})", _NO_ANSWER, status < 400) from None
    if not isinstance(answer, dict):
        raise UnreadableError(f"the service sent JSON that is not an object (HTTP {status})", _NO_ANSWER, status < 400)
    return Reply(status, answer)


def _busy(status: int, headers: t.Mapping[str, str], longest_delay: float) -> BusyError:
    seconds = BoundedRetry.seconds(headers.get("Retry-After"))
    if seconds is None:
        return BusyError(f"the service is busy (HTTP {status}) and stayed so for every try", _TRY_LATER)
    advice = (
        f"wait that long, or raise api_retry_max_delay (now {longest_delay:g} s)"
        if seconds > longest_delay
        else _TRY_LATER
    )
    return BusyError(f"the service is busy (HTTP {status}) and asks to wait {seconds:.0f} s", advice)
