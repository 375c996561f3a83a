# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The interface of a place that stores the record: names, encrypted strings, locks, and marks.

``RecordStore`` encrypts and decrypts; a backend handles only keyed digests as names, and encrypted strings. There are
two backends: files in a directory, and a PostgreSQL database. Both pass ``test_backend_contract.py``.

A run uses it as follows, for the names of one device (a creation entry ``number-…``, and a record ``device-…``)::

    mark = backend.mark(names)              # before /get-devices is requested
    ...                                     # /get-devices, then:
    strings = backend.read(names)           # the plan is created from these
    with backend.lock(names, seconds):      # only if there is work to do
        if backend.stale(mark, names):      # another run may have written since the mark: observe again, under the
            ...                             # locks. A response that was requested under them needs no mark.
        backend.put([Write(name, new, strings[name])], Phase.BEGIN)     # in doubt, before the request
        ...                                                             # the request
        backend.put([Write(name, newer, ...)], Phase.CONFIRM)           # a success was read

No decision depends on the clock of a control node, except that a time limit may refuse or delay.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from .._common.errors import RecordError

if t.TYPE_CHECKING:
    from typing import Protocol
else:
    # Python 3.7 has no Protocol, and only the type checker uses it.
    Protocol = object

# Compared for equality only. Each write has a new revision, even if it writes the same string again.
Revision = t.Hashable

# Only the backend that has returned a mark can read it.
Mark = t.NewType("Mark", object)


class Phase(enum.Enum):
    """The purpose of a write.

    Attributes:
        BEGIN: Values are in doubt from now on; a request follows. Durable before ``put`` returns. The names become
            open: until they are closed, no mark is valid for them.
        CONFIRM: The response was read. Closes the names. After a power failure, the strings of the BEGIN may return.
        EDIT: No request follows, as in a restore. Durable before ``put`` returns.
    """

    BEGIN = "begin"
    CONFIRM = "confirm"
    EDIT = "edit"


@dataclass(frozen=True)
class Stored:
    """An encrypted string as it was read.

    Attributes:
        text: The string; None if there is no entry.
        revision: The revision of the write that stored it. A missing entry has a revision, too.
        fault: Why this entry cannot be read now. Its string is then unknown, and nothing may be written.
    """

    text: bytes | None
    revision: Revision
    fault: RecordError | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Write:
    """A string to write.

    Attributes:
        name: The entry.
        text: The new string; None removes the entry.
        planned: The string that the plan was created from, as ``read`` or the last ``put`` of this run returned it.
            Never a string that was read to check it: that would accept the write of another run.
        keep_damaged: Whether the present string cannot be decrypted, and must be kept under another name: see
            ``damaged``.
    """

    name: str
    text: bytes | None
    planned: Stored
    keep_damaged: bool = False


@dataclass(frozen=True)
class StorageCheck:
    """The facts on the place of a record, for ``fonnte_record_info`` and the API behavior check.

    Attributes:
        place: As in ``Backend.place``, absolute.
        exists: Whether it exists. The first run that must write creates it.
        writable: Whether a run could write it.
        mode: The permissions of a directory, such as ``0700``; None if there is none.
        persistent: Whether it probably still exists for later runs; None if that is unknown.
        reason: The reason for that, in a sentence.
    """

    place: str
    exists: bool
    writable: bool
    mode: str | None
    persistent: bool | None
    reason: str


class Backend(Protocol):
    """A place that stores the record. Threads of one process may share an object, and work on different names.

    Each method raises RecordError if the place cannot be read or written; its text never contains a secret.
    """

    @property
    def place(self) -> str:
        """The place, for messages: a directory as the user wrote it, or host and database without a password."""

    @property
    def is_remote(self) -> bool:
        """Whether each access is a round trip. A batch is then faster than single reads, and a mark needs no names."""

    def label(self, name: str) -> str:
        """Return where an entry is stored, for messages."""

    # Reading

    def mark(self, names: t.Collection[str] = ()) -> Mark:
        """Return a mark of the present time. It must be taken before /get-devices or /device is requested.

        Args:
            names: The entries that the run may write, as far as they are known before the response. A backend that can
                later list the writes to all entries needs none. For other backends, an existing entry that is missing
                here is stale until a response was requested under its lock.
        """

    def stale(self, mark: Mark, names: t.Collection[str]) -> t.Collection[str]:
        """Return the names that another run may have written since the mark; without I/O if there are no names.

        Under the locks of the names, the result is final. Before that, as for the devices of a fleet that have work, it
        may change. A name is also stale if it was open at the mark or when it was locked. All names are stale if the
        mark comes from another place, or from a database session that has ended.
        """

    def read(self, names: t.Collection[str]) -> dict[str, Stored]:
        """Return the strings of some entries, including missing ones, in one batch.

        Raises:
            RecordError: The place cannot be read. If only one entry cannot be read, such as a file that belongs to
                another user, the error is in its ``Stored.fault`` instead.
        """

    def names(self) -> list[str]:
        """Return the names of all entries, of every account, sorted."""

    def is_empty(self) -> bool:
        """Return whether there is no entry at all, of any account."""

    def damaged(self) -> list[str]:
        """Return the names under which strings that could not be decrypted were kept, sorted."""

    # Locking

    def lock(self, names: t.Sequence[str], seconds: float) -> t.ContextManager[None]:
        """Hold entries for one run, in the order given, all or none.

        The caller sorts them: creation entries before records, each by name. A name that this object already holds is
        not given again. When the context ends, names that are still open are closed, except after an exception that is
        not an ``Exception``: the process is then about to end.

        Args:
            names: The entries.
            seconds: How long to wait while another run holds one.

        Raises:
            RecordLockedError: Another run still holds one; with its name, host and age if they are known.
        """

    def left_open(self, names: t.Collection[str]) -> t.Collection[str]:
        """Return those of some held names that were open when they were locked: the previous run has died."""

    def verify_held(self) -> None:
        """Check that the locks are still held, before the bytes of a write to the service are sent.

        A backend whose locks can be lost, as with a database session, renews its proof that they are held.

        Raises:
            RecordError: They are lost; the request must not be sent.
        """

    def reopen(self) -> Backend | None:
        """Return another connection to the place if the locks of this one are lost; None if they are held.

        Only for the values of a request that was sent: no earlier read or lock applies to this connection.
        """

    # Writing

    def put(self, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        """Write strings, all or none if that is possible, and return them with their new revisions.

        The names are held. A name that is not held is held for this write only, if no other run holds it.

        Raises:
            RecordChangedError: An entry is not at the revision of ``planned``; nothing was written.
            RecordError: They cannot be written.
        """

    # The place

    def check_writable(self) -> None:
        """Check without any change whether entries can be written; RecordError if not."""

    def warnings(self) -> list[str]:
        """Return the warnings about the place."""

    def health(self) -> StorageCheck:
        """Return the facts on the place, without any change."""
