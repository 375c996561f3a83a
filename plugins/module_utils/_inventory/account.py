# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""An account whose list is read: all that the inventory and the lookup of tokens need of the service."""

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

# No token of a device, no record and no facts: nothing is written, and the list tells of all devices.
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
    """An account and its list. Nothing is called before the list is asked for.

    Args:
        connection: How the service is reached.
        token: The account's token.
        keep: What earlier users of this process have kept. A list among it may be half a minute old.
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
        """What tells this account from others in a file. It gives away neither token nor account."""
        text = "\0".join(("fonnte.whatsapp/account/1", self._endpoint))
        return hmac.new(self._token.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def devices(self) -> tuple[Device, ...]:
        """Return all devices, as the service lists them now."""
        with masking(self._finder), error_context("Listing the account's devices"):
            devices = self._api.get_devices(self._token).devices
        return tuple(self._masked(device) for device in devices)

    def _masked(self, device: Device) -> Device:
        """Return a device as hosts, variables and a cache may hold it: its strings may repeat a token."""
        mask = self._finder.mask_data
        return replace(
            device, number=mask(device.number), package=mask(device.package), settings=mask(dict(device.settings))
        )

    def find(self, number: str, has_country: bool = False) -> Device | None:
        """Return the device with this number in any spelling; None if the service lists none now.

        The right device: the list is requested once after the account was opened, and not taken from an earlier item of
        a loop. The token that is returned may delete a device.

        Args:
            number: Its digits.
            has_country: Whether they were written with the code of their country.

        Raises:
            FonnteError: Two devices are this number, or the list cannot be read.
        """
        with masking(self._finder), error_context(f"Looking up device {number}"):
            return self._api.listing(self._token, number, "", self._opened).find(number, has_country)


def open_account(params: Params, keep: ProcessCache) -> Account:
    """Return the account that the options are about; OptionError where one cannot be right."""
    token = checked_token("account_token", params["account_token"])
    if not token:
        raise OptionError("account_token", "there is no token", "set account_token or FONNTE_ACCOUNT_TOKEN")
    return Account(parse_connection(params), token, keep)
