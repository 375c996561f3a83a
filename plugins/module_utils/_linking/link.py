# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Linking of a phone to a device: fetch a QR code or a pairing code, show it, and wait until the phone is linked."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._api.qr_image import image_path, probe_dest, remove_image, write_image
from .._common.clock import Timer, now_text
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
# The seconds between requests while waiting: for the device list, and for the profile, which the service rate-limits.
LIST_SECONDS = 5.0
PROFILE_SECONDS = 20.0


@dataclass(frozen=True)
class LinkOptions:
    """The options of a task that links a device. Times are in seconds.

    Attributes:
        number: The number of the device; empty where only a token identifies it.
        method: ``qr`` or ``code``.
        whatsapp: The number of the phone that gets a pairing code, in international form.
        dest: The file for the image of the QR code, or its directory.
        fetch: Whether to fetch a QR code or a pairing code.
        wait: How long to wait until the device is linked; None to not wait.
        refresh: The age at which a QR code is replaced by a new one.
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
    """The result of linking, which is filled in step by step.

    Attributes:
        number: The registered number, if it is known.
        name: The name of the device, if it is known.
        was_linked: Whether the device was already linked at the start. Then nothing is done.
        connected: Whether the device is linked now.
        path: The file with the image; in check mode, the predicted one. None if there is no image.
        image: The content of that file.
        code: The pairing code.
        fetched_at: The time at which the newest QR code or pairing code was fetched.
        warnings: Warnings for the user.
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
    """Return the predicted result of a run. It only reads: it requests no code and writes no file."""
    observation = _observe(context, options)
    if observation.device is None:
        earlier = f"Device {options.number} does not exist yet; in a real run, an earlier task must create it."
        return _with_place(options, LinkResult(options.number, warnings=[earlier]))
    link = _link(observation)
    blocking = (
        _linked_free_devices(observation.device, observation.listing) if observation.listing and options.fetch else []
    )
    if not link.was_linked and blocking and observation.device.is_free:
        link.warnings.append(
            f"Device {link.number} is a free device, and the free device {' and '.join(blocking)} is linked: Fonnte "
            "links only one at a time, and would refuse the request."
        )
    return link if link.was_linked else _with_place(options, link)


