# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo of events: two devices drop off, and the rulebook of the collection reports both in one message."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.demo.__main__ import BIN, Demo, StepFailed
from tests.sandbox.driver import Sandbox
from tools.environment import for_sandbox, with_java
from tools.paths import BUILD

HOME = BUILD / "demo-events"
RULEBOOK = "fonnte.whatsapp.dropped_off"
OURS, WATCHER = "081200001001", "6281299990000"
CLIENTS = ("081200002001", "081200002002")
# For this demo only; create a real one with secrets.token_hex(24).
SECRET = "demo-events-Zk3-9xTq7Lm"
WITHIN = 90.0


def main() -> int:
    """Run the demo in the environment that the session demo-events has set up; return the exit code."""
    env = with_java(dict(os.environ, FONNTE_EVENTS_SECRET=SECRET, PYTHONUNBUFFERED="1"), Path(sys.prefix))
    env["FONNTE_RECORD_PATH"] = str(HOME / "record")
    # A pattern that ansible-rulebook creates may match no host while it starts.
    env.pop("ANSIBLE_HOST_PATTERN_MISMATCH", None)
    with Sandbox() as sandbox:
        try:
            _show_rulebook(Demo(sandbox, {**env, **for_sandbox(sandbox)}))
        except StepFailed as exc:
            print("the demo stopped here: %s" % exc)
            return 1
    (HOME / "steps").write_text("3", encoding="utf-8")
    return 0


def _show_rulebook(demo: Demo) -> None:
    folder = HOME / "run"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    devices = [{"number": number, "name": "Toko %s" % number[-4:], "linked": True} for number in (OURS,) + CLIENTS]
    account = {"token": demo.sandbox.account_token, "plan": "Reguler", "devices": devices}
    demo.sandbox.reset(accounts=[account])
    (folder / "inventory").write_text("localhost\n", encoding="utf-8")
    variables = {"dropped_off_targets": [WATCHER], "dropped_off_senders": [OURS], "fonnte_events_port": 0}
    (folder / "vars.json").write_text(json.dumps(variables), encoding="utf-8")
    words = ["ansible-rulebook", "--rulebook", RULEBOOK, "--inventory", "inventory", "--vars", "vars.json", "--verbose"]
    print("[1/3] A server for webhooks, and a rule\n$ %s" % " ".join(words))
    log = folder / "rulebook.log"
    with (
        open(str(log), "wb") as stream,
        subprocess.Popen(
            [str(BIN / words[0]), *words[1:]],
            cwd=str(folder),
            env=demo.env,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _show_events(demo, log)
        finally:
            process.send_signal(signal.SIGTERM)


def _show_events(demo: Demo, log: Path) -> None:
    url = _wait(lambda: re.search(r"Listening on (\S+) port (\d+)\.", _read(log)), "the server does not listen")
    print("It listens on %s port %s, for a secret path." % (url[1], url[2]))
    print("\n[2/3] Two clients' phones drop off, one after the other")
    for number in CLIENTS:
        hook = {"webhookconnect": "http://%s:%s/%s" % (url[1], url[2], SECRET)}
        demo.sandbox.edit(number, **hook)
        demo.sandbox.unlink(number, "logged out")
    print(
        "\n[3/3] The rule collects events for 20 seconds. Then the playbook checks the devices again, and reports them"
    )
    messages: list[Any] = _wait(demo.sandbox.outbox, "no message was sent")
    print(_read(log)[_read(log).index("PLAY [") :].rstrip())
    print("\nThe message from %s to %s:\n%s" % (OURS, WATCHER, messages[0]["message"]))
    if len(messages) != 1 or not all(number in messages[0]["message"] for number in CLIENTS):
        raise StepFailed("the sandbox shows otherwise: one message must name both devices")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _wait(read: Callable[[], Any], otherwise: str) -> Any:
    """Return the first result that is not empty, or end the demo."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        found = read()
        if found:
            return found
        time.sleep(0.2)
    raise StepFailed("%s within %d s; see %s" % (otherwise, WITHIN, HOME / "run" / "rulebook.log"))


if __name__ == "__main__":
    sys.exit(main())
