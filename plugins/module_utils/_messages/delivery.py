# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Wait until Fonnte reports that queued messages are sent or delivered.

The request /status returns the state of one message. It is repeated in rounds with growing pauses, for the messages
that have not reached the state of the option ``wait``. The messages are queued in any case, so each error states that.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._common.clock import Timer
from .._common.errors import FonnteError, MalformedResponseError, OptionError, RefusalKind, RefusedError, RequestError
from .._common.redaction import truncate

WAIT_STATES = QUEUED, SENT, DELIVERED = "queued", "sent", "delivered"
# The states of Fonnte, in lowercase, that a value of the option ``wait`` accepts.
_ACCEPTED = {SENT: frozenset({"sent", "delivered", "read"}), DELIVERED: frozenset({"delivered", "read"})}
# The states that no other one follows, in which a message is not sent.
_UNDELIVERABLE = frozenset({"expired", "invalid", "failed", "url unreachable"})

# The pauses between two rounds, in seconds: each is twice as long as the one before it.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
# The last round begins when the time is over. A slow service gets this much longer for it, and one request.
LAST_ROUND_SECONDS = 10.0

MIN_TIMEOUT, MAX_TIMEOUT = 1.0, 86400.0
# HTTP statuses of a web server that does not know the request any more.
_GONE = frozenset({404, 405, 410})
_MAX_SHOWN_MESSAGES = 3
_MAX_SHOWN_STATE_LENGTH = 40
_SENDS_AGAIN = "check it in the dashboard, and run the task again only to send the message a second time"

States = t.Dict[str, t.Optional[str]]


@dataclass(frozen=True)
class Waiting:
    """A validated wait.

    Attributes:
        state: ``sent`` or ``delivered``.
        timeout: The seconds after which a message that has not reached the state is an error.
    """

    state: str
    timeout: float


def read_waiting(state: str, timeout: float, form: t.Mapping[str, str], targets: int) -> Waiting | None:
    """Return the wait that the options of a task describe; None if the task only queues the message.

    Args:
        state: The option ``wait``.
        timeout: The option ``wait_timeout``, in seconds.
        form: The form fields of the message.
        targets: The number of targets.

    Raises:
        OptionError: The message cannot reach the state in this time.
    """
    if state == QUEUED:
        return None
    if "schedule" in form:
        raise OptionError(
            "wait",
            "schedule is set as well, and a task does not wait until a scheduled time",
            "remove one of the two: webhook_status of the device also reports the delivery",
        )
    seconds = _least_delay(form, targets)
    if seconds >= timeout:
        raise OptionError(
            "wait_timeout",
            f"it is {timeout:g} s, and with delay and follow_up the last message is sent after {seconds} s",
            "set a longer time, or set wait: queued",
        )
    return Waiting(state, timeout)


def _least_delay(form: t.Mapping[str, str], targets: int) -> int:
    """Return the seconds after which the last message is sent at the earliest."""
    if form.get("sequence") == "true":
        return 0
    least, _dash, _most = form.get("delay", "0").partition("-")
    return int(form.get("followup", "0")) + int(least) * (targets - 1)


def start_states(ids: t.Sequence[str | None], targets: int) -> States:
    """Return the states before the first request.

    Args:
        ids: The IDs in the response to /send.
        targets: The number of targets.

    Raises:
        FonnteError: A message has no ID, so its state cannot be read.
    """
    states: States = {name: None for name in ids if name is not None}
    if len(states) != targets or len(ids) != targets:
        raise FonnteError(
            f"the message was queued, but the response has {len(states)} IDs for {targets} targets, so the delivery "
            "cannot be checked",
            _SENDS_AGAIN,
        )
    return states


