# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import rules of pyproject.toml: a wrong import of each kind breaks its contract."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = Path("ansible_collections", "fonnte", "whatsapp", "plugins", "module_utils")
# The file, the import that is added to it, and the contract that it breaks.
WRONG = {
    "layer": ("_device/stamp.py", "from .._api import client", "A package of module_utils imports only from"),
    "sibling-package": (
        "_audit/exports.py",
        "from .._doctor import run",
        "A package of module_utils imports only from",
    ),
    "ansible": ("_api/client.py", "from ansible.module_utils import basic", "Only the adapter imports Ansible"),
    "requests": ("_api/client.py", "import requests", "Only the HTTP session imports requests"),
    "circle": ("_common/clock.py", "from . import redaction", "The files of a package do not import each other"),
}
# The test starts a program that only the environment of the linters has.
pytestmark = pytest.mark.long


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the packages that may be changed, next to the rules."""
    shutil.copytree(ROOT / "plugins" / "module_utils", tmp_path / PACKAGES)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    # The other half of the cycle.
    redaction = tmp_path / PACKAGES / "_common" / "redaction.py"
    redaction.write_text(redaction.read_text(encoding="utf-8") + "\nfrom . import clock\n", encoding="utf-8")
    return tmp_path


def broken(tree: Path) -> list[str]:
    """Return the names of the contracts that are broken."""
    program = Path(sys.executable).with_name("lint-imports")
    env = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run([program, "--no-cache"], cwd=tree, env=env, capture_output=True, text=True, check=False)
    names = re.findall(r"^(.+) BROKEN(?: \(.+\))?$", done.stdout, re.MULTILINE)
    assert done.returncode == (1 if names else 0), done.stdout + done.stderr
    assert f" kept, {len(names)} broken" in done.stdout, done.stdout + done.stderr
    return names


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_import_breaks_its_rule(kind: str, tree: Path) -> None:
    file, wrong, contract = WRONG[kind]
    path = tree / PACKAGES / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{wrong}\n", encoding="utf-8")
    names = broken(tree)
    # An import from a layer above closes a cycle of packages, too.
    assert [name for name in names if name.startswith(contract)] and len(names) <= 1 + (kind == "layer")
