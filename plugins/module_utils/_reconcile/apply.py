# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Apply a plan: the writes to the service and to the record.

Each write to the service is between two writes to the record: in doubt before it, confirmed after it.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._api.cache import MAX_CACHE_SECONDS
from .._api.wire import Guard
from .._common.clock import now_text
from .._common.errors import (
    FonnteError,
    RefusalKind,
    RefusedError,
    RequestError,
    UnreachableError,
    may_be_applied,
)
from .._common.phone_numbers import same_number
from .._device.models import Device
from .._device.settings import BY_OPTION, Settings
from .._device.stamp import Claims, stamped_name
from .._record.backend import Phase
from .._record.entries import DeviceRecord, NumberRecord
from .._record.files import EncryptedFile
from .list_age import is_stale, require_fresh, send_with_fresh_list
from .locks import LOCK_SECONDS, LockSet
from .observe import Observation, RunContext, resolve_device
from .outcome import (
    Outcome,
    _empty,
    _without_clears,
    _without_disconnection,
    _write_only,
    device_context,
)
from .record_writer import RecordWriter
from .state import (
    ATTEST,
    CREATE,
    DELETE,
    DISCONNECT,
    FORGET,
    REQUEST_OTP,
    UPDATE,
    Desired,
    Plan,
)

Sent = t.TypeVar("Sent")


