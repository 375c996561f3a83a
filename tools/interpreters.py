# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find Pythons by running them: a name on the PATH may be a version manager's shim that runs nothing."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional, Tuple

# ansible-core 2.19 to 2.21 run on these; the newest stable ansible-core comes first with 3.13, and 3.14 is
# not a version that all of the pinned tools have wheels for.
NEWEST_CORE = ((3, 13), (3, 12), (3, 11))
# The oldest ansible-core of requires_ansible (2.16) runs on these.
OLDEST_CORE = ((3, 12), (3, 11), (3, 10))
MINORS = range(7, 15)

PROBE = (
    "import sys, json, ensurepip, venv, ssl, ctypes; "
    "base = getattr(sys, '_base_executable', None) or sys.executable; "
    "print(json.dumps([list(sys.version_info[:3]), base if sys.prefix != sys.base_prefix else sys.executable]))"
)


class NoInterpreter(Exception):
    """No Python that can do it was found."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that was run and answered."""

    version: Tuple[int, int, int]
    path: str

    @property
    def minor(self) -> str:
        """Return the version as ansible-test writes it: 3.13."""
        return "%d.%d" % self.version[:2]

    @property
    def full(self) -> str:
        """Return the whole version: 3.13.0."""
        return "%d.%d.%d" % self.version


def probe(candidate: str) -> Optional[Interpreter]:
    """Run a candidate; None when it does not run, or cannot make virtual environments."""
    try:
        done = subprocess.run(
            [candidate, "-c", PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=True,
        )
        version, path = json.loads(done.stdout.decode())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter((version[0], version[1], version[2]), path)


def _candidates(minor: str) -> List[str]:
    """Return what may be Python 3.N, the most likely first."""
    home = os.path.expanduser("~")
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv")
    managed = glob.glob(os.path.join(pyenv, "versions", minor + ".*", "bin", "python"))
    managed.sort(key=lambda path: [int(part) for part in re.findall(r"\d+", path)], reverse=True)
    named = "python" + minor
    return (
        [found for found in [shutil.which(named)] if found]
        + managed
        + [
            path
            for path in (os.path.join("/usr/bin", named), os.path.join("/usr/local/bin", named))
            if os.path.exists(path)
        ]
    )


@lru_cache(maxsize=None)
def find(major: int, minor: int) -> Optional[Interpreter]:
    """Return a working Python of exactly this version, or None."""
    for candidate in _candidates("%d.%d" % (major, minor)) + ["python3", "python"]:
        found = probe(candidate)
        if found and found.version[:2] == (major, minor):
            return found
    return None


def newest_of(wanted: Tuple[Tuple[int, int], ...]) -> Interpreter:
    """Return the first of the wanted versions that works here."""
    for major, minor in wanted:
        found = find(major, minor)
        if found:
            return found
    names = ", ".join("%d.%d" % version for version in wanted)
    raise NoInterpreter(
        "no working Python was found (looked for %s, with the modules venv and ensurepip; "
        "on Debian and Ubuntu the latter are in the package python3-venv)" % names
    )


# The oldest Python of a managed host, and the first Python of the newest ansible-core (2.20 and newer).
OLDEST_TARGET = (3, 7)
NEWEST_CORE_FROM = (3, 12)


def not_covered() -> List[str]:
    """Return, as sentences, what the checks cannot cover with the Pythons of this machine."""
    sentences = []
    newest = newest_of(NEWEST_CORE)
    if newest.version[:2] < NEWEST_CORE_FROM:
        sentences.append(
            "not run: ansible-core 2.20 and newer, which need Python %d.%d or newer; the newest here is %s"
            % (NEWEST_CORE_FROM + (newest.minor,))
        )
    if find(*OLDEST_TARGET) is None:
        sentences.append("not run: modules on a Python %d.%d target, which is not on this machine" % OLDEST_TARGET)
    return sentences


def all_working() -> List[Interpreter]:
    """Return every Python 3 here that a managed host may have: sanity compiles and imports with each."""
    return [found for found in (find(3, minor) for minor in MINORS) if found]
