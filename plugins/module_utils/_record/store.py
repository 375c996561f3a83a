# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The record of what was last applied, sealed and never lying.

The service hides most settings, so what was applied is kept here: the values themselves, since an
update has to send again what another task declared. A file per device, sealed under a key made from the
device's token, which is in no file. A device that was purged and made anew has another token: its old
record is not found any more, and so no longer counts.

Before the service is called, what is about to be sent is written as *in doubt*; only the reply of
success turns it into *recorded*. A process that dies in between leaves doubt, never a false claim.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import errno
import fcntl
import hashlib
import hmac
import json
import os
import re
import time
import traceback
import typing as t
import uuid
from dataclasses import dataclass, field, replace

from .._common.errors import DamagedRecordError, MissingLibraryError, RecordError, RecordHeldError
from .._common.phone_numbers import international
from .._device.settings import BY_OPTION, RECORDED, Kind, Settings, Value

FORMAT = 1
LOCK_POLL_SECONDS = 0.05
# The clock of a file system ticks up to every ten milliseconds.
CLOCK_TICK_NS = 20_000_000


class Standing(enum.Enum):
    """How far an entry of the record can be believed."""

    RECORDED = "recorded"
    # Cleared, but the service may have ignored it.
    UNCONFIRMED = "unconfirmed"
    IN_DOUBT = "in_doubt"
    # Not sent: a person looked, and said so.
    ATTESTED = "attested"


@dataclass(frozen=True)
class Entry:
    """What is known of a setting.

    Attributes:
        value: As it was last sent, or attested.
        at: When, as ``YYYY-MM-DDTHH:MM:SSZ``.
        standing: How far it can be believed.
        by: Who attested it.
    """

    value: Value
    at: str
    standing: Standing = Standing.RECORDED
    by: str = ""


