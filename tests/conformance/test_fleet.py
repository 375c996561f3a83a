# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role fleet: what it declares, what it refuses, and that it prints no secret even at the highest verbosity."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SECRET = "s3cr3t-of-a-webhook"
PLAYBOOK = [{"hosts": "localhost", "gather_facts": False, "roles": [{"role": "fonnte.whatsapp.fleet"}]}]
DEVICES: list[dict[str, Any]] = [
    {"device": "081200000001", "name": "Toko Satu", "webhook": f"https://user:{SECRET}@hooks.example.com/{SECRET}"},
    {"device": "081200000002", "name": "Toko Dua", "quick": True, "autoread": False},
]
CORES = [Path(sys.executable).parent, *(Path(path) for path in [os.environ.get("FONNTE_TESTS_OLDEST")] if path)]


def play(core: Path, sandbox: Sandbox, folder: Path, *words: str, **variables: Any) -> tuple[int, str]:
    """Play the role as loudly as can be, with its variables in a file, and return exit code and output."""
    (folder / "playbook.yml").write_text(json.dumps(PLAYBOOK), encoding="utf-8")
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    env = {
        **os.environ,
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_INJECT_INVOCATION": "1",
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": sandbox.account_token,
    }
    command = [core / "ansible-playbook", "-vvvv", "--diff", "-e", f"@{folder / 'variables.json'}", *words]
    done = subprocess.run(
        [*command, folder / "playbook.yml"], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    output = done.stdout + done.stderr
    assert SECRET not in output and sandbox.account_token not in output
    return done.returncode, output


@pytest.mark.parametrize("core", CORES, ids=lambda core: "oldest" if core != CORES[0] else "newest")
def test_a_fleet_is_declared_without_a_word_of_its_secrets(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"fleet_devices": DEVICES, "fleet_defaults": {"autoread": True, "group": True}}
    assert play(core, sandbox, tmp_path, "--check", **arguments)[0] == 0
    assert sandbox.writes() == []
    assert play(core, sandbox, tmp_path, **arguments)[0] == 0
    first, second = sandbox.device("081200000001"), sandbox.device("081200000002")
    assert first["settings"]["webhook"] == DEVICES[0]["webhook"]
    assert first["settings"]["autoread"] and first["settings"]["group"]
    assert second["settings"]["quick"] and second["settings"]["group"] and not second["settings"]["autoread"]
    sandbox.clear_journal()
    code, output = play(core, sandbox, tmp_path, **arguments)
    assert code == 0 and "changed=0" in output and sandbox.writes() == []


@pytest.mark.parametrize("core", CORES, ids=lambda core: "oldest" if core != CORES[0] else "newest")
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": "Toko", "webhook": f"https://hooks.example.com/{SECRET}"}, "device"),
        ({"device": "081200000003", "webhok": f"https://hooks.example.com/{SECRET}"}, "webhok"),
        ({"device": "081200000003", "name": "T", "webhook": f"https://hooks.example.com/{SECRET}"}, "1 character;"),
    ],
    ids=["no-number", "typo", "short-name"],
)
def test_one_wrong_line_is_named(
    core: Path, wrong: dict[str, Any], word: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    code, output = play(core, sandbox, tmp_path, fleet_devices=[wrong])
    assert code != 0 and word in output
    assert sandbox.writes() == []
