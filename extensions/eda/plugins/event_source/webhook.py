# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source fonnte.whatsapp.webhook: an HTTP server that receives the webhooks of Fonnte."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import importlib.util
import json
import logging
import os
import resource
import ssl
import sys
import traceback
import typing as t
from importlib.machinery import ModuleSpec
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

DOCUMENTATION = r"""
---
short_description: Receive the webhooks of Fonnte
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Listens for the four kinds of webhooks that U(https://fonnte.com) sends, and passes each to the rulebook in a
    common format, under C(event.fonnte).
  - Fonnte repeats a request up to 15 times, once a minute, until the response is 200. A repeated event is passed once.
  - If the rules are slow and O(queue_size) events wait, the response to further events is 503, so that Fonnte keeps
    them and tries again.
  - C(GET /health) returns the number of requests, and of their outcomes.
    It requires no secret, and returns only counts.
  - No string of an event is a template of Ansible, even if a rulebook joins, slices or trims it.
    C(event.fonnte.altered) lists the strings and keys that were changed for this purpose.
  - For clients that do not know the secret, the number of connections, their time, their memory and their log messages
    are limited.
  - See docs/events.md of the collection for the details.
options:
  host:
    description:
      - The address to listen on. The default is reachable only from this machine, which is correct behind a proxy.
    type: str
    default: 127.0.0.1
  port:
    description:
      - The port to listen on. V(0) selects a free port, which is logged.
    type: int
    default: 5000
  secret:
    description:
      - The secret part of the URL. For V(abc), Fonnte posts to C(https://your.host/abc).
      - 16 to 128 letters, digits, C(-), C(_), C(.) or C(~). A secret that is easy to guess is refused.
      - It is never in an event or in the log.
      - A list, or a string with commas, has several secrets, such as the new and the old one during a rotation.
        C(/health) and the log return the number of requests with each, by its place in the list.
      - If not set, the value of the environment variable E(FONNTE_EVENTS_SECRET) is used. One of the two is required.
    type: raw
  devices:
    description:
      - Pass only the events of these numbers. All spellings of a number are the same device. Quote them.
      - The events of other devices are counted, and the response is 200, so that Fonnte does not repeat them.
    type: list
    elements: str
  certfile:
    description:
      - The path of a certificate in PEM format. With it, the server uses HTTPS.
      - Certificate, key and CA certificates are read again when a file changes, and are used for the next connection.
    type: path
  keyfile:
    description:
      - The path of the certificate's key, if it is in a separate file.
    type: path
  password:
    description:
      - The password of the key.
    type: str
  cafile:
    description:
      - The path of CA certificates.
        Only a client with a certificate that one of them signed is accepted, such as your own proxy.
    type: path
  body_limit:
    description:
      - The maximum size of a request, in bytes. The response to a larger one is 413, and it is not read.
    type: int
    default: 1048576
  queue_size:
    description:
      - The maximum number of events that wait for the rules. If there are more, the response is 503.
    type: int
    default: 1000
  duplicates_within:
    description:
      - The number of seconds in which a repeated event is a duplicate. Fonnte repeats for 14 minutes.
    type: int
    default: 1200
  duplicates_kept:
    description:
      - The maximum number of events that are stored to detect duplicates.
    type: int
    default: 20000
  return_tokens:
    description:
      - Whether to return the device's token and other secrets that Fonnte sends in the event.
      - Anyone with the token can send messages as your client, and rulebooks print events.
    type: bool
    default: false
  own_messages:
    description:
      - Fonnte also sends the messages of the device itself to the webhook for incoming messages. A rule that answers
        each message would answer its own ones.
      - With V(drop), such messages are counted, and the rulebook does not receive them.
      - With V(keep), they are events whose C(outgoing) is V(true).
    type: str
    choices: [drop, keep]
    default: drop
  last_events_file:
    description:
      - The absolute path of a file that contains the time of the last event of each kind for each number, and nothing
        else. The module P(fonnte.whatsapp.fonnte_audit#module) reads it as evidence that webhooks arrive.
      - It is replaced at most every 5 seconds. Only the user of the rulebook can read it. It contains at most 10,000
        numbers. Each source needs a separate file, because it replaces the file of another one.
      - If it cannot be written, a warning is logged, and no event is delayed or lost.
      - If its content is damaged when the source starts, it is renamed with the suffix C(.damaged), a warning is logged,
        and a new file begins.
    type: path
  settle:
    description:
      - At a stop, the number of seconds that the source waits after the last event. In this time, rules that collect
        events, as with C(once_after), can process it; the end of the source discards the events that they hold.
      - A second signal ends the wait.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Report disconnected devices
  hosts: localhost
  sources:
    # The secret is in the environment variable FONNTE_EVENTS_SECRET.
    - fonnte.whatsapp.webhook:
        port: 5000
        devices:
          - "081200001001"
          - "081200001002"
  rules:
    - name: A device is no longer linked
      condition: event.fonnte.kind == "connect" and event.fonnte.connected == false
      action:
        debug:
          msg: "{{ event.fonnte.device }}: {{ event.fonnte.reason }}"
"""

