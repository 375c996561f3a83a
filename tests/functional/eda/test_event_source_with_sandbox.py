# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source with the sandbox: own messages, probes, the rotation of the secret, and the file of last events."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import runpy
import socket
import typing as t
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import requests

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox
from ansible_collections.fonnte.whatsapp.tests.sandbox.readings import VALUES

PLUGIN = Path(__file__).parents[3] / "extensions" / "eda" / "plugins" / "event_source" / "webhook.py"
OLD, NEW = "Zk3-9xTq7LmPw2Rb", "Qm5_8vYs1HdNk4Wc"
DEVICE, PERSON = "081200001001", "6281299990000"
FIELDS = ("webhook", "webhookconnect", "webhookstatus", "webhookchaining")

Json = dict[str, t.Any]


class Running:
    """A running source: its events, and its counts."""

    def __init__(self, url: str, events: list[Json]) -> None:
        self.url = url
        self.events = events

    async def health(self) -> Json:
        async with aiohttp.ClientSession() as client, client.get(f"{self.url}/health") as reply:
            return dict(await reply.json())

    async def until(self, condition: Callable[[Json], bool]) -> Json:
        """Wait until the counts fulfill a condition, and return them."""

        async def wait() -> Json:
            while not condition(counts := await self.health()):
                await asyncio.sleep(0.01)
            return counts

        return await asyncio.wait_for(wait(), 60)


@pytest.fixture(scope="module")
def plugin() -> Json:
    return runpy.run_path(str(PLUGIN))


@pytest.fixture
def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def device(sandbox: Sandbox) -> Sandbox:
    """Return a sandbox with a linked device."""
    one = {"number": DEVICE, "name": "Toko", "package": "Super", "linked": True}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [one]}])
    sandbox.set_options(webhook_retry=0.05, webhook_tries=200)
    return sandbox


@asynccontextmanager
async def running(plugin: Json, port: int, secret: object = OLD, **args: t.Any) -> AsyncIterator[Running]:
    """Run a source at a port, with rules that take each event."""
    queue: asyncio.Queue[Json] = asyncio.Queue(1)
    events: list[Json] = []

    async def rules() -> None:
        while True:
            events.append((await queue.get())["fonnte"])

    async def start() -> None:
        while not tasks[1].done():
            with contextlib.suppress(aiohttp.ClientError):
                await one.health()
                return
            await asyncio.sleep(0.01)

    main = plugin["main"](queue, {"port": port, "secret": secret, **args})
    tasks = [asyncio.create_task(rules()), asyncio.create_task(main)]
    one = Running(f"http://127.0.0.1:{port}", events)
    try:
        await asyncio.wait_for(start(), 60)
        yield one
    finally:
        tasks[1].cancel()
        await asyncio.wait([tasks[1]])
        # The rules take the event that the source has passed to them last.
        while not queue.empty():
            await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def request(sandbox: Sandbox, path: str, **fields: str) -> Json:
    with requests.Session() as session:
        session.trust_env = False
        token = {"Authorization": sandbox.device(DEVICE)["token"]}
        return dict(session.post(sandbox.url + path, data=fields, headers=token, timeout=60).json())


@pytest.mark.parametrize("form", VALUES["own_messages"])
@pytest.mark.parametrize("own", ["drop", "keep"])
def test_own_messages_in_each_variant(plugin: Json, device: Sandbox, port: int, form: str, own: str) -> None:
    posted = 0 if form in ("not_posted", "only_with_quick") else 5

    async def scene() -> None:
        async with running(plugin, port, own_messages=own) as run:
            device.edit(DEVICE, autoread=True, personal=True, webhook=f"{run.url}/{OLD}")
            device.set_readings(own_messages=form)
            device.incoming(DEVICE, sender=PERSON, message="> _Sent via fonnte.com_\n\nApa ini?")
            for _message in range(5):
                sent = await asyncio.to_thread(request, device, "/send", target=PERSON, message="halo")
                assert sent["status"] is True
            counts = await run.until(lambda counts: counts["received"] >= posted + 1 and counts["waiting"] == 0)
            dropped = posted if own == "drop" else 0
            assert (counts["own_messages"], counts["accepted"]) == (dropped, 1 + posted - dropped)
        kinds = sorted((event["kind"], event["outgoing"]) for event in run.events)
        assert kinds == [("incoming", False), *[("incoming", True)] * (posted - dropped)]

    asyncio.run(scene())


@pytest.mark.parametrize("end", ["", "/"])
def test_probe_of_each_webhook_is_answered_and_is_no_event(plugin: Json, device: Sandbox, port: int, end: str) -> None:
    device.set_readings(webhook_probe="called")

    async def scene() -> None:
        async with running(plugin, port, [NEW, OLD], devices=["6281200001999"]) as run:
            urls = dict.fromkeys(FIELDS, f"{run.url}/{OLD}{end}")
            saved = await asyncio.to_thread(request, device, "/update-device", name="Toko", device=DEVICE, **urls)
            assert saved["status"] is True
            counts = await run.health()
            assert (counts["probes"], counts["received"], counts["accepted"]) == (4, 4, 0)
            assert counts["secrets"]["2"]["requests"] == 4
        assert run.events == []
        assert [delivery["status"] for delivery in device.webhooks()] == [200] * 4

    asyncio.run(scene())


