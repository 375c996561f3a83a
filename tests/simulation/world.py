# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world of a simulation: the account, the programs that nodes run, and the properties that must hold.

The properties have the names of the invariants in ARCHITECTURE.md.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import DeviceListCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.wire import Request
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    OptionError,
    RefusalKind,
    RefusedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import Redactor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import RECORDED, to_wire
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.run import FleetEntry, FleetOptions, apply_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.engine import apply
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.observe import RunContext
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.outcome import Outcome
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.state import Desired, State
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Backend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, EntryStatus
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore

from .database import Database, connect_database
from .files import Disk, connect
from .model import Run, possible_states
from .names import FIRST, NEW, OTHER, SECOND, TOKENS
from .rows import Table, connect_rows
from .scheduler import Fault, Node, Schedule
from .service import DEFAULTS, OTP, WRITES, Service, SimulatedTransport

ENDPOINT = "http://127.0.0.1:1"
ACCOUNT = "token-of-the-account"

KINDS = ("name", "settings", "webhooks", "create", "absent", "token")
PERSONS = ("", "renumber", "swap", "recreate")
ACTIONS = (*PERSONS, "swap entries")


class Waiting:
    """The processes that wait for the result of a run until it ends."""

    def has_ended(self) -> bool:
        """Return that none has ended."""
        return False

    def require(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Program:
    """A program of a node.

    Attributes:
        kind: One of ``KINDS``, ``fleet``, or for a person one of ``PERSONS``.
        desired: The declarations; more than one for a fleet.
        token: The device token, if no account token is used.
    """

    kind: str
    desired: tuple[Desired, ...] = ()
    token: str = ""


def make_program(kind: str, index: int, target: str) -> Program:
    """Return the program of a kind. Those of two nodes declare different values for the same settings."""
    hook = f"https://h.example.com/{index}"
    settings: dict[str, dict[str, t.Any]] = {
        "name": {"name": f"Nama {index}"},
        "settings": {"personal": True, "quick": index % 2 == 0},
        "webhooks": {"webhook": hook},
        "create": {"name": f"Baru {index}", "quick": index % 2 == 0, "webhook": hook},
        "token": {"group": True, "quick": index % 2 == 0},
    }
    if kind == "absent":
        return Program(kind, (Desired(target, State.ABSENT, otp=OTP),))
    if kind == "token":
        return Program(kind, (Desired("", settings=settings[kind]),), TOKENS[FIRST])
    if kind == "fleet":
        first = Desired(FIRST, settings={"name": f"Nama {index}", "webhook": hook})
        return Program(kind, (first, Desired(SECOND, settings=settings["settings"])))
    return Program(kind, (Desired(target, settings=settings[kind]),))


class World:
    """One schedule with its service and its record.

    Attributes:
        problems: The properties that did not hold.
    """

    def __init__(
        self,
        programs: t.Sequence[Program],
        preemptions: t.Mapping[int, int],
        faults: t.Sequence[Fault] = (),
        skews: t.Sequence[float] = (),
        chance: t.Any = None,
        disk: Disk | Table | Database | None = None,
        devices: t.Mapping[str, dict[str, str]] | None = None,
    ) -> None:
        self.programs = list(programs)
        self.faults = faults
        self.disk: Disk | Table | Database = disk.copy() if disk is not None else Disk()
        self.service = Service(devices or {})
        self.initial = {token: dict(device) for token, device in self.service.devices.items()}
        self.problems: list[str] = []
        self.lists: dict[int, int] = {}
        nodes = [
            Node(index, program.kind, self._work(program), dict(enumerate(skews)).get(index, 0.0))
            for index, program in enumerate(programs)
        ]
        self.schedule = Schedule(nodes, preemptions, faults, chance)

    def run(self) -> World:
        """Run the schedule, and check the properties that hold at its end."""
        self.schedule.run()
        if self.schedule.deadlock:
            self.problems.append("live: all nodes wait for each other")
        else:
            self._check_live()
            self._check_record()
            self._check_reported()
            if not self._came_late() and not any(fault.kind == "cut" for fault in self.faults):
                self._check_serial()
        return self

    # The nodes

    def _work(self, program: Program) -> t.Callable[[Node], t.Any]:
        if program.kind in ACTIONS:
            return lambda node: self._act(node, program.kind)
        return lambda node: self.run_program(node, program, self.schedule)

    def run_program(self, node: Node, program: Program, schedule: Schedule) -> t.Any:
        """Run the program of a node with the code of the collection."""
        house = self.house(node, schedule, program)
        if len(program.desired) == 1:
            return apply(house, program.desired[0])
        members = [FleetEntry(index, house, desired) for index, desired in enumerate(program.desired)]
        turns = apply_fleet(house, members, FleetOptions(concurrency=1), lambda *_figures: None)
        for turn in turns:
            if turn.fault is not None:
                raise turn.fault
        return turns

    def house(self, node: Node, schedule: Schedule, program: Program) -> RunContext:
        """Return the context that a run of a node uses."""
        transport = SimulatedTransport(self.service, schedule, node, self._check_request)
        api = FonnteClient(t.cast(t.Any, transport), Redactor(ACCOUNT), DeviceListCache(clock=lambda: 0.0))
        store = RecordStore("/record", ENDPOINT, self.connect(schedule, node))
        account = "" if program.token else ACCOUNT
        return RunContext(api, store, account, program.token, lineage=t.cast(t.Any, Waiting()))

    def connect(self, schedule: Schedule | None, node: Node) -> Backend:
        """Return the record as a node accesses it; without a schedule, no access is a step."""
        if isinstance(self.disk, Table):
            return connect_rows(self.disk, schedule, node)
        if isinstance(self.disk, Database):
            return connect_database(self.disk, schedule, node)
        return connect(self.disk, schedule, node)

    def _act(self, node: Node, action: str) -> None:
        """Have a person change something in the dashboard, at any step."""
        self.schedule.step(node, f"person {action}")
        if action == "swap entries":
            self._swap_entries()
        devices = self.service.devices
        by_number = {device["device"]: token for token, device in devices.items()}
        if action == "renumber" and FIRST in by_number:
            devices[by_number[FIRST]]["device"] = OTHER
        elif action == "swap" and FIRST in by_number and SECOND in by_number:
            devices[by_number[FIRST]]["device"], devices[by_number[SECOND]]["device"] = SECOND, FIRST
        elif action == "recreate" and FIRST in by_number:
            del devices[by_number[FIRST]]
            devices["hand1"] = {**DEFAULTS, "device": FIRST, "name": "Toko"}

    def _swap_entries(self) -> None:
        """Swap the contents of the creation entries, as an attacker with write access to the directory can."""
        if isinstance(self.disk, Disk):
            names = sorted(name for name in self.disk.files if name.startswith("number-"))
            for name, content in zip(names, [self.disk.files[name] for name in reversed(names)], strict=False):
                self.disk.files[name] = content

    # Properties at every step

    def _check_request(self, node: Node, call: Request) -> None:
        """Check before a write is carried out: doubt before write, and the right device."""
        quiet = Node(-1, "observer", lambda _node: None)
        store = RecordStore("/record", ENDPOINT, self.connect(None, quiet))
        if call.path == "/update-device":
            record, _problem = store.device(call.token).load()
            entries = (record or DeviceRecord()).entries
            held = to_wire({option: entry.value for option, entry in entries.items()})
            sent = {key: value for key, value in call.form.items() if key in DEFAULTS and key != "autoread"}
            missing = sorted(key for key, value in sent.items() if held.get(key) != value)
            if missing:
                self.problems.append(f"doubt before write: {missing} of node {node.index} are not in the record")
        if call.path == "/add-device":
            note, _problem = store.number(ACCOUNT, call.form["device"]).load()
            swapped = any(program.kind == "swap entries" for program in self.programs)
            if not swapped and (note is None or note.state != "creating"):
                self.problems.append("doubt before write: no creation entry")
        if call.path == "/delete-device":
            self._check_right_device(node, call)

    def _check_right_device(self, node: Node, call: Request) -> None:
        target = self.programs[node.index].desired[0].number
        steps = [number for number, (index, label) in enumerate(self.schedule.trace) if index == node.index]
        labels = [self.schedule.trace[number][1] for number in steps]
        locked = max(place for place, label in enumerate(labels) if label.startswith("lock"))
        if not any(label == "send /get-devices" for label in labels[locked:]):
            self.problems.append("right device: the list was not requested under the lock")
        if self.service.listed[node.index].get(target) != call.token:
            self.problems.append("right device: number and token are not of one response")

    # Properties at the end

    def _check_live(self) -> None:
        disturbed = any(program.kind in ACTIONS for program in self.programs) or self.faults
        for node in self.schedule.nodes:
            fault = node.result
            if not isinstance(fault, BaseException):
                continue
            if not isinstance(fault, FonnteError) and not node.is_dead:
                self.problems.append(f"an error of the code: {fault!r}")
            elif not disturbed and not _has_no_device(fault):
                self.problems.append(f"live: {fault}")
        for index in range(len(self.programs)):
            for path in ("/add-device", "/delete-device"):
                if sum(request[:2] == (index, path) for request in self.service.requests) > 1:
                    self.problems.append(f"once: {path} twice")

    def _check_record(self) -> None:
        """Check that the record contains no false value."""
        if self._came_late():
            return
        quiet = Node(-1, "observer", lambda _node: None)
        store = RecordStore("/record", ENDPOINT, self.connect(None, quiet))
        for token, device in self.service.devices.items():
            record, problem = store.device(token).load()
            if problem:
                self.problems.append(f"record: {problem}")
            for option, entry in (record.entries if record else {}).items():
                ((key, value),) = to_wire({option: entry.value}).items()
                if option in RECORDED and entry.status is EntryStatus.RECORDED and device[key] != value:
                    self.problems.append(f"serial: the record of {token} claims {key}={value}, and it is {device[key]}")

    def _came_late(self) -> bool:
        """Return whether a request was carried out after the end of its process: the invariant does not cover this."""
        return any(node.name == "late" for node in self.schedule.nodes)

    def _check_reported(self) -> None:
        """Check that a run reports an entry that a crashed run has left open, if it takes the lock of this entry."""
        runs = self.schedule.nodes[: len(self.programs)]
        if any(program.kind in ACTIONS for program in self.programs):
            # The device of the number may be another one.
            return
        for dead in runs:
            # No other run works on a device that the request has deleted.
            if not dead.is_dead or dead.labels[-1].partition(" ")[2] not in ("/add-device", "/update-device"):
                continue
            lock = "lock number" if dead.labels[-1].endswith("/add-device") else "lock device"
            heirs = [
                node
                for node in runs
                if node is not dead and self._target(node) == self._target(dead) and lock in node.labels
            ]
            if len(heirs) != 1 or not isinstance(heirs[0].result, Outcome):
                continue
            taken = [place for place, step in enumerate(self.schedule.trace) if step == (heirs[0].index, lock)]
            reported = any("ended before it read the response" in text for text in heirs[0].result.warnings)
            if taken[0] > self._last_step(dead) and not reported:
                self.problems.append("live: an entry that a dead run has left open was not reported")

    def _last_step(self, node: Node) -> int:
        return max(place for place, (index, _label) in enumerate(self.schedule.trace) if index == node.index)

    def _target(self, node: Node) -> str:
        desired = self.programs[node.index].desired
        return (desired[0].number or FIRST) if desired else ""

    def _check_serial(self) -> None:
        """Check each field against all orders of a sequential model."""
        runs = self._runs()
        if runs is None:
            return
        possible = list(possible_states(self.initial, runs))
        for number in dict.fromkeys((FIRST, SECOND, NEW, OTHER)):
            found = {state[number]["name"] if state[number] else None for state, _seen in possible}
            present = self._device(number)
            if (present is None) not in {name is None for name in found}:
                self.problems.append(f"serial: {number} exists: {present is not None}")
            for key in present or ():
                values = {
                    (state[number] or {}).get(key) for state, seen in possible if key not in seen and state[number]
                }
                if key != "device" and present is not None and present[key] not in values:
                    self.problems.append(
                        f"serial: {key} of {number} is {present[key]!r}, and can be {sorted(map(str, values))}"
                    )

    def _device(self, number: str) -> dict[str, str] | None:
        return next((device for device in self.service.devices.values() if device["device"] == number), None)

    def _runs(self) -> list[Run] | None:
        """Return the runs as operations of the model; None if no device list has shown an edit by a person."""
        runs: list[Run] = []
        for node in self.schedule.nodes[: len(self.programs)]:
            program = self.programs[node.index]
            if program.kind in ACTIONS:
                if self._was_not_shown(node.last):
                    return None
                runs.append(Run(program.kind, node.first, node.last))
                continue
            outcomes = _outcomes(node.result)
            for position, desired in enumerate(program.desired):
                outcome = outcomes[position] if position < len(outcomes) else None
                number = desired.number
                form = to_wire(desired.settings)
                absent = desired.state is State.ABSENT
                if outcome is None and _has_no_device(node.result):
                    continue
                changed = outcome is None or bool(outcome.done)
                runs.append(
                    Run(
                        "absent" if absent else "present", node.first, node.last, number, form, changed, outcome is None
                    )
                )
        return runs

    def _was_not_shown(self, at: int) -> bool:
        """Return whether a write after this step relies on a response from before it."""
        shown: dict[int, int] = {}
        for place, (index, label) in enumerate(self.schedule.trace):
            verb, _space, path = label.partition(" ")
            if verb == "send" and path in WRITES and shown.get(index, place) < at <= place:
                return True
            if verb == "send" and path not in WRITES:
                shown[index] = place
        return False


def _outcomes(result: t.Any) -> list[Outcome | None]:
    if isinstance(result, Outcome):
        return [result]
    if isinstance(result, list):
        return [turn.outcome or turn.predicted for turn in result]
    return []


def _has_no_device(fault: t.Any) -> bool:
    """Return whether a run has failed since its device was deleted: it declares no name, or only the old token."""
    if isinstance(fault, RefusedError):
        return fault.kind is RefusalKind.INVALID_TOKEN
    return isinstance(fault, OptionError) and "needs a name" in str(fault)