RETURN = r"""
fonnte:
  description: The data that Fonnte sent, in a common format for all kinds. A key that is null is unknown.
  type: dict
"""


_ROOT = Path(__file__).resolve().parents[4]


def _utils() -> str:
    """Return the name under which the module_utils of this copy of the collection can be imported.

    ansible-rulebook loads this file by its path, without the package ansible_collections. If another program has
    imported that package, it may belong to another copy.
    """
    folder = _ROOT / "plugins" / "module_utils"
    name = "_fonnte_whatsapp_" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    if name not in sys.modules:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return name


if t.TYPE_CHECKING:
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import errors as _errors
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import config as _listener
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import connections as _connections
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import gate as _gate
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import last_events as _last_events
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import listener as _sockets
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import receiver as _intake
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import request_head as _request_head
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import stop_signals as _stop_signals
else:
    _errors = importlib.import_module(_utils() + "._common.errors")
    _connections = importlib.import_module(_utils() + "._events.connections")
    _gate = importlib.import_module(_utils() + "._events.gate")
    _last_events = importlib.import_module(_utils() + "._events.last_events")
    _sockets = importlib.import_module(_utils() + "._events.listener")
    _stop_signals = importlib.import_module(_utils() + "._events.stop_signals")
    _intake = importlib.import_module(_utils() + "._events.receiver")
    _listener = importlib.import_module(_utils() + "._events.config")

# The seconds within which a client must send the body.
BODY_WITHIN = 10.0
REPORT_EVERY = 60.0
# The seconds for which a response is delayed while the queue is at least half full. Without the delay, many concurrent
# requests would fill the queue faster than even quick rules can take events from it: an event needs two iterations of
# the event loop.
ROOM_WITHIN = 0.5
# The seconds for which a proxy may keep an idle connection, and for which the rest of a refused body is read.
IDLE_WITHIN = 75.0
LINGER_WITHIN = 1.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# The seconds for the rules to take the queued events at a stop. The first applies if the rules may have ended already.
HAND_OVER_WITHIN = 1.0
HAND_OVER_ASKED_WITHIN = 10.0
END_WITHIN = 2.0
# The seconds between two writes of the file of the last events.
WRITE_EVERY = 5.0

logger = logging.getLogger("fonnte.whatsapp.webhook")


class Queue(t.Protocol):
    """The queue of the rulebook, as ansible-rulebook passes it to a source."""

    async def put(self, data: dict[str, t.Any]) -> None:
        """Wait until the rules take an event."""


# The errors of malformed or incomplete requests.
_MALFORMED = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class _ClosedConnections(logging.Handler):
    """Counts the requests for which aiohttp would log an error, because they end without a regular response.

    aiohttp's message is not logged, because it repeats the request, which may contain the secret. For an internal
    error, its type and place are logged, each only once, because Fonnte repeats its requests.
    """

    def __init__(self, intake: _intake.EventReceiver) -> None:
        super().__init__()
        self._intake = intake
        self._reported_types: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a request."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _MALFORMED):
            self._intake.count(_intake.NOT_HTTP)
            return
        self._intake.count(_intake.FAILED)
        place = _place(error) if error is not None else f"{record.filename}:{record.lineno}"
        mistake = f"{type(error).__name__} at {place}"
        if mistake not in self._reported_types:
            self._reported_types.add(mistake)
            logger.error(
                "A request was answered with status 500 because of an error in the source: %s. Please report it.",
                mistake,
            )


