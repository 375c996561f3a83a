# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""What becomes of a webhook that arrives: taken, known already, refused; and the count of it all.

Nothing here waits or opens a socket, so every decision is made at once and whole. What is answered with
200 is either in the waiting line, or was counted as something that nobody waits for.
"""

from __future__ import annotations

import collections
import hashlib
import json
import time
import typing as t
from dataclasses import dataclass, field

from .._common.phone_numbers import canonical
from .connections import OUTCOMES
from .payload import Event, PayloadError, event_of, is_probe, read_body
from .reader import log_safe

# All events in the waiting line together: an event may be as large as a body, and the line is long. They wait as
# bytes, since Python needs up to 20 times as many for the objects that a body holds.
MAX_WAITING_BYTES = 16 * 1024 * 1024
# Of how many messages the number is remembered, for calls that name a message's state and nothing else.
MAX_MESSAGES = 10_000
# A number or an id of a message that is longer than this is not remembered.
MAX_ID_LENGTH = 64
# A sender of nonsense must not fill the log.
MAX_REASONS = 20


@dataclass(frozen=True)
class Decision:
    """What is answered, and under which name it is counted."""

    status: int
    outcome: str
    text: str


ACCEPTED = Decision(200, "accepted", "accepted")
DUPLICATE = Decision(200, "duplicate", "known already")
PROBE = Decision(200, "probe", "this URL takes webhooks")
# Fonnte tries again after any other answer than 200, and trying again would change nothing.
OTHER_DEVICE = Decision(200, "other_device", "not one of the devices")
NOT_JSON = Decision(400, "not_json", "a JSON object is expected")
NOT_FOUND = Decision(404, "not_found", "not found")
NOT_POST = Decision(405, "not_post", "POST is expected")
TOO_SLOW = Decision(408, "too_slow", "the body did not arrive in time")
TOO_LARGE = Decision(413, "too_large", "the body is too large")
ENCODED = Decision(415, "encoded", "the body must not be compressed")
NOT_UNDERSTOOD = Decision(422, "not_understood", "this is none of Fonnte's webhooks")
NOT_HTTP = Decision(400, "not_http", "this is no HTTP request for a path")
# A mistake of ours was in the way.
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
    """What was accepted lately; bounded in time and in number."""

    def __init__(self, seconds: float, most: int, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._since: collections.OrderedDict[bytes, float] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def knows(self, identity: bytes) -> bool:
        """Tell whether it was accepted within the window."""
        self._forget_old()
        return identity in self._since

    def remember(self, identity: bytes) -> None:
        """Take note that it is accepted now."""
        self._since[identity] = self._clock()
        if len(self._since) > self._most:
            self._since.popitem(last=False)

    def forget(self, identity: bytes) -> None:
        """Let it come again."""
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
    """What an intake takes, and how much.

    Attributes:
        numbers: The devices, as key_of has them; empty is any.
        waiting: How many events may wait.
        duplicates_within: Seconds in which an event that comes again is the same.
        duplicates_kept: How many events are remembered for it at most.
        return_tokens: Whether events hold the device's token.
        secrets: What no event shows, such as the secret of the URL.
    """

    numbers: frozenset[str] = frozenset()
    waiting: int = 1000
    duplicates_within: float = 1200.0
    duplicates_kept: int = 20_000
    return_tokens: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


class EventReceiver:
    """The line of events that wait for the rules, and all that is counted."""

    def __init__(self, limits: Limits, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._window = DedupWindow(limits.duplicates_within, limits.duplicates_kept, clock)
        self._messages: collections.OrderedDict[bytes, tuple[str, str | None]] = collections.OrderedDict()
        self._waiting: collections.deque[tuple[bytes, bytes]] = collections.deque()
        self._bytes = 0
        self._taken = 0
        self._counts: collections.Counter[str] = collections.Counter()
        self._reported: collections.Counter[str] = collections.Counter()
        self._connections: collections.Counter[str] = collections.Counter()
        self._connections_reported: collections.Counter[str] = collections.Counter()
        self._reasons: dict[str, None] = {}
        self.stopping = False

    # --- what arrives ---

    def receive(self, body: bytes, kind: str | None = None) -> Decision:
        """Decide on a body that was posted to the secret path, and count it.

        Args:
            body: All of it.
            kind: Which of the four kinds it is, where the path says so.
        """
        try:
            return self.count(self._decide(read_body(body), kind))
        except PayloadError as error:
            if error.readable and len(self._reasons) < MAX_REASONS:
                self._reasons[error.problem] = None
            return self.count(NOT_UNDERSTOOD if error.readable else NOT_JSON)

    def count(self, answer: Decision) -> Decision:
        """Count an answer, and return it."""
        self._counts[answer.outcome] += 1
        return answer

    def count_connection(self, outcome: str) -> None:
        """Count a connection that ended without an answer, by one of the listener's outcomes."""
        self._connections[outcome] += 1

    def _decide(self, payload: dict[str, t.Any], kind: str | None) -> Decision:
        if self.stopping:
            return STOPPING
        if is_probe(payload):
            return PROBE
        event = self._completed(event_of(payload, kind, self._limits.return_tokens, self._limits.secrets))
        if self._limits.numbers and event.data["number"] not in (None, *self._limits.numbers):
            return OTHER_DEVICE
        if self._window.knows(event.identity):
            return DUPLICATE
        packed = json.dumps(event.data, ensure_ascii=False).encode("utf-8")
        # A single event always has room, whatever the limit of a body.
        too_many_bytes = bool(self._waiting) and self._bytes + len(packed) > MAX_WAITING_BYTES
        if len(self._waiting) >= self._limits.waiting or too_many_bytes:
            # Not remembered: when it comes again it is as good as new.
            return FULL
        self._window.remember(event.identity)
        if event.ends is not None:
            self._window.forget(event.ends)
        self._waiting.append((packed, event.identity))
        self._bytes += len(packed)
        return ACCEPTED

    def _completed(self, event: Event) -> Event:
        """Return a message's state with its device: only the first of several calls names it."""
        state_id = event.data.get("state_id")
        if state_id is None:
            return event
        # A digest: an id may be as long as a body.
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

    # --- what goes on to the rules ---

    def first(self) -> Event | None:
        """Return the event that is next; it stays in the line until it is taken."""
        return _unpacked(*self._waiting[0]) if self._waiting else None

    def acknowledge(self) -> None:
        """The rules have taken the first event."""
        packed, _identity = self._waiting.popleft()
        self._bytes -= len(packed)
        self._taken += 1

    def above_high_water(self) -> bool:
        """Tell whether callers should be held back."""
        return 2 * len(self._waiting) > self._limits.waiting or 2 * self._bytes > MAX_WAITING_BYTES

    def waiting(self) -> t.Iterator[Event]:
        """Iterate over the events that were accepted and not taken, oldest first."""
        return (_unpacked(packed, identity) for packed, identity in self._waiting)

    # --- what is told ---

    def counts(self) -> dict[str, t.Any]:
        """Return all counts. received = accepted + duplicates + probes + all refused; accepted = taken + waiting."""
        refused = {answer.outcome: self._counts[answer.outcome] for answer in REFUSALS}
        return {
            "received": sum(self._counts.values()),
            "accepted": self._counts[ACCEPTED.outcome],
            "taken": self._taken,
            "waiting": len(self._waiting),
            "duplicates": self._counts[DUPLICATE.outcome],
            "probes": self._counts[PROBE.outcome],
            "refused": refused,
            "connections": {outcome: self._connections[outcome] for outcome in OUTCOMES},
        }

    def report(self) -> tuple[str, bool] | None:
        """Return what happened since the last report, and whether anything was refused; None if nothing happened."""
        since = self._counts - self._reported
        ended = self._connections - self._connections_reported
        if not since and not ended:
            return None
        self._reported = collections.Counter(self._counts)
        self._connections_reported = collections.Counter(self._connections)
        text = f"since the last report: {_listed(since) or 'no call'}; {len(self._waiting)} waiting"
        if ended:
            text += f"; connections closed without an answer: {_listed(ended)}"
        if self._reasons:
            text += "; not understood: " + "; ".join(log_safe_reason(reason) for reason in self._reasons)
            self._reasons.clear()
        return text, bool(ended) or any(since[answer.outcome] for answer in REFUSALS)


def _unpacked(packed: bytes, identity: bytes) -> Event:
    return Event(json.loads(packed), identity)


def _listed(counts: collections.Counter[str]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts))


def log_safe_reason(reason: str) -> str:
    """Return the reason of a refusal, as a log may hold it."""
    return " ".join(log_safe(word) for word in reason.split(" "))
