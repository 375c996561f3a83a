# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Plan and apply the maintenance of the record: backup and restore.

Check mode ends after the plan. Entries are copied as encrypted strings, and their values are never returned. An
entry that a restore replaces keeps its later times, so it is decrypted and encrypted again.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._common.errors import error_context
from .._common.phone_numbers import matches
from .._reconcile.locks import LOCK_SECONDS
from .._reconcile.observe import RunContext
from .._record.backup import BackupError, Files, read_backup, read_existing, write_backup
from .._record.encryption import owner_of
from .._record.entries import DeviceRecord
from .._record.files import EncryptedFile, RecordFile
from .inventory import Owner, RecordInventory, scan
from .plan_types import Change, RecordPlan, _count

AS_OLD = (
    "A restored record is as old as its times, and has none of the changes since. To be sure of a device, apply its "
    "settings once with handle_write_only: always_update, or let old records expire with record_max_age."
)


# Backup


def plan_backup(context: RunContext, path: str, numbers: tuple[str, ...] | None) -> RecordPlan:
    """Return the plan to write encrypted strings of the record into one file.

    No entry is locked, because each is replaced as a whole: the values of a running request are in it as in doubt.
    """
    earlier = read_existing(path, context.records.folder)
    view = scan(context, numbers)
    chosen, missing = view.choose(numbers)
    wanted = _all_names(view) if _is_whole(view, numbers) else _names_of(chosen)
    files, warnings = _read(context, [name for name in view.names if name in wanted])
    facts = {"path": path, "files": len(files), "missing": missing}
    if not files:
        warnings.append(f"There is nothing to back up in {context.records.folder}; {path} was not changed.")
        return RecordPlan(path, (), _nothing, {**facts, "files": len(earlier or {})}, tuple(warnings))
    dropped = [name for name in view.names if name in (earlier or {}) and name not in files]
    if dropped:
        raise BackupError(
            f"the backup {path} has {_count(len(dropped), 'file')} of the record that the new one would not have",
            "name another path for these devices, or back up all devices",
        )
    changes = _differences(context, view, earlier or {}, files)
    lost = sum(change.after is None for change in changes)
    if lost:
        warnings.append(
            f"{_count(lost, 'file')} of the earlier backup {'is' if lost == 1 else 'are'} not in the record, "
            "and left out of the new one."
        )

    def act(done: list[Change]) -> None:
        if changes:
            with error_context("Backing up the record"):
                write_backup(path, files)
            done.extend(changes)

    return RecordPlan(path, changes, act, facts, tuple(warnings))


def _is_whole(view: RecordInventory, numbers: tuple[str, ...] | None) -> bool:
    """Return whether the backup covers the whole record. A device token alone only covers its device."""
    return numbers is None and view.whole


def _all_names(view: RecordInventory) -> set[str]:
    return set(view.names)


def _names_of(owners: t.Iterable[Owner]) -> set[str]:
    return {file.name for owner in owners for file in owner.files}


def _read(context: RunContext, names: t.Iterable[str]) -> tuple[Files, list[str]]:
    """Return the encrypted strings of entries, and a warning for each entry that has none."""
    files: Files = {}
    warnings: list[str] = []
    for name in names:
        sealed = context.records.file(name).encrypted()
        if sealed is not None and owner_of(sealed) == name:
            files[name] = sealed
        elif sealed is not None:
            warnings.append(f"the record {context.records.file(name).path} is damaged; it is not in the backup.")
    return files, warnings


