# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation testing: break the code in every small way, see which breaks the unit tests notice, write docs/mutation.md.

``make mutation`` plays all mutants. ``ARGS="_common/phone_numbers.py"`` plays those of a file alone, ``ARGS="--survivors"`` only those
that survived the last time; what is not played is taken from the last run, as long as the file is the same. The page is
written when every file has been played.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from tools import tree
from tools.environment import for_stage
from tools.paths import BUILD, ROOT
from tools.runner import locked, say, set_up
from tools.survivors import Change, sentences
from tools.venvs import Venv

PLACE = BUILD / "mutation"
PAGE = ROOT / "docs" / "mutation.md"
ROOMS = "plugins/module_utils/"
TESTS = "tests/unit/plugins/module_utils/"


@dataclass(frozen=True)
class Room:
    """A file, and the quick tests that say whether it is right: those that need neither server nor Ansible."""

    file: str
    tests: Tuple[str, ...]


FILES: Tuple[Room, ...] = (
    Room("_reconcile/planner.py", ("_reconcile/test_planner.py",)),
    Room("_record/store.py", ("_record/test_store.py",)),
    Room("_common/phone_numbers.py", ("_common/test_phone_numbers.py",)),
    Room("_common/errors.py", ("_common/test_errors.py",)),
)


@dataclass(frozen=True)
class Mutant:
    """A change, and what became of it: killed, time or survived."""

    where: str
    line: int
    before: str
    after: str
    verdict: str

    def change(self, file: str) -> Change:
        """Return what names it wherever its line is."""
        return (file, self.where, self.before, self.after)


@dataclass(frozen=True)
class Result:
    """What became of the mutants of a file."""

    room: Room
    mutants: Tuple[Mutant, ...]
    seconds: float

    @property
    def survivors(self) -> List[Mutant]:
        """Return the mutants that no test noticed."""
        return [mutant for mutant in self.mutants if mutant.verdict == "survived"]


def main(arguments: List[str]) -> int:
    """Play what is asked for and write the page; return the exit code, 1 for a survivor that nobody explained."""
    names = [word for word in arguments if not word.startswith("-")]
    unknown = set(names) - {room.file for room in FILES} | (set(arguments) - set(names) - {"--survivors"})
    if unknown:
        print("not known: %s" % ", ".join(sorted(unknown)), file=sys.stderr)
        return 2
    with locked():
        venv = set_up(["mutation"])["mutation"]
        PLACE.mkdir(parents=True, exist_ok=True)
        copy = tree.sync(tree.source_files(), PLACE)
        for room in FILES:
            if not names or room.file in names:
                if not _play(room, venv, copy, "--survivors" in arguments):
                    return 1
    found = [result for result in (_last(room) for room in FILES) if result is not None]
    if len(found) == len(FILES):
        PAGE.write_text(page(found), encoding="utf-8")
    else:
        say("the page is not written: it tells of all files, and some were not played yet")
    return _report(found)


