# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_record: maintenance of the record."""

from __future__ import annotations

import os

from .._common.destinations import check_destination, check_links
from .._common.errors import OptionError
from .._options.common import API, Params, Spec, build_context, checked_token, common_warnings, parse_numbers
from .._options.policy import max_age
from .._reconcile.observe import RunContext
from .._record_admin.forget import plan_forget
from .._record_admin.migration import plan_migration
from .._record_admin.operations import plan_backup, plan_restore
from .._record_admin.plan_types import RecordOperation, RecordPlan, RecordRequest, apply_plan, preview_plan
from .task import ModuleInput, ModuleResult

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


def run_record(task: ModuleInput) -> ModuleResult:
    """Back up, restore, migrate or forget entries of the record (module fonnte_record)."""
    max_age(task.params["record_max_age"])
    request = record_request(task.params)
    context, _redactor = build_context(task.params, task.environment, finder=task.secrets)
    plan = make_record_plan(context, request)
    result, warnings = preview_plan(context, plan) if task.check_mode else apply_plan(plan)
    return ModuleResult(result, [*common_warnings(task.params), *warnings])


def make_record_plan(context: RunContext, request: RecordRequest) -> RecordPlan:
    """Return the plan of a record operation. Nothing is written."""
    if request.operation is RecordOperation.BACKUP:
        return plan_backup(context, request.path, request.numbers)
    if request.operation is RecordOperation.RESTORE:
        return plan_restore(context, request.path, request.numbers, request.overwrite)
    if request.operation is RecordOperation.MIGRATE:
        return plan_migration(context, request.old_account_token, request.numbers)
    return plan_forget(context, request.numbers, request.orphans)


def record_request(params: Params) -> RecordRequest:
    """Return the operation in the options of a task; raise OptionError if an option is missing or not allowed."""
    operation = RecordOperation(params["operation"])
    moves = operation in (RecordOperation.BACKUP, RecordOperation.RESTORE)
    if moves and not params["path"]:
        raise OptionError("path", f"it is not set, and operation is {operation.value}", "name the file of the backup")
    if operation is RecordOperation.BACKUP:
        check_destination("path", params["path"])
        # A link at the path is replaced, so only its directory is checked.
        check_links("path", os.path.dirname(params["path"]))
    for option, wanted in (
        ("path", moves),
        ("orphans", operation is RecordOperation.FORGET),
        ("overwrite", operation is RecordOperation.RESTORE),
        ("old_account_token", operation is RecordOperation.MIGRATE),
    ):
        if params[option] and not wanted:
            raise OptionError(option, f"it has no meaning, since operation is {operation.value}", "remove it")
    numbers = parse_numbers(params["devices"])
    if operation is RecordOperation.FORGET and not numbers and not params["orphans"]:
        raise OptionError("devices", "it is empty, and operation is forget", ("name the devices, or set orphans: true"))
    old_token = checked_token("old_account_token", params["old_account_token"])
    if operation is RecordOperation.MIGRATE and not old_token:
        raise OptionError(
            "old_account_token",
            "it is not set, and operation is migrate",
            "set the token that the account had before",
        )
    return RecordRequest(operation, numbers, params["path"] or "", params["orphans"], params["overwrite"], old_token)
