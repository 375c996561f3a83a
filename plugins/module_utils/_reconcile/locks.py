# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The locks of a run, and the order in which all runs take them."""

from __future__ import annotations

import contextlib
import typing as t

from .._common.clock import Moment
from .._common.errors import RecordError, RecordLockedError
from .._record.files import EncryptedFile

if t.TYPE_CHECKING:
    from .._record.store import RecordStore

# Another run may hold a device for as long as its requests and their retries last.
LOCK_SECONDS = 300.0


class LockSet(contextlib.ExitStack):
    """The locks of one run, taken in the same order by all runs: creation entries before devices, each sorted by name.

    Args:
        records: The record.
        clock: Returns the present time, by the clock that measures the age of a list.

    Attributes:
        since: When the newest of its locks was taken; None while it holds none.
        waited: Whether another run held one of them.
        waits: Whether it may wait for a lock. False for a fleet that already holds the locks of many devices.
        created: The names of the records of devices that this run has created.
        left_open: The names that were left open by a run that has died.
    """

    def __init__(self, records: RecordStore, clock: t.Callable[[], Moment] = Moment.now) -> None:
        super().__init__()
        self._backend = records.backend
        self._clock = clock
        self._held: dict[str, tuple[bool, str]] = {}
        self.since: Moment | None = None
        self.waited = False
        self.waits = True
        self.created: set[str] = set()
        self.left_open: set[str] = set()

    def holds(self, files: t.Iterable[EncryptedFile[t.Any]]) -> bool:
        """Return whether all of these entries are held."""
        return all(file.name in self._held for file in files)

    def acquire(self, files: t.Iterable[EncryptedFile[t.Any]], seconds: float) -> None:
        """Lock the entries that are not held yet; RecordLockedError if another run holds one after the seconds."""
        ranks = {file.name: _rank(file) for file in files if file.name not in self._held}
        names = sorted(ranks, key=ranks.__getitem__)
        if not names:
            return
        # While this run holds a later lock, an earlier one may belong to a run that waits for the later one.
        in_order = not self._held or ranks[names[0]] > max(self._held.values())
        self._acquire(names, seconds if self.waits and in_order else 0.0)
        self._held.update(ranks)
        self.left_open.update(self._backend.left_open(names))
        self.since = self._clock()

    def _acquire(self, names: list[str], seconds: float) -> None:
        try:
            self.enter_context(self._backend.lock(names, 0.0))
        except RecordLockedError:
            if not seconds:
                raise
            self.waited = True
            self.enter_context(self._backend.lock(names, seconds))


def _rank(file: EncryptedFile[t.Any]) -> tuple[bool, str]:
    return file.name.startswith("device-"), file.name


Key = t.TypeVar("Key", bound=t.Hashable)


def acquire_all(
    lock_sets: t.Mapping[Key, LockSet], files: t.Mapping[Key, t.Iterable[EncryptedFile[t.Any]]]
) -> dict[Key, RecordError]:
    """Lock the entries of many runs in the order of locking. Afterwards, these runs no longer wait for a lock.

    Args:
        lock_sets: The locks of each run.
        files: The entries of each run, with the same keys.

    Returns:
        The errors of runs whose entries cannot be locked, by their keys.
    """
    faults: dict[Key, RecordError] = {}
    pairs = [(key, file) for key, wanted in files.items() for file in wanted]
    for key, file in sorted(pairs, key=lambda pair: _rank(pair[1])):
        if key not in faults:
            try:
                lock_sets[key].acquire([file], LOCK_SECONDS)
            except RecordError as fault:
                faults[key] = fault
    for locks in lock_sets.values():
        locks.waits = False
    return faults
