# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Deadlines of requests, enforced at the socket.

A timeout of a socket limits each receive, so a slow but steady response would never end. ``DeadlineSocket`` also limits
each send and receive to the time that is left, in the thread of the caller. Only the DNS lookup and the connection
setup cannot be limited in this way: they run in a thread that is abandoned when the time is over.
"""

from __future__ import annotations

import contextlib
import io
import queue
import socket
import threading
import time
import typing as t

# The largest body, with a reserve for headers and framing: informational responses, extensions and trailers are not a
# part of the body.
MAX_RECEIVED_BYTES = 33 * 1024 * 1024


class DeadlineExceeded(Exception):
    """The time for a request is over."""


class SizeExceeded(Exception):
    """A peer sent more bytes than a response may have."""


class Attempt:
    """One attempt to send a request and to read its response.

    Attributes:
        deadline: The time at which it must end, on the monotonic clock, in seconds.
        was_sent: Whether at least a part of the request may have been sent.
        watched: The context of the attempt, which ends the supervision of its connection.

    Args:
        deadline: The time at which it must end.
        clock: Returns the time on the monotonic clock, in seconds.
        guard: Called when the connection is established, before the first byte of the request; raises an error to
            prevent the request.
    """

    def __init__(
        self,
        deadline: float,
        clock: t.Callable[[], float] = time.monotonic,
        guard: t.Callable[[], None] | None = None,
    ) -> None:
        self.deadline = deadline
        self.was_sent = False
        self.watched = contextlib.ExitStack()
        self._received = 0
        self._clock = clock
        self._guard = guard

    def count_received(self, size: int) -> None:
        """Count received bytes, headers and framing included; raise SizeExceeded if there are too many."""
        self._received += size
        if self._received > MAX_RECEIVED_BYTES:
            raise SizeExceeded

    def time_left(self) -> float:
        """Return the seconds that are left; raise DeadlineExceeded if there are none."""
        left = self.deadline - self._clock()
        if left <= 0:
            raise DeadlineExceeded
        return left

    def begin_sending(self) -> None:
        """Record that the request is being sent, if the guard permits it and time is left.

        The guard is called again here, because a DNS lookup, a slow network or a TLS handshake may have taken minutes.
        """
        if self._guard is not None:
            self._guard()
        self.time_left()
        self.was_sent = True


class DeadlineSocket:
    """A connected socket that limits each send and receive to the time of the current attempt.

    It implements the methods of a socket that http.client and urllib3 use. All others are passed to the socket.

    Args:
        connected: The socket, with or without TLS.
        current: Returns the current attempt: a kept-alive connection serves many, one after another.
    """

    def __init__(self, connected: socket.socket, current: t.Callable[[], Attempt]) -> None:
        self._socket = connected
        self._current = current
        self._timeout = connected.gettimeout()

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._socket, name)

    def settimeout(self, seconds: float | None) -> None:
        """Set the timeout of each send and each receive."""
        self._timeout = seconds
        self._socket.settimeout(seconds)

    def sendall(self, data: t.Any) -> None:
        """Send all of the data."""
        view = memoryview(data).cast("B")
        while view:
            with self.limited():
                view = view[self._socket.send(view) :]

    def makefile(self, _mode: str = "rb", *_ignored: t.Any, **_options: t.Any) -> io.BufferedReader:
        """Return a file that reads from the socket. The socket stays open until the file is closed."""
        return io.BufferedReader(_Reader(self, self._socket.makefile("rb", buffering=0)))

    def count_received(self, size: int) -> None:
        """Count received bytes for the current attempt."""
        self._current().count_received(size)

    def limited(self) -> _Limit:
        """Return a context manager that limits one operation to the time that is left."""
        return _Limit(self._socket, self._timeout, self._current())


class _Limit:
    def __init__(self, limited: socket.socket, timeout: float | None, attempt: Attempt) -> None:
        self._socket = limited
        self._timeout = timeout
        self._attempt = attempt

    def __enter__(self) -> None:
        left = self._attempt.time_left()
        self._socket.settimeout(left if self._timeout is None else min(self._timeout, left))

    def __exit__(self, kind: t.Any, fault: BaseException | None, _trace: t.Any) -> None:
        if isinstance(fault, socket.timeout):
            # Raise DeadlineExceeded if the deadline, and not the timeout, was the shorter limit.
            self._attempt.time_left()


class _Reader(io.RawIOBase):
    """A raw file of a socket, with the limits of the socket's current attempt."""

    def __init__(self, owner: DeadlineSocket, raw: t.Any) -> None:
        self._owner = owner
        self._raw = raw

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Receive once into a buffer, and return the number of bytes."""
        with self._owner.limited():
            received: int | None = self._raw.readinto(buffer)
        self._owner.count_received(received or 0)
        return received

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
        super().close()


Result = t.TypeVar("Result")


def run_with_deadline(attempt: Attempt, work: t.Callable[[], Result], undo: t.Callable[[], None]) -> Result:
    """Run a function in another thread, and return its result.

    Args:
        attempt: The attempt that the function belongs to.
        work: The function. It is abandoned after the deadline.
        undo: Called in the other thread if the function ended too late.

    Raises:
        DeadlineExceeded: The function did not end in time.
    """
    results: queue.Queue[tuple[bool, t.Any]] = queue.Queue()
    deciding = threading.Lock()
    late = False

    def run() -> None:
        result: tuple[bool, t.Any]
        try:
            result = True, work()
        except BaseException as exc:
            result = False, exc
        with deciding:
            results.put(result)
            too_late = late
        if too_late:
            undo()

    try:
        threading.Thread(target=run, daemon=True).start()
        done, result = results.get(timeout=attempt.time_left())
    except BaseException as exc:
        # Either the time is over, or the user has interrupted the run.
        with deciding:
            late = results.empty()
        if not late:
            undo()
        if isinstance(exc, queue.Empty):
            raise DeadlineExceeded from None
        raise
    if not done:
        raise result
    return t.cast("Result", result)
