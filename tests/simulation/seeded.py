# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bugs that are put into the code on purpose: the simulation must find each of them."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.client import FonnteClient
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device import stamp as _stamp
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine as _engine
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import evidence as _evidence
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.apply import Executor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.locks import LockSet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import encryption as _encryption
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend

from .explore import Explorer, Findings, pair
from .names import FIRST, NEW
from .rows import RowBackend
from .scheduler import Fault
from .world import Program, make_program

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Bug:
    """A bug in the code.

    Attributes:
        seed: Puts the bug into the code.
        search: Searches for the bug.
    """

    seed: t.Callable[[Patch], None]
    search: t.Callable[[Explorer], Findings]


def _act_on_an_old_list(patch: Patch) -> None:
    patch.setattr(_engine, "_may_act", lambda _plan, _sight, _hold: True)


def _compare_clocks(patch: Patch) -> None:
    def mark(self: FileBackend, names: t.Collection[str] = ()) -> t.Any:
        memory = t.cast(t.Any, self)._locks._memory
        for name in names:
            self._locks.peek(name)
        return memory.now

    def stale(self: FileBackend, mark: t.Any, names: t.Collection[str]) -> list[str]:
        memory = t.cast(t.Any, self)._locks._memory
        return [
            name
            for name in names
            if memory.disk.written_at.get(name, float("-inf")) >= mark
            and memory.disk.written_by[name] != memory.node.index
        ]

    patch.setattr(FileBackend, "mark", mark)
    patch.setattr(FileBackend, "stale", stale)


def _compare_clocks_under_the_locks(patch: Patch) -> None:
    _compare_clocks(patch)
    patch.setattr(LockSet, "holds", lambda _self, _files: False)


def _mark_after_the_response(patch: Patch) -> None:
    listed = FonnteClient.get_devices

    def get_devices(self: FonnteClient, account_token: str, mark: t.Any = None) -> t.Any:
        listing = listed(self, account_token)
        listing.mark = mark() if mark is not None else None
        return listing

    patch.setattr(FonnteClient, "get_devices", get_devices)


def _refresh_what_is_compared(patch: Patch) -> None:
    """Reconnect silently, and use the present row as the one that the plan was created from."""

    def query(self: RowBackend, label: str, waits: bool = False) -> None:
        if self._schedule is not None and self._schedule.step(self._node, label, waits) == "cut":
            self._leave()
            self.session = object()

    patch.setattr(RowBackend, "_query", query)
    patch.setattr(RowBackend, "check_write", lambda _self, _write: None)


def _confirm_before_the_response(patch: Patch) -> None:
    send = Executor._send

    def send_and_believe(self: Executor, settings: t.Any) -> None:
        self._save_or_warn([(self._device_file, self._record.mark_confirmed(settings, "2026-11-22T09:00:00Z"))])
        send(self, settings)

    patch.setattr(Executor, "_send", send_and_believe)


def _bind_nothing(patch: Patch) -> None:
    def aes(secret: str, place: t.Any) -> t.Any:
        return _AES(secret, _encryption.Place("any", place.kind, place.endpoint))

    def decrypt(self: _encryption.Cipher, encrypted: bytes) -> t.Any:
        import base64
        import json

        raw = base64.urlsafe_b64decode(encrypted.partition(b":")[2])
        data = json.loads(self._get().decrypt(raw[1:13], raw[13:], None))
        data.pop("file")
        return data

    patch.setattr(_encryption, "_aes", aes)
    patch.setattr(_encryption.Cipher, "decrypt", decrypt)
    patch.setattr(NumberRecord, "is_creation_of", lambda self, _device_file: self.state == "creating")


_AES = _encryption._aes


