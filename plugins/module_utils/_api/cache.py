# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What a process keeps from one run of a module to the next: open connections, and the account's list.

An ordinary module is a process of its own and keeps nothing. The items of a loop that is run in-process
share one process, and so one connection and one list.
"""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

from .._common.clock import Clock, Moment, read_steady_clock
from .._common.endpoint import environment_proxies
from .._common.phone_numbers import canonical
from .._device.models import DeviceList
from .transport import Transport
from .wire import Connection

if t.TYPE_CHECKING:
    from typing import Protocol
else:
    # Python 3.7 has none, and only the type checker uses it.
    Protocol = object

# Somebody else may change the account meanwhile, so a list is not believed for longer.
MAX_CACHE_SECONDS = 30.0


class DeviceListCache:
    """An account's list, and what this process has written since it was read.

    Args:
        seconds: For how long it is believed.
        survives_errors: Whether it is believed after a call that failed, of all devices but the one of the call.
        clock: The clock that measures its age. It counts the time of a suspended machine.
    """

    def __init__(
        self, seconds: float = MAX_CACHE_SECONDS, survives_errors: bool = False, clock: Clock = read_steady_clock
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._survives_errors = survives_errors
        self._listing: DeviceList | None = None
        # When each device, by token and by number, was last written.
        self._invalidated: dict[str, Moment] = {}
        # The workers of a fleet share one list.
        self._lock = threading.Lock()
        # Held by the worker that requests a new list, so that the others wait for that one.
        self._requesting = threading.Lock()

    def moment(self) -> Moment:
        """Return this moment, by the clock that measures the age of the list."""
        return Moment.now(self._clock)

    @contextlib.contextmanager
    def request_once(self) -> t.Iterator[None]:
        """Let one worker request a new list, and the others wait until it has one.

        The others find the new list in ``current``. Where that request failed, or their device was written to
        meanwhile, each of them requests its own, side by side.
        """
        is_first = self._requesting.acquire(blocking=False)
        if not is_first:
            with self._requesting:
                pass
        try:
            yield
        finally:
            if is_first:
                self._requesting.release()

    def get(self, number: str, device_token: str, since: Moment | None = None) -> DeviceList | None:
        """Return the list if it still tells of this device as a new one would; None to read it again.

        Args:
            number: The device; empty where only its token is known.
            device_token: The same.
            since: The moment at or after which the list must have been requested; None for any.
        """
        with self._lock:
            if self._listing is None or self._listing.fetched_at.age() > self._seconds:
                return None
            if since is not None and self._listing.fetched_at.is_before(since):
                return None
            # Without a number nobody knows which device it will be.
            by_number = canonical(number) in self._invalidated if number else bool(self._invalidated)
            return None if by_number or device_token in self._invalidated else self._listing

    def put(self, listing: DeviceList) -> None:
        """Keep a list; what was written while it was read may not be in it."""
        with self._lock:
            if self._listing is not None and listing.fetched_at.is_before(self._listing.fetched_at):
                # It came late: what was written between the two is in the other one, and not in this.
                return
            self._invalidated = {name: at for name, at in self._invalidated.items() if listing.fetched_at.is_before(at)}
            self._listing = listing

    def invalidate(self, *devices: str) -> None:
        """Note that these devices, by number or token, may not be as listed any more."""
        with self._lock:
            at = self.moment()
            for name in filter(None, devices):
                listed = [device.number for device in self._listing.owners(name)] if self._listing else []
                self._invalidated.update({name: at, **{canonical(number): at for number in listed or [name]}})

    def invalidate_on_error(self, *devices: str) -> None:
        """Note that a call of these devices failed."""
        if self._survives_errors:
            self.invalidate(*devices)
            return
        with self._lock:
            self._listing = None


class Closable(Protocol):
    """A connection that is kept from one run to the next."""

    def is_usable(self) -> bool:
        """Return whether another run can use it."""

    def close(self) -> None:
        """Close it."""


Cached = t.TypeVar("Cached", bound=Closable)


class ProcessCache:
    """Connections and lists by what they belong to. A forked process begins with none: sockets are not shared."""

    def __init__(self, clock: Clock = read_steady_clock) -> None:
        self._clock = clock
        self._process = 0
        self._transports: dict[t.Hashable, Transport] = {}
        self._listings: dict[t.Hashable, DeviceListCache] = {}
        self._connections: dict[t.Hashable, Closable] = {}

    def transport(self, connection: Connection) -> Transport:
        """Return the transport for a connection, with its kept-alive sockets."""
        self._reset_after_fork()
        key = _key(connection)
        if key not in self._transports:
            self._transports[key] = Transport(connection)
        return self._transports[key]

    def listing(self, connection: Connection, account_token: str) -> DeviceListCache:
        """Return what is kept of an account's list."""
        self._reset_after_fork()
        return self._listings.setdefault((_key(connection), account_token), DeviceListCache(clock=self._clock))

    def connection(self, key: t.Hashable, create: t.Callable[[], Cached]) -> Cached:
        """Return the connection that is kept under a key, or a new one where there is none that can be used."""
        self._reset_after_fork()
        kept = self._connections.get(key)
        if kept is None or not kept.is_usable():
            if kept is not None:
                kept.close()
            kept = self._connections[key] = create()
        return t.cast(Cached, kept)

    def clear(self) -> None:
        """Keep nothing: something was cut off, and nobody knows in which state it is."""
        self._reset_after_fork()
        for transport in self._transports.values():
            transport.close()
        for connection in self._connections.values():
            connection.close()
        self._transports.clear()
        self._listings.clear()
        self._connections.clear()

    def _reset_after_fork(self) -> None:
        if self._process != os.getpid():
            # Not closed: the sockets are the parent's.
            self._process, self._transports, self._listings, self._connections = os.getpid(), {}, {}, {}


def _key(connection: Connection) -> t.Hashable:
    return connection, tuple(sorted(environment_proxies(connection.endpoint).items()))
