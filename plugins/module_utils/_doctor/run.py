# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The API behavior check: the types of the tokens, the place of the record, and experiments on a test device."""

from __future__ import annotations

import contextlib
import typing as t

from .._common.clock import Moment, now_text
from .._common.errors import (
    FonnteError,
    RecordError,
    error_context,
    may_be_applied,
)
from .._common.lineage import Lineage
from .._reconcile.locks import LOCK_SECONDS
from .._reconcile.observe import require_token
from .._record.backend import Phase
from .._record.entries import DeviceRecord, NumberRecord
from .choice import DoctorOptions, TestDeviceChoice, _check_name, _choose, _name, _usable
from .device_under_test import TestDevice
from .diagnosis import Diagnosis, _removal
from .experiments import (
    CREATION,
    CREATION_CALLS,
    EXPERIMENTS,
    PREPARATION,
    Finding,
    conclude_add_number,
    experiment,
    try_profile_number,
    try_refusal_status,
)
from .journal import JournalingClient
from .tokens import DEVICE, _check_tokens, _token_warnings

if t.TYPE_CHECKING:
    from .._common.clock import Moment
    from .._common.redaction import Redactor
    from .._device.models import Device, DeviceList
    from .._reconcile.observe import RunContext
    from .._record.files import EncryptedFile


def diagnose(context: RunContext, redactor: Redactor, options: DoctorOptions) -> Diagnosis:
    """Run the API behavior check, and return its results.

    Raises:
        FonnteError: A request failed, or the options contradict each other. ``partial_result`` has the results so far,
            and the advice describes the state of the test device.
    """
    require_token(context)
    exam = Diagnosis(options, JournalingClient(context.client, redactor), context.records.health())
    if not exam.folder.writable:
        exam.warnings.append(f"The record in {exam.folder.place} cannot be written.")
    if exam.folder.persistent is not True:
        exam.warnings.append(f"The record in {exam.folder.place} may not last: {exam.folder.reason}")
    try:
        _diagnose(context, exam)
    except FonnteError as fault:
        fault.advice = f"{fault.advice}; {exam.state()}"
        fault.partial_result = exam.result()
        fault.warnings = exam.all_warnings()
        raise
    return exam


def _diagnose(context: RunContext, exam: Diagnosis) -> None:
    with error_context("Identifying the tokens"):
        exam.tokens = _check_tokens(context, exam.calls)
    exam.warnings += _token_warnings(exam.tokens)
    _find_unlisted(context, exam)
    with error_context("Choosing the scratch device"):
        exam.choice = _choose(context, exam.options, exam.tokens)
        _check_name(exam.options.expected_name, exam.choice)
    if exam.options.consent and exam.choice.reason_not_to_write:
        exam.warnings.append(f"No device is tested: {exam.choice.reason_not_to_write}.")
    if exam.options.writes and not exam.choice.reason_not_to_write:
        _write(context, exam)
    else:
        _only_read(context, exam)


# --- tokens -------------------------------------------------------------------------------------------------------


def _find_unlisted(context: RunContext, exam: Diagnosis) -> None:
    """Check whether the device of a valid token that is not in the list proves that the list is incomplete."""
    device = exam.tokens.unlisted
    if device is None or exam.tokens.listing is None:
        return
    creation_file = context.creation_file(exam.options.number or device.number)
    note = creation_file.load()[0] if creation_file else None
    exam.findings["listing"] = _conclude_unlisted(
        device.number, note is not None and note.device_file == context.records.device(device.token).name
    )


def _conclude_unlisted(number: str, ours: bool) -> Finding:
    """Return the conclusion for an unlisted device that responds; ``ours`` if it was this account's by the record."""
    if ours:
        return Finding(
            "partial",
            f"device {number} responds to its token and belonged to this account according to the record, and "
            "the list does not contain it",
        )
    return Finding(
        None,
        f"device {number} responds to its token and is not in the list: either the list omits it, or it belongs to "
        "another account, and the service does not show which",
    )


# --- reading and writing ------------------------------------------------------------------------------------------


def _only_read(context: RunContext, exam: Diagnosis) -> None:
    listing, token = exam.tokens.listing, context.device_token
    listed = exam.choice.device or (listing.find_by_token(token) if listing is not None and token else None)
    if listed is not None:
        _read(exam, listed)
    elif exam.tokens.device == DEVICE and exam.tokens.unlisted is not None:
        _read_status(exam, token, exam.tokens.unlisted.number)


def _read(exam: Diagnosis, listed: Device) -> None:
    _read_status(exam, listed.token, listed.number)
    with error_context(f"Determining which number the profile of device {listed.number} shows"):
        exam.findings["profile_number"] = try_profile_number(exam.calls, listed)


def _read_status(exam: Diagnosis, token: str, number: str) -> None:
    with error_context(f"Determining how the service refuses requests, with the token of device {number}"):
        exam.findings["refusal_status"] = try_refusal_status(exam.calls, token, number)


