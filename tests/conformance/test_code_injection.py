# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No string from the service runs code (invariant 7): each canary would create a file in the home."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.yaml_edit import render
from ansible_collections.fonnte.whatsapp.tests.conformance.test_adopt_playbook import ACCOUNT, Office
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

# The cores treat results of modules differently. The collection itself reads declarations of adopt, on each core.
ON_EACH_CORE = pytest.mark.parametrize("core", list(CORES.values()), ids=list(CORES))
ON_USUAL_CORES = pytest.mark.parametrize("core", [CORES[core] for core in USUAL_CORES], ids=USUAL_CORES)
A, B, C, D, NEW = "081200013001", "081200013002", "081200013003", "081200013004", "081200013009"
# A name has 30 characters at most, and with a stamp 23.
SHORT = "{{q('pipe','>~/ran')}}"
LEFT, RIGHT = "x {", "{q('pipe','>~/ran')}}"
# The beginnings of a formula, of an escape sequence of a terminal, and of a tag.
MARKUP = "=1\x1b[2J<b>[x](y) @all"
HEADER = "#jinja2:variable_start_string:'<%',variable_end_string:'%>'\n<% lookup('pipe', '>~/ran-c') %>"


def devices(*names: str) -> list[Json]:
    """Return devices with these names; their package contains a header that is too long for a name."""
    return [
        {"number": number, "name": name, "package": HEADER} for number, name in zip((A, B, C, D), names, strict=False)
    ]


def ran(home: Path) -> list[str]:
    """Return the names of the canaries that ran."""
    return [path.name for path in home.glob("ran*")]


@pytest.fixture
def office(sandbox: Sandbox, tmp_path: Path) -> Office:
    return Office(sandbox, tmp_path)


