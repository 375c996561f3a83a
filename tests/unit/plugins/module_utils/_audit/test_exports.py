# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats of a report (JSON, table, text) and their files."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import string
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit import exports as files
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import (
    Audit,
    AuditedDevice,
    Finding,
    Kind,
    Limits,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import LANGUAGES, Messages, moment, texts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import Reason
from ansible_collections.fonnte.whatsapp.tests.browser.samples import (
    NASTY,
    NOW,
    device,
    everything,
    many,
    named,
    report,
)
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "audit.schema.json").read_text(encoding="utf-8"))
EMPTY = Audit(NOW, "Nothing", "https://api.fonnte.com", Limits())
EN = Messages("en")


def rows(audit: Audit, language: str = "en") -> list[list[str]]:
    text = files.csv_text(audit, Messages(language), ",")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(texts()))
def test_each_text_has_the_same_placeholders_in_each_language(key: str) -> None:
    found = texts()[key]
    assert len(found) == len(LANGUAGES) and all(found)
    parts = [sorted(name for _text, name, _form, _how in string.Formatter().parse(text) if name) for text in found]
    assert parts[0] == parts[1]
    # They are inserted into a page without escaping.
    assert not any(letter in text for text in found for letter in '<>&"') and all(text.isascii() for text in found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_texts_in_each_language(language: str) -> None:
    words = Messages(language)
    for finding in everything().findings():
        reported = [
            words.sentence(finding),
            words.evidence(finding),
            words.label(finding.kind),
            words.action(finding.kind),
        ]
        assert all(reported) and not any("{" in text or "None" in text for text in reported)


def test_times_are_formatted_for_people() -> None:
    assert moment("2026-06-02T03:04:05Z") == "2026-06-02 03:04 UTC" and moment(None) == ""


# --- data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audit", [everything(), EMPTY, many(30), *map(named, NASTY)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_json_matches_the_schema(audit: Audit, language: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    data = json.loads(files.json_text(audit, Messages(language)))
    jsonschema.validate(data, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert data == json.loads(json.dumps(files.as_data(audit, Messages(language))))
    assert len(data["devices"]) == len(audit.devices)


def test_schema_refuses_other_data() -> None:
    for change in ({"version": 2}, {"more": 1}, {"language": "fr"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**files.as_data(EMPTY, EN), **change}, SCHEMA)


def test_json_has_a_line_for_each_device() -> None:
    lines = files.json_text(many(30), EN).splitlines()
    assert sum(line.startswith('  {"device": ') for line in lines) == 30


def test_schema_lists_every_kind() -> None:
    assert SCHEMA["$defs"]["kind_name"]["enum"] == [kind.value for kind in Kind]


# --- a table ------------------------------------------------------------------------------------------------------


def test_table_has_a_row_for_each_finding_and_for_each_device_without_findings() -> None:
    audit = everything()
    head, *found = rows(audit)
    assert tuple(head) == files.COLUMNS
    without = sum(not subject.findings for subject in audit.devices)
    assert len(found) == len(list(audit.findings())) + without and without
    # A spreadsheet does not convert a number with dashes.
    assert all(row[2] == "" or re.fullmatch(r"[0-9]{4}(-[0-9]{2,5})+", row[2]) for row in found)
    assert {row[11] for row in rows(audit, "id")[1:]} == {"ya", "tidak", ""}


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", " =1", "\t=1", "\uff1d1", "\u00a0=1"])
def test_formula_cells_are_escaped(text: str) -> None:
    assert files.escape_formula(text) == "'" + text


@pytest.mark.parametrize(
    ("text", "guarded"), [("x;=cmd|'/C calc'!A0;", "x;'=cmd|'/C calc'!A0;"), ("a,\t@b", "a,\t'@b")]
)
def test_cells_after_another_separator_are_escaped(text: str, guarded: str) -> None:
    assert files.escape_formula(text) == guarded


@given(st.text(max_size=20))
def test_no_cell_of_any_row_begins_like_a_formula(name: str) -> None:
    clean = "".join(letter for letter in name if letter.isprintable())
    for row in rows(named(clean))[1:]:
        assert len(row) == len(files.COLUMNS)
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)


def test_value_that_is_no_number_is_unchanged() -> None:
    assert rows(report([], [device("group@g.us")]))[1][2] == "group@g.us"


# --- a text -------------------------------------------------------------------------------------------------------


def test_text_is_short_and_lists_the_most_urgent_first() -> None:
    lines = files.to_text(many(500), EN).splitlines()
    reported = [line for line in lines if line.startswith("- ")]
    assert len(reported) == files.MAX_REPORTED and "081200000000 Toko 00000 Lama (Klien 00): Name is" in reported[0]
    assert re.fullmatch(r"Not shown here: \d+ more\.", lines[-1])
    assert "Not shown" not in files.to_text(everything(), EN) and len(files.to_text(EMPTY, EN).splitlines()) == 2


# --- files --------------------------------------------------------------------------------------------------------


def test_files_are_readable_for_the_group_and_replace_previous_ones(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for text in ("one", "two"):
        files.write_files(str(folder), {"audit.html": text, "audit.csv": text})
        assert {path.name: path.read_text() for path in folder.iterdir()} == {"audit.html": text, "audit.csv": text}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o640} and not folder.stat().st_mode & 0o007


def test_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "audit.txt").symlink_to(other)
    files.write_files(str(tmp_path / "r"), {"audit.txt": "report"})
    assert other.read_text() == "mine" and (tmp_path / "r" / "audit.txt").read_text() == "report"


