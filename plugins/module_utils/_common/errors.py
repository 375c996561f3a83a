# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Typed errors, and the table of the texts with which the service refuses a request.

The message of an error is one sentence: the operation and its device, the problem, the required action. The parts are
stored separately, because the code that finds the problem (the transport) does not know the operation (the engine).
"""

from __future__ import annotations

import contextlib
import enum
import re
import typing as t
from dataclasses import dataclass

# The end of an error that is raised before the first write.
UNCHANGED = "(nothing was changed)"


class FonnteError(Exception):
    """The base class of errors that end a run and that the user can resolve.

    Attributes:
        problem: The problem, without a full stop.
        advice: The required action, without a full stop.
        operation: The attempted operation and its device; set by the caller. Empty until then.
        partial_result: The keys of the module's result that are already known.
        warnings: Further warnings for the user.
    """

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice
        self.operation = ""
        self.partial_result: dict[str, t.Any] = {}
        self.warnings: list[str] = []

    def __str__(self) -> str:
        start = f"{self.operation}: " if self.operation else ""
        return f"{start}{self.problem}; {self.advice}."


def limit_scope(text: str, where: str) -> str:
    """Return the text of an error that concerns a part of a run: the rest of the run may have changed something."""
    return text.replace(UNCHANGED, f"{UNCHANGED[:-1]} {where})")


@contextlib.contextmanager
def error_context(what: str) -> t.Iterator[None]:
    """Set the attempted operation, with its device, of a FonnteError that has none yet."""
    try:
        yield
    except FonnteError as fault:
        fault.operation = fault.operation or what
        raise


class OptionError(FonnteError):
    """An option has an invalid value. It is found before any request."""

    def __init__(self, option: str, problem: str, advice: str) -> None:
        super().__init__(problem, advice)
        self.operation = f"Option {option}"


class VariableError(FonnteError):
    """An environment variable has an invalid value, which is not shown. It is found before any request."""

    def __init__(self, variable: str, problem: str, advice: str) -> None:
        super().__init__(problem, advice)
        self.operation = f"Environment variable {variable}"


class PolicyError(FonnteError):
    """The user's policy forbids a planned operation; nothing was written."""

    def __init__(self, problem: str, advice: str, at_risk: tuple[str, ...] = ()) -> None:
        super().__init__(problem, advice)
        self.at_risk = at_risk


class SafetyLimitError(FonnteError):
    """The run would exceed a safety limit; nothing was written."""


class NotFoundError(FonnteError):
    """The device is not in the account or state that the task expects; nothing was written."""


class MissingLibraryError(FonnteError):
    """A Python library is not installed on the host that runs the task."""

    def __init__(self, library: str, trace: str) -> None:
        super().__init__(f"the Python library {library} is missing", f"install {library} where the task runs")
        self.library = library
        self.trace = trace


class RecordError(FonnteError):
    """The record cannot be used, so no request that depends on it may be sent."""


class DamagedRecordError(RecordError):
    """A file of the record cannot be decrypted. It counts as missing, and the next write sets it aside."""


class ForeignRecordError(DamagedRecordError):
    """A file of the record contains the entry of another file: it was moved or copied without the token."""


class UnsafeFileError(RecordError):
    """A file of the record is a link or belongs to another user; reading or writing it could affect another file."""


class RecordLockedError(RecordError):
    """Another run holds the lock of the device's record."""


class RecordChangedError(RecordError):
    """An entry of the record has changed since the plan was created from it; nothing was written."""


class RequestError(FonnteError):
    """A request did not end with a success response.

    Attributes:
        may_be_applied: Whether the service may have carried out the request nevertheless.
        transient: Whether the connection failed in a way that a retry may resolve.
    """

    may_be_applied = False
    transient = False


class UnreachableError(RequestError):
    """No request reached the service."""


class StaleListError(UnreachableError):
    """The device list that identifies the device is too old for the request, so the request was not sent."""


class ResponseLostError(RequestError):
    """The request may have reached the service, but no complete response was received."""

    may_be_applied = True


def may_be_applied(fault: FonnteError) -> bool:
    """Return whether the service may have carried out the request that ended with this error."""
    return isinstance(fault, RequestError) and fault.may_be_applied


class UnexpectedResponseError(RequestError):
    """A response is not an answer of the API: for example HTML, incomplete JSON, a redirect, or a 502."""

    def __init__(self, problem: str, advice: str, may_be_applied: bool) -> None:
        super().__init__(problem, advice)
        self.may_be_applied = may_be_applied