@dataclass(frozen=True)
class DeviceRecord:
    """What this controller knows to have sent to a device.

    Attributes:
        entries: By setting.
        otp_requested_at: When a code for its deletion was last asked for.
        number: The registered number as the list showed it; a profile may show another.
        carried: The settings of which the user was told that they are sent only because they were recorded.
        stamps: The codes of the stamps that go with the entries: first the one of the last confirmed update (empty
            where it had none), then those of the updates in doubt, the last one last. Any other code is that of
            another control node.
    """

    entries: t.Mapping[str, Entry] = field(default_factory=dict)
    otp_requested_at: str | None = None
    number: str = ""
    carried: frozenset[str] = frozenset()
    stamps: tuple[str, ...] = ()

    def begin(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record with what is about to be sent in doubt.

        A value that is sent again as it was recorded is the same whether the call is applied or not.

        Args:
            sent: The settings.
            at: The time.
            code: The code of the stamp that goes out with them; empty for none.
        """
        doubtful = {
            option: Entry(value, at, Standing.IN_DOUBT)
            for option, value in sent.items()
            if option in RECORDED and not self._holds(option, value)
        }
        return replace(self, entries={**self.entries, **doubtful}, stamps=self._codes_with(code))

    def _codes_with(self, code: str) -> tuple[str, ...]:
        if not code:
            return self.stamps
        confirmed, in_doubt = self.stamps[:1] or ("",), self.stamps[1:]
        return (*confirmed, *(other for other in in_doubt if other != code), code)

    def _holds(self, option: str, value: Value) -> bool:
        entry = self.entries.get(option)
        return entry is not None and entry.value == value and entry.standing is not Standing.IN_DOUBT

    def confirm(self, sent: Settings, at: str, code: str = "") -> DeviceRecord:
        """Return the record after the service said yes to what was sent, with this code in the name."""
        applied = {
            option: Entry(value, at, _after_success(option, value))
            for option, value in sent.items()
            if option in RECORDED
        }
        return replace(self, entries={**self.entries, **applied}, stamps=(code,) if code else ())

    def note(self, known: Settings, at: str) -> DeviceRecord:
        """Return the record with values that hold without having been sent, as on a new device."""
        return replace(self, entries={**self.entries, **{option: Entry(value, at) for option, value in known.items()}})

    def attest(self, seen: Settings, at: str, by: str) -> DeviceRecord:
        """Return the record with what a person vouches for."""
        vouched = {option: Entry(value, at, Standing.ATTESTED, by) for option, value in seen.items()}
        return replace(self, entries={**self.entries, **vouched})

    def without(self, options: t.Iterable[str]) -> DeviceRecord:
        """Return the record without some settings: nothing is known of them."""
        dropped = set(options)
        entries = {option: entry for option, entry in self.entries.items() if option not in dropped}
        return replace(self, entries=entries, carried=self.carried - dropped)

    def to_json(self) -> dict[str, t.Any]:
        """Return the record as it is sealed."""
        return {
            "format": FORMAT,
            "entries": {
                option: [entry.value, entry.at, entry.standing.value, *([entry.by] if entry.by else [])]
                for option, entry in self.entries.items()
            },
            "otp_requested_at": self.otp_requested_at,
            "number": self.number,
            "carried": sorted(self.carried),
            "stamps": list(self.stamps),
        }

    @classmethod
    def from_json(cls, data: t.Any) -> DeviceRecord:
        """Return the record that was sealed.

        Raises:
            ValueError: It is not one that this format allows.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("entries"), dict):
            raise ValueError("not a record of this format")
        asked, number, carried = data.get("otp_requested_at"), data.get("number"), data.get("carried", [])
        if not (asked is None or isinstance(asked, str)) or not isinstance(number, str):
            raise ValueError("not a time, or not a number")
        stamps = data.get("stamps", [])
        if not isinstance(carried, list) or not isinstance(stamps, list):
            raise ValueError("not a list")
        if not all(isinstance(item, str) for item in (*carried, *stamps)):
            raise ValueError("not a list of names")
        # A setting that only a newer release knows is not ours to claim anything about.
        entries = {option: _entry(option, raw) for option, raw in data["entries"].items() if option in RECORDED}
        told = frozenset(option for option in carried if option in entries)
        return cls(entries, asked, number, told, tuple(stamps))


def _after_success(option: str, value: Value) -> Standing:
    cleared = value == "" and BY_OPTION[option].kind is Kind.URL
    return Standing.UNCONFIRMED if cleared else Standing.RECORDED


def _entry(option: str, raw: t.Any) -> Entry:
    if not isinstance(raw, list) or len(raw) not in (3, 4):
        raise ValueError("not an entry")
    value, at, standing, by = [*raw, ""][:4]
    wanted = bool if BY_OPTION[option].kind is Kind.FLAG else str
    if not isinstance(value, wanted) or not isinstance(at, str) or not isinstance(by, str):
        raise ValueError("not a value")
    return Entry(value, at, Standing(standing), by)


@dataclass(frozen=True)
class NumberNote:
    """What this controller knows of a number in an account, before any device's token is known.

    Attributes:
        state: ``creating``, ``present`` or ``deleted``.
        sent: What a creation that was begun was about to set.
        device_file: The name of the record of the device that was last made or seen.
        number: The number as it was spelled when the note was written. The file puts it in, since its own
            name, a digest, tells it to nobody.
    """

    state: str
    at: str
    sent: Settings = field(default_factory=dict)
    device_file: str = ""
    number: str = field(default="", compare=False)

    def to_json(self) -> dict[str, t.Any]:
        """Return the note as it is sealed."""
        return {
            "format": FORMAT,
            "state": self.state,
            "at": self.at,
            "sent": dict(self.sent),
            "device_file": self.device_file,
            "number": self.number,
        }

    @classmethod
    def from_json(cls, data: t.Any) -> NumberNote:
        """Return the note that was sealed; ValueError if it is not one."""
        if (
            not isinstance(data, dict)
            or data.get("format") != FORMAT
            or data.get("state") not in ("creating", "present", "deleted")
        ):
            raise ValueError("not a note of this format")
        at, sent, device_file = data.get("at"), data.get("sent"), data.get("device_file")
        number = data.get("number", "")
        if not isinstance(at, str) or not isinstance(sent, dict):
            raise ValueError("not a note")
        if not isinstance(device_file, str) or not isinstance(number, str):
            raise ValueError("not a name, or not a number")
        entries = {
            option: _entry(option, [value, at, "in_doubt"]).value
            for option, value in sent.items()
            if option in RECORDED
        }
        return cls(data["state"], at, entries, device_file, number)


