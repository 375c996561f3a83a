# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Find out whether the tokens of the API behavior check belong to an account or to a device."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.errors import (
    RefusalKind,
    RefusedError,
)
from .journal import JournalingClient

if t.TYPE_CHECKING:
    from .._device.models import Device, DeviceList
    from .._reconcile.observe import RunContext


ACCOUNT, DEVICE, UNKNOWN = "account", "device", "unknown"


@dataclass(frozen=True)
class Tokens:
    """The tokens that the user gave.

    Attributes:
        account: The type of account_token: ``account``, ``device`` or ``unknown``; None if it was not given.
        device: The type of device_token, likewise.
        listing: The device list of the account.
        unlisted: The device of device_token, if the list does not contain it.
    """

    account: str | None
    device: str | None
    listing: DeviceList | None = None
    unlisted: Device | None = None

    @property
    def right(self) -> bool:
        """Whether each token has the right type, and the account can be listed."""
        return self.account == ACCOUNT and self.device in (None, DEVICE)


def _check_tokens(context: RunContext, calls: JournalingClient) -> Tokens:
    """Send a request with each token, first as the intended type of token, then as the other."""
    account, listing = _account_token(context.account_token, calls)
    if not context.device_token:
        return Tokens(account, None, listing)
    if listing is not None and listing.find_by_token(context.device_token) is not None:
        return Tokens(account, DEVICE, listing)
    profile = _profile(context.device_token, calls)
    if profile is not None:
        return Tokens(account, DEVICE, listing, profile)
    return Tokens(account, UNKNOWN if _listing(context.device_token, calls) is None else ACCOUNT, listing)


def _account_token(token: str, calls: JournalingClient) -> tuple[str | None, DeviceList | None]:
    if not token:
        return None, None
    listing = _listing(token, calls)
    if listing is not None:
        return ACCOUNT, listing
    return UNKNOWN if _profile(token, calls) is None else DEVICE, None


def _listing(token: str, calls: JournalingClient) -> DeviceList | None:
    """Return the device list of a token; None if the service knows no such account."""
    found: list[DeviceList] = []
    _try_request(lambda: found.append(calls.listing(token, None, "tokens")))
    return found[0] if found else None


def _profile(token: str, calls: JournalingClient) -> Device | None:
    """Return the profile of a token's device; None if the service knows no such device."""
    found: list[Device] = []
    _try_request(lambda: found.append(calls.profile(token, None, "tokens")))
    return found[0] if found else None


def _try_request(call: t.Callable[[], None]) -> None:
    """Send a request, and ignore a refusal because the service does not know the token."""
    try:
        call()
    except RefusedError as refusal:
        if refusal.kind is not RefusalKind.INVALID_TOKEN:
            raise


_SETTING_MENU = "the account's token is in the dashboard's Setting menu"


_DEVICE_ROW = "a device's token is in the dashboard, in the row of the device"


_WRONG = {
    ("account_token", DEVICE): f"account_token is the token of a device; {_SETTING_MENU}.",
    ("account_token", UNKNOWN): f"Fonnte does not know this account_token; {_SETTING_MENU}.",
    ("device_token", ACCOUNT): f"device_token is the token of an account; {_DEVICE_ROW}.",
    ("device_token", UNKNOWN): f"Fonnte does not know this device_token; {_DEVICE_ROW}, and a recreated device has a "
    "new one.",
}


def _token_warnings(tokens: Tokens) -> list[str]:
    if (tokens.account, tokens.device) == (DEVICE, ACCOUNT):
        return ["account_token and device_token are swapped: each has the value of the other."]
    reported = [("account_token", tokens.account), ("device_token", tokens.device)]
    return [_WRONG[option, kind] for option, kind in reported if kind and (option, kind) in _WRONG]
