# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What each module does: from its parameters to its result. No Ansible here either."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, field, replace

from ._adopt import (
    changed_files,
    found_devices,
    open_folder,
    read_sheet,
    shown_changes,
    take_in,
    take_stock,
    write,
)
from ._clock import stamp
from ._doctor import examine
from ._engine import carry_out, foresee
from ._errors import FonnteError, OptionError, doing
from ._fleet import carry_out_fleet, foresee_fleet
from ._fleet_result import fleet_result, fleet_trouble
from ._info import device_info
from ._kept import Keep, KeptListing
from ._options import (
    SEPARATORS,
    Environment,
    Params,
    common_warnings,
    desired_device,
    desired_webhooks,
    doctor_order,
    facts_file,
    fleet_members,
    fleet_orders,
    max_age,
    open_house,
    place_of,
    record_errand,
    settings_warnings,
    token_warnings,
    tokens,
)
from ._record_care import RecordOperation, carry_out_job, foresee_job, plan_job
from ._record_view import record_status
from ._redact import Redactor
from ._result import Result, device_result, webhook_result
from ._writer import Outcome

if t.TYPE_CHECKING:
    from ._facts import FactsFile, ServiceFacts
    from ._terms import Desired


@dataclass(frozen=True)
class Task:
    """One task as whoever runs the module hands it over.

    Attributes:
        params: Its options, complete and checked against the argument spec.
        environment: The variables that stand in for some of them.
        keep: What earlier tasks of this process have kept.
        given: The options as the user wrote them.
        progress: Is told how many devices of a fleet are done, and of how many.
    """

    params: Params
    environment: Environment = field(repr=False)
    check_mode: bool = False
    no_log: bool = False
    keep: Keep | None = field(default=None, repr=False)
    given: Params = field(default_factory=dict, repr=False)
    progress: t.Callable[[int, int], None] = field(default=lambda done, total: None, repr=False)


@dataclass
class Report:
    """What goes back to the user."""

    result: Result
    warnings: list[str] = field(default_factory=list)


def run_device(task: Task) -> Report:
    """Bring one device to what is declared (module fonnte_device)."""
    desired = desired_device(task.params)
    report, outcome = _run(task, desired, device_result)
    if task.params["return_tokens"] and outcome is not None:
        report.result["token"] = (
            outcome.device.token if outcome.device is not None and report.result["device"] is not None else None
        )
    report.warnings += token_warnings(task.params, task.no_log)
    return report


def run_webhook_config(task: Task) -> Report:
    """Bring a device's webhooks to what is declared (module fonnte_webhook_config)."""
    desired = desired_webhooks(task.params)
    absent = task.params["state"] == "absent"
    # With nothing to clear, a missing device is as good as one without webhooks.
    desired = replace(desired, expect_earlier=task.check_mode and not absent, missing_is_fine=absent)
    return _run(task, desired, webhook_result)[0]


def run_device_info(task: Task) -> Report:
    """Tell what is there (module fonnte_device_info)."""
    # It has no effect here, but what is wrong in module_defaults is found by every module.
    max_age(task.params["record_max_age"])
    house, redactor = open_house(task.params, task.environment, task.keep)
    result, warnings = device_info(house, redactor, task.params)
    return Report(result, [*common_warnings(task.params), *warnings, *token_warnings(task.params, task.no_log)])


def run_fleet(task: Task) -> Report:
    """Bring many devices to what is declared (module fonnte_fleet)."""
    orders = fleet_orders(task.params)
    # One list serves the whole run, however long it takes; what a run writes it knows.
    house, redactor = open_house(task.params, task.environment, task.keep, KeptListing(math.inf, survives_errors=True))
    house = replace(house, device_token="")
    with doing("Planning the fleet"):
        members = fleet_members(task.params, task.given, house)
    with doing("Managing the fleet"):
        if task.check_mode:
            turns = foresee_fleet(house, members, orders)
        else:
            turns = carry_out_fleet(house, members, orders, task.progress)
    result, warnings = fleet_result(house, turns, orders, redactor)
    report = Report(result, [*common_warnings(task.params), *warnings])
    trouble = fleet_trouble(turns)
    if trouble is not None:
        trouble.progress, trouble.warnings = report.result, report.warnings
        raise trouble
    return report


