# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The result of fonnte_device_info. It only reads, and never from the cache."""

from __future__ import annotations

import typing as t

from .._common.errors import error_context
from .._common.redaction import Redactor
from .._device.models import Device
from .._device.settings import Value
from .._options.filters import choose, find_spellings, parse_filter
from .._reconcile.observe import RunContext, require_token
from .._reconcile.result import Result, device_facts, recorded_facts
from .._record.entries import DeviceRecord


def device_info(context: RunContext, redactor: Redactor, params: t.Mapping[str, t.Any]) -> tuple[Result, list[str]]:
    """Return the result of fonnte_device_info and its warnings."""
    wanted = parse_filter(params)
    require_token(context)
    if context.account_token:
        with error_context("Listing the account's devices"):
            listing = context.client.get_devices(context.account_token)
        found, warnings = listing.devices, listing.ambiguities()
        account: Result | None = {"devices": len(found), "connected": listing.connected, "messages": listing.messages}
    else:
        with error_context("Looking up the device"):
            found, account, warnings = (context.client.profile(context.device_token),), None, []
    with error_context("Choosing the devices"):
        chosen, missing = choose(found, wanted)
    devices = [_describe(context, redactor, params, device, warnings) for device in chosen if wanted.matches(device)]
    result: Result = {"changed": False, "devices": devices, "missing": missing, "account": account}
    if params["devices"] is not None:
        result["listed_as"] = find_spellings(found, params["devices"])
    return result, warnings


def _describe(
    context: RunContext, redactor: Redactor, params: t.Mapping[str, t.Any], device: Device, warnings: list[str]
) -> Result:
    context.lineage.require()
    record, problem = DeviceRecord(), ""
    if params["recorded"] and device.token:
        loaded, problem = context.records.device(device.token).load()
        record = loaded or record
    if problem:
        warnings.append(f"{problem}; it is treated as missing.")
    settings: dict[str, Value] = {**device.settings}
    facts = device_facts(device, device.number, settings, redactor)
    if params["recorded"]:
        facts["recorded"] = recorded_facts(record, redactor)
    if params["profile"]:
        facts["messages"] = _messages(context, device)
    if params["return_tokens"]:
        facts["token"] = device.token
    return facts


def _messages(context: RunContext, device: Device) -> int | None:
    """Return how many messages a device has sent. With an account token, this needs one more request."""
    if not context.account_token:
        return device.messages
    if not device.token:
        return None
    with error_context(f"Looking up device {device.number}"):
        return context.client.profile(device.token).messages
