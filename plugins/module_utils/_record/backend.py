# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The interface of a place that stores the record: names, encrypted strings, locks, and marks.

``RecordStore`` encrypts and decrypts; a backend sees keyed digests as names, and encrypted strings. There are two:
files in a directory, and a PostgreSQL database. Both pass ``test_backend_contract.py``.

How a run uses it, for the names of one device (a creation entry ``number-…``, and a record ``device-…``)::

    mark = backend.mark(names)              # before /get-devices is requested
    ...                                     # /get-devices, then:
    strings = backend.read(names)           # the plan is made from these
    with backend.lock(names, seconds):      # only if there is work to do
        if backend.stale(mark, names):      # another run may have written since the mark: observe again, under the
            ...                             # locks. A response that was requested under them needs no mark.
        backend.put([Write(name, new, strings[name])], Phase.BEGIN)     # in doubt, before the request
        ...                                                             # the request
        backend.put([Write(name, newer, ...)], Phase.CONFIRM)           # a success was read

No clock of a control node decides anything here. A time limit may refuse or delay.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from .._common.errors import RecordError

if t.TYPE_CHECKING:
    from typing import Protocol
else:
    # Python 3.7 has none, and only the type checker uses it.
    Protocol = object

# Compared for equality only. It differs for each write, also where the same string is written again.
Revision = t.Hashable

# Belongs to the backend that has returned it; opaque to all others.
Mark = t.NewType("Mark", object)


class Phase(enum.Enum):
    """Why strings are written.

    Attributes:
        BEGIN: Values are in doubt from now on; a request follows. Durable before ``put`` returns. The names are open:
            until they are closed, no mark is valid for them.
        CONFIRM: The response was read. It closes the names. A power cut may bring back the strings of the BEGIN.
        EDIT: No request follows, as in a restore. Durable before ``put`` returns.
    """

    BEGIN = "begin"
    CONFIRM = "confirm"
    EDIT = "edit"


@dataclass(frozen=True)
class Stored:
    """An encrypted string as it was read.

    Attributes:
        text: The string; None where there is no entry.
        revision: The write that it comes from. That of a missing entry is a revision too.
        fault: Why this entry cannot be read now, so that its string is unknown; nothing may be written then.
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
            Never one that was read to check it: that would accept the write of another run.
        keep_damaged: Whether the present string does not decrypt, and must be kept aside: see ``damaged``.
    """

    name: str
    text: bytes | None
    planned: Stored
    keep_damaged: bool = False


@dataclass(frozen=True)
class StorageCheck:
    """The facts on the place of a record, for ``fonnte_record_info`` and the API behavior check.

    Attributes:
        folder: As in ``Backend.place``, absolute; the name is that of a key in results.
        exists: Whether it exists; the first run that has something to write creates it.
        writable: Whether a run could write it.
        mode: The permissions of a directory as ``0700``; None where there is none.
        lasting: Whether it probably still exists for later runs; None where nothing shows it.
        because: The reason, in a sentence.
    """

    place: str
    exists: bool
    writable: bool
    mode: str | None
    persistent: bool | None
    reason: str


class Backend(Protocol):
    """A place that stores the record. Threads of one process may share an object, and work on different names.

    Each method raises RecordError where the place cannot be read or written; its text never contains a secret.
    """

    @property
    def place(self) -> str:
        """Where the record is, for messages: a directory as the user wrote it, or host and database, no password."""

    @property
    def is_remote(self) -> bool:
        """Whether each call is a round trip. Then a batch is quicker than single reads, and a mark needs no names."""

    def label(self, name: str) -> str:
        """Return where an entry is, for messages."""

    # Reading

    def mark(self, names: t.Collection[str] = ()) -> Mark:
        """Return a mark of this moment. It must be taken before /get-devices or /device is requested.

        Args:
            names: The entries that the run may write, as far as they are known before the response. A backend that
                can tell of all entries what was written since needs none. For others, an existing entry that is
                missing here is stale until a response was requested under its lock.
        """

    def stale(self, mark: Mark, names: t.Collection[str]) -> t.Collection[str]:
        """Return the names that another run may have written since the mark; without I/O where there are none.

        Under their locks the answer is final. Before, as for the devices of a fleet that have work, it may change. A
        name is stale, too, where it was open at the mark, or when it was locked; and all names are where the mark
        comes from another place or from a database session that has ended.
        """

    def read(self, names: t.Collection[str]) -> dict[str, Stored]:
        """Return the strings of some entries, in one batch. Missing ones are among them.

        Raises:
            RecordError: The place cannot be read. A problem with one entry alone, as with a file that belongs to
                another user, is in its ``Stored.fault`` instead.
        """

    def names(self) -> list[str]:
        """Return the names of all entries, of whatever account, sorted."""

    def is_empty(self) -> bool:
        """Return whether there is no entry at all, of whatever account."""

    def damaged(self) -> list[str]:
        """Return the names under which strings that did not decrypt were kept aside, sorted."""

    # Locking

    def lock(self, names: t.Sequence[str], seconds: float) -> t.ContextManager[None]:
        """Hold entries for one run, in the order given, all or none.

        The caller sorts: creation entries before records, each by name. A name that this object holds already is not
        given again. When the context ends, names that are still open are closed, unless an exception ended it that
        is no ``Exception``: then the process is about to die.

        Args:
            names: The entries.
            seconds: How long to wait while another run holds one.

        Raises:
            RecordLockedError: Another run still holds one; with its name, host and age where they are known.
        """

    def left_open(self, names: t.Collection[str]) -> t.Collection[str]:
        """Return those of some held names that were open when they were locked: the run before has died."""

    def verify_held(self) -> None:
        """Check before the bytes of a write to the service go out that the locks are still held.

        A backend whose locks can be lost, as with a database session, renews what it must.

        Raises:
            RecordError: They are lost; the request must not go out.
        """

    def reopen(self) -> Backend | None:
        """Return another connection to the place where the locks of this one are lost; None where they are held.

        Only for values whose request was sent: nothing that was read or locked before applies to it.
        """

    # Writing

    def put(self, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        """Write strings, all or none where that is possible, and return them with their new revisions.

        The names are held. One that is not is held for this write, where no other run holds it.

        Raises:
            RecordChangedError: An entry is not at the revision of ``planned``; nothing was written.
            RecordError: They cannot be written.
        """

    # The place

    def check_writable(self) -> None:
        """Check without touching anything whether entries can be written; RecordError if not."""

    def warnings(self) -> list[str]:
        """Return the warnings about the place."""

    def health(self) -> StorageCheck:
        """Return the facts on the place, without touching anything."""
