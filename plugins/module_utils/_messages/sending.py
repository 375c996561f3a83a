# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Send a message once, with the IDs of the groups that it names, and with a device list that is recent enough."""

from __future__ import annotations

from .._api.client import SendResult
from .._api.wire import Request
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
from .._contacts.device_access import DeviceAccess
from .._contacts.group_list import read_stored_groups
from .._reconcile.list_age import require_fresh, send_with_fresh_list
from .._reconcile.observe import RunContext
from .group_ids import has_group_names, with_group_ids
from .message import Message
from .sender import find_sender

_FEW = 3


def name_targets(message: Message) -> str:
    """Return the first targets of a message and the number of the others, for an error."""
    few = ", ".join(target.international for target in message.targets[:_FEW])
    more = len(message.targets) - _FEW
    return few if more <= 0 else f"{few} and {more} more"


def with_groups(context: RunContext, sender: DeviceAccess, message: Message, method: str) -> Message:
    """Return the message with the IDs of the groups that it names; the groups are read only if it names one."""
    if not has_group_names(message):
        return message
    try:
        groups = read_stored_groups(context, sender)
        return with_group_ids(message, groups, method)
    except FonnteError as fault:
        fault.problem += ", and nothing was sent"
        raise


def send_message(
    context: RunContext, wanted: str, sender: DeviceAccess, message: Message, method: str, names_groups: bool = False
) -> tuple[DeviceAccess, SendResult]:
    """Send; if the service refuses the token, list the devices and send with a new token: a refusal sent nothing.

    Args:
        context: The context of the run.
        wanted: The number that the task names; empty if only a token identifies the device.
        sender: The device that sends.
        message: The message, with the IDs of its groups.
        method: The HTTP method.
        names_groups: Whether the task names groups: their IDs are those of this sender, so no other device may send.
    """
    try:
        return _send_fresh(context, wanted, sender, message, method, names_groups)
    except RefusedError as fault:
        if fault.kind is not RefusalKind.INVALID_TOKEN or sender.token == context.device_token or names_groups:
            raise
        refusal = fault
    try:
        current = find_sender(context, wanted)
    except FonnteError:
        raise refusal from None
    if current.token == sender.token:
        raise refusal
    return _send_fresh(context, wanted, current, message, method, names_groups)


def _send_fresh(
    context: RunContext, wanted: str, sender: DeviceAccess, message: Message, method: str, names_groups: bool
) -> tuple[DeviceAccess, SendResult]:
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
        if names_groups and senders[-1].token != sender.token:
            raise NotFoundError(
                f"the number {sender.number} got another device while the groups were read, and nothing was sent",
                "run the task again",
            )

    queued = send_with_fresh_list(lambda: _send(context, senders[-1], message, method), list_again)
    return senders[-1], queued


def _send(context: RunContext, sender: DeviceAccess, message: Message, method: str) -> SendResult:
    def guard() -> None:
        context.lineage.require()
        require_fresh(sender.identified_at)

    call = Request("/send", sender.token, message.form, message.upload, method.upper(), guard)
    with error_context(f"Sending from {sender.name} to {name_targets(message)}"):
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
