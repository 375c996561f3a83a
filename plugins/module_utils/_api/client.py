# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""One method per call of the service, with typed replies.

The service refuses with HTTP 200 and ``status: false``, spells the key ``Status`` at times, and puts the
text into ``reason`` or into ``detail``. None of that leaves this file.
"""

from __future__ import annotations

import itertools
import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from .._common.clock import Moment
from .._common.errors import CallError, RefusedError, UnreadableError
from .._common.phone_numbers import displayed_number, same_number
from .._common.redaction import cut
from .._device.models import LONGEST_NUMBER, Device, Listing
from .._device.settings import Settings, Where, from_wire, to_wire
from .._device.stamp import Stamp, bare_name, read_stamp
from .cache import KeptListing
from .qr_image import read_picture
from .wire import Call, Guard

if t.TYPE_CHECKING:
    from .._common.redaction import Redactor
    from .transport import Transport

# WhatsApp's own codes have eight characters, in two groups.
LONGEST_CODE = 20
MakeMark = t.Callable[[], object]
_REPORT = "nothing was guessed from it: look at the device in the dashboard, and report this reply"


@dataclass(frozen=True)
class Queued:
    """What the service says of messages that it has taken; None is what it does not say.

    Attributes:
        messages: The id and the receiver of each, in the order of the targets.
        process: Its own word for what it does with them now.
        request_id: Its number for the whole request.
    """

    messages: tuple[tuple[str | None, str | None], ...]
    process: str | None = None
    request_id: int | None = None


class FonnteApi:
    """The calls of the service, over one transport.

    Args:
        transport: What posts them.
        redactor: Learns the tokens that replies hold.
        kept: The account's list, where other runs of this process may have read it.
    """

    def __init__(self, transport: Transport, redactor: Redactor, kept: KeptListing | None = None) -> None:
        self._transport = transport
        self._redactor = redactor
        self._kept = kept or KeptListing()
        self._learnt: Listing | None = None

    def moment(self) -> Moment:
        """Return this moment, by the clock that measures the age of a listing."""
        return self._kept.moment()

    def listing(
        self,
        account_token: str,
        number: str,
        device_token: str,
        since: Moment | None = None,
        mark: MakeMark | None = None,
    ) -> Listing:
        """Return a list that tells of this device as it is now: the kept one, or a new one.

        Args:
            account_token: The token of the account.
            number: The device; empty where only its token is known.
            device_token: The same.
            since: The moment at or after which the list must have been requested; None for one that is kept.
            mark: Takes a mark of the record before a new list is requested.
        """
        kept = self._kept.current(number, device_token, since)
        if kept is None:
            # The workers of a fleet find out together that a list is too old: one request serves all of them.
            with self._kept.request_once():
                kept = self._kept.current(number, device_token, since)
                if kept is None:
                    return self.get_devices(account_token, mark)
        self._learn(kept)
        return kept

    def doubt_listing(self, *devices: str) -> None:
        """Read the list again the next time that one of these devices, by number or token, is looked at."""
        self._kept.touch(*devices)

    def get_devices(self, account_token: str, mark: MakeMark | None = None) -> Listing:
        """Return what the account's list shows now (call /get-devices).

        Args:
            account_token: The token of the account.
            mark: Takes a mark of the record, which belongs to the response.
        """
        path = "/get-devices"
        taken = mark() if mark is not None else None
        began = self._kept.moment()
        body = self._call(path, account_token, {})
        items = body.get("data")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise _strange(path, "without a list of devices")
        devices = tuple(_listed(item) for item in items)
        listing = Listing(devices, _whole(body.get("connected")), _whole(body.get("messages")), began, taken)
        self._learn(listing)
        self._kept.hold(listing)
        return listing

    def _learn(self, listing: Listing) -> None:
        """Have the tokens of a list masked; those of one list only once, since a fleet asks for each device."""
        if listing is not self._learnt:
            self._redactor.learn(device.token for device in listing.devices)
            self._learnt = listing

    def profile(self, device_token: str) -> Device:
        """Return the device that a token belongs to (call /device, which the service limits)."""
        path = "/device"
        body = self._call(path, device_token, {})
        number = _number(body.get("device"))
        if not number:
            raise _strange(path, "without a number")
        return Device(
            number=number,
            token=device_token,
            stamp=_stamp(device_token, body),
            connected=_linked(body.get("device_status")),
            package=_text(body.get("package")),
            quota=_whole(body.get("quota")),
            expires=_day(body.get("expired")),
            messages=_whole(body.get("messages")),
            settings=from_wire(body, Where.PROFILE),
        )

    def add_device(self, account_token: str, number: str, settings: Settings, guard: Guard | None = None) -> Device:
        """Create a device and return it with its new token (call /add-device)."""
        path = "/add-device"
        self._kept.touch(number)
        body = self._call(path, account_token, {"device": number, **to_wire(settings)}, guard)
        token, stored = _token(body.get("token")), _number(body.get("device"))
        self._redactor.learn([token])
        if not token or not stored or not same_number(stored, number):
            raise _strange(path, "without the new device's number and token")
        return Device(number=stored, token=token, sent_as=str(body["device"]), settings=from_wire(body, Where.ADDED))

    def update_device(
        self, device_token: str, number: str | None, settings: Settings, guard: Guard | None = None
    ) -> None:
        """Write settings; what is left out may be reset by the service (call /update-device).

        Args:
            device_token: The token of the device.
            number: The registered number. It is a writable field: any other one renumbers the device.
                None leaves it out, which the service may refuse.
            settings: The complete set of what is known.
            guard: Called before the request goes out; raises FonnteError to prevent it. That of other methods alike.
        """
        form = to_wire(settings) if number is None else {"device": number, **to_wire(settings)}
        self._kept.touch(device_token)
        self._call("/update-device", device_token, form, guard)

    def disconnect(self, device_token: str, guard: Guard | None = None) -> None:
        """Unlink the WhatsApp account of a device (call /disconnect)."""
        self._kept.touch(device_token)
        self._call("/disconnect", device_token, {}, guard)

    def request_otp(self, device_token: str, guard: Guard | None = None) -> None:
        """Have a code for the deletion sent to the account's owner (call /delete-device with an empty otp)."""
        self._call("/delete-device", device_token, {"otp": ""}, guard)

    def delete_device(self, device_token: str, otp: str, guard: Guard | None = None) -> str | None:
        """Delete a device, and return the number that the service says it deleted (call /delete-device)."""
        if not otp:
            raise ValueError("an empty otp would ask for a new code")
        self._kept.touch(device_token)
        body = self._call("/delete-device", device_token, {"otp": otp}, guard)
        found = re.search(r"\bdevice (\d+) successfully deleted", str(body.get("detail", "")))
        return found.group(1) if found else None

    def send(self, call: Call) -> Queued:
        """Have messages queued (call /send). What was asked for is not looked at: whatever is said, it is queued."""
        body = self._make(call)
        process, ids, targets = (
            [text and self._redactor.text(text, [call.token], call.form.values()) for text in _texts(body.get(key))]
            for key in ("process", "id", "target")
        )
        return Queued(
            tuple(itertools.zip_longest(ids, targets)), process[0] if process else None, _whole(body.get("requestid"))
        )

    def qr_picture(self, device_token: str) -> bytes:
        """Return the PNG of a QR code that links a phone to the device (call /qr)."""
        path = "/qr"
        body = self._ask_to_link(path, device_token, {"type": "qr"})
        try:
            return read_picture(_text(body.get("url")) or "")
        except ValueError as fault:
            raise _strange(path, f"with a picture that cannot be used, since {fault}") from None

    def pairing_code(self, device_token: str, whatsapp: str) -> str:
        """Return the code that is typed into the phone of a WhatsApp number (call /qr)."""
        path = "/qr"
        body = self._ask_to_link(path, device_token, {"type": "code", "whatsapp": whatsapp})
        code = (_text(body.get("code")) or "").strip()
        if not re.fullmatch(r"[0-9A-Za-z]+(?:[- ][0-9A-Za-z]+)*", code) or not 4 <= len(code) <= LONGEST_CODE:
            raise _strange(path, "without a pairing code that can be used")
        return code

    def _ask_to_link(self, path: str, device_token: str, form: t.Mapping[str, str]) -> dict[str, t.Any]:
        # From now on a phone may be linked at any moment.
        self._kept.touch(device_token)
        return self._call(path, device_token, form)

    def _call(self, path: str, token: str, form: t.Mapping[str, str], guard: Guard | None = None) -> dict[str, t.Any]:
        return self._make(Call(path, token, form, guard=guard))

    def _make(self, call: Call) -> dict[str, t.Any]:
        try:
            return self._ask(call)
        except CallError:
            # Whatever went wrong, the list may be wrong too.
            self._kept.fail(call.token, call.form.get("device", ""))
            raise

    def _ask(self, call: Call) -> dict[str, t.Any]:
        path, form = call.path, call.form
        reply = self._transport.exchange(call)
        verdict = reply.body.get("status", reply.body.get("Status"))
        if verdict is True and reply.status < 400:
            return reply.body
        text = (_text(reply.body.get("reason")) or _text(reply.body.get("detail")) or "").strip()
        # The service may repeat what it was sent.
        name = form.get("name", "")
        text = text.replace(name, bare_name(name)) if name else text
        shown = self._redactor.text(text, [call.token], form.values())
        if verdict is False and text:
            raise RefusedError(path, text, shown, reply.status)
        told = f' that says "{shown}"' if text else ""
        raise UnreadableError(
            f"the service sent a reply to {path} that says neither yes nor no (HTTP {reply.status}){told}",
            _REPORT,
            # A yes under a status that says no is a yes that was not understood.
            reply.status < 400 or verdict is True,
        )


