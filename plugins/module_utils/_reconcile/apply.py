# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Writing: what a run changes at the service and in the record.

Every write to the service stands between two writes of the record: its doubt before, its confirmation after.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._api.cache import MAX_CACHE_SECONDS
from .._common.clock import now_text
from .._common.errors import (
    FonnteError,
    NotFoundError,
    RecordError,
    RefusalKind,
    RefusedError,
    RequestError,
    UnreachableError,
    error_context,
)
from .._common.phone_numbers import same_number
from .._device.models import Device
from .._device.settings import RECORDED, Settings
from .._device.stamp import HOOKS, Claims, make_code, stamped_name
from .._record.backend import Phase
from .._record.entries import DeviceRecord, NumberRecord
from .._record.files import EncryptedFile, save_all
from .locks import LOCK_SECONDS, LockSet
from .lost_locks import doubt_after_lost_locks
from .observe import Observation, RunContext, find_listed, resolve_device
from .state import (
    ATTEST,
    CREATE,
    DELETE,
    DISCONNECT,
    FORGET,
    OPERATIONS,
    REQUEST_OTP,
    UPDATE,
    Desired,
    Observed,
    Plan,
)


@dataclass
class Outcome:
    """What a run did, or in check mode would do; the result is made from it."""

    plan: Plan
    observation: Observation
    done: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    device: Device | None = None
    otp_wait: int | None = None
    refused_clears: tuple[str, ...] = ()

    @property
    def operations(self) -> list[str]:
        """What was done, in the order of the contract."""
        return [operation for operation in OPERATIONS if operation in self.done]

    def warn(self, *texts: str) -> None:
        """Add warnings, each once."""
        self.warnings += [text for text in texts if text not in self.warnings]


# Entries of the record with their new contents; None removes an entry.
Contents = t.List[t.Tuple[EncryptedFile[t.Any], t.Optional[t.Union[DeviceRecord, NumberRecord]]]]


def device_context(what: str, number: str) -> t.ContextManager[None]:
    """Name what was being done to which device in any error that does not know it yet."""
    return error_context(f"{what} device {number}" if number else f"{what} the device")


