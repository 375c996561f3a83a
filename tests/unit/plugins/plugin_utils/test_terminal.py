# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A QR code is drawn only in a terminal of a person, and only if the whole code fits into it."""

from __future__ import annotations

import base64
import os

import pytest

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._terminal import Terminal
from ansible_collections.fonnte.whatsapp.tests.conformance.screen import scan
from ansible_collections.fonnte.whatsapp.tests.sandbox.pairing import qr_png, qr_text

PNG = base64.b64decode(qr_png("a token", 0.0))
COLORS = {"TERM": "xterm-256color"}


def terminal(columns: int, lines: int) -> Terminal:
    return Terminal(0, lambda descriptor: (columns, lines))


@pytest.mark.parametrize("size", [(65, 34), (200, 60)])
def test_code_that_fits_is_drawn(size: tuple[int, int]) -> None:
    drawing, reason = terminal(*size).draw(PNG)
    assert scan(drawing) == [qr_text("a token", 0.0)] and reason == ""


@pytest.mark.parametrize("size", [(64, 60), (200, 33), (80, 24), (0, 0)])
def test_code_that_does_not_fit_is_not_drawn(size: tuple[int, int]) -> None:
    drawing, reason = terminal(*size).draw(PNG)
    assert drawing == ""
    assert f"needs 65 columns and 34 lines, and this terminal has {size[0]} and {size[1]}" in reason


def test_window_that_grows_gets_the_next_code() -> None:
    sizes = [(80, 24), (100, 50)]
    window = Terminal(0, lambda descriptor: sizes.pop(0))
    assert [bool(window.draw(PNG)[0]) for _code in range(2)] == [False, True]


def test_terminal_that_was_closed_gets_nothing() -> None:
    def fail(descriptor: int) -> tuple[int, int]:
        raise OSError(9, "Bad file descriptor")

    assert Terminal(0, fail).draw(PNG)[0] == ""


@pytest.mark.parametrize("image", [b"", b"\x1b[31m", PNG[:200], PNG + b"x"])
def test_other_image_is_not_drawn(image: bytes) -> None:
    drawing, reason = terminal(200, 60).draw(image)
    assert drawing == "" and "unusual form" in reason and "\x1b" not in reason


@pytest.mark.parametrize(
    "environment",
    [{}, {"TERM": ""}, {"TERM": "dumb"}, {"TERM": "unknown"}, {**COLORS, "AWX_ISOLATED_DATA_DIR": "/runner"}],
)
def test_terminal_without_colors_or_user_is_not_used(environment: dict[str, str]) -> None:
    master, slave = os.openpty()
    try:
        assert not Terminal.of_this_process(environment, slave).is_usable
        assert Terminal.of_this_process(COLORS, slave).is_usable
    finally:
        os.close(master)
        os.close(slave)


def test_pipe_is_no_terminal() -> None:
    read, write = os.pipe()
    try:
        assert not Terminal.of_this_process(COLORS, write).is_usable
    finally:
        os.close(read)
        os.close(write)
    assert not Terminal.of_this_process(COLORS, write).is_usable
