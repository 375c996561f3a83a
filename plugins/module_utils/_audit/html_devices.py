# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The devices on the page of a report: a table, which becomes a list of cards on a narrow screen, and its controls."""

from __future__ import annotations

import re
import typing as t
import unicodedata
from html import escape

from .._reconcile.evidence import Source
from .event_texts import describe_event
from .findings import Audit, AuditedDevice, Finding, Kind, Level
from .page_messages import PageMessages

# Levels must be recognizable without color, too.
_SIGNS: dict[Level, str] = {Level.ACTION: "✖", Level.NOTICE: "!", Level.UNKNOWN: "?", Level.FINE: "✔"}
_LEVELS = tuple(Level)
# The label of these kinds already is the sentence.
_BRIEF = frozenset((Kind.DISCONNECTED, Kind.UNLISTED))
# The sentences of these kinds depend on the cause, and end with its action.
_WITH_ACTION = frozenset((Kind.RECEIVER_FAILED, Kind.DELIVERY_RISK))
_COLUMNS = {
    "device": "col_device",
    "status": "status",
    "findings": "col_findings",
    "package": "col_package",
    "quota": "col_quota",
}
_DIGITS = re.compile("([0-9]+)")


def sign(level: Level) -> str:
    """Return the sign of a level, which a screen reader skips."""
    return f'<span class="sign" aria-hidden="true">{_SIGNS[level]}</span>'


def split_state(label: str) -> tuple[str, str]:
    """Return the label of a status in two parts: the status, and its limitation, if it has one."""
    state, _comma, limit = label.partition(", ")
    return state, limit


def devices_section(audit: Audit, words: PageMessages) -> str:
    """Return the search form and the table of devices, the most urgent ones first."""
    urgent = sorted(audit.devices, key=lambda subject: (_LEVELS.index(subject.level), _natural(subject)))
    names = {id(subject): place for place, subject in enumerate(sorted(urgent, key=_natural))}
    owners = sorted({subject.owner for subject in urgent if subject.owner}, key=_split)
    row = _Rows(words, names, {owner: place for place, owner in enumerate(owners)})
    total = words.number(len(urgent))
    heads = "".join(f'<th scope="col" class="{column}">{words(key)}</th>' for column, key in _COLUMNS.items())
    rows = "".join(row(subject) for subject in urgent)
    return (
        '<section aria-labelledby="devices">\n'
        f'<div class="bar"><h2 id="devices" class="aside" tabindex="-1">{words("all_devices")}</h2>'
        f'<p role="status" id="shown" data-text="{words("shown", count="#1", total="#2")}" '
        f'data-none="{words("none_fits")}">{words("shown", count=total, total=total)}</p>'
        f'<button type="button" id="clear" hidden>{words("clear")}</button></div>\n'
        f"{_form(audit, words, owners)}"
        f'<table id="list" aria-labelledby="devices"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n'
        f'<p id="more" hidden><button type="button">{words("more")}</button></p>\n</section>\n'
    )


def _natural(subject: AuditedDevice) -> tuple[t.Any, ...]:
    return (not subject.name, *_split(subject.name or subject.number))


def _split(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that compares digits as numbers, and letters without case and accents."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(
        (0, int(part), "") if _DIGITS.fullmatch(part) else (1, 0, part) for part in _DIGITS.split(letters) if part
    )


def _form(audit: Audit, words: PageMessages, owners: t.Sequence[str]) -> str:
    """Return the search form, which is hidden until the script has started."""
    devices = audit.devices_with()
    kinds = "".join(
        f'<option value="{kind.value}">{words("counted", label=words.label(kind), count=words.number(devices[kind]))}</option>'
        for kind in Kind
        if devices[kind]
    )
    by_owner = "".join(f'<option value="{place}">{escape(owner)}</option>' for place, owner in enumerate(owners))
    orders = ["name", *(["owner"] if owners else []), "ends", "quota"]
    if any(subject.last_event for subject in audit.devices):
        orders.append("event")
    sort = "".join(f'<option value="{order}">{words("sort_" + order)}</option>' for order in orders)
    every = f'<option value="">{words("any")}</option>'
    return (
        f'<form id="find" role="search" aria-label="{words("find")}" hidden>\n'
        f'<details><summary>{words("find")}</summary><div class="controls">\n'
        f'<div><label for="words">{words("search")}</label>'
        '<input type="search" id="words" autocomplete="off" spellcheck="false"></div>\n'
        + (_choice("by-kind", words("show_kind"), every + kinds) if kinds else "")
        + (_choice("by-owner", words("show_owner"), every + by_owner) if owners else "")
        + _choice("sort", words("sort"), f'<option value="">{words("sort_urgency")}</option>{sort}')
        + "</div></details></form>\n"
    )


