# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each case in each behavior variant of the service, in this process: prepare, check mode, run, second run.

tests/conformance/test_behavior_variants.py runs the same cases in real playbooks.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.case_runner import Round
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import CASES, READINGS, Case
from ansible_collections.fonnte.whatsapp.tests.conformance.invariants import CLAIMS
from ansible_collections.fonnte.whatsapp.tests.conformance.module_runner import ModuleRunner
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox


def _rows() -> t.Iterator[t.Any]:
    for label in READINGS:
        for case in CASES:
            if case.applies_to(label):
                yield pytest.param(label, case, id=f"{label}-{case.name}")


@pytest.mark.parametrize(("label", "case"), list(_rows()))
def test_case_in_a_variant(label: str, case: Case, sandbox: Sandbox, tmp_path: Path) -> None:
    run = Round(sandbox, label, [case], ModuleRunner(tmp_path, sandbox)).play()
    (story,) = run.stories.values()
    broken = [f"{claim.__name__}: {sentence}" for claim in CLAIMS for sentence in claim(story, sandbox)]
    assert [*broken, *run.unfit] == []