def _differences(context: RunContext, view: RecordInventory, before: Files, after: Files) -> tuple[Change, ...]:
    owners = _owners(view)
    return tuple(
        Change(context.records.file(name), owners.get(name, ""), before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _owners(view: RecordInventory) -> dict[str, str]:
    """Return the number of each entry by the entry's name."""
    return {file.name: owner.number for owner in view.everyone for file in owner.files}


def _nothing(_done: list[Change]) -> None:
    """Do nothing."""


# Restore


def plan_restore(context: RunContext, path: str, numbers: tuple[str, ...] | None, overwrite: bool) -> RecordPlan:
    """Return the plan to write entries of a backup into the record.

    Args:
        context: The context of the run.
        path: The backup.
        numbers: Only restore the entries of these numbers; None for all.
        overwrite: Whether to replace an existing entry that differs.

    Raises:
        BackupError: The backup has an invalid entry; none of its entries is used then.
    """
    backup = read_backup(path)
    view = scan(context, numbers)
    chosen, missing = view.choose(numbers)
    noted = _noted(context, backup)
    owners = {**noted, **_owners(view)}
    names = set(backup) if _is_whole(view, numbers) else _names_of(chosen) | _names_noted(noted, missing)
    wanted = {name: sealed for name, sealed in backup.items() if name in names}
    _check_openings(path, view, wanted)
    known = {file.name: file for owner in view.everyone for file in owner.files}
    opened = _opened_names(context, view, backup)
    changes, kept, unopened = [], [], 0
    for name, sealed in sorted(wanted.items()):
        file = known.get(name) or context.records.file(name)
        there = file.encrypted()
        if there == sealed:
            continue
        if there is not None and (not overwrite or name not in opened):
            kept.append(name)
            unopened += overwrite
            continue
        restored = _with_later_times(file, there, sealed)
        if restored != there:
            changes.append(Change(file, owners.get(name, ""), there, restored))
    facts = {
        "path": path,
        "files": len(backup),
        "kept": kept,
        "missing": [number for number in missing if not matches(number, noted.values())],
    }
    return RecordPlan(
        context.records.folder, tuple(changes), _applying(changes), facts, _restore_warnings(changes, kept, unopened)
    )


def _with_later_times(file: RecordFile, there: bytes | None, sealed: bytes) -> bytes:
    """Return the string that replaces an entry: that of the backup, with the later times of both.

    An earlier time of the last refresh of groups would permit the next one too soon. The present string is returned if
    nothing else differs.
    """
    if there is None or not isinstance(file, EncryptedFile):
        return sealed
    restored = file.decrypt(sealed)
    try:
        present = file.decrypt(there)
    except ValueError:
        # The damaged entry is replaced, and its times are unknown.
        return sealed
    if not isinstance(present, DeviceRecord) or not isinstance(restored, DeviceRecord):
        return sealed
    merged = restored.keep_later_times(present)
    if merged == restored:
        return sealed
    return there if merged == present else file.encrypt(merged)


def _opened_names(context: RunContext, view: RecordInventory, backup: Files) -> set[str]:
    """Return the names of the entries that a token of this run decrypts. No other entry can be verified."""
    names = {file.name for owner in view.everyone for file in (owner.creation_file, owner.record_file) if file}
    if context.account_token:
        names.update(context.records.creation_entries_in(backup, context.account_token))
    return names


def _noted(context: RunContext, backup: Files) -> dict[str, str]:
    """Return the number of each entry by its name, according to the creation entries of the backup.

    The record may have lost its own creation entries.
    """
    if not context.account_token:
        return {}
    owners: dict[str, str] = {}
    for name, note in context.records.creation_entries_in(backup, context.account_token).items():
        owners.update({name: note.number, **({note.device_file: note.number} if note.device_file else {})})
    return owners


def _names_noted(noted: t.Mapping[str, str], numbers: t.Iterable[str]) -> set[str]:
    wanted = {spelling for number in numbers for spelling in matches(number, noted.values())}
    return {name for name, number in noted.items() if number in wanted}


def _check_openings(path: str, view: RecordInventory, files: Files) -> None:
    """Refuse a string that its own token does not decrypt, for each entry whose token is known."""
    for owner in view.everyone:
        for file in (owner.creation_file, owner.record_file):
            if file is None or file.name not in files:
                continue
            try:
                file.decrypt(files[file.name])
            except ValueError:
                raise BackupError(
                    f"the backup {path} contains a string for {file.name} of device {owner.number} that does not "
                    "decrypt with its token, so it was not used",
                    "it was changed or is damaged: use an unchanged backup",
                ) from None


def _restore_warnings(changes: t.Sequence[Change], kept: t.Sequence[str], unopened: int) -> tuple[str, ...]:
    left = (
        f"{_count(len(kept), 'file')} of the record {'differs' if len(kept) == 1 else 'differ'} from the backup and "
        f"{'was' if len(kept) == 1 else 'were'} left as {'it is' if len(kept) == 1 else 'they are'}: see kept. "
    )
    left += (
        "No token of this run decrypts them, so nothing proves that the backup is genuine: use the token of "
        "their account."
        if unopened
        else "With overwrite: true, the files of the backup replace them."
    )
    return (*((AS_OLD,) if changes else ()), *((left,) if kept else ()))


# Writing


def _applying(changes: t.Sequence[Change]) -> t.Callable[[list[Change]], None]:
    """Return a function that applies the changes. The entries of one number are changed together, under their locks."""

    def act(done: list[Change]) -> None:
        for group in _by_number(changes):
            what = "Forgetting" if group[0].after is None else "Restoring the record of"
            with contextlib.ExitStack() as held, change_context(what, group[0]):
                for change in group:
                    held.enter_context(change.file.lock(LOCK_SECONDS))
                done.extend(change for change in group if apply_change(change))

    return act


def change_context(what: str, change: Change) -> t.ContextManager[None]:
    """Add the operation and its device to an error that does not have one yet."""
    return error_context(f"{what} device {change.number}" if change.number else f"{what} a device")


def _by_number(changes: t.Iterable[Change]) -> list[list[Change]]:
    """Return the changes grouped by number, in the order of locking. A change without a number is a group by itself."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.number or change.file.name, []).append(change)
    return [sorted(group, key=_lock_order) for group in groups.values()]


def _lock_order(change: Change) -> tuple[bool, str]:
    return not change.file.name.startswith("number-"), change.file.name


def apply_change(change: Change) -> bool:
    """Apply a change unless another run has written the entry in the meantime; return whether the entry is as planned.

    The change is durable when this returns.
    """
    there = change.file.encrypted()
    if there == change.after:
        # Another run has applied the same change.
        return True
    if there != change.before:
        return False
    change.file.write(change.after)
    return True
