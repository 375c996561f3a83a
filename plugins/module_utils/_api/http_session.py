# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""HTTP sessions: the only file that connects to the service and needs ``requests`` and ``urllib3``.

The configuration of the machine has no effect on requests: no .netrc, no REQUESTS_CA_BUNDLE, no system proxy.
Proxies come only from the ``*_proxy`` environment variables, and never apply to loopback addresses.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import threading
import traceback
import typing as t

from .._common.endpoint import environment_proxies
from .._common.errors import MissingLibraryError, OptionError, ResponseLostError, UnreachableError
from .._common.input_files import read_whole
from .body import DecodingError, read_body
from .deadline import Attempt, DeadlineSocket, run_with_deadline
from .retry import BACKOFF_SECONDS
from .watchdog import Watchdog
from .wire import Connection, HttpResponse, Request

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.utils import DEFAULT_CA_BUNDLE_PATH
except ImportError:
    REQUESTS_MISSING = traceback.format_exc()
else:
    REQUESTS_MISSING = ""

# The limit for a Retry-After header.
MAX_RETRY_AFTER_SECONDS = 6 * 3600.0
# The limit for a header that is parsed.
MAX_HEADER_LENGTH = 2000

HEADERS = {
    "Accept": "application/json",
    # A small compressed body could become huge in memory.
    "Accept-Encoding": "identity",
    "Connection": "keep-alive",
    "User-Agent": "fonnte.whatsapp",
}

_CHECK_NETWORK = "check api_endpoint, the network and the proxy variables of the environment"
_CHECK_CERTIFICATE = "check api_endpoint, or name the authority that signed it in ca_path or FONNTE_CA_PATH"
_CHECK_TLS = "check http or https, host and port in api_endpoint, then run the playbook again"
_VERIFY_BY_LIST = "run the playbook again, which reads the current state first"

# urllib3 1.26 has its own class for a certificate of another host, in a private module.
_WRONG_HOST = "CertificateError"

# The current attempt of each thread.
_current = threading.local()


def make_retry(retries: int) -> urllib3.util.Retry:
    """Return a retry counter for so many retries after any failure, with delays that double."""
    return urllib3.util.Retry(retries, backoff_factor=BACKOFF_SECONDS)