@dataclass
class DeliveryWatch:
    """Waits until each of some queued messages has reached a state.

    Attributes:
        waiting: The state to wait for, and how long.
        states: The last state of each message by its ID, in Fonnte's words; None before the first one.
        read_state: Requests the state of the message with an ID.
        require_waiter: Raises an error if no process waits for the result any more.
    """

    waiting: Waiting
    states: States
    read_state: t.Callable[[str], str] = field(repr=False)
    require_waiter: t.Callable[[], None] = field(repr=False)
    timer: Timer = field(default_factory=Timer, repr=False)

    def run(self) -> None:
        """Wait. A failed request is repeated until the time is over.

        Raises:
            FonnteError: A message has not reached the state; it is queued nevertheless.
        """
        end = self.timer.clock() + self.waiting.timeout
        pause = FIRST_PAUSE
        fault: RequestError | None = None
        while True:
            self.require_waiter()
            self.timer.pause(max(0.0, min(pause, end - self.timer.clock())))
            pause = min(2 * pause, LONGEST_PAUSE)
            is_last = self.timer.clock() >= end
            fault = self._read_states(end + LAST_ROUND_SECONDS)
            if is_last or not self._unfinished():
                break
        refused = [name for name in self.states if self._word(name) in _UNDELIVERABLE]
        if refused:
            raise FonnteError(
                f"{self._queued()}, but will not be delivered: {self._describe(refused)}",
                "check the target and the sending device in the dashboard; a second run sends the message again",
            )
        if self._unfinished():
            raise self._timeout(fault)

    def _read_states(self, limit: float) -> RequestError | None:
        """Request the state of each unfinished message; return the last error that a later request may resolve.

        Args:
            limit: The time after which no further request of this round is sent.
        """
        fault = None
        for name in self._unfinished():
            if self.timer.clock() >= limit:
                break
            try:
                self.states[name] = self.read_state(name)
            except RequestError as exc:
                self._raise_if_final(exc)
                fault = exc
        return fault

    def _raise_if_final(self, fault: RequestError) -> None:
        if isinstance(fault, MalformedResponseError) and fault.status in _GONE:
            raise FonnteError(
                f"{self._queued()}, but Fonnte does not report its state: the request /status does not exist any more "
                f"(HTTP {fault.status})",
                "set wait: queued, and use webhook_status of the device; a second run sends the message again",
            ) from None
        if isinstance(fault, RefusedError) and fault.kind is not RefusalKind.UNKNOWN:
            raise FonnteError(
                f"{self._queued()}, but its state cannot be read: {fault.problem}", f"{fault.advice}; {_SENDS_AGAIN}"
            ) from None

    def _word(self, name: str) -> str:
        # The documentation of /status writes the states with a capital letter, its sample without one.
        return (self.states[name] or "").lower()

    def _unfinished(self) -> list[str]:
        """Return the IDs of the messages whose state can still change in a way that matters."""
        final = _ACCEPTED[self.waiting.state] | _UNDELIVERABLE
        return [name for name in self.states if self._word(name) not in final]

    # Sentences

    def _timeout(self, fault: RequestError | None) -> FonnteError:
        trouble = f", and the last request failed ({fault.problem})" if fault else ""
        return FonnteError(
            f"{self._queued()}, but not reported as {self.waiting.state} within {self.waiting.timeout:g} s: "
            f"{self._describe(self._unfinished())}{trouble}",
            _SENDS_AGAIN,
        )

    def _queued(self) -> str:
        start = (
            "the message was queued with the ID" if len(self.states) == 1 else "the messages were queued with the IDs"
        )
        return f"{start} {_shorten(list(self.states))}"

    def _describe(self, names: list[str]) -> str:
        """Return messages with their states, as in: 80367170 is "pending"."""
        states = {name: self.states[name] for name in names}
        return _shorten(
            [
                f"the state of {name} is unknown"
                if state is None
                else f'{name} is "{truncate(state, _MAX_SHOWN_STATE_LENGTH)}"'
                for name, state in states.items()
            ]
        )


def _shorten(words: list[str]) -> str:
    more = len(words) - _MAX_SHOWN_MESSAGES
    return ", ".join(words) if more <= 0 else f"{', '.join(words[:_MAX_SHOWN_MESSAGES])} and {more} more"
