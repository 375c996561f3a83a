# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every case in every reading of the service: the table is in cases.py, what has to hold in claims.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import CASES, READINGS
from ansible_collections.fonnte.whatsapp.tests.conformance.claims import CLAIMS
from ansible_collections.fonnte.whatsapp.tests.conformance.rounds import Round
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

# The readings of the quick tier: nothing special, and everything at once.
QUICK_READINGS = ("default", "all-hard")


# A last row for each reading, for what all of its runs have printed.
PRINTED = "what-was-printed"


def _table() -> list[object]:
    return [
        # The bar parts what is played together from the rest: see the scheduler in conftest.py.
        pytest.param(
            label, name, id=f"{label}|{name}", marks=[pytest.mark.smoke] if quick and label in QUICK_READINGS else []
        )
        for label in READINGS
        for name, quick in [
            *((case.name, case.quick) for case in CASES if case.played_in(label)),
            (PRINTED, True),
        ]
    ]


@pytest.mark.parametrize(("label", "case"), _table())
def test_case(label: str, case: str, played: Callable[[str], Round], running_sandbox: Sandbox) -> None:
    """All claims hold for this case in this reading; no run printed a traceback or a secret."""
    if case == PRINTED:
        broken = played(label).unfit
    else:
        story = played(label).stories[case]
        broken = [f"{claim.__name__}: {sentence}" for claim in CLAIMS for sentence in claim(story, running_sandbox)]
    assert not broken, f"in the reading {label}, the case {case}:\n  " + "\n  ".join(broken)
