# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random walks: declarations, edits in the dashboard, faults and lost records, in random behavior variants.

FONNTE_WALKS sets the number of walks. A few find serious bugs; a night of walks finds rare ones.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import BY_OPTION, WEBHOOKS
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.fault_injection.request_faults import ELSEWHERE
from ansible_collections.fonnte.whatsapp.tests.fault_injection.request_faults import FAULTS as TABLE
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox
from ansible_collections.fonnte.whatsapp.tests.sandbox.readings import VALUES

WALKS = int(os.environ.get("FONNTE_WALKS", "25"))
NUMBERS = ("081200000001", "6281200000002")
SPELLINGS = {number: (number, "0" + number[-11:], "+62 " + number[-11:]) for number in NUMBERS}
NAMES = st.sampled_from(("Toko", "Tako", "Warung"))
URLS = st.sampled_from(("", "https://h.example.com/a", "https://h.example.com/b"))
FLAGS = st.booleans()
# The keys that must be equal in check mode and in the run after it.
PREDICTED = ("changed", "operations", "changed_fields", "reasons", "carried", "at_risk")

DECLARATIONS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        **dict.fromkeys(("autoread", "personal", "group", "quick", "resend"), FLAGS),
        **dict.fromkeys(WEBHOOKS, URLS),
        "target": st.sampled_from(("628111111111", "628222222222")),
    },
)
# The faults of the table that take no time, by the requests that they can happen to.
PATHS = ("/get-devices", "/add-device", "/update-device", "/disconnect")
FAULTS: tuple[dict[str, t.Any], ...] = tuple(
    {"kind": fault.kind, "when": fault.when, "args": dict(fault.args), "path": path}
    for fault in TABLE
    for path in PATHS
    if not fault.slow and ELSEWHERE not in fault.args.values() and (fault.paths is None or path in fault.paths)
)
PACKAGES = ("Free", "Super")


def readings_to_walk() -> dict[str, t.Any]:
    """Return the variants of a walk. A receiver for the probe, and unlisted devices, have separate tests."""
    return {name: st.sampled_from(VALUES[name]) for name in VALUES if name not in ("webhook_probe", "listing")}


