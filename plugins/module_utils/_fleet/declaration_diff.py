# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Describe the effects of a change of a declaration, for the reviewer of a pull request.

No request is sent: the description compares the two declarations, and not the state of the service.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._common.errors import OptionError
from .._common.phone_numbers import international
from .._common.redaction import origin, printable
from .._common.yaml_edit import VAULT_HEADER, YamlEditError, load
from .._device.settings import WEBHOOKS
from .._reconcile.state import State
from .declaration import FleetData, FleetDevice, Unresolved, read_fleet, unmanaged_hidden
from .declared_accounts import accounts_of

MAX_NAMED = 10
GONE = "No longer declared"

# The limits by the names of their options, with the words for the count of a change.
LIMITS = (
    ("max_create", "creates up to {} devices"),
    ("max_clear", "clears webhooks of {} devices"),
    ("max_disconnect", "disconnects {} devices"),
)


Limit = t.Union[int, str, None]


@dataclass(frozen=True)
class Section:
    """A section of the description.

    Attributes:
        title: The effect.
        lines: A line for each device that it affects.
        note: An explanation; empty if there is none.
    """

    title: str
    lines: tuple[str, ...]
    note: str = ""


def read_texts(texts: t.Mapping[str, str | None]) -> tuple[dict[str, t.Any], list[str], list[str]]:
    """Return the data of files, the problems of those that cannot be read, and notes on those that are encrypted.

    Args:
        texts: The content of each file by its path; None for a file that is encrypted as a whole.
    """
    said: dict[str, t.Any] = {}
    problems, notes = [], []
    for path, text in texts.items():
        if text is None or text.startswith(VAULT_HEADER):
            notes.append(f"{path} is encrypted, and was not checked.")
            continue
        try:
            said[path] = load(text, path, Unresolved)
        except YamlEditError as fault:
            problems.append(str(fault))
    return said, problems, notes


def check_declaration(
    texts: t.Mapping[str, str | None],
    earlier: t.Mapping[str, str | None] | None = None,
    stamped: bool = True,
    max_create: Limit = None,
    max_clear: Limit = None,
    max_disconnect: Limit = None,
) -> dict[str, t.Any]:
    """Check a declaration without a token, and describe its changes.

    Args:
        texts: The content of each file by its path.
        earlier: The files before the change; None if there is nothing to compare with.
        stamped: Whether the names must leave room for a signature suffix (stamp).
        max_create: The most devices that a run may create; None for no limit. A value from the command line (``-e``) is
            a string.
        max_clear: The most devices whose webhooks it may clear, likewise.
        max_disconnect: The most devices that it may disconnect, likewise.

    Returns:
        ``problems`` and ``notes`` (sentences), ``text`` (lines) and ``markdown``.

    Raises:
        OptionError: A limit is not a whole number.
    """
    given = {"max_create": max_create, "max_clear": max_clear, "max_disconnect": max_disconnect}
    limits = {option: _parse_int(option, limit) for option, limit in given.items()}
    said, problems, notes = read_texts(texts)
    fleet = read_fleet(said, stamped)
    problems += fleet.problems
    parts: list[Section] = []
    if earlier is not None:
        # Problems of the earlier files are not caused by this change.
        before = read_fleet(read_texts(earlier)[0])
        parts = compare(fleet, before)
        if problems:
            # A device with a problem is not read, and is still declared.
            parts = [part for part in parts if part.title != GONE]
        notes += _limit_notes(fleet, before, limits)
    notes += _open_notes(fleet)
    head = _head(fleet, len(texts), problems, earlier is not None and not parts)
    return {
        "problems": [printable(problem) for problem in problems],
        "notes": [printable(note) for note in notes],
        "text": [printable(line) for line in _as_lines(head, parts, notes)],
        "markdown": _as_markdown(head, problems, parts, notes),
    }


def _parse_int(option: str, limit: Limit) -> int | None:
    if limit is None:
        return None
    text = str(limit).strip()
    if not re.fullmatch("[0-9]{1,9}", text):
        raise OptionError(option, "it is not a valid whole number", "write one such as 3, or leave it out for no limit")
    return int(text)


