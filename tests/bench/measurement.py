# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure rows: prepare the sandbox and the record, run the row, and count its requests."""

from __future__ import annotations

import collections
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..postgresql import Server, find_installations, start_server
from ..postgresql_proxy import Proxy
from ..sandbox.driver import Sandbox
from .implementations import (
    ACCOUNTS,
    AUDIT,
    CONCURRENCY,
    DATABASES,
    EMPTY,
    FLEET,
    FLOOR,
    FLOOR_ONE,
    FLOORS,
    LINKED_WORKS,
    MAKE,
    NOTHING,
    PLAYBOOKS,
    PROVISION,
    PROVISION_ACCOUNTS,
    account_token,
    declaration,
    declared,
    play,
    to_change,
    writes,
)
from .rows import Row

HERE = Path(__file__).resolve().parent
PACKAGE = "Super"
LONGEST_RUN = 900


class BenchError(Exception):
    """A run did not do the work that it was measured for."""


@dataclass(frozen=True)
class Measure:
    """The measurement of one run.

    Attributes:
        seconds: From the start of its process to the end.
        cpu: User and system seconds of the process and all that it started.
        calls: The requests that the service received, by path.
        largest: The peak memory in KiB of its largest process. ``parent`` and ``worker``: see ``launch``.
        call_seconds: The duration of the requests of a floor; 0 for other rows. ``call_cpu`` likewise.
    """

    seconds: float
    cpu: float
    calls: Mapping[str, int]
    largest: int
    parent: int
    worker: int
    call_seconds: float = 0.0
    call_cpu: float = 0.0


