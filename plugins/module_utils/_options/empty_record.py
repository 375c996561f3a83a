# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The warning about an empty record, as in a new pod or on another control node, in a run that depends on it."""

from __future__ import annotations

import contextlib
import typing as t

from .._common.errors import RecordError
from .._device.settings import WRITE_ONLY
from .._reconcile.observe import Observation, RunContext
from .._reconcile.state import Desired, State

# With these values of handle_write_only, the record is the only evidence of a write-only setting.
_BY_RECORD = ("recorded", "error")


class EmptyRecord:
    """A check of whether the record was empty before a run that depends on it.

    Create it before the run writes. The first written device ends the condition, so that only the first task warns.
    """

    def __init__(self, context: RunContext, desired: t.Iterable[Desired]) -> None:
        self._warning = ""
        if any(_relies_on_record(one) for one in desired):
            # The run itself reports a record that cannot be read.
            with contextlib.suppress(RecordError):
                self._warning = _warning(context) if context.records.backend.is_empty() else ""

    def warnings(self, sights: t.Iterable[Observation]) -> list[str]:
        """Return the warning if the observations from before the writes show that the account has devices."""
        return [self._warning] if self._warning and any(map(_shows_device, sights)) else []


def _relies_on_record(desired: Desired) -> bool:
    by_record = desired.policy.write_only in _BY_RECORD and desired.state is not State.ABSENT
    return by_record and any(option in WRITE_ONLY for option in desired.settings)


def _shows_device(observation: Observation) -> bool:
    return observation.device is not None or (observation.listing is not None and bool(observation.listing.devices))


def _warning(context: RunContext) -> str:
    health = context.records.health()
    reason = "" if health.persistent else f" {health.reason}"
    advice = "use stamps (handle_write_only: stamped), or restore a backup of the record (fonnte.whatsapp.record)."
    if not context.records.backend.is_remote:
        advice = (
            "use stamps (handle_write_only: stamped), restore a backup of the record (fonnte.whatsapp.record), or "
            "share one record between all control nodes (FONNTE_RECORD_URL, or FONNTE_RECORD_PATH with a persistent directory)."
        )
    # The warning has no number of devices, so that it is identical for all accounts of a run and displayed once.
    return (
        f"The record in {context.records.folder} is empty, and the account has devices. Fonnte never shows some settings, "
        f"so they are sent again and count as changed.{reason} To prevent this in the next run, {advice}"
    )
