# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that is killed during its run: the next run completes it without duplicates or false records."""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import BY_OPTION
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import EntryStatus
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SIZE = 24
MOMENTS = 5
# A separate process: only the kernel ends it, and it cannot clean up.
WORK = """
import json, sys
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import task as _command
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import fleet as _module_fleet
params = json.loads(sys.stdin.read())
print("begun", flush=True)
_module_fleet.run_fleet(_command.ModuleInput(params, {}, raw_params=params))
"""


def declared(policy: str) -> dict[str, t.Any]:
    devices = [
        {
            "device": f"0812000{10000 + index}",
            "name": f"Toko {index}",
            "personal": True,
            "webhook": f"https://h.example.com/{index}",
            # A run that is killed before it reads the response of /add-device leaves the rest unknown.
            **dict.fromkeys(("webhook_connect", "webhook_status", "webhook_chaining"), "https://h.example.com/all"),
            "group": False,
            "quick": False,
            "resend": False,
        }
        for index in range(SIZE)
    ]
    return {"devices": devices, "handle_unknown": "error", "handle_write_only": policy}


def kill_in_the_middle(params: dict[str, t.Any], seconds: float) -> bool:
    """Start a run, kill it after ``seconds``, and return whether it was still running."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.Popen(
        [sys.executable, "-c", WORK], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdin and run.stdout
    run.stdin.write(json.dumps(params))
    run.stdin.close()
    assert run.stdout.readline() == "begun\n"
    time.sleep(seconds)
    run.send_signal(signal.SIGKILL)
    killed = run.wait() == -signal.SIGKILL
    run.stdout.close()
    return killed


def see_that_no_record_lies(controller: Controller, url: str) -> None:
    backend = PostgresqlBackend(url) if url else None
    store = RecordStore(str(controller.records), controller.sandbox.url, backend)
    for device in controller.sandbox.devices().values():
        record, problem = store.device(device["token"]).load()
        assert problem == ""
        for option, entry in (record.entries if record else {}).items():
            held = device["settings"][BY_OPTION[option].wire]
            assert entry.status is not EntryStatus.RECORDED or entry.value == held, (device["number"], option)


@pytest.mark.long
@pytest.mark.parametrize("policy, place", [("recorded", "files"), ("stamped", "files"), ("recorded", "database")])
def test_killed_fleet_is_completed_by_the_next_run(
    sandbox: Sandbox, tmp_path: Path, policy: str, place: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("record_url") if place == "database" else ""
    controller = Controller(sandbox, tmp_path, url)
    chance = random.Random(policy)
    killed = 0
    for _moment in range(MOMENTS):
        controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "plan": "Super"}])
        controller.sandbox.set_options(latency=0.01)
        spec = controller.complete("fleet", **declared(policy), concurrency=6)
        killed += kill_in_the_middle(spec, chance.uniform(0, 0.25))
        see_that_no_record_lies(controller, url)
        result = controller.run("fleet", **declared(policy), concurrency=6).result
        assert result["summary"]["failed"] == result["summary"]["in_doubt"] == 0
        made = collections.Counter(
            entry["number"]
            for entry in controller.sandbox.journal()
            if entry["path"] == "/add-device" and entry["applied"]
        )
        assert set(made.values()) == {1} and len(made) == SIZE
        devices = controller.sandbox.devices()
        for entry in declared(policy)["devices"]:
            held = devices[entry["device"]]["settings"]
            assert held["webhook"] == entry["webhook"] and held["personal"] is True
        assert not controller.run("fleet", **declared(policy)).result["changed"]
    # Some runs may end before the chosen time.
    assert killed >= MOMENTS // 2
