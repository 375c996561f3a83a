# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source without ansible-rulebook: loaded in the same way, with a queue like its queue."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import io
import json
import logging
import runpy
import signal
import socket
import ssl
import time
import typing as t
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadStatusLine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.receiver_check import (
    Network,
    Outcome,
    ReceiverCheck,
    check_receiver,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.tls import make

PLUGINS = Path(__file__).parents[3] / "extensions" / "eda" / "plugins"
SECRET = "Zk3-9xTq7LmPw2Rb"
TOKEN = "tok3n+of-a-client"

Json = dict[str, t.Any]


def dropped(number: int = 0, device: str = "081200001001") -> Json:
    return {
        "device": device,
        "status": "disconnect",
        "timestamp": 1760000000 + number,
        "reason": "logged out",
        "token": TOKEN,
    }


class Filtered:
    """The queue that ansible-rulebook gives a source: filters before a queue of one."""

    def __init__(self, size: int = 1) -> None:
        self.queue: asyncio.Queue[Json] = asyncio.Queue(size)

    async def put(self, data: Json) -> None:
        await self.queue.put(json.loads(json.dumps(data)))


class Rules:
    """Reads events from the queue, at a speed that the test sets."""

    def __init__(self, filtered: Filtered) -> None:
        self._filtered = filtered
        self.events: list[Json] = []
        self.wait: Callable[[], Awaitable[None]] | None = None

    async def run(self) -> None:
        while True:
            if self.wait:
                await self.wait()
            self.events.append((await self._filtered.queue.get())["fonnte"])


class Running:
    """A running source, and a client for it."""

    def __init__(self, source: asyncio.Task[None], rules: Rules, url: str, client: aiohttp.ClientSession) -> None:
        self.source = source
        self.rules = rules
        self.url = url
        self.client = client

    async def post(self, body: object = None, path: str = f"/{SECRET}", **keywords: t.Any) -> int:
        data: t.Any = io.BytesIO(body) if isinstance(body, bytes) else body
        if isinstance(body, dict):
            data = json.dumps(body).encode()
        async with self.client.post(self.url + path, data=data, **keywords) as reply:
            text = await reply.text()
            assert SECRET not in text and TOKEN not in text
            return reply.status

    async def health(self) -> Json:
        async with self.client.get(self.url + "/health") as reply:
            assert reply.status == 200
            return dict(await reply.json())

    async def until(self, count: int) -> list[Json]:
        """Wait until the rules have received ``count`` events."""
        await asyncio.wait_for(self._until(count), 10)
        return self.rules.events

    async def _until(self, count: int) -> None:
        while len(self.rules.events) < count:
            await asyncio.sleep(0.005)

    async def closed(self) -> None:
        """Wait until the source accepts no more events."""
        with contextlib.suppress(aiohttp.ClientError):
            while await self.post(dropped(99)) != 503:
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self.source.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.source


@pytest.fixture(scope="module")
def plugin() -> Json:
    return runpy.run_path(str(PLUGINS / "event_source" / "webhook.py"))


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    # The highest log level of ansible-rulebook.
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(log: pytest.LogCaptureFixture) -> t.Iterator[None]:
    yield
    # The test has ended, so its later log records do not count.
    text = "\n".join(record.getMessage() + str(record.exc_info) for record in log.get_records("call"))
    assert SECRET not in text and TOKEN not in text


@asynccontextmanager
async def running(plugin: Json, tls: ssl.SSLContext | None = None, **args: t.Any) -> AsyncIterator[Running]:
    """Run a source with its rules; both end with the block."""
    filtered = Filtered()
    rules = Rules(filtered)
    ports: list[int] = []
    listening = asyncio.Event()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg.startswith("Listening"):
                ports.append(t.cast(tuple[str, int], record.args)[1])
                listening.set()

    handler = Listening()
    logging.getLogger("fonnte.whatsapp.webhook").addHandler(handler)
    tasks = [asyncio.create_task(rules.run())]
    source = asyncio.create_task(plugin["main"](filtered, {"port": 0, "secret": SECRET, **args}))
    try:
        waiting = asyncio.create_task(listening.wait())
        await asyncio.wait([waiting, source], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if source.done():
            source.result()
        scheme = "https" if "certfile" in args else "http"
        url = f"{scheme}://127.0.0.1:{ports[0]}"
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls or False, limit=0)) as client:
            yield Running(source, rules, url, client)
            source.cancel()
            await asyncio.wait([source])
    finally:
        logging.getLogger("fonnte.whatsapp.webhook").removeHandler(handler)
        for task in (source, *tasks):
            task.cancel()
        await asyncio.gather(source, *tasks, return_exceptions=True)


