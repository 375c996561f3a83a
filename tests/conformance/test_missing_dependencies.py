# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed artifact alone: each of its playbooks names its missing input in one sentence."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import sample

PLAYBOOKS = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / "ansible_collections" / "fonnte" / "whatsapp" / "playbooks"
# The message of each playbook that runs without variables, token and sandbox.
LACKS = {
    "adopt": "Name the directory for the declarations",
    "audit": "There is nothing to read",
    "decommission": "No device is named",
    "demo": "This demo lacks its sandbox, a server on this machine that behaves like Fonnte",
    "doctor": "there is no token",
    "dropped_off": "Set the recipients in dropped_off_targets",
    "link": "Name the devices",
    "provision": "There is nothing to read",
    "record": "there is no token",
}


def test_each_playbook_has_an_expected_message() -> None:
    assert {path.stem for path in PLAYBOOKS.glob("*.yml")} == set(LACKS)


@pytest.mark.parametrize("name", sample(sorted(LACKS), 2))
def test_playbook_without_variables_names_missing_input(world: World, name: str) -> None:
    run = world.player.play_by_name(name, env={"FONNTE_API_ENDPOINT": None, "FONNTE_ACCOUNT_TOKEN": None})
    message = re.findall(r'^    "msg": (".*")', run.output, re.MULTILINE)[-1]
    assert LACKS[name] in json.loads(message) and "failed=1" in run.output


def test_demo_does_not_run_on_real_account(world: World) -> None:
    """The demo would create devices with the numbers of other people."""
    run = world.player.play_by_name("demo", env={"FONNTE_API_ENDPOINT": "https://192.0.2.1"})
    assert LACKS["demo"] in run.output and "ok=0" in run.output
