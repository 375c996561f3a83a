# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What the doctor tries on a scratch device: an experiment for each fact, and what follows from its replies.

An experiment makes its calls and hands the replies to a conclusion, which is a pure function. A fact is
claimed only after clean answers; whatever else comes back is told as it came.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._common.clock import Moment, now_text
from .._common.errors import (
    FonnteError,
    RefusalKind,
    RefusedError,
    RequestError,
    UnreachableError,
)
from .._common.phone_numbers import international, same_number
from .._reconcile.list_age import require_fresh, send_with_fresh_list

if t.TYPE_CHECKING:
    from .._api.client import FonnteClient
    from .._api.wire import Guard
    from .._common.redaction import Redactor
    from .._device.models import Device, DeviceList
    from .._device.settings import Settings

# The name .invalid is kept free for ever (RFC 2606): nobody can answer there.
PROBE_URL = "https://fonnte-doctor.invalid/"

_UPDATE, _LIST, _PROFILE, _ADD = "/update-device", "/get-devices", "/device", "/add-device"
_T = t.TypeVar("_T")


@dataclass(frozen=True)
class Finding:
    """What an experiment came to.

    Attributes:
        value: The fact; None where it was not found out.
        because: How it is known, or else why it is not and how one could find out. A sentence without a full stop.
    """

    value: str | int | None
    reason: str


@dataclass(frozen=True)
class Entry:
    """One call of the journal.

    Attributes:
        at: When it was made, as ``YYYY-MM-DDTHH:MM:SSZ``.
        path: The call.
        device: The number of the device whose token was used, or that was to be made; None for the account.
        purpose: What was to be found out.
        reply: What came back, without secrets.
    """

    at: str
    path: str
    device: str | None
    purpose: str
    response: str


class JournalingClient:
    """Makes the calls of the doctor, and writes each of them down.

    Attributes:
        entries: The journal.
        wrote: Whether a write was or may have been carried out.
    """

    def __init__(self, api: FonnteClient, redactor: Redactor) -> None:
        self._api = api
        self._redactor = redactor
        self.entries: list[Entry] = []
        self.wrote = False

    def listing(self, token: str, device: str | None, purpose: str) -> DeviceList:
        """Return the list that a token shows."""
        return self._call(_LIST, device, purpose, lambda: self._api.get_devices(token), _describe_list)

    def profile(self, token: str, device: str | None, purpose: str) -> Device:
        """Return the profile of a token's device."""
        shown = self._call(_PROFILE, device, purpose, lambda: self._api.profile(token), _describe_profile)
        if device is None:
            self.entries[-1] = replace(self.entries[-1], device=shown.number)
        return shown

    def add(self, token: str, number: str, name: str, purpose: str, guard: Guard | None = None) -> Device:
        """Create a device, and return it."""
        return self._write(_ADD, number, purpose, lambda: self._api.add_device(token, number, {"name": name}, guard))

    def update(self, device: Device, number: str | None, settings: Settings, purpose: str, guard: Guard) -> None:
        """Write settings; the number is the one that is sent, and None leaves it out.

        Args:
            device: The device.
            number: The number that is sent.
            settings: The settings.
            purpose: What is to be found out.
            guard: Called before each try; an error of it prevents the try.
        """
        self._write(
            _UPDATE, device.number, purpose, lambda: self._api.update_device(device.token, number, settings, guard)
        )

    def _write(self, path: str, device: str, purpose: str, work: t.Callable[[], _T]) -> _T:
        try:
            answer = self._call(path, device, purpose, work, _describe_success)
        except RequestError as fault:
            self.wrote = self.wrote or fault.may_be_applied
            raise
        self.wrote = True
        return answer

    def _call(
        self,
        path: str,
        device: str | None,
        purpose: str,
        work: t.Callable[[], _T],
        told: t.Callable[[_T], str],
    ) -> _T:
        at = now_text()
        try:
            answer = work()
        except RequestError as fault:
            self._write_entry(at, path, device, purpose, fault.problem)
            raise
        self._write_entry(at, path, device, purpose, told(answer))
        return answer

    def _write_entry(self, at: str, path: str, device: str | None, purpose: str, reply: str) -> None:
        self.entries.append(Entry(at, path, device, purpose, self._redactor.text(reply)))


def _describe_success(_answer: object) -> str:
    return "yes"


def _describe_list(listing: DeviceList) -> str:
    return f"yes, {len(listing.devices)} device{'' if len(listing.devices) == 1 else 's'}"


def _describe_profile(device: Device) -> str:
    return f"yes, device {device.number}"


