# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Deadlines of requests, enforced at the socket.

A timeout of a socket limits each receive, so a response that trickles never ends by it. ``DeadlineSocket`` limits each
send and receive to the time that is left as well, in the thread of the caller. Only resolving a name and connecting
have no such limit: they run in a thread that is left behind when the time is over.
"""

from __future__ import annotations

import io
import queue
import socket
import threading
import time
import typing as t

# The largest body, and room for the headers and the framing of it: informational responses, extensions and trailers
# are a part of no body.
MAX_RECEIVED_BYTES = 33 * 1024 * 1024


class DeadlineExceeded(Exception):
    """The time of a request is over."""


class SizeExceeded(Exception):
    """A peer sent too much for one request."""


class Attempt:
    """One try of a request.

    Attributes:
        deadline: When it must end, by the monotonic clock, in seconds.
        was_sent: Whether the request, or a part of it, may have gone out.

    Args:
        guard: Called when the connection is established, before the first byte of the request; it raises an error to
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
        self._received = 0
        self._clock = clock
        self._guard = guard

    def count_received(self, size: int) -> None:
        """Count bytes of the response, with its headers and framing; SizeExceeded if there are too many."""
        self._received += size
        if self._received > MAX_RECEIVED_BYTES:
            raise SizeExceeded

    def time_left(self) -> float:
        """Return the seconds that are left; DeadlineExceeded if there are none."""
        left = self.deadline - self._clock()
        if left <= 0:
            raise DeadlineExceeded
        return left

    def begin_sending(self) -> None:
        """Note that the request goes out now, if the guard permits it and time is left.

        A name server, a slow network or a TLS handshake may have taken minutes since the guard was last called.
        """
        if self._guard is not None:
            self._guard()
        self.time_left()
        self.was_sent = True


class DeadlineSocket:
    """A connected socket whose sends and receives end with the attempt that uses it.

    It has what http.client and urllib3 use of a socket; everything else is the socket's own.

    Args:
        connected: The socket, with TLS or without.
        current: Returns the attempt that uses it now: a connection that is kept alive has many in turn.
    """

    def __init__(self, connected: socket.socket, current: t.Callable[[], Attempt]) -> None:
        self._socket = connected
        self._current = current
        self._timeout = connected.gettimeout()

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._socket, name)

    def settimeout(self, seconds: float | None) -> None:
        """Limit each send and each receive."""
        self._timeout = seconds
        self._socket.settimeout(seconds)

    def sendall(self, data: t.Any) -> None:
        """Send all of the data."""
        view = memoryview(data).cast("B")
        while view:
            with self.limited():
                view = view[self._socket.send(view) :]

    def makefile(self, _mode: str = "rb", *_ignored: t.Any, **_options: t.Any) -> io.BufferedReader:
        """Return a file that reads from the socket; the socket stays open as long as it."""
        return io.BufferedReader(_Reader(self, self._socket.makefile("rb", buffering=0)))

    def count_received(self, size: int) -> None:
        """Count bytes for the attempt that uses the socket now."""
        self._current().count_received(size)

    def limited(self) -> _Limit:
        """Return a context in which one operation of the socket has the time that is left."""
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
            # Whichever of the two limits was the shorter one.
            self._attempt.time_left()


class _Reader(io.RawIOBase):
    """A raw file of a socket, with the limits of the socket."""

    def __init__(self, owner: DeadlineSocket, raw: t.Any) -> None:
        self._owner = owner
        self._raw = raw

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Receive once, into a buffer."""
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
    """Return the result of the work, done in another thread.

    Args:
        attempt: The attempt that it is a part of.
        work: The work. After the deadline, nobody waits for it.
        undo: Called in that thread after work that has ended too late.

    Raises:
        DeadlineExceeded: It did not end in time.
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
        # The time is over, or the user has interrupted the run.
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
