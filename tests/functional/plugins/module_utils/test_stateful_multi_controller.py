# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random walks with three control nodes in turn: each with its own record and stamps, or with one record for all.

Invariant: with handle_write_only: stamped, no run reports "unchanged" while a declared setting differs from the
service, unless a person edited only write-only settings in the dashboard. With one record for all, in a directory or in
a database, the same holds for handle_write_only: recorded, unless a person edited write-only settings.

FONNTE_WALKS sets the number of walks. The counts are printed at the end: pytest -s shows them.
"""

from __future__ import annotations

import collections
import contextlib
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import BY_OPTION, WEBHOOKS, WRITE_ONLY
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.stamp import strip_stamp
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.postgresql import NoTableError, Server
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

from .test_stateful import DECLARATIONS, FAULTS, FLAGS, NAMES, URLS, readings_to_walk

WALKS = int(os.environ.get("FONNTE_WALKS", "16"))
NUMBER = "6281200000001"
PEOPLE = ("Ada", "Toko Satu", "Citra")
HOOKS = st.dictionaries(st.sampled_from(WEBHOOKS), URLS, min_size=1)
HIDDEN_EDITS = st.fixed_dictionaries({}, optional={"quick": FLAGS, "personal": FLAGS, "webhook": URLS})

COUNTS: collections.Counter[str] = collections.Counter()


class Controllers(RuleBasedStateMachine):
    """One device, several control nodes, a person in the dashboard, and an unreliable network."""

    sandbox: Sandbox
    # The policies under which "unchanged" must be correct.
    sure: t.ClassVar[tuple[str, ...]] = ("stamped",)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.controllers = {name: self.new_controller(name) for name in PEOPLE}
        # Whether settings were edited manually since the last update, without a visible change.
        self.unseen: set[str] = set()

    def new_controller(self, name: str) -> Controller:
        """Return a new control node."""
        return Controller(self.sandbox, self.folder / name)

    def is_unseen(self, renamed: bool) -> bool:
        """Return whether an edit of write-only settings is undetectable, for a changed or an unchanged name."""
        return not renamed

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(readings=st.fixed_dictionaries(readings_to_walk()))
    def start(self, readings: dict[str, t.Any]) -> None:
        self.readings = readings
        self.sandbox.reset(readings=readings)

    # Events

    @rule(
        who=st.sampled_from(PEOPLE), declared=DECLARATIONS, policy=st.sampled_from(("stamped", "stamped", "recorded"))
    )
    def declare(self, who: str, declared: dict[str, t.Any], policy: str) -> None:
        self._run(self.controllers[who], "device", declared, policy)

    @precondition(lambda self: self._device())
    @rule(who=st.sampled_from(PEOPLE), declared=HOOKS, alone=st.booleans())
    def declare_webhooks(self, who: str, declared: dict[str, t.Any], alone: bool) -> None:
        self._run(self.controllers[who], "webhook_config", declared, "stamped", alone)

    @precondition(lambda self: self._device())
    @rule(who=st.sampled_from(PEOPLE), declared=DECLARATIONS)
    def declare_with_a_token_alone(self, who: str, declared: dict[str, t.Any]) -> None:
        self._run(self.controllers[who], "device", declared, "stamped", alone=True)

    @rule(
        who=st.sampled_from(PEOPLE),
        declared=DECLARATIONS,
        fault=st.sampled_from(FAULTS),
        times=st.integers(1, 3),
    )
    def declare_in_a_storm(self, who: str, declared: dict[str, t.Any], fault: dict[str, t.Any], times: int) -> None:
        self.sandbox.fault(times=times, **fault)
        before = self._updates()
        try:
            self._call(self.controllers[who], "device", declared, "stamped")
        except FonnteError:
            COUNTS["runs that failed in a storm"] += 1
        self.sandbox.clear_faults()
        if self._updates() != before:
            self.unseen.clear()

    @precondition(lambda self: self._device())
    @rule(hidden=HIDDEN_EDITS, name=st.none() | NAMES, keep_stamp=st.booleans())
    def edit_in_the_dashboard(self, hidden: dict[str, t.Any], name: str | None, keep_stamp: bool) -> None:
        device = self._device()
        assert device is not None
        old = device["name"]
        stamp = old[len(strip_stamp(old)) :] if keep_stamp else ""
        renamed = {"name": name + stamp} if name and name != strip_stamp(old) else {}
        self.sandbox.edit(device["number"], **hidden, **renamed)
        COUNTS["edits in the dashboard"] += 1
        if self.is_unseen(bool(renamed)):
            self.unseen |= set(hidden)

    @precondition(lambda self: self._device())
    @rule()
    def purge(self) -> None:
        device = self._device()
        assert device is not None
        self.sandbox.purge(device["number"])
        self.unseen.clear()
        COUNTS["purges"] += 1

    @rule(who=st.sampled_from(PEOPLE))
    def lose_the_record(self, who: str) -> None:
        shutil.rmtree(self.controllers[who].records, ignore_errors=True)
        COUNTS["lost records"] += 1

    @rule(declared=DECLARATIONS, hooks=HOOKS, split=st.booleans())
    def two_fresh_controllers(self, declared: dict[str, t.Any], hooks: dict[str, t.Any], split: bool) -> None:
        """Apply one declaration from two new control nodes, in one task or in two. The second changes nothing."""
        own = {option: value for option, value in declared.items() if option not in WEBHOOKS}
        tasks = [("device", own), ("webhook_config", hooks)] if split else [("device", declared)]
        verdicts = []
        for _machine in range(2):
            fresh = self.new_controller(tempfile.mkdtemp(dir=self.folder))
            verdicts.append([self._run(fresh, module, task, "stamped") for module, task in tasks])
        assert not any(verdicts[1]), verdicts
        COUNTS["second fresh controllers that found nothing to do"] += 1

    # Invariants

    def _run(
        self, controller: Controller, module: str, declared: dict[str, t.Any], policy: str, alone: bool = False
    ) -> bool:
        """Run a task once and check its result; run it again and check that it changes nothing."""
        wrong = self._wrong(declared)
        before = self._updates()
        predicted = self._call(controller, module, declared, policy, alone, check=True)
        done = self._call(controller, module, declared, policy, alone)
        for key in ("changed", "operations", "changed_fields", "reasons", "diff", "at_risk", "evidence"):
            assert predicted[key] == done[key], key
        changed = bool(done["changed"])
        COUNTS["runs"] += 1
        COUNTS["runs that said changed" if changed else "runs that said unchanged"] += 1
        COUNTS["runs that found the service different"] += bool(wrong)
        if policy in self.sure and not changed:
            assert not wrong - self.unseen, f"unchanged, and {wrong} differ"
        if self._updates() != before:
            self.unseen.clear()
            assert not self._wrong(declared), "changed, and the service does not hold what is declared"
            again = self._call(controller, module, declared, policy, alone)
            assert not again["changed"], again["reasons"]
        return changed

    def _call(
        self,
        controller: Controller,
        module: str,
        declared: dict[str, t.Any],
        policy: str,
        alone: bool = False,
        check: bool = False,
    ) -> dict[str, t.Any]:
        device = self._device()
        token = {"account_token": None, "device_token": device["token"]} if alone and device else {}
        arguments = {"device": NUMBER, "handle_write_only": policy, **token, **declared}
        return controller.run(module, check, **arguments).result

    def _wrong(self, declared: dict[str, t.Any]) -> set[str]:
        """Return the declared settings that the service does not have.

        Settings that it may refuse to clear do not count.
        """
        device = self._device()
        if device is None:
            return set(declared)
        held = {option: device["settings"][BY_OPTION[option].wire] for option in (*WRITE_ONLY, "autoread")}
        held["name"] = strip_stamp(device["name"])
        clears = self.readings["empty_webhook"] == "clears"
        return {option for option, value in declared.items() if held[option] != value and (value != "" or clears)}

    def _updates(self) -> int:
        return sum(entry["path"] == "/update-device" and bool(entry["applied"]) for entry in self.sandbox.writes())

    def _device(self) -> dict[str, t.Any] | None:
        return next(iter(self.sandbox.devices().values()), None)


class OneDirectory(Controllers):
    """The same with one record for all, in a directory."""

    sure = ("stamped", "recorded")

    def new_controller(self, name: str) -> Controller:
        """Return a new control node with the shared record."""
        return Controller(self.sandbox, self.folder)

    def is_unseen(self, renamed: bool) -> bool:
        """Return that the record detects no edit of write-only settings."""
        return True


class OneDatabase(OneDirectory):
    """The same with one record for all, in a database."""

    server: t.ClassVar[Server]

    def __init__(self) -> None:
        self.url = self.server.create_database()
        super().__init__()

    def new_controller(self, name: str) -> Controller:
        """Return a new control node with the shared record."""
        return Controller(self.sandbox, self.folder / name, self.url)

    @rule(who=st.sampled_from(PEOPLE))
    def lose_the_record(self, who: str) -> None:
        with contextlib.suppress(NoTableError):
            self.server.execute("DELETE FROM fonnte_record WHERE name <> 'revision'", self.url.rpartition("/")[2])
        COUNTS["lost records"] += 1

    def teardown(self) -> None:
        self.server.execute(f"DROP DATABASE {self.url.rpartition('/')[2]} WITH (FORCE)")
        super().teardown()


def walk(kind: type[Controllers], walks: int) -> None:
    # A separate sandbox gives the same tokens in each run, and so the same stamps: one in 13,363 sets has the digest of
    # another, and no test may fail at random for this reason.
    with Sandbox() as sandbox:
        Controllers.sandbox = sandbox
        chosen = settings(
            max_examples=walks,
            stateful_step_count=12,
            derandomize="FONNTE_WALKS" not in os.environ,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        COUNTS.clear()
        run_state_machine_as_test(kind, settings=chosen)
    print("\n" + "\n".join(f"{count:6} {what}" for what, count in sorted(COUNTS.items())))
    assert COUNTS["runs that found the service different"] > walks
    assert COUNTS["second fresh controllers that found nothing to do"] > walks // 4
    assert COUNTS["runs that said unchanged"] > walks // 2


@pytest.mark.long
def test_three_control_nodes_with_separate_records() -> None:
    walk(Controllers, WALKS)


@pytest.mark.long
def test_three_control_nodes_share_one_directory() -> None:
    walk(OneDirectory, WALKS // 2)


@pytest.mark.long
def test_three_control_nodes_share_one_database(postgresql_server: Server) -> None:
    OneDatabase.server = postgresql_server
    walk(OneDatabase, WALKS // 2)
