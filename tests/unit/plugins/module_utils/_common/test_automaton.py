# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Search for many words in one pass: the same positions as separate searches, in linear time."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import spellings
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.automaton import Automaton
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import MANY, MASK, SecretFinder

LETTERS = st.sampled_from("ab")


def covered(text: str, words: t.Iterable[str]) -> set[int]:
    """Return the positions of all characters of the words, found one after another."""
    return {
        position
        for word in words
        for place in range(len(text))
        if text.startswith(word, place)
        for position in range(place, place + len(word))
    }


@given(text=st.text(LETTERS, max_size=60), words=st.lists(st.text(LETTERS, min_size=1, max_size=8), max_size=12))
def test_automaton_finds_the_same_positions_as_separate_searches(text: str, words: list[str]) -> None:
    found = Automaton(words).find(text)
    assert {position for first, last in found for position in range(first, last)} == covered(text, words)
    assert all(last <= first for (_before, last), (first, _after) in zip(found, found[1:], strict=False))


@given(text=st.text(LETTERS, max_size=30), start=st.integers(0, 30))
def test_search_can_start_at_an_offset(text: str, start: int) -> None:
    found = Automaton(["ab", "bba"]).find(text, start)
    assert found == [(first + start, last + start) for first, last in Automaton(["ab", "bba"]).find(text[start:])]


class CountedText(str):
    """A string that counts how many of its characters are read."""

    read = 0

    def __iter__(self) -> t.Iterator[str]:
        for letter in super().__iter__():
            CountedText.read += 1
            yield letter


class CountedNodes(list[int]):
    """The suffixes of an automaton; it counts how often one is used."""

    followed = 0

    def __getitem__(self, place: t.Any) -> t.Any:
        self.followed += 1
        return super().__getitem__(place)


@pytest.mark.parametrize("count", [10, 100, 400])
def test_number_of_steps_does_not_grow_with_the_number_of_words(count: int) -> None:
    words = [f"{'a' * (40 + number // 20)}{'bc'[number % 2]}{'a' * (number % 20)}" for number in range(count)]
    automaton = Automaton(words)
    automaton._suffix = CountedNodes(automaton._suffix)
    CountedText.read = 0
    text = CountedText(("a" * 70 + "d") * 50)
    assert automaton.find(text) == []
    # Each step back in the automaton follows an earlier step forward.
    assert CountedText.read == len(text) and automaton._suffix.followed <= len(text)


@pytest.mark.parametrize("count", [1, MANY, MANY + 1])
def test_a_string_is_searched_once_for_all_secrets(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[str] = []

    class Counted(Automaton):
        def find(self, text: str, start: int = 0) -> list[tuple[int, int]]:
            searches.append(text)
            return super().find(text, start)

    monkeypatch.setattr(spellings, "Automaton", Counted)
    secrets = [f"{'a' * 20}{number:03}{'a' * 20}" for number in range(count)]
    text = f"{secrets[0]} {'a' * 500}"
    finder = SecretFinder(secrets)
    assert finder.mask(text).startswith(f"{MASK} aaa")
    assert searches.count(text) == 1 and len(searches) == len(set(searches))
