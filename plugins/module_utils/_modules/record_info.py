# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_record_info: what is in the record, never a value."""

from __future__ import annotations

from .._options.common import API, Spec, common_warnings, max_age, numbers_of, open_house
from .._record_admin.inventory import record_info
from .task import Report, Task

RECORD_INFO: Spec = {
    **API,
    "devices": {"type": "list", "elements": "raw"},
}


def run_record_info(task: Task) -> Report:
    """Tell what is in the record (module fonnte_record_info)."""
    # It has no effect here, but what is wrong in module_defaults is found by every module.
    max_age(task.params["record_max_age"])
    numbers = numbers_of(task.params["devices"])
    house, _redactor = open_house(task.params, task.environment, finder=task.secrets)
    result, warnings = record_info(house, numbers)
    return Report(result, [*common_warnings(task.params), *warnings])