def parse_retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header, a number or an HTTP date; None for any other value."""
    if header is None or len(header) > MAX_HEADER_LENGTH:
        return None
    try:
        seconds = urllib3.util.Retry(0).parse_retry_after(header)
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError, TypeError, IndexError):
        return None
    return float(min(max(seconds, 0), MAX_RETRY_AFTER_SECONDS))


def public_authorities() -> str:
    """Return the file with the public certificate authorities, those that are trusted without ca_path.

    Raises:
        MissingLibraryError: requests is not installed.
    """
    if REQUESTS_MISSING:
        raise MissingLibraryError("requests", REQUESTS_MISSING)
    return str(DEFAULT_CA_BUNDLE_PATH)


class Session:
    """A session of kept-alive connections to one endpoint, shared by all threads.

    Raises:
        MissingLibraryError: requests is not installed, or urllib3 is too old.
        OptionError: ca_path contains no certificates.
    """

    def __init__(self, connection: Connection) -> None:
        if REQUESTS_MISSING:
            raise MissingLibraryError("requests", REQUESTS_MISSING)
        if not hasattr(urllib3.util.Retry, "DEFAULT_ALLOWED_METHODS"):
            raise MissingLibraryError("urllib3 >= 1.26", "An older one is installed.")
        self._authorities = _read_authorities(connection.ca_path) if connection.ca_path is not None else None
        self._connection = connection
        self._proxies = environment_proxies(connection.endpoint)
        # A URL may contain a token, so the libraries must not log it under any logging configuration.
        for library in ("urllib3", "requests"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        # An adapter without a requests.Session has neither cookies, redirects, .netrc nor settings of the environment,
        # and needs a quarter less CPU for each request.
        self._watchdog = Watchdog()
        self._adapter = _adapter(connection.pool_size, self._authorities, self._watchdog)
        if not connection.verify:
            # The module gives its own warning; the library would print one to stderr for each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def retry(self) -> urllib3.util.Retry:
        """Return a new retry counter for one request."""
        return make_retry(self._connection.retries)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()
        self._watchdog.close()

    def send(self, call: Request, attempt: Attempt) -> HttpResponse:
        """Send a request once, and read the whole response.

        Raises:
            FonnteError: The guard of the attempt prevents the request; nothing was sent.
            RequestError: No response was read. The error states whether the request was sent and may be transient.
            DeadlineExceeded: The time of the attempt is over.
        """
        _current.attempt = attempt
        with attempt.watched:
            return self._send(call, attempt)

    def _send(self, call: Request, attempt: Attempt) -> HttpResponse:
        connection = self._connection
        try:
            response = self._adapter.send(
                _prepare(call, connection.endpoint),
                stream=True,
                timeout=(connection.timeout, connection.timeout),
                verify=(connection.ca_path or True) if connection.verify else False,
                proxies=self._proxies,
            )
        except requests.exceptions.RequestException as fault:
            # The watchdog may have shut the connection down.
            attempt.time_left()
            raise _connection_error(fault, attempt.was_sent) from None
        except (urllib3.exceptions.HTTPError, ValueError) as fault:
            # requests does not wrap an error before the connection, for example for an invalid host name.
            attempt.time_left()
            name = type(fault).__name__
            if attempt.was_sent:
                raise ResponseLostError(f"the connection broke ({name})", _VERIFY_BY_LIST) from None
            raise UnreachableError(f"the service cannot be reached ({name})", _CHECK_NETWORK) from None
        try:
            return HttpResponse(
                response.status_code,
                _body(response, attempt),
                parse_retry_after(response.headers.get("Retry-After")),
                response.headers.get("Location", "")[:MAX_HEADER_LENGTH],
            )
        finally:
            response.close()


def _adapter(size: int, authorities: str | None, watchdog: Watchdog) -> t.Any:
    """Return an adapter with connections that observe the deadlines of their requests and never retry.

    Args:
        size: The maximum number of connections that are kept.
        authorities: The certificates from the file in ca_path; None where ca_path is no file.
        watchdog: Shuts connections with TLS down at the deadline.
    """
    opening = threading.Lock()

    class Adapter(HTTPAdapter):
        def build_response(self, req: t.Any, resp: t.Any) -> t.Any:
            # The library would parse cookies, for a hostile header in quadratic time, which no deadline ends.
            response: t.Any = requests.Response()
            response.status_code, response.headers, response.raw = resp.status, resp.headers, resp
            return response

        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            _add_deadlines(self.poolmanager, authorities, watchdog)

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            # The lock keeps other threads from using a manager whose connections have no deadlines yet.
            with opening:
                known = list(self.proxy_manager.values())
                manager = super().proxy_manager_for(*args, **kwargs)
                if manager not in known:
                    _add_deadlines(manager, authorities, watchdog)
            return manager

    return Adapter(pool_connections=size, pool_maxsize=size, max_retries=0)


def _add_deadlines(manager: t.Any, authorities: str | None, watchdog: Watchdog) -> None:
    """Apply deadlines to all connections of a manager."""
    manager.pool_classes_by_scheme = {
        scheme: type(
            pools.__name__, (pools,), {"ConnectionCls": _with_deadlines(pools.ConnectionCls, authorities, watchdog)}
        )
        for scheme, pools in manager.pool_classes_by_scheme.items()
    }


def _with_deadlines(connections: t.Any, authorities: str | None, watchdog: Watchdog) -> t.Any:
    """Return a connection class that observes the deadline of the current attempt, and records when sending begins."""

    def connect(self: t.Any) -> None:
        if authorities is not None and getattr(self, "ca_certs", None):
            # The file was read once, with a size limit. The library would read it again, after a possible change.
            self.ca_certs, self.ca_cert_data = None, authorities
        run_with_deadline(_attempt(), lambda: connections.connect(self), self.close)
        self.sock = DeadlineSocket(self.sock, _attempt)

    def request(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        if self.sock is None:
            self.connect()
        attempt = _attempt()
        # Only a connection with TLS has a version of it.
        if hasattr(self.sock, "version"):
            attempt.watched.enter_context(watchdog.limit(self.sock, attempt))
        attempt.begin_sending()
        return connections.request(self, *args, **kwargs)

    return type(connections.__name__, (connections,), {"connect": connect, "request": request})


def _attempt() -> Attempt:
    """Return the current attempt of this thread."""
    return t.cast(Attempt, _current.attempt)


def _prepare(call: Request, endpoint: str) -> t.Any:
    """Return the prepared request with the token, the form and the file."""
    url = endpoint + call.path
    if call.method == "GET":
        return requests.Request("GET", url, HEADERS, params={"token": call.token, **call.form}).prepare()
    files = {call.upload.name: (call.upload.filename, call.upload.content)} if call.upload is not None else None
    headers = {**HEADERS, "Authorization": call.token}
    return requests.Request(call.method, url, headers, files, dict(call.form)).prepare()


def _read_authorities(path: str) -> str | None:
    """Return the certificates of a regular file of at most 16 MB, in PEM format; None for a directory.

    Raises:
        OptionError: The file contains no certificate, or cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if os.path.isdir(path):
        context.load_verify_locations(capath=path)
        return None
    try:
        content = read_whole(path)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise OptionError("ca_path", f"it cannot be read ({reason})", "set the path of a CA bundle") from None
    # Comments between the certificates may be in any encoding.
    text = content.decode("latin-1").encode("ascii", "replace").decode("ascii")
    with contextlib.suppress(OSError, ValueError):
        context.load_verify_locations(cadata=text)
    if not context.cert_store_stats()["x509"]:
        raise OptionError("ca_path", "it contains no certificates in PEM format", "set the path of a CA bundle")
    return text


