# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Linking a phone to a device: a QR code or a pairing code is fetched, shown, and waited for."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._api.qr_image import image_path, probe_dest, remove_image, write_image
from .._common.clock import now_text
from .._common.errors import (
    FonnteError,
    NotFoundError,
    RefusalKind,
    RefusedError,
    RequestError,
    ResponseLostError,
    UnreachableError,
)
from .._reconcile.list_age import require_fresh, send_with_fresh_list
from .._reconcile.observe import observe
from .._reconcile.outcome import device_context
from .._reconcile.state import Desired

if t.TYPE_CHECKING:
    from .._device.models import Device, DeviceList
    from .._reconcile.observe import Observation, RunContext

Result = t.Dict[str, t.Any]

QR, CODE = "qr", "code"
_WORDS = {QR: "a QR code", CODE: "a pairing code"}
# How often the account's list is looked at while a person is at work; and the profile, which the service limits.
LIST_SECONDS = 5.0
PROFILE_SECONDS = 20.0


@dataclass(frozen=True)
class LinkOptions:
    """What a task asks for. Times are in seconds.

    Attributes:
        number: The device; empty where only a token names it.
        method: ``qr`` or ``code``.
        whatsapp: The number of the phone that a code is for, as it is dialled from abroad.
        dest: The file for the picture, or its folder.
        fetch: Whether a QR code or a pairing code is asked for.
        wait: How long to wait until the device is linked; None for not at all.
        refresh: How long a QR code is shown before a new one takes its place.
    """

    number: str
    method: str = QR
    whatsapp: str = ""
    dest: str = ""
    fetch: bool = True
    wait: float | None = None
    refresh: float = 20.0


@dataclass
class LinkResult:
    """What a run has come to.

    Attributes:
        number: The registered number as far as it is known.
        was_linked: Whether the device was linked when the run began; then nothing is done.
        connected: Whether it is linked now.
        path: The file that holds the picture, or in check mode would.
        picture: What was written there.
        code: The pairing code.
        fetched_at: When the newest QR code or pairing code was fetched.
    """

    number: str
    name: str | None = None
    was_linked: bool = False
    connected: bool = False
    path: str | None = None
    image: bytes = field(default=b"", repr=False)
    code: str | None = None
    fetched_at: str | None = None
    warnings: list[str] = field(default_factory=list)


def preview_link(context: RunContext, options: LinkOptions) -> LinkResult:
    """Return what a real run would begin with. Only reads: no code is asked for, no file is written."""
    observation = _observe(context, options)
    if observation.device is None:
        earlier = f"Device {options.number} does not exist yet; in a real run an earlier task has to create it."
        return _with_place(options, LinkResult(options.number, warnings=[earlier]))
    link = _link(observation)
    blocking = (
        _linked_free_devices(observation.device, observation.listing) if observation.listing and options.fetch else []
    )
    if not link.was_linked and blocking and observation.device.is_free:
        link.warnings.append(
            f"Device {link.number} is a free one, and the free device {' and '.join(blocking)} is linked: "
            "Fonnte links only one at a time, and would refuse."
        )
    return link if link.was_linked else _with_place(options, link)


def link_device(context: RunContext, options: LinkOptions, show: t.Callable[[str], None]) -> LinkResult:
    """Have a device linked, or bring it so far that a person can.

    Args:
        house: What the run works with.
        order: What is asked for.
        show: Is told what a person has to see before the run ends.

    Raises:
        FonnteError: With ``progress`` set to the link so far, as far as the device is known.
    """
    observation = _observe(context, options)
    if observation.device is None:
        with device_context("Linking", options.number):
            raise NotFoundError(
                f"the account has no device {options.number}",
                "create it first with fonnte.whatsapp.fonnte_device, or correct the number",
            )
    link = _link(observation)
    if link.was_linked:
        return link
    try:
        with device_context("Linking", link.number):
            LinkSession(context, options, observation.device, observation.listing, link, show).run()
    except FonnteError as fault:
        fault.partial_result = {"link": link}
        raise
    return link


def _observe(context: RunContext, options: LinkOptions) -> Observation:
    with device_context("Looking up", options.number):
        # Whose phone is linked must not hang on a list that an earlier item of the loop requested.
        return observe(context, Desired(options.number), context.client.now())