class Bench:
    """Runs rows against one sandbox, in a separate directory."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._records = 0
        # The present contents of the sandbox and the record, by work and size; None if a run has changed them.
        self._world: tuple[str, int] | None = None
        self._made: dict[int, list[dict[str, Any]]] = {}
        # The server of the records in databases, the database of each size, and that of the row.
        self._server: Server | None = None
        self._databases: dict[int, tuple[str, list[dict[str, Any]]]] = {}
        self._database = ""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def measure(self, row: Row) -> Measure:
        """Run a row once, from the state of the world in which its work begins."""
        if row.way in DATABASES:
            self._prepare_database(row)
        elif row.way != EMPTY:
            state = "" if row.work == MAKE else "linked" if row.work in LINKED_WORKS else "made"
            self._prepare(state, row.size)
            if row.way == PROVISION_ACCOUNTS:
                self._prepare_accounts(row)
        return self._run(row)

    def clear(self) -> None:
        """Remove all files, and stop the server of the databases."""
        if self._server is not None:
            self._server.__exit__()
        shutil.rmtree(self._folder)

    def capacity(self, path: str, size: int, calls: int) -> float:
        """Return how many requests to a path the sandbox answers in a second, for an account with ``size`` devices."""
        self._prepare("made", size)
        self._sandbox.set_options(latency=0)
        first = self._made[size][0]["devices"][0]
        update = path == "/update-device"
        token = first["token"] if update else self._sandbox.account_token
        form = {"device": first["number"], "name": first["name"]} if update else {}
        reported = self._floor(
            {"work": "capacity", "path": path, "with_token": token, "form": form, "calls": calls}, 16
        )
        self._world = None if update else self._world
        self._sandbox.clear_journal()
        return calls / float(reported[0]["seconds"])

    # The world

    def _prepare(self, state: str, size: int) -> None:
        """Prepare an account, empty or with a number of created devices, and its record.

        With the state ``linked`` all devices are linked to phones.
        """
        if self._world == (state, size) and state:
            return
        if state and size not in self._made:
            self._make(size)
        accounts = self._made[size] if state else self._empty_account()
        if state == "linked":
            accounts = [
                {**account, "devices": [{**device, "linked": True} for device in account["devices"]]}
                for account in accounts
            ]
        self._sandbox.reset(accounts=accounts)
        # A separate directory for each: ext4 creates files slowly for minutes after many files were deleted.
        self._records += 1
        if state:
            shutil.copytree(self._kept(size), self._record, symlinks=True)
        self._world = (state, size)

    def _empty_account(self) -> list[dict[str, Any]]:
        return [{"token": self._sandbox.account_token, "plan": PACKAGE}]

    @property
    def _record(self) -> Path:
        return self._folder / f"record-{self._records}"

    def _kept(self, size: int) -> Path:
        return self._folder / f"record-of-{size}"

    def _make(self, size: int) -> None:
        """Create devices with the collection itself, and keep the account and the record for later rows."""
        self._prepare("", size)
        self._run(Row(FLEET, MAKE, size))
        self._keep(size)

    def _keep(self, size: int) -> None:
        self._made[size] = self._sandbox.state()["accounts"]
        shutil.copytree(self._record, self._kept(size), symlinks=True)

    def _prepare_accounts(self, row: Row) -> None:
        """Prepare several empty accounts, or with created devices, and their record."""
        self._prepare("", row.size)
        tokens = map(account_token, range(ACCOUNTS))
        self._sandbox.reset(accounts=[{"token": token, "plan": PACKAGE} for token in tokens])
        if row.work == NOTHING:
            self._run(Row(PROVISION_ACCOUNTS, MAKE, row.size))

    def _prepare_database(self, row: Row) -> None:
        """Prepare an empty account and an empty database, or both with a number of created devices."""
        self._world = None
        if self._server is None:
            # Commits are durable (fsync), as on the server of a user.
            self._server = start_server(find_installations()[0], fsync="on")
        if row.work == MAKE:
            self._sandbox.reset(accounts=self._empty_account())
            self._database = self._server.create_database()
            return
        if row.size not in self._databases:
            self._sandbox.reset(accounts=self._empty_account())
            self._database = self._server.create_database()
            self._run(Row(next(iter(DATABASES)), MAKE, row.size))
            self._databases[row.size] = self._database, self._sandbox.state()["accounts"]
        self._database, accounts = self._databases[row.size]
        self._sandbox.reset(accounts=accounts)

    # One run

    def _run(self, row: Row) -> Measure:
        # A reset restores the latency with which the sandbox was started.
        self._sandbox.set_options(latency=row.latency / 1000)
        self._sandbox.clear_journal()
        extra = {}
        if row.way in FLOORS:
            took, reported = self._play_floor(row)
            extra = {"call_seconds": took["seconds"], "call_cpu": took["cpu"]}
        elif row.way in DATABASES and self._server is not None:
            # A round trip has two directions.
            with Proxy(self._server.port, DATABASES[row.way] / 2000) as proxy:
                database = self._database.rpartition("/")[2]
                reported = self._play(row, {"FONNTE_RECORD_URL": self._server.url(database, port=proxy.port)})
        else:
            reported = self._play(row)
        calls, wrote = self._calls()
        expected = 0 if row.check or row.way in (EMPTY, AUDIT) else writes(row.work, row.size)
        if wrote != expected:
            raise BenchError(f"{row.name} wrote {wrote} times, and its work takes {expected}; see {self._log}")
        if wrote:
            self._world = None
        return Measure(
            reported["seconds"],
            reported["cpu"],
            calls,
            reported["largest"],
            reported["parent"],
            reported["worker"],
            **extra,
        )

    def _calls(self) -> tuple[dict[str, int], int]:
        """Return the requests of the run by path, and how many of them changed something."""
        journal = self._sandbox.journal()
        calls = dict(collections.Counter(call["path"] for call in journal))
        return calls, sum(call["write"] and call["applied"] for call in journal)

    @property
    def _log(self) -> Path:
        return self._folder / "output.log"

    def _play(self, row: Row, more: Mapping[str, str] | None = None) -> dict[str, Any]:
        if row.way in PLAYBOOKS:
            return self._play_by_name(row)
        playbook, variables = self._folder / "play.json", self._folder / "devices.json"
        playbook.write_text(json.dumps(play(row.way, row.work), indent=1), encoding="utf-8")
        variables.write_text(json.dumps({"devices": declared(row.work, row.size)}), encoding="utf-8")
        words = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook)]
        words += [] if row.way == EMPTY else ["--extra-vars", f"@{variables}"]
        return self._launch([*words, *(["--check"] if row.check else [])], row.name, more)

    def _play_by_name(self, row: Row) -> dict[str, Any]:
        name = AUDIT if row.way == AUDIT else PROVISION
        file = self._folder / "devices.yml"
        # JSON is YAML, too; a user writes YAML, which takes longer to read.
        file.write_text(yaml.safe_dump(declaration(row.way, row.work, row.size), sort_keys=False), encoding="utf-8")
        options = {f"{name}_files": str(file), "fleet_concurrency": CONCURRENCY, "fleet_handle_unknown": "ignore"}
        options["fleet_handle_write_only"] = options["audit_handle_write_only"] = "recorded"
        words = [str(Path(sys.executable).parent / "ansible-playbook"), f"fonnte.whatsapp.{name}"]
        words += ["--extra-vars", json.dumps(options)]
        return self._launch([*words, *(["--check"] if row.check else [])], row.name)

    def _play_floor(self, row: Row) -> tuple[dict[str, float], dict[str, Any]]:
        order = {
            "devices": declared(row.work, row.size),
            "changed": list(to_change(row.work, row.size)),
            "work": row.work,
        }
        return self._floor(order, 1 if row.way == FLOOR_ONE else CONCURRENCY, row.name)

    def _floor(
        self, order: dict[str, Any], concurrency: int, name: str = FLOOR
    ) -> tuple[dict[str, float], dict[str, Any]]:
        """Run the bare client; return the times of its requests, and the usage of its process."""
        order = {"url": self._sandbox.url, "token": self._sandbox.account_token, "concurrency": concurrency, **order}
        file = self._folder / "order.json"
        file.write_text(json.dumps(order), encoding="utf-8")
        took = self._launch([sys.executable, str(HERE / "bare_client.py"), str(file)], name)
        return json.loads(self._log.read_text(encoding="utf-8").splitlines()[-1]), took

    def _launch(self, command: list[str], name: str, more: Mapping[str, str] | None = None) -> dict[str, Any]:
        result = self._folder / "took.json"
        result.unlink(missing_ok=True)
        launcher = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(result), *command]
        with open(self._log, "wb") as log:
            subprocess.run(
                launcher,
                env={**self._environment(), **(more or {})},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=LONGEST_RUN,
                check=True,
            )
        took: dict[str, Any] = json.loads(result.read_text(encoding="ascii"))
        if took["code"] != 0:
            end = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise BenchError(f"{name} ended with exit code {took['code']}:\n{end}")
        return took

    def _environment(self) -> dict[str, str]:
        env = {
            **os.environ,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "FONNTE_API_ENDPOINT": self._sandbox.url,
            "FONNTE_ACCOUNT_TOKEN": self._sandbox.account_token,
            "FONNTE_RECORD_PATH": str(self._record),
        }
        # Users let Python keep compiled files.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return env
