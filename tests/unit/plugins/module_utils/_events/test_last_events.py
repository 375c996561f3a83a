# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of the last events: bounded, atomic, without content of messages, and never a delay."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import last_events as _module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.last_events import (
    MAX_BYTES,
    MAX_NUMBERS,
    LastEvents,
    LastEventsWriter,
    parse_last_events,
    read_last_events,
)

NUMBER = "6281200001001"
START = "2026-11-20T00:00:00Z"


class Clock:
    """A clock that advances by one second with each event."""

    def __init__(self) -> None:
        self.seconds = -1

    def __call__(self) -> str:
        self.seconds += 1
        return f"2026-11-20T00:00:{self.seconds:02}Z"


def writer_at(path: Path, reported: list[str | None] | None = None) -> LastEventsWriter:
    return LastEventsWriter(str(path), (reported if reported is not None else []).append, Clock())


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def write(writer: LastEventsWriter) -> None:
    writer.begin_write()
    wait_until(writer.is_idle)
    writer.begin_write()
    wait_until(writer.is_idle)


def test_file_has_numbers_kinds_and_times_only(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    writer = writer_at(path)
    write(writer)
    assert json.loads(path.read_text()) == {
        "format": "fonnte.whatsapp/last-events",
        "version": 1,
        "since": START,
        "devices": {},
    }
    writer.record(NUMBER, "incoming")
    writer.record(NUMBER, "connect")
    writer.record(NUMBER, "incoming")
    write(writer)
    assert path.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == ["last.json"]
    read = read_last_events(str(path), "x")
    assert read.devices == {NUMBER: {"incoming": "2026-11-20T00:00:03Z", "connect": "2026-11-20T00:00:02Z"}}
    moment = datetime(2026, 11, 20, 0, 1, tzinfo=timezone.utc)
    assert read.last(NUMBER, moment) == ("incoming", "2026-11-20T00:00:03Z", 57)
    assert read.last("6281200001002", moment) is None
    # A clock that was set back gives no negative age.
    assert (read.last(NUMBER, datetime(2026, 11, 19, tzinfo=timezone.utc)) or ("", "", 1))[2] == 0


@pytest.mark.parametrize("number", [None, "", "123", "1" * 16, "{{ 1 }}", "62812000010\u0661", 6281200001001, "a" * 12])
def test_invalid_number_is_not_stored(number: object) -> None:
    events = LastEvents(START)
    events.record(number, "incoming", START)
    assert events.devices == {}


def test_earlier_run_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    first = writer_at(path)
    first.record(NUMBER, "incoming")
    write(first)
    second = LastEventsWriter(str(path), [].append, lambda: "2026-11-29T00:00:00Z")
    second.load()
    second.record("6281200001002", "connect")
    write(second)
    read = read_last_events(str(path), "x")
    assert read.since == START and set(read.devices) == {NUMBER, "6281200001002"}


def test_size_is_bounded_and_the_oldest_number_is_dropped() -> None:
    events = LastEvents(START)
    numbers = [f"62812{index:010}" for index in range(MAX_NUMBERS + 5)]
    for number in numbers[:MAX_NUMBERS]:
        for kind in ("incoming", "connect", "status", "chaining"):
            events.record(number, kind, START)
    events.record(numbers[0], "incoming", START)
    for number in numbers[MAX_NUMBERS:]:
        events.record(number, "incoming", START)
    assert len(events.devices) == MAX_NUMBERS
    assert numbers[0] in events.devices and not set(numbers[1:6]) & set(events.devices)
    assert len(events.encode()) < MAX_BYTES
    assert parse_last_events(events.encode()).devices == events.devices


def test_full_disk_is_reported_once_and_the_next_write_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reported = tmp_path / "last.json", []
    writer = writer_at(path, reported)
    write(writer)
    before = path.read_bytes()

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(_module, "write_in", full)
        for _event in range(3):
            writer.record(NUMBER, "incoming")
            write(writer)
        assert path.read_bytes() == before
        assert reported == [f"{path} cannot be written (No space left on device)"]
    write(writer)
    write(writer)
    assert reported[1:] == [None]
    assert read_last_events(str(path), "x").devices == {NUMBER: {"incoming": "2026-11-20T00:00:03Z"}}


def test_disk_that_hangs_delays_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, released, begun = tmp_path / "last.json", threading.Event(), []
    writer = writer_at(path)
    write_in = _module.write_in

    def slow(*arguments: object) -> None:
        begun.append(1)
        assert released.wait(30)
        write_in(*arguments)

    monkeypatch.setattr(_module, "write_in", slow)
    writer.begin_write()
    for _event in range(50):
        writer.record(NUMBER, "incoming")
        writer.begin_write()
    assert not writer.is_idle() and not path.exists()
    # The thread does not keep the process from ending.
    assert writer._thread is not None and writer._thread.daemon
    released.set()
    wait_until(writer.is_idle)
    write(writer)
    assert len(begun) == 2
    assert read_last_events(str(path), "x").devices[NUMBER] == {"incoming": "2026-11-20T00:00:50Z"}


def test_unchanged_events_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    writer = writer_at(path)
    write(writer)
    inode = path.stat().st_ino
    write(writer)
    assert path.stat().st_ino == inode


def test_temporary_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    left = tmp_path / ".last.json.0123.new"
    left.write_text("{")
    os.utime(left, (0, 0))
    write(writer_at(path))
    assert os.listdir(tmp_path) == ["last.json"]


GOOD = {"format": "fonnte.whatsapp/last-events", "version": 1, "since": START, "devices": {NUMBER: {"incoming": START}}}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "[" * 100_000,
        "\xff",
        {**GOOD, "format": "other"},
        {**GOOD, "version": 2},
        {**GOOD, "since": None},
        {**GOOD, "since": START + "\n"},
        {**GOOD, "devices": []},
        {**GOOD, "devices": {"{{ 1 }}": {}}},
        {**GOOD, "devices": {NUMBER: []}},
        {**GOOD, "devices": {NUMBER: {"other": START}}},
        {**GOOD, "devices": {NUMBER: {"incoming": "yesterday"}}},
        {**GOOD, "devices": {NUMBER: {"incoming": "2026-02-30T10:00:00Z"}}},
        {**GOOD, "since": "0000-01-01T10:00:00Z"},
        {**GOOD, "devices": {NUMBER: {"incoming": 1}}},
        {**GOOD, "devices": {str(10**9 + place): {} for place in range(MAX_NUMBERS + 1)}},
        " " * (MAX_BYTES + 1),
    ],
)
def test_damaged_file_is_refused_by_the_audit_and_set_aside_by_the_source(tmp_path: Path, content: object) -> None:
    path = tmp_path / "last.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="latin-1")
    damaged = path.read_bytes()
    with pytest.raises(OptionError, match="Option audited: .*last.json is not a file of last events; name the file"):
        read_last_events(str(path), "audited")
    writer = writer_at(path)
    warning = writer.load()
    assert warning == f"{path} is not a file of last events, so it was renamed to {path}.damaged, and a new one begins."
    assert not path.exists() and (tmp_path / "last.json.damaged").read_bytes() == damaged
    writer.record(NUMBER, "incoming")
    write(writer)
    assert read_last_events(str(path), "x").devices == {NUMBER: {"incoming": "2026-11-20T00:00:01Z"}}
    assert writer_at(path).load() == ""


def test_damaged_file_that_cannot_be_renamed_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    path.write_text("{")
    (tmp_path / "last.json.damaged" / "other").mkdir(parents=True)
    writer = writer_at(path)
    warning = writer.load()
    assert (
        warning
        == f"{path} is not a file of last events, so a new one replaces it. It was not renamed (Is a directory)."
    )
    write(writer)
    assert read_last_events(str(path), "x").since == START


def test_second_damaged_file_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    for content in ("first", "second"):
        path.write_text(content)
        assert writer_at(path).load()
    assert os.listdir(tmp_path) == ["last.json.damaged"] and (tmp_path / "last.json.damaged").read_text() == "second"


def test_missing_file_is_an_error_of_the_audit_only(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"Option audited: .* cannot be read \(No such file or directory\)"):
        read_last_events(str(tmp_path / "last.json"), "audited")
    assert writer_at(tmp_path / "last.json").load() == ""
    (tmp_path / "empty.json").write_text("")
    assert writer_at(tmp_path / "empty.json").load() == ""


def test_pipe_and_directory_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OptionError, match="cannot be read"):
            read_last_events(str(path), "audited")
    with pytest.raises(OptionError):
        writer_at(tmp_path / "pipe").load()
