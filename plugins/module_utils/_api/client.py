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
from .._common.errors import RefusedError, RequestError, UnexpectedResponseError
from .._common.phone_numbers import displayed_number, same_number
from .._common.redaction import truncate
from .._device.models import MAX_SHOWN_NUMBER_LENGTH, Device, DeviceList
from .._device.settings import ReadSource, Settings, from_wire, to_wire
from .._device.stamp import Stamp, read_stamp, strip_stamp
from .cache import DeviceListCache
from .qr_image import read_image
from .wire import Guard, Request

if t.TYPE_CHECKING:
    from .._common.redaction import Redactor
    from .transport import Transport

# WhatsApp's own codes have eight characters, in two groups.
MAX_PAIRING_CODE_LENGTH = 20
MakeMark = t.Callable[[], object]
_REPORT = "nothing was guessed from it: look at the device in the dashboard, and report this reply"


@dataclass(frozen=True)
class SendResult:
    """What the service says of messages that it has taken; None is what it does not say.

    Attributes:
        messages: The id and the receiver of each, in the order of the targets.
        process: Its own word for what it does with them now.
        request_id: Its number for the whole request.
    """

    messages: tuple[tuple[str | None, str | None], ...]
    process: str | None = None
    request_id: int | None = None


class FonnteClient:
    """The calls of the service, over one transport.

    Args:
        transport: What posts them.
        redactor: Learns the tokens that replies hold.
        kept: The account's list, where other runs of this process may have read it.
    """

    def __init__(self, transport: Transport, redactor: Redactor, kept: DeviceListCache | None = None) -> None:
        self._transport = transport
        self._redactor = redactor
        self._cache = kept or DeviceListCache()
        self._known_secrets: DeviceList | None = None

    def now(self) -> Moment:
        """Return this moment, by the clock that measures the age of a listing."""
        return self._cache.moment()

    def listing(
        self,
        account_token: str,
        number: str,
        device_token: str,
        since: Moment | None = None,
        mark: MakeMark | None = None,
    ) -> DeviceList:
        """Return a list that tells of this device as it is now: the kept one, or a new one.

        Args:
            account_token: The token of the account.
            number: The device; empty where only its token is known.
            device_token: The same.
            since: The moment at or after which the list must have been requested; None for one that is kept.
            mark: Takes a mark of the record before a new list is requested.
        """
        kept = self._cache.get(number, device_token, since)
        if kept is None:
            # The workers of a fleet find out together that a list is too old: one request serves all of them.
            with self._cache.request_once():
                kept = self._cache.get(number, device_token, since)
                if kept is None:
                    return self.get_devices(account_token, mark)
        self._add_secrets(kept)
        return kept

    def invalidate_cache(self, *devices: str) -> None:
        """Read the list again the next time that one of these devices, by number or token, is looked at."""
        self._cache.invalidate(*devices)

    def get_devices(self, account_token: str, mark: MakeMark | None = None) -> DeviceList:
        """Return what the account's list shows now (call /get-devices).

        Args:
            account_token: The token of the account.
            mark: Takes a mark of the record, which belongs to the response.
        """
        path = "/get-devices"
        used = mark() if mark is not None else None
        began = self._cache.moment()
        body = self._call(path, account_token, {})
        items = body.get("data")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise _malformed(path, "without a list of devices")
        devices = tuple(_parse_device(item) for item in items)
        listing = DeviceList(devices, _parse_int(body.get("connected")), _parse_int(body.get("messages")), began, used)
        self._add_secrets(listing)
        self._cache.put(listing)
        return listing

    def _add_secrets(self, listing: DeviceList) -> None:
        """Have the tokens of a list masked; those of one list only once, since a fleet asks for each device."""
        if listing is not self._known_secrets:
            self._redactor.add_secrets(device.token for device in listing.devices)
            self._known_secrets = listing

    def profile(self, device_token: str) -> Device:
        """Return the device that a token belongs to (call /device, which the service limits)."""
        path = "/device"
        body = self._call(path, device_token, {})
        number = _parse_number(body.get("device"))
        if not number:
            raise _malformed(path, "without a number")
        return Device(
            number=number,
            token=device_token,
            stamp=_parse_stamp(device_token, body),
            connected=_parse_connected(body.get("device_status")),
            package=_parse_text(body.get("package")),
            quota=_parse_int(body.get("quota")),
            expires=_parse_day(body.get("expired")),
            messages=_parse_int(body.get("messages")),
            settings=from_wire(body, ReadSource.PROFILE),
        )

    def add_device(self, account_token: str, number: str, settings: Settings, guard: Guard | None = None) -> Device:
        """Create a device and return it with its new token (call /add-device)."""
        path = "/add-device"
        self._cache.invalidate(number)
        body = self._call(path, account_token, {"device": number, **to_wire(settings)}, guard)
        token, stored = _parse_token(body.get("token")), _parse_number(body.get("device"))
        self._redactor.add_secrets([token])
        if not token or not stored or not same_number(stored, number):
            raise _malformed(path, "without the new device's number and token")
        return Device(
            number=stored, token=token, sent_as=str(body["device"]), settings=from_wire(body, ReadSource.ADDED)
        )

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
        self._cache.invalidate(device_token)
        self._call("/update-device", device_token, form, guard)

    def disconnect(self, device_token: str, guard: Guard | None = None) -> None:
        """Unlink the WhatsApp account of a device (call /disconnect)."""
        self._cache.invalidate(device_token)
        self._call("/disconnect", device_token, {}, guard)

    def request_otp(self, device_token: str, guard: Guard | None = None) -> None:
        """Have a code for the deletion sent to the account's owner (call /delete-device with an empty otp)."""
        self._call("/delete-device", device_token, {"otp": ""}, guard)

    def delete_device(self, device_token: str, otp: str, guard: Guard | None = None) -> str | None:
        """Delete a device, and return the number that the service says it deleted (call /delete-device)."""
        if not otp:
            raise ValueError("an empty otp would ask for a new code")
        self._cache.invalidate(device_token)
        body = self._call("/delete-device", device_token, {"otp": otp}, guard)
        found = re.search(r"\bdevice (\d+) successfully deleted", str(body.get("detail", "")))
        return found.group(1) if found else None

    def send(self, call: Request) -> SendResult:
        """Have messages queued (call /send). What was asked for is not looked at: whatever is said, it is queued."""
        body = self._request_or_invalidate(call)
        process, ids, targets = (
            [
                text and self._redactor.text(text, [call.token], call.form.values())
                for text in _parse_texts(body.get(key))
            ]
            for key in ("process", "id", "target")
        )
        return SendResult(
            tuple(itertools.zip_longest(ids, targets)),
            process[0] if process else None,
            _parse_int(body.get("requestid")),
        )

    def qr_image(self, device_token: str, guard: Guard | None = None) -> bytes:
        """Return the PNG of a QR code that links a phone to the device (call /qr)."""
        path = "/qr"
        body = self._request_link(path, device_token, {"type": "qr"}, guard)
        try:
            return read_image(_parse_text(body.get("url")) or "")
        except ValueError as fault:
            raise _malformed(path, f"with a picture that cannot be used, since {fault}") from None

    def pairing_code(self, device_token: str, whatsapp: str, guard: Guard | None = None) -> str:
        """Return the code that is typed into the phone of a WhatsApp number (call /qr)."""
        path = "/qr"
        body = self._request_link(path, device_token, {"type": "code", "whatsapp": whatsapp}, guard)
        code = (_parse_text(body.get("code")) or "").strip()
        if (
            not re.fullmatch(r"[0-9A-Za-z]+(?:[- ][0-9A-Za-z]+)*", code)
            or not 4 <= len(code) <= MAX_PAIRING_CODE_LENGTH
        ):
            raise _malformed(path, "without a pairing code that can be used")
        return code

    def _request_link(
        self, path: str, device_token: str, form: t.Mapping[str, str], guard: Guard | None
    ) -> dict[str, t.Any]:
        # From now on a phone may be linked at any moment.
        self._cache.invalidate(device_token)
        return self._call(path, device_token, form, guard)

    def _call(self, path: str, token: str, form: t.Mapping[str, str], guard: Guard | None = None) -> dict[str, t.Any]:
        return self._request_or_invalidate(Request(path, token, form, guard=guard))

    def _request_or_invalidate(self, call: Request) -> dict[str, t.Any]:
        try:
            return self._request(call)
        except RequestError:
            # Whatever went wrong, the list may be wrong too.
            self._cache.invalidate_on_error(call.token, call.form.get("device", ""))
            raise

    def _request(self, call: Request) -> dict[str, t.Any]:
        path, form = call.path, call.form
        reply = self._transport.request(call)
        verdict = reply.body.get("status", reply.body.get("Status"))
        if verdict is True and reply.status < 400:
            return reply.body
        text = (_parse_text(reply.body.get("reason")) or _parse_text(reply.body.get("detail")) or "").strip()
        # The service may repeat what it was sent.
        name = form.get("name", "")
        text = text.replace(name, strip_stamp(name)) if name else text
        shown = self._redactor.text(text, [call.token], form.values())
        if verdict is False and text:
            raise RefusedError(path, text, shown, reply.status)
        reported = f' that says "{shown}"' if text else ""
        raise UnexpectedResponseError(
            f"the service sent a reply to {path} that says neither yes nor no (HTTP {reply.status}){reported}",
            _REPORT,
            # A yes under a status that says no is a yes that was not understood.
            reply.status < 400 or verdict is True,
        )


