# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that programs run in: what a person's shell exports must not change a result."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import Dict, Iterable

from tools.paths import BUILD, HOMES, INSTALLED_ROOT

# What a machine needs to reach its package index, to write temporary files and to find its libraries.
KEPT = (
    "PATH",
    "TMPDIR",
    "TERM",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "CI",
)
# The switches are those of CONTRIBUTING.md: how much is tested.
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
    # How far the simulation goes, and which random runs it makes.
    "FONNTE_TESTS_PREEMPTIONS",
    "FONNTE_TESTS_SEEDS",
    # Whether each fault is tried with the record in a database.
    "FONNTE_TESTS_FAULTS",
    # How many runs are killed at random moments.
    "FONNTE_TESTS_KILLS",
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


def for_pip() -> Dict[str, str]:
    """Return the environment of pip: the person's own settings, so that it reaches the same package index."""
    env = _kept(KEPT + ("HOME",))
    env.update(_pip_settings())
    env.update(PIP_REQUIRE_VIRTUALENV="true", PYTHONUTF8="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return env


def home_of(stage: str) -> Path:
    """Return (and make) a home folder for one stage: nothing is read from or left in the person's own."""
    home = HOMES / stage
    for folder in ("tmp", ".config/pip"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    _write_pip_settings(home / ".config" / "pip" / "pip.conf")
    return home


def _write_pip_settings(target: Path) -> None:
    """Carry the person's pip settings over to another home.

    ansible-test drops the environment, and with another home pip no longer finds the person's file. The settings
    may name credentials of a package index, so nobody else may read the copy.
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
    """Return the environment of a stage: its own home, the programs first on the PATH, one locale and one zone."""
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
