# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sheets as users and spreadsheets change them."""

from __future__ import annotations

import csv
import io
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption import sheet_rows as _sheet_rows
from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption import sheets as _sheets
from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption.sheets import HEAD, Listed
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spreadsheet import spreadsheet_safe
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.yaml_edit import YamlEditError

A, B, C = "081200000001", "6281200000002", "081200000003"
SECRET = "s3cr3t"
EMPTY_CSV = _sheets.csv_with("", "hidden.csv", [Listed(A, "Toko"), Listed(B), Listed(C)], ",")
EMPTY_YAML = _sheets.yaml_with("", "hidden.yml", [Listed(A, "Toko"), Listed(B), Listed(C)])


def csv_of(*rows: dict[str, str], head: t.Sequence[str] = HEAD, separator: str = ",") -> str:
    """Return a CSV file as a spreadsheet writes it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, head, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def yaml_of(**cells: str) -> str:
    """Return a YAML sheet with one device, its cells as a user types them."""
    return "devices:\n- device: '081200000001'\n" + "".join(f"  {column}: {cell}\n" for column, cell in cells.items())


def reported(sheet: _sheets.Sheet) -> list[str]:
    """Return the problems as a user reads them; none may contain a secret."""
    wrong = [str(one) for one in _sheet_rows.check(sheet, [A, B, C])[1]]
    assert SECRET not in "".join(wrong)
    return wrong


def settings(sheet: _sheets.Sheet) -> dict[str, t.Any]:
    """Return the settings of a valid sheet, by registered number."""
    filled, wrong = _sheet_rows.check(sheet, [A, B, C])
    assert not wrong
    return {row.number: dict(row.settings) for row in filled}


def test_empty_sheet_has_no_settings() -> None:
    # Without the byte order mark, a spreadsheet assumes the local encoding.
    assert EMPTY_CSV.startswith("\ufeffdevice,name,")
    assert settings(_sheets.read_csv(EMPTY_CSV, "")) == {A: {}, B: {}, C: {}}
    assert settings(_sheets.read_yaml(EMPTY_YAML, "")) == {A: {}, B: {}, C: {}}


@pytest.mark.parametrize("name", ["=1+1", "+62", "-cmd", "@sum", 'a "b", c; d', "yes", "'", "Toko 日本 😀", " #x: y"])
def test_name_survives_a_round_trip_and_is_no_formula(name: str) -> None:
    text = _sheets.csv_with("", "", [Listed(A, name)], ";")
    (row,) = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))
    assert row["name"] in (name, "'" + name) and row["name"][0] not in "=+-@"
    assert settings(_sheets.read_csv(text, "")) == {A: {}}
    assert settings(_sheets.read_yaml(_sheets.yaml_with("", "", [Listed(A, name)]), "")) == {A: {}}


@pytest.mark.parametrize("number", [A, B, "12345678", "123456789", "1234567890123", "+62 (812) 0000-0001"])
def test_number_is_written_so_that_a_spreadsheet_reads_it_as_text(number: str) -> None:
    written = spreadsheet_safe(number)
    assert "-" in written and not written.isdigit() and written[-2] != "-"
    sheet = _sheets.read_csv(_sheets.csv_with("", "", [Listed(number)], ","), "")
    assert [row.number for row in _sheet_rows.check(sheet, [number])[0]] == [number]


CELLS: list[tuple[str, str, t.Any]] = [
    *(("personal", word, True) for word in ("yes", "YES", "on", "On", "true", "TRUE", "ya", " yes ")),
    *(("quick", word, False) for word in ("no", "No", "off", "OFF", "false", "tidak")),
    ("target", "081200009999", "081200009999"),
    ("target", "0812-0000-9999", "081200009999"),
    ("target", "'081200009999", "081200009999"),
    ("target", "+81 90 1234 5678", "819012345678"),
    ("target", "021-5554-3210", "02155543210"),
    ("country_code", "62", "62"),
    ("country_code", "+62", "62"),
    ("webhook", "https://hooks.example.com/a?b=c;d&e=%2C", "https://hooks.example.com/a?b=c;d&e=%2C"),
    ("webhook_connect", "none", ""),
    ("webhook_status", "NONE", ""),
    ("webhook_chaining", "\u00a0none\u00a0", ""),
]


@pytest.mark.parametrize(("column", "cell", "value"), CELLS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_cell_is_parsed(column: str, cell: str, value: object, separator: str) -> None:
    sheet = _sheets.read_csv(csv_of({"device": A, column: cell}, separator=separator), "")
    assert settings(sheet) == {A: {column: value}}


@pytest.mark.parametrize(("column", "cell", "value"), [row for row in CELLS if not row[1].startswith("'")])
def test_yaml_cell_is_parsed(column: str, cell: str, value: object) -> None:
    assert settings(_sheets.read_yaml(yaml_of(**{column: cell}), "")) == {A: {column: value}}


WRONG: list[tuple[dict[str, str], str, str]] = [
    # Changes of a number by a spreadsheet.
    ({"device": "6,281E+12"}, "column device", "rounded"),
    ({"device": "6.281200000002E+12"}, "column device", "rounded"),
    ({"device": "6E12"}, "column device", "rounded"),
    ({"device": "81200000001"}, "column device", "leading zero"),
    ({"device": "6281200000002.0"}, "column device", "decimal"),
    ({"device": "6281200000002,00"}, "column device", "decimal"),
    ({"device": A, "target": "6,281E+12"}, f"({A}), column target", "rounded"),
    ({"device": A, "target": "81200009999"}, "column target", "leading zero"),
    ({"device": A, "target": "6281200000002.0"}, "column target", "decimal"),
    # Spellings by users.
    ({"device": "081200000009"}, "(081200000009), column device", "does not list"),
    ({"device": "", "quick": "yes"}, "column device", "it is empty"),
    ({"device": f"https://x.example.com/{SECRET}"}, "row 2, column device", 'the character "h"'),
    ({"device": "0812"}, "column device", "4 digits"),
    ({"device": A, "quick": "maybe"}, "column quick", "neither yes nor no"),
    ({"device": A, "group": f"https://x.example.com/{SECRET}"}, "column group", "neither yes nor no"),
    ({"device": A, "resend": "none"}, "column resend", "neither yes nor no"),
    ({"device": A, "target": "nobody"}, "column target", "the character"),
    ({"device": A, "country_code": "Indonesia"}, "column country_code", "not a country code"),
    ({"device": A, "webhook": f"hooks.example.com/{SECRET}"}, "column webhook", "the dashboard shows it, or none"),
    ({"device": A, "webhook": f"ftp://x.example.com/{SECRET}"}, "column webhook", "not a URL"),
    ({"device": A, "webhook_status": f"https://x.example.com/{SECRET} x"}, "column webhook_status", "a space"),
    ({"device": A, "webhook_chaining": "-"}, "column webhook_chaining", "or none"),
]


@pytest.mark.parametrize(("cells", "where", "what"), WRONG)
def test_invalid_cell_is_named_without_its_value(cells: dict[str, str], where: str, what: str) -> None:
    (text,) = reported(_sheets.read_csv(csv_of(cells), ""))
    assert text.startswith("row 2") and where in text and what in text


def test_all_problems_are_reported_together() -> None:
    rows = [{"device": A, "quick": "?", "webhook": SECRET}, {"device": "6,2E+12"}, {"device": C}, {"device": "0"}]
    texts = reported(_sheets.read_csv(csv_of(*rows), ""))
    assert [text.split(":")[0] for text in texts] == [
        f"row 2 ({A}), column quick",
        f"row 2 ({A}), column webhook",
        "row 3, column device",
        "row 5 (0), column device",
    ]


@pytest.mark.parametrize(("one", "other"), [(A, A), (A, "+62 812 0000 0001"), (B, "0812-0000-0002")])
def test_device_in_two_rows_is_refused(one: str, other: str) -> None:
    (text,) = reported(_sheets.read_csv(csv_of({"device": one}, {"device": C}, {"device": other}), ""))
    assert text.startswith("row 4") and "row 2 is for the same device" in text


def test_number_listed_in_two_spellings_is_refused() -> None:
    sheet = _sheets.read_csv(csv_of({"device": "+62 812-0000-0001"}), "")
    twins = ["081200000001", "0062812-0000-0001"]
    (wrong,) = _sheet_rows.check(sheet, twins)[1]
    assert "lists it as 081200000001 and as 0062812-0000-0001" in wrong.problem


@pytest.mark.parametrize("start", ["", "\ufeff", "sep=;\r\n", "\ufeffsep=;\r\n", "\r\n\r\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_excel_lines_before_the_head_count_as_rows(start: str, newline: str) -> None:
    text = start + csv_of({"device": A, "quick": "x"}, separator=";").replace("\r\n", newline)
    lines = start.lstrip("\ufeff").count("\n")
    (wrong,) = reported(_sheets.read_csv(text, ""))
    assert wrong.startswith(f"row {lines + 2} ")


def test_missing_cells_and_missing_final_newline_are_accepted() -> None:
    text = csv_of({"device": A, "quick": "yes"}) + ",,,,,\r\n\r\n" + f"{B},,no"
    assert settings(_sheets.read_csv(text, "")) == {A: {"quick": True}, B: {"personal": False}}


def test_columns_may_be_reordered_or_omitted() -> None:
    text = csv_of({"Device": A, " QUICK ": "yes"}, head=[" QUICK ", "Device", ""])
    assert settings(_sheets.read_csv(text, "")) == {A: {"quick": True}}


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (("device", "webhok"), "column webhok: there is no such setting"),
        (("device", "quick", "quick"), "column quick: it occurs twice"),
        (("device", f"https://x.example.com/{SECRET}"), "column 2: there is no such setting"),
    ],
)
def test_invalid_column_is_refused(head: tuple[str, ...], what: str) -> None:
    assert what in reported(_sheets.read_csv(",".join(head) + f"\n{A}\n", ""))[0]


def test_extra_cell_is_refused() -> None:
    (text,) = reported(_sheets.read_csv(f"device,quick\n{A},yes,{SECRET}\n{B},no,\n", ""))
    assert text.startswith(f"row 2 ({A})") and "in double quotes" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column device"),
        (f"{A},Toko,yes,{SECRET}\n", "no column device"),
        (f"Our shops\n\ndevice,webhook\n{A},https://{SECRET}\n", "has its columns in row 3, and other rows above"),
        ("Our shops;;\nDevice;name\n", "has its columns in row 2, and other rows above"),
        ('"device|name|' + "|".join(HEAD[2:]) + '"\n', "all cells of a row in one"),
        (f'device,webhook\n{A},"https://{SECRET}\n{B},x\n', "after row 1"),
        (f'device;webhook\n{A};"a"b\n', "after row 1"),
    ],
)
def test_malformed_csv_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(YamlEditError) as caught:
        _sheets.read_csv(text, "hidden.csv")
    assert str(caught.value).startswith("hidden.csv ") and words in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"PK\x03\x04rest of a workbook", "spreadsheet program"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "spreadsheet program"),
        ("device".encode("utf-16"), "UTF-16"),
        ("device".encode("utf-16-le"), "UTF-16"),
        ("device,Café".encode("cp1252"), "not saved as UTF-8 (byte E9 in line 1, which is é in Windows-1252)"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "decrypt it first"),
    ],
)
def test_file_with_unknown_encoding_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(YamlEditError) as caught:
        _sheets.decode(raw, "hidden.csv")
    assert words in str(caught.value)


# --- YAML ---


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        (yaml_of(quick="maybe"), f"line 2 ({A}), column quick", "neither yes nor no"),
        (yaml_of(webhook="[a, b]"), f"line 2 ({A}), column webhook", "more than one value"),
        (yaml_of(webhok="x"), f"line 2 ({A}), column webhok", "no such setting"),
        (yaml_of(quick="yes") + "  quick: no\n", f"line 2 ({A}), column quick", "twice"),
        ("devices:\n- 081200000001\n", "line 2, column device", "not a device"),
        ("devices:\n- device: 6.2812E+12\n", "line 2, column device", "rounded"),
        (yaml_of(target="81200009999"), f"line 2 ({A}), column target", "leading zero"),
    ],
)
def test_invalid_yaml_entry_is_named(text: str, place: str, what: str) -> None:
    (wrong,) = reported(_sheets.read_yaml(text, ""))
    assert wrong.startswith(place) and what in wrong


def test_yaml_types_do_not_change_values() -> None:
    text = (
        "devices:\n- device: 081200000001\n  personal: yes\n  group: off\n  target: 02155543210\n  country_code: 062\n"
    )
    assert settings(_sheets.read_yaml(text, "")) == {
        A: {"personal": True, "group": False, "target": "02155543210", "country_code": "062"}
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("devices:\n- device: 'a\n  webhook: s3cr3t\n", "not valid YAML"),
        ("devices:\n- device: a\n webhook: https://s3cr3t\n", "in line 3"),
        ("devices: s3cr3t\n", "no list devices"),
        ("- device: a\n", "no list devices"),
        ("", "no list devices"),
    ],
)
def test_malformed_yaml_sheet_is_refused(text: str, words: str) -> None:
    with pytest.raises(YamlEditError) as caught:
        _sheets.read_yaml(text, "hidden.yml")
    assert words in str(caught.value) and SECRET not in str(caught.value)


# --- existing sheets ---


def test_typed_values_stay_and_new_devices_are_added() -> None:
    typed = EMPTY_CSV.replace("0812-0000-0001,Toko,", "0812-0000-0001,Toko,yes").rstrip("\n")
    more = _sheets.csv_with(typed, "", [Listed(A), Listed(B), Listed(C), Listed("081200000004", "Baru")], ",")
    empty = "," * (len(HEAD) - 2)
    assert more == f"{typed}\n0812-0000-0004,Baru{empty}\n"
    assert _sheets.csv_with(more, "", [Listed(A), Listed("6281200000004")], ";") == more


def test_added_row_has_the_format_of_the_file() -> None:
    text = "sep=;\r\nname;device\r\nToko;" + A + "\r\n"
    assert (
        _sheets.csv_with(text, "", [Listed(A), Listed(B, "Dua; Tiga")], ",") == text + '"Dua; Tiga";6281-2000-00002\n'
    )


COMMENTED = """\
# my own notes
devices:
    - device: "081200000001"   # the first
      quick: yes
      # not sure about this one:
      webhook: >-
        https://hooks.example.com/a

    # the end
