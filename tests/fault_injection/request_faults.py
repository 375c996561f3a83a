# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a request, as faults of the sandbox."""

from __future__ import annotations

import contextlib
import typing as t
import unittest.mock
from dataclasses import dataclass, field, replace
from email.utils import formatdate

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import transport as _transport

from .fault_interface import Options, Place
from .scenarios import NUMBER, Scene

# The target of a redirect in the table: replaced by the address of a server that must not receive requests.
ELSEWHERE = "ELSEWHERE"


# A number as it is copied from a chat, with an invisible mark for the writing direction.
MARKED = f"\u200e{NUMBER}"

# Short, so that a timeout is quick, but longer than a request on a busy machine.
SLOW_TIMEOUT = 0.15


def _impatience(kind: str) -> tuple[Options, contextlib.AbstractContextManager[object]]:
    """Return options with which a slow response times out quickly, and a patch that they need."""
    if kind == "hang":
        return {"api_timeout": SLOW_TIMEOUT}, contextlib.nullcontext()
    if kind != "trickle":
        return {}, contextlib.nullcontext()
    # The whole request must time out, not a pause between two bytes, since a busy machine has long pauses. So the time
    # for the whole request is reduced, and a read that times out nevertheless is not repeated.
    options: Options = {"api_timeout": 2 * SLOW_TIMEOUT, "api_retries": 0}
    return options, unittest.mock.patch.object(_transport, "MAX_TIMEOUTS_PER_REQUEST", 2)


@dataclass(frozen=True)
class Fault:
    """A response with a fault.

    Attributes:
        kind: The sandbox's name for it, with its arguments.
        when: Whether the service has applied the request before the fault.
        paths: The requests it can happen to; None for all.
        but_not: The module to which it happens only by chance.
        slow: Whether it ends with a timeout, or transfers megabytes: tried once and not for a whole run.
        lasting: Whether it happens to all requests of the run, and not once.
        then_away: Whether the service refuses connections when the run checks the outcome of the request.
    """

    name: str
    kind: str
    when: str
    args: t.Mapping[str, t.Any] = field(default_factory=dict)
    paths: tuple[str, ...] | None = None
    but_not: str = ""
    slow: bool = False
    lasting: bool = False
    then_away: bool = False

    def at(self, scene: Scene) -> bool:
        """Return whether it can happen in a scene."""
        return (self.paths is None or scene.call in self.paths) and scene.module != self.but_not

    @contextlib.contextmanager
    def during(self, scene: Scene, place: Place) -> t.Iterator[Options]:
        """Apply the fault to the requests of the scene."""
        args = {
            name: f"{place.elsewhere.url}{scene.call}" if value == ELSEWHERE else value
            for name, value in self.args.items()
        }
        times = None if self.lasting else 1
        place.sandbox.fault(self.kind, path=scene.call, when=self.when, times=times, args=args)
        if self.then_away:
            # The first list is requested before anything is written, and a second one under the lock.
            listings = 2 if scene.call in IRREVERSIBLE else 1
            place.sandbox.fault("refuse", path="/get-devices", times=None, skip=listings)
        options, impatience = _impatience(self.kind)
        try:
            with impatience:
                yield options
        finally:
            place.sandbox.clear_faults()


IRREVERSIBLE = ("/disconnect", "/delete-device")
WRITES = ("/add-device", "/update-device", *IRREVERSIBLE)
BEFORE, AFTER = "before", "after"
_WHEN = {BEFORE: "not applied", AFTER: "applied"}


def _both(name: str, kind: str, slow: bool = False, **args: t.Any) -> list[Fault]:
    return [Fault(f"{name}, {_WHEN[when]}", kind, when, args, slow=slow) for when in (BEFORE, AFTER)]


def _patience(code: int) -> list[Fault]:
    asked = {
        "without Retry-After": {},
        "with Retry-After: 0": {"Retry-After": "0"},
        "with a Retry-After in the past": {"Retry-After": formatdate(0, usegmt=True)},
        "with a Retry-After that is nonsense": {"Retry-After": "soon"},
        "with a Retry-After of an hour": {"Retry-After": "3600"},
    }
    return [
        Fault(f"HTTP {code} {what}", "status", BEFORE, {"code": code, "headers": headers})
        for what, headers in asked.items()
    ]


