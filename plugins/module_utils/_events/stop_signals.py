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


@contextlib.contextmanager
def stop_signals(asked: t.Callable[[], None]) -> t.Iterator[None]:
    """Call a function at the first SIGTERM or SIGINT, to stop gracefully; then restore the previous handlers.

    The handlers of ansible-rulebook are not sufficient: the Java virtual machine in its process replaces them and
    exits immediately, and the evaluation of rules suppresses the exception that its handler raises.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def reported() -> None:
        restore()
        asked()

    for number in before:
        loop.add_signal_handler(number, reported)
    try:
        yield
    finally:
        restore()
