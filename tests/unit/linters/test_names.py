# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the linter of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linters.names import MAX_FILES, MAX_LINES, problems, size_problems

FILE = Path("plugins/module_utils/_reconcile/example.py")


@pytest.mark.parametrize(
    "source",
    [
        "class House:\n    pass\n",
        "def look():\n    pass\n",
        "def f(house):\n    pass\n",
        "class A:\n    def __init__(self):\n        self._sight = 1\n",
        "foreseen = 1\n",
    ],
)
def test_replaced_name_is_reported(source: str) -> None:
    (problem,) = problems(FILE, source)
    assert problem.startswith(f"{FILE}:") and "; use " in problem


def test_use_of_an_imported_replaced_name_is_accepted() -> None:
    assert not list(problems(FILE, "from elsewhere import House\n\ncontext = House()\n"))


def test_long_file_and_large_package_are_reported() -> None:
    long = {FILE: "a = 1\n" * (MAX_LINES + 1)}
    assert [*size_problems(long)] == [f"{FILE}: {MAX_LINES + 1} lines; {MAX_LINES} are the most"]
    documented = 'DOCUMENTATION = """\n' + "a\n" * MAX_LINES + '"""\n'
    assert not [*size_problems({FILE: documented})]
    many = {FILE.with_name(f"example{number}.py"): "" for number in range(MAX_FILES + 1)}
    assert [*size_problems(many)] == [f"{FILE.parent}: {MAX_FILES + 1} files; {MAX_FILES} are the most"]
