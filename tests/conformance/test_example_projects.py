# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each project in examples/ works: check mode, a run, and a second run that changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.conformance.prometheus_text import parse
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = Path(sys.executable).parent
PROVISION = "ansible-playbook fonnte.whatsapp.provision"
# The project, its commands, and the number of devices. The tests of docs/systemd.md run the project systemd.
PROJECTS = {
    "one-device": ([f"{PROVISION} -e provision_files=devices.yml"], 1),
    "agency": ([f"{PROVISION} -e provision_files=fleet.yml,clients"], 3),
    "two-accounts": ([f"{PROVISION} -e provision_files=clients.yml"], 2),
    "awx": (["ansible-playbook provision.yml", "ansible-playbook audit.yml -e audit_fail_on=drift"], 2),
}


def run(folder: Path, sandbox: Sandbox, command: str, more: Mapping[str, str]) -> str:
    """Run a command of a project in the shell; return its output."""
    env = {**os.environ, "HOME": str(folder), "PATH": f"{PROGRAMS}:{os.environ['PATH']}", **more}
    env.update(FONNTE_API_ENDPOINT=sandbox.url)
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def tokens(sandbox: Sandbox) -> dict[str, str]:
    """Return the variables with the tokens of the accounts."""
    own = {"TOKEN_TOKO_BUNGA": "account-bunga", "TOKEN_WARUNG_TIGA": "account-warung"}
    sandbox.reset(accounts=[{"token": token} for token in (sandbox.account_token, *own.values())])
    return {"FONNTE_ACCOUNT_TOKEN": sandbox.account_token, **own}


def changed(output: str) -> int:
    """Return the number of changed tasks in the recap."""
    (count,) = re.findall(r"changed=(\d+)", output)
    return int(count)


def test_every_project_is_tested() -> None:
    others = {"delivery-check", "gitlab-ci", "prometheus", "systemd"}
    assert {path.name for path in EXAMPLES.iterdir()} == {*PROJECTS, *others}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.weekly] if name in ("agency", "awx") else []) for name in PROJECTS]
)
def test_project_is_idempotent(sandbox: Sandbox, tokens: dict[str, str], tmp_path: Path, name: str) -> None:
    (command, *others), count = PROJECTS[name]
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name)
    assert changed(run(folder, sandbox, f"{command} --check", tokens)) == 1 and sandbox.writes() == []
    output = run(folder, sandbox, command, tokens)
    assert f"{count} created" in output and len(sandbox.devices()) == count
    # All settings are declared: no later change is refused.
    assert "will be refused" not in output
    assert changed(run(folder, sandbox, command, tokens)) == 0
    for other in others:
        run(folder, sandbox, other, tokens)


@pytest.mark.weekly
def test_each_account_has_a_file_of_metrics(sandbox: Sandbox, tokens: dict[str, str], tmp_path: Path) -> None:
    """A collector reads one directory, so no sample may be in two files."""
    folder = shutil.copytree(EXAMPLES / "two-accounts", tmp_path / "repository")
    (folder / "textfile").mkdir()
    run(folder, sandbox, f"{PROVISION} -e provision_files=clients.yml", tokens)
    audit = "ansible-playbook fonnte.whatsapp.audit -e audit_files=clients.yml -e audit_dest=report"
    run(folder, sandbox, f"{audit} -e audit_prom=textfile/audit.prom", tokens)
    files = sorted((folder / "textfile").iterdir())
    assert len(files) == 2 and all(path.name.startswith("audit-") for path in files)
    first, second = (parse(path.read_text(encoding="utf-8")) for path in files)
    assert not first.keys() & second.keys()
    assert {name for name, _labels in first} == {name for name, _labels in second}
    # The next run replaces them, and removes no file of another report.
    run(folder, sandbox, f"{audit} -e audit_prom=textfile/audit.prom", tokens)
    assert sorted((folder / "textfile").iterdir()) == files