def _body(response: t.Any, attempt: Attempt) -> bytes:
    # An old urllib3 accepts a truncated body unless this is set.
    response.raw.enforce_content_length = True

    # No library decompresses the body; read_body does, with a limit.
    def read(size: int) -> bytes:
        data: bytes = response.raw.read(size, decode_content=False)
        return data

    try:
        return read_body(read, response.headers.get("Content-Encoding", ""), attempt)
    except urllib3.exceptions.HTTPError as fault:
        attempt.time_left()
        cause = _cause(fault)
    except DecodingError:
        cause = "it cannot be decompressed"
    broken = ResponseLostError(f"the response is incomplete ({cause})", _VERIFY_BY_LIST)
    broken.transient = True
    raise broken


def _chain(fault: BaseException | None) -> t.Iterator[BaseException]:
    """Yield an exception and all causes in it, outermost first: requests and urllib3 wrap each other's exceptions."""
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
    """Return the innermost reason, without any URL, host or token of the request."""
    words = ""
    for link in _chain(fault):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate was refused: {link.verify_message}"
        if type(link).__name__ == _WRONG_HOST:
            return "its certificate was refused: it does not match the name of the host"
        if isinstance(link, OSError) and link.strerror and not isinstance(link, requests.exceptions.RequestException):
            words = str(link.strerror)
    return words or type(fault).__name__


def _connection_error(fault: t.Any, was_sent: bool) -> UnreachableError | ResponseLostError:
    links = list(_chain(fault))
    reported = _response_error(fault, links) if was_sent else _connect_error(fault, links)
    reported.transient = _caused_by(
        links,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ReadTimeoutError,
        urllib3.exceptions.ProtocolError,
    )
    return reported


def _caused_by(links: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in links)


def _connect_error(fault: t.Any, links: list[BaseException]) -> UnreachableError:
    advice = _CHECK_TLS if _caused_by(links, ssl.SSLError) else _CHECK_NETWORK
    if _caused_by(links, ssl.SSLCertVerificationError) or any(type(link).__name__ == _WRONG_HOST for link in links):
        advice = _CHECK_CERTIFICATE
    return UnreachableError(f"the service cannot be reached ({_cause(fault)})", advice)


def _response_error(fault: t.Any, links: list[BaseException]) -> ResponseLostError:
    if isinstance(fault, requests.exceptions.Timeout) or _caused_by(links, urllib3.exceptions.ReadTimeoutError):
        return ResponseLostError("the service did not answer in time", "run the playbook again, or raise api_timeout")
    advice = _CHECK_TLS if _caused_by(links, ssl.SSLError) else _VERIFY_BY_LIST
    return ResponseLostError(f"the connection broke ({_cause(fault)})", advice)
