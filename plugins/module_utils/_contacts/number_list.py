# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.
"""The numbers of a task that validates them: parsed before any request, and matched with the responses (pure)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.errors import OptionError
from .._common.phone_numbers import COUNTRY, canonical, dialed_number

if t.TYPE_CHECKING:
    from .._api.contact_requests import NumberReport

MAX_PER_REQUEST = 500
MAX_LISTED_PROBLEMS = 10


@dataclass(frozen=True)
class WantedNumber:
    """A number of the task.

    Attributes:
        written: The number as the user wrote it.
        international: The number in international form, which is sent. With ``country_code: "0"``, its digits.
    """

    written: str
    international: str

    @property
    def key(self) -> str:
        """The form in which it is compared: the service returns the form with 62 for any request."""
        return canonical(self.international)


def parse_wanted(values: t.Sequence[object], country: str | None) -> list[WantedNumber]:
    """Return the numbers of a task.

    Args:
        values: The values of the option ``numbers``.
        country: The country code that replaces a first 0; None for the default of the service.

    Raises:
        OptionError: Some values are no numbers; it lists them with their indices.
    """
    wanted: list[WantedNumber] = []
    faults: list[OptionError] = []
    for index, value in enumerate(values):
        try:
            _address, dials = dialed_number(value, country or COUNTRY, f"numbers[{index}]")
            wanted.append(WantedNumber(str(value), dials))
        except OptionError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listed = [f"{fault.operation[len('Option ') :]}: {fault.problem}" for fault in faults[:MAX_LISTED_PROBLEMS]]
        more = len(faults) - len(listed)
        raise OptionError(
            "numbers",
            f"{len(faults)} items are not valid: {', '.join(listed)}{f' and {more} more' if more else ''}",
            "correct or remove them",
        )
    return wanted


def split_batches(wanted: t.Iterable[WantedNumber]) -> list[list[WantedNumber]]:
    """Return the numbers in groups for one request each. Several spellings of a number are sent once."""
    unique = list({number.key: number for number in wanted}.values())
    return [unique[start : start + MAX_PER_REQUEST] for start in range(0, len(unique), MAX_PER_REQUEST)]


def match_report(batch: t.Iterable[WantedNumber], report: NumberReport) -> tuple[dict[str, bool], list[str], list[str]]:
    """Return the answers in a response by the keys of the numbers, and two lists of suspect numbers.

    Returns:
        The answers, the requested numbers that the response has in both lists, and those that were not requested.
    """
    asked = {number.key for number in batch}
    yes, no = ({canonical(number): number for number in part} for part in (report.registered, report.not_registered))
    answers = {**{key: False for key in no if key in asked}, **{key: True for key in yes if key in asked}}
    both = [shown for key, shown in yes.items() if key in no]
    return answers, both, [shown for key, shown in {**no, **yes}.items() if key not in asked]
