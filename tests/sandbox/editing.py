# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Worlds as plain data, for /state, /reset, /accounts and PATCH.

/reset accepts a device from a /state response unchanged. It accepts settings under ``settings`` and next to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .kinds import is_kind
from .model import BOOLEANS, DEFAULTS, Account, Device, World

Data = dict[str, object]

_TYPES: dict[str, tuple[type[object], str]] = {
    "name": (str, "a text"),
    "package": (str, "a text"),
    "token": (str, "a text"),
    "quota": (int, "a whole number"),
    "expires": (int, "a unix time"),
    "messages": (int, "a whole number"),
    "unlisted": (bool, "true or false"),
    "linked": (bool, "true or false"),
    "linked_number": (str, "a text"),
    "groups": (list, "a list of groups"),
    "fetched_groups": (list, "a list of groups"),
    "groups_fetched": (bool, "true or false"),
}
# The dashboard cannot set a token, a counter or a link.
_EDITABLE = ("name", "package", "quota", "expires", "unlisted", "groups")


class Bad(ValueError):
    """An invalid control request; the message is a sentence."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def mapping(data: Mapping[str, object], key: str) -> Data:
    """Return the object under a key; a missing one is empty."""
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Bad(f"{key} is an object.")
    return value


def international(number: str) -> str:
    """Return the WhatsApp number that a label most likely means."""
    return "62" + number[1:] if number.startswith("0") else number


def device_data(device: Device) -> Data:
    """Return all data of a device."""
    return {
        "number": device.number,
        "name": device.name,
        "token": device.token,
        "package": device.package,
        "quota": device.quota,
        "expires": device.expires,
        "messages": device.messages,
        "linked": device.linked,
        "linked_number": device.linked_number,
        "unlisted": device.unlisted,
        "groups": device.groups,
        "fetched_groups": device.fetched_groups,
        "groups_fetched": device.groups_fetched,
        "settings": dict(device.settings),
    }


def account_data(account: Account) -> Data:
    """Return all data of an account."""
    devices = [device_data(device) for device in account.devices.values()]
    return {"token": account.token, "plan": account.plan, "devices": devices}


def fill(world: World, accounts: list[object]) -> list[Account]:
    """Add accounts and their devices to a world."""
    return [_fill_account(world, data) for data in accounts]


def _fill_account(world: World, data: object) -> Account:
    if not isinstance(data, dict):
        raise Bad("An account is an object.")
    _no_others(data, ("token", "plan", "devices"), "An account")
    token, plan, devices = data.get("token"), data.get("plan", "Free"), data.get("devices", [])
    if token is None:
        token = world.new_token()
    if not isinstance(token, str) or not token or not isinstance(plan, str) or not isinstance(devices, list):
        raise Bad("An account has a token and a plan, both texts, and a list of devices.")
    account = world.add_account(token, plan)
    for device in devices:
        _fill_device(world, account, device)
    return account


def _fill_device(world: World, account: Account, data: object) -> None:
    if not isinstance(data, dict) or not isinstance(data.get("number"), str) or not data["number"]:
        raise Bad("A device is an object with a number, a text.")
    number = data["number"]
    _no_others(data, ("number", "settings", *_TYPES, *DEFAULTS), f"The device {number}")
    device = world.new_device(account, number, f"device {number}")
    _set_fields(device, {key: value for key, value in data.items() if key in _TYPES and key != "linked"})
    _set_settings(device, {**mapping(data, "settings"), **{k: v for k, v in data.items() if k in DEFAULTS}})
    world.insert(device)
    linked = data.get("linked", False)
    if not isinstance(linked, bool):
        raise Bad("linked is true or false.")
    if linked:
        world.link(device, device.linked_number or international(number))


def edit(world: World, device: Device, changes: Mapping[str, object]) -> None:
    """Change fields as the dashboard can. All changes are validated before the first one is applied."""
    _no_others(changes, ("device", *_EDITABLE, *DEFAULTS), "The dashboard")
    number = changes.get("device", device.number)
    if not isinstance(number, str) or not number:
        raise Bad("device is a number, as a text.")
    if number != device.number and number in world.by_number:
        raise Bad(f"The number {number} is already in use.")
    fields = {key: value for key, value in changes.items() if key in _EDITABLE}
    settings = {key: value for key, value in changes.items() if key in DEFAULTS}
    _check_fields(fields)
    _check_settings(settings)
    world.renumber(device, number)
    _set_fields(device, fields)
    _set_settings(device, settings)


def _no_others(data: Mapping[str, object], known: tuple[str, ...], who: str) -> None:
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise Bad(f"{who} has no {', '.join(unknown)}; there are: {', '.join(known)}.")


def _check_fields(fields: Mapping[str, Any]) -> None:
    for key, value in fields.items():
        kind, words = _TYPES[key]
        if not is_kind(value, kind):
            raise Bad(f"{key} is {words}, not {value!r}.")
        if key == "token" and not value:
            raise Bad("A token is not empty.")
        if is_kind(value, int) and value < 0:
            raise Bad(f"{key} cannot be below 0.")
    name = fields.get("name")
    if isinstance(name, str) and not 2 <= len(name) <= 30:
        raise Bad("A name has 2 to 30 characters.")


def _set_fields(device: Device, fields: Mapping[str, object]) -> None:
    _check_fields(fields)
    for key, value in fields.items():
        setattr(device, key, value)


def _check_settings(settings: Mapping[str, object]) -> None:
    for key, value in settings.items():
        if key not in DEFAULTS:
            raise Bad(f"There is no setting {key}; there are: {', '.join(DEFAULTS)}.")
        if not is_kind(value, bool if key in BOOLEANS else str):
            raise Bad(f"{key} is {'true or false' if key in BOOLEANS else 'a text'}, not {value!r}.")


def _set_settings(device: Device, settings: Mapping[str, Any]) -> None:
    _check_settings(settings)
    device.settings.update(settings)
