# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Requests about messages that are already queued, as a part of FonnteClient."""

from __future__ import annotations

import abc
import typing as t

from .._common.errors import UnexpectedResponseError

if t.TYPE_CHECKING:
    from .._common.redaction import Redactor
    from .wire import Guard

_REPORT = "check the message in the dashboard, and report this response"


class MessageRequests(abc.ABC):
    """The requests about queued messages. FonnteClient sends them."""

    _redactor: Redactor

    @abc.abstractmethod
    def _call(self, path: str, token: str, form: t.Mapping[str, str], guard: Guard | None = None) -> dict[str, t.Any]:
        """Send a request and return the body of a success response; raise RequestError otherwise."""

    def message_state(self, device_token: str, message_id: str, guard: Guard | None = None) -> str:
        """Return Fonnte's name for the state of a message, safe to print (/status, which Fonnte has deprecated).

        Args:
            device_token: The token of the device that sent the message.
            message_id: The ID in the response to /send. The request accepts one only.
            guard: Called before the request is sent; raises FonnteError to prevent it.
        """
        body = self._call("/status", device_token, {"id": message_id}, guard)
        state, about = body.get("message_status"), body.get("id", message_id)
        if str(about) != message_id:
            raise UnexpectedResponseError(
                "the service sent a response to /status about another message", _REPORT, False
            )
        if not isinstance(state, str) or not state.strip():
            raise UnexpectedResponseError("the service sent a response to /status without a state", _REPORT, False)
        return self._redactor.text(state.strip(), [device_token])