def run_record(task: Task) -> Report:
    """Look after the record (module fonnte_record)."""
    max_age(task.params["record_max_age"])
    errand = record_errand(task.params)
    house, _redactor = open_house(task.params, task.environment)
    if errand.operation is RecordOperation.STATUS:
        result, warnings = record_status(house, errand.numbers)
    else:
        job = plan_job(house, errand)
        result, warnings = foresee_job(house, job) if task.check_mode else carry_out_job(job)
    return Report(result, [*common_warnings(task.params), *warnings])


def run_sheet(task: Task) -> Report:
    """Write declarations and sheets of devices that were made by hand, or read a filled sheet (module fonnte_sheet)."""
    params = task.params
    before = open_folder(params["dest"])
    found, warnings = found_devices(params["devices"])
    try:
        if params["sheet"]:
            taken = take_in(before, found, read_sheet(params["sheet"]), params["sheet"])
        else:
            taken = take_stock(before, found, params["clients"], SEPARATORS[params["separator"]])
    except FonnteError as fault:
        fault.warnings = warnings
        raise
    texts = changed_files(before, taken.folder)
    if texts and not task.check_mode:
        write(params["dest"], texts)
    result: Result = {
        "changed": bool(texts),
        "devices": list(taken.numbers),
        "files": [taken.folder.full(name) for name in sorted(texts)],
        "diff": shown_changes(before, taken.folder),
    }
    if params["return_settings"]:
        result["settings"] = list(taken.settings)
        warnings += settings_warnings(task.no_log)
    return Report(result, [*warnings, *taken.warnings])


def run_doctor(task: Task) -> Report:
    """Find out what tokens, record and service are like (module fonnte_doctor)."""
    # They have no effect here, but what is wrong in module_defaults is found by every module.
    max_age(task.params["record_max_age"])
    order = doctor_order(task.params, task.check_mode)
    file = facts_file(task.params)
    problem = place_of(file) if file else None
    if problem and not task.check_mode:
        raise problem
    # In check mode an earlier task may still have to make the folder.
    warnings = [*common_warnings(task.params), *([str(problem)] if problem else [])]
    # The file of facts may be the one that is about to be written.
    house, redactor = open_house({**task.params, "service_facts_path": None}, task.environment)
    exam = examine(house, redactor, order)
    report = Report({**exam.result(), "dest": file.path if file else None}, warnings + exam.all_warnings())
    if file is not None:
        _keep_facts(file, exam.facts, task, report)
    return report


def _keep_facts(file: FactsFile, facts: ServiceFacts, task: Task, report: Report) -> None:
    report.result["diff"] = file.difference(facts)
    if not file.changes(facts):
        return
    if not task.check_mode:
        try:
            file.write(facts, stamp())
        except FonnteError as fault:
            fault.progress, fault.warnings = report.result, report.warnings
            raise
    report.result["changed"] = True


def _run(
    task: Task, desired: Desired, describe: t.Callable[[Desired, Outcome, Redactor], Result]
) -> tuple[Report, Outcome]:
    _require_device(task, desired)
    house, redactor = open_house(task.params, task.environment, task.keep)
    desired = replace(desired, policy=replace(desired.policy, facts=house.facts))
    try:
        outcome = (foresee if task.check_mode else carry_out)(house, desired)
    except FonnteError as fault:
        so_far = fault.progress.pop("outcome", None)
        if isinstance(so_far, Outcome):
            fault.progress = describe(desired, so_far, redactor)
            fault.warnings = [*common_warnings(task.params), *so_far.warnings]
        raise
    return Report(describe(desired, outcome, redactor), [*common_warnings(task.params), *outcome.warnings]), outcome


def _require_device(task: Task, desired: Desired) -> None:
    if desired.number or tokens(task.params, task.environment)[1]:
        return
    raise OptionError("device", "no device is named", "give its number as device, or its device_token")
