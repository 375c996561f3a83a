# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edits of declaration files change only the necessary places."""

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
    """A loader that accepts the tags of Ansible."""


Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))
Loader.add_constructor("!vault", lambda loader, node: ("vault", loader.construct_scalar(node)))


def devices(file: DeclarationFile) -> list[dict[str, t.Any]]:
    """Return the devices as Ansible reads them."""
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
def test_settings_are_set_in_every_yaml_style(text: str) -> None:
    values = {"webhook": "https://hooks.example.com/a?b={c}#d", "quick": False, "target": "081200000009"}
    file = _declarations.with_settings(read(text), {A: values})
    (before,) = devices(read(text))
    assert devices(file) == [{**before, **values}]
    assert _declarations.with_settings(file, {A: values}) == file
    other = {"quick": True, "webhook": ""}
    again = _declarations.with_settings(file, {A: other})
    assert devices(again) == [{**before, **values, **other}]


@pytest.mark.parametrize("text", ["fleet_devices:\n", "fleet_devices: []\n", "fleet_devices: [] # none\n", *FORMS])
def test_devices_are_added_in_every_yaml_style(text: str) -> None:
    new = [{"device": B, "name": "yes", "autoread": True}, {"device": C}]
    file = _declarations.with_devices(read(text), new)
    assert devices(file) == devices(read(text)) + new
    rest = {key: value for key, value in yaml.load(text, Loader=Loader).items() if key != "fleet_devices"}
    assert {k: v for k, v in yaml.load(file.text, Loader=Loader).items() if k != "fleet_devices"} == rest


@pytest.mark.parametrize("text", FORMS)
def test_edits_keep_all_lines_of_the_user(text: str) -> None:
    if "[{" in text:
        return
    file = _declarations.with_devices(read(text), [{"device": B}])
    file = _declarations.with_settings(file, {B: {"quick": True}})
    kept = file.text.splitlines()
    assert [line for line in text.splitlines() if line not in kept] == []


def test_comments_next_to_a_replaced_value_stay() -> None:
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
def test_equivalent_value_in_another_spelling_is_unchanged(written: str, option: str, value: t.Any) -> None:
    file = read(f"fleet_devices:\n- device: '{A}'\n  {option}: {written}\n")
    assert _declarations.with_settings(file, {A: {option: value}}) is file


@pytest.mark.parametrize(
    "written", ["'{{ vault_hook }}'", "!vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162", "[a]"]
)
def test_encrypted_value_or_template_is_unchanged(written: str) -> None:
    file = read(f"fleet_devices:\n- device: '{A}'\n  webhook: {written}\n  name: Toko\n")
    assert _declarations.with_settings(file, {A: {"webhook": "https://h.example.com"}}) is file


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'id') }}", "{% raw %}", "{# a #}"])
def test_names_and_urls_are_never_written_as_templates(text: str) -> None:
    file = _declarations.with_devices(_declarations.new_file("devices.yml"), [{"device": A, "name": text}])
    assert devices(file) == [{"device": A, "name": ("unsafe", text)}]
    url = f"https://h.example.com/{text.replace(' ', '')}"
    file = _declarations.with_settings(file, {A: {"webhook": url}})
    assert devices(file)[0]["webhook"] == ("unsafe", url)
    assert _declarations.with_settings(file, {A: {"webhook": url}}) is file


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1, max_size=5))
def test_names_survive_a_yaml_round_trip(names: list[str]) -> None:
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
        ("a: b: c\n", "not valid YAML in line 1"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "ansible-vault decrypt"),
    ],
)
def test_file_without_declarations_is_refused(text: str, words: str) -> None:
    with pytest.raises(YamlEditError) as caught:
        read(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["fleet_defaults: {quick: true}\n", "fleet_packages: {}\nfleet_defaults: {}\n"])
def test_file_of_shared_settings_declares_no_device(text: str) -> None:
    """The advice to add an empty list ended the effect of these defaults on the other files of the directory."""
    file = read(text)
    assert (file.text, file.devices) == (text, ())
    with pytest.raises(YamlEditError, match="no list fleet_devices"):
        _declarations.with_devices(file, [{"device": A}])


def test_file_with_shared_anchors_is_refused() -> None:
    text = f"one: &one {{device: '{A}', name: a}}\nfleet_devices:\n- *one\n- *one\n"
    with pytest.raises(YamlEditError) as caught:
        _declarations.with_settings(read(text), {A: {"quick": True}})
    assert "cannot be changed safely" in str(caught.value)


def test_edit_with_an_unexpected_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML has too many constructs to anticipate all, so the result is compared with the intended one."""
    monkeypatch.setattr(_yaml_text, "set_keys", lambda text, node, values: put(text, node, {"quick": False}))
    with pytest.raises(YamlEditError) as caught:
        _declarations.with_settings(read(FORMS[0]), {A: {"quick": True}})
    assert "cannot be changed safely" in str(caught.value)


put = _yaml_text.set_keys


def test_device_is_found_in_any_spelling_and_an_exact_match_is_first() -> None:
    one = read(f"fleet_devices:\n- device: '{A}'\n- device: '+62 812-0000-0002'\n- name: x\n- 7\n")
    other = read("fleet_devices:\n- device: 6281200000001\n")
    places = _declarations.Places([one, other])
    assert [(file is one, found.number) for file, found in places.find(A)] == [(True, A)]
    assert [found.number for _file, found in places.find("0062 812 00000001")] == [A, "6281200000001"]
    assert places.find(B)[0][1].number == "+62 812-0000-0002"
    assert places.find(C) == []
    decorated = read("fleet_devices:\n- device: '+62 812-0000-0001'\n")
    assert len(_declarations.Places([decorated, one]).find("+62 812-0000-0001")) == 1


def test_places_of_a_device_are_in_file_order() -> None:
    """Not ordered by spelling: a message names the files in this order."""
    first, second = (read(f"fleet_devices:\n- device: '{A}'\n- device: '62 {A[1:]}'\n") for _file in range(2))
    found = _declarations.Places([second, first]).find("+62" + A[1:])
    assert [(file is second, device.number) for file, device in found] == [
        (True, A),
        (True, "62 " + A[1:]),
        (False, A),
        (False, "62 " + A[1:]),
    ]


def test_devices_of_clients_are_read_and_edited() -> None:
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


def test_missing_yaml_library_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yaml_text, "YAML_MISSING", "No module named yaml")
    with pytest.raises(_yaml_text.MissingLibraryError) as caught:
        read("fleet_devices: []\n")
    assert "PyYAML" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["{{ 1 }}", "x {", "{% x %}", "#jinja2:variable_start_string:'<'\n<", "Toko #", "#jin", "jinja2:x"]
)
def test_names_that_could_become_templates_are_tagged_unsafe(name: str) -> None:
    written = _yaml_text.render(name)
    assert written.startswith('!unsafe "') and _yaml_text.load(written, "a file", lambda text: None) == name


@pytest.mark.parametrize("name", ["Toko Satu", "Toko #1", "a } b", "100%"])
def test_other_names_are_written_as_quoted_strings(name: str) -> None:
    assert _yaml_text.render(name) == f'"{name}"'
