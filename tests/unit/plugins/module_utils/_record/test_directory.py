# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory of the record is safe if others can write to it: no link is followed, no other file is written."""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import RecordError, UnsafeFileError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import common_warnings
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import directory as _directory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.lock_files import LockFile, LockFiles
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

ENDPOINT = "https://api.example.com"
TOKEN = "token-of-a-device"
PRECIOUS = "a file of the user, with more than sixteen bytes"
OTHER_UID = 65534
RECORD = DeviceRecord(number="08123456789")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "records"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def precious(tmp_path: Path) -> t.Iterator[Path]:
    """A file of the user that no run may change."""
    path = tmp_path / "precious"
    path.write_text(PRECIOUS)
    yield path
    assert path.read_text() == PRECIOUS


def store(folder: Path) -> RecordStore:
    return RecordStore(str(folder), ENDPOINT)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("place", [os.symlink, os.link], ids=["symbolic link", "hard link"])
def test_lock_that_is_a_link_is_refused_and_its_target_unchanged(
    folder: Path, precious: Path, place: t.Callable[[Path, str], None]
) -> None:
    file = store(folder).device(TOKEN)
    place(precious, file.path + ".lock")
    with pytest.raises(UnsafeFileError, match="cannot be read safely"), file.lock(1):
        pass
    # The target is unknown, so the entry is read again in any case.
    backend = FileBackend(RecordDirectory(str(folder)))
    assert backend.stale(backend.mark([file.name]), [file.name])


def test_lock_replaced_by_a_link_while_held_is_not_written(folder: Path, precious: Path) -> None:
    file = store(folder).device(TOKEN)
    with file.lock(1):
        os.unlink(file.path + ".lock")
        os.symlink(precious, file.path + ".lock")
        file.save(RECORD)
    assert file.load() == (RECORD, "")


