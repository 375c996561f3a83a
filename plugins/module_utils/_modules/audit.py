# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_audit: differences between an account and its declaration, and reports about them."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from .._api.cache import DeviceListCache
from .._api.http_session import public_authorities
from .._api.receiver_check import Network, check_receivers
from .._audit.auditor import Auditor, audit_policy, sanitize
from .._audit.event_evidence import add_last_event
from .._audit.exports import (
    as_data,
    check_folder,
    check_names,
    csv_text,
    finding_data,
    json_text,
    receivers_data,
    summary,
    to_text,
    write_files,
)
from .._audit.findings import Audit, AuditInput, Kind, Limits
from .._audit.html_report import render
from .._audit.messages import LANGUAGES, Messages
from .._audit.metrics import OPTION as PROM
from .._audit.metrics import check_metrics_path, metrics_text, report_name, write_metrics
from .._audit.receivers import add_receivers, declared_urls
from .._common.atomic_files import foreign_warnings
from .._common.clock import now
from .._common.destinations import check_destination
from .._common.errors import FonnteError, OptionError, error_context
from .._common.phone_numbers import canonical, parse_number
from .._common.redaction import Redactor, origin
from .._common.spellings import SecretFinder
from .._events.last_events import LastEvents, read_last_events
from .._fleet.entries import EntryRun, FleetEntry
from .._fleet.limit_checks import MAX_REPORTED, count_free, undeclared_devices
from .._fleet.run import find_duplicates, impossible_error, preview_all
from .._options.common import API, EVIDENCE, Params, Spec, build_context, check_range, common_warnings
from .._options.fleet_members import ENTRY, ENTRY_DEFAULTS
from .._reconcile.observe import RunContext
from .._reconcile.result import Result, mask_value
from .fleet import DECLARATION, SELECTION, entry_tokens, fleet_entries, require_devices
from .sheet import SEPARATORS
from .task import ModuleInput, ModuleResult

# A file for each format of the report. An empty name disables the format.
NAMES: Spec = {form: {"type": "str", "default": f"audit.{form}"} for form in ("html", "json", "csv", "txt")}

AUDIT: Spec = {
    **API,
    **EVIDENCE,
    **NAMES,
    **DECLARATION,
    **SELECTION,
    "devices": {"type": "list", "elements": "dict", "options": ENTRY},
    "defaults": {"type": "dict", "options": ENTRY_DEFAULTS},
    "owners": {"type": "dict"},
    "unlisted": {"type": "str", "choices": ["report", "ignore"], "default": "report"},
    "expires_within": {"type": "int", "default": 14},
    "quota_below": {"type": "int", "default": 100},
    "free_device_limit": {"type": "int", "default": 10},
    "last_events": {"type": "path"},
    "no_events_for": {"type": "int", "default": 7},
    "fail_on": {"type": "list", "elements": "str", "choices": [kind.value for kind in Kind], "default": []},
    "concurrency": {"type": "int", "default": 4},
    "check_receivers": {"type": "bool", "default": False},
    "allow_private": {"type": "bool", "default": False},
    "title": {"type": "str"},
    "contact": {"type": "str"},
    "style": {"type": "str"},
    "language": {"type": "str", "choices": list(LANGUAGES), "default": LANGUAGES[0]},
    "separator": {"type": "str", "choices": list(SEPARATORS), "default": "comma"},
    "dest": {"type": "path"},
    PROM: {"type": "path"},
}


class AuditError(FonnteError):
    """The audit has findings of a kind in ``fail_on``."""


def run_audit(task: ModuleInput) -> ModuleResult:
    """Find differences between an account and its declaration, and write reports (module fonnte_audit).

    The module never changes the service or the record, and it always writes its reports. In check mode, it sends no
    request to a receiver.
    """
    params = task.params
    began = task.clock()
    require_devices(params)
    check_options(params)
    # One list is enough for the whole run, because the run writes nothing that would change it.
    listing = DeviceListCache(float("inf"), survives_errors=True)
    task.secrets.add(entry_tokens(params))
    context, redactor = build_context(params, task.environment, task.cache, listing, task.secrets)
    context = replace(context, device_token="")
    with error_context("Planning the audit"):
        members = fleet_entries(params, task.raw_params, context)
        owners = owners_of(params, task.secrets)
    audit, warnings, finder = audit_of(context, redactor, members, owners, params)
    if params["check_receivers"] and task.check_mode:
        warnings.append("In check mode, no request is sent to a receiver: check_receivers has no effect.")
    elif params["check_receivers"]:
        audit = _with_receivers(audit, context, redactor, members, params)
    texts = {option: finder.mask(params[option] or "") for option in ("contact", "style")}
    report = _report(audit, Messages(params["language"]), {**params, **texts})
    _report_metrics(report, audit, params, lambda: task.clock() - began)
    report.warnings = [*common_warnings(params), *warnings, *foreign_warnings(report.result["files"].values())]
    trouble = audit_error(audit, params["fail_on"], report.result["files"])
    if trouble is not None:
        trouble.partial_result, trouble.warnings = report.result, report.warnings
        raise trouble
    return report


