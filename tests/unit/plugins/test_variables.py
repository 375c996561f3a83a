# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The known variables of a role or a playbook, against which misspelled names are detected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.variable_names import (
    misspelling_warnings,
    unknown_name_errors,
)

ROOT = Path(__file__).parents[3]


def loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def specified(role: str) -> set[str]:
    """Return the options of a role, of all its entry points."""
    specs = loaded(f"roles/{role}/meta/argument_specs.yml")["argument_specs"].values()
    return {option for spec in specs for option in spec["options"]}


def variables(playbook: str) -> dict[str, Any]:
    found: dict[str, Any] = loaded(f"playbooks/{playbook}.yml")[0]["vars"]
    return found


FLEET = loaded("roles/fleet/vars/main.yml")["fleet_options"]
PROVISION = variables("provision")["provision_options"]
AUDIT = loaded("roles/audit/vars/main.yml")["audit_options"]


def test_known_options_of_the_role_match_its_specification() -> None:
    assert sorted(FLEET) == sorted(specified("fleet"))


def test_known_options_of_the_audit_match_its_specification() -> None:
    assert sorted(AUDIT) == sorted(specified("audit"))


@pytest.mark.parametrize(("playbook", "options"), [("provision", PROVISION), ("audit", AUDIT)])
def test_known_variables_of_a_playbook_match_its_text(playbook: str, options: list[str]) -> None:
    text = (ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
    # A variable for the user has a plain value; one that is composed of others is internal.
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
def test_no_internal_variable_is_reported_as_misspelled(prefix: str, options: list[str], files: list[Path]) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    found = re.findall(rf"(?<![\w.]){prefix}_\w+", text)
    # Names with this suffix are numbered.
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
def test_misspelled_variable_is_reported(name: str, meant: str) -> None:
    assert misspelling_warnings([name], FLEET) == [
        f"There is no variable {name}; {meant} may be meant, so rename or remove it."
    ]


def test_unrelated_variables_are_not_reported() -> None:
    assert misspelling_warnings(["fleet_region", "fleet_clients_of_last_year", "fleet_brakes", *FLEET], FLEET) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("fleet_onyl", "There is no variable fleet_onyl; fleet_only may be meant, so rename or remove it."),
        ("fleet_onli", "There is no variable fleet_onli; fleet_only may be meant, so rename or remove it."),
        ("fleet_dry_run", "There is no variable fleet_dry_run, so rename or remove it."),
        ("flet_only", "There is no variable flet_only; fleet_only may be meant, so rename or remove it."),
        ("fleetonly", "There is no variable fleetonly; fleet_only may be meant, so rename or remove it."),
    ],
)
def test_any_unknown_variable_of_the_command_line_is_refused(name: str, problem: str) -> None:
    assert unknown_name_errors(["fleet_only", name, "region", "fonnte_in_process"], FLEET) == [problem]


def test_without_options_no_variable_is_refused() -> None:
    """A task of the module itself has no variables of its own; Ansible adds _raw_params."""
    assert unknown_name_errors(["_raw_params", "_mine", "fleet_x"], []) == []


PLAYBOOKS = ("adopt", "decommission", "doctor", "dropped_off", "link", "record")


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_known_variables_of_other_playbooks_are_used_and_documented(playbook: str) -> None:
    options = variables(playbook)["fonnte_options"]
    paths = [ROOT / "playbooks" / f"{playbook}.yml", *ROOT.glob(f"roles/{playbook}/**/*.yml")]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md"), *ROOT.glob("README*.md")]
    pages += [*ROOT.glob("examples/**/*.*"), *ROOT.glob("extensions/eda/rulebooks/*.yml")]
    written = text + "".join(path.read_text(encoding="utf-8") for path in pages)
    for option in options:
        assert len(re.findall(rf"\b{option}\b", text)) > 1, option
    assert set(re.findall(rf"-e '?(?:{{\")?({playbook}_\w+)", written)) <= set(options)
    own = set(re.findall(rf"^\| `({playbook}_\w+)`", written, re.MULTILINE))
    assert own <= set(options)


@pytest.mark.parametrize("path", sorted(ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_playbook_runs_the_same_in_every_environment(path: Path) -> None:
    """Each play sets the variables that ensure this, and a prompt requires a strategy that supports prompts."""
    text = path.read_text(encoding="utf-8")
    texts = [text, *(file.read_text(encoding="utf-8") for file in ROOT.glob(f"playbooks/tasks/{path.stem}_*.yml"))]
    texts += [file.read_text(encoding="utf-8") for file in ROOT.glob(f"roles/{path.stem}/tasks/*.yml")]
    asks = any("ansible.builtin.pause:" in one for one in texts)
    for play in yaml.safe_load(text):
        assert play["vars_files"] == ["vars/surroundings.yml"]
        assert play["module_defaults"]["group/fonnte.whatsapp.fonnte"]["record_path"] == "{{ fonnte_whole_record }}"
        assert not asks or play["strategy"] == "linear"
