# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""One warning instead of many that differ in the number of the device alone, for one account and for several."""

from __future__ import annotations

import re
import typing as t

from .limit_checks import count_devices, list_labels

_GROUP = re.compile(
    r"(?P<text>.+) The same applies to [0-9]+ devices?: (?P<others>[^ :]+(?:, [^ :]+)*)(?: and (?P<more>[0-9]+) more)?\.",
    re.DOTALL,
)
_NUMBER = re.compile(r"\b[Dd]evice (\+?[0-9]{8,})\b")


class _Group:
    """The devices to which one warning applies.

    Attributes:
        number: The number of the first one, as the text of the warning has it; empty if it names none.
        text: The warning of that device.
        others: The numbers of the others, each once, in the order of the runs.
        more: How many devices have the warning whose numbers are unknown.
    """

    def __init__(self, number: str, text: str) -> None:
        self.number = number
        self.text = text
        self.others: dict[str, None] = {}
        self.more = 0

    def add(self, number: str) -> None:
        if number != self.number:
            self.others[number] = None

    def as_text(self) -> str:
        if not self.number or not self.others:
            return self.text
        others = list(self.others)
        return f"{self.text} The same applies to {count_devices(len(others) + self.more)}: {list_labels(others, self.more)}."


def group_warnings(warnings: t.Iterable[tuple[str, str]]) -> list[str]:
    """Return the warnings of devices, each given as the number of the device and the text."""
    groups: dict[str, _Group] = {}
    for number, text in warnings:
        named = number if number and number in text else ""
        groups.setdefault(_key(named, text), _Group(named, text)).add(number)
    return [group.as_text() for group in groups.values()]


def join_warnings(texts: t.Iterable[str]) -> list[str]:
    """Return the warnings of several accounts. Those of ``group_warnings`` with equal texts are one."""
    groups: dict[str, _Group] = {}
    for whole in dict.fromkeys(texts):
        found = _GROUP.fullmatch(whole)
        first = _NUMBER.search(found["text"] if found else whole)
        if first is None:
            # Without its number, a text cannot be compared with others, and keeps its list.
            groups.setdefault(whole, _Group("", whole))
            continue
        number, text = first.group(1), found["text"] if found else whole
        group = groups.setdefault(_key(number, text), _Group(number, text))
        for other in (number, *(found["others"].split(", ") if found else ())):
            group.add(other)
        group.more += int(found["more"] or 0) if found else 0
    return [group.as_text() for group in groups.values()]


def _key(number: str, text: str) -> str:
    return text.replace(number, "") if number else text
