# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile PostgreSQL server on loopback: it repeats passwords, is silent, or sends rows without an end."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import typing as t
from collections.abc import Iterator
from urllib.parse import quote

# Requests for TLS and for GSSAPI, which it declines.
ENCRYPTION = (80877103, 80877104)
CLEAR_TEXT, AUTHENTICATED = struct.pack(">I", 3), struct.pack(">I", 0)
PARAMETERS = {"server_version": "16.1", "client_encoding": "UTF8", "server_encoding": "UTF8"}
ROW_BYTES = 1 << 20

Behavior = t.Callable[["Client"], None]


class Client:
    """A client of the server.

    Attributes:
        password: The password that it has sent.
        ended: Set at the end of the test.
    """

    def __init__(self, connected: socket.socket, ended: threading.Event) -> None:
        self._socket = connected
        self.ended = ended
        self.password = ""

    def send(self, kind: str, body: bytes) -> None:
        """Send a message."""
        self._socket.sendall(kind.encode() + struct.pack(">I", len(body) + 4) + body)

    def fail(self, text: str, code: str = "28P01", severity: str = "FATAL") -> None:
        """Send an error."""
        self.send("E", f"S{severity}\0V{severity}\0C{code}\0M{text}\0\0".encode())

    def receive(self) -> bytes:
        """Return the body of the next message; the first one has no type."""
        return self._exactly(struct.unpack(">I", self._exactly(4))[0] - 4)

    def receive_typed(self) -> bytes:
        """Return the body of the next message."""
        self._exactly(1)
        return self.receive()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def request_password(self) -> None:
        """Accept the connection, and request its password without encryption."""
        while struct.unpack(">I", self.receive()[:4])[0] in ENCRYPTION:
            self._socket.sendall(b"N")
        self.send("R", CLEAR_TEXT)
        self.password = self.receive_typed().rstrip(b"\0").decode()

    def log_in(self) -> None:
        """Accept the connection and its password."""
        self.request_password()
        self.send("R", AUTHENTICATED)
        for name, value in PARAMETERS.items():
            self.send("S", f"{name}\0{value}\0".encode())
        self.send("K", struct.pack(">II", 4242, 1))
        self.send("Z", b"I")


def repeat_password(client: Client) -> None:
    """Refuse the password, and repeat it in spellings that no masking could know in full."""
    client.request_password()
    word = client.password
    spellings = (word, quote(word, safe=""), word[::-1], word[:6], " ".join(word), word.encode().hex())
    client.fail("password authentication failed: " + " | ".join(spellings))


def be_silent(client: Client) -> None:
    """Never answer a query."""
    client.log_in()
    client.receive_typed()
    client.ended.wait()


def trickle(client: Client) -> None:
    """Send a notice repeatedly instead of a response."""
    client.log_in()
    client.receive_typed()
    while not client.ended.wait(0.01):
        client.send("N", b"SWARNING\0C01000\0Mwait\0\0")


def send_rows(client: Client) -> None:
    """Answer a query with an endless sequence of rows."""
    client.log_in()
    client.receive_typed()
    client.send("T", struct.pack(">H", 1) + b"a\0" + struct.pack(">IHIhih", 0, 0, 25, -1, -1, 0))
    row = struct.pack(">HI", 1, ROW_BYTES) + b"a" * ROW_BYTES
    while not client.ended.is_set():
        client.send("D", row)


@contextlib.contextmanager
def hostile_server(behavior: Behavior) -> Iterator[int]:
    """Run a server, and yield its port."""
    ended = threading.Event()
    clients: list[socket.socket] = []

    def serve(connected: socket.socket) -> None:
        # The client may have closed the connection.
        with contextlib.suppress(OSError), connected:
            behavior(Client(connected, ended))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connected = listener.accept()[0]
                clients.append(connected)
                threading.Thread(target=serve, args=(connected,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
