# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_message: send messages, each once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._api.client import SendResult
from .._api.wire import Request
from .._common.clock import Moment, now, unix_to_text
from .._common.errors import (
    FonnteError,
    NotFoundError,
    RefusalKind,
    RefusedError,
    RequestError,
    StaleListError,
    UnreachableError,
    error_context,
)
from .._common.redaction import Redactor, printable
from .._device.models import Device, DeviceList
from .._messages.message import Message, as_written, read_message
from .._options.common import API, NUMBER, Spec, build_context, common_warnings, number, require_device
from .._options.policy import max_age
from .._reconcile.list_age import require_fresh, send_with_fresh_list
from .._reconcile.observe import RunContext, check_listed, require_token, resolve_device
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
}

ATTACHING_PACKAGES = ("super", "advanced", "ultra")


@dataclass(frozen=True)
class Sender:
    """The device that sends a message.

    Attributes:
        number: Its number; empty with a device token only, because the device is not looked up.
        token: Its token.
        device: The device in the list or the profile; None if it was not requested.
        identified_at: The time of the list with its number and token; None with a device token only.
    """

    number: str
    token: str = field(repr=False)
    device: Device | None = None
    identified_at: Moment | None = None

    @property
    def name(self) -> str:
        """The name of the device in messages."""
        return f"device {self.number}" if self.number else "the device of device_token"


def run_message(task: ModuleInput) -> ModuleResult:
    """Send messages; in check mode, check that they can be sent (module fonnte_message)."""
    params = as_written(task.params, task.raw_params)
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(params["record_max_age"])
    message = read_message(params, now())
    wanted = number(params)
    require_device(params, task.environment, task.raw_params)
    context, redactor = build_context(params, task.environment, task.cache, finder=task.secrets)
    warnings = [*common_warnings(params), *_repeated(message), *message.warnings]
    if task.check_mode:
        sender, predicted = _preview(context, wanted, message)
        return ModuleResult(_result(sender, message, None, params, redactor), [*warnings, *predicted])
    queued, sender = None, Sender(wanted, "")
    try:
        sender = find_sender(context, wanted)
        sender, queued = send_message(context, wanted, sender, message, params["method"])
    except FonnteError as fault:
        # Without a token, the error happened while the list was read, before any message was sent.
        unknown = bool(sender.token) and isinstance(fault, RequestError) and fault.may_be_applied
        fault.partial_result = _failed(_result(sender, message, None, params, redactor), unknown)
        fault.warnings = warnings
        raise
    return ModuleResult(_result(sender, message, queued, params, redactor), [*warnings, *_fewer(message, queued)])


def _repeated(message: Message) -> list[str]:
    if not message.repeated:
        return []
    return [
        (
            f"target names {', '.join(message.repeated)} more than once with the same name and variables: it gets one "
            "message."
        )
    ]


# The sender


def find_sender(context: RunContext, wanted: str) -> Sender:
    """Return the device that sends; raise NotFoundError if the account does not list it."""
    if not wanted and not context.account_token:
        return Sender("", context.device_token)
    device, listing = _observe(context, wanted)
    if device is None:
        raise _missing(wanted)
    return Sender(device.number, device.token, device, listing.fetched_at if listing is not None else None)


def _observe(context: RunContext, wanted: str) -> tuple[Device | None, DeviceList | None]:
    require_token(context)
    with error_context(f"Looking up the sending device {wanted}" if wanted else "Looking up the sending device"):
        # A new list: in a list from an earlier item of a loop, the number may belong to another device.
        listing = context.client.get_devices(context.account_token) if context.account_token else None
        device = resolve_device(context, wanted, listing)
        if device is not None:
            check_listed(device)
    return device, listing


def _missing(wanted: str) -> NotFoundError:
    fault = NotFoundError("the account does not list it, and nothing was sent", "check the number, or create it first")
    fault.operation = f"Sending from device {wanted}"
    return fault


def _preview(context: RunContext, wanted: str, message: Message) -> tuple[Sender, list[str]]:
    """Return the sender, and warnings about reasons for a refusal, which an earlier task may still resolve."""
    device, _listing = _observe(context, wanted)
    if device is None:
        return Sender(wanted, ""), [
            f"Device {wanted} does not exist. The task would fail, unless an earlier one creates it."
        ]
    return Sender(device.number, device.token, device), list(_obstacles(device, message))


def _obstacles(device: Device, message: Message) -> t.Iterator[str]:
    name = f"Device {device.number}"
    if device.connected is False and message.form.get("connectOnly") != "false":
        yield (
            f"{name} is not linked, so Fonnte would refuse. Link it, or set connect_only: false to queue the message "
            "without a linked phone."
        )
    if device.quota is not None and device.quota < len(message.targets):
        yield (
            f"{name} has {device.quota} messages left, and this task sends {len(message.targets)}: Fonnte would "
            "refuse all."
        )
    attaches = message.upload is not None or "url" in message.form
    if attaches and device.package is not None and not device.package.lower().startswith(ATTACHING_PACKAGES):
        yield (
            f"{name} has the package {printable(device.package)}. Attachments need Super, Advanced or Ultra, so "
            "Fonnte may refuse."
        )


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
        "diff": _diff(sender, message, params, redactor),
    }


def _failed(result: Result, unknown: bool) -> Result:
    """Return the result of a failure: nothing is queued, or whether it is queued is unknown."""
    reported = {key: value for key, value in result.items() if key != "diff"}
    return {**reported, "changed": unknown, "queued": None if unknown else False}


def _diff(sender: Sender, message: Message, params: t.Mapping[str, t.Any], redactor: Redactor) -> Result:
    shown: Result = {
        option: params[option] for option in MESSAGE if option not in {*API, *NUMBER} and params[option] is not None
    }
    shown.update(target=[target.international for target in message.targets])
    if params["url"] is not None:
        shown["url"] = redactor.url(params["url"])
    if message.scheduled is not None:
        shown["schedule"] = unix_to_text(message.scheduled)
    header = f"messages from {sender.name}"
    return {"before_header": header, "after_header": header, "before": {}, "after": shown}