def test_event_reaches_the_rules_once_and_without_its_token(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            assert [await run.post(dropped()) for _try in range(15)] == [200] * 15
            (event,) = await run.until(1)
            assert event["device"] == "081200001001" and event["connected"] is False
            assert event["withheld"] == ["token"] and TOKEN not in json.dumps(event)
            counts = await run.health()
            assert (counts["accepted"], counts["duplicates"], counts["taken"]) == (1, 14, 1)

    asyncio.run(scene())


def test_token_and_secret_are_masked_in_all_values_of_an_event(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            assert await run.post({**dropped(), "reason": f"{TOKEN} {SECRET}", "x": [f"/{SECRET}/{TOKEN}"]}) == 200
            (event,) = await run.until(1)
            assert TOKEN not in json.dumps(event) and SECRET not in json.dumps(event)
            assert event["reason"] == "******** ********"

    asyncio.run(scene())


def test_token_is_returned_on_request(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin, return_tokens=True) as run:
            assert await run.post(dropped()) == 200
            assert (await run.until(1))[0]["token"] == TOKEN

    asyncio.run(scene())


def test_kind_is_read_from_the_path(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            assert await run.post({"step": 2}, f"/{SECRET}/chaining?x=1") == 200
            assert (await run.until(1))[0]["kind"] == "chaining"

    asyncio.run(scene())


def test_every_refusal_has_its_status_and_is_counted(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin, devices=["0812-0000-1001"], body_limit=4096) as run:
            reported = {
                "not_found": [await run.post(dropped(), path) for path in ("/", "/wrong", f"/{SECRET}x", "/health/x")],
                "not_json": [await run.post(body) for body in (b"{", b"[]", b"\xff", b'"x"', b"nan")],
                "not_understood": [await run.post(body) for body in ({"x": 1}, {"status": "disconnect"})],
                "other_device": [await run.post(dropped(device="081200001002"))],
                "too_large": [await run.post(b"x" * 4097), await run.post(b" " * 5_000_000)],
                "encoded": [await run.post(b"x", headers={"Content-Encoding": "gzip"})],
            }
            methods = []
            for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
                async with run.client.request(method, f"{run.url}/{SECRET}") as reply:
                    methods.append(reply.status)
                    assert reply.headers["Allow"] == "POST"
                async with run.client.request(method, f"{run.url}/wrong") as reply:
                    assert reply.status == 404
            statuses = {"not_found": 404, "not_json": 400, "not_understood": 422, "other_device": 200}
            statuses.update(too_large=413, encoded=415)
            for outcome, got in reported.items():
                assert got == [statuses[outcome]] * len(got), outcome
            assert methods == [405] * 6
            counts = await run.health()
            assert counts["accepted"] == 0
            assert counts["refused"] == {
                **{name: len(got) for name, got in reported.items()},
                "not_found": 10,
                "not_post": 6,
                "too_slow": 0,
                "not_http": 0,
                "failed": 0,
                "full": 0,
                "stopping": 0,
            }

    asyncio.run(scene())


def test_content_type_is_ignored(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            for number, kind in enumerate(("application/json", "text/plain", "application/x-www-form-urlencoded", "")):
                assert await run.post(dropped(number), headers={"Content-Type": kind}) == 200
            await run.until(4)

    asyncio.run(scene())


def test_body_of_unknown_length_is_refused_as_soon_as_it_is_too_large(plugin: Json) -> None:
    async def scene() -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            for _part in range(10_000):
                sent += 65536
                yield b" " * 65536

        async with running(plugin) as run:
            # This error occurs if the server answered and closed while the client was still sending.
            with contextlib.suppress(aiohttp.ClientError):
                assert await run.post(endless()) == 413
            assert (await run.health())["refused"]["too_large"] == 1
            assert sent < 200_000_000

    asyncio.run(scene())


def test_missing_body_times_out(plugin: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugin["main"].__globals__, "BODY_WITHIN", 0.05)

    async def scene() -> None:
        async with running(plugin) as run:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(run.url.rpartition(":")[2]))
            writer.write(f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()
            assert (await run.health())["refused"]["too_slow"] == 1

    asyncio.run(scene())


def test_request_that_is_no_http_is_counted_and_not_logged(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            for raw in (f"POST /{SECRET} \x01 HTTP/9\r\n\r\n".encode(), b"\x16\x03\x01" + b"\xff" * 200 + b"\r\n\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", int(run.url.rpartition(":")[2]))
                writer.write(raw)
                assert (await reader.readline()).startswith(b"HTTP/1.1 400")
                writer.close()
            assert (await run.health())["refused"]["not_http"] == 2

    asyncio.run(scene())


def test_aborted_request_is_counted_and_is_no_internal_error(
    plugin: Json, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = plugin["Source"]._body

    async def scene() -> None:
        reading = asyncio.Event()

        def body(*arguments: t.Any) -> t.Any:
            reading.set()
            return read(*arguments)

        monkeypatch.setattr(plugin["Source"], "_body", body)
        async with running(plugin) as run:
            _reader, writer = await asyncio.open_connection("127.0.0.1", int(run.url.rpartition(":")[2]))
            writer.write(f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
            await asyncio.wait_for(reading.wait(), 10)
            writer.close()
            await asyncio.wait_for(_refused(run, "not_http", 1), 10)
            assert (await run.health())["refused"]["failed"] == 0

    asyncio.run(scene())
    assert not [message for message in log.messages if "an error in the source" in message]


# The outcome of the same request depends on the version of aiohttp.
@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (BadStatusLine(f"POST /{SECRET}"), "not_http"),
        (web.RequestPayloadError(SECRET), "not_http"),
        (ConnectionResetError(SECRET), "not_http"),
        (RuntimeError(SECRET), "failed"),
        (None, "failed"),
    ],
)
def test_errors_logged_by_aiohttp_are_counted(plugin: Json, error: Exception | None, counted: str) -> None:
    intake = plugin["_intake"].EventReceiver(plugin["_intake"].Limits())
    record = logging.LogRecord("http", logging.ERROR, "/x/here.py", 7, SECRET, (), (type(error), error, None))
    plugin["_ClosedConnections"](intake).emit(record)
    assert {outcome: count for outcome, count in intake.counts()["refused"].items() if count} == {counted: 1}


async def _refused(run: Running, outcome: str, count: int) -> None:
    while (await run.health())["refused"][outcome] < count:
        await asyncio.sleep(0.01)


def test_internal_error_is_logged_with_its_place_and_counted_separately(
    plugin: Json, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_intake: object, body: bytes, _kind: str | None) -> None:
        json.dumps({"a": object()}, default=lambda _value: {}[body])

    monkeypatch.setattr(plugin["_intake"].EventReceiver, "receive", wrong)

    async def scene() -> None:
        async with running(plugin) as run:
            assert [await run.post(dropped()) for _try in range(3)] == [500] * 3
            refused = (await run.health())["refused"]
            assert (refused["failed"], refused["not_http"]) == (3, 0)

    asyncio.run(scene())
    line = wrong.__code__.co_firstlineno + 1
    (reported,) = [record for record in log.records if "an error in the source" in record.getMessage()]
    assert reported.levelno == logging.ERROR and reported.name == "fonnte.whatsapp.webhook"
    assert f"KeyError at test_event_source.py:{line}" in reported.getMessage() and reported.exc_info is None
    assert any("3 failed" in message for message in log.messages)


def test_probe_is_answered_with_200_and_is_no_event(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            assert [await run.post(body) for body in (None, b"", {}, {"device": "081200001001"})] == [200] * 4
            assert await run.post(dropped()) == 200
            assert len(await run.until(1)) == 1
            assert (await run.health())["probes"] == 4

    asyncio.run(scene())


def test_receiver_check_of_the_audit_is_accepted_and_is_no_event(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            for path in (f"/{SECRET}", f"/{SECRET}/connect", f"/{SECRET}/incoming"):
                result = await asyncio.to_thread(check_receiver, run.url + path, Network("", allow_private=True))
                assert result == ReceiverCheck(Outcome.OK, 200)
            wrong = await asyncio.to_thread(check_receiver, run.url + "/other", Network("", allow_private=True))
            assert wrong.outcome is Outcome.STATUS
            assert await run.post(dropped()) == 200
            assert len(await run.until(1)) == 1
            assert (await run.health())["probes"] == 3

    asyncio.run(scene())


def test_health_path_returns_only_counts(plugin: Json) -> None:
    def only_counts(value: object) -> bool:
        return all(map(only_counts, value.values())) if isinstance(value, dict) else isinstance(value, int)

    async def scene() -> None:
        async with running(plugin) as run:
            await run.post(dropped())
            counts = await run.health()
            assert counts.pop("status") == "ok" and only_counts(counts)
            async with run.client.post(run.url + "/health") as reply:
                assert reply.status == 405
            async with run.client.head(run.url + "/health") as reply:
                assert reply.status == 200

    asyncio.run(scene())


def test_two_thousand_events_with_slow_rules_are_all_delivered_once(plugin: Json) -> None:
    """Each event is repeated while the response is 503, as Fonnte does. Each is delivered once, and none remains."""

    async def scene() -> None:
        async with running(plugin, queue_size=10) as run:
            run.rules.wait = lambda: asyncio.sleep(0.0005)
            refused = 0

            async def deliver(first: int) -> None:
                nonlocal refused
                for number in range(first, 2000, 40):
                    while (status := await run.post(dropped(number))) != 200:
                        assert status == 503
                        refused += 1

            await asyncio.gather(*(deliver(first) for first in range(40)))
            events = await run.until(2000)
            assert len({event["at"] for event in events}) == len(events) == 2000
            counts = await run.health()
            assert (counts["accepted"], counts["waiting"], counts["refused"]["full"]) == (2000, 0, refused)

    asyncio.run(scene())


def test_blocked_rules_receive_no_more_than_the_queue_holds(plugin: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugin["main"].__globals__, "ROOM_WITHIN", 0.01)

    async def scene() -> None:
        go_on = asyncio.Event()

        async def wait() -> None:
            await go_on.wait()

        async with running(plugin, queue_size=10) as run:
            run.rules.wait = wait
            # The rules process one event, and one is in their queue.
            statuses = [await run.post(dropped(number)) for number in range(30)]
            accepted = statuses.count(200)
            assert set(statuses) == {200, 503} and 10 <= accepted <= 12
            go_on.set()
            await run.until(accepted)
            # An event that was refused with 503 is no duplicate when it is repeated.
            again = [number for number, status in enumerate(statuses) if status == 503]
            for number in again:
                assert await run.post(dropped(number)) == 200
            assert len({event["at"] for event in await run.until(30)}) == 30
            assert (await run.health())["duplicates"] == 0

    asyncio.run(scene())


def test_many_concurrent_requests_do_not_overload_fast_rules(plugin: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine, a request waits longer for room than half a second.
    monkeypatch.setitem(plugin["main"].__globals__, "ROOM_WITHIN", 60)

    async def scene() -> None:
        async with running(plugin, queue_size=100) as run:

            async def deliver(first: int) -> None:
                for number in range(first, 2000, 50):
                    assert await run.post(dropped(number)) == 200

            await asyncio.gather(*(deliver(first) for first in range(50)))
            await run.until(2000)

    asyncio.run(scene())


def named(log: pytest.LogCaptureFixture) -> list[str]:
    starts = ("Not received: ", "Delivered, but perhaps not processed: ")
    lines = [message for message in log.messages if message.startswith(starts)]
    return [message.partition(": ")[2] for message in lines]


def test_stop_logs_the_accepted_events_that_were_not_delivered(plugin: Json, log: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        accepted: set[str] = set()
        async with running(plugin, queue_size=50) as run:
            run.rules.wait = lambda: asyncio.sleep(0.002)

            async def deliver(first: int) -> None:
                for number in range(first, 2000, 20):
                    try:
                        if await run.post(dropped(number)) == 200:
                            accepted.add(f"connect of 081200001001 at {_at(number)}.")
                    except aiohttp.ClientError:
                        return

            callers = [asyncio.create_task(deliver(first)) for first in range(20)]
            await run.until(100)
            # The rules stop reading, as at the end of ansible-rulebook.
            ended = asyncio.Event()
            run.rules.wait = lambda: _never(ended)
            await run.stop()
            await asyncio.gather(*callers)
        taken = {f"connect of 081200001001 at {event['at']}." for event in run.rules.events}
        left = set(named(log))
        assert len(left) == len(named(log)) > 10
        assert accepted <= taken | left
        # An event may be listed although its 200 did not arrive, if the stop interrupted its request.
        assert not taken & left

    asyncio.run(scene())


def test_stop_delivers_the_events_that_the_rules_still_read(plugin: Json, log: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with running(plugin, queue_size=100) as run:
            run.rules.wait = lambda: asyncio.sleep(0.002)
            for number in range(40):
                assert await run.post(dropped(number)) == 200
            await run.stop()
            assert len(await run.until(40)) == 40
        assert [line for line in log.messages if line.startswith("Not received")] == []

    asyncio.run(scene())


@pytest.mark.parametrize("handed", [True, False])
def test_stopped_source_waits_for_rules_that_collect_events(plugin: Json, handed: bool) -> None:
    """A rule with ``once_after`` holds events, which the end of the source would discard."""

    async def scene() -> None:
        async with running(plugin, settle=600) as run:
            if handed:
                assert await run.post(dropped()) == 200
                await run.until(1)
            signal.raise_signal(signal.SIGTERM)
            if handed:
                await run.closed()
                assert not run.source.done()
            else:
                await asyncio.wait_for(run.source, 10)

    asyncio.run(scene())


def test_requests_that_wait_for_space_get_503_at_a_stop(
    plugin: Json, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(plugin["main"].__globals__, "ROOM_WITHIN", 60.0)
    monkeypatch.setitem(plugin["main"].__globals__, "HAND_OVER_WITHIN", 0.1)
    read, read_body = [], plugin["Source"]._body

    async def body(source: t.Any, request: t.Any) -> t.Any:
        read.append(await read_body(source, request))
        return read[-1]

    monkeypatch.setattr(plugin["Source"], "_body", body)

    async def scene() -> None:
        ended = asyncio.Event()
        async with running(plugin, queue_size=1) as run:
            run.rules.wait = lambda: _never(ended)
            # One event is in the rules, which wait; one in their queue; one in the queue of the source.
            accepted = [await run.post(dropped(number)) for number in range(3)]
            assert accepted == [200, 200, 200]
            callers = [asyncio.create_task(run.post(dropped(number))) for number in range(3, 8)]
            # The server closes a connection without a response if it has not read the request.
            while len(read) < 8:
                await asyncio.sleep(0.005)
            assert not any(caller.done() for caller in callers)
            await run.stop()
            assert [await caller for caller in callers] == [503] * 5
        assert len(run.rules.events) == 1

    asyncio.run(scene())
    assert named(log) == [f"connect of 081200001001 at {_at(number)}." for number in (2, 1)]


def test_request_with_an_incomplete_body_at_a_stop_gets_no_200(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(run.url.rpartition(":")[2]))
            body = json.dumps(dropped()).encode()
            writer.write(f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            await asyncio.sleep(0.05)
            run.source.cancel()
            await asyncio.sleep(0.05)
            writer.write(body)
            assert not (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
        assert run.rules.events == []

    asyncio.run(scene())


def test_failed_filter_ends_the_source_and_lists_the_waiting_events(
    plugin: Json, log: pytest.LogCaptureFixture
) -> None:
    class Broken(Filtered):
        async def put(self, data: Json) -> None:
            raise RuntimeError("a filter failed")

    async def scene() -> None:
        async with running(plugin) as run:
            pass
        source = plugin["Source"](plugin["_listener"].parse_options({"port": 0, "secret": SECRET}, {}), Broken())
        task = asyncio.create_task(source.run())
        await asyncio.sleep(0.05)
        assert source._take(json.dumps(dropped()).encode(), None).status == 200
        with pytest.raises(RuntimeError, match="a filter failed"):
            await task
        assert run is not None

    asyncio.run(scene())
    assert named(log) == [f"connect of 081200001001 at {_at(0)}."]


def client_certificate(path: Path) -> Path:
    """Create a self-signed client certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "our proxy")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    signed = builder.sign(key, hashes.SHA256()).public_bytes(kind)
    path.write_bytes(signed + key.private_bytes(kind, form, serialization.NoEncryption()))
    return path


# Python 3.10 logs TLS connections that a client has left when it cleans them up.
@pytest.mark.filterwarnings(r"ignore:.*_SSLProtocolTransport:pytest.PytestUnraisableExceptionWarning")
def test_https_with_a_password_and_with_required_client_certificates(plugin: Json, tmp_path: Path) -> None:
    tls = make("valid", "127.0.0.1", tmp_path)
    pem = (tmp_path / "server.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    locked = serialization.BestAvailableEncryption(b"pa55-word")
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(kind, form, locked))
    (tmp_path / "cert.pem").write_bytes(pem.partition(b"-----BEGIN PRIVATE")[0])
    args: Json = {"certfile": str(tmp_path / "cert.pem"), "keyfile": str(tmp_path / "key.pem"), "password": "pa55-word"}
    trusting = ssl.create_default_context(cafile=str(tls.ca))
    known = ssl.create_default_context(cafile=str(tls.ca))
    known.load_cert_chain(client_certificate(tmp_path / "client.pem"))

    async def scene() -> None:
        async with running(plugin, trusting, **args) as run:
            assert await run.post(dropped()) == 200
            await run.until(1)
        async with running(plugin, trusting, cafile=str(tmp_path / "client.pem"), **args) as run:
            with pytest.raises(aiohttp.ClientError):
                await run.post(dropped())
            assert run.rules.events == []
        async with running(plugin, known, cafile=str(tmp_path / "client.pem"), **args) as run:
            assert await run.post(dropped()) == 200

    async def wrong(words: str, **more: t.Any) -> None:
        with pytest.raises(Exception, match=words) as caught:
            async with running(plugin, **{**args, **more}):
                pass
        assert "pa55" not in str(caught.value) and "\n" not in str(caught.value)

    asyncio.run(scene())
    # Without a password, OpenSSL would prompt at the terminal and wait.
    for password in ("pa55-wrong", None):
        asyncio.run(wrong("Option certfile: certificate and key cannot be loaded", password=password))
    asyncio.run(wrong("Option cafile: it cannot be loaded", cafile=str(tmp_path / "none.pem")))


def opened(run: Running, data: bytes = b"") -> socket.socket:
    """Open a client connection, and send these bytes."""
    one = socket.create_connection(("127.0.0.1", int(run.url.rpartition(":")[2])), timeout=60)
    one.sendall(data)
    return one


async def ended(one: socket.socket) -> bytes:
    """Wait until the source closes a connection, and return the bytes that it sent."""
    sent = b""
    with one, contextlib.suppress(ConnectionError):
        while part := await asyncio.to_thread(one.recv, 65536):
            sent += part
    return sent


async def until_counted(run: Running, outcome: str, count: int) -> None:
    """Wait until ``count`` connections have ended with an outcome."""
    while (await run.health())["connections"][outcome] < count:
        await asyncio.sleep(0.01)


def few_connections(plugin: Json, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(plugin["_connections"], "max_connections", lambda descriptors: count)


@pytest.mark.parametrize("start", [b"", b"POST /x HTTP/1.1\r\nHost: x\r\nX: y"])
def test_half_open_connections_are_closed_for_events(
    plugin: Json, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture, start: bytes
) -> None:
    few_connections(plugin, monkeypatch, 8)

    async def scene() -> None:
        async with running(plugin) as run:
            for number in range(20):
                attackers = [opened(run, start) for _attacker in range(20)]
                assert await run.post(dropped(number), headers={"Connection": "close"}) == 200
                for one in attackers:
                    one.close()
            counts = await run.health()
            assert counts["accepted"] == 20 and counts["connections"]["open"] <= 8
            assert counts["connections"]["evicted"] >= 200
            assert counts["connections"]["turned_away"] == 0

    asyncio.run(scene())
    # The size of the log during an attack does not depend on the number of connections.
    assert sum(len(message) for message in log.messages) < 2000


def test_connection_with_the_secret_is_not_closed_for_others(plugin: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    few_connections(plugin, monkeypatch, 8)

    async def scene() -> None:
        async with running(plugin) as run:
            body = json.dumps(dropped()).encode()
            one = opened(run, f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            # Its head was read, and its body is still missing.
            while (await run.health())["connections"]["open"] < 2:
                await asyncio.sleep(0.01)
            attackers = [opened(run) for _attacker in range(50)]
            await until_counted(run, "evicted", 40)
            one.sendall(body)
            assert (await asyncio.to_thread(one.recv, 100)).startswith(b"HTTP/1.1 200")
            for other in (one, *attackers):
                other.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST /x HTTP/1.1\r\nHost: x\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\n".encode(),
    ],
)
def test_deadline_of_a_connection_begins_at_its_acceptance(
    plugin: Json, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(plugin["_sockets"], "HEAD_WITHIN", 0.05)
    monkeypatch.setattr(plugin["_gate"], "DISCARD_WITHIN", 3600.0)

    async def scene() -> None:
        async with running(plugin) as run:
            assert b" 200 " not in await asyncio.wait_for(ended(opened(run, data)), 10)
            assert run.source.done() is False

    asyncio.run(scene())


def test_deadline_includes_the_tls_handshake(plugin: Json, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plugin["_sockets"], "HEAD_WITHIN", 0.05)
    make("valid", "127.0.0.1", tmp_path)

    async def scene() -> None:
        async with running(plugin, certfile=str(tmp_path / "server.pem")) as run:
            assert await asyncio.wait_for(ended(opened(run)), 10) == b""
            assert await asyncio.wait_for(ended(opened(run, b"\x16\x03\x01")), 10) == b""

    asyncio.run(scene())


def test_oversized_head_is_refused(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            field = b"X: " + b"y" * 3000 + b"\r\n"
            with contextlib.suppress(ConnectionError):
                with opened(run, b"POST /x HTTP/1.1\r\nHost: x\r\n") as one:
                    for _field in range(10):
                        await asyncio.to_thread(one.sendall, field)
                        await asyncio.sleep(0.01)
                    await ended(one)
            await asyncio.wait_for(until_counted(run, "head_too_large", 1), 10)
            assert await run.post(dropped()) == 200

    asyncio.run(scene())


HEAD_OF_OTHERS = b"POST /wrong HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD_OF_OTHERS + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20_000, b"404"),
        (HEAD_OF_OTHERS + b"Content-Length: 100000\r\n\r\n" + b"a" * 100_000, b"404"),
        (HEAD_OF_OTHERS + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + b"a" * 100_000, b"404"),
        (HEAD_OF_OTHERS + b"Connection: close\r\n\r\n" + b"\xff" * 100_000, b"404"),
        (b"GET /wrong HTTP/1.1\r\nHost: x\r\n\r\n" * 2000, b"404"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 2000, b"200"),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n" + b"a" * 100_000, b"400"),
        (b"\xff" * 100_000, b"400"),
    ],
)
def test_no_byte_without_the_secret_reaches_the_parser(
    plugin: Json, monkeypatch: pytest.MonkeyPatch, data: bytes, status: bytes
) -> None:
    """The source sends one short response that repeats nothing of the request."""
    parsed: list[bytes] = []
    take = web.RequestHandler.data_received

    def watched(handler: web.RequestHandler, part: bytes) -> None:
        parsed.append(part)
        take(handler, part)

    monkeypatch.setattr(web.RequestHandler, "data_received", watched)

    async def scene() -> None:
        async with running(plugin) as run:
            one = await asyncio.to_thread(opened, run)
            with contextlib.suppress(ConnectionError):
                await asyncio.to_thread(one.sendall, data)
            sent = await asyncio.wait_for(ended(one), 10)
            assert parsed == []
            # The connection may be reset before its client has read the response.
            assert sent.count(b"HTTP/1.") <= 1 and len(sent) < 2000
            assert not sent or (sent.startswith(b"HTTP/1.1 " + status) and b"\\xff" not in sent and b"aaaa" not in sent)
            refused = (await run.health())["refused"]
            assert sum(refused.values()) == (status != b"200")

    asyncio.run(scene())


def test_pipelined_second_request_is_not_processed(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            one, two = (json.dumps(dropped(number)).encode() for number in range(2))
            head = "POST /{} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n"
            requests = head.format(SECRET, len(one)).encode() + one + head.format(SECRET, len(two)).encode() + two
            sent = await ended(opened(run, requests))
            assert sent.startswith(b"HTTP/1.1 200") and sent.count(b"HTTP/1.") == 1
            assert (await run.health())["accepted"] == 1

    asyncio.run(scene())


def test_each_request_on_a_connection_requires_the_secret(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            port = int(run.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for number in range(3):
                body = json.dumps(dropped(number)).encode()
                writer.write(
                    f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200") and await reader.readline() == b"accepted\n"
            writer.write(b"POST /wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 404")
            writer.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "fields",
    ["Content-Length: 2\r\nTransfer-Encoding: chunked", "Content-Length: 2\r\nContent-Length: 2", "Content-Length: +2"],
)
def test_conflicting_body_lengths_are_refused(plugin: Json, fields: str) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            sent = await ended(opened(run, f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{{}}".encode()))
            assert sent.startswith(b"HTTP/1.1 400")

    asyncio.run(scene())


@pytest.mark.parametrize(
    "target", ["http://xn--/", "http://xn--a/health", "*", "x:1", "http://[::1", "health", "http://" + "a." * 900]
)
def test_malformed_target_is_answered_with_400_and_counted(
    plugin: Json, log: pytest.LogCaptureFixture, target: str
) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            sent = await asyncio.wait_for(ended(opened(run, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())), 5)
            assert sent.startswith(b"HTTP/1.1 400") and target.encode() not in sent
            assert (await run.health())["refused"]["not_http"] == 1

    asyncio.run(scene())
    assert not [record for record in log.records if record.name == "asyncio" and record.levelno > logging.INFO]
    assert not any("xn--" in message for message in log.messages)


def test_error_in_a_request_body_repeats_nothing_of_the_request(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            head = f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            sent = await ended(opened(run, head.encode() + b"zz-not-hexadecimal\r\n"))
            assert b"zz-not" not in sent and b" 200 " not in sent
            assert (await run.health())["refused"]["not_http"] == 1

    asyncio.run(scene())


def test_100_continue_is_sent_only_for_the_correct_secret(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            body = json.dumps(dropped()).encode()
            head = f"HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n"
            head += "Connection: close\r\n\r\n"
            with opened(run, f"POST /{SECRET} {head}".encode()) as one:
                first = await asyncio.to_thread(one.recv, 100)
                assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
                one.sendall(body)
                assert (await ended(one)).startswith(b"HTTP/1.1 200")
            for path in ("wrong", f"{SECRET}/wrong"):
                assert (await ended(opened(run, f"POST /{path} {head}".encode()))).startswith(b"HTTP/1.1 404")
            assert len(await run.until(1)) == 1

    asyncio.run(scene())


@pytest.mark.parametrize("path", ["//{}", "/{}/", "/{}//", "//{}//connect", "///{}/connect/"])
def test_extra_slashes_around_the_secret_are_accepted(plugin: Json, path: str) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            body = json.dumps(dropped()).encode()
            head = f"POST {path.format(SECRET)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            assert (await ended(opened(run, head.encode() + body))).startswith(b"HTTP/1.1 200")
            health = b"GET //health HTTP/1.1\r\nHost: x\r\n\r\n"
            assert b'"accepted": 1' in await ended(opened(run, health))

    asyncio.run(scene())


def test_renewed_certificate_is_used_without_a_restart(
    plugin: Json, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        make("valid", "127.0.0.1", folder)
    used = tmp_path / "server.pem"
    used.write_bytes((first / "server.pem").read_bytes())

    def certificate(run: Running) -> str:
        return ssl.get_server_certificate(("127.0.0.1", int(run.url.rpartition(":")[2])), timeout=60).strip()

    def written(folder: Path) -> str:
        text = (folder / "server.pem").read_text()
        start = text.index("-----BEGIN CERTIFICATE")
        return text[start : text.index("-----END CERTIFICATE-----") + 25].strip()

    async def scene() -> None:
        async with running(plugin, certfile=str(used)) as run:
            assert await asyncio.to_thread(certificate, run) == written(first)
            new = tmp_path / "new.pem"
            new.write_text("half of a certificate")
            new.replace(used)
            assert await asyncio.to_thread(certificate, run) == written(first)
            new.write_bytes((second / "server.pem").read_bytes())
            new.replace(used)
            assert await asyncio.to_thread(certificate, run) == written(second)

    asyncio.run(scene())
    refused, used_now = [message for message in log.messages if "renewed" in message]
    assert refused.startswith(
        "The renewed certificate cannot be loaded, so the previous one stays in use: Option certfile: certificate and key"
    )
    assert used_now == "The certificate was renewed, and is used from now on."


def test_many_refusals_are_one_line_of_the_log(plugin: Json, log: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            for _round in range(20):
                ones = [opened(run, b"POST /wrong HTTP/1.1\r\nHost: x\r\n\r\n") for _one in range(10)]
                ones += [opened(run, b"\x00\xff noise\r\n\r\n") for _one in range(10)]
                await asyncio.gather(*(ended(one) for one in ones))
            counts = (await run.health())["refused"]
            assert (counts["not_found"], counts["not_http"]) == (200, 200)

    asyncio.run(scene())
    assert sum(len(message) for message in log.messages) < 2000


def test_invalid_options_end_the_source_with_one_sentence(plugin: Json, tmp_path: Path) -> None:
    async def scene(words: str, **args: t.Any) -> None:
        with pytest.raises(Exception) as caught:
            async with running(plugin, **args):
                pass
        assert str(caught.value).startswith("Option ") and words in str(caught.value)
        assert "\n" not in str(caught.value) and SECRET not in str(caught.value)

    asyncio.run(scene("Option secret: it is empty", secret=""))
    asyncio.run(scene("Option prot: there is no such option", prot=1))
    asyncio.run(scene("Option host: ", host="no-such-host.invalid"))
    asyncio.run(scene("Option certfile: ", certfile=str(tmp_path / "none.pem")))


def test_port_in_use_is_reported_in_one_sentence(plugin: Json) -> None:
    async def scene() -> None:
        async with running(plugin) as run:
            port = int(run.url.rpartition(":")[2])
            with pytest.raises(
                Exception, match=f"Option port: 127.0.0.1 port {port} cannot be listened on: Address already"
            ):
                await plugin["main"](Filtered(), {"port": port, "secret": SECRET})

    asyncio.run(scene())


def test_unencrypted_network_traffic_has_a_warning(plugin: Json, log: pytest.LogCaptureFixture) -> None:
    async def scene(host: str) -> None:
        async with running(plugin, host=host):
            pass

    asyncio.run(scene("127.0.0.1"))
    assert [record for record in log.records if record.levelno >= logging.WARNING] == []
    asyncio.run(scene("0.0.0.0"))
    assert any("unencrypted" in message for message in log.messages)


def test_counts_are_logged_periodically_and_not_for_each_request(
    plugin: Json, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(plugin["main"].__globals__, "REPORT_EVERY", 0.05)

    async def scene() -> None:
        async with running(plugin) as run:
            for _call in range(200):
                await run.post(b"{", "/wrong")
            await asyncio.sleep(0.1)

    began = time.monotonic()
    asyncio.run(scene())
    # A line is logged at the start and at the end too, even if the requests take long.
    most = (time.monotonic() - began) / 0.05 + 3
    ours = [record for record in log.records if record.name.startswith("fonnte.")]
    assert 1 < len(ours) < most and any("not_found" in record.getMessage() for record in ours)


def _at(number: int) -> str:
    minutes, seconds = divmod(20 + number, 60)
    hours, minutes = divmod(53 + minutes, 60)
    return f"2025-10-09T{8 + hours:02}:{minutes:02}:{seconds:02}Z"


async def _never(event: asyncio.Event) -> None:
    await event.wait()
