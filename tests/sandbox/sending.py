# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests /send and /status: validation, queue, quota and delivery states.

The refusals for a bad field are documented only in general (``invalid/empty body value``, ``target invalid``). The
refusal of each field is a choice of this sandbox. One bad target refuses the whole request, and nothing is queued.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from . import forms
from .calls import Call, Payload, Upload, retry
from .forms import BODY_INVALID, Refused
from .model import Device
from .service import Service
from .webhooks import own_event

LONGEST_MESSAGE = 60_000
LARGEST_FILE = 10 * 1024 * 1024
BOOLEAN_DEFAULTS = {"typing": False, "sequence": False, "connectOnly": True, "preview": True}
WHOLE_NUMBERS = ("schedule", "followup", "duration", "inboxid")
POLL = ("choices", "select", "pollname")

_PERSON = re.compile(r"[0-9]{8,15}")
_GROUP = re.compile(r"[0-9]+(-[0-9]+)?@g\.us")
_ROTATOR = re.compile(r"rotator#[0-9]+")
_DELAY = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


@dataclass(frozen=True)
class Target:
    """A recipient, and the words that fill the message."""

    address: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One validated request."""

    targets: tuple[Target, ...]
    fields: Mapping[str, str]
    connect_only: bool


async def message_status(service: Service, call: Call) -> Payload:
    """Return the last state of one message of the device.

    The documentation lists no response for an unknown id, nor for a message of another device. The string is invented.
    """
    device = service.world.by_token.get(call.token)
    if device is None:
        raise Refused("token invalid")
    wanted = call.form.get("id", "")
    if not re.fullmatch(r"[0-9]{1,15}", wanted):
        raise Refused("id required")
    sent = (m for m in service.world.outbox if m["id"] == wanted and m["device"] == device.number)
    message = next(sent, None)
    if message is None:
        raise Refused("there is no such message")
    return {"id": int(wanted), "message_status": _state(service, message), "status": True}


def _state(service: Service, message: Payload) -> str:
    """Return the state as /status reports it; a message that is not sent yet has none in its events."""
    if not message["states"]:
        return "waiting" if "schedule" in message["fields"] else "pending"
    state = str(message["states"][-1])
    known = service.world.readings.message_status == "delivered" or state not in ("delivered", "read")
    return state if known else "sent"


async def send(service: Service, call: Call) -> Payload:
    """Queue messages. ``data`` may have several objects: all of them are queued, or none."""
    device = service.world.by_token.get(call.token)
    if device is None:
        # The sample in the API documentation spells the key with a capital letter for this request only.
        raise Refused("token invalid", spelling="Status")
    if call.method == "GET" and "redirect" in call.form:
        _require(forms.is_url(call.form["redirect"]))
    bare_url = service.world.readings.url_without_message == "works"
    requests = [_judge(device, form, call.files, bare_url) for form in _forms(call)]
    if not device.linked and any(request.connect_only for request in requests):
        raise Refused("request invalid on disconnected device")
    count = sum(len(request.targets) for request in requests)
    if count > device.quota:
        raise Refused("insufficient quota")
    device.quota -= count
    device.messages += count
    device.last_used = service.clock.now()
    return _queue(service, device, requests, call)


def _forms(call: Call) -> list[Mapping[str, str]]:
    """Return the request's fields, or those of each object of ``data`` (its values as they would be in a form)."""
    if "data" not in call.form:
        return [call.form]
    try:
        items = json.loads(call.form["data"])
    except ValueError as exc:
        raise Refused(BODY_INVALID) from exc
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Refused(BODY_INVALID)
    return [{key: _as_text(value) for key, value in item.items()} for item in items]


def _as_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, (bool, dict, list, type(None))) else str(value)


def _judge(device: Device, form: Mapping[str, str], files: Mapping[str, Upload], bare_url: bool) -> Request:
    flags = {key: forms.boolean(form[key]) if key in form else default for key, default in BOOLEAN_DEFAULTS.items()}
    for key in WHOLE_NUMBERS:
        _require(key not in form or bool(re.fullmatch(r"[0-9]{1,15}", form[key])))
    _check_delay(form.get("delay"))
    _check_location(form.get("location"))
    _check_poll(form)
    _check_attachment(device, form, files)
    message = form.get("message", "")
    _require(len(message) <= LONGEST_MESSAGE)
    if form.get("url") and not message and not bare_url:
        raise Refused("message cannot empty")
    _require(bool(message or form.get("location") or form.get("choices") or form.get("url") or files))
    country = forms.country_code(form.get("countryCode", "62"))
    return Request(targets=_targets(form.get("target", ""), country), fields=form, connect_only=flags["connectOnly"])


