# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stop signal reaches each source of a rulebook, once."""

from __future__ import annotations

import asyncio
import signal
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.stop_signals import stop_signals


@pytest.fixture
def earlier() -> t.Iterator[list[int]]:
    """Install a handler as ansible-rulebook does, and yield the signals that it received."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: received.append(number))
    yield received
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("first_ends", [False, True])
def test_first_signal_stops_all_sources_and_the_second_one_is_not_caught(earlier: list[int], first_ends: bool) -> None:
    async def scene() -> None:
        stopped: list[str] = []
        last = asyncio.Event()
        with stop_signals(lambda: (stopped.append("b"), last.set())):
            first = stop_signals(lambda: stopped.append("a"))
            first.__enter__()
            if first_ends:
                first.__exit__(None, None, None)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(last.wait(), 10)
            assert sorted(stopped) == (["b"] if first_ends else ["a", "b"]) and earlier == []
            signal.raise_signal(signal.SIGTERM)
            assert earlier == [signal.SIGTERM]
            if not first_ends:
                first.__exit__(None, None, None)
        signal.raise_signal(signal.SIGTERM)
        assert len(earlier) == 2

    asyncio.run(scene())
