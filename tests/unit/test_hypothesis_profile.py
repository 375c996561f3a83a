# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No test result depends on the speed of the machine."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

# More than the default deadline of Hypothesis.
SLOW = 0.3


@settings(max_examples=2)
@given(st.booleans())
def test_slow_example_is_no_failure(_value: bool) -> None:
    time.sleep(SLOW)


def test_no_deadline_is_set() -> None:
    assert settings().deadline is None
