# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines of requests at the socket."""

from __future__ import annotations

import math
import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.deadline import (
    Attempt,
    DeadlineExceeded,
    DeadlineSocket,
    run_with_deadline,
)

# Short, since a test waits for it; only the order of events is checked.
SHORT = 0.05


class Clock:
    """A clock that is set manually."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def limited(attempt: Attempt, timeout: float | None = None) -> tuple[DeadlineSocket, socket.socket]:
    near, far = socket.socketpair()
    near.settimeout(timeout)
    return DeadlineSocket(near, lambda: attempt), far


def test_no_data_is_received_after_the_deadline() -> None:
    clock = Clock()
    near, far = limited(Attempt(1.0, clock))
    with far, near.makefile() as stream:
        far.sendall(b"one\ntwo\n")
        assert stream.readline() == b"one\n"
        clock.now = 2.0
        # Data that was received already is available, and no more is received.
        assert stream.readline() == b"two\n"
        far.sendall(b"three\n")
        with pytest.raises(DeadlineExceeded):
            stream.readline()
    near.close()


@pytest.mark.parametrize("send", [True, False], ids=["send", "receive"])
def test_socket_without_a_timeout_ends_at_the_deadline(send: bool) -> None:
    near, far = limited(Attempt(time.monotonic() + SHORT))
    with far, near.makefile() as stream:
        with pytest.raises(DeadlineExceeded):
            near.sendall(bytes(100_000_000)) if send else stream.read(1)
    near.close()


@pytest.mark.parametrize("send", [True, False], ids=["send", "receive"])
def test_socket_timeout_before_the_deadline_is_a_timeout(send: bool) -> None:
    near, far = limited(Attempt(math.inf), SHORT)
    with far, near.makefile() as stream:
        with pytest.raises(socket.timeout):
            near.sendall(bytes(100_000_000)) if send else stream.read(1)
    near.close()


def test_sendall_sends_everything_in_small_parts() -> None:
    near, far = limited(Attempt(math.inf), 60.0)
    data = bytes(range(256)) * 20_000
    received: list[bytes] = []

    def receive() -> None:
        while sum(map(len, received)) < len(data):
            received.append(far.recv(1000))

    thread = threading.Thread(target=receive)
    thread.start()
    near.sendall(data)
    thread.join()
    assert b"".join(received) == data
    near.close()
    far.close()


def test_socket_stays_open_as_long_as_its_file() -> None:
    near, far = limited(Attempt(math.inf), 60.0)
    stream = near.makefile()
    near.close()
    far.sendall(b"late")
    far.close()
    assert stream.read() == b"late"
    stream.close()


def test_work_before_the_deadline_returns_or_raises() -> None:
    undone: list[int] = []
    assert run_with_deadline(Attempt(1e6, lambda: 0.0), lambda: 42, lambda: undone.append(1)) == 42
    with pytest.raises(KeyError):
        run_with_deadline(Attempt(1e6, lambda: 0.0), lambda: t.cast(dict[str, int], {})["x"], lambda: undone.append(1))
    assert undone == []


def test_work_after_the_deadline_is_undone() -> None:
    go, undone = threading.Event(), threading.Event()
    with pytest.raises(DeadlineExceeded):
        run_with_deadline(Attempt(SHORT, lambda: 0.0), go.wait, undone.set)
    assert not undone.is_set()
    go.set()
    assert undone.wait(60)


def test_attempt_stopped_by_guard_or_deadline_was_not_sent() -> None:
    now, calls = [0.0], []

    def guard() -> None:
        calls.append(attempt.was_sent)
        if now[0] == 0.0:
            raise RuntimeError("prevented")

    attempt = Attempt(2.0, lambda: now[0], guard)
    with pytest.raises(RuntimeError, match="prevented"):
        attempt.begin_sending()
    assert not attempt.was_sent
    now[0] = 1.0
    attempt.begin_sending()
    assert attempt.was_sent and calls == [False, False]
    late = Attempt(2.0, lambda: 3.0, lambda: None)
    with pytest.raises(DeadlineExceeded):
        late.begin_sending()
    assert not late.was_sent
