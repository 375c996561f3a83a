# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The page of a report: one self-contained file for people who do not read YAML.

The devices come first, the most urgent ones before the others. Without its script, it is a static page; the script
searches, filters, sorts and converts times. The policy of the page allows only its own style and scripts, by digest, so
nothing else runs in it, and it loads nothing from the network.
"""

from __future__ import annotations

import base64
import collections
import hashlib
import typing as t
from html import escape

from .._common.clock import TIME_FORMAT
from .findings import Audit, Finding, Kind, Level
from .html_devices import devices_section, finding_list, sign, split_state
from .html_script import EARLY_SCRIPT, SCRIPT
from .html_style import STYLE
from .messages import Messages
from .page_messages import PageMessages


def render(audit: Audit, words: Messages, contact: str = "", style: str = "") -> str:
    """Return a report as an HTML page. All text from outside is escaped.

    Args:
        audit: The report.
        words: The texts of its language.
        contact: The contact of readers who do not use playbooks; empty if there is none.
        style: CSS of the user, which follows the style of the page. It contains no ``<``.
    """
    page = PageMessages(words.language)
    # A browser changes the line ends of Windows before it compares the digest.
    css = STYLE + style.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        (
            "<!DOCTYPE html>\n",
            f'<html lang="{page.language}">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(css)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n',
            '<meta name="robots" content="noindex, nofollow">\n<link rel="icon" href="data:,">\n',
            f"<title>{escape(_title(audit, page))}</title>\n<style>{css}</style>\n<script>{EARLY_SCRIPT}</script>\n",
            f'</head>\n<body>\n<a class="skip" href="#devices">{page("skip")}</a>\n',
            _head(audit, page, contact),
            f"<main>\n{_summary(audit, page)}{devices_section(audit, page)}{_account(audit.account, page)}",
            f"{_explanation(audit, page, contact)}</main>\n",
            f"<footer><p>{page('footer')}</p></footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
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


def _title(audit: Audit, words: PageMessages) -> str:
    """Return the title of the browser's tab, and of the file of a printout."""
    urgent = audit.levels()[Level.ACTION]
    return words(
        "page_title" if urgent else "page_title_fine",
        title=audit.title,
        count=words.number(urgent),
        total=words.number(len(audit.devices)),
        at=words.date(audit.at.strftime(TIME_FORMAT)),
    )


def _head(audit: Audit, words: PageMessages, contact: str) -> str:
    known = f"<p>{_contact(words, contact)}</p>\n" if contact else ""
    return (
        f"<header><h1>{escape(audit.title)}</h1>\n"
        f"<p>{words('page_head', at=words.moment(audit.at.strftime(TIME_FORMAT)))}</p>\n{known}</header>\n"
    )


def _contact(words: PageMessages, contact: str) -> str:
    return words("page_contact", contact=words.external(contact) or words("page_sender"))


def _summary(audit: Audit, words: PageMessages) -> str:
    """Return the number of devices on each level, which the script turns into filters, and the other figures."""
    tiles = "".join(_tile(audit, level, words) for level in Level)
    linked = sum(subject.connected is True for subject in audit.devices)
    figures = [
        words("linked_count", count=words.of(linked, len(audit.devices))),
        words("free_count", count=words.of(audit.free, audit.limits.free)),
    ]
    if audit.account:
        first = audit.account[0].kind
        figures[1] = f'<a class="{first.level.value}" href="#account">{sign(first.level)}{figures[1]}</a>'
    nothing = "" if any(audit.findings()) else f'<p class="nothing">{words("nothing")}</p>\n'
    return (
        f'{nothing}<ul id="levels" aria-label="{words("status")}">\n{tiles}</ul>\n'
        f'<ul class="figures"><li>{figures[0]}</li><li>{figures[1]}</li></ul>\n'
    )


def _tile(audit: Audit, level: Level, words: PageMessages) -> str:
    state, limit = split_state(words.group(audit, level))
    note = f" <small>{limit}</small>" if limit else ""
    return (
        f'<li class="{level.value}"><div class="tile">{sign(level)}<b>{words.number(audit.levels()[level])}</b> '
        f'<span class="label">{state}</span>{note}</div></li>\n'
    )


def _account(findings: t.Sequence[Finding], words: PageMessages) -> str:
    if not findings:
        return ""
    return (
        f'<section aria-labelledby="account"><h2 id="account" tabindex="-1">{words("account")}</h2>\n'
        f"{finding_list(findings, words)}</section>\n"
    )


def _explanation(audit: Audit, words: PageMessages, contact: str) -> str:
    """Return the meaning of each status and of each kind of finding in the report; closed at first."""
    counts, devices = audit.counts(), audit.devices_with()
    entries = [
        f'<dt class="{level.value}">{sign(level)}{words.group(audit, level)}</dt><dd>{words("means_" + level.value)}</dd>\n'
        for level in Level
    ]
    for kind in Kind:
        if counts[kind]:
            label = words("counted", label=words.label(kind), count=words.number(devices[kind] or counts[kind]))
            entries.append(
                f'<dt class="{kind.level.value}">{sign(kind.level)}{label}</dt>'
                f"<dd>{words.meaning(kind)} {words.action(kind)}</dd>\n"
            )
    evidence = words.matching(*_total_compliant(audit))
    notes = " ".join(filter(None, (evidence, words("source", endpoint=words.external(audit.endpoint)))))
    return (
        f'<details id="help"><summary><h2>{words("help")}</h2></summary>\n'
        f"<dl>\n{''.join(entries)}</dl>\n<p>{_contact(words, contact)}</p>\n<p>{notes}</p></details>\n"
    )


def _total_compliant(audit: Audit) -> tuple[dict[str, int], str | None]:
    """Return the counts of settings that match, of all devices by their source, and the time of the oldest evidence."""
    total: collections.Counter[str] = collections.Counter()
    for subject in audit.devices:
        total.update(subject.compliant_counts)
    return dict(sorted(total.items())), min((s.oldest for s in audit.devices if s.oldest), default=None)
