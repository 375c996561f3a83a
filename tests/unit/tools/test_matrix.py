# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: every core has every column, and the page shows every core on every Python."""

from __future__ import annotations

import pytest

from tools import matrix
from tools.matrix import COLUMNS, CORES
from tools.paths import ROOT

PAGE = (ROOT / "docs" / "dev" / "matrix.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.version)
def test_each_core_has_each_column(core: matrix.Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "available", lambda: dict.fromkeys(core.controllers[:2], "python"))
    assert {column for columns in core.columns().values() for column in columns} == {*COLUMNS}
    monkeypatch.setattr(matrix, "available", dict)
    assert core.columns() == {}


def test_the_page_shows_every_core_on_every_python() -> None:
    for core in CORES:
        for python in core.controllers:
            count = PAGE.count(f"\n| {core.version} | {python} |")
            # A Python between the oldest and the newest may have no row.
            assert count == 1 or (count == 0 and python == core.controllers[1])