def _malformed(path: str, what: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"the service sent a reply to {path} {what}", _REPORT, True)


def _parse_device(item: t.Mapping[str, object]) -> Device:
    listed = item.get("device")
    number = _parse_number(listed)
    if not isinstance(listed, str) or not number:
        raise _malformed("/get-devices", "with a device that has no number")
    token = _parse_token(item.get("token"))
    return Device(
        number=number,
        token=token,
        sent_as=listed,
        stamp=_parse_stamp(token, item),
        connected=_parse_connected(item.get("status")),
        package=_parse_text(item.get("package")),
        quota=_parse_int(item.get("quota")),
        expires=_parse_int(item.get("expired")),
        settings=from_wire(item, ReadSource.LIST),
    )


def _parse_stamp(token: str, shown: t.Mapping[str, object]) -> Stamp | None:
    name = shown.get("name")
    return read_stamp(token, name) if token and isinstance(name, str) else None


def _parse_text(raw: object) -> str | None:
    """Return text that can be sent and printed: half a character, as a service cuts it out of an emoji, cannot."""
    return raw.encode("utf-8", "replace").decode("utf-8") if isinstance(raw, str) else None


def _parse_texts(raw: object) -> list[str | None]:
    """Return the items of a list that may be told: texts, and numbers as text. One thing alone is a list of one."""
    items = raw if isinstance(raw, list) else [] if raw is None else [raw]
    return [str(item) if isinstance(item, int) else _parse_text(item) for item in items]


def _parse_number(raw: object) -> str:
    """Return a number as it is displayed; what is none may hold anything, and numbers are printed as they are."""
    return displayed_number(truncate(_parse_text(raw) or "", MAX_SHOWN_NUMBER_LENGTH))


# Braces, quotation marks and backslashes are in no token of Fonnte, and would make a template of one that is written to a
# file of variables; a comma separates targets.
_TOKEN = re.compile(r"(?!#jinja2)[!#-&(-+\--\[\]-_a-z|~]+", re.IGNORECASE)


def _parse_token(raw: object) -> str:
    """Return a token that a header and a file of variables can hold; empty for any other."""
    return raw if isinstance(raw, str) and _TOKEN.fullmatch(raw) else ""


def _parse_int(raw: object) -> int | None:
    """Return a whole number that the service sends as such or as text."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    return int(raw) if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw) else None


_LINKED = {"connect": True, "disconnect": False}


def _parse_connected(raw: object) -> bool | None:
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


def _parse_day(raw: object) -> int | None:
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
