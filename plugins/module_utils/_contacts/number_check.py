# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""Validate numbers with the phone of a device: 500 per request, and one request at a time for each device."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._api.contact_requests import VALIDATE_PATH, NumberReport, validate_numbers
from .._common.errors import RefusalKind, RefusedError, RequestError, UnexpectedResponseError, error_context
from .._common.redaction import printable
from .._reconcile.locks import LOCK_SECONDS
from .device_access import DeviceAccess, is_unlinked
from .number_list import WantedNumber, match_report, split_batches

if t.TYPE_CHECKING:
    from .._reconcile.observe import RunContext

# The name of the lock, which belongs to no entry of the record.
LOCK_NAME = "validate"
MAX_LISTED = 5
_REPORT = (
    "no conclusion was drawn from it: run the task again while no other program validates numbers with this device"
)


@dataclass
class NumberCheck:
    """The answers so far.

    Attributes:
        wanted: The numbers of the task, in its order.
        answers: Whether a number has a WhatsApp account, by its key. A number without an answer is missing.
        foreign: Numbers that the service returned, and that were not requested.
    """

    wanted: t.Sequence[WantedNumber]
    answers: dict[str, bool] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)

    def written(self, answer: bool | None) -> list[str]:
        """Return the numbers with an answer, as the user wrote them; with None, those without one."""
        return [number.written for number in self.wanted if self.answers.get(number.key) is answer]

    def to_result(self) -> dict[str, t.Any]:
        """Return the keys of the module's result."""
        return {
            "registered": self.written(True),
            "not_registered": self.written(False),
            "unanswered": self.written(None),
            "results": [
                {
                    "number": number.written,
                    "international": number.international,
                    "registered": self.answers.get(number.key),
                }
                for number in self.wanted
            ],
        }

    def warnings(self) -> list[str]:
        """Return the warnings about numbers that are missing in the responses, and about others in them."""
        missing = self.written(None)
        warnings = [f"Fonnte returned no answer for {_few(missing)}: see unanswered."] if missing else []
        if self.foreign:
            warnings.append(
                f"Fonnte returned answers for numbers that were not requested, such as {_few(self.foreign)}: another "
                "program may validate numbers with this device at the same time."
            )
        return warnings


def check_numbers(context: RunContext, access: DeviceAccess, check: NumberCheck, country: str | None) -> None:
    """Validate the numbers, and add each answer. After an error, the answers of earlier requests remain.

    Args:
        context: The context of the run.
        access: The device.
        check: The numbers.
        country: The country code that replaces a first 0; None for the default of the service.

    Raises:
        FonnteError: A request failed, or another run validates with this device for too long.
    """
    if not check.wanted:
        return
    with error_context(f"Validating numbers with {access.name}"):
        # Held for all requests: a run that waits between two of them might never get its turn.
        with context.records.lock_request(access.token, LOCK_NAME, LOCK_SECONDS):
            for batch in split_batches(check.wanted):
                _add_answers(check, batch, _request(context, access, batch, country))


def _request(
    context: RunContext, access: DeviceAccess, batch: t.Sequence[WantedNumber], country: str | None
) -> NumberReport:
    def guard() -> None:
        context.lineage.require()
        context.records.backend.verify_held()

    numbers = [number.international for number in batch]
    try:
        return validate_numbers(context.client, access.token, numbers, country, guard)
    except RefusedError as fault:
        # The text with which the service refuses a device that is not linked is undocumented.
        if fault.kind is RefusalKind.UNKNOWN and is_unlinked(context, access):
            fault.kind = RefusalKind.NOT_LINKED
            fault.problem += ", and no phone is linked to the device"
            fault.advice = "link the device first, with fonnte.whatsapp.fonnte_device_qr"
        raise
    except RequestError as fault:
        if fault.may_be_applied:
            fault.advice = "wait a minute, since Fonnte may still work on the request, and run the task again"
        raise


def _add_answers(check: NumberCheck, batch: t.Sequence[WantedNumber], report: NumberReport) -> None:
    answers, both, foreign = match_report(batch, report)
    if both:
        raise UnexpectedResponseError(
            f"the service sent a response to {VALIDATE_PATH} in which {_few(both)} is registered and not registered",
            _REPORT,
            True,
        )
    if not answers:
        raise UnexpectedResponseError(
            f"the service sent a response to {VALIDATE_PATH} without any of the {len(batch)} requested numbers",
            _REPORT,
            True,
        )
    check.answers.update(answers)
    check.foreign += foreign[: MAX_LISTED - len(check.foreign)]


def _few(numbers: t.Sequence[str]) -> str:
    more = len(numbers) - MAX_LISTED
    return ", ".join(map(printable, numbers[:MAX_LISTED])) + (f" and {more} more" if more > 0 else "")