def compare(fleet: FleetData, earlier: FleetData) -> list[Section]:
    """Return the effects of a change, the most important first."""
    now, before = _by_key(fleet), _by_key(earlier)
    added = [device for key, device in now.items() if key not in before]
    gone = [device for key, device in before.items() if key not in now]
    pairs = [(before[key], device) for key, device in now.items() if key in before]
    parts = [
        _section(
            "Disconnected",
            [_label(new) for old, new in pairs if _is_disconnected(old, new)],
            "The phone is logged out.",
        ),
        _cleared(pairs),
        _section(
            "In another account",
            [f"{_label(new)}, from {_client_of(old)}" for old, new in pairs if old.client.token != new.client.token],
            "This change cannot move a number. The number must first be deleted in the old account; see "
            "docs/move-a-number.md.",
        ),
        _section(
            "New",
            [_label(device) for device in added],
            "Each is created unless the account has it, and is then linked to a phone.",
        ),
        _section(
            GONE,
            [_label(device) for device in gone],
            "Nothing is deleted. The audit lists them as not declared; the playbook decommission deletes them.",
        ),
        _section(
            "A new number under an old name", list(_renumbered(added, gone)), "This is a new device with a new token."
        ),
        _section(
            "Of another client", [f"{_label(new)}, from {_client_of(old)}" for old, new in pairs if _moves(old, new)]
        ),
        _section("May be linked again", [_label(new) for old, new in pairs if _is_disconnected(old=new, new=old)]),
        *_settings(pairs),
    ]
    return [part for part in parts if part.lines]


def _section(title: str, lines: t.Sequence[str], note: str = "") -> Section:
    return Section(title, tuple(lines), note)


def _by_key(fleet: FleetData) -> dict[str, FleetDevice]:
    return {international(device.number): device for device in fleet.devices if device.number}


def _label(device: FleetDevice) -> str:
    name = device.entry.get("name")
    words = [device.number, f'"{name}"' if isinstance(name, str) else "", _client_of(device)]
    return " ".join(filter(None, words[:2])) + f" ({words[2]})"


def _client_of(device: FleetDevice) -> str:
    return device.client.name or device.client.place


def _moves(old: FleetDevice, new: FleetDevice) -> bool:
    return old.client.name != new.client.name and old.client.token == new.client.token


def _is_disconnected(old: FleetDevice, new: FleetDevice) -> bool:
    stopped = State.DISCONNECTED.value
    return new.entry.get("state") == stopped and old.entry.get("state") != stopped


def _renumbered(added: t.Sequence[FleetDevice], gone: t.Sequence[FleetDevice]) -> t.Iterator[str]:
    names = {(device.client.name, device.entry.get("name")): device for device in gone if device.entry.get("name")}
    for device in added:
        old = names.get((device.client.name, device.entry.get("name")))
        if old is not None:
            yield f"{_label(device)} instead of {old.number}"


Pairs = t.Sequence[t.Tuple[FleetDevice, FleetDevice]]


def _clears(old: FleetDevice, new: FleetDevice) -> list[str]:
    return [option for option in WEBHOOKS if new.entry.get(option) == "" and old.entry.get(option) not in ("", None)]


def _cleared(pairs: Pairs) -> Section:
    lines = [f"{_label(new)}: {', '.join(_clears(old, new))}" for old, new in pairs if _clears(old, new)]
    return _section("Webhooks cleared", lines, "Fonnte no longer calls these URLs.")


