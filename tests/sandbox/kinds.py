# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Type checks for JSON values. In Python, true is also an int; in JSON it is not."""

from __future__ import annotations

from typing import TypeGuard, TypeVar

Kind = TypeVar("Kind")


def is_kind(value: object, kind: type[Kind]) -> TypeGuard[Kind]:
    """Return whether a value from JSON has a type."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
