# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's directory with inventories, on one ansible-core; output and files are searched for secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

from .cases import there
from .playbooks import MARK

Json = dict[str, Any]

# The newest core runs the tests. OLDEST is the directory of the oldest core's programs, if there is one.
OLDEST = os.environ.get("FONNTE_TESTS_OLDEST")
CORES = {"newest": Path(sys.executable).parent, **({"oldest": Path(OLDEST)} if OLDEST else {})}
# For tests whose result may depend on the core. The others run on the newest one, or on each one if
# FONNTE_TESTS_CORES is "all".
ON_EACH_CORE = pytest.mark.parametrize("core", CORES, indirect=True)
USUAL_CORES = tuple(CORES) if os.environ.get("FONNTE_TESTS_CORES") == "all" else ("newest",)
# It takes minutes to follow all pages of the documentation. By default, only the first pages for users are followed.
EVERY_PAGE = os.environ.get("FONNTE_TESTS_PAGES") == "all"
# A process for each cause of a refusal takes minutes, and tests without processes cover all causes.
EVERY_CASE = os.environ.get("FONNTE_TESTS_CASES") == "all"
ACCOUNT = f"account-{MARK}-inventory"
PLUGIN = {"plugin": "fonnte.whatsapp.fonnte"}


def sample(cases: Sequence[Any], count: int) -> list[Any]:
    """Return the first cases of a table, or all of them if FONNTE_TESTS_CASES is "all"."""
    return list(cases if EVERY_CASE else cases[:count])


class Workspace:
    """A directory of a user with inventories and playbooks."""

    def __init__(self, sandbox: Sandbox, folder: Path, core: str = "newest") -> None:
        self.sandbox = sandbox
        self.folder = folder / "workspace"
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        self._programs = CORES[core]
        self.errors = ""

    def world(self, *devices: Json) -> None:
        """Reset the sandbox to one account with these devices; by default, with three."""
        rows = devices or tuple(there(f"08120001200{index}", name=f"Toko {index}") for index in (1, 2, 3))
        self.sandbox.reset(accounts=[{"token": ACCOUNT, "devices": list(rows)}])

    def source(self, name: str = "fonnte.yml", **options: object) -> Path:
        """Write a source of the inventory plugin, and return its path."""
        path = self.folder / name
        path.write_text(json.dumps({**PLUGIN, **options}, ensure_ascii=False), encoding="utf-8")
        return path

    def run(
        self,
        program: str,
        *words: object,
        env: Mapping[str, str | None] | None = None,
        code: int = 0,
        may_show: Collection[str] = (),
    ) -> str:
        """Run a program of Ansible, and return its standard output; ``errors`` contains its standard error."""
        given = {
            **os.environ,
            "HOME": str(self.home),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_LOG_PATH": str(self.home / "ansible.log"),
            "ANSIBLE_INJECT_INVOCATION": "1",
            "FONNTE_API_ENDPOINT": self.sandbox.url,
            "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
            "FONNTE_API_RETRIES": "0",
            **(env or {}),
        }
        done = subprocess.run(
            [self._programs / program, *map(str, words)],
            env={key: value for key, value in given.items() if value is not None},
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        self.errors = " ".join(done.stderr.split())
        self._search(done.stdout + done.stderr, may_show)
        return done.stdout

    def _search(self, output: str, may_show: Collection[str]) -> None:
        """Check that the output has no traceback, and that neither the output nor a file in the home has a secret."""
        assert "Traceback" not in output, output
        secrets = {ACCOUNT, *(device["token"] for device in self.sandbox.devices().values())} - set(may_show)
        texts = {"the output": output}
        texts.update({str(path): path.read_bytes().decode(errors="replace") for path in self.left()})
        for where, text in texts.items():
            for secret in secrets:
                assert secret not in text, f"{where} shows {secret}: {text[:2000]}"

    def left(self) -> list[Path]:
        """Return the files that runs have left in the home."""
        return [path for path in self.home.rglob("*") if path.is_file()]

    def list(self, source: Path, *words: object, **how: Any) -> Json:
        """Return the whole inventory, without the marks of unsafe strings."""
        inventory: Json = bare(json.loads(self.run("ansible-inventory", "-i", source, "--list", *words, **how)))
        return inventory

    def hosts(self, source: Path, *words: object, **how: Any) -> Json:
        """Return the variables of each host."""
        hosts: Json = self.list(source, *words, **how)["_meta"]["hostvars"]
        return hosts

    def refused(self, source: Path, *words: object, env: Mapping[str, str | None] | None = None) -> str:
        """Return the error for an inventory that cannot be read."""
        strict = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", **(env or {})}
        self.run("ansible-inventory", "-i", source, "--list", *words, env=strict, code=1)
        return self.errors

    def play(self, *tasks: Json, source: Path | None = None, words: Sequence[str] = (), **how: Any) -> str:
        """Run tasks on all hosts of an inventory, or on localhost."""
        play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
        path = self.folder / "playbook.yml"
        path.write_text(json.dumps([play]), encoding="utf-8")
        local = ["-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter='{{ ansible_playbook_python }}'"]
        return self.run("ansible-playbook", *(["-i", source] if source else local), *words, path, **how)

    def calls(self) -> int:
        """Return the number of requests in the journal, and clear the journal."""
        count = len(self.sandbox.journal())
        self.sandbox.clear_journal()
        return count


def bare(value: Any) -> Any:
    """Return a value without the marks of unsafe strings."""
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: bare(item) for key, item in value.items()}
    return [bare(item) for item in value] if isinstance(value, list) else value
