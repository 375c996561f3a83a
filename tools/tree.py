# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree that the tools see: a copy of what git would commit, at ansible_collections/fonnte/whatsapp.

ansible-test refuses a symlink, and inside an ignored folder of a git repository it finds no files at all and says
so in a warning only. So it is a copy, and the copy is a (never committed) git repository of its own.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Iterable, List, Set

from tools.paths import ROOT, TREE_ROOT, collection_in

# What the tools leave in the copy and find again in the next run.
KEPT = {
    ".git",
    ".ansible",
    ".cache",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    "__pycache__",
}
# Used only where there is no git: a source archive that somebody unpacked.
NOT_SOURCE = (
    ".git",
    ".build",
    ".venv*",
    ".ansible",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    "__pycache__",
    ".coverage*",
    "*.pyc",
    "*.swp",
    "*~",
    "*.egg-info",
    "collections",
    "fonnte-whatsapp-*.tar.gz",
)
NOT_SOURCE_PATHS = {"tests/output", "docs/_build", "tests/integration/inventory"}


def source_files() -> List[str]:
    """Return the paths of all files that belong to the project, sorted, with forward slashes."""
    listed = _listed_by_git() if (ROOT / ".git").exists() else []
    return sorted(path for path in (listed or _walked()) if os.path.lexists(str(ROOT / path)))


def tracked_files(root: Path = ROOT) -> List[str]:
    """Return the paths of all files that git tracks, sorted: what may be published. Without git, all files."""
    if not (root / ".git").exists():
        return source_files()
    return sorted(path for path in _listed_by_git(root, "--cached") if os.path.lexists(str(root / path)))


def untracked_files(root: Path = ROOT) -> List[str]:
    """Return the paths of all files that git neither tracks nor ignores, sorted."""
    if not (root / ".git").exists():
        return []
    return sorted(_listed_by_git(root, "--others", "--exclude-standard"))


def _listed_by_git(root: Path = ROOT, *which: str) -> List[str]:
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z", *(which or ("--cached", "--others", "--exclude-standard"))],
            cwd=str(root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
        )
    except FileNotFoundError:
        raise SystemExit("this checkout is a git repository, but git is not on the PATH") from None
    return [path for path in done.stdout.decode().split("\0") if path]


def _walked() -> List[str]:
    found: List[str] = []
    for folder, folders, files in os.walk(str(ROOT)):
        base = os.path.relpath(folder, str(ROOT))
        folders[:] = _wanted(base, folders)
        found.extend(os.path.normpath(os.path.join(base, name)) for name in _wanted(base, files))
    return found


def _wanted(base: str, names: Iterable[str]) -> List[str]:
    return [
        name
        for name in names
        if not any(fnmatch.fnmatch(name, pattern) for pattern in NOT_SOURCE)
        and os.path.normpath(os.path.join(base, name)) not in NOT_SOURCE_PATHS
    ]


def content_hash(files: Iterable[str], folder: Path) -> str:
    """Return a digest of all names, contents and executable bits of these files of the folder."""
    digest = hashlib.sha256()
    for path in files:
        full = folder / path
        content = os.readlink(str(full)).encode() if full.is_symlink() else full.read_bytes()
        mode = "x" if os.access(str(full), os.X_OK) else "-"
        digest.update(("%s\0%s\0%d\0" % (path, mode, len(content))).encode())
        digest.update(content)
    return digest.hexdigest()


def sync(files: List[str], root: Path = TREE_ROOT, source: Path = ROOT) -> Path:
    """Make the copy under root hold exactly these files of source; what did not change is left alone."""
    target = collection_in(root)
    target.mkdir(parents=True, exist_ok=True)
    _remove_gone(target, set(files))
    for path in files:
        _copy(source / path, target / path)
    if (ROOT / ".git").exists() and not (target / ".git").exists():
        subprocess.run(["git", "init", "--quiet"], cwd=str(target), check=True, stderr=subprocess.DEVNULL)
    return target


def _remove_gone(target: Path, files: Set[str]) -> None:
    folders_wanted = {parent for path in files for parent in _parents(path)}
    for folder, folders, names in os.walk(str(target)):
        base = os.path.relpath(folder, str(target))
        for name in list(folders):
            path = os.path.normpath(os.path.join(base, name))
            if name in KEPT:
                folders.remove(name)
            elif os.path.islink(os.path.join(folder, name)):
                folders.remove(name)
                if path not in files:
                    os.unlink(os.path.join(folder, name))
            elif path not in folders_wanted:
                folders.remove(name)
                shutil.rmtree(os.path.join(folder, name))
        for name in names:
            if os.path.normpath(os.path.join(base, name)) not in files:
                os.unlink(os.path.join(folder, name))


def _parents(path: str) -> List[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        if target.is_symlink() and os.readlink(str(target)) == os.readlink(str(source)):
            return
        if target.is_symlink() or target.exists():
            target.unlink()
        os.symlink(os.readlink(str(source)), str(target))
        return
    if target.is_symlink():
        target.unlink()
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(str(source), str(target))
    shutil.copymode(str(source), str(target))
