# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Export a report as JSON, as CSV and as a short text, and write the files."""

from __future__ import annotations

import collections
import csv
import io
import json
import os
import typing as t
from dataclasses import asdict

from .._common.atomic_files import write_all
from .._common.clock import TIME_FORMAT
from .._common.destinations import check_links, make_directory
from .._common.errors import FonnteError, OptionError
from .._common.spreadsheet import BOM, guard_formula, spreadsheet_safe
from .findings import Audit, AuditedDevice, Finding, Kind, Level
from .messages import Messages

FORMAT = "fonnte.whatsapp/audit"
VERSION = 1
# The most findings in a text for a terminal.
MAX_REPORTED = 20
# The minimum of lines for each kind of finding.
MIN_OF_KIND = 2
# A report contains no secret, so its group may read it, such as that of a web server; other users may not.
FILE_MODE, FOLDER_MODE = 0o640, 0o750

Json = t.Dict[str, t.Any]


# --- data ---------------------------------------------------------------------------------------------------------


def as_data(audit: Audit, words: Messages) -> Json:
    """Return a report in the format of docs/audit.schema.json."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "at": audit.at.strftime(TIME_FORMAT),
        "title": audit.title,
        "language": words.language,
        "endpoint": audit.endpoint,
        "limits": {
            "expires_within": audit.limits.days,
            "quota_below": audit.limits.quota,
            "no_events_for": audit.limits.silence,
        },
        "summary": summary(audit),
        "kinds": [_kind(kind, audit, words) for kind in Kind],
        "account": [finding_data(finding, words) for finding in audit.account],
        "receivers": receivers_data(audit),
        "devices": [_device(subject, words) for subject in audit.devices],
    }


def summary(audit: Audit) -> Json:
    """Return the counts of a report."""
    levels = audit.levels()
    return {
        "devices": len(audit.devices),
        "declared": sum(subject.declared for subject in audit.devices),
        "listed": audit.listed,
        "linked": sum(subject.connected is True for subject in audit.devices),
        "free_devices": audit.free,
        "free_device_limit": audit.limits.free,
        **{level.value: levels[level] for level in Level},
        "kinds": {kind.value: count for kind, count in audit.counts().items()},
    }


def receivers_data(audit: Audit) -> list[Json] | None:
    """Return the checked receivers; None if they were not checked."""
    if audit.receivers is None:
        return None
    return [{**asdict(receiver), "devices": list(receiver.devices)} for receiver in audit.receivers]


def _kind(kind: Kind, audit: Audit, words: Messages) -> Json:
    return {
        "kind": kind.value,
        "level": kind.level.value,
        "label": words.label(kind),
        "meaning": words.meaning(kind),
        "todo": words.action(kind),
        "findings": audit.counts()[kind],
        "devices": audit.devices_with()[kind],
    }


def _device(subject: AuditedDevice, words: Messages) -> Json:
    event = subject.last_event
    return {
        "device": subject.number,
        "name": subject.name,
        "owner": subject.owner,
        "declared": subject.declared,
        "state": subject.state or None,
        "level": subject.level.value,
        "connected": subject.connected,
        "package": subject.package,
        "quota": subject.quota,
        "expires": subject.expires,
        "stands": dict(subject.compliant_counts),
        "oldest": subject.oldest,
        "last_event": None if event is None else {"kind": event.kind, "at": event.at},
        "findings": [finding_data(finding, words) for finding in subject.findings],
    }


def finding_data(finding: Finding, words: Messages) -> Json:
    """Return one finding."""
    evidence = finding.evidence
    return {
        "kind": finding.kind.value,
        "level": finding.kind.level.value,
        "field": finding.field or None,
        "declared": finding.declared,
        "found": finding.found,
        "source": evidence.source.value,
        "at": evidence.at,
        "by": evidence.by or None,
        "reason": finding.reason.value if finding.reason else finding.cause or None,
        "text": words.sentence(finding),
        "evidence": words.evidence(finding),
    }


def json_text(audit: Audit, words: Messages) -> str:
    """Return a report as JSON with a line for each device, so that two reports can be compared by line."""
    data = as_data(audit, words)
    devices = data.pop("devices")
    head = json.dumps(data, ensure_ascii=False, indent=1)
    lines = ",\n  ".join(json.dumps(device, ensure_ascii=False) for device in devices)
    return f'{head[:-2]},\n "devices": [\n  {lines}\n ]\n}}\n' if devices else f'{head[:-2]},\n "devices": []\n}}\n'


# --- CSV ----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "level",
    "finding",
    "device",
    "name",
    "client",
    "field",
    "declared",
    "found",
    "what",
    "evidence",
    "todo",
    "linked",
    "package",
    "expires",
    "quota",
)


def csv_text(audit: Audit, words: Messages, separator: str) -> str:
    """Return a report as CSV: a row for each finding, and one for each device without a finding.

    It begins with a byte order mark: without it, a spreadsheet shows non-English names incorrectly.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for finding in audit.account:
        writer.writerow(_escape_formulas(_row(finding, AuditedDevice(""), words), words))
    for subject in audit.devices:
        for found in subject.findings or (None,):
            writer.writerow(_escape_formulas(_row(found, subject, words), words))
    return BOM + out.getvalue()


