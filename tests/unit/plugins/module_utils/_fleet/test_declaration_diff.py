# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration_diff import check_declaration

KEY = "s3cr3t-part"
HEAD = "fleet_clients:\n  - name: Toko\n    devices:\n"


def device(number: str, **settings: object) -> str:
    lines = [f'      - device: "{number}"\n', *(f"        {option}: {value}\n" for option, value in settings.items())]
    return "".join(lines)


def checked(now: str, before: str | None = None, **more: t.Any) -> dict[str, t.Any]:
    said = check_declaration({"toko.yml": now}, None if before is None else {"toko.yml": before}, **more)
    assert KEY not in str(said)
    return said


def lines(now: str, before: str, **more: t.Any) -> list[str]:
    """Return the lines of the changes, without the head and the notes."""
    said = checked(now, before, **more)
    assert said["problems"] == []
    return [line for line in said["text"][1:] if line not in said["notes"]]


OLD = HEAD + device("081200000001", name="Satu", webhook=f"https://hooks.example.com/{KEY}", autoread="true")
BARE = HEAD + device("081200000001", name="Satu")


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (
            OLD.replace("autoread: true", "autoread: false"),
            OLD,
            ['autoread: true → false (1): 081200000001 "Satu" (Toko)'],
        ),
        (OLD.replace(KEY, "other"), OLD, ["webhook: another value (https://hooks.example.com/…) (1): "]),
        (OLD.replace(f"https://hooks.example.com/{KEY}", "''"), OLD, ["Webhooks cleared (1): "]),
        (
            OLD.replace("hooks.", "hook."),
            OLD,
            ["webhook: https://hooks.example.com/… → https://hook.example.com/… (1)"],
        ),
        (
            OLD.replace(f"https://hooks.example.com/{KEY}", f"'{{{{ {KEY} }}}}'"),
            OLD,
            ["→ a value that is not readable"],
        ),
        (BARE, OLD, ["autoread: true → not managed", "webhook: https://hooks.example.com/… → not managed"]),
        (BARE + "        state: disconnected\n", BARE, ["Disconnected (1): "]),
        (BARE, BARE + "        state: disconnected\n", ["May be linked again (1): "]),
        (BARE + device("081200000002"), BARE, ["New (1): 081200000002 (Toko)"]),
        (BARE, BARE + device("081200000002"), ["No longer declared (1): 081200000002 (Toko). Nothing is deleted."]),
        (
            BARE.replace("0001", "0002"),
            BARE,
            ["New (1)", "No longer declared (1)", "A new number under an old name (1)"],
        ),
        (BARE.replace("Toko", "Warung"), BARE, ['Of another client (1): 081200000001 "Satu" (Warung), from Toko']),
        (BARE.replace("    devices", "    account_token: other\n    devices"), BARE, ["In another account (1): "]),
        (BARE.replace('"0812', '"62812'), BARE, []),
        (BARE.replace("Satu", "'Satu' # its name"), BARE, []),
        (HEAD + device("081200000001", name=12345), HEAD + device("081200000001", name='"12345"'), []),
    ],
)
def test_change_of_a_declaration_is_described(now: str, before: str, words: list[str]) -> None:
    reported = lines(now, before)
    assert [part in line for part, line in zip(words, reported, strict=False)] == [True] * len(words) and len(
        reported
    ) == len(words)
    assert ("Nothing changes." in checked(now, before)["text"][0]) is (not words)


def test_devices_with_the_same_change_are_one_line() -> None:
    before = HEAD + "".join(device(f"0812000000{place:02}", quick="true") for place in range(30))
    (line,) = lines(before.replace("true", "false"), before)
    assert line.startswith("quick: true → false (30): ") and line.count("(Toko)") == 10 and "and 20 more" in line


