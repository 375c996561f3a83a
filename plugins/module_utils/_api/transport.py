# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The transport: retries, limits and deadlines of requests, and the parsing of their responses.

_api/http_session.py sends the requests. It is imported at the first request, so that a run without requests does not
need ``requests``.
"""

from __future__ import annotations

import json
import math
import threading
import time
import typing as t
from dataclasses import dataclass

from .._common.errors import (
    MalformedResponseError,
    RateLimitedError,
    RequestError,
    ResponseLostError,
    UnexpectedResponseError,
    UnreachableError,
)
from .._common.redaction import origin
from .deadline import MAX_RECEIVED_BYTES, Attempt, DeadlineExceeded, SizeExceeded
from .endpoints import READ, find_endpoint
from .retry import BACKOFF_SECONDS, RateLimitGate, RetryBudget
from .wire import NO_RESPONSE, Connection, HttpResponse, Request

if t.TYPE_CHECKING:
    from .http_session import Session

TOO_MANY_REQUESTS = 429
# A request with all its attempts ends after this many times api_timeout.
MAX_TIMEOUTS_PER_REQUEST = 10

_TRY_LATER = "run the playbook again later"


@dataclass(frozen=True)
class ApiResponse:
    """A response whose body is a JSON object, from the service or from a proxy."""

    status: int
    body: dict[str, t.Any]


class Transport:
    """Sends requests to one endpoint over kept-alive connections.

    Args:
        connection: The configuration of the connections.
        seconds: The time limit for all requests together, from now; None to limit only each request.
    """

    def __init__(self, connection: Connection, seconds: float | None = None) -> None:
        self._connection = connection
        self._all_seconds = math.inf if seconds is None else seconds
        self._ends_at = time.monotonic() + self._all_seconds
        self._gate = RateLimitGate()
        self._slots = threading.BoundedSemaphore(connection.pool_size)
        self._opening = threading.Lock()
        self._session: Session | None = None

    @property
    def _request_seconds(self) -> float:
        """The time limit of a request with all its attempts."""
        return min(self._connection.timeout * MAX_TIMEOUTS_PER_REQUEST, self._all_seconds)

    def close(self) -> None:
        """Close the kept-alive connections."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def request(self, call: Request) -> ApiResponse:
        """Send a request and return the JSON object of the response.

        Raises:
            MissingLibraryError: requests is not installed.
            OptionError: ca_path contains no certificates.
            RequestError: The response is no such object. The error states whether the request may have been applied.
        """
        session, longest_delay = self._open(), self._connection.longest_delay
        with self._slots:
            self._gate.wait()
            deadline = min(time.monotonic() + self._request_seconds, self._ends_at)
            tries = RetryBudget(self._gate, session.retry(), longest_delay, deadline)
            try:
                return _parse_response(call.path, self._send_with_retries(session, call, tries), longest_delay)
            except MalformedResponseError as fault:
                # A proxy can cause such a response once; it does not prove that the request was not carried out.
                hiccup = call.endpoint.retry is READ and fault.may_be_applied
                if not hiccup or not tries.wait_for_next(min(BACKOFF_SECONDS, longest_delay)):
                    raise
            return _parse_response(call.path, self._send_with_retries(session, call, tries), longest_delay)

    def _send_with_retries(self, session: Session, call: Request, tries: RetryBudget) -> HttpResponse:
        """Send a request until it has a response without a transient error, or no attempt is left."""
        policy = call.endpoint.retry
        while True:
            if call.guard is not None:
                # Waiting for a slot, for the service or for another attempt may have taken minutes. If the request
                # must not be sent, no connection is opened; the guard is called again when the connection is open.
                call.guard()
            try:
                answer = self._send_once(session, call, Attempt(tries.deadline, guard=call.guard))
            except RequestError as fault:
                repeatable = fault.transient and (policy.after_broken_responses or not fault.may_be_applied)
                if not repeatable or not tries.wait_for_next():
                    raise
                continue
            if answer.status == TOO_MANY_REQUESTS:
                self._gate.close(min(answer.retry_after or BACKOFF_SECONDS, self._connection.longest_delay))
            if answer.status not in policy.statuses or not tries.wait_for_next(answer.retry_after):
                return answer

    def _open(self) -> Session:
        with self._opening:
            if self._session is None:
                self._session = load_session_class()(self._connection)
            return self._session

    def _send_once(self, session: Session, call: Request, attempt: Attempt) -> HttpResponse:
        """Send a request once and read its response; raise a RequestError when the time is over."""
        try:
            return session.send(call, attempt)
        except DeadlineExceeded:
            raise self._deadline_error(attempt.was_sent) from None
        except SizeExceeded:
            problem = f"the response is larger than {MAX_RECEIVED_BYTES // 2**20} MB with its headers"
            raise UnexpectedResponseError(problem, NO_RESPONSE, True) from None

    def _deadline_error(self, was_sent: bool) -> RequestError:
        seconds = self._request_seconds
        if was_sent:
            return ResponseLostError(
                f"no complete response arrived within {seconds:g} s", "run the playbook again, or raise api_timeout"
            )
        return UnreachableError(
            f"no connection was established within {seconds:g} s", "check the network, or raise api_timeout"
        )


def load_session_class() -> type[Session]:
    """Return the class of the connections. It is imported here, because importing requests takes longer than most runs."""
    from .http_session import Session

    return Session


def _parse_response(path: str, answer: HttpResponse, longest_delay: float) -> ApiResponse:
    """Return the JSON object of a response; raise a RequestError if it has none."""
    status = answer.status
    if status == TOO_MANY_REQUESTS or (
        status == 503 and find_endpoint(path).retry is READ and answer.retry_after is not None
    ):
        raise _rate_limit_error(answer, longest_delay)
    if 300 <= status < 400:
        host = origin(answer.location)
        where = f"to {host} " if host.startswith("http") and host.isprintable() else ""
        raise UnexpectedResponseError(
            f"the service sent a redirect {where}(HTTP {status}), which is never followed",
            "set api_endpoint to the address that responds without a redirect",
            True,
        )
    if status >= 500:
        raise UnexpectedResponseError(f"the service failed with HTTP {status}", NO_RESPONSE, True)
    try:
        words = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        kind = "an empty response" if not answer.body.strip() else "a response that is not JSON"
        # A 4xx of a web server means that the request was not carried out; a 200 without JSON proves nothing.
        problem = f"the service sent {kind} (HTTP {status})"
        raise MalformedResponseError(problem, NO_RESPONSE, status < 400, status) from None
    if not isinstance(words, dict):
        raise MalformedResponseError(
            f"the service sent JSON that is not an object (HTTP {status})", NO_RESPONSE, status < 400, status
        )
    return ApiResponse(status, words)


def _rate_limit_error(answer: HttpResponse, longest_delay: float) -> RateLimitedError:
    status, seconds = answer.status, answer.retry_after
    if seconds is None:
        return RateLimitedError(f"the service is busy (HTTP {status}) and remained so in every attempt", _TRY_LATER)
    advice = (
        f"wait that long, or raise api_retry_max_delay (now {longest_delay:g} s)"
        if seconds > longest_delay
        else _TRY_LATER
    )
    return RateLimitedError(f"the service is busy (HTTP {status}) and requires a wait of {seconds:.0f} s", advice)
