# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The receiver of webhooks: it accepts, recognizes duplicates, refuses, and counts.

Nothing in this file waits or opens a socket, so each decision is immediate and complete. An event that is answered with
200 is in the queue, or was counted as a request that needs no processing.
"""

from __future__ import annotations

import collections
import hashlib
import json
import time
import typing as t
from dataclasses import dataclass, field

from .._common.phone_numbers import canonical
from .._common.spellings import SecretFinder
from .connections import OUTCOMES
from .payload import Event, PayloadError, event_of, is_probe, read_body
from .reader import log_safe
from .secret_counts import SecretCounts

# The limit for all queued events, because the queue is long and an event may be as large as a body. Events are queued
# as bytes, because Python objects need up to 20 times as much memory.
MAX_WAITING_BYTES = 16 * 1024 * 1024
# The number of messages whose device is remembered, for requests with a message's state that do not contain the device.
MAX_MESSAGES = 10_000
# A longer number or ID of a message is not remembered.
MAX_ID_LENGTH = 64
# Limits the log entries that invalid requests cause.
MAX_REASONS = 20


@dataclass(frozen=True)
class Decision:
    """The response to a request, and the outcome by which it is counted."""

    status: int
    outcome: str
    text: str


ACCEPTED = Decision(200, "accepted", "accepted")
DUPLICATE = Decision(200, "duplicate", "already received")
PROBE = Decision(200, "probe", "this URL accepts webhooks")
# Fonnte repeats a request after any response but 200, and repeating these would have no effect.
OTHER_DEVICE = Decision(200, "other_device", "not one of the devices")
OWN_MESSAGE = Decision(200, "own_message", "a message that the device itself has sent")
NOT_JSON = Decision(400, "not_json", "a JSON object is expected")
NOT_FOUND = Decision(404, "not_found", "not found")
NOT_POST = Decision(405, "not_post", "POST is expected")
TOO_SLOW = Decision(408, "too_slow", "the body did not arrive in time")
TOO_LARGE = Decision(413, "too_large", "the body is too large")
ENCODED = Decision(415, "encoded", "the body must not be compressed")
NOT_UNDERSTOOD = Decision(422, "not_understood", "this is not a webhook of Fonnte")
NOT_HTTP = Decision(400, "not_http", "this is not an HTTP request for a path")
# An internal error.
FAILED = Decision(500, "failed", "")
FULL = Decision(503, "full", "try again later")
STOPPING = Decision(503, "stopping", "try again later")

REFUSALS = (
    OTHER_DEVICE,
    NOT_JSON,
    NOT_FOUND,
    NOT_POST,
    TOO_SLOW,
    TOO_LARGE,
    ENCODED,
    NOT_UNDERSTOOD,
    NOT_HTTP,
    FAILED,
    FULL,
    STOPPING,
)


class DedupWindow:
    """The identities of recently accepted events, limited in time and number."""

    def __init__(self, seconds: float, most: int, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._since: collections.OrderedDict[bytes, float] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def knows(self, identity: bytes) -> bool:
        """Return whether an event was accepted within the window."""
        self._forget_old()
        return identity in self._since

    def remember(self, identity: bytes) -> None:
        """Store that an event is accepted now."""
        self._since[identity] = self._clock()
        if len(self._since) > self._most:
            self._since.popitem(last=False)

    def forget(self, identity: bytes) -> None:
        """Remove an event, so that it can be accepted again."""
        self._since.pop(identity, None)

    def _forget_old(self) -> None:
        oldest = self._clock() - self._seconds
        while self._since:
            identity, since = next(iter(self._since.items()))
            if since > oldest:
                return
            del self._since[identity]


@dataclass(frozen=True)
class Limits:
    """The limits and filters of a receiver.

    Attributes:
        numbers: The canonical numbers of the accepted devices; empty for all.
        waiting: The maximum number of queued events.
        duplicates_within: The seconds within which an identical event counts as a duplicate.
        duplicates_kept: The maximum number of events that are remembered for this.
        return_tokens: Whether events contain the token of the device.
        secrets: Secrets that are masked in all events: those of the URL.
        keep_own_messages: Whether the messages of the device itself become events.
    """

    numbers: frozenset[str] = frozenset()
    waiting: int = 1000
    duplicates_within: float = 1200.0
    duplicates_kept: int = 20_000
    return_tokens: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)
    keep_own_messages: bool = False


class EventReceiver:
    """The queue of events for the rules, with counts of all requests."""

    def __init__(
        self,
        limits: Limits,
        clock: t.Callable[[], float] = time.monotonic,
        accepted: t.Callable[[object, str], None] | None = None,
    ) -> None:
        """Create an empty queue.

        Args:
            limits: The limits and filters.
            clock: The clock of all time limits.
            accepted: Takes the number and the kind of each accepted event that is no own message.
        """
        self._limits = limits
        self._accepted = accepted
        self._window = DedupWindow(limits.duplicates_within, limits.duplicates_kept, clock)
        self._messages: collections.OrderedDict[bytes, tuple[str, str | None]] = collections.OrderedDict()
        self._waiting: collections.deque[tuple[bytes, bytes]] = collections.deque()
        self._bytes = 0
        self._taken = 0
        self._counts: collections.Counter[str] = collections.Counter()
        self._reported: collections.Counter[str] = collections.Counter()
        self._connections: collections.Counter[str] = collections.Counter()
        self._secrets = SecretCounts(len(limits.secrets), clock)
        self._connections_reported: collections.Counter[str] = collections.Counter()
        self._reasons: dict[str, None] = {}
        self.stopping = False

    # --- incoming requests ---

    def receive(self, body: bytes, kind: str | None = None) -> Decision:
        """Decide on a body that was posted to the secret path, and count the decision.

        Args:
            body: The complete body.
            kind: The kind of the event, if the path names it.
        """
        try:
            return self.count(self._decide(read_body(body), kind))
        except PayloadError as error:
            if error.readable and len(self._reasons) < MAX_REASONS:
                # The name of a key may contain the secret of the URL.
                self._reasons[SecretFinder(self._limits.secrets).mask(error.problem)] = None
            return self.count(NOT_UNDERSTOOD if error.readable else NOT_JSON)

    def count(self, answer: Decision) -> Decision:
        """Count a decision, and return it."""
        self._counts[answer.outcome] += 1
        return answer

    def count_secret(self, index: int) -> None:
        """Count a request that has a secret, by its place in the option."""
        self._secrets.count(index)

    def count_connection(self, outcome: str) -> None:
        """Count a connection that ended without a response, by its outcome."""
        self._connections[outcome] += 1

    def _decide(self, payload: dict[str, t.Any], kind: str | None) -> Decision:
        if self.stopping:
            return STOPPING
        if is_probe(payload):
            return PROBE
        event = self._completed(event_of(payload, kind, self._limits.return_tokens, self._limits.secrets))
        if self._limits.numbers and event.data["number"] not in (None, *self._limits.numbers):
            return OTHER_DEVICE
        if event.data["outgoing"] and not self._limits.keep_own_messages:
            return OWN_MESSAGE
        if self._window.knows(event.identity):
            return DUPLICATE
        packed = json.dumps(event.data, ensure_ascii=False).encode("utf-8")
        # A single event is always accepted, so that the body limit alone decides on it.
        too_many_bytes = bool(self._waiting) and self._bytes + len(packed) > MAX_WAITING_BYTES
        if len(self._waiting) >= self._limits.waiting or too_many_bytes:
            # The event is not remembered, so a later delivery of it is accepted.
            return FULL
        self._window.remember(event.identity)
        if event.ends is not None:
            self._window.forget(event.ends)
        self._waiting.append((packed, event.identity))
        self._bytes += len(packed)
        if self._accepted is not None and not event.data["outgoing"]:
            self._accepted(event.data["number"], event.kind)
        return ACCEPTED

    def _completed(self, event: Event) -> Event:
        """Add the device to a message's state: only the first of several requests contains it."""
        state_id = event.data.get("state_id")
        if state_id is None:
            return event
        # A digest limits the memory: an ID may be as long as a body.
        key = hashlib.blake2b(state_id.encode("utf-8"), digest_size=16).digest()
        device, message_id = event.data["device"], event.data["message_id"]
        if device is not None:
            self._remember(key, device, message_id)
        elif key in self._messages:
            device, message_id = self._messages[key]
            known = {"device": device, "number": canonical(device)}
            return Event({**event.data, **known, "message_id": event.data["message_id"] or message_id}, event.identity)
        return event

    def _remember(self, key: bytes, device: str, message_id: str | None) -> None:
        self._messages.pop(key, None)
        if len(device) > MAX_ID_LENGTH or len(message_id or "") > MAX_ID_LENGTH:
            return
        self._messages[key] = (device, message_id)
        if len(self._messages) > MAX_MESSAGES:
            self._messages.popitem(last=False)

    # --- events for the rules ---

    def first(self) -> Event | None:
        """Return the next event, without removing it from the queue; None if the queue is empty."""
        return _unpacked(*self._waiting[0]) if self._waiting else None

    def acknowledge(self) -> None:
        """Remove the first event, after the rules have taken it."""
        packed, _identity = self._waiting.popleft()
        self._bytes -= len(packed)
        self._taken += 1

    def above_high_water(self) -> bool:
        """Return whether responses should be delayed to slow down the clients."""
        return 2 * len(self._waiting) > self._limits.waiting or 2 * self._bytes > MAX_WAITING_BYTES

    def waiting(self) -> t.Iterator[Event]:
        """Iterate over the accepted events that the rules have not taken, oldest first."""
        return (_unpacked(packed, identity) for packed, identity in self._waiting)

    # --- reports ---

    def counts(self) -> dict[str, t.Any]:
        """Return all counts.

        received = accepted + duplicates + probes + own_messages + all refused; accepted = taken + waiting.
        """
        refused = {answer.outcome: self._counts[answer.outcome] for answer in REFUSALS}
        return {
            "received": sum(self._counts.values()),
            "accepted": self._counts[ACCEPTED.outcome],
            "taken": self._taken,
            "waiting": len(self._waiting),
            "duplicates": self._counts[DUPLICATE.outcome],
            "probes": self._counts[PROBE.outcome],
            "own_messages": self._counts[OWN_MESSAGE.outcome],
            "refused": refused,
            "connections": {outcome: self._connections[outcome] for outcome in OUTCOMES},
            "secrets": self._secrets.as_data(),
        }

    def report(self) -> tuple[str, bool] | None:
        """Return the counts since the last report, and whether anything was refused; None if nothing has happened."""
        since = self._counts - self._reported
        ended = self._connections - self._connections_reported
        if not since and not ended:
            return None
        self._reported = collections.Counter(self._counts)
        self._connections_reported = collections.Counter(self._connections)
        text = f"since the last report: {_listed(since) or 'no request'}; {len(self._waiting)} waiting"
        by_secret = self._secrets.report()
        if by_secret:
            text += f"; {by_secret}"
        if ended:
            text += f"; connections closed without a response: {_listed(ended)}"
        if self._reasons:
            text += "; not understood: " + "; ".join(log_safe_reason(reason) for reason in self._reasons)
            self._reasons.clear()
        return text, bool(ended) or any(since[answer.outcome] for answer in REFUSALS)


def _unpacked(packed: bytes, identity: bytes) -> Event:
    return Event(json.loads(packed), identity)


def _listed(counts: collections.Counter[str]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts))


def log_safe_reason(reason: str) -> str:
    """Return the reason of a refusal in a form for logs."""
    return " ".join(log_safe(word) for word in reason.split(" "))
