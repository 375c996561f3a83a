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

# Longer secrets are searched by their first characters, which are few different strings.
_HEAD = 8


class Secrets:
    """Secrets that are found in a string in a time that does not depend on their number."""

    def __init__(self, hidden: t.Iterable[str]) -> None:
        self._by_length: dict[int, set[str]] = {}
        # The beginnings of the secrets, by their length.
        self._heads: dict[int, set[str]] = {}
        for secret in filter(None, hidden):
            self._by_length.setdefault(len(secret), set()).add(secret)
            head = secret[:_HEAD]
            self._heads.setdefault(len(head), set()).add(head)
        # Strings without a secret. Most strings occur many times in a result.
        self.clean: set[str] = set()

    def within(self, text: str) -> frozenset[str]:
        """Return the secrets that a string contains."""
        if all(heads.isdisjoint(_parts(text, length)) for length, heads in self._heads.items()):
            return frozenset()
        return frozenset(
            part for length, secrets in self._by_length.items() for part in _parts(text, length) if part in secrets
        )

    def mask(self, value: t.Any) -> t.Any:
        """Return a string, a number, a boolean or null as Ansible would mask it."""
        text = str(value)
        if text in self.clean:
            return value
        found = self.within(text)
        if found:
            return remove_values(value, found)
        self.clean.add(text)
        return value


def _parts(text: str, length: int) -> list[str]:
    """Return the parts of a string that have a length."""
    return [text[place : place + length] for place in range(len(text) - length + 1)]


def masked(value: t.Any, secrets: Secrets) -> t.Any:
    """Return a value, such as a result or a part of it, as Ansible would mask it."""
    if isinstance(value, dict):
        clean = secrets.clean
        # A function call for each of the many strings would take twice the time.
        return {
            key: item if item is None or (item.__class__ is str and item in clean) else masked(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [masked(item, secrets) for item in value]
    return secrets.mask(value)
