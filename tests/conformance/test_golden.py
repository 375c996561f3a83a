# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare results and requests of playbooks with the recorded ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance import golden
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

RECORD_IN = os.environ.get("FONNTE_TESTS_GOLDEN")
# The first module, and the playbooks, whose tasks run most of the others. The other sets are weekly.
EACH_CHANGE = ("device", "playbooks")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in EACH_CHANGE else [pytest.mark.weekly])
        for name in sorted(golden.SCENARIOS)
    ],
)
def test_golden_results_are_unchanged(name: str, tmp_path: Path) -> None:
    # A new sandbox for each scenario: tokens depend on the number of resets, and digests in results on tokens.
    with Sandbox() as sandbox:
        found = golden.results_of(name, sandbox, tmp_path)
    if RECORD_IN:
        golden.record_in(Path(RECORD_IN), name, found)
    else:
        assert golden.compare(golden.recorded(name), found) == []