def refusal_of(work: t.Callable[[], object]) -> RefusedError | None:
    """Return how a call was refused; None where it was not."""
    try:
        work()
    except RefusedError as refusal:
        return refusal
    return None


class TestDevice:
    """The scratch device while experiments are made on it.

    Args:
        calls: Makes the requests.
        account_token: The token of the account, for its list.
        start: The device as the list showed it before the first write.
        made: Whether it was created in this run.
        fetched_at: The moment before that list was requested.

    Attributes:
        start: The device as the list showed it before the first write.
        made: Whether the doctor made it in this run.
        purpose: What is being found out.
        omitted: The fact of this name, once it is known: it says what the experiments do to the device.
        touched: Whether an update was or may have been carried out.
        settled: Whether the list shows autoread of the device as it was at the start.
        probed: Whether the webhook may be PROBE_URL.
        cleared: Whether the service took an empty webhook after that.
        replaced: Whether a webhook that the device had may be gone.
    """

    def __init__(
        self, calls: JournalingClient, account_token: str, start: Device, made: bool, fetched_at: Moment
    ) -> None:
        self._calls = calls
        self._account_token = account_token
        self._listed, self._fetched_at = start, fetched_at
        self.start = start
        self.made = made
        self.purpose = ""
        self.omitted: object = None
        self.touched = False
        self.settled = True
        self.probed = False
        self.cleared = False
        self.replaced = False

    @property
    def autoread(self) -> bool | None:
        """The device's autoread before the first write; None where the list did not show it."""
        return _autoread(self.start)

    def update(self, settings: Settings) -> None:
        """Send an update that has its number, its name and these settings."""
        self._update(True, settings)

    def update_without_number(self, settings: Settings) -> None:
        """Send the same without its number."""
        self._update(False, settings)

    def _update(self, has_number: bool, settings: Settings) -> None:
        sent = {"name": self.start.settings["name"], **settings}

        def send() -> None:
            self._require_number()
            number = self._listed.registered if has_number else None
            self._calls.update(self.start, number, sent, self.purpose, lambda: require_fresh(self._fetched_at))

        try:
            send_with_fresh_list(send, self._list_again)
        except RequestError as fault:
            if fault.may_be_applied:
                self._changed(sent)
            raise
        self._changed(sent)
        self.cleared = self.cleared or sent.get("webhook") == ""

    def _changed(self, sent: Settings) -> None:
        self.touched, self.settled = True, False
        self.replaced = self.replaced or "webhook" in sent
        if sent.get("webhook"):
            self.probed, self.cleared = True, False

    def _list_again(self) -> None:
        try:
            self.observe()
        except RequestError as fault:
            # The lost response to a list leaves no doubt about the update.
            raise UnreachableError(
                f"the list became too old and could not be requested again ({fault.problem})", "run this again"
            ) from None

    def observe(self) -> Device:
        """Return the device as the list shows it now."""
        listing = self._calls.listing(self._account_token, None, self.purpose)
        seen = listing.find_by_token(self.start.token)
        if seen is None:
            raise FonnteError(
                f"the account no longer lists device {self.start.number}", "look at the device in the dashboard"
            )
        self._listed, self._fetched_at = seen, listing.fetched_at
        return seen

    def _require_number(self) -> None:
        """Refuse an update of a device that was renumbered: it would give it its former number back."""
        if self._listed.registered != self.start.registered:
            raise FonnteError(
                f"the account lists device {self.start.number} as {self._listed.number} now, so no update was sent",
                "check the device in the dashboard, and run this again when its number stays",
            )

    def restore(self) -> None:
        """Bring the device back to where it was, as far as the list shows; what is left out may be reset on the way."""
        self.purpose = RESTORATION
        self.update({} if self.autoread is None else {"autoread": self.autoread})
        self.settled = _autoread(self.observe()) is self.autoread

    def leftovers(self) -> list[str]:
        """Return what may be otherwise on the device than before the run: a clause for each."""
        if not self.touched:
            return []
        clauses = []
        reset = self.omitted == "resets"
        if self._listed.registered != self.start.registered:
            clauses.append(f"its number was {self.start.number} and is {self._listed.number} now")
        if not self.settled:
            clauses.append(f"its autoread may have changed, and was {_describe_value(self.autoread)}")
        if self.probed and not (reset and self.settled):
            clauses.append(
                f"its webhook was {PROBE_URL} and was cleared with an empty text, which may have been ignored"
                if self.cleared
                else f"its webhook may be {PROBE_URL}, and has to be cleared in the dashboard"
            )
        if not self.made and self.omitted != "keeps":
            clauses.append(f"its hidden settings {'are' if reset else 'may be'} reset to their defaults")
        elif not self.made and self.replaced:
            clauses.append("a webhook for incoming chats that it had is gone")
        if self.start.stamp is not None:
            # It proved settings that may be lost now, so it is not put back.
            clauses.append("the stamp in its name is gone")
        return clauses


