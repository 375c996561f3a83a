# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run real ``ansible-playbook`` processes, and read their results.

A process takes about a second and a task half a second, so a run contains as many tasks as a test can use. The output
and the files of every run are searched for tracebacks and secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

Json = dict[str, Any]

# A part of every secret in the tests: text that contains it shows a secret.
MARK = "s3cr3t"
# The code that a test lets a sandbox send. Its leading zero must be kept, and distinguishes it from a process id.
OTP = "047193"
WRONG_OTP = "058204"

# Ansible prints the source line of a failed task, so these options come from variables, as users should do it too.
_FROM_VARIABLES = (
    "account_token",
    "device_token",
    "otp",
    "webhook",
    "webhook_connect",
    "webhook_status",
    "webhook_chaining",
    "url",
)
# With a PYTHONPATH to the checkout, a run would find a collection that is not installed.
_NOT_PASSED_ON = re.compile(r"FONNTE_.*|ANSIBLE_.*|.*_proxy|PYTHONPATH", re.IGNORECASE)
# Older cores print the traceback of an exception that was caught.
_STACK = re.compile(r'Traceback|full traceback is|File ".+", line \d+')
LONGEST_RUN = 300
# The default way to run tasks: in Ansible's worker process, or as ordinary modules.
IN_PROCESS = os.environ.get("FONNTE_TESTS_WAY", "in-process") == "in-process"


@dataclass(frozen=True)
class Task:
    """One task of a play: the short name of a module, its options, and keywords of the task."""

    module: str
    args: Mapping[str, object] = field(default_factory=dict)
    keywords: Mapping[str, object] = field(default_factory=dict)

    def but(self, **args: object) -> Task:
        """Return the same task with other options; None removes one."""
        merged = {**self.args, **args}
        return Task(self.module, {key: value for key, value in merged.items() if value is not None}, self.keywords)

    def named(self, **keywords: object) -> Task:
        """Return the same task with other keywords, such as ``no_log``."""
        return Task(self.module, self.args, {**self.keywords, **keywords})


def device(**args: object) -> Task:
    """Return a task of fonnte_device."""
    return Task("fonnte_device", args)


def webhook_config(**args: object) -> Task:
    """Return a task of fonnte_webhook_config."""
    return Task("fonnte_webhook_config", args)


def device_info(**args: object) -> Task:
    """Return a task of fonnte_device_info."""
    return Task("fonnte_device_info", args)


def message(**args: object) -> Task:
    """Return a task of fonnte_message."""
    return Task("fonnte_message", args)


def group_info(**args: object) -> Task:
    """Return a task of fonnte_group_info."""
    return Task("fonnte_group_info", args)


def number_info(**args: object) -> Task:
    """Return a task of fonnte_number_info."""
    return Task("fonnte_number_info", args)


def record(**args: object) -> Task:
    """Return a task of fonnte_record."""
    return Task("fonnte_record", args)


def record_info(**args: object) -> Task:
    """Return a task of fonnte_record_info."""
    return Task("fonnte_record_info", args)


def doctor(**args: object) -> Task:
    """Return a task of fonnte_doctor."""
    return Task("fonnte_doctor", args)


def device_qr(**args: object) -> Task:
    """Return a task of fonnte_device_qr."""
    return Task("fonnte_device_qr", args)


@dataclass(frozen=True)
class TaskResult:
    """The result of a task, as its user sees it."""

    failed: bool
    result: Json
    task: str = ""

    def __getitem__(self, key: str) -> Any:
        return self.result[key]

    def get(self, key: str, default: object = None) -> Any:
        """Return the value of a key of the result."""
        return self.result.get(key, default)

    @property
    def changed(self) -> bool:
        """Whether the task reports a change; False if a failure has no such key."""
        return bool(self.result.get("changed", False))

    @property
    def message(self) -> str:
        """The message of a failure."""
        return str(self.result.get("msg", ""))

    @property
    def warnings(self) -> list[str]:
        """The warnings, as strings."""
        return [str(warning) for warning in self.result.get("warnings", [])]


@dataclass(frozen=True)
class Run:
    """One process: its results in the order of the tasks, its output, and a sentence for each forbidden part of it."""

    reported: list[TaskResult]
    output: str
    unfit: tuple[str, ...] = ()

    def only(self) -> TaskResult:
        """Return the result of a run with one task."""
        assert len(self.reported) == 1, f"one task was run, and {len(self.reported)} results came\n{self.output}"
        return self.reported[0]


