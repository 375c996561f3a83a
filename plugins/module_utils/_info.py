# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What is there: the answers of fonnte_device_info. Reads only, and never from a cache."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._clock import now
from ._errors import OptionError, doing
from ._listing import Device
from ._number import matches
from ._options import numbers_of
from ._record import DeviceRecord
from ._redact import Redactor
from ._result import Result, device_facts, recorded_facts
from ._settings import Value
from ._sight import House

DAY_SECONDS = 86400


@dataclass(frozen=True)
class Filter:
    """Which devices are wanted; what is None or "any" does not filter. A value that is unknown is no match."""

    numbers: tuple[str, ...] | None
    connection: str
    package: str | None
    expires_before: float | None
    quota_below: int | None

    def wants(self, device: Device) -> bool:
        """Tell whether a device passes all filters but that of the numbers."""
        return (
            self.connection in ("any", {True: "connected", False: "disconnected"}.get(bool(device.connected)))
            and (self.connection == "any" or device.connected is not None)
            and (self.package is None or (device.package or "").lower() == self.package.lower())
            and (self.expires_before is None or (device.expires is not None and device.expires <= self.expires_before))
            and (self.quota_below is None or (device.quota is not None and device.quota < self.quota_below))
        )


def device_info(house: House, redactor: Redactor, params: t.Mapping[str, t.Any]) -> tuple[Result, list[str]]:
    """Return the result of fonnte_device_info and its warnings."""
    wanted = _filter(params)
    if house.account_token:
        with doing("Listing the account's devices"):
            listing = house.api.get_devices(house.account_token)
        found = listing.devices
        account: Result | None = {"devices": len(found), "connected": listing.connected, "messages": listing.messages}
    elif house.device_token:
        with doing("Looking up the device"):
            found, account = (house.api.profile(house.device_token),), None
    else:
        raise OptionError(
            "account_token", "there is no token", "set account_token or FONNTE_ACCOUNT_TOKEN, or give a device_token"
        )
    chosen, missing = _choose(found, wanted.numbers)
    warnings: list[str] = []
    devices = [
        _describe(house, redactor, params, device, warnings)
        for device in sorted(chosen, key=_number)
        if wanted.wants(device)
    ]
    return {"changed": False, "devices": devices, "missing": missing, "account": account}, warnings


def _number(device: Device) -> str:
    return device.number


def _filter(params: t.Mapping[str, t.Any]) -> Filter:
    days = params["expires_within"]
    return Filter(
        numbers=numbers_of(params["devices"]),
        connection=params["connection"],
        package=params["package"],
        expires_before=None if days is None else now().timestamp() + days * DAY_SECONDS,
        quota_below=params["quota_below"],
    )


def _choose(found: t.Sequence[Device], numbers: tuple[str, ...] | None) -> tuple[list[Device], list[str]]:
    """Return the devices that are asked for, each once, and the numbers that none of them has."""
    if numbers is None:
        return list(found), []
    chosen: dict[str, Device] = {}
    missing: list[str] = []
    by_number = {device.number: device for device in found}
    for number in numbers:
        spellings = matches(number, by_number)
        if not spellings and number not in missing:
            missing.append(number)
        chosen.update({spelling: by_number[spelling] for spelling in spellings})
    return list(chosen.values()), missing


def _describe(
    house: House, redactor: Redactor, params: t.Mapping[str, t.Any], device: Device, warnings: list[str]
) -> Result:
    record, problem = DeviceRecord(), ""
    if params["recorded"] and device.token:
        loaded, problem = house.records.device(device.token).load()
        record = loaded or record
    if problem:
        warnings.append(f"{problem}; it counts as no record.")
    settings: dict[str, Value] = {**device.settings}
    facts = device_facts(device, device.number, settings, redactor)
    if params["recorded"]:
        facts["recorded"] = recorded_facts(record, redactor)
    if params["profile"]:
        facts["messages"] = _messages(house, device)
    if params["return_tokens"]:
        facts["token"] = device.token
    return facts


def _messages(house: House, device: Device) -> int | None:
    """Return how many messages a device has sent: one call more, where the list told of the device."""
    if not house.account_token:
        return device.messages
    if not device.token:
        return None
    with doing(f"Looking up device {device.number}"):
        return house.api.profile(device.token).messages
