# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Mask secrets in a time that is not quadratic in the number of devices.

Ansible searches every string of a result for every secret. A fleet has a secret webhook and several strings for each
device. Here, the few secrets that a string contains are found first, and Ansible masks only these.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import remove_values


class Secrets:
    """Secrets by their length. To search a string is then one set lookup for each position and length."""

    def __init__(self, hidden: t.Iterable[str]) -> None:
        self._by_length: dict[int, set[str]] = {}
        for secret in filter(None, hidden):
            self._by_length.setdefault(len(secret), set()).add(secret)
        # Most strings occur many times in a result.
        self._known: dict[str, frozenset[str]] = {}

    def within(self, text: str) -> frozenset[str]:
        """Return the secrets that a string contains."""
        if text not in self._known:
            self._known[text] = frozenset(
                text[place : place + length]
                for length, secrets in self._by_length.items()
                for place in range(len(text) - length + 1)
                if text[place : place + length] in secrets
            )
        return self._known[text]


def masked(value: t.Any, secrets: Secrets) -> t.Any:
    """Return a value, such as a result or a part of it, as Ansible would mask it."""
    if isinstance(value, dict):
        return {key: masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, secrets) for item in value]
    found = secrets.within(str(value))
    return remove_values(value, found) if found else value
