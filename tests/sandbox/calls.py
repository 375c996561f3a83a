# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of the service except /send: each function takes the fields of a request, and returns the response.

The order of refusals is undocumented if several apply. Here it is: the token, then the form, then the state.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import forms
from .forms import BODY_INVALID, INPUT_INVALID, Refused
from .model import BOOLEANS, DEFAULTS, WEBHOOKS, Account, Device
from .pairing import pairing_code, qr_png
from .service import Service
from .webhooks import Retry, link_event

# English month names for every locale, as in the sample of the API documentation.
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

Payload = dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """A file of a multipart form."""

    filename: str
    size: int


@dataclass(frozen=True)
class Call:
    """A parsed request. If a field occurs twice, the last value counts, as in PHP."""

    path: str
    method: str
    token: str
    form: Mapping[str, str]
    files: Mapping[str, Upload] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """A route of the API. ``write``: the request changes or sends something."""

    handler: Callable[[Service, Call], Awaitable[Payload]]
    write: bool
    methods: tuple[str, ...] = ("POST",)


def _account(service: Service, call: Call) -> Account:
    account = service.world.accounts.get(call.token)
    if account is None:
        raise Refused("unknown user")
    return account


def device_of(service: Service, call: Call, text: str = "token invalid", where: str = "reason") -> Device:
    """Return the device of a token. An account token is refused like an unknown token."""
    device = service.world.by_token.get(call.token)
    if device is None:
        raise Refused(text, where)
    return device


def on_off(value: object) -> str:
    """Spell a boolean as responses do."""
    return "on" if value else "off"


async def add_device(service: Service, call: Call) -> Payload:
    """Add a device. Unknown fields, which include webhooks, are ignored without an error."""
    account = _account(service, call)
    name = forms.name(call.form)
    number = forms.number(call.form.get("device"))
    shown = {key: _optional_bool(call.form, key) for key in ("autoread", "personal", "group")}
    if service.world.readings.add_number == "international":
        number = forms.international(number)
    device = service.world.add_device(account, number, name)
    device.settings.update(shown)
    return {
        "autoread": on_off(shown["autoread"]),
        "device": device.number,
        "group": on_off(shown["group"]),
        "name": device.name,
        "personal": on_off(shown["personal"]),
        "status": True,
        "token": device.token,
    }


def _optional_bool(form: Mapping[str, str], key: str) -> bool:
    return forms.boolean(form[key]) if key in form else bool(DEFAULTS[key])


async def update_device(service: Service, call: Call) -> Payload:
    """Update a device completely or not at all: a refused update changes no field."""
    device = device_of(service, call, "device not found")
    name = forms.name(call.form)
    number = _new_number(service, device, call.form)
    changes = _changes(service, call.form)
    if service.world.readings.webhook_probe == "called":
        await _probe(service, device, changes)
        # The probe took time: meanwhile the device may have been deleted, or the number taken.
        device = device_of(service, call, "device not found")
    try:
        service.world.renumber(device, number)
    except ValueError as exc:
        # The API documentation has no refusal for this request; this one is worded like the other refusals of the form.
        raise Refused(INPUT_INVALID) from exc
    device.name = name
    if service.world.readings.omitted == "resets":
        device.settings.update(DEFAULTS)
    device.settings.update(changes)
    return {"detail": "device updated!", "status": True}


def _new_number(service: Service, device: Device, form: Mapping[str, str]) -> str:
    """Return the new number.

    ``device`` renumbers, and is used verbatim even if add-device converts it (harder for clients).
    """
    if "device" not in form and service.world.readings.update_without_device == "works":
        return device.number
    return forms.number(form.get("device"))


def _changes(service: Service, form: Mapping[str, str]) -> dict[str, bool | str]:
    """Return the settings that the form changes."""
    changes: dict[str, bool | str] = {key: forms.boolean(form[key]) for key in BOOLEANS if key in form}
    if "target" in form:
        changes["target"] = forms.forward_target(form["target"])
    if "countryCode" in form:
        changes["countryCode"] = forms.country_code(form["countryCode"])
    for key in WEBHOOKS:
        value = form.get(key)
        if value == "":
            _empty_webhook(service, key, changes)
        elif value is not None:
            changes[key] = forms.webhook(value)
    return changes


def _empty_webhook(service: Service, key: str, changes: dict[str, bool | str]) -> None:
    """Clear a webhook, refuse the request, or ignore the field, as the behavior variant ``empty_webhook`` selects."""
    reading = service.world.readings.empty_webhook
    if reading == "refused":
        raise Refused(BODY_INVALID)
    if reading == "clears":
        changes[key] = ""


