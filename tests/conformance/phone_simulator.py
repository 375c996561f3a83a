# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulate the person who links a phone with a QR code or a pairing code, and whose phone receives messages."""

from __future__ import annotations

import threading
from collections.abc import Collection

import requests

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

# The time between the code and the link.
SECONDS = 1.0


class Person:
    """Links each device for which a QR code or a pairing code was fetched, a moment later.

    A message is delivered to the phone after its state was requested for the first time, or gets another state.

    Attributes:
        linked: The numbers of those devices, in order.
    """

    def __init__(self, sandbox: Sandbox, methods: Collection[str] = ("qr", "code"), state: str = "delivered") -> None:
        # Not through the sandbox object, since its connection belongs to the thread of the test.
        self._control = sandbox.control_url
        self._methods = methods
        self._state = state
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.linked: list[str] = []

    def __enter__(self) -> Person:
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            seen = 0
            delivered: set[str] = set()
            while not self._over.wait(0.05):
                for call in session.get(f"{self._control}/journal", params={"since": seen}, timeout=60).json():
                    seen = call["n"]
                    if call["path"] == "/qr" and call["applied"] and call["form"].get("type") in self._methods:
                        self._link(session, call["number"])
                    if call["path"] == "/status" and call["applied"] and call["form"]["id"] not in delivered:
                        delivered.add(call["form"]["id"])
                        self._post(session, f"/outbox/{call['form']['id']}/status", {"state": self._state})

    def _link(self, session: requests.Session, number: str) -> None:
        self.linked.append(number)
        self._post(session, f"/devices/{number}/link", {"after": SECONDS})

    def _post(self, session: requests.Session, path: str, body: object) -> None:
        answer = session.post(f"{self._control}{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
