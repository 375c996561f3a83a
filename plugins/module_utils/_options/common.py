# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The argument specs that modules share, and the conversion of options into the engine's objects.

In a spec, ``env`` is the environment variable for an option that is not given, and ``also`` is a list of other names
that cannot be aliases. The code that runs the module applies both.
"""

from __future__ import annotations

import getpass
import os
import re
import typing as t

from .._api.cache import DeviceListCache, ProcessCache
from .._api.client import FonnteClient
from .._api.transport import Transport
from .._api.wire import Connection
from .._common.destinations import check_destination
from .._common.endpoint import check_endpoint, check_proxies
from .._common.errors import OptionError
from .._common.phone_numbers import has_country, parse_number
from .._common.redaction import Redactor, is_origin
from .._common.spellings import SecretFinder
from .._device.service_facts import ServiceFacts, load_facts
from .._device.settings import SETTINGS, WEBHOOKS, Settings, ValueType, validate
from .._reconcile.observe import RunContext
from .._record.database.url import check_database_url, database_secrets, database_warnings
from .._record.directory import RecordDirectory
from .._record.storage_check import find_storage_warnings
from .._record.store import RecordStore

Spec = t.Dict[str, t.Dict[str, t.Any]]

Params = t.Mapping[str, t.Any]

Environment = t.Mapping[str, str]

DEVICE_TOKEN_VARIABLE = "FONNTE_DEVICE_TOKEN"
RECORD_URL_VARIABLE = "FONNTE_RECORD_URL"

API: Spec = {
    "account_token": {"type": "str", "no_log": True, "env": "FONNTE_ACCOUNT_TOKEN"},
    # FONNTE_DEVICE_TOKEN applies only if no device is named, so tokens() reads it instead of "env".
    "device_token": {"type": "str", "no_log": True},
    "api_endpoint": {"type": "str", "default": "https://api.fonnte.com", "env": "FONNTE_API_ENDPOINT"},
    "api_timeout": {"type": "float", "default": 30.0, "env": "FONNTE_API_TIMEOUT"},
    "api_retries": {"type": "int", "default": 4, "env": "FONNTE_API_RETRIES"},
    "api_retry_max_delay": {"type": "float", "default": 20.0, "env": "FONNTE_API_RETRY_MAX_DELAY"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "env": "FONNTE_CA_PATH"},
    "record_path": {"type": "path", "default": "~/.ansible/fonnte", "env": "FONNTE_RECORD_PATH"},
    "record_url": {"type": "str", "no_log": True, "env": RECORD_URL_VARIABLE},
    "record_max_age": {"type": "str"},
    "service_facts_path": {"type": "path", "env": "FONNTE_SERVICE_FACTS_PATH"},
}

EVIDENCE: Spec = {
    "handle_write_only": {
        "type": "str",
        "choices": ["recorded", "stamped", "always_update", "error", "attest"],
        "default": "recorded",
    },
    "handle_undeclared": {"type": "str", "choices": ["carry", "forget"], "default": "carry"},
    "handle_unknown": {"type": "str", "choices": ["warn", "error", "ignore"], "default": "warn"},
}

# Type raw: a string is a quoted number, and an integer may have lost its leading zero in YAML.
NUMBER: Spec = {"device": {"type": "raw", "aliases": ["number"]}}

_OPTION_TYPES: dict[ValueType, dict[str, t.Any]] = {
    ValueType.NAME: {"type": "str"},
    ValueType.FLAG: {"type": "bool"},
    ValueType.URL: {"type": "str", "no_log": True},
    ValueType.NUMBER: {"type": "raw"},
    ValueType.COUNTRY: {"type": "str"},
}

SETTING_OPTIONS: Spec = {setting.option: _OPTION_TYPES[setting.value_type] for setting in SETTINGS}


def resolve_aliases(spec: Spec, given: Params) -> dict[str, t.Any]:
    """Rename given options to the names in the spec. If both names are given, the other one stays and is refused."""
    names = {other: option for option, description in spec.items() for other in description.get("also", ())}
    return {
        names[option] if option in names and names[option] not in given else option: value
        for option, value in given.items()
    }


def tokens(params: Params, environment: Environment) -> tuple[str, str]:
    """Return the account token and the device token; each is empty if it is not given.

    The environment variable of the device token applies only if no device is named: in a loop over numbers, every item
    would write to the same device.
    """
    account = checked_token("account_token", params["account_token"])
    device = params["device_token"]
    if device is None and params.get("device") is None:
        device = environment.get(DEVICE_TOKEN_VARIABLE) or None
    device = checked_token("device_token", device)
    if account and account == device:
        raise OptionError(
            "device_token",
            "it is the same as account_token",
            "a device has a separate token, shown in the dashboard in the row of the device",
        )
    return account, device


def checked_token(option: str, value: str | None) -> str:
    """Return a token unchanged; an empty string if it is None.

    Raises:
        OptionError: The value cannot be a token.
    """
    if value is None:
        return ""
    if value == "":
        raise OptionError(option, "it is empty", "leave the option out, or check why its variable has no value")
    if value[0] in "'\"" or value[-1] in "'\"":
        # A file of variables keeps quotes that a shell removes. The service would refuse the token as unknown.
        raise OptionError(option, "it begins or ends with a quotation mark", "remove the quotation marks")
    if re.search(r"[^\x21-\x7e]", value):
        raise OptionError(
            option,
            "it has white space, a control character or a non-ASCII character",
            "copy the token again, without quotes or line breaks",
        )
    return value


def secrets(params: Params, environment: Environment) -> set[str]:
    """Return further secrets to mask: those that are not the whole value of a no_log option."""
    device_token = environment.get(DEVICE_TOKEN_VARIABLE)
    url = params.get("record_url")
    return {
        *([device_token] if device_token else []),
        *(database_secrets(url, environment) if isinstance(url, str) and url else []),
    }


def non_secret_urls(params: Params) -> set[str]:
    """Return the URLs without a secret part. Masking one would also mask its host in all other messages."""
    return {
        value
        for option in (*WEBHOOKS, "url")
        for value in [params.get(option)]
        if isinstance(value, str) and value and is_origin(value)
    }


def check_record_place(params: Params, given: Params) -> list[str]:
    """Check that a task names one place for the record; return a warning for a directory that is not used.

    Args:
        params: All options, with defaults.
        given: The options that the user has given.

    Raises:
        OptionError: The task names two places, or an invalid URL.
    """
    url = params.get("record_url")
    if url is None:
        return []
    if not url:
        raise OptionError("record_url", "it is empty", "leave it out, or check why its variable has no value")
    check_database_url(url)
    if given.get("record_path") is None:
        return []
    if given.get("record_url") is not None:
        raise OptionError("record_url", "record_path is given as well", "remove one of the two")
    return [
        f"The directory {given['record_path']} of record_path is not used: {RECORD_URL_VARIABLE} names a database. To "
        "use the directory, run without this variable."
    ]


def build_context(
    params: Params,
    environment: Environment,
    keep: ProcessCache | None = None,
    listing: DeviceListCache | None = None,
    finder: SecretFinder | None = None,
) -> tuple[RunContext, Redactor]:
    """Create the context of a run, without any request.

    Args:
        params: The options.
        environment: The environment variables.
        keep: The cache of this process; None if runs share nothing.
        listing: The device list cache for this run only; None to share the one in ``keep``.
        finder: Masks the result; the tokens of the run are added to it.

    Raises:
        OptionError: An option is invalid.
    """
    account, device = tokens(params, environment)
    connection = parse_connection(params)
    otp = params.get("otp")
    redactor = Redactor(account or device, [account, device, otp if isinstance(otp, str) else None], finder)
    context = RunContext(
        _api(connection, account, redactor, keep, listing),
        _record(params, connection.endpoint, environment, keep, finder),
        account,
        device,
        has_country(params.get("device")),
        _operator(),
        _service_facts(params, connection.endpoint),
    )
    return context, redactor


def _record(
    params: Params, endpoint: str, environment: Environment, keep: ProcessCache | None, finder: SecretFinder | None
) -> RecordStore:
    """Return the record: in the database of record_url if it is given, otherwise in the directory of record_path."""
    url = params.get("record_url")
    if not url:
        check_record_path(params)
        return RecordStore(params["record_path"], endpoint)
    # Ansible compiles each imported file in every run, and most runs have their record in files.
    from .._record.database.backend import PostgresqlBackend

    if keep is None:
        backend = PostgresqlBackend(url)
    else:
        # PG* variables complete the URL, so connections with different variables are not shared.
        library = tuple(sorted((name, value) for name, value in environment.items() if name.startswith("PG")))
        backend = keep.connection(("record", url, library), lambda: PostgresqlBackend(url))
    backend.mask_with(SecretFinder() if finder is None else finder)
    return RecordStore(backend.place, endpoint, backend)


def check_record_path(params: Params) -> None:
    """Refuse a record_path that is empty, has an unexpanded "~", or is in an installed collection (OptionError)."""
    if not params["record_path"]:
        raise OptionError("record_path", "it is empty", "leave it out to use ~/.ansible/fonnte")
    if params["record_path"].startswith("~"):
        # An unexpanded "~" would become a directory of this name in the working directory.
        raise OptionError(
            "record_path",
            f"{params['record_path']} needs a home directory, and neither HOME nor the list of users names one",
            "set HOME, or set FONNTE_RECORD_PATH to a persistent directory",
        )
    check_destination("record_path", params["record_path"])


def parse_connection(params: Params) -> Connection:
    """Return the connection to the service; raise OptionError if one of its options is invalid."""
    endpoint = check_endpoint(params["api_endpoint"])
    check_proxies(endpoint)
    return Connection(
        endpoint=endpoint,
        timeout=check_range(params, "api_timeout", 0.1, 3600),
        retries=int(check_range(params, "api_retries", 0, 100)),
        longest_delay=check_range(params, "api_retry_max_delay", 0, 86400),
        verify=params["validate_certs"],
        ca_path=params["ca_path"],
        pool_size=params.get("concurrency") or 4,
    )


def _api(
    connection: Connection, account: str, redactor: Redactor, keep: ProcessCache | None, listing: DeviceListCache | None
) -> FonnteClient:
    if keep is None:
        return FonnteClient(Transport(connection), redactor, listing)
    return FonnteClient(keep.transport(connection), redactor, listing or keep.listing(connection, account))


def _operator() -> str:
    """Return the name of the user who runs the task."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # The user ID of a container may have no name.
        return f"user {os.getuid()}"


