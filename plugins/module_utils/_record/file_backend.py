# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The record as files in one directory: an implementation of ``Backend``.

An entry is a file of strings, one per line, of which the last complete one is valid. Values in doubt replace the file
and are durable. The confirmation is appended and may be lost in a power failure: the values are then in doubt again.
Each file has a lock file, with a nonce that shows each write to other runs.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
import typing as t
from dataclasses import dataclass

from .._common.errors import RecordChangedError, RecordError, RecordLockedError
from .backend import Mark, Phase, StorageCheck, Stored, Write
from .directory import RecordDirectory
from .encryption import is_name, owner_of
from .lock_files import LockFile, LockFiles, is_closed, is_open, new_content
from .storage_check import check_storage

LOCK_POLL_SECONDS = 0.05
# The names of a hundred devices. They are read in a few milliseconds, which is less than a request takes.
MAX_MARKED = 200
# A file with more strings than this is replaced by the next string.
MAX_FILE_BYTES = 64 * 1024
_DAMAGED = re.compile(r"(?:device|number)-[0-9a-f]{32}\.damaged-[0-9]+")
_ENDS = re.compile(rb"[\n\0]+")
_MISSING = Stored(None, None)


@dataclass
class _Held:
    """An entry that this object holds.

    Attributes:
        lock: Its lock file.
        found: The content of the lock file when it was locked.
        content: The present content of the lock file.
        present: The string of the entry if it is known, such as after a write of this run.
        size: The size of its file, where the next string can be appended.
    """

    lock: LockFile
    found: bytes
    content: bytes
    present: Stored | None = None
    size: int | None = None


@dataclass(frozen=True)
class _FileMark:
    """The contents of lock files at one time: None for a missing file, and the lock itself for a lock that is held.

    A name that is not in the mark counts as a missing file.
    """

    place: str
    contents: t.Mapping[str, object]


