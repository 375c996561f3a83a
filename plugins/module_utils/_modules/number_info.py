# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""The module fonnte_number_info: find the numbers that have a WhatsApp account."""

from __future__ import annotations

from .._common.errors import FonnteError, NotFoundError, RefusalKind, RefusedError
from .._contacts.device_access import find_device
from .._contacts.number_check import NumberCheck, check_numbers
from .._contacts.number_list import parse_wanted
from .._device.settings import validate
from .._options.common import API, NUMBER, Params, Spec, build_context, common_warnings, number, require_device
from .._options.policy import max_age
from .task import ModuleInput, ModuleResult

NUMBER_INFO: Spec = {
    **API,
    **NUMBER,
    "numbers": {"type": "list", "elements": "raw", "required": True},
    "country_code": {"type": "str"},
}


def run_number_info(task: ModuleInput) -> ModuleResult:
    """Find the numbers that have a WhatsApp account (module fonnte_number_info)."""
    params = task.params
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(params["record_max_age"])
    country = None if params["country_code"] is None else str(validate("country_code", params["country_code"]))
    check = NumberCheck(parse_wanted(_values(params, task.raw_params), country))
    wanted = number(params)
    require_device(params, task.environment, task.raw_params)
    context, _redactor = build_context(params, task.environment, task.cache, finder=task.secrets)
    warnings = common_warnings(params)
    device = wanted
    try:
        access = find_device(context, wanted)
        device = access.number
        check_numbers(context, access, check, country)
        warnings += check.warnings()
    except FonnteError as fault:
        if not task.check_mode or not _may_be_resolved(fault):
            fault.partial_result = {"changed": False, "device": device or None, **check.to_result()}
            fault.warnings = warnings
            raise
        warnings.append(f"{fault.problem}. The task would fail, unless an earlier one creates the device or links it.")
    return ModuleResult({"changed": False, "device": device or None, **check.to_result()}, warnings)


def _may_be_resolved(fault: FonnteError) -> bool:
    """Return whether an earlier task, which check mode only predicts, may resolve an error."""
    is_unlinked = isinstance(fault, RefusedError) and fault.kind is RefusalKind.NOT_LINKED
    return is_unlinked or isinstance(fault, NotFoundError)


def _values(params: Params, given: Params) -> list[object]:
    """Return the numbers. Ansible converts a single number to a list of strings, which hides a lost leading zero."""
    alone = given.get("numbers")
    return [alone] if isinstance(alone, (int, float)) else list(params["numbers"])
