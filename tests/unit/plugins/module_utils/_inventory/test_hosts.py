# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices as hosts: names that lose no device, variables without secrets, and a validated cache."""

from __future__ import annotations

import json
import random
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import Redactor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.hosts import (
    MAX_NAME_LENGTH,
    from_cache,
    host_names,
    host_variables,
    to_cache,
)

ODD = [
    "all",
    "localhost",
    "ungrouped",
    "127.0.0.1",
    "taken",
    "Toko",
    "Toko_081",
    "..",
    "",
    "a/b",
    "a b",
    "-x",
    "😀",
    "081",
]
NUMBERS = st.sampled_from(["081", "0812", "+62 812", "62812", "tutorial", "all", "…", "Toko"])
DEVICES = st.lists(st.tuples(NUMBERS, st.one_of(st.sampled_from(ODD), st.text(max_size=70))), max_size=12)


def device(number: str, name: str | None = None, **more: t.Any) -> Device:
    return Device(number=number, token=f"token-{number}", settings={} if name is None else {"name": name}, **more)


def named(*devices: tuple[str, str], taken: tuple[str, ...] = ()) -> list[str]:
    return host_names([device(number, name) for number, name in devices], "name", taken)


def test_name_that_is_the_number_of_another_device_is_no_host_name() -> None:
    """A play on that number, in any spelling, would run on the wrong device."""
    first, second = "081200001001", "081200001002"
    assert named((first, "Toko"), (second, first)) == ["Toko", f"{first}_{second}"]
    assert named((first, "Toko"), (second, "62" + first[1:])) == ["Toko", f"62{first[1:]}_{second}"]
    assert named((first, first), (second, "Toko")) == [first, "Toko"]


@pytest.mark.parametrize(
    ("number", "host"),
    [
        ("081200001001", "081200001001"),
        ("+62 812-0000.1001", "6281200001001"),
        ("tutorial", "tutorial"),
        ("all", "all_1"),
        ("../../etc", "etc"),
        ("{{ x }}", "x"),
        ("…", "device_1"),
    ],
)
def test_host_is_named_by_its_number(number: str, host: str) -> None:
    assert host_names([device(number)], "number") == [host]


def test_same_number_twice_gives_two_hosts() -> None:
    spellings = [device("62812345678"), device("62812345678"), device("+62 812 345 678")]
    assert sorted(host_names(spellings, "number")) == ["62812345678_1", "62812345678_2", "62812345678_3"]


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("Toko Satu", "Toko_Satu"),
        ("Toko: Satu, Dua!", "Toko_Satu_Dua"),
        ("ok.example-1_a", "ok.example-1_a"),
        ("Toko 日本", "Toko_日本"),
        ("cafe\u0301", "caf\u00e9"),
        ("~web[1:3]*", "web_1_3"),
        ("../../etc/passwd", "etc_passwd"),
        ("{{ lookup('pipe', 'id') }}", "lookup_pipe_id"),
        ("x" * 100, "x" * MAX_NAME_LENGTH),
        ("\x1b[2J", "2J"),
        ("😀😀", "0811"),
        ("", "0811"),
        (".. -_", "0811"),
        ("all", "all_0811"),
        ("localhost", "localhost_0811"),
        ("127.0.0.1", "127.0.0.1_0811"),
        ("taken", "taken_0811"),
    ],
)
def test_host_is_named_by_its_device_name(name: str, host: str) -> None:
    assert named(("0811", name), taken=("taken",)) == [host]


def test_devices_with_the_same_name_get_their_numbers_appended() -> None:
    assert named(("0811", "Toko"), ("0812", "Toko"), ("0813", "Kedai")) == ["Toko_0811", "Toko_0812", "Kedai"]
    assert named(("0811", "Toko!"), ("0812", "Toko?")) == ["Toko_0811", "Toko_0812"]
    assert named(("0811", "Toko"), ("0812", "Toko"), ("0813", "Toko_0811")) == ["0811", "Toko_0812", "Toko_0811"]
    assert named(("0811", "a" * 40), ("0812", "a" * 40))[0] == "a" * 20 + "_0811"
    assert host_names([device("0811")], "name") == ["0811"]


@given(DEVICES, st.sampled_from(["name", "number"]), st.randoms())
def test_no_device_is_lost_and_no_host_name_is_reserved(
    rows: list[tuple[str, str]], by: str, chance: random.Random
) -> None:
    devices = [device(number, name) for number, name in rows]
    names = host_names(devices, by, ("taken",))
    assert len(set(names)) == len(devices)
    assert not {"all", "ungrouped", "localhost", "127.0.0.1", "taken", ""} & set(names)
    for name in names:
        assert len(name) <= MAX_NAME_LENGTH + 4
        assert not name.startswith((".", "-", "~")) and all(letter.isalnum() or letter in "._-" for letter in name)
    if len({number for number, _name in rows}) == len(rows):
        order = list(range(len(devices)))
        chance.shuffle(order)
        shuffled = host_names([devices[index] for index in order], by, ("taken",))
        unsure = {name for name in (*names, *shuffled) if name.rpartition("_")[2] in {"1", "2", "3", "4"}}
        assert {*shuffled} - unsure == {*names} - unsure


def test_variables_are_those_of_the_device_list() -> None:
    full = Device(
        number="081200001001",
        token="t0ken",
        connected=True,
        package="Super",
        quota=5,
        expires=1707782400,
        settings={"name": "Toko\x1b[2J\u202e", "autoread": False, "personal": True},
    )
    assert host_variables(full, Redactor("account")) == {
        "fonnte_device": "081200001001",
        "fonnte_connected": True,
        "fonnte_package": "Super",
        "fonnte_quota": 5,
        "fonnte_expires": "2024-02-13T00:00:00Z",
        "fonnte_name": "Toko?[2J?",
        "fonnte_autoread": False,
    }
    assert host_variables(device("1"), Redactor("account"))["fonnte_name"] is None


def test_cache_returns_the_devices_without_tokens() -> None:
    devices = (
        device("0811", "Toko 😀", connected=True, package="Free", quota=3, expires=4),
        Device(number="0812", token="t0ken"),
    )
    text = json.dumps(to_cache(devices, "mark"))
    assert "token" not in text and "t0ken" not in text
    found = from_cache(json.loads(text), "mark")
    assert found is not None
    assert [host_variables(one, Redactor("a")) for one in found] == [
        host_variables(one, Redactor("a")) for one in devices
    ]
    assert {one.token for one in found} == {""}
    assert from_cache(json.loads(text), "other") is None


def spoilt(*path: t.Any, value: t.Any) -> t.Any:
    cache: t.Any = to_cache([device("0811", "Toko", quota=3)], "mark")
    place = cache
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return cache


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        "text",
        {},
        spoilt("format", value=2),
        spoilt("account", value=None),
        spoilt("devices", value={}),
        spoilt("devices", 0, value="0811"),
        spoilt("devices", 0, "number", value=""),
        spoilt("devices", 0, "number", value=811),
        spoilt("devices", 0, "connected", value="connect"),
        spoilt("devices", 0, "package", value=["Free"]),
        spoilt("devices", 0, "quota", value=True),
        spoilt("devices", 0, "expires", value=1.5),
        spoilt("devices", 0, "settings", value=None),
        spoilt("devices", 0, "settings", "name", value=1),
        spoilt("devices", 0, "settings", "webhook", value="https://x"),
        spoilt("devices", 0, "settings", "autoread", value="on"),
    ],
)
def test_invalid_cache_is_ignored(kept: object) -> None:
    assert from_cache(kept, "mark") is None
