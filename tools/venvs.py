# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments under .build, made once for each requirement file and interpreter."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List

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
    "browser": NEWEST_CORE,
}


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


def key(name: str) -> str:
    """Return what a result obtained with this environment depends on: its pins and its interpreter."""
    interpreter = newest_of(CORES[name])
    pins = (REQUIREMENTS / (name + ".txt")).read_bytes()
    digest = hashlib.sha256(pins + interpreter.full.encode() + interpreter.path.encode())
    return digest.hexdigest()[:10]


def ensure(name: str, say: Callable[[str], None]) -> Venv:
    """Return the environment of tools/requirements/NAME.txt, and make it first when it is not there yet."""
    interpreter = newest_of(CORES[name])
    path = VENVS / ("%s-%s-%s" % (name, interpreter.minor, key(name)))
    venv = Venv(name, path, interpreter)
    if (path / STAMP).exists() and probe(venv.program("python")):
        return venv
    began = time.monotonic()
    say("setting up %s with Python %s (once)" % (relative(path), interpreter.full))
    _make(venv)
    _remove_older(venv)
    say("set up in %.0f s" % (time.monotonic() - began))
    return venv


def _make(venv: Venv) -> None:
    if venv.path.exists():
        shutil.rmtree(str(venv.path))
    VENVS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / ("setup-%s.log" % venv.name)
    log.write_bytes(b"")
    _must([venv.interpreter.path, "-m", "venv", str(venv.path)], log, tries=1)
    requirements = str(REQUIREMENTS / (venv.name + ".txt"))
    install = [venv.program("python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _must(install + ["--requirement", requirements], log, tries=TRIES)
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


def version_of(venv: Venv, package: str) -> str:
    """Return the version of a package in the environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    done = subprocess.run(
        [venv.program("python"), "-c", code, package],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode().strip()
