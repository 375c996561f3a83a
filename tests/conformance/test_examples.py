# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example that a user can read is played as it stands: in the modules' documentation, and in the documents."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

INSTALLED = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / "ansible_collections" / "fonnte" / "whatsapp"
MODULES = sorted(INSTALLED.glob("plugins/modules/*.py"))
DOCUMENTS = [
    INSTALLED / "README.md",
    *sorted(INSTALLED.glob("docs/*.md")),
    *sorted(INSTALLED.glob("roles/*/README.md")),
]
CODE = "047193"


def examples_of(module: Path) -> list[Any]:
    """The tasks in EXAMPLES."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError(f"{module} has no EXAMPLES")


def playbooks_of(document: Path) -> list[list[Any]]:
    """The blocks of YAML that are whole playbooks."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    read = [yaml.safe_load(block) for block in blocks]
    # A rulebook has hosts too; tests/eda runs those.
    return [block for block in read if isinstance(block, list) and "hosts" in block[0] and "sources" not in block[0]]


def play(playbook: list[Any], sandbox: Sandbox, folder: Path) -> str:
    """Play it as a user would, and return what was printed."""
    path = folder / "playbook.yml"
    path.write_text(yaml.safe_dump(playbook, allow_unicode=True), encoding="utf-8")
    env = {
        **os.environ,
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": sandbox.account_token,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run([program, path], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _can_send(sandbox: Sandbox, folder: Path) -> None:
    """A linked device that may send attachments, and an attachment."""
    sender = {"number": "081200001001", "linked": True, "package": "Super"}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [sender]}])
    (folder / "files").mkdir()
    (folder / "files" / "invoice.pdf").write_bytes(b"%PDF-1.7")


Prepare = Callable[[Sandbox, Path], None]
# What the examples of a module or a document expect to be there.
BEFORE: dict[str, Prepare] = {"fonnte_message": _can_send, "messages": _can_send}
# Where each run does the same again.
ALWAYS_CHANGED = ("messages",)


def _prepare(example: Path, sandbox: Sandbox, folder: Path) -> None:
    if example.stem in BEFORE:
        BEFORE[example.stem](sandbox, folder)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_examples_of_a_module(module: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    _prepare(module, sandbox, tmp_path)
    sandbox.next_otp(CODE)
    tasks = examples_of(module)
    variables = {"otp_from_whatsapp": CODE, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    output = play([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}], sandbox, tmp_path)
    for task in tasks:
        assert f"TASK [{task['name']}]" in output
    assert "skipped=0" in output and "ignored=0" in output


def test_the_examples_do_what_they_say(sandbox: Sandbox, tmp_path: Path) -> None:
    (module,) = [path for path in MODULES if path.stem == "fonnte_device"]
    test_the_examples_of_a_module(module, sandbox, tmp_path)
    assert {number: device["name"] for number, device in sandbox.devices().items()} == {
        "081200001001": "Toko Satu Bandung",
        "081200001002": "Toko Dua",
    }


@pytest.mark.parametrize(
    ("document", "index"),
    [(path, index) for path in DOCUMENTS for index in range(len(playbooks_of(path)))],
    ids=lambda value: value.parent.name + "-" + value.name if isinstance(value, Path) else str(value),
)
def test_the_playbooks_in_a_document(document: Path, index: int, sandbox: Sandbox, tmp_path: Path) -> None:
    _prepare(document, sandbox, tmp_path)
    play(playbooks_of(document)[index], sandbox, tmp_path)
    assert sandbox.devices()
    if document.stem in ALWAYS_CHANGED:
        assert sandbox.writes()
        return
    sandbox.clear_journal()
    assert "changed=0" in play(playbooks_of(document)[index], sandbox, tmp_path)
    assert sandbox.writes() == []