class FileBackend:
    """The record in a directory.

    Args:
        directory: The directory.
        locks: Its lock files.
        sleep: Waits for some seconds.
        clock: Measures how long a run has waited.
        max_marked: A mark contains all lock files if there are at most this many; otherwise only those of its names.
    """

    def __init__(
        self,
        directory: RecordDirectory,
        locks: LockFiles | None = None,
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
        max_marked: int = MAX_MARKED,
    ) -> None:
        self._directory = directory
        self._locks = locks or LockFiles(directory)
        self._sleep = sleep
        self._clock = clock
        self._max_marked = max_marked
        self._held: dict[str, _Held] = {}
        # The threads of a fleet share this object.
        self._guard = threading.Lock()

    is_remote = False

    @property
    def place(self) -> str:
        """The directory as the user wrote it."""
        return self._directory.path

    def label(self, name: str) -> str:
        """Return the path of the file of an entry."""
        return self._directory.full_path(name)

    # Reading

    def mark(self, names: t.Collection[str] = ()) -> Mark:
        """Return the contents of the lock files of these names, and of all others if there are only a few.

        A loop in one process does not know its next items in advance. With all names in the mark, these items do not
        need another list.
        """
        marked = {*names, *self._locks.names(self._max_marked)}
        contents = {name: self._held.get(name) or self._locks.peek(name) for name in marked}
        return Mark(_FileMark(os.path.abspath(self.place), contents))

    def stale(self, mark: Mark, names: t.Collection[str]) -> t.Collection[str]:
        """Return the names that another run may have written since the mark."""
        if not isinstance(mark, _FileMark) or mark.place != os.path.abspath(self.place):
            return list(names)
        return [name for name in names if not self._is_fresh(mark, name)]

    def _is_fresh(self, mark: _FileMark, name: str) -> bool:
        seen, held = mark.contents.get(name), self._held.get(name)
        if held is None:
            present = self._locks.peek(name)
            return seen == present and (present is None or is_closed(present))
        if seen is None:
            # No run has ever written an entry whose lock file was created by this run.
            return held.lock.created and not held.found
        return seen is held or (seen == held.found and is_closed(held.found))

    def read(self, names: t.Collection[str]) -> dict[str, Stored]:
        """Return the strings of some entries."""
        return {name: self._read(name) for name in names}

    def _read(self, name: str) -> Stored:
        held = self._held.get(name)
        if held is not None and held.present is not None:
            return held.present
        return self._read_file(name)[0]

    def _read_file(self, name: str) -> tuple[Stored, int | None]:
        """Return the string of an entry, and the size of its file if another string can be appended."""
        try:
            data = self._directory.read(name)
        except RecordError as fault:
            return Stored(None, None, fault), None
        if data is None:
            return _MISSING, None
        text, complete = _last_string(data)
        return Stored(text, text), len(data) if complete and len(data) < MAX_FILE_BYTES else None

    def names(self) -> list[str]:
        """Return the names of all entries, without lock files and damaged files."""
        return [name for name in self._directory.names() if is_name(name)]

    def is_empty(self) -> bool:
        """Return whether there is no entry at all."""
        return not self.names()

    def damaged(self) -> list[str]:
        """Return the names of the files that could not be decrypted and were kept under another name."""
        return [name for name in self._directory.names() if _DAMAGED.fullmatch(name)]

    # Locking

    @contextlib.contextmanager
    def lock(self, names: t.Sequence[str], seconds: float) -> t.Iterator[None]:
        """Hold entries for one run, in the order given, all or none."""
        give_up = self._clock() + seconds
        used: list[str] = []
        is_dying = False
        try:
            for name in names:
                held = self._acquire(name, give_up, seconds)
                with self._guard:
                    self._held[name] = held
                used.append(name)
            yield
        except Exception:
            raise
        except BaseException:
            # The process is about to end, and its request may still be applied, so the names stay open for the next
            # run.
            is_dying = True
            raise
        finally:
            for name in reversed(used):
                self._release(name, is_dying)

    def _acquire(self, name: str, give_up: float, seconds: float) -> _Held:
        """Lock the file that has this name now: the lock of a file that was replaced excludes no other run."""
        while True:
            lock = self._locks.open(name)
            try:
                while not self._locks.acquire(lock):
                    if self._clock() >= give_up:
                        raise _held(seconds)
                    self._sleep(LOCK_POLL_SECONDS)
                if self._locks.is_in_place(name, lock):
                    found = self._locks.content(lock)
                    return _Held(lock, found, found)
            except BaseException:
                self._locks.close(lock)
                raise
            self._locks.close(lock)
            if self._clock() >= give_up:
                raise _held(seconds)

    def _release(self, name: str, is_dying: bool) -> None:
        with self._guard:
            held = self._held.pop(name)
        try:
            if is_open(held.content) and held.content != held.found and not is_dying:
                # A failure does no harm: an open name only causes the next run to observe again.
                with contextlib.suppress(RecordError):
                    self._locks.write(held.lock, new_content(is_open=False))
        finally:
            self._locks.close(held.lock)

    def left_open(self, names: t.Collection[str]) -> t.Collection[str]:
        """Return the held names whose last run has died between a request and its response."""
        return [name for name in names if name in self._held and is_open(self._held[name].found)]

    def reopen(self) -> None:
        """Return None: the lock of a file ends only with this process."""

    def verify_held(self) -> None:
        """Do nothing: the lock of a file lasts as long as the process that holds it."""

    # Writing

    def put(self, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        """Write strings, under locks that are held, or that are taken here if no other run holds them."""
        free = sorted({write.name for write in writes if write.name not in self._held})
        with self.lock(free, 0.0) if free else contextlib.nullcontext():
            for write in writes:
                self._check_planned(write)
            if phase is Phase.BEGIN:
                self._set_nonces(writes, opened=True)
            has_new_name = [self._write(write, phase) for write in writes]
            if phase is not Phase.CONFIRM and any(has_new_name):
                self._directory.sync()
            if phase is not Phase.BEGIN:
                self._set_nonces(writes, opened=False)
            return {write.name: t.cast(Stored, self._held[write.name].present) for write in writes}

    def _check_planned(self, write: Write) -> None:
        held = self._held[write.name]
        if held.present is None:
            held.present, held.size = self._read_file(write.name)
        fault = held.present.fault
        if fault is not None:
            held.present = None
            raise fault
        if held.present.revision != write.planned.revision:
            # The string was not written by this run, so it must be read again.
            held.present = None
            raise RecordChangedError(
                f"the record {self.label(write.name)} was written by another run in the meantime",
                "run the playbook again to plan with the present record",
            )

    def _set_nonces(self, writes: t.Iterable[Write], opened: bool) -> None:
        for write in writes:
            held = self._held[write.name]
            held.content = new_content(opened)
            self._locks.write(held.lock, held.content)

    def _write(self, write: Write, phase: Phase) -> bool:
        """Write one string, and return whether a name in the directory has changed."""
        held = self._held[write.name]
        size, held.size = held.size, None
        present, held.present = held.present, None
        if write.keep_damaged and present is not None and present.text is not None:
            self._directory.rename(write.name, f"{write.name}.damaged-{int(time.time())}")
        if write.text is None:
            self._directory.remove(write.name)
            held.present = _MISSING
            return True
        line = b"\n" + write.text + b"\n"
        appended = phase is Phase.CONFIRM and size is not None and self._directory.append(write.name, line, size)
        if not appended:
            self._directory.write(write.name, write.text)
        held.present = Stored(write.text, write.text)
        held.size = t.cast(int, size) + len(line) if appended else len(write.text)
        return not appended

    # The place

    def check_writable(self) -> None:
        """Check without any change whether the directory can be written; RecordError if not."""
        self._directory.check_writable()

    def warnings(self) -> list[str]:
        """Return the warnings about the directory."""
        return self._directory.warnings()

    def health(self) -> StorageCheck:
        """Return the facts on the directory."""
        return check_storage(self)


def _last_string(data: bytes) -> tuple[bytes, bool]:
    """Return the last complete string of a file, and whether another one can be appended.

    A power failure may have truncated a string that was appended, or filled a part of it with zeros. The string before
    it is then valid.
    """
    if b"\n" not in data and b"\0" not in data:
        return data, True
    if data.endswith(b"\n") and b"\0" not in data:
        # The usual case, without a search for a valid string.
        first, _separator, last = data[:-1].rpartition(b"\n")
        if first and owner_of(last):
            return last, True
    strings = [string for string in _ENDS.split(data) if string]
    is_whole = data.endswith(b"\n") and b"\0" not in data
    # The first string was durable before anything was appended, so it needs no line end.
    for string in reversed(strings[1:] if data.endswith(b"\n") else strings[1:-1]):
        if owner_of(string):
            return string, is_whole and string is strings[-1]
    return (strings[0] if strings else data), is_whole and len(strings) == 1


def _held(seconds: float) -> RecordLockedError:
    return RecordLockedError(
        f"another run has been working on this device for over {seconds:g} s",
        "wait for it to end, then run the playbook again",
    )
