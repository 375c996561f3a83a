# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_message: send messages, each once."""

from __future__ import annotations

import typing as t

from .._api.client import SendResult
from .._common.clock import Timer, now, unix_to_text
from .._common.errors import (
    FonnteError,
    RefusedError,
    RequestError,
    error_context,
)
from .._common.redaction import Redactor
from .._contacts.device_access import DeviceAccess
from .._messages.delivery import (
    MAX_TIMEOUT,
    MIN_TIMEOUT,
    WAIT_STATES,
    DeliveryWatch,
    Waiting,
    read_waiting,
    start_states,
)
from .._messages.group_ids import has_group_names
from .._messages.message import Message, as_written, read_message
from .._messages.options import MESSAGE
from .._messages.sender import find_sender, preview_sender
from .._messages.sending import name_targets, send_message, with_groups
from .._options.common import API, NUMBER, build_context, check_range, common_warnings, number, require_device
from .._options.policy import max_age
from .._reconcile.observe import RunContext
from .._reconcile.result import Result
from .task import ModuleInput, ModuleResult


def run_message(task: ModuleInput) -> ModuleResult:
    """Send messages; in check mode, check that they can be sent (module fonnte_message)."""
    params = as_written(task.params, task.raw_params)
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(params["record_max_age"])
    message = read_message(params, now())
    timeout = check_range(params, "wait_timeout", MIN_TIMEOUT, MAX_TIMEOUT)
    waiting = read_waiting(params["wait"], timeout, message.form, len(message.targets))
    wanted = number(params)
    require_device(params, task.environment, task.raw_params)
    context, redactor = build_context(params, task.environment, task.cache, finder=task.secrets)
    warnings = [*common_warnings(params), *_repeated(message), *message.warnings]
    if task.check_mode:
        sender, message, predicted = _preview(context, wanted, message, params["method"], waiting)
        return ModuleResult(_result(sender, message, None, params, redactor), [*warnings, *predicted])
    queued, sender, is_sending = None, DeviceAccess(wanted, ""), False
    try:
        sender = find_sender(context, wanted)
        names_groups = has_group_names(message)
        message = with_groups(context, sender, message, params["method"])
        is_sending = True
        sender, queued = send_message(context, wanted, sender, message, params["method"], names_groups)
    except FonnteError as fault:
        # Otherwise the error happened while the device or its groups were read, before any message was sent.
        unknown = is_sending and isinstance(fault, RequestError) and fault.may_be_applied
        fault.partial_result = _failed(_result(sender, message, None, params, redactor), None if unknown else False)
        fault.warnings = warnings
        raise
    warnings += _fewer(message, queued)
    result = _result(sender, message, queued, params, redactor)
    if waiting is not None:
        timer = Timer(task.clock, task.pause)
        _wait(context, sender, message, queued, waiting, timer, result, warnings)
    return ModuleResult(result, warnings)


def _repeated(message: Message) -> list[str]:
    if not message.repeated:
        return []
    return [
        (
            f"target names {', '.join(message.repeated)} more than once with the same name and variables: it gets one "
            "message."
        )
    ]


# The groups


def _preview(
    context: RunContext, wanted: str, message: Message, method: str, waiting: Waiting | None
) -> tuple[DeviceAccess, Message, list[str]]:
    """Return the sender and its message, and warnings about refusals, which an earlier task may still prevent."""
    sender, warnings = preview_sender(context, wanted, message, waiting)
    if sender.device is None:
        return sender, message, warnings
    try:
        message = with_groups(context, sender, message, method)
    except RefusedError as fault:
        warnings.append(f"{fault.problem}. The task would fail, unless an earlier one refreshes the groups.")
    return sender, message, warnings


# Sending


def _fewer(message: Message, queued: SendResult) -> list[str]:
    reported, asked = len(queued.messages), len(message.targets)
    if reported == asked:
        return []
    return [
        f"Fonnte accepted the request, and lists {reported} messages where {asked} were requested: check its outbox."
    ]


# Waiting


def _wait(
    context: RunContext,
    sender: DeviceAccess,
    message: Message,
    queued: SendResult,
    waiting: Waiting,
    timer: Timer,
    result: Result,
    warnings: list[str],
) -> None:
    """Wait until the messages have reached a state, and write their states into the result.

    Raises:
        FonnteError: They have not; ``partial_result`` contains the IDs and the states of the queued messages.
    """
    try:
        with error_context(f"Waiting for the delivery from {sender.name} to {name_targets(message)}"):
            result["states"] = start_states([name for name, _target in queued.messages], len(message.targets))
            DeliveryWatch(
                waiting,
                result["states"],
                lambda name: context.client.message_state(sender.token, name),
                context.lineage.require,
                timer,
            ).run()
    except FonnteError as fault:
        fault.partial_result = _failed(result, True)
        fault.warnings = warnings
        raise


# The result


def _result(
    sender: DeviceAccess, message: Message, queued: SendResult | None, params: t.Mapping[str, t.Any], redactor: Redactor
) -> Result:
    """Return the result. Without a response of the service, it contains the predicted messages."""
    predicted = [{"id": None, "target": target.international} for target in message.targets]
    return {
        "changed": True,
        "device": sender.number or None,
        "queued": queued is not None,
        "messages": [{"id": name, "target": target} for name, target in queued.messages] if queued else predicted,
        "process": queued.process if queued else None,
        "request_id": queued.request_id if queued else None,
        "scheduled": unix_to_text(message.scheduled),
        **({} if params["wait"] == WAIT_STATES[0] else {"states": {}}),
        "diff": _diff(sender, message, params, redactor),
    }


def _failed(result: Result, queued: bool | None) -> Result:
    """Return the result of a failure: the messages are queued or not, or None if this is unknown."""
    reported = {key: value for key, value in result.items() if key != "diff"}
    return {**reported, "changed": queued is not False, "queued": queued}


def _diff(sender: DeviceAccess, message: Message, params: t.Mapping[str, t.Any], redactor: Redactor) -> Result:
    hidden = {*API, *NUMBER, "wait", "wait_timeout"}
    shown: Result = {
        option: params[option] for option in MESSAGE if option not in hidden and params[option] is not None
    }
    shown.update(target=[target.international for target in message.targets])
    if params["url"] is not None:
        shown["url"] = redactor.url(params["url"])
    if message.scheduled is not None:
        shown["schedule"] = unix_to_text(message.scheduled)
    header = f"messages from {sender.name}"
    return {"before_header": header, "after_header": header, "before": {}, "after": shown}