def _strange(path: str, what: str) -> UnreadableError:
    return UnreadableError(f"the service sent a reply to {path} {what}", _REPORT, True)


def _listed(item: t.Mapping[str, object]) -> Device:
    listed = item.get("device")
    number = _number(listed)
    if not isinstance(listed, str) or not number:
        raise _strange("/get-devices", "with a device that has no number")
    token = _token(item.get("token"))
    return Device(
        number=number,
        token=token,
        sent_as=listed,
        stamp=_stamp(token, item),
        connected=_linked(item.get("status")),
        package=_text(item.get("package")),
        quota=_whole(item.get("quota")),
        expires=_whole(item.get("expired")),
        settings=from_wire(item, Where.LIST),
    )


def _stamp(token: str, shown: t.Mapping[str, object]) -> Stamp | None:
    name = shown.get("name")
    return read_stamp(token, name) if token and isinstance(name, str) else None


def _text(raw: object) -> str | None:
    """Return text that can be sent and printed: half a character, as a service cuts it out of an emoji, cannot."""
    return raw.encode("utf-8", "replace").decode("utf-8") if isinstance(raw, str) else None


def _texts(raw: object) -> list[str | None]:
    """Return the items of a list that may be told: texts, and numbers as text. One thing alone is a list of one."""
    items = raw if isinstance(raw, list) else [] if raw is None else [raw]
    return [str(item) if isinstance(item, int) else _text(item) for item in items]


