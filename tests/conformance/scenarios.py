# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setup of a single test: one account with its devices, and a player whose tasks use its token."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

from .cases import Reading, account_token
from .playbooks import Player, Run, Task, TaskResult

ACCOUNT = account_token("single")


class World:
    """The sandbox and the player of a test; tasks get the account's token unless they name another one."""

    def __init__(self, sandbox: Sandbox, player: Player) -> None:
        self.sandbox = sandbox
        self.player = player

    def begin(self, *devices: Json, reading: Reading | None = None, others: tuple[Json, ...] = ()) -> None:
        """Reset the sandbox to an account with these devices; ``others`` are in another account."""
        accounts = [{"token": ACCOUNT, "devices": list(devices)}]
        if others:
            accounts.append({"token": account_token("other"), "devices": list(others)})
        self.sandbox.reset(readings=reading or {}, accounts=accounts)

    def play(
        self,
        *tasks: Task,
        check: bool = False,
        env: Mapping[str, str | None] | None = None,
        defaults: Mapping[str, object] | None = None,
        may_show: Collection[str] = (),
    ) -> Run:
        """Run tasks with the account's token and without retries, unless they set these options; None removes one."""
        complete = [
            Task(
                task.module,
                {
                    key: value
                    for key, value in {"account_token": ACCOUNT, "api_retries": 0, **task.args}.items()
                    if value is not None
                },
                task.keywords,
            )
            for task in tasks
        ]
        return self.player.play(*complete, check=check, env=env, defaults=defaults, may_show=may_show)

    def run_task(self, task: Task, check: bool = False, env: Mapping[str, str | None] | None = None) -> TaskResult:
        """Run one task, and return its result."""
        return self.play(task, check=check, env=env).only()

    def devices(self) -> dict[str, Json]:
        """Return the devices of all accounts, by number."""
        return self.sandbox.devices()

    def writes(self) -> list[str]:
        """Return the paths of the write requests in the journal, and clear the journal."""
        paths = [call["path"] for call in self.sandbox.writes()]
        self.sandbox.clear_journal()
        return paths

    def calls(self) -> list[str]:
        """Return the paths of all requests in the journal, and clear the journal."""
        paths = [call["path"] for call in self.sandbox.journal()]
        self.sandbox.clear_journal()
        return paths