def check_options(params: Params) -> None:
    """Check the options before any request; raise OptionError if one is invalid."""
    for option, least, most in (
        ("expires_within", 0, 36500),
        ("quota_below", 0, 10**9),
        ("free_device_limit", 0, 10**9),
        ("no_events_for", 1, 36500),
        ("concurrency", 1, 1000),
    ):
        check_range(params, option, least, most)
    check_names({form: params[form] for form in NAMES})
    style = params["style"] or ""
    if "<" in style or "\0" in style:
        raise OptionError("style", "it contains < or NUL, which can end or change the style of the page", "remove it")
    if params["dest"] is not None:
        if not params["dest"]:
            raise OptionError("dest", "it is empty", "name a directory, or leave it out to write no report")
        check_destination("dest", params["dest"])
        check_folder(params["dest"])
    if params[PROM] is not None:
        check_metrics_path(params[PROM])


def owners_of(params: Params, secrets: SecretFinder | None = None) -> dict[str, str]:
    """Return the owners by the canonical form of their numbers."""
    owners: dict[str, str] = {}
    for number, owner in (params["owners"] or {}).items():
        key = canonical(parse_number(number, "owners"))
        label = sanitize("" if owner is None else str(owner), secrets).strip()
        if owners.setdefault(key, label) != label:
            raise OptionError("owners", f"number {number} has two owners, in two spellings", "remove one")
    return owners


def audit_of(
    context: RunContext,
    redactor: Redactor,
    members: t.Sequence[FleetEntry],
    owners: t.Mapping[str, str],
    params: Params,
) -> tuple[Audit, list[str], SecretFinder]:
    """Audit an account; return the audit, warnings about the list and the record, and the secrets of the account."""
    at = now()
    limits = Limits(
        params["expires_within"], params["quota_below"], params["free_device_limit"], params["no_events_for"]
    )
    events = _last_events(params)
    plain = [replace(member, desired=audit_policy(member.desired)) for member in members]
    with error_context("Auditing the account"):
        turns = preview_all(context, plain, params["concurrency"])
        duplicates = list(find_duplicates(turns))
        if duplicates:
            raise impossible_error(duplicates)
        listing = context.client.listing(context.account_token, "", "") if context.account_token else None
    secrets = [context.account_token, *(member.context.device_token for member in members)]
    secrets += [device.token for device in listing.devices] if listing is not None else []
    finder = SecretFinder(filter(None, secrets))
    owners = {number: sanitize(owner, finder) for number, owner in owners.items()}
    auditor = Auditor(
        at, limits, owners, lambda option, value: mask_value(option, value, redactor), sorted(finder.known())
    )
    declared = [
        add_last_event(auditor.audit_declared(_audit_input(turn)), turn.entry.desired, events, at, limits.silence)
        for turn in turns
    ]
    # The owner belongs to the declared number. Another device with an equivalent number may be that of another client.
    declared_numbers = {canonical(member.desired.number) for member in members}
    others = [
        replace(subject, owner="") if canonical(device.number) in declared_numbers else subject
        for device in (undeclared_devices(turns, listing) if params["unlisted"] == "report" else ())
        for subject in [add_last_event(auditor.audit_undeclared(device), None, events, at, limits.silence)]
    ]
    free = count_free(listing.devices) if listing is not None else None
    to_make = sum(finding.kind is Kind.MISSING for subject in declared for finding in subject.findings)
    words = Messages(params["language"])
    audit = Audit(
        at=at,
        title=sanitize(params["title"] or words("title"), finder),
        endpoint=origin(params["api_endpoint"]),
        limits=limits,
        devices=(*declared, *sorted(others, key=lambda subject: subject.number)),
        account=auditor.account(free, to_make),
        listed=len(listing.devices) if listing is not None else None,
        free=free,
    )
    warnings = [*(listing.ambiguities() if listing is not None else []), *_record_warnings(turns)]
    return audit, warnings, finder


