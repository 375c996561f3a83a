# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The backup of a record: its encrypted strings, unchanged, in one JSON file. No string is decrypted for it.

When it is read again, such a file may come from outside, for example from a repository or a mail. So each name and
string in it is checked.
"""

from __future__ import annotations

import json
import os
import typing as t

from .._common.atomic_files import write_atomic, write_problem
from .._common.errors import FonnteError, OptionError
from .._common.input_files import MAX_INPUT_BYTES, EncodingError, decode_text, read_whole
from .._common.redaction import printable, truncate
from .encryption import is_name, owner_of

FORMAT = "fonnte.whatsapp/record-backup/1"
_FAMILY = FORMAT.rpartition("/")[0]
MAX_SHOWN_LENGTH = 60

Files = t.Dict[str, bytes]


class BackupError(FonnteError):
    """A backup cannot be read or written, or has an invalid content."""


def read_backup(path: str) -> Files:
    """Return the encrypted strings of a backup by their names.

    Raises:
        BackupError: It cannot be read, is not a backup, or contains an invalid entry. None of its entries may be used
            then.
    """
    text = _text(path)
    if text is None:
        raise BackupError(f"there is no file {path}", "check that path names the backup")
    return _files(path, text)


def read_existing(path: str, folder: str) -> Files | None:
    """Return the content of a backup that is about to be replaced; None if there is none.

    Raises:
        BackupError: The present file is not a backup, or no file can be written there.
        OptionError: The backup would be in the directory of the record.
    """
    # A link is replaced, so its own directory counts, and not that of its target.
    parent = os.path.dirname(os.path.abspath(path))
    if os.path.realpath(parent) == os.path.realpath(folder):
        raise OptionError(
            "path", f"{path} is in the directory of the record", "name a file elsewhere, preferably on another disk"
        )
    problem = write_problem(path)
    if problem:
        raise BackupError(
            f"the backup {path} cannot be written: {problem}",
            "create the directory, or name another path",
        )
    text = _text(path)
    # An empty file is a file that was created for the backup.
    return _files(path, text) if text else None


def write_backup(path: str, files: Files) -> None:
    """Write a backup that only its owner can read, completely or not at all; BackupError if that fails."""
    text = _as_text(files)
    # A file that is too large to be read again is no backup. The record of a device has about a kilobyte.
    if len(text) > MAX_INPUT_BYTES:
        raise BackupError(
            f"the backup {path} would be larger than {MAX_INPUT_BYTES // 2**20} MB, so it could not be restored",
            "name fewer devices in devices, and another path for the others",
        )
    try:
        write_atomic(path, text, 0o600)
    except OSError as fault:
        raise BackupError(
            f"the backup {path} cannot be written ({fault.strerror})", "free disk space, or name another path"
        ) from None


def _as_text(files: Files) -> bytes:
    """Return the text of a backup, always the same for the same entries: a repository shows only the changed lines."""
    texts = {name: sealed.decode("ascii") for name, sealed in files.items()}
    return json.dumps({"format": FORMAT, "files": texts}, indent=1, sort_keys=True).encode() + b"\n"


def _text(path: str) -> bytes | None:
    try:
        return read_whole(path)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise BackupError(
            f"the file {path} cannot be read ({fault.strerror})", "check that path names a file that can be read"
        ) from None


def _files(path: str, text: bytes) -> Files:
    try:
        # Some editors add a byte-order mark.
        data = json.loads(decode_text(text).lstrip("\ufeff"))
    except EncodingError as exc:
        raise BackupError(
            f"the file {path} is not a backup of a record: it {exc}", "use an unchanged backup, or save it as UTF-8"
        ) from None
    except (ValueError, RecursionError):
        raise _no_backup(path) from None
    stated = data.get("format") if isinstance(data, dict) else None
    if not isinstance(stated, str) or not stated.startswith(_FAMILY + "/"):
        raise _no_backup(path)
    if stated != FORMAT:
        raise BackupError(
            f"the backup {path} has another format than this release knows", "use the release that created it"
        )
    files = data.get("files")
    if not isinstance(files, dict):
        raise _no_backup(path)
    return {_name(path, name): _parse_encrypted(path, name, sealed) for name, sealed in files.items()}


def _no_backup(path: str) -> BackupError:
    return BackupError(f"the file {path} is not a backup of a record", "check that path names the backup")


def _name(path: str, name: str) -> str:
    if not is_name(name):
        raise BackupError(
            f'the backup {path} contains "{truncate(printable(name), MAX_SHOWN_LENGTH)}", which is not the name of a '
            "file of the record, so it was not used",
            "it was changed: use an unchanged backup",
        )
    return name


def _parse_encrypted(path: str, name: str, sealed: object) -> bytes:
    raw = sealed.encode("ascii", "replace") if isinstance(sealed, str) else b""
    owner = owner_of(raw)
    if not owner:
        raise BackupError(
            f"the backup {path} contains a string for {name} that is not encrypted, so it was not used",
            "it was changed or is damaged: use an unchanged backup",
        )
    if owner != name:
        raise BackupError(
            f"the backup {path} contains the entry of {owner} under the name {name}, so it was not used",
            "it was changed: use an unchanged backup",
        )
    return raw
