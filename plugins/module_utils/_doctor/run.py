# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The doctor: which tokens these are, where the record lies, and how the service is, found out on a scratch device."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import asdict, dataclass, fields

from .._common.clock import stamp
from .._common.errors import CallError, FonnteError, Meaning, RecordError, RefusedError, doing
from .._common.lineage import Lineage
from .._common.phone_numbers import same_number
from .._device.service_facts import ServiceFacts
from .._reconcile.locks import LOCK_SECONDS
from .._reconcile.observe import require_token
from .._record.backend import Phase
from .._record.entries import DeviceRecord, NumberNote
from .experiments import (
    EXPERIMENTS,
    MAKE,
    MAKING,
    PREPARE,
    PREPARING,
    PUT_BACK,
    PUTTING_BACK,
    Bench,
    Caller,
    Finding,
    conclude_add_number,
    experiment,
    try_profile_number,
    try_refusal_status,
)

if t.TYPE_CHECKING:
    from .._common.redaction import Redactor
    from .._device.models import Device, Listing
    from .._reconcile.observe import House
    from .._record.backend import StorageHealth
    from .._record.files import SealedFile

Result = t.Dict[str, t.Any]

# A device of this name is the doctor's own: no other is written to without being named.
OWN_NAME = "fonnte doctor"

ACCOUNT, DEVICE, UNKNOWN = "account", "device", "unknown"

_NO_SCRATCH = (
    "there is no scratch device: give as device a number that no device has, "
    "or that of a device whose settings may be lost"
)
_STILL_OPEN = {
    "add_number": "it shows only when the doctor makes the device: "
    "give as device a number that starts with 0 and that no device has",
    "listing": "a list that shows everything looks the same as one that leaves out a device nobody knows of: "
    "give number and device_token of a device that you miss in the list",
    "otp_scope": "it would take a deletion: ask for a code for one of two scratch devices, "
    "and delete the other one with it",
}
_MAY_BE_IGNORED = (
    "whether an empty webhook that is accepted is also cleared cannot be seen from outside: "
    "look at the device in the dashboard"
)


@dataclass(frozen=True)
class Order:
    """What the doctor may do.

    Attributes:
        number: The scratch device; empty where none is named.
        name: The name of one that is made.
        consent: Whether the scratch device may be written to.
        check_mode: Nothing is written, whatever the consent.
    """

    number: str
    name: str
    consent: bool
    check_mode: bool

    @property
    def writes(self) -> bool:
        """Whether the service may be written to."""
        return self.consent and not self.check_mode


@dataclass(frozen=True)
class Tokens:
    """Which tokens the user gave.

    Attributes:
        account: What account_token is: ``account``, ``device`` or ``unknown``; None where it was not given.
        device: The same of device_token.
        listing: What the account lists.
        unlisted: The device of device_token, where the list does not show it.
    """

    account: str | None
    device: str | None
    listing: Listing | None = None
    unlisted: Device | None = None

    @property
    def right(self) -> bool:
        """Whether each is what it should be, and the account can be listed."""
        return self.account == ACCOUNT and self.device in (None, DEVICE)


@dataclass(frozen=True)
class Scratch:
    """The device to experiment on.

    Attributes:
        device: One that is listed.
        make: The number of one that is to be made.
        why_not: Why there is neither.
    """

    device: Device | None = None
    make: str = ""
    why_not: str = ""


