# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Plan to attest settings: a person confirms them, and they are recorded without being sent."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._common.clock import expired
from .._common.errors import PolicyError
from .._device.settings import BY_OPTION, WRITE_ONLY, Settings, Value
from .._record.entries import DeviceRecord
from .advisories import setting_warnings
from .evidence import (
    Knowledge,
    Known,
    Source,
    apply_stamp,
    confirmed_values,
    find_origin,
    known_settings,
    proven_values,
    without_settings,
)
from .state import ATTEST, FORGET, Desired, Observed, Plan, Reason, Recorded


def plan_attest(desired: Desired, observed: Observed, recorded: Recorded, now: datetime) -> Plan:
    """Plan to record the settings that a person attests. They are not sent."""
    forgotten = desired.forgets(observed.settings, recorded.device)
    everything = known_settings(observed.settings, recorded.device)
    known = without_settings(everything, forgotten)
    contradicted = [
        option
        for option, value in desired.settings.items()
        if known[option].evidence.source is Source.SERVICE and known[option].value != value
    ]
    if contradicted:
        raise PolicyError(
            f"Fonnte shows another {', '.join(contradicted)} than the declaration, and attested settings must "
            "already match",
            "correct the declaration, or change the device first, without handle_write_only: attest",
        )
    reasons = {
        option: reason
        for option, value in desired.settings.items()
        for reason in [_reason_to_attest(desired, value, known[option], now)]
        if reason is not None
    }
    attested = {option: desired.settings[option] for option in reasons}
    after: Settings = {**confirmed_values(known), **attested}
    return Plan(
        operations=(
            *([FORGET] if forgotten else []),
            *([ATTEST] if attested else []),
        ),
        attested=attested,
        forgotten=forgotten,
        reasons=reasons,
        evidence={option: known[option].evidence for option in desired.settings},
        before=confirmed_values(everything),
        after=after,
        warnings=(
            *_stamp_warning(desired, observed, known, recorded.device),
            *setting_warnings(desired, after),
        ),
    )


def _reason_to_attest(desired: Desired, value: Value, known: Known, now: datetime) -> Reason | None:
    source = known.evidence.source
    if source is Source.SERVICE:
        return None
    if source is Source.NONE:
        return Reason.NO_RECORD
    if source is Source.IN_DOUBT:
        return Reason.IN_DOUBT
    if known.value != value:
        return Reason.DIFFERS
    if source is Source.UNCONFIRMED:
        return Reason.UNPROVEN
    return Reason.EXPIRED if expired(known.evidence.at, desired.policy.max_age, now) else None


def _stamp_warning(desired: Desired, observed: Observed, known: Knowledge, record: DeviceRecord) -> t.Iterator[str]:
    """Yield a warning where the stamp of the device proves settings that differ from the attested ones."""
    stamp = observed.stamp
    if stamp is None:
        return
    origin = find_origin(stamp, record)
    proven = proven_values(apply_stamp(known, desired.settings, observed.settings, stamp, origin))
    attested = [option for option in desired.settings if option in WRITE_ONLY]
    differs = any(proven.get(option) != desired.settings[option] for option in attested)
    if differs and any(stamp.covers(str(BY_OPTION[option].part)) for option in attested):
        yield _contradicted(observed.number)


def _contradicted(number: str) -> str:
    return (
        f"The name of device {number} has a stamp of other settings. A run with handle_write_only: stamped relies on "
        "the stamp, and sends the declared settings."
    )
