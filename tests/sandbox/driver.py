# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and control a sandbox from synchronous tests.

::

    with Sandbox() as sandbox:
        sandbox.reset(accounts=[{'token': sandbox.account_token, 'devices': [{'number': '628111111111'}]}])
        ...                                   # the client under test works against sandbox.url
        print(sandbox.writes(), sandbox.device('628111111111')['settings'])
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

PACKAGE = Path(__file__).resolve().parent
RULE_FIELDS = ("kind", "path", "method", "number", "token", "when", "times", "skip", "args")
# A Python interpreter that has aiohttp, if that of the tests has not.
PYTHON_VARIABLE = "FONNTE_SANDBOX_PYTHON"

Json = dict[str, Any]


class ControlError(Exception):
    """The control API refused a request. The message is its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Sandbox:
    """A sandbox in a separate process. Use it as a context manager, or call ``start`` and ``stop``.

    Attributes, after the start: ``url`` (the API), ``control_url``, ``account_token``, ``ca`` (a path, with TLS).
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        control_port: int = 0,
        tls: str | None = None,
        readings: Mapping[str, object] | None = None,
        latency: float = 0.0,
        webhook_retry: float = 60.0,
        python: str | None = None,
    ) -> None:
        self._arguments = [
            "--host",
            host,
            "--port",
            str(port),
            "--control-port",
            str(control_port),
            "--latency",
            str(latency),
            "--webhook-retry",
            str(webhook_retry),
            "--json",
            "--stop-with-stdin",
        ]
        if tls:
            self._arguments += ["--tls", tls]
        if readings:
            self._arguments += ["--readings", *(f"{key}={value}" for key, value in readings.items())]
        self._python = python or os.environ.get(PYTHON_VARIABLE) or sys.executable
        self._process: subprocess.Popen[str] | None = None
        self._session = requests.Session()
        # No proxy and no .netrc between a test and its sandbox.
        self._session.trust_env = False
        self.url = ""
        self.control_url = ""
        self.account_token = ""
        self.ca: str | None = None

    # --- the process ---

    def start(self) -> Sandbox:
        """Start the process, and wait until it listens."""
        # Run as the package "sandbox" from the parent directory: that works in a checkout and in an installed
        # collection. -B: no bytecode is written to a tree under test.
        self._process = subprocess.Popen(
            [self._python, "-B", "-m", PACKAGE.name, *self._arguments],
            cwd=PACKAGE.parent,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            code = self._process.wait()
            self.stop()
            raise RuntimeError(f"The sandbox did not start (exit code {code}); see its error output.")
        said = json.loads(line)
        self.url, self.control_url = said["api"], said["control"]
        self.account_token, self.ca = said["account_token"], said["ca"]
        return self

    def stop(self) -> None:
        """End the process."""
        self._session.close()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- the world ---

    def reset(
        self, readings: Mapping[str, object] | None = None, accounts: Sequence[Mapping[str, object]] | None = None
    ) -> Json:
        """Reset the world.

        Without ``accounts`` it has one account and no device. ``readings`` are added to those of the start.
        """
        body: Json = {"readings": dict(readings or {})}
        if accounts is not None:
            body["accounts"] = list(accounts)
        return self._one("POST", "/reset", body)

    def state(self) -> Json:
        """Return the whole state, with write-only settings and tokens."""
        return self._one("GET", "/state")

    def devices(self) -> dict[str, Json]:
        """Return all devices of all accounts by number. ``settings`` has the settings by API name."""
        return {device["number"]: device for account in self.state()["accounts"] for device in account["devices"]}

    def device(self, number: str) -> Json:
        """Return one device; raise ``KeyError`` if it does not exist."""
        return self.devices()[number]

    def add_account(self, **fields: object) -> Json:
        """Add an account with ``token``, ``plan`` and ``devices``, all optional."""
        return self._one("POST", "/accounts", fields)

    def set_readings(self, **readings: object) -> Json:
        """Change behavior variants in the running world."""
        return self._one("PATCH", "/readings", readings)

    def set_options(self, **options: float) -> Json:
        """Set ``latency``, ``webhook_retry``, ``webhook_tries`` or ``probe_timeout`` until the next reset."""
        return self._one("PATCH", "/options", options)

    # --- devices, as their owner sees them ---

    def link(self, number: str, linked_number: str | None = None, after: float = 0.0) -> Json:
        """Link a device, as if the owner scanned the code: at once, or ``after`` real seconds."""
        body: Json = {"after": after}
        if linked_number is not None:
            body["linked_number"] = linked_number
        return self._one("POST", f"/devices/{number}/link", body)

    def unlink(self, number: str, reason: str | None = None) -> Json:
        """Unlink a device, as if the owner logged it out on the phone."""
        return self._one("POST", f"/devices/{number}/unlink", {} if reason is None else {"reason": reason})

    def edit(self, number: str, **fields: object) -> Json:
        """Change fields as in the dashboard: settings by API name, ``name``, ``package``, ``quota``, …"""
        return self._one("PATCH", f"/devices/{number}", fields)

    def remove(self, number: str) -> Json:
        """Delete a device as in the dashboard."""
        return self._one("DELETE", f"/devices/{number}")

    def purge(self, number: str) -> Json:
        """Purge an unused free device, as the service does."""
        return self._one("POST", f"/devices/{number}/purge")

    def incoming(self, number: str, **chat: object) -> Json:
        """Receive a message for a device; return ``{'posted': bool, 'because': reason or None}``."""
        return self._one("POST", f"/devices/{number}/incoming", chat)

    def otp(self, number: str) -> str | None:
        """Return the newest code that was sent to the owner for this device; None if none was sent."""
        try:
            return str(self._one("GET", f"/devices/{number}/otp")["otp"])
        except ControlError as exc:
            if exc.status == 404:
                return None
            raise

    def next_otp(self, code: str) -> Json:
        """Set the code that is sent next."""
        return self._one("POST", "/otp", {"next": code})

    # --- results of requests ---

    def journal(self, since: int = 0) -> list[Json]:
        """Return every request in order; see ``journal.Entry`` for the fields."""
        return self._many("GET", f"/journal?since={since}")

    def writes(self, since: int = 0) -> list[Json]:
        """Return the requests that change or send something and reached the service, even if refused (``applied``)."""
        return [entry for entry in self.journal(since) if entry["write"] and entry["reached"]]

    def clear_journal(self) -> None:
        """Clear the journal."""
        self.control("DELETE", "/journal")

    def outbox(self) -> list[Json]:
        """Return the accepted messages."""
        return self._many("GET", "/outbox")

    def message_status(self, message_id: str, state: str) -> Json:
        """Set the delivery state of a message, as WhatsApp reports it."""
        return self._one("POST", f"/outbox/{message_id}/status", {"state": state})

    def without_whatsapp(self, *numbers: str) -> None:
        """Set the numbers that have no WhatsApp account. All others have one."""
        self.control("PUT", "/without_whatsapp", {"numbers": list(numbers)})

    def webhooks(self) -> list[Json]:
        """Return every attempted POST to a webhook."""
        return self._many("GET", "/webhooks")

    # --- time and faults ---

    def advance(self, seconds: float) -> Json:
        """Advance the clock; return ``{'now', 'offset', 'purged': [numbers]}``."""
        return self._one("POST", "/clock", {"advance": seconds})

    def now(self) -> float:
        """Return the unix time of the sandbox."""
        return float(self._one("GET", "/clock")["now"])

    def fault(self, kind: str, **rule: Any) -> list[Json]:
        """Add a fault.

        A keyword that is not a field of a rule is an argument: ``fault('status', path='/device', code=503)``.
        """
        body = {"kind": kind, **{key: value for key, value in rule.items() if key in RULE_FIELDS}}
        args = {key: value for key, value in rule.items() if key not in RULE_FIELDS}
        if args:
            body["args"] = {**(rule.get("args") or {}), **args}
        return self._many("POST", "/faults", body)

    def faults(self) -> list[Json]:
        """Return the pending faults."""
        return self._many("GET", "/faults")

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "/faults")

    # --- sinks: targets for webhooks ---

    def sink_url(self, name: str) -> str:
        """Return a URL that accepts POST requests. A path and a query may be appended."""
        return f"{self.control_url}/sink/{name}"

    def sink(self, name: str) -> list[Json]:
        """Return the requests that a sink received: ``at``, ``path``, ``query``, ``content_type``, ``body``."""
        return self._many("GET", f"/sinks/{name}")

    def sink_answers(self, name: str, status: int, times: int = 1) -> Json:
        """Answer the next ``times`` POST requests with a status other than 200."""
        return self._one("PATCH", f"/sinks/{name}", {"status": status, "times": times})

    def wait_for_sink(self, name: str, count: int = 1, timeout: float = 5.0) -> list[Json]:
        """Wait until a sink has received ``count`` POST requests; raise ``TimeoutError`` otherwise."""
        end = time.monotonic() + timeout
        while len(posts := self.sink(name)) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(posts)} of {count} posts arrived at the sink {name}.")
            time.sleep(0.01)
        return posts

    # --- the control path itself ---

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Send a control request; raise ``ControlError`` with the sandbox's sentence if it is refused."""
        reply = self._session.request(method, f"{self.control_url}{path}", json=body, timeout=60)
        data = reply.json()
        if reply.status_code >= 400:
            raise ControlError(reply.status_code, data["error"])
        return data

    def _one(self, method: str, path: str, body: object = None) -> Json:
        data: Json = self.control(method, path, body)
        return data

    def _many(self, method: str, path: str, body: object = None) -> list[Json]:
        data: list[Json] = self.control(method, path, body)
        return data
