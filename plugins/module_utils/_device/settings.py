# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The table of all settings of a device.

Argument specs, form fields, comparison, evidence and the record are derived from it. To add a setting, add a row.
"""

from __future__ import annotations

import enum
import re
import typing as t
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._common.errors import OptionError
from .._common.phone_numbers import check_dialed, parse_number
from .stamp import HOOKS, OWN, strip_stamp

Value = t.Union[str, bool]
Settings = t.Mapping[str, Value]


class ValueType(enum.Enum):
    """The type of a setting's values."""

    NAME = "name"
    FLAG = "flag"
    URL = "url"
    NUMBER = "number"
    COUNTRY = "country"


class ReadSource(enum.Enum):
    """A response of the service that can show a setting."""

    LIST = "list"
    PROFILE = "profile"
    ADDED = "added"


@dataclass(frozen=True)
class Setting:
    """One setting of a device.

    Attributes:
        option: Its name in tasks and results.
        wire: Its name in forms of the service.
        value_type: The type of its values.
        readable: The responses that show it. Most settings are write-only: no response shows them.
        on_add: Whether /add-device accepts it.
    """

    option: str
    wire: str
    value_type: ValueType
    readable: frozenset[ReadSource] = frozenset()
    on_add: bool = False

    def __post_init__(self) -> None:
        if ReadSource.ADDED in self.readable and not self.on_add:
            raise ValueError(
                f"{self.option}: the response of add-device contains only settings that add-device accepts"
            )
        if self.value_type is ValueType.URL and self.readable:
            raise ValueError(f"{self.option}: no response contains a webhook, and results would need to mask it")

    @property
    def recorded(self) -> bool:
        """Whether the record stores the setting: it does unless both the list and the profile show it."""
        return not {ReadSource.LIST, ReadSource.PROFILE} <= self.readable

    @property
    def part(self) -> str | None:
        """The part of a stamp that covers the setting; None for a setting that the list shows."""
        if ReadSource.LIST in self.readable:
            return None
        return HOOKS if self.value_type is ValueType.URL else OWN


_SHOWN_WHEN_ADDED = frozenset({ReadSource.ADDED})

SETTINGS: tuple[Setting, ...] = (
    Setting("name", "name", ValueType.NAME, frozenset(ReadSource), on_add=True),
    Setting("autoread", "autoread", ValueType.FLAG, frozenset({ReadSource.LIST, ReadSource.ADDED}), on_add=True),
    Setting("personal", "personal", ValueType.FLAG, _SHOWN_WHEN_ADDED, on_add=True),
    Setting("group", "group", ValueType.FLAG, _SHOWN_WHEN_ADDED, on_add=True),
    Setting("quick", "quick", ValueType.FLAG),
    Setting("resend", "resend", ValueType.FLAG),
    Setting("target", "target", ValueType.NUMBER),
    Setting("country_code", "countryCode", ValueType.COUNTRY),
    Setting("webhook", "webhook", ValueType.URL),
    Setting("webhook_connect", "webhookconnect", ValueType.URL),
    Setting("webhook_status", "webhookstatus", ValueType.URL),
    Setting("webhook_chaining", "webhookchaining", ValueType.URL),
)

BY_OPTION: dict[str, Setting] = {setting.option: setting for setting in SETTINGS}
WEBHOOKS: tuple[str, ...] = tuple(setting.option for setting in SETTINGS if setting.value_type is ValueType.URL)
# Settings that an empty value clears. The service may clear it, ignore it or refuse it.
CLEARABLE: tuple[str, ...] = tuple(s.option for s in SETTINGS if s.value_type in (ValueType.URL, ValueType.NUMBER))
RECORDED: tuple[str, ...] = tuple(setting.option for setting in SETTINGS if setting.recorded)
WRITE_ONLY: tuple[str, ...] = tuple(setting.option for setting in SETTINGS if setting.part)

NAME_LENGTH = (2, 30)

# Where attachments are forwarded to has no effect while forwarding (resend) is off.
_FORWARDING = ("target", "country_code")


