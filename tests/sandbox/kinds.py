# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What JSON means by a kind of value: to Python, true is also the number 1."""

from __future__ import annotations

from typing import TypeGuard, TypeVar

Kind = TypeVar("Kind")


def is_kind(value: object, kind: type[Kind]) -> TypeGuard[Kind]:
    """Whether a value from JSON is of a kind."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
