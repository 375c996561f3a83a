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
from typing import Any, Dict, Iterator, List, Optional, Sequence

from tools.paths import ROOT
from tools.venvs import Venv

READY_WITHIN = 20.0


class NotStarted(Exception):
    """The sandbox did not say that it is ready."""


@dataclass(frozen=True)
class Sandbox:
    """Where a running sandbox is reached."""

    api: str
    control: str
    account_token: str
    ca: Optional[str]

    def environment(self) -> Dict[str, str]:
        """Return what modules read of the environment, and where the control path is."""
        return {
            "FONNTE_API_ENDPOINT": self.api,
            "FONNTE_ACCOUNT_TOKEN": self.account_token,
            "FONNTE_SANDBOX_CONTROL": self.control,
        }


def command(venv: Venv, arguments: Sequence[str]) -> List[str]:
    """Return the command that starts a sandbox; it is run in the checkout or in a copy of it."""
    return [venv.program("python"), "-m", "tests.sandbox"] + list(arguments)


@contextmanager
def running(
    venv: Venv,
    env: Dict[str, str],
    log: Path,
    arguments: Sequence[str] = (),
    cwd: Path = ROOT,
) -> Iterator[Sandbox]:
    """Run a sandbox on free ports for as long as the block lasts."""
    words = command(venv, ["--port", "0", "--control-port", "0", "--json", "--stop-with-stdin"] + list(arguments))
    with open(log, "wb") as errors, subprocess.Popen(
        words,
        cwd=str(cwd),
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        # Ctrl-C is for the program that uses it; the sandbox goes when its standard input is closed.
        start_new_session=True,
    ) as process:
        try:
            yield _ready(process, log)
        finally:
            _stop(process)


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> Sandbox:
    # A server that hangs before it is ready is ended, which ends the wait for its line.
    timer = threading.Timer(READY_WITHIN, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
    finally:
        timer.cancel()
    try:
        told: Dict[str, Any] = json.loads(line)
        return Sandbox(told["api"], told["control"], told["account_token"], told.get("ca"))
    except (ValueError, KeyError, TypeError):
        raise NotStarted("the sandbox did not start; see %s" % log) from None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
