# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release: bumped, with its changelog, built, checked and tagged, and not uploaded."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path
from typing import Callable, Sequence, Tuple

from tools import changelog, collection, release_check, tree
from tools.paths import BUILD, LOGS, ROOT, relative
from tools.runner import locked, say, set_up

USAGE = "name the version: make release VERSION=1.1.0"
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
FOLDER = BUILD / "release"
TOUCHED = ("galaxy.yml", "CHANGELOG.md", "changelogs")


class Refused(Exception):
    """Nothing was released, and why."""


def _git(*words: str) -> str:
    done = subprocess.run(
        ("git",) + words,
        cwd=str(ROOT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise Refused("git %s: %s" % (" ".join(words), done.stderr.decode(errors="replace").strip()))
    return done.stdout.decode().strip()


def numbers(version: str) -> Tuple[int, ...]:
    """Return the numbers of a version; Refused where it has not three of them."""
    if not SEMANTIC.fullmatch(version):
        raise Refused("%s is no version of three numbers; %s" % (version or "an empty text", USAGE))
    return tuple(int(part) for part in version.split("."))


def version_in(galaxy: str) -> str:
    """Return the version that galaxy.yml names."""
    found = re.search(r"^version: (\S+)$", galaxy, re.MULTILINE)
    if found is None:
        raise Refused("galaxy.yml has no version")
    return found.group(1)


def with_version(galaxy: str, version: str) -> str:
    """Return galaxy.yml with another version."""
    return re.sub(r"^version: \S+$", "version: " + version, galaxy, flags=re.MULTILINE)


def refuse(version: str, current: str, tags: Sequence[str], branch: str, changes: str) -> None:
    """Refuse what must not be released: Refused with a sentence."""
    if changes:
        raise Refused("there are changes that are not committed:\n" + changes)
    if branch != "main":
        raise Refused("releases are made on the branch main, and this is %s" % branch)
    if version in tags:
        raise Refused("%s is tagged already" % version)
    newest = max([numbers(tag) for tag in tags if SEMANTIC.fullmatch(tag)], default=(0, 0, 0))
    if numbers(version) < numbers(current) or numbers(version) <= newest:
        latest = ".".join(str(number) for number in max(newest, numbers(current)))
        raise Refused("%s is not newer than %s" % (version, latest))


def main(arguments: Sequence[str], check: Callable[[], int] = lambda: release_check.main(())) -> int:
    """Make a release of the version that is named; return the exit code."""
    version = arguments[0] if arguments else ""
    try:
        _release(version, check)
    except (Refused, collection.NotBuilt) as reason:
        say("no release: %s" % reason)
        return 1
    return 0


def _release(version: str, check: Callable[[], int]) -> None:
    galaxy = ROOT / "galaxy.yml"
    current = version_in(galaxy.read_text(encoding="utf-8"))
    numbers(version)
    tags = _git("tag", "--list").splitlines()
    refuse(version, current, tags, _git("branch", "--show-current"), _git("status", "--porcelain"))
    try:
        _prepare(version, current)
        if check() != 0:
            raise Refused("a check failed; what was written is taken back")
    except BaseException:
        _take_back()
        raise
    if _git("status", "--porcelain"):
        _git("add", "--all", *TOUCHED)
        _git("commit", "--message", "Release %s" % version)
    artifact = _build(version)
    _git("tag", "--annotate", version, "--message", "Release %s" % version)
    say(
        DONE
        % (version, relative(artifact), hashlib.sha256(artifact.read_bytes()).hexdigest(), version, relative(artifact))
    )


DONE = """
Release %s is committed and tagged here, and nothing has left this machine.
  %s
  sha256 %s
Look at it, run make test on it, then send both:
  git push origin main %s
  ansible-galaxy collection publish %s"""


def _prepare(version: str, current: str) -> None:
    """Write the version and its changelog. A first release that is written already needs no fragments."""
    galaxy = ROOT / "galaxy.yml"
    fragments = list((ROOT / "changelogs" / "fragments").glob("*.y*ml"))
    if version != current and not fragments:
        raise Refused("there is no fragment in changelogs/fragments: nothing to tell of %s" % version)
    galaxy.write_text(with_version(galaxy.read_text(encoding="utf-8"), version), encoding="utf-8")
    if fragments and changelog.main([]) != 0:
        raise Refused("antsibull-changelog failed")


def _take_back() -> None:
    _git("checkout", "--", *TOUCHED)
    _git("clean", "--force", "--quiet", "--", "changelogs")


def _build(version: str) -> Path:
    """Build from what is committed, and from nothing else."""
    with locked():
        venv = set_up(["newest"])["newest"]
        files = tree.source_files()
        if _git("status", "--porcelain"):
            raise Refused("there are changes that are not committed")
        tree.sync(files)
        LOGS.mkdir(parents=True, exist_ok=True)
        artifact = collection.build_artifact(venv, FOLDER, LOGS / "release.log")
    collection.check_contents(artifact)
    if artifact.name != "fonnte-whatsapp-%s.tar.gz" % version:
        raise Refused("the artifact is called %s" % artifact.name)
    return artifact