def test_gitlab_pipeline_runs(sandbox: Sandbox, tokens: dict[str, str], tmp_path: Path) -> None:
    """Its jobs run in the shell; only the installation of programs is left out."""
    pipeline = yaml.safe_load((EXAMPLES / "gitlab-ci" / "gitlab-ci.yml").read_text("utf-8"))
    assert pipeline["stages"] == [pipeline[job]["stage"] for job in ("check", "preview", "apply", "audit")]
    folder = shutil.copytree(EXAMPLES / "two-accounts", tmp_path / "repository")
    git = "git -c user.name=Ann -c user.email=ann@example.com -c init.defaultBranch=main"
    run(folder, sandbox, f"{git} init --quiet && {git} add . && {git} commit --quiet -m clients", {})
    # The job of a merge request has no token, and needs none.
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD"}
    output = run(folder, sandbox, "\n".join(pipeline["check"]["script"] + pipeline["check"]["after_script"]), base)
    assert "2 accounts" in output and "Effects of this change" in output and sandbox.journal() == []
    for command in pipeline["preview"]["script"]:
        assert "2 created" in run(folder, sandbox, command, tokens)
    assert sandbox.writes() == []
    # Only a person starts the job that writes.
    assert [rule["when"] for rule in pipeline["apply"]["rules"]] == ["manual"]
    for command in (*pipeline["apply"]["script"], *pipeline["audit"]["script"]):
        run(folder, sandbox, command, tokens)
    assert len(sandbox.devices()) == 2 and (folder / "report").is_dir()
    jobs = ("preview", "apply", "audit")
    assert {pipeline[job]["resource_group"] for job in jobs} == {"whatsapp"}


CHECK = "ansible-playbook check.yml -e check_pause=0"


@pytest.mark.weekly
def test_delivery_check_names_the_device_that_does_not_deliver(
    sandbox: Sandbox, tokens: dict[str, str], tmp_path: Path
) -> None:
    numbers = ("081200001001", "081200001002")
    devices = [{"number": number, "linked": True, "package": "Super"} for number in numbers]
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": devices}])
    folder = shutil.copytree(EXAMPLES / "delivery-check", tmp_path / "delivery-check")
    run(folder, sandbox, f"{CHECK} --check", tokens)
    assert sandbox.outbox() == []
    with Person(sandbox):
        assert "failed=0" in run(folder, sandbox, CHECK, tokens)
    assert [message["device"] for message in sandbox.outbox()] == list(numbers)
    sandbox.unlink(numbers[0])
    with Person(sandbox, state="expired"), pytest.raises(AssertionError) as caught:
        run(folder, sandbox, CHECK, tokens)
    failures = [line for line in str(caught.value).splitlines() if "failed:" in line]
    for number, text in zip(numbers, ("request invalid on disconnected device", 'is \\"expired\\"'), strict=True):
        assert any(f"item={number}" in line and text in line for line in failures), failures
    assert [message["device"] for message in sandbox.outbox()] == [*numbers, numbers[1]]


@pytest.mark.weekly
def test_delivery_check_refuses_many_devices(sandbox: Sandbox, tokens: dict[str, str], tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLES / "delivery-check", tmp_path / "delivery-check")
    many = json.dumps({"check_devices": [f"08120000100{n}" for n in range(6)]})
    with pytest.raises(AssertionError, match="Name at most five devices"):
        run(folder, sandbox, f"{CHECK} -e '{many}'", tokens)
    assert sandbox.journal() == []


def test_credential_type_of_awx_injects_its_fields() -> None:
    kind = yaml.safe_load((EXAMPLES / "awx" / "credential-type.yml").read_text("utf-8"))
    fields, injectors = {field["id"] for field in kind["inputs"]["fields"]}, kind["injectors"]
    used = re.findall(r"{{ ([a-z_.]+) }}", json.dumps(injectors))
    assert {*fields, "tower.filename.ca"} == set(used) and set(injectors["file"]) == {"template.ca"}
    assert set(injectors["env"]) == {"FONNTE_ACCOUNT_TOKEN", "FONNTE_RECORD_URL", "PGSSLROOTCERT"}
