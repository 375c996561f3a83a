# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_record_info: list the entries of the record, without values."""

from __future__ import annotations

from .._options.common import API, Spec, build_context, common_warnings, parse_numbers
from .._options.policy import max_age
from .._record_admin.inventory import record_info
from .task import ModuleInput, ModuleResult

RECORD_INFO: Spec = {
    **API,
    "devices": {"type": "list", "elements": "raw"},
}


def run_record_info(task: ModuleInput) -> ModuleResult:
    """List the entries of the record (module fonnte_record_info)."""
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(task.params["record_max_age"])
    numbers = parse_numbers(task.params["devices"])
    context, _redactor = build_context(task.params, task.environment, finder=task.secrets)
    result, warnings = record_info(context, numbers)
    return ModuleResult(result, [*common_warnings(task.params), *warnings])
