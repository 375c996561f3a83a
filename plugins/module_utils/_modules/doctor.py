# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_doctor: check the tokens, the record and the behavior of the service."""

from __future__ import annotations

import os

from .._api.cache import DeviceListCache
from .._common.atomic_files import foreign_warnings, write_problem
from .._common.clock import now_text
from .._common.destinations import check_destination, check_links
from .._common.endpoint import check_endpoint
from .._common.errors import FonnteError, OptionError
from .._device.service_facts import DEST, FactsFile, ServiceFacts, find_facts
from .._device.settings import validate
from .._doctor.choice import OWN_NAME, DoctorOptions
from .._doctor.run import diagnose
from .._options.common import API, NUMBER, Params, Spec, build_context, common_warnings, number
from .._options.policy import max_age
from .task import ModuleInput, ModuleResult

DOCTOR: Spec = {
    **API,
    **NUMBER,
    "name": {"type": "str", "default": OWN_NAME},
    "consent": {"type": "bool", "default": False},
    "expected_name": {"type": "str"},
    "dest": {"type": "path"},
}


def run_doctor(task: ModuleInput) -> ModuleResult:
    """Check the tokens, the record and the behavior of the service (module fonnte_doctor)."""
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(task.params["record_max_age"])
    order = doctor_options(task.params, task.check_mode)
    file = facts_file(task.params)
    warnings = [*common_warnings(task.params), *foreign_warnings([file.path] if file else [])]
    try:
        check_facts_dest(file)
    except OptionError as problem:
        # In check mode, the directory may be created by an earlier task.
        if not task.check_mode:
            raise
        warnings.append(str(problem))
    if file is not None and not task.check_mode:
        file.probe()
    # service_facts_path is ignored, because it may name the file that this run writes.
    context, redactor = build_context(
        {**task.params, "service_facts_path": None},
        task.environment,
        listing=DeviceListCache(clock=task.clock),
        finder=task.secrets,
    )
    exam = diagnose(context, redactor, order)
    report = ModuleResult({**exam.result(), "dest": file.path if file else None}, warnings + exam.all_warnings())
    if file is not None:
        _keep_facts(file, exam.facts, task, report)
    return report


def _keep_facts(file: FactsFile, facts: ServiceFacts, task: ModuleInput, report: ModuleResult) -> None:
    report.result["diff"] = file.difference(facts)
    if not file.changes(facts):
        return
    if not task.check_mode:
        try:
            file.write(facts, now_text())
        except FonnteError as fault:
            fault.partial_result, fault.warnings = report.result, report.warnings
            raise
    report.result["changed"] = True


def doctor_options(params: Params, check_mode: bool) -> DoctorOptions:
    """Return the options of a task of fonnte_doctor; raise OptionError if one is invalid."""
    name = str(validate("name", params["name"]))
    return DoctorOptions(
        number=number(params),
        name=name,
        consent=params["consent"],
        check_mode=check_mode,
        expected_name=params["expected_name"],
    )


def facts_file(params: Params) -> FactsFile | None:
    """Return the file of facts that fonnte_doctor writes; None if the task names no file.

    Raises:
        OptionError: The existing file is not a file of facts about this service, so it is not replaced.
    """
    path = params[DEST]
    if path is None:
        return None
    check_destination(DEST, path)
    # A link at the path is replaced, so only its directory is checked.
    check_links(DEST, os.path.dirname(path))
    endpoint = check_endpoint(params["api_endpoint"])
    return FactsFile(path, endpoint, find_facts(path, endpoint, DEST))


def check_facts_dest(file: FactsFile | None) -> None:
    """Check, before any request, that the file can be written; raise OptionError if not."""
    problem = write_problem(file.path) if file is not None else ""
    if problem:
        advice = "name a file in an existing directory that the user who runs the task can write to"
        raise OptionError(DEST, problem, advice)
