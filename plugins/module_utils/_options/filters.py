# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Filters for the devices of an account, shared by the info module and the inventory plugin."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.clock import DAY_SECONDS, now
from .._common.phone_numbers import NumberIndex, only_digits, parse_number
from .._device.models import Device
from .common import Params, Spec, parse_numbers, with_country

FILTERS: Spec = {
    "devices": {"type": "list", "elements": "raw"},
    "connection": {"type": "str", "choices": ["any", "connected", "disconnected"], "default": "any"},
    "package": {"type": "str"},
    "expires_within": {"type": "int"},
    "quota_below": {"type": "int"},
}


@dataclass(frozen=True)
class Filter:
    """Filters for devices. A filter that is None or "any" matches all devices; an unknown value matches no other one.

    Attributes:
        numbers: The digits of the devices.
        with_country: The numbers that are written with their country code.
        connection: "any", "connected" or "disconnected".
        package: The name of the package, in any case.
        expires_before: The latest end of the package, in unix seconds.
        quota_below: The number that the quota must be below.
    """

    numbers: tuple[str, ...] | None
    with_country: frozenset[str]
    connection: str
    package: str | None
    expires_before: float | None
    quota_below: int | None

    def matches(self, device: Device) -> bool:
        """Return whether a device matches all filters except the numbers."""
        return (
            self.connection in ("any", {True: "connected", False: "disconnected"}.get(bool(device.connected)))
            and (self.connection == "any" or device.connected is not None)
            and (self.package is None or (device.package or "").lower() == self.package.lower())
            and (self.expires_before is None or (device.expires is not None and device.expires <= self.expires_before))
            and (self.quota_below is None or (device.quota is not None and device.quota < self.quota_below))
        )


def parse_filter(params: Params) -> Filter:
    """Return the filters in the options; raise OptionError if one is invalid."""
    days = params["expires_within"]
    return Filter(
        numbers=parse_numbers(params["devices"]),
        with_country=with_country(params["devices"]),
        connection=params["connection"],
        package=params["package"],
        expires_before=None if days is None else now().timestamp() + days * DAY_SECONDS,
        quota_below=params["quota_below"],
    )


def choose(found: t.Sequence[Device], wanted: Filter) -> tuple[list[Device], list[str]]:
    """Return the devices with the wanted numbers, sorted by number, and the numbers without a device.

    Raises:
        LostZeroError: A number is not listed, but the same number with a leading 0 is.
    """
    if wanted.numbers is None:
        return sorted(found, key=_number), []
    chosen: set[str] = set()
    missing: list[str] = []
    index = NumberIndex(dict.fromkeys(device.number for device in found))
    for number in dict.fromkeys(wanted.numbers):
        spellings = index.locate(number, number in wanted.with_country)
        if not spellings:
            missing.append(number)
        chosen.update(spellings)
    # The service may list two devices with one number; both are returned.
    return sorted((device for device in found if device.number in chosen), key=_number), missing


def find_spellings(found: t.Sequence[Device], numbers: t.Sequence[object]) -> dict[str, list[str]]:
    """Return, for each given number, the numbers of the listed devices that it may mean.

    An exact match has priority over other spellings. Several results mean that the number is ambiguous: several devices
    are listed with it, in one spelling or in different ones.

    Args:
        found: The listed devices.
        numbers: The numbers in the option ``devices``.
    """
    index = NumberIndex(device.number for device in found)
    spellings: dict[str, list[str]] = {}
    for place, number in enumerate(numbers):
        digits = parse_number(number, f"devices[{place}]")
        same = index.spellings(digits)
        exact = [spelling for spelling in same if only_digits(spelling) == digits]
        spellings[str(number)] = sorted(exact or same)
    return spellings


def _number(device: Device) -> str:
    return device.number
