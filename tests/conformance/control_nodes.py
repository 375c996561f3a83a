# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control nodes: programs of Ansible in a directory and an environment that a test chooses.

A shell sets PWD; systemd, cron, ansible-runner or ``make -C`` leave it stale or unset. The processes here inherit
nothing from the shell that runs the tests, except the path of the programs and ANSIBLE_COLLECTIONS_PATH.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

from .cases import account_token, there

ACCOUNT = account_token("surroundings")
FIRST, SECOND, NEW = "081200016001", "081200016002", "081200016003"
LONGEST_RUN = 120
INSTALLED = Path(os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")) / "ansible_collections" / "fonnte" / "whatsapp"
# Every write-only setting is declared, as role fleet requires.
EVERYTHING = {
    **dict.fromkeys(["autoread", "personal"], True),
    **dict.fromkeys(["group", "quick", "resend"], False),
    **dict.fromkeys(["webhook", "webhook_connect", "webhook_status", "webhook_chaining"], ""),
}


class ControlNode:
    """A machine with a home, a project directory and one account at the sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path, programs: Path | None = None, project: str = "project") -> None:
        self.sandbox = sandbox
        self.home = folder / "home"
        self.project = folder / project
        self.programs = programs or Path(sys.executable).parent
        for path in (self.home, self.project):
            path.mkdir(parents=True)
        rows = [there(FIRST, linked=True, package="Super"), there(SECOND, name="Toko Dua", package="Super")]
        sandbox.reset(accounts=[{"token": ACCOUNT, "plan": "Super", "devices": rows}])

    def declare(self, directory: Path, name: str, number: str = NEW) -> None:
        """Write a declaration of one device into the subdirectory ``clients`` of a directory."""
        (directory / "clients").mkdir(parents=True, exist_ok=True)
        client = {"name": name, "defaults": EVERYTHING, "devices": [{"device": number, "name": name}]}
        (directory / "clients" / "client.yml").write_text(json.dumps({"fleet_clients": [client]}), encoding="utf-8")

    def environment(self, **changes: str | None) -> dict[str, str]:
        """Return the environment of a process; None unsets a variable."""
        given: dict[str, str | None] = {
            "PATH": f"{self.programs}{os.pathsep}{os.defpath}",
            "HOME": str(self.home),
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "LANG": "C.UTF-8",
            "FONNTE_API_ENDPOINT": self.sandbox.url,
            "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
            "FONNTE_API_RETRIES": "0",
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def run(
        self, *words: object, cwd: Path | None = None, pwd: str = "correct", **changes: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a directory, by default the project; ``pwd`` is correct, stale or missing."""
        directory = cwd or self.project
        value = {"correct": str(directory), "stale": str(self.home), "missing": None}[pwd]
        return subprocess.run(
            list(map(str, words)),
            env=self.environment(**{"PWD": value, **changes}),
            cwd=directory,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LONGEST_RUN,
            check=False,
        )

    def playbook(self, name: str, *words: object, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection by its name."""
        return self.run("ansible-playbook", f"fonnte.whatsapp.{name}", *words, **how)

    def numbers(self) -> set[str]:
        """Return the numbers of the account."""
        return set(self.sandbox.devices())


def variables(**given: object) -> tuple[str, str]:
    """Return the command-line arguments that set variables of a playbook."""
    return "-e", json.dumps(given)


def tree(folder: Path) -> set[str]:
    """Return the paths of all files below a directory."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def sent(sandbox: Sandbox) -> list[Json]:
    """Return the requests so far."""
    return sandbox.journal()
