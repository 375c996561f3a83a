# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The safety limits of a fleet: count the planned operations of all devices before the first write."""

from __future__ import annotations

import collections
import typing as t

from .._common.errors import (
    SafetyLimitError,
)
from .._common.phone_numbers import canonical
from .._device.models import Device, DeviceList
from .._reconcile.observe import RunContext
from .entries import EntryRun, FleetOptions
from .limits import FREE_LIMIT, MAX_CLEAR, MAX_CREATE, MAX_DISCONNECT

MAX_REPORTED = 10


_COUNTED = {
    MAX_CREATE: "create {}",
    MAX_CLEAR: "clear webhooks of {}",
    MAX_DISCONNECT: "disconnect {}",
}
# A message lists the devices that count for a limit.
MAX_LISTED = 50
# The number of free devices that the service permits in an account.
FREE_DEVICES = 10


def _count(runs: t.Sequence[EntryRun]) -> collections.Counter[str]:
    """Return the number of first plans that count towards each limit."""
    return collections.Counter(limit for run in runs for limit in run.limits)


def _remaining_limits(context: RunContext, runs: t.Sequence[EntryRun], options: FleetOptions) -> dict[str, int]:
    """Return the number of further devices that each limit that is set allows."""
    counted = _count(runs)
    left = {limit: most - counted[limit] for limit, most in options.limits.items() if most is not None}
    if options.free_limit is not None:
        left[FREE_LIMIT] = options.free_limit - _count_free(context) - counted[FREE_LIMIT]
    return left


def _check_limits(context: RunContext, runs: t.Sequence[EntryRun], options: FleetOptions) -> None:
    counted = _count(runs)
    for option, limit in options.limits.items():
        if limit is not None and counted[option] > limit:
            over = [run for run in runs if option in run.limits]
            unrecorded = sum(run.lacks_record for run in over)
            raise SafetyLimitError(
                exceeded_limit(option, option, limit, len(over), [run.entry.shown for run in over], unrecorded),
                f"check the list; if this is intended, set {option}: {counted[option]} (nothing was changed)",
            )
    created = counted[FREE_LIMIT]
    if options.free_limit is not None and created:
        free = _count_free(context)
        if free + created > options.free_limit:
            raise SafetyLimitError(
                f"the account has {free} free devices, the run would create {created} more, and free_device_limit is "
                f"{options.free_limit}",
                "create fewer, or buy packages for some of them (nothing was changed)",
            )
    others = undeclared_numbers(context, runs) if options.unlisted == "error" else []
    if others:
        raise SafetyLimitError(
            f"the account has devices that are not declared: {', '.join(others[:MAX_REPORTED])}"
            + (f" and {len(others) - MAX_REPORTED} more" if len(others) > MAX_REPORTED else ""),
            "declare them, or set unlisted: report (nothing was changed)",
        )


def exceeded_limit(
    option: str, name: str, limit: int, count: int, labels: t.Sequence[str], unrecorded: int, where: str = ""
) -> str:
    """Return the sentence for a safety limit that a run would exceed, without its full stop.

    Args:
        option: The limit.
        name: Its name for the user.
        limit: Its value.
        count: The number of devices that count for it.
        labels: These devices; empty where they are not known.
        unrecorded: The number of these that have no record on this control node.
        where: The accounts, such as `` in 3 accounts``.
    """
    devices = count_devices(count)
    listed = f": {list_labels(labels)}" if labels else ""
    if option == MAX_CLEAR and unrecorded == count:
        # Without a record, an empty webhook is sent because the present one is unknown.
        return (
            f"this control node has no record of {devices}{where}, so it would send '' again for the webhooks that are "
            f"declared as '', and {name} is {limit}{listed}. {_NO_RECORD}"
        )
    unknown = f". This control node has no record of {count_devices(unrecorded)} among these. {_NO_RECORD}"
    return f"the run would {_COUNTED[option].format(devices)}{where}, and {name} is {limit}{listed}" + (
        unknown if option == MAX_CLEAR and unrecorded else ""
    )


_NO_RECORD = (
    "Restore a backup of the record, or share one record between the control nodes; a device with a stamp needs neither"
)


def count_devices(count: int) -> str:
    """Return a number of devices as words."""
    return f"{count} device{'' if count == 1 else 's'}"


def list_labels(labels: t.Sequence[str], unlisted: int = 0) -> str:
    """Return labels as a list with commas; of many, the first ones and the number of the others, and of unlisted ones."""
    unlisted += max(0, len(labels) - MAX_LISTED)
    return ", ".join(labels[:MAX_LISTED]) + (f" and {unlisted} more" if unlisted else "")


def _count_free(context: RunContext) -> int:
    if not context.account_token:
        return 0
    return count_free(context.client.listing(context.account_token, "", "").devices)


def free_warnings(context: RunContext, runs: t.Sequence[EntryRun]) -> list[str]:
    """Return the warnings for limits of free devices that the device list shows, and that only a real run would meet."""
    if not context.account_token:
        return []
    devices = context.client.listing(context.account_token, "", "").devices
    created, free = _count(runs)[FREE_LIMIT], count_free(devices)
    warnings = []
    if created and free + created > FREE_DEVICES:
        warnings.append(
            f"The account has {free} of {FREE_DEVICES} free devices, and the run would create {created}: the service would "
            f"refuse {free + created - FREE_DEVICES} of them. Buy a package for some devices, or delete some."
        )
    linked = [device.number for device in devices if device.is_free and device.connected]
    if created and linked:
        warnings.append(
            f"The free device {linked[0]} is linked. Fonnte links only one free device at a time, so a new one needs a "
            "package before it can be linked."
        )
    return warnings


def count_free(devices: t.Iterable[Device]) -> int:
    """Return the number of free devices among some devices."""
    return sum(device.is_free for device in devices)


def undeclared_numbers(context: RunContext, runs: t.Sequence[EntryRun]) -> list[str]:
    """Return the numbers of the account's devices that no entry declares, from the list at the start of the run."""
    listings = [run.predicted.observation.listing for run in runs if run.predicted is not None]
    return sorted(device.number for device in undeclared_devices(runs, next(filter(None, listings), None)))


def undeclared_devices(runs: t.Sequence[EntryRun], listing: DeviceList | None) -> list[Device]:
    """Return the devices of a list that no entry declares."""
    observed = [run.predicted.observation.device if run.predicted is not None else None for run in runs]
    declared = {_identity(device) for device in observed if device is not None}
    # If the device of an entry is unknown, it may be any device with the entry's number. Otherwise, two spellings of a
    # number can be two devices.
    unknown = {canonical(run.entry.desired.number) for run, device in zip(runs, observed) if device is None}
    devices = listing.devices if listing is not None else ()
    return [
        device for device in devices if _identity(device) not in declared and canonical(device.number) not in unknown
    ]


def _identity(device: Device) -> str:
    """Return the token of a device; its number if the list contains no token."""
    return device.token or device.number
