# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sequential model of the account: each run is one step of it.

Property *serial*: the devices after a schedule must equal those of the model after some order of the runs.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field, replace

from .names import FIRST, NEW, OTHER, SECOND, TOKENS
from .service import DEFAULTS


@dataclass(frozen=True)
class Run:
    """A run in the model.

    Attributes:
        kind: ``present``, ``absent``, or the action of a person.
        first: Its first step.
        last: The step after its last one.
        number: The number of its device.
        form: The declared settings, as they are sent.
        changed: Whether it has changed something.
        unconfirmed: Whether it has failed, so that it may or may not have been carried out.
        creates: Whether it created its device and did nothing after that.
    """

    kind: str
    first: int
    last: int
    number: str = ""
    form: t.Mapping[str, str] = field(default_factory=dict)
    changed: bool = True
    unconfirmed: bool = False
    creates: bool = False


# A key of the model: the token of a device.
TOKEN = "token"

Accounts = dict[str, dict[str, str] | None]


def possible_states(
    initial: t.Mapping[str, dict[str, str]], runs: t.Sequence[Run]
) -> t.Iterator[tuple[Accounts, set[str]]]:
    """Yield the state after each order of the runs, and the fields for which an unchanged run contradicts the order."""
    begin: Accounts = dict.fromkeys((FIRST, SECOND, NEW, OTHER))
    begin.update({device["device"]: {**device, TOKEN: token} for token, device in initial.items()})
    sure = [run for run in runs if not run.unconfirmed]
    unsure = [run for run in runs if run.unconfirmed]
    for included in itertools.product(*[_parts(run) for run in unsure]):
        for order in itertools.permutations([*sure, *(run for run in included if run is not None)]):
            if all(not _is_before(later, run) for run, later in itertools.combinations(order, 2)):
                yield _after(begin, order)


def _parts(run: Run) -> tuple[Run | None, ...]:
    """Return the possible results of a failed run: nothing was done, only the creation, or everything."""
    created = {key: value for key, value in run.form.items() if key in ("name", "personal", "group")}
    return (None, run, replace(run, form=created, creates=True)) if created else (None, run)


def _is_before(run: Run, other: Run) -> bool:
    return not run.unconfirmed and run.last <= other.first


def _after(begin: Accounts, order: t.Sequence[Run]) -> tuple[Accounts, set[str]]:
    state: Accounts = {number: dict(device) if device else None for number, device in begin.items()}
    contradicted: set[str] = set()
    for run in order:
        number = run.number or next((key for key, one in state.items() if one and one.get(TOKEN) == TOKENS[FIRST]), "")
        device = state.get(number)
        if run.kind == "absent":
            state[number] = None
        elif run.kind == "renumber":
            if state[FIRST] is not None:
                state[FIRST], state[OTHER] = None, state[FIRST]
        elif run.kind == "swap":
            if state[FIRST] is not None and state[SECOND] is not None:
                state[FIRST], state[SECOND] = state[SECOND], state[FIRST]
        elif run.kind == "recreate":
            state[FIRST] = state[FIRST] and {**DEFAULTS, "device": FIRST, "name": "Toko"}
        elif device is None:
            if "name" in run.form:
                state[number] = {**DEFAULTS, "device": run.number, **run.form}
        elif run.creates:
            continue
        elif run.changed:
            device.update(run.form)
        else:
            contradicted |= {key for key, value in run.form.items() if device.get(key) != value}
    return state, contradicted
