# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The record of the values that were last applied to devices: encrypted files in one directory.

The service hides most settings, so the record keeps the values themselves: an update must send again what another
task declared. A file per device is encrypted under a key that is derived from the device's token, which is in no
file. A device that was purged and recreated has another token: its old record is not found any more.
"""

from __future__ import annotations

import contextlib
import re
import typing as t

from .._common.errors import RecordError
from .._common.phone_numbers import international
from .directory import RecordDirectory
from .encryption import Place, file_name, is_name
from .entries import DeviceRecord, NumberNote
from .files import RecordFile, SealedFile

_DAMAGED = re.compile(r"(?:device|number)-[0-9a-f]{32}\.damaged-[0-9]+")


class RecordStore:
    """The directory of the record, for one endpoint. File names are keyed digests."""

    def __init__(self, folder: str, endpoint: str) -> None:
        self.folder = folder
        self._endpoint = endpoint
        self._directory = RecordDirectory(folder)

    def device(self, device_token: str) -> SealedFile[DeviceRecord]:
        """Return the record of the device with this token."""
        place = Place(file_name(device_token, "device", self._endpoint), "device", self._endpoint)
        return SealedFile(self._directory, place, device_token, DeviceRecord.from_json)

    def number(self, account_token: str, number: str) -> SealedFile[NumberNote]:
        """Return the creation entry of a number of an account; every spelling has the same."""
        name = file_name(account_token, "number", self._endpoint, international(number))
        place = Place(name, "number", self._endpoint)
        return SealedFile(self._directory, place, account_token, NumberNote.from_json, {"number": number})

    def file(self, name: str) -> RecordFile:
        """Return the file of a name that ``is_name`` accepts; its content takes a secret."""
        return RecordFile(self._directory, name)

    def names(self) -> list[str]:
        """Return the names of all encrypted files, of whatever account; no locks, no damaged files."""
        return [name for name in self._directory.names() if is_name(name)]

    def damaged(self) -> list[str]:
        """Return the names of the files that did not decrypt and were set aside."""
        return [name for name in self._directory.names() if _DAMAGED.fullmatch(name)]

    def notes(self, account_token: str) -> dict[str, NumberNote]:
        """Return by file name the creation entries of an account at this endpoint, as far as they decrypt."""
        found: dict[str, bytes] = {}
        for name in self.names():
            # One that cannot be read is reported where its number is asked for.
            with contextlib.suppress(RecordError):
                found[name] = self.file(name).sealed() or b""
        return self.notes_in(found, account_token)

    def notes_in(self, files: t.Mapping[str, bytes], account_token: str) -> dict[str, NumberNote]:
        """Return those of some strings that are creation entries of an account, each with its number."""
        found: dict[str, NumberNote] = {}
        for name, sealed in files.items():
            if not name.startswith("number-"):
                continue
            file = SealedFile(
                self._directory, Place(name, "number", self._endpoint), account_token, NumberNote.from_json
            )
            with contextlib.suppress(ValueError):
                note = file.unseal(sealed)
                # Its name must be that of its number: a person with the token can write anything.
                if note.number and self.number(account_token, note.number).name == name:
                    found[name] = note
        return found

    def check_writable(self) -> None:
        """Check without touching anything whether the directory can be written.

        Raises:
            RecordError: A run that has something to write would fail.
        """
        self._directory.check_writable()

    def warnings(self) -> list[str]:
        """Return the warnings about the directory."""
        return self._directory.warnings()

    def has(self, device_file: str) -> bool:
        """Return whether there is a record of this name."""
        return self._directory.exists(device_file.rpartition("/")[2]) if device_file else False

    def discard(self, device_file: str) -> None:
        """Remove the record of a device that does not exist any more; no token that exists decrypts it."""
        if device_file.startswith("device-") and "/" not in device_file:
            with contextlib.suppress(RecordError, OSError):
                self._directory.remove(device_file)
