# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""The groups of a device: read the list that the service stores, and refresh it from the phone at most once in a while.

Each refresh queries the phone, and the service warns that many of them can lead to a ban of the number. So the time of
a refresh is durable in the record before its request is sent: a lost response counts as a refresh.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

from .._api.contact_requests import Group, fetch_groups, read_groups
from .._common.clock import age, now, now_text
from .._common.errors import (
    DamagedRecordError,
    FonnteError,
    RecordError,
    RefusalKind,
    RefusedError,
    error_context,
    may_be_applied,
)
from .._reconcile.list_age import require_fresh, send_with_fresh_list
from .._reconcile.locks import LOCK_SECONDS
from .._record.backend import Phase
from .._record.entries import DeviceRecord
from .device_access import DeviceAccess, find_device

if t.TYPE_CHECKING:
    from .._reconcile.observe import RunContext
    from .._record.files import EncryptedFile

# Refusals after which the phone was certainly not queried.
_NOT_QUERIED = (RefusalKind.INVALID_TOKEN, RefusalKind.NOT_LINKED)


@dataclass(frozen=True)
class GroupList:
    """The groups of a device.

    Attributes:
        groups: The groups, sorted by name.
        refreshed: Whether this run has refreshed the list; in check mode, whether a run would.
        refreshed_at: The time of the last refresh in the record; None if there is none, or if it was not read.
        warnings: Warnings for the user.
    """

    groups: tuple[Group, ...]
    refreshed: bool = False
    refreshed_at: str | None = None
    warnings: tuple[str, ...] = ()


def read_stored_groups(context: RunContext, access: DeviceAccess) -> tuple[Group, ...]:
    """Return the groups in the list that the service stores, sorted by name."""
    with error_context(f"Reading the groups of {access.name}"):
        try:
            groups = read_groups(context.client, access.token)
        except RefusedError as fault:
            if fault.kind is RefusalKind.UNKNOWN:
                fault.advice = (
                    "if Fonnte has never fetched the groups of this device, link it and run "
                    "fonnte.whatsapp.fonnte_group_info once with refresh: true"
                )
            raise
    return tuple(sorted(groups, key=lambda group: (group.name, group.id)))


def preview_groups(context: RunContext, access: DeviceAccess, refresh_after: float | None) -> GroupList:
    """Return the groups without a refresh, and whether a run would refresh them.

    Args:
        context: The context of the run.
        access: The device.
        refresh_after: As in ``list_groups``.
    """
    if refresh_after is None:
        return GroupList(read_stored_groups(context, access))
    record, warnings = _load(context.records.device(access.token))
    at = record.groups_fetched_at if record else None
    is_due = age(at, now()) >= refresh_after
    try:
        groups = read_stored_groups(context, access)
    except RefusedError as fault:
        if not is_due or fault.kind is RefusalKind.INVALID_TOKEN:
            raise
        # A run would refresh the list first.
        groups = ()
        warnings.append(f"The groups are unknown until a run refreshes them: {fault.problem}.")
    return GroupList(groups, is_due, at, (*warnings, *_clock_warnings(at)))


def list_groups(context: RunContext, wanted: str, access: DeviceAccess, refresh_after: float | None) -> GroupList:
    """Return the groups, after a refresh if one is requested and the last one is old enough.

    Args:
        context: The context of the run.
        wanted: The number that the task names; empty if only a token identifies the device.
        access: The device.
        refresh_after: The seconds from one refresh to the next; None for no refresh.
    """
    if refresh_after is None:
        return GroupList(read_stored_groups(context, access))
    known = [access]
    with error_context(f"Refreshing the groups of {access.name}"):
        refreshed, at, warnings = send_with_fresh_list(
            lambda: _refresh(context, known[-1], refresh_after),
            lambda: known.append(find_device(context, wanted)),
        )
    groups = read_stored_groups(context, known[-1])
    return GroupList(groups, refreshed, at, (*warnings, *_clock_warnings(at)))


def _refresh(context: RunContext, access: DeviceAccess, refresh_after: float) -> tuple[bool, str | None, list[str]]:
    """Refresh the list if the last refresh is old enough; return whether it was, the last time, and warnings."""
    file = context.records.device(access.token)
    record, warnings = _load(file)
    if not _is_due(record, refresh_after):
        return False, record.groups_fetched_at if record else None, warnings
    with file.lock(LOCK_SECONDS):
        record, warnings = _load(file)
        if not _is_due(record, refresh_after):
            # Another run has refreshed it while this one waited.
            return False, record.groups_fetched_at if record else None, warnings
        require_fresh(access.identified_at)
        at = now_text()
        number = access.device.number if access.device is not None and access.identified_at is not None else ""
        file.save(replace(record or DeviceRecord(number=number), groups_fetched_at=at), Phase.BEGIN)
        try:
            fetch_groups(context.client, access.token, lambda: _check_before_sending(context, access))
        except FonnteError as fault:
            if _was_not_queried(fault):
                # If this fails, the refresh only counts although it was none.
                with contextlib.suppress(RecordError):
                    file.save(record, Phase.CONFIRM)
            elif may_be_applied(fault):
                fault.advice += "; it counts as a refresh, since the phone may have been queried"
            raise
    return True, at, warnings


def _check_before_sending(context: RunContext, access: DeviceAccess) -> None:
    context.lineage.require()
    context.records.backend.verify_held()
    require_fresh(access.identified_at)


def _is_due(record: DeviceRecord | None, refresh_after: float) -> bool:
    """Return whether the last refresh is old enough. A time in the future is not: a clock can only delay a refresh."""
    return age(record.groups_fetched_at if record else None, now()) >= refresh_after


def _was_not_queried(fault: FonnteError) -> bool:
    """Return whether the phone was certainly not queried, so that the request is no refresh."""
    if isinstance(fault, RefusedError):
        return fault.kind in _NOT_QUERIED
    return not may_be_applied(fault) and not isinstance(fault, RecordError)


def _load(file: EncryptedFile[DeviceRecord]) -> tuple[DeviceRecord | None, list[str]]:
    """Return the record of a device, and a warning if it is damaged; RecordError if it cannot be read now."""
    try:
        return file.read(), []
    except DamagedRecordError as fault:
        return None, [f"{fault.problem}; it is treated as missing."]


def _clock_warnings(at: str | None) -> t.Iterator[str]:
    if age(at, now()) < 0:
        yield (
            f"According to the record, the groups were refreshed at {at}, which is in the future: check the clocks of "
            "your control nodes."
        )
