# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The errors of a run that planned again after a failed request, and could not finish."""

from __future__ import annotations

from .._common.errors import (
    UNCHANGED,
    FonnteError,
    RequestError,
    ResponseLostError,
)
from .state import DELETE, REQUEST_OTP


class _AnotherDeviceError(FonnteError):
    """The number of a device has another device now, or the device has another number."""


_VERIFY_CODE = "check the WhatsApp of the account's owner, and run with otp if it has a code"


_RUN_AGAIN = {
    REQUEST_OTP: _VERIFY_CODE,
    DELETE: "it still exists: run again with the same code, or request a new one",
}


_NOT_LISTED = {
    REQUEST_OTP: _VERIFY_CODE,
    DELETE: "run again with the same code: if the device is gone, nothing is done",
}


def _not_listed_error(fault: RequestError, second: FonnteError, lost: str) -> FonnteError:
    """Return the error if the device cannot be observed again: a request that may be applied comes first."""
    if not fault.may_be_applied:
        return second
    unseen = _unknown_error(fault, _NOT_LISTED.get(lost, "run it again: it first checks the result of this request"))
    unseen.problem += f"; reading it again failed as well ({second.problem})"
    return unseen


def _another_device_error(fault: RequestError, another: _AnotherDeviceError) -> FonnteError:
    """Return the error of a run whose remaining operations would go to another device."""
    if fault.may_be_applied:
        return _unknown_error(fault, f"{another.problem}: {another.advice}")
    reported = FonnteError(f"{fault.problem}, and the rest is not done: {another.problem}", another.advice)
    reported.operation = fault.operation
    return reported


def _forbidden_error(fault: RequestError, refusal: FonnteError) -> RequestError:
    """Return the error for a policy or limit that forbids the rest, after a request that may have been applied."""
    advice = refusal.advice.replace(f" {UNCHANGED}", "")
    forbidden = ResponseLostError(
        f"{fault.problem}, and a policy or safety limit forbids the rest: {refusal.problem}", advice
    )
    forbidden.operation = fault.operation
    return forbidden


def _unknown_error(fault: RequestError, advice: str) -> RequestError:
    """Return the error for a request that must not be repeated, and of which it is unknown whether it was applied."""
    unknown = ResponseLostError(
        f"{fault.problem}, and it is unknown whether the service carried out the request", advice
    )
    unknown.operation = fault.operation
    return unknown
