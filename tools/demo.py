# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: the collection as users install it, against a sandbox, step by step.

STEPS is what is shown. Everything else here sets the stage for it and clears it away.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from typing import Any, Callable, Dict, Sequence, Tuple

from tools.environment import for_stage
from tools.paths import BUILD, LOGS, ROOT
from tools.runner import prepare_installed, say
from tools.sandbox import Sandbox, running
from tools.venvs import Venv

HOME = BUILD / "demo"
INSTALLED = HOME / "collections"
RECORD = HOME / "record"


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

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Do something behind the collection's back, over the sandbox's control path; return the JSON reply."""
        request = urllib.request.Request(
            self.sandbox.control.rstrip("/") + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}, method=method,
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


STEPS: Tuple[Step, ...] = ()

SUMMARY = ""


def environment(venv: Venv, sandbox: Sandbox) -> Dict[str, str]:
    """Return the environment of the demo's playbooks: the installed copy, the sandbox, and folders under .build."""
    env = for_stage("demo", [venv.bin])
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(INSTALLED),
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
    venv = prepare_installed("demo", INSTALLED)
    # A record of an earlier demo would be about devices of a sandbox that is gone.
    shutil.rmtree(str(RECORD), ignore_errors=True)
    with running(venv, for_stage("demo", [venv.bin]), LOGS / "demo-sandbox.log", arguments) as sandbox:
        return _play(Demo(venv, sandbox, environment(venv, sandbox)))


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
