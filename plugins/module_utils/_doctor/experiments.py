# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The experiments on a test device, one for each fact, and the conclusions from their responses.

An experiment sends its requests and passes the responses to a conclusion, which is a pure function. A fact is only
reported after clear responses; any other response is reported as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common.errors import (
    RefusalKind,
    RefusedError,
)
from .._common.phone_numbers import international, same_number
from .device_under_test import PROBE_URL, TestDevice, _autoread, _describe_value
from .journal import _ADD, _LIST, _UPDATE, JournalingClient, refusal_of

if t.TYPE_CHECKING:
    from .._device.models import Device


@dataclass(frozen=True)
class Finding:
    """The result of an experiment.

    Attributes:
        value: The fact; None if it was not found out.
        reason: How it is known, or why it is unknown and how to find it out. A sentence without its full stop.
    """

    value: str | int | None
    reason: str


# --- experiments that only read -----------------------------------------------------------------------------------


def try_refusal_status(calls: JournalingClient, token: str, number: str | None) -> Finding:
    """Send a request that must be refused and does no harm: a list with the token of a device."""
    return conclude_refusal_status(refusal_of(lambda: calls.listing(token, number, "refusal_status")))


def conclude_refusal_status(refusal: RefusedError | None) -> Finding:
    """Return the conclusion from the response to a list that was requested with the token of a device."""
    if refusal is None:
        return Finding(None, "a device's token was not refused where an account's token is required")
    if refusal.kind is not RefusalKind.INVALID_TOKEN or refusal.status is None:
        return Finding(None, f"a device's token was refused with an unknown error: {refusal.problem}")
    return Finding(refusal.status, f"a device's token was refused with HTTP {refusal.status}: {refusal.problem}")


def try_profile_number(calls: JournalingClient, listed: Device) -> Finding:
    """Compare the number of a profile with the registered number."""
    shown: list[Device] = []
    refusal = refusal_of(lambda: shown.append(calls.profile(listed.token, listed.number, "profile_number")))
    if refusal is not None:
        return Finding(None, f"the profile of device {listed.number} was refused: {refusal.problem}")
    return conclude_profile_number(shown[0].number, listed.number, shown[0].connected)


def conclude_profile_number(shown: str, registered: str, connected: bool | None) -> Finding:
    """Return the conclusion from the number that a profile shows."""
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
    """One attempt to leave out autoread.

    Attributes:
        sent: The value that was set.
        then: The value that the list showed after that.
        after: The value that the list showed after an update without autoread.
    """

    sent: bool
    then: bool | None
    after: bool | None

    @property
    def kept(self) -> bool:
        """Whether the value is unchanged after the update."""
        return self.sent is self.then and self.sent is self.after


def try_omitted(test_device: TestDevice) -> Finding:
    """Set autoread, leave it out, and read it. Both values are tried, because the default is unknown."""
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
    """Return the conclusion from the trials, of which only the last may have lost its value."""
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
    """Send an update without the number; if it is refused, send the same update with it."""
    refusal = refusal_of(lambda: test_device.update_without_number({}))
    if refusal is None:
        return conclude_update_without_device(None, None, test_device.start.number, test_device.observe().number)
    control = refusal_of(lambda: test_device.update({}))
    return conclude_update_without_device(refusal, control, test_device.start.number, test_device.start.number)


def conclude_update_without_device(
    refusal: RefusedError | None, control: RefusedError | None, before: str, after: str
) -> Finding:
    """Return the conclusion from an update without a number, from one with it, and from the number in the list."""
    if refusal is None and before == after:
        return Finding("works", "an update without the number was accepted, and the number did not change")
    if refusal is None:
        return Finding(
            None, f"an update without the number was accepted, and the list then showed {after} instead of {before}"
        )
    if refusal.text == "input invalid" and control is None:
        return Finding(
            "refused", f"an update without the number was refused and one with it was not: {refusal.problem}"
        )
    return _not_clean("an update without the number", refusal, control)


def _not_clean(what: str, refusal: RefusedError, control: RefusedError | None) -> Finding:
    reported = refusal if control is None else control
    more = "" if control is None else ", and so was a valid update"
    return Finding(None, f"{what} was refused{more}: {reported.problem}")


