# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users get it: built as an artifact, and installed from it."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Dict, List

from tools.environment import for_stage
from tools.paths import ARTIFACTS, TREE_ROOT, collection_in
from tools.process import run
from tools.venvs import Venv

# What users of the artifact have no use for.
NOT_SHIPPED = (
    "tests/",
    "tools/",
    "extensions/molecule/",
    ".ci/",
    ".build/",
    ".git",
    ".ansible",
    ".yamllint",
    ".editorconfig",
    "Makefile",
    "pyproject.toml",
)
SHIPPED = (
    "README.md",
    "COPYING",
    "LICENSES/GPL-3.0-or-later.txt",
    "meta/runtime.yml",
    "requirements.txt",
    "extensions/eda/plugins/event_source/webhook.py",
    "extensions/eda/plugins/event_filter/normalize.py",
    "extensions/eda/rulebooks/dropped_off.yml",
    "playbooks/dropped_off.yml",
)


class NotBuilt(Exception):
    """The artifact could not be built or installed, or holds the wrong files."""


def build_and_install(venv: Venv, tree_hash: str, root: Path, log: Path) -> None:
    """Build the artifact from the copied tree and install it under a root; skip it when just that is there."""
    stamp = root / "tree-hash"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == tree_hash:
        return
    # Gone before anything else, so that what is half installed is never taken for whole.
    shutil.rmtree(str(root), ignore_errors=True)
    env = for_stage("build", [venv.bin])
    artifact = _build(venv, env, log)
    check_contents(artifact)
    _install(venv, artifact, root, env, log)
    stamp.write_text(tree_hash, encoding="utf-8")


def _build(venv: Venv, env: Dict[str, str], log: Path) -> Path:
    shutil.rmtree(str(ARTIFACTS), ignore_errors=True)
    command = [venv.program("ansible-galaxy"), "collection", "build", "--force", "--output-path", str(ARTIFACTS)]
    if run(command, cwd=collection_in(TREE_ROOT), env=env, log=log) != 0:
        raise NotBuilt("ansible-galaxy collection build failed")
    built = list(ARTIFACTS.glob("*.tar.gz"))
    if len(built) != 1:
        raise NotBuilt("not one artifact was built, but %d" % len(built))
    return built[0]


def _install(venv: Venv, artifact: Path, root: Path, env: Dict[str, str], log: Path) -> None:
    command = [
        venv.program("ansible-galaxy"),
        "collection",
        "install",
        "--offline",
        "--force",
        "--collections-path",
        str(root),
        str(artifact),
    ]
    if run(command, cwd=ARTIFACTS, env=env, log=log) != 0:
        raise NotBuilt("ansible-galaxy collection install failed")


def check_contents(artifact: Path) -> None:
    """Refuse an artifact that lacks what users need, or carries what only this checkout needs."""
    with tarfile.open(str(artifact)) as archive:
        names = [name[2:] if name.startswith("./") else name for name in archive.getnames()]
    missing = [name for name in SHIPPED if name not in names]
    extra: List[str] = [name for name in names if name.startswith(NOT_SHIPPED) or "__pycache__" in name]
    if missing or extra:
        raise NotBuilt(
            "the artifact lacks %s and should not hold %s" % (missing or "nothing", extra[:10] or "any more")
        )