def _service_facts(params: Params, endpoint: str) -> ServiceFacts:
    option = "service_facts_path"
    path = params[option]
    return ServiceFacts() if path is None else load_facts(path, endpoint, option)


def check_range(params: Params, option: str, least: float, most: float) -> float:
    """Return the value of a numeric option; raise OptionError if it is out of range."""
    value = float(params[option])
    # NaN fails this comparison, too.
    if not least <= value <= most:
        raise OptionError(option, f"{value:g} is out of range", f"set a value from {least:g} to {most:g}")
    return value


def common_warnings(params: Params) -> list[str]:
    """Return the warnings about the connection to the service and about the place of the record."""
    # The inventory and lookup plugins use no record.
    record_path, url = params.get("record_path"), params.get("record_url")
    of_the_record: list[str] = []
    if url:
        of_the_record = database_warnings(url, os.environ)
    elif record_path:
        of_the_record = [*RecordDirectory(record_path).warnings(), *find_storage_warnings(record_path)]
    if params["validate_certs"]:
        return of_the_record
    return [
        *of_the_record,
        "validate_certs is false: anyone on the network path to the service can read the token. Name your "
        "certificate authority in ca_path or FONNTE_CA_PATH.",
    ]


def number(params: Params) -> str:
    """Return the digits of the device that a task names; an empty string if only a token identifies it."""
    if params["device"] is None:
        return ""
    return parse_number(params["device"], "device")


