# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fonnte_device_info: the devices of the account; it is never changed, and uses no cache."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import TaskResult, device, device_info, snapshot
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

LINKED, PAID, POOR, HIDDEN = "6281200009104", "081200009103", "081200009102", "081200009101"
DAY = 86_400


def _numbers(reported: TaskResult) -> list[str]:
    assert not reported.failed and not reported.changed, reported.result
    return [found["device"] for found in reported["devices"]]


def test_filters_select_devices(world: World) -> None:
    """Each filter is tested alone, and two together; devices are sorted by number."""
    now = int(world.sandbox.now())
    world.begin(
        there(LINKED, linked=True, expires=now + 90 * DAY),
        there(PAID, package="Reguler", expires=now + 5 * DAY, quota=50),
        there(POOR, quota=2, expires=now - DAY),
        there(HIDDEN, unlisted=True, expires=now + 90 * DAY),
        reading={"listing": "partial"},
    )
    run = world.play(
        device_info(),
        device_info(connection="connected"),
        device_info(connection="disconnected"),
        device_info(package="reguler"),
        device_info(expires_within=10),
        device_info(quota_below=50),
        device_info(devices=["0812 0000 9104", HIDDEN, POOR, "+62 812-0000-9104"]),
        device_info(devices=[PAID, POOR], quota_below=10),
        device_info(devices=[]),
    )
    assert [_numbers(reported) for reported in run.reported] == [
        [POOR, PAID, LINKED],
        [LINKED],
        [POOR, PAID],
        [PAID],
        [POOR, PAID],
        [POOR],
        [POOR, LINKED],
        [POOR],
        [],
    ]
    assert run.reported[6]["missing"] == [HIDDEN]
    assert run.reported[0]["account"] == {"devices": 3, "connected": 1, "messages": 0}


@pytest.mark.weekly
def test_profile_and_recorded_add_keys(world: World) -> None:
    """The module does not change the record."""
    world.begin(there(POOR, messages=7, quota=2))
    assert not world.run_task(device(device=POOR, quick=True, webhook="")).failed
    before = snapshot(world.player.record)
    world.calls()
    plain, more = world.play(device_info(), device_info(profile=True, recorded=True)).reported
    assert world.calls() == ["/get-devices", "/get-devices", "/device"]
    assert snapshot(world.player.record) == before
    assert not {"messages", "recorded", "token"} & set(plain["devices"][0])
    assert plain["devices"][0]["quick"] is None, "the service does not show it"
    found = more["devices"][0]
    assert found["messages"] == 7 and found["quota"] == 2
    assert found["recorded"]["quick"] == {"value": True, "source": "recorded", "at": found["recorded"]["quick"]["at"]}
    assert found["recorded"]["webhook"]["source"] == "unconfirmed"
