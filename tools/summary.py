# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a run of several sessions: a line for each, the parts that were not run, and the counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tools.counts import Counts
from tools.interpreters import not_covered
from tools.paths import BUILD, RESULTS

REPORT = BUILD / "report.json"
SUCCESS = "success"


def read_counts(entry: dict[str, Any], results: dict[str, dict[str, Any]]) -> Counts:
    """Return the counts of a session of nox's report; one that failed without counts is one failure."""
    counts = Counts(**results.get(entry["name"], {}))
    if entry["result"] != SUCCESS:
        return counts.with_exit(1)
    if entry["name"] not in results and not entry["name"].endswith("-env"):
        # A session of antsibull-nox has no counts.
        return Counts(passed=1)
    return counts


def summarize(
    sessions: Iterable[dict[str, Any]], results: dict[str, dict[str, Any]], total: list[Counts]
) -> Iterator[str]:
    """Yield a line for each session that checked something or failed, and add its counts to the total."""
    for entry in sessions:
        counts = read_counts(entry, results)
        if counts == Counts():
            continue
        total.append(counts)
        mark = "FAIL" if counts.failed else "ok"
        yield "%-4s  %-18s  %s  (%.0f s)" % (mark, entry["name"], counts.text(), entry.get("duration") or 0)


def main() -> int:
    """Print the summary of the last run; return the exit code."""
    if not REPORT.exists():
        # nox did not start, or was interrupted.
        return 1
    sessions = json.loads(REPORT.read_text(encoding="utf-8"))["sessions"]
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")}
    counts: list[Counts] = []
    for line in summarize(sessions, results, counts):
        print(line)
    total = Counts()
    for one in counts:
        total = total.plus(one)
    for sentence in not_covered():
        print(sentence)
    print(total.text())
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
