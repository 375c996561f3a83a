# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The listening sockets of the event source.

asyncio's server accepts connections without a limit, and logs each failure to accept with a traceback. This listener
accepts a connection only within the limit, gives it a deadline that includes the TLS handshake, and counts failures.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import typing as t

from .connections import (
    EVICTED,
    NO_DESCRIPTOR,
    NOT_ACCEPTED,
    TOO_SLOW,
    TURNED_AWAY,
    Connection,
    Connections,
)

# The seconds within which a request with the secret must arrive on a new connection.
HEAD_WITHIN = 10.0
# The number of connections that are accepted before the event loop runs other callbacks.
ACCEPTED_AT_ONCE = 16
BACKLOG = 1024
# The seconds until the next attempt if the process has no descriptor left.
ACCEPT_PAUSE = 0.05

_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# An address whose protocol this machine lacks, such as ::1 in a container without IPv6.
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_NOTHING_THERE = (BlockingIOError, InterruptedError)


class Peer(Connection):
    """A connection with its socket, its deadline and, after the handshake, its transport."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self.begun = False
        self.task: asyncio.Task[None] | None = None
        self.transport: asyncio.BaseTransport | None = None
        self.deadline: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close the connection, also during the handshake."""
        self.end_deadline()
        if isinstance(self.transport, asyncio.Transport):
            # With TLS, close() would wait for the peer.
            self.transport.abort()
        elif self.task is not None:
            self.task.cancel()

    def end_deadline(self) -> None:
        """Cancel the deadline, after a request with the secret has arrived."""
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None


class Listener:
    """Listening sockets that accept connections within a limit."""

    def __init__(
        self,
        connections: Connections,
        protocol: t.Callable[[Peer], asyncio.Protocol],
        tls: t.Callable[[], ssl.SSLContext | None],
        count: t.Callable[[str], None],
    ) -> None:
        """Store the parameters; ``open`` starts to listen.

        Args:
            connections: The open connections. The protocol removes a connection when it is lost.
            protocol: Creates the protocol of a connection.
            tls: Returns the context for the next connection, or None for plain HTTP.
            count: Takes each of ``OUTCOMES``.
        """
        self._connections = connections
        self._protocol = protocol
        self._tls = tls
        self._count = count
        self._sockets: list[socket.socket] = []

    @property
    def addresses(self) -> list[t.Any]:
        """The addresses of the listening sockets."""
        return [one.getsockname() for one in self._sockets]

    async def open(self, host: str, port: int) -> None:
        """Listen on all addresses of a host.

        Raises:
            OSError: The host is unknown, or an address is not available.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            missing: OSError | None = None
            for family, kind, protocol, _name, address in dict.fromkeys(found):
                # With port 0, the free port of the first address is used for all.
                try:
                    self._sockets.append(_listening(family, kind, protocol, (address[0], port, *address[2:])))
                except OSError as error:
                    if error.errno not in _NOT_HERE:
                        raise
                    missing = error
                else:
                    port = self._sockets[-1].getsockname()[1]
            if not self._sockets and missing is not None:
                raise missing
        except OSError:
            self.close()
            raise
        for one in self._sockets:
            loop.add_reader(one.fileno(), self._accept, one)

    def close(self) -> None:
        """Stop accepting connections."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.remove_reader(one.fileno())
            one.close()
        self._sockets = []

    def _accept(self, listening: socket.socket) -> None:
        for _try in range(ACCEPTED_AT_ONCE):
            try:
                accepted, _address = listening.accept()
            except _NOTHING_THERE:
                return
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    self._pause(listening)
                    return
                self._count(NOT_ACCEPTED)
            else:
                self._take(accepted)

    def _pause(self, listening: socket.socket) -> None:
        """Free a descriptor and try again later. The new connection waits in the backlog."""
        self._count(NO_DESCRIPTOR)
        if self._connections.evict():
            self._count(EVICTED)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())
        loop.call_later(ACCEPT_PAUSE, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    def _take(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        if self._connections.is_full():
            if not self._connections.evict():
                self._count(TURNED_AWAY)
                accepted.close()
                return
            self._count(EVICTED)
        loop = asyncio.get_running_loop()
        peer = Peer(accepted)
        self._connections.add(peer)
        peer.deadline = loop.call_later(HEAD_WITHIN, self._end_late, peer)
        peer.task = loop.create_task(self._begin(peer))
        peer.task.add_done_callback(lambda _task: self._discard(peer))

    async def _begin(self, peer: Peer) -> None:
        def begun() -> asyncio.Protocol:
            peer.begun = True
            return self._protocol(peer)

        try:
            await asyncio.get_running_loop().connect_accepted_socket(begun, peer.socket, ssl=self._tls())
        except (OSError, asyncio.TimeoutError):
            # The handshake failed, or the client closed the connection.
            self._connections.remove(peer)
            peer.end_deadline()

    def _discard(self, peer: Peer) -> None:
        """Close a socket without a transport, because its task was canceled before it began."""
        if not peer.begun:
            peer.socket.close()

    def _end_late(self, peer: Peer) -> None:
        peer.deadline = None
        self._count(TOO_SLOW)
        self._connections.remove(peer)
        peer.close()


def _listening(family: int, kind: int, protocol: int, address: t.Any) -> socket.socket:
    one = socket.socket(family, kind, protocol)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # The host's IPv4 address has a separate socket.
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one
