# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_record: the record looked after."""

from __future__ import annotations

import os

from .._common.destinations import check_destination, check_links
from .._common.errors import OptionError
from .._options.common import API, Params, Spec, checked_token, common_warnings, max_age, numbers_of, open_house
from .._reconcile.observe import House
from .._record_admin.migration import plan_migration
from .._record_admin.operations import (
    Errand,
    Job,
    RecordOperation,
    carry_out_job,
    foresee_job,
    plan_backup,
    plan_forget,
    plan_restore,
)
from .task import Report, Task

RECORD: Spec = {
    **API,
    "operation": {
        "type": "str",
        "required": True,
        "choices": [operation.value for operation in RecordOperation],
    },
    "devices": {"type": "list", "elements": "raw"},
    "path": {"type": "path"},
    "orphans": {"type": "bool", "default": False},
    "overwrite": {"type": "bool", "default": False},
    "old_account_token": {"type": "str", "no_log": True},
}


def run_record(task: Task) -> Report:
    """Look after the record (module fonnte_record)."""
    max_age(task.params["record_max_age"])
    errand = record_errand(task.params)
    house, _redactor = open_house(task.params, task.environment, finder=task.secrets)
    job = plan_job(house, errand)
    result, warnings = foresee_job(house, job) if task.check_mode else carry_out_job(job)
    return Report(result, [*common_warnings(task.params), *warnings])


def plan_job(house: House, errand: Errand) -> Job:
    """Return the job that an errand asks for; nothing is written."""
    if errand.operation is RecordOperation.BACKUP:
        return plan_backup(house, errand.path, errand.numbers)
    if errand.operation is RecordOperation.RESTORE:
        return plan_restore(house, errand.path, errand.numbers, errand.overwrite)
    if errand.operation is RecordOperation.MIGRATE:
        return plan_migration(house, errand.old_account_token, errand.numbers)
    return plan_forget(house, errand.numbers, errand.orphans)


def record_errand(params: Params) -> Errand:
    """Return what a task of fonnte_record asks for; OptionError where an option is missing or out of place."""
    operation = RecordOperation(params["operation"])
    moves = operation in (RecordOperation.BACKUP, RecordOperation.RESTORE)
    if moves and not params["path"]:
        raise OptionError("path", f"there is none, and operation is {operation.value}", "name the file of the backup")
    if operation is RecordOperation.BACKUP:
        check_destination("path", params["path"])
        # The file itself is replaced if it is a link, so its directory counts.
        check_links("path", os.path.dirname(params["path"]))
    for option, wanted in (
        ("path", moves),
        ("orphans", operation is RecordOperation.FORGET),
        ("overwrite", operation is RecordOperation.RESTORE),
        ("old_account_token", operation is RecordOperation.MIGRATE),
    ):
        if params[option] and not wanted:
            raise OptionError(option, f"it has no meaning, since operation is {operation.value}", "take it out")
    numbers = numbers_of(params["devices"])
    if operation is RecordOperation.FORGET and not numbers and not params["orphans"]:
        raise OptionError("devices", "it names none, and operation is forget", "name the devices, or say orphans: true")
    old_token = checked_token("old_account_token", params["old_account_token"])
    if operation is RecordOperation.MIGRATE and not old_token:
        raise OptionError(
            "old_account_token", "there is none, and operation is migrate", "give the token that the account had before"
        )
    return Errand(operation, numbers, params["path"] or "", params["orphans"], params["overwrite"], old_token)