def test_exceeded_limit_is_noted() -> None:
    before = HEAD + "".join(device(f"0812000000{place:02}", webhook="https://a.example.com/x") for place in range(5))
    now = before.replace("https://a.example.com/x", "''")
    (note,) = (note for note in checked(now, before, max_clear="4")["notes"] if "brake" in note or "fleet_max" in note)
    assert note.startswith("This change clears webhooks of 5 devices, and fleet_max_clear is 4")
    assert "-e fleet_max_clear=5" in note
    assert not [note for note in checked(now, before, max_clear=5)["notes"] if "fleet_max" in note]
    stopped = now + "".join(device(f"0812000001{place:02}", state="disconnected") for place in range(2))
    running = stopped.replace("disconnected", "present")
    notes = checked(stopped, running, max_disconnect=1, max_create=0)["notes"]
    assert [note for note in notes if "fleet_max_disconnect=2" in note] and "fleet_max_create" not in str(notes)
    assert "fleet_max_create=2" in str(checked(stopped, now, max_create=1)["notes"])


@pytest.mark.parametrize("brake", ["max_create", "max_clear", "max_disconnect"])
@pytest.mark.parametrize("limit", ["many", "", "3.5", -1, True, [3]])
def test_limit_that_is_no_number_is_an_error(brake: str, limit: t.Any) -> None:
    for before in (BARE, None):
        with pytest.raises(OptionError, match=f"^Option {brake}: it is not a valid whole number; "):
            checked(BARE, before, **{brake: limit})


def test_misspelled_limit_is_an_error() -> None:
    with pytest.raises(TypeError, match="max_creat"):
        checked(BARE, BARE, max_creat=1)


def test_problems_of_all_files_are_reported() -> None:
    said = check_declaration(
        {
            "a.yml": "fleet_devices: [",
            "b.yml": "fleet_devices:\n  - device: '081200000001'\n    quick: true\n    quick: false\n",
            "c.yml": f"fleet_devices:\n  - device: '081200000002'\n    webhook: {KEY}\n",
            "d.yml": None,
            "e.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
            "f.yml": "fleet_devices: !strange []\n",
        },
        {"a.yml": "nonsense: ["},
    )
    first, second, third, fourth = said["problems"]
    assert first.startswith("a.yml is not valid YAML in line ")
    assert second.startswith("b.yml has the key quick twice in one dictionary, the second time in line 4")
    assert third.startswith("f.yml has a value that Ansible cannot read in line 1")
    assert "Option webhook: it is not a URL" in fourth
    assert [note.split()[0] for note in said["notes"]] == ["d.yml", "e.yml"]
    assert "4 problems." in said["text"][0] and KEY not in str(said)
    assert "### Problems\n\n- a.yml" in said["markdown"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("!!timestamp foo", "has a value that Ansible cannot read in line 2"),
        ("2001-99-99", "has a value that Ansible cannot read in line 2"),
        ("!!bool foo", "has a value that Ansible cannot read in line 2"),
        ("!!int ''", "has a value that Ansible cannot read in line 2"),
        ("!!float '-'", "has a value that Ansible cannot read in line 2"),
        ("!!str [x]", "has a value that Ansible cannot read in line 2"),
        ("!unsafe {x: y}", "has a value that Ansible cannot read in line 2"),
        ("!vault [x]", "has a value that Ansible cannot read in line 2"),
        ("{? !!timestamp x : y}", "has a value that Ansible cannot read in line 2"),
        ('"\\UFFFFFFFF"', "is not valid YAML"),
        ("[" * 3000, "is nested too deeply to be read"),
        ("[" * 3000 + "]" * 3000, "is nested too deeply to be read"),
        ("{a: " * 3000 + "}" * 3000, "is nested too deeply to be read"),
        ("\n" + "- " * 3000 + "x", "is nested too deeply to be read"),
    ],
)
def test_unreadable_yaml_is_one_sentence(value: str, says: str) -> None:
    (problem,) = checked(f"---\nfleet_devices: {value}\n")["problems"]
    assert problem.startswith(f"toko.yml {says}; ") and "\n" not in problem


def test_unknown_yaml_version_is_a_problem() -> None:
    (problem,) = checked(f"%YAML {'9' * 5000}.1\n---\nfleet_devices: []\n")["problems"]
    assert problem.startswith("toko.yml is not valid YAML")