def _prove_the_declaration_first(patch: Patch) -> None:
    def proven_part(part: str, known: t.Any, declared: t.Any, stamp: t.Any, origin: t.Any) -> t.Any:
        wanted = {option: declared[option] for option in known if option in declared}
        recorded = {option: item.value for option, item in known.items() if item.value is not None}
        for candidate in (wanted, {**recorded, **wanted}, recorded):
            if stamp.matches(part, candidate):
                return {option: _evidence._proven(known[option], value) for option, value in candidate.items()}
        return {}

    patch.setattr(_evidence, "_proven_part", proven_part)


# Searches


def _swap_before_a_deletion(explorer: Explorer) -> Findings:
    return explorer.explore([make_program("absent", 0, FIRST), Program("swap")], 1)


def _two_updates(first: float, second: float) -> t.Callable[[Explorer], Findings]:
    return lambda explorer: explorer.explore(pair("settings", "name"), 2, skews=(first, second))


def _cut_sessions(explorer: Explorer) -> Findings:
    return _search(explorer, pair("settings", "webhooks"), "cut", 2)


def _lost_responses(explorer: Explorer) -> Findings:
    return _search(explorer, pair("settings", "token"), "lost", 1)


def _swapped_entries(explorer: Explorer) -> Findings:
    programs = [make_program("create", 0, NEW), Program("swap entries"), make_program("name", 2, FIRST)]
    return _search(explorer, programs, "crash", 1)


def _search(explorer: Explorer, programs: t.Sequence[Program], kind: str, bound: int) -> Findings:
    """Search with a fault at each step of the first node."""
    total = Findings()
    for step, _label in enumerate(explorer.steps(programs)):
        found = explorer.explore(programs, bound, [Fault(0, step, kind)])
        total.schedules += found.schedules
        if found.problem:
            total.problem = found.problem
            break
    return total


def search_digests(_explorer: Explorer) -> Findings:
    """Try all pairs of recorded and declared sets with stamps that have only two digests.

    A value that differs from the record is never proven if the record may be right.
    """
    found = Findings()
    sets = [
        dict(zip(("personal", "quick"), values, strict=False)) for values in itertools.product((False, True), repeat=2)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _stamp, "_digest", lambda _token, name, _part, settings: 1 + (len(name) + sum(settings.values())) % 2
        )
        for recorded, declared, name in itertools.product(sets, sets, ("Toko", "Tokos")):
            found.schedules += 1
            code = _stamp.make_code("token", name, {"own": recorded}, None)
            record = DeviceRecord().mark_confirmed(recorded, "2026-11-22T09:00:00Z", code)
            stamp = _stamp.read_stamp("token", _stamp.stamped_name(name, code))
            if stamp is None:
                continue
            known = _evidence.known_settings({}, record)
            weighed = _evidence.apply_stamp(known, declared, {}, stamp, _evidence.find_origin(stamp, record))
            wrong = [
                option
                for option, value in recorded.items()
                if weighed[option].proven and weighed[option].value != value
            ]
            if wrong and not found.problem:
                found.problem = f"bound: {wrong} proven, recorded {recorded}, declared {declared}"
                break
    return found


BUGS = {
    "a list from before the lock for a deletion": Bug(_act_on_an_old_list, _swap_before_a_deletion),
    "clocks compared, one node 30 s behind": Bug(_compare_clocks, _two_updates(0.0, -30.0)),
    "clocks compared, one node 30 s ahead": Bug(_compare_clocks_under_the_locks, _two_updates(0.0, 30.0)),
    "the mark taken after the response": Bug(_mark_after_the_response, _two_updates(0.0, 0.0)),
    "a compare-and-set that refreshes": Bug(_refresh_what_is_compared, _cut_sessions),
    "a confirmation before the response": Bug(_confirm_before_the_response, _lost_responses),
    "a swapped creation entry": Bug(_bind_nothing, _swapped_entries),
    "the declaration proven before the record": Bug(_prove_the_declaration_first, search_digests),
}
# Searches for bugs that concern sessions use the model of a database.
ON_ROWS = ("a compare-and-set that refreshes",)
