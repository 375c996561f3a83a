# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The options of the modules as data, and from what a user gave to what the engine takes.

``env`` names the environment variable that stands in for an option; whoever runs the module binds it.
"""

from __future__ import annotations

import getpass
import os
import re
import typing as t
from dataclasses import replace

from ._api import FonnteApi
from ._doctor import OWN_NAME, Order
from ._errors import OptionError
from ._facts import DEST, FactsFile, ServiceFacts, find_facts, load_facts, place_problem
from ._fleet import Member, Orders, impossible
from ._kept import Keep, KeptListing
from ._number import key_of, parse_number
from ._record import RecordStore
from ._record_care import Errand, RecordOperation
from ._redact import Redactor, is_bare
from ._settings import NAME_LENGTH, SETTINGS, WEBHOOKS, Kind, Settings, declare
from ._sight import House
from ._stamp import LENGTH as STAMP_LENGTH
from ._terms import Desired, Policy, State
from ._transport import Connection, Transport, check_endpoint

Spec = t.Dict[str, t.Dict[str, t.Any]]
Params = t.Mapping[str, t.Any]
Environment = t.Mapping[str, str]

DEVICE_TOKEN_VARIABLE = "FONNTE_DEVICE_TOKEN"

API: Spec = {
    "account_token": {"type": "str", "no_log": True, "env": "FONNTE_ACCOUNT_TOKEN"},
    # Its variable counts only where no device is named, so it is read by tokens() and not bound here.
    "device_token": {"type": "str", "no_log": True},
    "api_endpoint": {"type": "str", "default": "https://api.fonnte.com", "env": "FONNTE_API_ENDPOINT"},
    "api_timeout": {"type": "float", "default": 30.0, "env": "FONNTE_API_TIMEOUT"},
    "api_retries": {"type": "int", "default": 4, "env": "FONNTE_API_RETRIES"},
    "api_retry_max_delay": {"type": "float", "default": 20.0, "env": "FONNTE_API_RETRY_MAX_DELAY"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "record_path": {"type": "path", "default": "~/.ansible/fonnte", "env": "FONNTE_RECORD_PATH"},
    "record_max_age": {"type": "str"},
    "service_facts_path": {"type": "path", "env": "FONNTE_SERVICE_FACTS_PATH"},
}

EVIDENCE: Spec = {
    "handle_write_only": {
        "type": "str",
        "choices": ["recorded", "stamped", "always_update", "error", "attest"],
        "default": "recorded",
    },
    "attest_stamp": {"type": "bool", "default": False},
    "handle_undeclared": {"type": "str", "choices": ["carry", "forget"], "default": "carry"},
    "handle_unknown": {"type": "str", "choices": ["warn", "error", "ignore"], "default": "warn"},
}

# A raw value tells a quoted number from one whose leading zero YAML has eaten.
NUMBER: Spec = {"device": {"type": "raw", "aliases": ["number"]}}

_OPTION_TYPES: dict[Kind, t.Dict[str, t.Any]] = {
    Kind.NAME: {"type": "str"},
    Kind.FLAG: {"type": "bool"},
    Kind.URL: {"type": "str", "no_log": True},
    Kind.NUMBER: {"type": "raw"},
    Kind.COUNTRY: {"type": "str"},
}

SETTING_OPTIONS: Spec = {setting.option: _OPTION_TYPES[setting.kind] for setting in SETTINGS}
WEBHOOK_OPTIONS: Spec = {option: SETTING_OPTIONS[option] for option in WEBHOOKS}

DEVICE: Spec = {
    **API,
    **EVIDENCE,
    **NUMBER,
    **SETTING_OPTIONS,
    "state": {"type": "str", "choices": [state.value for state in State], "default": "present"},
    "otp": {"type": "raw", "no_log": True},
    "request_otp": {"type": "bool", "default": False},
    # Its name matches what Ansible takes for a secret; it is a switch.
    "return_tokens": {"type": "bool", "default": False, "no_log": False},
}

WEBHOOK_CONFIG: Spec = {
    **API,
    **EVIDENCE,
    **NUMBER,
    **WEBHOOK_OPTIONS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

# What a fleet takes for each device. There are no defaults in here: an entry has what defaults have, and then its own.
_EVIDENCE_OPTIONS: Spec = {
    option: {key: value for key, value in description.items() if key != "default"}
    for option, description in EVIDENCE.items()
}
MEMBER_DEFAULTS: Spec = {
    **_EVIDENCE_OPTIONS,
    **SETTING_OPTIONS,
    "state": {"type": "str", "choices": [State.PRESENT.value, State.DISCONNECTED.value]},
}
MEMBER: Spec = {**MEMBER_DEFAULTS, **NUMBER, "device_token": {"type": "str", "no_log": True}}

FLEET: Spec = {
    **API,
    **EVIDENCE,
    "devices": {"type": "list", "elements": "dict", "required": True, "options": MEMBER},
    "defaults": {"type": "dict", "options": MEMBER_DEFAULTS},
    "unlisted": {"type": "str", "choices": ["ignore", "report", "error"], "default": "ignore"},
    "concurrency": {"type": "int", "default": 4},
    "on_error": {"type": "str", "choices": ["continue", "stop"], "default": "continue"},
    "canary": {"type": "int", "default": 0},
    "max_create": {"type": "int"},
    "max_clear": {"type": "int", "default": 3},
    "max_disconnect": {"type": "int", "default": 3},
    "free_device_limit": {"type": "int"},
}

DEVICE_INFO: Spec = {
    **API,
    "devices": {"type": "list", "elements": "raw"},
    "connection": {"type": "str", "choices": ["any", "connected", "disconnected"], "default": "any"},
    "package": {"type": "str"},
    "expires_within": {"type": "int"},
    "quota_below": {"type": "int"},
    "profile": {"type": "bool", "default": False},
    "recorded": {"type": "bool", "default": False},
    "return_tokens": {"type": "bool", "default": False, "no_log": False},
}

RECORD: Spec = {
    **API,
    "operation": {
        "type": "str",
        "choices": [operation.value for operation in RecordOperation],
        "default": RecordOperation.STATUS.value,
    },
    "devices": {"type": "list", "elements": "raw"},
    "path": {"type": "path"},
    "orphans": {"type": "bool", "default": False},
    "overwrite": {"type": "bool", "default": False},
}

# What separates the cells of a sheet that is written.
SEPARATORS: dict[str, str] = {"comma": ",", "semicolon": ";"}

# It reads and writes files, and calls nobody: none of the common options.
SHEET: Spec = {
    "devices": {"type": "list", "elements": "dict", "required": True},
    "dest": {"type": "path", "required": True},
    "clients": {"type": "str"},
    "separator": {"type": "str", "choices": list(SEPARATORS), "default": "comma"},
    "sheet": {"type": "path"},
    "return_settings": {"type": "bool", "default": False},
}

DOCTOR: Spec = {
    **API,
    **NUMBER,
    "name": {"type": "str", "default": OWN_NAME},
    "consent": {"type": "bool", "default": False},
    "dest": {"type": "path"},
}


def tokens(params: Params, environment: Environment) -> tuple[str, str]:
    """Return the account token and the device token, each empty where there is none.

    The device token of the environment counts only where no device is named: in a loop over numbers it
    would write to one and the same device each time.
    """
    account = _token("account_token", params["account_token"])
    device = params["device_token"]
    if device is None and params.get("device") is None:
        device = environment.get(DEVICE_TOKEN_VARIABLE) or None
    device = _token("device_token", device)
    if account and account == device:
        raise OptionError(
            "device_token",
            "it is the same as account_token",
            "a device has a token of its own, shown in the dashboard beside the device",
        )
    return account, device


def _token(option: str, value: str | None) -> str:
    if value is None:
        return ""
    if value == "":
        raise OptionError(option, "it is empty", "leave the option out, or see why the variable behind it has no value")
    if re.search(r"[^\x21-\x7e]", value):
        raise OptionError(
            option,
            "it has a white space, a control or a non-ASCII character",
            "copy the token again, without quotes or line breaks",
        )
    return value


def secrets(params: Params, environment: Environment) -> set[str]:
    """Return what must be masked although no option holds it."""
    return {environment[DEVICE_TOKEN_VARIABLE]} if environment.get(DEVICE_TOKEN_VARIABLE) else set()


def harmless(params: Params) -> set[str]:
    """Return the webhooks that are only a host: to mask them would blot out that host wherever it is shown."""
    return {
        value
        for option in WEBHOOKS
        for value in [params.get(option)]
        if isinstance(value, str) and value and is_bare(value)
    }


def open_house(
    params: Params, environment: Environment, keep: Keep | None = None, listing: KeptListing | None = None
) -> tuple[House, Redactor]:
    """Return what a run works with; nothing is called yet.

    Args:
        params: The options.
        environment: The variables that stand in for some of them.
        keep: What earlier runs of this process have kept; None where each run stands alone.
        listing: Where the account's list is kept for this run alone; None to share it with the other runs.

    Raises:
        OptionError: An option cannot be right.
        MissingLibraryError: requests is not installed.
    """
    account, device = tokens(params, environment)
    endpoint = check_endpoint(params["api_endpoint"])
    connection = Connection(
        endpoint=endpoint,
        timeout=_between(params, "api_timeout", 0.1, 3600),
        retries=int(_between(params, "api_retries", 0, 100)),
        longest_delay=_between(params, "api_retry_max_delay", 0, 86400),
        verify=params["validate_certs"],
        ca_path=params["ca_path"],
        pool_size=params.get("concurrency") or 4,
    )
    if not params["record_path"]:
        raise OptionError("record_path", "it is empty", "leave it out to use ~/.ansible/fonnte")
    otp = params.get("otp")
    redactor = Redactor(account or device, [account, device, otp if isinstance(otp, str) else None])
    house = House(
        _api(connection, account, redactor, keep, listing),
        RecordStore(params["record_path"], endpoint),
        account,
        device,
        _person(),
        _service_facts(params, endpoint),
    )
    return house, redactor


def _api(
    connection: Connection, account: str, redactor: Redactor, keep: Keep | None, listing: KeptListing | None
) -> FonnteApi:
    if keep is None:
        return FonnteApi(Transport(connection), redactor, listing)
    return FonnteApi(keep.transport(connection), redactor, listing or keep.listing(connection, account))


def _person() -> str:
    """Return who runs the task."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"user {os.getuid()}"


