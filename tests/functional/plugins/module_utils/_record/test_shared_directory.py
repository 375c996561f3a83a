# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two users of a group share one record."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore

ENDPOINT = "https://api.example.com"
TOKEN = "token-of-a-device"
OTHER_UID = 65534
RECORD = DeviceRecord(number="08123456789")


def store(folder: Path) -> RecordStore:
    return RecordStore(str(folder), ENDPOINT)


SECOND_USER = """
import os, sys, tempfile
tempfile.tempdir = "/none"
sys.path[:0] = sys.argv[1].split(os.pathsep)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.lock_files import LockFile, LockFiles
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
file = RecordStore(sys.argv[2], sys.argv[3]).device(sys.argv[4])
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.storage_check import check_storage
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import load_library
load_library()
if os.geteuid() == 0:
    group, user, way = int(sys.argv[5]), int(sys.argv[6]), sys.argv[7]
    os.setgroups([group] if way == "supplementary" else [])
    os.setgid(group + 1 if way == "supplementary" else group)
    os.setuid(user)
records = RecordStore(sys.argv[2], sys.argv[3])
records.check_writable()
health = check_storage(records, "/none", ())
assert health.writable and "another user" not in health.reason, health
with file.lock(5):
    number = file.read().number
    file.save(DeviceRecord(number=number + "0"))
print(os.geteuid())
"""


@pytest.mark.parametrize(
    ("permissions", "way"),
    [(0o2770, "primary"), (0o2775, "supplementary")],
    ids=["shared by a group", "volume with fsGroup"],
)
def test_second_user_of_the_group_uses_the_same_record(permissions: int, way: str) -> None:
    """Kubernetes gives a volume to fsGroup, a further group of the pod, with mode 2775; its owner stays root.

    Without root both are one user; test_directory.py in tests/unit checks the permissions of the files.
    """
    # The directories of pytest are private to one user, and each session that begins ensures this.
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o711)
        _work_as_two(Path(above) / "records", permissions, way)


def _work_as_two(folder: Path, permissions: int, way: str) -> None:
    group = OTHER_UID if os.geteuid() == 0 else os.getgid()
    folder.mkdir()
    os.chown(folder, -1, group)
    folder.chmod(permissions)
    file = store(folder).device(TOKEN)
    for turn in range(2):
        with file.lock(1):
            file.save(RECORD)
        reported = subprocess.run(
            [sys.executable, "-c", SECOND_USER, os.pathsep.join(filter(None, sys.path)), str(folder), ENDPOINT, TOKEN]
            + [str(group), str(OTHER_UID), way],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        assert reported.returncode == 0, reported.stderr
        assert int(reported.stdout) == (OTHER_UID if os.geteuid() == 0 else os.geteuid())
        assert file.load() == (DeviceRecord(number="081234567890"), ""), turn
