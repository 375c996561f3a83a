# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_audit: where an account is not as declared, and reports for people and programs."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from .._api.cache import KeptListing
from .._audit.exports import (
    check_folder,
    check_names,
    csv_text,
    finding_data,
    json_text,
    summary,
    text_of,
    write_files,
)
from .._audit.findings import Audit, Auditor, Kind, Limits, Seen, audited, tidy
from .._audit.html_report import page
from .._audit.messages import LANGUAGES, Words
from .._common.atomic_files import foreign_warnings
from .._common.clock import now
from .._common.destinations import check_destination
from .._common.errors import FonnteError, OptionError, doing
from .._common.phone_numbers import key_of, parse_number
from .._common.redaction import Redactor, bare_host
from .._fleet.run import MOST_TOLD, count_free, find_duplicates, impossible, look_at_all, strangers
from .._fleet.turns import Member, Turn
from .._options.common import API, EVIDENCE, Params, Spec, between, common_warnings, open_house
from .._options.fleet_members import MEMBER, MEMBER_DEFAULTS
from .._reconcile.observe import House
from .._reconcile.result import Result, show
from .fleet import DECLARATION, fleet_members, member_tokens, require_devices
from .sheet import SEPARATORS
from .task import Report, Task

# A file for each form of the report; an empty name is: not wanted.
NAMES: Spec = {form: {"type": "str", "default": f"audit.{form}"} for form in ("html", "json", "csv", "txt")}

AUDIT: Spec = {
    **API,
    **EVIDENCE,
    **NAMES,
    **DECLARATION,
    "devices": {"type": "list", "elements": "dict", "options": MEMBER},
    "defaults": {"type": "dict", "options": MEMBER_DEFAULTS},
    "owners": {"type": "dict"},
    "expires_within": {"type": "int", "default": 14},
    "quota_below": {"type": "int", "default": 100},
    "free_device_limit": {"type": "int", "default": 10},
    "fail_on": {"type": "list", "elements": "str", "choices": [kind.value for kind in Kind], "default": []},
    "concurrency": {"type": "int", "default": 4},
    "title": {"type": "str"},
    "language": {"type": "str", "choices": list(LANGUAGES), "default": LANGUAGES[0]},
    "separator": {"type": "str", "choices": list(SEPARATORS), "default": "comma"},
    "dest": {"type": "path"},
}


class AuditError(FonnteError):
    """Something was found that the user wants to fail on."""


def run_audit(task: Task) -> Report:
    """Find where an account is not as declared, and write reports (module fonnte_audit).

    Check mode makes no difference: neither the service nor the record is ever changed, and a report is what it is for.
    """
    params = task.params
    require_devices(params)
    check_options(params)
    # One list serves the whole run, and nothing is written that would change it.
    listing = KeptListing(float("inf"), survives_errors=True)
    task.secrets.add(member_tokens(params))
    house, redactor = open_house(params, task.environment, task.keep, listing, task.secrets)
    house = replace(house, device_token="")
    with doing("Planning the audit"):
        members = fleet_members(params, task.given, house)
        owners = owners_of(params)
    audit, warnings = audit_of(house, redactor, members, owners, params)
    report = _report(audit, Words(params["language"]), params)
    report.warnings = [*common_warnings(params), *warnings, *foreign_warnings(report.result["files"].values())]
    trouble = audit_trouble(audit, params["fail_on"], report.result["files"])
    if trouble is not None:
        trouble.progress, trouble.warnings = report.result, report.warnings
        raise trouble
    return report


def check_options(params: Params) -> None:
    """See before any call that the options can be right; OptionError if not."""
    for option, least, most in (
        ("expires_within", 0, 36500),
        ("quota_below", 0, 10**9),
        ("free_device_limit", 0, 10**9),
        ("concurrency", 1, 1000),
    ):
        between(params, option, least, most)
    check_names({form: params[form] for form in NAMES})
    if params["dest"] is not None:
        if not params["dest"]:
            raise OptionError("dest", "it is empty", "name a folder, or leave it out to write no report")
        check_destination("dest", params["dest"])
        check_folder(params["dest"])


def owners_of(params: Params) -> dict[str, str]:
    """Return whose a number is, by what all its spellings have in common."""
    owners: dict[str, str] = {}
    for number, owner in (params["owners"] or {}).items():
        key = key_of(parse_number(number, "owners"))
        label = tidy("" if owner is None else str(owner)).strip()
        if owners.setdefault(key, label) != label:
            raise OptionError("owners", f"number {number} has two owners, in two spellings", "take one out")
    return owners


