# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of several sessions: a session that fails without counts, or runs no test, is a failure."""

from __future__ import annotations

from tools.counts import Counts
from tools.summary import summarize


def entry(name: str, result: str = "success") -> dict[str, object]:
    return {"name": name, "result": result, "duration": 2.0}


def test_session_has_a_line_and_an_environment_has_none() -> None:
    total: list[Counts] = []
    results = {"units": {"passed": 7, "failed": 0, "skipped": 1, "note": "no server"}}
    (line,) = summarize([entry("newest-env"), entry("units")], results, total)
    assert line == "ok    units               7 passed, 0 failed, 1 skipped; no server  (2 s)"
    assert total == [Counts(7, 0, 1, "no server")]


def test_a_session_of_antsibull_nox_counts_as_one() -> None:
    total: list[Counts] = []
    assert len([*summarize([entry("docs-check"), entry("newest-env")], {}, total)]) == 1
    assert total == [Counts(passed=1)]


def test_a_session_that_failed_without_counts_is_one_failure() -> None:
    total: list[Counts] = []
    lines = [*summarize([entry("newest-env", "failed"), entry("units", "aborted")], {}, total)]
    assert [line.split()[:2] for line in lines] == [["FAIL", "newest-env"], ["FAIL", "units"]]
    assert sum(counts.failed for counts in total) == 2


def test_a_session_that_failed_after_its_tests_is_a_failure() -> None:
    total: list[Counts] = []
    list(summarize([entry("units", "failed")], {"units": {"passed": 7}}, total))
    assert total == [Counts(7, 1)]