class Examination:
    """What an examination has come to so far."""

    def __init__(self, order: Order, calls: Caller, folder: StorageHealth) -> None:
        self.order = order
        self.calls = calls
        self.folder = folder
        self.tokens = Tokens(None, None)
        self.scratch = Scratch(why_not="the run ended before it came to this")
        self.bench: Bench | None = None
        self.findings: dict[str, Finding] = {}
        self.warnings: list[str] = []

    @property
    def facts(self) -> ServiceFacts:
        """The facts that were found out."""
        known: dict[str, t.Any] = {
            fact: finding.value for fact, finding in self.findings.items() if finding.value is not None
        }
        return ServiceFacts(**known)

    @property
    def would_write(self) -> bool:
        """Whether a run with these options writes to the service."""
        return self.order.consent and bool(self.scratch.device or self.scratch.make)

    def all_warnings(self) -> list[str]:
        """Return what the user should know, with what is left on the scratch device."""
        return self.warnings + (_afterwards(self.bench) if self.bench else [])

    def state(self) -> str:
        """Return what was found out and how the scratch device is, as the end of a sentence."""
        known = [f"{fact} {value}" for fact, value in self.facts.known().items()]
        return f"found out so far: {', '.join(known) if known else 'nothing'}; {self._device_state()}"

    def _device_state(self) -> str:
        if self.bench is None:
            return f"device {self.scratch.make} may be there now" if self.calls.wrote else "nothing was written"
        number, left = self.bench.start.number, self.bench.left()
        if self.bench.touched:
            return f"of device {number}, {', '.join(left) if left else 'everything is as it was'}"
        made = "made, and nothing else was written to it"
        return f"device {number} was {made if self.bench.made else 'not written to'}"

    def result(self) -> Result:
        """Return what the user sees, but for the file."""
        return {
            "changed": self.calls.wrote or (self.order.check_mode and self.would_write),
            "facts": asdict(self.facts),
            "how": {fact: finding.because for fact, finding in self.findings.items() if finding.value is not None},
            "not_found_out": self._not_found_out(),
            "tokens": {"account_token": self.tokens.account, "device_token": self.tokens.device},
            "record": asdict(self.folder),
            "scratch": self._scratch(),
            "would_call": self._would_call(),
            "journal": [asdict(entry) for entry in self.calls.entries],
        }

    def _not_found_out(self) -> dict[str, str]:
        names = [one.name for one in fields(ServiceFacts)] + ["otp_scope"]
        open_ones = {name: self._why_open(name) for name in names if getattr(self.facts, name, None) is None}
        if self.facts.empty_webhook == "accepted":
            open_ones["empty_webhook"] = _MAY_BE_IGNORED
        return open_ones

    def _why_open(self, fact: str) -> str:
        if fact in self.findings:
            return self.findings[fact].because
        if fact in _STILL_OPEN:
            return _STILL_OPEN[fact]
        if self.scratch.why_not:
            return self.scratch.why_not
        if not self.order.consent:
            return "it takes calls that write: say consent: true"
        return "check mode writes nothing" if self.order.check_mode else "the run ended before it came to this"

    def _scratch(self) -> Result | None:
        device = self.bench.start if self.bench else self.scratch.device
        if device is None:
            return None
        return {
            "device": device.number,
            "name": _name(device),
            "made": bool(self.bench and self.bench.made),
            "left": self.bench.left() if self.bench else [],
        }

    def _would_call(self) -> list[Result]:
        """Return the writing part that this run left out: each call with how often it is made at most."""
        if self.order.writes or self.scratch.why_not:
            return []
        number = self.scratch.device.number if self.scratch.device else self.scratch.make
        parts = [(MAKE if self.scratch.make else PREPARE, MAKING if self.scratch.make else PREPARING)]
        parts += [(one.fact, one.calls) for one in EXPERIMENTS] + [(PUT_BACK, PUTTING_BACK)]
        return [
            {"path": path, "device": None if path == "/get-devices" else number, "purpose": purpose, "at_most": times}
            for purpose, calls in parts
            for path, times in calls.items()
        ]


def examine(house: House, redactor: Redactor, order: Order) -> Examination:
    """Find out what can be found out, and return it.

    Raises:
        FonnteError: A call was not answered, or the options contradict each other; ``progress`` has what was
            found out before, and the sentence says how the scratch device is.
    """
    require_token(house)
    exam = Examination(order, Caller(house.api, redactor), house.records.health())
    if not exam.folder.writable:
        exam.warnings.append(f"The record in {exam.folder.folder} cannot be written.")
    if exam.folder.lasting is not True:
        exam.warnings.append(f"The record in {exam.folder.folder} may not last: {exam.folder.because}")
    try:
        _examine(house, exam)
    except FonnteError as fault:
        fault.advice = f"{fault.advice}; {exam.state()}"
        fault.progress = exam.result()
        fault.warnings = exam.all_warnings()
        raise
    return exam


