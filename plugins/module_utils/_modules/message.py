# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_message: send messages, each once."""

from __future__ import annotations

import typing as t

from .._api.client import SendResult
from .._api.wire import Request
from .._common.clock import now, unix_to_text
from .._common.errors import (
    FonnteError,
    RefusalKind,
    RefusedError,
    RequestError,
    StaleListError,
    UnreachableError,
    error_context,
)
from .._common.redaction import Redactor
from .._contacts.device_access import DeviceAccess
from .._contacts.group_list import read_stored_groups
from .._messages.delivery import (
    MAX_TIMEOUT,
    MIN_TIMEOUT,
    WAIT_STATES,
    DeliveryWatch,
    Timer,
    Waiting,
    read_waiting,
    start_states,
)
from .._messages.group_ids import has_group_names, with_group_ids
from .._messages.message import Message, as_written, read_message
from .._messages.sender import Sender, find_sender, preview_sender
from .._options.common import API, NUMBER, Spec, build_context, check_range, common_warnings, number, require_device
from .._options.policy import max_age
from .._reconcile.list_age import require_fresh, send_with_fresh_list
from .._reconcile.observe import RunContext
from .._reconcile.result import Result
from .task import ModuleInput, ModuleResult

POLL: Spec = {
    "name": {"type": "str", "required": True},
    # Type raw, because YAML reads yes and no as booleans, which would become the choices True and False.
    "choices": {"type": "list", "elements": "raw", "required": True},
    "select": {"type": "str", "choices": ["single", "multiple"], "default": "single"},
}

MESSAGE: Spec = {
    **API,
    **NUMBER,
    "target": {"type": "list", "elements": "raw", "required": True, "aliases": ["targets"]},
    # ansible-test forbids the service's name for it, "message", as an option, and even as an alias.
    "msg": {"type": "str", "also": ["message"]},
    # A shared link to a file often includes the permission to read it.
    "url": {"type": "str", "no_log": True},
    "file": {"type": "path"},
    "filename": {"type": "str"},
    "schedule": {"type": "raw"},
    "delay": {"type": "str"},
    "country_code": {"type": "str"},
    "location": {"type": "str"},
    "typing": {"type": "bool"},
    "poll": {"type": "dict", "options": POLL},
    "connect_only": {"type": "bool"},
    "follow_up": {"type": "int"},
    "sequence": {"type": "bool"},
    "preview": {"type": "bool"},
    "inbox_id": {"type": "int"},
    "duration": {"type": "int"},
    "method": {"type": "str", "choices": ["post", "get"], "default": "post"},
    "wait": {"type": "str", "choices": list(WAIT_STATES), "default": WAIT_STATES[0]},
    "wait_timeout": {"type": "float", "default": 300.0},
}


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
    queued, sender, is_sending = None, Sender(wanted, ""), False
    try:
        sender = find_sender(context, wanted)
        message = with_groups(context, sender, message, params["method"])
        is_sending = True
        sender, queued = send_message(context, wanted, sender, message, params["method"])
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


def with_groups(context: RunContext, sender: Sender, message: Message, method: str) -> Message:
    """Return the message with the IDs of the groups that it names; the groups are read only if it names one."""
    if not has_group_names(message):
        return message
    try:
        groups = read_stored_groups(context, DeviceAccess(sender.number, sender.token, sender.device))
        return with_group_ids(message, groups, method)
    except FonnteError as fault:
        fault.problem += ", and nothing was sent"
        raise


def _preview(
    context: RunContext, wanted: str, message: Message, method: str, waiting: Waiting | None
) -> tuple[Sender, Message, list[str]]:
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


def send_message(
    context: RunContext, wanted: str, sender: Sender, message: Message, method: str
) -> tuple[Sender, SendResult]:
    """Send; if the service refuses the token, list the devices and send with a new token: a refusal sent nothing."""
    try:
        return _send_fresh(context, wanted, sender, message, method)
    except RefusedError as fault:
        if fault.kind is not RefusalKind.INVALID_TOKEN or sender.token == context.device_token:
            raise
        refusal = fault
    try:
        anew = find_sender(context, wanted)
    except FonnteError:
        raise refusal from None
    if anew.token == sender.token:
        raise refusal
    return _send_fresh(context, wanted, anew, message, method)


def _send_fresh(
    context: RunContext, wanted: str, sender: Sender, message: Message, method: str
) -> tuple[Sender, SendResult]:
    """Send with a device list that is recent enough. If it is too old, list the devices again before sending."""
    senders = [sender]

    def list_again() -> None:
        try:
            senders.append(find_sender(context, wanted))
        except RequestError as fault:
            # The response to the list was lost, not the one to a message, so nothing was sent.
            again = UnreachableError(
                f"the list became too old and could not be requested again ({fault.problem}), and nothing was sent",
                "run the task again",
            )
            again.operation = fault.operation
            raise again from None

    queued = send_with_fresh_list(lambda: _send(context, senders[-1], message, method), list_again)
    return senders[-1], queued


def _send(context: RunContext, sender: Sender, message: Message, method: str) -> SendResult:
    def guard() -> None:
        context.lineage.require()
        require_fresh(sender.identified_at)

    call = Request("/send", sender.token, message.form, message.upload, method.upper(), guard)
    with error_context(f"Sending from {sender.name} to {_named(message)}"):
        try:
            return context.client.send(call)
        except RequestError as fault:
            if isinstance(fault, StaleListError):
                raise
            if fault.may_be_applied:
                fault.problem += "; whether the message is queued is not known, and it was not sent again"
                fault.advice = (
                    "check the outbox of the dashboard, and run this task again only if the message is not in it"
                )
            else:
                fault.problem += ", and nothing was sent"
            raise


_FEW = 3


def _named(message: Message) -> str:
    few = ", ".join(target.international for target in message.targets[:_FEW])
    more = len(message.targets) - _FEW
    return few if more <= 0 else f"{few} and {more} more"


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
    sender: Sender,
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
        with error_context(f"Waiting for the delivery from {sender.name} to {_named(message)}"):
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
    sender: Sender, message: Message, queued: SendResult | None, params: t.Mapping[str, t.Any], redactor: Redactor
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


def _diff(sender: Sender, message: Message, params: t.Mapping[str, t.Any], redactor: Redactor) -> Result:
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
