# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Devices as hosts: their names, their variables, and the data in the inventory cache."""

from __future__ import annotations

import re
import typing as t
import unicodedata
from collections import Counter

from .._common.phone_numbers import canonical
from .._common.redaction import Redactor
from .._device.models import Device
from .._device.settings import SETTINGS, ReadSource
from .._reconcile.result import Result, device_facts

PREFIX = "fonnte_"
MAX_NAME_LENGTH = 63
# In Ansible, these names mean all hosts, hosts without a group, and the control node.
RESERVED = frozenset({"all", "ungrouped", "localhost", "127.0.0.1"})

_FORMAT = 1
_SHOWN = {setting.option for setting in SETTINGS if ReadSource.LIST in setting.readable}
_HIDDEN = {setting.option for setting in SETTINGS} - _SHOWN
# Control characters of terminals, and characters that change the direction of a line.
_DRIVING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


# Names


def host_names(devices: t.Sequence[Device], by: str, taken: t.Collection[str] = ()) -> list[str]:
    """Return a unique name for each device, which is valid in host patterns, filenames and groups.

    If two devices share a name, or if Ansible reserves it, the number is appended. It is appended to both names, so
    that they do not depend on the order of the list.

    Args:
        devices: All devices of the account, so that names do not depend on filters.
        by: "name" or "number".
        taken: Names that are already in use.
    """
    names: dict[int, str] = {}
    owners: dict[str, set[int]] = {}
    for index, device in enumerate(devices):
        owners.setdefault(canonical(device.number), set()).add(index)
    for choice in (_by_name, _by_both, _by_number) if by == "name" else (_by_number,):
        wanted = {index: choice(device) for index, device in enumerate(devices) if index not in names}
        count = Counter(wanted.values())
        used = {*RESERVED, *taken, *names.values(), ""}
        names.update(
            {
                index: name
                for index, name in wanted.items()
                # A name may equal the number of another device; a play for that number must not run on this device.
                if count[name] == 1 and name not in used and owners.get(canonical(name), {index}) == {index}
            }
        )
    for index, device in enumerate(devices):
        if index not in names:
            names[index] = _counted(_by_number(device), {*RESERVED, *taken, *names.values()})
    return [names[index] for index in range(len(devices))]


def _by_name(device: Device) -> str:
    return _safe(str(device.settings.get("name", "")))


def _by_both(device: Device) -> str:
    # A number has at most 40 characters.
    return "_".join(filter(None, (_by_name(device)[:20].rstrip("_.-"), _by_number(device))))


def _by_number(device: Device) -> str:
    """Return the registered number, without separators such as spaces and a plus."""
    digits = re.sub(r"[\s+\-.()\[\]]", "", device.number)
    return digits if re.fullmatch(r"[0-9]+", digits) else _safe(device.number)


def _safe(text: str) -> str:
    """Return a string without characters of host patterns or paths; an empty string if nothing is left."""
    clean = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text))
    return clean.strip("_.-")[:MAX_NAME_LENGTH].rstrip("_.-")


def _counted(name: str, used: t.Collection[str]) -> str:
    """Return an unused name with a counter, so that no device is lost."""
    base = name or "device"
    number = 1
    while True:
        candidate = f"{base}_{number}"
        if candidate not in used:
            return candidate
        number += 1


# Variables


def host_variables(device: Device, redactor: Redactor) -> Result:
    """Return the variables of a host, with the keys of the info module and a prefix; never a token.

    Settings that the list never shows are omitted: a variable that is always null would defeat the ``default`` filter.
    """
    facts = device_facts(device, device.number, device.settings, redactor)
    return {PREFIX + key: _printable(value) for key, value in facts.items() if key not in _HIDDEN}


def _printable(value: t.Any) -> t.Any:
    """Return a value without control characters, because ``ansible-inventory --graph --vars`` prints it unchanged."""
    return _DRIVING.sub("?", value) if isinstance(value, str) else value


# Cache


def to_cache(devices: t.Iterable[Device], mark: str) -> Result:
    """Return the cache entry of an account. It contains no token."""
    return {
        "format": _FORMAT,
        "account": mark,
        "devices": [
            {
                "number": device.number,
                "connected": device.connected,
                "package": device.package,
                "quota": device.quota,
                "expires": device.expires,
                "settings": {option: device.settings[option] for option in sorted(_SHOWN & set(device.settings))},
            }
            for device in devices
        ],
    }


def from_cache(kept: object, mark: str) -> tuple[Device, ...] | None:
    """Return the devices in the cache entry of an account; None if the entry is invalid or of another account."""
    if not isinstance(kept, t.Mapping) or kept.get("format") != _FORMAT or kept.get("account") != mark:
        return None
    items = kept.get("devices")
    if not isinstance(items, list):
        return None
    devices = [_device(item) for item in items]
    whole = [device for device in devices if device is not None]
    return tuple(whole) if len(whole) == len(devices) else None


_KINDS: dict[str, tuple[type, ...]] = {
    "number": (str,),
    "connected": (bool, type(None)),
    "package": (str, type(None)),
    "quota": (int, type(None)),
    "expires": (int, type(None)),
    "settings": (dict,),
}
_SETTING_KINDS: dict[str, tuple[type, ...]] = {"name": (str,), "autoread": (bool,)}


def _device(item: object) -> Device | None:
    # The exact type is compared, because bool is a subclass of int.
    if not isinstance(item, dict) or not all(type(item.get(key)) in kinds for key, kinds in _KINDS.items()):
        return None
    settings = item["settings"]
    if not item["number"] or not all(type(value) in _SETTING_KINDS.get(key, ()) for key, value in settings.items()):
        return None
    return Device(token="", **{key: item[key] for key in _KINDS})
