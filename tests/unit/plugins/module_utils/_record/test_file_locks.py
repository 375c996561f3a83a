# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a file excludes other processes, ends with its process, and is never a wait without an end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_locks import hold_lock


def test_second_holder_waits_for_a_bounded_time(tmp_path: Path) -> None:
    path, waited = str(tmp_path / "state.json"), []
    with hold_lock(path, 0):
        with pytest.raises(TimeoutError), hold_lock(path, 1.0, waited.append):
            pytest.fail("the lock was held twice")
        assert 0.99 < sum(waited) < 1.1
    with hold_lock(path, 0):
        pass
    assert os.listdir(tmp_path) == [".state.json.lock"]
    assert stat.S_IMODE((tmp_path / ".state.json.lock").stat().st_mode) == 0o600


def test_lock_is_acquired_when_the_other_one_is_released(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    first = hold_lock(path, 0)
    first.__enter__()
    with hold_lock(path, 1.0, lambda _seconds: first.__exit__(None, None, None) and None):
        pass


def test_lock_is_released_after_an_error(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    with pytest.raises(ValueError, match="wrong"), hold_lock(path, 0):
        raise ValueError("wrong")
    with hold_lock(path, 0):
        pass


def test_link_and_missing_directory_are_errors(tmp_path: Path) -> None:
    (tmp_path / ".state.json.lock").symlink_to(tmp_path / "other")
    for path in (tmp_path / "state.json", tmp_path / "missing" / "state.json"):
        with pytest.raises(OSError), hold_lock(str(path), 0):
            pytest.fail("it was locked")
    assert os.listdir(tmp_path) == [".state.json.lock"]
