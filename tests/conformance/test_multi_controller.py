# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two and three control nodes that run in alternation, in the behavior variants, with random events between the runs.

Each control node has a separate record. The events are random but reproducible: the seed is the name of the variant.
In each round, an event happens to each account, and then one of its control nodes runs a task. With stamps, the task
may report "unchanged" only if the service has all declared values, unless a person edited only write-only settings.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.case_runner import WIRE
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import READINGS, USUAL_READINGS, Hook, account_token
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, Task, TaskResult, device
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

ROUNDS = 5
HOOKS = ("first", "second")
EVENTS = ("nothing", "renamed", "hidden and renamed", "hidden", "purged", "record lost", "reply lost", "call lost")


@dataclass
class Account:
    """One device that several control nodes manage.

    Attributes:
        unseen: Whether only write-only settings were edited by hand since the last update.
        counts: The number of failed, changed and unchanged runs.
    """

    sandbox: Sandbox
    reading: str
    number: str
    controllers: int
    chance: random.Random
    unseen: bool = False
    last: Json = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return account_token(f"of-{self.controllers}")

    def held(self) -> Json | None:
        """Return the device from the service, in any spelling of its number; None if it does not exist."""
        found = [known for number, known in self.sandbox.devices().items() if number[-9:] == self.number[-9:]]
        return found[0] if found else None

    def happen(self, player: Player) -> str:
        """Let a random event happen to the device, a record or a request, and return its name."""
        event = self.chance.choice(EVENTS)
        known = self.held()
        if event == "record lost":
            shutil.rmtree(self._record(player, self.chance.randrange(self.controllers)), ignore_errors=True)
        elif event.endswith("lost"):
            when = "after" if event == "reply lost" else "before"
            # These tasks do not retry, so one fault is enough.
            self.sandbox.fault("reset", path="/update-device", when=when, times=1)
        elif known is None:
            event = "nothing"
        elif event == "purged":
            self.sandbox.purge(known["number"])
            self.unseen = False
        elif event != "nothing":
            # A person may leave the stamp in the name.
            new = {"name": known["name"].replace("Toko", "Tako")} if "renamed" in event else {}
            new = {} if new.get("name") == known["name"] else new
            hidden = {"quick": not known["settings"]["quick"], "webhook": ""} if "hidden" in event else {}
            self.sandbox.edit(known["number"], **new, **hidden)
            self.unseen = self.unseen or (bool(hidden) and not new)
        return event

    def turn(self, player: Player) -> Task:
        """Return the task of one control node: mostly the previous declaration, sometimes a new one."""
        if not self.last or self.chance.random() < 0.4:
            hook = Hook(self.chance.choice(HOOKS)).url(self.sandbox, READINGS[self.reading])
            self.last = {
                "name": self.chance.choice(("Toko Satu", "Toko Dua")),
                "autoread": self.chance.random() < 0.5,
                "quick": self.chance.random() < 0.5,
                "webhook": hook,
            }
        who = self.chance.randrange(self.controllers)
        return device(
            device=self.number,
            account_token=self.token,
            api_retries=0,
            record_path=self._record(player, who),
            handle_write_only="stamped",
            handle_unknown="ignore",
            **self.last,
        )

    def _record(self, player: Player, who: int) -> str:
        return f"{player.record}-{self.controllers}-{who}"

    def wrong(self) -> list[str]:
        """Return the options of the last declaration whose values the service does not have."""
        known = self.held()
        if known is None:
            return list(self.last)
        held = {**known["settings"], "name": known["name"].partition(" ~")[0]}
        return [option for option, value in self.last.items() if held[WIRE.get(option, option)] != value]

    def judge(self, before: list[str], reported: TaskResult, story: list[Any]) -> None:
        """Check that the result of the task is true."""
        verdict = "failed" if reported.failed else "changed" if reported.changed else "unchanged"
        self.counts[verdict] = self.counts.get(verdict, 0) + 1
        if reported.failed:
            # The faults of both accounts can affect one task, which recovers from one of them only.
            assert "the connection broke" in reported.message and self.number in reported.message, (
                story,
                reported.result,
            )
        elif reported.changed:
            assert self.wrong() == [], (story, reported.result)
            self.unseen = False
        else:
            assert before == [] or self.unseen, (story, reported.result)


@pytest.mark.weekly
@pytest.mark.parametrize("reading", USUAL_READINGS)
def test_alternating_control_nodes_report_true_results(reading: str, sandbox: Sandbox, player: Player) -> None:
    chance = random.Random(f"controllers in {reading}")
    accounts = [Account(sandbox, reading, f"08120000700{count}", count, chance) for count in (2, 3)]
    sandbox.reset(readings=READINGS[reading], accounts=[{"token": account.token} for account in accounts])
    story: list[Any] = []
    for _round in range(ROUNDS):
        tasks, before = [], []
        for account in accounts:
            event = account.happen(player)
            tasks.append(account.turn(player))
            before.append(account.wrong())
            story.append((account.controllers, event, tasks[-1].args))
        reported = player.play(*tasks).reported
        sandbox.clear_faults()
        for account, wrong, one in zip(accounts, before, reported, strict=False):
            account.judge(wrong, one, story)
    # Two new control nodes: the second one has nothing to change.
    fresh = [task.but(record_path=f"{player.record}-{who}") for task in tasks for who in ("new", "newer")]
    sandbox.clear_journal()
    for index, (new, newer) in enumerate(zip(*[iter(player.play(*fresh).reported)] * 2, strict=False)):
        assert not new.failed and not newer.changed, (accounts[index].controllers, story, newer.result)
    print(reading, [account.counts for account in accounts])
    assert all(account.counts.get("changed") for account in accounts)
