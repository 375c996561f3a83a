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

from .._api.qr_image import picture_path, probe_place, remove_picture, write_picture
from .._common.clock import stamp
from .._common.errors import CallError, FonnteError, Meaning, NotFoundError, RefusedError, UnansweredError
from .._reconcile.apply import doing_to
from .._reconcile.observe import look
from .._reconcile.state import Desired

if t.TYPE_CHECKING:
    from .._device.models import Device, Listing
    from .._reconcile.observe import House, Sight

Result = t.Dict[str, t.Any]

QR, CODE = "qr", "code"
_WORDS = {QR: "a QR code", CODE: "a pairing code"}
# How often the account's list is looked at while a person is at work; and the profile, which the service limits.
LIST_SECONDS = 5.0
PROFILE_SECONDS = 20.0


@dataclass(frozen=True)
class Order:
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
class Link:
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
    picture: bytes = field(default=b"", repr=False)
    code: str | None = None
    fetched_at: str | None = None
    warnings: list[str] = field(default_factory=list)


def foresee_link(house: House, order: Order) -> Link:
    """Return what a real run would begin with. Only reads: no code is asked for, no file is written."""
    sight = _look(house, order)
    if sight.device is None:
        earlier = f"Device {order.number} does not exist yet; in a real run an earlier task has to create it."
        return _with_place(order, Link(order.number, warnings=[earlier]))
    link = _link(sight)
    blocking = _linked_free(sight.device, sight.listing) if sight.listing and order.fetch else []
    if not link.was_linked and blocking and sight.device.is_free:
        link.warnings.append(
            f"Device {link.number} is a free one, and the free device {' and '.join(blocking)} is linked: "
            "Fonnte links only one at a time, and would refuse."
        )
    return link if link.was_linked else _with_place(order, link)


def link_device(house: House, order: Order, show: t.Callable[[str], None]) -> Link:
    """Have a device linked, or bring it so far that a person can.

    Args:
        house: What the run works with.
        order: What is asked for.
        show: Is told what a person has to see before the run ends.

    Raises:
        FonnteError: With ``progress`` set to the link so far, as far as the device is known.
    """
    sight = _look(house, order)
    if sight.device is None:
        with doing_to("Linking", order.number):
            raise NotFoundError(
                f"the account has no device {order.number}",
                "create it first with fonnte.whatsapp.fonnte_device, or correct the number",
            )
    link = _link(sight)
    if link.was_linked:
        return link
    try:
        with doing_to("Linking", link.number):
            _Linking(house, order, sight.device, sight.listing, link, show).run()
    except FonnteError as fault:
        fault.progress = {"link": link}
        raise
    return link


def _look(house: House, order: Order) -> Sight:
    with doing_to("Looking up", order.number):
        # Whose phone is linked must not hang on a list that an earlier item of the loop requested.
        return look(house, Desired(order.number), house.api.moment())


def _link(sight: Sight) -> Link:
    device = sight.device
    linked = device is not None and device.connected is True
    name = device.settings.get("name") if device is not None else None
    return Link(sight.number, name if isinstance(name, str) else None, linked, linked, warnings=list(sight.warnings))


def _with_place(order: Order, link: Link) -> Link:
    if order.fetch and order.method == QR:
        link.path = picture_path(order.dest, link.number)
    return link


def _linked_free(device: Device, listing: Listing) -> list[str]:
    """Return the numbers of the other free devices that a list shows as linked."""
    return [
        other.number for other in listing.devices if other.connected and other.is_free and other.token != device.token
    ]


