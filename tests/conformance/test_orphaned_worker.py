# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After SIGKILL or SIGHUP of ansible-playbook alone, its worker and the worker's module start no new work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

COUNT, BEGUN = 40, 3
DEVICES = [{"device": f"0812000{16000 + index}", "name": f"Toko {index}"} for index in range(COUNT)]
TASKS: dict[str, dict[str, Any]] = {
    "fleet": {"fonnte.whatsapp.fonnte_fleet": {"devices": DEVICES, "concurrency": 1, "api_timeout": 60}},
    # The results of its items fill the pipe to ansible-playbook, which no process reads any more.
    "loop": {
        "fonnte.whatsapp.fonnte_device": {
            "device": "{{ item.device }}",
            "name": "{{ item.name }}",
            "api_timeout": 60,
            "webhook": "https://hooks.example.com/" + "long/" * 400,
        },
        "loop": DEVICES,
    },
}
END_SECONDS = 300
# nohup lets all programs ignore SIGHUP.
START = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize("in_process", [True, False], ids=["in-process", "as-module"])
@pytest.mark.parametrize(
    ("task", "how"),
    [
        pytest.param("fleet", signal.SIGHUP, id="fleet-hung-up"),
        pytest.param("loop", signal.SIGKILL, id="loop-killed"),
        pytest.param("fleet", signal.SIGKILL, id="fleet-killed", marks=pytest.mark.weekly),
        pytest.param("loop", signal.SIGHUP, id="loop-hung-up", marks=pytest.mark.weekly),
    ],
)
@pytest.mark.parametrize("core", USUAL_CORES)
def test_orphaned_worker_starts_no_new_work(
    core: str, task: str, in_process: bool, how: signal.Signals, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    # During this creation, the process that waits for the result ends.
    sandbox.fault("delay", path="/add-device", seconds=5, skip=BEGUN, times=1)
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": [TASKS[task]]}
    path = tmp_path / "playbook.yml"
    path.write_text(json.dumps([play]), encoding="utf-8")
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "fonnte_in_process": in_process}
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "ANSIBLE_HOME": str(tmp_path / ".ansible"),
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": sandbox.account_token,
    }
    command = [CORES[core] / "ansible-playbook", "-i", "localhost,", "-e", json.dumps(variables), path]
    output = (tmp_path / "output").open("wb")
    starter = [sys.executable, "-c", START]
    with output, subprocess.Popen([*starter, *command], env=env, cwd=tmp_path, stdout=output, stderr=output) as process:
        while len(sandbox.devices()) < BEGUN:
            assert process.poll() is None, (tmp_path / "output").read_text(encoding="utf-8")
            time.sleep(0.05)
        # Only to this process, as an out-of-memory killer does; a terminal would send it to the group.
        process.send_signal(how)
    _wait_for_the_end(tmp_path)
    assert BEGUN <= len(sandbox.devices()) <= BEGUN + 2


def _wait_for_the_end(home: Path) -> None:
    """Wait until no process has the run's home in its environment; kill those that stay, and fail."""
    mark, until = f"HOME={home}\0".encode(), time.monotonic() + END_SECONDS
    while left := [process for process in Path("/proc").glob("[0-9]*") if _has(process, mark)]:
        if time.monotonic() > until:
            for process in left:
                os.kill(int(process.name), signal.SIGKILL)
            raise AssertionError(f"{len(left)} processes of the run stay")
        time.sleep(0.1)


def _has(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes()
    except OSError:
        return False
