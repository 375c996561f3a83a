# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo of events: two devices drop off, and one message tells of both, by the rulebook of the collection."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from tools import java
from tools.demo import Demo, StepFailed
from tools.environment import for_stage
from tools.paths import BUILD, LOGS
from tools.runner import prepare_installed, say
from tools.sandbox import Sandbox, running
from tools.venvs import Venv

HOME = BUILD / "demo-events"
INSTALLED = HOME / "collections"
RULEBOOK = "fonnte.whatsapp.dropped_off"
OURS, WATCHER = "081200001001", "6281299990000"
CLIENTS = ("081200002001", "081200002002")
# Of a demo on this machine; a real one is made with openssl rand -hex 24.
SECRET = "demo-events-Zk3-9xTq7Lm"
WITHIN = 90.0


def main(arguments: Sequence[str] = ()) -> int:
    """Set up, show it, clear away; return the exit code."""
    venv = prepare_installed("eda", INSTALLED)
    with running(venv, for_stage("demo-events", [venv.bin]), LOGS / "demo-events-sandbox.log", arguments) as sandbox:
        try:
            _play(Demo(venv, sandbox, _environment(venv, sandbox)))
        except StepFailed as error:
            say("the demo stopped here: %s" % error)
            return 1
    return 0


def _environment(venv: Venv, sandbox: Sandbox) -> Dict[str, str]:
    env = for_stage("demo-events", [venv.bin])
    env.update(sandbox.environment())
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(INSTALLED),
        ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false",
        FONNTE_RECORD_PATH=str(HOME / "record"),
        FONNTE_EVENTS_SECRET=SECRET,
        PYTHONUNBUFFERED="1",
    )
    # A pattern of ansible-rulebook's own making may match no host while it sets itself up.
    del env["ANSIBLE_HOST_PATTERN_MISMATCH"]
    return java.with_java(env, venv)


def _play(demo: Demo) -> None:
    folder = HOME / "run"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    devices = [{"number": number, "name": "Toko %s" % number[-4:], "linked": True} for number in (OURS,) + CLIENTS]
    account = {"token": demo.sandbox.account_token, "plan": "Reguler", "devices": devices}
    demo.control("POST", "/reset", {"accounts": [account]})
    (folder / "inventory").write_text("localhost\n", encoding="utf-8")
    variables = {"dropped_off_targets": [WATCHER], "dropped_off_senders": [OURS], "fonnte_events_port": 0}
    (folder / "vars.json").write_text(json.dumps(variables), encoding="utf-8")
    words = ["ansible-rulebook", "--rulebook", RULEBOOK, "--inventory", "inventory", "--vars", "vars.json", "--verbose"]
    say("[1/3] A server for webhooks, and a rule\n$ %s" % " ".join(words))
    log = folder / "rulebook.log"
    with open(str(log), "wb") as stream, subprocess.Popen(
        [demo.venv.program(words[0])] + words[1:],
        cwd=str(folder),
        env=demo.env,
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            _show(demo, log)
        finally:
            process.send_signal(signal.SIGTERM)


def _show(demo: Demo, log: Path) -> None:
    url = _wait(lambda: re.search(r"Listening on (\S+) port (\d+)\.", _read(log)), "the server does not listen")
    say("It listens on %s port %s, for a path that nobody can guess." % (url[1], url[2]))
    say("\n[2/3] Two clients' phones drop off, one after the other")
    for number in CLIENTS:
        hook = {"webhookconnect": "http://%s:%s/%s" % (url[1], url[2], SECRET)}
        demo.control("PATCH", "/devices/%s" % number, hook)
        demo.control("POST", "/devices/%s/unlink" % number, {"reason": "logged out"})
    say("\n[3/3] The rule gathers for 20 seconds. Then the playbook looks whether they are still off, and tells")
    messages: List[Any] = _wait(lambda: demo.control("GET", "/outbox"), "nobody was told")
    say(_read(log)[_read(log).index("PLAY [") :].rstrip())
    say("\nThe message from %s to %s:\n%s" % (OURS, WATCHER, messages[0]["message"]))
    if len(messages) != 1 or not all(number in messages[0]["message"] for number in CLIENTS):
        raise StepFailed("the sandbox shows otherwise: one message was to name both devices")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _wait(look: Callable[[], Any], otherwise: str) -> Any:
    """Return what is there at last, or end the demo."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise StepFailed("%s within %d s; see %s" % (otherwise, WITHIN, HOME / "run" / "rulebook.log"))
