# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Fonnte's webhooks: the kinds of events are detected, and payloads are converted to one format.

One of the four kinds is not documented, and the others only in part. So a kind is detected by the keys that only it
has, keys match in any case and with or without dashes, and unknown keys are kept in ``other``.
"""

from __future__ import annotations

import hashlib
import json
import math
import typing as t
from dataclasses import dataclass

from .._common.errors import FonnteError
from .._common.inert_text import make_inert
from .._common.phone_numbers import canonical
from .._common.spellings import SecretFinder
from .own_messages import FLAGS, is_outgoing
from .reader import Payload, PayloadReader, _clean, _plain, log_safe
from .secrecy import _SECRET, DEEPEST, _masked, _parts, _Secrecy

KINDS = ("connect", "incoming", "status", "chaining")

LINKED = {"connect": True, "connected": True, "disconnect": False, "disconnected": False}
# The event source limits the body, but another source may not. The limits for keys and values, and for all characters.
MAX_PARTS = 10_000
MAX_CHARACTERS = 1024 * 1024
TOO_LARGE = f"it has more than {MAX_PARTS} keys and values, or more than {MAX_CHARACTERS} characters"

# The only keys of a request that tests whether the URL responds.
_OF_A_PROBE = frozenset(("device", "token", "timestamp", "test"))


class PayloadError(FonnteError):
    """A payload is not a webhook of Fonnte.

    Attributes:
        readable: Whether it is at least a JSON object.
    """

    def __init__(self, problem: str, advice: str, readable: bool) -> None:
        super().__init__(problem, advice)
        self.readable = readable


@dataclass(frozen=True)
class Event:
    """A webhook in the common format.

    Attributes:
        data: The data for rules: plain data, without secrets unless they were requested.
        identity: A digest that is equal for each delivery of one event, and different for other events.
        ends: The identity of an earlier event that this one ends, so that it may occur again.
    """

    data: Payload
    identity: bytes
    ends: bytes | None = None

    @property
    def kind(self) -> str:
        """The kind of the event, one of ``KINDS``."""
        return str(self.data["kind"])

    def log_safe(self) -> str:
        """Return a description for logs: kind, number and time, and the ID if the event has one."""
        words = [self.kind, "of", log_safe(self.data["device"] or "no number"), "at", self.data["at"] or "no time"]
        for key in ("state_id", "message_id", "inbox_id"):
            if self.data.get(key) is not None:
                words.append(f"({key} {log_safe(str(self.data[key]))})")
                break
        return " ".join(words)


def read_body(body: bytes) -> Payload:
    """Parse a body into a JSON object. An empty body is an empty object.

    Raises:
        PayloadError: The body is not a JSON object, or is nested too deeply.
    """
    if not body.strip():
        return {}
    try:
        payload = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise PayloadError("the body is not JSON", "Fonnte posts a JSON object", readable=False) from None
    if not isinstance(payload, dict):
        raise PayloadError("the body is JSON, but not an object", "Fonnte posts a JSON object", readable=False)
    if _too_deep(payload):
        raise PayloadError("the body is nested too deeply", "Fonnte posts a flat JSON object", readable=False)
    return payload


def _refuse_constant(name: str) -> t.NoReturn:
    # Python accepts NaN and Infinity, which are not valid JSON, and which the rule engine would refuse.
    raise ValueError(name)


def _finite(text: str) -> float:
    # A number with too many digits would become Infinity, too.
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text)


def _too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _depth in range(DEEPEST):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def is_probe(payload: Payload) -> bool:
    """Return whether a request contains no event and only tests whether the URL responds."""
    return {_plain(str(key)) for key in payload} <= _OF_A_PROBE


def event_of(
    payload: Payload, kind: str | None = None, return_tokens: bool = False, secrets: t.Iterable[str] = ()
) -> Event:
    """Return the event in a payload.

    Args:
        payload: The posted JSON object, not nested deeper than ``read_body`` allows.
        kind: The kind of the event, if the URL names it; otherwise the keys of the payload decide.
        return_tokens: Whether the event contains the token and other secrets.
        secrets: Further secrets that are always masked, such as the secret path.

    Raises:
        PayloadError: The payload is of no known kind, or lacks a required key.
    """
    keys = PayloadReader(payload)
    kind = kind or _kind_of(keys)
    data = _common(kind, keys)
    _OWN[kind](keys, data)
    return _identified(_finished(data, keys, _Secrecy(payload, return_tokens, secrets)), payload)


def normalize(
    payload: object, kind: str | None = None, return_tokens: bool = False, secrets: t.Iterable[str] = ()
) -> Payload:
    """Convert any payload to the common format; its kind is "probe" without an event, "unknown" if it is no webhook."""
    secrets = list(secrets)
    if is_too_large(payload):
        return _unknown({}, TOO_LARGE, return_tokens, secrets)
    if not isinstance(payload, dict) or _too_deep(payload):
        return _unknown({"payload": payload}, "it is not a flat JSON object", return_tokens, secrets)
    if is_probe(payload):
        return {**_unknown(payload, "", return_tokens, secrets), "kind": "probe", "problem": None}
    try:
        return event_of(payload, kind, return_tokens, secrets).data
    except PayloadError as error:
        return _unknown(payload, error.problem, return_tokens, secrets)


def plain_data(value: t.Any, secrets: t.Iterable[str] = ()) -> t.Any:
    """Return data in a form that JSON and every encoding support, without secrets, and cut at a maximum depth."""
    return _masked(_clean(value, return_tokens=True), SecretFinder(secrets))


def is_too_large(value: object) -> bool:
    """Return whether data exceeds ``MAX_PARTS`` or ``MAX_CHARACTERS``. Counting stops at the limit."""
    parts, characters = 0, 0
    left = [value]
    while left:
        one = left.pop()
        parts += 1
        if isinstance(one, dict):
            characters += sum(len(str(key)) for key in one)
            left.extend(one.values())
        elif isinstance(one, (list, tuple)):
            left.extend(one)
        elif isinstance(one, str):
            characters += len(one)
        if parts + len(left) > MAX_PARTS or characters > MAX_CHARACTERS:
            return True
    return False


def _unknown(payload: Payload, problem: str, return_tokens: bool, secrets: t.Iterable[str]) -> Payload:
    keys = PayloadReader(payload)
    data = _common("unknown", keys)
    data["problem"] = problem
    return _finished(data, keys, _Secrecy(payload, return_tokens, secrets))


def _common(kind: str, keys: PayloadReader) -> Payload:
    device = keys.text("device")
    number = canonical(device) if device else None
    at = keys.time("timestamp")
    shared = {"kind": kind, "device": device, "number": number, "outgoing": None}
    return {**shared, "connected": None, "reason": None, "at": at}


def _finished(data: Payload, keys: PayloadReader, secrecy: _Secrecy) -> Payload:
    if secrecy.return_tokens:
        data["token"] = keys.text("token")
    data["withheld"] = [] if secrecy.return_tokens else keys.withheld()
    data["other"] = keys.rest(secrecy.return_tokens)
    finder = secrecy.finder(data["device"])
    inert, altered = make_inert(_masked(data, finder) if finder.known() else data)
    return {**inert, "altered": altered}


def _kind_of(keys: PayloadReader) -> str:
    if keys.has("stateid", "state"):
        return "status"
    if keys.has("sender"):
        return "incoming"
    if keys.has("id") and keys.has("status"):
        # Receivers in the field expect a status of a message without a state, too.
        return "status"
    if keys.has("status"):
        return "connect"
    if keys.any_true(FLAGS):
        return "incoming"
    raise PayloadError(
        f"it has no key that identifies its kind, only {keys.names()}",
        "set the URL that ends with the kind in Fonnte",
        readable=True,
    )


def _connect(keys: PayloadReader, data: Payload) -> None:
    _need(data["device"], "device", "connect")
    data["connected"] = keys.choice("status", LINKED)
    data["reason"] = keys.text("reason")


def _chat(keys: PayloadReader, data: Payload) -> None:
    for key in ("sender", "message", "text", "member", "name", "location"):
        data[key] = keys.text(key)
    data["poll_name"] = keys.text("pollname")
    data["choices"] = keys.texts("choices")
    data["inbox_id"] = keys.whole("inboxid")
    for key in ("url", "filename", "extension"):
        data[key] = keys.text(key)
    data["outgoing"] = is_outgoing(keys, data)


def _incoming(keys: PayloadReader, data: Payload) -> None:
    _need(data["device"], "device", "incoming")
    _chat(keys, data)
    if not data["outgoing"]:
        _need(data["sender"], "sender", "incoming")


def _status(keys: PayloadReader, data: Payload) -> None:
    data["message_id"] = keys.text("id")
    data["state_id"] = keys.text("stateid")
    data["status"] = keys.text("status")
    data["state"] = keys.text("state")
    _need(data["state_id"] or data["message_id"], "stateid", "status")


_OWN: dict[str, t.Callable[[PayloadReader, Payload], None]] = {
    "connect": _connect,
    "incoming": _incoming,
    "status": _status,
    # This kind is not documented, except that it reports a reply in a chat.
    "chaining": _chat,
}


def _need(value: object, key: str, kind: str) -> None:
    if value is None:
        raise PayloadError(f"it lacks {key}", f"a webhook of the kind {kind} has one", readable=True)


def _identified(data: Payload, payload: Payload) -> Event:
    if data["kind"] == "connect" and data["at"] is None and data["connected"] is not None:
        # Without a time, a second disconnection equals the first one, unless the device was connected in between.
        return Event(data, _link(data, data["connected"]), _link(data, not data["connected"]))
    plain = {key: value for key, value in payload.items() if not _SECRET.search(str(key))}
    return Event(data, _digest(data["kind"], json.dumps(plain, sort_keys=True, default=str)))


def _link(data: Payload, connected: bool) -> bytes:
    return _digest("link", json.dumps([data["number"], connected]))


def _digest(kind: str, text: str) -> bytes:
    return hashlib.blake2b(f"{kind}\0{text}".encode(), digest_size=16).digest()
