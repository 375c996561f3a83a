# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that are run: pairs of values in each test, and every operation in every environment if asked."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .environments import FACTORS, SHELL, absent, possible
from .pairwise import Pair, Row, cover
from .workspace import USUAL_CORES

EVERYTHING = os.environ.get("FONNTE_TESTS_SURROUNDINGS") == "all"
# Each run ends with an error there: with other values in it, such a row would say nothing of them.
ALONE = {("directory", "deleted"), ("locale", "not UTF-8"), ("home", "read-only"), ("home", "none")}
# Each operation meets these: most faults that were found depended on one of them. The full product has the others.
WITH_OPERATION = {
    ("started by", "systemd"),
    ("started by", "runner worker"),
    ("directory", "stale PWD"),
    ("home", "no HOME"),
}


def label(row: Row) -> str:
    """Return the operation and each value that is not that of a shell."""
    return "-".join(value for name, value in row.items() if name == "operation" or value != SHELL[name])


def present() -> dict[str, tuple[str, ...]]:
    """Return the factors with the values that this machine can give."""
    missing = absent()
    return {name: tuple(value for value in values if (name, value) not in missing) for name, values in FACTORS.items()}


def _counts(pair: Pair) -> bool:
    values = {(name, value) for name, value in pair if name != "operation"}
    return len(values) == 2 or values <= WITH_OPERATION


def combined() -> dict[str, tuple[str, ...]]:
    """Return the factors with the values that are combined with others."""
    return {
        name: tuple(value for value in values if (name, value) not in ALONE and not value.startswith("ansible.posix"))
        for name, values in present().items()
    }


def _succeeds(row: Row) -> bool:
    """Return whether a row can exist, and is to succeed: a play of the user does what become demands, and fails."""
    return possible(row) and not (row.get("group_vars") == "become" and row.get("operation") in ("loop", "fleet"))


def pairwise() -> list[Row]:
    """Return few rows that hold each pair of values of two factors, and a row for each value that ends a run."""
    there = {(name, value) for name, values in present().items() for value in values}
    alone = [{**SHELL, "operation": "provision", name: value} for name, value in sorted(ALONE & there)]
    return [*cover(combined(), _succeeds, _counts), *alone]


def product() -> Iterator[Row]:
    """Yield each operation in each environment that differs from a shell in one value; if asked, on each core."""
    factors = present()
    changes = [{"core": core} for core in factors["core"]]
    for name, values in factors.items():
        if name not in ("operation", "core"):
            changes += [{name: value, "core": core} for value in values[1:] for core in USUAL_CORES]
    for change in changes:
        yield from ({**SHELL, **change, "operation": operation} for operation in factors["operation"])


def rows() -> list[Row]:
    found = {label(row): row for row in [*pairwise(), *(product() if EVERYTHING else ())]}
    return list(found.values())


ROWS = rows()