class MalformedResponseError(UnexpectedResponseError):
    """A response is not a JSON object: it is empty, incomplete, or an HTML page.

    Attributes:
        status: The HTTP status of the response, if it is known.
    """

    def __init__(self, problem: str, advice: str, may_be_applied: bool, status: int | None = None) -> None:
        super().__init__(problem, advice, may_be_applied)
        self.status = status


class RateLimitedError(RequestError):
    """The service limits the rate (429, or 503 with a Retry-After for a read request) until no attempt is left."""


class RefusalKind(enum.Enum):
    """The meaning of a refusal for the code that sent the request. A new one is needed only if code must act on it."""

    # Of /add-device, it ends a fleet; of /send, another token is tried; of a deletion, the device is gone.
    INVALID_TOKEN = enum.auto()
    # An update with empty webhooks is sent without them. If they are refused again, they are reported as not cleared.
    INVALID_INPUT = enum.auto()
    # The list may be outdated: the device is observed again.
    ALREADY_EXISTS = enum.auto()
    GONE = enum.auto()
    # A fleet creates no further free device.
    ACCOUNT_FULL = enum.auto()
    # As INVALID_INPUT, but a second refusal is an error: the receiver of the webhook has failed.
    WEBHOOK = enum.auto()
    # The state is as declared.
    ALREADY_DONE = enum.auto()
    # A code is on its way: no second one is requested.
    OTP_PENDING = enum.auto()
    OTP_LOCKED = enum.auto()
    OTP_WRONG = enum.auto()
    OTP_NOT_REQUESTED = enum.auto()
    NO_QUOTA = enum.auto()
    # Groups and numbers cannot be read from a phone.
    NOT_LINKED = enum.auto()
    # A phone cannot be linked; the advice names another linked free device.
    BLOCKED = enum.auto()
    # A text without a row: it may be temporary, so waits go on.
    UNKNOWN = enum.auto()


@dataclass(frozen=True)
class Refusal:
    """A refusal text of the service, matched as a whole: "free device already connected" is another text.

    Attributes:
        call: The path of the endpoint.
        pattern: A regular expression for the whole text.
        kind: The meaning of the text.
        advice: The required action, without a full stop.
    """

    call: str
    pattern: str
    kind: RefusalKind
    advice: str


_ACCOUNT_TOKEN = (
    "copy the whole account token of the dashboard's Setting menu, without quotes: it may have been replaced there; "
    "a device's token does not work here"
)
_DEVICE_TOKEN = (
    "use the token of this device; the account token does not work here, and a recreated device has a new one"
)
_VERIFY_BY_LIST = "run the playbook again, which reads the current state first"

