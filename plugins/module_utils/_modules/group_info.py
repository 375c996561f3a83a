# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""The module fonnte_group_info: list the WhatsApp groups of a device."""

from __future__ import annotations

from .._common.clock import DAY_SECONDS
from .._common.errors import NotFoundError
from .._contacts.device_access import find_device
from .._contacts.group_list import GroupList, list_groups, preview_groups
from .._options.common import (
    API,
    NUMBER,
    Spec,
    build_context,
    check_range,
    common_warnings,
    number,
    require_device,
)
from .._options.policy import max_age
from .task import ModuleInput, ModuleResult

# Shorter intervals are an abuse in the sense of the service's warning.
REFRESH_RANGE = (60, 365 * DAY_SECONDS)

GROUP_INFO: Spec = {
    **API,
    **NUMBER,
    "refresh": {"type": "bool", "default": False},
    "refresh_after": {"type": "float", "default": float(DAY_SECONDS)},
}


def run_group_info(task: ModuleInput) -> ModuleResult:
    """List the WhatsApp groups of a device (module fonnte_group_info)."""
    params = task.params
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(params["record_max_age"])
    seconds = check_range(params, "refresh_after", *REFRESH_RANGE)
    refresh_after = seconds if params["refresh"] else None
    wanted = number(params)
    require_device(params, task.environment, task.raw_params)
    context, _redactor = build_context(params, task.environment, task.cache, finder=task.secrets)
    device = wanted
    try:
        access = find_device(context, wanted)
        device = access.number
        if task.check_mode:
            found = preview_groups(context, access, refresh_after)
        else:
            found = list_groups(context, wanted, access, refresh_after)
    except NotFoundError as fault:
        if not task.check_mode:
            raise
        missing = f"{fault.problem}. The task would fail, unless an earlier one creates the device."
        found = GroupList((), refresh_after is not None, None, (missing,))
    result = {
        "changed": False,
        "device": device or None,
        "groups": [{"id": group.id, "name": group.name} for group in found.groups],
        "refreshed": found.refreshed,
        "refreshed_at": found.refreshed_at,
    }
    return ModuleResult(result, [*common_warnings(params), *found.warnings])
