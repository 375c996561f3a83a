# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the collection fit to be published? The checkers of the field, and a table of what is asked."""

from __future__ import annotations

from typing import Dict, Iterator, List, Sequence

from tools import asked, publish, stages
from tools.paths import ROOT, relative
from tools.runner import NotPlayed, Outcome, play, say, sum_of
from tools.stages import Stage
from tools.venvs import SetUpFailed

PAGE = ROOT / "docs" / "requirements.md"
OK, FAILED, WAITS = "ok", "FAIL", "waits"


def all_stages() -> List[Stage]:
    """Return what other targets have of it, and what is asked here alone."""
    others = [stage for stage in stages.STAGES + stages.ASKED_FOR if stage.name in asked.OF_TEST]
    return others + list(publish.STAGES)


def names() -> Sequence[str]:
    """Return the names of the stages that are asked here alone."""
    return tuple(stage.name for stage in publish.STAGES)


def main(arguments: Sequence[str]) -> int:
    """Run all, or the stages that are named; print the table, and write the page of it."""
    chosen = [stage for stage in all_stages() if not arguments or stage.name in arguments]
    if not chosen:
        say("no such stage; there are %s" % ", ".join(stage.name for stage in all_stages()))
        return 2
    changed = _written()
    try:
        outcomes = play(chosen)
    except (NotPlayed, SetUpFailed) as error:
        say(str(error))
        return 1
    table = {} if arguments else verdicts(outcomes, publish.told_facts())
    say("\n".join(_lines(table)))
    if changed:
        say("%s was not up to date. It is now: look at it, and commit it." % relative(PAGE))
    say(sum_of(outcomes).text())
    return 1 if changed or sum_of(outcomes).failed or FAILED in table.values() else 0


def _written() -> bool:
    """Write the page where it differs, and tell whether it did."""
    text = asked.page(tuple(names()))
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return False
    PAGE.write_text(text, encoding="utf-8")
    return True


def verdicts(outcomes: Sequence[Outcome], facts: Dict[str, str]) -> Dict[asked.Row, str]:
    """Return the verdict of each row, from how the stages ended and what the facts found wrong."""
    failed = {outcome.stage.name: bool(outcome.counts.failed) for outcome in outcomes}
    failed.update({name: bool(problem) for name, problem in facts.items()})
    return {row: _verdict(row, failed) for row in asked.ROWS}


def _verdict(row: asked.Row, failed: Dict[str, bool]) -> str:
    # What was not looked at did not pass.
    wrong = [name for name in row.shown_by if failed.get(name, True)]
    if not row.shown_by or (wrong and set(wrong) <= set(asked.WAITING)):
        return WAITS
    return FAILED if wrong else OK


def _lines(table: Dict[asked.Row, str]) -> Iterator[str]:
    if not table:
        return
    yield "\n| requirement | how it is met | shown by | |"
    yield "|---|---|---|---|"
    for row, verdict in table.items():
        commands = ", ".join(sorted({asked.command(name, tuple(names())) for name in row.shown_by}))
        yield "| %s: %s | %s | %s | %s |" % (row.source, row.asks, row.met, commands, verdict)
    counts = {kind: list(table.values()).count(kind) for kind in (OK, FAILED, WAITS)}
    yield "\n%d requirements: %s" % (len(table), ", ".join("%d %s" % (counts[kind], kind) for kind in counts))
