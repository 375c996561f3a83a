# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written completely or not at all, by each writer."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption import adopt as _adopt
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import qr_image as _picture
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit import exports as _audit_files
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.atomic_files import (
    foreign_warnings,
    probe_write,
    remove_stale_temp_files,
    write_all,
    write_atomic,
    write_problem,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device import service_facts as _facts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import ServiceFacts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import backup as _backup
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

NAME = "file"
OLD, NEW = b"old", b"new"
# The previous file is an image, since other files are not replaced.
PNG = b"\x89PNG\r\n\x1a\n"

Write = t.Callable[[Path], object]
WRITERS: dict[str, Write] = {
    "facts": lambda path: _facts.save_facts(
        str(path), "https://x.example", ServiceFacts(), "2026-11-22T09:00:00Z", "dest"
    ),
    "backup": lambda path: _backup.write_backup(str(path), {}),
    "picture": lambda path: _picture.write_image(str(path), PNG),
    "audit": lambda path: _audit_files.write_files(str(path.parent), {path.name: "a report"}),
    "adopt": lambda path: _adopt.write(str(path.parent), {path.name: "a declaration"}),
}
writers = pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))


def write_one(path: Path) -> None:
    write_atomic(str(path), NEW, 0o600)


def write_two(path: Path) -> None:
    write_all({str(path): NEW, str(path) + "2": NEW}, 0o600)


def failing(fault: BaseException) -> t.Callable[..., t.NoReturn]:
    def fail(*_unused: object, **_named: object) -> t.NoReturn:
        raise fault

    return fail


