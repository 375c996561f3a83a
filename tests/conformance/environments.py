# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments that start an operation: factors with values, and the process that each row of values makes.

The first value of each factor is that of a shell on an engineer's machine. Namespaces of Linux stand for a pod: an
unknown uid without capabilities, a home that is read-only, and a file system with one writable volume.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..control_node import Controller
from .control_nodes import ACCOUNT, FIRST, LONGEST_RUN, ControlNode, variables
from .operations import OPERATIONS, Operation, decoys
from .pairwise import Row
from .workspace import CORES

RUNNER = os.environ.get("FONNTE_TESTS_RUNNER")
# The directory that holds ansible_collections/ansible/posix, for the full product.
COMMUNITY = os.environ.get("FONNTE_TESTS_COMMUNITY")
UNKNOWN_UID, NOBODY = 54321, 65534
FACTORS: dict[str, tuple[str, ...]] = {
    "operation": tuple(operation.name for operation in OPERATIONS),
    "started by": ("shell", "systemd", "runner run", "runner worker"),
    "directory": ("PWD", "stale PWD", "no PWD", "cannot be entered", "deleted"),
    # "no HOME": the list of users has one. "none": nothing has. "variables set": as docs/troubleshooting.md advises.
    "home": ("HOME", "no HOME", "read-only, variables set", "read-only", "none"),
    "user": ("known", "unknown uid"),
    "group_vars": ("none", "become"),
    "output": ("default", "yaml results", "minimal", "JSON lines", "ansible.posix.jsonl", "ansible.posix.json"),
    "core": ("newest", "oldest", "oldest, jinja2_native"),
    "processes": ("5 forks", "64 forks", "strategy free"),
    "locale": ("C.UTF-8", "C", "not UTF-8"),
    "files": ("writable", "one volume"),
}
SHELL: Row = {name: values[0] for name, values in FACTORS.items()}
UIDS = {"unknown uid": UNKNOWN_UID, "known": NOBODY}
OUTPUTS: dict[str, dict[str, str | None]] = {
    "yaml results": {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    "minimal": {"ANSIBLE_STDOUT_CALLBACK": "minimal"},
    "JSON lines": {"ANSIBLE_STDOUT_CALLBACK": "lines"},
    "ansible.posix.jsonl": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl"},
    "ansible.posix.json": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
}
PROCESSES = {"64 forks": {"ANSIBLE_FORKS": "64"}, "strategy free": {"ANSIBLE_STRATEGY": "free"}}
# Python takes C for UTF-8 unless these variables are off: then it is what a locale such as ISO 8859-1 is.
LOCALES = {
    "C.UTF-8": {"LANG": "C.UTF-8"},
    "C": {"LANG": "C"},
    "not UTF-8": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@functools.cache
def can_run(*words: str) -> bool:
    """Return whether a program ends well on this machine."""
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def unknown_uid() -> bool:
    """Return whether a process can have a uid without an entry in the list of users."""
    return can_run("unshare", "--user", f"--map-user={UNKNOWN_UID}", f"--map-group={UNKNOWN_UID}", "true")


def own_mounts() -> bool:
    """Return whether a process can have its own mounts."""
    return can_run("unshare", "--map-root-user", "--mount", "mount", "--bind", "/etc", "/etc")


def absent() -> dict[tuple[str, str], str]:
    """Return the values that this machine cannot give, with the reason."""
    found: dict[tuple[str, str], str] = {}
    if not RUNNER:
        found |= {("started by", value): "no ansible-runner here" for value in ("runner run", "runner worker")}
    if not COMMUNITY:
        found |= {("output", f"ansible.posix.{name}"): "no ansible.posix here" for name in ("jsonl", "json")}
    if "oldest" not in CORES:
        found |= {("core", value): "one ansible-core here" for value in FACTORS["core"][1:]}
    if not unknown_uid():
        found |= {("user", "unknown uid"): "no user namespaces here", ("directory", "cannot be entered"): "the same"}
        found |= {("home", "none"): "no user namespaces here"}
    if not own_mounts():
        found |= {("home", value): "no mount namespaces here" for value in FACTORS["home"][1:-1]}
        found |= {("files", "one volume"): "no mount namespaces here"}
    return found


def possible(row: Row) -> bool:
    """Return whether the values of a row, or of a part of one, can go together."""
    if row.get("started by", "shell").startswith("runner") and row.get("output", "default") != "default":
        # ansible-runner has a callback of its own.
        return False
    return not (row.get("home") == "no HOME" and row.get("user") == "unknown uid")


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return [pid]
    return [pid, *(member for child in children for member in family(int(child)))]


@dataclass(frozen=True)
class Started:
    """A process that has ended."""

    code: int
    out: str
    err: str


class Machine:
    """A machine for one row: directories, files, and the process."""

    def __init__(self, node: ControlNode, row: Row, operation: Operation) -> None:
        self.node, self.row, self.operation = node, row, operation
        # The private data directory of ansible-runner, which is transmitted whole.
        self.job = node.project.parent
        self.folder = self.job.parent
        self.elsewhere = self.folder / "elsewhere"
        self.worker = self.folder / "worker"
        self.state = self.folder / "state"
        self.listed_home = self.folder / "listed-home"
        for path in (self.elsewhere, self.worker, self.state, self.listed_home):
            path.mkdir()
        decoys(node, node.home, self.elsewhere)
        self._write_plays()
        self._write_inventory()
        if operation.reads_record and self.record:
            seed = Controller(node.sandbox, self.folder / "seed")
            seed.run("device", account_token=ACCOUNT, record_path=str(self.record), device=FIRST, quick=True)
        operation.prepare(node)

    @property
    def by_runner(self) -> bool:
        """Whether ansible-runner starts Ansible, in a directory of its choice."""
        return self.row["started by"].startswith("runner")

    @property
    def start_directory(self) -> Path:
        """The directory of the process that is started."""
        outside = self.by_runner or self.row["directory"] in ("cannot be entered", "deleted")
        return self.elsewhere if outside else self.node.project

    @property
    def base(self) -> Path:
        """The directory at which relative paths start: that of Ansible's process."""
        return self.worker / "project" if self.row["started by"] == "runner worker" else self.node.project

    @property
    def given_base(self) -> str:
        """The beginning of each path that the user writes."""
        outside = self.row["directory"] in ("cannot be entered", "deleted") and not self.by_runner
        return f"{self.node.project}/" if outside else ""

    @property
    def record(self) -> Path | None:
        """The directory of the record; None where no home names one."""
        if self.row["started by"] == "systemd" or self.row["home"] == "read-only, variables set":
            return self.state / "record"
        homes = {"HOME": self.node.home, "no HOME": self.listed_home}
        home = homes.get(self.row["home"])
        return home / ".ansible" / "fonnte" if home else None

    def _write_plays(self) -> None:
        given = self.operation.variables(self.given_base)
        plays = self.operation.plays or (
            {"ansible.builtin.import_playbook": f"fonnte.whatsapp.{self.operation.name}", "vars": given},
        )
        (self.node.project / "play.yml").write_text(json.dumps(plays), encoding="utf-8")

    def _write_inventory(self) -> None:
        inventory = self.job / "inventory"
        inventory.mkdir()
        hosts = "plugin: fonnte.whatsapp.fonnte\n"
        local = "localhost ansible_connection=local\n"
        name, text = ("fonnte.yml", hosts) if self.operation.name == "inventory" else ("hosts", local)
        (inventory / name).write_text(text, encoding="utf-8")
        if self.row["group_vars"] == "become":
            become = {"ansible_become": True, "ansible_become_user": "nobody", "ansible_become_exe": "no-such-program"}
            (inventory / "group_vars").mkdir()
            (inventory / "group_vars" / "all.yml").write_text(json.dumps(become), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """The environment of the process."""
        row = self.row
        changes: dict[str, str | None] = {
            "ANSIBLE_INVENTORY": None if self.by_runner else str(self.job / "inventory"),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
            **LOCALES[row["locale"]],
            **OUTPUTS.get(row["output"], {}),
            **PROCESSES.get(row["processes"], {}),
        }
        if row["home"] == "read-only, variables set":
            # Ansible itself needs directories for its temporary files.
            changes |= {"ANSIBLE_HOME": str(self.state / "ansible"), "ANSIBLE_REMOTE_TMP": str(self.state / "modules")}
        if row["home"] in ("no HOME", "none"):
            changes["HOME"] = None
        if self.record and self.record.is_relative_to(self.state):
            changes["FONNTE_RECORD_PATH"] = str(self.record)
        if row["files"] == "one volume":
            changes["TMPDIR"] = str(self.state)
        if row["core"].endswith("native"):
            changes["ANSIBLE_JINJA2_NATIVE"] = "true"
        if COMMUNITY:
            installed = self.node.environment()["ANSIBLE_COLLECTIONS_PATH"]
            changes["ANSIBLE_COLLECTIONS_PATH"] = f"{installed}{os.pathsep}{COMMUNITY}"
        if row["started by"] == "systemd":
            changes |= {"ANSIBLE_NOCOLOR": None}
        else:
            changes |= {"TERM": "xterm", "SHELL": "/bin/sh", "OLDPWD": str(self.node.home)}
        return self.node.environment(**changes)

    def _pwd(self) -> str | None:
        """The value of PWD, or None where the variable is not set."""
        if self.row["directory"] == "stale PWD":
            return str(self.node.home)
        kept = self.row["directory"] == "PWD" and self.row["started by"] != "systemd"
        return str(self.start_directory) if kept else None

    def words(self) -> list[str]:
        """The command, as a user writes it."""
        # A shell corrects PWD; programs that start others without one leave it as it is.
        pwd = self._pwd()
        start = ["env", f"PWD={pwd}"] if pwd else ["env", "--unset=PWD"]
        if self.by_runner:
            runner, job = shlex.join([*start, f"{RUNNER}/ansible-runner"]), self.job
            if self.row["started by"] == "runner run":
                return [*start, f"{RUNNER}/ansible-runner", "run", str(job), "--playbook", "play.yml"]
            pipe = (
                f"{runner} transmit {job} --playbook play.yml"
                f" | {runner} worker --private-data-dir {self.worker} | {runner} process {job}"
            )
            return ["bash", "-o", "pipefail", "-c", pipe]
        if self.operation.plays:
            return [*start, "ansible-playbook", f"{self.given_base}play.yml"]
        given = self.operation.variables(self.given_base)
        return [*start, "ansible-playbook", f"fonnte.whatsapp.{self.operation.name}", *variables(**given)]

    def script(self) -> str:
        """A script that makes the environment, and becomes the command that follows it."""
        mounts = list(self._mounts())
        closed = self.row["directory"] == "cannot be entered"
        lines = ["set -e", "umask 0077" if self.row["started by"] == "systemd" else "umask 0022"]
        lines += {"cannot be entered": ["chmod 0 ."], "deleted": [f"rm -r {self.elsewhere}"]}.get(
            self.row["directory"], []
        )
        user = "unknown uid" if self.row["home"] == "none" else self.row["user"]
        uid = UIDS[user] if closed or user != "known" else None
        drop = f"unshare --user --map-user={uid} --map-group={uid} " if uid is not None else ""
        if not mounts:
            return "\n".join([*lines, f'exec {drop}"$@"'])
        inside = "\n".join(["set -e", *mounts, f'exec {drop}"$@"'])
        return "\n".join([*lines, f'exec unshare --map-root-user --mount sh -c {shlex.quote(inside)} sh "$@"'])

    def _mounts(self) -> Iterator[str]:
        home = self.row["home"]
        if self.row["files"] == "one volume":
            yield f"mount --bind {self.folder} {self.folder}"
            # Into the new mount; the old one becomes read-only.
            yield f"cd {self.start_directory}"
            # The kernel's own file systems, and the semaphores of processes, are not on the disk.
            yield (
                f"cut -d' ' -f5 /proc/self/mountinfo | grep -Ev '^({self.folder}|/proc|/sys|/dev)(/|$)'"
                ' | while read -r place; do mount -o remount,bind,ro "$place" 2>/dev/null || true; done'
            )
            yield "if touch /written 2>/dev/null; then exit 99; fi"
        if home.startswith("read-only"):
            yield f"mount --bind {self.node.home} {self.node.home}"
            yield f"mount -o remount,bind,ro {self.node.home}"
        if home == "no HOME":
            users = "".join(
                f"{name}:x:{uid}:{uid}::{self.listed_home}:/bin/sh\\n"
                for name, uid in (("root", 0), ("nobody", NOBODY))
            )
            yield f"printf '{users}' >{self.folder}/users"
            yield f"mount --bind {self.folder}/users /etc/passwd"

    def start(self) -> Started:
        """Run the operation."""
        with subprocess.Popen(
            ["sh", "-c", self.script(), "sh", *self.words()],
            env=self.environment(),
            cwd=self.start_directory,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                out, err = process.communicate(timeout=LONGEST_RUN)
            except subprocess.TimeoutExpired:
                # ansible-runner gives Ansible a session of its own, which outlives it.
                for pid in family(process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise
        return Started(process.returncode, out, err)
