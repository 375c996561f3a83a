# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-lint, and editors that use it, report a wrong option of each module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

MODULES = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections/fonnte/whatsapp/plugins/modules")
NAMES = sorted(path.stem for path in MODULES.glob("fonnte_*.py"))


PLAY = """\
---
- name: Use a module
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Use it
      fonnte.whatsapp.{module}:
        {wrong}
"""


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the messages of ansible-lint about a play for each module, from one run."""
    project = tmp_path_factory.mktemp("project")
    for name in NAMES:
        (project / f"{name}.yml").write_text(PLAY.format(module=name, wrong=_wrong_option(name)), encoding="utf-8")
    return lint(project, NAMES, {})


def lint(project: Path, names: Iterable[str], env: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the messages of ansible-lint about the plays of some modules; each file has the name of its module."""
    # No profile contains the rule args.
    words = ["ansible-lint", "--offline", "--profile", "production", "--enable-list", "args", "--format", "json"]
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [programs / words[0], *words[1:], *(f"{name}.yml" for name in names)],
        cwd=project,
        env={**os.environ, **env, "HOME": str(project), "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    messages: dict[str, list[str]] = {name: [] for name in names}
    for problem in json.loads(done.stdout):
        messages[Path(problem["location"]["path"]).stem].append(problem["description"])
    return messages


def _wrong_option(name: str) -> str:
    """Return a wrong value of the option state if the module has one, else an unknown option."""
    text = (MODULES / f"{name}.py").read_text(encoding="utf-8")
    return "state: gone" if "\n  state:" in text else "naem: Toko"


# The bar keeps these tests on one worker, since they share one run of ansible-lint.
@pytest.mark.weekly
@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"lint|{name}")
def test_ansible_lint_reports_wrong_option(name: str, found: dict[str, list[str]]) -> None:
    word = _wrong_option(name).partition(": ")[2 if "state" in _wrong_option(name) else 0]
    # ansible-lint reports a missing required option first.
    assert any(word in text or "missing required arguments" in text for text in found[name]), found[name]


@pytest.mark.weekly
def test_ansible_lint_of_valid_task_sends_no_request(sandbox: Sandbox, tmp_path: Path) -> None:
    """ansible-lint calls main() of the module, which must end before the module does anything."""
    tasks = {
        "fonnte_device": "device: '081200001001'\n        name: Toko",
        "fonnte_device_info": "profile: true",
        "fonnte_message": "device: '081200001001'\n        target: ['081200001002']\n        message: hello",
        "fonnte_group_info": "device: '081200001001'\n        refresh: true",
        "fonnte_number_info": "device: '081200001001'\n        numbers: ['081200001002']",
        "fonnte_doctor": "consent: true",
        "fonnte_record_info": "devices: []",
    }
    for name, option in tasks.items():
        (tmp_path / f"{name}.yml").write_text(PLAY.format(module=name, wrong=option), encoding="utf-8")
    env = {"FONNTE_API_ENDPOINT": sandbox.url, "FONNTE_ACCOUNT_TOKEN": sandbox.account_token}
    assert lint(tmp_path, tasks, env) == {name: [] for name in tasks}
    assert sandbox.journal() == []
