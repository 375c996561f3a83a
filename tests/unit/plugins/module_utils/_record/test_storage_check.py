# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The storage of the record. The tests provide lists of mounts, so no test depends on the machine that runs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import common_warnings
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import storage_check as _storage_check
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import StorageCheck
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.storage_check import (
    check_storage,
    find_storage_warnings,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_functions, replace_os

ENDPOINT = "https://api.example.com"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the temporary directory: the directories of tests are below the real one."""
    (tmp_path / "temporary").mkdir()
    replace_functions(monkeypatch, "tempfile", gettempdir=lambda: str(tmp_path / "temporary"))


def look(folder: Path, *mounted: tuple[str, str]) -> StorageCheck:
    """Check a directory on a machine with these mounts on a disk: pairs of a mount point and a type."""
    mounts = folder.parent / "mounts"
    lines = [
        f"{n} 1 0:{n} / {point} rw,relatime shared:1 - {kind} none rw"
        for n, (point, kind) in enumerate((("/", "ext4"), *mounted))
    ]
    mounts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return check_storage(RecordStore(str(folder), ENDPOINT), str(mounts), ())


def test_directory_on_a_disk_is_persistent(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    folder.mkdir(mode=0o700)
    health = look(folder)
    assert health == StorageCheck(str(folder), True, True, "0700", True, health.reason)
    assert "ext4" in health.reason


def test_missing_directory_is_judged_by_its_future_location(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "record"
    folder.parent.parent.joinpath("new").mkdir()
    health = look(folder, (str(tmp_path), "tmpfs"))
    assert (health.exists, health.mode, health.writable, health.persistent) == (False, None, True, False)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("kind", "lasting", "words"),
    [
        ("tmpfs", False, "in memory"),
        ("ramfs", False, "in memory"),
        ("overlay", None, "container"),
        ("xfs", True, "xfs"),
    ],
)
def test_persistence_depends_on_the_file_system(tmp_path: Path, kind: str, lasting: bool | None, words: str) -> None:
    folder = tmp_path / "record"
    folder.mkdir(mode=0o700)
    health = look(folder, (str(tmp_path), kind))
    assert health.persistent is lasting and words in health.reason


def test_nearest_and_latest_mount_counts(tmp_path: Path) -> None:
    folder = tmp_path / "my record"
    folder.mkdir(mode=0o700)
    escaped = str(folder).replace(" ", r"\040")
    assert look(folder, (str(tmp_path), "tmpfs"), (escaped, "xfs")).persistent is True
    assert look(folder, (escaped, "xfs"), (escaped, "tmpfs")).persistent is False
    # Not a parent of the directory, though its path has the same beginning.
    assert look(folder, (str(tmp_path / "my"), "tmpfs")).persistent is True


def test_persistence_is_unknown_without_information(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    folder.mkdir(mode=0o700)
    health = check_storage(RecordStore(str(folder), ENDPOINT), str(tmp_path / "no-such-list"), ())
    assert health.persistent is None and "is unknown" in health.reason


def test_directory_below_a_temporary_directory_is_not_persistent(tmp_path: Path) -> None:
    folder = tmp_path / "temporary" / "record"
    folder.mkdir(mode=0o700)
    health = look(folder)
    assert health.persistent is False and str(tmp_path / "temporary") in health.reason
    link = tmp_path / "looks-well"
    link.symlink_to(folder)
    assert look(link).persistent is False
    beside = tmp_path / "temporary-but-not"
    beside.mkdir(mode=0o700)
    assert look(beside).persistent is True


def test_world_writable_directory_is_not_persistent(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    folder.mkdir()
    for mode, lasting in ((0o777, False), (0o707, False), (0o2770, True), (0o755, True), (0o700, True)):
        folder.chmod(mode)
        health = look(folder)
        assert (health.mode, health.persistent) == (f"{mode:04o}", lasting)


def test_directory_of_another_user_is_not_persistent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "record"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, 12345, -1)
    owner = os.stat(folder).st_uid
    replace_os(monkeypatch, geteuid=lambda: owner + 1)
    health = look(folder)
    assert health.persistent is False and "another user" in health.reason
    # A container often runs as root on a mounted home directory.
    replace_os(monkeypatch, geteuid=lambda: 0)
    assert look(folder).persistent is True


def test_directory_that_cannot_be_created_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    health = look(tmp_path / "file")
    assert (health.exists, health.writable) == (False, False)


@pytest.mark.parametrize(
    ("mounted", "warns"),
    [
        ("fuse.s3fs s3fs rw", True),
        ("fuse.gcsfuse bucket rw", True),
        ("fuse.rclone remote:dir rw", True),
        ("fuse.sshfs me@host:/srv rw", True),
        ("fuse blobfuse2 rw", True),
        ("fuse mountpoint-s3 rw", True),
        ("nfs server:/srv rw,vers=3,nolock,local_lock=all", True),
        ("nfs4 server:/srv rw,vers=4.2,local_lock=none", False),
        ("cifs //server/srv rw,nobrl", True),
        ("ceph 10.0.0.1:/ rw", False),
        ("fuse.glusterfs server:/srv rw", False),
        ("fuse", False),
        ("ext4 /dev/sda1 rw", False),
    ],
)
def test_storage_with_locks_of_one_machine_has_a_warning(tmp_path: Path, mounted: str, warns: bool) -> None:
    folder, mounts = tmp_path / "new" / "record", tmp_path / "mounts"
    mounts.write_text(f"1 1 0:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:2 / {tmp_path} rw shared:1 - {mounted}\n")
    warnings = find_storage_warnings(str(folder), str(mounts))
    assert len(warnings) == warns
    for warning in warnings:
        assert str(folder) in warning and "FONNTE_RECORD_PATH" in warning and "Run one at a time" in warning
    health = check_storage(RecordStore(str(folder), ENDPOINT), str(mounts), ())
    assert health.persistent is True and ("locks" in health.reason) == warns


def test_every_task_warns_of_storage_with_local_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"2 1 0:2 / {tmp_path} rw - fuse.sshfs me@host:/srv rw\n")
    monkeypatch.setattr(_storage_check.find_storage_warnings, "__defaults__", (str(mounts),))
    params = {"record_path": str(tmp_path / "record"), "validate_certs": True}
    (warning,) = common_warnings(params)
    # The same sentence each time: Ansible prints it once in a run.
    assert "fuse.sshfs" in warning and common_warnings(params) == [warning]
    assert common_warnings({"validate_certs": True}) == []
