# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of declarations are changed where they have to be, and nowhere else."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption import declaration_files as _declarations
from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption.declaration_files import DeclarationFile
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import yaml_edit as _yaml_text
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.yaml_edit import YamlEditError

A, B, C = "081200000001", "6281200000002", "081200000003"


class Loader(yaml.SafeLoader):
    """Reads the tags that Ansible knows."""


Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))
Loader.add_constructor("!vault", lambda loader, node: ("vault", loader.construct_scalar(node)))


def devices(file: DeclarationFile) -> list[dict[str, t.Any]]:
    """The devices as Ansible reads them."""
    return yaml.load(file.text, Loader=Loader)["fleet_devices"] or []


def read(text: str) -> DeclarationFile:
    return _declarations.read("devices.yml", text)


FORMS = [
    'fleet_devices:\n  - device: "081200000001"\n    name: Toko\n',
    'fleet_devices:\n- device: "081200000001"\n  name: Toko\nfleet_defaults: {group: true}\n',
    'fleet_devices:\n- name: Toko\n  # its number\n  device: "081200000001"   # Toko\n\n# the end',
    "fleet_devices:\n-   device: '081200000001'\n    name: >-\n      Toko\n# more\nfleet_defaults:\n  group: true\n",
    "---\nfleet_devices: [{device: '081200000001', name: Toko}]\n",
    "fleet_devices:\n  - {device: '081200000001', name: Toko}  # flow\n",
    "fleet_devices:\r\n  - device: '081200000001'\r\n    name: Toko\r\n",
    "\ufefffleet_devices:\n  - device: '081200000001'\n    name: Toko",
    "fleet_devices:\n- device: '081200000001'\n  name: |-\n    Toko",
    "fleet_devices:\n- device: '081200000001'\n  name: Toko\n  extra:\n    a: [1, 2]\n    # of a\n    b:\n    - c\n# end\n",
    "fleet_devices:\n  - name: 'To\n      ko'\n    device: 081200000001\n    extra: {a: [1, 2]}\n",
]


@pytest.mark.parametrize("text", FORMS)
def test_settings_are_set_in_any_form(text: str) -> None:
    values = {"webhook": "https://hooks.example.com/a?b={c}#d", "quick": False, "target": "081200000009"}
    file = _declarations.with_settings(read(text), {A: values})
    (before,) = devices(read(text))
    assert devices(file) == [{**before, **values}]
    assert _declarations.with_settings(file, {A: values}) == file
    other = {"quick": True, "webhook": ""}
    again = _declarations.with_settings(file, {A: other})
    assert devices(again) == [{**before, **values, **other}]


@pytest.mark.parametrize("text", ["fleet_devices:\n", "fleet_devices: []\n", "fleet_devices: [] # none\n", *FORMS])
def test_devices_are_added_in_any_form(text: str) -> None:
    new = [{"device": B, "name": "yes", "autoread": True}, {"device": C}]
    file = _declarations.with_devices(read(text), new)
    assert devices(file) == devices(read(text)) + new
    rest = {key: value for key, value in yaml.load(text, Loader=Loader).items() if key != "fleet_devices"}
    assert {k: v for k, v in yaml.load(file.text, Loader=Loader).items() if k != "fleet_devices"} == rest


@pytest.mark.parametrize("text", FORMS)
def test_every_line_of_a_person_stays(text: str) -> None:
    if "[{" in text:
        return
    file = _declarations.with_devices(read(text), [{"device": B}])
    file = _declarations.with_settings(file, {B: {"quick": True}})
    kept = file.text.splitlines()
    assert [line for line in text.splitlines() if line not in kept] == []


def test_comments_beside_an_exchanged_value_stay() -> None:
    text = 'fleet_devices:\n- device: "081200000001"\n  quick: no  # by hand\n  webhook:   # later\n  name: a b\n'
    file = _declarations.with_settings(read(text), {A: {"quick": True, "webhook": "https://h.example.com"}})
    assert file.text == (
        'fleet_devices:\n- device: "081200000001"\n  quick: true  # by hand\n'
        '  webhook: "https://h.example.com"   # later\n  name: a b\n'
    )


@pytest.mark.parametrize(
    ("written", "option", "value"),
    [
        ("yes", "quick", True),
        ("'off'", "quick", False),
        ("True", "quick", True),
        ('"0812-0000-0009"', "target", "081200000009"),
        ("https://h.example.com", "webhook", "https://h.example.com"),
        ('""', "webhook", ""),
    ],
)
def test_a_value_that_is_there_in_other_words_stays(written: str, option: str, value: t.Any) -> None:
    file = read(f"fleet_devices:\n- device: '{A}'\n  {option}: {written}\n")
    assert _declarations.with_settings(file, {A: {option: value}}) is file


