# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Group the tokens of declared devices by client. Pure."""

from __future__ import annotations

import typing as t

from .._common.errors import FonnteError, error_context
from .._common.phone_numbers import only_digits
from .._device.models import Device, DeviceList
from .summary import Result

PREDICTED = "the token comes with the device"


def tokens_by_client(
    account: Result, result: Result, listed: t.Sequence[Result], predicted: bool = False
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Return the tokens of an account's declared devices by client. The last group has the devices without a client.

    The result has no token for a device whose entry failed, nor for a number that does not match exactly one listed
    device: the token could belong to another client's device.

    Args:
        account: The account, as ``Account.as_data()`` returns it.
        result: The result of fonnte_fleet for it.
        listed: The devices of the account with their tokens, with the numbers as the service writes them.
        predicted: Whether the result is that of check mode, in which a device that would be created has no token yet.

    Returns:
        The clients, and a sentence for each number that matches more than one device.
    """
    listing = DeviceList(_device(device) for device in listed)
    created = {only_digits(one["number"]) for one in result["devices"] if "create" in one["operations"]}
    failed = {only_digits(number) for number in result["summary"]["failed_devices"]}
    owners = account["owners"]
    files = {client["name"]: client["file"] for client in account["clients"]}
    by_client: dict[str, dict[str, t.Any]] = {
        name: {"client": name, "file": files.get(name, account["name"]), "numbers": [], "tokens": {}, "new": []}
        for name in [*files, ""]
    }
    problems: list[str] = []
    for number in (entry["device"] for entry in account["devices"] if "device" in entry):
        # A number with its country code has a plus in its entry.
        digits = only_digits(number)
        entry = by_client[owners.get(digits, "")]
        entry["numbers"].append(number)
        if digits in failed:
            continue
        made = digits in created
        try:
            token = _find_token(listing, number) or (PREDICTED if made and predicted else "")
        except FonnteError as exc:
            problems.append(str(exc))
            continue
        if token:
            entry["tokens"][number] = token
            entry["new"] += [number] if made else []
    return [entry for entry in by_client.values() if entry["numbers"]], problems


def _device(listed: Result) -> Device:
    return Device(listed["device"], listed["token"], settings={"name": listed.get("name") or ""})


def _find_token(listing: DeviceList, number: str) -> str:
    """Return the token of a declared number; FonnteError if the number matches more than one device."""
    with error_context(f"Exporting the token of device {number}"):
        device = listing.find(only_digits(number), number.startswith("+"))
    return device.token if device is not None else ""
