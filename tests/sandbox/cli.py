# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from . import readings, server
from .server import Place, Running
from .service import ACCOUNT_TOKEN, Options, Service

TLS_KINDS = ("valid", "expired", "wrong-host", "self-signed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in for the Fonnte HTTP API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="the API; 0 is any free port")
    parser.add_argument("--control-port", type=int, default=8901, help="the control path; 0 is any free port")
    parser.add_argument("--tls", nargs="?", const="valid", choices=TLS_KINDS, help="HTTPS for the API")
    parser.add_argument("--readings", nargs="+", default=[], metavar="KEY=VALUE", help="how the service is read")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="added to every call")
    parser.add_argument(
        "--webhook-retry", type=float, default=60.0, metavar="SECONDS", help="between two tries of a webhook"
    )
    parser.add_argument("--journal-limit", type=int, default=200_000, metavar="N", help="calls kept")
    parser.add_argument("--json", action="store_true", help="say where it listens as one line of JSON")
    parser.add_argument("--stop-with-stdin", action="store_true", help="end when standard input closes")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run until a signal ends the sandbox, and return the exit code: 0 after a clean end."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        service = Service(
            start_readings=readings.from_text(args.readings),
            options=Options(latency=args.latency, webhook_retry=args.webhook_retry),
            journal_limit=args.journal_limit,
        )
    except ValueError as exc:
        parser.error(str(exc))
    folder = Path(tempfile.mkdtemp(prefix="fonnte-sandbox-")) if args.tls else None
    try:
        return asyncio.run(_run(service, args, folder))
    except OSError as exc:
        print(f"The sandbox cannot start: {exc}", file=sys.stderr)
        return 1
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(service: Service, args: argparse.Namespace, folder: Path | None) -> int:
    context, ca = None, None
    if folder:
        # Only TLS needs cryptography.
        from . import tls

        made = tls.make(args.tls, args.host, folder)
        context, ca = made.context, str(made.ca)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    running = await server.start(
        service,
        Place(args.host, args.port, context),
        Place(args.host, args.control_port),
    )
    try:
        print(_announcement(running, ca, args.json), flush=True)
        if args.stop_with_stdin:
            _stop_with_stdin(stop)
        await stop.wait()
    finally:
        await running.stop()
    return 0


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _stop_with_stdin(stop: asyncio.Event) -> None:
    """Stop when stdin closes: if the parent process is killed, the pipe closes, and no process remains."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        # Not sys.stdin: this thread would hold its lock, and the interpreter could not exit cleanly.
        while os.read(0, 4096):
            continue
        try:
            loop.call_soon_threadsafe(stop.set)
        except RuntimeError:
            # The loop ended first.
            return

    threading.Thread(target=wait, daemon=True).start()


def _announcement(running: Running, ca: str | None, as_json: bool) -> str:
    if as_json:
        return json.dumps(
            {
                "api": running.api.url,
                "control": running.control.url,
                "account_token": ACCOUNT_TOKEN,
                "ca": ca,
            }
        )
    trust = f" --cacert {ca}" if ca else ""
    return "\n".join(
        [
            f"API            {running.api.url}",
            f"Control path   {running.control.url}",
            f"Account token  {ACCOUNT_TOKEN}",
            *([f"CA             {ca}"] if ca else []),
            f'Try            curl{trust} -X POST -H "Authorization: {ACCOUNT_TOKEN}" {running.api.url}/get-devices',
        ]
    )
