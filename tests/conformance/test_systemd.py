# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow docs/systemd.md exactly, with the units of the installed collection, below another root."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ansible_collections.fonnte.whatsapp.tests.conformance.control_nodes import INSTALLED
from ansible_collections.fonnte.whatsapp.tests.conformance.page_runner import SHELLS, blocks_of
from ansible_collections.fonnte.whatsapp.tests.conformance.systemd_units import RESTRICTIONS, Service, verified
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

PAGE = blocks_of((INSTALLED / "docs" / "systemd.md").read_text(encoding="utf-8"))
TOKEN = "paste-the-token-here"
NUMBER, SHOP = "081200001001", "081200001002"
# Skipped: the environment of the tests already has the packages that the first commands install.
SKIPPED = (
    "/usr/bin/python3 -m venv ",
    "/opt/whatsapp/bin/python -m pip ",
    "export ANSIBLE_COLLECTIONS_PATH=",
    "/opt/whatsapp/bin/ansible-galaxy ",
    # They need a person, with a phone or with a secret.
    "set -a; ",
    "/opt/whatsapp/bin/ansible-playbook fonnte.whatsapp.link ",
    "/opt/whatsapp/bin/ansible-vault encrypt_string ",
)
PATHS = re.compile(r"(?<![\w/.~])/(?=(?:opt|etc|var)/)")
ALERT = "whatsapp-alert"
# The exit codes. Only the first audit fails: the account is new, and its device is missing.
EXPECTED = {"audit": [2, 0], "provision": [0], ALERT: [0]}


class Machine:
    """A machine whose root is a directory, and whose systemd runs one service at a time."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        self._sandbox = sandbox
        self.codes: dict[str, list[int]] = {}
        self.shown = ""
        for name in ("etc/systemd/system", "var/lib", "opt/whatsapp/bin"):
            (root / name).mkdir(parents=True)
        (root / "opt/whatsapp/bin/ansible-playbook").symlink_to(Path(sys.executable).parent / "ansible-playbook")
        (root / "opt/whatsapp/collections").symlink_to(INSTALLED.parents[2])

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    def type(self, command: str) -> None:
        """Run a command of the page."""
        words = shlex.split(command)
        if command.startswith(SKIPPED):
            return
        if words[0] in ("systemctl", "journalctl"):
            self._systemd(words)
            return
        line = PATHS.sub(f"{self.root}/", command)
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def _systemd(self, words: list[str]) -> None:
        named = [word for word in words if word.startswith(("whatsapp@", f"{ALERT}.")) and "*" not in word]
        for name in named:
            template = re.sub("@.*[.]", "@.", name)
            assert (self.units / template).is_file(), f"there is no unit {template}"
        if words[:2] == ["systemctl", "start"]:
            (name,) = named
            self._start(name.removeprefix("whatsapp@").removesuffix(".service"))
        else:
            assert words[1] in ("daemon-reload", "enable", "list-timers", "--unit"), words

    def _start(self, instance: str) -> None:
        unit = "whatsapp-alert.service" if instance == ALERT else "whatsapp@.service"
        service = Service(self.units / unit, instance, self.root)
        more = {"FONNTE_API_ENDPOINT": self._sandbox.url, "FONNTE_API_RETRIES": "0"}
        done = service.start(more)
        self.codes.setdefault(instance, []).append(done.returncode)
        self.shown += done.stdout


@pytest.fixture
def machine(sandbox: Sandbox, tmp_path: Path) -> Iterator[Machine]:
    sandbox.reset(accounts=[{"token": TOKEN, "plan": "Super"}])
    yield Machine(tmp_path / "root", sandbox)


@pytest.mark.weekly
def test_commands_of_systemd_page_set_up_services(machine: Machine, sandbox: Sandbox) -> None:
    for block in PAGE:
        if block.saved:
            path = Path(PATHS.sub(f"{machine.root}/", block.saved))
            assert path.is_relative_to(machine.root) and path.parent.is_dir(), block.saved
            path.write_text(block.text, encoding="utf-8")
        if block.language in SHELLS:
            for command in block.commands:
                machine.type(command)
    assert machine.codes == EXPECTED, machine.shown
    _report_a_disconnected_device(machine, sandbox)
    _apply_an_encrypted_value(machine, sandbox)
    assert set(sandbox.devices()) == {NUMBER}
    state = machine.root / "var/lib/private/whatsapp"
    assert list((state / ".ansible" / "fonnte").iterdir()) and (state / "report" / "audit.html").is_file()
    assert state.stat().st_mode & 0o777 == 0o700
    assert (machine.root / "etc/whatsapp/token.env").stat().st_mode & 0o777 == 0o600
    left = {"audit.yml", "clients", "dropped_off.vars.yml", "provision.yml", "token.env", "vault-password"}
    assert {path.name for path in (machine.root / "etc/whatsapp").iterdir()} == left
    assert TOKEN not in machine.shown and "Traceback" not in machine.shown


def _report_a_disconnected_device(machine: Machine, sandbox: Sandbox) -> None:
    """Link two devices, and log one of them out: the timer's service sends one message about it, and stores this."""
    with requests.Session() as session:
        session.trust_env = False
        form, token = {"name": "Toko Bunga 2", "device": SHOP}, {"Authorization": TOKEN}
        assert session.post(f"{sandbox.url}/add-device", data=form, headers=token, timeout=60).json()["status"]
    for number in (NUMBER, SHOP):
        sandbox.link(number)
    for _start in range(2):
        machine.type("systemctl start whatsapp-alert.service")
    sandbox.unlink(SHOP)
    for _start in range(2):
        machine.type("systemctl start whatsapp-alert.service")
    assert machine.codes[ALERT] == [0] * 5, machine.shown
    (sent,) = sandbox.outbox()
    assert (sent["device"], sent["target"]) == (NUMBER, "6281299990000") and SHOP in sent["message"]
    state = machine.root / "var/lib/private/whatsapp/.ansible/fonnte-dropped-off.json"
    assert state.stat().st_mode & 0o777 == 0o600
    sandbox.remove(SHOP)


