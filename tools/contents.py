# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the built artifact holds, and why: what is in no row of the table is not to be in it."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, Set, Tuple


@dataclass(frozen=True)
class Part:
    """A part of the artifact: patterns of paths, and what a user needs it for. A star stands for no slash."""

    patterns: Tuple[str, ...]
    why: str


PARTS: Tuple[Part, ...] = (
    Part(("MANIFEST.json", "FILES.json"), "made by ansible-galaxy: what the collection is, and a digest of each file"),
    Part(("meta/runtime.yml",), "which ansible-core it runs on, and the action group"),
    Part(("meta/execution-environment.yml", "requirements.txt"), "what ansible-builder installs with it"),
    Part(("plugins/modules/*.py",), "the modules"),
    Part(("plugins/module_utils/*/*.py",), "what the modules are made of"),
    Part(("plugins/action/*.py", "plugins/plugin_utils/*.py"), "modules run inside Ansible's worker"),
    Part(("plugins/doc_fragments/*.py",), "documentation that modules share"),
    Part(("plugins/inventory/*.py", "plugins/lookup/*.py", "plugins/filter/*.py"), "the other plugins"),
    Part(
        ("extensions/eda/plugins/*/*.py", "extensions/eda/rulebooks/*.yml"),
        "what ansible-rulebook loads",
    ),
    Part(("roles/*/*/*.yml", "roles/*/README.md"), "the roles"),
    Part(("playbooks/*.yml", "playbooks/tasks/*.yml", "playbooks/vars/*.yml"), "the playbooks, run by name"),
    Part(("README.md", "README.id.md", "docs/*.md"), "the manual"),
    Part(("docs/docsite/*.yml", "docs/docsite/rst/*.rst"), "what a documentation site of collections takes up"),
    Part(("docs/*.png", "docs/*.svg", "docs/audit.schema.json"), "what pages of the manual show, or link to"),
    Part(("examples/systemd/*.service", "examples/systemd/*.timer"), "units that docs/systemd.md installs"),
    Part(("CHANGELOG.md", "changelogs/changelog.yaml"), "what changed: for people, and for the ansible package"),
    Part(
        ("COPYING", "LICENSES/GPL-3.0-or-later.txt", "CHANGELOG.md.license", "changelogs/*.license", "docs/*.license"),
        "the licence, and what stands for the head of a file that has none",
    ),
    Part(("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"), "where the README sends those who want to help"),
)
# Galaxy takes 20 MB. What is far from it is asked about, too.
LARGEST = 2_000_000


def _matches(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


def is_shipped(path: str) -> bool:
    """Tell whether a row of the table has a reason for this path."""
    return any(_matches(path, pattern) for part in PARTS for pattern in part.patterns)


def files_of(artifact: Path) -> Dict[str, int]:
    """Return the size of each file in an artifact."""
    with tarfile.open(str(artifact)) as archive:
        return {posixpath.normpath(one.name): one.size for one in archive.getmembers() if not one.isdir()}


def problems(artifact: Path) -> List[str]:
    """Return, as sentences, what is wrong with an artifact."""
    files = files_of(artifact)
    return [*_unasked(files), *_missing(files), *_too_large(artifact), *_dead_links(artifact, files)]


def _unasked(files: Iterable[str]) -> Iterator[str]:
    for path in files:
        if not is_shipped(path):
            yield "%s is in the artifact, and tools/contents.py has no reason for it" % path


def _missing(files: Collection[str]) -> Iterator[str]:
    for pattern in (pattern for part in PARTS for pattern in part.patterns):
        if not any(_matches(path, pattern) for path in files):
            yield "%s is not in the artifact" % pattern


def _too_large(artifact: Path) -> Iterator[str]:
    size = artifact.stat().st_size
    if size > LARGEST:
        yield "the artifact has %d bytes, and %d are allowed" % (size, LARGEST)


LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# Pages for developers, who have the checkout: they link to parts of it that are not shipped.
FOR_DEVELOPERS = ("ARCHITECTURE.md", "CONTRIBUTING.md")
NOT_SHIPPED = "docs/dev"
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _pages(artifact: Path, files: Iterable[str]) -> Dict[str, str]:
    """Return the text of each page, without blocks of code."""
    with tarfile.open(str(artifact)) as archive:
        streams = {path: archive.extractfile(path) for path in files if path.endswith(".md")}
        return {path: CODE.sub("", stream.read().decode("utf-8")) for path, stream in streams.items() if stream}


def _anchors(text: str) -> Set[str]:
    """Return what a link may name of a page: its headings as GitHub spells them, and what the changelog sets."""
    spelled = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}
    return spelled | set(re.findall(r'<a id="([^"]+)">', text))


def _dead_links(artifact: Path, files: Collection[str]) -> Iterator[str]:
    """A link to a file that is not shipped leads nowhere for whoever has the artifact alone."""
    pages = _pages(artifact, files)
    for path, text in pages.items():
        for link in (link for link in LINK.findall(text) if "://" not in link):
            name, _hash, anchor = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
            if path in FOR_DEVELOPERS and (target + "/").startswith(NOT_SHIPPED + "/"):
                continue
            if target not in files:
                yield "%s links to %s, which is not in the artifact" % (path, link)
            elif anchor and anchor not in _anchors(pages.get(target, "")):
                yield "%s links to %s, and there is no such heading" % (path, link)


def weights(artifact: Path) -> List[Tuple[Part, int, int]]:
    """Return for each part how many files and bytes of the artifact it is, before compression."""
    files = files_of(artifact)
    result = []
    for part in PARTS:
        sizes = [size for path, size in files.items() if any(_matches(path, pattern) for pattern in part.patterns)]
        result.append((part, len(sizes), sum(sizes)))
    return result
