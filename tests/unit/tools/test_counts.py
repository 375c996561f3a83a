# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counts of a stage: its line gives the reason for skipped tests."""

from __future__ import annotations

from pathlib import Path

from tools.counts import Counts, of_junit

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><skipped message="no PostgreSQL server can be started here: none"/></testcase>
<testcase name="c"><skipped message="no PostgreSQL server can be started here: none"/></testcase>
</testsuite></testsuites>"""


def test_reason_of_skipped_tests_is_named_once(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")
    counts = of_junit([report])
    assert counts == Counts(1, 0, 2, "no PostgreSQL server can be started here: none")
    assert counts.with_exit(0).text() == "1 passed, 0 failed, 2 skipped; no PostgreSQL server can be started here: none"