def _autoread(device: Device) -> bool | None:
    value = device.settings.get("autoread")
    return value if isinstance(value, bool) else None


def _describe_value(flag: bool | None) -> str:
    return {True: "on", False: "off", None: "not shown"}[flag]


# --- experiments that only read -----------------------------------------------------------------------------------


def try_refusal_status(calls: JournalingClient, token: str, number: str | None) -> Finding:
    """Make a call that must be refused and harms nothing: a device's token lists no devices."""
    return conclude_refusal_status(refusal_of(lambda: calls.listing(token, number, "refusal_status")))


def conclude_refusal_status(refusal: RefusedError | None) -> Finding:
    """Return what follows from the reply to a list that is asked for with a device's token."""
    if refusal is None:
        return Finding(None, "a device's token was not refused where an account's belongs")
    if refusal.kind is not RefusalKind.INVALID_TOKEN or refusal.status is None:
        return Finding(None, f"a device's token was refused with a text that is not known: {refusal.problem}")
    return Finding(refusal.status, f"a device's token was refused with HTTP {refusal.status}: {refusal.problem}")


def try_profile_number(calls: JournalingClient, listed: Device) -> Finding:
    """Compare the number of a profile with the registered one."""
    shown: list[Device] = []
    refusal = refusal_of(lambda: shown.append(calls.profile(listed.token, listed.number, "profile_number")))
    if refusal is not None:
        return Finding(None, f"the profile of device {listed.number} was refused: {refusal.problem}")
    return conclude_profile_number(shown[0].number, listed.number, shown[0].connected)


def conclude_profile_number(shown: str, registered: str, connected: bool | None) -> Finding:
    """Return what follows from the number that a profile shows."""
    if not same_number(shown, registered):
        return Finding("linked", f"the list shows device {registered}, and its profile shows {shown}")
    if not connected:
        return Finding(
            None,
            f"device {registered} is linked to no phone: link it to a phone with another number, and run this again",
        )
    return Finding(
        None,
        f"the profile of device {registered} shows this number, which may be its phone's as well: "
        "link it to a phone with another number, and run this again",
    )