REFUSALS: tuple[Refusal, ...] = (
    Refusal("/get-devices", r"unknown user", RefusalKind.INVALID_TOKEN, _ACCOUNT_TOKEN),
    Refusal("/add-device", r"unknown user", RefusalKind.INVALID_TOKEN, _ACCOUNT_TOKEN),
    Refusal("/add-device", r"input invalid", RefusalKind.INVALID_INPUT, "check the name and the number"),
    Refusal(
        "/add-device",
        r"too much free device",
        RefusalKind.ACCOUNT_FULL,
        "an account can have ten free devices: delete one, or buy a package for one",
    ),
    Refusal(
        "/add-device",
        r"device already exist",
        RefusalKind.ALREADY_EXISTS,
        "either another account has this number, or it is a free device that the list omits: in that case, set its "
        "device_token",
    ),
    Refusal(
        "/update-device",
        r"device not found",
        RefusalKind.GONE,
        "it was deleted or purged since it was listed; " + _VERIFY_BY_LIST,
    ),
    Refusal(
        "/update-device",
        r"webhook url .*",
        RefusalKind.WEBHOOK,
        "the receiver of a webhook must answer a POST request with 200 while the webhook is saved: start it, or "
        "correct the URL",
    ),
    Refusal("/update-device", r"input invalid", RefusalKind.INVALID_INPUT, "check the name and the number"),
    Refusal("/update-device", r"invalid/empty body value", RefusalKind.INVALID_INPUT, "check the declared settings"),
    Refusal("/device", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal("/disconnect", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal("/disconnect", r"device already disconnected", RefusalKind.ALREADY_DONE, "no action is required"),
    Refusal("/delete-device", r"invalid device", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal(
        "/delete-device",
        r"please wait (?P<seconds>\d{1,9}) seconds before requesting new otp",
        RefusalKind.OTP_PENDING,
        "a code was already requested: check the WhatsApp of the account's owner",
    ),
    Refusal(
        "/delete-device",
        r"otp haven't requested",
        RefusalKind.OTP_NOT_REQUESTED,
        "run once with request_otp: true and without otp, then with the code that the account's owner receives "
        "by WhatsApp",
    ),
    Refusal(
        "/delete-device",
        r"delete failed\. try again in (?P<seconds>\d{1,9}) seconds",
        RefusalKind.OTP_LOCKED,
        "too many wrong codes were tried: wait that long, then use the newest code",
    ),
    Refusal(
        "/delete-device",
        r"incorrect OTP",
        RefusalKind.OTP_WRONG,
        "use the newest code in the WhatsApp of the account's owner; the wrong code was not tried again, since wrong "
        "codes lock the device",
    ),
    Refusal("/send", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal(
        "/send",
        r"insufficient quota",
        RefusalKind.NO_QUOTA,
        "buy a package with more messages for the device, or wait",
    ),
    Refusal("/send", r"target invalid", RefusalKind.INVALID_INPUT, "check the numbers in target, and country_code"),
    Refusal(
        "/send",
        r"invalid/empty body value",
        RefusalKind.INVALID_INPUT,
        "check the options; attachments need a device with the package Super, Advanced or Ultra",
    ),
    Refusal(
        "/send",
        r"message cannot empty",
        RefusalKind.INVALID_INPUT,
        "set msg as well: Fonnte requires a text also for an attachment by url",
    ),
    Refusal(
        "/send",
        r"request invalid on disconnected device",
        RefusalKind.NOT_LINKED,
        "link the device first, or set connect_only: false to queue the message without a linked phone",
    ),
    Refusal("/status", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal("/status", r"id required", RefusalKind.INVALID_INPUT, "check the message in the dashboard"),
    Refusal("/get-whatsapp-group", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal("/fetch-group", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal(
        "/fetch-group",
        r"cannot fetch with disconnected device",
        RefusalKind.NOT_LINKED,
        "link the device first, with fonnte.whatsapp.fonnte_device_qr",
    ),
    Refusal(
        "/fetch-group",
        r"failed to fetch whatsapp group list",
        RefusalKind.UNKNOWN,
        "check that the linked phone is online; the attempt counts as a refresh",
    ),
    Refusal("/validate", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal("/validate", r"target required", RefusalKind.INVALID_INPUT, "check numbers and country_code"),
    Refusal("/validate", r"target invalid", RefusalKind.INVALID_INPUT, "check numbers and country_code"),
    Refusal("/qr", r"token invalid", RefusalKind.INVALID_TOKEN, _DEVICE_TOKEN),
    Refusal("/qr", r"device already connect", RefusalKind.ALREADY_DONE, "no action is required"),
    Refusal(
        "/qr",
        r"free device already connected",
        RefusalKind.BLOCKED,
        "another free device of the account is linked, and only one can be linked: disconnect that device with "
        "fonnte.whatsapp.fonnte_device and state: disconnected, or buy a package for one of the two",
    ),
)


class RefusedError(RequestError):
    """The service received the request and refused it; nothing was applied.

    Attributes:
        call: The path of the endpoint.
        text: The text of the service, safe to print.
        kind: The meaning of the text according to ``REFUSALS``.
        seconds: The seconds to wait, if the text contains them.
        status: The HTTP status of the response, if it is known.
    """

    def __init__(self, call: str, text: str, shown: str, status: int | None = None) -> None:
        refusal, seconds = _look_up(call, text)
        advice = (
            refusal.advice
            if refusal
            else "this error is not known to the collection: check the device in the dashboard"
        )
        super().__init__(f'Fonnte returned "{shown}"', advice)
        self.call = call
        self.text = shown
        self.kind = refusal.kind if refusal else RefusalKind.UNKNOWN
        self.seconds = seconds
        self.status = status


def _look_up(call: str, text: str) -> tuple[Refusal | None, int | None]:
    for refusal in REFUSALS:
        found = re.fullmatch(refusal.pattern, text, re.DOTALL) if refusal.call == call else None
        if found:
            seconds = found.groupdict().get("seconds")
            return refusal, int(seconds) if seconds else None
    return None, None
