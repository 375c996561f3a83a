# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The sheet that a person fills in: a row for each device, a cell for each setting that Fonnte never shows.

It is a CSV file for a spreadsheet, or a YAML file with the same content. Every cell is read as a string in both, so
that neither YAML nor a spreadsheet changes a number. Damage by a spreadsheet is detected and reported. A message never
contains the content of a cell: a URL in the wrong column would reveal its secret.
"""

from __future__ import annotations

import csv
import io
import re
import typing as t
from dataclasses import dataclass

from .._common import yaml_edit as yaml_text
from .._common.input_files import EncodingError, decode_text
from .._common.phone_numbers import NumberIndex, parse_number
from .._common.redaction import printable
from .._common.spreadsheet import BOM, guard_formula, spreadsheet_safe
from .._common.yaml_edit import YamlEditError
from .._device.settings import SETTINGS, ReadSource

# Settings in the device list of the account need not be filled in by a person.
COLUMNS: tuple[str, ...] = tuple(setting.option for setting in SETTINGS if ReadSource.LIST not in setting.readable)
HEAD: tuple[str, ...] = ("device", "name", *COLUMNS)
SEPARATORS = (",", ";", "\t")
NONE = "none"
YES = ("yes", "on", "true", "ya")
NO = ("no", "off", "false", "tidak")
YAML_LIST = "devices"

# Excel's line that declares the separator.
_SEPARATOR_LINE = "sep="
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_ ]{0,29}")

KEEP_AS_TEXT = "write it with dashes, as in 0812-0000-1001, so that the spreadsheet does not change it"
_AS_CSV = 'save it as "CSV UTF-8", separated by commas or semicolons'

GUIDE: tuple[str, ...] = (
    "Settings that Fonnte never shows to a program, for you to look up.",
    "",
    "To find them: log in to Fonnte, open the menu Device, and press Edit in the row of the device.",
    "An empty cell means that you did not check the setting. It is then not managed, and nothing is assumed about it.",
    f"personal, group, quick, resend: {' or '.join(YES[:2])}, {' or '.join(NO[:2])}"
    f" ({', '.join((*YES[2:], *NO[2:]))} also work).",
    "target: the number that attachments are forwarded to, as the dashboard shows it, such as 0812-0000-1001.",
    "A number that starts with 8 has lost its 0: write the 0, or a + if 8 begins the code of its country.",
    "country_code: the country code for the target, such as 62.",
    "webhook, webhook_connect, webhook_status, webhook_chaining: the whole URL, as the dashboard shows it.",
    f"For a target or a webhook that is not set, write the word {NONE}. That is not the same as an empty cell.",
    "The name helps you to find the device. It is not read.",
    "The URLs are secrets: keep this file private, and delete it when you are done.",
)


@dataclass(frozen=True)
class CellError:
    """A cell that cannot be valid, and the action to correct it. It does not contain the content of the cell."""

    row: str
    device: str
    column: str
    problem: str
    advice: str

    def __str__(self) -> str:
        device = f" ({self.device})" if self.device else ""
        return f"{self.row}{device}, column {self.column}: {self.problem} ({self.advice})"


@dataclass(frozen=True)
class Row:
    """A row as it is written.

    Attributes:
        place: Its position in the file.
        cells: Its cells by column, without the empty ones.
    """

    place: str
    cells: t.Mapping[str, str]

    @property
    def number(self) -> str:
        """The number in the row, as it is written."""
        return self.cells.get("device", "")


@dataclass(frozen=True)
class Sheet:
    """A sheet as it is written, and the errors in its form."""

    rows: tuple[Row, ...]
    errors: tuple[CellError, ...] = ()


@dataclass(frozen=True)
class Listed:
    """A device as the account lists it.

    Attributes:
        number: Its number.
        name: Its name; empty if it is unknown.
    """

    number: str
    name: str = ""


# --- decoding -----------------------------------------------------------------------------------------------------


def decode(raw: bytes, path: str) -> str:
    """Return the text of a file that a person has saved.

    Raises:
        YamlEditError: It is not a text file, or has an unknown encoding.
    """
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise YamlEditError(f"{path} is a file of a spreadsheet program", _AS_CSV)
    try:
        text = decode_text(raw)
    except EncodingError as exc:
        raise YamlEditError(f"{path} {exc}", _AS_CSV if is_sheet(path) else "save it as UTF-8") from None
    if text.startswith(yaml_text.VAULT_HEADER):
        raise YamlEditError(f"{path} is encrypted with ansible-vault", "decrypt it first (ansible-vault decrypt)")
    return text


def is_sheet(path: str) -> bool:
    """Return whether a file is that of a spreadsheet program, by its name."""
    return not path.endswith((".yml", ".yaml"))


# --- CSV ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Table:
    """A CSV file.

    Attributes:
        rows: Its rows, including the head, with their row numbers in a spreadsheet.
        separator: Its separator.
    """

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    separator: str

    @property
    def head(self) -> tuple[str, ...]:
        return tuple(cell.lower() for cell in self.rows[0][1])


def read_csv(text: str, path: str) -> Sheet:
    """Return the rows of a CSV file with commas, semicolons or tabs between its cells. A BOM is ignored.

    Raises:
        YamlEditError: It has no head, or cannot be parsed.
    """
    table = _table(text, path)
    wrong = list(_column_errors(f"row {table.rows[0][0]}", "", table.head))
    rows = []
    for number, cells in table.rows[1:]:
        if not any(cells):
            continue
        row = Row(f"row {number}", {column: cell for column, cell in zip(table.head, cells) if cell})
        if any(cells[len(table.head) :]):
            wrong.append(
                CellError(row.place, shown(row.number), "(after the last)", "it has more cells than the header", _QUOTE)
            )
        rows.append(row)
    return Sheet(tuple(rows), tuple(wrong))


_QUOTE = 'enclose a cell that contains a separator in double quotes ("...")'


def _table(text: str, path: str) -> _Table:
    text = text[1:] if text.startswith(BOM) else text
    separator = _separator(text)
    if separator:
        return _Table(_split(text, separator, path), separator)
    if all(column in text.lower() for column in COLUMNS):
        raise YamlEditError(
            f"{path} has all cells of a row in one cell", "open it again with the right separator, and " + _AS_CSV
        )
    below = next((number for number, line in enumerate(text.splitlines(), start=1) if _separates(line)), 0)
    if below:
        raise YamlEditError(
            f"{path} has its columns in row {below}, and other rows above them", "delete the rows above that row"
        )
    raise YamlEditError(f"{path} has no column device in its first row", "restore the first row: " + ",".join(HEAD))


def _separator(text: str) -> str:
    """Return the separator of the cells, according to the first row; empty if that has no column for the number."""
    return _separates(
        next((line for line in text.splitlines() if line.strip() and not line.startswith(_SEPARATOR_LINE)), "")
    )


def _separates(first: str) -> str:
    """Return the separator of the cells in a row with a column for the number; empty if it has no such column."""
    for separator in SEPARATORS:
        if "device" in (_clean(cell).lower() for cell in first.replace('"', "").split(separator)):
            return separator
    return ""


def _split(text: str, separator: str, path: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, tuple[str, ...]]] = []
    broken = False
    try:
        for number, cells in enumerate(reader, start=1):
            if (rows and cells) or (any(cells) and not cells[0].startswith(_SEPARATOR_LINE)):
                rows.append((number, tuple(_clean(cell) for cell in cells)))
    except csv.Error:
        broken = True
    if broken:
        raise YamlEditError(
            f"{path} cannot be parsed after row {rows[-1][0] if rows else 0}", "check for an extra double quote"
        )
    return tuple(rows)


def _clean(cell: str) -> str:
    text = cell.strip()
    # A spreadsheet uses this character to keep a number as it is written.
    return text[1:].strip() if text.startswith("'") else text


def _column_errors(place: str, device: str, columns: t.Sequence[str]) -> t.Iterator[CellError]:
    for index, column in enumerate(columns, start=1):
        if column and column not in HEAD:
            # If the head is missing, this row is the first device, with its secrets.
            reported = column if _WORD.fullmatch(column) else str(index)
            yield CellError(place, device, reported, "there is no such setting", "the names are " + ", ".join(HEAD))
        elif column and column in columns[: index - 1]:
            yield CellError(place, device, column, "it occurs twice", "remove one")


def csv_with(text: str, path: str, devices: t.Sequence[Listed], separator: str) -> str:
    """Return a CSV file with a new row for each of these devices without one. Existing rows stay unchanged."""
    if text:
        table = _table(text, path)
        text, separator, head = yaml_text.ending_with_newline(text), table.separator, table.head
        known = NumberIndex(row.number for row in read_csv(text, path).rows)
    else:
        # Without the BOM, a spreadsheet shows non-English names incorrectly.
        head, known = HEAD, NumberIndex(())
        text = BOM + _csv_line(head, separator)
    new = [device for device in devices if not _has_row(device.number, known)]
    return text + "".join(_csv_line([_first_cell(column, device) for column in head], separator) for device in new)


def _csv_line(cells: t.Iterable[str], separator: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _first_cell(column: str, device: Listed) -> str:
    if column == "device":
        return spreadsheet_safe(device.number)
    if column == "name":
        # The name is not read again: neither a terminal nor a spreadsheet may run it.
        return guard_formula(printable(device.name))
    return ""


# --- YAML ---------------------------------------------------------------------------------------------------------


def read_yaml(text: str, path: str) -> Sheet:
    """Return the rows of a sheet in YAML. Values are read as they are written: yes is a word, and 0812 keeps its zero.

    Raises:
        YamlEditError: It is not YAML, or not a list of devices.
    """
    rows: list[Row] = []
    wrong: list[CellError] = []
    for node in yaml_text.parts(_yaml_list(text, path)):
        place = f"line {node.start_mark.line + 1}"
        columns = yaml_text.keys(node)
        cells = {column: yaml_text.to_data(value) for column, value in yaml_text.pairs(node).items()}
        row = Row(place, {column: _clean(cell) for column, cell in cells.items() if cell and cell.strip()})
        wrong += _column_errors(place, shown(row.number), columns)
        wrong += [
            CellError(place, shown(row.number), column, "it is more than one value", "write one value after the colon")
            for column, cell in cells.items()
            if cell is None and column in HEAD
        ]
        if not columns:
            wrong.append(
                CellError(place, "", "device", "it is not a device", "write its settings below it, each with a colon")
            )
        else:
            rows.append(row)
    return Sheet(tuple(rows), tuple(wrong))


def _yaml_list(text: str, path: str) -> t.Any:
    listed = yaml_text.pairs(yaml_text.compose(text, path)).get(YAML_LIST)
    if listed is None or not (yaml_text.is_empty(listed) or yaml_text.is_list(listed)):
        raise YamlEditError(f"{path} has no list {YAML_LIST}", f"restore the line {YAML_LIST}: above the devices")
    return listed


def yaml_with(text: str, path: str, devices: t.Sequence[Listed]) -> str:
    """Return a YAML sheet with a new entry for each of these devices without one. Existing entries stay unchanged."""
    if not text:
        comment = "".join(f"# {line}".rstrip() + "\n" for line in GUIDE)
        text = f"---\n{comment}\n{YAML_LIST}: []\n"
    text = yaml_text.ending_with_newline(text)
    before = read_yaml(text, path)
    known = NumberIndex(row.number for row in before.rows)
    new = [device for device in devices if not _has_row(device.number, known)]
    if not new:
        return text
    empty: dict[str, None] = dict.fromkeys(COLUMNS)
    entries = [{"device": device.number, "name": printable(device.name) or None, **empty} for device in new]
    changed = yaml_text.apply(text, yaml_text.append(text, _yaml_list(text, path), entries))
    after = read_yaml(changed, path)
    old = len(before.rows)
    if [row.cells for row in after.rows[:old]] != [row.cells for row in before.rows] or [
        row.number for row in after.rows[old:]
    ] != [device.number for device in new]:
        raise YamlEditError(f"{path} is written in a way that cannot be added to", "start each device with a dash")
    return changed


def _has_row(number: str, known: NumberIndex) -> bool:
    return bool(known.find(parse_number(number, "device")))


# --- messages -----------------------------------------------------------------------------------------------------


def shown(number: str) -> str:
    """Return a number in a form that may be shown; empty if the cell has other content, which may be a secret."""
    return number if re.fullmatch(r"[0-9+() .\-]{1,25}", number) else ""
