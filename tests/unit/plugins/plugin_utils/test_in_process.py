# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running in-process: no step after the work can lose its result."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils import _in_process


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    """A directory of the playbook; the test begins in another one."""
    (tmp_path / "begin").mkdir()
    (tmp_path / "playbook").mkdir()
    monkeypatch.chdir(tmp_path / "begin")
    yield tmp_path / "playbook"
    os.chdir("/")


def test_the_work_is_done_in_the_directory_of_the_playbook(there: Path) -> None:
    before = os.getcwd()
    with pytest.raises(ZeroDivisionError), _in_process._working_directory(str(there)):
        assert os.getcwd() == str(there)
        raise ZeroDivisionError
    assert os.getcwd() == before


def test_a_directory_that_was_removed_before_or_during_the_work_does_no_harm(there: Path) -> None:
    begin = os.getcwd()
    with _in_process._working_directory(str(there)):
        os.rmdir(begin)
    with _in_process._working_directory(str(there)):
        assert os.getcwd() == str(there)


def test_a_directory_of_the_playbook_that_cannot_be_entered_is_found_before(there: Path) -> None:
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
def test_a_line_of_progress_that_nobody_can_read_ends_no_work(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def closed(_text: str, stderr: bool) -> None:
        raise fault

    monkeypatch.setattr(_in_process.display, "display", closed)
    _in_process._display("1 of 2 devices are done")
