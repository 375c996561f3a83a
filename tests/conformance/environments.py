# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments that start an operation: factors with values, and the process for each row of values.

The first value of each factor is that of a shell on an engineer's machine. Namespaces of Linux simulate a pod: an
unknown uid without capabilities, a read-only home, and a file system with one writable volume.
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
# The directory that contains ansible_collections/ansible/posix, for the full product.
COMMUNITY = os.environ.get("FONNTE_TESTS_COMMUNITY")
UNKNOWN_UID, NOBODY = 54321, 65534
FACTORS: dict[str, tuple[str, ...]] = {
    "operation": tuple(operation.name for operation in OPERATIONS),
    "started by": ("shell", "systemd", "runner run", "runner worker"),
    "directory": ("PWD", "stale PWD", "no PWD", "cannot be entered", "deleted"),
    # "no HOME": only the user database has a home. "none": there is no home. "variables set": the variables that
    # docs/troubleshooting.md recommends.
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
# Python uses UTF-8 in the locale C, unless these variables disable that. Then C stands for any locale that is not
# UTF-8, such as ISO 8859-1.
LOCALES = {
    "C.UTF-8": {"LANG": "C.UTF-8"},
    "C": {"LANG": "C"},
    "not UTF-8": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@functools.cache
def can_run(*words: str) -> bool:
    """Return whether a program succeeds on this machine."""
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def unknown_uid() -> bool:
    """Return whether a process can have a uid without an entry in the user database."""
    return can_run("unshare", "--user", f"--map-user={UNKNOWN_UID}", f"--map-group={UNKNOWN_UID}", "true")


def own_mounts() -> bool:
    """Return whether a process can have separate mounts."""
    return can_run("unshare", "--map-root-user", "--mount", "mount", "--bind", "/etc", "/etc")


def absent() -> dict[tuple[str, str], str]:
    """Return the values that this machine cannot provide, with the reasons."""
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
    """Return whether the values of a row, or of a part of one, can be combined."""
    if row.get("started by", "shell").startswith("runner") and row.get("output", "default") != "default":
        # ansible-runner sets its own callback.
        return False
    return not (row.get("home") == "no HOME" and row.get("user") == "unknown uid")


def family(pid: int) -> list[int]:
    """Return the ids of a process and of its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return [pid]
    return [pid, *(member for child in children for member in family(int(child)))]


@dataclass(frozen=True)
class Started:
    """The exit code and the output of a process."""

    code: int
    out: str
    err: str


class Machine:
    """A machine for one row: directories, files, and the process."""

    def __init__(self, node: ControlNode, row: Row, operation: Operation) -> None:
        self.node, self.row, self.operation = node, row, operation
        # The private data directory of ansible-runner, which transmits all of it.
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
        """The working directory of the process that the test starts."""
        outside = self.by_runner or self.row["directory"] in ("cannot be entered", "deleted")
        return self.elsewhere if outside else self.node.project

    @property
    def base(self) -> Path:
        """The base of relative paths: the working directory of Ansible's process."""
        return self.worker / "project" if self.row["started by"] == "runner worker" else self.node.project

    @property
    def given_base(self) -> str:
        """The prefix of each path that the user writes: empty, or the project directory with a slash."""
        outside = self.row["directory"] in ("cannot be entered", "deleted") and not self.by_runner
        return f"{self.node.project}/" if outside else ""

    @property
    def record(self) -> Path | None:
        """The directory of the record; None if there is no home."""
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
        """Return the environment of the process."""
        row = self.row
        changes: dict[str, str | None] = {
            "ANSIBLE_INVENTORY": None if self.by_runner else str(self.job / "inventory"),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
            **LOCALES[row["locale"]],
            **OUTPUTS.get(row["output"], {}),
            **PROCESSES.get(row["processes"], {}),
            **self.operation.environment,
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
        """Return the value of PWD; None if the variable is not set."""
        if self.row["directory"] == "stale PWD":
            return str(self.node.home)
        kept = self.row["directory"] == "PWD" and self.row["started by"] != "systemd"
        return str(self.start_directory) if kept else None

    def words(self) -> list[str]:
        """Return the command, as a user writes it."""
        # A shell corrects PWD; a program that starts another one without a shell does not.
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
        """Return a script that creates the environment, and then executes the command in its arguments."""
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
            # Enter the new mount, since the old one becomes read-only.
            yield f"cd {self.start_directory}"
            # Except the file systems of the kernel and of semaphores, which are not on the disk.
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
        """Run the operation, and return its exit code and output."""
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
                # ansible-runner starts Ansible in a separate session, which outlives it.
                for pid in family(process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise
        return Started(process.returncode, out, err)
