# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The page of a report: one self-contained file for people who do not read YAML.

Without its script, it is a static page; the script only searches and sorts. The policy of the page allows only its own
style and scripts, by digest, so nothing else runs in it, and it loads nothing from the network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from html import escape

from .findings import Audit, AuditedDevice, Kind, Level
from .html_assets import EARLY_SCRIPT, SCRIPT, STYLE
from .messages import Messages

# Levels must be recognizable without color, too.
_SIGNS: dict[Level, str] = {Level.ACTION: "✖", Level.NOTICE: "!", Level.UNKNOWN: "?", Level.FINE: "✔"}
_LEVELS = tuple(Level)
_KINDS = tuple(Kind)


def render(audit: Audit, words: Messages) -> str:
    """Return a report as an HTML page. All text from outside is escaped."""
    columns = _columns(audit)
    style = STYLE + _labels(columns, words)
    return "".join(
        (
            "<!DOCTYPE html>\n",
            f'<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n',
            '<meta name="robots" content="noindex, nofollow">\n<link rel="icon" href="data:,">\n',
            f"<title>{escape(audit.title)}</title>\n<style>{style}</style>\n<script>{EARLY_SCRIPT}</script>\n</head>\n<body>\n",
            f'<a class="skip" href="#devices">{words("skip")}</a>\n',
            _head(audit, words),
            f"<main>\n{_summary(audit, words)}{_found(audit, words)}{_devices(audit, words, columns)}</main>\n",
            f"<footer><p>{words('footer')}</p></footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        )
    )


def _policy(style: str) -> str:
    """Return the Content-Security-Policy of the page: only its own style and scripts, and nothing from the network."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(EARLY_SCRIPT)}' '{_digest(SCRIPT)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _head(audit: Audit, words: Messages) -> str:
    return (
        f"<header><h1>{escape(audit.title)}</h1>\n<p>{escape(words.head(audit))} {words('only_looked')}</p></header>\n"
    )


def _summary(audit: Audit, words: Messages) -> str:
    levels = audit.levels()
    figures = [
        f'<li class="{level.value}"><span class="sign" aria-hidden="true">{_SIGNS[level]}</span>'
        f"<b>{levels[level]}</b> {words.group(audit, level)}</li>"
        for level in Level
    ]
    linked = sum(subject.connected is True for subject in audit.devices)
    figures.append(f"<li><b>{words.of(linked, len(audit.devices))}</b> {words('linked_count')}</li>")
    figures.append(f"<li><b>{words.of(audit.free, audit.limits.free)}</b> {words('free_count')}</li>")
    return f'<section aria-labelledby="s1"><h2 id="s1">{words("summary")}</h2>\n<ul class="figures">\n' + (
        "\n".join(figures) + f"\n</ul>\n<p><small>{words('by_urgency')}</small></p>\n</section>\n"
    )


def _found(audit: Audit, words: Messages) -> str:
    """Return the table of findings by kind, with the meaning of each kind and the required action."""
    counts, devices = audit.counts(), audit.devices_with()
    head = f'<section aria-labelledby="s2"><h2 id="s2">{words("what")}</h2>\n'
    kinds = [kind for kind in Kind if counts[kind]]
    if not kinds:
        return f"{head}<p>{words('nothing')}</p>\n</section>\n"
    rows = "".join(
        f'<tr><th scope="row" class="{kind.level.value}">{_sign(kind.level)} {words.label(kind)}</th>'
        f"<td>{devices[kind] or words('account')}</td><td>{words.meaning(kind)}</td><td>{words.action(kind)}</td></tr>\n"
        for kind in kinds
    )
    cells = "".join(f'<th scope="col">{words(key)}</th>' for key in ("col_kind", "col_count", "col_mean", "col_todo"))
    account = "".join(
        f'<li class="{finding.kind.level.value}"><b>{words.label(finding.kind)}.</b> '
        f"{escape(words.sentence(finding))} <small>{escape(words.evidence(finding))}</small></li>"
        for finding in audit.account
    )
    reported = f'<h3>{words("account")}</h3>\n<ul class="found">{account}</ul>\n' if account else ""
    return (
        f'{head}<table class="kinds"><thead><tr>{cells}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n'
        f"{reported}</section>\n"
    )


def _sign(level: Level) -> str:
    return f'<span class="sign" aria-hidden="true">{_SIGNS[level]}</span>'


# --- the devices --------------------------------------------------------------------------------------------------


def _columns(audit: Audit) -> tuple[str, ...]:
    owner = ("owner",) if any(subject.owner for subject in audit.devices) else ()
    return ("device", *owner, "level", "phone", "package", "quota", "findings")


def _labels(columns: t.Sequence[str], words: Messages) -> str:
    """Return the style that labels the cells on a narrow screen, where the table has no head."""
    rules = [
        f"#list tbody>tr>:nth-child({place})::before{{content:{_quoted(words('col_' + column))}}}"
        for place, column in enumerate(columns, 1)
        if column not in ("device", "findings")
    ]
    rules.append(f".kinds tbody>tr>:nth-child(2)::before{{content:{_quoted(words('col_count'))}}}")
    return "@media screen and (max-width:52rem){" + "".join(rules) + "}"


def _quoted(label: str) -> str:
    return json.dumps(f"{label}: ")


def _devices(audit: Audit, words: Messages, columns: t.Sequence[str]) -> str:
    urgent = sorted(audit.devices, key=lambda subject: (_LEVELS.index(subject.level), subject.name.lower()))
    owners = sorted({subject.owner for subject in urgent if subject.owner})
    places = {owner: place for place, owner in enumerate(owners)}
    heads = "".join(_column_head(column, words) for column in columns)
    rows = "".join(_row(subject, words, columns, places) for subject in urgent)
    return (
        f'<section aria-labelledby="devices"><h2 id="devices" tabindex="-1">{words("all_devices")}</h2>\n'
        f"{_form(words, owners)}"
        f'<div class="wide"><table id="list" aria-labelledby="devices" class="with-{len(columns)}">'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        f'<p id="more" hidden><button type="button">{words("more")}</button></p>\n</section>\n'
    )


def _column_head(column: str, words: Messages) -> str:
    """Return the head of a column. The page is initially sorted by level."""
    kind = "number" if column in ("level", "package", "quota", "findings") else "text"
    first = ' data-first="yes"' if column == "level" else ""
    name = words("col_" + column)
    hint = escape(words("sort_by", column=name))
    return f'<th scope="col" data-sort="{kind}" data-hint="{hint}"{first}>{name}</th>'


def _form(words: Messages, owners: t.Sequence[str]) -> str:
    """Return the search form, which is hidden until the script has started."""
    levels = "".join(f'<option value="{level.value}">{words.level(level)}</option>' for level in Level)
    kinds = "".join(f'<option value="{kind.value}">{words.label(kind)}</option>' for kind in Kind)
    by_owner = "".join(f'<option value="{place}">{escape(owner)}</option>' for place, owner in enumerate(owners))
    choices = _choice("level", words("show_level"), levels, words) + _choice("kind", words("show_kind"), kinds, words)
    if owners:
        choices += _choice("owner", words("show_owner"), by_owner, words)
    return (
        f'<form id="find" role="search" aria-label="{words("find")}" hidden>\n'
        f'<label>{words("search")} <input type="search" id="words" autocomplete="off" spellcheck="false"></label>\n'
        f'{choices}<p role="status" id="shown" data-text="{words("shown", count="#1", total="#2")}" '
        f'data-none="{words("none_fits")}"></p>\n</form>\n'
    )


def _choice(name: str, label: str, options: str, words: Messages) -> str:
    return f'<label>{label} <select id="by-{name}"><option value="">{words("any")}</option>{options}</select></label>\n'


def _row(subject: AuditedDevice, words: Messages, columns: t.Sequence[str], owners: t.Mapping[str, int]) -> str:
    kinds = " ".join(sorted({finding.kind.value for finding in subject.findings}))
    owner = f' data-owner="{owners[subject.owner]}"' if subject.owner else ""
    cells = "".join(_CELLS[column](subject, words) for column in columns)
    return f'<tr data-level="{subject.level.value}" data-kinds="{kinds}"{owner}>{cells}</tr>\n'


def _device_cell(subject: AuditedDevice, words: Messages) -> str:
    name = f"<bdi>{escape(subject.name)}</bdi> " if subject.name else ""
    return f'<th scope="row">{name}<span class="number">{escape(subject.number)}</span></th>'


def _owner_cell(subject: AuditedDevice, words: Messages) -> str:
    return f"<td><bdi>{escape(subject.owner)}</bdi></td>"


def _level_cell(subject: AuditedDevice, words: Messages) -> str:
    level = subject.level
    return (
        f'<td class="{level.value}" data-value="{_LEVELS.index(level)}">{_sign(level)} '
        f"<span>{words.state(subject)}</span></td>"
    )


def _phone_cell(subject: AuditedDevice, words: Messages) -> str:
    if subject.connected is None:
        return "<td>–</td>"
    return f"<td>{words('linked' if subject.connected else 'not_linked')}</td>"


def _package_cell(subject: AuditedDevice, words: Messages) -> str:
    ends = (subject.expires or "")[:10]
    date = f'<time datetime="{ends}">{ends}</time>' if ends else ""
    package = f"<bdi>{escape(subject.package)}</bdi> " if subject.package else ""
    return f'<td data-value="{ends.replace("-", "")}">{package}{date}</td>' if package or date else "<td>–</td>"


def _quota_cell(subject: AuditedDevice, words: Messages) -> str:
    return "<td>–</td>" if subject.quota is None else f'<td data-value="{subject.quota}">{subject.quota}</td>'


def _findings_cell(subject: AuditedDevice, words: Messages) -> str:
    found = "".join(
        f'<li class="{finding.kind.level.value}"><b>{words.label(finding.kind)}.</b> '
        f"{escape(words.sentence(finding))} <small>{escape(words.evidence(finding))}</small></li>"
        for finding in subject.findings
    )
    listed = f'<ul class="found">{found}</ul>' if found else ""
    stands = words.compliant(subject)
    small = f"<small>{escape(stands)}</small>" if stands else ""
    return f'<td data-value="{len(subject.findings)}">{listed}{small}</td>'


_CELLS: dict[str, t.Callable[[AuditedDevice, Messages], str]] = {
    "device": _device_cell,
    "owner": _owner_cell,
    "level": _level_cell,
    "phone": _phone_cell,
    "package": _package_cell,
    "quota": _quota_cell,
    "findings": _findings_cell,
}