def _service_facts(params: Params, endpoint: str) -> ServiceFacts:
    option = "service_facts_path"
    path = params[option]
    return ServiceFacts() if path is None else load_facts(path, endpoint, option)


def _between(params: Params, option: str, least: float, most: float) -> float:
    value = float(params[option])
    # The comparison is false for "not a number" as well.
    if not least <= value <= most:
        raise OptionError(option, f"{value:g} is out of range", f"give {least:g} to {most:g}")
    return value


def common_warnings(params: Params) -> list[str]:
    """Return what a user should know about the way the service is reached."""
    if params["validate_certs"]:
        return []
    return [
        "validate_certs is false: anybody on the way to the service can read the token. Use ca_path for a CA of your own."
    ]


def token_warnings(params: Params, no_log: bool) -> list[str]:
    """Return the warning for tokens in a result that is logged."""
    if not params["return_tokens"] or no_log:
        return []
    return ["return_tokens puts tokens into the result, and the task has no no_log: true: they are printed and logged."]


def settings_warnings(no_log: bool) -> list[str]:
    """Return the warning for webhooks in a result that is logged."""
    if no_log:
        return []
    return [
        "return_settings puts the URLs of webhooks into the result, and the task has no no_log: true: "
        "they are printed and logged."
    ]


def policy(params: Params) -> Policy:
    """Return what the user wants done about settings that nobody can read."""
    return Policy(
        write_only=params["handle_write_only"],
        unknown=params["handle_unknown"],
        undeclared=params["handle_undeclared"],
        max_age=max_age(params["record_max_age"]),
        stamp_attested=params["attest_stamp"],
    )


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def max_age(text: str | None) -> float | None:
    """Return seconds for text such as ``30d``; None for none."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", text.strip())
    if not found:
        raise OptionError(
            "record_max_age", "it is not a length of time", "write a whole number and one of s, m, h, d, w, as in 30d"
        )
    return float(found.group(1)) * _UNITS[found.group(2)]


def desired_device(params: Params) -> Desired:
    """Return what a task of fonnte_device declares."""
    state = State(params["state"])
    otp = _otp(params["otp"])
    for option, given in (("otp", bool(otp)), ("request_otp", params["request_otp"])):
        if given and state is not State.ABSENT:
            raise OptionError(
                option, f"it is for a deletion, and state is {state.value}", "take it out, or say state: absent"
            )
    settings = declared(params, SETTING_OPTIONS)
    _check_evidence(params, state)
    if params["handle_write_only"] == "stamped" or params["attest_stamp"]:
        _check_room(settings.get("name"))
    return Desired(
        number=number(params),
        state=state,
        settings=settings,
        policy=policy(params),
        otp=otp,
        request_otp=params["request_otp"],
    )


def _check_evidence(params: Params, state: State = State.PRESENT) -> None:
    attests = params["handle_write_only"] == "attest"
    if attests and state is not State.PRESENT:
        raise OptionError(
            "handle_write_only",
            f"attest vouches for what is there and changes nothing, and state is {state.value}",
            "attest in one task, and do the rest in another",
        )
    if params["attest_stamp"] and not attests:
        raise OptionError("attest_stamp", "it is for handle_write_only: attest", "take it out")


def _check_room(name: object) -> None:
    """See before the first call that a stamp fits beside the declared name."""
    longest = NAME_LENGTH[1] - STAMP_LENGTH
    if isinstance(name, str) and len(name) > longest:
        raise OptionError(
            "name",
            f"it has {len(name)} characters, and the stamp of handle_write_only: stamped leaves room for {longest}",
            "declare a shorter one",
        )


def _otp(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise OptionError("otp", "it is an unquoted number, and a leading zero may be lost", "quote it")
    if not re.fullmatch(r"[0-9A-Za-z]{3,12}", value):
        raise OptionError("otp", "it is not a code", "give the code from the WhatsApp message, and nothing else")
    return value


def number(params: Params) -> str:
    """Return the digits of the device that a task names; empty where only a token names it."""
    if params["device"] is None:
        return ""
    return parse_number(params["device"], "device")


def declared(params: Params, options: t.Iterable[str]) -> Settings:
    """Return the settings that a task declares; what is left out is not managed."""
    return {option: declare(option, params[option]) for option in options if params[option] is not None}


def fleet_orders(params: Params) -> Orders:
    """Return how a task of fonnte_fleet wants its fleet worked on."""
    for option, least in (("concurrency", 1), ("canary", 0), *((brake, 0) for brake in _BRAKES)):
        if params[option] is not None:
            _between(params, option, least, 1000 if option == "concurrency" else 10**9)
    return Orders(
        concurrency=params["concurrency"],
        stop=params["on_error"] == "stop",
        canary=params["canary"],
        max_create=params["max_create"],
        max_clear=params["max_clear"],
        max_disconnect=params["max_disconnect"],
        free_limit=params["free_device_limit"],
        unlisted=params["unlisted"],
    )


_BRAKES = ("max_create", "max_clear", "max_disconnect", "free_device_limit")


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
    token = _token("device_token", entry["device_token"])
    if entry["device"] is None and not token:
        raise OptionError("device", "no device is named", "give its number as device, or its device_token")
    if not token and not house.account_token:
        raise OptionError("account_token", "there is no token", "give account_token, or a device_token in each entry")
    state = State(entry["state"] or State.PRESENT.value)
    settings = declared(entry, SETTING_OPTIONS)
    _check_evidence(entry, state)
    if entry["handle_write_only"] == "stamped" or entry["attest_stamp"]:
        _check_room(settings.get("name"))
    desired = Desired(number(entry), state, settings, policy=replace(policy(entry), facts=house.facts))
    return Member(index, replace(house, device_token=token), desired)


def _named_twice(members: t.Sequence[Member]) -> t.Iterator[str]:
    """Yield the entries that are one device, in whatever spelling."""
    seen: dict[str, Member] = {}
    for member in members:
        for key in filter(None, (member.desired.number and key_of(member.desired.number), member.house.device_token)):
            first = seen.setdefault(key, member)
            if first is not member:
                yield f"{first.label} and {member.label} are one device"
                break


def desired_webhooks(params: Params) -> Desired:
    """Return what a task of fonnte_webhook_config declares."""
    settings: Settings
    if params["state"] == "absent":
        for option in WEBHOOKS:
            if params[option]:
                raise OptionError(
                    option, "it is declared, and state is absent, which clears it", "take it out, or say state: present"
                )
        settings = {option: "" for option in WEBHOOKS}
    else:
        settings = declared(params, WEBHOOKS)
    _check_evidence(params)
    return Desired(number=number(params), settings=settings, manages=WEBHOOKS, policy=policy(params), may_create=False)


def record_errand(params: Params) -> Errand:
    """Return what a task of fonnte_record asks for; OptionError where an option is missing or out of place."""
    operation = RecordOperation(params["operation"])
    moves = operation in (RecordOperation.BACKUP, RecordOperation.RESTORE)
    if moves and not params["path"]:
        raise OptionError("path", f"there is none, and operation is {operation.value}", "name the file of the backup")
    for option, wanted in (
        ("path", moves),
        ("orphans", operation is RecordOperation.FORGET),
        ("overwrite", operation is RecordOperation.RESTORE),
    ):
        if params[option] and not wanted:
            raise OptionError(option, f"it has no meaning, since operation is {operation.value}", "take it out")
    numbers = numbers_of(params["devices"])
    if operation is RecordOperation.FORGET and not numbers and not params["orphans"]:
        raise OptionError("devices", "it names none, and operation is forget", "name the devices, or say orphans: true")
    return Errand(operation, numbers, params["path"] or "", params["orphans"], params["overwrite"])


def numbers_of(devices: t.Sequence[object] | None) -> tuple[str, ...] | None:
    """Return the digits of the numbers in the option ``devices``; None where it is left out."""
    if devices is None:
        return None
    return tuple(parse_number(device, f"devices[{index}]") for index, device in enumerate(devices))


def doctor_order(params: Params, check_mode: bool) -> Order:
    """Return what a task of fonnte_doctor allows."""
    name = str(declare("name", params["name"]))
    return Order(number=number(params), name=name, consent=params["consent"], check_mode=check_mode)


def facts_file(params: Params) -> FactsFile | None:
    """Return the file that fonnte_doctor is to write; None where none is named.

    Raises:
        OptionError: What is there is not a file of facts of this service, and is not overwritten.
    """
    path = params[DEST]
    if path is None:
        return None
    endpoint = check_endpoint(params["api_endpoint"])
    return FactsFile(path, endpoint, find_facts(path, endpoint, DEST))


def place_of(file: FactsFile) -> OptionError | None:
    """Return why the file could not be written: found before anything is called."""
    problem = place_problem(file.path)
    advice = "name a file in a folder that is there, and that the user who runs the task can write"
    return OptionError(DEST, problem, advice) if problem else None
