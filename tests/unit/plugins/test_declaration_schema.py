# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of declarations and the reader accept the same declarations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import BY_OPTION, ValueType
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import read_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.fleet_members import ENTRY
from ansible_collections.fonnte.whatsapp.tests.declaration_schema import PATH, declaration_schema

ROOT = Path(__file__).parents[3]
VALIDATOR = jsonschema.Draft202012Validator(declaration_schema())

GOOD: dict[ValueType, list[Any]] = {
    ValueType.NAME: ["Toko", "ab", "Toko Serba Ada 24 jam", "x" * 30],
    ValueType.URL: ["", "https://hooks.example.com/a?b=c", "http://10.0.0.1:8080/x"],
    ValueType.NUMBER: ["", "0812-0000-1001", "+62 812 0000 1001", 6281200001001],
    ValueType.COUNTRY: ["62", "0", 62],
    ValueType.FLAG: [True, False, "yes", "off"],
}
BAD: dict[ValueType, list[Any]] = {
    ValueType.NAME: ["T", "x" * 31, " Toko", "Toko ", ["Toko"], True],
    ValueType.URL: ["hooks.example.com", "ftp://hooks.example.com", "https://a b", 7, True, {"url": "x"}],
    ValueType.NUMBER: ["0812", 81200001, "6281200001001.0", "6,281E+12", "nobody", True, 0.5],
    ValueType.COUNTRY: ["Indonesia", "62345", True],
    ValueType.FLAG: ["maybe", 7, "", [True]],
}
OTHERS: dict[str, tuple[list[Any], list[Any]]] = {
    option: (list(spec["choices"]), ["never", True, 7]) for option, spec in ENTRY.items() if "choices" in spec
}


def values(option: str) -> st.SearchStrategy[Any]:
    """Return valid and invalid values of an option; null is always valid."""
    setting = BY_OPTION.get(option)
    good, bad = OTHERS[option] if setting is None else (GOOD[setting.value_type], BAD[setting.value_type])
    return st.sampled_from([*good, *good, *bad, None])


def settings(options: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries({}, optional={option: values(option) for option in options})
    unknown = st.sampled_from([{}, {}, {}, {"webhok": "https://x.example.com"}])
    return st.builds(lambda one, other: {**one, **other}, known, unknown)


COMMON = [option for option in (*BY_OPTION, *OTHERS) if option != "name"]
NUMBERS = st.sampled_from(["081200000001", "+62 812 0000 0002", 6281200000003, "0812", 812, "x", None, True])
KEYS = st.sampled_from(["device", "device", "number"])
DEVICES = st.builds(lambda key, number, own: {key: number, **own}, KEYS, NUMBERS, settings([*COMMON, "name"]))
CLIENTS = st.builds(
    lambda name, defaults, device, more: {"name": name, "defaults": defaults, "devices": [device], **more},
    st.sampled_from(["Toko Bunga", "", 7]),
    settings(COMMON),
    DEVICES,
    st.sampled_from([{}, {}, {"contacts": [{"name": "Sari"}]}, {"contacts": [{}]}, {"device": []}]),
)
FILES = st.one_of(
    st.builds(lambda device, own: {"fleet_devices": [device], "fleet_defaults": own}, DEVICES, settings(COMMON)),
    st.builds(lambda client: {"fleet_clients": [client]}, CLIENTS),
    st.sampled_from([{}, {"fleet_device": []}, {"fleet_devices": {}}, {"fleet_devices": [7]}]),
)


@given(FILES)
def test_schema_and_reader_accept_the_same_declarations(content: dict[str, Any]) -> None:
    problems = read_fleet({"devices.yml": content}).problems
    errors = [error.message for error in VALIDATOR.iter_errors(content)]
    assert bool(problems) == bool(errors), (problems, errors)


def test_schema_file_is_generated_from_the_table() -> None:
    assert json.loads((ROOT / PATH).read_text(encoding="utf-8")) == declaration_schema(), "run make schema"


def test_schema_marks_a_misspelled_setting_and_accepts_templates() -> None:
    entry = {"device": "081200000001", "name": "{{ name }}", "webhook": "https://x.example.com"}
    assert VALIDATOR.is_valid({"fleet_devices": [entry]})
    assert not VALIDATOR.is_valid({"fleet_devices": [{**entry, "webhok": "https://x.example.com"}]})
