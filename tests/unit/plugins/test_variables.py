# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that a role or a playbook refuses to be misspelt: exactly those that it has, and none of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import misspelling_warnings

ROOT = Path(__file__).parents[3]


def loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def specified(role: str) -> set[str]:
    """The options of a role, of all its entry points."""
    specs = loaded(f"roles/{role}/meta/argument_specs.yml")["argument_specs"].values()
    return {option for spec in specs for option in spec["options"]}


def variables(playbook: str) -> dict[str, Any]:
    found: dict[str, Any] = loaded(f"playbooks/{playbook}.yml")[0]["vars"]
    return found


FLEET = loaded("roles/fleet/vars/main.yml")["fleet_options"]
PROVISION = variables("provision")["provision_options"]
AUDIT = loaded("roles/audit/vars/main.yml")["audit_options"]


def test_the_role_knows_its_options() -> None:
    assert sorted(FLEET) == sorted(specified("fleet"))


def test_the_audit_knows_its_options() -> None:
    assert sorted(AUDIT) == sorted(specified("audit"))


@pytest.mark.parametrize(("playbook", "options"), [("provision", PROVISION), ("audit", AUDIT)])
def test_a_playbook_knows_its_variables(playbook: str, options: list[str]) -> None:
    text = (ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
    # A variable for the user has a value; what is put together from others is the playbook's own.
    plain = {
        name
        for name, value in variables(playbook).items()
        if name.startswith(f"{playbook}_") and name != f"{playbook}_options" and "{{" not in str(value)
    }
    assert plain and plain <= set(options)
    assert set(re.findall(rf"-e '?(?:{{\")?({playbook}_\w+)", text)) <= set(options)
    page = (ROOT / "docs" / ("fleet.md" if playbook == "provision" else "audit.md")).read_text(encoding="utf-8")
    assert plain <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


@pytest.mark.parametrize(
    ("prefix", "options", "files"),
    [
        ("fleet", FLEET, [*ROOT.glob("roles/fleet/*/*.yml"), *ROOT.glob("playbooks/**/*.yml")]),
        ("provision", PROVISION, [ROOT / "playbooks" / "provision.yml"]),
        ("audit", AUDIT, [*ROOT.glob("roles/audit/*/*.yml"), *ROOT.glob("playbooks/**/audit*.yml")]),
    ],
)
def test_no_variable_of_its_own_is_taken_for_a_mistake(prefix: str, options: list[str], files: list[Path]) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    found = re.findall(rf"(?<![\w.]){prefix}_\w+", text)
    # Those that end so are numbered.
    names = {name + "0" if name.endswith("_") else name for name in found}
    assert set(options) <= names | {"audit_account_token"}
    assert misspelling_warnings(names, options) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("fleet_max_creates", "fleet_max_create"),
        ("fleet_max_craete", "fleet_max_create"),
        ("fleet_maxclear", "fleet_max_clear"),
        ("fleet_cannary", "fleet_canary"),
        ("fleet_host", "fleet_hosts"),
    ],
)
def test_a_mistake_is_seen(name: str, meant: str) -> None:
    assert misspelling_warnings([name], FLEET) == [
        f"There is no variable {name}; {meant} may be meant, so rename it or take it out."
    ]


def test_what_is_of_others_is_left_alone() -> None:
    assert misspelling_warnings(["fleet_region", "fleet_clients_of_last_year", "fleet_brakes", *FLEET], FLEET) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_a_playbook_runs_the_same_in_every_environment(path: Path) -> None:
    """Each play reads the variables that make it so, and one that may ask has a strategy that can ask."""
    text = path.read_text(encoding="utf-8")
    texts = [text, *(file.read_text(encoding="utf-8") for file in ROOT.glob(f"playbooks/tasks/{path.stem}_*.yml"))]
    texts += [file.read_text(encoding="utf-8") for file in ROOT.glob(f"roles/{path.stem}/tasks/*.yml")]
    asks = any("ansible.builtin.pause:" in one for one in texts)
    for play in yaml.safe_load(text):
        assert play["vars_files"] == ["vars/surroundings.yml"]
        assert play["module_defaults"]["group/fonnte.whatsapp.fonnte"]["record_path"] == "{{ fonnte_whole_record }}"
        assert not asks or play["strategy"] == "linear"
