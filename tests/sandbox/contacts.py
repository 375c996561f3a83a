# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests on groups and numbers.

The service stores a copy of the groups of a phone, which only ``/fetch-group`` updates. ``/validate`` gives wrong
answers if two run for one device at the same time.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from . import forms
from .calls import Call, Payload, device_of
from .forms import Refused
from .service import Service

MAX_VALIDATED = 500
_PERSON = re.compile(r"[0-9]{8,15}")
# The refusal of a device without a phone is undocumented, so its text and its key are a behavior variant.
UNLINKED = {
    "like_send": ("request invalid on disconnected device", "reason"),
    "like_fetch": ("cannot validate with disconnected device", "detail"),
}


@dataclass
class Validation:
    """A request that is being worked on. Another one for the device replaces its numbers."""

    numbers: tuple[str, ...]


async def get_groups(service: Service, call: Call) -> Payload:
    """Return the stored copy of the groups. Only the key of its refusals is documented, not their texts."""
    device = device_of(service, call, where="detail")
    if not device.groups_fetched:
        raise Refused("whatsapp group list not found, please fetch it first", "detail")
    return {"data": [dict(group) for group in device.fetched_groups], "status": True}


async def fetch_groups(service: Service, call: Call) -> Payload:
    """Copy the groups of the phone. A device whose phone is offline cannot be simulated with a flag: use a fault."""
    device = device_of(service, call, where="detail")
    if not device.linked:
        raise Refused("cannot fetch with disconnected device", "detail")
    device.fetched_groups = [dict(group) for group in device.groups]
    device.groups_fetched = True
    return {"detail": "update whatsapp group list finished", "status": True}


async def validate(service: Service, call: Call) -> Payload:
    """Return which numbers have a WhatsApp account, each once."""
    device = device_of(service, call)
    target = call.form.get("target", "")
    if not target:
        raise Refused("target required")
    country = forms.country_code(call.form.get("countryCode", "62"))
    written = target.split(",")
    dialed = [_dial(number, country) for number in written]
    if len(written) > MAX_VALIDATED or not all(_PERSON.fullmatch(number) for number in dialed):
        raise Refused("target invalid")
    if not device.linked:
        raise Refused(*UNLINKED[service.world.readings.validate_unlinked])
    verbatim = service.world.readings.validate_numbers == "verbatim"
    shown = tuple(dict.fromkeys(written if verbatim else map(_international, dialed)))
    numbers = await _work(service, device.token, shown)
    without = service.world.without_whatsapp
    return {
        "not_registered": [number for number in numbers if _international(number) in without],
        "registered": [number for number in numbers if _international(number) not in without],
        "status": True,
    }


async def _work(service: Service, token: str, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the numbers after the time that the service takes; those of another request if it came in between."""
    running: dict[str, Validation] = service.world.validations
    if token in running:
        running[token].numbers = numbers
        await asyncio.sleep(service.options.validate_seconds)
        return numbers
    running[token] = Validation(numbers)
    try:
        await asyncio.sleep(service.options.validate_seconds)
        return running[token].numbers
    finally:
        running.pop(token, None)


def _dial(number: str, country: str) -> str:
    return country + number[1:] if number.startswith("0") and country != "0" else number


def _international(number: str) -> str:
    """Return the form with 62, which the response has regardless of the country code."""
    return "62" + number[1:] if number.startswith("0") else number
