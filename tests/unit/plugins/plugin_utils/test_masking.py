# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Masking equals that of Ansible, in time that is linear in the size of the fleet."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.parameters import remove_values
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._masking import Secrets, masked

SECRETS = {"s3cr3t", "s3cr3t-and-more", "4711", "ü"}
# The secrets do not overlap, so the order of masking does not matter.
APART = {"<abc>", "[12]", "(ü)"}
TEXTS = st.lists(st.sampled_from([*sorted(APART), "abc", "12", "<", "é "]), max_size=5).map("".join)
LEAVES = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
RESULTS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@pytest.mark.parametrize(
    "value",
    [
        "s3cr3t",
        "the s3cr3t is s3cr3t",
        "https://host/s3cr3t-and-more?x=s3cr3t",
        4711,
        1.4711,
        147110,
        ["nothing", {"s3cr3t": "a key is shown, ü is not"}],
        {"deep": [{"down": ("s3cr3t", None, True)}]},
    ],
)
def test_secret_is_masked_in_any_position(value: t.Any) -> None:
    assert "s3cr3t" not in str(list(_leaves(masked(value, Secrets(SECRETS)))))
    assert masked(value, Secrets({"s3cr3t-and-more", "4711"})) == remove_values(value, {"s3cr3t-and-more", "4711"})


def _leaves(value: t.Any) -> t.Iterator[t.Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


@given(RESULTS)
def test_masking_equals_that_of_ansible(value: t.Any) -> None:
    assert masked(value, Secrets(APART)) == remove_values(value, APART)


def test_empty_string_is_no_secret() -> None:
    assert Secrets([""]).within("anything") == frozenset()


def test_masking_of_a_fleet_is_not_quadratic() -> None:
    """The number of lookups for a string does not grow with the number of secrets. They are counted, not timed."""
    looked_up = []

    class Counting(set):
        def __contains__(self, text: object) -> bool:
            looked_up.append(text)
            return super().__contains__(text)

    for count in (10, 1000):
        secrets = Secrets(f"https://host/{number:06d}" for number in range(count))
        secrets._by_length = {length: Counting(held) for length, held in secrets._by_length.items()}
        looked_up.clear()
        assert not secrets.within("https://host/… of the device")
        assert len(looked_up) == len("https://host/… of the device") - len("https://host/000000") + 1
