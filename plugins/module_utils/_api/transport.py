# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Calls: which are sent again, how many at a time, when each ends, and what its reply says.

How they go over the wire is in _api/http_session.py, which is imported at the first call: a run without one does
without ``requests``.
"""

from __future__ import annotations

import json
import threading
import time
import typing as t
from dataclasses import dataclass

from .._common.errors import (
    BusyError,
    CallError,
    GarbledError,
    UnansweredError,
    UnreachableError,
    UnreadableError,
)
from .._common.redaction import bare_host
from .deadline import Attempt, DeadlineExceeded
from .retry import BACKOFF_SECONDS, Gate, Tries
from .wire import NO_ANSWER, Answer, Call, Connection

if t.TYPE_CHECKING:
    from .http_session import Session

BUSY = 429
# A whole call, all its tries included, ends after this many times api_timeout.
CALL_TIMEOUTS = 10

_TRY_LATER = "run the play again later"


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
    "/send": ONCE,
    # It changes no setting. But a pairing code may show on the phone, where a second one takes its place: so it is
    # sent again only when the service has not carried it out. A QR code that was lost is asked for anew in _linking/link.py.
    "/qr": WRITE,
}


@dataclass(frozen=True)
class Reply:
    """A reply that is one JSON object: the service's own words, or its like."""

    status: int
    body: dict[str, t.Any]


class Transport:
    """Makes calls to one endpoint over kept-alive connections."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._gate = Gate()
        self._slots = threading.BoundedSemaphore(connection.pool_size)
        self._opening = threading.Lock()
        self._session: Session | None = None

    def close(self) -> None:
        """Close the kept-alive connections."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def exchange(self, call: Call) -> Reply:
        """Make a call and return the JSON object that came back.

        Raises:
            MissingLibraryError: requests is not installed.
            OptionError: ca_path names no authorities.
            CallError: No such object came back; the error knows whether the call may have been applied.
        """
        session, longest_delay = self._open(), self._connection.longest_delay
        with self._slots:
            self._gate.wait()
            deadline = time.monotonic() + self._connection.timeout * CALL_TIMEOUTS
            tries = Tries(self._gate, session.retry(), longest_delay, deadline)
            try:
                return _read(call.path, self._answer(session, call, tries), longest_delay)
            except GarbledError as fault:
                # A hiccup of something on the way, where no page says that the call was not carried out.
                hiccup = POLICIES[call.path] is READ and fault.may_be_applied
                if not hiccup or not tries.another(min(BACKOFF_SECONDS, longest_delay)):
                    raise
            return _read(call.path, self._answer(session, call, tries), longest_delay)

    def _answer(self, session: Session, call: Call, tries: Tries) -> Answer:
        """Try until there is an answer that is no passing fault, or no try is left."""
        policy = POLICIES[call.path]
        while True:
            if call.guard is not None:
                # Waiting for a place, for the service or for another try may have taken minutes.
                call.guard()
            try:
                answer = self._try(session, call, tries.deadline)
            except CallError as fault:
                repeatable = fault.passing and (policy.after_broken_replies or not fault.may_be_applied)
                if not repeatable or not tries.another():
                    raise
                continue
            if answer.status == BUSY:
                self._gate.close(min(answer.patience or BACKOFF_SECONDS, self._connection.longest_delay))
            if answer.status not in policy.statuses or not tries.another(answer.patience):
                return answer

    def _open(self) -> Session:
        with self._opening:
            if self._session is None:
                # Here and not at the top: requests costs more to import than most runs take.
                from .http_session import Session

                self._session = Session(self._connection)
            return self._session

    def _try(self, session: Session, call: Call, deadline: float) -> Answer:
        """Send and read, and end it when the time of the call is up."""
        attempt = Attempt(deadline)
        try:
            return session.exchange(call, attempt)
        except DeadlineExceeded:
            raise self._late(attempt.was_sent) from None

    def _late(self, was_sent: bool) -> CallError:
        seconds = self._connection.timeout * CALL_TIMEOUTS
        if was_sent:
            return UnansweredError(
                f"no whole answer came within {seconds:g} s", "run the play again, or raise api_timeout"
            )
        return UnreachableError(
            f"no connection came about within {seconds:g} s", "check the network, or raise api_timeout"
        )


def _read(path: str, answer: Answer, longest_delay: float) -> Reply:
    """Return the JSON object of a reply, or raise what the reply is instead."""
    status = answer.status
    if status == BUSY or (status == 503 and POLICIES[path] is READ and answer.patience is not None):
        raise _busy(answer, longest_delay)
    if 300 <= status < 400:
        host = bare_host(answer.location)
        where = f"to {host} " if host.startswith("http") and host.isprintable() else ""
        raise UnreadableError(
            f"the service sent a redirect {where}(HTTP {status}), which is never followed",
            "give the address that answers itself as api_endpoint",
            True,
        )
    if status >= 500:
        raise UnreadableError(f"the service failed with HTTP {status}", NO_ANSWER, True)
    try:
        words = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        kind = "an empty reply" if not answer.body.strip() else "a reply that is not JSON"
        # A 4xx of a web server stands for "not carried out"; a 200 without an answer stands for nothing.
        raise GarbledError(f"the service sent {kind} (HTTP {status})", NO_ANSWER, status < 400) from None
    if not isinstance(words, dict):
        raise GarbledError(f"the service sent JSON that is not an object (HTTP {status})", NO_ANSWER, status < 400)
    return Reply(status, words)


def _busy(answer: Answer, longest_delay: float) -> BusyError:
    status, seconds = answer.status, answer.patience
    if seconds is None:
        return BusyError(f"the service is busy (HTTP {status}) and stayed so for every try", _TRY_LATER)
    advice = (
        f"wait that long, or raise api_retry_max_delay (now {longest_delay:g} s)"
        if seconds > longest_delay
        else _TRY_LATER
    )
    return BusyError(f"the service is busy (HTTP {status}) and asks to wait {seconds:.0f} s", advice)