def audit_of(
    house: House, redactor: Redactor, members: t.Sequence[Member], owners: t.Mapping[str, str], params: Params
) -> tuple[Audit, list[str]]:
    """Look at an account, and return what is found in it, and what a user should know of the record."""
    at = now()
    limits = Limits(params["expires_within"], params["quota_below"], params["free_device_limit"])
    plain = [replace(member, desired=audited(member.desired)) for member in members]
    with doing("Auditing the account"):
        turns = look_at_all(house, plain, params["concurrency"])
        duplicates = list(find_duplicates(turns))
        if duplicates:
            raise impossible(duplicates)
        listing = house.api.listing(house.account_token, "", "") if house.account_token else None
    secrets = [house.account_token, *(member.house.device_token for member in members)]
    secrets += [device.token for device in listing.devices] if listing is not None else []
    auditor = Auditor(
        at, limits, owners, lambda option, value: show(option, value, redactor), list(filter(None, secrets))
    )
    declared = [auditor.declared(_seen(turn)) for turn in turns]
    others = [auditor.stranger(device) for device in strangers(turns, listing)]
    free = count_free(listing.devices) if listing is not None else None
    to_make = sum(finding.kind is Kind.MISSING for subject in declared for finding in subject.findings)
    words = Words(params["language"])
    audit = Audit(
        at=at,
        title=tidy(params["title"] or words("title")),
        endpoint=bare_host(params["api_endpoint"]),
        limits=limits,
        subjects=(*declared, *sorted(others, key=lambda subject: subject.number)),
        account=auditor.account(free, to_make),
        listed=len(listing.devices) if listing is not None else None,
        free=free,
    )
    return audit, [*(listing.ambiguities() if listing is not None else []), *_record_warnings(turns)]


def _seen(turn: Turn) -> Seen:
    desired, outcome = turn.member.desired, turn.foreseen
    fault = str(turn.fault) if turn.fault else ""
    if outcome is None:
        return Seen(desired, desired.number, looked=False, fault=fault)
    sight = outcome.sight
    return Seen(desired, sight.number, sight.device, outcome.plan, True, sight.recorded.moved_to, fault)


def _record_warnings(turns: t.Sequence[Turn]) -> list[str]:
    """Return what a user should know of the record, once each; of many the first."""
    texts = list(dict.fromkeys(text for turn in turns if turn.foreseen for text in turn.foreseen.sight.warnings))
    more = [f"There are {len(texts) - MOST_TOLD} more warnings like these."] if len(texts) > MOST_TOLD else []
    return texts[:MOST_TOLD] + more


def _report(audit: Audit, words: Words, params: Params) -> Report:
    """Return the result, and write the files that are wanted."""
    text = text_of(audit, words)
    result: Result = {
        "changed": False,
        "findings": [
            {"device": finding.number or None, **finding_data(finding, words)} for finding in audit.findings()
        ],
        "summary": summary(audit),
        "text": text,
        "files": {},
    }
    makers: dict[str, t.Callable[[], str]] = {
        "html": lambda: page(audit, words),
        "json": lambda: json_text(audit, words),
        "csv": lambda: csv_text(audit, words, SEPARATORS[params["separator"]]),
        "txt": lambda: text,
    }
    if params["dest"] is None:
        return Report(result)
    folder = os.path.abspath(params["dest"])
    wanted = {form: params[form] for form in NAMES if params[form]}
    try:
        with doing("Writing the report"):
            write_files(folder, {name: makers[form]() for form, name in wanted.items()})
    except FonnteError as fault:
        fault.progress = result
        raise
    result["files"] = {form: os.path.join(folder, name) for form, name in wanted.items()}
    return Report(result)


def audit_trouble(audit: Audit, fail_on: t.Sequence[str], files: t.Mapping[str, str]) -> AuditError | None:
    """Return the error for what was found that the user wants to fail on; None if there is nothing of it."""
    counts = audit.counts()
    told = [f"{kind.value}: {counts[kind]}" for kind in Kind if kind.value in fail_on and counts[kind]]
    if not told:
        return None
    place = files.get("html") or files.get("txt") or files.get("json") or files.get("csv")
    trouble = AuditError(
        f"there are findings that fail_on names ({', '.join(told)})",
        f"look at {place}" if place else "look at findings in the result",
    )
    trouble.doing = "Auditing the account"
    return trouble
