# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all cases of one behavior variant together: prepare, check mode, the run, the second run.

Each of these steps is one process for all cases. A process for each case would take too long.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

from .cases import READINGS, Case, Hook
from .playbooks import Player, Run, Task, TaskResult, snapshot

Devices = dict[str, Json]
# The two ways to run a task. Their results must be equal.
WAYS = IN_PROCESS, AS_MODULES = "in-process", "as-modules"
# Ordinary modules take ten times as long. Unless FONNTE_TESTS_WAYS is "all", they run only the quick cases of one
# variant: both ways use the same engine, and a difference would not depend on the behavior of the service.
ALL_BOTH_WAYS = os.environ.get("FONNTE_TESTS_WAYS") == "all"
BOTH_WAYS = tuple(READINGS) if ALL_BOTH_WAYS else ("default",)


def ways(label: str) -> tuple[str, ...]:
    """Return the ways to run the cases of a behavior variant."""
    return WAYS if label in BOTH_WAYS else (IN_PROCESS,)


@dataclass
class Pass:
    """One run of a case: its result and its requests, and the devices and the record after it."""

    reported: TaskResult
    calls: list[Json]
    devices: Devices
    record: dict[str, tuple[int, str]]

    @property
    def writes(self) -> list[Json]:
        """The write requests, with those that the service refused."""
        return [call for call in self.calls if call["write"]]

    @property
    def applied(self) -> list[Json]:
        """The write requests that the service applied."""
        return [call for call in self.writes if call["applied"]]


@dataclass
class Story:
    """The results of one case in one behavior variant."""

    label: str
    case: Case
    start: Devices
    before: Devices = field(default_factory=dict)
    record_before: dict[str, tuple[int, str]] = field(default_factory=dict)
    prepared: list[TaskResult] = field(default_factory=list)
    check: Pass | None = None
    run: Pass | None = None
    again: Pass | None = None


class Round:
    """Runs the cases of a behavior variant against one sandbox.

    Attributes:
        stories: The results, by the name of the case.
        unfit: A sentence for each secret or traceback in the output or in a file.
    """

    def __init__(self, sandbox: Sandbox, label: str, cases: Sequence[Case], player: Player) -> None:
        self._sandbox = sandbox
        self._reading = READINGS[label]
        accounts = [{"token": case.account, "devices": list(case.there)} for case in cases]
        sandbox.reset(readings=self._reading, accounts=accounts)
        self._player = player
        self._cases = [case.under(self._reading) for case in cases]
        self._owners: dict[str, str] = {}
        self.unfit: list[str] = []
        found = self._devices()
        self.stories = {case.name: Story(label, case, found[case.name]) for case in self._cases}

    def play(self) -> Round:
        """Run all steps in order, and return this object."""
        self._prepare()
        found = self._devices()
        for case in self._cases:
            story = self.stories[case.name]
            story.before, story.record_before = found[case.name], snapshot(self._record(case))
        for name, passed in self._pass({case.name: case.task for case in self._cases}, check=True).items():
            self.stories[name].check = passed
        for name, passed in self._pass({case.name: case.task for case in self._cases}).items():
            self.stories[name].run = passed
        for name, passed in self._pass({case.name: case.task for case in self._cases if not case.fails}).items():
            self.stories[name].again = passed
        return self

    def _prepare(self) -> None:
        tasks = [(case, task) for case in self._cases for task in case.prepare]
        if tasks:
            run = self._play([self._task(case, task) for case, task in tasks])
            for (case, _task), reported in zip(tasks, run.reported, strict=False):
                self.stories[case.name].prepared.append(reported)
        for case in self._cases:
            for touch in case.touch:
                touch(self._sandbox)

    def _pass(self, tasks: Mapping[str, Task], check: bool = False) -> dict[str, Pass]:
        if not tasks:
            return {}
        cases = [case for case in self._cases if case.name in tasks]
        since = self._last_call()
        run = self._play([self._task(case, tasks[case.name]) for case in cases], check)
        found = self._devices()
        calls = self._calls(since)
        return {
            case.name: Pass(reported, calls.get(case.name, []), found[case.name], snapshot(self._record(case)))
            for case, reported in zip(cases, run.reported, strict=False)
        }

    def _play(self, tasks: Sequence[Task], check: bool = False) -> Run:
        run = self._player.play_unchecked(tasks, check)
        self.unfit.extend(run.unfit)
        return run

    def _record(self, case: Case) -> Path:
        return self._player.record / case.name

    def _task(self, case: Case, task: Task) -> Task:
        """Return a task with its account, its directory of the record, and the URLs of this variant."""
        args = {"account_token": case.account, "record_path": str(self._record(case)), "api_retries": 0, **task.args}
        urls = {key: value.url(self._sandbox, self._reading) for key, value in args.items() if isinstance(value, Hook)}
        return Task(task.module, {key: value for key, value in {**args, **urls}.items() if value is not None})

    def _devices(self) -> dict[str, Devices]:
        """Return the devices of each case by number, and remember which case each token belongs to."""
        found: dict[str, Devices] = {}
        names = {case.account: case.name for case in self._cases}
        for account in self._sandbox.state()["accounts"]:
            name = names[account["token"]]
            found[name] = {known["number"]: known for known in account["devices"]}
            self._owners[account["token"]] = name
            self._owners.update((known["token"], name) for known in account["devices"])
        return found

    def _last_call(self) -> int:
        journal = self._sandbox.journal()
        return journal[-1]["n"] if journal else 0

    def _calls(self, since: int) -> dict[str, list[Json]]:
        calls: dict[str, list[Json]] = {}
        for call in self._sandbox.journal(since):
            assert call["token"] in self._owners, f"a call came with a token that nobody has: {call}"
            calls.setdefault(self._owners[call["token"]], []).append(call)
        return calls


def wire(reported_settings: Iterable[str]) -> list[str]:
    """Return the service's names of options."""
    return [WIRE.get(option, option) for option in reported_settings]


# The service's names of options, where they differ. The plugins have this table too, but they are under test.
WIRE = {
    "country_code": "countryCode",
    "webhook_connect": "webhookconnect",
    "webhook_status": "webhookstatus",
    "webhook_chaining": "webhookchaining",
}
