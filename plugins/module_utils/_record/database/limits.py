# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Limits of one database session that the client enforces: the time and the size of a response.

The server enforces ``statement_timeout`` itself, so a silent or hostile server ignores it. A thread watches the socket
while a query runs, and shuts it down: the library then reports a lost connection. The thread uses a duplicate of the
descriptor, so it never affects a descriptor that the library has closed and the process has reused.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
import typing as t
from dataclasses import dataclass

# The offset of tcpi_bytes_received in the structure tcp_info of Linux, since version 4.1.
_RECEIVED = struct.Struct("=128xQ")
_INFO_SIZE = 256
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class SessionLimits:
    """Limits of the response to one query.

    Attributes:
        seconds: The time within which it must be complete.
        size: The largest size, in bytes.
    """

    # Longer than the limits of the server, whose error contains the cause and keeps the session.
    seconds: float = 50.0
    size: int = 64 * 1024 * 1024


class SessionWatch:
    """Watches the socket of a session while it waits for responses.

    Args:
        limits: The limits of each response.

    Attributes:
        reason: The limit that was exceeded; empty if none was.
    """

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self.reason = ""

    @contextlib.contextmanager
    def limited(self, descriptor: int) -> t.Iterator[None]:
        """Shut down the socket with this descriptor if the work in this context exceeds a limit."""
        ended = threading.Event()
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            watcher = threading.Thread(target=self._watch, args=(duplicate, ended), daemon=True)
            watcher.start()
            try:
                yield
            finally:
                ended.set()
                watcher.join()

    def _watch(self, watched: socket.socket, ended: threading.Event) -> None:
        deadline = time.monotonic() + self._limits.seconds
        before = _received(watched)
        while not ended.wait(POLL_SECONDS):
            if time.monotonic() >= deadline:
                self.reason = f"it did not answer within {self._limits.seconds:g} s"
            elif _received(watched) - before > self._limits.size:
                self.reason = f"its response is larger than {self._limits.size / 2**20:g} MB"
            if self.reason:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)
                return


def _received(watched: socket.socket) -> int:
    """Return the bytes that a socket has received; 0 if the system does not count them."""
    if not hasattr(socket, "TCP_INFO"):
        return 0
    try:
        info = watched.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE)
    except OSError:
        # A socket of this machine, which is not a TCP socket.
        return 0
    return int(_RECEIVED.unpack_from(info)[0]) if len(info) >= _RECEIVED.size else 0