class Player:
    """Runs tasks against one sandbox, with a separate home and record.

    Args:
        uid: The id of the user that runs the processes; None for the user of the tests. Only root can choose another
            one. The processes may read all files, since the tests may be in a directory that is closed to other users.
    """

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        programs: Path | None = None,
        in_process: bool | None = None,
        uid: int | None = None,
    ) -> None:
        self.sandbox = sandbox
        self._in_process = IN_PROCESS if in_process is None else in_process
        self.programs = programs or Path(sys.executable).parent
        # The working directory of the processes.
        self._plays = self.directory = folder / "plays"
        self.home = folder / "home"
        self.record = folder / "record"
        self.start_words = start_words(uid)
        for path in (self._plays, self.home):
            path.mkdir()
            if uid is not None:
                os.chown(path, uid, uid)
        self._count = 0

    def play(
        self,
        *tasks: Task,
        check: bool = False,
        env: Mapping[str, str | None] | None = None,
        defaults: Mapping[str, object] | None = None,
        may_show: Collection[str] = (),
    ) -> Run:
        """Run the tasks in one process; a failed task does not end the play.

        Args:
            check: Whether to use check mode.
            env: Environment variables, in addition to those for the sandbox and the record; None unsets one.
            defaults: ``module_defaults`` for the collection's action group.
            may_show: Tokens that the tasks may show.
        """
        run = self.play_unchecked(tasks, check, env or {}, defaults, may_show)
        assert not run.unfit, "\n".join(run.unfit)
        return run

    def play_unchecked(
        self,
        tasks: Sequence[Task],
        check: bool,
        env: Mapping[str, str | None] | None = None,
        defaults: Mapping[str, object] | None = None,
        may_show: Collection[str] = (),
    ) -> Run:
        """Run the tasks in the same way, but return forbidden output in ``unfit`` of the run instead of failing."""
        self._count += 1
        stem = self._plays / f"{self._count:03d}"
        play, variables = _playbook(tasks, defaults)
        variables["fonnte_in_process"] = self._in_process
        stem.with_suffix(".yml").write_text(json.dumps(play, indent=1), encoding="utf-8")
        stem.with_suffix(".vars").write_text(json.dumps(variables), encoding="utf-8")
        words = ["--diff", *(["--check"] if check else []), "-e", f"@{stem}.vars", f"{stem}.yml"]
        run = self._run(words, stem.with_suffix(".reported"), env or {}, may_show)
        assert len(run.reported) == len(tasks), (
            f"{len(tasks)} tasks were run, and {len(run.reported)} results\n{run.output}"
        )
        return run

    def play_by_name(self, name: str, *words: str, env: Mapping[str, str | None] | None = None) -> Run:
        """Run a playbook of the collection by its name; skipped tasks have no results."""
        return self._play_book(f"fonnte.whatsapp.{name}", words, env or {})

    def play_book(self, plays: Sequence[Json], *words: str, env: Mapping[str, str | None] | None = None) -> Run:
        """Run a user's own playbook, given as its plays; skipped tasks have no results."""
        book = self._plays / f"{self._count + 1:03d}.yml"
        book.write_text(json.dumps(plays, indent=1), encoding="utf-8")
        return self._play_book(str(book), words, env or {})

    def _play_book(self, book: str, words: Sequence[str], env: Mapping[str, str | None]) -> Run:
        self._count += 1
        stem = self._plays / f"{self._count:03d}"
        variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        stem.with_suffix(".vars").write_text(json.dumps(variables), encoding="utf-8")
        run = self._run(["-e", f"@{stem}.vars", *words, book], stem.with_suffix(".reported"), env, ())
        assert not run.unfit, "\n".join(run.unfit)
        return run

    def _run(
        self, words: Sequence[str], reported_in: Path, env: Mapping[str, str | None], may_show: Collection[str]
    ) -> Run:
        before = _tokens(self.sandbox)
        done = subprocess.run(
            [*self.start_words, str(self.programs / "ansible-playbook"), "-vvvv", *words],
            env=self.environment(reported_in, env),
            cwd=self._plays,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LONGEST_RUN,
            check=False,
        )
        reported = _read(reported_in)
        secrets = (before | _tokens(self.sandbox) | {MARK}) - set(may_show)
        return Run(reported, done.stdout, tuple(self._unfit(done.stdout, reported, secrets)))

    def environment(self, reported: Path, extra: Mapping[str, str | None]) -> dict[str, str]:
        """Return the environment of a process; ``reported`` is the file for its results."""
        env: dict[str, str | None] = {
            name: value for name, value in os.environ.items() if not _NOT_PASSED_ON.fullmatch(name)
        }
        env.update(
            HOME=str(self.home),
            ANSIBLE_HOME=str(self.home / ".ansible"),
            ANSIBLE_REMOTE_TEMP=str(self.home / ".ansible" / "tmp"),
            ANSIBLE_COLLECTIONS_PATH=os.environ["ANSIBLE_COLLECTIONS_PATH"],
            ANSIBLE_CALLBACK_PLUGINS=str(Path(__file__).parent / "callback_plugins"),
            ANSIBLE_CALLBACKS_ENABLED="reported",
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
            ANSIBLE_NOCOLOR="true",
            # The log is searched too.
            ANSIBLE_LOG_PATH=str(self.home / "ansible.log"),
            # Newer cores show the options of a task only with this variable.
            ANSIBLE_INJECT_INVOCATION="1",
            FONNTE_TESTS_REPORTED=str(reported),
            FONNTE_API_ENDPOINT=self.sandbox.url,
            FONNTE_RECORD_PATH=str(self.record),
        )
        env.update(extra)
        return {name: value for name, value in env.items() if value is not None}

    def _unfit(self, output: str, reported: Sequence[TaskResult], secrets: set[str]) -> Iterator[str]:
        """Yield a sentence for each traceback, deprecation and secret in the output, a result or a file."""
        for stack in _STACK.findall(output)[:1]:
            yield f"a traceback was printed: {_around(output, stack)}"
        for one in reported:
            if one.get("deprecations"):
                yield f"Ansible will not take this for long: {one['deprecations']}"
        texts = {"the output": output, "a result": json.dumps([one.result for one in reported], ensure_ascii=False)}
        texts.update((f"the file {path}", path.read_bytes().decode(errors="replace")) for path in self.files())
        for where, text in texts.items():
            for secret in sorted(secret for secret in secrets if secret in text):
                yield f"{where} shows a secret: {_around(text, secret)}"
            for code in re.findall(rf"(?<!\d)(?:{OTP}|{WRONG_OTP})(?!\d)", text):
                yield f"{where} shows a code: {_around(text, code)}"

    def files(self) -> Iterator[Path]:
        """Yield the files that runs have left: those of the record, and those in the home."""
        for root in (self.record, self.home):
            yield from sorted(path for path in root.rglob("*") if path.is_file())