def link_device(
    context: RunContext,
    options: LinkOptions,
    show: t.Callable[[str], None],
    draw: t.Callable[[bytes], None],
    timer: Timer,
) -> LinkResult:
    """Fetch a QR code or a pairing code and wait for the phone, as the options require.

    Args:
        context: The context of the run.
        options: The options of the task.
        show: Displays a message that the user needs before the run ends.
        draw: Draws the image of a QR code for the user.
        timer: The clock and the pauses of the wait.

    Raises:
        FonnteError: ``partial_result`` contains the LinkResult so far, if the device is known.
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
            LinkSession(context, options, observation.device, observation.listing, link, show, draw, timer).run()
    except FonnteError as fault:
        fault.partial_result = {"link": link}
        raise
    return link


def _observe(context: RunContext, options: LinkOptions) -> Observation:
    with device_context("Looking up", options.number):
        # A list from an earlier item of a loop could link the phone to the wrong device.
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
    """Return the numbers of the other free devices that are linked according to a list."""
    return [
        other.number for other in listing.devices if other.connected and other.is_free and other.token != device.token
    ]


class LinkSession:
    """The steps that link one device, which is not linked yet."""

    def __init__(
        self,
        context: RunContext,
        options: LinkOptions,
        device: Device,
        listing: DeviceList | None,
        link: LinkResult,
        show: t.Callable[[str], None],
        draw: t.Callable[[bytes], None],
        timer: Timer,
    ) -> None:
        self._context = context
        self._order = options
        self._device = device
        self._listed = listing is not None and listing.find_by_token(device.token) is not None
        # The time of the newest list that contains the device with this number; None with a device token only.
        self._identified_at = listing.fetched_at if listing is not None and self._listed else None
        self._link = link
        self._show = show
        self._draw = draw
        self._timer = timer
        self._drawn = b""

    def run(self) -> None:
        """Fetch a code, show it and wait, as the options require."""
        if self._order.fetch:
            if self._order.method == QR:
                probe_dest(self._order.dest, self._link.number)
            self._fetch_first()
        if self._order.wait is None or self._link.connected:
            return
        self._notify()
        self._wait(self._order.wait)
        # The image is not valid any more, and must not be mistaken for a valid one.
        if self._link.path is not None and remove_image(self._link.path, self._link.image):
            self._link.path = None

    # Requests

    def _fetch_first(self) -> None:
        """Fetch a code. After a lost response, check the device and fetch a QR code again, but never a pairing code."""
        try:
            self._fetch()
        except RequestError as fault:
            if not fault.may_be_applied:
                raise
            if self._order.method == CODE:
                raise ResponseLostError(
                    f"{fault.problem}, and it is unknown whether a pairing code was created",
                    "run the task again for a new one; a request that the phone already shows is then invalid",
                ) from None
            self._link.connected = self._is_linked()
            if not self._link.connected:
                self._fetch()

    def _fetch(self) -> None:
        """Fetch a code for the device with the expected number; first list the devices again if the list is too old."""
        send_with_fresh_list(self._fetch_once, self._list_again)

    def _list_again(self) -> None:
        try:
            self._link.connected = self._is_linked()
        except RequestError as fault:
            # The response to the list was lost, not the one to a code, so no code can exist.
            raise UnreachableError(
                f"the list became too old and could not be requested again ({fault.problem}), and no code was requested",
                "run the task again",
            ) from None

    def _guard(self) -> None:
        """Raise an error if the run is orphaned, or if the device list is too old to identify the device."""
        self._context.lineage.require()
        require_fresh(self._identified_at)

    def _fetch_once(self) -> None:
        """Fetch a QR code into the file, or a pairing code; set ``connected`` if the device is already linked."""
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
        """Return the required action for another linked free device, with its number if the list shows it."""
        if not self._context.account_token:
            return f"{advice}; set account_token as well, so that the error can name that device"
        try:
            numbers = _linked_free_devices(self._device, self._context.client.get_devices(self._context.account_token))
        except RequestError:
            numbers = []
        if not numbers:
            return f"{advice}; the account's list does not show which one it is, but the dashboard does"
        return advice.replace("another free device of the account", f"the free device {' and '.join(numbers)}")

    # Waiting

    def _notify(self) -> None:
        """Show the user the next step, because a task has no further output until it ends."""
        link = self._link
        self._draw_image()
        if link.path is not None:
            self._show(f"device {link.number}: scan the QR code in {link.path} with WhatsApp, under Linked devices")
        if link.code is not None:
            self._show(
                f"device {link.number}: type {link.code} into WhatsApp on the phone {self._order.whatsapp}, "
                "under Linked devices, Link with phone number"
            )

    def _draw_image(self) -> None:
        """Draw the QR code, unless it is the one that was drawn last."""
        if self._link.image and self._link.image != self._drawn:
            self._drawn = self._link.image
            self._draw(self._drawn)

    def _wait(self, seconds: float) -> None:
        """Wait until the device is linked. A failed request is repeated until the time is over."""
        pause = LIST_SECONDS if self._listed else PROFILE_SECONDS
        refreshes = self._order.fetch and self._order.method == QR
        clock = self._timer.clock
        began = clock()
        end, look_at = began + seconds, began + pause
        fetch_at = began + self._order.refresh if refreshes else float("inf")
        fault: RequestError | None = None
        while not self._link.connected:
            self._context.lineage.require()
            self._timer.pause(max(0.0, min(end, look_at, fetch_at) - clock()))
            now = clock()
            try:
                if now >= min(end, look_at):
                    look_at = now + pause
                    self._link.connected = self._is_linked()
                else:
                    # After a failure, fetching is repeated at the next check.
                    fetch_at = now + min(pause, self._order.refresh)
                    self._fetch()
                    self._draw_image()
                    fetch_at = clock() + self._order.refresh
                fault = None
            except RequestError as trouble:
                if isinstance(trouble, RefusedError) and trouble.kind is not RefusalKind.UNKNOWN:
                    raise
                fault = trouble
            if now >= end and not self._link.connected:
                raise self._not_linked(seconds, fault)

    def _is_linked(self) -> bool:
        """Return whether the device is linked, from the account's list; from the profile if the list lacks it."""
        if not self._listed:
            return self._context.client.profile(self._device.token).connected is True
        listing = self._context.client.get_devices(self._context.account_token)
        found = listing.find_by_token(self._device.token)
        if found is None:
            return False
        if found.registered != self._device.registered:
            raise FonnteError(
                f"the service lists it as {found.number} now",
                "check in the dashboard which device the phone must be linked to, and run the task again",
            )
        self._identified_at = listing.fetched_at
        return found.connected is True

    def _not_linked(self, seconds: float, fault: RequestError | None) -> FonnteError:
        trouble = f", and the last request failed: {fault.problem}" if fault else ""
        advice = "run the task again, and type the new pairing code into the phone while it waits"
        if not self._order.fetch:
            advice = "fetch a new QR code or pairing code, and use it while a task waits"
        elif self._order.method == QR:
            advice = (
                f"run the task again, and scan {self._link.path} while it waits: the QR code in this file is the "
                "last one, and soon expires"
            )
        return FonnteError(f"no phone was linked within {seconds:g} s{trouble}", advice)


# --- the result of the module ---------------------------------------------------------------------------------------


def link_result(options: LinkOptions, link: LinkResult, check_mode: bool) -> Result:
    """Return the result of a run or of check mode. It never contains the image."""
    predicted = check_mode and not link.was_linked
    connected = link.connected or (predicted and options.wait is not None)
    fetched = link.fetched_at is not None or (predicted and options.fetch)
    before = {"device": link.number, "connected": link.was_linked, "fetched": None}
    after = {"device": link.number, "connected": connected, "fetched": _WORDS[options.method] if fetched else None}
    # Another program has linked the device before a code was fetched: the run has changed nothing.
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