def _require(good: bool) -> None:
    if not good:
        raise Refused(BODY_INVALID)


def _check_delay(value: str | None) -> None:
    if value is None:
        return
    match = _DELAY.fullmatch(value)
    _require(match is not None and int(match[1]) <= int(match[2] or match[1]))


def _check_location(value: str | None) -> None:
    if value is None:
        return
    match = re.fullmatch(r"(-?[0-9]{1,2}(?:\.[0-9]+)?),(-?[0-9]{1,3}(?:\.[0-9]+)?)", value)
    _require(match is not None and abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180)


def _check_poll(form: Mapping[str, str]) -> None:
    """Require all three fields of a poll, or none."""
    if not any(key in form for key in POLL):
        return
    choices = form.get("choices", "").split(",")
    _require(2 <= len(choices) <= 12 and all(choice.strip() for choice in choices))
    _require(form.get("select") in ("single", "multiple") and bool(form.get("pollname")))


def _check_attachment(device: Device, form: Mapping[str, str], files: Mapping[str, Upload]) -> None:
    """Validate an attachment. The documentation states that other packages refuse one, but not with which text."""
    _require("file" not in form and set(files) <= {"file"})
    _require("url" not in form or forms.is_url(form["url"]))
    if "url" in form or files:
        _require(device.attaches)
    for upload in files.values():
        _require(0 < upload.size <= LARGEST_FILE)


def _targets(text: str, country: str) -> tuple[Target, ...]:
    """Split recipients at commas, and the words of a recipient at bars. White space is not stripped."""
    _require(text != "")
    return tuple(_target(item, country) for item in text.split(","))


def _target(text: str, country: str) -> Target:
    address, *words = text.split("|")
    if address.startswith("0") and country != "0":
        address = country + address[1:]
    if not any(pattern.fullmatch(address) for pattern in (_PERSON, _GROUP, _ROTATOR)):
        raise Refused("target invalid")
    names = ["name"] + [f"var{index}" for index in range(1, len(words))]
    return Target(address=address, words=dict(zip(names, words, strict=False)))


def _queue(service: Service, device: Device, requests: list[Request], call: Call) -> Payload:
    request_id = service.world.count()
    ids, addresses = [], []
    for request in requests:
        for target in request.targets:
            message = _message(service, device, request, target, call)
            message["requestid"] = request_id
            service.world.outbox.append(message)
            ids.append(message["id"])
            addresses.append(target.address)
            if device.linked and "schedule" not in request.fields:
                post_status(service, device, message, "sent")
                post_own_message(service, device, message)
    return {
        "detail": "success! message in queue",
        "id": ids,
        "process": "pending",
        "requestid": request_id,
        "status": True,
        "target": addresses,
    }


def _message(service: Service, device: Device, request: Request, target: Target, call: Call) -> Payload:
    text = request.fields.get("message", "")
    for word, value in target.words.items():
        text = text.replace("{" + word + "}", value)
    others = {key: value for key, value in request.fields.items() if key not in ("target", "message")}
    upload = call.files.get("file")
    return {
        "id": str(service.world.count()),
        "stateid": "",
        "at": service.clock.now(),
        "device": device.number,
        "target": target.address,
        "message": text,
        "fields": others,
        "file": {"filename": upload.filename, "size": upload.size} if upload else None,
        "states": [],
    }


def post_own_message(service: Service, device: Device, message: Payload) -> bool:
    """Post a message of the device itself to its webhook for incoming messages, in the form of the behavior variant."""
    event = own_event(service.world, device, message)
    if event is None:
        return False
    return service.webhooks.post("own", device, device.settings["webhook"], event, retry(service))


def post_status(service: Service, device: Device, message: Payload, state: str) -> bool:
    """Set a delivery state and post it to webhookstatus.

    The first event has the id; later ones have only the stateid.
    """
    first = not message["states"]
    if first:
        message["stateid"] = f"state{message['id']}"
    message["states"] = [*message["states"], state]
    event: Payload = {"stateid": message["stateid"], "state": state}
    if first:
        event = {"device": device.number, "id": message["id"], "status": state, **event}
    return service.webhooks.post("status", device, device.settings["webhookstatus"], event, retry(service))
