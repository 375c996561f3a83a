# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Which devices of an account are wanted: the filters that the info module and the inventory share."""

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
    """Which devices are wanted; what is None or "any" does not filter. A value that is unknown is no match.

    Attributes:
        numbers: The digits of the devices.
        with_country: Those of the numbers that are written with the code of their country.
    """

    numbers: tuple[str, ...] | None
    with_country: frozenset[str]
    connection: str
    package: str | None
    expires_before: float | None
    quota_below: int | None

    def matches(self, device: Device) -> bool:
        """Tell whether a device passes all filters but that of the numbers."""
        return (
            self.connection in ("any", {True: "connected", False: "disconnected"}.get(bool(device.connected)))
            and (self.connection == "any" or device.connected is not None)
            and (self.package is None or (device.package or "").lower() == self.package.lower())
            and (self.expires_before is None or (device.expires is not None and device.expires <= self.expires_before))
            and (self.quota_below is None or (device.quota is not None and device.quota < self.quota_below))
        )


def parse_filter(params: Params) -> Filter:
    """Return the filters among the options; OptionError where one cannot be right."""
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
    """Return the devices that are asked for, sorted by number, and the numbers that none of them has.

    Raises:
        LostZeroError: A number is not listed, and the same number with a 0 in front is.
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
    # Two devices may be listed with one number, by mistake: both are told.
    return sorted((device for device in found if device.number in chosen), key=_number), missing


def find_spellings(found: t.Sequence[Device], numbers: t.Sequence[object]) -> dict[str, list[str]]:
    """Return for each number, as it was given, the numbers of the listed devices that it can mean.

    An exact spelling wins over another one. More than one means that the number names no single device: it is listed
    for several devices, in several spellings, or with the same digits in several ways.

    Args:
        found: The devices of the list.
        numbers: Numbers of the option ``devices``.
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