def _examine(house: House, exam: Examination) -> None:
    with doing("Finding out which tokens these are"):
        exam.tokens = _which_tokens(house, exam.calls)
    exam.warnings += _token_warnings(exam.tokens)
    _find_unlisted(house, exam)
    with doing("Choosing the scratch device"):
        exam.scratch = _choose(house, exam.order, exam.tokens)
    if exam.order.consent and exam.scratch.why_not:
        exam.warnings.append(f"Nothing is tried on a device: {exam.scratch.why_not}.")
    if exam.order.writes and not exam.scratch.why_not:
        _write(house, exam)
    else:
        _only_read(house, exam)


# --- tokens -------------------------------------------------------------------------------------------------------


def _which_tokens(house: House, calls: Caller) -> Tokens:
    """Ask the service with each token, first as what it should be, then as the other."""
    account, listing = _account_token(house.account_token, calls)
    if not house.device_token:
        return Tokens(account, None, listing)
    if listing is not None and listing.find_token(house.device_token) is not None:
        return Tokens(account, DEVICE, listing)
    profile = _profile(house.device_token, calls)
    if profile is not None:
        return Tokens(account, DEVICE, listing, profile)
    return Tokens(account, UNKNOWN if _listing(house.device_token, calls) is None else ACCOUNT, listing)


def _account_token(token: str, calls: Caller) -> tuple[str | None, Listing | None]:
    if not token:
        return None, None
    listing = _listing(token, calls)
    if listing is not None:
        return ACCOUNT, listing
    return UNKNOWN if _profile(token, calls) is None else DEVICE, None


def _listing(token: str, calls: Caller) -> Listing | None:
    """Return the list that a token shows; None where the service knows no such account."""
    found: list[Listing] = []
    _ask(lambda: found.append(calls.listing(token, None, "tokens")))
    return found[0] if found else None


def _profile(token: str, calls: Caller) -> Device | None:
    """Return the profile of a token's device; None where the service knows no such device."""
    found: list[Device] = []
    _ask(lambda: found.append(calls.profile(token, None, "tokens")))
    return found[0] if found else None


def _ask(call: t.Callable[[], None]) -> None:
    """Make a call, and take the service's not knowing the token for an answer."""
    try:
        call()
    except RefusedError as refusal:
        if refusal.meaning is not Meaning.BAD_TOKEN:
            raise


_SETTING_MENU = "the account's token is in the dashboard's Setting menu"
_DEVICE_ROW = "a device's token is in the dashboard beside the device"
_WRONG = {
    ("account_token", DEVICE): f"account_token is the token of a device; {_SETTING_MENU}.",
    ("account_token", UNKNOWN): f"Fonnte knows no such account_token; {_SETTING_MENU}.",
    ("device_token", ACCOUNT): f"device_token is the token of an account; {_DEVICE_ROW}.",
    ("device_token", UNKNOWN): f"Fonnte knows no such device_token; {_DEVICE_ROW}, "
    "and one that was made anew has a new one.",
}


def _token_warnings(tokens: Tokens) -> list[str]:
    if (tokens.account, tokens.device) == (DEVICE, ACCOUNT):
        return ["account_token and device_token are swapped: each is what the other should be."]
    told = [("account_token", tokens.account), ("device_token", tokens.device)]
    return [_WRONG[option, kind] for option, kind in told if kind and (option, kind) in _WRONG]


def _find_unlisted(house: House, exam: Examination) -> None:
    """See whether a token that works, of a device that the list does not show, says something of the list."""
    device = exam.tokens.unlisted
    if device is None or exam.tokens.listing is None:
        return
    note_file = house.note_file(exam.order.number or device.number)
    note = note_file.load()[0] if note_file else None
    exam.findings["listing"] = _conclude_unlisted(
        device.number, note is not None and note.device_file == house.records.device(device.token).name
    )


def _conclude_unlisted(number: str, ours: bool) -> Finding:
    """Return what follows from a device that answers and is not listed; ours where this account had it by the record."""
    if ours:
        return Finding(
            "partial",
            f"device {number} answers to its token and was this account's by the record, and the list lacks it",
        )
    return Finding(
        None,
        f"device {number} answers to its token and is not in the list: either the list leaves it out, or it is "
        "another account's, and the service tells neither",
    )


# --- the scratch device -------------------------------------------------------------------------------------------


