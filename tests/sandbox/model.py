# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the service and its rules, without HTTP.

Devices are found by number and by token in dictionaries: a world of ten thousand devices is as fast as one of ten.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .forms import Refused
from .journal import Journal
from .otp import OtpDesk
from .readings import Readings

WEBHOOKS = ("webhook", "webhookconnect", "webhookstatus", "webhookchaining")
BOOLEANS = ("autoread", "personal", "group", "quick", "resend")
# The settings of a device besides its name. The defaults are those of a new device, and those of omitted=resets.
DEFAULTS: dict[str, bool | str] = {
    **dict.fromkeys(BOOLEANS, False),
    "target": "",
    "countryCode": "62",
    **dict.fromkeys(WEBHOOKS, ""),
}
FREE = "Free"
FREE_DEVICES = 10
FREE_QUOTA = 1000
DAY = 86_400
PURGE_AFTER = 30 * DAY
ATTACHING_PACKAGES = ("super", "advanced", "ultra")
TOKEN_CHARACTERS = string.ascii_letters + string.digits + "@!#+-_"
TOKEN_LENGTH = 20


@dataclass
class Device:
    """A device. ``number`` is only its label; ``linked_number`` is the number of the linked WhatsApp account.

    ``groups`` are those of the phone, ``fetched_groups`` the copy that the service stores.
    """

    number: str
    name: str
    token: str
    account: str
    expires: int
    last_used: float
    package: str = FREE
    quota: int = FREE_QUOTA
    messages: int = 0
    linked: bool = False
    linked_number: str = ""
    unlisted: bool = False
    groups: list[dict[str, str]] = field(default_factory=list)
    fetched_groups: list[dict[str, str]] = field(default_factory=list)
    groups_fetched: bool = False
    settings: dict[str, bool | str] = field(default_factory=lambda: dict(DEFAULTS))

    @property
    def free(self) -> bool:
        """Whether the package is the free one. The case of package names varies, so it is ignored."""
        return self.package.lower() == FREE.lower()

    @property
    def attaches(self) -> bool:
        """Whether the package may send and receive attachments."""
        return self.package.lower() in ATTACHING_PACKAGES


@dataclass
class Account:
    """An account, which owns devices. ``plan`` is the package of its new devices."""

    token: str
    plan: str = FREE
    devices: dict[str, Device] = field(default_factory=dict)

    def free_devices(self) -> Iterator[Device]:
        """Return the devices that count against the limit. At most one of them may be linked."""
        return (device for device in self.devices.values() if device.free)


class World:
    """The whole state of the service. A reset creates a new one."""

    def __init__(self, clock: Clock, readings: Readings, journal: Journal, generation: int = 0) -> None:
        self.clock = clock
        self.readings = readings
        self.journal = journal
        # Random but repeatable, and different after every reset: no test may depend on an old token.
        self.rng = random.Random(f"fonnte sandbox {generation}")
        self.otp = OtpDesk(clock, self.rng)
        self.accounts: dict[str, Account] = {}
        self.by_number: dict[str, Device] = {}
        self.by_token: dict[str, Device] = {}
        # Numbers in the form with 62. All others have a WhatsApp account.
        self.without_whatsapp: set[str] = set()
        # The work of /validate by the token of the device.
        self.validations: dict[str, Any] = {}
        self.outbox: list[dict[str, Any]] = []
        self.counter = 2_937_000

    def count(self) -> int:
        """Return the next id of a message, a request or an inbox entry."""
        self.counter += 1
        return self.counter

    def new_token(self) -> str:
        """Return a token that was never used in this world."""
        return "".join(self.rng.choice(TOKEN_CHARACTERS) for unused in range(TOKEN_LENGTH))

    def add_account(self, token: str, plan: str) -> Account:
        """Add an account; raise ``ValueError`` if the token is taken."""
        if token in self.accounts or token in self.by_token:
            raise ValueError(f"The token {token} is already in use.")
        self.accounts[token] = Account(token=token, plan=plan)
        return self.accounts[token]

    def insert(self, device: Device) -> None:
        """Insert a device. Numbers are unique over all accounts; raise ``ValueError`` for a duplicate."""
        if device.number in self.by_number:
            raise ValueError(f"The number {device.number} is already in use.")
        if device.token in self.by_token or device.token in self.accounts:
            raise ValueError(f"The token {device.token} is already in use.")
        self.accounts[device.account].devices[device.number] = device
        self.by_number[device.number] = device
        self.by_token[device.token] = device

    def new_device(self, account: Account, number: str, name: str) -> Device:
        """Return a new device with the defaults of the service, not yet inserted."""
        now = self.clock.now()
        return Device(
            number=number,
            name=name,
            token=self.new_token(),
            account=account.token,
            package=account.plan,
            expires=int(now) + 30 * DAY,
            last_used=now,
        )

    def add_device(self, account: Account, number: str, name: str) -> Device:
        """Add a device by the rules of /add-device.

        This sandbox chose to check for an existing number before the limit.
        """
        if number in self.by_number:
            raise Refused("device already exist")
        device = self.new_device(account, number, name)
        if device.free and sum(1 for unused in account.free_devices()) >= FREE_DEVICES:
            raise Refused("too much free device")
        self.insert(device)
        return device

    def remove(self, device: Device) -> None:
        """Remove a device with its settings and its token."""
        del self.accounts[device.account].devices[device.number]
        del self.by_number[device.number]
        del self.by_token[device.token]
        self.otp.forget(device.token)

    def renumber(self, device: Device, number: str) -> None:
        """Give a device another number and keep its token; raise ``ValueError`` if the number is taken."""
        if number == device.number:
            return
        if number in self.by_number:
            raise ValueError(f"The number {number} is already in use.")
        devices = self.accounts[device.account].devices
        del devices[device.number]
        del self.by_number[device.number]
        device.number = number
        devices[number] = device
        self.by_number[number] = device

    def other_linked_free(self, device: Device) -> Device | None:
        """Return the other linked free device of the account. As long as one exists, this device cannot be linked."""
        if not device.free:
            return None
        free = self.accounts[device.account].free_devices()
        return next((other for other in free if other.linked and other is not device), None)

    def link(self, device: Device, linked_number: str) -> None:
        """Link a device, as if the owner scanned the code."""
        other = self.other_linked_free(device)
        if other:
            raise ValueError(f"Only one free device can be linked at a time; {other.number} is.")
        device.linked = True
        device.linked_number = linked_number
        device.last_used = self.clock.now()

    def unlink(self, device: Device) -> None:
        """Unlink a device; either side may do this."""
        device.linked = False
        device.linked_number = ""
        device.last_used = self.clock.now()

    def otp_key(self, device: Device) -> str:
        """Return the token that an OTP belongs to, by the behavior variant ``otp_scope``."""
        return device.account if self.readings.otp_scope == "account" else device.token

    def purge_unused(self) -> list[str]:
        """Remove free devices that were unused for 30 days, and return their numbers.

        The API documentation does not define "unused". Here it means: not linked, and no message sent since. Requests
        that only configure or read a device do not count as use, so a client cannot keep a device alive by reading it.
        """
        limit = self.clock.now() - PURGE_AFTER
        unused = [d for d in self.by_number.values() if d.free and not d.linked and d.last_used <= limit]
        for device in unused:
            self.remove(device)
        return [device.number for device in unused]