def test_replaced_lock_file_still_excludes_other_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock would be held on a file without a name, while another run takes the new file."""
    records, other = store(folder), store(folder)
    file = records.device(TOKEN)
    opened = LockFiles.open
    replaced: list[str] = []

    def replacing(self: LockFiles, name: str) -> LockFile:
        lock = opened(self, name)
        if not replaced:
            replaced.append(name)
            os.unlink(file.path + ".lock")
            Path(file.path + ".lock").touch(mode=0o600)
        return lock

    monkeypatch.setattr(LockFiles, "open", replacing)
    with file.lock(1):
        with pytest.raises(RecordError, match="another run"), other.device(TOKEN).lock(0):
            pass


@pytest.mark.parametrize("kind", ["symbolic link", "hard link", "pipe", "directory", "to nothing"])
def test_unsafe_file_is_neither_read_nor_written(folder: Path, precious: Path, kind: str) -> None:
    file = store(folder).device(TOKEN)
    if kind == "symbolic link":
        os.symlink(precious, file.path)
    elif kind == "hard link":
        os.link(precious, file.path)
    elif kind == "pipe":
        os.mkfifo(file.path)
    elif kind == "directory":
        os.mkdir(file.path)
    else:
        os.symlink(folder.parent / "nothing", file.path)
    content, problem = file.load()
    assert content is None and "cannot be read safely" in problem
    with pytest.raises(UnsafeFileError):
        file.save(RECORD)
    assert not (folder.parent / "nothing").exists()


def test_oversized_file_is_not_read_completely(folder: Path) -> None:
    file = store(folder).device(TOKEN)
    with open(file.path, "wb") as stream:
        stream.truncate(1 << 40)
    assert "is damaged" in file.load()[1]


def test_temporary_file_name_is_unpredictable(folder: Path, precious: Path) -> None:
    file = store(folder).device(TOKEN)
    for name in (".new", ".tmp", ""):
        os.symlink(precious, f"{file.path}{name or '.lock.new'}")
    file.save(RECORD)
    assert file.load() == (RECORD, "")


def test_directory_is_opened_once(folder: Path) -> None:
    """Another user who renames a parent directory must not redirect a later write."""
    other = folder.parent / "other"
    other.mkdir()
    records = store(folder)
    records.device(TOKEN).save(RECORD)
    folder.rename(folder.parent / "moved")
    folder.symlink_to(other)
    with records.device(TOKEN).lock(1):
        records.device(TOKEN).save(RECORD)
    assert os.listdir(other) == [] and records.device(TOKEN).load() == (RECORD, "")


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_directory_that_is_a_link_is_refused(folder: Path, end: str) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    records = RecordStore(f"{link}{end}", ENDPOINT)
    file = records.device(TOKEN)
    for action in (records.check_writable, lambda: file.save(RECORD), lambda: file.lock(0).__enter__(), records.names):
        with pytest.raises(RecordError, match="this is a symbolic link"):
            action()
    assert "symbolic link" in file.load()[1] and os.listdir(folder) == []
    # A link above it is the user's choice.
    (folder.parent / "above").symlink_to(folder.parent)
    store(folder.parent / "above" / "records").device(TOKEN).save(RECORD)


@pytest.mark.parametrize(
    ("directory", "file"), [(0o700, 0o600), (0o755, 0o600), (0o770, 0o600), (0o2770, 0o660), (0o2775, 0o660)]
)
@pytest.mark.parametrize("umask", [0, 0o077])
def test_files_are_group_accessible_in_a_shared_directory(folder: Path, directory: int, file: int, umask: int) -> None:
    folder.chmod(directory)
    record = store(folder).device(TOKEN)
    before = os.umask(umask)
    try:
        with record.lock(1):
            record.save(RECORD)
    finally:
        os.umask(before)
    assert {mode(path) for path in folder.iterdir()} == {file}
    assert mode(folder) == directory


def test_world_writable_directory_is_restricted(folder: Path) -> None:
    folder.chmod(0o2777)
    records = store(folder)
    records.check_writable()
    assert records.device(TOKEN).load() == (None, "") and mode(folder) == 0o2777
    records.device(TOKEN).save(RECORD)
    assert mode(folder) == 0o2775


def refuse(*_unused: object, **_named: object) -> t.NoReturn:
    raise PermissionError(1, "Operation not permitted")


def as_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the code under test consider the files of this test those of another user."""
    user = os.geteuid() + 4711
    replace_os(monkeypatch, geteuid=lambda: user)


def test_directory_that_stays_world_writable_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)
    monkeypatch.setattr(_directory, "is_mount", lambda path: False)
    replace_os(monkeypatch, fchmod=refuse)
    if os.geteuid() == 0:
        os.chown(folder, 4712, -1)
    as_another_user(monkeypatch)
    records = store(folder)
    for action in (records.check_writable, lambda: records.device(TOKEN).save(RECORD)):
        with pytest.raises(RecordError, match=r"everyone can write to the directory \(mode 0777\)"):
            action()
    assert records.warnings() == [] and os.listdir(folder) == []


def test_volume_that_stays_world_writable_is_used_with_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)
    if os.geteuid() == 0:
        os.chown(folder, 4712, -1)
    monkeypatch.setattr(_directory, "is_mount", lambda path: True)
    as_another_user(monkeypatch)
    fchmod = os.fchmod
    replace_os(monkeypatch, fchmod=lambda descriptor, mode: refuse() if mode & 0o111 else fchmod(descriptor, mode))
    records = store(folder)
    records.check_writable()
    (warning,) = common_warnings({"record_path": str(folder), "validate_certs": True})
    assert f"Everyone can write to the volume {folder}" in warning
    records.device(TOKEN).save(RECORD)


