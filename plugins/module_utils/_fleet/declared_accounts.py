# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Group the declared devices by account. Each account has one token."""

from __future__ import annotations

import os.path
import typing as t
from dataclasses import dataclass

from .declaration import NO_CLIENT, FleetData, FleetDevice, Unresolved
from .entry_values import slug


@dataclass(frozen=True)
class Account:
    """An account: the devices that one token manages.

    Attributes:
        name: A name that is unique in the run and can be part of a file name.
        token: Its token; empty for the account of the run.
        devices: Its declared devices.
    """

    name: str
    token: str | Unresolved
    devices: tuple[FleetDevice, ...]

    def as_data(self) -> dict[str, t.Any]:
        """Return the account as plain data, the form in which actions use it."""
        owned = [device for device in self.devices if device.client.name]
        clients = {device.client.name: device.client for device in owned}
        return {
            "name": self.name,
            "account_token": self.token,
            "devices": [dict(device.entry) for device in self.devices],
            "owners": {device.number: device.client.name for device in owned if device.number},
            "sources": {device.number: _bare(device.client.place) for device in self.devices if device.number},
            "clients": [
                {
                    "name": name,
                    "file": slug(name),
                    "contacts": list(client.contacts),
                    "numbers": [device.number for device in owned if device.client.name == name and device.number],
                }
                for name, client in clients.items()
            ],
        }


def _bare(where: str) -> str:
    """Return the name of a file without its directory and extension; for another source, its name."""
    return os.path.splitext(os.path.basename(where))[0]


def accounts_of(fleet: FleetData) -> list[Account]:
    """Return the declared devices by account, in the order in which the accounts are first declared."""
    together: dict[str | Unresolved, list[FleetDevice]] = {}
    for device in fleet.devices:
        together.setdefault(device.client.token, []).append(device)
    accounts: list[Account] = []
    for token, devices in together.items():
        name = slug(devices[0].client.name) if token else NO_CLIENT
        used = sum(account.name == name for account in accounts)
        accounts.append(Account(f"{name}-{used + 1}" if used else name, token, tuple(devices)))
    return accounts
