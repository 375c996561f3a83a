# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two listeners of one service: the API and the control API."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from aiohttp import web

from . import api, control
from .service import Service

# Requests that hang on purpose must not delay the shutdown.
SHUTDOWN_WITHIN = 0.2


@dataclass(frozen=True)
class Place:
    """An address to listen on; port 0 is any free one."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Port:
    """One application on one port, which can be closed for a time and opened again."""

    def __init__(self, app: web.Application, place: Place) -> None:
        self._place = place
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_WITHIN)
        self._site: web.TCPSite | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._opening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; from then on the port is fixed."""
        await self._runner.setup()
        await self._listen()
        port = self._runner.addresses[0][1]
        self._place = Place(self._place.host, port, self._place.tls)

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        host = f"[{self._place.host}]" if ":" in self._place.host else self._place.host
        return f"{'https' if self._place.tls else 'http'}://{host}:{self._place.port}"

    async def close_for(self, seconds: float | None) -> None:
        """Refuse connections and abort the open ones, as a service that is down."""
        await self.reopen()
        if self._site:
            await self._site.stop()
            self._site = None
        for connection in self._runner.server.connections if self._runner.server else []:
            if connection.transport:
                connection.transport.abort()
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._open_again)

    async def reopen(self) -> None:
        """Listen again, if the port is closed."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._site is None:
            await self._listen()

    async def stop(self) -> None:
        """Close the port permanently."""
        if self._timer:
            self._timer.cancel()
        await self._runner.cleanup()

    def _open_again(self) -> None:
        self._timer = None
        self._opening = asyncio.get_running_loop().create_task(self.reopen())

    async def _listen(self) -> None:
        place = self._place
        site = web.TCPSite(self._runner, place.host, place.port, ssl_context=place.tls, backlog=1024)
        await site.start()
        self._site = site


@dataclass
class Running:
    """A sandbox that listens."""

    service: Service
    api: Port
    control: Port

    async def stop(self) -> None:
        """Stop the sandbox and all pending work."""
        await self.api.stop()
        await self.control.stop()
        await self.service.webhooks.close()


async def start(service: Service, api_place: Place, control_place: Place) -> Running:
    """Listen on both ports."""
    api_port = Port(api.application(service), api_place)
    control_port = Port(control.application(service), control_place)
    await api_port.start()
    await control_port.start()
    service.listener = api_port
    return Running(service, api_port, control_port)
