# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests from the service to its users: events to webhooks, and the probe of a URL that is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import aiohttp

from .clock import Clock
from .model import Device, World

ANSWER_WITHIN = 10.0
# Enough for any test; older deliveries are forgotten.
LOG_LIMIT = 50_000


@dataclass(frozen=True)
class Delivery:
    """One attempted POST. Without a response, ``status`` is None and ``error`` has the reason."""

    n: int
    at: float
    kind: str
    number: str
    url: str
    attempt: int
    status: int | None
    error: str | None
    payload: dict[str, object]


class Webhooks:
    """Sends POST requests in the background.

    An event is repeated until a 200 response: up to 15 times, one a minute.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()
        self._n = 0
        self.log: list[Delivery] = []
        clock.on_move.append(self._wake)

    def post(self, kind: str, device: Device, url: object, payload: Mapping[str, object], retry: Retry) -> bool:
        """Begin to deliver an event; return False if the device has no such webhook."""
        if not url:
            return False
        task = asyncio.get_running_loop().create_task(self._deliver(kind, device.number, str(url), payload, retry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def probe(self, number: str, url: str, timeout: float) -> bool:
        """Return whether a URL answers a POST with 2xx now.

        The real probe's content is unknown; this one is the device's number.
        """
        status = await self._try("probe", number, url, 1, {"device": number}, timeout)
        return status is not None and 200 <= status < 300

    def deliveries(self) -> list[dict[str, object]]:
        """Return the deliveries as plain data."""
        return [asdict(delivery) for delivery in self.log]

    async def clear(self) -> None:
        """Cancel pending events, and clear the log."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.log.clear()

    async def close(self) -> None:
        """Stop everything."""
        await self.clear()
        if self._session:
            await self._session.close()

    async def _deliver(self, kind: str, number: str, url: str, payload: Mapping[str, object], retry: Retry) -> None:
        for attempt in range(1, retry.tries + 1):
            if await self._try(kind, number, url, attempt, payload, ANSWER_WITHIN) == 200:
                return
            if attempt < retry.tries:
                await self._sleep(retry.interval)

    async def _try(
        self, kind: str, number: str, url: str, attempt: int, payload: Mapping[str, object], timeout: float
    ) -> int | None:
        status, error = None, None
        try:
            limits = aiohttp.ClientTimeout(total=timeout)
            async with self._open().post(url, json=payload, timeout=limits, allow_redirects=False) as reply:
                status = reply.status
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, OSError) as exc:
            error = f"{type(exc).__name__}: {exc}"
        self._n += 1
        self.log.append(
            Delivery(
                n=self._n,
                at=self._clock.now(),
                kind=kind,
                number=number,
                url=url,
                attempt=attempt,
                status=status,
                error=error,
                payload=dict(payload),
            )
        )
        del self.log[:-LOG_LIMIT]
        return status

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Connections are not reused: a receiver that restarts between two events must not cost an attempt.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=20))
        return self._session

    async def _sleep(self, seconds: float) -> None:
        """Wait by the clock of the sandbox; advancing it ends the wait."""
        due = self._clock.now() + seconds
        while (left := due - self._clock.now()) > 0:
            try:
                await asyncio.wait_for(self._moved.wait(), left)
            except asyncio.TimeoutError:
                continue

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


@dataclass(frozen=True)
class Retry:
    """The retry policy of an event: seconds of the sandbox's clock, and the total number of attempts."""

    interval: float
    tries: int


def link_event(world: World, device: Device, status: str, reason: str = "") -> dict[str, object]:
    """Return the payload of connect and disconnect. It has the device token, as in the newer API documentation."""
    payload: dict[str, object] = {
        "device": device.number,
        "status": status,
        "timestamp": int(world.clock.now()),
        "token": device.token,
    }
    if status == "disconnect":
        payload["reason"] = reason
    return payload


INCOMING_TEXTS = ("sender", "message", "text", "member", "name", "location", "pollname", "choices")
INCOMING_FILES = ("url", "filename", "extension")


def incoming_event(world: World, device: Device, chat: Mapping[str, object]) -> dict[str, object]:
    """Return the payload of an incoming chat. Only packages with all features have the keys of attachments."""
    payload: dict[str, object] = {"device": device.number}
    for key in INCOMING_TEXTS:
        payload[key] = chat.get(key, "")
    payload["timestamp"] = int(world.clock.now())
    payload["inboxid"] = world.count()
    if device.attaches:
        for key in INCOMING_FILES:
            payload[key] = chat.get(key, "")
    return payload


FOOTER = "> _Sent via fonnte.com_"


def own_event(world: World, device: Device, message: Mapping[str, object]) -> dict[str, object] | None:
    """Return the payload for a message that the device itself has sent, or None if it is not posted.

    Clients observed four forms, each of which is a behavior variant. The chat is that of the recipient.
    """
    form = world.readings.own_messages
    if form == "only_with_quick":
        form = "quick" if device.settings["quick"] else "not_posted"
    chat = {"sender": message["target"], "message": message["message"]}
    if form == "not_posted" or incoming_is_off(device, chat):
        return None
    in_group = str(message["target"]).endswith("@g.us")
    if form == "sender":
        chat["member" if in_group else "sender"] = respelled(device.number)
    if form == "footer":
        chat["message"] = f"{message['message']}\n\n{FOOTER}"
    flags = {"quick": {"quick": True}, "from_me": {"fromMe": True}, "self": {"self": True}}
    return {**incoming_event(world, device, chat), **flags.get(form, {})}


def respelled(number: str) -> str:
    """Return another spelling of a number: national for international, and the other way around."""
    if number.startswith("0"):
        return "62" + number[1:]
    return "0" + number[2:] if number.startswith("62") else "+" + number


def incoming_is_off(device: Device, chat: Mapping[str, object]) -> str | None:
    """Return the reason why an incoming chat is not posted, or None if it is posted.

    Clients observed that it requires ``autoread``, and ``personal``. That a group's chat requires ``group`` is
    inferred.
    """
    if not device.linked:
        return "the device is not linked"
    if not device.settings["webhook"]:
        return "the device has no webhook"
    kind = "group" if str(chat.get("sender", "")).endswith("@g.us") else "personal"
    for setting in ("autoread", kind):
        if not device.settings[setting]:
            return f"{setting} is off"
    return None
