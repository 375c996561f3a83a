# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artifact holds what git tracks and the list of shipped files names, whatever else lies in the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest

from tools import collection, contents, tree
from tools.paths import ROOT

# What people keep in a checkout, and what a careless build would publish.
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


def test_a_build_from_a_dirty_checkout_publishes_nothing_private(checkout: Path, tmp_path: Path) -> None:
    """As somebody who never heard of make builds it."""
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


def test_only_what_git_tracks_is_packed(checkout: Path) -> None:
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    write(checkout, [path for path in PRIVATE if not contents.is_shipped(path)])
    write(checkout, ["notes.txt", "playbooks/tasks/mine.txt"])
    assert collection.files_to_pack(checkout) == sorted(SHIPPED)
    assert set(tree.untracked_files(checkout)) >= {".env", "vault.yml", "notes.txt"}


def test_a_file_that_would_be_shipped_and_is_not_tracked_is_named(checkout: Path) -> None:
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    for path in ("playbooks/vault.yml", "plugins/modules/fonnte_new.py"):
        write(checkout, [path])
        with pytest.raises(collection.NotBuilt, match=f"git does not track .*{path}, among"):
            collection.files_to_pack(checkout)


def test_a_tracked_file_that_is_gone_is_not_packed(checkout: Path) -> None:
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    (checkout / "README.md").unlink()
    assert collection.files_to_pack(checkout) == sorted(set(SHIPPED) - {"README.md"})


def test_an_artifact_with_a_wrong_file_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = tmp_path / "fonnte-whatsapp-1.0.0.tar.gz"
    with tarfile.open(artifact, "w:gz") as archive:
        write(tmp_path, [".env"])
        archive.add(tmp_path / ".env", ".env")
    monkeypatch.setattr(collection, "build_artifact", lambda *_arguments: artifact)
    venv: t.Any = None
    with pytest.raises(collection.NotBuilt, match=r"\.env is in the artifact"):
        collection.build_and_install(venv, "x", tmp_path / "installed", tmp_path / "log")
    assert not artifact.exists() and not (tmp_path / "installed").exists()