"""


def test_typed_yaml_values_and_comments_stay() -> None:
    more = _sheets.yaml_with(COMMENTED, "", [Listed(A), Listed(B, "yes")])
    sheet = _sheets.read_yaml(more, "")
    assert settings(sheet) == {A: {"quick": True, "webhook": "https://hooks.example.com/a"}, B: {}}
    for line in COMMENTED.splitlines():
        assert line in more.splitlines()
    assert _sheets.yaml_with(more, "", [Listed(A), Listed(B)]) == more


@pytest.mark.parametrize(
    "text",
    [
        "devices:\n",
        "devices: []\n",
        "devices:\n- {device: '081200000001'}",
        "devices: [{device: '081200000001'}]",
        "devices: [{device: '081200000001', quick: yes},\n  {device: '081200000003'},\n]\n",
    ],
)
def test_devices_are_added_to_any_yaml_list_style(text: str) -> None:
    before = settings(_sheets.read_yaml(text, ""))
    assert settings(_sheets.read_yaml(_sheets.yaml_with(text, "", [Listed(B)]), "")) == {**before, B: {}}


@given(
    st.lists(st.sampled_from(HEAD[2:]), unique=True),
    st.sampled_from([",", ";"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0'"), max_size=30),
)
def test_any_cell_text_is_accepted_or_refused(columns: list[str], separator: str, cell: str) -> None:
    """For any text, a cell has either a value or a problem."""
    text = csv_of({"device": A, **dict.fromkeys(columns, cell)}, separator=separator)
    filled, wrong = _sheet_rows.check(_sheets.read_csv(text, ""), [A])
    cells = set(columns) if cell.strip().lstrip("'").strip() else set()
    assert {one.column for one in wrong} | set(filled[0].settings) == cells
    assert {one.column for one in wrong}.isdisjoint(filled[0].settings)
