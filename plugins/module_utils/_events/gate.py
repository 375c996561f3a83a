# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The gate in front of the HTTP library, which only requests with the secret pass (invariant 9).

The gate reads the head of each request and decides by its path. A request without the secret gets a short response from
the gate; its remaining bytes are counted and not parsed. A request with the secret is passed on with a head that the
gate composes, and without any byte after its body. So the library never parses the data of a client without the secret.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass
from http import HTTPStatus

from .connections import HEAD_TOO_LARGE, Connections
from .listener import Peer
from .request_head import HeadReader, HeadTooLargeError, MalformedHeadError, RequestHead

if t.TYPE_CHECKING:
    from typing import Protocol
else:
    # Python 3.7 lacks typing.Protocol, which only the type checker needs.
    Protocol = object

# The limits in bytes and seconds for reading the rest of a refused request, so that its client reads the response.
MAX_DISCARDED_BYTES = 256 * 1024
DISCARD_WITHIN = 1.0


@dataclass(frozen=True)
class ShortResponse:
    """A complete HTTP response, after which the connection is closed."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"
    allow: str = ""

    def encode(self, method: str) -> bytes:
        """Return the bytes of the response."""
        body = self.body.encode("utf-8")
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Type: {self.content_type}"]
        lines += [f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"Allow: {self.allow}"] if self.allow else []
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (b"" if method == "HEAD" else body)


@dataclass(frozen=True)
class Admission:
    """The admission of a request with the secret, with the kind of event that its path names."""

    kind: str | None = None


class Guard(Protocol):
    """Decides on request heads."""

    def decide(self, head: RequestHead) -> ShortResponse | Admission:
        """Admit a request, or return the response that refuses it."""

    def refuse_malformed(self) -> ShortResponse:
        """Return the response to bytes that are not a valid head."""

    def count_connection(self, outcome: str) -> None:
        """Count a connection that is closed without a response."""

    def new_handler(self, gate: RequestGate) -> asyncio.Protocol:
        """Create the HTTP library's protocol, for the first request with the secret on a connection."""


class RequestGate(asyncio.Protocol):
    """The protocol of one connection, which reads each request head before the HTTP library does."""

    def __init__(self, peer: Peer, connections: Connections, guard: Guard) -> None:
        self._peer = peer
        self._connections = connections
        self._guard = guard
        self._transport: asyncio.Transport | None = None
        self._handler: asyncio.Protocol | None = None
        self._take = self._take_head
        self._reader = HeadReader()
        self._left: int | None = 0
        self._admission: Admission | None = None
        self._timer: asyncio.TimerHandle | None = None
        # Whether the connection must be closed after the response to the current request.
        self.must_close = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = t.cast(asyncio.Transport, transport)
        self._peer.transport = transport

    def data_received(self, data: bytes) -> None:
        """Process received bytes in the current state."""
        self._take(data)

    def eof_received(self) -> bool | None:
        """Close the transport, unless the HTTP library decides otherwise."""
        return None if self._handler is None else self._handler.eof_received()

    def pause_writing(self) -> None:
        """Pass the event on to the HTTP library."""
        if self._handler is not None:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass the event on to the HTTP library."""
        if self._handler is not None:
            self._handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the connection's resources."""
        self._take = self._ignore
        self._peer.end_deadline()
        self._connections.remove(self._peer)
        if self._timer is not None:
            self._timer.cancel()
        if self._handler is not None:
            self._handler.connection_lost(exc)

    # --- a request with the secret ---

    def begin_request(self) -> Admission | None:
        """Return the admission of the request that the library starts to process; None if it was already returned."""
        admission, self._admission = self._admission, None
        return admission

    def end_request(self) -> None:
        """Mark a request with the secret as answered, and wait for the next head if the connection stays open."""
        self._connections.end_request(self._peer)
        if not self.must_close and self._take == self._take_body:
            self._reader = HeadReader()
            self._take = self._take_head

    def _admit(self, admission: Admission, head: RequestHead, rest: bytes) -> None:
        self._admission = admission
        self._peer.end_deadline()
        self._connections.begin_request(self._peer)
        self._left = head.content_length
        # Only the library detects the end of a chunked body, so no further request can follow it.
        self.must_close = head.content_length is None or not head.keeps_connection
        self._take = self._take_body
        if self._handler is None:
            self._handler = self._guard.new_handler(self)
            self._handler.connection_made(t.cast(asyncio.Transport, self._transport))
        self._handler.data_received(head.compose() + self._take_until(rest))

    def _take_body(self, data: bytes) -> None:
        data = self._take_until(data)
        if data and self._handler is not None:
            self._handler.data_received(data)

    def _take_until(self, data: bytes) -> bytes:
        """Return the bytes that belong to the body of the admitted request."""
        if self._left is None:
            return data
        part = data[: self._left]
        self._left -= len(part)
        if len(part) < len(data):
            # HTTP pipelining is not supported: further bytes are dropped.
            self.must_close = True
        return part

    # --- all others ---

    def _take_head(self, data: bytes) -> None:
        try:
            found = self._reader.feed(data)
        except HeadTooLargeError:
            self._take = self._ignore
            self._guard.count_connection(HEAD_TOO_LARGE)
            self._peer.close()
            return
        except MalformedHeadError:
            self._refuse(self._guard.refuse_malformed(), "", MAX_DISCARDED_BYTES)
            return
        if found is None:
            return
        head, rest = found
        decision = self._guard.decide(head)
        if isinstance(decision, Admission):
            self._admit(decision, head, rest)
        else:
            length = MAX_DISCARDED_BYTES if head.content_length is None else head.content_length
            self._refuse(decision, head.method, length - len(rest))

    def _refuse(self, answer: ShortResponse, method: str, to_come: int) -> None:
        """Send a response, and close the connection when the rest of the request has arrived or a limit is reached.

        Closing the connection while bytes arrive would reset it, and its client could lose the response.
        """
        transport = t.cast(asyncio.Transport, self._transport)
        self._take = self._discard
        self._left = min(to_come, MAX_DISCARDED_BYTES)
        transport.write(answer.encode(method))
        self._timer = asyncio.get_running_loop().call_later(DISCARD_WITHIN, self._peer.close)
        if self._left <= 0:
            transport.close()
        elif transport.can_write_eof():
            transport.write_eof()

    def _discard(self, data: bytes) -> None:
        self._left = (self._left or 0) - len(data)
        if self._left <= 0:
            self._take = self._ignore
            t.cast(asyncio.Transport, self._transport).close()

    def _ignore(self, data: bytes) -> None:
        """Ignore further bytes."""