def _write(context: RunContext, exam: Diagnosis) -> None:
    """Experiment on the test device under its locks, so no other run works on it at the same time."""
    number = exam.choice.device.number if exam.choice.device else exam.choice.create
    # Without the account token, there is no test device.
    creation_file = context.records.number(context.account_token, number)
    with contextlib.ExitStack() as locks:
        with error_context(f"Preparing device {number}"):
            locks.enter_context(creation_file.lock(LOCK_SECONDS))
        device = exam.choice.device or _create_device(context, exam, creation_file)
        device_file = context.records.device(device.token)
        with error_context(f"Preparing device {device.number}"):
            locks.enter_context(device_file.lock(LOCK_SECONDS))
            found = _find_new_device(context, exam, device) if exam.choice.create else _recheck(context, exam, device)
            if found is None:
                return
            start, listed_at = found
            _clear_record(exam, start, device_file, creation_file)
        made = bool(exam.choice.create)
        exam.test_device = TestDevice(exam.calls, context.account_token, start, made, listed_at)
        _read(exam, start)
        _experiment(exam, exam.test_device, context.lineage)


def _create_device(context: RunContext, exam: Diagnosis, creation_file: EncryptedFile[NumberRecord]) -> Device:
    """Create the test device, and record its creation before and after the request."""
    number = exam.choice.create
    with error_context(f"Creating the scratch device {number}"):
        old, _problem = creation_file.load()
        old_file = old.device_file if old else ""
        creation_file.save(NumberRecord("creating", now_text(), {}, old_file), Phase.BEGIN)
        try:
            device = exam.calls.add(context.account_token, number, exam.options.name, CREATION, context.lineage.require)
        except FonnteError as fault:
            if not may_be_applied(fault):
                creation_file.save(old, Phase.CONFIRM)
            raise
        if not _is_listed(context, exam.tokens.listing, old_file):
            context.records.discard(old_file)
        try:
            present = NumberRecord("present", now_text(), {}, context.records.device(device.token).name)
            creation_file.save(present, Phase.CONFIRM)
        except RecordError as exc:
            # The device exists: the rest of the check must not be lost.
            exam.warnings.append(f"Device {number} was created, but that could not be recorded: {exc.problem}.")
    return device


def _is_listed(context: RunContext, listing: DeviceList | None, device_file: str) -> bool:
    """Return whether a record belongs to a listed device: a device that was renumbered still has its record."""
    tokens = [device.token for device in listing.devices if device.token] if listing is not None else []
    return any(context.records.device(token).name == device_file for token in tokens)


def _find_new_device(context: RunContext, exam: Diagnosis, device: Device) -> tuple[Device, Moment] | None:
    """Return a created device as the list shows it; None if the list does not show it, or not enough of it."""
    # A list may lag behind, so it is requested twice.
    for _attempt in range(CREATION_CALLS["/get-devices"]):
        listing = exam.calls.listing(context.account_token, None, CREATION)
        start = listing.find_by_token(device.token)
        if start is not None:
            exam.findings["add_number"] = conclude_add_number(exam.choice.create, start.number)
            usable = _usable(start)
            if usable.device is None:
                exam.choice = usable
                exam.warnings.append(_removal(device.number))
            return None if usable.device is None else (usable.device, listing.fetched_at)
    exam.findings["listing"] = Finding(
        "partial", f"device {device.number} was just created, and the list does not contain it"
    )
    exam.choice = TestDeviceChoice(
        reason_not_to_write=f"the list does not show device {device.number}, which was created for this check"
    )
    exam.warnings.append(_removal(device.number))
    return None


def _recheck(context: RunContext, exam: Diagnosis, device: Device) -> tuple[Device, Moment]:
    """Return a device as the list shows it now that no other run with this record works on it."""
    listing = exam.calls.listing(context.account_token, None, PREPARATION)
    start = listing.find_by_token(device.token)
    if start is None or start.registered != device.registered or _name(start) != _name(device):
        raise FonnteError(
            f"device {device.number} was changed by another run or in the dashboard",
            "run this again when that work is finished",
        )
    return start, listing.fetched_at


def _clear_record(
    exam: Diagnosis, start: Device, device_file: EncryptedFile[DeviceRecord], creation_file: EncryptedFile[NumberRecord]
) -> None:
    """Remove the recorded values of the device: after the first update, they would be wrong.

    The record is written in any case: this shows other runs that their observation of the device is out of date.
    """
    record, _problem = device_file.load()
    note, _problem = creation_file.load()
    entries = record.entries if record is not None else {}
    # The creation entry may be that of another device with another spelling of this number. It is not changed then.
    of_other = note is not None and note.is_creation_of_other(device_file.name)
    begun = note if note is not None and note.state == "creating" and not of_other else None
    known = record or DeviceRecord(number=start.registered)
    device_file.save(known.drop(entries), Phase.BEGIN)
    if begun is not None:
        # The creation counts as ended, because the experiments change the settings of the device.
        creation_file.save(NumberRecord("present", now_text(), {}, device_file.name))
    if entries or (begun is not None and begun.sent):
        exam.warnings.append(
            f"The recorded values of device {start.number} were removed: its write-only settings may be lost."
        )


def _experiment(exam: Diagnosis, test_device: TestDevice, lineage: Lineage) -> None:
    try:
        for one in EXPERIMENTS:
            lineage.require()
            with error_context(f"Determining {one.what}, on device {test_device.start.number}"):
                exam.findings[one.fact] = experiment(one, test_device)
            test_device.omitted = exam.facts.omitted
        with error_context(f"Restoring device {test_device.start.number}"):
            test_device.restore()
    except FonnteError:
        # Only once, since a lost response predicts nothing about the next one.
        if test_device.touched and not test_device.settled:
            with contextlib.suppress(FonnteError):
                test_device.restore()
        raise
