# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""HTTP: the only room that holds a socket, and the only one with requests and urllib3.

Nothing of the machine changes what is sent: no .netrc, no REQUESTS_CA_BUNDLE, no proxy of the system.
Proxies come from the environment's ``*_proxy`` variables only, and never apply to loopback.
"""

from __future__ import annotations

import logging
import os
import ssl
import time
import traceback
import typing as t

from ._errors import MissingLibraryError, OptionError, UnansweredError, UnreachableError, UnreadableError
from ._retry import BoundedRetry
from ._transport import NO_ANSWER, POLICIES, Answer, Call, Connection, Gate, Late, Policy, environment_proxies

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

_CHECK_NETWORK = "check api_endpoint, the network and the proxy variables of the environment"
_CHECK_CERTIFICATE = "check api_endpoint, or name the authority that signed it with ca_path"


class Session:
    """Connections to one endpoint, kept alive and shared by all threads.

    Raises:
        MissingLibraryError: requests is not installed, or urllib3 is too old.
        OptionError: ca_path names no authorities.
    """

    def __init__(self, connection: Connection, gate: Gate) -> None:
        if REQUESTS_MISSING:
            raise MissingLibraryError("requests", REQUESTS_MISSING)
        if not hasattr(BoundedRetry, "DEFAULT_ALLOWED_METHODS"):
            raise MissingLibraryError("urllib3 >= 1.26", "An older one is installed.")
        if connection.ca_path is not None:
            _check_authorities(connection.ca_path)
        self._connection = connection
        self._gate = gate
        self._proxies = environment_proxies(connection.endpoint)
        self._session = self._open()

    def _open(self) -> t.Any:
        # Whoever collects the logs of all libraries gets none of ours: a URL may hold a token.
        for library in ("urllib3", "requests"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
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
        """Close the connections."""
        self._session.close()

    def exchange(self, call: Call, deadline: float) -> Answer:
        """Send, and read the body; a read whose body breaks off is sent again like any other broken read."""
        policy = POLICIES[call.path]
        retry = self._retry(policy)
        while True:
            try:
                return self._send(call, deadline)
            except _BrokenBody as fault:
                if not policy.after_broken_replies or time.monotonic() >= deadline:
                    raise _unanswered(fault) from None
                retry = retry.after_broken_body(call.method, call.path, _unanswered(fault))

    def _send(self, call: Call, deadline: float) -> Answer:
        connection = self._connection
        try:
            response = self._session.request(
                call.method,
                connection.endpoint + call.path,
                **_carried(call),
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
            return Answer(
                response.status_code,
                _body(response, deadline),
                BoundedRetry.seconds(response.headers.get("Retry-After")),
                response.headers.get("Location", ""),
            )
        finally:
            response.close()


def _carried(call: Call) -> dict[str, t.Any]:
    """Return what a call carries, and where."""
    if call.method == "GET":
        return {"params": {"token": call.token, **call.form}}
    carried: dict[str, t.Any] = {"data": dict(call.form), "auth": _authorization(call.token)}
    if call.upload is not None:
        carried["files"] = {call.upload.name: (call.upload.filename, call.upload.content)}
    return carried


def _authorization(token: str) -> t.Callable[[t.Any], t.Any]:
    """Return what sets the header at the last moment: as a plain header it could be replaced by a .netrc entry."""

    def sign(request: t.Any) -> t.Any:
        request.headers["Authorization"] = token
        return request

    return sign


def _check_authorities(path: str) -> None:
    try:
        ssl.create_default_context().load_verify_locations(
            cafile=path if os.path.isfile(path) else None, capath=path if os.path.isdir(path) else None
        )
    except (OSError, TypeError):
        raise OptionError("ca_path", "it holds no certificates in PEM format", "give the path of a CA bundle") from None


class _BrokenBody(Exception):
    pass


def _body(response: t.Any, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in response.iter_content(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_BODY:
                raise UnreadableError(f"the reply is larger than {LARGEST_BODY // 2**20} MB", NO_ANSWER, True)
            if time.monotonic() >= deadline:
                raise Late
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
