# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet ends with the process of ansible-playbook, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

# The process structure of Ansible, without Ansible: a process forks a worker, which runs a fleet itself or starts a
# module.
PLAYER = """
import os, subprocess, sys
from pathlib import Path

def fleet():
    from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
    class Sandbox:
        url, account_token = sys.argv[2], sys.argv[3]
    os.environ.clear()
    controller = Controller(Sandbox, Path(sys.argv[4]))
    devices = [{"device": f"0812000{10000 + index}", "name": f"Toko {index}"} for index in range(40)]
    try:
        result = controller.run("fleet", devices=devices, concurrency=1, api_timeout=60.0).result
    except FonnteError as fault:
        result = fault.partial_result
    reported = "".join(f"{device['status']} {device['msg']}\\n" for device in result.get("devices", []))
    # The test waits for the file, so it appears with its content.
    partial = Path(sys.argv[4], "partial")
    partial.write_text(reported)
    partial.rename(Path(sys.argv[4], "reported"))

if sys.argv[1] == "module":
    fleet()
elif os.fork():
    signal = __import__("signal")
    signal.pause()
elif sys.argv[1] == "in-process":
    fleet()
else:
    command = [sys.executable, *sys.orig_argv[1:3], "module", *sys.argv[2:]]
    environment = {**os.environ}
    subprocess.run(["/bin/sh", "-c", '"$@" && exit 0', "sh", *command], env=environment)
"""


@pytest.mark.parametrize("way", ["in-process", "as-module"])
def test_fleet_ends_with_ansible_playbook(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    # The fourth creation is not answered until the process that waits for the result has ended.
    sandbox.fault("delay", path="/add-device", seconds=3.0, skip=3, times=1)
    program = subprocess.Popen([sys.executable, "-c", PLAYER, way, sandbox.url, sandbox.account_token, str(tmp_path)])
    _wait(lambda: len(sandbox.devices()) == 3 or program.poll() is not None)
    assert program.poll() is None
    program.send_signal(signal.SIGKILL)
    program.wait()
    _wait((tmp_path / "reported").exists)
    reported = (tmp_path / "reported").read_text(encoding="utf-8").splitlines()
    assert 3 <= len(sandbox.devices()) <= 5
    # The fourth one may not have been sent yet; then it is not sent at all.
    begun = [line for line in reported if "the process that started this run has ended" not in line]
    assert len(reported) == 40 and len(begun) == len(sandbox.devices())
    assert all("the process that started this run has ended" in line for line in reported[len(begun) :])


def _wait(until: t.Callable[[], bool]) -> None:
    """Wait without a limit: a machine may be slow, and the test runner has its own timeout."""
    while not until():
        os.sched_yield()
