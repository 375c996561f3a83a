# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: run the installed collection against a sandbox, step by step.

STEPS is the list. For each step the terminal shows the command and the relevant lines; the log has the whole output.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox.driver import Sandbox
from tools.environment import for_sandbox
from tools.paths import BUILD, LOGS, NAME, NAMESPACE, ROOT

HOME = BUILD / "demo"
RECORD = HOME / "record"
PICTURES = HOME / "qr"
LOG = LOGS / "demo.log"
BIN = Path(sys.executable).parent


class StepFailed(Exception):
    """A step did not have the expected result."""


@dataclass(frozen=True)
class Demo:
    """The resources of a step: the sandbox, and the environment of the programs."""

    sandbox: Sandbox
    env: dict[str, str]

    def run(self, program: str, *words: str, cwd: Path = ROOT) -> str:
        """Show a command, run it into the log, and return its output; if it fails, show the output and end the demo."""
        print("$ %s" % " ".join(shlex.quote(word) for word in (program, *words)), flush=True)
        done = subprocess.run(
            [str(BIN / program), *words],
            cwd=cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        with open(LOG, "a", encoding="utf-8") as log:
            log.write("$ %s\n%s\n" % (" ".join((program, *words)), output))
        if done.returncode != 0:
            print(output)
            raise StepFailed("%s ended with exit code %d" % (program, done.returncode))
        return output

    def run_playbook(self, playbook: str, *arguments: str, **extra_vars: Any) -> str:
        """Run a playbook by its name, show the relevant lines, and return the output."""
        words = ["--extra-vars", json.dumps(extra_vars)] if extra_vars else []
        output = self.run("ansible-playbook", "%s.%s.%s" % (NAMESPACE, NAME, playbook), *arguments, *words)
        print("\n".join(lines_that_matter(output)), flush=True)
        return output

    def names(self) -> dict[str, str]:
        """Return the names of the devices by number, without the stamp that the role appends."""
        devices = self.sandbox.devices()
        return {number: re.sub(r" ~[0-9A-Za-z]{5}$", "", device["name"]) for number, device in devices.items()}

    def writes(self) -> list[str]:
        """Return the paths of the requests that change something, since the last call of this method."""
        paths = [entry["path"] for entry in self.sandbox.writes()]
        self.sandbox.clear_journal()
        return paths


def lines_that_matter(output: str) -> list[str]:
    """Return the differences, the messages and the recap of a playbook's output.

    The lists of devices in messages are left out.
    """
    shown = []
    for block in re.findall(r'(?m)^[-+] .*$|^    "msg": (?:\[\n(?:.*\n)*?    \]|".*")|^localhost +: .*$', output):
        for line in block.splitlines():
            message = re.fullmatch(r'(?:    "msg":)? *(".*"),?', line)
            if message and " \u00b7 " not in line:
                shown.append("  " + json.loads(message.group(1)))
            elif not line.startswith("    "):
                shown.append("  " + re.sub(r" +", " ", line) if line.startswith("localhost") else line)
    return shown


@dataclass(frozen=True)
class Step:
    """A step: its title, and the function that runs and checks it."""

    title: str
    act: Callable[[Demo], None]


# The numbers of playbooks/demo.yml.
NUMBERS = ("081200001001", "081200001002", "081200001003", "081200001004")
LINKED, EDITED, LEAVING = NUMBERS[:3]


def _expect(condition: bool, otherwise: str) -> None:
    """End the demo if the sandbox contradicts the step."""
    if not condition:
        raise StepFailed("the sandbox shows otherwise: %s" % otherwise)


def _predict(demo: Demo) -> None:
    before = demo.names()
    demo.run_playbook("demo", "--check", "--diff")
    _expect(not demo.writes() and demo.names() == before, "check mode wrote something")


def _apply(demo: Demo) -> None:
    demo.run_playbook("demo")
    _expect({*demo.names()} == {*NUMBERS} and bool(demo.writes()), "the devices are not there")


def _apply_again(demo: Demo) -> None:
    demo.run_playbook("demo")
    _expect(not demo.writes(), "the second run wrote something")


def _edit_by_hand(demo: Demo) -> None:
    demo.sandbox.edit(EDITED, name="Toko Lama", autoread=False)
    print('A colleague renames device %s to "Toko Lama" in the dashboard, and switches its autoread off.' % EDITED)


def _reconcile(demo: Demo) -> None:
    _expect(demo.names()[EDITED] == "Toko Lama", "the edit is not there")
    demo.run_playbook("demo")
    _expect(demo.writes() == ["/update-device"] and demo.names()[EDITED] == "Toko Dua", "the device was not restored")


def _link(demo: Demo) -> None:
    shutil.rmtree(PICTURES, ignore_errors=True)
    threading.Thread(target=_scan, args=(demo,), daemon=True).start()
    demo.run_playbook("link", link_devices=LINKED, link_dest=str(PICTURES), link_ask=False, link_timeout=60)
    _expect(not demo.writes() and not any(PICTURES.glob("*")), "a QR code is left, or a setting was changed")
    linked: set[str] = {number for number, device in demo.sandbox.devices().items() if device["linked"]}
    _expect(linked == {LINKED}, "the device is not linked")


def _scan(demo: Demo) -> None:
    """Wait for the image of the QR code, and link the device, as the person with the phone does."""
    end = time.monotonic() + 60
    while not any(PICTURES.glob("*.png")) and time.monotonic() < end:
        time.sleep(0.2)
    demo.sandbox.link(LINKED)


INVENTORY = """\
plugin: fonnte.whatsapp.fonnte
hostname: name
keyed_groups:
  - key: fonnte_connected | ternary('linked', 'not_linked')
    separator: ""
"""


def _list(demo: Demo) -> None:
    (HOME / "fonnte.yml").write_text(INVENTORY, encoding="utf-8")
    graph = demo.run("ansible-inventory", "-i", "fonnte.yml", "--graph", cwd=HOME)
    print(graph.rstrip())
    _expect("@linked:\n  |  |--%s" % demo.names()[LINKED].replace(" ", "_") in graph, "a device is not in its group")


def _send(demo: Demo) -> None:
    message = {
        "device": LINKED,
        "device_token": "{{ lookup('fonnte.whatsapp.fonnte_token', '%s') }}" % LINKED,
        "target": ["{{ '+62 (0)812-9999-0000' | fonnte.whatsapp.phone_number }}"],
        "msg": "Your shop is online.",
    }
    output = demo.run("ansible", "localhost", "-m", "fonnte.whatsapp.fonnte_message", "-a", json.dumps(message))
    print(output.splitlines()[0])
    sent = [(one["device"], one["target"], one["message"]) for one in demo.sandbox.outbox()]
    _expect(sent == [(LINKED, "6281299990000", "Your shop is online.")], "the message was not sent once")
    _expect(demo.writes() == ["/send"], "something else was called")


def _request_code(demo: Demo) -> None:
    demo.run_playbook("demo", demo_delete=LEAVING)
    _expect(demo.writes() == ["/delete-device"] and LEAVING in demo.names(), "no code was requested")


def _delete(demo: Demo) -> None:
    code = demo.sandbox.otp(LEAVING)
    print("The code arrives in the WhatsApp of the account's owner, who passes it to the playbook.")
    demo.run_playbook("demo", demo_delete=LEAVING, demo_otp=code)
    _expect(demo.writes() == ["/delete-device"] and LEAVING not in demo.names(), "the device was not deleted")


STEPS: tuple[Step, ...] = (
    Step("Four devices are declared, and none exists: check mode predicts the changes", _predict),
    Step("Create them", _apply),
    Step("Run it again: nothing changes, and nothing is sent", _apply_again),
    Step("A change by hand in the dashboard", _edit_by_hand),
    Step("Check mode finds it, and changes nothing", _predict),
    Step("The next run restores that one device", _reconcile),
    Step("A phone is linked: the QR code is a PNG file until it is scanned", _link),
    Step("The account as an inventory, in groups", _list),
    Step("A message from the linked device; a lookup finds its token, a filter reads the number", _send),
    Step("A client leaves: a deletion needs a one-time code, so it is requested", _request_code),
    Step("Delete the device with the code", _delete),
)

SUMMARY = """
After each step the demo compared the state of the server with the step.
The playbook is playbooks/demo.yml; the devices are declared with the role roles/fleet.

On your own account: write the file devices.yml as in README.md, then
  export FONNTE_ACCOUNT_TOKEN=...    (dashboard, menu Setting)
  ansible-playbook fonnte.whatsapp.provision -e provision_files=devices.yml --check --diff
To see a rulebook report a device that drops off: make demo-events
To try playbooks on the server of this demo: make sandbox
The whole output: %s"""


def main() -> int:
    """Run the steps in the environment that the session demo has set up; return the exit code."""
    # The record of an earlier demo would contain devices of a sandbox that no longer exists.
    shutil.rmtree(RECORD, ignore_errors=True)
    with Sandbox() as sandbox:
        demo = Demo(sandbox, dict(os.environ, FONNTE_RECORD_PATH=str(RECORD), **for_sandbox(sandbox)))
        for number, step in enumerate(STEPS, start=1):
            print("\n[%d/%d] %s" % (number, len(STEPS), step.title), flush=True)
            try:
                step.act(demo)
            except StepFailed as exc:
                print("the demo stopped here: %s\nThe whole output: %s" % (exc, LOG))
                return 1
            (HOME / "steps").write_text(str(number), encoding="utf-8")
    print(SUMMARY % os.path.relpath(LOG))
    return 0


if __name__ == "__main__":
    sys.exit(main())
