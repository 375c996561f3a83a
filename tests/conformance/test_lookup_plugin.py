# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup of tokens and the filter of numbers, in real playbooks on the newest and the oldest ansible-core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import (
    ACCOUNT,
    ON_EACH_CORE,
    USUAL_CORES,
    Workspace,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

A, B, C = "081200013001", "6281200013002", "081200013003"
GONE = "081299999999"
LOOKUP = "fonnte.whatsapp.fonnte_token"


@pytest.fixture(params=USUAL_CORES)
def core(request: pytest.FixtureRequest) -> str:
    """Return the name of a test's ansible-core."""
    name: str = request.param
    return name


@pytest.fixture()
def workspace(core: str, sandbox: Sandbox, tmp_path: Path) -> Workspace:
    """Return a workspace with three devices."""
    one = Workspace(sandbox, tmp_path, core)
    one.world(there(A), there(B), there(C))
    return one


def written(template: str, name: str = "given.json") -> dict[str, Any]:
    """Return a task that writes the value of a template to a file, without output."""
    return {
        "ansible.builtin.copy": {"content": f"{{{{ ({template}) | to_json }}}}", "dest": name, "mode": "0600"},
        "no_log": True,
        "diff": False,
    }


def given(workspace: Workspace, template: str, **how: Any) -> Any:
    """Return the value of a template."""
    dest = workspace.folder / "given.json"
    workspace.play(written(template, str(dest)), **how)
    return json.loads(dest.read_text(encoding="utf-8"))


def error(workspace: Workspace, template: str, **how: Any) -> str:
    """Return the error of a template that fails."""
    task = {"ansible.builtin.debug": {"msg": f"{{{{ {template} }}}}"}}
    return " ".join((workspace.play(task, code=2, **how) + workspace.errors).split()).replace('\\"', '"')


def errors(workspace: Workspace, templates: list[str]) -> list[str]:
    """Return the errors of several templates that fail, from one process."""
    tasks = [
        {"name": f"template {index}", "ansible.builtin.debug": {"msg": f"{{{{ {template} }}}}"}, "ignore_errors": True}
        for index, template in enumerate(templates)
    ]
    # Newer cores would write errors to standard error, where they cannot be assigned to a task.
    output = workspace.play(*tasks, env={"ANSIBLE_DISPLAY_FAILED_STDERR": "false"})
    parts = output.split("TASK [template ")[1:]
    assert len(parts) == len(templates), output
    return [" ".join(part.split()).replace('\\"', '"') for part in parts]


# The lookup


@pytest.mark.smoke
@ON_EACH_CORE
def test_tokens_for_any_spelling_in_one_request(workspace: Workspace) -> None:
    numbers = f"'0812-0001-3001', '+62 812 0001 3001', ['{B}', '0812 0001 3002'], 6281200013003"
    tokens = [device_token(number) for number in (A, A, B, B, C)]
    assert given(workspace, f"query('{LOOKUP}', {numbers})") == tokens
    assert workspace.calls() == 1
    assert given(workspace, f"lookup('{LOOKUP}', '{A}')") == device_token(A)
    assert given(workspace, f"query('{LOOKUP}')") == []


@pytest.mark.weekly
def test_missing_device_is_handled_by_on_missing(workspace: Workspace) -> None:
    workspace.world(there(A), there(B, unlisted=True))
    workspace.sandbox.set_readings(listing="partial")
    said = error(workspace, f"lookup('{LOOKUP}', '{A}', '{B}')")
    assert f"Looking up the token of device {B}: the account does not list it; check the number" in said
    assert given(workspace, f"query('{LOOKUP}', '{GONE}', '{A}', '{B}', on_missing='skip')") == [device_token(A)]
    assert "No token" not in workspace.errors
    assert given(workspace, f"query('{LOOKUP}', '{GONE}', '{A}', on_missing='warn')") == [device_token(A)]
    assert f"No token of device {GONE} is returned: the account does not list it." in workspace.errors


WRONG_LOOKUPS = [
    ("812345678", "Option _terms[0]: it is an unquoted YAML number and may have lost its leading zero; quote it"),
    (f"'{A}', '0812x'", 'Option _terms[1]: it has the character "x"'),
    (f"'{A}', account_token=''", "Option account_token: it is empty"),
    (f"'{A}', account_token=['list-{MARK[:3]}']", "Option account_token: it is not a string"),
    (f"'{A}', api_endpoint='http://api.example.com'", "Option api_endpoint: plain http"),
    (f"'{A}', on_missing='ignore'", "on_missing"),
    (f"'{A}', api_timeout='soon'", "api_timeout"),
    (f"'{A}', account_token='wrong-token'", 'Looking up device 081200013001: Fonnte returned "unknown user"'),
    (f"'{A}', api_endpoint='http://127.0.0.1:9'", "Looking up device 081200013001: the service cannot be reached"),
]


def test_invalid_option_is_reported_in_one_sentence(workspace: Workspace) -> None:
    said = errors(workspace, [f"lookup('{LOOKUP}', {terms})" for terms, _words in WRONG_LOOKUPS])
    for (terms, words), one in zip(WRONG_LOOKUPS, said, strict=True):
        assert words in one, (terms, one)


