# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.eda.attack``: measure attacks on the event source by clients without the secret.

The source runs in a process with 256 descriptors, loaded as ansible-rulebook loads it. A second process runs one
attack after the other, while a third one posts each event over a new connection. Prints the table of docs/dev/events-attack.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import resource
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "extensions" / "eda" / "plugins" / "event_source" / "webhook.py"
SECRET = "Zk3-9xTq7LmPw2Rb"
DESCRIPTORS = 256
ATTACKERS = 400
EVENT_EVERY = 0.05
READY_WITHIN = 20.0
EVENT_WITHIN = 10.0


def serve(port: int) -> None:
    """Run the source with rules that take each event, until standard input closes."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    # The log level of ansible-rulebook --verbose.
    logging.basicConfig(level=logging.INFO)
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    main = runpy.run_path(str(PLUGIN))["main"]
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)

    async def rules() -> None:
        while True:
            await queue.get()

    tasks = [asyncio.create_task(rules()), asyncio.create_task(main(queue, {"port": port, "secret": SECRET}))]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


async def half_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send nothing, and wait until the connection ends."""
    await reader.read(1)


async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send an endless head, one byte at a time."""
    writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nX: ")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.2)


async def huge_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send headers as fast as they are accepted."""
    writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\n")
    while not writer.is_closing():
        writer.write(b"X-Y: " + b"y" * 4000 + b"\r\n")
        await writer.drain()


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce a body, and send one byte at a time."""
    writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.2)


async def not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Guess a secret, and read the refusal."""
    writer.write(b"POST /wrong-secret HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    await reader.read()


async def not_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send random bytes."""
    writer.write(os.urandom(200) + b"\r\n\r\n")
    await reader.read()


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send a large request in one piece, and read the response."""
    writer.write(data)
    await writer.drain()
    await reader.read()


async def tiny_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a body in chunks of one byte."""
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    await flood(reader, writer, head + b"1\r\na\r\n" * 500_000)


async def pipelined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send many requests at once."""
    await flood(reader, writer, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000)


async def junk_behind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a request, followed by bytes that are no request."""
    await flood(reader, writer, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + b"\xff" * 262_000)


async def bad_target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a target whose host cannot be decoded."""
    await flood(reader, writer, b"GET http://xn--/ HTTP/1.1\r\nHost: x\r\n\r\n")


ATTACKS: dict[str, Attack] = {
    one.__name__: one
    for one in (
        half_open,
        slow_head,
        huge_head,
        slow_body,
        not_found,
        not_http,
        tiny_chunks,
        pipelined,
        junk_behind,
        bad_target,
    )
}


async def attack(name: str, port: int, attackers: int) -> None:
    """Run this many attackers until standard input closes; each connects again when its connection ends."""

    async def attacker() -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    await ATTACKS[name](reader, writer)
                finally:
                    writer.close()
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(attacker()) for _number in range(attackers)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Row:
    """The measurements of one attack."""

    attack: str
    events: int = 0
    tries: int = 0
    delays: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    descriptors: int = 0
    log_bytes: int = 0
    connections: dict[str, int] = field(default_factory=dict)


def post(port: int, number: int) -> bool:
    """Post one event over a new connection; return whether it was accepted."""
    event = {"device": "081200001001", "status": "disconnect", "timestamp": 1700000000 + number}
    body = json.dumps(event).encode()
    head = f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=EVENT_WITHIN) as one:
            one.sendall(head + body)
            return one.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def health(port: int) -> dict[str, Any]:
    """Return the counts of the source."""
    with socket.create_connection(("127.0.0.1", port), timeout=EVENT_WITHIN) as one:
        one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b""
        while part := one.recv(65536):
            text += part
    counts: dict[str, Any] = json.loads(text.partition(b"\r\n\r\n")[2])
    return counts


def look(row: Row, pid: int) -> None:
    """Update the maximum of memory and of descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    memory = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
    row.megabytes = max(row.megabytes, memory)
    row.descriptors = max(row.descriptors, len(os.listdir(f"/proc/{pid}/fd")))


def measure(name: str, port: int, pid: int, log: Path, seconds: float, first: int) -> Row:
    """Run one attack, post events meanwhile, and return the measurements."""
    row = Row(name)
    before = log.stat().st_size
    command = [sys.executable, "-m", "tests.eda.attack", "--as-attacker", name, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as attackers:
        time.sleep(1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            row.events += 1
            row.tries += 1
            while not post(port, first + row.events):
                row.tries += 1
            row.delays.append(time.monotonic() - began)
            look(row, pid)
            time.sleep(EVENT_EVERY)
        attackers.communicate()
    row.log_bytes = log.stat().st_size - before
    row.connections = {key: count for key, count in health(port)["connections"].items() if count}
    return row


def run(names: list[str], seconds: float) -> list[Row]:
    """Run the source, and measure each attack."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "tests.eda.attack", "--as-source", "--port", str(port)]
        with (
            open(log, "wb") as stream,
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=stream, stderr=stream) as source,
        ):
            end = time.monotonic() + READY_WITHIN
            while not post(port, 0) and time.monotonic() < end:
                time.sleep(0.05)
            for index, name in enumerate(names):
                rows.append(measure(name, port, source.pid, log, seconds, (index + 1) * 100_000))
            source.communicate()
        print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
    return rows


def main() -> None:
    """Read the arguments, and run the source, the attackers or the measurement."""
    parser = argparse.ArgumentParser(prog="python -m tests.eda.attack")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each attack lasts")
    parser.add_argument("--only", choices=sorted(ATTACKS), help="one attack")
    parser.add_argument("--as-source", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--as-attacker", choices=sorted(ATTACKS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_source:
        serve(given.port)
    elif given.as_attacker:
        asyncio.run(attack(given.as_attacker, given.port, ATTACKERS))
    else:
        print(
            "| attack | events | tries | median delay (ms) | longest delay (ms) | memory (MB) | descriptors | log (bytes) |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for row in run([given.only] if given.only else list(ATTACKS), given.seconds):
            delays = sorted(row.delays)
            print(
                f"| {row.attack} | {row.events} | {row.tries} | {delays[len(delays) // 2] * 1000:.0f} "
                f"| {delays[-1] * 1000:.0f} | {row.megabytes:.0f} | {row.descriptors} | {row.log_bytes} |"
            )
            print(row.connections, file=sys.stderr)


if __name__ == "__main__":
    main()
