# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a user names or that other users can replace: no read waits for a pipe or exhausts the memory."""

from __future__ import annotations

import codecs
import os
import signal
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption import adopt
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.qr_image import remove_image
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import (
    EncodingError,
    decode_text,
    find_encoding_problem,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import find_facts, load_facts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import backup

MEGABYTE = 2**20
HERE = "https://api.example.com"
READERS: dict[str, t.Callable[[Path], object]] = {
    "restore": lambda path: backup.read_backup(str(path)),
    "backup": lambda path: backup.read_existing(str(path), str(path.parent / "records")),
    "facts": lambda path: load_facts(str(path), HERE, "service_facts_path"),
    "doctor": lambda path: find_facts(str(path), HERE, "dest"),
    "sheet": lambda path: adopt.read_sheet(str(path)),
    "declarations": lambda path: adopt.open_folder(str(path.parent)),
}
readers = pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))


@pytest.fixture(autouse=True)
def _limited() -> t.Iterator[None]:
    """Fail a test whose read waits."""

    def late(*_unused: object) -> t.NoReturn:
        raise AssertionError("the read waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@readers
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "link to a device"])
def test_file_that_is_not_regular_is_refused(tmp_path: Path, read: t.Callable[[Path], object], kind: str) -> None:
    path, pipe = tmp_path / "devices.yml", tmp_path / "pipe"
    os.mkfifo(pipe)
    if kind == "pipe":
        pipe.rename(path)
    else:
        path.symlink_to(pipe if kind == "link to a pipe" else "/dev/zero")
    with pytest.raises(FonnteError, match="it is not a regular file") as caught:
        read(path)
    assert str(path) in str(caught.value)


@readers
def test_too_large_file_is_refused(tmp_path: Path, read: t.Callable[[Path], object]) -> None:
    path = tmp_path / "devices.yml"
    with path.open("wb") as stream:
        stream.truncate(1000 * MEGABYTE)
    with pytest.raises(FonnteError, match="it is larger than 16 MB|it is too large") as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_link_to_a_file_is_read(tmp_path: Path) -> None:
    """Each file of a ConfigMap is a link."""
    there, path = tmp_path / "data", tmp_path / "sheet.yml"
    there.write_text("fleet_devices: []\n", encoding="utf-8")
    path.symlink_to(there)
    assert adopt.read_text(str(path)) == "fleet_devices: []\n"


def test_pipe_instead_of_an_image_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "qr.png")
    assert not remove_image(str(tmp_path / "qr.png"), b"png")


def test_backup_that_could_not_be_restored_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    with pytest.raises(FonnteError, match="would be larger than 16 MB"):
        backup.write_backup(str(path), {"device-" + "0" * 32: b"x" * 17 * MEGABYTE})
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Café".encode("utf-16"), "is saved as UTF-16"),
        ("Café".encode("utf-16-be"), "is saved as UTF-16, or is not text"),
        (codecs.BOM_UTF16_BE + "Café".encode("utf-16-be"), "is saved as UTF-16"),
        ("Café".encode("utf-32"), "is saved as UTF-32"),
        ("a\nb\nCafé".encode("cp1252"), "is not saved as UTF-8 (byte E9 in line 3, which is é in Windows-1252)"),
        (b"a\x80", "is not saved as UTF-8 (byte 80 in line 1)"),
        (b"a\x81", "is not saved as UTF-8 (byte 81 in line 1)"),
        (b"\xe2\x82", "is not saved as UTF-8 (byte E2 in line 1, which is â in Windows-1252)"),
    ],
)
def test_the_encoding_of_a_file_is_named(content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(EncodingError) as caught:
        decode_text(content)
    assert str(caught.value) == problem
    (tmp_path / "file").write_bytes(content)
    assert find_encoding_problem(str(tmp_path / "file")) == problem


def test_utf_8_text_is_read_unchanged(tmp_path: Path) -> None:
    for text in ("", "Café \U0001f469\u200d\U0001f373\r\n", "\ufeffname"):
        assert decode_text(text.encode()) == text
        (tmp_path / "file").write_bytes(text.encode())
        assert find_encoding_problem(str(tmp_path / "file")) == ""
    assert find_encoding_problem(str(tmp_path / "none")) == "cannot be read (No such file or directory)"


@readers
@pytest.mark.parametrize(
    ("encoding", "problem"), [("utf-16", "is saved as UTF-16"), ("cp1252", "is not saved as UTF-8 (byte E9 in line 1")]
)
def test_every_reader_names_the_encoding(
    read: t.Callable[[Path], object], encoding: str, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "devices.yml"
    path.write_text('{"caf\xe9": 1}', encoding=encoding)
    with pytest.raises(FonnteError) as caught:
        read(path)
    assert problem in str(caught.value), caught.value
