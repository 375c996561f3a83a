# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No external string is a template, and joined parts of several strings do not become one."""

from __future__ import annotations

import ast
import itertools
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import inert_text
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.inert_text import (
    make_inert,
    make_inert_string,
)

# The characters that can begin any template, and a few others.
LETTERS = st.text(alphabet="{%}#jinja2: _x\\'\"\n", max_size=12)
DATA = st.recursive(
    LETTERS | st.none() | st.booleans() | st.integers(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(LETTERS | st.just("__ansible_vault"), one, max_size=4),
)


def strings(value: t.Any) -> t.Iterator[str]:
    """Return all strings of plain data, including keys."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("{{ 7*6 }}", "\uff5b\uff5b 7*6 }}"),
        ("{% x %}", "\uff5b% x %}"),
        ("x {", "x \uff5b"),
        ("#jinja2:a", "\uff03jinja\uff12:a"),
        ("#JINJA2:A", "\uff03JINJA\uff12:A"),
        ("# j inja2:a", "\uff03 j inja\uff12:a"),
        ("Order #12", "Order \uff0312"),
        ("'\\x7b\\x7b 7*6 \\x7d\\x7d'", "\u2019\uff3cx7b\uff3cx7b 7*6 \uff3cx7d\uff3cx7d\u2019"),
        ("['\\x7b']", "[\u2019\uff3cx7b\u2019]"),
        ("'#' 'jinj' '''a2:", "\u2019\uff03\u2019 \u2019jinj\u2019 \u2019\u2019\u2019a2:"),
        ('say "hello"', "say \u201dhello\u201d"),
    ],
)
def test_template_starts_are_replaced(text: str, inert: str) -> None:
    assert make_inert_string(text) == inert


@pytest.mark.parametrize("text", ["belanja2", "}}", "a: b", "[1, 2]", "50% (x)", "https://x.example.com/a?b=c&d", ""])
def test_ordinary_strings_are_unchanged(text: str) -> None:
    assert make_inert_string(text) == text


@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_joined_strings_never_form_a_string_literal(pieces: list[str]) -> None:
    """Parts that are joined in any order form only Python literals that consist of numbers."""
    joined = "".join(map(make_inert_string, pieces))
    assert not set(joined) & set("{#\\'\"`")
    try:
        value = ast.literal_eval(joined)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return
    assert list(strings(value)) == []


@given(DATA)
def test_data_keeps_its_structure_and_each_change_has_a_path(value: t.Any) -> None:
    inert, paths = make_inert(value)
    json.dumps(inert)
    for text in strings(inert):
        assert make_inert_string(text) == text and not text.startswith("__ansible")
    assert bool(paths) == (inert != value)
    assert len(list(strings(inert))) == len(list(strings(value)))
    assert make_inert(inert) == (inert, [])


def test_keys_are_renamed_and_none_is_lost() -> None:
    value = {"__ansible_vault": "a", "{x": ["{", {"{": 1}], "\uff5bx": 2, "plain": "b"}
    inert, paths = make_inert(value)
    assert inert == {
        "\uff3f\uff3fansible_vault": "a",
        "\uff5bx_": ["\uff5b", {"\uff5b": 1}],
        "\uff5bx": 2,
        "plain": "b",
    }
    assert paths == ["\uff3f\uff3fansible_vault", "\uff5bx_", "\uff5bx_[0]", "\uff5bx_[1].\uff5b"]


def test_keys_that_become_equal_are_numbered_in_linear_time() -> None:
    """The test counts lookups, so it does not depend on the speed of the machine."""

    class Counted(dict[str, int]):
        lookups = 0

        def __contains__(self, key: object) -> bool:
            self.lookups += 1
            return super().__contains__(key)

    keys = ["".join(letters) for letters in itertools.product("'\u2019", repeat=10)]
    value = Counted((key, index) for index, key in enumerate(keys))
    names = set(make_inert(value)[0])
    assert len(names) == len(keys) and value.lookups < 10 * len(keys)
    name = "\u2019" * 10
    assert names == {name, name + "_", *(f"{name}_{number}" for number in range(2, len(keys)))}
    assert max(map(len, names)) <= len(name) + 5


def test_used_number_is_skipped_for_a_renamed_key() -> None:
    inert, _paths = make_inert({"\u2019": 1, "'": 2, "\u2019_2": 3, '"': 4, "\u2019_": 5})
    assert inert == {"\u2019": 1, "\u2019_3": 2, "\u2019_2": 3, "\u201d": 4, "\u2019_": 5}


def test_number_and_length_of_paths_are_bounded() -> None:
    _inert, paths = make_inert({"k" * 100_000: {str(number): "{" for number in range(1000)}, "a": ["{"] * 1000})
    assert len(paths) <= inert_text.MAX_PATHS + 1 and paths[-1] == inert_text.MORE
    assert max(map(len, paths)) <= inert_text.MAX_PATH_LENGTH + 1
