# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that is slow, busy or unavailable: the requests that are retried, and those that are not."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Task, device, device_info
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

UNWELL, BUSY, MOVED, FAILING, CROWDED, SLOW = (f"0812000120{number:02d}" for number in range(6))


def _alone(number: str, **args: object) -> Task:
    """Return a task with a separate token, so that a fault can be set for this task only."""
    return device(device=number, device_token=device_token(number), account_token=None, name="Toko Sabar", **args)


def test_reads_are_retried_and_writes_only_if_safe(world: World) -> None:
    """Reads are retried after a transient fault. A long retry delay is reported instead of waited for."""
    numbers = (UNWELL, BUSY, MOVED, FAILING, CROWDED, SLOW)
    world.begin(*(there(number) for number in numbers))
    token = {number: {"token": device_token(number)} for number in numbers}
    order = world.sandbox.fault
    order("status", path="/device", code=503, times=2, **token[UNWELL])
    order("status", path="/device", code=429, headers={"Retry-After": "120"}, times=None, **token[BUSY])
    order("redirect", path="/device", code=307, times=None, **token[MOVED])
    order("status", path="/update-device", code=500, **token[FAILING])
    order("status", path="/update-device", code=429, headers={"Retry-After": "1"}, **token[CROWDED])
    order("hang", path="/device", times=None, **token[SLOW])
    unwell, busy, moved, failing, crowded, slow, stranger = world.play(
        _alone(UNWELL, api_retries=2),
        _alone(BUSY, api_retries=2),
        _alone(MOVED),
        _alone(FAILING),
        _alone(CROWDED, api_retries=1),
        _alone(SLOW, api_timeout=0.3, api_retries=0),
        device_info(account_token="nobody"),
    ).reported
    for reported in (unwell, failing, crowded):
        assert not reported.failed and reported["operations"] == ["update"], reported.result
    assert busy.failed and "120" in busy.message and "api_retry_max_delay" in busy.message, busy.result
    assert moved.failed and "redirect" in moved.message, moved.result
    assert slow.failed and "time" in slow.message, slow.result
    assert stranger.failed and "unknown user" in stranger.message, stranger.result
    calls = {
        number: [call["path"] for call in world.sandbox.journal() if call["token"] == device_token(number)]
        for number in numbers
    }
    assert calls[UNWELL] == ["/device"] * 3 + ["/update-device"]
    assert calls[BUSY] == calls[MOVED] == calls[SLOW] == ["/device"]
    assert calls[FAILING] == ["/device", "/update-device", "/device", "/update-device"], "a look, and once more"
    assert calls[CROWDED] == ["/device", "/update-device", "/update-device"]
