# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The device that sends a message: look it up, and find reasons for which Fonnte would refuse the message."""

from __future__ import annotations

import typing as t

from .._common.errors import NotFoundError, error_context
from .._common.redaction import printable
from .._contacts.device_access import DeviceAccess
from .._device.models import Device, DeviceList
from .._reconcile.observe import RunContext, check_listed, require_token, resolve_device
from .delivery import Waiting
from .message import Message

ATTACHING_PACKAGES = ("super", "advanced", "ultra")


def find_sender(context: RunContext, wanted: str) -> DeviceAccess:
    """Return the device that sends; raise NotFoundError if the account does not list it."""
    if not wanted and not context.account_token:
        return DeviceAccess("", context.device_token)
    device, listing = _observe(context, wanted)
    if device is None:
        raise _missing(wanted)
    return DeviceAccess(device.number, device.token, device, listing.fetched_at if listing is not None else None)


def _observe(context: RunContext, wanted: str) -> tuple[Device | None, DeviceList | None]:
    require_token(context)
    with error_context(f"Looking up the sending device {wanted}" if wanted else "Looking up the sending device"):
        # A new list: in a list from an earlier item of a loop, the number may belong to another device.
        listing = context.client.get_devices(context.account_token) if context.account_token else None
        device = resolve_device(context, wanted, listing)
        if device is not None:
            check_listed(device)
    return device, listing


def _missing(wanted: str) -> NotFoundError:
    fault = NotFoundError("the account does not list it, and nothing was sent", "check the number, or create it first")
    fault.operation = f"Sending from device {wanted}"
    return fault


def preview_sender(
    context: RunContext, wanted: str, message: Message, waiting: Waiting | None = None
) -> tuple[DeviceAccess, list[str]]:
    """Return the sender, and warnings about reasons for a refusal, which an earlier task may still resolve."""
    device, _listing = _observe(context, wanted)
    if device is None:
        return DeviceAccess(wanted, ""), [
            f"Device {wanted} does not exist. The task would fail, unless an earlier one creates it."
        ]
    return DeviceAccess(device.number, device.token, device), list(_obstacles(device, message, waiting))


def _obstacles(device: Device, message: Message, waiting: Waiting | None) -> t.Iterator[str]:
    name = f"Device {device.number}"
    if device.connected is False and message.form.get("connectOnly") == "false":
        if waiting is not None:
            yield (
                f"{name} is not linked, so the message stays in the queue, and the task fails after wait_timeout unless "
                "a phone is linked by then."
            )
    elif device.connected is False:
        yield (
            f"{name} is not linked, so Fonnte would refuse. Link it, or set connect_only: false to queue the message "
            "without a linked phone."
        )
    if device.quota is not None and device.quota < len(message.targets):
        yield (
            f"{name} has {device.quota} messages left, and this task sends {len(message.targets)}: Fonnte would "
            "refuse all."
        )
    attaches = message.upload is not None or "url" in message.form
    if attaches and device.package is not None and not device.package.lower().startswith(ATTACHING_PACKAGES):
        yield (
            f"{name} has the package {printable(device.package)}. Attachments need Super, Advanced or Ultra, so "
            "Fonnte may refuse."
        )
