# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The record of the values that were last applied to devices: encrypted strings, in files or in a database.

The service hides most settings, so the record stores their values: an update must also send the settings that another
task declared. The entry of a device is encrypted with a key that is derived from the device's token, which no entry
contains. A device that was deleted and created again has another token, so its old entry is no longer found.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._common.errors import RecordError
from .._common.phone_numbers import international
from .backend import Backend, Mark, Phase, StorageCheck, Stored
from .directory import RecordDirectory
from .encryption import Cipher, Place, file_name, is_name
from .entries import DeviceRecord, NumberRecord
from .file_backend import FileBackend
from .files import EncryptedFile, RecordFile


class RecordStore:
    """The record for one endpoint: entries by token and number, in a backend that stores encrypted strings.

    Args:
        folder: The directory of the record, if no backend is given.
        endpoint: The service that the record is about.
        backend: The place that stores the record.
    """

    def __init__(self, folder: str, endpoint: str, backend: Backend | None = None) -> None:
        self.backend: Backend = backend or FileBackend(RecordDirectory(folder))
        self._endpoint = endpoint
        self._watched: set[str] = set()
        self._prefetched: dict[str, Stored] = {}

    def reopen(self) -> RecordStore | None:
        """Return the record through another connection if the locks are lost; None if they are held."""
        backend = self.backend.reopen()
        return None if backend is None else RecordStore(backend.place, self._endpoint, backend)

    @property
    def folder(self) -> str:
        """The place of the record, for messages."""
        return self.backend.place

    place = folder

    def device(self, device_token: str) -> EncryptedFile[DeviceRecord]:
        """Return the record of the device with this token."""
        place = Place(file_name(device_token, "device", self._endpoint), "device", self._endpoint)
        return EncryptedFile(self.backend, Cipher(device_token, place), DeviceRecord.from_json)

    def number(self, account_token: str, number: str) -> EncryptedFile[NumberRecord]:
        """Return the creation entry of a number in an account. All spellings of a number have the same entry."""
        name = file_name(account_token, "number", self._endpoint, international(number))
        place = Place(name, "number", self._endpoint)
        return EncryptedFile(self.backend, Cipher(account_token, place), NumberRecord.from_json, {"number": number})

    def lock_request(self, device_token: str, request: str, seconds: float) -> t.ContextManager[None]:
        """Hold a lock for one kind of request of a device. It belongs to no entry, so it delays no other request.

        Args:
            device_token: The token of the device.
            request: The kind of request, one lowercase word that is no kind of entry.
            seconds: How long to wait while another run holds it.

        Raises:
            RecordError: Another run still holds it, or it cannot be locked.
        """
        return self.backend.lock([file_name(device_token, request, self._endpoint)], seconds)

    def file(self, name: str) -> RecordFile:
        """Return the entry with a name that ``is_name`` accepts. Its content cannot be decrypted without a secret."""
        return RecordFile(self.backend, name)

    def load(self, *files: EncryptedFile[t.Any] | None) -> list[RecordError]:
        """Read entries in one batch, and return the problems with those that cannot be used."""
        faults: list[RecordError] = []
        wanted = {file.name: file for file in files if file is not None}
        known = {name: self._prefetched.pop(name) for name in wanted if name in self._prefetched}
        others = [name for name in wanted if name not in known]
        for name, stored in {**known, **(self.backend.read(others) if others else {})}.items():
            try:
                wanted[name].load_stored(stored)
            except RecordError as fault:
                faults.append(fault)
        return faults

    def prefetch(self, names: t.Callable[[], t.Iterable[str]]) -> None:
        """Read entries in one batch if the backend is remote.

        The next ``load`` of each entry uses the string that was read here.

        Serial: a mark was taken before, so an entry is stale if another run writes it in the meantime.

        Args:
            names: Returns the names; called only if the backend is remote.
        """
        if self.backend.is_remote:
            self._prefetched = dict(self.backend.read(list(dict.fromkeys(names()))))

    def watch(self, names: t.Iterable[str]) -> None:
        """Add names to each further mark: this run has work to do on these entries."""
        self._watched.update(names)

    def mark(self, names: t.Iterable[str] = ()) -> Mark:
        """Return a mark of the present time. It must be taken before /get-devices or /device is requested."""
        return self.backend.mark({*self._watched, *names})

    def names(self) -> list[str]:
        """Return the names of all entries, of every account."""
        return self.backend.names()

    def damaged(self) -> list[str]:
        """Return the names of strings that could not be decrypted and were kept under another name."""
        return self.backend.damaged()

    def creation_entries(self, account_token: str) -> dict[str, NumberRecord]:
        """Return the creation entries of an account at this endpoint that can be decrypted, by their names."""
        # An entry that cannot be read is reported when its number is used.
        names = [name for name in self.names() if name.startswith("number-")]
        found = {name: stored.text or b"" for name, stored in self.backend.read(names).items()}
        return self.creation_entries_in(found, account_token)

    def creation_entries_in(self, files: t.Mapping[str, bytes], account_token: str) -> dict[str, NumberRecord]:
        """Return the creation entries of an account among some strings, by their names."""
        found: dict[str, NumberRecord] = {}
        for name, sealed in files.items():
            if not name.startswith("number-"):
                continue
            place = Place(name, "number", self._endpoint)
            file = EncryptedFile(self.backend, Cipher(account_token, place), NumberRecord.from_json)
            with contextlib.suppress(ValueError):
                note = file.decrypt(sealed)
                # The name must be the digest of the number: a person with the token can write any content.
                if note.number and self.number(account_token, note.number).name == name:
                    found[name] = note
        return found

    def check_writable(self) -> None:
        """Check without any change whether the record can be written.

        Raises:
            RecordError: A run would fail as soon as it must write.
        """
        self.backend.check_writable()

    def write_warnings(self) -> list[str]:
        """Return a warning if a run that must write would fail. Nothing is changed."""
        try:
            self.check_writable()
        except RecordError as fault:
            return [f"A real run from here would fail: {fault}"]
        return []

    def warnings(self) -> list[str]:
        """Return the warnings about the place of the record."""
        return self.backend.warnings()

    def health(self) -> StorageCheck:
        """Return the facts on the place of the record."""
        return self.backend.health()

    def has(self, device_file: str) -> bool:
        """Return whether there is a record with this name."""
        name = device_file.rpartition("/")[2]
        return is_name(name) and self.backend.read([name])[name].text is not None

    def discard(self, device_file: str) -> None:
        """Remove the record of a device that does not exist any more; no existing token decrypts it."""
        if is_name(device_file) and device_file.startswith("device-"):
            with contextlib.suppress(RecordError):
                file = self.file(device_file)
                if file.encrypted() is not None:
                    file.write(None, Phase.CONFIRM)
