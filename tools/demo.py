# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: the collection as users install it, against a sandbox, step by step.

STEPS is what is shown. Everything else here sets the stage for it and clears it away.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

from tools import venvs
from tools.environment import for_stage
from tools.paths import BUILD, LOGS, ROOT
from tools.runner import prepare_installed, say
from tools.sandbox import Sandbox, running
from tools.venvs import Venv

HOME = BUILD / "demo"
INSTALLED = HOME / "collections"
RECORD = HOME / "record"
PICTURES = HOME / "qr"


@dataclass(frozen=True)
class Demo:
    """What a step works with."""

    venv: Venv
    sandbox: Sandbox
    env: Dict[str, str]

    def play(self, playbook: str, *arguments: str, **extra_vars: Any) -> None:
        """Run a playbook by its name (fonnte.whatsapp.NAME) or path, and end the demo when it fails."""
        words = [self.venv.program("ansible-playbook"), playbook] + list(arguments)
        if extra_vars:
            words += ["--extra-vars", json.dumps(extra_vars)]
        done = subprocess.run(words, cwd=str(ROOT), env=self.env, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise StepFailed("ansible-playbook ended with exit code %d" % done.returncode)

    def show(self, program: str, *words: str) -> str:
        """Show a program and what it prints, return that, and end the demo when it fails."""
        say("$ %s" % " ".join(shlex.quote(word) for word in (program,) + words))
        done = subprocess.run(
            [self.venv.program(program)] + list(words),
            cwd=str(HOME),
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
        text = done.stdout.decode(errors="replace")
        say(text.rstrip())
        if done.returncode != 0:
            raise StepFailed("%s ended with exit code %d" % (program, done.returncode))
        return text

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Do something behind the collection's back, over the sandbox's control path; return the JSON reply."""
        request = urllib.request.Request(
            self.sandbox.control.rstrip("/") + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        # No proxy: the control path is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as reply:
            text = reply.read().decode()
        return json.loads(text) if text.strip() else None


class StepFailed(Exception):
    """A step did not show what it should."""


@dataclass(frozen=True)
class Step:
    """One thing that the demo shows."""

    title: str
    act: Callable[[Demo], None]


PLAYBOOK = "fonnte.whatsapp.demo"
# As the playbook declares them.
NUMBERS = ("081200001001", "081200001002", "081200001003", "081200001004")
LINKED, EDITED, LEAVING = NUMBERS[:3]


def _expect(true: bool, what: str) -> None:
    """End the demo when the sandbox does not hold what was just shown."""
    if not true:
        raise StepFailed("the sandbox shows otherwise: %s" % what)


def _names(demo: Demo) -> Dict[str, str]:
    accounts = demo.control("GET", "/state")["accounts"]
    # Without the stamp that the role writes behind a name.
    return {
        device["number"]: re.sub(r" ~[0-9A-Za-z]{5}$", "", device["name"])
        for account in accounts
        for device in account["devices"]
    }


def _writes(demo: Demo) -> List[str]:
    """Return the calls that were to change something since the last look."""
    calls = [entry["path"] for entry in demo.control("GET", "/journal") if entry["write"]]
    demo.control("DELETE", "/journal")
    return calls


def _foresee(demo: Demo) -> None:
    demo.play(PLAYBOOK, "--check", "--diff")
    _expect(not _writes(demo) and not _names(demo), "check mode wrote something")


def _apply(demo: Demo) -> None:
    demo.play(PLAYBOOK)
    _expect(set(_names(demo)) == set(NUMBERS) and bool(_writes(demo)), "the devices are not there")


def _again(demo: Demo) -> None:
    demo.play(PLAYBOOK)
    _expect(not _writes(demo), "the second run wrote something")


def _edit(demo: Demo) -> None:
    demo.control("PATCH", "/devices/%s" % EDITED, {"name": "Toko Lama", "autoread": False})
    say('Somebody renames device %s to "Toko Lama" in the dashboard, and switches its autoread off.' % EDITED)
    _expect(_names(demo)[EDITED] == "Toko Lama", "the edit is not there")


def _find(demo: Demo) -> None:
    demo.play(PLAYBOOK, "--check", "--diff")
    _expect(not _writes(demo) and _names(demo)[EDITED] == "Toko Lama", "check mode wrote something")


def _heal(demo: Demo) -> None:
    demo.play(PLAYBOOK)
    _expect(_writes(demo) == ["/update-device"] and _names(demo)[EDITED] == "Toko Dua", "the device was not healed")


def _link(demo: Demo) -> None:
    path = "/devices/%s/link" % LINKED
    # The person with the phone, who takes some seconds.
    demo.control("POST", path, {"after": 4})
    demo.play("fonnte.whatsapp.link", link_devices=LINKED, link_folder=str(PICTURES), link_ask=False, link_timeout=60)
    _expect(not _writes(demo) and not list(PICTURES.iterdir()), "a QR code is left, or a setting was changed")
    accounts = demo.control("GET", "/state")["accounts"]
    linked = [device["number"] for account in accounts for device in account["devices"] if device["linked"]]
    _expect(linked == [LINKED], "the device is not linked")


INVENTORY = """\
plugin: fonnte.whatsapp.fonnte
hostname: name
keyed_groups:
  - key: fonnte_connected | ternary('linked', 'not_linked')
    separator: ""
"""


def _see(demo: Demo) -> None:
    (HOME / "fonnte.yml").write_text(INVENTORY, encoding="utf-8")
    say("fonnte.yml:\n" + INVENTORY)
    graph = demo.show("ansible-inventory", "-i", "fonnte.yml", "--graph")
    _expect("@linked:\n  |  |--%s" % _names(demo)[LINKED].replace(" ", "_") in graph, "a device is not in its group")


def _send(demo: Demo) -> None:
    message = {
        "device": LINKED,
        "device_token": "{{ lookup('fonnte.whatsapp.fonnte_token', '%s') }}" % LINKED,
        "target": ["{{ '+62 (0)812-9999-0000' | fonnte.whatsapp.phone_number }}"],
        "msg": "Your shop is online.",
    }
    demo.show("ansible", "localhost", "-m", "fonnte.whatsapp.fonnte_message", "-a", json.dumps(message))
    sent = [(one["device"], one["target"], one["message"]) for one in demo.control("GET", "/outbox")]
    _expect(sent == [(LINKED, "6281299990000", "Your shop is online.")], "the message was not sent once")
    _expect(_writes(demo) == ["/send"], "something else was called")


def _ask(demo: Demo) -> None:
    demo.play(PLAYBOOK, demo_delete=LEAVING)
    _expect(_writes(demo) == ["/delete-device"] and LEAVING in _names(demo), "no code was asked for")


def _delete(demo: Demo) -> None:
    code = demo.control("GET", "/devices/%s/otp" % LEAVING)["otp"]
    say("The code arrives in the WhatsApp of the account's owner, who hands it to the play.")
    demo.play(PLAYBOOK, demo_delete=LEAVING, demo_otp=code)
    _expect(_writes(demo) == ["/delete-device"] and LEAVING not in _names(demo), "the device was not deleted")


STEPS: Tuple[Step, ...] = (
    Step("Four devices are declared, and none is there. What would happen? (--check --diff)", _foresee),
    Step("Apply it", _apply),
    Step("Run it again: nothing changes, and nothing is sent", _again),
    Step("A change behind its back", _edit),
    Step("Check mode finds it, and changes nothing", _find),
    Step("The next run heals that one device", _heal),
    Step("A phone is linked: a QR code as a PNG file, until somebody has scanned it", _link),
    Step("The account as an inventory, in groups", _see),
    Step("A message from the linked device; a lookup finds its token, a filter reads the number", _send),
    Step("A client leaves: deleting needs a one-time code, so one is asked for", _ask),
    Step("Delete the device with the code", _delete),
)

SUMMARY = """
What you saw
  - devices declared in a playbook, foreseen in check mode with a diff, created, and left alone by the second run
  - webhooks, which the service never shows, remembered in a sealed record and shown without their secret part
  - a change in the dashboard found by check mode and healed by the next run
  - a phone linked with a QR code, which lay in a file that only its owner can read, and is gone now
  - the account as an inventory, without tokens, and a message that was sent once
  - a device deleted, which takes a one-time code that goes to the owner's WhatsApp

After each step the demo looked at the server itself to see that it was so.
The playbook is playbooks/demo.yml, the devices are declared with the role roles/fleet.

On your own account: write a playbook like the one in README.md, then
  export FONNTE_ACCOUNT_TOKEN=...    (dashboard, menu Setting)
  ansible-playbook devices.yml --check --diff
To see a rulebook tell of a device that drops off: make demo-events
To play with the server of this demo: make sandbox"""


def environment(venv: Venv, sandbox: Sandbox, installed: Path) -> Dict[str, str]:
    """Return the environment of the demo's playbooks: the installed copy, the sandbox, and folders under .build."""
    env = for_stage("demo", [venv.bin])
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(installed),
        ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false",
        FONNTE_RECORD_PATH=str(RECORD),
    )
    env.update(sandbox.environment())
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        del env["NO_COLOR"], env["ANSIBLE_NOCOLOR"]
        env.update(ANSIBLE_FORCE_COLOR="true", TERM=os.environ.get("TERM", "xterm"))
    return env


def main(arguments: Sequence[str] = ()) -> int:
    """Set up, play the steps, clear away; return the exit code."""
    # A stage of the checks has installed it already, and holds the checkout's lock.
    there = os.environ.get("FONNTE_TESTS_INSTALLED")
    installed = Path(there) if there else INSTALLED
    venv = venvs.ensure("newest", say) if there else prepare_installed("demo", INSTALLED)
    # A record of an earlier demo would be about devices of a sandbox that is gone.
    shutil.rmtree(str(RECORD), ignore_errors=True)
    with running(venv, for_stage("demo", [venv.bin]), LOGS / "demo-sandbox.log", arguments) as sandbox:
        return _play(Demo(venv, sandbox, environment(venv, sandbox, installed)))


def _play(demo: Demo) -> int:
    if not STEPS:
        say("the demo has no steps")
        return 1
    for number, step in enumerate(STEPS, start=1):
        say("\n[%d/%d] %s" % (number, len(STEPS), step.title))
        try:
            step.act(demo)
        except StepFailed as error:
            say("the demo stopped here: %s" % error)
            return 1
    say(SUMMARY)
    return 0