def _row(finding: Finding | None, subject: AuditedDevice, words: Messages) -> tuple[object, ...]:
    return (
        words.level(finding.kind.level) if finding else words.state(subject),
        words.label(finding.kind) if finding else "",
        _number(subject.number),
        subject.name,
        subject.owner,
        (finding.field if finding else "") or "",
        finding.declared if finding else None,
        finding.found if finding else None,
        words.sentence(finding) if finding else words.compliant(subject),
        words.evidence(finding) if finding else "",
        words.action(finding.kind) if finding else "",
        subject.connected,
        subject.package,
        (subject.expires or "")[:10],
        subject.quota,
    )


def _number(number: str) -> str:
    """Return a number in a form in which a spreadsheet keeps its leading zero and its last digits."""
    try:
        return spreadsheet_safe(number) if number else ""
    except OptionError:
        return number


def _escape_formulas(cells: t.Iterable[object], words: Messages) -> list[str]:
    """Return a row without a cell that a spreadsheet would run as a formula."""
    return [escape_formula(words("yes" if cell else "no") if isinstance(cell, bool) else cell) for cell in cells]


def escape_formula(cell: object) -> str:
    """Return a cell that no spreadsheet runs as a formula; empty for None."""
    return "" if cell is None else guard_formula(str(cell))


# --- text ---------------------------------------------------------------------------------------------------------


def to_text(audit: Audit, words: Messages) -> str:
    """Return a report for a terminal: the counts, and the most urgent findings."""
    levels, devices, counts = audit.levels(), audit.devices_with(), audit.counts()
    lines = [f"{audit.title}. {words.head(audit)} {words('only_looked')}"]
    lines.append("; ".join(f"{words.group(audit, level)}: {levels[level]}" for level in Level) + ".")
    lines += [
        f"  {words.label(kind)} [{kind.value}]: {devices[kind] or counts[kind]}. {words.action(kind)}"
        for kind in Kind
        if counts[kind]
    ]
    reported = _describe_findings(audit, words)
    shown = _select_lines(reported)
    lines += [f"- {line}" for line in shown]
    if len(reported) > len(shown):
        lines.append(words("and_more", count=len(reported) - len(shown)))
    return "\n".join(lines) + "\n"


def _select_lines(reported: t.Sequence[tuple[Kind, str]]) -> list[str]:
    """Return the lines to show, the most urgent first. A kind with many findings does not hide the others."""
    # The order of the counts above.
    kinds = {kind: index for index, kind in enumerate(Kind)}
    order = sorted(range(len(reported)), key=lambda place: kinds[reported[place][0]])
    share = max(MIN_OF_KIND, MAX_REPORTED // max(1, len({kind for kind, _line in reported})))
    counts: collections.Counter[Kind] = collections.Counter()
    first: list[int] = []
    rest: list[int] = []
    for place in order:
        kind = reported[place][0]
        counts[kind] += 1
        (first if counts[kind] <= share else rest).append(place)
    shown = {*first, *rest[: max(0, MAX_REPORTED - len(first))]}
    return [reported[place][1] for place in order if place in shown]


def _describe_findings(audit: Audit, words: Messages) -> list[tuple[Kind, str]]:
    """Return a line for each finding, with its kind; for unknown settings, one for each device and reason."""
    lines = [(finding.kind, f"{words('account')}: {words.sentence(finding)}") for finding in audit.account]
    for subject in audit.devices:
        who = " ".join(filter(None, (subject.number, subject.name, f"({subject.owner})" if subject.owner else "")))
        for findings in _joined(subject.findings):
            first = findings[0]
            lines.append((first.kind, f"{who}: {words.joint_sentence(findings)} {words.evidence(first)}."))
    return lines


def _joined(findings: t.Sequence[Finding]) -> t.Iterable[list[Finding]]:
    """Return the findings in groups: settings that are unknown for one reason, and each other finding alone."""
    groups: dict[object, list[Finding]] = {}
    for place, finding in enumerate(findings):
        key = finding.reason if finding.kind is Kind.UNKNOWN else place
        groups.setdefault(key, []).append(finding)
    return groups.values()


# --- files --------------------------------------------------------------------------------------------------------


def check_names(names: t.Mapping[str, str]) -> None:
    """Check that names of reports are different file names; OptionError if not. Empty names are ignored."""
    used: dict[str, str] = {}
    for option, name in names.items():
        if not name:
            continue
        if os.path.basename(name) != name or name in (".", "..") or "\0" in name:
            raise OptionError(
                option, "it is not the name of a file", "set a name without a directory, such as audit.html"
            )
        other = used.setdefault(name, option)
        if other != option:
            raise OptionError(option, f"option {other} has the same name", "set a different name for each file")


def check_folder(folder: str) -> None:
    """Check before any request that a directory can be written; OptionError if not. Nothing is created."""
    check_links("dest", folder)
    place = os.path.abspath(folder)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise OptionError("dest", f"{place} is not a directory", "name a directory that exists or can be created")
    if not os.access(place, os.W_OK | os.X_OK):
        raise OptionError("dest", f"{place} cannot be written", "name another directory, or check who owns it")


def write_files(folder: str, texts: t.Mapping[str, str]) -> None:
    """Write files into a directory, each as a whole or not at all. The directory is created if it does not exist.

    A group may share the directory, so a link of another user is replaced and not followed.

    Raises:
        FonnteError: They cannot be written. If the disk is full, the files of the last report still exist.
    """
    problem = ""
    try:
        make_directory(folder, FOLDER_MODE)
        write_all({os.path.join(folder, name): text.encode("utf-8") for name, text in texts.items()}, FILE_MODE)
    except OSError as fault:
        problem = fault.strerror or "a disk error"
    if problem:
        raise FonnteError(f"{folder} cannot be written: {problem}", "name another directory, or check who owns it")
