# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in-process although the working directory cannot be entered again."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

# Root can enter each directory, unless its capabilities are removed.
ALONE = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
WORK = """
import os, sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import _working_directory
with _working_directory(sys.argv[2]):
    print("worked in", os.getcwd())
print("done")
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    """Return the directory of the playbook; the test begins in another one."""
    (tmp_path / "begin").mkdir()
    (tmp_path / "playbook").mkdir()
    monkeypatch.chdir(tmp_path / "begin")
    yield tmp_path / "playbook"
    os.chdir("/")


@pytest.mark.parametrize("mode", ["000", "100"], ids=["cannot be entered", "cannot be listed"])
def test_directory_that_cannot_be_entered_again_is_no_error(there: Path, mode: str) -> None:
    script = 'chmod "$1" . && shift && exec "$@"'
    path = os.pathsep.join(filter(None, sys.path))
    begin = Path(os.getcwd())
    command = ["sh", "-c", script, "sh", mode, *ALONE, sys.executable, "-c", WORK, path, str(there)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    begin.chmod(0o700)
    assert (done.returncode, done.stdout.splitlines()) == (0, [f"worked in {there}", "done"]), done.stderr