@pytest.mark.parametrize(
    "written", ["'{{ vault_hook }}'", "!vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162", "[a]"]
)
def test_what_is_encrypted_or_a_template_is_left_alone(written: str) -> None:
    file = read(f"fleet_devices:\n- device: '{A}'\n  webhook: {written}\n  name: Toko\n")
    assert _declarations.with_settings(file, {A: {"webhook": "https://h.example.com"}}) is file


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'id') }}", "{% raw %}", "{# a #}"])
def test_no_text_from_outside_becomes_a_template(text: str) -> None:
    file = _declarations.with_devices(_declarations.new_file("devices.yml"), [{"device": A, "name": text}])
    assert devices(file) == [{"device": A, "name": ("unsafe", text)}]
    url = f"https://h.example.com/{text.replace(' ', '')}"
    file = _declarations.with_settings(file, {A: {"webhook": url}})
    assert devices(file)[0]["webhook"] == ("unsafe", url)
    assert _declarations.with_settings(file, {A: {"webhook": url}}) is file


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1, max_size=5))
def test_names_survive_yaml(names: list[str]) -> None:
    numbers = [f"0812{index:08d}" for index in range(len(names))]
    new = [{"device": number, "name": name} for number, name in zip(numbers, names, strict=False)]
    file = _declarations.with_devices(_declarations.new_file("devices.yml"), new)
    found = [device["name"] for device in devices(file)]
    assert [name[1] if isinstance(name, tuple) else name for name in found] == names
    assert all(f'device: "{number}"' in file.text for number in numbers)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no list fleet_devices"),
        ("fleet_devices: many\n", "no list fleet_devices"),
        ("devices:\n- device: a\n", "no list fleet_devices"),
        ("a: b: c\n", "no YAML in line 1"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "ansible-vault decrypt"),
    ],
)
def test_a_file_that_declares_nothing(text: str, words: str) -> None:
    with pytest.raises(YamlEditError) as caught:
        read(text)
    assert words in str(caught.value)


def test_a_file_that_cannot_be_changed_safely_is_not_changed() -> None:
    text = f"one: &one {{device: '{A}', name: a}}\nfleet_devices:\n- *one\n- *one\n"
    with pytest.raises(YamlEditError) as caught:
        _declarations.with_settings(read(text), {A: {"quick": True}})
    assert "cannot be changed safely" in str(caught.value)


def test_an_edit_that_does_something_else_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """What YAML allows is more than anybody thinks of: what comes out is compared with what was wanted."""
    monkeypatch.setattr(_yaml_text, "set_keys", lambda text, node, values: put(text, node, {"quick": False}))
    with pytest.raises(YamlEditError) as caught:
        _declarations.with_settings(read(FORMS[0]), {A: {"quick": True}})
    assert "cannot be changed safely" in str(caught.value)


put = _yaml_text.set_keys


def test_a_device_is_found_in_any_spelling_and_the_same_spelling_goes_first() -> None:
    one = read(f"fleet_devices:\n- device: '{A}'\n- device: '+62 812-0000-0002'\n- name: x\n- 7\n")
    other = read("fleet_devices:\n- device: 6281200000001\n")
    places = _declarations.Places([one, other])
    assert [(file is one, found.number) for file, found in places.find(A)] == [(True, A)]
    assert [found.number for _file, found in places.find("0062 812 00000001")] == [A, "6281200000001"]
    assert places.find(B)[0][1].number == "+62 812-0000-0002"
    assert places.find(C) == []
    decorated = read("fleet_devices:\n- device: '+62 812-0000-0001'\n")
    assert len(_declarations.Places([decorated, one]).find("+62 812-0000-0001")) == 1


def test_the_places_of_a_device_come_in_the_order_of_the_files() -> None:
    """Not by spelling: a message names the files in this order."""
    first, second = (read(f"fleet_devices:\n- device: '{A}'\n- device: '62 {A[1:]}'\n") for _file in range(2))
    found = _declarations.Places([second, first]).find("+62" + A[1:])
    assert [(file is second, device.number) for file, device in found] == [
        (True, A),
        (True, "62 " + A[1:]),
        (False, A),
        (False, "62 " + A[1:]),
    ]


def test_devices_of_clients_are_declared_too() -> None:
    text = (
        "fleet_clients:\n  - name: Toko\n    devices:\n      - device: '081200000001'\n        name: Toko\n"
        "  - name: None yet\nfleet_devices:\n  - device: '6281200000002'\n"
    )
    file = read(text)
    assert file.numbers() == [A, B]
    changed = _declarations.with_settings(file, {A: {"quick": True}, B: {"group": False}})
    (toko, none) = yaml.load(changed.text, Loader=Loader)["fleet_clients"]
    assert toko["devices"] == [{"device": A, "name": "Toko", "quick": True}] and none == {"name": "None yet"}
    assert devices(changed) == [{"device": B, "group": False}]
    assert devices(_declarations.with_devices(changed, [{"device": C}]))[-1] == {"device": C}
    with pytest.raises(YamlEditError) as caught:
        _declarations.with_devices(read(text.partition("fleet_devices")[0]), [{"device": C}])
    assert "fleet_devices: []" in str(caught.value)


def test_an_error_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yaml_text, "YAML_MISSING", "No module named yaml")
    with pytest.raises(_yaml_text.MissingLibraryError) as caught:
        read("fleet_devices: []\n")
    assert "PyYAML" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["{{ 1 }}", "x {", "{% x %}", "#jinja2:variable_start_string:'<'\n<", "Toko #", "#jin", "jinja2:x"]
)
def test_what_could_become_a_template_is_written_as_data(name: str) -> None:
    written = _yaml_text.render(name)
    assert written.startswith('!unsafe "') and _yaml_text.load(written, "a file", lambda text: None) == name


@pytest.mark.parametrize("name", ["Toko Satu", "Toko #1", "a } b", "100%"])
def test_other_names_are_written_as_they_are(name: str) -> None:
    assert _yaml_text.render(name) == f'"{name}"'