def test_directory_created_by_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In /tmp every user can create the directory before the first run does."""
    tmp_path.chmod(0o1777)
    folder = tmp_path / "records"
    folder.mkdir(mode=0o777)
    if os.geteuid() == 0:
        os.chown(folder, 4712, -1)
    as_another_user(monkeypatch)
    records = store(folder)
    for action in (records.check_writable, lambda: records.device(TOKEN).save(RECORD), records.names):
        with pytest.raises(RecordError, match="the directory belongs to another user"):
            action()
    tmp_path.chmod(0o755)
    assert records.names() == []


def test_new_directory_in_a_world_writable_one_is_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    before = os.umask(0)
    try:
        store(tmp_path / "records").device(TOKEN).save(RECORD)
    finally:
        os.umask(before)
    assert mode(tmp_path / "records") == 0o700


def test_file_of_an_unknown_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = store(folder).device(TOKEN)
    record.save(RECORD)
    status = os.stat(record.path)
    assert _directory._file_problem(status, os.stat(folder)) == ""
    fields = list(status)
    fields[4], fields[5] = 4711, os.stat(folder).st_gid
    theirs = os.stat_result(fields)
    assert _directory._file_problem(theirs, os.stat(folder)) == "it belongs to another user, number 4711"
    # A member of the group of a directory that the group can write to.
    folder.chmod(0o2770)
    assert _directory._file_problem(theirs, os.stat(folder)) == ""
    fields[5] += 1
    assert "another user" in _directory._file_problem(os.stat_result(fields), os.stat(folder))


def shared(folder: Path, permissions: int) -> Path:
    """Share the directory with a group."""
    folder.chmod(permissions)
    assert mode(folder) == permissions
    return folder


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a file to another user."""
    if os.getuid() == 0:
        os.chown(path, OTHER_UID, -1)
    else:
        scandir = os.scandir

        class Entry:
            def stat(self, follow_symlinks: bool) -> os.stat_result:
                return os.stat_result((0o100660, 1, 1, 1, OTHER_UID, 0, 0, 0, 0, 0))

        def foreign(place: t.Any) -> t.Any:
            opened = scandir(place)
            opened.__exit__(None, None, None)
            return contextlib.nullcontext([Entry()])

        replace_os(monkeypatch, scandir=foreign)


def test_lock_of_an_unknown_user_is_not_trusted_after_the_directory_was_restricted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group of the directory owns it, as it owns the files of its members."""
    file = store(shared(folder, 0o2777)).device(TOKEN)
    planted = Path(file.path + ".lock")
    planted.touch()
    planted.chmod(0o666)
    give_away(planted, monkeypatch)
    with pytest.raises(RecordError, match=r"mode 2777\), and it has files of other users \(number 65534\)"):
        store(folder).check_writable()
    with pytest.raises(RecordError, match="and it has files of other users"), file.lock(1):
        pass
    assert mode(folder) == 0o2777
    # After a member of the group has restricted it, the files of other members are used.
    folder.chmod(0o2770)
    with store(folder).device(TOKEN).lock(1):
        pass


def test_shared_directory_without_files_of_others_is_restricted(folder: Path) -> None:
    file = store(shared(folder, 0o2777)).device(TOKEN)
    file.save(RECORD)
    assert mode(folder) == 0o2775 and file.load() == (RECORD, "")


def test_lock_file_of_a_killed_run_gets_its_permissions(folder: Path) -> None:
    file = store(shared(folder, 0o2770)).device(TOKEN)
    lock = Path(file.path + ".lock")
    lock.touch(mode=0o600)
    lock.chmod(0o600)
    with file.lock(1):
        assert mode(lock) == 0o660


def test_lock_of_an_unshared_directory_stays_private(folder: Path) -> None:
    file = store(folder).device(TOKEN)
    with file.lock(1):
        assert mode(Path(file.path + ".lock")) == 0o600
    with file.lock(1):
        assert mode(Path(file.path + ".lock")) == 0o600


@pytest.mark.parametrize(("umask", "parents"), [(0o000, 0o755), (0o022, 0o755), (0o077, 0o700)])
def test_parent_directories_are_created_as_private(tmp_path: Path, umask: int, parents: int) -> None:
    before = os.umask(umask)
    try:
        RecordDirectory(str(tmp_path / "a" / "b" / "records")).prepare()
    finally:
        os.umask(before)
    assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [parents, parents]
    assert mode(tmp_path / "a" / "b" / "records") == 0o700
