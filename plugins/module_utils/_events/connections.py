# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The connections of the event source: their limit, and the choice of a connection to close at the limit (invariant 9).

A client without the secret must not displace valid events. So a connection is unproven until a request with the secret
arrives on it. At the limit, the oldest unproven connection is closed for a new one. A proven connection is closed only
while it is idle, and only if no unproven one exists.
"""

from __future__ import annotations

import collections

MAX_CONNECTIONS = 512
MIN_CONNECTIONS = 8
# Only half of the process's descriptors are used: the rule engine and the playbooks that it starts need the others.
DESCRIPTORS_PER_CONNECTION = 2

# Outcomes by which closed connections are counted.
EVICTED = "evicted"
TURNED_AWAY = "turned_away"
TOO_SLOW = "too_slow"
HEAD_TOO_LARGE = "head_too_large"
NO_DESCRIPTOR = "no_descriptor"
NOT_ACCEPTED = "not_accepted"
OUTCOMES = (EVICTED, TURNED_AWAY, TOO_SLOW, HEAD_TOO_LARGE, NO_DESCRIPTOR, NOT_ACCEPTED)


def max_connections(descriptors: int) -> int:
    """Return the maximum number of connections for a process.

    Args:
        descriptors: The limit of open file descriptors; negative for no limit.
    """
    if descriptors < 0:
        return MAX_CONNECTIONS
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, descriptors // DESCRIPTORS_PER_CONNECTION))


class Connection:
    """A client's connection that has been accepted."""

    def close(self) -> None:
        """Close it immediately, in any state."""
        raise NotImplementedError


class Connections:
    """All open connections in three groups, each in order of age."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._unproven: collections.OrderedDict[Connection, None] = collections.OrderedDict()
        self._idle: collections.OrderedDict[Connection, None] = collections.OrderedDict()
        self._busy: collections.OrderedDict[Connection, None] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._unproven) + len(self._idle) + len(self._busy)

    def is_full(self) -> bool:
        """Return whether a connection must be closed before another one is added."""
        return len(self) >= self._most

    def add(self, connection: Connection) -> None:
        """Add a new connection as unproven."""
        self._unproven[connection] = None

    def remove(self, connection: Connection) -> None:
        """Remove a connection; do nothing if it was already removed."""
        for group in (self._unproven, self._idle, self._busy):
            group.pop(connection, None)

    def begin_request(self, connection: Connection) -> None:
        """Mark a connection as busy with a request that has the secret, unless it was removed."""
        self._move(connection, self._busy)

    def end_request(self, connection: Connection) -> None:
        """Mark a connection as idle after the response to a request with the secret."""
        self._move(connection, self._idle)

    def _move(self, connection: Connection, to: collections.OrderedDict[Connection, None]) -> None:
        if connection in self._unproven or connection in self._idle or connection in self._busy:
            self.remove(connection)
            to[connection] = None

    def evict(self) -> bool:
        """Close the oldest unproven connection, or else the longest idle one; return whether there was one.

        A connection that is busy with an event is never closed.
        """
        for group in (self._unproven, self._idle):
            if group:
                connection, _none = group.popitem(last=False)
                connection.close()
                return True
        return False

    def close_all(self) -> None:
        """Close all connections that are not busy."""
        while self.evict():
            pass