def _place(error: BaseException) -> str:
    """Return the file and line of an error: the innermost stack frame in this collection, if there is one."""
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [(path, line) for path, line in frames if _ROOT in path.parents]
    path, line = (ours or frames or [(Path(__file__), 0)])[-1]
    return f"{path.name}:{line}"


class _Handler(web.RequestHandler):
    """aiohttp's protocol for one connection, behind its gate."""

    def __init__(self, server: _Server, gate: _gate.RequestGate, **limits: t.Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **limits)
        self.gate = gate

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Count an error, and respond without aiohttp's text, which repeats bytes of the request."""
        self.log_exception("A request was not answered", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response was already sent")
        response = web.Response(status=status, text="the request cannot be answered\n")
        response.force_close()
        return response


class _Server(web.Server):
    """aiohttp's server for the requests that pass the gate."""

    def __init__(
        self, answer: t.Callable[[web.BaseRequest], t.Awaitable[web.StreamResponse]], logger: logging.Logger
    ) -> None:
        super().__init__(answer)
        self._quiet = logger

    def protocol(self, gate: _gate.RequestGate) -> _Handler:
        """Return aiohttp's protocol for a connection."""
        return _Handler(
            self,
            gate,
            access_log=None,
            logger=self._quiet,
            # aiohttp would decompress a body before its size is known.
            auto_decompress=False,
            keepalive_timeout=IDLE_WITHIN,
            lingering_time=LINGER_WITHIN,
        )


class Source:
    """The server, and the transfer of events from its queue to the rules."""

    def __init__(self, options: _listener.Options, queue: Queue) -> None:
        self._options = options
        self._queue = queue
        self._last = _new_writer(options.last_events_file)
        self._intake = _intake.EventReceiver(options.limits, accepted=self._last.record if self._last else None)
        self._arrived = asyncio.Event()
        self._asked = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._handed: str | None = None
        self._handed_at: float | None = None
        self._peers = _connections.Connections(_connections.max_connections(_descriptors()))
        self._server = self._new_server()
        self._listener = _sockets.Listener(self._peers, self._new_gate, self._tls, self._intake.count_connection)

    def _new_server(self) -> _Server:
        quiet = logging.Logger("fonnte.whatsapp.webhook.http")
        quiet.addHandler(_ClosedConnections(self._intake))
        return _Server(self._answer, quiet)

    def _new_gate(self, peer: _sockets.Peer) -> _gate.RequestGate:
        return _gate.RequestGate(peer, self._peers, self)

    def _tls(self) -> ssl.SSLContext | None:
        return None if self._options.tls is None else self._options.tls.context()

    async def run(self) -> None:
        """Receive requests and pass events to the rules until a cancellation, a stop signal or an error."""
        await self._listen()
        work, report = asyncio.create_task(self._work()), asyncio.create_task(self._report())
        write = asyncio.create_task(self._write_last_events())
        asked = asyncio.create_task(self._asked.wait())
        try:
            with _stop_signals.stop_signals(self._stop):
                await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                # The rules are still running, so they get the accepted events.
                await asyncio.wait({work}, timeout=HAND_OVER_ASKED_WITHIN)
                await self._settle()
        finally:
            self._stop()
            for task in (work, report, write, asked):
                task.cancel()
            await self._end(work)
        if not work.cancelled():
            work.result()

    async def _settle(self) -> None:
        """Let rules process the events that they collect, which the end of a source would discard."""
        if self._handed_at is not None:
            left = self._handed_at + self._options.settle - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, left))

    def _stop(self) -> None:
        self._intake.stopping = True
        self._asked.set()
        self._arrived.set()
        self._room.set()

    async def _work(self) -> None:
        while not self._asked.is_set():
            await self._hand_over()
            await self._arrived.wait()
            self._arrived.clear()
        await self._hand_over()

    # --- requests ---

    async def _listen(self) -> None:
        options = self._options
        if options.tls is not None:
            options.tls.report = _report_certificate
        try:
            await self._listener.open(options.host, options.port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "the host is not known"
            raise _errors.OptionError(
                "port" if error.errno and error.errno > 0 else "host",
                f"{options.host} port {options.port} cannot be listened on: {reason}",
                "check which program uses it, or choose another",
            ) from None
        (address, *_others) = self._listener.addresses
        logger.info("Listening on %s port %s.", address[0], address[1])
        if options.exposed:
            logger.warning(
                "Fonnte sends tokens of devices, and they will cross the network to %s unencrypted; set certfile, or "
                "listen on 127.0.0.1 behind a proxy that speaks HTTPS.",
                options.host,
            )

    def decide(self, head: _request_head.RequestHead) -> _gate.ShortResponse | _gate.Admission:
        """Admit a request with the secret, and return the response to any other one (invariant 9)."""
        if _listener.is_health(head.path):
            return self._health(head.method)
        secret, kind = _listener.match_path(head.path, self._options.secrets)
        if secret is None:
            return self._refused(_intake.NOT_FOUND)
        if head.method != "POST":
            return self._refused(_intake.NOT_POST)
        self._intake.count_secret(secret)
        return _gate.Admission(kind)

    def refuse_malformed(self) -> _gate.ShortResponse:
        """Count bytes that are not HTTP, and return the response to them."""
        return self._refused(_intake.NOT_HTTP)

    def count_connection(self, outcome: str) -> None:
        """Count a connection that is closed without a response."""
        self._intake.count_connection(outcome)

    def new_handler(self, gate: _gate.RequestGate) -> asyncio.Protocol:
        """Create aiohttp's protocol for the requests of a connection that pass its gate."""
        return self._server.protocol(gate)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Process a request that has passed the gate."""
        handler = request.protocol
        if not isinstance(handler, _Handler):
            raise TypeError("a request came over a connection that was not accepted here")
        admission = handler.gate.begin_request()
        if admission is None:
            return self._reply(_intake.NOT_FOUND)
        response: web.Response | None = None
        try:
            response = await self._answer_webhook(request, admission.kind)
            return response
        finally:
            if response is None or response.keep_alive is False:
                handler.gate.must_close = True
            if response is not None and handler.gate.must_close:
                response.force_close()
            handler.gate.end_request()

    async def _answer_webhook(self, request: web.BaseRequest, kind: str | None) -> web.Response:
        if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
            return self._reply(_intake.ENCODED)
        if (request.content_length or 0) > self._options.body_limit:
            return self._reply(_intake.TOO_LARGE)
        try:
            body = await asyncio.wait_for(self._body(request), BODY_WITHIN)
        except asyncio.TimeoutError:
            return self._reply(_intake.TOO_SLOW)
        if body is None:
            return self._reply(_intake.TOO_LARGE)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._room.wait(), ROOM_WITHIN)
        return _response(self._take(body, kind))

    def _take(self, body: bytes, kind: str | None) -> _intake.Decision:
        answer = self._intake.receive(body, kind)
        self._arrived.set()
        if self._intake.above_high_water():
            self._room.clear()
        return answer

    async def _body(self, request: web.BaseRequest) -> bytes | None:
        """Return the body; None as soon as it exceeds the limit."""
        if request.headers.get("Expect", "").lower() == "100-continue":
            # A strict client waits for this before it sends the body.
            await request.writer.write(CONTINUE)
            request.writer.output_size = 0
        parts: list[bytes] = []
        left = self._options.body_limit
        async for part in request.content.iter_any():
            left -= len(part)
            if left < 0:
                return None
            parts.append(part)
        return b"".join(parts)

    def _reply(self, answer: _intake.Decision) -> web.Response:
        response = _response(self._intake.count(answer))
        # The unread part of the body must not be parsed as the next request.
        response.force_close()
        return response

    def _refused(self, answer: _intake.Decision) -> _gate.ShortResponse:
        self._intake.count(answer)
        return _gate.ShortResponse(answer.status, answer.text + "\n", allow="POST" if answer.status == 405 else "")

    def _health(self, method: str) -> _gate.ShortResponse:
        if method not in ("GET", "HEAD"):
            return _gate.ShortResponse(405, "GET is expected\n", allow="GET, HEAD")
        counts = {"status": "stopping" if self._intake.stopping else "ok", **self._intake.counts()}
        counts["connections"]["open"] = len(self._peers)
        return _gate.ShortResponse(200, json.dumps(counts) + "\n", "application/json; charset=utf-8")

    # --- events for the rules ---

    async def _hand_over(self) -> None:
        """Put all queued events into the rulebook's queue; each leaves this queue after the rulebook has it."""
        while (event := self._intake.first()) is not None:
            await self._queue.put({"fonnte": dict(event.data)})
            self._intake.acknowledge()
            if not self._intake.above_high_water():
                self._room.set()
            self._handed = event.log_safe()
            self._handed_at = asyncio.get_running_loop().time()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY)
            self._say_counts()

    async def _write_last_events(self) -> None:
        """Keep the file of the last events up to date."""
        while self._last is not None:
            self._last.begin_write()
            await asyncio.sleep(WRITE_EVERY)

    async def _finish_last_events(self) -> None:
        """Write the last events of this run, unless the disk is too slow."""
        if self._last is None:
            return
        end = asyncio.get_running_loop().time() + END_WITHIN
        for _step in ("finish the current write", "write the rest", "report"):
            self._last.begin_write()
            while not self._last.is_idle() and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.01)

    def _say_counts(self) -> None:
        report = self._intake.report()
        if report:
            text, refused = report
            logger.log(logging.WARNING if refused else logging.INFO, "Webhooks %s.", text)

    # --- end ---

    async def _end(self, work: asyncio.Task[None]) -> None:
        """Stop listening, pass on the queued events, and log those that were accepted but not taken by the rules."""
        try:
            await asyncio.wait({work})
            # Either the task was canceled or the rules have failed. This is the last attempt in both cases.
            with contextlib.suppress(Exception):
                await self._close()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._hand_over(), HAND_OVER_WITHIN)
            await self._finish_last_events()
        finally:
            # In "finally", because ansible-rulebook may cancel a source more than once.
            self._say_left()

    async def _close(self) -> None:
        self._listener.close()
        # Requests whose first bytes have arrived can begin now.
        await asyncio.sleep(0)
        self._peers.close_all()
        self._server.pre_shutdown()
        await self._server.shutdown(END_WITHIN)

    def _say_left(self) -> None:
        self._say_counts()
        left = self._intake.counts()["waiting"]
        if left:
            logger.warning("Stopped with %d events that were accepted and that the rules have not received:", left)
        for event in self._intake.waiting():
            logger.warning("Not received: %s.", event.log_safe())
        if self._handed and self._unread():
            logger.warning("Delivered, but perhaps not processed: %s.", self._handed)

    def _unread(self) -> bool:
        """Return whether the last event may still be in the rulebook's queue, which has one place."""
        inner: t.Any = getattr(self._queue, "queue", self._queue)
        return getattr(inner, "maxsize", 0) == 1 and bool(inner.full())


def _new_writer(path: str) -> _last_events.LastEventsWriter | None:
    if not path:
        return None
    writer = _last_events.LastEventsWriter(path, _report_last_events)
    damage = writer.load()
    if damage:
        logger.warning("%s", damage)
    return writer


def _report_last_events(problem: str | None) -> None:
    if problem is None:
        logger.info("The file of the last events was written again.")
    else:
        logger.warning("The times of the last events are not stored: %s", problem)


def _descriptors() -> int:
    """Return the maximum number of descriptors of this process; negative for no limit."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return -1 if soft == resource.RLIM_INFINITY else soft


def _report_certificate(problem: str | None) -> None:
    if problem is None:
        logger.info("The certificate was renewed, and is used from now on.")
    else:
        logger.warning("The renewed certificate cannot be loaded, so the previous one stays in use: %s", problem)


def _response(answer: _intake.Decision) -> web.Response:
    return web.Response(status=answer.status, text=answer.text + "\n")


async def main(queue: Queue, args: dict[str, t.Any]) -> None:
    """Run the source until the rulebook ends it.

    Raises:
        FonnteError: An option is invalid. The message is one sentence.
    """
    await Source(_listener.parse_options(args, os.environ), queue).run()