def test_vault_and_unsafe_values_are_compared_unread() -> None:
    text = HEAD + device("081200000001", webhook="!vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          6162")
    assert checked(text)["problems"] == []
    assert lines(text, text) == []
    assert "not readable here" in lines(text.replace("6162", "6163"), text)[0]
    unsafe = HEAD + device("081200000001", name="!unsafe '{{ x }}'")
    assert checked(unsafe)["problems"] == []


def test_anchors_are_read_as_ansible_reads_them() -> None:
    text = (
        "fleet_packages:\n  one: &one {quick: true}\n  two: &two {group: true}\n  both:\n    <<: *one\n    <<: *two\n"
        "fleet_clients:\n  - name: Toko\n    package: both\n    devices: &devices\n" + device("081200000001")
    )
    assert checked(text)["problems"] == []
    assert lines(text.replace("quick: true", "quick: false"), text)[0].startswith("quick: true → false (1)")
    twice = text + "  - name: Warung\n    devices: *devices\n"
    assert "declared more than once" in checked(twice)["problems"][0]


def test_undeclared_settings_are_noted() -> None:
    (note,) = checked(BARE)["notes"]
    assert "quick (1), resend (1), target (1), country_code (1)" in note
    (note,) = checked(BARE + "        resend: false\n")["notes"]
    assert "target" not in note and "resend (" not in note


def test_name_is_escaped_in_markdown() -> None:
    said = checked(HEAD + device("081200000001", name="'@all [x](y) <b>'"), HEAD)
    assert "@all" not in said["markdown"] and "\\[x\\](y) \\<b\\>" in said["markdown"]
    said = checked(HEAD + device("081200000001", name=r'"https://x www.y ~~z~~ &lt; \e[2J"'), HEAD)
    assert not any(words in said["markdown"] for words in ("https://", " www.", " ~", " &", "\x1b"))


@pytest.mark.parametrize(
    "text",
    [
        'fleet_devices: [{device: "081200000001", "{{ x }}": 1}]',
        'fleet_devices: [{device: "081200000001", name: "{{ x }}", state: "{{ x }}", package: "{{ x }}"}]',
        'fleet_clients: [{name: "{{ x }}", devices: [{device: "081200000001"}]}]',
        'fleet_clients: [{name: Toko, contacts: [{name: "{{ x }}"}], devices: [{device: "{{ x }}", name: "{{ x }}"}]}]',
        'fleet_packages: {"{{ x }}": {quick: true}}\nfleet_devices: [{device: "081200000001", package: basic}]',
        'fleet_packages: {"{{ x }}": {quck: true}}\nfleet_devices: [{device: "081200000001", package: basic}]',
        '"{{ x }}": 1\nfleet_devices: []',
        'fleet_devices: [{device: "081200000001", name: !vault "$ANSIBLE_VAULT;1.1;AES256"}]',
    ],
)
def test_unresolved_value_has_a_readable_name(text: str) -> None:
    for said in (checked(text), checked(text, 'fleet_devices: [{device: "081200000001", name: Toko}]')):
        assert "object at 0x" not in repr(said) and "Unread" not in repr(said)


@pytest.mark.parametrize(
    "name, shown",
    [
        ("$x^2$", "\\$\u200bx^2\\$\u200b"),
        ("!123", "\\!\u200b123"),
        ("%5 ~6", "%\u200b5 \\~\u200b6"),
        ("&7", "\\&\u200b7"),
        ("GH-1", "GH-\u200b1"),
        ("PROJ-42", "PROJ-\u200b42"),
        ("group/p#1", "group/p\\#\u200b1"),
    ],
)
def test_name_is_no_formula_and_no_reference(name: str, shown: str) -> None:
    said = checked(HEAD + device("081200000001", name=f"'{name}'"), HEAD)
    assert f'"{shown}"' in said["markdown"] and name not in said["markdown"]


@pytest.mark.parametrize("number", ["1" + ":59" * 60_000, "1" * 5000, "0x" + "f" * 5000, "1" + ":59" * 60_000 + ".5"])
def test_too_long_number_is_one_sentence(number: str) -> None:
    said = checked(f"fleet_devices:\n- device: {number}\n")
    assert said["problems"] == [
        "toko.yml has a value that Ansible cannot read in line 2; check the type of the value, or quote it."
    ]