Content = t.TypeVar("Content", DeviceRecord, NumberNote)


class RecordFile:
    """One file of the record, whoever can open it: written whole or not at all, removed, locked."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder = folder
        self.name = name

    @property
    def path(self) -> str:
        """Where the file lies."""
        return os.path.join(self.folder, self.name)

    def sealed(self) -> bytes | None:
        """Return the sealed text; None for no file. RecordError if it cannot be read."""
        try:
            with open(self.path, "rb") as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as fault:
            raise RecordError(
                f"the record {self.path} cannot be read ({fault.strerror})",
                "see that the user who runs the task can read it",
            ) from None

    def write(self, sealed: bytes) -> None:
        """Write a sealed text: aside, to the disk, then renamed. A power cut may take the new name back.

        Raises:
            RecordError: It cannot be written.
        """
        # Only the holder of the lock writes, so one name is enough, and a killed run leaves at most one.
        aside = self.path + ".new"
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(sealed)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(aside, self.path)
            self._touch()
        except OSError as fault:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise _unwritable(self.folder, fault) from None

    def remove(self) -> None:
        """Remove the file; RecordError if that cannot be done."""
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self._touch()
        except OSError as fault:
            raise _unwritable(self.folder, fault) from None

    def sync_folder(self) -> None:
        """Make a new name survive a power cut. RecordError if that cannot be done."""
        try:
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as fault:
            raise _unwritable(self.folder, fault) from None

    def _touch(self) -> None:
        """Tell other processes, through the lock's time and text, that something was written, and by whom."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.path + ".lock", "r+b") as stream:
                stream.write(_process())
                stream.truncate()

    def touched_since(self, moment_ns: int) -> bool:
        """Tell whether another process wrote this file at or after a moment (of time.time_ns)."""
        try:
            with open(self.path + ".lock", "rb") as stream:
                writer = stream.read()
                written_ns = os.fstat(stream.fileno()).st_mtime_ns
        except FileNotFoundError:
            return False
        # The time of an empty lock is that of its making, and our own writes are no news to us.
        return writer not in (b"", _process()) and written_ns >= moment_ns - CLOCK_TICK_NS

    @contextlib.contextmanager
    def lock(self, seconds: float) -> t.Iterator[None]:
        """Hold the device for one process; two would overwrite each other's full set of settings.

        Raises:
            RecordError: Another run held it for longer than the seconds given, or the folder is not writable.
        """
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            descriptor = os.open(self.path + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise _unwritable(self.folder, fault) from None
        try:
            self._wait(descriptor, seconds)
            yield
        finally:
            os.close(descriptor)

    def _wait(self, descriptor: int, seconds: float) -> None:
        give_up = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise RecordHeldError(
                        f"another run has been working on this device for over {seconds:g} s",
                        "wait for it to end, then run the play again",
                    ) from None
                time.sleep(LOCK_POLL_SECONDS)
            except OSError as fault:
                raise _unwritable(self.folder, fault) from None


class SealedFile(RecordFile, t.Generic[Content]):
    """A file of the record whose secret is known."""

    def __init__(
        self,
        folder: str,
        name: str,
        secret: str,
        read: t.Callable[[t.Any], Content],
        label: t.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, name)
        self._secret = secret
        self._from_json: t.Callable[[t.Any], Content] = read
        self._label = dict(label or {})

    def load(self) -> tuple[Content | None, str]:
        """Return what the file holds and "", or None and what is wrong with it. A missing file is not wrong."""
        try:
            return self.read(), ""
        except RecordError as fault:
            return None, fault.problem

    def read(self) -> Content | None:
        """Return what the file holds; None for no file.

        Raises:
            DamagedRecordError: It does not open.
            RecordError: It cannot be read now, so nobody knows what is in it.
        """
        sealed = self.sealed()
        try:
            return None if sealed is None else self.unseal(sealed)
        except ValueError:
            raise DamagedRecordError(
                f"the record {self.path} is damaged", "bring it back from a backup, or let the next run set it aside"
            ) from None

    def unseal(self, sealed: bytes) -> Content:
        """Return what a sealed text holds; ValueError if it was not sealed for this file, or is damaged."""
        return self._from_json(json.loads(_unseal(self._secret, sealed)))

    def save(self, content: Content) -> None:
        """Seal and write what has to be there before a call: it survives a power cut.

        Raises:
            RecordError: It cannot be written.
        """
        self.save_soon(content)
        self.sync_folder()

    def save_soon(self, content: Content) -> None:
        """Seal and write what a call has confirmed. If a power cut takes it back, the doubt before the call is left.

        Raises:
            RecordError: It cannot be written.
        """
        self.write(_seal(self._secret, json.dumps({**content.to_json(), **self._label}).encode()))

    def write(self, sealed: bytes) -> None:
        """Write a sealed text. What does not open is set aside first.

        Raises:
            RecordError: That fails, or what is there cannot be read now: it may be good, and is left.
        """
        self._keep_damaged()
        super().write(sealed)

    def restore(self, content: Content | None) -> None:
        """Put back what was there before a call that was certainly not applied."""
        if content is None:
            self.remove()
        else:
            self.save_soon(content)

    def _keep_damaged(self) -> None:
        try:
            self.read()
        except DamagedRecordError:
            try:
                os.replace(self.path, f"{self.path}.damaged-{int(time.time())}")
            except OSError as fault:
                raise _unwritable(self.folder, fault) from None


class RecordStore:
    """The folder of the record. File names are keyed digests: they tell neither number, token nor account."""

    def __init__(self, folder: str, endpoint: str) -> None:
        self.folder = folder
        self._endpoint = endpoint

    def device(self, device_token: str) -> SealedFile[DeviceRecord]:
        """Return the record of the device with this token."""
        name = _digest(device_token, "device", self._endpoint)
        return SealedFile(self.folder, f"device-{name}", device_token, DeviceRecord.from_json)

    def number(self, account_token: str, number: str) -> SealedFile[NumberNote]:
        """Return the note on a number of an account; every spelling has the same."""
        name = _digest(account_token, "number", self._endpoint, international(number))
        return SealedFile(self.folder, f"number-{name}", account_token, NumberNote.from_json, {"number": number})

    def file(self, name: str) -> RecordFile:
        """Return the file of a name that ``is_name`` accepts; what it holds only its secret tells."""
        return RecordFile(self.folder, name)

    def names(self) -> list[str]:
        """Return the names of all sealed files of the folder, of whatever account; no locks, nothing set aside."""
        return [name for name in self._listdir() if is_name(name)]

    def damaged(self) -> list[str]:
        """Return the names of the files that did not open and were set aside."""
        return [name for name in self._listdir() if _DAMAGED.fullmatch(name)]

    def _listdir(self) -> list[str]:
        try:
            return sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise RecordError(
                f"the record in {self.folder} cannot be read ({fault.strerror})",
                "see that it is a folder that the user who runs the task can read, or name another with record_path",
            ) from None

    def notes(self, account_token: str) -> dict[str, NumberNote]:
        """Return by file name the notes on numbers that an account has at this endpoint, as far as they open."""
        found: dict[str, bytes] = {}
        for name in self.names():
            # One that cannot be read is told of where its number is asked for.
            with contextlib.suppress(RecordError):
                found[name] = self.file(name).sealed() or b""
        return self.notes_in(found, account_token)

    def notes_in(self, files: t.Mapping[str, bytes], account_token: str) -> dict[str, NumberNote]:
        """Return those of some sealed texts that are notes of an account at this endpoint, each with its number."""
        found: dict[str, NumberNote] = {}
        for name, sealed in files.items():
            if not name.startswith("number-"):
                continue
            try:
                note = SealedFile(self.folder, name, account_token, NumberNote.from_json).unseal(sealed)
            except ValueError:
                continue
            # The account may have notes of another endpoint here: the number and the name tell.
            if note.number and self.number(account_token, note.number).name == name:
                found[name] = note
        return found

    def check_writable(self) -> None:
        """Find out without touching anything whether the folder could be written.

        Raises:
            RecordError: A run that has something to write would fail.
        """
        place = os.path.abspath(self.folder)
        while not os.path.exists(place):
            place = os.path.dirname(place)
        if not os.path.isdir(place):
            raise _unwritable(self.folder, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
        if not os.access(place, os.W_OK | os.X_OK):
            raise _unwritable(self.folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))

    def has(self, device_file: str) -> bool:
        """Tell whether there is a record of this name."""
        return bool(device_file) and os.path.exists(os.path.join(self.folder, os.path.basename(device_file)))

    def discard(self, device_file: str) -> None:
        """Remove the record of a device that is no more; it opens with no token that exists."""
        if device_file.startswith("device-") and os.path.basename(device_file) == device_file:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.folder, device_file))


