# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out faults on a real connection.

Where aiohttp would repair a response, bytes are written to the transport directly. The response object that is then
returned meets a closed connection, and the exchange ends without an error.
"""

from __future__ import annotations

import asyncio
import copy
import json
import socket
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .faults import Rule

HTML = (
    "<html>\r\n<head><title>{code} {reason}</title></head>\r\n<body>\r\n<center><h1>{code} {reason}</h1></center>"
    "\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Reply:
    """A response of the service: a JSON object, or a plain string for a request that matches no route."""

    status: int
    payload: object
    location: str | None = None

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        if isinstance(self.payload, str):
            return self.payload.encode()
        return json.dumps(self.payload, separators=(",", ":")).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that describe the content."""
        if isinstance(self.payload, str):
            return {"Content-Type": "text/plain; charset=utf-8"}
        headers = {"Content-Type": "application/json"}
        return {**headers, "Location": self.location} if self.location else headers

    def response(self) -> web.Response:
        """Return the response for aiohttp, which sends headers and body in one segment."""
        return web.Response(status=self.status, body=self.body, headers=self.headers)


# The response that stands in when the service never received the request. No fault that changes a response applies to
# it.
NO_REPLY = Reply(200, {})


async def act(rule: Rule, request: web.Request, reply: Reply) -> web.StreamResponse:
    """Answer a request wrongly. ``reply`` is the response of the service, or ``NO_REPLY``."""
    if rule.kind in _ON_WIRE:
        await _ON_WIRE[rule.kind](request, rule.args, reply)
        return web.Response()
    return await _RESPONSES[rule.kind](request, rule.args, reply)


# --- on the wire: the connection does not survive ---------------------------------------------------------------


async def _refuse(request: web.Request, args: Mapping[str, Any], reply: Reply) -> None:
    _reset_connection(request)


