# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error page linter reports a missing row, a row without an error or explanation, and a duplicate row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linters.error_page import ACTION, VALUE, failures_in, made_in, problems, refusals

PAGE = "| `the device … is gone` | Create it. |\n| `no such file` | Name another one. |\n"
ERRORS = [f"the device {VALUE} is gone; create it", f"there is no such file {VALUE}"]


def test_complete_page_has_no_problem() -> None:
    assert list(problems(PAGE, ERRORS, [])) == []


@pytest.mark.parametrize(
    "error", ["the disk is full", "the disk is full; nothing was sent", "It is full. Nothing was done."]
)
def test_error_without_an_action_and_without_a_row_is_reported(error: str) -> None:
    assert list(problems(PAGE, [*ERRORS, error], [])) == [f"this error has no action and no row of the page: {error}"]


@pytest.mark.parametrize(
    "error",
    ["the disk is full; free disk space", f"it is full; {VALUE}", "It is full. Name another disk. Nothing was done."],
)
def test_error_with_an_action_needs_no_row(error: str) -> None:
    assert list(problems(PAGE, [*ERRORS, error], [])) == []


def test_each_refusal_of_the_service_has_an_action() -> None:
    assert all(map(ACTION.search, refusals()))


def test_row_without_an_explanation_is_reported() -> None:
    assert list(problems(PAGE.replace("Name another one.", ""), ERRORS, [])) == [
        "this row explains nothing: | `no such file` |  |"
    ]


def test_row_without_an_error_is_reported_unless_another_text_matches() -> None:
    assert list(problems(PAGE, ERRORS[:1], [])) == ["no error has this text of the page: no such file"]
    assert list(problems(PAGE, ERRORS[:1], ["Ansible says: no such file"])) == []


def test_duplicate_row_is_reported() -> None:
    assert list(problems(PAGE + "| `no such file` | Again. |\n", ERRORS, [])) == [
        "the page has this text twice: no such file"
    ]


def test_errors_are_found_in_raise_statements(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(
        'raise PolicyError(f"device {number} " "stays", "confirm it")\n'
        'raise OptionError("name", "it is empty", "declare it")\n'
        'raise ValueError("not for users")\n',
        encoding="utf-8",
    )
    assert list(made_in(source)) == [f"device {VALUE} stays; confirm it", "it is empty; declare it"]


def test_failures_of_tasks_are_found_in_blocks() -> None:
    tasks = [{"block": [{"ansible.builtin.fail": {"msg": "no {{ name }} here"}}]}]
    assert list(failures_in(tasks)) == [f"no {VALUE} here"]
