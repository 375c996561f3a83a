# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop the sandbox of tests/sandbox, a server on this machine that behaves like the service."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Sequence

from tools.paths import ROOT

READY_WITHIN = 20.0
COMMAND = ("-m", "tests.sandbox", "--port", "0", "--control-port", "0", "--json", "--stop-with-stdin")


class NotStarted(Exception):
    """The sandbox did not report that it is ready."""


@dataclass(frozen=True)
class Sandbox:
    """The addresses and the token of a running sandbox."""

    api: str
    control: str
    account_token: str

    def environment(self) -> Dict[str, str]:
        """Return the variables that modules read, and the address of the control path."""
        return {
            "FONNTE_API_ENDPOINT": self.api,
            "FONNTE_ACCOUNT_TOKEN": self.account_token,
            "FONNTE_SANDBOX_CONTROL": self.control,
        }


@contextmanager
def running(
    python: Path, env: Dict[str, str], log: Path, arguments: Sequence[str] = (), cwd: Path = ROOT
) -> Iterator[Sandbox]:
    """Run a sandbox on free ports for as long as the block lasts."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as errors, subprocess.Popen(
        [str(python), *COMMAND, *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        # Ctrl-C is for the program that uses it; the sandbox ends when its standard input is closed.
        start_new_session=True,
    ) as process:
        try:
            yield _wait(process, log)
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> Sandbox:
    # A server that hangs before it is ready is killed, which ends the wait for its line.
    timer = threading.Timer(READY_WITHIN, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
    finally:
        timer.cancel()
    try:
        ready: Dict[str, Any] = json.loads(line)
        return Sandbox(ready["api"], ready["control"], ready["account_token"])
    except (ValueError, KeyError, TypeError):
        raise NotStarted("the sandbox did not start; see %s" % log) from None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
