# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""A device as the service tells of it, and the account's list of them."""

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
# A number has fifteen digits at most; the rest is for what people put between them.
MAX_SHOWN_NUMBER_LENGTH = 40


@dataclass(frozen=True)
class Device:
    """A device as the service tells of it; None is what it does not tell.

    Attributes:
        number: The registered number as it is displayed, or with a profile perhaps the linked one.
        token: The device's token; empty where a listing leaves it out.
        sent_as: The number exactly as the service listed it, which is what a request sends back; empty where it was
            not listed.
        stamp: What its name proves of its hidden settings. The name itself is among the settings, without the stamp.
        connected: Whether a WhatsApp account is linked.
        expires: When the package ends, in unix seconds.
        settings: Those that this reply shows.
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
        """The number that a request sends back."""
        return self.sent_as or self.number

    @property
    def can_be_sent_back(self) -> bool:
        """Whether a request can hold the number as it was listed: half a character cannot be encoded."""
        try:
            self.registered.encode("utf-8")
        except UnicodeEncodeError:
            return False
        return len(self.registered) <= MAX_SHOWN_NUMBER_LENGTH

    @property
    def label(self) -> str:
        """Number and name, as an error displays them where the number alone does not tell two devices apart."""
        name = self.settings.get("name")
        shown = printable(name) if isinstance(name, str) else ""
        return f'{self.number} ("{shown}")' if shown else self.number

    @property
    def is_free(self) -> bool:
        """Whether it is one of which Fonnte allows an account only some, and links one at a time."""
        return (self.package or "").lower() == FREE_PACKAGE


class DeviceList:
    """All devices that the account's list shows, and the account's own figures.

    Attributes:
        devices: In the order of the list.
        connected: How many of them are linked, by the service's own count.
        messages: How many messages the account has sent.
        fetched_at: The moment before it was requested.
        mark: The mark of the record that was taken before it was requested; None where there is none.
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
        # A fleet asks for each of its devices: looking through the list every time would take its square.
        self._exact: dict[str, list[Device]] = {}
        self._tokens: dict[str, list[Device]] = {}
        for device in self.devices:
            self._exact.setdefault(device.number, []).append(device)
            if device.token:
                self._tokens.setdefault(device.token, []).append(device)
        self._numbers = NumberIndex(self._exact)

    def find(self, number: str, has_country: bool = False) -> Device | None:
        """Return the device with this number. An exact match wins; otherwise any spelling counts.

        Args:
            number: Its digits.
            has_country: Whether they were written with the code of their country, as in +62.

        Raises:
            LostZeroError: The number is not listed, and the same number with a 0 in front is.
            FonnteError: Two devices are this number, in two spellings or in one.
        """
        found = self._numbers.locate(number, has_country)
        if len(found) == 1:
            # An exact match is none where another spelling has the same digits, as with a plus.
            found = [one for one in self._numbers.spellings(number) if only_digits(one) == only_digits(found[0])]
        if len(found) > 1:
            same = len({only_digits(spelling) for spelling in found}) == 1
            raise FonnteError(
                f"the account has more than one device with this number: {' and '.join(found)}",
                "give the device_token of the one you mean, or rename one in the dashboard"
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
        """Return the device that a token belongs to.

        Raises:
            FonnteError: The token belongs to more than one, or its number does.
        """
        owners = self.owners(token)
        return self._only(owners[0]) if owners else None

    def owners(self, token: str) -> tuple[Device, ...]:
        """Return all devices that are listed with a token; more than one is a mistake of the service."""
        return tuple(self._tokens.get(token, ()))

    def _only(self, device: Device) -> Device:
        """Return a device that no other one of the list can be taken for."""
        for problem, twins in (
            (_TWO_TOKENS, self._tokens.get(device.token, [])),
            (_TWO_NUMBERS, self._exact[device.number]),
        ):
            if len(twins) > 1:
                raise _ambiguous(problem, twins)
        return device

    def ambiguities(self) -> list[str]:
        """Return a warning for each number and each token with which more than one device is listed."""
        return ambiguities(self.devices)


_TWO_NUMBERS = "the service lists one number for several devices"
_TWO_TOKENS = "the service lists one token for several devices"
CHECK_DASHBOARD = "check these devices in the dashboard, and report the response to Fonnte"


def ambiguities(devices: t.Iterable[Device]) -> list[str]:
    """Return a warning for each number and each token with which more than one of some devices is listed."""
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
