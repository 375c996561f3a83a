# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No cell of a table is a formula, with any separator."""

from __future__ import annotations

import csv
import io

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spreadsheet import guard_formula

NAMES = ["=1+1", " =1+1", "a;=1+1", 'a;"=1+1;b', 'a,"=1+1,b', 'a; " =1+1;b', 'a;""=1+1', "a|+1", "a\t@x", 'a;"-1"']


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("written", [",", ";"])
@pytest.mark.parametrize("read", [",", ";", "|", "\t"])
def test_no_cell_begins_a_formula(name: str, written: str, read: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=written).writerow(["first", guard_formula(name), "last"])
    for row in csv.reader(io.StringIO(stream.getvalue()), delimiter=read):
        assert not any(cell.strip().startswith(("=", "+", "-", "@")) for cell in row), row
