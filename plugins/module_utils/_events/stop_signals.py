# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Signals that stop the event source gracefully."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import typing as t

# Handlers belong to the process: all sources of a rulebook share them.
_sources: list[t.Callable[[], object]] = []
_before: dict[int, t.Any] = {}


@contextlib.contextmanager
def stop_signals(asked: t.Callable[[], object]) -> t.Iterator[None]:
    """Call a function at the first SIGTERM or SIGINT, to stop gracefully; then restore the previous handlers.

    With several sources, the first signal calls the function of each.

    The handlers of ansible-rulebook are not sufficient: the Java virtual machine in its process replaces them and
    exits immediately, and the evaluation of rules suppresses the exception that its handler raises.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    if not _sources:
        for number in (signal.SIGTERM, signal.SIGINT):
            _before[number] = signal.getsignal(number)
            loop.add_signal_handler(number, _reported, loop)
    _sources.append(asked)
    try:
        yield
    finally:
        _sources.remove(asked)
        if not _sources:
            _restore(loop)


def _reported(loop: asyncio.AbstractEventLoop) -> None:
    _restore(loop)
    for asked in tuple(_sources):
        asked()


def _restore(loop: asyncio.AbstractEventLoop) -> None:
    for number, handler in _before.items():
        loop.remove_signal_handler(number)
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    _before.clear()
