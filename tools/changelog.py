# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the changelog of the version in galaxy.yml from the fragments, in the copied tree, and bring it back."""

from __future__ import annotations

import shutil
from typing import List

from tools import tree
from tools.environment import for_stage
from tools.paths import ROOT, TREE_ROOT, collection_in
from tools.process import run
from tools.runner import locked, set_up

WRITTEN = ("CHANGELOG.md", "changelogs/changelog.yaml")


def main(arguments: List[str]) -> int:
    """Run antsibull-changelog release; a release that is already there is written anew with what came since."""
    with locked():
        venv = set_up(["newest"])["newest"]
        copy = tree.sync(tree.source_files())
        env = for_stage("changelog", [venv.bin])
        env.update(ANSIBLE_COLLECTIONS_PATH=str(TREE_ROOT))
        command = [venv.program("antsibull-changelog"), "release", "--update-existing", "--reload-plugins"]
        code = run(command + arguments, cwd=copy, env=env, log=None)
        if code == 0:
            _bring_back()
    return code


def _bring_back() -> None:
    copy = collection_in(TREE_ROOT)
    for path in WRITTEN:
        shutil.copyfile(str(copy / path), str(ROOT / path))
    for fragment in (ROOT / "changelogs" / "fragments").glob("*.y*ml"):
        if not (copy / "changelogs" / "fragments" / fragment.name).exists():
            fragment.unlink()