def _with_receivers(
    audit: Audit, context: RunContext, redactor: Redactor, members: t.Sequence[FleetEntry], params: Params
) -> Audit:
    """Send a test request to each declared webhook, and return the audit with the results."""
    declared = [member.desired.settings for member in members]
    network = Network(public_authorities(), params["allow_private"])
    urls = [url for settings in declared for url in declared_urls(settings)]
    with error_context("Checking the receivers"):
        results = check_receivers(urls, network, params["concurrency"], context.lineage.require)
    return add_receivers(audit, declared, results, redactor.url)


def _last_events(params: Params) -> LastEvents | None:
    """Return the last events in the file that the option names; None if it names none."""
    return read_last_events(params["last_events"], "last_events") if params["last_events"] else None


def _audit_input(turn: EntryRun) -> AuditInput:
    desired, outcome = turn.entry.desired, turn.predicted
    fault = str(turn.fault) if turn.fault else ""
    if outcome is None:
        return AuditInput(desired, desired.number, observation=False, fault=fault)
    observation = outcome.observation
    return AuditInput(
        desired, observation.number, observation.device, outcome.plan, True, observation.recorded.renumbered_to, fault
    )


def _record_warnings(turns: t.Sequence[EntryRun]) -> list[str]:
    """Return the warnings about the record without duplicates, up to a limit."""
    texts = list(
        dict.fromkeys(text for turn in turns if turn.predicted for text in turn.predicted.observation.warnings)
    )
    more = [f"There are {len(texts) - MAX_REPORTED} more warnings like these."] if len(texts) > MAX_REPORTED else []
    return texts[:MAX_REPORTED] + more


def _report(audit: Audit, words: Messages, params: Params) -> ModuleResult:
    """Return the result, and write the requested files."""
    text = to_text(audit, words)
    result: Result = {
        "changed": False,
        "findings": [
            {"device": finding.number or None, **finding_data(finding, words)} for finding in audit.findings()
        ],
        "summary": summary(audit),
        "receivers": receivers_data(audit),
        "text": text,
        "files": {},
    }
    makers: dict[str, t.Callable[[], str]] = {
        "html": lambda: render(audit, words, sanitize(params["contact"]), params["style"]),
        "json": lambda: json_text(audit, words),
        "csv": lambda: csv_text(audit, words, SEPARATORS[params["separator"]]),
        "txt": lambda: text,
    }
    if params["dest"] is None:
        return ModuleResult(result)
    folder = os.path.abspath(params["dest"])
    wanted = {form: params[form] for form in NAMES if params[form]}
    try:
        with error_context("Writing the report"):
            write_files(folder, {name: makers[form]() for form, name in wanted.items()})
    except FonnteError as fault:
        fault.partial_result = result
        raise
    result["files"] = {form: os.path.join(folder, name) for form, name in wanted.items()}
    return ModuleResult(result)


def _report_metrics(report: ModuleResult, audit: Audit, params: Params, duration: t.Callable[[], float]) -> None:
    """Write the metrics, if the option names their file."""
    if params[PROM] is None:
        return
    path = os.path.abspath(params[PROM])
    data = as_data(audit, Messages(params["language"]))
    try:
        with error_context("Writing the metrics"):
            write_metrics(path, metrics_text(data, report_name(path), duration()))
    except FonnteError as fault:
        fault.partial_result = report.result
        raise
    report.result["files"][PROM] = path


def audit_error(audit: Audit, fail_on: t.Sequence[str], files: t.Mapping[str, str]) -> AuditError | None:
    """Return the error for findings of the kinds in fail_on; None if there are none."""
    counts = audit.counts()
    reported = [f"{kind.value}: {counts[kind]}" for kind in Kind if kind.value in fail_on and counts[kind]]
    if not reported:
        return None
    place = files.get("html") or files.get("txt") or files.get("json") or files.get("csv")
    trouble = AuditError(
        f"there are findings that fail_on names ({', '.join(reported)})",
        f"read {place}" if place else "read findings in the result",
    )
    trouble.operation = "Auditing the account"
    return trouble