async def _reset(request: web.Request, args: Mapping[str, Any], reply: Reply) -> None:
    if args["at"] == "middle":
        raw = _raw(reply)
        _write(request, raw[: -max(1, len(reply.body) // 2)])
        # The first half must leave first: an abort discards the bytes that are still buffered.
        await asyncio.sleep(0.02)
    if args["gentle"]:
        _close(request)
    else:
        _reset_connection(request)


async def _trickle(request: web.Request, args: Mapping[str, Any], reply: Reply) -> None:
    raw = _raw(reply)
    at_once = 0 if args["headers"] else len(raw) - len(reply.body)
    _write(request, raw[:at_once])
    for position in range(at_once, len(raw)):
        await asyncio.sleep(args["interval"])
        if _gone(request):
            return
        _write(request, raw[position : position + 1])
    _close(request)


async def _hang(request: web.Request, args: Mapping[str, Any], reply: Reply) -> None:
    while not _gone(request):
        await asyncio.sleep(0.02)


async def _close_idle(request: web.Request, args: Mapping[str, Any], reply: Reply) -> None:
    """Send the end of the connection together with the response, so that a client receives both at once."""
    _hold_until_closed(request)
    _write(request, _raw(reply))
    _close(request)


async def _cut_short(request: web.Request, args: Mapping[str, Any], reply: Reply) -> None:
    _write(request, _raw(reply)[: -max(1, len(reply.body) // 2)])
    _close(request)


# --- as a proper HTTP response with the wrong content -----------------------------------------------------------


async def _status(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    body = args["body"]
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    headers = {"Content-Type": kind, **{name: str(value) for name, value in args["headers"].items()}}
    return web.Response(status=args["code"], body=text.encode(), headers=headers)


async def _truncated(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    if args["short"]:
        await _cut_short(request, args, reply)
        return web.Response()
    half = reply.body[: max(1, len(reply.body) // 2)]
    return web.Response(status=reply.status, body=half, headers=reply.headers)


async def _html(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    code = args["code"]
    reason = {200: "Welcome", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}.get(code, "Error")
    return web.Response(status=code, text=HTML.format(code=code, reason=reason), content_type="text/html")


async def _empty(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    return web.Response(status=args["code"], body=b"", headers={"Content-Type": "application/json"})


async def _list(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    return Reply(200, args["items"]).response()


async def _redirect(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    location = args["location"] or str(request.rel_url)
    return web.Response(status=args["code"], body=b"", headers={"Location": location})


async def _mutate(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.Response:
    payload = copy.deepcopy(reply.payload)
    if isinstance(payload, dict):
        _change(payload, args["set"], args["remove"])
        items = payload.get("data")
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and args["only"] in (None, item.get("device")):
                _change(item, args["set_each"], args["remove_each"])
    return Reply(reply.status, payload).response()


async def _huge(request: web.Request, args: Mapping[str, Any], reply: Reply) -> web.StreamResponse:
    """Return valid JSON of the required size.

    ``chunked`` leaves out Content-Length, which would reveal the size. ``encoding`` compresses, even if the client did
    not offer to accept that encoding.
    """
    size = int(args["megabytes"] * 1_000_000)
    if args["encoding"]:
        return web.Response(
            body=_compressed(size, args["encoding"]),
            headers={"Content-Type": "application/json", "Content-Encoding": args["encoding"]},
        )
    head, tail = b'{"status":true,"padding":"', b'"}'
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if args["chunked"]:
        response.enable_chunked_encoding()
    else:
        response.content_length = size
    await response.prepare(request)
    try:
        await response.write(head)
        left = size - len(head) - len(tail)
        while left > 0:
            await response.write(b"x" * min(left, 65_536))
            left -= 65_536
        await response.write(tail)
        await response.write_eof()
    except ConnectionError:
        # The client closed the connection, as it should.
        return response
    return response


def _compressed(size: int, encoding: str) -> bytes:
    head, tail, padding = b'{"status":true,"padding":"', b'"}', b"x" * 65_536
    body = b""
    for name in encoding.split(", "):
        packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | (16 if name == "gzip" else 0))
        pieces = [packer.compress(body or head)]
        if not body:
            pieces += [packer.compress(padding) for _piece in range(size // len(padding))]
            pieces.append(packer.compress(tail))
        body = b"".join((*pieces, packer.flush()))
    return body


_ON_WIRE = {
    "refuse": _refuse,
    "reset": _reset,
    "trickle": _trickle,
    "hang": _hang,
    "close_idle": _close_idle,
}
_RESPONSES = {
    "status": _status,
    "truncated": _truncated,
    "html": _html,
    "empty": _empty,
    "list": _list,
    "redirect": _redirect,
    "mutate": _mutate,
    "huge": _huge,
}


# --- bytes and transports ---------------------------------------------------------------------------------------


def _change(target: dict[str, object], new: Mapping[str, object], remove: list[str]) -> None:
    target.update(new)
    for key in remove:
        target.pop(key, None)


def _raw(reply: Reply) -> bytes:
    """Return a response as the bytes of HTTP/1.1."""
    lines = [f"HTTP/1.1 {reply.status} {'OK' if reply.status < 300 else 'Refused'}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines += [f"Content-Length: {len(reply.body)}", "", ""]
    return "\r\n".join(lines).encode() + reply.body


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _write(request: web.Request, data: bytes) -> None:
    if request.transport and not request.transport.is_closing():
        request.transport.write(data)


def _hold_until_closed(request: web.Request) -> None:
    """Keep the kernel from sending before the connection is closed.

    This works on Linux; elsewhere the two may be separate.
    """
    if request.transport and hasattr(socket, "TCP_CORK"):
        request.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)


def _close(request: web.Request) -> None:
    if request.transport and not request.transport.is_closing():
        request.transport.close()


def _reset_connection(request: web.Request) -> None:
    """Abort the connection with a TCP RST: SO_LINGER with zero seconds causes close() to send RST instead of FIN."""
    if request.transport is None or request.transport.is_closing():
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