def _choose(house: House, order: Order, tokens: Tokens) -> Scratch:
    """Return the device to experiment on: the one that is named, else the doctor's own."""
    if tokens.listing is None or not tokens.right:
        return Scratch(why_not="it takes an account_token, and tokens that are right, to see what becomes of a device")
    if order.number:
        return _named(house, order.number, tokens, tokens.listing)
    own = [device for device in tokens.listing.devices if _name(device) == OWN_NAME]
    if len(own) > 1:
        numbers = " and ".join(device.number for device in own)
        return Scratch(why_not=f'devices {numbers} are both named "{OWN_NAME}": give the number of one as device')
    return _usable(own[0]) if own else Scratch(why_not=_NO_SCRATCH)


def _named(house: House, number: str, tokens: Tokens, listing: Listing) -> Scratch:
    listed = listing.find(number, house.has_country)
    if house.device_token and listing.find_token(house.device_token) != listed:
        raise _not_one(number)
    if tokens.unlisted is not None:
        if not same_number(tokens.unlisted.number, number):
            raise _not_one(number)
        return Scratch(why_not=f"the list does not show device {number}, so nobody could see what becomes of it")
    return Scratch(make=number) if listed is None else _usable(listed)


def _not_one(number: str) -> FonnteError:
    return FonnteError(
        f"device {number} and device_token are not one device", "give one of the two, or the ones that belong together"
    )


def _name(device: Device) -> object:
    """Return the name that people gave a device; None where the list shows none that could be sent."""
    return device.settings.get("name")


def _usable(device: Device) -> Scratch:
    if not device.token or not device.can_be_sent_back or "name" not in device.settings:
        return Scratch(
            why_not=f"the list shows device {device.number} without a token, a number or a name that could be sent"
        )
    return Scratch(device)


# --- reading and writing ------------------------------------------------------------------------------------------


def _only_read(house: House, exam: Examination) -> None:
    listing, token = exam.tokens.listing, house.device_token
    listed = exam.scratch.device or (listing.find_token(token) if listing is not None and token else None)
    if listed is not None:
        _read(exam, listed)
    elif exam.tokens.device == DEVICE and exam.tokens.unlisted is not None:
        _read_status(exam, token, exam.tokens.unlisted.number)


def _read(exam: Examination, listed: Device) -> None:
    _read_status(exam, listed.token, listed.number)
    with doing(f"Finding out which number the profile of device {listed.number} shows"):
        exam.findings["profile_number"] = try_profile_number(exam.calls, listed)


def _read_status(exam: Examination, token: str, number: str) -> None:
    with doing(f"Finding out how the service refuses, with the token of device {number}"):
        exam.findings["refusal_status"] = try_refusal_status(exam.calls, token, number)


def _write(house: House, exam: Examination) -> None:
    """Experiment on the scratch device, alone: no other run works on it at the same time."""
    number = exam.scratch.device.number if exam.scratch.device else exam.scratch.make
    # Without the account's token there is no scratch device.
    note_file = house.records.number(house.account_token, number)
    with contextlib.ExitStack() as locks:
        with doing(f"Preparing device {number}"):
            locks.enter_context(note_file.lock(LOCK_SECONDS))
        device = exam.scratch.device or _make(house, exam, note_file)
        device_file = house.records.device(device.token)
        with doing(f"Preparing device {device.number}"):
            locks.enter_context(device_file.lock(LOCK_SECONDS))
            start = _new(house, exam, device) if exam.scratch.make else _still(house, exam, device)
            if start is None:
                return
            _forget(exam, start, device_file, note_file)
        exam.bench = Bench(exam.calls, house.account_token, start, made=bool(exam.scratch.make))
        _read(exam, start)
        _experiment(exam, exam.bench, house.lineage)


def _make(house: House, exam: Examination, note_file: SealedFile[NumberNote]) -> Device:
    """Make the scratch device, and remember it as this account's: begun before the call, there after it."""
    number = exam.scratch.make
    with doing(f"Making the scratch device {number}"):
        old, _problem = note_file.load()
        old_file = old.device_file if old else ""
        note_file.save(NumberNote("creating", stamp(), {}, old_file), Phase.BEGIN)
        try:
            device = exam.calls.add(house.account_token, number, exam.order.name, MAKE)
        except CallError as fault:
            if not fault.may_be_applied:
                note_file.save(old, Phase.CONFIRM)
            raise
        if not _is_listed(house, exam.tokens.listing, old_file):
            house.records.discard(old_file)
        try:
            present = NumberNote("present", stamp(), {}, house.records.device(device.token).name)
            note_file.save(present, Phase.CONFIRM)
        except RecordError as exc:
            # The device exists: the rest of the work must not be lost.
            exam.warnings.append(f"Device {number} was created, but that could not be recorded: {exc.problem}.")
    return device


