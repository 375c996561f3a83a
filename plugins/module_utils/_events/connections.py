# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The connections of the event source: how many there may be, and which one is closed for a new one (invariant 9).

A client without the secret must not keep valid events away. So a connection counts as unproven until a request with
the secret arrived on it, and where there is no room, the oldest unproven connection is closed. A connection with the
secret is closed for a new one only while it is idle, and only if no other is left.
"""

from __future__ import annotations

import collections

MAX_CONNECTIONS = 512
MIN_CONNECTIONS = 8
# Of the descriptors of the process one in two: the rule engine, and the playbooks that it starts, need the others.
DESCRIPTORS_PER_CONNECTION = 2

# The names under which the ends of connections are counted.
EVICTED = "evicted"
TURNED_AWAY = "turned_away"
TOO_SLOW = "too_slow"
HEAD_TOO_LARGE = "head_too_large"
NO_DESCRIPTOR = "no_descriptor"
NOT_ACCEPTED = "not_accepted"
OUTCOMES = (EVICTED, TURNED_AWAY, TOO_SLOW, HEAD_TOO_LARGE, NO_DESCRIPTOR, NOT_ACCEPTED)


def max_connections(descriptors: int) -> int:
    """Return how many connections a process may hold.

    Args:
        descriptors: The limit of the process; negative is none.
    """
    if descriptors < 0:
        return MAX_CONNECTIONS
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, descriptors // DESCRIPTORS_PER_CONNECTION))


class Connection:
    """A client's connection, from its acceptance to its end."""

    def close(self) -> None:
        """End it at once, whatever its state."""
        raise NotImplementedError


class Connections:
    """All connections, in three groups, each with its oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._unproven: collections.OrderedDict[Connection, None] = collections.OrderedDict()
        self._idle: collections.OrderedDict[Connection, None] = collections.OrderedDict()
        self._busy: collections.OrderedDict[Connection, None] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._unproven) + len(self._idle) + len(self._busy)

    def is_full(self) -> bool:
        """Return whether one must be closed before another is added."""
        return len(self) >= self._most

    def add(self, connection: Connection) -> None:
        """Add one on which nothing has arrived."""
        self._unproven[connection] = None

    def remove(self, connection: Connection) -> None:
        """Remove one that ended; again is no harm."""
        for group in (self._unproven, self._idle, self._busy):
            group.pop(connection, None)

    def begin_request(self, connection: Connection) -> None:
        """Note that a request with the secret arrived on it; one that was closed meanwhile stays away."""
        self._move(connection, self._busy)

    def end_request(self, connection: Connection) -> None:
        """Note that its request with the secret was answered."""
        self._move(connection, self._idle)

    def _move(self, connection: Connection, to: collections.OrderedDict[Connection, None]) -> None:
        if connection in self._unproven or connection in self._idle or connection in self._busy:
            self.remove(connection)
            to[connection] = None

    def evict(self) -> bool:
        """Close the connection that matters least, and return whether there is one.

        The oldest without the secret; else the one that is idle for longest. One that carries an event stays.
        """
        for group in (self._unproven, self._idle):
            if group:
                connection, _none = group.popitem(last=False)
                connection.close()
                return True
        return False

    def close_all(self) -> None:
        """Close every connection on which no request with the secret is being answered."""
        while self.evict():
            pass