def _link(observation: Observation) -> LinkResult:
    device = observation.device
    linked = device is not None and device.connected is True
    name = device.settings.get("name") if device is not None else None
    return LinkResult(
        observation.number, name if isinstance(name, str) else None, linked, linked, warnings=list(observation.warnings)
    )


def _with_place(options: LinkOptions, link: LinkResult) -> LinkResult:
    if options.fetch and options.method == QR:
        link.path = image_path(options.dest, link.number)
    return link


def _linked_free_devices(device: Device, listing: DeviceList) -> list[str]:
    """Return the numbers of the other free devices that a list shows as linked."""
    return [
        other.number for other in listing.devices if other.connected and other.is_free and other.token != device.token
    ]


class LinkSession:
    """One run on a device that is not linked."""

    def __init__(
        self,
        context: RunContext,
        options: LinkOptions,
        device: Device,
        listing: DeviceList | None,
        link: LinkResult,
        show: t.Callable[[str], None],
    ) -> None:
        self._context = context
        self._order = options
        self._device = device
        self._listed = listing is not None and listing.find_by_token(device.token) is not None
        # When the newest list that has the device with this number was requested; None with a token alone.
        self._identified_at = listing.fetched_at if listing is not None and self._listed else None
        self._link = link
        self._show = show

    def run(self) -> None:
        """Fetch what is asked for, show it, and wait."""
        if self._order.fetch:
            if self._order.method == QR:
                probe_dest(self._order.dest, self._link.number)
            self._fetch_first()
        if self._order.wait is None or self._link.connected:
            return
        self._notify()
        self._wait(self._order.wait)
        # It is of no use any more, and nobody should take it for one that is.
        if self._link.path is not None and remove_image(self._link.path, self._link.image):
            self._link.path = None

    # Asking

    def _fetch_first(self) -> None:
        """Fetch, and after a lost reply look again: a QR code is then asked for once more, a pairing code never."""
        try:
            self._fetch()
        except RequestError as fault:
            if not fault.may_be_applied:
                raise
            if self._order.method == CODE:
                raise ResponseLostError(
                    f"{fault.problem}, and it is unknown whether a pairing code was made",
                    "run the task again for a new one; a request that the phone shows already is void then",
                ) from None
            self._link.connected = self._is_linked()
            if not self._link.connected:
                self._fetch()

    def _fetch(self) -> None:
        """Fetch a code for the device that still has the number; list the devices again where the list is too old."""
        send_with_fresh_list(self._fetch_once, self._list_again)

    def _list_again(self) -> None:
        try:
            self._link.connected = self._is_linked()
        except RequestError as fault:
            # The lost response to a list leaves no doubt about the code.
            raise UnreachableError(
                f"the list became too old and could not be requested again ({fault.problem}), and no code was requested",
                "run the task again",
            ) from None

    def _guard(self) -> None:
        """Prevent a request that no process waits for, or that might link the phone to another device."""
        self._context.lineage.require()
        require_fresh(self._identified_at)

    def _fetch_once(self) -> None:
        """Fetch a QR code into the file, or a pairing code; or learn that the device is linked."""
        if self._link.connected:
            return
        api, link = self._context.client, self._link
        try:
            if self._order.method == CODE:
                link.code = api.pairing_code(self._device.token, self._order.whatsapp, self._guard)
            else:
                image = api.qr_image(self._device.token, self._guard)
                path = image_path(self._order.dest, link.number)
                write_image(path, image)
                link.path, link.image = path, image
        except RefusedError as refusal:
            if refusal.kind is RefusalKind.ALREADY_DONE:
                link.connected = True
                return
            if refusal.kind is RefusalKind.BLOCKED:
                refusal.advice = self._find_obstacle(refusal.advice)
            raise
        link.fetched_at = now_text()

    def _find_obstacle(self, advice: str) -> str:
        """Return what to do about the free device that is linked, with its number where the list shows it."""
        if not self._context.account_token:
            return f"{advice}; with account_token as well its number can be told"
        try:
            numbers = _linked_free_devices(self._device, self._context.client.get_devices(self._context.account_token))
        except RequestError:
            numbers = []
        if not numbers:
            return f"{advice}; the account's list does not show which one it is, but the dashboard does"
        return advice.replace("another free device of the account", f"the free device {' and '.join(numbers)}")

    # Waiting

    def _notify(self) -> None:
        """Show what a person needs now: the task says nothing more until it ends."""
        link = self._link
        if link.path is not None:
            self._show(f"device {link.number}: scan the QR code in {link.path} with WhatsApp, under Linked devices")
        if link.code is not None:
            self._show(
                f"device {link.number}: type {link.code} into WhatsApp on the phone {self._order.whatsapp}, "
                "under Linked devices, Link with phone number"
            )

    def _wait(self, seconds: float) -> None:
        """Return when the device is linked; a call that fails is made again as long as there is time."""
        pause = LIST_SECONDS if self._listed else PROFILE_SECONDS
        refreshes = self._order.fetch and self._order.method == QR
        began = time.monotonic()
        end, look_at = began + seconds, began + pause
        fetch_at = began + self._order.refresh if refreshes else float("inf")
        fault: RequestError | None = None
        while not self._link.connected:
            self._context.lineage.require()
            time.sleep(max(0.0, min(end, look_at, fetch_at) - time.monotonic()))
            now = time.monotonic()
            try:
                if now >= min(end, look_at):
                    look_at = now + pause
                    self._link.connected = self._is_linked()
                else:
                    # Tried again with the next look if it fails.
                    fetch_at = now + min(pause, self._order.refresh)
                    self._fetch()
                    fetch_at = time.monotonic() + self._order.refresh
                fault = None
            except RequestError as trouble:
                if isinstance(trouble, RefusedError) and trouble.kind is not RefusalKind.UNKNOWN:
                    raise
                fault = trouble
            if now >= end and not self._link.connected:
                raise self._not_linked(seconds, fault)

    def _is_linked(self) -> bool:
        """Ask the account's list, or the profile where there is only that."""
        if not self._listed:
            return self._context.client.profile(self._device.token).connected is True
        listing = self._context.client.get_devices(self._context.account_token)
        found = listing.find_by_token(self._device.token)
        if found is None:
            return False
        if found.registered != self._device.registered:
            raise FonnteError(
                f"the service lists it as {found.number} now",
                "check in the dashboard which device the phone is to be linked to, and run the task again",
            )
        self._identified_at = listing.fetched_at
        return found.connected is True

    def _not_linked(self, seconds: float, fault: RequestError | None) -> FonnteError:
        trouble = f", and the last call failed: {fault.problem}" if fault else ""
        advice = "run the task again, and type the new pairing code into the phone while it waits"
        if not self._order.fetch:
            advice = "fetch a new QR code or pairing code, and use it while a task waits"
        elif self._order.method == QR:
            advice = (
                f"run the task again, and scan {self._link.path} while it waits: "
                "the QR code that lies there now is the last one, and is soon of no use"
            )
        return FonnteError(f"no phone was linked within {seconds:g} s{trouble}", advice)


# --- what a user sees -----------------------------------------------------------------------------------------------


def link_result(options: LinkOptions, link: LinkResult, check_mode: bool) -> Result:
    """Return the result of a run, or of check mode. The picture is never in it."""
    predicted = check_mode and not link.was_linked
    connected = link.connected or (predicted and options.wait is not None)
    fetched = link.fetched_at is not None or (predicted and options.fetch)
    before = {"device": link.number, "connected": link.was_linked, "fetched": None}
    after = {"device": link.number, "connected": connected, "fetched": _WORDS[options.method] if fetched else None}
    # Linked by somebody else before a code was fetched: that is as wanted, and not of our doing.
    overtaken = link.connected and options.fetch and not fetched
    changed = not overtaken and before != after
    return {
        "changed": changed,
        "connected": link.connected,
        "device": link.number,
        "name": link.name,
        "method": options.method,
        "dest": link.path,
        "code": link.code,
        "fetched_at": link.fetched_at,
        "diff": {
            "before_header": f"device {link.number}",
            "after_header": f"device {link.number}",
            "before": before if changed else after,
            "after": after,
        },
    }
