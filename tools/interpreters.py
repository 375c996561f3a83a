# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find Pythons by running them: a name on the PATH may be a version manager's shim that runs nothing.

nox and ansible-test take any ``pythonX.Y`` on the PATH without a check, so links to the Pythons that run come first.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tools.paths import PYTHONS

# The newest ansible-core runs on these. Not all of the pinned tools have wheels for 3.14.
NEWEST_CORE = ("3.13", "3.12", "3.11")
# The oldest ansible-core of requires_ansible (2.16) runs on these.
OLDEST_CORE = ("3.12", "3.11", "3.10")
OLDEST_TARGET = "3.7"
# The Pythons of the newest ansible-core (2.20 and newer).
NEWEST_CORE_FROM = ("3.13", "3.12")
MINORS = tuple("3.%d" % minor for minor in range(7, 16))
LINKED = "FONNTE_PYTHONS_LINKED"
PROBE = (
    "import sys, ensurepip, venv, ssl, ctypes; "
    "print('%d.%d' % sys.version_info[:2], getattr(sys, '_base_executable', None) or sys.executable)"
)


class NoInterpreter(Exception):
    """No suitable Python was found."""


def probe(candidate: str, minor: str) -> str | None:
    """Run a candidate; return the path of its executable, or None if it is not a Python of this version."""
    try:
        done = subprocess.run(
            [candidate, "-c", PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version, _space, path = done.stdout.decode().strip().partition(" ")
    return path if version == minor else None


def _candidates(minor: str) -> list[str]:
    """Return paths that may be a Python 3.N; paths that are not shims come first."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    managed = sorted(glob.glob(os.path.join(pyenv, "versions", minor + ".*", "bin", "python")), reverse=True)
    name = "python" + minor
    places = (os.path.join(folder, name) for folder in ("/usr/bin", "/usr/local/bin"))
    named = [path for path in (*places, shutil.which(name)) if path and os.path.exists(path)]
    return (
        managed + named + [path for path in (shutil.which("python3"), shutil.which("python"), sys.executable) if path]
    )


def link() -> None:
    """Create a link ``pythonX.Y`` to each Python that runs, and put their directory first on the PATH."""
    if LINKED in os.environ:
        return
    PYTHONS.mkdir(parents=True, exist_ok=True)
    for minor in MINORS:
        found = next(filter(None, (probe(candidate, minor) for candidate in _candidates(minor))), None)
        path = PYTHONS / ("python" + minor)
        if found == str(path) or (path.is_symlink() and found and os.path.samefile(path, found)):
            continue
        if path.is_symlink():
            path.unlink()
        if found:
            path.symlink_to(found)
    os.environ["PATH"] = os.pathsep.join([str(PYTHONS), os.environ.get("PATH", os.defpath)])
    os.environ[LINKED] = "1"


def available() -> dict[str, str]:
    """Return the path of each linked Python, by its version as ansible-test writes it: 3.13."""
    return {minor: str(PYTHONS / ("python" + minor)) for minor in MINORS if (PYTHONS / ("python" + minor)).exists()}


def newest_of(wanted: Sequence[str]) -> str:
    """Return the first of the wanted versions that runs here."""
    here = available()
    for minor in wanted:
        if minor in here:
            return minor
    raise NoInterpreter(
        "no working Python was found (looked for %s, with the modules venv and ensurepip; "
        "on Debian and Ubuntu the latter are in the package python3-venv)" % ", ".join(wanted)
    )


def not_covered() -> list[str]:
    """Return, as sentences, the parts that the checks cannot cover with the Pythons of this machine."""
    sentences = []
    newest = newest_of(NEWEST_CORE)
    if newest not in NEWEST_CORE_FROM:
        sentences.append(
            "not run: ansible-core 2.20 and newer, which need Python %s or newer; the newest here is %s"
            % (NEWEST_CORE_FROM[-1], newest)
        )
    if OLDEST_TARGET not in available():
        sentences.append("not run: modules on a Python %s target, which is not on this machine" % OLDEST_TARGET)
    return sentences
