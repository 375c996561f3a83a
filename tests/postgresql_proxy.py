# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy between a run and its PostgreSQL server: it delays, cuts, counts, and can act as a pooler."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

# The message BackendKeyData of PostgreSQL's protocol 3.0: its type, its length, a process number and a secret.
KEY_DATA = b"K\x00\x00\x00\x0c"
SIZE = 65536


class Proxy:
    """Forwards connections to a port of loopback.

    Args:
        target: The port of the server.
        delay: Seconds for which each packet is kept, in each direction: half of a round trip.
        pools: Whether it sends its own process number instead of the server's, as PgBouncer does.

    Attributes:
        trips: How often a client has sent data after a response of the server: round trips.
    """

    def __init__(self, target: int, delay: float = 0.0, pools: bool = False) -> None:
        self._target = target
        self._delay = delay
        self._pools = pools
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink, source is client), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, sends: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(SIZE):
                self.trips += sends
                time.sleep(self._delay)
                sink.sendall(data if sends or not self._pools else _with_other_key(data))
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Close all connections; new ones are accepted."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        """Close all connections, and refuse new ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _with_other_key(data: bytes) -> bytes:
    at = data.find(KEY_DATA)
    if at < 0:
        return data
    number = at + len(KEY_DATA)
    return data[:number] + b"\x7f\xff\xff\xf0" + data[number + 4 :]
