# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_fleet: reconcile many devices."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._api.cache import DeviceListCache
from .._common.errors import OptionError, error_context
from .._common.phone_numbers import canonical, has_country
from .._fleet.entries import FleetEntry, FleetOptions
from .._fleet.limit_checks import count_devices, free_warnings, list_labels
from .._fleet.result import fleet_error, fleet_result
from .._fleet.run import apply_fleet, impossible_error, preview_fleet
from .._fleet.selection import ONLY
from .._options.common import (
    API,
    EVIDENCE,
    SETTING_OPTIONS,
    Params,
    Spec,
    build_context,
    check_range,
    checked_token,
    common_warnings,
    number,
    parse_settings,
)
from .._options.empty_record import EmptyRecord
from .._options.fleet_members import ENTRY, ENTRY_DEFAULTS
from .._options.policy import check_evidence, check_name_length, policy
from .._reconcile.observe import RunContext
from .._reconcile.state import Desired, State
from .task import ModuleInput, ModuleResult

# The sources of a declaration, which the action plugin reads on the control node.
DECLARATION: Spec = {
    "files": {"type": "raw"},
    "hosts": {"type": "raw"},
    "clients": {"type": "list", "elements": "raw"},
    "packages": {"type": "dict"},
}
SOURCES = tuple(DECLARATION)
# The selection of some of the declared devices, likewise.
SELECTION: Spec = {ONLY: {"type": "raw"}}

FLEET: Spec = {
    **API,
    **EVIDENCE,
    **DECLARATION,
    **SELECTION,
    "devices": {"type": "list", "elements": "dict", "options": ENTRY},
    "defaults": {"type": "dict", "options": ENTRY_DEFAULTS},
    "unlisted": {"type": "str", "choices": ["ignore", "report", "error"], "default": "ignore"},
    "concurrency": {"type": "int", "default": 4},
    "on_error": {"type": "str", "choices": ["continue", "stop"], "default": "continue"},
    "canary": {"type": "int", "default": 0},
    "max_create": {"type": "int"},
    "max_clear": {"type": "int", "default": 3},
    "max_disconnect": {"type": "int", "default": 3},
    "free_device_limit": {"type": "int"},
    "result": {"type": "str", "choices": ["all", "changed", "summary"], "default": "all"},
    "tokens": {
        "type": "dict",
        "options": {
            "dest": {"type": "path"},
            "password": {"type": "str", "no_log": True},
            "command": {"type": "list", "elements": "str"},
            "of": {"type": "str", "choices": ["new", "all"], "default": "new"},
        },
        # The option itself is not a secret; its suboption ``password`` is.
        "no_log": False,
    },
}


def run_fleet(task: ModuleInput) -> ModuleResult:
    """Reconcile many devices with their declarations (module fonnte_fleet)."""
    require_devices(task.params)
    if task.params["tokens"] is not None:
        raise OptionError("tokens", "it requires files, hosts or clients", "set one of these")
    options = replace(fleet_options(task.params), planning=task.planning, interrupted=task.interrupted)
    # All workers share one list until it is too old for writes. The cache tracks the run's own writes.
    listing = DeviceListCache(survives_errors=True, clock=task.clock)
    task.secrets.add(entry_tokens(task.params))
    context, redactor = build_context(task.params, task.environment, task.cache, listing, task.secrets)
    context = replace(context, device_token="")
    with error_context("Planning the fleet"):
        members = fleet_entries(task.params, task.raw_params, context)
        empty = EmptyRecord(context, [member.desired for member in members])
    with error_context("Managing the fleet"):
        if task.check_mode:
            turns = preview_fleet(context, members, options)
            task.found_work(any(turn.has_work for turn in turns))
        else:
            turns = apply_fleet(context, members, options, task.progress)
    result, warnings = fleet_result(context, turns, options, redactor)
    predicted = free_warnings(context, turns) if task.check_mode else []
    empty_warnings = empty.warnings([turn.predicted.observation for turn in turns if turn.predicted is not None])
    policies = _unreached_warning(task.params, members)
    report = ModuleResult(result, [*predicted, *policies, *empty_warnings, *common_warnings(task.params), *warnings])
    trouble = fleet_error(turns)
    if trouble is not None:
        trouble.partial_result, trouble.warnings = report.result, report.warnings
        raise trouble
    return report


def require_devices(params: Params) -> None:
    """Check that devices are given; OptionError if not. The action plugin replaces sources by the devices in them."""
    for option in (*SOURCES, ONLY):
        if params[option] is not None:
            raise OptionError(option, "only the control node can read it", "run the task on localhost, without async")
    if params["devices"] is None:
        raise OptionError("devices", "no device is declared", "set devices, or files, hosts or clients with devices")


_LIMITS = ("max_create", "max_clear", "max_disconnect", "free_device_limit")


