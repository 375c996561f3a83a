# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All-pairs selection: few rows in which each pair of values of two factors occurs at least once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence

Row = Mapping[str, str]
Pair = frozenset[tuple[str, str]]
# The number of candidates for each row: with more of them there are fewer rows, but the search takes longer.
CANDIDATES = 60


def pairs_of(row: Row) -> set[Pair]:
    """Return the pairs of values in a row."""
    return {frozenset(two) for two in itertools.combinations(row.items(), 2)}


def cover(
    factors: Mapping[str, Sequence[str]],
    possible: Callable[[Row], bool] = lambda row: True,
    counts: Callable[[Pair], bool] = lambda pair: True,
) -> list[Row]:
    """Return rows that contain each pair of values, by a deterministic greedy search.

    Args:
        possible: Whether a complete row, or a row of two values, can exist.
        counts: Whether a pair must be in a row.
    """
    chance = random.Random(0)
    missing = {
        frozenset(two)
        for one, other in itertools.combinations(factors, 2)
        for two in itertools.product(
            [(one, value) for value in factors[one]], [(other, value) for value in factors[other]]
        )
    }
    missing = {pair for pair in missing if counts(pair) and possible(dict(pair))}
    rows: list[Row] = []
    while missing:
        # Sorted, since the order of a set varies between runs.
        first = min(missing, key=sorted)
        candidates = [_grown(dict(first), factors, possible, missing, chance) for _number in range(CANDIDATES)]
        best = max(candidates, key=lambda row: len(pairs_of(row) & missing))
        rows.append({name: best[name] for name in factors})
        missing -= pairs_of(best)
    return rows


def _grown(
    row: dict[str, str],
    factors: Mapping[str, Sequence[str]],
    possible: Callable[[Row], bool],
    missing: set[Pair],
    chance: random.Random,
) -> Row:
    """Add a value of each other factor, in a random order: the one that adds most of the missing pairs."""
    for name in chance.sample(sorted(set(factors) - set(row)), len(factors) - len(row)):
        values = [value for value in factors[name] if possible({**row, name: value})]
        chance.shuffle(values)
        row[name] = max(
            values, key=lambda value: sum(frozenset([(name, value), pair]) in missing for pair in row.items())
        )
    return row
