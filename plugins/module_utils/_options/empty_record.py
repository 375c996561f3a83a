# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The warning for a run that relies on a record which is empty, as in a pod or on another control node."""

from __future__ import annotations

import contextlib
import typing as t

from .._common.errors import RecordError
from .._device.settings import WRITE_ONLY
from .._reconcile.observe import Observation, RunContext
from .._reconcile.state import Desired, State

# With these, the record is the only evidence of a write-only setting.
_BY_RECORD = ("recorded", "error")


class EmptyRecord:
    """Whether the record was empty before a run that relies on it.

    Create it before the run writes: the first device that is written ends it, so that only the first task warns.
    """

    def __init__(self, context: RunContext, desired: t.Iterable[Desired]) -> None:
        self._warning = ""
        if any(_relies_on_record(one) for one in desired):
            # A record that cannot be read is an error of the run.
            with contextlib.suppress(RecordError):
                self._warning = _warning(context) if context.records.backend.is_empty() else ""

    def warnings(self, sights: t.Iterable[Observation]) -> list[str]:
        """Return the warning if the account had devices, by what the run has seen of it before it wrote."""
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
            "use stamps (handle_write_only: stamped), restore a backup of the record (fonnte.whatsapp.record), or name a "
            "directory that is kept and that all control nodes share in FONNTE_RECORD_PATH."
        )
    # No number of devices: the same sentence for each account of a run is shown once.
    return (
        f"The record in {context.records.folder} is empty, and the account has devices. Fonnte never shows some settings, "
        f"so they are sent again and count as changed.{reason} To prevent this in the next run, {advice}"
    )
