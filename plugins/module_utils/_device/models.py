# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Models of a device and of the account's device list."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._common.clock import Moment
from .._common.errors import FonnteError
from .._common.phone_numbers import NumberIndex, only_digits
from .._common.redaction import printable
from .settings import Settings
from .stamp import Stamp

FREE_PACKAGE = "free"
# A number has at most fifteen digits; the rest is for separators.
MAX_SHOWN_NUMBER_LENGTH = 40


@dataclass(frozen=True)
class Device:
    """A device as a response of the service describes it. A value that the response does not contain is None.

    Attributes:
        number: The registered number as it is displayed; in a /device response, possibly the linked number.
        token: The token of the device; empty where a list does not contain it.
        sent_as: The number exactly as the service sent it, which requests must contain; empty if it did not.
        stamp: The stamp in the name, which is evidence of write-only settings. ``settings`` has the name without it.
        connected: Whether a WhatsApp account is linked.
        package: The name of the package.
        quota: The number of messages that the package still allows.
        expires: The end of the package, in unix seconds.
        messages: The number of messages that the device has sent.
        settings: The settings that the response contains.
    """

    number: str
    token: str = field(repr=False)
    sent_as: str = ""
    stamp: Stamp | None = None
    connected: bool | None = None
    package: str | None = None
    quota: int | None = None
    expires: int | None = None
    messages: int | None = None
    settings: Settings = field(default_factory=dict)

    @property
    def registered(self) -> str:
        """The number for requests, exactly as the service sent it."""
        return self.sent_as or self.number

    @property
    def can_be_sent_back(self) -> bool:
        """Whether a request can contain the number: an unpaired surrogate cannot be encoded."""
        try:
            self.registered.encode("utf-8")
        except UnicodeEncodeError:
            return False
        return len(self.registered) <= MAX_SHOWN_NUMBER_LENGTH

    @property
    def label(self) -> str:
        """The number and the name, for messages that must distinguish devices with the same number."""
        name = self.settings.get("name")
        shown = printable(name) if isinstance(name, str) else ""
        return f'{self.number} ("{shown}")' if shown else self.number

    @property
    def is_free(self) -> bool:
        """Whether the device has the free package. Fonnte limits free devices per account, and links one at a time."""
        return (self.package or "").lower() == FREE_PACKAGE


class DeviceList:
    """The device list of an account (the /get-devices response), with the figures of the account.

    Attributes:
        devices: The devices, in the order of the list.
        connected: The number of linked devices, as counted by the service.
        messages: The number of messages that the account has sent.
        fetched_at: The moment immediately before the request.
        mark: The mark of the record from before the request; None without one.
    """

    def __init__(
        self,
        devices: t.Iterable[Device],
        connected: int | None = None,
        messages: int | None = None,
        fetched_at: Moment | None = None,
        mark: object = None,
    ) -> None:
        self.devices = tuple(devices)
        self.connected = connected
        self.messages = messages
        self.fetched_at = fetched_at or Moment.now()
        self.mark = mark
        # Indexes, because a fleet finds each of its devices: a search of the whole list would take quadratic time.
        self._exact: dict[str, list[Device]] = {}
        self._tokens: dict[str, list[Device]] = {}
        for device in self.devices:
            self._exact.setdefault(device.number, []).append(device)
            if device.token:
                self._tokens.setdefault(device.token, []).append(device)
        self._numbers = NumberIndex(self._exact)

    def find(self, number: str, has_country: bool = False) -> Device | None:
        """Return the device with this number; None if the list has none. An exact match has priority over others.

        Args:
            number: The digits of the number.
            has_country: Whether the number is written with its country code, as in +62.

        Raises:
            LostZeroError: The number is not listed, but the same number with a leading 0 is.
            FonnteError: Several devices have this number, in the same or in different spellings.
        """
        found = self._numbers.locate(number, has_country)
        if len(found) == 1:
            # A match is not exact if another spelling has the same digits, for example with a plus.
            found = [one for one in self._numbers.spellings(number) if only_digits(one) == only_digits(found[0])]
        if len(found) > 1:
            same = len({only_digits(spelling) for spelling in found}) == 1
            raise FonnteError(
                f"the account has more than one device with this number: {' and '.join(found)}",
                "set the device_token of the one that you mean, or rename one in the dashboard"
                if same
                else "write the number exactly as one of them is registered",
            )
        if not found:
            return None
        twins = self._exact[found[0]]
        if len(twins) > 1:
            raise _ambiguous(_TWO_NUMBERS, twins)
        return self._only(twins[0])

    def find_by_token(self, token: str) -> Device | None:
        """Return the device with this token; None if the list has none.

        Raises:
            FonnteError: Several devices have the token, or have the number of the device.
        """
        owners = self.owners(token)
        return self._only(owners[0]) if owners else None

    def owners(self, token: str) -> tuple[Device, ...]:
        """Return all devices with this token. More than one is an error of the service."""
        return tuple(self._tokens.get(token, ()))

    def _only(self, device: Device) -> Device:
        """Return the device if no other device of the list has its token or number; raise FonnteError otherwise."""
        for problem, twins in (
            (_TWO_TOKENS, self._tokens.get(device.token, [])),
            (_TWO_NUMBERS, self._exact[device.number]),
        ):
            if len(twins) > 1:
                raise _ambiguous(problem, twins)
        return device

    def ambiguities(self) -> list[str]:
        """Return a warning for each number and each token that several devices of the list share."""
        return ambiguities(self.devices)


_TWO_NUMBERS = "the service lists one number for several devices"
_TWO_TOKENS = "the service lists one token for several devices"
CHECK_DASHBOARD = "check these devices in the dashboard, and report the response to Fonnte"


def ambiguities(devices: t.Iterable[Device]) -> list[str]:
    """Return a warning for each number and each token that several of the devices share."""
    groups: dict[tuple[str, str], list[Device]] = {}
    for device in devices:
        groups.setdefault((_TWO_NUMBERS, device.number), []).append(device)
        if device.token:
            groups.setdefault((_TWO_TOKENS, device.token), []).append(device)
    return [
        f"{problem[0].upper()}{problem[1:]}: {_named(twins)}. Tasks on these devices fail; {CHECK_DASHBOARD}."
        for (problem, _key), twins in groups.items()
        if len(twins) > 1
    ]


def _ambiguous(problem: str, twins: t.Iterable[Device]) -> FonnteError:
    return FonnteError(f"{problem}: {_named(twins)}", CHECK_DASHBOARD)


def _named(devices: t.Iterable[Device]) -> str:
    return " and ".join(device.label for device in devices)
