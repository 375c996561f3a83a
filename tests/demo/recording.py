# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording: run the quick start of the README on a sandbox, and draw it as an animation and as its last frame.

The commands and the declaration are those of the README, and the output is that of the runs, shortened as in the demo.
Only the times are fixed, so that two recordings of the same output are equal.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.demo.__main__ import BIN, Demo, StepFailed, lines_that_matter
from tests.sandbox.driver import Sandbox
from tools.environment import for_sandbox
from tools.paths import BUILD, ROOT

HOME = BUILD / "recording"
ANIMATION, LAST_FRAME = ROOT / "docs" / "quick-start.svg", ROOT / "docs" / "quick-start-end.svg"
TEMPLATE = Path(__file__).with_suffix(".svg")
COLUMNS = 100
# The number of characters of a command that appear at a time, and seconds.
TYPED = 3
TYPING, RUNNING, LINE, READING = 0.05, 0.8, 0.06, 2.0
# The colors of ansible-playbook: of a difference, of a result that changed something, and of one that did not.
COLORS = {r"-": 31, r"\+": 32, r"localhost .*changed=[1-9]": 33, r"localhost ": 32}


class Cast:
    """The output of a terminal, as events of an asciicast."""

    def __init__(self) -> None:
        self.events: list[tuple[float, str, str]] = []
        self.seconds = 0.0

    def show(self, text: str, seconds: float) -> None:
        """Show a text, and wait."""
        self.events.append((round(self.seconds, 3), "o", text))
        self.seconds += seconds

    def write(self, path: Path) -> None:
        """Write the file, for a terminal in which no line scrolls away."""
        rows = 1 + sum(text.count("\n") for _time, _kind, text in self.events)
        lines = [{"version": 2, "width": COLUMNS, "height": rows}, *self.events]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def show_run(cast: Cast, command: str, output: str) -> None:
    """Show how a command is typed, and the relevant lines of its output in the colors of ansible-playbook."""
    cast.show("$ ", RUNNING)
    for start in range(0, len(command), TYPED):
        cast.show(command[start : start + TYPED], TYPING)
    cast.show("\r\n", RUNNING)
    # A longer line is a hint for the next step.
    for line in (line.strip() for line in lines_that_matter(output) if len(line.strip()) <= COLUMNS):
        color = next((code for pattern, code in COLORS.items() if re.match(pattern, line)), 0)
        cast.show("\x1b[%dm%s\x1b[0m\r\n" % (color, line), LINE)
    cast.show("\r\n", READING)


def draw(cast: Cast) -> None:
    """Draw the animation and its last frame."""
    recorded, animated, frames = HOME / "quick-start.cast", HOME / "animated.svg", HOME / "frames"
    cast.write(recorded)
    shutil.rmtree(frames, ignore_errors=True)
    for options in ([str(animated)], [str(frames), "--still-frames"]):
        words = [str(BIN / "termtosvg"), "render", str(recorded), *options, "--template", str(TEMPLATE)]
        subprocess.run(words, check=True)
    for drawn, target in ((animated, ANIMATION), (max(frames.iterdir()), LAST_FRAME)):
        lines = drawn.read_text(encoding="utf-8").splitlines()
        target.write_text("".join(line.strip() + "\n" for line in lines if line.strip()), encoding="utf-8")


def main() -> int:
    """Record in the environment that the session recording has set up; return the exit code."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^\$ (ansible-playbook .*)$", readme)
    (declaration,) = re.findall(r"(?s)```yaml\n(.*?)```", readme)
    shutil.rmtree(HOME / "run", ignore_errors=True)
    (HOME / "run").mkdir(parents=True)
    (HOME / "run" / "devices.yml").write_text(declaration, encoding="utf-8")
    cast = Cast()
    with Sandbox() as sandbox:
        env = dict(os.environ, FONNTE_RECORD_PATH=str(HOME / "run" / "record"), **for_sandbox(sandbox))
        demo = Demo(sandbox, env)
        for command, writes in zip(commands, (False, True, False), strict=True):
            program, *words = shlex.split(command)
            show_run(cast, command, demo.run(program, *words, cwd=HOME / "run"))
            if bool(demo.writes()) is not writes:
                raise StepFailed("the second run must change the account, and no other run")
    cast.show("$ ", 0)
    draw(cast)
    (HOME / "steps").write_text(str(len(commands)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
