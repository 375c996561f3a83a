# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The destination of exported tokens: no directory, and no parent directory, may be replaceable by every user."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._token_files import ExportError, TokenExport


def prepare(dest: Path, check_mode: bool = False) -> None:
    TokenExport(dest=str(dest), password="a password", prefix="fleet_").prepare(["toko"], check_mode)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_directory_that_everyone_can_replace_is_refused(tmp_path: Path, above: int, exists: bool) -> None:
    dest = tmp_path / "open" / "clients" / "tokens"
    (dest if exists else dest.parent).mkdir(parents=True)
    opened = [dest, dest.parent, dest.parent.parent][above]
    if not opened.exists():
        opened = opened.parent
    opened.chmod(0o777)
    for check_mode in (True, False):
        with pytest.raises(ExportError, match=f"everyone can replace files in {opened}. Remove"):
            prepare(dest, check_mode)
    assert dest.exists() == exists
    # With the sticky bit, only the owner of a file can replace it.
    opened.chmod(0o1777)
    prepare(dest)
    assert dest.is_dir() and (exists or stat.S_IMODE(dest.stat().st_mode) == 0o700)


def test_target_of_a_link_is_checked(tmp_path: Path) -> None:
    (tmp_path / "open" / "tokens").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(ExportError, match="everyone can replace files in"):
        prepare(tmp_path / "link" / "tokens")


def test_file_instead_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("a file in the way")
    with pytest.raises(ExportError, match="it is not a directory that you can write to"):
        prepare(tmp_path / "tokens")


@pytest.mark.parametrize("content", ["- a list", "a text", "fonnte_tokens: a text", ""])
def test_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    secret = VaultSecret(b"a password")
    (tmp_path / "toko.yml").write_bytes(VaultLib([("default", secret)]).encrypt(content, secret))
    with pytest.raises(ExportError, match="does not decrypt it, or it has no"):
        prepare(tmp_path)
