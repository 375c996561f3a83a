# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The choice of the connection that is closed for a new one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.connections import (
    Connection,
    Connections,
    max_connections,
)


class Fake(Connection):
    """A connection without a socket."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("descriptors", "most"), [(256, 128), (1024, 512), (100_000, 512), (-1, 512), (0, 8)])
def test_half_of_the_descriptors_are_reserved_for_the_rules(descriptors: int, most: int) -> None:
    assert max_connections(descriptors) == most


def test_oldest_connection_without_the_secret_is_closed_first() -> None:
    connections = Connections(3)
    first, second, third = Fake(), Fake(), Fake()
    for one in (first, second, third):
        connections.add(one)
    connections.begin_request(first)
    assert connections.is_full() and connections.evict()
    assert (first.closed, second.closed, third.closed) == (False, True, False)
    connections.end_request(first)
    assert connections.evict() and third.closed and not first.closed
    # An idle connection with the secret is closed only if no other is left.
    assert connections.evict() and first.closed and not connections.evict() and len(connections) == 0


def test_connection_with_an_event_in_progress_is_never_closed() -> None:
    connections = Connections(2)
    busy = Fake()
    connections.add(busy)
    connections.begin_request(busy)
    assert not connections.evict() and not busy.closed


STEPS = st.lists(st.tuples(st.sampled_from(["add", "begin", "end", "remove", "evict"]), st.integers(0, 5)), max_size=60)


@given(STEPS)
def test_each_connection_is_in_at_most_one_group(steps: list[tuple[str, int]]) -> None:
    connections = Connections(4)
    ones = [Fake() for _number in range(6)]
    present: list[Fake] = []
    for step, index in steps:
        one = ones[index]
        if step == "add" and one not in present and not one.closed:
            connections.add(one)
            present.append(one)
        elif step == "begin":
            connections.begin_request(one)
        elif step == "end":
            connections.end_request(one)
        elif step == "remove":
            connections.remove(one)
            present = [other for other in present if other is not one]
        elif step == "evict":
            connections.evict()
            present = [other for other in present if not other.closed]
        assert len(connections) == len(present)
