# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two and three controllers that take turns, in every reading, with all kinds of things happening in between.

Each controller has a record of its own. A story is random and always the same: its seed is the name of the reading.
Every round something happens to both accounts, then one controller of each runs its play. With stamps the play may say
"unchanged" only if the service holds all that it declares, unless a person edited nothing but hidden settings.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.case_runner import WIRE
from ansible_collections.fonnte.whatsapp.tests.conformance.cases import READINGS, USUAL_READINGS, Hook, account_token
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, Task, Told, device
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

ROUNDS = 5
HOOKS = ("first", "second")
EVENTS = ("nothing", "renamed", "hidden and renamed", "hidden", "purged", "record lost", "reply lost", "call lost")


@dataclass
class Account:
    """One device that several controllers manage.

    Attributes:
        unseen: Whether nothing but hidden settings were edited by hand since the last update.
        counts: How often what happened.
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
        """What the service holds of the device, whichever spelling it keeps."""
        found = [known for number, known in self.sandbox.devices().items() if number[-9:] == self.number[-9:]]
        return found[0] if found else None

    def happen(self, player: Player) -> str:
        """Let something happen behind the controllers' backs, and return what."""
        event = self.chance.choice(EVENTS)
        known = self.held()
        if event == "record lost":
            shutil.rmtree(self._record(player, self.chance.randrange(self.controllers)), ignore_errors=True)
        elif event.endswith("lost"):
            when = "after" if event == "reply lost" else "before"
            # Repeated calls are off in these plays, so that one fault is enough.
            self.sandbox.fault("reset", path="/update-device", when=when, times=1)
        elif known is None:
            event = "nothing"
        elif event == "purged":
            self.sandbox.purge(known["number"])
            self.unseen = False
        elif event != "nothing":
            # The stamp may stay in the name: people do not know what it is.
            new = {"name": known["name"].replace("Toko", "Tako")} if "renamed" in event else {}
            new = {} if new.get("name") == known["name"] else new
            hidden = {"quick": not known["settings"]["quick"], "webhook": ""} if "hidden" in event else {}
            self.sandbox.edit(known["number"], **new, **hidden)
            self.unseen = self.unseen or (bool(hidden) and not new)
        return event

    def turn(self, player: Player) -> Task:
        """The play of one of the controllers: mostly what was declared before, at times something new."""
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
        """What of the last declaration the service does not hold."""
        known = self.held()
        if known is None:
            return list(self.last)
        held = {**known["settings"], "name": known["name"].partition(" ~")[0]}
        return [option for option, value in self.last.items() if held[WIRE.get(option, option)] != value]

    def judge(self, before: list[str], told: Told, story: list[Any]) -> None:
        """See that what the play told was true."""
        verdict = "failed" if told.failed else "changed" if told.changed else "unchanged"
        self.counts[verdict] = self.counts.get(verdict, 0) + 1
        if told.failed:
            # Both faults of a round can meet one play, and the second is one too many.
            assert "the connection broke" in told.message and self.number in told.message, (story, told.result)
        elif told.changed:
            assert self.wrong() == [], (story, told.result)
            self.unseen = False
        else:
            assert before == [] or self.unseen, (story, told.result)


@pytest.mark.parametrize("reading", USUAL_READINGS)
def test_controllers_that_take_turns(reading: str, sandbox: Sandbox, player: Player) -> None:
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
        told = player.play(*tasks).told
        sandbox.clear_faults()
        for account, wrong, one in zip(accounts, before, told, strict=False):
            account.judge(wrong, one, story)
    # A new controller, and a newer one: the second finds nothing to do.
    fresh = [task.but(record_path=f"{player.record}-{who}") for task in tasks for who in ("new", "newer")]
    sandbox.clear_journal()
    for index, (new, newer) in enumerate(zip(*[iter(player.play(*fresh).told)] * 2, strict=False)):
        assert not new.failed and not newer.changed, (accounts[index].controllers, story, newer.result)
    print(reading, [account.counts for account in accounts])
    assert all(account.counts.get("changed") for account in accounts)