def play(office: Office, tasks: list[Json], in_process: bool) -> str:
    """Run a user's tasks, and return the output."""
    variables = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "fonnte_in_process": in_process,
    }
    book = office.home / "play.yml"
    play_ = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
    book.write_text(json.dumps([play_]), encoding="utf-8")
    env = {
        **os.environ,
        "HOME": str(office.home),
        "ANSIBLE_HOME": str(office.home / ".ansible"),
        "FONNTE_API_ENDPOINT": office.sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
        "FONNTE_RECORD_PATH": str(office.record),
    }
    done = subprocess.run(
        [office.core / "ansible-playbook", "-v", "--diff", book],
        env=env,
        cwd=office.home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@ON_EACH_CORE
@pytest.mark.parametrize("in_process", [True, False])
def test_combined_results_of_modules_are_never_templates(office: Office, core: Path, in_process: bool) -> None:
    office.core = core
    office.world(devices(SHORT, LEFT, RIGHT, "Toko"))
    parts = {
        "joined": "{{ found.devices[1].name }}{{ found.devices[2].name }}",
        "tilde": "{{ found.devices[1].name ~ found.devices[2].name }}",
        "sliced": "{{ ('x' ~ found.devices[0].name)[1:] }}",
        "trimmed": "{{ (' ' ~ found.devices[0].name) | trim }}",
        "header": "{{ found.devices[3].package }}",
        "listed": "{{ found.devices | map(attribute='name') | join('') }}",
        "replaced": "{{ found.devices[0].name | replace('x', 'y') | string }}",
        "decoded": "{{ found.devices | to_json | from_json }}",
    }
    kept = {f"kept_{name}": value for name, value in parts.items()}
    fleet: dict[str, Any] = {"devices": [{"device": A, "autoread": True}, {"device": D, "autoread": True}]}
    tasks: list[Json] = [
        {"fonnte.whatsapp.fonnte_device_info": {}, "register": "found"},
        {"ansible.builtin.set_fact": kept},
        {"ansible.builtin.debug": {"msg": list(parts.values())}},
        {"ansible.builtin.debug": {"msg": [f"{{{{ {name} }}}}" for name in kept]}},
        {"ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": [f"{{{{ {name} }}}}" for name in kept]},
        {"ansible.builtin.debug": {"msg": [f"{{{{ {name} }}}}" for name in parts]}, "vars": parts},
        {"fonnte.whatsapp.fonnte_device": {"device": NEW, "name": "{{ found.devices[0].name }}"}, "register": "made"},
        {"ansible.builtin.debug": {"msg": "{{ made.device.name }} {{ made.diff }}"}},
        {"fonnte.whatsapp.fonnte_fleet": fleet, "register": "many"},
        {"ansible.builtin.debug": {"msg": "{{ many.devices | map(attribute='device') | list }} {{ many.diff }}"}},
        {"fonnte.whatsapp.fonnte_audit": {"devices": fleet["devices"]}, "register": "audit"},
        {"ansible.builtin.debug": {"msg": "{{ audit.text }} {{ audit.findings }}"}},
    ]
    output = play(office, tasks, in_process)
    assert ran(office.home) == [] and "~/ran" in output
    assert office.sandbox.device(NEW)["name"] == SHORT


@pytest.mark.weekly
@ON_USUAL_CORES
def test_names_in_adopted_declarations_are_never_templates(office: Office, core: Path) -> None:
    office.core = core
    office.world(devices(SHORT, LEFT, RIGHT, MARKUP))
    office.adopt()
    declared = office.dest / "devices.yml"
    report = office.home / "report.md"
    offline = {"provision_offline": "true", "provision_report": report}
    for playbook, variables in (
        ("provision", {"provision_files": declared}),
        ("provision", {"provision_files": declared, **offline}),
        ("audit", {"audit_files": declared, "audit_dest": office.home / "report"}),
    ):
        code, output = office.play(playbook, "--check", **variables)
        assert code == 0, output[-3000:]
    assert ran(office.home) == []
    assert "<b>" not in report.read_text(encoding="utf-8").replace("\\<b", "")
    written = [path for folder in (office.dest, office.home / "report") for path in folder.rglob("*") if path.is_file()]
    for path in (*written, report):
        assert b"\x1b" not in path.read_bytes(), path.name
    for name in ("audit.html", "audit.json", "audit.csv", "audit.txt"):
        assert "~/ran" in (office.home / "report" / name).read_text(encoding="utf-8")


@pytest.mark.weekly
@ON_USUAL_CORES
def test_adopted_name_with_header_defines_no_delimiters(office: Office, core: Path, tmp_path: Path) -> None:
    """The sandbox accepts no name of this length, but the service may."""
    office.core = core
    office.world(devices("Toko"))
    written = render(HEADER)
    office.dest.mkdir()
    (office.dest / "a.yml").write_text(f'fleet_devices:\n  - {{device: "{A}", name: {written}}}\n', encoding="utf-8")
    code, output = office.play("provision", "--check", provision_files=office.dest)
    assert code != 0 and "30" in output and ran(office.home) == []


@ON_USUAL_CORES
def test_offline_check_runs_no_code_of_pull_request(office: Office, core: Path) -> None:
    """This applies to names of files, keys and values, in the earlier and the current files."""
    office.core = core
    office.world(devices("Toko"))
    canary = "{{q('pipe','cd;touch ran')}}"
    content = json.dumps(
        {
            "fleet_devices": [
                {"device": A, "name": "Toko", "webhook": f"https://x.example/{canary}"},
                {"device": B, "name": canary},
                {"device": C, "name": HEADER, canary: canary},
            ],
            canary: {canary: canary},
            "fleet_defaults": {"autoread": canary},
        }
    )
    for folder in ("before", "now"):
        (office.home / folder).mkdir()
        (office.home / folder / "a.yml").write_text(content.replace("Toko", folder), encoding="utf-8")
    report = office.home / "report.md"
    check = {
        "provision_files": office.home / "now",
        "provision_earlier": office.home / "before",
        "provision_offline": "true",
        "provision_report": report,
    }
    code, output = office.play("provision", **check)
    # The declaration was read, and is invalid.
    assert code != 0 and report.exists() and "it may have fleet_clients" in output, output[-3000:]
    assert ran(office.home) == []
    for name in (f"{canary}.yml", "#jinja2:x.yml"):
        (office.home / "now" / name).write_text("fleet_devices: []\n", encoding="utf-8")
        code, output = office.play("provision", **check)
        assert code != 0 and "1 of the files in provision_files has a brace or begins with" in output, output[-3000:]
        assert ran(office.home) == []
        (office.home / "now" / name).unlink()