_NAME = re.compile(r"(?:device|number)-[0-9a-f]{32}")
_DAMAGED = re.compile(_NAME.pattern + r"\.damaged-[0-9]+")
_SEALED = re.compile(rb"[A-Za-z0-9_-]+={0,2}")


def is_name(name: str) -> bool:
    """Tell whether a name is one that a sealed file of the record can have: no path, no lock."""
    return _NAME.fullmatch(name) is not None


def is_sealed(sealed: bytes) -> bool:
    """Tell whether a text has the form of a sealed one. Whether it opens, only its secret tells."""
    if not _SEALED.fullmatch(sealed):
        return False
    try:
        raw = base64.urlsafe_b64decode(sealed)
    except ValueError:
        return False
    # Fernet: a version, a time, a start vector, blocks of 16 bytes, a signature.
    return raw[:1] == b"\x80" and len(raw) >= 73 and (len(raw) - 57) % 16 == 0


_NAMES: dict[int, bytes] = {}


def _process() -> bytes:
    """Return a name of this process. Processes of two containers may share a number, and a fork has one of its own."""
    return _NAMES.setdefault(os.getpid(), uuid.uuid4().bytes)


def _unwritable(folder: str, fault: OSError) -> RecordError:
    return RecordError(
        f"the record in {folder} cannot be written ({fault.strerror})",
        "see that it is a folder that the user who runs the task can write, or name another with record_path",
    )


def _digest(secret: str, *parts: str) -> str:
    text = "\0".join(("fonnte.whatsapp/record-name/1", *parts))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _cipher(secret: str) -> t.Any:
    """Return the cipher for a secret. Imported here: most runs find no record and write none."""
    try:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError:
        raise MissingLibraryError("cryptography", traceback.format_exc()) from None
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"fonnte.whatsapp/record/1").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _seal(secret: str, plain: bytes) -> bytes:
    return t.cast(bytes, _cipher(secret).encrypt(plain))


def _unseal(secret: str, sealed: bytes) -> bytes:
    """Return the plain text; ValueError if it was not sealed under this secret, or is damaged."""
    cipher = _cipher(secret)
    from cryptography.fernet import InvalidToken

    try:
        return t.cast(bytes, cipher.decrypt(sealed))
    except InvalidToken:
        raise ValueError("does not open") from None
