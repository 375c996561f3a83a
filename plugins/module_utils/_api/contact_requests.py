# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The requests on the groups of a device, and on the numbers that have a WhatsApp account."""

from __future__ import annotations

import re
import typing as t
import unicodedata
from dataclasses import dataclass

from .._common.phone_numbers import displayed_number
from .._common.redaction import truncate
from .._device.models import MAX_SHOWN_NUMBER_LENGTH
from .client import FonnteClient, _malformed, _parse_text, _parse_texts

if t.TYPE_CHECKING:
    from .wire import Guard

GROUPS_PATH, FETCH_PATH, VALIDATE_PATH = "/get-whatsapp-group", "/fetch-group", "/validate"
# WhatsApp allows 100 characters. The limit is for a hostile service.
MAX_GROUP_NAME_LENGTH = 200
# A target with any other form could be a number, or several targets.
_GROUP_ID = re.compile(r"[0-9]{1,40}(-[0-9]{1,40})?@g\.us")
_CONTROLS = ("Cc", "Cs", "Zl", "Zp")


@dataclass(frozen=True)
class Group:
    """A WhatsApp group of a device.

    Attributes:
        id: Its ID, such as ``1234567890@g.us``.
        name: Its name, without control characters.
    """

    id: str
    name: str


@dataclass(frozen=True)
class NumberReport:
    """The response of the service to some numbers, in the spelling of the service.

    Attributes:
        registered: The numbers with a WhatsApp account.
        not_registered: The numbers without one.
    """

    registered: tuple[str, ...]
    not_registered: tuple[str, ...]


def read_groups(client: FonnteClient, device_token: str) -> tuple[Group, ...]:
    """Return the groups in the list that the service stores, each ID once (/get-whatsapp-group)."""
    items = client.call(GROUPS_PATH, device_token, {}).get("data")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _malformed(GROUPS_PATH, "without a list of groups")
    groups = [_parse_group(item) for item in items]
    return tuple({group.id: group for group in groups}.values())


def fetch_groups(client: FonnteClient, device_token: str, guard: Guard | None = None) -> None:
    """Cause the service to fetch the list of groups from the phone (/fetch-group).

    Args:
        client: The client of the service.
        device_token: The token of the device.
        guard: Called before the request is sent; raises FonnteError to prevent it.
    """
    client.call(FETCH_PATH, device_token, {}, guard)


def validate_numbers(
    client: FonnteClient, device_token: str, numbers: t.Sequence[str], country: str | None, guard: Guard | None = None
) -> NumberReport:
    """Return which numbers have a WhatsApp account (/validate).

    Args:
        client: The client of the service.
        device_token: The token of the device.
        numbers: The numbers, digits only.
        country: The country code that replaces a first 0; None for the default of the service.
        guard: As in ``fetch_groups``.
    """
    form = {"target": ",".join(numbers), **({} if country is None else {"countryCode": country})}
    body = client.call(VALIDATE_PATH, device_token, form, guard)
    # The service may omit an empty list.
    lists = [body.get("registered"), body.get("not_registered")]
    if all(part is None for part in lists):
        raise _malformed(VALIDATE_PATH, "without a list of registered or unregistered numbers")
    registered, not_registered = (_parse_numbers(part) for part in lists)
    return NumberReport(registered, not_registered)


def _parse_group(item: t.Mapping[str, object]) -> Group:
    group_id, name = item.get("id"), item.get("name")
    if not isinstance(group_id, str) or not _GROUP_ID.fullmatch(group_id):
        raise _malformed(GROUPS_PATH, "with a group without the ID of a group")
    if name is not None and not isinstance(name, str):
        raise _malformed(GROUPS_PATH, "with a group whose name is not a string")
    text = truncate(_parse_text(name) or "", MAX_GROUP_NAME_LENGTH)
    shown = (" " if unicodedata.category(letter) in _CONTROLS else letter for letter in text)
    return Group(group_id, "".join(shown).strip())


def _parse_numbers(part: object) -> tuple[str, ...]:
    if part is None:
        return ()
    numbers = _parse_texts(part) if isinstance(part, list) else [None]
    if any(number is None for number in numbers):
        raise _malformed(VALIDATE_PATH, "with a number that is not a string")
    return tuple(displayed_number(truncate(number or "", MAX_SHOWN_NUMBER_LENGTH)) for number in numbers)