def significant(options: t.Iterable[str], settings: t.Mapping[str, object]) -> tuple[str, ...]:
    """Return the options that have an effect on a device with these settings."""
    idle = _FORWARDING if settings.get("resend") is False else ()
    return tuple(option for option in options if option not in idle)


def validate(option: str, value: object) -> Value:
    """Return a declared value in the form in which it is compared, recorded and sent.

    Raises:
        OptionError: The value is invalid.
    """
    return _VALIDATORS[BY_OPTION[option].value_type](option, value)


def _validate_name(option: str, value: object) -> str:
    text = str(value)
    low, high = NAME_LENGTH
    if not low <= len(text) <= high:
        raise OptionError(
            option,
            f"it has {len(text)} character{'' if len(text) == 1 else 's'}",
            f"a device's name has {low} to {high} characters",
        )
    # isprintable() would refuse the joiner of a combined emoji and a no-break space, which names of devices contain.
    wrong = next((letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")), "")
    if wrong:
        raise OptionError(
            option,
            f"character {text.index(wrong) + 1} is U+{ord(wrong):04X}, a line break or a control character",
            "remove it",
        )
    if text != text.strip():
        # The service may trim the name, and it would then always differ.
        raise OptionError(option, "it begins or ends with a space", "remove the space")
    if strip_stamp(text) != text:
        # The stamp is removed when the name is read, and the name would then always differ.
        raise OptionError(
            option,
            f'it ends like a stamp of this collection, "{text[len(strip_stamp(text)) :]}"',
            "declare it without that",
        )
    return text


def _validate_flag(option: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise OptionError(option, "it is neither true nor false", "write true or false")
    return value


def _validate_url(option: str, value: object) -> str:
    text = str(value)
    return check_url(option, text, ", or '' to clear the webhook") if text else text


def check_url(option: str, text: str, or_else: str = "") -> str:
    """Return a URL that the service can call; raise OptionError, with or_else at its end, if it is invalid."""
    if re.search(r"[^\x21-\x7e]", text):
        raise OptionError(
            option, "the URL has a space, a control character or a non-ASCII character", "percent-encode it"
        )
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise OptionError(
            option,
            "it is not a URL that Fonnte could call",
            f"set an http:// or https:// URL with a host{or_else}",
        )
    return text


def _validate_country(option: str, value: object) -> str:
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise OptionError(option, "it is not a country code", "write one to four digits, such as 62")
    return text


_VALIDATORS: dict[ValueType, t.Callable[[str, object], Value]] = {
    ValueType.NAME: _validate_name,
    ValueType.FLAG: _validate_flag,
    ValueType.URL: _validate_url,
    # Empty: nothing is forwarded.
    ValueType.NUMBER: lambda option, value: "" if value == "" else check_dialed(parse_number(value, option), option),
    ValueType.COUNTRY: _validate_country,
}


def to_wire(settings: Settings) -> dict[str, str]:
    """Return the form fields of settings. Flags are sent as true and false, because "off" is refused."""
    return {BY_OPTION[option].wire: _wire_form(value) for option, value in settings.items()}


def _wire_form(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def from_wire(item: t.Mapping[str, object], where: ReadSource) -> dict[str, Value]:
    """Return the settings that a response contains."""
    shown: dict[str, Value] = {}
    for setting in SETTINGS:
        if where in setting.readable:
            value = _read(setting.value_type, item.get(setting.wire))
            if value is not None:
                shown[setting.option] = value
    return shown


_FLAGS: dict[object, bool] = {"on": True, "off": False, "true": True, "false": False, True: True, False: False}


def _read(kind: ValueType, raw: object) -> Value | None:
    if kind is ValueType.FLAG:
        return _FLAGS.get(raw) if isinstance(raw, (str, bool)) else None
    if not isinstance(raw, str) or not _can_be_sent(raw):
        return None
    return strip_stamp(raw) if kind is ValueType.NAME else raw


def _can_be_sent(text: str) -> bool:
    """Return whether a request can contain the string: an unpaired surrogate cannot be encoded."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
