# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_fleet: many devices, from options to result."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._api.cache import KeptListing
from .._common.errors import OptionError, doing
from .._common.phone_numbers import has_country, key_of
from .._fleet.result import fleet_result, fleet_trouble
from .._fleet.run import carry_out_fleet, foresee_fleet, impossible
from .._fleet.turns import Member, Orders
from .._options.common import (
    API,
    EVIDENCE,
    SETTING_OPTIONS,
    Params,
    Spec,
    between,
    check_evidence,
    check_room,
    checked_token,
    common_warnings,
    declared,
    number,
    open_house,
    policy,
)
from .._options.empty_record import EmptyRecord
from .._options.fleet_members import MEMBER, MEMBER_DEFAULTS
from .._reconcile.observe import House
from .._reconcile.state import Desired, State
from .task import Report, Task

# The sources of a declaration. They are read on the control node, by the action plugin.
DECLARATION: Spec = {
    "files": {"type": "raw"},
    "hosts": {"type": "raw"},
    "clients": {"type": "list", "elements": "raw"},
    "packages": {"type": "dict"},
}
SOURCES = tuple(DECLARATION)

FLEET: Spec = {
    **API,
    **EVIDENCE,
    **DECLARATION,
    "devices": {"type": "list", "elements": "dict", "options": MEMBER},
    "defaults": {"type": "dict", "options": MEMBER_DEFAULTS},
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
        # Not itself a secret: the password in it is one.
        "no_log": False,
    },
}


def run_fleet(task: Task) -> Report:
    """Bring many devices to what is declared (module fonnte_fleet)."""
    require_devices(task.params)
    if task.params["tokens"] is not None:
        raise OptionError("tokens", "it needs files, hosts or clients", "give the devices by one of these")
    orders = fleet_orders(task.params)
    # One list serves all workers, until it is too old to write by; what a run writes it knows.
    listing = KeptListing(survives_errors=True, clock=task.clock)
    task.secrets.add(member_tokens(task.params))
    house, redactor = open_house(task.params, task.environment, task.keep, listing, task.secrets)
    house = replace(house, device_token="")
    with doing("Planning the fleet"):
        members = fleet_members(task.params, task.given, house)
        empty = EmptyRecord(house, [member.desired for member in members])
    with doing("Managing the fleet"):
        if task.check_mode:
            turns = foresee_fleet(house, members, orders)
        else:
            turns = carry_out_fleet(house, members, orders, task.progress)
    result, warnings = fleet_result(house, turns, orders, redactor)
    empty_warnings = empty.warnings([turn.foreseen.sight for turn in turns if turn.foreseen is not None])
    report = Report(result, [*empty_warnings, *common_warnings(task.params), *warnings])
    trouble = fleet_trouble(turns)
    if trouble is not None:
        trouble.progress, trouble.warnings = report.result, report.warnings
        raise trouble
    return report


def require_devices(params: Params) -> None:
    """Check that devices are given; OptionError if not. The action plugin replaces sources by the devices in them."""
    for option in SOURCES:
        if params[option] is not None:
            raise OptionError(option, "only the control node can read it", "run the task on localhost, without async")
    if params["devices"] is None:
        raise OptionError("devices", "no device is declared", "give devices, or files, hosts or clients with devices")


_BRAKES = ("max_create", "max_clear", "max_disconnect", "free_device_limit")


def fleet_orders(params: Params) -> Orders:
    """Return how a task of fonnte_fleet wants its fleet worked on."""
    for option, least in (("concurrency", 1), ("canary", 0), *((brake, 0) for brake in _BRAKES)):
        if params[option] is not None:
            between(params, option, least, 1000 if option == "concurrency" else 10**9)
    return Orders(
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


def member_tokens(params: Params) -> set[str]:
    """Return the tokens of entries: the service may repeat one before it has listed any."""
    return {str(entry["device_token"]) for entry in params["devices"] if entry.get("device_token")}


def fleet_members(params: Params, given: Params, house: House) -> list[Member]:
    """Return the entries of a fleet.

    Args:
        params: The options, complete and checked.
        given: The same as the user gave them: only there a null can be told from what was left out.
        house: What the run works with.

    Raises:
        OptionError: Entries cannot be right; it names them all by their indices.
    """
    written = given.get("devices")
    members: list[Member] = []
    problems: list[str] = []
    for index, entry in enumerate(params["devices"]):
        own = written[index] if isinstance(written, list) and len(written) == len(params["devices"]) else entry
        try:
            members.append(_member(index, _with_defaults(entry, own, params), house))
        except OptionError as fault:
            problems.append(f"devices[{index}]: {fault}")
    problems += _named_twice(members)
    if problems:
        raise impossible(problems)
    return members


def _with_defaults(entry: Params, own: object, params: Params) -> dict[str, t.Any]:
    """Return an entry with the defaults of the fleet; an explicit null is what the user wants, and no gap."""
    defaults = params["defaults"] or {}
    named = set(own) if isinstance(own, dict) else set()
    policies = {option: params[option] for option in EVIDENCE}
    merged = {**policies, **{option: value for option, value in defaults.items() if value is not None}}
    merged.update({option: value for option, value in entry.items() if value is not None or option in named})
    merged.update({option: policies[option] for option in EVIDENCE if merged.get(option) is None})
    complete: dict[str, t.Any] = {option: merged.get(option) for option in MEMBER}
    return {**complete, "record_max_age": params["record_max_age"]}


def _member(index: int, entry: Params, house: House) -> Member:
    token = checked_token("device_token", entry["device_token"])
    if entry["device"] is None and not token:
        raise OptionError("device", "no device is named", "give its number as device, or its device_token")
    if not token and not house.account_token:
        raise OptionError("account_token", "there is no token", "give account_token, or a device_token in each entry")
    state = State(entry["state"] or State.PRESENT.value)
    settings = declared(entry, SETTING_OPTIONS)
    check_evidence(entry, state)
    if entry["handle_write_only"] == "stamped" or entry["attest_stamp"]:
        check_room(settings.get("name"))
    desired = Desired(number(entry), state, settings, policy=replace(policy(entry), facts=house.facts))
    house = replace(house, device_token=token, has_country=has_country(entry["device"]))
    return Member(index, house, desired)


def _named_twice(members: t.Sequence[Member]) -> t.Iterator[str]:
    """Yield the entries that are one device, in whatever spelling."""
    seen: dict[str, Member] = {}
    for member in members:
        for key in filter(None, (member.desired.number and key_of(member.desired.number), member.house.device_token)):
            first = seen.setdefault(key, member)
            if first is not member:
                yield f"{first.label} and {member.label} are one device"
                break
