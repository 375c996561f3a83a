# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: each implementation does its work with three devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.bench import implementations, measurement
from ansible_collections.fonnte.whatsapp.tests.bench.measurement import Bench, BenchError
from ansible_collections.fonnte.whatsapp.tests.bench.rows import Row
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SIZE = 3
LIST, ADD, UPDATE = "/get-devices", "/add-device", "/update-device"
EXPECTED = [
    (Row(implementations.URI, implementations.TENTH, SIZE), {LIST: 3, UPDATE: 1}),
    (Row(implementations.IN_PROCESS, implementations.TENTH, SIZE), {LIST: 1, UPDATE: 1}),
    (Row(implementations.ORDINARY, implementations.NOTHING, SIZE), {LIST: 3}),
    (Row(implementations.FLEET, implementations.NOTHING, SIZE, check=True), {LIST: 1}),
    (Row(implementations.FLOOR_ONE, implementations.MAKE, SIZE), {LIST: 1, ADD: 3, UPDATE: 3}),
    (Row(implementations.URI_ONE_LIST, implementations.NOTHING, SIZE), {LIST: 1}),
    (Row(implementations.IN_PROCESS, implementations.DISCONNECT, SIZE), {LIST: 4, "/disconnect": 3}),
    (Row(implementations.IN_PROCESS, implementations.SEND, SIZE), {LIST: 3, "/send": 3}),
    (Row(implementations.FLOOR, implementations.TENTH, SIZE, latency=50), {LIST: 1, UPDATE: 1}),
    (Row(implementations.URI, implementations.MAKE, SIZE), {ADD: 3, UPDATE: 3}),
]


@pytest.fixture()
def bench(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / ".ansible"))
    return Bench(sandbox, tmp_path / "work")


@pytest.mark.weekly
def test_implementations_send_expected_requests(bench: Bench, sandbox: Sandbox) -> None:
    for row, calls in EXPECTED:
        took = bench.measure(row)
        assert dict(took.calls) == calls, row.name
        assert took.seconds > 0 and took.cpu > 0 and took.largest > 10_000, row.name
        wanted = {each["device"]: each for each in implementations.declared(row.work, SIZE)}
        there = sandbox.devices()
        assert set(there) == set(wanted), row.name
        for number, one in there.items():
            assert one["name"] == wanted[number]["name"], row.name
            assert one["settings"]["webhook"] == wanted[number]["webhook"], row.name
    assert bench.capacity(LIST, SIZE, 5) > 0


def test_benchmark_fails_if_run_writes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "play", lambda way, work: implementations.play(implementations.EMPTY, work))
    with pytest.raises(BenchError, match="wrote 0 times"):
        bench.measure(Row(implementations.URI, implementations.MAKE, SIZE))
