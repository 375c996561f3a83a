# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The changes of links since the last run: compare the devices with a small file, and store the reported state.

The file has an entry for each device that was linked in a run: the reported state, and whether a message about another
state may have been sent (*in doubt*). A device that was never linked has no entry, and cannot drop off. A device that
the list omits keeps its entry. Numbers are unique over all accounts, so several accounts can use one file in turn.
"""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from dataclasses import dataclass, field, replace

from .._common.atomic_files import write_all
from .._common.destinations import make_directory
from .._common.errors import FonnteError
from .._common.input_files import read_whole
from .._record.file_locks import hold_lock
from .run_claim import Claim, OtherRunError

FORMAT = "fonnte.whatsapp/link-changes"
VERSION = 1
FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
# The times that a message about one change may be sent: the second one repeats a message whose response was lost.
MAX_MESSAGES = 2
# A task holds the file for milliseconds, unless its disk is slow.
LOCK_SECONDS = 10.0

Json = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Known:
    """The stored state of a device.

    Attributes:
        connected: Whether it was linked, according to the last report.
        in_doubt: How many messages about the opposite state were sent without a known result.
        undo: The two values before the last ``start``, which counted a message about the device; None otherwise.
    """

    connected: bool
    in_doubt: int = 0
    undo: tuple[bool, int] | None = None


@dataclass(frozen=True)
class Change:
    """A device whose link differs from the reported state, or whose report is in doubt."""

    device: str
    name: str | None
    connected: bool
    repeated: bool = False


@dataclass(frozen=True)
class Comparison:
    """The devices of a run, compared with the stored state.

    Attributes:
        before: The stored state; None without a file.
        dropped: The devices that were linked and are not any more.
        recovered: The devices that were reported as dropped and are linked again.
        never_linked: The disconnected devices that were linked in no run.
        seen: The stored state with the devices that are linked for the first time.
    """

    before: t.Mapping[str, Known] | None
    dropped: tuple[Change, ...] = ()
    recovered: tuple[Change, ...] = ()
    never_linked: tuple[Change, ...] = ()
    seen: t.Mapping[str, Known] = field(default_factory=dict)


def compare(before: t.Mapping[str, Known] | None, devices: t.Iterable[Change]) -> Comparison:
    """Compare the devices of an account with the stored state."""
    seen = {number: _settled(known) for number, known in (before or {}).items()}
    groups: dict[str, list[Change]] = {"dropped": [], "recovered": [], "never_linked": []}
    for device in devices:
        known = seen.get(device.device)
        if known is None:
            if device.connected:
                seen[device.device] = Known(True)
            else:
                groups["never_linked"].append(device)
        elif known.in_doubt or known.connected != device.connected:
            change = replace(device, repeated=bool(known.in_doubt))
            groups["recovered" if device.connected else "dropped"].append(change)
    dropped, recovered, never_linked = (tuple(group) for group in groups.values())
    return Comparison(before, dropped, recovered, never_linked, seen)


def _settled(known: Known) -> Known:
    """Return the state that counts: after the last message, a change is reported, even if its response was lost."""
    return Known(not known.connected) if known.in_doubt >= MAX_MESSAGES else replace(known, undo=None)


def start(found: Comparison) -> dict[str, Known]:
    """Return the state to store before the message: its changes are in doubt."""
    after = dict(found.seen)
    for change in (*found.dropped, *found.recovered):
        known = after[change.device]
        # The last message about a device that is back in its reported state is in doubt. This one is about the return.
        before = known if known.connected != change.connected else Known(not known.connected)
        after[change.device] = Known(before.connected, before.in_doubt + 1, (known.connected, known.in_doubt))
    return after


def finish(found: Comparison) -> dict[str, Known]:
    """Return the state to store after the message was queued."""
    changes = (*found.dropped, *found.recovered)
    return {**found.seen, **{change.device: Known(change.connected) for change in changes}}


def cancel(found: Comparison) -> dict[str, Known]:
    """Return the state to store if no message was queued after ``start``: the one before it.

    A message of an earlier run stays in doubt.
    """
    started = {number: known.undo for number, known in (found.before or {}).items()}
    return {**found.seen, **{number: Known(*undo) for number, undo in started.items() if undo is not None}}


# --- the file -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredState:
    """The content of the file.

    Attributes:
        devices: The state of each device, by its number.
        claim: The claim of the run that reports changes, or did; None if there is none.
    """

    devices: dict[str, Known]
    claim: Claim | None = None


def read_state(path: str) -> StoredState | None:
    """Return the stored state; None if there is no file.

    Raises:
        FonnteError: The file cannot be read, or is damaged.
    """
    try:
        content = read_whole(path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise FonnteError(
            f"the state in {path} cannot be read ({exc.strerror or 'a disk error'})",
            "check who owns the file, or name another one",
        ) from None
    try:
        return _parse(json.loads(content.decode("utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise FonnteError(
            f"{path} is not the state of an earlier run",
            "restore it, or remove it: the next run then stores the present state, and reports no change",
        ) from None


def _parse(data: t.Any) -> StoredState:
    if data["format"] != FORMAT or data["version"] != VERSION:
        raise ValueError
    devices = {str(number): _known(entry) for number, entry in data["devices"].items()}
    return StoredState(devices, Claim.from_json(data["run"]) if "run" in data else None)


def _known(entry: t.Any) -> Known:
    undo = entry.get("undo")
    connected, in_doubt = _state(entry["connected"], entry["in_doubt"])
    return Known(connected, in_doubt, None if undo is None else _state(*undo))


def _state(connected: object, in_doubt: object) -> tuple[bool, int]:
    """Return the two values of a state; ValueError if they are invalid."""
    if not isinstance(connected, bool) or not isinstance(in_doubt, int) or isinstance(in_doubt, bool):
        raise ValueError
    if not 0 <= in_doubt <= MAX_MESSAGES:
        raise ValueError
    return connected, in_doubt


def state_bytes(state: t.Mapping[str, Known], claim: Claim | None = None) -> bytes:
    """Return the content of the file, with a line for each device."""
    lines = (f"{json.dumps(number)}: {json.dumps(_entry(known))}" for number, known in sorted(state.items()))
    run = f'"run": {json.dumps(claim.to_json())}, ' if claim is not None else ""
    head = f'{{"format": "{FORMAT}", "version": {VERSION}, {run}"devices": {{'
    return (head + ",".join(f"\n  {line}" for line in lines) + "\n}}\n").encode("ascii")


def _entry(known: Known) -> Json:
    entry = {"connected": known.connected, "in_doubt": known.in_doubt}
    return entry if known.undo is None else {**entry, "undo": known.undo}


@contextlib.contextmanager
def hold_state(path: str, pause: t.Callable[[float], None]) -> t.Iterator[None]:
    """Hold the file, so that no other task reads or writes it meanwhile. Its directory is created if it does not exist.

    Raises:
        OtherRunError: A task of another run holds it for too long.
        FonnteError: It cannot be locked.
    """
    with contextlib.ExitStack() as held:
        try:
            make_directory(os.path.dirname(path), DIRECTORY_MODE)
            held.enter_context(hold_lock(path, LOCK_SECONDS, pause))
        except TimeoutError:
            raise OtherRunError(
                f"another run has held {path} for {LOCK_SECONDS:.0f} seconds",
                "wait until it has ended, then run this one again",
            ) from None
        except OSError as exc:
            raise _unwritable(path, exc) from None
        yield


def write_state(path: str, state: t.Mapping[str, Known], claim: Claim | None = None) -> None:
    """Write the file for its owner only, as a whole or not at all.

    Raises:
        FonnteError: It cannot be written. The earlier file still exists.
    """
    try:
        write_all({path: state_bytes(state, claim)}, FILE_MODE)
    except OSError as exc:
        raise _unwritable(path, exc) from None


def _unwritable(path: str, exc: OSError) -> FonnteError:
    return FonnteError(
        f"the state cannot be written to {path} ({exc.strerror or 'a disk error'})",
        "free disk space, check who owns the directory, or name another file",
    )
