# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of a backup: equal entries give equal text, and its contents are validated on a restore."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backup import (
    FORMAT,
    BackupError,
    read_backup,
    read_existing,
    write_backup,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

NAME = "device-" + "0a" * 16
OTHER = "number-" + "b1" * 16


@pytest.fixture
def sealed(tmp_path: Path) -> bytes:
    file = RecordStore(str(tmp_path / "records"), "https://api.example.com").device("a-token")
    file.save(DeviceRecord(number="08123456789"))
    return NAME.encode() + Path(file.path).read_bytes()[len(NAME) :]


def renamed(sealed: bytes) -> bytes:
    """Return an encrypted string in the format of one for the file OTHER."""
    return OTHER.encode() + sealed[len(NAME) :]


def write(path: Path, data: object) -> str:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


def test_written_backup_is_read(tmp_path: Path, sealed: bytes) -> None:
    path = tmp_path / "backup.json"
    write_backup(str(path), {OTHER: renamed(sealed), NAME: sealed})
    assert read_backup(str(path)) == {NAME: sealed, OTHER: renamed(sealed)}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["backup.json", "records"]


def test_same_entries_give_the_same_text_with_a_line_for_each(tmp_path: Path, sealed: bytes) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write_backup(str(one), {OTHER: renamed(sealed), NAME: sealed})
    write_backup(str(other), {NAME: sealed, OTHER: renamed(sealed)})
    assert one.read_bytes() == other.read_bytes()
    lines = one.read_text().splitlines()
    assert [line for line in lines if NAME in line] == [f'  "{NAME}": "{sealed.decode()}",']


@pytest.mark.parametrize(
    "name",
    [
        "../device-" + "0a" * 16,
        "/etc/cron.d/device-" + "0a" * 16,
        "device-" + "0a" * 16 + "/../../x",
        "device-" + "0a" * 16 + ".lock",
        "device-" + "0a" * 16 + ".new",
        "device-" + "0a" * 16 + ".damaged-1",
        "device-" + "0a" * 16 + "\n",
        "device-" + "0A" * 16,
        "device-" + "0a" * 15,
        "device-" + "0a" * 17,
        "record-" + "0a" * 16,
        "",
        "..",
        "\ud800" + "\x1b[2J" * 40,
    ],
)
def test_unknown_entry_name_is_refused(tmp_path: Path, sealed: bytes, name: str) -> None:
    path = write(tmp_path / "b.json", {"format": FORMAT, "files": {NAME: sealed.decode(), name: sealed.decode()}})
    with pytest.raises(BackupError, match="not the name of a file of the record") as caught:
        read_backup(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://hooks.example.com/s3cret",
        "gAAAA",
        "Z0FBQUFBQm5RX2tBLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0=",
        None,
        7,
        ["x"],
        {},
        "gAAAA\u00e9",
    ],
)
def test_unencrypted_entry_is_refused_by_its_name(tmp_path: Path, text: object) -> None:
    path = write(tmp_path / "b.json", {"format": FORMAT, "files": {NAME: text}})
    with pytest.raises(BackupError, match=f"{NAME} that is not encrypted") as caught:
        read_backup(path)
    assert "s3cret" not in str(caught.value)


def test_truncated_or_padded_entry_is_refused(tmp_path: Path, sealed: bytes) -> None:
    whole = sealed.decode()
    for text in (whole[:-1], whole[:50], whole + "\n", " " + whole, whole[4:], whole.replace(":A", ":B", 1)):
        with pytest.raises(BackupError, match="not encrypted"):
            read_backup(write(tmp_path / "b.json", {"format": FORMAT, "files": {NAME: text}}))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "# a playbook",
        "[" * 100_000,
        [],
        {},
        {"files": {}},
        {"format": 1, "files": {}},
        {"format": "another/1", "files": {}},
        {"format": FORMAT},
        {"format": FORMAT, "files": []},
    ],
)
def test_file_that_is_no_backup_is_refused_and_never_replaced(tmp_path: Path, data: t.Any) -> None:
    path = write(tmp_path / "b.json", data)
    with pytest.raises(BackupError, match="not a backup of a record"):
        read_backup(path)
    if data == "":
        # An empty file is prepared for a backup.
        assert read_existing(path, str(tmp_path / "records")) is None
    else:
        with pytest.raises(BackupError, match="not a backup of a record"):
            read_existing(path, str(tmp_path / "records"))


def test_backup_of_another_format_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.json", {"format": FORMAT.replace("/1", "/2"), "files": {}})
    with pytest.raises(BackupError, match="another format .*; use the release that created it"):
        read_backup(path)


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BackupError, match="not a backup"):
        read_backup(str(path))


def test_read_and_write_failures_are_reported(tmp_path: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    records = str(tmp_path / "records")
    with pytest.raises(BackupError, match="there is no file"):
        read_backup(str(tmp_path / "none.json"))
    with pytest.raises(BackupError, match="cannot be read"):
        read_backup(str(tmp_path))
    with pytest.raises(BackupError, match="there is no directory"):
        read_existing(str(tmp_path / "none" / "b.json"), records)
    with pytest.raises(OptionError, match="directory of the record"):
        read_existing(os.path.join(records, "b.json"), records)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "b.json"
    write_backup(str(path), {NAME: sealed})
    replace_os(monkeypatch, fsync=full)
    with pytest.raises(BackupError, match="No space left on device"):
        write_backup(str(path), {})
    assert read_backup(str(path)) == {NAME: sealed}
    assert sorted(os.listdir(tmp_path)) == ["b.json", "records"]


def test_link_is_read_and_replaced(tmp_path: Path, sealed: bytes) -> None:
    (tmp_path / "repository").mkdir()
    link = tmp_path / "b.json"
    link.symlink_to(tmp_path / "repository" / "b.json")
    write_backup(str(tmp_path / "repository" / "b.json"), {NAME: sealed})
    assert read_backup(str(link)) == {NAME: sealed}
    write_backup(str(link), {})
    assert not link.is_symlink() and read_backup(str(link)) == {}
    assert read_backup(str(tmp_path / "repository" / "b.json")) == {NAME: sealed}


def test_entry_of_another_name_is_refused_without_a_token(tmp_path: Path, sealed: bytes) -> None:
    other = "device-" + "9" * 32
    path = write(tmp_path / "b.json", {"format": FORMAT, "files": {other: sealed.decode()}})
    with pytest.raises(BackupError, match=f"the entry of {NAME} under the name {other}"):
        read_backup(path)
