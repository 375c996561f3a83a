# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Masking that does not take the square of a fleet.

Ansible looks for every secret in every text of a result. A fleet has a secret webhook for each device, and texts
for each device. Here the few secrets that a text holds are found first, and Ansible masks these.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import remove_values


class Secrets:
    """Texts that nobody may see, by their length: whether a text holds one is then a look-up for each place in it."""

    def __init__(self, hidden: t.Iterable[str]) -> None:
        self._by_length: dict[int, set[str]] = {}
        for secret in filter(None, hidden):
            self._by_length.setdefault(len(secret), set()).add(secret)
        # Most texts of a result come again and again.
        self._known: dict[str, frozenset[str]] = {}

    def within(self, text: str) -> frozenset[str]:
        """Return the secrets that a text holds."""
        if text not in self._known:
            self._known[text] = frozenset(
                text[place : place + length]
                for length, secrets in self._by_length.items()
                for place in range(len(text) - length + 1)
                if text[place : place + length] in secrets
            )
        return self._known[text]


def masked(value: t.Any, secrets: Secrets) -> t.Any:
    """Return a value, a result or a part of one, as Ansible would mask it."""
    if isinstance(value, dict):
        return {key: masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, secrets) for item in value]
    found = secrets.within(str(value))
    return remove_values(value, found) if found else value
