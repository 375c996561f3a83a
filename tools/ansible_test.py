# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test in the copied tree, without anything but the package index from outside."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Dict, List, Sequence

from tools.counts import Counts, integration_targets, of_junit
from tools.environment import for_stage, home_of
from tools.interpreters import Interpreter, all_working
from tools.paths import PYTHONS
from tools.process import run
from tools.venvs import Venv

# ansible-test downloads a get-pip script for its own environments, unless one of the same name is cached.
# Every Python has pip on board: ensurepip, in a process of its own, since the script itself runs with arguments
# and an environment that are meant for get-pip.
GET_PIP = """from __future__ import annotations

import os
import subprocess
import sys

environment = {name: value for name, value in os.environ.items() if name != "GET_PIP"}
sys.exit(subprocess.call([sys.executable, "-m", "ensurepip", "--default-pip"], env=environment))
"""

# In a log, what a person wants to see comes after this line.
SUMMARY = "-- what failed --"


def _pip_versions(venv: Venv) -> List[str]:
    """Return the pip versions that this ansible-test would download, read from its source."""
    source = venv.site_packages / "ansible_test" / "_internal" / "python_requirements.py"
    return re.findall(r"\bpip='([0-9.]+)'", source.read_text(encoding="utf-8"))


def _prepare_home(home: str, venv: Venv) -> None:
    cache = home_of(home) / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in _pip_versions(venv):
        (cache / ("get_pip_%s.py" % version.replace(".", "_"))).write_text(GET_PIP, encoding="utf-8")


def _linked(interpreters: Sequence[Interpreter], home: str) -> Path:
    """Return a folder with pythonX.Y for each interpreter: ansible-test takes any such name on the PATH unseen."""
    folder = PYTHONS / home
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    for interpreter in interpreters:
        os.symlink(interpreter.path, str(folder / ("python" + interpreter.minor)))
    return folder


def _environment(home: str, venv: Venv) -> Dict[str, str]:
    _prepare_home(home, venv)
    linked = _linked(all_working(), home)
    env = for_stage(home, [venv.bin, linked])
    # No other folder of the person's PATH: its pythonX.Y may be shims that do not run.
    system = [path for path in ("/usr/local/bin", "/usr/bin", "/bin") if os.path.isdir(path)]
    env["PATH"] = os.pathsep.join([str(venv.bin), str(linked)] + system)
    return env


def sanity(home: str, venv: Venv, tree: Path, log: Path, arguments: Sequence[str]) -> Counts:
    """Run sanity tests: single ones with the environment's Python, compile and import with each Python here."""
    reports = tree / "tests" / "output" / "junit"
    shutil.rmtree(str(reports), ignore_errors=True)
    command = [venv.program("ansible-test"), "sanity", "--local", "--color", "no", "--junit"]
    code = run(command + list(arguments), cwd=tree, env=_environment(home, venv), log=log)
    # What does not apply (a test of shell scripts where there are none) is neither passed nor skipped.
    counts = of_junit(sorted(reports.glob("ansible-test-sanity-*.xml")))
    if code != 0:
        _repeat_errors(log)
    return Counts(counts.passed, counts.failed).with_exit(code)


def _repeat_errors(log: Path) -> None:
    """Write what was found once more, at the end, where it is not lost between lines of pip."""
    output = log.read_text(encoding="utf-8", errors="replace")
    found = [line for line in output.splitlines() if line.startswith(("ERROR:", "FATAL:"))]
    with open(log, "a", encoding="utf-8") as stream:
        stream.write("\n%s\n%s\n" % (SUMMARY, "\n".join(found)))


def integration(home: str, venv: Venv, tree: Path, log: Path, arguments: Sequence[str]) -> Counts:
    """Run the integration targets on this machine with the environment's Python."""
    where = ["--local", "--python", venv.interpreter.minor]
    return _integration(home, venv, tree, log, where + list(arguments))


def integration_on_target(
    home: str, venv: Venv, target: Venv, tree: Path, log: Path, arguments: Sequence[str]
) -> Counts:
    """Run them with Ansible on the environment's Python, and the modules on another one of this machine."""
    where = []
    for option, kind, python in (("--controller", "origin", venv), ("--target", "controller", target)):
        where += [option, "%s:python=%s@%s" % (kind, python.interpreter.minor, python.program("python"))]
    return _integration(home, venv, tree, log, where + list(arguments))


def _integration(home: str, venv: Venv, tree: Path, log: Path, arguments: Sequence[str]) -> Counts:
    command = [venv.program("ansible-test"), "integration", "--color", "no", "--continue-on-error"]
    code = run(command + list(arguments), cwd=tree, env=_environment(home, venv), log=log)
    return integration_targets(log.read_text(encoding="utf-8", errors="replace")).with_exit(code)
