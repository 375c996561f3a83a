# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""A client of the service's API: one method per request, with typed responses.

The service refuses with HTTP 200 and ``status: false``, sometimes writes the key as ``Status``, and puts the text
into ``reason`` or into ``detail``. Code outside this file does not see these differences.
"""

from __future__ import annotations

import itertools
import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate

from .._common.clock import Moment
from .._common.errors import RefusedError, RequestError, UnexpectedResponseError
from .._common.phone_numbers import displayed_number, same_number
from .._common.redaction import truncate
from .._device.models import MAX_SHOWN_NUMBER_LENGTH, Device, DeviceList
from .._device.settings import ReadSource, Settings, from_wire, to_wire
from .._device.stamp import Stamp, read_stamp, strip_stamp
from .cache import DeviceListCache
from .message_requests import MessageRequests
from .wire import Guard, Request

if t.TYPE_CHECKING:
    from .._common.redaction import Redactor
    from .transport import Transport

# WhatsApp's codes have eight characters, in two groups. The limit allows for longer ones.
MAX_PAIRING_CODE_LENGTH = 20
MakeMark = t.Callable[[], object]
_REPORT = "no conclusion was drawn from it: check the device in the dashboard, and report this response"


@dataclass(frozen=True)
class SendResult:
    """The response of the service to accepted messages. A value that the response does not contain is None.

    Attributes:
        messages: The ID and the receiver of each message, in the order of the targets.
        process: The service's name for the state of the messages.
        request_id: The service's number for the whole request.
    """

    messages: tuple[tuple[str | None, str | None], ...]
    process: str | None = None
    request_id: int | None = None


class FonnteClient(MessageRequests):
    """The requests of the API, over one transport.

    Args:
        transport: Sends the requests.
        redactor: Gets the tokens in responses, to mask them.
        kept: The device list cache of the account, which other runs of this process may share.
    """

    def __init__(self, transport: Transport, redactor: Redactor, kept: DeviceListCache | None = None) -> None:
        self._transport = transport
        self._redactor = redactor
        self._cache = kept or DeviceListCache()
        self._known_secrets: DeviceList | None = None

    def now(self) -> Moment:
        """Return the current time on the clock that measures the age of a device list."""
        return self._cache.moment()

    def listing(
        self,
        account_token: str,
        number: str,
        device_token: str,
        since: Moment | None = None,
        mark: MakeMark | None = None,
    ) -> DeviceList:
        """Return a device list that is valid for this device, from the cache or from a new request.

        Args:
            account_token: The token of the account.
            number: The number of the device; empty where only its token is known.
            device_token: The token of the device; empty where only its number is known.
            since: The moment at or after which the list must have been requested; None for any.
            mark: Returns a mark of the record; called before a new list is requested.
        """
        kept = self._cache.get(number, device_token, since)
        if kept is None:
            # All workers of a fleet find an expired list at the same time. One request serves all of them.
            with self._cache.request_once():
                kept = self._cache.get(number, device_token, since)
                if kept is None:
                    return self.get_devices(account_token, mark)
        self._add_secrets(kept)
        return kept

    def invalidate_cache(self, *devices: str) -> None:
        """Request the list again at the next use of one of these devices, by number or token."""
        self._cache.invalidate(*devices)

    def get_devices(self, account_token: str, mark: MakeMark | None = None) -> DeviceList:
        """Request the account's device list (/get-devices).

        Args:
            account_token: The token of the account.
            mark: Returns a mark of the record, which is stored with the list.
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
        """Mask the tokens of a list. A fleet uses one list for all its devices, so its tokens are added only once."""
        if listing is not self._known_secrets:
            self._redactor.add_secrets(device.token for device in listing.devices)
            self._known_secrets = listing

    def profile(self, device_token: str) -> Device:
        """Request the device that a token belongs to (/device, which the service rate-limits)."""
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
        """Create a device and return it with its new token (/add-device)."""
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
        """Write settings (/update-device). The service may reset a setting that is omitted.

        Args:
            device_token: The token of the device.
            number: The registered number. It is a writable field: any other one renumbers the device.
                None omits it, which the service may refuse.
            settings: All known settings.
            guard: Called before the request is sent; raises FonnteError to prevent it. It is the same in all methods.
        """
        form = to_wire(settings) if number is None else {"device": number, **to_wire(settings)}
        self._cache.invalidate(device_token)
        self._call("/update-device", device_token, form, guard)

    def disconnect(self, device_token: str, guard: Guard | None = None) -> None:
        """Unlink the WhatsApp account of a device (/disconnect)."""
        self._cache.invalidate(device_token)
        self._call("/disconnect", device_token, {}, guard)

    def request_otp(self, device_token: str, guard: Guard | None = None) -> None:
        """Request that the account's owner gets an OTP for the deletion (/delete-device with an empty otp)."""
        self._call("/delete-device", device_token, {"otp": ""}, guard)

    def delete_device(self, device_token: str, otp: str, guard: Guard | None = None) -> str | None:
        """Delete a device, and return the deleted number according to the response (/delete-device)."""
        if not otp:
            raise ValueError("an empty otp would request a new code")
        self._cache.invalidate(device_token)
        body = self._call("/delete-device", device_token, {"otp": otp}, guard)
        found = re.search(r"\bdevice (\d+) successfully deleted", str(body.get("detail", "")))
        return found.group(1) if found else None

    def send(self, call: Request) -> SendResult:
        """Queue messages (/send). No value of the response is compared with the request: a success is a success."""
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
        """Request the PNG of a QR code that links a phone to the device (/qr)."""
        # Ansible compiles each imported file in every run, and few runs read an image.
        from .qr_image import read_image

        path = "/qr"
        body = self._request_link(path, device_token, {"type": "qr"}, guard)
        try:
            return read_image(_parse_text(body.get("url")) or "")
        except ValueError as fault:
            raise _malformed(path, f"with an image that cannot be used, since {fault}") from None

    def pairing_code(self, device_token: str, whatsapp: str, guard: Guard | None = None) -> str:
        """Request the code to type into the phone of a WhatsApp number (/qr)."""
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
        # A phone may be linked at any moment from now on.
        self._cache.invalidate(device_token)
        return self._call(path, device_token, form, guard)

    def call(self, path: str, token: str, form: t.Mapping[str, str], guard: Guard | None = None) -> dict[str, t.Any]:
        """Send a request, and return the body of its success. For requests that other files of this package parse."""
        return self._call(path, token, form, guard)

    def _call(self, path: str, token: str, form: t.Mapping[str, str], guard: Guard | None = None) -> dict[str, t.Any]:
        return self._request_or_invalidate(Request(path, token, form, guard=guard))

    def _request_or_invalidate(self, call: Request) -> dict[str, t.Any]:
        try:
            return self._request(call)
        except RequestError:
            # After any error, the cached list may be outdated.
            self._cache.invalidate_on_error(call.token, call.form.get("device", ""))
            raise

    def _request(self, call: Request) -> dict[str, t.Any]:
        path, form = call.path, call.form
        reply = self._transport.request(call)
        verdict = reply.body.get("status", reply.body.get("Status"))
        if verdict is True and reply.status < 400:
            return reply.body
        text = (_parse_text(reply.body.get("reason")) or _parse_text(reply.body.get("detail")) or "").strip()
        # The text may contain values of the request.
        name = form.get("name", "")
        text = text.replace(name, strip_stamp(name)) if name else text
        shown = self._redactor.text(text, [call.token], form.values())
        if verdict is False and text:
            raise RefusedError(path, text, shown, reply.status)
        reported = f', with the text "{shown}"' if text else ""
        raise UnexpectedResponseError(
            f"the service sent a response to {path} that is neither a success nor a refusal (HTTP "
            f"{reply.status}){reported}",
            _REPORT,
            # A success with an HTTP error status is ambiguous: the request may have been applied.
            reply.status < 400 or verdict is True,
        )


