# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Send the requests of the API behavior check, and keep a journal of them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._common.clock import now_text
from .._common.errors import (
    RefusedError,
    RequestError,
)

if t.TYPE_CHECKING:
    from .._api.client import FonnteClient
    from .._api.wire import Guard
    from .._common.redaction import Redactor
    from .._device.models import Device, DeviceList
    from .._device.settings import Settings


_UPDATE, _LIST, _PROFILE, _ADD = "/update-device", "/get-devices", "/device", "/add-device"


_T = t.TypeVar("_T")


@dataclass(frozen=True)
class Entry:
    """One request of the journal.

    Attributes:
        at: When it was sent, as ``YYYY-MM-DDTHH:MM:SSZ``.
        path: The path of the request.
        device: The number of the device whose token was used, or that was to be created; None for the account.
        purpose: The fact that it was sent for.
        response: The response, without secrets.
    """

    at: str
    path: str
    device: str | None
    purpose: str
    response: str


class JournalingClient:
    """Sends the requests of the check, and writes each into the journal.

    Attributes:
        entries: The journal.
        wrote: Whether a write was or may have been applied.
    """

    def __init__(self, api: FonnteClient, redactor: Redactor) -> None:
        self._api = api
        self._redactor = redactor
        self.entries: list[Entry] = []
        self.wrote = False

    def listing(self, token: str, device: str | None, purpose: str) -> DeviceList:
        """Return the device list of a token."""
        return self._call(_LIST, device, purpose, lambda: self._api.get_devices(token), _describe_list)

    def profile(self, token: str, device: str | None, purpose: str) -> Device:
        """Return the profile of a token's device."""
        shown = self._call(_PROFILE, device, purpose, lambda: self._api.profile(token), _describe_profile)
        if device is None:
            self.entries[-1] = replace(self.entries[-1], device=shown.number)
        return shown

    def add(self, token: str, number: str, name: str, purpose: str, guard: Guard | None = None) -> Device:
        """Create a device, and return it."""
        return self._write(_ADD, number, purpose, lambda: self._api.add_device(token, number, {"name": name}, guard))

    def update(self, device: Device, number: str | None, settings: Settings, purpose: str, guard: Guard) -> None:
        """Send settings.

        Args:
            device: The device.
            number: The number to send; None to leave it out.
            settings: The settings.
            purpose: The fact to find out.
            guard: Called before each attempt; an error of it prevents the attempt.
        """
        self._write(
            _UPDATE, device.number, purpose, lambda: self._api.update_device(device.token, number, settings, guard)
        )

    def _write(self, path: str, device: str, purpose: str, work: t.Callable[[], _T]) -> _T:
        try:
            answer = self._call(path, device, purpose, work, _describe_success)
        except RequestError as fault:
            self.wrote = self.wrote or fault.may_be_applied
            raise
        self.wrote = True
        return answer

    def _call(
        self,
        path: str,
        device: str | None,
        purpose: str,
        work: t.Callable[[], _T],
        reported: t.Callable[[_T], str],
    ) -> _T:
        at = now_text()
        try:
            answer = work()
        except RequestError as fault:
            self._write_entry(at, path, device, purpose, fault.problem)
            raise
        self._write_entry(at, path, device, purpose, reported(answer))
        return answer

    def _write_entry(self, at: str, path: str, device: str | None, purpose: str, reply: str) -> None:
        self.entries.append(Entry(at, path, device, purpose, self._redactor.text(reply)))


def _describe_success(_answer: object) -> str:
    return "yes"


def _describe_list(listing: DeviceList) -> str:
    return f"yes, {len(listing.devices)} device{'' if len(listing.devices) == 1 else 's'}"


def _describe_profile(device: Device) -> str:
    return f"yes, device {device.number}"


def refusal_of(work: t.Callable[[], object]) -> RefusedError | None:
    """Return the refusal of a request; None if it was not refused."""
    try:
        work()
    except RefusedError as refusal:
        return refusal
    return None
