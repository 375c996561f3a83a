# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Read access to an account's device list, for the inventory and lookup plugins."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from .._api.cache import ProcessCache
from .._api.client import FonnteClient
from .._api.wire import Connection
from .._common.errors import OptionError, error_context
from .._common.redaction import Redactor, masking
from .._common.spellings import SecretFinder
from .._device.models import Device
from .._options.common import API, Params, Spec, checked_token, parse_connection

# The options of the connection and the account. These plugins need no device token, no record and no facts.
ACCOUNT: Spec = {
    option: API[option]
    for option in (
        "account_token",
        "api_endpoint",
        "api_timeout",
        "api_retries",
        "api_retry_max_delay",
        "validate_certs",
        "ca_path",
    )
}


class Account:
    """An account and its device list. No request is sent before the list is needed.

    Args:
        connection: The connection to the service.
        token: The account token.
        keep: The cache of this process, which may contain a recent list.
    """

    def __init__(self, connection: Connection, token: str, keep: ProcessCache) -> None:
        self._finder = SecretFinder()
        self.redactor = Redactor(token, finder=self._finder)
        self._token = token
        self._endpoint = connection.endpoint
        self._api = FonnteClient(keep.transport(connection), self.redactor, keep.listing(connection, token))
        self._opened = self._api.now()

    @property
    def cache_id(self) -> str:
        """An ID of this account for cache files. It reveals neither the token nor the account."""
        text = "\0".join(("fonnte.whatsapp/account/1", self._endpoint))
        return hmac.new(self._token.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def devices(self) -> tuple[Device, ...]:
        """Request the device list, and return all devices."""
        with masking(self._finder), error_context("Listing the account's devices"):
            devices = self._api.get_devices(self._token).devices
        return tuple(self._masked(device) for device in devices)

    def _masked(self, device: Device) -> Device:
        """Return a device with tokens masked in its strings, for host variables and cache files."""
        mask = self._finder.mask_data
        return replace(
            device, number=mask(device.number), package=mask(device.package), settings=mask(dict(device.settings))
        )

    def find(self, number: str, has_country: bool = False) -> Device | None:
        """Return the device with this number in any spelling; None if the service does not list it.

        The caller may delete the device with the returned token. So the list is requested once after the account was
        opened; a list from an earlier item of a loop is not used.

        Args:
            number: The digits of the number.
            has_country: Whether the number is written with its country code.

        Raises:
            FonnteError: Several devices have this number, or the list cannot be read.
        """
        with masking(self._finder), error_context(f"Looking up device {number}"):
            return self._api.listing(self._token, number, "", self._opened).find(number, has_country)


def open_account(params: Params, keep: ProcessCache) -> Account:
    """Return the account that the options describe; raise OptionError if one is invalid."""
    token = checked_token("account_token", params["account_token"])
    if not token:
        raise OptionError(
            "account_token",
            "there is no token",
            "set the environment variable FONNTE_ACCOUNT_TOKEN, or the option account_token",
        )
    return Account(parse_connection(params), token, keep)
