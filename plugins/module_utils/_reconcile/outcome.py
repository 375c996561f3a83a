# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The outcome of a run on one device, and changes of its plan that the executor records."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._common.clock import now_text
from .._common.errors import (
    error_context,
)
from .._device.models import Device
from .._device.settings import RECORDED, Settings
from .._record.entries import DeviceRecord, NumberRecord
from .._record.files import EncryptedFile
from .observe import Observation
from .state import (
    DISCONNECT,
    OPERATIONS,
    Observed,
    Plan,
)


@dataclass
class Outcome:
    """The outcome of a run, or its preview. The result of the module is created from it.

    Attributes:
        plan: The plan.
        observation: The observation that the plan was created from.
        done: The operations that were carried out; in a preview, those that would be.
        warnings: The warnings of the run.
        device: The device; None if there is none.
        otp_wait: The seconds until the service sends another code; None if that is unknown.
        refused_clears: The webhooks that the service refused to clear.
    """

    plan: Plan
    observation: Observation
    done: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    device: Device | None = None
    otp_wait: int | None = None
    refused_clears: tuple[str, ...] = ()

    @property
    def operations(self) -> list[str]:
        """The operations that were carried out, in the order of ``OPERATIONS``."""
        return [operation for operation in OPERATIONS if operation in self.done]

    def warn(self, *texts: str) -> None:
        """Add warnings, each once."""
        self.warnings += [text for text in texts if text not in self.warnings]


# Entries of the record with their new contents; None removes an entry.
Contents = t.List[t.Tuple[EncryptedFile[t.Any], t.Optional[t.Union[DeviceRecord, NumberRecord]]]]


def device_context(what: str, number: str) -> t.ContextManager[None]:
    """Add the operation and its device to an error that does not have them yet."""
    return error_context(f"{what} device {number}" if number else f"{what} the device")


def _refresh_record(record: DeviceRecord, observed: Observed) -> DeviceRecord:
    """Return the record with the values that the service shows: a later run with only a token cannot see them."""
    seen = {option: value for option, value in observed.settings.items() if option in record.entries}
    stale = {option: value for option, value in seen.items() if record.entries[option].value != value}
    return replace(
        record.set_known(stale, now_text()), number=observed.registered if observed.number_confirmed else record.number
    )


def _without_clears(plan: Plan) -> Settings:
    return {option: value for option, value in plan.send.items() if option not in plan.clears}


def _without_disconnection(plan: Plan) -> Plan:
    def rest(settings: Settings | None) -> Settings | None:
        return settings and {option: value for option, value in settings.items() if option != "connected"}

    return replace(
        plan,
        operations=tuple(operation for operation in plan.operations if operation != DISCONNECT),
        reasons={option: reason for option, reason in plan.reasons.items() if option != "connected"},
        before=rest(plan.before),
        after=rest(plan.after),
    )


def _empty(settings: Settings) -> Settings:
    return {option: value for option, value in settings.items() if value == ""}


def _write_only(settings: Settings) -> Settings:
    return {option: value for option, value in settings.items() if option in RECORDED}
