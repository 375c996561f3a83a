# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow docs/events-service.md below another root: after a reboot, the URL that Fonnte stores is still accepted."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conformance.systemd_units import Service, verified
from tests.sandbox.driver import Sandbox

from .conftest import END_WITHIN, PROGRAMS, READY_WITHIN, post

CHECKOUT = Path(__file__).parents[2]
SETUP, _heading, REPLACEMENT = (
    (CHECKOUT / "docs" / "events-service.md").read_text(encoding="utf-8").partition("## 5. Replace the secret")
)
UNIT = "whatsapp-events.service"
PATHS = re.compile(r"(?<![\w/.~:])/(?=(?:opt|etc|var)/)")
NUMBER = "081200001001"
FIRST, SECOND = (
    {"device": NUMBER, "status": "disconnect", "timestamp": 1760000000 + place, "reason": "x"} for place in range(2)
)
# Not run: they install packages, or control systemd.
ELSEWHERE = ("/opt/whatsapp/bin/python -m pip ", "systemctl ", "journalctl ")


class Machine:
    """A machine whose root is a directory."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        self._sandbox = sandbox
        self._processes: list[subprocess.Popen[bytes]] = []
        for name in ("etc/systemd/system", "etc/whatsapp", "var/lib", "opt/whatsapp"):
            (root / name).mkdir(parents=True)
        (root / "opt/whatsapp/bin").symlink_to(PROGRAMS)
        installed = next(Path(path) for path in os.environ["ANSIBLE_COLLECTIONS_PATH"].split(os.pathsep))
        (root / "opt/whatsapp/collections").symlink_to(installed)
        (root / "etc/whatsapp/token.env").write_text(f"FONNTE_ACCOUNT_TOKEN={sandbox.account_token}\n")

    def follow(self, part: str = SETUP) -> None:
        """Save the files of a part of the page, and run its commands."""
        named = re.compile(r"[Ss]ave this as `([^`]+)`[^`]*\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
        for path, text in named.findall(part):
            (self.root / path.lstrip("/")).write_text(PATHS.sub(f"{self.root}/", text))
        commands = [line for block in re.findall(r"```shell\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
        for command in commands:
            if not command.startswith(ELSEWHERE):
                subprocess.run(["bash", "-c", PATHS.sub(f"{self.root}/", command)], check=True)

    def secret(self) -> str:
        name, _sign, secret = (self.root / "etc/whatsapp/events.env").read_text().strip().partition("=")
        assert name == "FONNTE_EVENTS_SECRET"
        return secret

    def boot(self, port: int) -> subprocess.Popen[bytes]:
        """Start the service as systemd does, with the variables of the test, and wait until it listens."""
        variables = self.root / "etc/whatsapp/dropped_off.vars.yml"
        lines = [line for line in variables.read_text().splitlines() if not line.startswith("fonnte_events_port")]
        variables.write_text("\n".join([*lines, f"fonnte_events_port: {port}", ""]))
        java = {"JAVA_HOME": os.environ["JAVA_HOME"], "FONNTE_API_ENDPOINT": self._sandbox.url}
        log = (self.root / "journal").open("ab")
        self._processes.append(Service(self.root / "etc/systemd/system" / UNIT, "", self.root).spawn(java, log))
        end = time.monotonic() + READY_WITHIN
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/health", timeout=60)
                return self._processes[-1]
            except requests.RequestException:
                assert time.monotonic() < end and self._processes[-1].poll() is None, self.journal()
                time.sleep(0.1)

    def journal(self) -> str:
        return (self.root / "journal").read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(END_WITHIN)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Iterator[Machine]:
    device = {"number": NUMBER, "name": "Toko", "linked": True}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [device]}])
    one = Machine(tmp_path / "root", sandbox)
    yield one
    one.end()


def test_url_is_valid_after_a_reboot(machine: Machine, sandbox: Sandbox, free_port: int) -> None:
    machine.follow()
    secret = machine.secret()
    url = f"http://127.0.0.1:{free_port}/{secret}"
    process = machine.boot(free_port)
    # Readers of the page see that it started, before the first event.
    assert "Loading rulebook" in machine.journal()
    assert post(url, FIRST) == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(END_WITHIN) is not None
    # The rule had collected the event, and a restart must not lose it.
    assert "PLAY [" in machine.journal()
    # The commands of the page are repeated, as after a reinstallation.
    machine.follow()
    assert machine.secret() == secret and re.fullmatch("[0-9a-f]{48}", secret)
    machine.boot(free_port)
    assert post(url, SECOND) == 200
    last = machine.root / "var/lib/whatsapp/last-events.json"
    end = time.monotonic() + 30
    while not (last.exists() and "connect" in last.read_text()):
        assert time.monotonic() < end, machine.journal()
        time.sleep(0.1)
    assert stat.S_IMODE(last.stat().st_mode) == 0o600
    assert stat.S_IMODE((machine.root / "etc/whatsapp/events.env").stat().st_mode) == 0o600
    assert secret not in machine.journal() and sandbox.account_token not in machine.journal()


def test_replacement_keeps_the_old_secret(machine: Machine) -> None:
    machine.follow()
    old = machine.secret()
    machine.follow(REPLACEMENT)
    new, *others = machine.secret().split(",")
    assert others == [old] and new != old and re.fullmatch("[0-9a-f]{48}", new)
    assert stat.S_IMODE((machine.root / "etc/whatsapp/events.env").stat().st_mode) == 0o600
    assert [path.name for path in (machine.root / "etc/whatsapp").glob("events.*")] == ["events.env"]


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """If systemd is installed, it reports only the missing program, which the page installs."""
    (tmp_path / UNIT).write_bytes((CHECKOUT / "examples" / "systemd" / UNIT).read_bytes())
    reported = verified(tmp_path)
    if reported is not None:
        assert [line for line in reported if "/opt/whatsapp/bin/ansible-rulebook is not executable" not in line] == []
    settings: dict[str, Any] = dict(
        line.split("=", 1) for line in (tmp_path / UNIT).read_text().splitlines() if "=" in line and line[0] != "#"
    )
    assert (settings["Restart"], settings["KillMode"]) == ("always", "mixed")
