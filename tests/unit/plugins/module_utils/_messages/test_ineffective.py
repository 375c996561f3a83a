# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings about options that have another effect than a task describes."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.ineffective import find_ineffective_options

URL = {"url": "https://files.example.com/a.pdf"}
SEQUENCE = {"sequence": "true", "message": "x"}


@pytest.mark.parametrize(
    ("form", "targets"),
    [
        ({"message": "x"}, 1),
        ({"message": "x", **URL}, 1),
        ({"message": "x", "delay": "2"}, 2),
        (SEQUENCE, 2),
        ({**SEQUENCE, "sequence": "false", "schedule": "1795352400", "followup": "5"}, 1),
        ({"message": "x", "schedule": "1795352400", "followup": "5"}, 1),
    ],
)
def test_effective_options_cause_no_warning(form: dict[str, str], targets: int) -> None:
    assert list(find_ineffective_options(form, targets)) == []


@pytest.mark.parametrize(
    ("form", "targets", "words"),
    [
        (URL, 1, "url is set without msg."),
        ({**SEQUENCE, "delay": "2"}, 2, "Fonnte ignores delay:"),
        ({**SEQUENCE, "schedule": "1795352400"}, 2, "Fonnte ignores schedule:"),
        ({**SEQUENCE, "followup": "5"}, 2, "Fonnte ignores follow_up:"),
        (
            {**SEQUENCE, "delay": "2", "schedule": "1", "followup": "5"},
            1,
            "Fonnte ignores delay, schedule and follow_up:",
        ),
        ({"message": "x", "delay": "2"}, 1, "delay has no effect"),
    ],
)
def test_ineffective_options_cause_one_warning(form: dict[str, str], targets: int, words: str) -> None:
    (warning,) = find_ineffective_options(form, targets)
    assert words in warning and warning.endswith(".")
