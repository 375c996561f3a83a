# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changelog, and a release: checked, committed, tagged and built. Nothing leaves the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Callable, List

from tools import collection, publish, tree
from tools.environment import for_stage
from tools.paths import BUILD, LOGS, ROOT, TREE_ROOT, collection_in, relative
from tools.process import run
from tools.runner import locked, say, set_up

WRITTEN = ("CHANGELOG.md", "changelogs/changelog.yaml")
TOUCHED = ("galaxy.yml", "CHANGELOG.md", "changelogs")


class Refused(Exception):
    """Nothing was released, and the reason."""


def write_changelog(arguments: List[str]) -> int:
    """Write the changelog of the version in galaxy.yml from the fragments; return the exit code."""
    with locked():
        venv = set_up(["newest"])["newest"]
        copy = tree.sync(tree.source_files())
        env = for_stage("changelog", [venv.bin])
        env.update(ANSIBLE_COLLECTIONS_PATH=str(TREE_ROOT))
        command = [venv.program("antsibull-changelog"), "release", "--update-existing", "--reload-plugins"]
        code = run(command + arguments, cwd=copy, env=env, log=None)
    if code == 0:
        for path in WRITTEN:
            shutil.copyfile(str(collection_in(TREE_ROOT) / path), str(ROOT / path))
        for fragment in (ROOT / "changelogs" / "fragments").glob("*.y*ml"):
            if not (copy / "changelogs" / "fragments" / fragment.name).exists():
                fragment.unlink()
    return code


def _git(*words: str) -> str:
    done = subprocess.run(("git",) + words, cwd=str(ROOT), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Refused("git %s ended with exit code %d" % (" ".join(words), done.returncode))
    return done.stdout.decode().strip()


def check_version(version: str, tags: List[str], branch: str, changes: str) -> None:
    """Raise Refused for a version, a branch or a checkout that must not be released."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise Refused("name the version, three numbers: make release VERSION=1.1.0")
    if changes or branch != "main":
        raise Refused("a release needs the branch main, with everything committed")
    if version in tags:
        raise Refused("%s is tagged already" % version)


def main(arguments: List[str], check: Callable[[List[str]], int] = publish.check_release) -> int:
    """Release the version that is named; return the exit code."""
    version = arguments[0] if arguments else ""
    try:
        tags, branch = _git("tag", "--list").splitlines(), _git("branch", "--show-current")
        check_version(version, tags, branch, _git("status", "--porcelain"))
        _write(version)
        if check([]) != 0:
            raise Refused("a check failed; git checkout -- %s takes back what was written" % " ".join(TOUCHED))
        if _git("status", "--porcelain"):
            _git("add", "--all", *TOUCHED)
            _git("commit", "--message", "Release %s" % version)
        _git("tag", "--annotate", version, "--message", "Release %s" % version)
        say(DONE % (version, _build(), version))
    except (Refused, collection.NotBuilt) as reason:
        say("no release: %s" % reason)
        return 1
    return 0


DONE = """Release %s is committed and tagged here: %s. Run make test on it, then:
  git push origin main %s
  ansible-galaxy collection publish with the artifact"""


def _write(version: str) -> None:
    galaxy = ROOT / "galaxy.yml"
    text = galaxy.read_text(encoding="utf-8")
    galaxy.write_text(re.sub(r"(?m)^version: \S+$", "version: " + version, text), encoding="utf-8")
    if any((ROOT / "changelogs" / "fragments").glob("*.y*ml")) and write_changelog([]) != 0:
        raise Refused("antsibull-changelog failed")


def _build() -> str:
    """Build the artifact from the tagged commit; return where it is."""
    with locked():
        LOGS.mkdir(parents=True, exist_ok=True)
        tree.sync(tree.source_files())
        venv = set_up(["newest"])["newest"]
        artifact = collection.build_artifact(venv, BUILD / "release", LOGS / "release.log")
    collection.check_contents(artifact)
    return relative(artifact)
