# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The entries of the record. Each of them is replaced as a whole, locked, and encrypted only for itself."""

from __future__ import annotations

import typing as t

from .._common.errors import DamagedRecordError, ForeignRecordError, RecordError
from .backend import Backend, Phase, Stored, Write
from .encryption import Cipher, ForeignStringError
from .entries import Content


class RecordFile:
    """One entry of the record without its secret, which can be replaced, removed and locked.

    It stores the string that it has read or written last. A write replaces only that string.
    """

    def __init__(self, backend: Backend, name: str) -> None:
        self.backend = backend
        self.name = name
        self.stored: Stored | None = None

    @property
    def path(self) -> str:
        """Where the entry is stored, for messages."""
        return self.backend.label(self.name)

    def encrypted(self) -> bytes | None:
        """Return the present encrypted string; None if there is no entry. RecordError if it cannot be read."""
        self.stored = self.backend.read([self.name])[self.name]
        if self.stored.fault is not None:
            raise self.stored.fault
        return self.stored.text

    def write(self, sealed: bytes | None, phase: Phase = Phase.EDIT) -> None:
        """Write an encrypted string; None removes the entry.

        Raises:
            RecordChangedError: Another run has written the entry since it was read.
            RecordError: It cannot be written, or the present string cannot be read. That string may be valid, and is
                kept.
        """
        write_all([(self, sealed)], phase)

    def as_write(self, sealed: bytes | None) -> Write:
        """Return the write that replaces the string that was read; RecordError if that string is unknown."""
        if self.stored is None:
            self.encrypted()
        stored = t.cast(Stored, self.stored)
        if stored.fault is not None:
            raise stored.fault
        return Write(self.name, sealed, stored, self._is_damaged())

    def _is_damaged(self) -> bool:
        """Return whether the string that was read cannot be decrypted; False if there is no secret to try it."""
        return False

    def remove(self) -> None:
        """Remove the entry; RecordError if it cannot be removed."""
        self.write(None)

    def lock(self, seconds: float) -> t.ContextManager[None]:
        """Hold the entry for one process: two would overwrite each other's complete set of settings.

        Raises:
            RecordError: Another run held it for longer than the given seconds, or it cannot be locked.
        """
        return self.backend.lock([self.name], seconds)


class EncryptedFile(RecordFile, t.Generic[Content]):
    """An entry of the record with its secret.

    Attributes:
        content: The content that was read or written last; None if there was none, or it could not be decrypted.
    """

    def __init__(
        self,
        backend: Backend,
        cipher: Cipher,
        read: t.Callable[[t.Any], Content],
        label: t.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(backend, cipher.place.name)
        self._cipher = cipher
        self._from_json: t.Callable[[t.Any], Content] = read
        self._label = dict(label or {})
        self.content: Content | None = None
        self._opened: Stored | None = None
        self._fault: RecordError | None = None

    def load(self) -> tuple[Content | None, str]:
        """Return the content and an empty string, or None and the problem. A missing entry is no problem."""
        try:
            return self.read(), ""
        except RecordError as exc:
            return None, exc.problem

    def read(self) -> Content | None:
        """Return the present content of the entry; None if there is no entry.

        Raises:
            ForeignRecordError: It contains the string of another entry.
            DamagedRecordError: It cannot be decrypted.
            RecordError: It cannot be read now, so its content is unknown.
        """
        return self.load_stored(self.backend.read([self.name])[self.name])

    def load_stored(self, stored: Stored) -> Content | None:
        """Return the content of a string that was read for this entry; raises the errors of ``read``."""
        self.stored = stored
        if stored != self._opened or stored.fault is not None:
            self._open(stored)
        if self._fault is not None:
            raise self._fault
        return self.content

    def _open(self, stored: Stored) -> None:
        self.content, self._opened, self._fault = None, stored, stored.fault
        if stored.text is None:
            return
        try:
            self.content = self.decrypt(stored.text)
        except ForeignStringError as exc:
            self._fault = ForeignRecordError(
                f"the record {self.path} contains the entry of another file, {exc.owner}",
                "find out who else can write to its directory, and restore it from a backup, or let the next run set "
                "it aside",
            )
        except ValueError:
            self._fault = DamagedRecordError(
                f"the record {self.path} is damaged", "restore it from a backup, or let the next run set it aside"
            )

    def _is_damaged(self) -> bool:
        if self.stored != self._opened:
            self._open(t.cast(Stored, self.stored))
        return isinstance(self._fault, DamagedRecordError)

    def decrypt(self, sealed: bytes) -> Content:
        """Return the content of a string; ValueError if it was not encrypted for this entry, or is damaged."""
        return self._from_json(self._cipher.decrypt(sealed))

    def encrypt(self, content: Content) -> bytes:
        """Return content as a string that can only be decrypted for this entry."""
        return self._cipher.encrypt({**content.to_json(), **self._label})

    def save(self, content: Content | None, phase: Phase = Phase.EDIT) -> None:
        """Encrypt and write content; None removes the entry.

        Raises:
            RecordChangedError: Another run has written the entry since it was read.
            RecordError: It cannot be written.
        """
        save_all([(self, content)], phase)

    def mark_written(self, stored: Stored, content: Content | None) -> None:
        """Store the string that was written, and its content."""
        self.stored = self._opened = stored
        self.content, self._fault = content, None


def write_all(changes: t.Sequence[tuple[RecordFile, bytes | None]], phase: Phase) -> None:
    """Write encrypted strings of one backend together; raises the errors of ``RecordFile.write``."""
    if changes:
        backend = changes[0][0].backend
        written = backend.put([file.as_write(sealed) for file, sealed in changes], phase)
        for file, _sealed in changes:
            file.stored = written[file.name]


def save_all(changes: t.Sequence[tuple[EncryptedFile[t.Any], t.Any]], phase: Phase) -> None:
    """Encrypt and write the contents of entries together; raises the errors of ``EncryptedFile.save``."""
    write_all([(file, None if content is None else file.encrypt(content)) for file, content in changes], phase)
    for file, content in changes:
        file.mark_written(t.cast(Stored, file.stored), content)