def _settings(pairs: Pairs) -> t.Iterator[Section]:
    """Yield a section for each change of a setting, with the devices that share it."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for old, new in pairs:
        # The state has separate sections.
        for option in sorted((set(old.entry) | set(new.entry)) - {"device", "state"}):
            before, after = old.entry.get(option), new.entry.get(option)
            if _same(before, after) or option in _clears(old, new):
                continue
            together.setdefault((option, _shown(option, before), _shown(option, after)), []).append(_label(new))
    for (option, shown_before, shown_after), lines in together.items():
        note = "It keeps its value, and updates still send the recorded value." if shown_after == _OPEN else ""
        if shown_before == shown_after:
            yield _section(f"{option}: another value ({shown_after})", lines, note)
        else:
            yield _section(f"{option}: {shown_before} → {shown_after}", lines, note)


def _same(one: object, other: object) -> bool:
    """Return whether two values are equal. A string of digits may be a number in YAML."""
    if isinstance(one, (bool, Unresolved)) or isinstance(other, (bool, Unresolved)) or one is None or other is None:
        return one == other
    return str(one) == str(other)


_OPEN = "not managed"


def _shown(option: str, value: object) -> str:
    if value is None:
        return _OPEN
    if isinstance(value, Unresolved):
        return str(value)
    if option in WEBHOOKS:
        return f"{origin(str(value))}/…" if value else "empty"
    if option == "device_token":
        return "a token"
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _limit_notes(fleet: FleetData, earlier: FleetData, limits: t.Mapping[str, int | None]) -> t.Iterator[str]:
    now, before = _by_key(fleet), _by_key(earlier)
    pairs = [(before[key], device) for key, device in now.items() if key in before]
    counts = {
        "max_create": len(now.keys() - before.keys()),
        "max_clear": sum(bool(_clears(old, new)) for old, new in pairs),
        "max_disconnect": sum(_is_disconnected(old, new) for old, new in pairs),
    }
    for option, what in LIMITS:
        limit = limits[option]
        if limit is not None and counts[option] > limit:
            yield (
                f"This change {what.format(counts[option])}, and fleet_{option} is {limit}: the run would stop "
                f"before it writes. If this is intended, run it once with -e fleet_{option}={counts[option]}."
            )


def _open_notes(fleet: FleetData) -> t.Iterator[str]:
    """Yield a sentence with the write-only settings that devices do not declare, and the number of these devices."""
    together: dict[str, int] = {}
    for device in fleet.devices:
        for option in unmanaged_hidden(device):
            together[option] = together.get(option, 0) + 1
    if together:
        reported = ", ".join(f"{option} ({count})" for option, count in together.items())
        yield (
            f"Settings that Fonnte never shows and that devices do not declare: {reported}. An update may reset "
            "them, and with fleet_handle_unknown: error it stops instead. Declare them, preferably in fleet_defaults."
        )


def _head(fleet: FleetData, files: int, problems: t.Sequence[str], same: bool) -> str:
    counted = [
        _counted(len(fleet.devices), "device"),
        _counted(len({device.client.name for device in fleet.devices if device.client.name}), "client"),
        _counted(len(accounts_of(fleet)), "account"),
        _counted(files, "file"),
    ]
    wrong = f" {_counted(len(problems), 'problem')}." if problems else " No problems."
    return f"{', '.join(counted)}.{wrong}{' Nothing changes.' if same else ''}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _limit_lines(lines: t.Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - MAX_NAMED} more"] if len(lines) > MAX_NAMED else []
    return [*lines[:MAX_NAMED], *more]


def _as_lines(head: str, parts: t.Sequence[Section], notes: t.Sequence[str]) -> list[str]:
    reported = [
        f"{part.title} ({len(part.lines)}): {'; '.join(_limit_lines(part.lines))}. {part.note}".strip()
        for part in parts
    ]
    return [head, *reported, *notes]


def _as_markdown(head: str, problems: t.Sequence[str], parts: t.Sequence[Section], notes: t.Sequence[str]) -> str:
    blocks = ["## Effects of this change", head]
    if problems:
        blocks += ["### Problems", _list(problems)]
    for part in parts:
        blocks += [
            f"### {_neutralize(part.title)} ({len(part.lines)})",
            *([part.note] if part.note else []),
            _list(_limit_lines(part.lines)),
        ]
    if notes:
        blocks += ["### Notes", _list(notes)]
    return "\n\n".join(blocks) + "\n"


def _list(lines: t.Sequence[str]) -> str:
    return "\n".join(f"- {_neutralize(line)}" for line in lines)


# Names can contain any text. In a comment of a pull request, they must not become markup, a link or a mention.
_NEUTRALIZED = {ord(letter): f"\\{letter}" for letter in "\\`*_[]<>|"}
# References and formulas are recognized after backslashes were removed, so an invisible character interrupts them.
_NEUTRALIZED.update({ord(letter): f"\\{letter}\u200b" for letter in "#~&$!"})
_NEUTRALIZED.update({ord(letter): f"{letter}\u200b" for letter in "@%"})
# A plain URL becomes a link without any markup.
_ADDRESS = re.compile(r"(?i)(://|\bwww\b)")
# A reference to an issue also becomes a link: GH-1, or PROJECT-1 of an issue tracker.
_REFERENCE = re.compile(r"(?<=[A-Za-z])-(?=[0-9])")


def _neutralize(line: str) -> str:
    return _REFERENCE.sub("-\u200b", _ADDRESS.sub("\u200b\\1", printable(line).translate(_NEUTRALIZED)))
