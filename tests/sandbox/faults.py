# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a test orders: each rule selects a request and its fault. ``acts.py`` carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .kinds import is_kind

_NUMERIC = (int, float)
_ANY = (dict, list, str, int, float, bool, type(None))

# For each kind, its arguments: the types they may have, and the default.
ARGS: dict[str, dict[str, tuple[tuple[type, ...], object]]] = {
    "refuse": {},
    "reset": {"at": ((str,), "start"), "gentle": ((bool,), False)},
    "status": {"code": ((int,), 500), "headers": ((dict,), {}), "body": (_ANY, "")},
    "delay": {"seconds": (_NUMERIC, 1.0)},
    "trickle": {"interval": (_NUMERIC, 0.1), "headers": ((bool,), False)},
    "truncated": {"short": ((bool,), False)},
    "html": {"code": ((int,), 200)},
    "empty": {"code": ((int,), 200)},
    "list": {"items": ((list,), [])},
    "mutate": {
        "set": ((dict,), {}),
        "remove": ((list,), []),
        "set_each": ((dict,), {}),
        "remove_each": ((list,), []),
        "only": ((str, type(None)), None),
    },
    "huge": {"megabytes": (_NUMERIC, 64), "chunked": ((bool,), False), "encoding": ((str,), "")},
    "redirect": {"location": ((str,), ""), "code": ((int,), 302)},
    "hang": {},
    "close_idle": {},
}
# These change the response of the service, so the service must have received the request.
NEED_REPLY = ("mutate", "trickle", "truncated", "close_idle")


@dataclass(frozen=True)
class Rule:
    """A rule: ``skip`` matching requests pass first, then ``times`` requests fail (None: all that follow)."""

    kind: str
    path: str = "*"
    method: str | None = None
    number: str | None = None
    token: str | None = None
    when: str = "before"
    times: int | None = 1
    skip: int = 0
    args: dict[str, Any] = field(default_factory=dict)

    def matches(self, path: str, method: str, number: str | None, token: str) -> bool:
        """Return whether the rule applies to a request."""
        return (
            self.path in ("*", path)
            and self.method in (None, method)
            and self.number in (None, number)
            and self.token in (None, token)
        )


RULE_FIELDS = tuple(one.name for one in fields(Rule))


def rule(data: Mapping[str, Any]) -> Rule:
    """Parse a rule from control data; raise ``ValueError`` with a sentence if it is invalid."""
    unknown = sorted(set(data) - set(RULE_FIELDS))
    if unknown:
        raise ValueError(f"A fault has no {', '.join(unknown)}; it has: {', '.join(RULE_FIELDS)}.")
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in ARGS:
        raise ValueError(f"There is no fault {kind!r}; there are: {', '.join(ARGS)}, unreachable.")
    args = _args(kind, data.get("args", {}))
    needs_reply = kind in NEED_REPLY or args.get("at") == "middle"
    when = data.get("when", "after" if needs_reply else "before")
    if when not in ("before", "after"):
        raise ValueError(f"A fault happens before or after the call, not {when!r}.")
    if needs_reply and when == "before":
        raise ValueError(f"The fault {kind} shapes a reply: it happens after the call.")
    _check_counts(data)
    _check_texts(data)
    return Rule(**{**data, "when": when, "args": args})


def _args(kind: str, given: object) -> dict[str, Any]:
    known = ARGS[kind]
    if not isinstance(given, dict):
        raise ValueError("The args of a fault are an object.")
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"The fault {kind} takes no {', '.join(unknown)}; it takes: {', '.join(known) or 'nothing'}.")
    for name, value in given.items():
        types = known[name][0]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ValueError(f"The argument {name} of {kind} cannot be {value!r}.")
    args = {name: given.get(name, default) for name, (unused, default) in known.items()}
    if kind == "huge" and args["encoding"] not in ("", "gzip", "deflate", "gzip, gzip", "br"):
        raise ValueError("A huge reply is compressed as gzip, deflate, gzip twice, or said to be br.")
    if kind == "reset" and args["at"] not in ("start", "middle"):
        raise ValueError("A reset comes at the start or in the middle of the reply.")
    return args


def _check_counts(data: Mapping[str, object]) -> None:
    times, skip = data.get("times", 1), data.get("skip", 0)
    if times is not None and not (is_kind(times, int) and times >= 1):
        raise ValueError("times is a number from 1, or null for every call.")
    if not (is_kind(skip, int) and skip >= 0):
        raise ValueError("skip is a number from 0.")


def _check_texts(data: Mapping[str, object]) -> None:
    for name in ("path", "method", "number", "token"):
        if data.get(name) is not None and not isinstance(data[name], str):
            raise ValueError(f"{name} is a text.")
    path = data.get("path", "*")
    if path != "*" and not str(path).startswith("/"):
        raise ValueError("path is * or begins with a slash.")


@dataclass
class _Pending:
    rule: Rule
    skip: int
    left: int | None


class FaultQueue:
    """Rules in the order of their creation.

    At most one applies to a request: the first that matches and is not used up.
    """

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def add(self, new: Rule) -> None:
        """Append a rule."""
        self._pending.append(_Pending(rule=new, skip=new.skip, left=new.times))

    def take(self, path: str, method: str, number: str | None, token: str) -> Rule | None:
        """Return the rule that applies to a request, and decrement its count."""
        for pending in self._pending:
            if pending.rule.matches(path, method, number, token):
                if pending.skip > 0:
                    pending.skip -= 1
                    continue
                self._count_down(pending)
                return pending.rule
        return None

    def clear(self) -> None:
        """Remove all faults."""
        self._pending.clear()

    def waiting(self) -> list[dict[str, object]]:
        """Return the rules that are not used up, with the remaining counts."""
        return [{**asdict(p.rule), "skip": p.skip, "times": p.left} for p in self._pending]

    def _count_down(self, pending: _Pending) -> None:
        if pending.left is None:
            return
        pending.left -= 1
        if pending.left == 0:
            self._pending.remove(pending)
