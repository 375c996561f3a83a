# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments under .build, made once for each requirement file and interpreter."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Tuple

from tools.environment import for_pip
from tools.interpreters import NEWEST_CORE, OLDEST_CORE, Interpreter, newest_of, probe
from tools.paths import LOGS, REQUIREMENTS, VENVS, relative
from tools.process import run

STAMP = ".complete"
TRIES = 4
CORES = {
    "newest": NEWEST_CORE,
    "oldest": OLDEST_CORE,
    "demo": NEWEST_CORE,
    "mutation": NEWEST_CORE,
    "eda": NEWEST_CORE,
    # Not named after "eda": an environment removes the older ones whose name begins with its own.
    "old-rulebook": OLDEST_CORE,
    "browser": NEWEST_CORE,
    "publish": NEWEST_CORE,
    "site": NEWEST_CORE,
    "importer": NEWEST_CORE,
    "runner": NEWEST_CORE,
    "community": NEWEST_CORE,
}
# Environments that are named for one Python: "core-2.16.19-py3.10" has this ansible-core, "target-py3.7" has none.
FOR_ONE_PYTHON = re.compile(r"(core|target)(?:-([0-9a-z.]+))?-py3\.(\d+)")


class SetUpFailed(Exception):
    """A virtual environment could not be made."""


@dataclass(frozen=True)
class Venv:
    """A finished virtual environment."""

    name: str
    path: Path
    interpreter: Interpreter

    @property
    def bin(self) -> Path:
        """Return the folder of its programs."""
        return self.path / "bin"

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.bin / name)

    @property
    def site_packages(self) -> Path:
        """Return the folder of its packages."""
        return self.path / "lib" / ("python" + self.interpreter.minor) / "site-packages"


@dataclass(frozen=True)
class Recipe:
    """What an environment is made of: a Python, a file of pins, and pins that are not in the file."""

    interpreter: Interpreter
    requirements: Path
    more: Tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return a digest of it."""
        parts = [self.requirements.read_bytes(), self.interpreter.full.encode(), self.interpreter.path.encode()]
        return hashlib.sha256(b"".join(parts + [pin.encode() for pin in self.more])).hexdigest()[:10]


def recipe(name: str) -> Recipe:
    """Return how the environment of a name is made; NoInterpreter where its Python is not here."""
    one = FOR_ONE_PYTHON.fullmatch(name)
    if one is None:
        return Recipe(newest_of(CORES[name]), REQUIREMENTS / (name + ".txt"))
    kind, core, minor = one.groups()
    interpreter = newest_of(((3, int(minor)),))
    if kind == "target":
        return Recipe(interpreter, REQUIREMENTS / "target.txt")
    return Recipe(interpreter, REQUIREMENTS / "matrix.txt", ("ansible-core==%s" % core,))


def ensure(name: str, say: Callable[[str], None]) -> Venv:
    """Return the environment of a name, and make it first when it is not there yet."""
    made_of = recipe(name)
    interpreter = made_of.interpreter
    path = VENVS / ("%s-%s-%s" % (name, interpreter.minor, made_of.key))
    venv = Venv(name, path, interpreter)
    if (path / STAMP).exists() and probe(venv.program("python")):
        return venv
    began = time.monotonic()
    say("setting up %s with Python %s (once)" % (relative(path), interpreter.full))
    _make(venv, made_of)
    _remove_older(venv)
    say("set up in %.0f s" % (time.monotonic() - began))
    return venv


def _make(venv: Venv, made_of: Recipe) -> None:
    if venv.path.exists():
        shutil.rmtree(str(venv.path))
    VENVS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / ("setup-%s.log" % venv.name)
    log.write_bytes(b"")
    _must([venv.interpreter.path, "-m", "venv", str(venv.path)], log, tries=1)
    install = [venv.program("python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _must(install + ["--requirement", str(made_of.requirements)] + list(made_of.more), log, tries=TRIES)
    # Last, so that a set-up that was interrupted is done anew.
    (venv.path / STAMP).write_text("complete\n", encoding="utf-8")


def _must(command: List[str], log: Path, tries: int) -> None:
    for attempt in range(1, tries + 1):
        if run(command, cwd=VENVS, env=for_pip(), log=log) == 0:
            return
        if attempt < tries:
            time.sleep(3 * attempt)
    raise SetUpFailed("%s failed; see %s:\n%s" % (" ".join(command[:4]), relative(log), tail(log, 15)))


def tail(log: Path, lines: int) -> str:
    """Return the last lines of a log, without colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(encoding="utf-8", errors="replace"))
    return "\n".join(text.splitlines()[-lines:])


def _remove_older(venv: Venv) -> None:
    for other in VENVS.glob(venv.name + "-*"):
        if other != venv.path:
            shutil.rmtree(str(other), ignore_errors=True)
