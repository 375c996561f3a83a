# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Delivery risks: declarations that Fonnte accepts, and with which events may not arrive at the webhooks. Pure."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from .addresses import is_local_url
from .settings import WEBHOOKS, Settings


class Cause(enum.Enum):
    """The cause of a delivery risk."""

    INCOMING_OFF = "incoming_off"
    LOCAL_HOST = "local_host"
    SHARED_URL = "shared_url"
    PLAIN_HTTP = "plain_http"


@dataclass(frozen=True)
class DeliveryRisk:
    """One risk of a declaration.

    Attributes:
        cause: Its cause.
        options: The settings that cause it, in the order of the table of settings.
    """

    cause: Cause
    options: tuple[str, ...]


def find_delivery_risks(declared: Settings, after: Settings, manageable: t.Collection[str]) -> tuple[DeliveryRisk, ...]:
    """Return the delivery risks of one device, each cause once.

    Args:
        declared: The settings that the task declares. Without one of the affected settings, there is no risk to report.
        after: The known settings after the run.
        manageable: The settings that the task could declare. An unknown value is a risk only of such a setting.
    """
    urls = _urls(declared)
    local = [option for option, url in urls.items() if is_local_url(url)]
    plain = [option for option in ("webhook_connect",) if urls.get(option, "").lower().startswith("http://")]
    found = (
        (Cause.INCOMING_OFF, _off(declared, after, manageable)),
        (Cause.LOCAL_HOST, local),
        (Cause.SHARED_URL, _shared(declared, after)),
        (Cause.PLAIN_HTTP, plain),
    )
    return tuple(DeliveryRisk(cause, tuple(options)) for cause, options in found if options)


def _urls(settings: Settings) -> dict[str, str]:
    return {option: str(settings[option]) for option in WEBHOOKS if settings.get(option)}


# According to most reports, Fonnte posts the chats of persons only with both, and those of groups with the last one.
_NEEDED = ("autoread", "personal")
_GROUP = "group"


def _off(declared: Settings, after: Settings, manageable: t.Collection[str]) -> list[str]:
    """Return the settings without which incoming chats do not reach the webhook."""
    if not after.get("webhook") or not {"webhook", *_NEEDED, _GROUP} & set(declared):
        return []
    # A device for groups only is a decision.
    needed = _NEEDED[:1] if declared.get("personal") is False and after.get(_GROUP) is True else _NEEDED
    return [
        option
        for option in needed
        if after.get(option) is False or (after.get(option) is None and option in manageable)
    ]


def _shared(declared: Settings, after: Settings) -> list[str]:
    """Return the webhooks that have the URL of another webhook of the device, if the task declares one of them."""
    groups: dict[str, list[str]] = {}
    for option, url in _urls(after).items():
        groups.setdefault(url, []).append(option)
    shared = {option for group in groups.values() if len(group) > 1 and set(group) & set(declared) for option in group}
    return [option for option in WEBHOOKS if option in shared]
