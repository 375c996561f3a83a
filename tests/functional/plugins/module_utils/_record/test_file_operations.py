# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of file operations that a run of a module causes."""

from __future__ import annotations

import collections
import os
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> collections.Counter[str]:
    """Count the operations on files."""
    counted: collections.Counter[str] = collections.Counter()

    def counting(name: str) -> t.Callable[..., t.Any]:
        real = getattr(os, name)

        def operation(*args: t.Any, **named: t.Any) -> t.Any:
            counted[name] += 1
            return real(*args, **named)

        return operation

    for name in ("fsync", "replace", "open"):
        replace_os(monkeypatch, **{name: counting(name)})
    return counted


@pytest.mark.parametrize(
    ("settings", "most"),
    [({}, {"fsync": 3, "replace": 2, "open": 16}), ({"quick": True}, {"fsync": 4, "replace": 2, "open": 18})],
)
def test_created_device_needs_few_file_operations(
    controller: Controller, count: collections.Counter[str], settings: dict[str, t.Any], most: dict[str, int]
) -> None:
    """Before confirmations were appended: six and eight syncs, and 20 and 26 opened files."""
    controller.device("081200000001", name="First", **settings)
    count.clear()
    controller.device("081200000002", name="Second", **settings)
    assert {name: count[name] for name in most} == most


def test_update_needs_two_syncs(controller: Controller, count: collections.Counter[str]) -> None:
    controller.device("081200000001", name="First", quick=True)
    controller.device("081200000001", quick=False)
    count.clear()
    controller.device("081200000001", quick=True)
    assert (count["fsync"], count["replace"]) == (2, 1)


def test_fleet_shares_the_syncs_of_the_directory(controller: Controller, count: collections.Counter[str]) -> None:
    numbers = [f"0812000000{index:02d}" for index in range(9)]
    controller.run("fleet", devices=[{"device": number, "name": "Toko", "quick": True} for number in numbers])
    assert count["fsync"] <= 4 * len(numbers)
    count.clear()
    controller.run("fleet", devices=[{"device": number, "name": "Toko", "quick": True} for number in numbers])
    assert (count["fsync"], count["replace"]) == (0, 0)
