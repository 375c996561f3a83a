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
from .._common.phone_numbers import NumberIndex
from .settings import Settings
from .stamp import Stamp

FREE_PACKAGE = "free"


@dataclass(frozen=True)
class Device:
    """A device as the service tells of it; None is what it does not tell.

    Attributes:
        number: The registered number, or with a profile perhaps the linked one.
        token: The device's token; empty where a listing leaves it out.
        stamp: What its name proves of its hidden settings. The name itself is among the settings, without the stamp.
        connected: Whether a WhatsApp account is linked.
        expires: When the package ends, in unix seconds.
        settings: Those that this reply shows.
    """

    number: str
    token: str = field(repr=False)
    stamp: Stamp | None = None
    connected: bool | None = None
    package: str | None = None
    quota: int | None = None
    expires: int | None = None
    messages: int | None = None
    settings: Settings = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        """Whether it is one of which Fonnte allows an account only some, and links one at a time."""
        return (self.package or "").lower() == FREE_PACKAGE


class Listing:
    """All devices that the account's list shows, and the account's own figures.

    Attributes:
        devices: In the order of the list.
        connected: How many of them are linked, by the service's own count.
        messages: How many messages the account has sent.
        began: When the list began to be read.
    """

    def __init__(
        self,
        devices: t.Iterable[Device],
        connected: int | None = None,
        messages: int | None = None,
        began: Moment | None = None,
    ) -> None:
        self.devices = tuple(devices)
        self.connected = connected
        self.messages = messages
        self.began = began or Moment.now()
        # A fleet asks for each of its devices: looking through the list every time would take its square.
        self._numbers = NumberIndex(device.number for device in self.devices)
        self._exact: dict[str, Device] = {}
        self._tokens: dict[str, Device] = {}
        for device in self.devices:
            self._exact.setdefault(device.number, device)
            self._tokens.setdefault(device.token, device)

    def find(self, number: str) -> Device | None:
        """Return the device with this number. An exact match wins; otherwise any spelling counts.

        Raises:
            FonnteError: Two devices are this number, in two spellings.
        """
        found = self._numbers.find(number)
        if len(found) > 1:
            raise FonnteError(
                f"the account has more than one device with this number: {' and '.join(found)}",
                "write the number exactly as one of them is registered",
            )
        return self._exact[found[0]] if found else None

    def find_token(self, token: str) -> Device | None:
        """Return the device that a token belongs to."""
        return self._tokens.get(token) if token else None