@pytest.mark.parametrize("call", ["fsync", "replace", "fdopen"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@writers
def test_failed_write_keeps_the_previous_file_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write, call: str, fault: BaseException
) -> None:
    path = tmp_path / NAME
    path.write_bytes(PNG)
    replace_os(monkeypatch, **{call: failing(fault)})
    with pytest.raises((FonnteError, KeyboardInterrupt)) as caught:
        write(path)
    assert isinstance(caught.value, FonnteError) == isinstance(fault, OSError)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [NAME] and path.read_bytes() == PNG


@writers
def test_write_syncs_the_file_and_then_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    """A power failure after the directory was synced loses neither the content nor the name."""
    steps: list[str] = []
    fsync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(one: str, other: str, **where: int) -> None:
        steps.append("rename")
        rename(one, other, **where)

    replace_os(monkeypatch, fsync=synced)
    replace_os(monkeypatch, replace=renamed)
    write(tmp_path / NAME)
    assert steps == ["file", "rename", "folder"]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_link_is_replaced_and_its_target_unchanged(tmp_path: Path, name: str) -> None:
    """In a directory that others can write to, a link could lead anywhere."""
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    link, there = folder / NAME, elsewhere / NAME
    there.write_bytes(PNG)
    os.utime(there, (0, 0))
    link.symlink_to(there)
    WRITERS[name](link)
    assert not link.is_symlink() and link.is_file()
    assert there.read_bytes() == PNG and there.stat().st_mtime == 0
    assert os.listdir(folder) == os.listdir(elsewhere) == [NAME]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("fails_at", [1, 2])
def test_no_file_is_replaced_before_all_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, fails_at: int
) -> None:
    path, second = tmp_path / NAME, tmp_path / (NAME + "2")
    path.write_bytes(OLD)
    second.write_bytes(OLD)
    fsync, calls = os.fsync, [0]

    def full(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == fails_at:
            raise fault
        fsync(descriptor)

    replace_os(monkeypatch, fsync=full)
    with pytest.raises(type(fault)):
        write_two(path)
    assert path.read_bytes() == second.read_bytes() == OLD and len(os.listdir(tmp_path)) == 2


def test_file_is_written_if_its_directory_cannot_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def refused(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        fsync(descriptor)

    replace_os(monkeypatch, fsync=refused)
    write_one(tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == NEW and os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_umask_applies_to_a_single_file_but_not_to_several(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(str(tmp_path / "one"), NEW, 0o644)
        write_all({str(tmp_path / "all"): NEW}, 0o640)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"one": 0o644 & ~umask, "all": 0o640}


def test_disk_without_permissions_accepts_a_single_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example a backup on a USB drive. A writer that guarantees permissions fails there."""
    replace_os(monkeypatch, fchmod=failing(PermissionError(1, "Operation not permitted")))
    write_one(tmp_path / NAME)
    with pytest.raises(PermissionError):
        write_two(tmp_path / "other")
    assert os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize("write", [write_one, write_two])
def test_file_name_may_have_the_maximum_length(tmp_path: Path, write: Write) -> None:
    name = "\u4e2d" * 84
    write(tmp_path / name)
    assert (tmp_path / name).read_bytes() == NEW


def test_relative_path_uses_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_one(Path("a"))
    write_two(Path("b"))
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "b2"]


def test_only_temporary_files_of_killed_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / NAME
    replace_os(monkeypatch, unlink=failing(OSError(1, "the run is dead by now")))
    replace_os(monkeypatch, replace=failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_one(path)
    monkeypatch.undo()
    (left,) = tmp_path.iterdir()
    others = [tmp_path / ".other.0.new", tmp_path / f"{NAME}.new", tmp_path / f".{NAME}.old"]
    for other in others:
        other.write_bytes(OLD)
        os.utime(other, (0, 0))
    directory = os.open(tmp_path, os.O_RDONLY)
    remove_stale_temp_files(directory, NAME)
    assert left.exists()
    os.utime(left, (0, 0))
    remove_stale_temp_files(directory, NAME)
    os.close(directory)
    assert not left.exists() and all(other.exists() for other in others)


def test_write_stays_in_the_opened_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user who renames a parent directory must not redirect the last step."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    (other / NAME).write_bytes(OLD)
    fsync = os.fsync

    def swap(descriptor: int) -> None:
        fsync(descriptor)
        if not (tmp_path / "moved").exists():
            mine.rename(tmp_path / "moved")
            mine.symlink_to(other)

    replace_os(monkeypatch, fsync=swap)
    write_one(mine / NAME)
    assert (other / NAME).read_bytes() == OLD and os.listdir(other) == [NAME]
    assert (tmp_path / "moved" / NAME).read_bytes() == NEW


def test_file_that_cannot_be_replaced_is_detected_before_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_problem(str(tmp_path / NAME)) == ""
    assert "there is no directory" in write_problem(str(tmp_path / "none" / NAME))
    assert "is a directory" in write_problem(str(tmp_path))
    assert "File name too long" in write_problem(str(tmp_path / ("n" * 256)))
    (tmp_path / "link").symlink_to(tmp_path / "none" / NAME)
    assert write_problem(str(tmp_path / "link")) == ""
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (sticky / NAME).write_bytes(OLD)
    replace_os(monkeypatch, geteuid=lambda: os.stat(sticky).st_uid + 4711)
    assert "belongs to another user" in write_problem(str(sticky / NAME))
    assert write_problem(str(sticky / "new")) == ""
    replace_os(monkeypatch, access=lambda path, mode: False)
    assert "cannot be written" in write_problem(str(tmp_path / NAME))


def test_full_disk_is_detected_before_the_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe_write(str(tmp_path / NAME))
    assert os.listdir(tmp_path) == []
    replace_os(monkeypatch, fsync=failing(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        probe_write(str(tmp_path / NAME))
    assert os.listdir(tmp_path) == []


def test_directory_of_another_user_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "link"
    (tmp_path / "theirs").mkdir()
    link.symlink_to(tmp_path / "theirs")
    assert foreign_warnings([str(link / NAME), str(tmp_path / "none" / NAME)]) == []
    stat_of = os.stat

    def owned(path: t.Any, **named: t.Any) -> os.stat_result:
        fields = list(stat_of(path, **named))
        fields[4] = 4711
        return os.stat_result(fields)

    replace_os(monkeypatch, stat=owned)
    (warning,) = foreign_warnings([str(link / NAME), str(link / "other")])
    assert str(tmp_path / "theirs") in warning and "another user" in warning
