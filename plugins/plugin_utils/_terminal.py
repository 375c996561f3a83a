# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The terminal of the user, for drawings: its size, and whether it can show colors."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.half_blocks import (
    draw,
    drawing_size,
    read_modules,
)

# Ansible shows the messages of a running task on standard error.
_STANDARD_ERROR = 2
# Terminals without colors.
_PLAIN = ("", "dumb", "unknown")
# The variable of a job of ansible-runner, and so of AWX, which has a terminal without a user.
_JOB = "AWX_ISOLATED_DATA_DIR"
# The line below the drawing.
_MORE_LINES = 1


class Terminal:
    """The terminal of a user.

    Args:
        descriptor: An open descriptor of it; None if there is none.
        size: Returns the columns and the lines of the terminal of a descriptor.
    """

    def __init__(
        self,
        descriptor: int | None,
        size: t.Callable[[int], tuple[int, int]] = os.get_terminal_size,
    ) -> None:
        self._descriptor = descriptor
        self._size = size

    @classmethod
    def of_this_process(
        cls, environment: t.Mapping[str, str] | None = None, descriptor: int = _STANDARD_ERROR
    ) -> Terminal:
        """Return the terminal of standard error, or of another descriptor.

        Ansible closes standard error in its workers, so the descriptor is duplicated before they start.
        """
        variables = os.environ if environment is None else environment
        if variables.get("TERM", "") in _PLAIN or variables.get(_JOB):
            return cls(None)
        try:
            return cls(os.dup(descriptor) if os.isatty(descriptor) else None)
        except OSError:
            return cls(None)

    @property
    def is_usable(self) -> bool:
        """Whether a user can see drawings."""
        return self._descriptor is not None

    def draw(self, image: bytes) -> tuple[str, str]:
        """Return the drawing of a QR code, or an empty string and the reason why it is not drawn."""
        try:
            modules = read_modules(image)
        except ValueError:
            return "", "the QR code is not drawn here, because its image has an unusual form; open the file instead"
        columns, lines = drawing_size(modules)
        try:
            width, height = self._size(self._descriptor) if self._descriptor is not None else (0, 0)
        except OSError:
            width, height = 0, 0
        if width < columns or height < lines + _MORE_LINES:
            return "", (
                f"the QR code is not drawn here, because it needs {columns} columns and {lines + _MORE_LINES} lines, and "
                f"this terminal has {width} and {height}; enlarge the window, or open the file"
            )
        return draw(modules), ""
