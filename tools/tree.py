# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of the checkout that a session runs on, at ansible_collections/fonnte/whatsapp.

ansible-test refuses a symlink, and finds no files inside an ignored directory of a git repository. So the copy is a
git repository itself, without commits. Each session has its own copy, since some programs write into it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tools.paths import BUILD, ROOT, collection_in

# Caches that programs write to the copy and read in the next run.
KEPT = {".git", ".ansible", ".cache", ".hypothesis", ".mypy_cache", ".pytest_cache"}


def list_files(root: Path = ROOT, *which: str) -> list[str]:
    """Return the paths of all files that git tracks or would add, sorted; ``which`` are options of git ls-files."""
    git = ["git"]
    if not (root / ".git").exists():
        # An unpacked archive: an empty repository elsewhere lists all files that .gitignore does not name.
        git += ["--git-dir", str(BUILD / "archive.git"), "--work-tree", str(root)]
        subprocess.run(["git", "init", "--quiet", "--bare", str(BUILD / "archive.git")], check=True)
        which = ()
    command = [*git, "ls-files", "-z", *(which or ("--cached", "--others", "--exclude-standard"))]
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    listed = {path for path in done.stdout.decode().split("\0") if path}
    return sorted(path for path in listed if os.path.lexists(root / path))


def tracked_files(root: Path = ROOT) -> list[str]:
    """Return the paths of all files that git tracks, sorted: only these may be published."""
    return list_files(root, "--cached")


def untracked_files(root: Path = ROOT) -> list[str]:
    """Return the paths of all files that git neither tracks nor ignores, sorted."""
    return list_files(root, "--others", "--exclude-standard") if (root / ".git").exists() else []


def content_hash(files: Iterable[str], root: Path = ROOT) -> str:
    """Return a digest of the names, contents and executable bits of these files."""
    digest = hashlib.sha256()
    for path in files:
        content = os.readlink(root / path).encode() if (root / path).is_symlink() else (root / path).read_bytes()
        mode = "x" if os.access(root / path, os.X_OK) else "-"
        digest.update(("%s\0%s\0%d\0" % (path, mode, len(content))).encode() + content)
    return digest.hexdigest()


def sync(files: list[str], root: Path, source: Path = ROOT) -> Path:
    """Update the copy under root to hold exactly these files of source; files that did not change are not written."""
    target = collection_in(root)
    target.mkdir(parents=True, exist_ok=True)
    _remove_others(target, set(files))
    for path in files:
        _copy(source / path, target / path)
    if not (target / ".git").exists():
        subprocess.run(["git", "init", "--quiet"], cwd=target, check=True, stderr=subprocess.DEVNULL)
    return target


def _remove_others(target: Path, files: Iterable[str]) -> None:
    for folder, folders, names in os.walk(target):
        folders[:] = [name for name in folders if name not in KEPT]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            if os.path.relpath(os.path.join(folder, name), target) not in files:
                os.unlink(os.path.join(folder, name))
                with contextlib.suppress(OSError):
                    os.removedirs(folder)


def _copy(source: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    are_files = target.is_file() and not (source.is_symlink() or target.is_symlink())
    if are_files and target.read_bytes() == source.read_bytes():
        shutil.copymode(source, target)
        return
    if target.is_symlink():
        target.unlink()
    shutil.copy(source, target, follow_symlinks=False)