@pytest.mark.weekly
@ON_EACH_CORE
def test_options_from_the_environment(workspace: Workspace) -> None:
    empty = {"FONNTE_API_TIMEOUT": "", "FONNTE_API_RETRIES": "", "FONNTE_API_RETRY_MAX_DELAY": ""}
    assert given(workspace, f"lookup('{LOOKUP}', '{A}')", env=empty) == device_token(A)
    unset = {"FONNTE_ACCOUNT_TOKEN": "", "FONNTE_API_ENDPOINT": ""}
    assert "there is no token" in error(workspace, f"lookup('{LOOKUP}', '{A}')", env=unset)
    # The lookup restores the environment of the process: an empty variable still exists.
    kept = (
        f"[lookup('{LOOKUP}', '{A}') | length > 0, lookup('ansible.builtin.env', 'FONNTE_API_TIMEOUT', default='gone')]"
    )
    assert given(workspace, kept, env=empty) == [True, ""]
    warned = f"lookup('{LOOKUP}', '{A}', validate_certs=false)"
    assert given(workspace, warned) == device_token(A) and "validate_certs is false" in workspace.errors


@pytest.mark.weekly
@ON_EACH_CORE
def test_each_item_of_loop_reads_device_list(workspace: Workspace) -> None:
    """A device that is renumbered or created while the loop runs is not confused with another one."""
    info = {"fonnte.whatsapp.fonnte_device_info": {"device_token": f"{{{{ lookup('{LOOKUP}', item) }}}}"}}
    environment = {"FONNTE_ACCOUNT_TOKEN": ""}
    workspace.play({**info, "loop": [A, B, C], "environment": environment}, words=["-vvvv"])
    paths = [call["path"] for call in workspace.sandbox.journal()]
    assert paths.count("/device") == 3 <= paths.count("/get-devices")
    make = {
        "fonnte.whatsapp.fonnte_device": {
            "device": "{{ item }}",
            "name": f"{{{{ 'n' ~ (query('{LOOKUP}', '081200013007', on_missing='skip') | length) }}}}",
        },
        "loop": ["081200013007", "081200013008"],
    }
    workspace.play(make)
    assert [workspace.sandbox.device(f"08120001300{index}")["name"] for index in (7, 8)] == ["n0", "n1"]


@ON_EACH_CORE
def test_documented_uses_print_no_token(workspace: Workspace) -> None:
    """At -vvvv: a masked option, a variable that is not shown, a loop over numbers, and no_log."""
    token = f"{{{{ lookup('{LOOKUP}', item) }}}}"
    workspace.play(
        {"fonnte.whatsapp.fonnte_device": {"device_token": token, "autoread": True}, "loop": [A, B]},
        {
            "ansible.builtin.assert": {"that": ["secret | length > 4"]},
            "vars": {"secret": f"{{{{ lookup('{LOOKUP}', '{A}') }}}}"},
        },
        {
            "ansible.builtin.uri": {
                "url": f"{workspace.sandbox.url}/device",
                "method": "POST",
                "headers": {"Authorization": token},
            },
            "loop": [A, B],
            "no_log": True,
        },
        words=["-vvvv"],
        env={"ANSIBLE_LOG_VERBOSITY": "5"},
    )
    assert {call["token"] for call in workspace.sandbox.journal()} == {ACCOUNT, device_token(A), device_token(B)}


# The filter


NUMBERS = [
    ("'0812-0001-3001' | fonnte.whatsapp.phone_number", "6281200013001"),
    ("'+62 (0)812 0001 3001' | fonnte.whatsapp.phone_number", "6281200013001"),
    ("6281200013001 | fonnte.whatsapp.phone_number", "6281200013001"),
    ("'020 7946 0123' | fonnte.whatsapp.phone_number(country=44)", "442079460123"),
    ("'020 7946 0123' | fonnte.whatsapp.phone_number('+44')", "442079460123"),
    ("['0812-12345', '0062 812 12345'] | map('fonnte.whatsapp.phone_number') | unique | list", ["6281212345"]),
]


@pytest.mark.weekly
def test_phone_number_is_converted_to_international(workspace: Workspace) -> None:
    templates = ", ".join(f"({template})" for template, _digits in NUMBERS)
    assert given(workspace, f"[{templates}]") == [digits for _template, digits in NUMBERS]


NO_NUMBERS = [
    ("'0812x' | fonnte.whatsapp.phone_number", 'Filter phone_number, "0812x": it has the character "x"'),
    ("'12' | fonnte.whatsapp.phone_number", 'Filter phone_number, "12": it has 2 digits; a number has 8 to 15'),
    ("812345678 | fonnte.whatsapp.phone_number", "quote it"),
    (
        "['081234567'] | fonnte.whatsapp.phone_number",
        "the input is a list; use map('fonnte.whatsapp.phone_number')",
    ),
    (
        "'081234567' | fonnte.whatsapp.phone_number('ID')",
        'Filter phone_number, "ID": it is not the code of a country',
    ),
    ("none | fonnte.whatsapp.phone_number", "it is not a number"),
    ("('9' * 99) | fonnte.whatsapp.phone_number", f'"{"9" * 40}…": it has 99 digits'),
]


@pytest.mark.weekly
def test_invalid_number_is_reported_in_one_sentence(workspace: Workspace) -> None:
    said = errors(workspace, [template for template, _words in NO_NUMBERS])
    for (template, words), one in zip(NO_NUMBERS, said, strict=True):
        assert words in one.replace("\\u2026", "…"), (template, one)
