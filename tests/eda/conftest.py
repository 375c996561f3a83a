# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: real ``ansible-rulebook`` processes on the installed collection, and a sandbox that sends webhooks."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.sandbox.driver import Sandbox

SECRET = "Zk3-9xTq7LmPw2Rb"
READY_WITHIN = 60.0
# The directory of this environment's programs.
PROGRAMS = Path(sys.executable).parent
# The unit of systemd has the same limit.
END_WITHIN = 60.0


class Rulebook:
    """A process of ansible-rulebook."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        name: str,
        variables: dict[str, Any],
        words: Sequence[str],
        programs: Path = PROGRAMS,
    ) -> None:
        self._log = folder / "rulebook.log"
        (folder / "inventory").write_text("localhost ansible_connection=local\n")
        (folder / "vars.yml").write_text(yaml.safe_dump(variables))
        command = [str(programs / "ansible-rulebook"), "--rulebook", name]
        command += ["--inventory", str(folder / "inventory"), "--vars", str(folder / "vars.yml"), *words]
        env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        env.update(
            FONNTE_EVENTS_SECRET=SECRET,
            FONNTE_ACCOUNT_TOKEN=sandbox.account_token,
            FONNTE_API_ENDPOINT=sandbox.url,
            FONNTE_RECORD_PATH=str(folder / "record"),
            HOME=str(folder),
            # ansible-rulebook runs the ansible-playbook that it finds in this path.
            PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
            ANSIBLE_HOME=str(folder / ".ansible"),
            PYTHONUNBUFFERED="1",
        )
        # While ansible-rulebook starts, it uses a host pattern that may match no host.
        env.pop("ANSIBLE_HOST_PATTERN_MISMATCH", None)
        with open(self._log, "wb") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def output(self) -> str:
        """Return the output up to now."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, pattern: str, within: float = READY_WITHIN) -> re.Match[str]:
        """Wait until the output matches a pattern, and return the match."""
        end = time.monotonic() + within
        while (found := re.search(pattern, self.output())) is None:
            assert time.monotonic() < end and self.process.poll() is None, f"no {pattern} in:\n{self.output()[-6000:]}"
            time.sleep(0.05)
        return found

    def url(self) -> str:
        """Wait until the source listens, and return the base of its URLs."""
        found = self.wait_for(r"Listening on (\S+) port (\d+)\.")
        return f"http://{found[1]}:{found[2]}"

    def ended(self) -> int:
        """Wait until the process ends, and return its exit code."""
        return self.process.wait(END_WITHIN)

    def end(self) -> None:
        """End the process, and kill its process group if it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """Yield the sandbox of this worker."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """Return the sandbox after a reset."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def start(tmp_path: Path, sandbox: Sandbox) -> Iterator[Any]:
    """Yield a function that starts a rulebook, by name or from data; check afterwards that no output has a secret."""
    begun: list[Rulebook] = []

    def begin(rulebook: str | list[Any], *words: str, programs: Path = PROGRAMS, **variables: Any) -> Rulebook:
        folder = tmp_path / str(len(begun))
        folder.mkdir()
        if not isinstance(rulebook, str):
            (folder / "rulebook.yml").write_text(json.dumps(rulebook))
            rulebook = str(folder / "rulebook.yml")
        begun.append(Rulebook(folder, sandbox, rulebook, variables, words, programs))
        return begun[-1]

    yield begin
    tokens = [device["token"] for device in sandbox.devices().values()] + [SECRET, sandbox.account_token]
    for one in begun:
        one.end()
        assert not [token for token in tokens if token in one.output()]


@pytest.fixture
def free_port() -> int:
    """Return a port that no program uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def post(url: str, body: object) -> int:
    """Post JSON as Fonnte does; return the status."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, json=body, timeout=60).status_code
