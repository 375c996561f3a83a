# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API on a separate port.

It shows state that the API hides, and performs the actions of an owner outside the API.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from . import editing
from .calls import post_link_event, retry
from .editing import Bad
from .faults import rule
from .kinds import is_kind
from .model import Device
from .otp import LIFETIME
from .sending import post_status
from .service import ACCOUNT_TOKEN, Service
from .webhooks import INCOMING_FILES, INCOMING_TEXTS, incoming_event, incoming_is_off

# A world of ten thousand devices comes in one request.
LARGEST_BODY = 256 * 1024 * 1024
Body = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(service: Service) -> web.Application:
    """Create the application with all control routes."""
    control = Control(service)
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_sentences])
    app.add_routes(
        [
            web.get("/state", control.state),
            web.post("/reset", control.reset),
            web.patch("/readings", control.readings),
            web.patch("/options", control.options),
            web.post("/accounts", control.add_account),
            web.patch("/devices/{number}", control.edit),
            web.delete("/devices/{number}", control.remove),
            web.post("/devices/{number}/link", control.link),
            web.post("/devices/{number}/unlink", control.unlink),
            web.post("/devices/{number}/purge", control.purge),
            web.get("/devices/{number}/otp", control.otp),
            web.post("/devices/{number}/incoming", control.incoming),
            web.post("/otp", control.next_otp),
            web.get("/journal", control.journal),
            web.delete("/journal", control.clear_journal),
            web.put("/without_whatsapp", control.without_whatsapp),
            web.get("/clock", control.clock),
            web.post("/clock", control.advance),
            web.get("/faults", control.faults),
            web.post("/faults", control.add_faults),
            web.delete("/faults", control.clear_faults),
            web.get("/outbox", control.outbox),
            web.post("/outbox/{id}/status", control.message_status),
            web.get("/webhooks", control.webhooks),
            web.post("/sink/{name}", control.take),
            web.post("/sink/{name}/{tail:.*}", control.take),
            web.get("/sinks/{name}", control.sink),
            web.patch("/sinks/{name}", control.edit_sink),
            web.delete("/sinks/{name}", control.empty_sink),
        ]
    )
    return app


