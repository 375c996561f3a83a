# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twice as many devices need twice the work and not four times.

Operations are counted, since times depend on the machine.
"""

from __future__ import annotations

import csv
import typing as t
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import phone_numbers as _number
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages import message as _message
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import sheet as _module_sheet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.filters import Filter, choose
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record_admin import inventory as _record_view

FEW, MANY = 30, 60


class Counter:
    """Counts comparisons of spellings, and of whole values."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self._monkeypatch = monkeypatch
        self._count(_number, "canonical")
        self._count(_record_view.Owner, "__eq__")
        self._count(_message.Target, "__eq__")

    def _count(self, owner: object, name: str) -> None:
        real = getattr(owner, name)

        def counted(*args: t.Any) -> t.Any:
            self.calls += 1
            return real(*args)

        self._monkeypatch.setattr(owner, name, counted)

    def during(self, work: t.Callable[[], object]) -> int:
        before = self.calls
        work()
        return self.calls - before


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


def number(index: int) -> str:
    return f"0812{index:08}"


def elsewhere(index: int) -> str:
    """Return the same number in another spelling, since the exact one is found immediately."""
    return "62" + number(index)[1:]


def taking_over(folder: Path, count: int) -> dict[str, t.Callable[[], object]]:
    devices = [{"device": number(index), "name": f"Toko {index}", "autoread": True} for index in range(count)]

    def run(**given: str) -> object:
        params = {"dest": str(folder), "devices": devices, **given}
        complete = {option: params.get(option, spec.get("default")) for option, spec in _module_sheet.SHEET.items()}
        return _module_sheet.run_sheet(ModuleInput(complete, {}, check_mode=False, prints_secrets=False))

    def fill() -> object:
        sheet = folder / "hidden.csv"
        rows = [{**row, "quick": "yes"} for row in csv.DictReader(sheet.read_text("utf-8-sig").splitlines())]
        with sheet.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return run(sheet=str(sheet))

    return {"first": run, "again": run, "filled": fill}


def test_import_scales_linearly(tmp_path: Path, counter: Counter) -> None:
    few, many = taking_over(tmp_path / "few", FEW), taking_over(tmp_path / "many", MANY)
    counts = {what: (counter.during(few[what]), counter.during(many[what])) for what in few}
    assert all(0 < of_many <= 2 * of_few for of_few, of_many in counts.values()), counts


def test_filtering_a_list_scales_linearly(counter: Counter) -> None:
    def look(count: int) -> object:
        wanted = Filter(tuple(map(elsewhere, range(count))), frozenset(), "any", None, None, None)
        found = choose([Device(number(index), "token") for index in range(count)], wanted)
        assert len(found[0]) == count and not found[1]
        return found

    few, many = counter.during(lambda: look(FEW)), counter.during(lambda: look(MANY))
    assert 0 < many <= 2 * few


def test_filtering_the_record_scales_linearly(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(count: int) -> object:
        view = _record_view.RecordInventory(
            tuple(_record_view.Owner(number(index)) for index in range(count)), (), (), True
        )
        monkeypatch.setattr(_record_view, "scan", lambda _house, _numbers: view)
        reported, _warnings = _record_view.record_info(t.cast(t.Any, House()), tuple(map(elsewhere, range(count))))
        assert len(reported["devices"]) == count and not reported["missing"]
        return reported

    few, many = counter.during(lambda: look(FEW)), counter.during(lambda: look(MANY))
    assert 0 < many <= 2 * few


class Health:
    """The storage check of the record's directory, which is not counted here."""

    place = mode = writable = persistent = reason = ""


class House:
    """The run context, with only the damaged files."""

    @property
    def records(self) -> House:
        return self

    def damaged(self) -> list[str]:
        return []

    def health(self) -> Health:
        return Health()

    def write_warnings(self) -> list[str]:
        return []


def test_targets_of_a_message_scale_linearly(counter: Counter) -> None:
    def read(count: int) -> object:
        params = Params({"target": [*map(number, range(count)), number(0)], "msg": "hello"})
        message = _message.read_message(params, datetime.now(timezone.utc))
        assert len(message.targets) == count and message.repeated == (elsewhere(0),)
        return message

    # A target that is named twice is compared once.
    assert counter.during(lambda: read(MANY)) <= 2 * MANY


class Params(dict[str, t.Any]):
    """Options of which most are missing."""

    def __missing__(self, _key: str) -> None:
        return None
