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
from .._common.errors import RecordError, RecordHeldError
from .._record.files import SealedFile

# Another run may hold a device for as long as its requests and their retries last.
LOCK_SECONDS = 300.0


class Hold(contextlib.ExitStack):
    """The locks of one run, taken in the order of all runs: numbers before devices, each sorted by name.

    Args:
        clock: Returns this moment, by the clock that measures the age of a listing.

    Attributes:
        since: When the newest of its locks was taken; None while it holds none.
        waited: Whether another run held one of them.
        waits: Whether it waits for a lock. A fleet that holds the locks of many devices does not.
    """

    def __init__(self, clock: t.Callable[[], Moment] = Moment.now) -> None:
        super().__init__()
        self._clock = clock
        self._held: dict[str, tuple[bool, str]] = {}
        self.since: Moment | None = None
        self.waited = False
        self.waits = True

    def holds(self, files: t.Iterable[SealedFile[t.Any]]) -> bool:
        """Return whether all of these files are held."""
        return all(file.path in self._held for file in files)

    def take(self, files: t.Iterable[SealedFile[t.Any]], seconds: float) -> None:
        """Hold files that are not held yet; RecordHeldError where another run does not let go within the seconds."""
        for file in sorted(files, key=_rank):
            if file.path not in self._held:
                # With a later lock in hand, this one may belong to a run that waits for that lock.
                in_order = not self._held or _rank(file) > max(self._held.values())
                self._take(file, seconds if self.waits and in_order else 0.0)
                self._held[file.path] = _rank(file)
                self.since = self._clock()

    def _take(self, file: SealedFile[t.Any], seconds: float) -> None:
        try:
            self.enter_context(file.lock(0.0))
        except RecordHeldError:
            if not seconds:
                raise
            self.waited = True
            self.enter_context(file.lock(seconds))


def _rank(file: SealedFile[t.Any]) -> tuple[bool, str]:
    return file.name.startswith("device-"), file.name


Key = t.TypeVar("Key", bound=t.Hashable)


def take_all(
    holds: t.Mapping[Key, Hold], files: t.Mapping[Key, t.Iterable[SealedFile[t.Any]]]
) -> dict[Key, RecordError]:
    """Take the files of many runs in the order of locking, and wait for no more of them afterwards.

    Args:
        holds: The locks of each run.
        files: The files of each run, under the same keys.

    Returns:
        Why the files of some runs cannot be taken, by their keys.
    """
    faults: dict[Key, RecordError] = {}
    pairs = [(key, file) for key, wanted in files.items() for file in wanted]
    for key, file in sorted(pairs, key=lambda pair: _rank(pair[1])):
        if key not in faults:
            try:
                holds[key].take([file], LOCK_SECONDS)
            except RecordError as fault:
                faults[key] = fault
    for hold in holds.values():
        hold.waits = False
    return faults