class Executor(RecordWriter):
    """Carries out the operations of one plan. Each write to the service is between two writes to the record."""

    def __init__(
        self, context: RunContext, desired: Desired, observation: Observation, outcome: Outcome, locks: LockSet
    ) -> None:
        super().__init__(context, desired, observation, outcome, locks)
        self._steps: dict[str, tuple[str, t.Callable[[Plan], None]]] = {
            FORGET: ("Forgetting settings of", self._forget_settings),
            ATTEST: ("Attesting settings of", self._attest),
            CREATE: ("Creating", self._create),
            UPDATE: ("Updating", self._update),
            DISCONNECT: ("Disconnecting", self._disconnect),
            DELETE: ("Deleting", self._delete),
            REQUEST_OTP: ("Requesting a code to delete", self._request_otp),
        }

    def finish(self, lost: str, first: Plan, plan: Plan) -> None:
        """Carry out the second plan of a run after a failed request, and record the outcome of that request.

        Args:
            lost: The operation of the request that failed.
            first: The plan that it belongs to.
            plan: The second plan.
        """
        if lost == DELETE:
            self.forget()
        elif CREATE in first.operations and self._observation.device is not None and not plan.operations:
            # The device was created and matches its declaration: the creation has ended.
            self._save([(self._device_file, self._record), *self._note_present(finished=True)], Phase.EDIT)
        self.run(plan)

    def run(self, plan: Plan) -> None:
        """Carry out the operations of a plan, in their order."""
        if plan.updates_record:
            self._record_stamp_updates(plan)
        for operation in plan.operations:
            what, step = self._steps[operation]
            self.step = operation
            with device_context(what, self._observation.number):
                step(plan)

    # Operations without a request

    def _record_stamp_updates(self, plan: Plan) -> None:
        """Record the settings that the stamp proves.

        Another control node has sent them, or the response to a request of this control node was lost.
        """
        codes = (plan.seen_code,) if plan.seen_code else ()
        self._record = replace(self._record.mark_confirmed(plan.proven, now_text()).drop(plan.superseded), stamps=codes)
        if not plan.operations:
            with device_context("Recording", self._observation.number):
                self._record_only()

    def _forget_settings(self, plan: Plan) -> None:
        self._record = self._record.drop(plan.forgotten)
        self._record_only()
        self._outcome.done.append(FORGET)

    def _attest(self, plan: Plan) -> None:
        self._record = self._record.attest(plan.attested, now_text(), self._context.operator)
        self._record_only()
        self._outcome.done.append(ATTEST)

    # Creating

    def _create(self, plan: Plan) -> None:
        records, account = self._context.records, self._context.account_token
        creation_file = self._creation_file = self._creation_file or records.number(account, self._desired.number)
        old = creation_file.content
        old_file = old.device_file if old else ""
        sent = _write_only({**plan.add, **plan.send, **_empty(self._desired.settings)})
        self._save([(creation_file, NumberRecord("creating", now_text(), sent, old_file))], Phase.BEGIN)
        requested_at = self._context.client.now()
        try:
            device = self._context.client.add_device(account, self._desired.number, plan.add, self._require_locks)
        except FonnteError as fault:
            self._take_back(fault, creation_file, old)
            raise
        self._identified_at = requested_at
        self._outcome.device = device
        self._outcome.done.append(CREATE)
        device_file = self._created_file = records.device(device.token)
        if plan.send:
            # Bound: from here on these values belong to this device, whichever device has its number later. The entry
            # contains all of them until the update, which first writes a record of the device.
            bound = NumberRecord("creating", now_text(), sent, device_file.name, is_bound=True)
            self._save_or_warn([(creation_file, bound)])
        if not self._observation.recorded.renumbered_to and old_file != device_file.name:
            records.discard(old_file)
        self._remember_new(device, plan, creation_file, device_file)

    def _remember_new(
        self,
        device: Device,
        plan: Plan,
        creation_file: EncryptedFile[NumberRecord],
        device_file: EncryptedFile[DeviceRecord],
    ) -> None:
        self._locks.acquire([device_file], LOCK_SECONDS)
        self._locks.created.add(device_file.name)
        at = now_text()
        # The response shows the applied values, which may differ from the request.
        added = {option: device.settings.get(option, value) for option, value in plan.add.items()}
        self._record = DeviceRecord(number=device.registered).mark_confirmed(added, at)
        self._record = self._record.set_known(_empty(self._desired.settings), at)
        self._record = self._record.declare(self._desired.settings, self._desired.task)
        contradicted = [option for option, value in plan.add.items() if added[option] != value]
        if contradicted:
            self._outcome.warn(
                f"Fonnte created device {device.number} with another {', '.join(contradicted)} than was "
                "requested. The next run corrects it."
            )
        if not plan.send:
            self._save_or_warn(
                [(device_file, self._record), (creation_file, NumberRecord("present", at, {}, device_file.name))]
            )

    # Updating

    def _update(self, plan: Plan) -> None:
        """Send the complete set of settings; if it is refused, check whether its empty webhooks are the reason.

        In one behavior variant, the service refuses an empty webhook, and with it all other settings of the request.
        """
        self._record = replace(self._record, carried=self._record.carried.union(plan.carried))
        try:
            self._write(plan.send, plan.claims, finished=True)
        except RefusedError as refusal:
            if not plan.clears or refusal.kind not in (RefusalKind.INVALID_INPUT, RefusalKind.WEBHOOK):
                raise
            # It must claim only settings that it sends.
            cleared = {BY_OPTION[option].part for option in plan.clears}
            claims = plan.claims and {part: held for part, held in plan.claims.items() if part not in cleared}
            self._write(_without_clears(plan), claims)
            self._clear_again(plan)
            self._save_or_warn(self._note_present(finished=True))

    def _clear_again(self, plan: Plan) -> None:
        try:
            # A short failure of another webhook's receiver would have caused the same refusal of the first request.
            self._write(plan.send, plan.claims)
        except RefusedError as refusal:
            if refusal.kind is not RefusalKind.INVALID_INPUT:
                raise
            if plan.claims is not None:
                # The clears were attempted, so no other control node needs to attempt them.
                self._write(_without_clears(plan), plan.claims)
            self._record = replace(self._record.mark_confirmed(plan.clears, now_text()), stamps=self._record.stamps)
            self._save_or_warn([(self._device_file, self._record)])
            self._outcome.refused_clears = tuple(plan.clears)
            names = ", ".join(plan.clears)
            self._outcome.warn(
                f'Fonnte refused to clear {names} of device {self._observation.number} ("{refusal.text}"); '
                "everything else was applied. Clear it in the dashboard."
            )

    def _write(self, settings: Settings, claims: Claims | None, finished: bool = False) -> None:
        """Send a set of settings, and record it as in doubt before the request and as confirmed after it.

        Args:
            settings: The complete set.
            claims: The claims of its stamp; None for no stamp.
            finished: Whether this update ends an unfinished creation.
        """
        code = self._code(settings, claims)
        before = self._mark_pending(settings, code)
        self._sent = self._device, settings, code
        try:
            self._send({**settings, "name": stamped_name(str(settings["name"]), code)} if code else settings)
        except FonnteError as fault:
            if not may_be_applied(fault):
                self._sent = None
                self._record = before or DeviceRecord(number=self._record.number)
                self._take_back(fault, self._device_file, before)
            raise
        self._outcome.done.append(UPDATE)
        self._record = self._record.mark_confirmed(settings, now_text(), code)
        if self._save_or_warn([(self._device_file, self._record), *self._note_present(finished=finished)]):
            self._sent = None

    def _send(self, settings: Settings) -> None:
        """Send a complete set of settings, with the registered number if it is known.

        The number is a writable field. If no list confirms it, it is left out first, and sent only if the service
        requires it. A number that a list confirms is sent only while that list is new: an older one could revert the
        number of a device that was renumbered since.
        """
        update, observed = self._context.client.update_device, self._observation.observed
        if observed is None or observed.number_confirmed:

            def send(guard: Guard) -> None:
                device = self._device
                number = observed.registered if observed is not None else device.registered
                update(device.token, number, settings, guard)

            self._request(send)
            return
        device = self._device
        try:
            update(device.token, None, settings, self._require_locks)
        except RefusedError as refusal:
            if refusal.text != "input invalid":
                raise
            if observed.conflicting_number:
                raise RequestError(
                    f"it is registered as {observed.number} according to the record and as "
                    f"{observed.conflicting_number} according to its profile, and Fonnte requires a number",
                    "set account_token as well, so that the list shows the registered number",
                ) from None
            number = observed.registered
            self._request(lambda guard: update(device.token, number, settings, guard))

    # The right device

    def _request(self, send: t.Callable[[Guard], Sent]) -> Sent:
        """Return the result of a request to a device whose number and token come from one recent response.

        If that response becomes too old before the request is sent, it is requested again, a few times.

        Args:
            send: Sends the request, with a guard that is called immediately before each attempt.
        """
        self._check_still_listed()
        return send_with_fresh_list(lambda: send(self._require_fresh), self._check_still_listed)

    def _check_still_listed(self) -> None:
        """Check that number and token still identify one device, if the response with both is too old."""
        if not is_stale(self._identified_at):
            return
        client, meant = self._context.client, self._device
        try:
            listing = client.listing(self._context.account_token, self._desired.number, meant.token, self._locks.since)
            device = resolve_device(self._context, self._desired.number, listing)
            if device is None and self._observation.observed is None:
                # The list may not contain a device that this run has just created.
                device = replace(client.profile(meant.token), sent_as=meant.sent_as)
        except RequestError as fault:
            # A lost response to a list leaves no doubt about the request after it, which was not sent.
            raise UnreachableError(
                f"its list became older than {MAX_CACHE_SECONDS:g} s and could not be requested again ({fault.problem})",
                "run the playbook again: nothing was sent",
            ) from None
        if device is None or device.token != meant.token or not self._has_same_number(device, meant):
            raise FonnteError(
                "the service no longer lists it with this number and this token",
                "run the playbook again to plan with the current list",
            )
        if self._observation.observed is None:
            # The list may contain the number of a new device in another spelling than the response to its creation.
            self._outcome.device = replace(meant, number=device.number, sent_as=device.registered)
        self._identified_at = listing.fetched_at
        self._observation = replace(self._observation, listing=listing)

    def _has_same_number(self, listed: Device, meant: Device) -> bool:
        if self._observation.observed is None:
            return same_number(listed.number, meant.number)
        return listed.registered == meant.registered

    def _require_fresh(self) -> None:
        """Prevent a request whose list is too old, or whose result no process waits for any more.

        Called immediately before each attempt: the service may have required a delay, or the connection may have taken
        long. The age is checked last, because the check of the locks can take time, too.
        """
        self._require_locks()
        require_fresh(self._identified_at)

    # Irreversible requests

    def _disconnect(self, _plan: Plan) -> None:
        self._mark_pending({})
        try:
            self._request(lambda guard: self._context.client.disconnect(self._device.token, guard))
        except RefusedError as refusal:
            if refusal.kind is not RefusalKind.ALREADY_DONE:
                raise
            # The list was out of date: the device is disconnected already.
            self._outcome.device = replace(self._device, connected=False)
            # If the run planned twice, the operations of the first plan remain.
            self._outcome.plan = _without_disconnection(self._outcome.plan)
            return
        self._outcome.done.append(DISCONNECT)

    def _request_otp(self, plan: Plan) -> None:
        self._mark_pending({})
        try:
            self._request(lambda guard: self._context.client.request_otp(self._device.token, guard))
        except RefusedError as refusal:
            if refusal.kind is not RefusalKind.OTP_PENDING:
                raise
            self._outcome.otp_wait = refusal.seconds
            return
        self._outcome.done.append(REQUEST_OTP)
        self._save_or_warn([(self._device_file, replace(self._record, otp_requested_at=now_text()))])

    def _delete(self, plan: Plan) -> None:
        self._mark_pending({})
        otp = self._desired.otp
        deleted = self._request(lambda guard: self._context.client.delete_device(self._device.token, otp, guard))
        self._outcome.done.append(DELETE)
        self._check_deleted(deleted)
        self.forget()

    def _check_deleted(self, deleted: str | None) -> None:
        observed = self._observation.observed
        meant = self._desired.number or (observed.number if observed is not None and observed.number_confirmed else "")
        if not deleted or not meant or same_number(deleted, meant):
            return
        # It is unknown whether the intended device still exists, so the result does not report it as deleted.
        self._outcome.plan = replace(self._outcome.plan, after=self._outcome.plan.before)
        raise FonnteError(
            f"the service reports that it deleted device {deleted}, not {meant}",
            "check both devices in the dashboard before you continue",
        )
