# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from the dashboard is data: it is neither a template nor a terminal sequence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, device, device_info
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World
from ansible_collections.fonnte.whatsapp.tests.conformance.test_secrets import CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

FIRST, SECOND, NEW = "081200010001", "081200010002", "081200010009"
TEMPLATE = "{{ 7 * 191 }}"
ESCAPES = "a\x1b[2J\x1b]0;owned\x07\u202eb"


@pytest.mark.parametrize("in_process", [True, False])
@pytest.mark.parametrize("core", CORES)
def test_name_is_neither_template_nor_terminal_sequence(
    sandbox: Sandbox, tmp_path: Path, core: str, in_process: bool
) -> None:
    world = World(sandbox, Player(tmp_path, sandbox, CORES[core], in_process))
    world.begin(there(FIRST, name=TEMPLATE), there(SECOND, name=ESCAPES))
    run = world.play(
        device_info(devices=[FIRST]).named(register="found"),
        device(device=NEW, name="{{ found.devices[0].name }}", personal=True),
        device(device=FIRST, autoread=True),
        device(device=SECOND, autoread=True),
        device_info(),
    )
    assert not any(reported.failed for reported in run.reported), [reported.message for reported in run.reported]
    assert world.sandbox.device(NEW)["name"] == TEMPLATE
    assert [found["name"] for found in run.reported[-1]["devices"]][:2] == [TEMPLATE, ESCAPES]
    assert "\x1b" not in run.output and "1337" not in run.output
