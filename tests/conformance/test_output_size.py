# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of the main playbooks for one device: few headings, few lines, and the summary at the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

NUMBER = "081200000001"
DECLARED = f"""\
fleet_devices:
  - device: "{NUMBER}"
    name: Toko Satu
    autoread: true
    personal: true
    webhook: https://hooks.example.com/toko-satu
    group: false
    quick: false
    resend: false
    webhook_connect: ""
    webhook_status: ""
    webhook_chaining: ""
"""
PROVISION = "fonnte.whatsapp.provision"
MAX_HEADINGS, MAX_LINES = 5, 25
RUNS = {
    "provision": ["-e", "provision_files=devices.yml"],
    "unchanged": ["-e", "provision_files=devices.yml"],
    "check": ["-e", "provision_files=devices.yml", "--check"],
    "audit": ["-e", "audit_files=devices.yml"],
    "link": ["-e", f"link_devices={NUMBER}", "-e", "link_timeout=30"],
}


def run(sandbox: Sandbox, folder: Path, playbook: str, words: list[str]) -> str:
    """Run a playbook with the default callback, without -v; return its standard output."""
    env = {**os.environ, "HOME": str(folder), "ANSIBLE_HOME": str(folder / ".ansible"), "ANSIBLE_NOCOLOR": "1"}
    env.update(FONNTE_API_ENDPOINT=sandbox.url, FONNTE_ACCOUNT_TOKEN=sandbox.account_token)
    command = [str(Path(sys.executable).parent / "ansible-playbook"), playbook, *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", RUNS)
def test_output_for_one_device_is_short(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    (tmp_path / "devices.yml").write_text(DECLARED, encoding="utf-8")
    playbook = name if name in ("audit", "link") else "provision"
    if name not in ("provision", "check"):
        run(sandbox, tmp_path, PROVISION, RUNS["provision"])
    if name == "link":
        sandbox.link(NUMBER)
    lines = [
        line for line in run(sandbox, tmp_path, f"fonnte.whatsapp.{playbook}", RUNS[name]).splitlines() if line.strip()
    ]
    headings = [line for line in lines if re.match(r"TASK \[", line)]
    assert len(headings) <= MAX_HEADINGS and len(lines) <= MAX_LINES, "\n".join(lines)
    assert "Summary" in headings[-1] and lines[-2].startswith("PLAY RECAP")


@pytest.mark.parametrize(
    "words, returned",
    [
        ([], []),
        pytest.param(["--diff"], [NUMBER], marks=pytest.mark.weekly),
        pytest.param(["-v"], [NUMBER], marks=pytest.mark.weekly),
    ],
    ids=str,
)
def test_result_of_role_contains_devices_only_if_they_are_displayed(
    sandbox: Sandbox, tmp_path: Path, words: list[str], returned: list[str]
) -> None:
    """Ansible processes each value of a registered result several times."""
    (tmp_path / "devices.yml").write_text(DECLARED, encoding="utf-8")
    save = {"ansible.builtin.copy": {"content": "{{ fleet_result | to_json }}", "dest": str(tmp_path / "result.json")}}
    plays = [{"import_playbook": PROVISION}, {"hosts": "localhost", "gather_facts": False, "tasks": [save]}]
    (tmp_path / "plays.yml").write_text(json.dumps(plays), encoding="utf-8")
    run(sandbox, tmp_path, "plays.yml", [*RUNS["provision"], *words])
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert [device["number"] for device in result["devices"]] == returned
    assert [change["after"]["device"] for change in result["diff"]] == returned
    assert f'Created (1): {NUMBER} "Toko Satu".' in result["text"]
