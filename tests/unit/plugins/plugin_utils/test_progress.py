# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines: the number of failures, the remaining time, and an unresponsive service."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._progress import Progress, awaited_peers


class Watch:
    """A clock that a test sets, and the lines that were shown."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[str] = []
        self.progress = Progress(self.lines.append, "https://api.example.com", 300.0, lambda: self.now)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_short_task_shows_nothing(watch: Watch) -> None:
    watch.now += 4.9
    watch.progress.update(10, 0, 300)
    assert not watch.progress.check_silence() and watch.lines == []


def test_progress_line_shows_failures_and_remaining_time(watch: Watch) -> None:
    for seconds, done, failed in ((10, 50, 2), (1, 51, 2), (9, 100, 3)):
        watch.now += seconds
        watch.progress.update(done, failed, 300)
    assert watch.lines == [
        "50 of 300 devices are done, 2 failed; about 50 s left",
        "100 of 300 devices are done, 3 failed; about 40 s left",
    ]
    watch.now += 600
    watch.progress.update(120, 3, 300)
    assert watch.lines[-1] == "120 of 300 devices are done, 3 failed; about 16 min left"


def test_unresponsive_service_is_named_once(watch: Watch) -> None:
    watch.now += 9
    assert not watch.progress.check_silence()
    watch.now += 1
    assert watch.progress.check_silence()
    assert watch.lines == ["https://api.example.com has not responded for 10 s; a request ends after 300 s"]


def test_database_of_the_record_is_named_as_well(watch: Watch) -> None:
    endpoint = "https://api.example.com"
    url = "postgresql://user:of-the-url-1@db.example.com/fonnte?password=of-the-query-1"
    both = f"{endpoint} or the record's database at postgresql://db.example.com/fonnte"
    assert awaited_peers(endpoint, url) == both
    assert awaited_peers(endpoint, None) == awaited_peers(endpoint, "") == endpoint
    # Otherwise the password would be parsed as the host.
    assert awaited_peers(endpoint, "postgresql://user:of/the@url@db.example.com/fonnte") == endpoint