def try_webhook_probe(test_device: TestDevice) -> Finding:
    """Save a webhook at which no server can respond."""
    return conclude_webhook_probe(refusal_of(lambda: test_device.update({"webhook": PROBE_URL})))


def conclude_webhook_probe(refusal: RefusedError | None) -> Finding:
    """Return the conclusion from the response to a webhook that cannot be reached."""
    if refusal is None:
        return Finding(
            "not_called",
            f"this is concluded from its acceptance: the webhook {PROBE_URL} was saved, and no server can "
            "respond there",
        )
    if refusal.kind is RefusalKind.WEBHOOK:
        return Finding(
            "called", f"the webhook {PROBE_URL}, where no server can respond, was refused: {refusal.problem}"
        )
    return _not_clean(f"the webhook {PROBE_URL}", refusal, None)


def try_empty_webhook(test_device: TestDevice) -> Finding:
    """Clear the webhook; if that is refused, send the same update without it."""
    refusal = refusal_of(lambda: test_device.update({"webhook": ""}))
    control = None if refusal is None else refusal_of(lambda: test_device.update({}))
    return conclude_empty_webhook(refusal, control)


def conclude_empty_webhook(refusal: RefusedError | None, control: RefusedError | None) -> Finding:
    """Return the conclusion from the responses to an empty webhook, and to the same update without it."""
    if refusal is None:
        return Finding("accepted", "an update with an empty webhook was accepted")
    if refusal.text == "invalid/empty body value" and control is None:
        return Finding(
            "refused", f"an update with an empty webhook was refused and one without it was not: {refusal.problem}"
        )
    return _not_clean("an update with an empty webhook", refusal, control)


def conclude_add_number(given: str, stored: str) -> Finding:
    """Return the conclusion from the number that the list shows for a device that was just created."""
    if not given.startswith("0"):
        return Finding(
            None,
            "the number that the device was created with starts with the code of its country: create one with a "
            "number that starts with 0",
        )
    because = f"the device was created as {given}, and the list shows it as {stored}"
    if stored == given:
        return Finding("verbatim", because)
    if stored == international(given):
        return Finding("international", because)
    return Finding(None, because)


# The purposes of requests that belong to no experiment.
CREATION = "add_number"
PREPARATION = "prepare"


@dataclass(frozen=True)
class Experiment:
    """An experiment that finds out one fact by writing.

    Attributes:
        fact: The name of the fact.
        what: The fact in words.
        calls: The paths of its requests, each with the most times that it is sent. A list that became too old is
            requested again.
        run: The experiment.
    """

    fact: str
    what: str
    calls: t.Mapping[str, int]
    run: t.Callable[[TestDevice], Finding]


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "omitted", "the effect of an update on a setting that it leaves out", {_UPDATE: 4, _LIST: 8}, try_omitted
    ),
    Experiment(
        "update_without_device",
        "whether an update needs the number",
        {_UPDATE: 2, _LIST: 3},
        try_update_without_device,
    ),
    Experiment(
        "webhook_probe", "whether a webhook is called while it is saved", {_UPDATE: 1, _LIST: 1}, try_webhook_probe
    ),
    Experiment("empty_webhook", "the effect of an empty webhook", {_UPDATE: 2, _LIST: 2}, try_empty_webhook),
)

CREATION_CALLS: t.Mapping[str, int] = {_ADD: 1, _LIST: 2}
PREPARATION_CALLS: t.Mapping[str, int] = {_LIST: 1}
RESTORATION_CALLS: t.Mapping[str, int] = {_UPDATE: 1, _LIST: 2}


def experiment(one: Experiment, test_device: TestDevice) -> Finding:
    """Run an experiment. If a valid update is refused, the fact remains unknown."""
    test_device.purpose = one.fact
    findings: list[Finding] = []
    refusal = refusal_of(lambda: findings.append(one.run(test_device)))
    if refusal is not None:
        return Finding(None, f"a valid update was refused: {refusal.problem}")
    return findings[0]
