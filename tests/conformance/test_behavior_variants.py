# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every case in real playbooks, in the default variant of the service and in the hardest one.

The table is in cases.py, the properties that must hold are in invariants.py. With FONNTE_TESTS_READINGS=all, each other
variant is run too; without playbooks, tests/functional/plugins/module_utils/test_variant_cases.py always runs them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.case_runner import (
    ALL_BOTH_WAYS,
    BOTH_WAYS,
    IN_PROCESS,
    WAYS,
    Round,
    ways,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import CASES, READINGS, USUAL_READINGS
from ansible_collections.fonnte.whatsapp.tests.conformance.invariants import CLAIMS
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import TaskResult
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

# The variants of the quick tests: the defaults, and the last values of all switches.
QUICK_READINGS = ("default", "all-hard")
LABELS = tuple(READINGS) if ALL_BOTH_WAYS else USUAL_READINGS

# The last row of each variant and way checks the output of all its runs.
PRINTED = "what-was-printed"


def _rows(label: str, way: str = "both") -> list[tuple[str, bool]]:
    whole = way == IN_PROCESS or ALL_BOTH_WAYS
    return [(case.name, case.quick) for case in CASES if case.applies_to(label) and (whole or case.quick)]


def _row(label: str, case: str, way: str, quick: bool) -> object:
    if way == IN_PROCESS:
        marks = [pytest.mark.smoke] if quick and label in QUICK_READINGS else []
    else:
        # Each change runs the modules as ordinary ones in ansible-test integration.
        marks = [pytest.mark.weekly]
    # The text before the bar is the same for tests that run together: see the scheduler in conftest.py.
    return pytest.param(label, case, way, id=f"{label}|{case}-{way}", marks=marks)


@pytest.mark.parametrize(
    ("label", "case", "way"),
    [
        _row(label, case, way, quick)
        for label in LABELS
        for way in ways(label)
        for case, quick in [*_rows(label, way), (PRINTED, True)]
    ],
)
def test_case_satisfies_all_invariants(
    label: str, case: str, way: str, rounds_of: Callable[[str, str], Round], running_sandbox: Sandbox
) -> None:
    """All invariants hold for the case in the variant; no run printed a traceback or a secret."""
    if case == PRINTED:
        broken = rounds_of(label, way).unfit
    else:
        story = rounds_of(label, way).stories[case]
        broken = [f"{claim.__name__}: {sentence}" for claim in CLAIMS for sentence in claim(story, running_sandbox)]
    assert not broken, f"in the reading {label}, the case {case}:\n  " + "\n  ".join(broken)


@pytest.mark.parametrize(
    ("label", "case", "way"), [_row(label, case, "both", quick) for label in BOTH_WAYS for case, quick in _rows(label)]
)
def test_results_are_equal_in_process_and_as_module(
    label: str, case: str, way: str, rounds_of: Callable[[str, str], Round]
) -> None:
    """Result, warnings, failure, diff and masked values are equal in each key."""
    one, other = (rounds_of(label, each).stories[case] for each in WAYS)
    for when in ("check", "run", "again"):
        passes = getattr(one, when), getattr(other, when)
        reported = [comparable(passed.reported) for passed in passes if passed is not None]
        assert len(reported) != 1 and reported[:1] == reported[1:], f"{when}, in the reading {label}"
        calls = [[(call["path"], sorted(call["form"])) for call in passed.applied] for passed in passes if passed]
        assert calls[:1] == calls[1:], f"{when}, in the reading {label}"


# Parts that differ between runs: times, waits, ports and directories.
_PASSING = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|(?<=wait )\d+|(?<=\"retry_after\": )\d+|127\.0\.0\.1:\d+|/[^ \"]*/reading\d+/"
)


def comparable(reported: TaskResult) -> Any:
    """Return the failure and the result of a task, without parts that differ between runs."""
    return reported.failed, json.loads(_PASSING.sub("…", json.dumps(reported.result)).replace(": …", ': "…"'))
