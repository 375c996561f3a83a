# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Messages: the options of fonnte_message are validated and converted into the form fields of /send.

A sent message cannot be recalled, so all errors in the options are found here, before any request.
"""

from __future__ import annotations

import collections
import re
import typing as t
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from .._api.wire import Upload
from .._common.errors import OptionError
from .._common.phone_numbers import COUNTRY, NO_COUNTRY, dialed_number, no_country
from .._device.settings import check_url, validate
from .attachment import read_attachment
from .group_targets import GROUP_PREFIX, is_group_name, parse_group_name
from .ineffective import find_ineffective_options
from .schedule import parse_schedule

MAX_MESSAGE_LENGTH = 60_000
CHOICES = (2, 12)
# Many servers and proxies limit the request line to 8 KB.
MAX_QUERY_LENGTH = 7_500

# Options that are sent unchanged, with their names in the form.
FLAGS = {"typing": "typing", "connect_only": "connectOnly", "sequence": "sequence", "preview": "preview"}
COUNTS = {"follow_up": "followup", "duration": "duration", "inbox_id": "inboxid"}

Params = t.Mapping[str, t.Any]
Form = t.Dict[str, str]


@dataclass(frozen=True)
class Target:
    """A receiver, and the values of its variables. Different spellings of a number with equal values are one target.

    Attributes:
        address: The address in the request: a number in a spelling that the service converts correctly, or the ID of a
            group or a rotator. ``group:NAME`` until the ID of the group is known.
        international: The number to which the service should convert the address; for others, the address.
        variables: The values of ``{name}``, ``{var1}`` and so on.
    """

    address: str = field(compare=False)
    international: str
    variables: tuple[str, ...] = ()

    @property
    def wire(self) -> str:
        """The target in the format of the form."""
        return "|".join((self.address, *self.variables))


@dataclass(frozen=True)
class Message:
    """A validated message.

    Attributes:
        targets: The receivers, without duplicates.
        form: The form fields of the request.
        upload: The attached file; None without one.
        scheduled: The time to send it, in unix seconds; None for now.
        repeated: The numbers that occurred several times with equal variables; each gets one message.
        warnings: Warnings about the targets and the options.
    """

    targets: tuple[Target, ...]
    form: Form = field(repr=False)
    upload: Upload | None = None
    scheduled: int | None = None
    repeated: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_message(params: Params, moment: datetime) -> Message:
    """Return the message that the options of a task describe.

    Args:
        params: The options of the task.
        moment: The current time; a schedule must be later.

    Raises:
        OptionError: An option is invalid.
    """
    form: Form = {}
    country = params["country_code"]
    if country is not None:
        form["countryCode"] = country = str(validate("country_code", country))
    named = collections.Counter(read_targets(params["target"], country or COUNTRY))
    targets = tuple(named)
    form["target"] = ",".join(target.wire for target in targets)
    scheduled = parse_schedule(params["schedule"], moment)
    if scheduled is not None:
        form["schedule"] = str(scheduled)
    form.update(_template_variables(params))
    form.update(_poll(params["poll"]))
    form.update({wire: "true" if params[flag] else "false" for flag, wire in FLAGS.items() if params[flag] is not None})
    form.update({wire: _count(name, params[name]) for name, wire in COUNTS.items() if params[name] is not None})
    upload = read_attachment(params)
    if upload is None and not any(key in form for key in ("message", "url", "location", "choices")):
        raise OptionError("msg", "there is nothing to send", "set msg, url, file, location or poll")
    _check_characters(form, upload)
    if params["method"] == "get":
        check_query(form, upload)
    repeated = tuple(target.international for target, times in named.items() if times > 1)
    warnings = (*_unassigned_numbers(targets, country), *find_ineffective_options(form, len(targets)))
    return Message(targets, form, upload, scheduled, repeated, warnings)


def as_written(params: Params, given: Params) -> Params:
    """Return the options with a single target as the user wrote it, and check the texts.

    Args:
        params: The options of the task.
        given: The options before Ansible converted them.

    Raises:
        OptionError: YAML has read a text as a boolean, a list or a dictionary.
    """
    for option in ("target", "targets"):
        alone = given.get(option)
        if isinstance(alone, (int, float)):
            # Ansible has converted a single target to a list of strings, which hides a lost leading zero.
            params = {**params, "target": [alone]}
        elif isinstance(alone, str) and "," in alone and GROUP_PREFIX in alone:
            # Ansible has split it at each comma, and the name of a group may contain one.
            raise OptionError(
                option, "it is one string with a comma and a group", "write a list with an item for each target"
            )
    poll = given.get("poll")
    texts = {"msg": given.get("msg"), "poll": poll.get("name") if isinstance(poll, dict) else None}
    for option, text in texts.items():
        if text is not None:
            _written(option, "its name" if option == "poll" else "it", text)
    return params


# Targets


def read_targets(given: t.Sequence[object], country: str) -> list[Target]:
    """Return the targets of a task; the OptionError names the invalid one."""
    if not given:
        raise OptionError("target", "it is empty", "name at least one number")
    return [_target(f"target[{index}]", value, country) for index, value in enumerate(given)]


def _unassigned_numbers(targets: t.Iterable[Target], country: str | None) -> t.Iterator[str]:
    """Yield a warning for each number that no country has; none with country_code 0, where its country is unknown."""
    if country != NO_COUNTRY:
        for number in dict.fromkeys(target.international for target in targets):
            if number.isdigit():
                yield from no_country(number, country or COUNTRY)


_DICT_KEYS = {"to", "name", "variables"}


def _target(option: str, value: object, country: str) -> Target:
    to: object = value
    words: list[str] = []
    if isinstance(value, dict):
        to, words = _of_dict(option, value)
    elif isinstance(value, str) and not is_group_name(value):
        to, *words = value.split("|")
    address, dials = _address(option, to, country)
    for word in words:
        if re.search(r"[,|]", word):
            raise OptionError(
                option,
                "its name or a variable has a comma or a vertical bar",
                "remove it: Fonnte treats it as the end of the value, or of the target",
            )
    return Target(address, dials, tuple(words))


def _of_dict(option: str, value: dict[t.Any, t.Any]) -> tuple[object, list[str]]:
    if "to" not in value or set(value) - _DICT_KEYS:
        problem = "it has a key other than to, name and variables" if "to" in value else "it has no key to"
        raise OptionError(option, problem, "set to, and optionally name and variables")
    variables = value.get("variables") or []
    if not isinstance(variables, (list, tuple)):
        raise OptionError(option, "its variables are not a list", "write a list: the first one fills {var1}")
    words = [value.get("name"), *variables]
    if all(word is None for word in words):
        return value["to"], []
    return value["to"], ["" if word is None else _written(option, "its name or a variable", word) for word in words]


def _written(option: str, what: str, value: object) -> str:
    """Return a text as the user wrote it; raise OptionError for a value that YAML has converted, such as a boolean."""
    if isinstance(value, bool):
        raise OptionError(option, f"YAML reads {what} as {str(value).lower()}", "quote it, as in 'yes'")
    if isinstance(value, (dict, list, tuple)):
        raise OptionError(option, f"{what} is not a string", "write a string")
    return str(value)


def _address(option: str, value: object, country: str) -> tuple[str, str]:
    """Return the address of a target, and the number that it means: the service only replaces a leading 0."""
    if isinstance(value, str):
        text = value.strip()
        if is_group_name(text):
            return (f"{GROUP_PREFIX}{parse_group_name(text, option)}",) * 2
        if "," in text:
            raise OptionError(option, "it has a comma", "write each target as a separate item")
        if re.fullmatch(r"[0-9]+(-[0-9]+)?@g\.us|rotator#[0-9]+", text):
            return text, text
    return dialed_number(value, country, option)


# Content


def _template_variables(params: Params) -> Form:
    """Return the validated form fields of the text, the attachment, the delay and the location."""
    form: Form = {}
    message = params["msg"]
    if message:
        if len(message) > MAX_MESSAGE_LENGTH:
            raise OptionError(
                "msg",
                f"it has {len(message)} characters",
                f"a message has {MAX_MESSAGE_LENGTH} at most: split it into two",
            )
        form["message"] = message
    if params["url"] is not None:
        form["url"] = check_url("url", params["url"])
    if params["filename"] is not None:
        if params["url"] is None and params["file"] is None:
            raise OptionError("filename", "there is no attachment", "set url or file, or remove it")
        form["filename"] = _filename(params["filename"])
    if params["delay"] is not None:
        form["delay"] = _delay(params["delay"])
    if params["location"] is not None:
        form["location"] = _location(params["location"])
    return form


def _filename(name: str) -> str:
    if not name.strip() or not name.isprintable() or re.search(r"[/\\]", name):
        raise OptionError("filename", "it cannot be the name of a file", "set a name such as invoice.pdf")
    return name


def _delay(text: str) -> str:
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*(?:-\s*([0-9]{1,6})\s*)?", text)
    if not found or int(found.group(1)) > int(found.group(2) or found.group(1)):
        raise OptionError("delay", "it is not a number of seconds", "set seconds such as 2, or a range such as 1-10")
    return "-".join(filter(None, found.groups()))


def _location(text: str) -> str:
    found = re.fullmatch(r"\s*(-?[0-9]{1,2}(?:\.[0-9]+)?)\s*,\s*(-?[0-9]{1,3}(?:\.[0-9]+)?)\s*", text)
    if not found or abs(float(found.group(1))) > 90 or abs(float(found.group(2))) > 180:
        raise OptionError(
            "location", "it is not a valid location", "set latitude and longitude in degrees, as in -6.1754,106.8272"
        )
    return ",".join(found.groups())


def _count(option: str, value: int) -> str:
    if not 0 <= value < 10**12:
        raise OptionError(option, f"{value} is out of range", "set a whole number, 0 or more")
    return str(value)


def _poll(poll: Params | None) -> Form:
    if poll is None:
        return {}
    choices = ["" if choice is None else _written("poll", "a choice", choice).strip() for choice in poll["choices"]]
    low, high = CHOICES
    if not low <= len(choices) <= high:
        raise OptionError("poll", f"it has {len(choices)} choices", f"write {low} to {high} choices")
    for choice in choices:
        if not choice or "," in choice:
            raise OptionError(
                "poll",
                "a choice has a comma" if choice else "a choice is empty",
                "change it: Fonnte treats a comma as the end of a choice",
            )
    if len(set(choices)) < len(choices):
        raise OptionError("poll", "two choices are the same", "remove one")
    if not poll["name"].strip():
        raise OptionError("poll", "its name is empty", "write a question")
    return {"choices": ",".join(choices), "select": poll["select"], "pollname": poll["name"]}


# Characters

_OPTION_OF = {"message": "msg", "pollname": "poll", "choices": "poll", "countryCode": "country_code"}
# An unpaired surrogate, as after a cut inside an emoji, and NUL, which ends a string in C.
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


def _check_characters(form: Form, upload: Upload | None) -> None:
    if upload is not None and _UNFIT.search(upload.filename):
        raise OptionError("file", "its name has a character that cannot be sent", "set filename to another name")
    for wire, text in form.items():
        if _UNFIT.search(text):
            raise OptionError(
                _OPTION_OF.get(wire, wire),
                "it has a character that cannot be sent",
                "check for an incomplete character",
            )


# The GET request


def check_query(form: t.Mapping[str, str], upload: Upload | None) -> None:
    """Check that a GET request can carry a message; raise OptionError otherwise."""
    if upload is not None:
        raise OptionError("method", "get cannot send a file", "set method: post, or put it on a web server and set url")
    length = len(urlencode(form))
    if length > MAX_QUERY_LENGTH:
        raise OptionError(
            "method",
            f"get would create a URL of {length} characters, and servers accept {MAX_QUERY_LENGTH}",
            "set method: post",
        )
