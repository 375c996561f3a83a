# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In-process execution: no step after the work can lose its result."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils import _in_process


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    """Return the directory of the playbook; the test begins in another one."""
    (tmp_path / "begin").mkdir()
    (tmp_path / "playbook").mkdir()
    monkeypatch.chdir(tmp_path / "begin")
    yield tmp_path / "playbook"
    os.chdir("/")


def test_work_is_done_in_the_directory_of_the_playbook(there: Path) -> None:
    before = os.getcwd()
    with pytest.raises(ZeroDivisionError), _in_process._working_directory(str(there)):
        assert os.getcwd() == str(there)
        raise ZeroDivisionError
    assert os.getcwd() == before


def test_removed_working_directory_is_no_error(there: Path) -> None:
    begin = os.getcwd()
    with _in_process._working_directory(str(there)):
        os.rmdir(begin)
    with _in_process._working_directory(str(there)):
        assert os.getcwd() == str(there)


def test_inaccessible_playbook_directory_is_detected_before_the_work(there: Path) -> None:
    before, worked = os.getcwd(), []
    with pytest.raises(AnsibleActionFail, match="it cannot be entered .No such file or directory"):
        with _in_process._working_directory(str(there / "none")):
            worked.append(True)
    assert os.getcwd() == before and worked == []


def test_no_descriptor_stays_open(there: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for _turn in range(3):
        with _in_process._working_directory(str(there)):
            pass
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize(
    "fault", [BrokenPipeError(), OSError(28, "No space left on device"), ValueError("closed file")]
)
def test_failed_progress_output_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    def closed(_text: str, stderr: bool) -> None:
        raise fault

    monkeypatch.setattr(_in_process.display, "display", closed)
    _in_process._display("1 of 2 devices are done")


def test_inherited_objects_are_exempt_from_collection_once(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[int] = []
    monkeypatch.setattr(_in_process.gc, "freeze", lambda: frozen.append(1))
    _in_process._exempt_from_collection.cache_clear()
    for pid in (1, 1, 2):
        _in_process._exempt_from_collection(pid)
    # The objects of the first item of a loop must not stay until the last one.
    assert len(frozen) == 2
    _in_process._exempt_from_collection.cache_clear()
