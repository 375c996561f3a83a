# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The cache of a process: open connections and device lists, shared by several runs of a module.

An ordinary module runs in its own process and caches nothing. The items of a loop that runs in-process share one
process, and so one connection and one device list.
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
    # Python 3.7 lacks typing.Protocol, which only the type checker needs.
    Protocol = object

# Another program may change the account meanwhile, so a cached list expires.
MAX_CACHE_SECONDS = 30.0


class DeviceListCache:
    """The cached device list of an account, and the devices that this process has written since.

    Args:
        seconds: The age at which the list expires.
        survives_errors: Whether the list stays valid after a failed request, for all devices but those of the request.
        clock: The clock that measures the age of the list. It counts the time of a suspended machine.
    """

    def __init__(
        self, seconds: float = MAX_CACHE_SECONDS, survives_errors: bool = False, clock: Clock = read_steady_clock
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._survives_errors = survives_errors
        self._listing: DeviceList | None = None
        # The time of the last write to each device, by its token and by its number.
        self._invalidated: dict[str, Moment] = {}
        # The workers of a fleet share one list.
        self._lock = threading.Lock()
        # Held by the worker that requests a new list. The others wait for that list.
        self._requesting = threading.Lock()

    def moment(self) -> Moment:
        """Return the current time on the clock that measures the age of the list."""
        return Moment.now(self._clock)

    @contextlib.contextmanager
    def request_once(self) -> t.Iterator[None]:
        """Let one worker request a new list while the others wait.

        The others then find the new list with ``get``. If that request failed, or if their device was written
        meanwhile, each of them requests its own list, in parallel.
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
        """Return the cached list if it is valid for this device; None if a new one must be requested.

        Args:
            number: The number of the device; empty where only its token is known.
            device_token: The token of the device; empty where only its number is known.
            since: The moment at or after which the list must have been requested; None for any.
        """
        with self._lock:
            if self._listing is None or self._listing.fetched_at.age() > self._seconds:
                return None
            if since is not None and self._listing.fetched_at.is_before(since):
                return None
            # Without a number, any written device may be the one that is meant.
            by_number = canonical(number) in self._invalidated if number else bool(self._invalidated)
            return None if by_number or device_token in self._invalidated else self._listing

    def put(self, listing: DeviceList) -> None:
        """Cache a list. Devices that were written after its request stay invalidated."""
        with self._lock:
            if self._listing is not None and listing.fetched_at.is_before(self._listing.fetched_at):
                # It arrived late: writes between the two requests are only in the list that is already cached.
                return
            self._invalidated = {name: at for name, at in self._invalidated.items() if listing.fetched_at.is_before(at)}
            self._listing = listing

    def invalidate(self, *devices: str) -> None:
        """Mark devices, by number or token, as possibly different from the cached list."""
        with self._lock:
            at = self.moment()
            for name in filter(None, devices):
                listed = [device.number for device in self._listing.owners(name)] if self._listing else []
                self._invalidated.update({name: at, **{canonical(number): at for number in listed or [name]}})

    def invalidate_on_error(self, *devices: str) -> None:
        """Invalidate the cached list, or only these devices of it, after a request failed."""
        if self._survives_errors:
            self.invalidate(*devices)
            return
        with self._lock:
            self._listing = None


class Closable(Protocol):
    """A connection that several runs can use, one after another."""

    def is_usable(self) -> bool:
        """Return whether another run can use the connection."""

    def close(self) -> None:
        """Close the connection."""


Cached = t.TypeVar("Cached", bound=Closable)


class ProcessCache:
    """Connections and device lists of this process. A forked process starts empty, since sockets cannot be shared."""

    def __init__(self, clock: Clock = read_steady_clock) -> None:
        self._clock = clock
        # The accounts of a task are threads. Two that begin at once must not open two connections to one place.
        self._lock = threading.RLock()
        self._process = 0
        self._transports: dict[t.Hashable, Transport] = {}
        self._listings: dict[t.Hashable, DeviceListCache] = {}
        self._connections: dict[t.Hashable, Closable] = {}

    def transport(self, connection: Connection) -> Transport:
        """Return the transport for a connection, with its kept-alive sockets."""
        key = _key(connection)
        with self._lock:
            self._reset_after_fork()
            if key not in self._transports:
                self._transports[key] = Transport(connection)
            return self._transports[key]

    def listing(self, connection: Connection, account_token: str) -> DeviceListCache:
        """Return the device list cache of an account."""
        with self._lock:
            self._reset_after_fork()
            return self._listings.setdefault((_key(connection), account_token), DeviceListCache(clock=self._clock))

    def connection(self, key: t.Hashable, create: t.Callable[[], Cached]) -> Cached:
        """Return the cached connection of a key, or create one where none is usable."""
        with self._lock:
            self._reset_after_fork()
            kept = self._connections.get(key)
            if kept is None or not kept.is_usable():
                if kept is not None:
                    kept.close()
                kept = self._connections[key] = create()
            return t.cast(Cached, kept)

    def clear(self) -> None:
        """Close and forget everything, after an interruption has left the connections in an unknown state."""
        with self._lock:
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
            # They are not closed, because the sockets belong to the parent process.
            self._process, self._transports, self._listings, self._connections = os.getpid(), {}, {}, {}


def _key(connection: Connection) -> t.Hashable:
    return connection, tuple(sorted(environment_proxies(connection.endpoint).items()))
