# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The Aho-Corasick algorithm: find many words in one pass over a string.

The time is linear in the length of the string plus the length of all words. A peer may choose both, so that a separate
search for each word could take the product of the two lengths.
"""

from __future__ import annotations

import collections
import typing as t

Span = t.Tuple[int, int]


class Automaton:
    """An Aho-Corasick automaton, which finds words in strings.

    Args:
        words: The words; none is empty.
    """

    def __init__(self, words: t.Iterable[str]) -> None:
        # For each node: the next nodes by their character, the node of the longest proper suffix, and the length of
        # the longest word that ends at the node.
        self._next: list[dict[str, int]] = [{}]
        self._suffix = [0]
        self._longest = [0]
        for word in words:
            self._insert(word)
        self._link()

    def _insert(self, word: str) -> None:
        node = 0
        for letter in word:
            following = self._next[node].get(letter)
            if following is None:
                following = self._next[node][letter] = len(self._next)
                self._next.append({})
                self._suffix.append(0)
                self._longest.append(0)
            node = following
        self._longest[node] = len(word)

    def _link(self) -> None:
        waiting = collections.deque(self._next[0].values())
        while waiting:
            node = waiting.popleft()
            for letter, following in self._next[node].items():
                self._suffix[following] = self._step(self._suffix[node], letter)
                waiting.append(following)
            # The node of the suffix has less depth, so its longest word is already known.
            self._longest[node] = self._longest[node] or self._longest[self._suffix[node]]

    def _step(self, node: int, letter: str) -> int:
        while node and letter not in self._next[node]:
            node = self._suffix[node]
        return self._next[node].get(letter, 0)

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Return the spans of words from a position on. Overlapping spans are merged into one."""
        following, suffix, longest = self._next, self._suffix, self._longest
        found: list[Span] = []
        node = 0
        for end, letter in enumerate(text[start:] if start else text, start + 1):
            while node and letter not in following[node]:
                node = suffix[node]
            node = following[node].get(letter, 0)
            if longest[node]:
                first = end - longest[node]
                while found and found[-1][1] > first:
                    first = min(first, found.pop()[0])
                found.append((first, end))
        return found