FAULTS: tuple[Fault, ...] = (
    *_both("connection reset", "reset"),
    *_both("connection closed without a word", "reset", gentle=True),
    Fault("connection reset in the middle of the reply, applied", "reset", AFTER, {"at": "middle"}),
    *(
        replace(fault, name=f"{fault.name}, then no server listens", paths=WRITES, but_not="doctor", then_away=True)
        for fault in _both("connection reset", "reset")
    ),
    *_both("no reply until the time is up", "hang", slow=True),
    Fault("a reply that trickles, applied", "trickle", AFTER, {"interval": 0.05}, slow=True),
    Fault("headers that trickle, applied", "trickle", AFTER, {"interval": 0.05, "headers": True}, slow=True),
    Fault("half a JSON text, applied", "truncated", AFTER),
    Fault("a body shorter than Content-Length, applied", "truncated", AFTER, {"short": True}),
    *_both("an HTML page with 200", "html"),
    *_both("an HTML page with 503", "html", code=503),
    *_both("an empty body", "empty"),
    *_both("a list instead of an object", "list"),
    *_both("an object without a status", "status", code=200, body={"detail": "hello"}),
    *_both("a status that is neither true nor false", "status", code=200, body={"status": "perhaps"}),
    Fault("data missing", "mutate", AFTER, {"remove": ["data"]}, paths=("/get-devices",)),
    Fault("data that is no list", "mutate", AFTER, {"set": {"data": {"0": {}}}}, paths=("/get-devices",)),
    Fault("devices without a token", "mutate", AFTER, {"remove_each": ["token"]}, paths=("/get-devices",)),
    # The test device of the API behavior check has another number.
    Fault(
        "one number for all devices",
        "mutate",
        AFTER,
        {"set_each": {"device": NUMBER}},
        paths=("/get-devices",),
        but_not="doctor",
    ),
    # A message whose token is refused is sent with the token of a new list.
    Fault(
        "one token for all devices",
        "mutate",
        AFTER,
        {"set_each": {"token": "one-for-all"}},
        paths=("/get-devices",),
        but_not="message",
    ),
    Fault("numbers with invisible marks", "mutate", AFTER, {"set_each": {"device": MARKED}}, paths=("/get-devices",)),
    Fault("quota: null", "mutate", AFTER, {"set_each": {"quota": None}}, paths=("/get-devices",)),
    Fault(
        "numbers, names and flags of wrong types",
        "mutate",
        AFTER,
        {"set_each": {"name": ["x"], "status": 7, "autoread": "maybe", "expired": "never"}},
        paths=("/get-devices",),
    ),
    Fault("fields of wrong types", "mutate", AFTER, {"set": {"name": 5, "device": None}}, paths=("/device",)),
    Fault("a token that is missing, applied", "mutate", AFTER, {"remove": ["token"]}, paths=("/add-device",)),
    Fault(
        "half a picture, and no code, applied",
        "mutate",
        AFTER,
        {"set": {"url": "iVBORw0KGgoAAAANSUhEUgAAASgAAAEo", "code": "?"}},
        paths=("/qr",),
    ),
    Fault("50 MB of body, not applied", "huge", BEFORE, {"megabytes": 50}, slow=True),
    Fault("50 MB of body in chunks, not applied", "huge", BEFORE, {"megabytes": 50, "chunked": True}, slow=True),
    *_patience(429),
    *_patience(503),
    *(fault for code in (500, 502, 504) for fault in _both(f"HTTP {code}", "status", code=code)),
    Fault("HTTP 404 with an HTML page, not applied", "html", BEFORE, {"code": 404}),
    *_both("a redirect to another host", "redirect", location=ELSEWHERE),
    *_both("a redirect that keeps the method", "redirect", location=ELSEWHERE, code=307),
    Fault(
        "a refusal in unknown words", "status", BEFORE, {"code": 200, "body": {"status": False, "reason": "not now"}}
    ),
    # Whether the connection is still open for the next request is a race. A module that loses it checks again; the API
    # behavior check never retries.
    Fault("the connection is closed while idle, applied", "close_idle", AFTER, but_not="doctor"),
)
# The same faults for all requests of a run, except where the run would not end.
LASTING: tuple[Fault, ...] = tuple(
    replace(fault, lasting=True) for fault in FAULTS if not fault.slow and not fault.then_away
)