def test_rotation_of_the_secret_loses_no_event(
    plugin: Json, device: Sandbox, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Events arrive all the time: before, between and after the restarts, and while the URL changes."""
    caplog.set_level(logging.INFO)
    device.edit(DEVICE, autoread=True, personal=True, webhook=f"http://127.0.0.1:{port}/{OLD}")
    received: list[Json] = []
    posted = 0

    def arrive() -> None:
        nonlocal posted
        assert device.incoming(DEVICE, sender=PERSON, message=str(posted))["posted"] is True
        posted += 1

    async def phase(secret: object, provision: bool = False) -> list[Json]:
        health: list[Json] = []
        async with running(plugin, port, secret) as run:
            for place in range(20):
                if provision and place == 10:
                    await run.until(lambda counts: counts["accepted"] >= 11)
                    health.append(await run.health())
                    url = f"http://127.0.0.1:{port}/{NEW}"
                    await asyncio.to_thread(request, device, "/update-device", name="Toko", device=DEVICE, webhook=url)
                await asyncio.to_thread(arrive)
            await run.until(lambda counts: counts["accepted"] >= (20 if secret == OLD else 21))
            health.append(await run.health())
        received.extend(run.events)
        # The source is down: the sandbox repeats this event.
        await asyncio.to_thread(arrive)
        return health

    async def scene() -> None:
        (before,) = await phase(OLD)
        assert before["secrets"] == {"1": {"requests": before["received"], "last_hour": before["received"]}}
        middle, after = await phase([NEW, OLD], provision=True)
        assert middle["secrets"]["1"]["requests"] == 0 and middle["secrets"]["2"]["requests"] > 0
        # No request has the old secret any more.
        assert after["secrets"]["2"]["requests"] == middle["secrets"]["2"]["requests"]
        assert after["secrets"]["1"]["requests"] >= 10
        (last,) = await phase(NEW)
        assert last["refused"]["not_found"] == 0
        async with running(plugin, port, NEW) as run:
            await run.until(lambda counts: counts["accepted"] >= 1)
        received.extend(run.events)

    asyncio.run(scene())
    assert sorted(int(event["message"]) for event in received) == list(range(posted)) and posted == 63
    assert any("with secret 1, " in message and "with secret 2" in message for message in caplog.messages)
    assert not any(OLD in message or NEW in message for message in caplog.messages)


def chat(number: int) -> Json:
    return {"device": DEVICE, "sender": PERSON, "message": f"private text {number}", "timestamp": 1760000000 + number}


def test_last_events_are_kept_over_a_restart(plugin: Json, port: int, tmp_path: Path) -> None:
    path = tmp_path / "last.json"

    async def post(run: Running, body: Json) -> None:
        async with aiohttp.ClientSession() as client, client.post(f"{run.url}/{OLD}", json=body) as reply:
            assert reply.status == 200

    async def scene() -> None:
        async with running(plugin, port, last_events_file=str(path)) as run:
            await post(run, chat(0))
            await post(run, {**chat(1), "fromMe": True})
            await post(run, {"device": "081200001002", "sender": "6281200001002", "message": "own"})
        async with running(plugin, port, last_events_file=str(path)) as run:
            await post(run, {"device": "+62 812-0000-1003", "status": "connect", "timestamp": 1760000000})

    asyncio.run(scene())
    devices = json.loads(path.read_text())["devices"]
    assert {number: set(kinds) for number, kinds in devices.items()} == {
        "6281200001001": {"incoming"},
        "6281200001003": {"connect"},
    }
    assert path.stat().st_mode & 0o777 == 0o600
    assert "private" not in path.read_text() and PERSON not in path.read_text()


@pytest.mark.parametrize("damaged", [b"\0" * 300, b'{"format": "fonnte.whatsapp/last-events", "ver', b"not json"])
def test_source_starts_with_a_damaged_file(
    plugin: Json, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    path = tmp_path / "last.json"
    path.write_bytes(damaged)

    async def scene() -> None:
        for number in range(2):
            async with running(plugin, port, last_events_file=str(path)) as run, aiohttp.ClientSession() as client:
                async with client.post(f"{run.url}/{OLD}", json=chat(number)) as reply:
                    assert reply.status == 200

    asyncio.run(scene())
    assert list(json.loads(path.read_text())["devices"]) == ["6281200001001"]
    assert (tmp_path / "last.json.damaged").read_bytes() == damaged
    assert len([message for message in caplog.messages if "is not a file of last events" in message]) == 1


def test_full_disk_loses_no_event(
    plugin: Json, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(plugin["main"].__globals__, "WRITE_EVERY", 0.01)

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(plugin["_last_events"], "write_in", full)

    async def scene() -> None:
        async with running(plugin, port, last_events_file=str(tmp_path / "last.json")) as run:
            async with aiohttp.ClientSession() as client:
                for number in range(200):
                    async with client.post(f"{run.url}/{OLD}", json=chat(number)) as reply:
                        assert reply.status == 200
            await run.until(lambda counts: counts["taken"] == 200)
        assert len(run.events) == 200

    asyncio.run(scene())
    assert list(tmp_path.iterdir()) == []
    warnings = [message for message in caplog.messages if "No space left on device" in message]
    assert len(warnings) == 1 and warnings[0].startswith("The times of the last events are not stored: ")
