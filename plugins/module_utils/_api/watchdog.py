# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""A watchdog that shuts TLS connections down at the deadlines of their attempts.

OpenSSL can process messages of a peer, such as session tickets, without end inside one call. No timeout of the socket
applies in such a call, and no other thread can interrupt it, but it ends when the connection is shut down.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time
import typing as t

from .deadline import Attempt


class Watchdog:
    """Watches connections from one thread, which starts with the first connection and ends with ``close``."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[int, tuple[float, socket.socket]] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextlib.contextmanager
    def limit(self, connected: t.Any, attempt: Attempt) -> t.Iterator[None]:
        """Shut a connection down if the time of an attempt ends inside the context.

        Raises:
            DeadlineExceeded: There is no time left.
        """
        ends_at = time.monotonic() + attempt.time_left()
        # Another descriptor of the connection: the TLS library owns the first one.
        with socket.socket(fileno=os.dup(connected.fileno())) as other:
            key = id(other)
            self._add(key, ends_at, other)
            try:
                yield
            finally:
                with self._changed:
                    self._watched.pop(key, None)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _add(self, key: int, ends_at: float, connection: socket.socket) -> None:
        with self._changed:
            self._watched[key] = ends_at, connection
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            elif ends_at < self._wakes_at:
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for key, (ends_at, connection) in list(self._watched.items()):
                    if ends_at <= now:
                        # The connection is closed only after it was removed from the table, so it is still open here.
                        del self._watched[key]
                        with contextlib.suppress(OSError):
                            connection.shutdown(socket.SHUT_RDWR)
                self._wakes_at = min((ends_at for ends_at, _connection in self._watched.values()), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)
