# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The callback notify: its options, and the sending of one alert about a playbook."""

from __future__ import annotations

import contextlib
import re
import typing as t
from dataclasses import replace

from .._api.client import FonnteClient
from .._api.transport import Transport
from .._common.clock import now
from .._common.errors import FonnteError, OptionError, RefusedError, RequestError, may_be_applied
from .._common.lineage import Lineage
from .._common.phone_numbers import has_country, parse_number
from .._common.redaction import Redactor, masking, printable
from .._common.spellings import SecretFinder
from .._messages.group_ids import has_group_names
from .._messages.message import Message, read_message
from .._messages.options import MESSAGE
from .._messages.sender import find_sender
from .._messages.sending import send_message, with_groups
from .._options.common import Environment, Params, Spec, check_range, parse_connection, tokens
from .._reconcile.observe import RunContext
from .._record.store import RecordStore
from .alert_text import compose, mask_text
from .likely_secrets import known_secrets
from .outcome import Outcome

# The options of the callback, besides those of the account.
NOTIFY: Spec = {
    "notify_device": {"type": "str"},
    "notify_target": {"type": "list"},
    "notify_when": {"type": "str", "default": "failed"},
    "notify_detail": {"type": "str", "default": "error"},
    "notify_timeout": {"type": "float", "default": 10.0},
    "notify_check_mode": {"type": "bool", "default": False},
}

MIN_TIMEOUT, MAX_TIMEOUT = 1, 600
_TRIAL = "trial"


class Notifier:
    """Sends alerts according to the options of the callback.

    Args:
        params: The options.
        environment: The environment variables.

    Raises:
        OptionError: An option is invalid, or there is no token. No request was sent.
    """

    def __init__(self, params: Params, environment: Environment) -> None:
        self._params = params
        self._seconds = check_range(params, "notify_timeout", MIN_TIMEOUT, MAX_TIMEOUT)
        device = params["notify_device"]
        with _named_options():
            self._number = parse_number(device, "device") if device is not None else ""
            account, self._device_token = tokens({**params, "device": device, "device_token": None}, environment)
            self._message(_TRIAL)
        # With the device's own token, no list is needed.
        self._account_token = account if self._number else ""
        if self._number and not account:
            raise OptionError("account_token", "there is no token", "set FONNTE_ACCOUNT_TOKEN")
        if not self._number and not self._device_token:
            raise OptionError("notify_device", "no device is named", "set it, or set FONNTE_DEVICE_TOKEN")
        connection = parse_connection(params)
        self._connection = replace(
            connection,
            timeout=min(connection.timeout, self._seconds),
            longest_delay=min(connection.longest_delay, self._seconds),
        )
        self._finder = SecretFinder(filter(None, [account, self._device_token, *known_secrets(environment)]))

    def is_wanted(self, outcome: Outcome) -> bool:
        """Return whether an alert about this outcome must be sent."""
        if outcome.check_mode and not self._params["notify_check_mode"]:
            return False
        return bool(outcome.failed) or self._params["notify_when"] == "always"

    def mask(self, text: str, arguments: t.Mapping[str, t.Any]) -> str:
        """Return the error or the name of a task without secrets.

        Args:
            text: The text.
            arguments: The options of the task, whose secrets are masked.
        """
        finder = SecretFinder([*self._finder.known(), *known_secrets(arguments)])
        return mask_text(text, finder)

    def send(self, outcome: Outcome) -> str:
        """Send the alert once, and return a warning if it may not have been sent; otherwise an empty string."""
        transport = Transport(self._connection, self._seconds)
        is_sending = False
        try:
            with masking(self._finder):
                context = self._context(transport)
                message = self._message(compose(outcome, self._params["notify_detail"] == "error"))
                sender = find_sender(context, self._number)
                names_groups = has_group_names(message)
                message = with_groups(context, sender, message, "post")
                is_sending = True
                send_message(context, self._number, sender, message, "post", names_groups)
        except FonnteError as fault:
            return self._explain(fault, outcome, is_sending and may_be_applied(fault))
        finally:
            transport.close()
        return ""

    def _context(self, transport: Transport) -> RunContext:
        redactor = Redactor(self._account_token or self._device_token, finder=self._finder)
        return RunContext(
            FonnteClient(transport, redactor),
            # A message uses no record.
            RecordStore("", self._connection.endpoint),
            self._account_token,
            self._device_token,
            has_country(self._params["notify_device"]),
            # Ansible itself sends the alert. Its parent may have ended since the start, as after nohup.
            lineage=Lineage(),
        )

    def _message(self, text: str) -> Message:
        options = {option: description.get("default") for option, description in MESSAGE.items()}
        targets = self._params["notify_target"] or []
        return read_message({**options, "target": targets, "msg": text, "preview": False}, now())

    def _explain(self, fault: FonnteError, outcome: Outcome, unknown: bool) -> str:
        name = printable(outcome.playbook)
        if unknown:
            start = f"It is not known whether the alert about {name} was sent"
            advice = "check the outbox of the dashboard"
        else:
            start, advice = f"The alert about {name} was not sent", fault.advice
            if isinstance(fault, RequestError) and not isinstance(fault, RefusedError):
                advice = f"check the service and the network, or raise notify_timeout (now {self._seconds:g} s)"
        operation = f"{fault.operation}: " if fault.operation else ""
        return f"{start}. {operation}{fault.problem}; {advice}."


@contextlib.contextmanager
def _named_options() -> t.Iterator[None]:
    """Name the options of the callback in the errors of the shared code."""
    try:
        yield
    except OptionError as fault:
        fault.operation = re.sub(r"^Option (device|target)(?![a-z_])", r"Option notify_\1", fault.operation)
        raise
