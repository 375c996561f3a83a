# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook at a terminal of its own, and the person in front of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .scenarios import ACCOUNT, World

LONGEST = 120
# A question is printed before the terminal listens.
LISTENS_AFTER = 0.5

# What a person waits to see, and what is typed then; nothing where the person does something else.
Answer = tuple[str, Callable[[], "str | None"]]


@dataclass(frozen=True)
class Told:
    """What a terminal showed, and the exit code of what ran at it."""

    shown: str
    code: int


def at_a_terminal(world: World, name: str, words: Sequence[str], answers: Sequence[Answer]) -> str:
    """Play a playbook of the collection by its name, as a person would, and return what the terminal showed."""
    env = world.player.environment(world.player.home / "told", {"FONNTE_ACCOUNT_TOKEN": ACCOUNT, "TERM": "dumb"})
    asked = list(answers)
    program = str(Path(sys.executable).parent / "ansible-playbook")
    told = converse([program, f"fonnte.whatsapp.{name}", *words], env, asked)
    assert not asked, f"nobody asked for {asked[0][0]}: {told.shown}"
    return told.shown


def converse(
    command: Sequence[str],
    env: Mapping[str, str],
    answers: list[Answer],
    cwd: Path | None = None,
    longest: float = LONGEST,
) -> Told:
    """Run a command at a terminal of its own, and answer its questions; answers that were given are taken out."""
    ours, theirs = os.openpty()

    def take_over() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=take_over,
    )
    os.close(theirs)
    try:
        shown = _sit(ours, answers, longest)
        return Told(shown, process.wait(timeout=longest))
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _sit(terminal: int, answers: list[Answer], longest: float) -> str:
    """Read until the terminal is closed, and answer each question in its turn."""
    shown, seen = "", 0
    end = time.monotonic() + longest
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        # The end of a terminal is an error on Linux.
        chunk = b""
        with contextlib.suppress(OSError):
            chunk = os.read(terminal, 65536)
        if not chunk:
            return shown
        shown += chunk.decode(errors="replace")
        found = re.search(answers[0][0], shown[seen:]) if answers else None
        if found:
            seen += found.end()
            typed = answers.pop(0)[1]()
            if typed is not None:
                time.sleep(LISTENS_AFTER)
                os.write(terminal, f"{typed}\r".encode())
    raise AssertionError(f"it did not end: {shown}")