def require_device(params: Params, environment: Environment, given: Params) -> None:
    """Check that a task identifies a device, by number or by token; raise OptionError otherwise."""
    if params["device"] is not None:
        return
    if not tokens(params, environment)[1]:
        raise OptionError("device", "no device is named", "set device to its number, or set device_token")
    named = [option for option in ("device", *NUMBER["device"]["aliases"]) if option in given]
    if named and params["device_token"] is None:
        # An empty variable must not cause a write to the device whose token is in the environment.
        raise OptionError(named[0], "it is null", "check why its variable has no value, or leave the option out")


def parse_settings(params: Params, options: t.Iterable[str]) -> Settings:
    """Return the settings that a task declares. Omitted ones are not managed."""
    return {option: validate(option, params[option]) for option in options if params[option] is not None}


def parse_numbers(devices: t.Sequence[object] | None) -> tuple[str, ...] | None:
    """Return the digits of the numbers in the option ``devices``; None if it is omitted."""
    if devices is None:
        return None
    return tuple(parse_number(device, f"devices[{index}]") for index, device in enumerate(devices))


def with_country(devices: t.Sequence[object] | None) -> frozenset[str]:
    """Return the digits of the numbers in the option ``devices`` that are written with their country code."""
    return frozenset(parse_number(device, "devices") for device in devices or () if has_country(device))
