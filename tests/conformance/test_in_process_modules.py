# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules in Ansible's worker process: the conditions for it, the environment, and the cache of a loop."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

CORES = [Path(sys.executable).parent, *(Path(path) for path in [os.environ.get("FONNTE_TESTS_OLDEST")] if path)]
NUMBERS = [f"08120000800{index}" for index in range(5)]
DEVICE = {"device": "{{ item }}", "name": "Toko", "handle_unknown": "ignore"}
IN_A_LOOP: dict[str, Any] = {"fonnte.whatsapp.fonnte_device": DEVICE, "loop": NUMBERS}
ORDINARY = "is run as an ordinary module"


@pytest.fixture(params=CORES, ids=lambda core: "oldest" if core != CORES[0] else "newest")
def core(request: pytest.FixtureRequest) -> Path:
    """Return the directory of the programs of the newest or the oldest ansible-core."""
    path: Path = request.param
    return path


class Stage:
    """Runs tasks on localhost; returns the output, and counts the requests."""

    def __init__(self, core: Path, sandbox: Sandbox, folder: Path) -> None:
        self.core, self.sandbox, self.folder = core, sandbox, folder
        self.inventory = "localhost,"
        # Words before ansible-playbook, which change its environment.
        self.prefix: list[str] = []

    def play(self, *tasks: dict[str, Any], code: int = 0, play: dict[str, Any] | None = None, **variables: Any) -> str:
        """Run the tasks with extra variables, and return the output."""
        book = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": list(tasks), **(play or {})}
        path = self.folder / "playbook.yml"
        path.write_text(json.dumps([book]), encoding="utf-8")
        extra = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}
        env = {
            **os.environ,
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "FONNTE_API_ENDPOINT": self.sandbox.url,
            "FONNTE_ACCOUNT_TOKEN": self.sandbox.account_token,
        }
        self.sandbox.clear_journal()
        command = [
            *self.prefix,
            self.core / "ansible-playbook",
            "-v",
            "-i",
            self.inventory,
            "-e",
            json.dumps(extra),
            path,
        ]
        done = subprocess.run(
            command, env=env, cwd=self.folder.parent, capture_output=True, text=True, timeout=120, check=False
        )
        output = done.stdout + done.stderr
        assert done.returncode == code, output
        return output

    def calls(self, path: str = "/get-devices") -> int:
        """Return how many requests the last play has sent to a path."""
        return sum(call["path"] == path for call in self.sandbox.journal())


@pytest.fixture()
def stage(core: Path, sandbox: Sandbox, tmp_path: Path) -> Stage:
    """Return a stage with an empty account."""
    return Stage(core, sandbox, tmp_path)


def test_loop_reads_device_list_once(stage: Stage) -> None:
    stage.play(IN_A_LOOP)
    assert (stage.calls(), stage.calls("/add-device")) == (1, 5)
    assert "changed=0" in stage.play(IN_A_LOOP) and stage.calls() == 1
    assert "changed=0" in stage.play(IN_A_LOOP, fonnte_in_process=False) and stage.calls() == 5


@pytest.mark.weekly
def test_each_message_of_loop_reads_device_list(stage: Stage) -> None:
    stage.play(IN_A_LOOP)
    stage.sandbox.link(NUMBERS[0])
    texts = [f"number {index}" for index in range(8)]
    message = {"device": NUMBERS[0], "target": "081200002001", "message": "{{ item }}"}
    stage.play({"fonnte.whatsapp.fonnte_message": message, "loop": texts})
    assert (stage.calls(), stage.calls("/send")) == (8, 8)
    assert [sent["message"] for sent in stage.sandbox.outbox()] == texts


# A change in the dashboard between two items. It is part of a template, so that the test does not depend on timing.
_RENUMBER = "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], sys.argv[2].encode(), method='PATCH'))"


def between(stage: Stage, number: str, other: str, value: str) -> str:
    """Return a template and its command, separated by a bar: for one item, it renumbers the device before its value."""
    address = f"{stage.sandbox.control_url}/devices/{number}"
    command = shlex.join([sys.executable, "-c", _RENUMBER, address, json.dumps({"device": other})])
    # These quotes are valid in JSON and in the template.
    return f"{{{{ ((lookup('ansible.builtin.pipe', renumber) if item == '{number}' else '') ~ '{value}') }}}}|{command}"


