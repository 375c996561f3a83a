# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Summarize the results of a fleet in a few sentences for the person who runs it. Pure."""

from __future__ import annotations

import itertools
import typing as t

from .._common.phone_numbers import canonical
from .._reconcile.state import Reason
from .declaration import CONTACT

MAX_REPORTED = 20
FAILED = ("failed", "in_doubt")
# The most devices in one line; summary.changed_devices has all of them.
MAX_LISTED = 10

# Why an update sends settings that the device may have already: it changes no known value, so the diff is empty.
_SENT_AGAIN: t.Mapping[str, str] = {
    Reason.UNPROVEN.value: "no stamp proves them",
    Reason.NO_RECORD.value: "no record has them",
    Reason.IN_DOUBT.value: "an earlier request ended without a response",
    Reason.EXPIRED.value: "their record is older than record_max_age",
    Reason.ALWAYS.value: "handle_write_only is always_update",
}

Result = t.Mapping[str, t.Any]

COUNTS = (
    "created",
    "updated",
    "disconnected",
    "unchanged",
    "failed",
    "not_attempted",
    "in_doubt",
    "to_link",
    "cleared",
)


def summarize(accounts: t.Sequence[Result], results: t.Sequence[Result], predicted: bool = False) -> dict[str, t.Any]:
    """Return the summary of the results of several accounts.

    Args:
        accounts: The accounts, as ``Account.as_data()`` returns them.
        results: The result of fonnte_fleet for each account; empty for an account that was not attempted.
        predicted: Whether the results are those of check mode or a preview.
    """
    counts = {key: sum(result.get("summary", {}).get(key, 0) for result in results) for key in COUNTS}
    runs = [device for result in results for device in result.get("devices", ())]
    created = [device["number"] for device in runs if "create" in device["operations"]]
    to_link = [
        (account, number)
        for account, result in zip(accounts, results)
        for number in result.get("summary", {}).get("to_link_devices", ())
    ]
    # A created device counts only as created, although some settings may need an update.
    counts["updated"] = sum(_is_updated(device["operations"]) for device in runs)
    declared = sum(len(account["devices"]) for account in accounts)
    known = any("summary" in result for result in results) or not results
    head = [_head(declared, counts, predicted)] if known else []
    return {
        "text": [
            *head,
            *_changes(results),
            *_sent_again(results),
            *_failed(results),
            *_left(accounts, results),
            *_unlisted(accounts, results),
            *_linking(to_link, set(created)),
        ],
        "created": created,
        "to_link": [number for _account, number in to_link],
        "unlisted": [number for result in results for number in result.get("unlisted", ())],
        "counts": counts,
        "failed": any(_is_bad(result) for result in results),
    }


def _is_bad(result: Result) -> bool:
    return not result or bool(result.get("failed"))


def _is_updated(operations: t.Sequence[str]) -> bool:
    return "update" in operations and "create" not in operations


def _head(declared: int, counts: t.Mapping[str, int], predicted: bool) -> str:
    words = [f"{counts[key]} {key.replace('_', ' ')}" for key in ("created", "updated", "disconnected", "unchanged")]
    words += [
        f"{counts[key]} {key.replace('_', ' ')}" for key in ("failed", "in_doubt", "not_attempted") if counts[key]
    ]
    would = "Expected result of a run: " if predicted else ""
    return f"{declared} device{' is' if declared == 1 else 's are'} declared. {would}{', '.join(words)}."


def _changes(results: t.Iterable[Result]) -> t.Iterator[str]:
    """Yield a line for each change, with the devices that have it."""
    groups: dict[str, list[str]] = {}
    for result in results:
        for change in result.get("diff", ()):
            before, after = change["before"], change["after"]
            label = _label(after.get("device", ""), after.get("name"))
            if not before:
                groups.setdefault("Created", []).append(label)
            for field in after if before else ():
                if before.get(field) != after[field]:
                    text = f"{field}: {_shown(before.get(field))} → {_shown(after[field])}"
                    groups.setdefault(text, []).append(label)
    for text, labels in groups.items():
        yield f"{text} ({len(labels)}): {_listed(labels)}."


def _sent_again(results: t.Iterable[Result]) -> t.Iterator[str]:
    """Yield a line for each reason to send settings again, with the devices of which no line lists a change."""
    groups: dict[str, list[str]] = {}
    for result in results:
        changed = {diff["after"].get("device") for diff in result.get("diff", ()) if diff["before"] != diff["after"]}
        for device in result.get("devices", ()):
            if device["number"] not in changed and _is_updated(device["operations"]):
                label = _label(device["number"], (device.get("device") or {}).get("name"))
                for reason in dict.fromkeys(device.get("reasons", {}).values()):
                    groups.setdefault(reason, []).append(label)
    for reason, why in _SENT_AGAIN.items():
        if reason in groups:
            yield f"Sent again, since {why} ({len(groups[reason])}): {_listed(groups[reason])}."