class Executor:
    """Carries out the steps of one plan. Every write to the service stands between two of the record."""

    def __init__(
        self, context: RunContext, desired: Desired, observation: Observation, outcome: Outcome, locks: LockSet
    ) -> None:
        self._context = context
        self._desired = desired
        self._observation = observation
        self._outcome = outcome
        self._locks = locks
        # The operation that is under way, or was when a fault ended the run.
        self.step = ""
        # Whether anything was written, to the record or to the service.
        self.has_begun = False
        # The settings and the stamp of the last update, from its request until its success is recorded.
        self._sent: tuple[Settings, str] | None = None
        self._creation_file = observation.creation_file
        self._created_file: EncryptedFile[DeviceRecord] | None = None
        self._record = observation.recorded.device
        if observation.observed is not None:
            self._record = _refresh_record(self._record, observation.observed)
        self._steps: dict[str, tuple[str, t.Callable[[Plan], None]]] = {
            FORGET: ("Forgetting settings of", self._forget_settings),
            ATTEST: ("Attesting settings of", self._attest),
            CREATE: ("Creating", self._create),
            UPDATE: ("Updating", self._update),
            DISCONNECT: ("Disconnecting", self._disconnect),
            DELETE: ("Deleting", self._delete),
            REQUEST_OTP: ("Asking for a code to delete", self._request_otp),
        }

    def finish(self, lost: str, first: Plan, plan: Plan) -> None:
        """Do what is left after a fault, and keep the record in step with what the lost call turned out to be."""
        if lost == DELETE:
            self.forget()
        elif CREATE in first.operations and self._observation.device is not None and not plan.operations:
            # Created, and as declared: that creation is over.
            self._save([(self._device_file, self._record), *self._note_present(finished=True)], Phase.EDIT)
        self.run(plan)

    def run(self, plan: Plan) -> None:
        """Do what the plan says, in its order."""
        if plan.updates_record:
            self._record_stamp_updates(plan)
        for operation in plan.operations:
            what, step = self._steps[operation]
            self.step = operation
            with device_context(what, self._observation.number):
                step(plan)

    @property
    def _device(self) -> Device:
        device = self._outcome.device
        if device is None:
            raise NotFoundError(
                f"the account has no device {self._desired.number}", "run the play again to see what is there now"
            )
        return device

    @property
    def _device_file(self) -> EncryptedFile[DeviceRecord]:
        file = self._created_file or self._observation.device_file
        if file is None:
            # It was found after a lost response.
            file = self._created_file = self._context.records.device(self._device.token)
        return file

    def _save(self, contents: Contents, phase: Phase) -> None:
        """Write entries of the record together; RecordError if they cannot be written."""
        save_all(contents, phase)
        self.has_begun = True

    def _record_only(self) -> None:
        """Write to the record alone. What a creation that was cut off had begun is in the device's record now."""
        contents: Contents = [(self._device_file, self._record), *self._note_present(finished=True)]
        self._save(contents, Phase.EDIT)

    # The record alone

    def _record_stamp_updates(self, plan: Plan) -> None:
        """Take over what the stamp proves: another controller sent it, or the answer to our own call was lost."""
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
        try:
            device = self._context.client.add_device(account, self._desired.number, plan.add, self._require_locks)
        except RequestError as fault:
            if not fault.may_be_applied:
                self._save([(creation_file, old)], Phase.CONFIRM)
            raise
        self._outcome.device = device
        self._outcome.done.append(CREATE)
        device_file = self._created_file = records.device(device.token)
        if plan.send:
            # Bound: from here on these values belong to this device, whichever device has its number later. Until
            # the update, which begins with a record of its own, the entry contains all of them.
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
        # What the reply shows is what was set, whatever was sent.
        added = {option: device.settings.get(option, value) for option, value in plan.add.items()}
        self._record = DeviceRecord(number=device.registered).mark_confirmed(added, at)
        self._record = self._record.set_known(_empty(self._desired.settings), at)
        contradicted = [option for option, value in plan.add.items() if added[option] != value]
        if contradicted:
            self._outcome.warn(
                f"Fonnte made device {device.number} with another {', '.join(contradicted)} than was asked for. The next run sets it right."
            )
        if not plan.send:
            self._save_or_warn(
                [(device_file, self._record), (creation_file, NumberRecord("present", at, {}, device_file.name))]
            )

    # Updating

    def _update(self, plan: Plan) -> None:
        """Write the complete set; where it is refused and clears webhooks, find out whether that is why.

        One reading of the service refuses an empty webhook, and with it everything else that was sent.
        """
        self._record = replace(self._record, carried=self._record.carried.union(plan.carried))
        try:
            self._write(plan.send, plan.claims, finished=True)
        except RefusedError as refusal:
            if not plan.clears or refusal.kind not in (RefusalKind.INVALID_INPUT, RefusalKind.WEBHOOK):
                raise
            # It must not claim what it does not send.
            claims = plan.claims and {part: held for part, held in plan.claims.items() if part != HOOKS}
            self._write(_without_clears(plan), claims)
            self._clear_again(plan)
            self._save_or_warn(self._note_present(finished=True))

    def _clear_again(self, plan: Plan) -> None:
        try:
            # A receiver of another webhook that had a hiccup would look the same the first time.
            self._write(plan.send, plan.claims)
        except RefusedError as refusal:
            if refusal.kind is not RefusalKind.INVALID_INPUT:
                raise
            if plan.claims is not None:
                # The clears were tried, so that no other controller need try them.
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
        """Send a set of settings, with its doubt in the record before and its confirmation after.

        Args:
            settings: The complete set.
            claims: What its stamp claims.
            finished: Whether a creation that was begun has ended with it.
        """
        code = self._code(settings, claims)
        before = self._mark_pending(settings, code)
        self._sent = settings, code
        try:
            self._send({**settings, "name": stamped_name(str(settings["name"]), code)} if code else settings)
        except RequestError as fault:
            if not fault.may_be_applied:
                self._sent = None
                self._restore(before)
            raise
        except FonnteError:
            # Nothing was sent: the locks were lost, or nobody waits for the result.
            self._sent = None
            raise
        self._outcome.done.append(UPDATE)
        self._record = self._record.mark_confirmed(settings, now_text(), code)
        if self._save_or_warn([(self._device_file, self._record), *self._note_present(finished=finished)]):
            self._sent = None

    def renew_doubt(self) -> None:
        """Have the values of the last update in doubt where the locks were lost before its success was recorded."""
        if self._sent is not None:
            warning = doubt_after_lost_locks(self._context.records, self._device, self._device_file, *self._sent)
            self._outcome.warn(*([warning] if warning else []))

    def _code(self, settings: Settings, claims: Claims | None) -> str:
        """Return the code of the stamp for a set of settings; empty where the plan wants none."""
        if claims is None:
            return ""
        # A new device was made with autoread as the reply showed it.
        autoread = settings.get(
            "autoread", self._device.settings.get("autoread") if CREATE in self._outcome.done else None
        )
        known = autoread if isinstance(autoread, bool) else None
        return make_code(self._device.token, str(settings["name"]), claims, known)

    def _restore(self, before: DeviceRecord | None) -> None:
        """Put back what was recorded before a call that was certainly not applied."""
        self._record = before or DeviceRecord(number=self._record.number)
        self._save([(self._device_file, before)], Phase.CONFIRM)

    def _mark_pending(self, sent: Settings, code: str = "") -> DeviceRecord | None:
        """Write down what is about to be sent, and return what to put back if it certainly was not applied.

        A folder that cannot be written fails here, before the first write to the service.
        """
        known = self._device_file.content is not None or bool(self._record.entries)
        before = self._record
        self._record = before.mark_pending(sent, now_text(), code)
        self._save([(self._device_file, self._record), *self._note_present()], Phase.BEGIN)
        return before if known else None

    def _note_present(self, finished: bool = False) -> Contents:
        """Return the creation entry that shows that this number has this device; nothing where it already does.

        A creation that was begun stays so until an update has ended it.
        """
        creation_file = self._creation_file
        if creation_file is None:
            return []
        old = creation_file.content
        new = NumberRecord("present", now_text(), {}, self._device_file.name)
        begun = old is not None and old.state == "creating"
        if old is not None and old.is_creation_of_other(new.device_file) and self._is_listed_under(old.device_file):
            # The other spelling of this number: the creation of that device continues with its next run.
            return []
        if finished if begun else (old is None or (old.state, old.device_file) != (new.state, new.device_file)):
            return [(creation_file, new)]
        return []

    def _is_listed_under(self, device_file: str) -> bool:
        """Return whether the account lists the device with this record."""
        listing = self._observation.listing
        return listing is not None and bool(find_listed(self._context, device_file, listing))

    def _send(self, settings: Settings) -> None:
        """Send a complete set of settings, with the registered number where it is known.

        The number is a writable field. Where nobody can vouch for it, it is left out first, and sent only
        if the service insists.
        """
        device, observed = self._device, self._observation.observed
        if observed is None or observed.number_confirmed:
            number = observed.registered if observed else device.registered
            self._context.client.update_device(device.token, number, settings, self._require_locks)
            return
        try:
            self._context.client.update_device(device.token, None, settings, self._require_locks)
        except RefusedError as refusal:
            if refusal.text != "input invalid":
                raise
            if observed.conflicting_number:
                raise RequestError(
                    f"it is registered as {observed.number} by the record and as {observed.conflicting_number} by its profile, "
                    "and Fonnte insists on one",
                    "give account_token as well, so that the list can tell",
                ) from None
            self._context.client.update_device(device.token, observed.registered, settings, self._require_locks)

    # Taking away

    def _check_still_listed(self) -> None:
        """See that number and token are still one device, where the listing that told so is too old to act on.

        The right device: what is sent next cannot be taken back.
        """
        listing = self._observation.listing
        if listing is None or listing.fetched_at.age() <= MAX_CACHE_SECONDS:
            return
        listing = self._context.client.get_devices(self._context.account_token)
        device, meant = resolve_device(self._context, self._desired.number, listing), self._device
        if device is None or (device.token, device.registered) != (meant.token, meant.registered):
            raise FonnteError(
                "the service no longer lists it with this number and this token",
                "run the play again to plan with the present list",
            )
        self._observation = replace(self._observation, listing=listing)

    def _require_fresh(self) -> None:
        """Prevent a request that cannot be taken back where its list is too old by now, or nobody waits any more.

        Called before each try: the service may have asked to wait, or the connection took long.
        """
        self._require_locks()
        listing = self._observation.listing
        if listing is not None and listing.fetched_at.age() > MAX_CACHE_SECONDS:
            raise UnreachableError(
                f"the service kept it waiting for over {MAX_CACHE_SECONDS:g} s, and the device may be another one by now",
                "run the play again: nothing was sent",
            )

    def _disconnect(self, _plan: Plan) -> None:
        self._mark_pending({})
        self._check_still_listed()
        try:
            self._context.client.disconnect(self._device.token, self._require_fresh)
        except RefusedError as refusal:
            if refusal.kind is not RefusalKind.ALREADY_DONE:
                raise
            # The list was behind, and there was nothing to do.
            self._outcome.device = replace(self._device, connected=False)
            # Of a run that planned twice, what the first plan did still stands.
            self._outcome.plan = _without_disconnection(self._outcome.plan)
            return
        self._outcome.done.append(DISCONNECT)

    def _request_otp(self, plan: Plan) -> None:
        self._mark_pending({})
        self._check_still_listed()
        try:
            self._context.client.request_otp(self._device.token, self._require_fresh)
        except RefusedError as refusal:
            if refusal.kind is not RefusalKind.OTP_PENDING:
                raise
            self._outcome.otp_wait = refusal.seconds
            return
        self._outcome.done.append(REQUEST_OTP)
        self._save_or_warn([(self._device_file, replace(self._record, otp_requested_at=now_text()))])

    def _delete(self, plan: Plan) -> None:
        self._mark_pending({})
        self._check_still_listed()
        deleted = self._context.client.delete_device(self._device.token, self._desired.otp, self._require_fresh)
        self._outcome.done.append(DELETE)
        self._check_deleted(deleted)
        self.forget()

    def _check_deleted(self, deleted: str | None) -> None:
        observed = self._observation.observed
        meant = self._desired.number or (observed.number if observed is not None and observed.number_confirmed else "")
        if not deleted or not meant or same_number(deleted, meant):
            return
        # Nobody knows of the meant one whether it is still there; it is not claimed to be gone.
        self._outcome.plan = replace(self._outcome.plan, after=self._outcome.plan.before)
        raise FonnteError(
            f"the service says that it deleted device {deleted}, not {meant}",
            "look at both devices in the dashboard before anything else is done",
        )

    def forget(self) -> None:
        """Remove the record of a device that was deleted, and remember that it was."""
        gone: Contents = [(self._device_file, None)] if self._outcome.device is not None else []
        noted: Contents = (
            [(self._creation_file, NumberRecord("deleted", now_text()))] if self._creation_file is not None else []
        )
        self._save_or_warn([*gone, *noted], Phase.EDIT)

    def _require_locks(self) -> None:
        """Prevent a request where the locks are lost, or the process that waits for the result has ended."""
        self._context.lineage.require()
        self._context.records.backend.verify_held()

    def _save_or_warn(self, contents: Contents, phase: Phase = Phase.CONFIRM) -> bool:
        """Write to the record after a success was read: a failure must not make the success look like a failure.

        Returns:
            Whether it was written. Otherwise the record still has the doubt from before the request, so the next run
            sends the values again.
        """
        try:
            self._save(contents, phase)
            return True
        except RecordError as exc:
            self._outcome.warn(
                f"The request for device {self._observation.number} succeeded, but it could not be recorded: {exc.problem}. "
                "The next run takes its values as in doubt; correct this first."
            )
            return False


def _refresh_record(record: DeviceRecord, observed: Observed) -> DeviceRecord:
    """Return the record with what the service has just shown: a run with a token alone will have nothing else."""
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
