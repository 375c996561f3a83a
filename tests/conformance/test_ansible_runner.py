# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project of docs/awx.md, run by ansible-runner as AWX runs it, from an unrelated directory."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.control_nodes import ACCOUNT, INSTALLED, ControlNode
from ansible_collections.fonnte.whatsapp.tests.conformance.environments import RUNNER
from ansible_collections.fonnte.whatsapp.tests.conformance.page_runner import blocks_of
from ansible_collections.fonnte.whatsapp.tests.conformance.selection import EVERYTHING
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

PAGE = blocks_of((INSTALLED / "docs" / "awx.md").read_text(encoding="utf-8"))
NUMBER, CODE = "081200001001", "047193"
CHECK = ("--cmdline", "--check --diff")
# By default, only the newest core and the command that AWX uses.
WAYS = [(core, way) for core in CORES for way in ("run", "worker")] if EVERYTHING else [("newest", "worker")]


class Controller:
    """AWX as a job sees it: a copy of the project, an inventory with localhost, the survey's answers, and the token."""

    def __init__(self, sandbox: Sandbox, folder: Path, core: str, way: str) -> None:
        self._way, self._folder, self._jobs = way, folder, 0
        self._node = ControlNode(sandbox, folder / "node", CORES[core])
        sandbox.reset(accounts=[{"token": ACCOUNT, "devices": []}])
        sandbox.next_otp(CODE)
        # The page has two files of answers with one name; the second file is for the second launch.
        self.answers = [yaml.safe_load(block.text) for block in PAGE if block.saved == "answers.yml"]

    def launch(self, playbook: str, *words: str, answers: object = None) -> str:
        """Run a job in a new directory and with a new home, as in a new pod; return its output."""
        self._jobs += 1
        job = self._folder / f"job-{self._jobs}"
        for block in PAGE:
            if block.saved.endswith(".yml") and block.saved not in ("answers.yml", "execution-environment.yml"):
                path = job / "private" / "project" / block.saved
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
        for name in ("home", "worker", "elsewhere", "private/inventory", "private/env"):
            (job / name).mkdir(parents=True)
        (job / "private" / "inventory" / "hosts").write_text("localhost ansible_connection=local\n", encoding="utf-8")
        (job / "private" / "env" / "extravars").write_text(json.dumps(answers or {}), encoding="utf-8")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self._command(job, playbook), "bash", *words],
            env=self._node.environment(HOME=str(job / "home"), PWD=str(job / "home")),
            cwd=job / "elsewhere",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert ACCOUNT not in done.stdout and "Traceback" not in done.stdout, done.stdout
        return " ".join(done.stdout.split())

    def _command(self, job: Path, playbook: str) -> str:
        assert RUNNER
        runner = os.path.join(RUNNER, "ansible-runner")
        if self._way == "run":
            return f'{runner} run {job}/private --playbook {playbook} "$@"'
        transmit = f'{runner} transmit {job}/private --playbook {playbook} "$@"'
        worker = f"{runner} worker --private-data-dir {job}/worker"
        return f"{transmit} | {worker} | {runner} process {job}/private"


@pytest.mark.weekly
@pytest.mark.parametrize(("core", "way"), WAYS if RUNNER else [])
def test_project_of_awx_page_manages_and_deletes_device(sandbox: Sandbox, tmp_path: Path, core: str, way: str) -> None:
    awx = Controller(sandbox, tmp_path, core, way)
    if EVERYTHING:
        awx.launch("provision.yml", *CHECK)
        assert sandbox.writes() == [] and sandbox.devices() == {}
    awx.launch("provision.yml")
    assert set(sandbox.devices()) == {NUMBER}
    if EVERYTHING:
        sandbox.clear_journal()
        assert "1 unchanged" in awx.launch("provision.yml"), "a second pod does not know what the first has done"
        awx.launch("audit.yml")
        assert sandbox.writes() == []
    first, second = awx.answers
    assert "disconnected, and waiting for its code" in awx.launch("leave.yml", answers=first)
    assert "deleted" in awx.launch("leave.yml", answers=second) and sandbox.devices() == {}
