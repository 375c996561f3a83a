# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artifact and the copies contain only the listed files, for any other files in the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest

from tools import tree
from tools.paths import ROOT

# Files that users often have in a checkout, and that an unfiltered build would publish.
PRIVATE = (
    *(".env", ".env.local", "playbooks/.env", "prod.env", ".envrc", "vault.yml", "vault.yaml", "playbooks/vault.yml"),
    *("roles/fleet/vars/vault.yml", "group_vars/all/vault.yml", "my_vault.yml", "prod.vault", ".vault_pass"),
    *("vault-password.txt", "playbooks/vault_password", "secrets.yml", "playbooks/secrets.yaml", "credentials.json"),
    *("server.pem", "docs/ca.key", "id_rsa", ".ssh/id_ed25519", "keys/id_ecdsa.pub", "store.p12", "store.jks"),
    *(".netrc", ".pypirc", "ansible.cfg", "playbooks/ansible.cfg", "inventory.yml", "inventory/hosts", "hosts.ini"),
    *("host_vars/a.yml", "playbooks/host_vars/a.yml", "run.log", "playbooks/site.retry", "venv/bin/python"),
    *("roles/fleet/tasks/main.yml.orig", "plugins/modules/x.py.bak", ".venv/pyvenv.cfg", ".DS_Store"),
)
SHIPPED = ("README.md", "galaxy.yml", "docs/secrets.md", "plugins/inventory/fonnte.py", "roles/fleet/tasks/main.yml")


def write(root: Path, paths: t.Iterable[str]) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("[defaults]\n", encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for path in SHIPPED:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, root / path)
    return root


def test_build_from_a_dirty_checkout_publishes_nothing_private(checkout: Path, tmp_path: Path) -> None:
    """The artifact is built with ansible-galaxy directly."""
    write(checkout, PRIVATE)
    program = Path(sys.executable).parent / "ansible-galaxy"
    command = [str(program), "collection", "build", "--output-path", str(tmp_path / "out")]
    env = {**os.environ, "HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path / ".ansible")}
    done = subprocess.run(
        command, cwd=checkout, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (artifact,) = (tmp_path / "out").glob("*.tar.gz")
    with tarfile.open(artifact) as archive:
        packed = {member.name for member in archive.getmembers() if member.isfile()}
    assert packed == {"MANIFEST.json", "FILES.json", *SHIPPED} - {"galaxy.yml"}


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def test_only_tracked_files_are_packed(checkout: Path) -> None:
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    write(checkout, [*PRIVATE, "notes.txt", "playbooks/tasks/mine.txt"])
    assert tree.tracked_files(checkout) == sorted(SHIPPED)
    (checkout / "README.md").unlink()
    assert tree.tracked_files(checkout) == sorted({*SHIPPED} - {"README.md"})


def test_copy_contains_exactly_the_listed_files(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "init", "--quiet")
    write(checkout, ["roles/fleet/vars/main.yml"])
    copy = tree.sync(tree.list_files(checkout), tmp_path / "copy", checkout)
    write(copy, [".mypy_cache/kept.json", "tests/output/removed.txt"])
    (checkout / "roles" / "fleet" / "vars" / "main.yml").unlink()
    (checkout / "README.md").write_text("changed", encoding="utf-8")
    tree.sync(tree.list_files(checkout), tmp_path / "copy", checkout)
    found = {str(path.relative_to(copy)) for path in copy.rglob("*") if ".git" not in path.parts and not path.is_dir()}
    assert found == {*SHIPPED, ".mypy_cache/kept.json"} and not (copy / "roles" / "fleet" / "vars").exists()
    assert (copy / "README.md").read_text(encoding="utf-8") == "changed"
