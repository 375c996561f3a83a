# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Write the record of one device around its requests: in doubt before, confirmed after."""

from __future__ import annotations

import typing as t

from .._common.clock import Moment, now_text
from .._common.errors import (
    FonnteError,
    NotFoundError,
    RecordError,
    may_be_applied,
)
from .._device.models import Device
from .._device.settings import Settings
from .._device.stamp import Claims, make_code
from .._record.backend import Phase
from .._record.entries import DeviceRecord, NumberRecord
from .._record.files import EncryptedFile, save_all
from .locks import LockSet
from .lost_locks import doubt_after_lost_locks
from .observe import Observation, RunContext, find_listed
from .outcome import (
    Contents,
    Outcome,
    _refresh_record,
)
from .state import (
    CREATE,
    Desired,
)


class RecordWriter:
    """The state of a run on one device, and the writes to its record."""

    def __init__(
        self, context: RunContext, desired: Desired, observation: Observation, outcome: Outcome, locks: LockSet
    ) -> None:
        self._context = context
        self._desired = desired
        self._observation = observation
        self._outcome = outcome
        self._locks = locks
        # The current operation, or that of the request which ended the run with an error.
        self.step = ""
        # Whether the record was written. Each write to the service follows a write to the record.
        self.has_begun = False
        # The device, settings and stamp of the last update, from before its request until its success is recorded.
        self._sent: tuple[Device, Settings, str] | None = None
        # When the response with the number and the token of the device was requested; None without a list.
        self._identified_at: Moment | None = observation.listing.fetched_at if observation.listing is not None else None
        self._creation_file = observation.creation_file
        self._created_file: EncryptedFile[DeviceRecord] | None = None
        # The doubt about a device that an unknown run may have created is not recorded by itself, but only with a
        # request.
        self._record = DeviceRecord() if observation.recorded.doubt_is_assumed else observation.recorded.device
        if observation.observed is not None:
            self._record = _refresh_record(self._record, observation.observed)
        self._record = self._record.declare(desired.settings, desired.task)

    @property
    def _device(self) -> Device:
        device = self._outcome.device
        if device is None:
            raise NotFoundError(
                f"the account has no device {self._desired.number}",
                "run the playbook again, which reads the current state first",
            )
        return device

    @property
    def _device_file(self) -> EncryptedFile[DeviceRecord]:
        file = self._created_file or self._observation.device_file
        if file is None:
            # The device was found after a lost response.
            file = self._created_file = self._context.records.device(self._device.token)
        return file

    def _save(self, contents: Contents, phase: Phase) -> None:
        """Write entries of the record together; RecordError if they cannot be written."""
        save_all(contents, phase)
        self.has_begun = True

    def _record_only(self) -> None:
        """Write to the record without a request. The device's record then has all values of an interrupted creation."""
        contents: Contents = [(self._device_file, self._record), *self._note_present(finished=True)]
        self._save(contents, Phase.EDIT)

    def renew_doubt(self) -> None:
        """Mark the values of the last update as in doubt, if the locks were lost before its success was recorded."""
        if self._sent is not None:
            device, settings, code = self._sent
            warning = doubt_after_lost_locks(self._context.records, device, self._device_file, settings, code)
            self._outcome.warn(*([warning] if warning else []))

    def _code(self, settings: Settings, claims: Claims | None) -> str:
        """Return the code of the stamp for a set of settings; empty if the plan requires none."""
        if claims is None:
            return ""
        # The stamp of a new device contains autoread as the response to its creation returned it.
        autoread = settings.get(
            "autoread", self._device.settings.get("autoread") if CREATE in self._outcome.done else None
        )
        known = autoread if isinstance(autoread, bool) else None
        return make_code(self._device.token, str(settings["name"]), claims, known)

    def _take_back(
        self,
        fault: FonnteError,
        file: EncryptedFile[t.Any],
        before: DeviceRecord | NumberRecord | None,
    ) -> None:
        """Remove the doubt of a request that was certainly not applied: restore the entry from before it.

        The request was refused or prevented, or was not sent, for example because ``ansible-playbook`` has ended. If
        the locks are lost, the doubt stays: another run may have written the entry since.
        """
        if not may_be_applied(fault) and not isinstance(fault, RecordError):
            self._save([(file, before)], Phase.CONFIRM)

    def _mark_pending(self, sent: Settings, code: str = "") -> DeviceRecord | None:
        """Record settings as in doubt before they are sent.

        If the record cannot be written, the run fails here, before the first write to the service.

        Returns:
            The record to restore if the settings are certainly not applied; None if there was none.
        """
        known = self._device_file.content is not None or bool(self._record.entries)
        before = self._record
        self._record = before.mark_pending(sent, now_text(), code)
        self._save([(self._device_file, self._record), *self._note_present()], Phase.BEGIN)
        return before if known else None

    def _note_present(self, finished: bool = False) -> Contents:
        """Return the creation entry with which this number has this device; nothing if it is already stored.

        An unfinished creation remains so until an update has ended it.
        """
        creation_file = self._creation_file
        if creation_file is None:
            return []
        old = creation_file.content
        new = NumberRecord("present", now_text(), {}, self._device_file.name)
        begun = old is not None and old.state == "creating"
        if old is not None and old.is_creation_of_other(new.device_file) and self._is_listed_under(old.device_file):
            # Another device has an unfinished creation under another spelling of this number; its next run finishes
            # that.
            return []
        if finished if begun else (old is None or (old.state, old.device_file) != (new.state, new.device_file)):
            return [(creation_file, new)]
        return []

    def _is_listed_under(self, device_file: str) -> bool:
        """Return whether the account lists the device of this record."""
        listing = self._observation.listing
        return listing is not None and bool(find_listed(self._context, device_file, listing))

    def forget(self) -> None:
        """Remove the record of a deleted device, and record the deletion in the creation entry of its number."""
        gone: Contents = [(self._device_file, None)] if self._outcome.device is not None else []
        noted: Contents = (
            [(self._creation_file, NumberRecord("deleted", now_text()))] if self._creation_file is not None else []
        )
        self._save_or_warn([*gone, *noted], Phase.EDIT)

    def _require_locks(self) -> None:
        """Prevent a request if the locks are lost, or if the process that waits for the result has ended."""
        self._context.lineage.require()
        self._context.records.backend.verify_held()

    def _save_or_warn(self, contents: Contents, phase: Phase = Phase.CONFIRM) -> bool:
        """Write to the record after a successful request; a failure is only a warning, because the request succeeded.

        Returns:
            Whether it was written. Otherwise the record still has the doubt from before the request, so the next run
            sends the values again.
        """
        try:
            self._save(contents, phase)
            return True
        except RecordError as exc:
            self._outcome.warn(
                f"The request for device {self._observation.number} succeeded, but it could not be recorded: "
                f"{exc.problem}. The next run treats its values as in doubt; correct this first."
            )
            return False