def _play(room: Room, venv: Venv, copy: Path, again: bool) -> bool:
    """Play the mutants of a file, or again those that survived; remember what became of them. False if that failed."""
    last = _last(room) if again else None
    only = None if last is None else [list(mutant.change("")[1:]) for mutant in last.survivors]
    answer = PLACE / "answer.json"
    order = {
        "file": ROOMS + room.file,
        "tests": [TESTS + name for name in room.tests],
        "scratch": str(PLACE / "scratch"),
        "answer": str(answer),
        "only": only,
    }
    (PLACE / "order.json").write_text(json.dumps(order), encoding="utf-8")
    say("%s: each mutant is a dot, t where it did not end, S where it survived" % room.file)
    env = for_stage("mutation", [venv.bin])
    env["PYTHONPATH"] = str(PLACE)
    words = [venv.program("python"), "-m", "tools.mutant_runs", str(PLACE / "order.json")]
    if subprocess.run(words, cwd=str(copy), env=env, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        return False
    _remember(room, json.loads(answer.read_text(encoding="utf-8")), last)
    return True


def _remember(room: Room, answer: Dict[str, Any], last: Optional[Result]) -> None:
    played = [Mutant(**item) for item in answer["mutants"]]
    # What a mutant that was killed broke, is still broken by it.
    others = [mutant for mutant in last.mutants if mutant.verdict != "survived"] if last else []
    seconds = answer["seconds"] if last is None else last.seconds
    found = {
        "digest": _digest(room),
        "seconds": seconds,
        "mutants": [vars(mutant) for mutant in sorted(others + played, key=lambda mutant: mutant.line)],
    }
    _kept(room).write_text(json.dumps(found), encoding="utf-8")


def _last(room: Room) -> Optional[Result]:
    """Return the last result of a file; None where there is none, or the file has changed."""
    try:
        found = json.loads(_kept(room).read_text(encoding="utf-8"))
    except OSError:
        return None
    if found["digest"] != _digest(room):
        return None
    return Result(room, tuple(Mutant(**item) for item in found["mutants"]), found["seconds"])


def _kept(room: Room) -> Path:
    return PLACE / (room.file.replace("/", ".") + ".json")


def _digest(room: Room) -> str:
    return hashlib.sha256((ROOT / ROOMS / room.file).read_bytes()).hexdigest()


def _report(found: Sequence[Result]) -> int:
    known = sentences()
    there = {mutant.change(result.room.file) for result in found for mutant in result.survivors}
    played = {result.room.file for result in found}
    for change in sorted(there - set(known)):
        say("survived, and tools/survivors.py has no reason: %s, in %s\n- %s\n+ %s" % change)
    for change in sorted(change for change in set(known) - there if change[0] in played):
        say("tools/survivors.py has an idle entry: %s, in %s\n- %s\n+ %s" % change)
    for result in found:
        say("%s: %d mutants, %d survived" % (result.room.file, len(result.mutants), len(result.survivors)))
    return 1 if there - set(known) else 0


# \x3a is a colon: what reads licences would take the line for this file's own.
HEAD = """<!--
Copyright (c) 2026, fonnte.whatsapp contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier\x3a GPL-3.0-or-later
-->

# Would a test notice?

This page is written by `make mutation`. It is not a part of `make test`.

A test is worth something only if it fails when the code is wrong. So the code is made wrong on purpose: one small change, such as `<` for `<=`, `and`
for `or`, a call that is left out, a value that is none. Each such copy of the code is a *mutant*. The unit tests are run against every one. If a test
fails, the mutant is *killed*: somebody would have noticed. If all tests pass, it *survived*: either a test is missing, or the change makes no
difference that a test should see. Every survivor is on this page, with the reason why it is left.

```console
make mutation
make mutation ARGS="_common/phone_numbers.py"
make mutation ARGS="--survivors"
```

The second plays the mutants of one file. The third plays those that survived the last time, after new tests were written.

What is changed: the files on which everything else rests. Only the tests that belong to a file are run, and they need neither a server nor Ansible.
What is not changed: types and decorators, which mypy checks; comments; and the sentences of messages, since tests look for their important words
alone.
"""


def page(found: Sequence[Result]) -> str:
    """Return the page for the results of all files."""
    return "\n".join([HEAD, _table(found)] + [_section(result) for result in found])


def _table(found: Sequence[Result]) -> str:
    head = ("file", "tests", "mutants", "killed", "survived", "score", "minutes")
    rows = [head] + [_row(result) for result in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return (
        "\n".join(lines)
        + "\n\nWritten on %s. The minutes are those of the run, on one core of a machine that did other things too.\n"
        % time.strftime("%Y-%m-%d")
    )


def _row(result: Result) -> Tuple[str, ...]:
    total, left = len(result.mutants), len(result.survivors)
    return (
        "`%s`" % result.room.file,
        ", ".join("`%s`" % name for name in result.room.tests),
        str(total),
        str(total - left),
        str(left),
        "%.1f %%" % (100.0 * (total - left) / total),
        "%.1f" % (result.seconds / 60),
    )


def _section(result: Result) -> str:
    if not result.survivors:
        return "## `%s`\n\nNone survived.\n" % result.room.file
    known = sentences()
    grouped: Dict[str, List[Mutant]] = {}
    for mutant in result.survivors:
        why = known.get(mutant.change(result.room.file), "Not explained yet.")
        grouped.setdefault(why, []).append(mutant)
    return "## `%s`\n\n%s" % (result.room.file, "\n".join(_group(why, left) for why, left in grouped.items()))


def _group(why: str, mutants: Sequence[Mutant]) -> str:
    shown = "\n".join(_diff(mutant) for mutant in mutants)
    return "%s\n\n```diff\n%s\n```\n" % (why, shown)


def _diff(mutant: Mutant) -> str:
    lines = ["@@ line %d, %s @@" % (mutant.line, mutant.where or "the module")]
    lines += ["- " + line for line in mutant.before.splitlines()]
    lines += ["+ " + line for line in mutant.after.splitlines()]
    return "\n".join(lines)