class _Linking:
    """One run on a device that is not linked."""

    def __init__(
        self,
        house: House,
        order: Order,
        device: Device,
        listing: Listing | None,
        link: Link,
        show: t.Callable[[str], None],
    ) -> None:
        self._house = house
        self._order = order
        self._device = device
        self._listed = listing is not None and listing.find_token(device.token) is not None
        self._link = link
        self._show = show

    def run(self) -> None:
        """Fetch what is asked for, show it, and wait."""
        if self._order.fetch:
            if self._order.method == QR:
                probe_place(self._order.dest, self._link.number)
            self._fetch_first()
        if self._order.wait is None or self._link.connected:
            return
        self._tell()
        self._wait(self._order.wait)
        # It is of no use any more, and nobody should take it for one that is.
        if self._link.path is not None and remove_picture(self._link.path, self._link.picture):
            self._link.path = None

    # Asking

    def _fetch_first(self) -> None:
        """Fetch, and after a lost reply look again: a QR code is then asked for once more, a pairing code never."""
        try:
            self._fetch()
        except CallError as fault:
            if not fault.may_be_applied:
                raise
            if self._order.method == CODE:
                raise UnansweredError(
                    f"{fault.problem}, and it is unknown whether a pairing code was made",
                    "run the task again for a new one; a request that the phone shows already is void then",
                ) from None
            self._link.connected = self._is_linked()
            if not self._link.connected:
                self._fetch()

    def _fetch(self) -> None:
        """Fetch a QR code into the file, or a pairing code; or learn that the device is linked."""
        api, link = self._house.api, self._link
        try:
            if self._order.method == CODE:
                link.code = api.pairing_code(self._device.token, self._order.whatsapp)
            else:
                picture = api.qr_picture(self._device.token)
                path = picture_path(self._order.dest, link.number)
                write_picture(path, picture)
                link.path, link.picture = path, picture
        except RefusedError as refusal:
            if refusal.meaning is Meaning.AS_WANTED:
                link.connected = True
                return
            if refusal.meaning is Meaning.BLOCKED:
                refusal.advice = self._what_blocks(refusal.advice)
            raise
        link.fetched_at = stamp()

    def _what_blocks(self, advice: str) -> str:
        """Return what to do about the free device that is linked, with its number where the list shows it."""
        if not self._house.account_token:
            return f"{advice}; with account_token as well its number can be told"
        try:
            numbers = _linked_free(self._device, self._house.api.get_devices(self._house.account_token))
        except CallError:
            numbers = []
        if not numbers:
            return f"{advice}; the account's list does not show which one it is, but the dashboard does"
        return advice.replace("another free device of the account", f"the free device {' and '.join(numbers)}")

    # Waiting

    def _tell(self) -> None:
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
        fault: CallError | None = None
        while not self._link.connected:
            self._house.lineage.require()
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
            except CallError as trouble:
                if isinstance(trouble, RefusedError) and trouble.meaning is not Meaning.UNKNOWN:
                    raise
                fault = trouble
            if now >= end and not self._link.connected:
                raise self._not_linked(seconds, fault)

    def _is_linked(self) -> bool:
        """Ask the account's list, or the profile where there is only that."""
        if not self._listed:
            return self._house.api.profile(self._device.token).connected is True
        found = self._house.api.get_devices(self._house.account_token).find_token(self._device.token)
        return found is not None and found.connected is True

    def _not_linked(self, seconds: float, fault: CallError | None) -> FonnteError:
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


def link_result(order: Order, link: Link, check_mode: bool) -> Result:
    """Return the result of a run, or of check mode. The picture is never in it."""
    foreseen = check_mode and not link.was_linked
    connected = link.connected or (foreseen and order.wait is not None)
    fetched = link.fetched_at is not None or (foreseen and order.fetch)
    before = {"device": link.number, "connected": link.was_linked, "fetched": None}
    after = {"device": link.number, "connected": connected, "fetched": _WORDS[order.method] if fetched else None}
    # Linked by somebody else before a code was fetched: that is as wanted, and not of our doing.
    overtaken = link.connected and order.fetch and not fetched
    changed = not overtaken and before != after
    return {
        "changed": changed,
        "connected": link.connected,
        "device": link.number,
        "name": link.name,
        "method": order.method,
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
