# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Forget the entries of devices."""

from __future__ import annotations

import typing as t

from .._common.errors import FonnteError, OptionError
from .._common.phone_numbers import matches, only_digits
from .._device.models import CHECK_DASHBOARD
from .._reconcile.observe import RunContext
from .inventory import RecordInventory, scan
from .operations import _applying
from .plan_types import Change, RecordPlan, _count


def plan_forget(context: RunContext, numbers: tuple[str, ...] | None, orphans: bool) -> RecordPlan:
    """Return the plan to remove the entries of devices from the record.

    Args:
        context: The context of the run.
        numbers: The numbers of the devices, which may no longer exist.
        orphans: Whether to remove also the entries of this account that belong to no device in its list.
    """
    if orphans and not context.account_token:
        raise OptionError(
            "orphans", "only the account's list shows which entries these are", "set account_token as well"
        )
    view = scan(context, numbers)
    _refuse_two(view, numbers or ())
    chosen, missing = view.choose(numbers or ())
    doomed = {file.name: owner.number for owner in chosen for file in owner.files}
    warnings: list[str] = []
    if orphans:
        doomed.update(view.orphans())
        warnings += _unclaimed_warning(view)
    known = {file.name: file for owner in view.everyone for file in owner.files}
    changes = [
        Change(known[name], number, known[name].encrypted(), None)
        for name, number in sorted(doomed.items())
        if name in view.names
    ]
    forgotten = ", ".join(sorted({change.number for change in changes}))
    if changes:
        warnings.append(
            f"The record no longer has entries for {forgotten}: the next run sends the declared settings again, and "
            "an update may reset settings that are not declared."
        )
    return RecordPlan(
        context.records.folder, tuple(changes), _applying(changes), {"missing": missing, "kept": []}, tuple(warnings)
    )


def _refuse_two(view: RecordInventory, numbers: t.Iterable[str]) -> None:
    for number in numbers:
        listed = [owner.number for owner in view.devices]
        found = matches(number, listed)
        if len(found) == 1:
            # An exact match is not sufficient if another spelling has the same digits, such as with a plus.
            found = [one for one in dict.fromkeys(listed) if only_digits(one) == only_digits(found[0])]
        if len(found) > 1:
            raise FonnteError(
                f"the account has more than one device with this number: {' and '.join(found)}",
                CHECK_DASHBOARD
                if len({only_digits(spelling) for spelling in found}) == 1
                else "write the number exactly as one of them is registered",
            )
        files = {owner.record_file.name for owner in view.devices if owner.record_file and owner.number in found}
        twins = [
            owner.number
            for owner in view.devices
            if owner.number in found or (owner.record_file and owner.record_file.name in files)
        ]
        if len(twins) > 1:
            raise FonnteError(
                f"the service lists one number or one token for several devices: {' and '.join(twins)}", CHECK_DASHBOARD
            )


def _unclaimed_warning(view: RecordInventory) -> list[str]:
    unclaimed = view.unclaimed()
    if not unclaimed:
        return []
    return [
        f"{_count(len(unclaimed), 'file')} may be of another account, of another api_endpoint or of a device that "
        f"was recreated, and {'was' if len(unclaimed) == 1 else 'were'} left: {', '.join(unclaimed)}."
    ]
