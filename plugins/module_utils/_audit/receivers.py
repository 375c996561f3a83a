# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Add the results of receiver checks to an audit. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._api.receiver_check import Outcome, ReceiverCheck
from .._common.clock import TIME_FORMAT
from .._device.settings import WEBHOOKS, Settings
from .._reconcile.evidence import Evidence, Source
from .findings import Audit, AuditedDevice, Finding, Kind, Receiver, sort_by_urgency

Results = t.Mapping[str, ReceiverCheck]


def declared_urls(settings: Settings) -> dict[str, str]:
    """Return the URLs of the declared webhooks of a device, each with the first setting that has it."""
    urls: dict[str, str] = {}
    for option in WEBHOOKS:
        if settings.get(option):
            urls.setdefault(str(settings[option]), option)
    return urls


def add_receivers(
    audit: Audit, declared: t.Sequence[Settings], results: Results, mask: t.Callable[[str], str]
) -> Audit:
    """Return an audit with the results, and with a finding for each device and URL that failed.

    Args:
        audit: The audit. Its first devices are the declared ones.
        declared: The declared settings of these devices, in the same order.
        results: The results by URL.
        mask: Masks a URL.
    """
    at = audit.at.strftime(TIME_FORMAT)
    devices = list(audit.devices)
    users: dict[str, list[str]] = {}
    for place, settings in enumerate(declared):
        for url in declared_urls(settings):
            users.setdefault(url, []).append(devices[place].number)
        found = _findings(devices[place], settings, results, mask, at)
        devices[place] = replace(devices[place], findings=sort_by_urgency(*devices[place].findings, *found))
    receivers = tuple(
        Receiver(mask(url), result.outcome.value, result.status, tuple(users.get(url, ())))
        for url, result in results.items()
    )
    return replace(audit, devices=tuple(devices), receivers=receivers)


def _findings(
    subject: AuditedDevice, settings: Settings, results: Results, mask: t.Callable[[str], str], at: str
) -> t.Iterator[Finding]:
    for url, option in declared_urls(settings).items():
        result = results[url]
        if result.outcome is not Outcome.OK:
            yield Finding(
                Kind.RECEIVER_FAILED,
                subject.number,
                option,
                mask(url),
                result.status,
                Evidence(Source.NONE, at),
                note=result.detail.value,
                cause=result.outcome.value,
            )