def _failed(results: t.Iterable[Result]) -> t.Iterator[str]:
    """Yield a line for each reason of a failure, with the devices that have it."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for result in results:
        for device in result.get("devices", ()):
            if device.get("status") in FAILED:
                number, reason = device["number"], device["msg"]
                # Reasons that differ only in the number are one reason.
                key = reason.replace(number, "") if number else reason
                groups.setdefault(key, []).append((number, reason))
    for failed in groups.values():
        # All of them: a failure that is not listed is not repaired.
        numbers = ", ".join(number for number, _reason in failed)
        yield f"Failed ({len(failed)}): {numbers}: {failed[0][1]}"


def _label(number: str, name: object) -> str:
    return f'{number} "{name}"' if name else number


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "unknown"
    return str(value) or "empty"


def _listed(labels: t.Sequence[str]) -> str:
    more = f" and {len(labels) - MAX_LISTED} more" if len(labels) > MAX_LISTED else ""
    return ", ".join(labels[:MAX_LISTED]) + more


def _left(accounts: t.Sequence[Result], results: t.Sequence[Result]) -> t.Iterator[str]:
    without = [bool(result) and "summary" not in result for result in results]
    # Ansible adds the output of an ordinary module that was killed, or that crashed.
    killed = ["module_stdout" in result for result in results]
    reported = (
        ("Nothing was changed in account", [left and not ended for left, ended in zip(without, killed)]),
        ("Ended without a result, so it is unknown whether it was changed: account", killed),
        ("Not attempted, since another account failed:", [not result for result in results]),
    )
    for words, which in reported:
        names = [account["name"] for account, left in zip(accounts, which) if left]
        # With one account, the failure itself is enough.
        if names and len(accounts) > 1:
            yield f"{words} {', '.join(names)}."


def _unlisted(accounts: t.Sequence[Result], results: t.Sequence[Result]) -> t.Iterator[str]:
    """Yield a line for each account with devices that no entry declares."""
    for account, result in zip(accounts, results):
        numbers: t.Sequence[str] = result.get("unlisted", ())
        more = f" and {len(numbers) - MAX_REPORTED} more" if len(numbers) > MAX_REPORTED else ""
        if numbers:
            counted = f"{len(numbers)} device{'' if len(numbers) == 1 else 's'}"
            yield f"Not declared: {counted} of account {account['name']}: {', '.join(numbers[:MAX_REPORTED])}{more}."


def _linking(to_link: t.Sequence[tuple[Result, str]], created: t.Collection[str]) -> t.Iterator[str]:
    """Yield a line for each new device to link to a phone, with the contacts of its client, and one for all others."""
    if not to_link:
        return
    how = "The playbook fonnte.whatsapp.link shows the QR code, with -e link_devices=all or a number."
    yield f"To be linked to a phone: {len(to_link)}. {how}"
    new = [pair for pair in to_link if pair[1] in created]
    for _key, group in itertools.groupby(new[:MAX_REPORTED], lambda pair: id(pair[0])):
        pairs = list(group)
        names = _names_by_number(pairs[0][0])
        for account, number in pairs:
            yield _link_line(account, number, names.get(canonical(number), ""))
    if len(new) > MAX_REPORTED:
        yield f"and {len(new) - MAX_REPORTED} more."
    existing = [number for _account, number in to_link if number not in created]
    if existing:
        yield f"Existing devices ({len(existing)}): {_listed(existing)}."


def _names_by_number(account: Result) -> dict[str, str]:
    """Return the declared names of the devices of an account. If a device is declared twice, its first name counts."""
    return {
        canonical(entry.get("device", "")): entry["name"] for entry in reversed(account["devices"]) if entry.get("name")
    }


def _link_line(account: Result, number: str, name: str) -> str:
    owner = account["owners"].get(number, "")
    contacts: t.Sequence[Result] = next(
        (client["contacts"] for client in account["clients"] if client["name"] == owner), []
    )
    asked = "; ".join(", ".join(str(contact[key]) for key in CONTACT if contact.get(key)) for contact in contacts)
    words = [number, f'"{name}"' if name else "", owner, f"ask {asked}" if asked else ""]
    return " · ".join(filter(None, words))