async def _probe(service: Service, device: Device, changes: Mapping[str, object]) -> None:
    """Send a request to each URL that is saved, changed or not."""
    for key in WEBHOOKS:
        url = changes.get(key)
        if url and not await service.webhooks.probe(device.number, str(url), service.options.probe_timeout):
            raise Refused("webhook url is not responding")


async def get_devices(service: Service, call: Call) -> Payload:
    """Return the device list. With listing=partial, free devices with ``unlisted`` are omitted and not counted."""
    account = _account(service, call)
    partial = service.world.readings.listing == "partial"
    shown = [d for d in account.devices.values() if not (partial and d.unlisted and d.free)]
    return {
        "connected": sum(1 for device in shown if device.linked),
        "data": [_listed(device) for device in shown],
        "devices": len(shown),
        "messages": sum(device.messages for device in shown),
        "status": True,
        "type": "device",
    }


def _listed(device: Device) -> Payload:
    return {
        "autoread": on_off(device.settings["autoread"]),
        "device": device.number,
        "expired": str(device.expires),
        "name": device.name,
        "package": device.package,
        "quota": str(device.quota),
        "status": link_state(device),
        "token": device.token,
    }


def link_state(device: Device) -> str:
    """Return the link state as the API spells it."""
    return "connect" if device.linked else "disconnect"


async def profile(service: Service, call: Call) -> Payload:
    """Answer /device. The behavior variant ``profile_number`` matters only while the device is linked."""
    device = device_of(service, call)
    number = device.number
    if service.world.readings.profile_number == "linked" and device.linked:
        number = device.linked_number
    return {
        "device": number,
        "device_status": link_state(device),
        "expired": _in_words(device.expires),
        "messages": device.messages,
        "name": device.name,
        "package": device.package,
        "quota": str(device.quota),
        "status": True,
    }


def _in_words(unix: int) -> str:
    day = time.gmtime(unix)
    return f"{day.tm_mday} {MONTHS[day.tm_mon - 1]} {day.tm_year}"


async def disconnect(service: Service, call: Call) -> Payload:
    """Disconnect a device. This request returns the reason of a refusal in ``detail``."""
    device = device_of(service, call, where="detail")
    if not device.linked:
        raise Refused("device already disconnected", "detail")
    service.world.unlink(device)
    post_link_event(service, device, "disconnect", "disconnected by api")
    return {"detail": "device disconnected", "status": True}


def post_link_event(service: Service, device: Device, status: str, reason: str = "") -> bool:
    """Send an event to the ``webhookconnect`` of the device, if it has one."""
    event = link_event(service.world, device, status, reason)
    return service.webhooks.post("connect", device, device.settings["webhookconnect"], event, retry(service))


def retry(service: Service) -> Retry:
    """Return the current retry policy for events."""
    return Retry(service.options.webhook_retry, service.options.webhook_tries)


async def delete_device(service: Service, call: Call) -> Payload:
    """Delete a device, or send a code.

    If ``otp`` is empty, a code is sent; with a code, the device is deleted. If the field is missing, the request is
    refused (undocumented).
    """
    device = device_of(service, call, "invalid device")
    otp = call.form.get("otp")
    if otp is None:
        raise Refused(INPUT_INVALID)
    key = service.world.otp_key(device)
    if otp == "":
        service.world.otp.ask(key, device.number)
        # The API documentation does not show this response. The string is invented; only the status matters.
        return {"detail": "otp sent", "status": True}
    service.world.otp.check(key, otp)
    service.world.remove(device)
    return {"detail": f"device {device.number} successfully deleted", "status": True}


async def qr(service: Service, call: Call) -> Payload:
    """Return a QR code to scan or a pairing code to type. This changes nothing: linking happens on the phone."""
    device = device_of(service, call)
    kind = call.form.get("type", "qr")
    if kind not in ("qr", "code"):
        raise Refused(INPUT_INVALID)
    if kind == "code":
        whatsapp = forms.number(call.form.get("whatsapp"))
    if device.linked:
        raise Refused("device already connect")
    if service.world.other_linked_free(device):
        raise Refused("free device already connected")
    if kind == "code":
        return {"code": pairing_code(device.token, whatsapp, service.clock.now()), "status": True}
    return {"status": True, "url": qr_png(device.token, service.clock.now())}
