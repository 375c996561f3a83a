# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the environments: each cell shows the worst verdict, and a row that combines values is only counted."""

from __future__ import annotations

import datetime

from ansible_collections.fonnte.whatsapp.tests.conformance.document import page

USUAL = {"operation": "audit", "started by": "shell", "home": "HOME", "core": "newest"}


def cell(verdict: str, **changes: str) -> dict[str, object]:
    return {"row": {**USUAL, **{name.replace("_", " "): value for name, value in changes.items()}}, "verdict": verdict}


def shown(*cells: dict[str, object]) -> list[str]:
    usual = [cell("right", operation=name) for name in ("adopt", "audit", "link")]
    text = page([*usual, *cells], [], datetime.date(2026, 11, 29))
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_an_environment_is_a_row_and_an_operation_a_column() -> None:
    assert shown(cell("refused", home="none"))[-2:] == [
        "| started by | shell | right | right | right |",
        "| home | none | not here | refused | not here |",
    ]


def test_worse_result_of_two_cores_counts() -> None:
    newest, oldest = cell("right", home="none"), cell("wrong", home="none", core="oldest")
    assert shown(newest, oldest)[-1] == "| home | none | not here | **wrong** | not here |"


def test_unavailable_environment_is_named() -> None:
    text = page([cell("right")], [["files", "one volume", "no mount namespaces here"]], datetime.date(2026, 11, 29))
    assert "| files | one volume | not here: no mount namespaces here |" in text


def test_combined_values_have_no_row() -> None:
    rows = shown(cell("right", started_by="runner", home="none"))
    assert not any("none" in row for row in rows)