def _apply_an_encrypted_value(machine: Machine, sandbox: Sandbox) -> None:
    """Encrypt a declared webhook, and run provision: the drop-in of the page gives the service the vault password."""
    password = machine.root / "etc/whatsapp/vault-password"
    password.write_text("not-a-secret\n", encoding="utf-8")
    declared = machine.root / "etc/whatsapp/clients/toko-bunga.yml"
    hook = "https://hooks.example.com/toko-bunga"
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-vault"), "encrypt_string", "--vault-password-file", str(password)],
        input=f"{hook}?key=other",
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    encrypted = "\n".join([lines[0], *(" " * 8 + line.strip() for line in lines[1:])])
    declared.write_text(declared.read_text(encoding="utf-8").replace(hook, encrypted), encoding="utf-8")
    machine.type("systemctl start whatsapp@provision.service")
    assert machine.codes["provision"] == [0, 0], machine.shown
    assert sandbox.device(NUMBER)["settings"]["webhook"] == f"{hook}?key=other"


def test_systemd_accepts_the_units() -> None:
    """If systemd is installed, it reports only the missing programs, which the pages install."""
    reported = verified(INSTALLED / "examples" / "systemd")
    if reported is not None:
        missing = re.compile("/opt/whatsapp/bin/ansible-(playbook|rulebook) is not executable")
        assert [line for line in reported if not missing.search(line)] == []


@pytest.mark.parametrize("unit", ["whatsapp@.service", "whatsapp-alert.service", "whatsapp-events.service"])
def test_units_have_all_restrictions(unit: str) -> None:
    lines = (INSTALLED / "examples" / "systemd" / unit).read_text(encoding="utf-8").splitlines()
    assert {line.partition("=")[0] for line in lines} >= RESTRICTIONS