def _choice(name: str, label: str, options: str) -> str:
    return f'<div><label for="{name}">{label}</label><select id="{name}">{options}</select></div>\n'


class _Rows:
    """Writes the rows of the table. The script reads the values to sort by from their attributes."""

    def __init__(self, words: PageMessages, names: t.Mapping[int, int], owners: t.Mapping[str, int]) -> None:
        self._words = words
        self._names = names
        self._owners = owners

    def __call__(self, subject: AuditedDevice) -> str:
        """Return a row."""
        values = {
            "kinds": " ".join(sorted({finding.kind.value for finding in subject.findings})),
            "name": self._names[id(subject)],
            "owner": self._owners.get(subject.owner),
            "ends": _digits(subject.expires),
            "quota": subject.quota,
            "event": _digits(subject.last_event.at if subject.last_event else None),
        }
        data = "".join(f' data-{key}="{value}"' for key, value in values.items() if value not in (None, ""))
        cells = (self._device, self._level, self._findings, self._package, self._quota)
        return f'<tr class="{subject.level.value}"{data}>{"".join(cell(subject) for cell in cells)}</tr>\n'

    def _device(self, subject: AuditedDevice) -> str:
        name = f'<bdi class="name">{escape(subject.name)}</bdi> ' if subject.name else ""
        owner = f' <bdi class="owner">{escape(subject.owner)}</bdi>' if subject.owner else ""
        return f'<th scope="row">{name}<span class="number">{escape(subject.number)}</span>{owner}</th>'

    def _level(self, subject: AuditedDevice) -> str:
        state, limit = split_state(self._words.state(subject))
        phone = "" if subject.connected is None else self._words("linked" if subject.connected else "not_linked")
        notes = "".join(f"<small>{text}</small>" for text in (limit, phone) if text)
        return f'<td class="status"><span class="chip">{sign(subject.level)}{state}</span>{notes}</td>'

    def _findings(self, subject: AuditedDevice) -> str:
        return f'<td class="findings">{finding_list(subject.findings, self._words)}</td>'

    def _package(self, subject: AuditedDevice) -> str:
        package = f"<bdi>{escape(subject.package)}</bdi> " if subject.package else ""
        until = self._words("until", at=self._words.day(subject.expires)) if subject.expires else ""
        event = describe_event(self._words, subject.last_event) if subject.last_event else ""
        return f'<td class="package">{package}{until}{f"<small>{event}</small>" if event else ""}</td>'

    def _quota(self, subject: AuditedDevice) -> str:
        if subject.quota is None:
            return '<td class="quota"></td>'
        label = f'<span class="label">{self._words("col_quota")}: </span>'
        return f'<td class="quota">{label}{self._words.number(subject.quota)}</td>'


def _digits(at: str | None) -> str | None:
    """Return a time as a number, in the order of times."""
    return "".join(_DIGITS.findall(at)) if at else None


def finding_list(findings: t.Sequence[Finding], words: PageMessages) -> str:
    """Return findings as a list by kind, each with its action; empty if there are none."""
    by_kind: dict[Kind, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    items = "".join(
        f'<li class="{kind.level.value}"><b>{words.label(kind)}</b> {"".join(_sentence(one, words) for one in found)}'
        f"{_action(kind, words)}</li>"
        for kind, found in by_kind.items()
    )
    return f'<ul class="found">{items}</ul>' if items else ""


def _action(kind: Kind, words: PageMessages) -> str:
    """Return the action for all findings of a kind; empty if each sentence has its own."""
    return "" if kind in _WITH_ACTION else f'<p class="todo">{words.action(kind)}</p>'


def _sentence(finding: Finding, words: PageMessages) -> str:
    """Return a finding with its evidence. The head of the page states the time of values that were read from Fonnte."""
    if finding.kind in _BRIEF:
        return ""
    known = finding.evidence.source in (Source.SERVICE, Source.NONE)
    evidence = "" if known else f" <small>{words.evidence(finding)}.</small>"
    return f'<p class="say">{words.sentence(finding)}{evidence}</p>'
