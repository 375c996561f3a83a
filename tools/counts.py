# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read counts from the reports of the tools: JUnit files, and closing lines where there is no such file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Counts:
    """The numbers of passed, failed and skipped checks, and a note."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""

    def plus(self, other: Counts) -> Counts:
        """Return the sum."""
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def text(self) -> str:
        """Return the counts as the closing line shows them."""
        skipped = ", %d skipped" % self.skipped if self.skipped else ""
        note = "; %s" % self.note if self.note else ""
        return "%d passed, %d failed%s%s" % (self.passed, self.failed, skipped, note)

    def with_exit(self, code: int) -> Counts:
        """Return counts that match an exit code: a failure outside of the report counts; so does a run without tests."""
        if self.failed == 0 and (code != 0 or self.passed == 0):
            return Counts(self.passed, 1, self.skipped, self.note)
        return self


def of_junit(files: Iterable[Path]) -> Counts:
    """Return the sum over the test cases of JUnit files, with the reasons of those that were skipped."""
    total = Counts()
    reasons: dict[str, None] = {}
    for file in files:
        for case in ElementTree.parse(str(file)).getroot().iter("testcase"):
            total = total.plus(_of_case(case))
            skipped = case.find("skipped")
            if skipped is not None:
                reasons[skipped.get("message", "")] = None
    return replace(total, note="; ".join(reasons))


def _of_case(case: ElementTree.Element) -> Counts:
    failed = any(case.find(kind) is not None for kind in ("failure", "error"))
    skipped = not failed and case.find("skipped") is not None
    return Counts(int(not failed and not skipped), int(failed), int(skipped))


def notes(output: str) -> str:
    """Return the coverage and the sums of the simulation from the output of pytest; empty without them."""
    coverage = re.findall(r"^TOTAL\s.*\s(\d+(?:\.\d+)?%)$", output, re.MULTILINE)
    return "; ".join([f"{one} covered" for one in coverage] + re.findall(r"(?m)^simulation: .*$", output))


def integration_targets(output: str) -> Counts:
    """Return the counts of targets that ansible-test integration ran."""
    ran = set(re.findall(r"^Running (\S+) integration test (?:role|script)", output, re.MULTILINE))
    listed = re.search(r"integration test\(s\) listed below \(out of \d+\) failed[^\n]*\n((?:\S+\n)+)", output)
    failed = set(listed.group(1).split()) & ran if listed else set()
    return Counts(passed=len(ran - failed), failed=len(failed))
