# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Migrate the creation entries of an account whose token was replaced.

They are named and encrypted with the account token, so a run with a new token does not find them. With both tokens,
each entry is encrypted again under its new name, and then the old entry is removed. The records of devices depend only
on the tokens of the devices.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._common.errors import OptionError, error_context
from .._common.phone_numbers import matches
from .._reconcile.locks import LOCK_SECONDS
from .._reconcile.observe import RunContext
from .._record.entries import NumberRecord
from .._record.files import EncryptedFile
from .operations import apply_change, change_context
from .plan_types import Change, RecordPlan

Move = t.Tuple[t.Optional[Change], Change]


def plan_migration(context: RunContext, old_token: str, numbers: tuple[str, ...] | None) -> RecordPlan:
    """Return the plan to move creation entries from an old account token to the present one.

    Args:
        context: The context of the run.
        old_token: The account token that they were written with.
        numbers: Only move the entries of these numbers; None for all.
    """
    _check_tokens(context, old_token)
    with error_context("Listing the account's devices"):
        # A new token that the service does not accept must not become the only key.
        context.client.get_devices(context.account_token)
    notes = context.records.creation_entries(old_token)
    known = [note.number for note in notes.values()]
    wanted = {spelling for number in numbers or () for spelling in matches(number, known)}
    moves, kept = [], []
    for note in sorted(notes.values(), key=_number):
        if numbers is not None and note.number not in wanted:
            continue
        move = _plan_move(context, old_token, note)
        if move is None:
            kept.append(context.records.number(old_token, note.number).name)
        else:
            moves.append(move)
    changes = tuple(change for move in moves for change in move if change is not None)
    missing = [number for number in numbers or () if not matches(number, known)]
    return RecordPlan(
        context.records.folder, changes, _moving(moves), {"missing": missing, "kept": kept}, _warnings(kept)
    )


def _check_tokens(context: RunContext, old_token: str) -> None:
    if not context.account_token:
        raise OptionError(
            "account_token", "there is no new token to migrate to", "set it, or the variable FONNTE_ACCOUNT_TOKEN"
        )
    if old_token == context.account_token:
        raise OptionError(
            "old_account_token", "it is the same as account_token", "set the token that the account had before"
        )


def _number(note: NumberRecord) -> str:
    return note.number


def _plan_move(context: RunContext, old_token: str, note: NumberRecord) -> Move | None:
    """Return the two changes of one entry; None if the new token has a different entry."""
    old, new = (
        context.records.number(old_token, note.number),
        context.records.number(context.account_token, note.number),
    )
    there = new.encrypted()
    removal = Change(old, note.number, old.encrypted(), None)
    if there is None:
        return Change(new, note.number, None, new.encrypt(note)), removal
    # An earlier migration was interrupted between its two steps.
    return (None, removal) if _opens_as(new, there) == note else None


def _opens_as(file: EncryptedFile[NumberRecord], sealed: bytes) -> NumberRecord | None:
    with contextlib.suppress(ValueError):
        return file.decrypt(sealed)
    return None


def _moving(moves: t.Sequence[Move]) -> t.Callable[[list[Change]], None]:
    """Return a function that applies the changes. The new entry is durable before the old one is removed."""

    def act(done: list[Change]) -> None:
        for written, removed in moves:
            with contextlib.ExitStack() as held, change_context("Migrating the entry of", removed):
                files = [change.file for change in (written, removed) if change is not None]
                for file in sorted(files, key=lambda file: file.name):
                    held.enter_context(file.lock(LOCK_SECONDS))
                if removed.file.encrypted() != removed.before:
                    # A run with the old token has written it since the plan, so the copy would be out of date.
                    continue
                if written is not None:
                    if not apply_change(written):
                        continue
                    done.append(written)
                if apply_change(removed):
                    done.append(removed)

    return act


def _warnings(kept: t.Sequence[str]) -> tuple[str, ...]:
    if not kept:
        return ()
    return (
        f"The new account token has other entries for the numbers of {len(kept)} old entries, which were left: see kept. "
        "They are not used any more. If no run with the new token has written these numbers, one with the old token wrote "
        "during an earlier migration: forget the numbers, and migrate them again.",
    )
