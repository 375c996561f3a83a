# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP layer of the API: it parses requests, returns responses, and adds both to the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from . import calls, contacts, sending
from .acts import NO_REPLY, Reply, act
from .calls import Call, Route, Upload
from .faults import Rule
from .forms import Refused
from .service import Service

ROUTES: dict[str, Route] = {
    "/add-device": Route(calls.add_device, write=True),
    "/update-device": Route(calls.update_device, write=True),
    "/get-devices": Route(calls.get_devices, write=False),
    "/device": Route(calls.profile, write=False),
    "/disconnect": Route(calls.disconnect, write=True),
    "/delete-device": Route(calls.delete_device, write=True),
    "/qr": Route(calls.qr, write=False),
    "/get-whatsapp-group": Route(contacts.get_groups, write=False),
    "/fetch-group": Route(contacts.fetch_groups, write=True),
    "/validate": Route(contacts.validate, write=False),
    "/send": Route(sending.send, write=True, methods=("POST", "GET")),
    "/status": Route(sending.message_status, write=False),
}
NO_ROUTE = Route(calls.get_devices, write=False, methods=())
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
PostedForm = Mapping[str, str | bytes | bytearray | web.FileField]
# A 10 MB attachment and its form. The server refuses a larger body with 413.
LARGEST_BODY = 12 * 1024 * 1024
# A request that was in progress during a reset must not change the new world or its journal.
OF_AN_OLD_WORLD = Rule("refuse")


@dataclass(frozen=True)
class Answer:
    """The result of a request: the response, and whether the service applied the request."""

    reply: Reply
    applied: bool


def application(service: Service) -> web.Application:
    """Create the application of the API. It has no route that the real service lacks."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _handle(service, request)

    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _handle(service: Service, request: web.Request) -> web.StreamResponse:
    world = service.world
    call = await _read(request)
    if service.options.latency:
        await asyncio.sleep(service.options.latency)
        if service.world is not world:
            return await act(OF_AN_OLD_WORLD, request, NO_REPLY)
    number = _number(service, call)
    rule = service.faults.take(call.path, call.method, number, call.token)
    if rule and rule.when == "before":
        if rule.kind != "delay":
            _write_down(service, call, number, None, rule)
            return await act(rule, request, NO_REPLY)
        await asyncio.sleep(rule.args["seconds"])
        if service.world is not world:
            return await act(OF_AN_OLD_WORLD, request, NO_REPLY)
    answer = await _answer(service, call)
    _write_down(service, call, number, answer, rule)
    if rule and rule.when == "after":
        if rule.kind != "delay":
            return await act(rule, request, answer.reply)
        await asyncio.sleep(rule.args["seconds"])
    return answer.reply.response()


async def _read(request: web.Request) -> Call:
    """Parse a request. A body that is not a form, for example JSON, has no fields."""
    form: dict[str, str] = {}
    files: dict[str, Upload] = {}
    if request.method == "GET":
        form = dict(request.query)
    elif request.content_type in FORM_TYPES:
        try:
            _sort(await request.post(), form, files)
        except ValueError:
            # The body cannot be decoded, or its multipart structure is broken: no fields.
            form, files = {}, {}
    token = request.headers.get("Authorization", "")
    if request.method == "GET" and request.path == "/send":
        token = form.pop("token", "")
    return Call(path=request.path, method=request.method, token=token, form=form, files=files)


def _sort(posted: PostedForm, form: dict[str, str], files: dict[str, Upload]) -> None:
    for name, value in posted.items():
        if isinstance(value, web.FileField):
            files[name] = Upload(filename=value.filename, size=_size(value))
        else:
            form[name] = value if isinstance(value, str) else bytes(value).decode(errors="replace")


def _size(upload: web.FileField) -> int:
    size = upload.file.seek(0, 2)
    upload.file.close()
    return size


def _number(service: Service, call: Call) -> str | None:
    """Return the number of the device that a request refers to: that of the token, or the one to add."""
    device = service.world.by_token.get(call.token)
    if device:
        return device.number
    return call.form.get("device") if call.path == "/add-device" else None


async def _answer(service: Service, call: Call) -> Answer:
    route = ROUTES.get(call.path)
    removed = call.path == "/status" and service.world.readings.message_status == "gone"
    if route is None or removed:
        return Answer(Reply(404, "404 page not found"), applied=False)
    if call.method not in route.methods:
        return Answer(Reply(405, "Method Not Allowed"), applied=False)
    try:
        payload = await route.handler(service, call)
    except Refused as refusal:
        return Answer(Reply(service.world.readings.refusal_status, refusal.body()), applied=False)
    redirect = call.form.get("redirect") if call.method == "GET" else None
    return Answer(Reply(302 if redirect else 200, payload, location=redirect or None), applied=True)


def _write_down(service: Service, call: Call, number: str | None, answer: Answer | None, rule: Rule | None) -> None:
    route = ROUTES.get(call.path, NO_ROUTE)
    files = {name: f"{upload.filename} ({upload.size} bytes)" for name, upload in call.files.items()}
    service.world.journal.write_down(
        at=service.clock.now(),
        path=call.path,
        method=call.method,
        token=call.token,
        number=number,
        form={**call.form, **files},
        write=route.write and call.method in route.methods,
        reached=answer is not None,
        applied=bool(answer and answer.applied),
        status=answer.reply.status if answer else None,
        reply=answer.reply.payload if answer else None,
        fault=rule.kind if rule else None,
    )