@pytest.mark.parametrize("in_process", [True, False])
@pytest.mark.parametrize(
    "work", ["delete", *(pytest.param(work, marks=pytest.mark.weekly) for work in ("send", "request", "disconnect"))]
)
def test_device_renumbered_during_loop_is_not_changed(stage: Stage, in_process: bool, work: str) -> None:
    first, second, other = NUMBERS[:3]
    devices = [
        {"number": number, "name": f"Toko {number[-1]}", "linked": True, "package": "Super"}
        for number in (first, second)
    ]
    stage.sandbox.reset(
        readings={"otp_scope": "account"}, accounts=[{"token": stage.sandbox.account_token, "devices": devices}]
    )
    stage.sandbox.next_otp("471093")
    tasks: dict[str, tuple[str, dict[str, Any], str, str]] = {
        "delete": ("fonnte_device", {"state": "absent"}, "otp", "471093"),
        "request": ("fonnte_device", {"state": "absent", "request_otp": True}, "api_timeout", "20"),
        "disconnect": ("fonnte_device", {"state": "disconnected"}, "handle_unknown", "ignore"),
        "send": ("fonnte_message", {"target": "081200002001"}, "message", "hello"),
    }
    module, options, option, value = tasks[work]
    if work == "delete":
        stage.play({"fonnte.whatsapp.fonnte_device": {"device": first, "state": "absent", "request_otp": True}})
    template, _bar, command = between(stage, second, other, value).partition("|")
    task = {
        f"fonnte.whatsapp.{module}": {"device": "{{ item }}", **options, option: template},
        "loop": [first, second],
        "ignore_errors": True,
    }
    output = stage.play(task, fonnte_in_process=in_process, renumber=command)
    assert other in stage.sandbox.devices(), output
    assert [call["number"] for call in stage.sandbox.writes()] == [first], output
    assert stage.sandbox.device(other)["linked"]


def test_loop_item_sees_changes_of_previous_item(stage: Stage) -> None:
    twice = {**IN_A_LOOP, "loop": [NUMBERS[0], "+62 " + NUMBERS[0][1:], NUMBERS[1]]}
    stage.play({**twice, "register": "reported"}, {"ansible.builtin.assert": {"that": _CHANGED}})
    assert stage.calls("/add-device") == 2 and stage.calls() == 2


_CHANGED = "reported.results | map(attribute='changed') | list == [true, false, true]"


@pytest.mark.weekly
def test_error_invalidates_cached_device_list(stage: Stage) -> None:
    refusal = {"status": False, "reason": "input invalid"}
    stage.sandbox.fault("status", path="/add-device", code=200, body=refusal, times=1)
    stage.play({**IN_A_LOOP, "ignore_errors": True})
    assert stage.calls() == 2 and len(stage.sandbox.devices()) == 4


def test_each_retry_and_info_task_reads_device_list(stage: Stage) -> None:
    tries = {
        "fonnte.whatsapp.fonnte_device": {**DEVICE, "device": NUMBERS[0]},
        "register": "reported",
        "until": "reported.attempts == 3",
        "retries": 3,
        "delay": 0,
    }
    stage.play(tries)
    assert stage.calls() == 3
    stage.play({"fonnte.whatsapp.fonnte_device_info": {}, "loop": [1, 2, 3]})
    assert stage.calls() == 3


def test_environment_of_task_is_used_and_restored(stage: Stage) -> None:
    other = stage.sandbox.add_account()["token"]
    tokens = [stage.sandbox.account_token, other]
    stage.play(
        {
            "fonnte.whatsapp.fonnte_device": {**DEVICE, "device": "{{ item.number }}"},
            "loop": [{"number": number, "token": token} for number, token in zip(NUMBERS, tokens, strict=False)],
            "environment": {"FONNTE_ACCOUNT_TOKEN": "{{ item.token }}"},
            "no_log": True,
        },
        {**IN_A_LOOP, "loop": NUMBERS[2:4]},
        play={"environment": {"FONNTE_API_TIMEOUT": "5"}},
    )
    accounts = {account["token"]: account["devices"] for account in stage.sandbox.state()["accounts"]}
    assert [device["number"] for device in accounts[other]] == [NUMBERS[1]]
    assert [device["number"] for device in accounts[stage.sandbox.account_token]] == [
        NUMBERS[0],
        *NUMBERS[2:4],
    ]


