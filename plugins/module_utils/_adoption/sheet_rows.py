# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Validate the rows of a sheet, and convert them to registered devices and their settings."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.errors import OptionError
from .._common.phone_numbers import NumberIndex, has_country, parse_number, refuse_lost_zero
from .._device.settings import BY_OPTION, Settings, Value, ValueType, validate
from .sheets import COLUMNS, KEEP_AS_TEXT, NO, NONE, YES, CellError, Row, Sheet, shown


@dataclass(frozen=True)
class ValidatedRow:
    """A valid row.

    Attributes:
        row: The row.
        number: The registered number of its device.
        settings: The settings that are filled in.
    """

    row: Row
    number: str
    settings: Settings


def check(sheet: Sheet, registered: t.Sequence[str]) -> tuple[list[ValidatedRow], list[CellError]]:
    """Return the valid rows of a sheet, and all errors in it.

    Args:
        sheet: The sheet as it is written.
        registered: The numbers that the account lists.
    """
    filled: list[ValidatedRow] = []
    wrong = list(sheet.errors)
    places: dict[str, Row] = {}
    index = NumberIndex(registered)
    for row in sheet.rows:
        settings, wrong_cells = _settings(row)
        number = ""
        try:
            number = _registered(row, index)
        except OptionError as fault:
            wrong.append(_cell_error(row, "device", fault))
        wrong += wrong_cells
        if number in places:
            wrong.append(
                CellError(
                    row.place,
                    number,
                    "device",
                    f"{places[number].place} is for the same device",
                    "remove one of the two",
                )
            )
        elif number:
            places[number] = row
            filled.append(ValidatedRow(row, number, settings))
    return filled, wrong


def _cell_error(row: Row, column: str, fault: OptionError) -> CellError:
    return CellError(row.place, shown(row.number), column, fault.problem, fault.advice)


def _registered(row: Row, registered: NumberIndex) -> str:
    if not row.number:
        raise OptionError("device", "it is empty", "write the number, or remove the row")
    found = registered.locate(parse_number(row.number, "device", KEEP_AS_TEXT), has_country(row.number))
    if not found:
        raise OptionError("device", "the account does not list it", "correct the number, or remove the row")
    if len(found) > 1:
        raise OptionError("device", f"the account lists it as {' and as '.join(found)}", "write exactly one of these")
    return found[0]


def _settings(row: Row) -> tuple[dict[str, Value], list[CellError]]:
    settings: dict[str, Value] = {}
    wrong = []
    for column in COLUMNS:
        if column in row.cells:
            try:
                settings[column] = _READ[BY_OPTION[column].value_type](column, row.cells[column])
            except OptionError as fault:
                wrong.append(_cell_error(row, column, fault))
    return settings, wrong


def _flag(option: str, text: str) -> Value:
    if text.lower() not in YES + NO:
        raise OptionError(option, "it is neither yes nor no", "write yes or no, or leave it empty")
    return text.lower() in YES


def _target(option: str, text: str) -> Value:
    if text.lower() == NONE:
        return ""
    digits = parse_number(text, option, KEEP_AS_TEXT)
    refuse_lost_zero(text, digits, option)
    return digits


def _webhook(option: str, text: str) -> Value:
    if text.lower() == NONE:
        return ""
    value, problem = "", ""
    try:
        value = str(validate(option, text))
    except OptionError as fault:
        problem = fault.problem
    if problem:
        raise OptionError(option, problem, f"write the whole URL, as the dashboard shows it, or {NONE}")
    return value


def _country(option: str, text: str) -> Value:
    return validate(option, text[1:] if text.startswith("+") else text)


_READ: dict[ValueType, t.Callable[[str, str], Value]] = {
    ValueType.NAME: validate,
    ValueType.FLAG: _flag,
    ValueType.URL: _webhook,
    ValueType.NUMBER: _target,
    ValueType.COUNTRY: _country,
}
