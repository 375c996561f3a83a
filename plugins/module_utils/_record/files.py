# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The files of the record: each replaced whole, locked, and encrypted for itself alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t
import uuid

from .._common.descriptors import close_descriptor
from .._common.errors import DamagedRecordError, ForeignRecordError, RecordError, RecordHeldError
from .directory import RecordDirectory
from .encryption import ForeignStringError, Place, decrypt, encrypt
from .entries import Content

LOCK_POLL_SECONDS = 0.05
# The clock of a file system advances in steps of up to ten milliseconds.
CLOCK_TICK_NS = 20_000_000


class RecordFile:
    """One file of the record, without the secret that it is encrypted under: replaced whole, removed, locked."""

    def __init__(self, directory: RecordDirectory, name: str) -> None:
        self._directory = directory
        self.name = name
        self._lock_name = f"{name}.lock"

    @property
    def path(self) -> str:
        """Where the file is, for messages."""
        return self._directory.full_path(self.name)

    def sealed(self) -> bytes | None:
        """Return the encrypted string; None for no file. RecordError if it cannot be read."""
        return self._directory.read(self.name)

    def write(self, sealed: bytes) -> None:
        """Write an encrypted string. A power cut may take the new name back.

        Raises:
            RecordError: It cannot be written.
        """
        self._directory.write(self.name, sealed)
        self._touch()

    def remove(self) -> None:
        """Remove the file; RecordError if that cannot be done."""
        self._directory.remove(self.name)
        self._touch()

    def sync_folder(self) -> None:
        """Make a new name survive a power cut. RecordError if that cannot be done."""
        self._directory.sync()

    def _touch(self) -> None:
        """Show other processes, through the lock's time and content, that this process has written."""
        try:
            with self._directory.lock_stream(self._lock_name, "r+b") as stream:
                stream.write(_process())
                stream.truncate()
        except FileNotFoundError:
            return
        except OSError as exc:
            raise self._directory.unwritable(exc) from None

    def touched_since(self, moment_ns: int) -> bool:
        """Return whether another process wrote this file at or after a moment (of time.time_ns)."""
        try:
            with self._directory.lock_stream(self._lock_name, "rb") as stream:
                writer = stream.read(len(_process()) + 1)
                written_ns = os.fstat(stream.fileno()).st_mtime_ns
        except FileNotFoundError:
            return False
        # The time of an empty lock is that of its creation, and our own writes are no news to us.
        return writer not in (b"", _process()) and written_ns >= moment_ns - CLOCK_TICK_NS

    @contextlib.contextmanager
    def lock(self, seconds: float) -> t.Iterator[None]:
        """Hold the device for one process; two would overwrite each other's full set of settings.

        Raises:
            RecordError: Another run held it for longer than the seconds given, or the directory is not writable.
        """
        give_up = time.monotonic() + seconds
        descriptor = self._lock_by(give_up, seconds)
        try:
            yield
        finally:
            close_descriptor(descriptor)

    def _lock_by(self, give_up: float, seconds: float) -> int:
        """Return the descriptor of the lock file, locked, and in its place. One that was replaced locks nobody out."""
        while True:
            descriptor = self._directory.open_lock(self._lock_name)
            try:
                self._wait(descriptor, give_up, seconds)
                if self._directory.is_lock(self._lock_name, descriptor):
                    return descriptor
            except BaseException:
                close_descriptor(descriptor)
                raise
            close_descriptor(descriptor)
            if time.monotonic() >= give_up:
                raise _held(seconds)

    def _wait(self, descriptor: int, give_up: float, seconds: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise _held(seconds) from None
                time.sleep(LOCK_POLL_SECONDS)
            except OSError as exc:
                raise self._directory.unwritable(exc) from None


class SealedFile(RecordFile, t.Generic[Content]):
    """A file of the record whose secret is known."""

    def __init__(
        self,
        directory: RecordDirectory,
        place: Place,
        secret: str,
        read: t.Callable[[t.Any], Content],
        label: t.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(directory, place.name)
        self._place = place
        self._secret = secret
        self._from_json: t.Callable[[t.Any], Content] = read
        self._label = dict(label or {})

    def load(self) -> tuple[Content | None, str]:
        """Return the content and "", or None and the problem with the file. A missing file is no problem."""
        try:
            return self.read(), ""
        except RecordError as exc:
            return None, exc.problem

    def read(self) -> Content | None:
        """Return the content of the file; None for no file.

        Raises:
            ForeignRecordError: It contains the string of another file.
            DamagedRecordError: It does not decrypt.
            RecordError: It cannot be read now, so its content is unknown.
        """
        sealed = self.sealed()
        try:
            return None if sealed is None else self.unseal(sealed)
        except ForeignStringError as exc:
            raise ForeignRecordError(
                f"the record {self.path} contains the entry of another file, {exc.owner}",
                "find out who else can write to its directory, and restore it from a backup, or let the next run set "
                "it aside",
            ) from None
        except ValueError:
            raise DamagedRecordError(
                f"the record {self.path} is damaged", "bring it back from a backup, or let the next run set it aside"
            ) from None

    def unseal(self, sealed: bytes) -> Content:
        """Return the content of a string; ValueError if it was not encrypted for this file, or is damaged."""
        return self._from_json(decrypt(self._secret, self._place, sealed))

    def seal(self, content: Content) -> bytes:
        """Return content as a string that decrypts for this file alone."""
        return encrypt(self._secret, self._place, {**content.to_json(), **self._label})

    def save(self, content: Content) -> None:
        """Encrypt and write content that must be durable before a request: it survives a power cut.

        Raises:
            RecordError: It cannot be written.
        """
        self.save_soon(content)
        self.sync_folder()

    def save_soon(self, content: Content) -> None:
        """Encrypt and write content that a success has confirmed. A power cut may take it back to the doubt before.

        Raises:
            RecordError: It cannot be written.
        """
        self.write(self.seal(content))

    def write(self, sealed: bytes) -> None:
        """Write an encrypted string. A damaged file is set aside first.

        Raises:
            RecordError: That fails, or the previous file cannot be read now: it may be good, and is left.
        """
        self._keep_damaged()
        super().write(sealed)

    def restore(self, content: Content | None) -> None:
        """Put back the content before a request that was certainly not applied."""
        if content is None:
            self.remove()
        else:
            self.save_soon(content)

    def _keep_damaged(self) -> None:
        try:
            self.read()
        except DamagedRecordError:
            self._directory.rename(self.name, f"{self.name}.damaged-{int(time.time())}")


_NAMES: dict[int, bytes] = {}


def _process() -> bytes:
    """Return a name of this process. Processes of two containers may share a number, and a fork has its own."""
    return _NAMES.setdefault(os.getpid(), uuid.uuid4().bytes)


def _held(seconds: float) -> RecordHeldError:
    return RecordHeldError(
        f"another run has been working on this device for over {seconds:g} s",
        "wait for it to end, then run the play again",
    )
