# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stamp (signature suffix) in a device's name: how it is written and read, and which settings it proves."""

from __future__ import annotations

import typing as t

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import (
    NAME_LENGTH,
    ReadSource,
    from_wire,
    validate,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.stamp import (
    HOOKS,
    LENGTH,
    OWN,
    Stamp,
    _digest,
    make_code,
    read_stamp,
    stamped_name,
    strip_stamp,
)

TOKEN = "example-device-token"
# Any name that the service can show; some cannot be declared.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=2, max_size=23)
OWN_SETTINGS: dict[str, str | bool] = {"personal": True, "quick": False}
HOOK_SETTINGS: dict[str, str | bool] = {"webhook": "https://h.example.com/a", "webhook_status": ""}
CLAIMS = {OWN: OWN_SETTINGS, HOOKS: HOOK_SETTINGS}


def stamped(name: str = "Toko Satu", claims: t.Any = None, autoread: bool | None = True) -> str:
    return stamped_name(name, make_code(TOKEN, name, CLAIMS if claims is None else claims, autoread))


def read(text: str, token: str = TOKEN) -> Stamp:
    stamp = read_stamp(token, text)
    assert stamp is not None
    return stamp


@given(name=NAMES, autoread=st.sampled_from([None, False, True]), own=st.booleans(), hooks=st.booleans())
def test_written_stamp_is_read(name: str, autoread: bool | None, own: bool, hooks: bool) -> None:
    if strip_stamp(name) != name:
        return
    claims = {OWN: OWN_SETTINGS if own else {}, HOOKS: HOOK_SETTINGS if hooks else {}}
    text = stamped(name, claims, autoread)
    assert len(text) == len(name) + LENGTH <= NAME_LENGTH[1]
    assert strip_stamp(text) == name and from_wire({"name": text}, ReadSource.LIST) == {"name": name}
    stamp = read(text)
    assert (stamp.name, stamp.autoread) == (name, autoread)
    assert stamp.covers(OWN) == stamp.matches(OWN, OWN_SETTINGS) == own
    assert stamp.covers(HOOKS) == stamp.matches(HOOKS, HOOK_SETTINGS) == hooks
    assert not stamp.matches(OWN, {}) and not stamp.matches(HOOKS, {})


OTHER_SETS: list[dict[str, t.Any]] = [
    {**HOOK_SETTINGS, "webhook": "https://h.example.com/b"},
    {**HOOK_SETTINGS, "webhook_status": "https://h.example.com/a"},
    {**HOOK_SETTINGS, "webhook_connect": ""},
    {"webhook": HOOK_SETTINGS["webhook"]},
    {"webhook_status": HOOK_SETTINGS["webhook"], "webhook": ""},
]


@pytest.mark.parametrize("settings", OTHER_SETS)
def test_other_settings_are_not_proven(settings: dict[str, t.Any]) -> None:
    assert not read(stamped()).matches(HOOKS, settings)


def test_order_of_settings_does_not_matter() -> None:
    stamp = read(stamped())
    assert stamp.matches(HOOKS, dict(reversed(list(HOOK_SETTINGS.items()))))


def test_stamp_is_bound_to_token_and_name() -> None:
    text = stamped()
    for stamp in (read(text, "another-token"), read(text.replace("Satu", "Dua"))):
        assert not stamp.matches(OWN, OWN_SETTINGS) and not stamp.matches(HOOKS, HOOK_SETTINGS)


def test_parts_have_different_digests() -> None:
    stamp = read(stamped(claims={OWN: OWN_SETTINGS, HOOKS: OWN_SETTINGS}))
    assert stamp.digests[OWN] != stamp.digests[HOOKS]


def test_stamp_does_not_contain_the_token() -> None:
    assert TOKEN not in repr(read(stamped()))


@pytest.mark.parametrize(
    "name",
    [
        "Toko",
        "Toko ~Medan",
        "Toko ~k3f9",
        "Toko ~k3f9x1",
        "Toko ~k3-9x",
        "Toko~k3f9x",
        "~k3f9x",
        " ~k3f9x",
        "T ~k3f9x",
        "Toko ~k3f9x ",
        "Toko ~60115",
    ],
)
def test_names_without_a_stamp_are_unchanged(name: str) -> None:
    assert strip_stamp(name) == name and read_stamp(TOKEN, name) is None


@given(code=st.from_regex(r"[0-9A-Za-z]{5}", fullmatch=True))
def test_any_code_is_read_or_ignored(code: str) -> None:
    stamp = read_stamp(TOKEN, f"Toko ~{code}")
    both = any(letter.isdigit() for letter in code) and any(letter.isalpha() for letter in code)
    assert (strip_stamp(f"Toko ~{code}") == "Toko") == both
    if stamp is not None:
        assert stamp.name == "Toko"


def test_name_with_a_stamp_cannot_be_declared() -> None:
    with pytest.raises(OptionError) as caught:
        validate("name", "Toko ~k3f9x")
    assert '" ~k3f9x"' in str(caught.value)
    assert validate("name", "Toko ~Medan") == "Toko ~Medan"


def test_digests_use_the_whole_range() -> None:
    """A digest that used only a part of its range would miss more changes than documented."""
    stamps = [read(stamped("Toko", {OWN: {"target": str(i)}}, None)) for i in range(4000)]
    digests = {stamp.digests[OWN] for stamp in stamps}
    # 4000 drawn from 13363 with repetition: 13363 * (1 - (1 - 1/13363) ** 4000) = 3458 different ones.
    assert 3350 < len(digests) < 3560
    many = {_digest(TOKEN, "Toko", OWN, {"target": str(i)}) for i in range(100_000)}
    assert 0 not in many and max(many) == 13363
