# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A listener that cannot accept frees a connection, and counts the failure."""

from __future__ import annotations

import asyncio
import errno
import socket
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import connections as _connections
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import listener as _listener
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.connections import (
    Connection,
    Connections,
)


class Fake(Connection):
    """A connection without a socket."""

    closed = False

    def close(self) -> None:
        self.closed = True


class Refusing:
    """A listening socket that fails to accept."""

    def __init__(self, real: socket.socket, errors: list[int]) -> None:
        self._real = real
        self._errors = errors

    def fileno(self) -> int:
        return self._real.fileno()

    def accept(self) -> t.NoReturn:
        raise OSError(self._errors.pop(0), "cannot") if self._errors else BlockingIOError


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_lack_of_descriptors_closes_a_connection_and_is_counted_once(code: int) -> None:
    counts: list[str] = []
    connections = Connections(4)
    oldest = Fake()
    connections.add(oldest)

    async def scene() -> None:
        listener = _listener.Listener(connections, lambda peer: asyncio.Protocol(), lambda: None, counts.append)
        with socket.socket() as real:
            real.bind(("127.0.0.1", 0))
            real.listen()
            listener._accept(t.cast(socket.socket, Refusing(real, [code] * 1000)))

    asyncio.run(scene())
    assert counts == [_connections.NO_DESCRIPTOR, _connections.EVICTED] and oldest.closed


def test_client_that_left_before_it_was_accepted_is_counted() -> None:
    counts: list[str] = []

    async def scene() -> None:
        listener = _listener.Listener(Connections(4), lambda peer: asyncio.Protocol(), lambda: None, counts.append)
        with socket.socket() as real:
            listener._accept(t.cast(socket.socket, Refusing(real, [errno.ECONNABORTED] * 2)))

    asyncio.run(scene())
    # ConnectionAbortedError is an OSError; the loop continues with the next client.
    assert counts == [_connections.NOT_ACCEPTED] * 2


@pytest.mark.parametrize("more", [[("127.0.0.1", 0)], []])
def test_address_of_a_protocol_that_the_machine_lacks_is_left_out(more: list[tuple[str, int]]) -> None:
    """A container without IPv6 may still have ::1 for localhost. Here is an address that no machine has."""
    found: list[t.Any] = [(socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("2001:db8::1", 0, 0, 0))]
    found += [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in more]

    async def scene() -> None:
        async def lookup(*_args: object, **_keywords: object) -> list[t.Any]:
            return found

        asyncio.get_running_loop().getaddrinfo = lookup
        listener = _listener.Listener(Connections(4), lambda peer: asyncio.Protocol(), lambda: None, lambda one: None)
        try:
            if more:
                await listener.open("localhost", 0)
                assert [address[0] for address in listener.addresses] == ["127.0.0.1"]
            else:
                with pytest.raises(OSError):
                    await listener.open("localhost", 0)
        finally:
            listener.close()

    asyncio.run(scene())
