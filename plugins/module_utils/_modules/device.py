# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The modules fonnte_device and fonnte_webhook_config: reconcile one device."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .._common.errors import FonnteError, OptionError
from .._common.redaction import Redactor
from .._device.settings import WEBHOOKS, Settings
from .._options.common import (
    API,
    EVIDENCE,
    NUMBER,
    SETTING_OPTIONS,
    Params,
    Spec,
    build_context,
    common_warnings,
    number,
    parse_settings,
    require_device,
)
from .._options.empty_record import EmptyRecord
from .._options.policy import check_evidence, check_name_length, policy
from .._reconcile.engine import apply, preview
from .._reconcile.outcome import Outcome
from .._reconcile.result import Result, device_result, webhook_result
from .._reconcile.state import Desired, State
from .task import ModuleInput, ModuleResult, token_warnings

DEVICE: Spec = {
    **API,
    **EVIDENCE,
    **NUMBER,
    **SETTING_OPTIONS,
    "state": {"type": "str", "choices": [state.value for state in State], "default": "present"},
    "otp": {"type": "raw", "no_log": True},
    "request_otp": {"type": "bool", "default": False},
    # The name matches Ansible's pattern for secrets, but the option is a boolean.
    "return_tokens": {"type": "bool", "default": False, "no_log": False},
}

WEBHOOK_OPTIONS: Spec = {option: SETTING_OPTIONS[option] for option in WEBHOOKS}

WEBHOOK_CONFIG: Spec = {
    **API,
    **EVIDENCE,
    **NUMBER,
    **WEBHOOK_OPTIONS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def run_device(task: ModuleInput) -> ModuleResult:
    """Reconcile one device with its declaration (module fonnte_device)."""
    desired = desired_device(task.params)
    report, outcome = _run(task, desired, device_result)
    if task.params["return_tokens"]:
        device = outcome.device if report.result["device"] is not None else None
        report.result["token"] = device.token if device is not None else None
        if device is not None:
            report.secrets.add(device.token)
    report.warnings += token_warnings(task)
    return report


def run_webhook_config(task: ModuleInput) -> ModuleResult:
    """Reconcile the webhooks of a device with their declaration (module fonnte_webhook_config)."""
    desired = desired_webhooks(task.params)
    absent = task.params["state"] == "absent"
    # For state: absent, a missing device has no webhooks to clear.
    desired = replace(desired, created_by_earlier_task=task.check_mode and not absent, allow_missing=absent)
    return _run(task, desired, webhook_result)[0]


def _run(
    task: ModuleInput, desired: Desired, describe: t.Callable[[Desired, Outcome, Redactor], Result]
) -> tuple[ModuleResult, Outcome]:
    require_device(task.params, task.environment, task.raw_params)
    context, redactor = build_context(task.params, task.environment, task.cache, finder=task.secrets)
    desired = replace(desired, policy=replace(desired.policy, facts=context.facts))
    empty = EmptyRecord(context, [desired])

    def warnings(outcome: Outcome) -> list[str]:
        return [*empty.warnings([outcome.observation]), *common_warnings(task.params), *outcome.warnings]

    try:
        outcome = (preview if task.check_mode else apply)(context, desired)
    except FonnteError as fault:
        so_far = fault.partial_result.pop("outcome", None)
        if isinstance(so_far, Outcome):
            fault.partial_result = describe(desired, so_far, redactor)
            fault.warnings = warnings(so_far)
        raise
    return ModuleResult(describe(desired, outcome, redactor), warnings(outcome)), outcome


def desired_device(params: Params) -> Desired:
    """Return the declaration in the options of fonnte_device; raise OptionError if it is invalid."""
    state = State(params["state"])
    otp = _otp(params["otp"])
    for option, given in (("otp", bool(otp)), ("request_otp", params["request_otp"])):
        if given and state is not State.ABSENT:
            raise OptionError(
                option, f"it is for a deletion, and state is {state.value}", "remove it, or set state: absent"
            )
    settings = parse_settings(params, SETTING_OPTIONS)
    check_evidence(params, state)
    if params["handle_write_only"] == "stamped":
        check_name_length(settings.get("name"))
    return Desired(
        number=number(params),
        state=state,
        settings=settings,
        policy=policy(params),
        otp=otp,
        request_otp=params["request_otp"],
    )


def _otp(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise OptionError("otp", "it is an unquoted number, and a leading zero may be lost", "quote it")
    if not re.fullmatch(r"[0-9A-Za-z]{3,12}", value):
        raise OptionError("otp", "it is not a code", "write only the code from the WhatsApp message")
    return value


def desired_webhooks(params: Params) -> Desired:
    """Return the declaration in the options of fonnte_webhook_config; raise OptionError if it is invalid."""
    settings: Settings
    if params["state"] == "absent":
        for option in WEBHOOKS:
            if params[option]:
                raise OptionError(
                    option, "it is declared, and state is absent, which clears it", "remove it, or set state: present"
                )
        settings = dict.fromkeys(WEBHOOKS, "")
    else:
        settings = parse_settings(params, WEBHOOKS)
    check_evidence(params)
    return Desired(
        number=number(params), settings=settings, managed_options=WEBHOOKS, policy=policy(params), may_create=False
    )
