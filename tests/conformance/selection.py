# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the rows to run: each pair of values, or every operation in every environment too."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .environments import FACTORS, SHELL, absent, possible
from .operations import OPERATIONS
from .pairwise import Pair, Row, cover
from .workspace import USUAL_CORES

EVERYTHING = os.environ.get("FONNTE_TESTS_SURROUNDINGS") == "all"
# Each run fails with one of these values, so a row with other values too would not test them.
ALONE = {("directory", "deleted"), ("locale", "not UTF-8"), ("home", "read-only"), ("home", "none")}
# Each operation is combined with these: most faults that were found depended on one of them. The full product has
# the others.
WITH_OPERATION = {
    ("started by", "systemd"),
    ("started by", "runner worker"),
    ("directory", "stale PWD"),
    ("home", "no HOME"),
}

BECOMING = {operation.name for operation in OPERATIONS if operation.becomes}


def label(row: Row) -> str:
    """Return the operation and each value that differs from a shell."""
    return "-".join(value for name, value in row.items() if name == "operation" or value != SHELL[name])


def present() -> dict[str, tuple[str, ...]]:
    """Return the factors with the values that this machine can provide."""
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
    """Return whether a row can exist and must succeed, unlike a user's own play that uses become."""
    return possible(row) and not (row.get("group_vars") == "become" and row.get("operation") in BECOMING)


def pairwise() -> list[Row]:
    """Return few rows that contain each pair of values of two factors, and a row for each value that ends a run."""
    there = {(name, value) for name, values in present().items() for value in values}
    alone = [{**SHELL, "operation": "provision", name: value} for name, value in sorted(ALONE & there)]
    return [*cover(combined(), _succeeds, _counts), *alone]


def product() -> Iterator[Row]:
    """Yield each operation in each environment that differs from a shell in one value, on the selected cores."""
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