class Walk(RuleBasedStateMachine):
    """An account with devices of others and two own devices, one control node, and all possible events."""

    sandbox: Sandbox

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.controller = Controller(self.sandbox, self.folder)
        # The settings that were applied last and not edited since: the service must have them.
        self.held: dict[str, dict[str, t.Any]] = {number: {} for number in NUMBERS}

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(
        readings=st.fixed_dictionaries(readings_to_walk()), strangers=st.lists(st.sampled_from(PACKAGES), max_size=3)
    )
    def start(self, readings: dict[str, t.Any], strangers: list[str]) -> None:
        self.readings = readings
        devices = [
            {
                "number": f"08129990000{place}",
                "token": f"token-of-stranger-{place}",
                "name": "Orang",
                "package": package,
            }
            for place, package in enumerate(strangers)
        ]
        self.sandbox.reset(readings=readings, accounts=[{"token": self.sandbox.account_token, "devices": devices}])
        self.strangers = self.sandbox.devices()

    @invariant()
    def strangers_are_left_alone(self) -> None:
        devices = self.sandbox.devices()
        assert all(devices[number] == stranger for number, stranger in self.strangers.items())

    # Events

    @rule(
        number=st.sampled_from(NUMBERS),
        spelling=st.integers(0, 2),
        declared=DECLARATIONS,
        state=st.sampled_from(("present", "disconnected")),
    )
    def declare(self, number: str, spelling: int, declared: dict[str, t.Any], state: str) -> None:
        self._run("device", number, SPELLINGS[number][spelling], declared, state=state)

    @rule(declared=st.dictionaries(st.sampled_from(NUMBERS), DECLARATIONS, min_size=1))
    def declare_a_fleet(self, declared: dict[str, dict[str, t.Any]]) -> None:
        before = {number: self._device(number) for number in NUMBERS}
        arguments = {"devices": [{"device": number, **own} for number, own in declared.items()], "max_clear": 100}
        predicted, done, again = self._thrice("fleet", arguments)
        assert predicted["summary"] == done["summary"]
        for reported, was_reported in zip(done["devices"], predicted["devices"], strict=False):
            assert {key: reported[key] for key in PREDICTED} == {key: was_reported[key] for key in PREDICTED}
        assert again["summary"]["unchanged"] == len(declared)
        for number, own in declared.items():
            self._expect(number, own, before[number])

    @precondition(lambda self: any(self._device(number) for number in NUMBERS))
    @rule(data=st.data(), declared=st.dictionaries(st.sampled_from(WEBHOOKS), URLS, min_size=1))
    def declare_webhooks(self, data: st.DataObject, declared: dict[str, t.Any]) -> None:
        number = data.draw(st.sampled_from([number for number in NUMBERS if self._device(number)] or [NUMBERS[0]]))
        if self._device(number):
            self._run("webhook_config", number, number, declared)

    @rule(
        number=st.sampled_from(NUMBERS),
        declared=DECLARATIONS,
        faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3),
        times=st.integers(1, 3),
        as_fleet=st.booleans(),
    )
    def declare_in_a_storm(
        self, number: str, declared: dict[str, t.Any], faults: list[dict[str, t.Any]], times: int, as_fleet: bool
    ) -> None:
        before = self._device(number)
        for fault in faults:
            self.sandbox.fault(times=times, **fault)
        try:
            if as_fleet:
                self.controller.run("fleet", devices=[{"device": number, **declared}], max_clear=100)
            else:
                self.controller.device(number, **declared)
        except FonnteError:
            # Only the service knows which of the settings were applied; the next run must find out.
            self.held[number] = {}
        else:
            self._expect(number, declared, before)
        self.sandbox.clear_faults()

    @rule(number=st.sampled_from(NUMBERS), name=NAMES, autoread=FLAGS)
    def edit_in_the_dashboard(self, number: str, name: str, autoread: bool) -> None:
        device = self._device(number)
        if device:
            self.sandbox.edit(device["number"], name=name, autoread=autoread)
            self.held[number].update(name=name, autoread=autoread)

    @rule(number=st.sampled_from(NUMBERS))
    def link(self, number: str) -> None:
        device = self._device(number)
        if device and not any(other["linked"] for other in self.sandbox.devices().values()):
            self.sandbox.link(device["number"])

    @rule(number=st.sampled_from(NUMBERS))
    def purge(self, number: str) -> None:
        device = self._device(number)
        if device:
            self.sandbox.purge(device["number"])
            self.held[number] = {}

    @rule()
    def lose_the_record(self) -> None:
        shutil.rmtree(self.controller.records, ignore_errors=True)
        # Any update may now reset settings that were declared earlier and are not declared again.
        for held in self.held.values():
            for option in list(held):
                if option not in ("name", "autoread"):
                    del held[option]

    # Invariants

    def _run(self, module: str, number: str, device: str, declared: dict[str, t.Any], **more: t.Any) -> None:
        before = self._device(number)
        predicted, done, _again = self._thrice(module, {"device": device, **declared, **more})
        for key in (*PREDICTED, "diff"):
            assert predicted[key] == done[key], key
        if self._device(number):
            self._expect(number, declared, before)
            assert not (more.get("state") == "disconnected" and self._device(number)["linked"])

    def _thrice(self, module: str, arguments: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        """Return the results of check mode, of the run, and of one more run, which must change nothing."""
        files = self.controller.record_files()
        self.sandbox.clear_journal()
        predicted = self.controller.run(module, True, **arguments).result
        assert self.sandbox.writes() == [] and self.controller.record_files() == files
        done = self.controller.run(module, **arguments).result
        self.sandbox.clear_journal()
        again = self.controller.run(module, **arguments).result
        assert not again["changed"] and self.sandbox.writes() == []
        return [predicted, done, again]

    def _expect(self, number: str, declared: dict[str, t.Any], before: dict[str, t.Any] | None) -> None:
        """Check that the service has the declared settings, and those that were declared earlier."""
        if before is None:
            self.held[number] = {}
        self.held[number].update(declared)
        device = self._device(number)
        assert device is not None
        for option, value in self.held[number].items():
            actual = device["name"] if option == "name" else device["settings"][BY_OPTION[option].wire]
            if value == "" and self.readings["empty_webhook"] != "clears":
                continue
            assert actual == value, f"{option} is {actual!r}, declared {value!r}"
        assert before is None or before["number"] == device["number"]

    def _device(self, number: str) -> dict[str, t.Any] | None:
        found = [device for known, device in self.sandbox.devices().items() if known[-11:] == number[-11:]]
        assert len(found) <= 1
        return found[0] if found else None


@pytest.mark.long
def test_walks(running_sandbox: Sandbox) -> None:
    Walk.sandbox = running_sandbox
    chosen = settings(
        max_examples=WALKS,
        stateful_step_count=10,
        derandomize="FONNTE_WALKS" not in os.environ,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(Walk, settings=chosen)
