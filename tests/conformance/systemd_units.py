# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulate a service of systemd: the command and the environment that systemd.exec(5) documents for a unit.

It reads the settings of this collection's unit, and fails for other settings, so that none is silently ignored.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import IO

# Settings that restrict a process further; they have no effect on a process that uses only its directories.
RESTRICTIONS = {"NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices"}
RESTRICTIONS |= {"CapabilityBoundingSet", "ProtectClock", "ProtectControlGroups", "ProtectHostname"}
RESTRICTIONS |= {"ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "LockPersonality"}
RESTRICTIONS |= {"RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "SystemCallArchitectures"}
# Settings for other parts of systemd.
ELSEWHERE = {"Description", "Wants", "After", "Type", "Restart", "RestartSec", "TimeoutStopSec", "KillMode", "WantedBy"}
KNOWN = {"ExecStart", "WorkingDirectory", "EnvironmentFile", "Environment", "DynamicUser", "User"}
KNOWN |= {"StateDirectory", "StateDirectoryMode", "UMask", "LoadCredential"}


class Service:
    """An instance of a template unit.

    Attributes:
        root: The directory that replaces the root of the file system.
    """

    def __init__(self, unit: Path, instance: str, root: Path) -> None:
        self.root = root
        self._settings: dict[str, list[str]] = defaultdict(list)
        self._credentials = f"/run/credentials/{unit.name}"
        places = {"%i": instance, "%S": "/var/lib", "%d": self._credentials}
        files = [unit, *sorted(unit.with_name(f"{unit.name}.d").glob("*.conf"))]
        for line in (line for file in files for line in file.read_text(encoding="utf-8").splitlines()):
            name, sign, value = line.partition("=")
            if sign and not line.startswith("#"):
                assert name in KNOWN | RESTRICTIONS | ELSEWHERE, f"this test does not know the setting {name}"
                self._settings[name].append(re.sub("%.", lambda found: places[found[0]], value))

    def _one(self, name: str) -> str:
        (value,) = self._settings[name]
        return value

    def path(self, text: str) -> Path:
        """Return a path of the unit below the root."""
        return self.root / text.lstrip("/")

    def environment(self) -> dict[str, str]:
        """Return the environment: nothing is inherited, and HOME of a dynamic user is the root directory."""
        user = self._one("User")
        given = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "USER": user,
            "LOGNAME": user,
            "HOME": "/",
            "SHELL": "/usr/sbin/nologin",
            "INVOCATION_ID": "0" * 32,
            "JOURNAL_STREAM": "8:1",
            "STATE_DIRECTORY": str(self.path("/var/lib") / self._one("StateDirectory")),
        }
        for line in self._settings["Environment"]:
            given.update(self._assignments([line]))
        for file in self._settings["EnvironmentFile"]:
            given.update(self._assignments(self.path(file).read_text(encoding="utf-8").splitlines()))
        return given

    def _assignments(self, lines: list[str]) -> dict[str, str]:
        pairs = (word.partition("=") for line in lines if not line.startswith("#") for word in shlex.split(line))
        return {name: str(self.path(value)) if value.startswith("/") else value for name, _sign, value in pairs}

    def start(self, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run ExecStart until it ends, with additional variables of the test."""
        self._prepare()
        with self._process(more, subprocess.PIPE) as process:
            try:
                output = process.communicate(timeout=120)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, output.decode("utf-8", "replace"))

    def spawn(self, more: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start ExecStart, with additional variables of the test; its output goes to a log, as to the journal."""
        self._prepare()
        with log:
            return self._process(more, log)

    def _prepare(self) -> None:
        """Create the directories and the credentials of the unit."""
        state = self.path("/var/lib/private") / self._one("StateDirectory")
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(int(self._one("StateDirectoryMode"), 8))
        link = self.path("/var/lib") / self._one("StateDirectory")
        if not link.is_symlink():
            # The layout that systemd creates for a dynamic user.
            link.symlink_to(Path("private") / self._one("StateDirectory"))
        for line in self._settings["LoadCredential"]:
            name, _colon, source = line.partition(":")
            credential = self.path(self._credentials) / name
            credential.parent.mkdir(parents=True, exist_ok=True)
            credential.write_bytes(self.path(source).read_bytes())

    def _process(self, more: Mapping[str, str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        program, *arguments = shlex.split(self._one("ExecStart"))
        return subprocess.Popen(
            [str(self.path(program)), *arguments],
            env={**self.environment(), **more},
            cwd=self.path(self._one("WorkingDirectory")),
            umask=int(self._one("UMask"), 8),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def verified(units: Path) -> list[str] | None:
    """Return the lines that systemd-analyze prints about units; None if it is not installed."""
    names = sorted(str(path).replace("@.", "@audit.") for path in units.iterdir())
    try:
        done = subprocess.run(
            ["systemd-analyze", "verify", *names],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.defpath, "SYSTEMD_UNIT_PATH": f"{units}:"},
        )
    except FileNotFoundError:
        return None
    return (done.stdout + done.stderr).splitlines()