def _malformed(path: str, what: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"the service sent a response to {path} {what}", _REPORT, True)


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
    """Return a string that can be encoded: the service may cut an emoji into half of a surrogate pair."""
    return raw.encode("utf-8", "replace").decode("utf-8") if isinstance(raw, str) else None


def _parse_texts(raw: object) -> list[str | None]:
    """Return the strings of a list, with numbers converted. A single value counts as a list of one."""
    items = raw if isinstance(raw, list) else [] if raw is None else [raw]
    return [str(item) if isinstance(item, int) else _parse_text(item) for item in items]


def _parse_number(raw: object) -> str:
    """Return a number as it is displayed, cut to a limit: the service may send any string, and it is printed."""
    return displayed_number(truncate(_parse_text(raw) or "", MAX_SHOWN_NUMBER_LENGTH))


# No token of Fonnte has braces, quotation marks or backslashes. In a file of variables they could form a template. A
# comma separates targets.
_TOKEN = re.compile(r"(?!#jinja2)[!#-&(-+\--\[\]-_a-z|~]+", re.IGNORECASE)


def _parse_token(raw: object) -> str:
    """Return a token that a header and a file of variables can contain; an empty string for any other value."""
    return raw if isinstance(raw, str) and _TOKEN.fullmatch(raw) else ""


# Each integer in the documented responses is far smaller.
MAX_INT = 10**18


def _parse_int(raw: object) -> int | None:
    """Return an integer that the service sends as a number or as a string; None for any other value."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw if abs(raw) < MAX_INT else None
    return int(raw) if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw) else None


_LINKED = {"connect": True, "disconnect": False}


def _parse_connected(raw: object) -> bool | None:
    return _LINKED.get(raw) if isinstance(raw, str) else None


def _parse_day(raw: object) -> int | None:
    """Return the unix time of a date such as "18 November 2029", in any locale; None for any other value."""
    if not isinstance(raw, str) or not re.fullmatch(r"\d{1,2} [A-Za-z]+ \d{4}", raw.strip(), re.ASCII):
        return None
    found = parsedate(f"{raw} 00:00:00")
    try:
        return int(datetime(*found[:3], tzinfo=timezone.utc).timestamp()) if found else None
    except ValueError:
        return None
