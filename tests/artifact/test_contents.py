# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the built artifact, with the reason for each: a file without a row in the table fails the build.

``make build`` sets FONNTE_ARTIFACT to the artifact and FONNTE_CHECKOUT to the checkout.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

# Patterns of paths, and how a user uses these files. A star matches no slash.
PARTS = {
    "MANIFEST.json FILES.json": "written by ansible-galaxy: the metadata, and a digest of each file",
    "meta/runtime.yml": "the versions of ansible-core, and the action group",
    "meta/execution-environment.yml requirements.txt": "the packages that ansible-builder installs with it",
    "plugins/modules/*.py plugins/module_utils/*/*.py plugins/module_utils/*/*/*.py": "the modules, and the code that they import",
    "plugins/action/*.py plugins/plugin_utils/*.py": "modules run inside Ansible's worker",
    "plugins/doc_fragments/*.py": "documentation that modules share",
    "plugins/inventory/*.py plugins/lookup/*.py plugins/filter/*.py plugins/callback/*.py": "the other plugins",
    "extensions/eda/plugins/*/*.py extensions/eda/rulebooks/*.yml": "the files that ansible-rulebook loads",
    "roles/*/*/*.yml roles/*/README.md": "the roles",
    "playbooks/*.yml playbooks/tasks/*.yml playbooks/vars/*.yml": "the playbooks, run by name",
    "README.md README.id.md docs/*.md": "the manual",
    "docs/docsite/*.yml docs/docsite/rst/*.rst": "input of a documentation site of collections",
    "docs/*.png docs/*.svg docs/*.schema.json": "files that pages of the manual show or link to",
    "examples/*/*.yml examples/awx/collections/*.yml examples/*/clients/*.yml": "projects to begin with",
    "examples/systemd/*.service examples/systemd/*.timer": "units that docs/systemd.md installs",
    "CHANGELOG.md changelogs/changelog.yaml": "the changes: for people, and for the ansible package",
    "COPYING LICENSES/GPL-3.0-or-later.txt": "the license",
    "CHANGELOG.md.license changelogs/*.license docs/*.license": "the license of a file that has no head for it",
    "ARCHITECTURE.md CONTRIBUTING.md SECURITY.md": "pages that the README links to, for contributors",
}
PATTERNS = [pattern for patterns in PARTS for pattern in patterns.split()]
# Galaxy accepts 20 MB. A size very different from today's is an error, too.
MAX_BYTES = 2_000_000
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Contributors have the checkout, so these pages may link to its directory docs/dev.
FOR_CONTRIBUTORS = ("ARCHITECTURE.md", "CONTRIBUTING.md")


def matches(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


def is_shipped(path: str) -> bool:
    return any(matches(path, pattern) for pattern in PATTERNS)


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Return the text of each file of the artifact; the text of a binary file is empty."""
    with tarfile.open(os.environ["FONNTE_ARTIFACT"]) as archive:
        members = [one for one in archive.getmembers() if not one.isdir()]
        contents = {posixpath.normpath(one.name): archive.extractfile(one) for one in members}
        return {path: stream.read().decode(errors="ignore") if stream else "" for path, stream in contents.items()}


def test_every_shipped_file_matches_a_pattern(files: Mapping[str, str]) -> None:
    assert [path for path in files if not is_shipped(path)] == []


def test_every_pattern_matches_a_file(files: Mapping[str, str]) -> None:
    assert [pattern for pattern in PATTERNS if not any(matches(path, pattern) for path in files)] == []


def test_artifact_size_is_in_the_expected_range() -> None:
    assert Path(os.environ["FONNTE_ARTIFACT"]).stat().st_size < MAX_BYTES


def anchors(text: str) -> set[str]:
    """Return the anchors of a page: its headings as GitHub spells them, and the anchors of the changelog."""
    spelled = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}
    return spelled | set(re.findall(r'<a id="([^"]+)">', text))


def test_every_link_has_a_target_in_the_artifact(files: Mapping[str, str]) -> None:
    pages = {path: CODE.sub("", text) for path, text in files.items() if path.endswith(".md")}
    dead = []
    for path, text in pages.items():
        for link in (link for link in LINK.findall(text) if "://" not in link):
            name, _hash, anchor = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
            if path in FOR_CONTRIBUTORS and (target + "/").startswith("docs/dev/"):
                continue
            if target not in files or (anchor and anchor not in anchors(pages.get(target, ""))):
                dead.append(f"{path}: {link}")
    assert pages and dead == []


def test_every_shipped_file_is_tracked_by_git() -> None:
    """The artifact is built from tracked files, so it lacks a new file that was not added."""
    checkout = Path(os.environ["FONNTE_CHECKOUT"])
    if (checkout / ".git").exists():
        command = ["git", "ls-files", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout
        missing = [path for path in listed.splitlines() if is_shipped(path)]
        assert missing == [], f"run git add {' '.join(missing)}"


@pytest.mark.parametrize(
    "path", ["Makefile", "tests/a.py", "docs/a.json", "plugins/modules/a.pyc", "plugins/test/a.py", "roles/a/x/y/z.yml"]
)
def test_untracked_files_match_no_pattern(path: str) -> None:
    assert not is_shipped(path)
