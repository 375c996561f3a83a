# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A declaration file is read once, since another user can replace it at any moment; its templates are evaluated."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils import _declaration_sources
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declaration_sources import (
    SourceError,
    SourceReader,
    find_files,
)


def test_unresolved_template_is_reported_from_the_text_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "client.yml"
    path.write_text('fleet_clients: [{name: "{{ shop_name }}", account_token: "{{ shop_token }}"}]\n', encoding="utf-8")
    read = _declaration_sources.read_whole

    def read_and_replace(name: str) -> bytes:
        """Read the file; then replace it with one that uses other variables."""
        content = read(name)
        other = tmp_path / "other.yml"
        other.write_text("{{ of_another_user }}", encoding="utf-8")
        os.replace(other, name)
        return content

    monkeypatch.setattr(_declaration_sources, "read_whole", read_and_replace)
    variables: dict[str, t.Any] = {"hostvars": {}, "shop_name": "Toko"}
    with pytest.raises(SourceError) as caught:
        SourceReader(DataLoader(), variables).read([str(path)], [], False)
    assert f"{path} has a template" in str(caught.value)
    assert "(no variable: shop_token)" in str(caught.value) and "of_another_user" not in str(caught.value)


class NoTemplar:
    """Evaluates nothing."""

    def __init__(self, **parts: t.Any) -> None:
        pass


@pytest.mark.parametrize(
    "text, name, is_evaluated",
    [
        ("name: Toko {Satu}", "Toko {Satu}", False),
        ('{"name": "Toko Satu"}', "Toko Satu", False),
        ("name: 2026-11-30", "2026-11-30", False),
        ("name: 'Toko {{ number }}'", "Toko 7", True),
        ("name: '{% if number == 7 %}Toko{% endif %}'", "Toko", True),
        ("name: 'Toko{# a comment #}'", "Toko", True),
        # YAML has more than one spelling of a brace.
        (r'name: "Toko \x7b{ number }}"', "Toko 7", True),
        ("name: !unsafe 'Toko {{ number }}'", "Toko {{ number }}", True),
        (
            "name: |-\n  #jinja2: variable_start_string: '[%', variable_end_string: '%]'\n  Toko [% number %]",
            "Toko 7",
            True,
        ),
    ],
)
def test_only_a_file_with_templates_is_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str, is_evaluated: bool
) -> None:
    path = tmp_path / "client.yml"
    path.write_text(text, encoding="utf-8")
    variables: dict[str, t.Any] = {"hostvars": {}, "number": 7}
    assert SourceReader(DataLoader(), variables).read([str(path)], [], False) == {str(path): {"name": name}}
    monkeypatch.setattr(_declaration_sources, "Templar", NoTemplar)
    if is_evaluated:
        with pytest.raises(SourceError, match="has a template"):
            SourceReader(DataLoader(), variables).read([str(path)], [], False)
    else:
        assert SourceReader(DataLoader(), variables).read([str(path)], [], False) == {str(path): {"name": name}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\n  b: secret\n", r"{} is not valid YAML; correct line 2, column 4\."),
        ("- secret\n", r"{} has no dictionary; write fleet_clients or fleet_devices with a list\."),
        (
            "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
            r"{} is encrypted; add --ask-vault-pass, or correct the vault password\.",
        ),
    ],
)
def test_unreadable_file_has_its_cause_and_no_content(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "client.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=problem.format(path)) as caught:
        SourceReader(DataLoader(), {"hostvars": {}}).read([str(path)], [], False)
    assert "secret" not in str(caught.value)


def test_encrypted_files_are_one_sentence(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.yml", "b.yml")]
    for path in paths:
        Path(path).write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n", encoding="utf-8")
    with pytest.raises(SourceError, match=f"{paths[0]}, {paths[1]} are encrypted; add"):
        SourceReader(DataLoader(), {"hostvars": {}}).read(paths, [], False)


def test_directory_that_cannot_be_listed_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: object) -> t.NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_declaration_sources.os, "listdir", refuse)
    with pytest.raises(SourceError, match=r"cannot be read \(Permission denied\)\. Nothing was read\."):
        find_files(str(tmp_path), "files", ".")
