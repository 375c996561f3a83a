# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users get it: built as an artifact, and installed from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import List

from tools import contents, tree
from tools.environment import for_stage
from tools.paths import ARTIFACTS, ROOT, TREE_ROOT, collection_in
from tools.process import run
from tools.venvs import Venv


class NotBuilt(Exception):
    """The artifact could not be built or installed, or holds the wrong files."""


def build_and_install(venv: Venv, tree_hash: str, root: Path, log: Path) -> None:
    """Build the artifact from the copied tree and install it under a root; skip it when just that is there."""
    stamp = root / "tree-hash"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == tree_hash:
        return
    # Gone before anything else, so that what is half installed is never taken for whole.
    shutil.rmtree(str(root), ignore_errors=True)
    artifact = build_artifact(venv, ARTIFACTS, log)
    try:
        check_contents(artifact)
    except NotBuilt:
        # So that nobody publishes it.
        artifact.unlink()
        raise
    install_artifact(venv, artifact, root, log)
    stamp.write_text(tree_hash, encoding="utf-8")


def files_to_pack(root: Path = ROOT) -> List[str]:
    """Return the paths of the files from which the artifact is built: those that git tracks.

    Raises:
        NotBuilt: A file that would be shipped is not tracked, so the artifact would lack it.
    """
    forgotten = [path for path in tree.untracked_files(root) if contents.is_shipped(path)]
    if forgotten:
        raise NotBuilt(
            "git does not track %s, among the files that are shipped: add it, or move it away" % ", ".join(forgotten)
        )
    return tree.tracked_files(root)


def build_artifact(venv: Venv, folder: Path, log: Path, source: Path = collection_in(TREE_ROOT)) -> Path:
    """Build the artifact from a copied tree into a folder that holds nothing else then; return its path.

    Only files that git tracks are packed: whatever else lies in the checkout is nobody's business.
    """
    shutil.rmtree(str(folder), ignore_errors=True)
    packed = [path for path in files_to_pack() if os.path.lexists(str(source / path))]
    env = for_stage("build", [venv.bin])
    command = [venv.program("ansible-galaxy"), "collection", "build", "--force", "--output-path", str(folder)]
    with tempfile.TemporaryDirectory() as place:
        copy = tree.sync(packed, Path(place), source)
        if run(command, cwd=copy, env=env, log=log) != 0:
            raise NotBuilt("ansible-galaxy collection build failed")
    built = list(folder.glob("*.tar.gz"))
    if len(built) != 1:
        raise NotBuilt("not one artifact was built, but %d" % len(built))
    return built[0]


def install_artifact(venv: Venv, artifact: Path, root: Path, log: Path) -> None:
    """Install an artifact under a root, without asking a server."""
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
    if run(command, cwd=artifact.parent, env=for_stage("build", [venv.bin]), log=log) != 0:
        raise NotBuilt("ansible-galaxy collection install failed")


def check_contents(artifact: Path) -> None:
    """Refuse an artifact that lacks what users need, or carries what nobody asked for."""
    found = contents.problems(artifact)
    if found:
        raise NotBuilt("\n".join(found))
