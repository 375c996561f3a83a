# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""Find the device whose phone answers a task: its number, and the token that the requests need."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._common.errors import NotFoundError, RequestError, error_context
from .._reconcile.observe import check_listed, require_token, resolve_device

if t.TYPE_CHECKING:
    from .._common.clock import Moment
    from .._device.models import Device
    from .._reconcile.observe import RunContext


@dataclass(frozen=True)
class DeviceAccess:
    """The device that a task uses.

    Attributes:
        number: Its number; empty with a device token only, because the device is not looked up.
        token: Its token.
        device: The device in the list or the profile; None if it was not requested.
        identified_at: The time of the list with its number and token; None with a device token only.
    """

    number: str
    token: str = field(repr=False)
    device: Device | None = None
    identified_at: Moment | None = None

    @property
    def name(self) -> str:
        """The name of the device in messages."""
        return f"device {self.number}" if self.number else "the device of device_token"


def find_device(context: RunContext, wanted: str) -> DeviceAccess:
    """Return the device of a task, from a new list. A device token alone needs no request.

    Args:
        context: The context of the run.
        wanted: The number that the task names; empty if only a token identifies the device.

    Raises:
        FonnteError: There is no such device, or number and token are not one device.
    """
    require_token(context)
    if not wanted and not context.account_token:
        return DeviceAccess("", context.device_token)
    with error_context(f"Looking up device {wanted}" if wanted else "Looking up the device"):
        # A new list: in a list from an earlier item of a loop, the number may belong to another device.
        listing = context.client.get_devices(context.account_token) if context.account_token else None
        device = resolve_device(context, wanted, listing)
        if device is None:
            raise NotFoundError(
                f"the account has no device {wanted}",
                "create it first with fonnte.whatsapp.fonnte_device, or correct the number",
            )
        check_listed(device)
    return DeviceAccess(device.number, device.token, device, listing.fetched_at if listing is not None else None)


def is_unlinked(context: RunContext, access: DeviceAccess) -> bool:
    """Return whether the service shows that no phone is linked to a device. False if that is unknown."""
    device = access.device
    if device is None or device.connected is not False:
        try:
            device = context.client.profile(access.token)
        except RequestError:
            return False
    return device.connected is False
