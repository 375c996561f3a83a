# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run stages: side by side where cores allow, one line for each."""

from __future__ import annotations

import fcntl
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Set

from tools import collection, process, tree, venvs
from tools.ansible_test import SUMMARY
from tools.counts import Counts
from tools.paths import BUILD, LOCK, LOGS, ROOT, TREE_ROOT, collection_in, relative
from tools.stages import WORKERS, Context, Stage

TAIL = 40


@dataclass(frozen=True)
class Outcome:
    """How a stage ended."""

    stage: Stage
    counts: Counts
    seconds: float


_printing = threading.Lock()


def say(text: str) -> None:
    """Print a line at once, whole, whatever other stages print."""
    with _printing:
        print(text, flush=True)


@contextmanager
def locked() -> Iterator[None]:
    """Hold the checkout's lock: two runs would write the same trees."""
    BUILD.mkdir(exist_ok=True)
    with open(LOCK, "w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another make is at work in this checkout; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def set_up(names: Sequence[str]) -> Dict[str, venvs.Venv]:
    """Make the virtual environments that are missing."""
    return {name: venvs.ensure(name, say) for name in names}


def _names_of_venvs(stages: Sequence[Stage]) -> List[str]:
    return sorted({name for stage in stages for name in stage.venvs})


def run_stage(stage: Stage, made: Dict[str, venvs.Venv], tree_hash: str, arguments: Sequence[str]) -> Outcome:
    """Run one stage into its log."""
    began = time.monotonic()
    log = LOGS / (stage.name + ".log")
    log.write_bytes(b"")
    if not (ROOT / stage.needs).exists():
        log.write_text("%s is not there: this stage would test nothing\n" % stage.needs, encoding="utf-8")
        return Outcome(stage, Counts(failed=1), 0.0)
    context = Context(
        name=stage.name,
        venvs={name: made[name] for name in stage.venvs},
        tree=collection_in(stage.tree),
        tree_hash=tree_hash,
        log=log,
        arguments=stage.arguments + tuple(arguments),
    )
    try:
        counts = stage.run(context)
    except Exception as error:  # A stage that cannot be run must not hide the others.
        with open(log, "a", encoding="utf-8") as stream:
            stream.write("%s: %s\n" % (type(error).__name__, error))
        counts = Counts(failed=1)
    return Outcome(stage, counts, time.monotonic() - began)


def _report(outcome: Outcome, width: int) -> None:
    mark = "FAIL" if outcome.counts.failed else "ok"
    text = "%-4s  %-*s  %s  (%.0f s)" % (mark, width, outcome.stage.name, outcome.counts.text(), outcome.seconds)
    if outcome.counts.failed:
        log = LOGS / (outcome.stage.name + ".log")
        end = venvs.tail(log, TAIL).rpartition(SUMMARY)[2].strip("\n")
        indented = "\n".join("      " + line for line in end.splitlines())
        text += "\n      the end of %s:\n%s" % (relative(log), indented)
    say(text)


class _Pool:
    """Starts stages in order as their cores become free."""

    def __init__(self, made: Dict[str, venvs.Venv], tree_hash: str, arguments: Sequence[str]) -> None:
        self.made = made
        self.tree_hash = tree_hash
        self.arguments = arguments
        self.free = WORKERS
        self.changed = threading.Condition()
        self.outcomes: List[Outcome] = []
        self.threads: Set[threading.Thread] = set()

    def run(self, stages: Sequence[Stage]) -> List[Outcome]:
        """Run all stages; the outcomes come in the order in which they ended."""
        width = max(len(stage.name) for stage in stages)
        for stage in stages:
            cores = min(stage.cores, WORKERS)
            with self.changed:
                # With a time limit, so that Ctrl-C is seen while waiting.
                while self.free < cores:
                    self.changed.wait(1.0)
                self.free -= cores
            thread = threading.Thread(target=self._one, args=(stage, cores, width), daemon=True)
            self.threads.add(thread)
            thread.start()
        for thread in self.threads:
            while thread.is_alive():
                thread.join(1.0)
        return self.outcomes

    def _one(self, stage: Stage, cores: int, width: int) -> None:
        outcome = run_stage(stage, self.made, self.tree_hash, self.arguments)
        _report(outcome, width)
        with self.changed:
            self.outcomes.append(outcome)
            self.free += cores
            self.changed.notify_all()


def _copies(stages: Sequence[Stage]) -> str:
    """Bring the copies up to date; all hold the same, whatever is edited meanwhile. Return the content's hash."""
    files = tree.source_files()
    first = tree.sync(files)
    for root in sorted({stage.tree for stage in stages} - {TREE_ROOT}):
        tree.sync(files, root, first)
    return tree.content_hash(files, first)


class NotPlayed(Exception):
    """Stages could not be run at all."""


def play(stages: Sequence[Stage], arguments: Sequence[str] = ()) -> List[Outcome]:
    """Run stages, tell of each, and return how they ended."""
    if any(character.isspace() for character in str(ROOT)):
        raise NotPlayed("ansible-test does not work in a folder whose path has white space; put the checkout elsewhere")
    with locked():
        LOGS.mkdir(parents=True, exist_ok=True)
        made = set_up(_names_of_venvs(stages))
        return _run_pool(stages, _Pool(made, _copies(stages), arguments))


def run_stages(stages: Sequence[Stage], arguments: Sequence[str] = (), notes: Sequence[str] = ()) -> int:
    """Run stages and print the counts, after the notes on what was left out; return the exit code."""
    began = time.monotonic()
    try:
        outcomes = play(stages, arguments)
    except (NotPlayed, venvs.SetUpFailed) as error:
        say(str(error))
        say(Counts(failed=1).text())
        return 1
    total = sum_of(outcomes)
    for note in notes:
        say(note)
    say("%d stages in %.0f s" % (len(outcomes), time.monotonic() - began))
    say(total.text())
    return 1 if total.failed or not total.passed else 0


def sum_of(outcomes: Sequence[Outcome]) -> Counts:
    """Return the counts of all stages together."""
    total = Counts()
    for outcome in outcomes:
        total = total.plus(outcome.counts)
    return total


def _run_pool(stages: Sequence[Stage], pool: _Pool) -> List[Outcome]:
    try:
        return pool.run(stages)
    except KeyboardInterrupt:
        process.end_all()
        say("interrupted")
        sys.exit(130)


def prepare_tree(name: str) -> venvs.Venv:
    """Set up one environment, and the tree as the checkout is now."""
    with locked():
        venv = set_up([name])[name]
        _copies([])
    return venv


def prepare_installed(name: str, root: Path) -> venvs.Venv:
    """Set up one environment and install the collection from its built artifact under a root."""
    with locked():
        LOGS.mkdir(parents=True, exist_ok=True)
        venv = set_up([name])[name]
        tree_hash = _copies([])
        log = LOGS / "build.log"
        log.write_bytes(b"")
        collection.build_and_install(venv, tree_hash, root, log)
    return venv