def _number(raw: object) -> str:
    """Return a number as it is displayed; what is none may hold anything, and numbers are printed as they are."""
    return displayed_number(cut(_text(raw) or "", LONGEST_NUMBER))


# Braces, quotation marks and backslashes are in no token of Fonnte, and would make a template of one that is written to a
# file of variables; a comma separates targets.
_TOKEN = re.compile(r"(?!#jinja2)[!#-&(-+\--\[\]-_a-z|~]+", re.IGNORECASE)


def _token(raw: object) -> str:
    """Return a token that a header and a file of variables can hold; empty for any other."""
    return raw if isinstance(raw, str) and _TOKEN.fullmatch(raw) else ""


def _whole(raw: object) -> int | None:
    """Return a whole number that the service sends as such or as text."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    return int(raw) if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw) else None


_LINKED = {"connect": True, "disconnect": False}


def _linked(raw: object) -> bool | None:
    return _LINKED.get(raw) if isinstance(raw, str) else None


_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def _day(raw: object) -> int | None:
    """Return the unix time of a date in words, such as "18 November 2029"; the locale has no say in it."""
    found = re.fullmatch(r"(\d{1,2}) ([A-Za-z]+) (\d{4})", raw.strip()) if isinstance(raw, str) else None
    if not found or found.group(2).lower() not in _MONTHS:
        return None
    try:
        day = datetime(
            int(found.group(3)), _MONTHS.index(found.group(2).lower()) + 1, int(found.group(1)), tzinfo=timezone.utc
        )
    except ValueError:
        return None
    return int(day.timestamp())