def start_words(uid: int | None) -> list[str]:
    """Return the prefix of a command that runs it as another user, with no permission except to read all files."""
    if uid is None:
        return []
    reads = "-all,+dac_read_search"
    user = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return ["setpriv", *user, f"--inh-caps={reads}", f"--ambient-caps={reads}", "--no-new-privs"]


def _playbook(tasks: Sequence[Task], defaults: Mapping[str, object] | None) -> tuple[list[Json], Json]:
    variables: Json = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    written: list[Json] = []
    for number, task in enumerate(tasks):
        args, variables[f"task{number}"] = _split(f"task{number}", task.args)
        written.append(
            {
                "name": f"task {number}",
                f"fonnte.whatsapp.{task.module}": args,
                "ignore_errors": True,
                **task.keywords,
            }
        )
    play: Json = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": written}
    if defaults is not None:
        args, variables["defaults"] = _split("defaults", defaults)
        play["module_defaults"] = {"group/fonnte.whatsapp.fonnte": args}
    return [play], variables


def _split(variable: str, args: Mapping[str, object]) -> tuple[Json, Json]:
    """Return the options in the playbook, and those in a variable: only strings, since templates change other types."""
    hidden = {key: value for key, value in args.items() if key in _FROM_VARIABLES and isinstance(value, str)}
    return {key: f"{{{{ {variable}.{key} }}}}" if key in hidden else value for key, value in args.items()}, hidden


def _read(path: Path) -> list[TaskResult]:
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [TaskResult(line["failed"], line["reported"], line["task"]) for line in lines]


def _tokens(sandbox: Sandbox) -> set[str]:
    accounts = sandbox.state()["accounts"]
    return {account["token"] for account in accounts} | {
        known["token"] for account in accounts for known in account["devices"]
    }


def _around(text: str, secret: str) -> str:
    at = text.find(secret)
    return "…" + text[max(0, at - 300) : at + 300] + "…"


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Return the time and the digest of each path below a directory; empty if the directory does not exist."""
    found = [folder, *sorted(folder.rglob("*"))] if folder.exists() else []
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in found
    }
