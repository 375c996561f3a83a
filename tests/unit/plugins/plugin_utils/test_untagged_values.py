# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values without tags are equal to those that a module receives."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import untag


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2027, 1, 31), "2027-01-31"),
        (datetime(2027, 1, 31, 8, 0), "2027-01-31T08:00:00"),
        (datetime(2027, 1, 31, 8, 0, 0, 500000, timezone(timedelta(hours=7))), "2027-01-31T08:00:00.500000+07:00"),
    ],
)
def test_yaml_timestamps_are_written_as_modules_receive_them(value: date, text: str) -> None:
    assert untag({"at": [value]}) == {"at": [text]}
