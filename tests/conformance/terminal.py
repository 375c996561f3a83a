# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook at a separate terminal, and answer its questions as a person would."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect

from .scenarios import ACCOUNT, World

LONGEST = 120
# A question is printed before the program reads the terminal.
LISTENS_AFTER = 0.5

# The pattern of a question, and the function that returns the answer, or None if nothing is typed.
Answer = tuple[str, Callable[[], "str | None"]]


@dataclass(frozen=True)
class TerminalRun:
    """The output at a terminal, and the exit code of the command."""

    shown: str
    code: int


def at_a_terminal(
    world: World,
    name: str,
    words: Sequence[str],
    answers: Sequence[Answer],
    size: tuple[int, int] = (24, 80),
    more: Mapping[str, str] | None = None,
) -> str:
    """Run a playbook of the collection by its name, as a person would, and return the output at the terminal.

    Args:
        size: The lines and columns of the terminal.
        more: Environment variables; the terminal has no colors unless TERM is set.
    """
    own = {"FONNTE_ACCOUNT_TOKEN": ACCOUNT, "TERM": "dumb", **(more or {})}
    env = world.player.environment(world.player.home / "reported", own)
    asked = list(answers)
    program = str(world.player.programs / "ansible-playbook")
    reported = converse([program, f"fonnte.whatsapp.{name}", *words], env, asked, size=size)
    assert not asked, f"no question {asked[0][0]}: {reported.shown}"
    return reported.shown


def converse(
    command: Sequence[str],
    env: Mapping[str, str],
    answers: list[Answer],
    cwd: Path | None = None,
    longest: float = LONGEST,
    size: tuple[int, int] = (24, 80),
) -> TerminalRun:
    """Run a command at a separate terminal, and answer its questions; used answers are removed from the list."""
    end = time.monotonic() + longest
    child = pexpect.spawn(
        command[0], list(command[1:]), env=dict(env), cwd=cwd, encoding="utf-8", codec_errors="replace", dimensions=size
    )
    # The whole output, with the questions.
    shown = ""
    try:
        while True:
            patterns = [pexpect.EOF, *(answers[0][0] for _first in answers[:1])]
            found = child.expect(patterns, timeout=max(0.0, end - time.monotonic()))
            shown += child.before + (child.after if found else "")
            if found == 0:
                break
            typed = answers.pop(0)[1]()
            if typed is not None:
                time.sleep(LISTENS_AFTER)
                child.send(f"{typed}\r")
        child.wait()
    except pexpect.TIMEOUT:
        raise AssertionError(f"it did not end: {shown}{child.before}") from None
    finally:
        child.close(force=True)
    return TerminalRun(shown, child.exitstatus if child.exitstatus is not None else -child.signalstatus)
