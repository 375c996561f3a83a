# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The times of requests that must not be repeated too soon, of two records of one device."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, Entry

EARLIER, LATER, INVALID = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "tomorrow"


@pytest.mark.parametrize(
    ("restored", "present", "kept"),
    [
        (EARLIER, LATER, LATER),
        (LATER, EARLIER, LATER),
        (LATER, LATER, LATER),
        (None, EARLIER, EARLIER),
        (EARLIER, None, EARLIER),
        (None, None, None),
        (INVALID, EARLIER, EARLIER),
        (EARLIER, INVALID, EARLIER),
    ],
)
def test_later_time_is_kept(restored: str | None, present: str | None, kept: str | None) -> None:
    entries = {"quick": Entry(True, EARLIER)}
    record = DeviceRecord(entries, otp_requested_at=restored, groups_fetched_at=restored)
    for other in (DeviceRecord(otp_requested_at=present), DeviceRecord(groups_fetched_at=present)):
        merged = record.keep_later_times(other)
        assert merged.entries == entries
        assert merged.otp_requested_at == (kept if other.otp_requested_at else restored)
        assert merged.groups_fetched_at == (kept if other.groups_fetched_at else restored)
