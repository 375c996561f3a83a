# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m tools COMMAND``: what the Makefile calls."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Callable, Dict, List

from tools import (
    address,
    bench,
    bench_events,
    demo,
    demo_events,
    faults,
    matrix,
    mutation,
    process,
    publish,
    release,
    runner,
    stages,
    surroundings,
)
from tools.collection import NotBuilt
from tools.interpreters import NoInterpreter, not_covered
from tools.paths import BUILD, ROOT
from tools.sandbox import NotStarted, command
from tools.venvs import SetUpFailed

OLDEST_PYTHON = (3, 8)


def _sandbox(arguments: List[str]) -> int:
    """Become the sandbox, in the foreground; Ctrl-C ends it."""
    with runner.locked():
        venv = runner.set_up(["demo"])["demo"]
    words = command(venv, arguments)
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
    os.chdir(str(ROOT))
    os.execve(words[0], words, env)


def _clean(arguments: List[str]) -> int:
    """Remove what the tools made: all of it, or with --keep-venvs all but the virtual environments."""
    if "--keep-venvs" in arguments:
        for path in BUILD.iterdir() if BUILD.is_dir() else []:
            if path.name not in ("venvs", "home") and path.is_dir():
                shutil.rmtree(str(path))
    else:
        shutil.rmtree(str(BUILD), ignore_errors=True)
    return 0


def _list() -> int:
    """Show the table of stages."""
    for stage in stages.STAGES:
        there = "" if (ROOT / stage.needs).exists() else "  (needs %s, which is not there)" % stage.needs
        print("%-18s %s%s" % (stage.name, stage.title, there))
    return 0


COMMANDS: Dict[str, Callable[[List[str]], int]] = {
    "address": address.main,
    "bench": bench.main,
    "bench-events": bench_events.main,
    "changelog": release.write_changelog,
    "clean": _clean,
    "demo": demo.main,
    "demo-events": demo_events.main,
    "faults": lambda _arguments: faults.main(),
    "list": lambda _arguments: _list(),
    "matrix": matrix.main,
    "mutation": mutation.main,
    "release": release.main,
    "release-check": publish.check_release,
    "sandbox": _sandbox,
    "surroundings": surroundings.main,
}


def run(words: List[str]) -> int:
    """Carry out a command; return the exit code."""
    name, arguments = (words[0], words[1:]) if words else ("list", [])
    if name in COMMANDS:
        return COMMANDS[name](arguments)
    chosen = stages.named(name)
    if not chosen:
        print("no such command: %s" % name, file=sys.stderr)
        return 2
    # A single stage is run while working on it; what a machine cannot cover matters for all of them.
    notes = not_covered() if name == "test" else ()
    return runner.run_stages(chosen, arguments, notes)


def main() -> int:
    """Start on any Python that can run this, and say in one line what is missing."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        print("Python 3.8 or newer is needed to start", file=sys.stderr)
        return 2
    try:
        return run(sys.argv[1:])
    except (NoInterpreter, SetUpFailed, NotBuilt, NotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        process.end_all()
        return 130


if __name__ == "__main__":
    sys.exit(main())