def fleet_options(params: Params) -> FleetOptions:
    """Return the options for the whole fleet; raise OptionError if one is out of range."""
    for option, least in (("concurrency", 1), ("canary", 0), *((limit, 0) for limit in _LIMITS)):
        if params[option] is not None:
            check_range(params, option, least, 1000 if option == "concurrency" else 10**9)
    return FleetOptions(
        concurrency=params["concurrency"],
        stop=params["on_error"] == "stop",
        canary=params["canary"],
        max_create=params["max_create"],
        max_clear=params["max_clear"],
        max_disconnect=params["max_disconnect"],
        free_limit=params["free_device_limit"],
        unlisted=params["unlisted"],
        result=params["result"],
    )


def entry_tokens(params: Params) -> set[str]:
    """Return the device tokens of the entries, to mask them before any list was read."""
    return {str(entry["device_token"]) for entry in params["devices"] if entry.get("device_token")}


def fleet_entries(params: Params, given: Params, context: RunContext) -> list[FleetEntry]:
    """Return the entries of a fleet.

    Args:
        params: The options, validated and with defaults.
        given: The options as the user gave them, where an explicit null differs from an omitted option.
        context: The context of the run.

    Raises:
        OptionError: There is no token, or entries are invalid. The message names all of them by their indices.
    """
    if not context.account_token:
        _check_device_tokens(params["devices"])
    written = given.get("devices")
    members: list[FleetEntry] = []
    problems: list[str] = []
    for index, entry in enumerate(params["devices"]):
        own = written[index] if isinstance(written, list) and len(written) == len(params["devices"]) else entry
        try:
            members.append(_entry(index, _with_defaults(entry, own, params), context))
        except OptionError as fault:
            problems.append(f"devices[{index}]: {fault}")
    problems += _named_twice(members)
    if problems:
        raise impossible_error(problems)
    return members


def _check_device_tokens(entries: t.Sequence[Params]) -> None:
    """Raise OptionError, once for all entries, if the run has no account token and an entry has no device token."""
    without = [index for index, entry in enumerate(entries) if not entry["device_token"]]
    if not without:
        return
    problem = "there is no token"
    if len(without) < len(entries):
        problem += f", and {len(without)} of {len(entries)} devices have no device_token, the first in "
        problem += f"devices[{without[0]}]"
    raise OptionError(
        "account_token", problem, "set the environment variable FONNTE_ACCOUNT_TOKEN, or the option account_token"
    )


def _with_defaults(entry: Params, own: object, params: Params) -> dict[str, t.Any]:
    """Return an entry with the fleet's defaults for omitted options. An explicit null is not replaced."""
    defaults = params["defaults"] or {}
    named = set(own) if isinstance(own, dict) else set()
    policies = {option: params[option] for option in EVIDENCE}
    merged = {**policies, **{option: value for option, value in defaults.items() if value is not None}}
    merged.update({option: value for option, value in entry.items() if value is not None or option in named})
    merged.update({option: policies[option] for option in EVIDENCE if merged.get(option) is None})
    complete: dict[str, t.Any] = {option: merged.get(option) for option in ENTRY}
    return {**complete, "record_max_age": params["record_max_age"]}


def _entry(index: int, entry: Params, context: RunContext) -> FleetEntry:
    token = checked_token("device_token", entry["device_token"])
    if entry["device"] is None and not token:
        raise OptionError("device", "no device is named", "set device to its number, or set device_token")
    state = State(entry["state"] or State.PRESENT.value)
    settings = parse_settings(entry, SETTING_OPTIONS)
    check_evidence(entry, state)
    if entry["handle_write_only"] == "stamped":
        check_name_length(settings.get("name"))
    desired = Desired(number(entry), state, settings, policy=replace(policy(entry), facts=context.facts))
    context = replace(context, device_token=token, has_country=has_country(entry["device"]))
    return FleetEntry(index, context, desired)


def _unreached_warning(params: Params, members: t.Sequence[FleetEntry]) -> t.Iterator[str]:
    """Yield a warning for entries that keep their own policy in a run that sends all settings again."""
    if params["handle_write_only"] != "always_update":
        return
    kept = [
        member.desired.number or member.label
        for member in members
        if member.desired.policy.write_only != "always_update"
    ]
    if kept:
        yield (
            f"handle_write_only: always_update does not apply to {count_devices(len(kept))}, whose entries have another "
            f"value: {list_labels(kept)}. Their write-only settings are not sent again; change or remove "
            "handle_write_only in these entries."
        )


def _named_twice(members: t.Sequence[FleetEntry]) -> t.Iterator[str]:
    """Yield an error for each entry that names the same device as an earlier one, in any spelling."""
    seen: dict[str, FleetEntry] = {}
    for member in members:
        for key in filter(
            None, (member.desired.number and canonical(member.desired.number), member.context.device_token)
        ):
            first = seen.setdefault(key, member)
            if first is not member:
                yield f"{first.label} and {member.label} are one device"
                break