@pytest.mark.weekly
@pytest.mark.parametrize("in_process", [True, False])
def test_relative_paths_start_at_playbook_directory(stage: Stage, in_process: bool) -> None:
    task = {
        "fonnte.whatsapp.fonnte_device": {**DEVICE, "device": NUMBERS[0], "quick": True, "record_path": "kept/here"}
    }
    stage.play(task, fonnte_in_process=in_process)
    assert list((stage.folder / "kept" / "here").glob("device-*"))


@pytest.mark.weekly
def test_reasons_to_run_as_ordinary_module(stage: Stage) -> None:
    info = {"fonnte.whatsapp.fonnte_device_info": {}}
    assert ORDINARY not in stage.play(info)
    assert f"{ORDINARY}: fonnte_in_process is false" in stage.play(info, fonnte_in_process="no")
    assert f"{ORDINARY}: the task is async" in stage.play(
        {**info, "async": 30, "poll": 1}, ansible_async_dir=str(stage.folder / "async")
    )
    there = stage.folder / "bin"
    there.mkdir()
    (there / "python").symlink_to(Path(stage.core / "python").resolve())
    output = stage.play(info, ansible_python_interpreter=str(there / "python"), code=2)
    assert f"{ORDINARY}: ansible_python_interpreter is {there / 'python'}" in output


def test_task_delegated_to_localhost_runs_in_process(stage: Stage) -> None:
    stage.inventory = "far.example.com,"
    here = {"fonnte.whatsapp.fonnte_device_info": {}, "delegate_to": "localhost"}
    assert ORDINARY not in stage.play(here, play={"connection": "ssh"})
    assert stage.calls() == 1


def test_timeout_of_task_ends_it(stage: Stage) -> None:
    stage.sandbox.set_options(latency=4.0)
    slow = {"fonnte.whatsapp.fonnte_device_info": {}, "timeout": 1, "ignore_errors": True}
    output = stage.play(slow)
    assert "ignored=1" in output, output
    assert any(words in output for words in ("expected time frame (1)", "1 second", "imed out")), output


def test_token_from_vault_is_used_and_not_shown(stage: Stage) -> None:
    secret = stage.folder / "password"
    secret.write_text("correct horse", encoding="utf-8")
    sealed = subprocess.run(
        [stage.core / "ansible-vault", "encrypt_string", "--vault-password-file", secret, "--stdin-name", "token"],
        input=stage.sandbox.account_token,
        env={**os.environ, "HOME": str(stage.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    book = stage.folder / "vault.yml"
    book.write_text(
        "- hosts: localhost\n  gather_facts: false\n  vars:\n"
        + "".join(f"    {line}\n" for line in sealed.stdout.splitlines())
        + "  tasks:\n    - fonnte.whatsapp.fonnte_device_info:\n        account_token: '{{ token }}'\n",
        encoding="utf-8",
    )
    env = {**os.environ, "HOME": str(stage.folder), "FONNTE_API_ENDPOINT": stage.sandbox.url}
    command = [stage.core / "ansible-playbook", "-vvvv", "--vault-password-file", secret, book]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stage.sandbox.account_token not in done.stdout + done.stderr


# Root can enter each directory, unless its capabilities are removed.
ALONE = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []


@pytest.mark.weekly
@pytest.mark.parametrize("in_process", [True, False], ids=["in-process", "module"])
def test_success_is_reported_if_working_directory_cannot_be_entered(stage: Stage, in_process: bool) -> None:
    """As with ``sudo -u deploy ansible-playbook …`` in the home of root. A false failure would lead to a second run."""
    begin = stage.folder / "begin"
    begin.mkdir()
    stage.play(IN_A_LOOP)
    stage.sandbox.link(NUMBERS[0])
    update = {"fonnte.whatsapp.fonnte_device": {**DEVICE, "device": NUMBERS[1], "name": "Warung"}}
    message = {
        "fonnte.whatsapp.fonnte_message": {"device": NUMBERS[0], "target": "081200002001", "message": "{{ item }}"},
        "loop": ["one", "two"],
    }
    stage.prefix = ["sh", "-c", 'cd "$0" && chmod 0 . && exec "$@"', str(begin), *ALONE]
    try:
        printed = stage.play(update, message, fonnte_in_process=in_process)
    finally:
        begin.chmod(0o700)
    assert "changed=2 " in printed and "failed=0" in printed
    assert [sent["message"] for sent in stage.sandbox.outbox()] == ["one", "two"]
    assert stage.sandbox.device(NUMBERS[1])["name"] == "Warung"
