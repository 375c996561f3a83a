# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service in memory, as the transport of one node."""

from __future__ import annotations

import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.transport import ApiResponse
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.wire import Request
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import ResponseLostError

from .scheduler import Crash, Node, Schedule

OTP = "123456"
DEFAULTS = {
    "autoread": "false",
    "webhook": "",
    "webhookconnect": "",
    "webhookstatus": "",
    "webhookchaining": "",
    "personal": "false",
    "group": "false",
    "quick": "false",
    "resend": "false",
    "target": "",
    "countryCode": "62",
}
WRITES = ("/add-device", "/update-device", "/delete-device", "/disconnect")

Device = dict[str, str]
Check = t.Callable[[Node, Request], None]


class Service:
    """The service: its devices by token, and the requests so far.

    Args:
        devices: The devices.
    """

    def __init__(self, devices: t.Mapping[str, Device]) -> None:
        self.devices: dict[str, Device] = {token: dict(device) for token, device in devices.items()}
        self.created = 0
        # By node, the devices of its last list, as token by number, and the step of that request.
        self.listed: dict[int, dict[str, str]] = {}
        self.requests: list[tuple[int, str, int]] = []

    def apply(self, node: Node, call: Request) -> dict[str, t.Any]:
        """Carry out a request, and return the response."""
        work = {
            "/get-devices": self._list,
            "/device": self._profile,
            "/add-device": self._add,
            "/update-device": self._update,
            "/delete-device": self._delete,
        }[call.path]
        return work(node, call)

    def number_of(self, token: str) -> str:
        """Return the number of a device; empty if the device does not exist."""
        return self.devices.get(token, {}).get("device", "")

    def _list(self, node: Node, _call: Request) -> dict[str, t.Any]:
        self.listed[node.index] = {device["device"]: token for token, device in self.devices.items()}
        return {
            "status": True,
            "connected": 0,
            "messages": 0,
            "devices": len(self.devices),
            "data": [
                {
                    "autoread": "on" if device["autoread"] == "true" else "off",
                    "device": device["device"],
                    "expired": "0",
                    "name": device["name"],
                    "package": "Free",
                    "quota": "1",
                    "status": "disconnect",
                    "token": token,
                }
                for token, device in self.devices.items()
            ],
        }

    def _profile(self, _node: Node, call: Request) -> dict[str, t.Any]:
        device = self.devices.get(call.token)
        if device is None:
            return refusal("token invalid")
        return {
            "status": True,
            "device": device["device"],
            "name": device["name"],
            "device_status": "disconnect",
            "package": "Free",
            "quota": 1,
            "messages": 0,
            "expired": "18 November 2029",
        }

    def _add(self, _node: Node, call: Request) -> dict[str, t.Any]:
        form = dict(call.form)
        if any(device["device"] == form["device"] for device in self.devices.values()):
            return refusal("device already exist")
        self.created += 1
        token = f"new{self.created}"
        self.devices[token] = {**DEFAULTS, **form}
        return {"status": True, "token": token, "device": form["device"], "name": form["name"], "autoread": "off"}

    def _update(self, _node: Node, call: Request) -> dict[str, t.Any]:
        device = self.devices.get(call.token)
        if device is None:
            return refusal("token invalid")
        form = dict(call.form)
        number = form.get("device", device["device"])
        if any(token != call.token and other["device"] == number for token, other in self.devices.items()):
            return refusal("device already exist")
        # A field that is left out is reset.
        self.devices[call.token] = {**DEFAULTS, "device": number, **form}
        return {"status": True, "detail": "device updated!"}

    def _delete(self, _node: Node, call: Request) -> dict[str, t.Any]:
        device = self.devices.get(call.token)
        if device is None:
            return refusal("token invalid")
        if call.form.get("otp") != OTP:
            return refusal("otp invalid")
        del self.devices[call.token]
        return {"status": True, "detail": f"device {device['device']} successfully deleted"}


def refusal(reason: str) -> dict[str, t.Any]:
    """Return the response of a refused request."""
    return {"status": False, "reason": reason}


class SimulatedTransport:
    """The transport of one node: each request has a step before it is carried out, and one before its response.

    Args:
        service: The service.
        schedule: The schedule.
        node: The node.
        check: A function that is called before a request of this node is carried out.
    """

    def __init__(self, service: Service, schedule: Schedule, node: Node, check: Check) -> None:
        self._service = service
        self._schedule = schedule
        self._node = node
        self._check = check

    def request(self, call: Request) -> ApiResponse:
        """Send a request, and return the response."""
        if call.guard is not None:
            call.guard()
        kind = self._schedule.step(self._node, f"send {call.path}")
        if kind == "refused":
            return ApiResponse(200, refusal("the service is busy"))
        if kind == "late":
            self._schedule.add(Node(len(self._schedule.nodes), "late", self._carry_out_late(call)))
            self._node.is_dead = True
            raise Crash
        if kind == "lost":
            raise _lost(call)
        body = self._apply(call)
        if self._schedule.step(self._node, f"response {call.path}") == "lost":
            raise _lost(call)
        return ApiResponse(200, body)

    def _apply(self, call: Request) -> dict[str, t.Any]:
        if call.path in WRITES:
            self._check(self._node, call)
        self._service.requests.append((self._node.index, call.path, len(self._schedule.trace)))
        return self._service.apply(self._node, call)

    def _carry_out_late(self, call: Request) -> t.Callable[[Node], None]:
        def work(node: Node) -> None:
            self._schedule.step(node, f"late {call.path}")
            self._service.apply(self._node, call)

        return work


def _lost(call: Request) -> ResponseLostError:
    return ResponseLostError(f"no response to {call.path}", "run the playbook again")