def test_all_files_are_written_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_files(str(tmp_path), {"a": "old", "b": "old"})
    real, count = os.fsync, [0]

    def full(descriptor: int) -> None:
        count[0] += 1
        if count[0] == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    replace_os(monkeypatch, fsync=full)
    with pytest.raises(FonnteError, match="No space left"):
        files.write_files(str(tmp_path), {"a": "new", "b": "new"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "b": "old"}


@pytest.mark.parametrize(
    "names", [{"html": "a/b"}, {"html": ".."}, {"html": "a\0"}, {"html": "a", "csv": "a"}, {"html": "."}]
)
def test_invalid_file_names_are_refused(names: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        files.check_names(names)


def test_valid_file_names_are_accepted() -> None:
    files.check_names({"html": "laporan toko.html", "csv": "", "txt": ""})


def test_directory_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OptionError, match="is not a directory"):
            files.check_folder(str(place))
    files.check_folder(str(tmp_path / "new" / "newer"))
    assert not (tmp_path / "new").exists()


def test_kind_with_many_findings_does_not_hide_others() -> None:
    hidden = [(Kind.DRIFT, f"drift {index}") for index in range(50)]
    lines = files._select_lines([*hidden, (Kind.UNLISTED, "unlisted"), (Kind.PACKAGE_ENDED, "ended")])
    assert lines[-1] == "unlisted" and "ended" in lines and len(lines) <= 20


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "It is unknown whether 2 settings match: Webhook for chats, Forward attachments (resend)."),
        ("id", "Tidak diketahui apakah 2 pengaturan sesuai: Webhook untuk chat, Teruskan lampiran (resend)."),
    ],
)
def test_unknown_settings_of_a_device_are_one_line_for_each_reason(language: str, line: str) -> None:
    """A device whose stamp does not match had a line for each of its ten hidden settings."""
    reasons = {"webhook": Reason.UNPROVEN, "quick": Reason.NO_RECORD, "resend": Reason.UNPROVEN}
    found = [Finding(Kind.UNKNOWN, "0812", option, True, None, reason=reason) for option, reason in reasons.items()]
    audit = replace(EMPTY, devices=(AuditedDevice("0812", findings=tuple(found)),))
    lines = files.to_text(audit, Messages(language)).splitlines()
    shown = [text for text in lines if text.startswith("- ")]
    assert len(shown) == 2 and line in shown[0]


def test_findings_have_the_order_of_the_counts() -> None:
    lines = files._select_lines([(kind, kind.value) for kind in reversed(Kind)])
    assert lines == [kind.value for kind in Kind]
