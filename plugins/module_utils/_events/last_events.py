# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The file of the last events: the time of the last event of each kind, for each number.

The event source writes it, and the audit reads it as the only proof that webhooks arrive. It contains numbers, kinds and
times, and the time at which the recording began. It contains nothing of a message or its sender.
"""

from __future__ import annotations

import collections
import json
import os
import re
import threading
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from .._common.atomic_files import remove_stale_temp_files, sync_directory, write_in
from .._common.clock import LAST_TIME, age, now_text
from .._common.destinations import close_descriptor, open_directory
from .._common.errors import OptionError
from .._common.input_files import read_start
from .payload import KINDS

FORMAT = "fonnte.whatsapp/last-events"
VERSION = 1
MODE = 0o600
# The suffix of a damaged file that was renamed.
DAMAGED_END = ".damaged"
# The limits of the file. If there are more numbers, those without an event for the longest time are dropped.
MAX_NUMBERS = 10_000
MAX_BYTES = 4 * 1024 * 1024

_NUMBER = re.compile(r"[0-9]{8,15}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class LastEvent(t.NamedTuple):
    """The last event of a number: its kind, its time, and its age in seconds."""

    kind: str
    at: str
    age: int


@dataclass
class LastEvents:
    """The content of the file.

    Attributes:
        since: When the recording began.
        devices: The time of the last event of each kind, by the canonical form of the number.
    """

    since: str
    devices: t.MutableMapping[str, dict[str, str]] = field(default_factory=collections.OrderedDict)

    def record(self, number: object, kind: str, at: str) -> None:
        """Store the time of an event. One without a valid number is not stored, since any client may send one."""
        if not isinstance(number, str) or not _NUMBER.fullmatch(number):
            return
        # The number with the latest event is the last one.
        self.devices[number] = {**self.devices.pop(number, {}), kind: at}
        while len(self.devices) > MAX_NUMBERS:
            del self.devices[next(iter(self.devices))]

    def copy(self) -> LastEvents:
        """Return a copy that later events do not change."""
        return LastEvents(self.since, dict(self.devices))

    def encode(self) -> bytes:
        """Return the content of the file."""
        head = {"format": FORMAT, "version": VERSION, "since": self.since}
        return json.dumps({**head, "devices": self.devices}).encode("ascii") + b"\n"

    def last(self, number: str, moment: datetime) -> LastEvent | None:
        """Return the last event of a number, in its canonical form, before a moment; None if there is none."""
        times = self.devices.get(number)
        if not times:
            return None
        at, kind = max((at, kind) for kind, at in times.items())
        return LastEvent(kind, at, max(0, int(age(at, moment))))


def parse_last_events(content: bytes) -> LastEvents:
    """Parse the content of the file.

    Raises:
        ValueError: It is not a file of the event source.
    """
    data = json.loads(content)
    if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise ValueError("format")
    devices = data.get("devices")
    if not _is_time(data.get("since")) or not isinstance(devices, dict) or len(devices) > MAX_NUMBERS:
        raise ValueError("devices")
    for number, times in devices.items():
        if not _NUMBER.fullmatch(number) or not isinstance(times, dict):
            raise ValueError("number")
        if not set(times) <= set(KINDS) or not all(map(_is_time, times.values())):
            raise ValueError("time")
    return LastEvents(data["since"], collections.OrderedDict(devices))


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    # The pattern alone would accept the 30th of February.
    return age(value, LAST_TIME) != float("inf")


def read_last_events(path: str, option: str) -> LastEvents:
    """Read the file that an option names. Nothing but a complete file of the event source is accepted.

    Raises:
        OptionError: It cannot be read, or is not a file of the event source.
    """
    events = _read(path, option)
    if events is None:
        raise _file_error(option, f"{path} is not a file of last events")
    return events


def _read(path: str, option: str) -> LastEvents | None:
    """Return the content of the file; None if it is not a complete file of the event source."""
    try:
        content = read_start(path, MAX_BYTES + 1)
    except OSError as exc:
        raise _file_error(option, f"{path} cannot be read ({exc.strerror})") from None
    try:
        return parse_last_events(content) if len(content) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        return None


def _file_error(option: str, problem: str) -> OptionError:
    return OptionError(option, problem, "name the file that the option last_events_file of the event source names")


class LastEventsWriter:
    """Keeps the file up to date, in a thread, so that a slow or full disk delays no event.

    Args:
        path: The file.
        report: Takes the reason why the file cannot be written, once, and None after it was written again.
        clock: Returns the current time.
    """

    def __init__(
        self, path: str, report: t.Callable[[str | None], None], clock: t.Callable[[], str] = now_text
    ) -> None:
        self._path = path
        self._report = report
        self._clock = clock
        self._events = LastEvents(clock())
        # The file is written at the start, so that the audit finds it before the first event.
        self._changed = True
        self._thread: threading.Thread | None = None
        self._problem: str | None = None
        self._reported: str | None = None

    def load(self) -> str:
        """Continue the file of an earlier run. A damaged file is renamed, and must not prevent the start.

        Returns:
            A warning about a damaged file; empty if there is none.

        Raises:
            OptionError: The path is not a regular file, or the file cannot be read.
        """
        if not os.path.lexists(self._path) or (os.path.isfile(self._path) and not os.path.getsize(self._path)):
            return ""
        events = _read(self._path, "last_events_file")
        if events is None:
            return self._set_aside()
        self._events = events
        return ""

    def _set_aside(self) -> str:
        """Rename the damaged file, so that its content is not lost; return a warning."""
        problem = f"{self._path} is not a file of last events"
        directory, name = os.path.split(self._path)
        try:
            descriptor = open_directory(directory)
            try:
                os.replace(name, name + DAMAGED_END, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            finally:
                close_descriptor(descriptor)
        except OSError as exc:
            return f"{problem}, so a new one replaces it. It was not renamed ({exc.strerror})."
        return f"{problem}, so it was renamed to {self._path}{DAMAGED_END}, and a new one begins."

    def record(self, number: object, kind: str) -> None:
        """Store the time of an event; the file is written later."""
        self._events.record(number, kind, self._clock())
        self._changed = True

    def is_idle(self) -> bool:
        """Return whether no write is in progress."""
        return self._thread is None or not self._thread.is_alive()

    def begin_write(self) -> None:
        """Begin to write the file if it has changed, unless a write is still in progress."""
        if not self.is_idle():
            return
        self._end_write()
        if self._changed:
            self._changed = False
            # A daemon, so that a disk that hangs does not keep the process from ending.
            thread = threading.Thread(target=self._write, args=(self._events.copy(),), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # The limit of processes was reached. The next step tries again.
                self._problem = f"{self._path} cannot be written (no thread can be started)"
                return
            self._thread = thread

    def _end_write(self) -> None:
        """Report the result of the last write. After a failure, the next write tries again."""
        if self._problem is not None:
            self._changed = True
        if self._problem != self._reported:
            self._reported = self._problem
            self._report(self._problem)

    def _write(self, events: LastEvents) -> None:
        directory, name = os.path.split(self._path)
        try:
            descriptor = open_directory(directory)
            try:
                remove_stale_temp_files(descriptor, name)
                write_in(descriptor, name, events.encode(), MODE)
                sync_directory(descriptor)
            finally:
                close_descriptor(descriptor)
        except OSError as exc:
            self._problem = f"{self._path} cannot be written ({exc.strerror})"
        else:
            self._problem = None