def _is_listed(house: House, listing: Listing | None, device_file: str) -> bool:
    """Tell whether a record is that of a listed device: one that was renumbered still has it."""
    tokens = [device.token for device in listing.devices if device.token] if listing is not None else []
    return any(house.records.device(token).name == device_file for token in tokens)


def _new(house: House, exam: Examination, device: Device) -> Device | None:
    """Return a device that was just made as the list shows it; None where it does not, or not enough of it."""
    # A list may lag behind, so it is looked at twice.
    for _look in range(MAKING["/get-devices"]):
        start = exam.calls.listing(house.account_token, None, MAKE).find_token(device.token)
        if start is not None:
            exam.findings["add_number"] = conclude_add_number(exam.scratch.make, start.number)
            usable = _usable(start)
            if usable.device is None:
                exam.scratch = usable
                exam.warnings.append(_removal(device.number))
            return usable.device
    exam.findings["listing"] = Finding("partial", f"device {device.number} was just made, and the list lacks it")
    exam.scratch = Scratch(why_not=f"the list does not show device {device.number}, which was made for this")
    exam.warnings.append(_removal(device.number))
    return None


def _still(house: House, exam: Examination, device: Device) -> Device:
    """Return a device as the list shows it now that no other run of this controller works on it."""
    start = exam.calls.listing(house.account_token, None, PREPARE).find_token(device.token)
    if start is None or start.registered != device.registered or _name(start) != _name(device):
        raise FonnteError(f"somebody else works on device {device.number}", "run this again when they are done")
    return start


def _forget(
    exam: Examination, start: Device, device_file: SealedFile[DeviceRecord], note_file: SealedFile[NumberNote]
) -> None:
    """Remove what the record knows of the device: after the first update it would be a false claim.

    The record is written in each case: it shows other runs that their view of the device is out of date.
    """
    record, _problem = device_file.load()
    note, _problem = note_file.load()
    entries = record.entries if record is not None else {}
    # That of another device, of which this number is another spelling, is not touched.
    of_other = note is not None and note.is_creation_of_other(device_file.name)
    begun = note if note is not None and note.state == "creating" and not of_other else None
    known = record or DeviceRecord(number=start.registered)
    device_file.save(known.without(entries), Phase.BEGIN)
    if begun is not None:
        # A creation that was begun is over: from now on somebody else sets things on the device.
        note_file.save(NumberNote("present", stamp(), {}, device_file.name))
    if entries or (begun is not None and begun.sent):
        exam.warnings.append(
            f"What the record knew of device {start.number} was removed: its hidden settings may be lost."
        )


def _experiment(exam: Examination, bench: Bench, lineage: Lineage) -> None:
    try:
        for one in EXPERIMENTS:
            lineage.require()
            with doing(f"Finding out {one.what}, on device {bench.start.number}"):
                exam.findings[one.fact] = experiment(one, bench)
            bench.omitted = exam.facts.omitted
        with doing(f"Putting device {bench.start.number} back"):
            bench.put_back()
    except FonnteError:
        # Once, since a reply that was lost says nothing of the next.
        if bench.touched and not bench.settled:
            with contextlib.suppress(FonnteError):
                bench.put_back()
        raise


def _afterwards(bench: Bench) -> list[str]:
    left = bench.left()
    told = [f"Of device {bench.start.number}, {', '.join(left)}."] if left else []
    return told + ([_removal(bench.start.number)] if bench.made or _name(bench.start) == OWN_NAME else [])


def _removal(number: str) -> str:
    task = "fonnte.whatsapp.fonnte_device"
    return (
        f"The scratch device {number} is left to you, since a deletion needs a one-time code. Ask for one with the task "
        f'{task}: {{device: "{number}", state: absent, request_otp: true}} and delete with '
        f'{task}: {{device: "{number}", state: absent, otp: "the code"}}'
    )