# --- experiments that write ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """One try of leaving out autoread.

    Attributes:
        sent: The value that was set.
        then: What the list showed after that.
        after: What it showed after an update that left autoread out.
    """

    sent: bool
    then: bool | None
    after: bool | None

    @property
    def kept(self) -> bool:
        """Whether the value outlived the update."""
        return self.sent is self.then and self.sent is self.after


def try_omitted(test_device: TestDevice) -> Finding:
    """Set autoread, leave it out, and look. Both values are tried: a default may be on as well as off."""
    rounds: list[Trial] = []
    for value in (True, False):
        test_device.update({"autoread": value})
        then = _autoread(test_device.observe())
        test_device.update({})
        rounds.append(Trial(value, then, _autoread(test_device.observe())))
        if not rounds[-1].kept:
            break
    return conclude_omitted(rounds)


def conclude_omitted(rounds: t.Sequence[Trial]) -> Finding:
    """Return what follows from the rounds, of which only the last may have lost its value."""
    last = rounds[-1]
    if last.then is not last.sent or last.after is None:
        return Finding(
            None,
            f"autoread was set to {_describe_value(last.sent)}, and the list showed it as {_describe_value(last.then)}: run this again later",
        )
    if not last.kept:
        return Finding(
            "resets",
            f"autoread was {_describe_value(last.sent)}, and {_describe_value(last.after)} after an update that left it out",
        )
    if {one.sent for one in rounds} != {True, False}:
        return Finding(None, f"only autoread {_describe_value(last.sent)} was tried")
    return Finding("keeps", "autoread stayed on, and stayed off, through an update that left it out")


def try_update_without_device(test_device: TestDevice) -> Finding:
    """Send an update without the number, and where it is refused the same with it."""
    refusal = refusal_of(lambda: test_device.update_without_number({}))
    if refusal is None:
        return conclude_update_without_device(None, None, test_device.start.number, test_device.observe().number)
    control = refusal_of(lambda: test_device.update({}))
    return conclude_update_without_device(refusal, control, test_device.start.number, test_device.start.number)


def conclude_update_without_device(
    refusal: RefusedError | None, control: RefusedError | None, before: str, after: str
) -> Finding:
    """Return what follows from an update without a number, from one with it, and from the number in the list."""
    if refusal is None and before == after:
        return Finding("works", "an update without the number was taken, and the number stayed")
    if refusal is None:
        return Finding(
            None, f"an update without the number was taken, and the list then showed {after} instead of {before}"
        )
    if refusal.text == "input invalid" and control is None:
        return Finding(
            "refused", f"an update without the number was refused and one with it was not: {refusal.problem}"
        )
    return _not_clean("an update without the number", refusal, control)


def _not_clean(what: str, refusal: RefusedError, control: RefusedError | None) -> Finding:
    told = refusal if control is None else control
    more = "" if control is None else ", and so was an update that nothing was wrong with"
    return Finding(None, f"{what} was refused{more}: {told.problem}")


def try_webhook_probe(test_device: TestDevice) -> Finding:
    """Save a webhook at which nobody can answer."""
    return conclude_webhook_probe(refusal_of(lambda: test_device.update({"webhook": PROBE_URL})))


def conclude_webhook_probe(refusal: RefusedError | None) -> Finding:
    """Return what follows from the reply to a webhook that cannot be reached."""
    if refusal is None:
        return Finding(
            "not_called",
            f"this is concluded from its being taken: the webhook {PROBE_URL} was saved, and nobody can answer there",
        )
    if refusal.kind is RefusalKind.WEBHOOK:
        return Finding("called", f"the webhook {PROBE_URL}, where nobody can answer, was refused: {refusal.problem}")
    return _not_clean(f"the webhook {PROBE_URL}", refusal, None)


def try_empty_webhook(test_device: TestDevice) -> Finding:
    """Clear the webhook, and where that is refused send the same update without it."""
    refusal = refusal_of(lambda: test_device.update({"webhook": ""}))
    control = None if refusal is None else refusal_of(lambda: test_device.update({}))
    return conclude_empty_webhook(refusal, control)


def conclude_empty_webhook(refusal: RefusedError | None, control: RefusedError | None) -> Finding:
    """Return what follows from the reply to an empty webhook, and from that to the same update without it."""
    if refusal is None:
        return Finding("accepted", "an update with an empty webhook was taken")
    if refusal.text == "invalid/empty body value" and control is None:
        return Finding(
            "refused", f"an update with an empty webhook was refused and one without it was not: {refusal.problem}"
        )
    return _not_clean("an update with an empty webhook", refusal, control)


def conclude_add_number(given: str, stored: str) -> Finding:
    """Return what follows from the number that the list shows for a device that was just made."""
    if not given.startswith("0"):
        return Finding(
            None,
            "the number that the device was made with starts with its country: make one with a number that starts with 0",
        )
    because = f"the device was made as {given}, and the list shows it as {stored}"
    if stored == given:
        return Finding("verbatim", because)
    if stored == international(given):
        return Finding("international", because)
    return Finding(None, because)


# What calls are for that belong to no experiment.
CREATION = "add_number"
PREPARATION = "prepare"
RESTORATION = "put back"


@dataclass(frozen=True)
class Experiment:
    """One fact that is found out by writing.

    Attributes:
        fact: Its name.
        what: What it is about, in words.
        calls: The calls that it takes at most, with how often. A list that became too old is requested again.
        run: The experiment.
    """

    fact: str
    what: str
    calls: t.Mapping[str, int]
    run: t.Callable[[TestDevice], Finding]


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment("omitted", "what an update does to a setting that it leaves out", {_UPDATE: 4, _LIST: 8}, try_omitted),
    Experiment(
        "update_without_device",
        "whether an update needs the number",
        {_UPDATE: 2, _LIST: 3},
        try_update_without_device,
    ),
    Experiment(
        "webhook_probe", "whether a webhook is called while it is saved", {_UPDATE: 1, _LIST: 1}, try_webhook_probe
    ),
    Experiment("empty_webhook", "what becomes of an empty webhook", {_UPDATE: 2, _LIST: 2}, try_empty_webhook),
)

CREATION_CALLS: t.Mapping[str, int] = {_ADD: 1, _LIST: 2}
PREPARATION_CALLS: t.Mapping[str, int] = {_LIST: 1}
RESTORATION_CALLS: t.Mapping[str, int] = {_UPDATE: 1, _LIST: 2}


def experiment(one: Experiment, test_device: TestDevice) -> Finding:
    """Make an experiment. An update that is refused though nothing is wrong with it leaves the fact open."""
    test_device.purpose = one.fact
    findings: list[Finding] = []
    refusal = refusal_of(lambda: findings.append(one.run(test_device)))
    if refusal is not None:
        return Finding(None, f"an update that nothing was wrong with was refused: {refusal.problem}")
    return findings[0]