@web.middleware
async def _sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a bad request with 400 and a sentence."""
    try:
        return await handler(request)
    except Bad as exc:
        return web.json_response({"error": str(exc)}, status=exc.status)
    except ValueError as exc:
        return web.json_response({"error": str(exc)}, status=400)
    except web.HTTPError as exc:
        return web.json_response({"error": f"{request.method} {request.path}: {exc.reason}."}, status=exc.status)


async def _body(request: web.Request, *allowed: str) -> Body:
    """Return the JSON object of the body; an empty body is an empty object."""
    text = await request.text()
    try:
        data = json.loads(text) if text else {}
    except ValueError as exc:
        raise Bad(f"The body is no JSON: {exc}.") from exc
    if not isinstance(data, dict):
        raise Bad("The body has to be a JSON object.")
    unknown = sorted(set(data) - set(allowed)) if allowed else []
    if unknown:
        raise Bad(f"{request.path} takes no {', '.join(unknown)}; it takes: {', '.join(allowed)}.")
    return data


def _text(data: Mapping[str, object], key: str, default: str = "") -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise Bad(f"{key} is a text, not {value!r}.")
    return value


def _seconds(data: Mapping[str, object], key: str, default: float = 0.0) -> float:
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise Bad(f"{key} is a number of seconds, 0 or more, not {value!r}.")
    return float(value)


class Control:
    """The request handlers of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._later: set[asyncio.TimerHandle] = set()

    def _device(self, request: web.Request) -> Device:
        number = request.match_info["number"]
        device = self._service.world.by_number.get(number)
        if device is None:
            raise Bad(f"There is no device {number}.", 404)
        return device

    # --- the world ---

    async def state(self, request: web.Request) -> web.Response:
        """Return the whole state, with write-only settings and tokens."""
        world = self._service.world
        return web.json_response(
            {
                "readings": asdict(world.readings),
                "options": asdict(self._service.options),
                "clock": self._time(),
                "accounts": [editing.account_data(account) for account in world.accounts.values()],
                "otp": {key: asdict(ticket) for key, ticket in world.otp.tickets.items()},
                "journal": len(world.journal),
                "outbox": len(world.outbox),
                "validations": len(world.validations),
                "faults": self._service.faults.waiting(),
            }
        )

    async def reset(self, request: web.Request) -> web.Response:
        """Replace the world. A bad request resets nothing: the new world is created before the old one is removed."""
        data = await _body(request, "readings", "accounts")
        readings = editing.mapping(data, "readings")
        accounts = data.get("accounts", [{"token": ACCOUNT_TOKEN}])
        if not isinstance(accounts, list):
            raise Bad("accounts is a list.")
        trial = Service(start_readings=self._service.start_readings.but(readings))
        trial.world.accounts.clear()
        editing.fill(trial.world, accounts)
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        world = await self._service.reset(readings)
        editing.fill(world, accounts)
        return web.json_response({"accounts": [account.token for account in world.accounts.values()]})

    async def readings(self, request: web.Request) -> web.Response:
        """Change behavior variants in the running world."""
        world = self._service.world
        world.readings = world.readings.but(await _body(request))
        return web.json_response(asdict(world.readings))

    async def options(self, request: web.Request) -> web.Response:
        """Change options of the server, until the next reset."""
        self._service.options = self._service.options.but(await _body(request))
        return web.json_response(asdict(self._service.options))

    async def add_account(self, request: web.Request) -> web.Response:
        """Add an account, optionally with devices."""
        data = await _body(request, "token", "plan", "devices")
        account = editing.fill(self._service.world, [data])[0]
        return web.json_response(editing.account_data(account), status=201)

    # --- devices, as their owner sees them ---

    async def edit(self, request: web.Request) -> web.Response:
        """Change fields, as a person does in the dashboard of the service."""
        device = self._device(request)
        editing.edit(self._service.world, device, await _body(request))
        return web.json_response(editing.device_data(device))

    async def remove(self, request: web.Request) -> web.Response:
        """Delete a device, as a person does in the dashboard of the service."""
        device = self._device(request)
        self._service.world.remove(device)
        return web.json_response(editing.device_data(device))

    async def purge(self, request: web.Request) -> web.Response:
        """Remove a device and its settings, as the service does with a free device after 30 days."""
        device = self._device(request)
        if not device.free:
            raise Bad(f"Only free devices are purged; {device.number} has the package {device.package}.")
        self._service.world.remove(device)
        return web.json_response(editing.device_data(device))

    async def link(self, request: web.Request) -> web.Response:
        """Link a device, as if the owner scanned the code: at once, or ``after`` real seconds."""
        device = self._device(request)
        data = await _body(request, "linked_number", "after")
        number = _text(data, "linked_number", editing.international(device.number))
        after = _seconds(data, "after")
        if after:
            self._link_later(device.token, number, after)
        else:
            self._link(device, number)
        return web.json_response(editing.device_data(device))

    def _link(self, device: Device, number: str) -> None:
        was_linked = device.linked
        self._service.world.link(device, number)
        if not was_linked:
            post_link_event(self._service, device, "connect")

    def _link_later(self, token: str, number: str, after: float) -> None:
        def scan() -> None:
            self._later.discard(handle)
            device = self._service.world.by_token.get(token)
            if device and not self._service.world.other_linked_free(device):
                self._link(device, number)

        handle = asyncio.get_running_loop().call_later(after, scan)
        self._later.add(handle)

    async def unlink(self, request: web.Request) -> web.Response:
        """Unlink a device, as if the owner logged it out on the phone."""
        device = self._device(request)
        data = await _body(request, "reason")
        reason = _text(data, "reason", "logged out from the telephone")
        if device.linked:
            self._service.world.unlink(device)
            post_link_event(self._service, device, "disconnect", reason)
        return web.json_response(editing.device_data(device))

    async def otp(self, request: web.Request) -> web.Response:
        """Return the newest code in the owner's WhatsApp for this device. A used code stays there."""
        device = self._device(request)
        passwords = self._service.world.otp
        key = self._service.world.otp_key(device)
        mail = passwords.sent(key)
        if mail is None:
            raise Bad(f"No OTP was sent for {device.number}.", 404)
        ticket = passwords.tickets.get(key)
        usable = bool(ticket and ticket.code == mail.code and self._service.clock.now() < mail.at + LIFETIME)
        return web.json_response({"otp": mail.code, "at": mail.at, "asked_for": mail.number, "usable": usable})

    async def next_otp(self, request: web.Request) -> web.Response:
        """Set the code that is sent next."""
        code = _text(await _body(request, "next"), "next")
        if len(code) != 6 or not code.isascii() or not code.isdigit():
            raise Bad("An OTP has 6 digits.")
        self._service.world.otp.next_codes.append(code)
        return web.json_response({"next": self._service.world.otp.next_codes})

    async def incoming(self, request: web.Request) -> web.Response:
        """Receive a message for a device. Return whether the webhook gets a request, and otherwise the reason."""
        device = self._device(request)
        chat = await _body(request, *INCOMING_TEXTS, *INCOMING_FILES)
        because = incoming_is_off(device, chat)
        if because is None:
            event = incoming_event(self._service.world, device, chat)
            self._service.webhooks.post("incoming", device, device.settings["webhook"], event, retry(self._service))
        return web.json_response({"posted": because is None, "because": because})

    # --- results of requests ---

    async def journal(self, request: web.Request) -> web.Response:
        """Return all requests, or those after ``since``."""
        since = request.query.get("since", "0")
        if not since.isdigit():
            raise Bad("since is the number of an entry.")
        return web.json_response(list(self._service.world.journal.since(int(since))))

    async def clear_journal(self, request: web.Request) -> web.Response:
        """Clear the journal."""
        self._service.world.journal.clear()
        return web.json_response({})

    async def outbox(self, request: web.Request) -> web.Response:
        """Return the accepted messages."""
        return web.json_response(self._service.world.outbox)

    async def message_status(self, request: web.Request) -> web.Response:
        """Set the delivery state of a message, as WhatsApp reports it."""
        wanted = request.match_info["id"]
        message = next((m for m in self._service.world.outbox if m["id"] == wanted), None)
        if message is None:
            raise Bad(f"There is no message {wanted}.", 404)
        device = self._service.world.by_number.get(str(message["device"]))
        if device is None:
            raise Bad(f"The device {message['device']} is gone.")
        state = _text(await _body(request, "state"), "state", "delivered")
        return web.json_response({"posted": post_status(self._service, device, message, state)})

    async def webhooks(self, request: web.Request) -> web.Response:
        """Return every attempted POST to a webhook."""
        return web.json_response(self._service.webhooks.deliveries())

    async def without_whatsapp(self, request: web.Request) -> web.Response:
        """Set the numbers that have no WhatsApp account, in any of the two spellings."""
        numbers = (await _body(request, "numbers")).get("numbers")
        if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
            raise Bad("numbers is a list of texts.")
        self._service.world.without_whatsapp = {editing.international(number) for number in numbers}
        return web.json_response({})

    # --- time and faults ---

    def _time(self) -> Body:
        return {"now": self._service.clock.now(), "offset": self._service.clock.offset}

    async def clock(self, request: web.Request) -> web.Response:
        """Return the time of the sandbox."""
        return web.json_response(self._time())

    async def advance(self, request: web.Request) -> web.Response:
        """Advance the clock, and return the free devices that were purged."""
        data = await _body(request, "advance")
        self._service.clock.advance(_seconds(data, "advance"))
        return web.json_response({**self._time(), "purged": self._service.world.purge_unused()})

    async def faults(self, request: web.Request) -> web.Response:
        """Return the pending faults."""
        return web.json_response(self._service.faults.waiting())

    async def add_faults(self, request: web.Request) -> web.Response:
        """Add one rule, or close the port completely (``unreachable``)."""
        data = await _body(request)
        if data.get("kind") == "unreachable":
            await self._close_port(data)
        else:
            self._service.faults.add(rule(data))
        return web.json_response(self._service.faults.waiting(), status=201)

    async def _close_port(self, data: Body) -> None:
        args = editing.mapping(data, "args")
        if set(data) - {"kind", "args"} or set(args) - {"seconds"}:
            raise Bad("The fault unreachable is about the whole port; it takes seconds only.")
        if self._service.listener is None:
            raise Bad("This sandbox has no port to close.")
        await self._service.listener.close_for(None if args.get("seconds") is None else _seconds(args, "seconds"))

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Remove all faults, and open the port again."""
        self._service.faults.clear()
        if self._service.listener:
            await self._service.listener.reopen()
        return web.json_response([])

    # --- sinks ---

    async def take(self, request: web.Request) -> web.Response:
        """Receive a POST to a webhook sink."""
        text = await request.text()
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        # The raw query: tests compare a secret in it exactly as it was written.
        query = urlsplit(request.raw_path).query
        status = self._service.sinks.take(
            request.match_info["name"],
            {
                "at": self._service.clock.now(),
                "path": request.path,
                "query": query,
                "content_type": request.content_type,
                "body": body,
            },
        )
        return web.json_response({}, status=status)

    async def sink(self, request: web.Request) -> web.Response:
        """Return the POST requests that a sink received."""
        return web.json_response(self._service.sinks.named(request.match_info["name"]).received)

    async def edit_sink(self, request: web.Request) -> web.Response:
        """Answer the next ``times`` POST requests with ``status``."""
        data = await _body(request, "status", "times")
        status, times = data.get("status", 500), data.get("times", 1)
        if not (is_kind(status, int) and 200 <= status <= 599 and is_kind(times, int) and times >= 0):
            raise Bad("status is an HTTP status from 200, times a number from 0.")
        sink = self._service.sinks.named(request.match_info["name"])
        sink.status, sink.times = status, times
        return web.json_response({"status": status, "times": times})

    async def empty_sink(self, request: web.Request) -> web.Response:
        """Remove the received requests of a sink."""
        self._service.sinks.named(request.match_info["name"]).received.clear()
        return web.json_response([])
