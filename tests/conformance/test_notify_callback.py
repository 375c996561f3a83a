# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback notify: one message about a playbook file that fails, and no effect on the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import there
from ansible_collections.fonnte.whatsapp.tests.conformance.environments import COMMUNITY, RUNNER
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import (
    ACCOUNT,
    CORES,
    ON_EACH_CORE,
    Workspace,
    sample,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

SENDER, PERSON = "081200013001", "081200023001"
INSTALLED = Path(os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")) / "ansible_collections" / "fonnte" / "whatsapp"
FAILED, CRASHED = 2, 4
# No directory can be created there, so a host with it is unreachable.
NO_DIRECTORY = "/proc/none"


def fail(message: str = "it broke", **keywords: object) -> Json:
    return {"name": "Deploy", "ansible.builtin.fail": {"msg": message}, **keywords}


def ok(**keywords: object) -> Json:
    return {"name": "Fine", "ansible.builtin.command": "true", "changed_when": True, **keywords}


def play_of(*tasks: Json, hosts: str = "all", **keywords: object) -> Json:
    return {"hosts": hosts, "gather_facts": False, "tasks": list(tasks), **keywords}


class Alerts:
    """A project whose runs send alerts, on one core."""

    def __init__(self, sandbox: Sandbox, folder: Path, core: str) -> None:
        self.sandbox = sandbox
        self.space = Workspace(sandbox, folder, core)
        self.space.world(there(SENDER, linked=True, package="Super"))
        self.hosts = ["a", "b", "c"]
        self.output = ""

    def run(self, *files: list[Json], words: tuple[str, ...] = (), code: int = FAILED, **env: str | None) -> list[str]:
        """Run playbook files, and return the text of each alert since the last run."""
        paths = []
        for index, plays in enumerate(files):
            paths.append(self.space.folder / f"site{index}.yml")
            paths[-1].write_text(json.dumps(plays), encoding="utf-8")
        before = len(self.sandbox.outbox())
        local = [
            "-i",
            ",".join(self.hosts) + ",",
            "-c",
            "local",
            "-e",
            "ansible_python_interpreter='{{ ansible_playbook_python }}'",
        ]
        settings: dict[str, str | None] = {
            "ANSIBLE_CALLBACKS_ENABLED": "fonnte.whatsapp.notify",
            "FONNTE_NOTIFY_DEVICE": SENDER,
            "FONNTE_NOTIFY_TARGET": PERSON,
            **env,
        }
        self.output = self.space.run("ansible-playbook", *local, *words, *paths, env=settings, code=code)
        return [message["message"] for message in self.sandbox.outbox()[before:]]


@pytest.fixture()
def core(request: pytest.FixtureRequest) -> str:
    """Return the core of a test; by default, the newest one."""
    return str(getattr(request, "param", "newest"))


@pytest.fixture()
def alerts(sandbox: Sandbox, tmp_path: Path, core: str) -> Alerts:
    return Alerts(sandbox, tmp_path, core)


@ON_EACH_CORE
def test_failure_causes_one_message(alerts: Alerts) -> None:
    """Of several plays, batches, hosts and retries, there is one message: about the first failure without a rescue."""
    rescued = {"block": [fail("rescued")], "rescue": [ok()]}
    ignored = [
        fail("ignored", ignore_errors=True),
        {**ok(), "ignore_unreachable": True, "vars": {"ansible_remote_tmp": NO_DIRECTORY}},
    ]
    plays = [
        play_of(rescued, *ignored, ok(), serial=1),
        play_of(
            {**ok(), "name": "Retry", "until": "false", "retries": 2, "delay": 0, "when": "inventory_hostname == 'b'"},
            fail("second", when="inventory_hostname == 'c'", any_errors_fatal=True),
            serial=[2, 1],
            max_fail_percentage=90,
        ),
    ]
    (text,) = alerts.run(plays)
    first, hosts, task, error = text.split("\n")
    assert (first, hosts, task) == ("Ansible: site0.yml has failed", "Hosts: b, c", "Task: Retry (and 1 more task)")
    assert error.startswith("Error: b: ") and "rescued" not in error and "ignored" not in error
    assert alerts.space.errors == ""


@pytest.mark.weekly
def test_ignored_failure_after_real_one_is_not_reported(alerts: Alerts) -> None:
    block = {"block": [fail("real")], "always": [fail("ignored", ignore_errors=True)]}
    (text,) = alerts.run([play_of(block)])
    assert text.endswith(": real")


@pytest.mark.weekly
@ON_EACH_CORE
def test_unreachable_hosts_count(alerts: Alerts) -> None:
    alerts.hosts = [f"host{number}" for number in range(12)]
    (text,) = alerts.run(
        [play_of(ok(), vars={"ansible_remote_tmp": NO_DIRECTORY})], words=("--forks", "12"), code=CRASHED
    )
    hosts, task = text.split("\n")[1:3]
    assert hosts.count("(unreachable)") == 10 and hosts.endswith(" and 2 more") and task == "Task: Fine", text


@pytest.mark.weekly
@ON_EACH_CORE
def test_run_without_failure_sends_only_if_always(alerts: Alerts) -> None:
    plays = [play_of({"block": [fail()], "rescue": [ok()]}, fail(ignore_errors=True), {**ok(), "changed_when": False})]
    assert alerts.run(plays, code=0) == []
    assert alerts.run(plays, code=0, FONNTE_NOTIFY_WHEN="always") == [
        "Ansible: site0.yml has completed\nHosts: 3, 3 changed"
    ]


@pytest.mark.weekly
@ON_EACH_CORE
def test_each_playbook_file_has_one_message(alerts: Alerts) -> None:
    fine, broken = [play_of(ok()), play_of(ok())], [play_of(ok()), play_of(fail(), strategy="free")]
    texts = alerts.run(fine, broken, fine, FONNTE_NOTIFY_WHEN="always")
    assert [text.split("\n")[0] for text in texts] == [
        "Ansible: site0.yml has completed",
        "Ansible: site1.yml has failed",
    ]
    hosts = [text.split("\n")[1] for text in (texts[1], *alerts.run(fine, broken))]
    assert [sorted(line.removeprefix("Hosts: ").split(", ")) for line in hosts] == [["a", "b", "c"]] * 2


def _output(name: str) -> dict[str, str | None]:
    """Return the variables that select a callback for standard output."""
    paths = [os.environ["ANSIBLE_COLLECTIONS_PATH"], *([COMMUNITY] if COMMUNITY else [])]
    return {
        "ANSIBLE_STDOUT_CALLBACK": name,
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(paths),
    }


JSON_OUTPUTS = ["lines", *(["ansible.posix.json"] if COMMUNITY else [])]


# make matrix runs it on each ansible-core.
@pytest.mark.smoke
@pytest.mark.parametrize(
    "output", ["default", pytest.param("ansible.builtin.default", marks=pytest.mark.weekly), *JSON_OUTPUTS]
)
def test_only_failure_is_sent_with_each_output(alerts: Alerts, output: str) -> None:
    """A file that fails sends one message; a file that succeeds, and check mode, send none."""
    files = [play_of(ok())], [play_of(fail())]
    assert alerts.run(*files, words=("--check",), **_output(output)) == []
    (text,) = alerts.run(*files, **_output(output))
    first, _hosts, task, error = text.split("\n")
    assert (first, task) == ("Ansible: site1.yml has failed", "Task: Deploy") and error.endswith(": it broke")
    assert alerts.space.errors == ""


@ON_EACH_CORE
def test_secrets_are_not_sent(alerts: Alerts) -> None:
    """With no_log for a task, for an item and by a template, only the name of the task is sent."""
    secret = f"{MARK}-hidden-value"
    item = {"ansible.builtin.fail": {"msg": "{{ item.text }}"}, "no_log": "{{ item.hidden }}"}
    items = [{"text": secret, "hidden": True}, {"text": "open", "hidden": False}]
    hidden = [
        fail(secret, no_log=True),
        fail(secret, no_log="{{ true }}"),
        {"name": "Deploy", **item, "loop": items},
        {"name": "Deploy", **item, "loop": items[::-1]},
    ]
    alerts.hosts = ["a"]
    for task in hidden:
        (text,) = alerts.run([play_of(task)])
        assert (
            text == "Ansible: site0.yml has failed\nHosts: a\nTask: Deploy\nError: hidden, because the task has no_log"
        )
    templated = fail(secret, no_log=True, vars={"secret": secret})
    (text,) = alerts.run([play_of({**templated, "name": "Deploy {{ secret }}"})])
    assert "\nTask: Deploy \uff5b\uff5b secret }}\n" in text and secret not in text
    (text,) = alerts.run([play_of(hidden[0])], FONNTE_NOTIFY_DETAIL="names")
    assert text.endswith("\nTask: Deploy")


@pytest.mark.weekly
@ON_EACH_CORE
def test_known_and_likely_secrets_are_masked(alerts: Alerts) -> None:
    alerts.hosts = ["a"]
    task = {
        "name": "Deploy",
        "ansible.builtin.assert": {
            "that": ["false"],
            "fail_msg": f"{MARK}-1 of-the-environment https://x.example.com/{MARK}-2 x",
        },
        "vars": {"app_token": "unused"},
    }
    (text,) = alerts.run([play_of(task)], DEPLOY_SECRET="of-the-environment", DEPLOY_TOKEN=f"{MARK}-1")
    assert MARK not in text and "of-the-environment" not in text and "x.\u200bexample.\u200bcom" in text, text
    loop = {**fail("{{ item }}"), "loop": ["fine", "first *bold* {name}"], "failed_when": "item != 'fine'"}
    (text,) = alerts.run([play_of(loop)])
    assert text.split("\n")[-1] == "Error: a: first \uff0abold\uff0a \uff5bname}", text


@pytest.mark.weekly
@ON_EACH_CORE
def test_check_mode_sends_only_on_request(alerts: Alerts) -> None:
    plays = [play_of(fail())]
    assert alerts.run(plays, words=("--check",), FONNTE_NOTIFY_WHEN="always") == []
    assert "/send" not in [call["path"] for call in alerts.sandbox.journal()]
    (text,) = alerts.run(plays, words=("--check",), FONNTE_NOTIFY_CHECK_MODE="true")
    assert text.startswith("Ansible: site0.yml (check mode) has failed")


BROKEN: dict[str, tuple[dict[str, str | None], str]] = {
    "no target": ({"FONNTE_NOTIFY_TARGET": ""}, "Option notify_target: it is empty"),
    "no device": ({"FONNTE_NOTIFY_DEVICE": None}, "Option notify_device: no device is named"),
    "no token": ({"FONNTE_ACCOUNT_TOKEN": ""}, "Option account_token: there is no token"),
    "wrong token": ({"FONNTE_ACCOUNT_TOKEN": "wrong-token"}, 'Fonnte returned "unknown user"'),
    "no service": ({"FONNTE_API_ENDPOINT": "http://127.0.0.1:9"}, "the service cannot be reached"),
    "no requests": ({"PYTHONPATH": "shadow"}, "requests"),
    "no choice": ({"FONNTE_NOTIFY_WHEN": "sometimes"}, "callback"),
    "no number": ({"FONNTE_NOTIFY_TIMEOUT": "soon"}, "callback"),
}


# Of these, the older cores handle invalid options and imports differently.
WHERE_BROKEN = [
    (core, name)
    for core in CORES
    for name in (BROKEN if core == "newest" else ("no requests", "no choice", "no number"))
]


@pytest.mark.weekly
@pytest.mark.parametrize(("core", "name"), sample(WHERE_BROKEN, 1), indirect=["core"])
def test_failure_to_notify_warns_and_changes_nothing(alerts: Alerts, name: str) -> None:
    env, words = BROKEN[name]
    shadow = alerts.space.folder / "shadow"
    shadow.mkdir()
    (shadow / "requests.py").write_text("raise ImportError", encoding="utf-8")
    env = {key: str(shadow) if value == "shadow" else value for key, value in env.items()}
    assert alerts.run([play_of(ok(), fail())], FONNTE_API_RETRIES="0", **env) == []
    recap, warnings = alerts.output.partition("PLAY RECAP")[2], alerts.space.errors
    assert recap.count("failed=1") == 3 and words in warnings and "WARNING" in warnings, warnings
    # An error that a device or a service causes is found only when the alert is sent.
    late = name in ("wrong token", "no service", "no requests")
    assert alerts.run([play_of(ok())], code=0, **env) == [] and (words in alerts.space.errors) is not late


# Faults of /send, with the part of the warning that differs.
UNKNOWN, UNSENT = "It is not known whether the alert about", "The alert about"
WHILE_SENDING: dict[str, tuple[dict[str, Any], str]] = {
    "connection refused": ({"kind": "refuse"}, UNKNOWN),
    "lost response": ({"kind": "reset", "when": "after"}, UNKNOWN),
    "timeout": ({"kind": "hang"}, UNKNOWN),
    "not JSON": ({"kind": "html"}, UNKNOWN),
    "HTTP 500": ({"kind": "status", "code": 500}, UNKNOWN),
    "refusal": ({"kind": "status", "code": 200, "body": {"status": False, "reason": "not now"}}, UNSENT),
}


@pytest.mark.weekly
@pytest.mark.parametrize("name", sample([*WHILE_SENDING], 3))
def test_fault_while_sending_warns_and_changes_nothing(alerts: Alerts, name: str) -> None:
    """The second file runs after the first alert has failed, with the usual output and exit code."""
    rule, words = WHILE_SENDING[name]
    alerts.hosts = ["a"]
    alerts.sandbox.fault(path="/send", times=None, **rule)
    limits = {"FONNTE_NOTIFY_WHEN": "always", "FONNTE_NOTIFY_TIMEOUT": "1", "FONNTE_API_TIMEOUT": "3600"}
    # Only notify_timeout ends a response that hangs.
    alerts.run([play_of(ok())], [play_of(fail())], **limits)
    assert alerts.output.count("PLAY RECAP") == 2 and alerts.output.count("failed=1") == 1
    assert "notify" not in alerts.output and alerts.space.errors.count("[WARNING]") == 2, alerts.space.errors
    assert all(f"{words} site{index}.yml" in alerts.space.errors for index in (0, 1)), alerts.space.errors
    assert [call["path"] for call in alerts.sandbox.journal()].count("/send") == 2, "an alert was sent again"


@pytest.mark.weekly
def test_timeout_after_success_keeps_exit_code(alerts: Alerts) -> None:
    alerts.sandbox.fault("hang", path="/send")
    assert alerts.run([play_of(ok())], code=0, FONNTE_NOTIFY_WHEN="always", FONNTE_NOTIFY_TIMEOUT="1") == []
    assert UNKNOWN in alerts.space.errors


@pytest.mark.weekly
@ON_EACH_CORE
@pytest.mark.parametrize(
    "enabled", sample(["fonnte.whatsapp.notify,notify", "notify,fonnte.whatsapp.notify", "notify"], 2)
)
def test_callback_with_two_names_sends_once(alerts: Alerts, enabled: str) -> None:
    """Ansible loads the file twice if it is also in a directory of callback_plugins. Each playbook file has one message."""
    env = {"ANSIBLE_CALLBACKS_ENABLED": enabled, "ANSIBLE_CALLBACK_PLUGINS": str(INSTALLED / "plugins" / "callback")}
    broken = [play_of(fail())]
    texts = alerts.run(broken, FONNTE_NOTIFY_WHEN="always", **env)
    assert [text.split("\n")[0] for text in texts] == ["Ansible: site0.yml has failed"]
    fine = [play_of(ok())]
    texts = alerts.run(fine, broken, FONNTE_NOTIFY_WHEN="always", **env)
    names = ["Ansible: site0.yml has completed", "Ansible: site1.yml has failed"]
    assert [text.split("\n")[0] for text in texts] == names
    assert alerts.space.errors == ""
    assert alerts.run(broken, FONNTE_NOTIFY_TARGET="", **env) == []
    assert alerts.space.errors.count("No alerts are sent") == 1


@pytest.mark.weekly
@ON_EACH_CORE
def test_record_and_home_are_not_needed(alerts: Alerts) -> None:
    """An alert neither reads nor writes a record."""
    (text,) = alerts.run([play_of(fail())], FONNTE_RECORD_PATH="/proc/none/record", FONNTE_RECORD_URL=None)
    assert "it broke" in text and alerts.space.errors == ""


@pytest.mark.weekly
@ON_EACH_CORE
def test_device_token_alone_is_sufficient(alerts: Alerts) -> None:
    token = alerts.sandbox.device(SENDER)["token"]
    (text,) = alerts.run(
        [play_of(fail())], FONNTE_NOTIFY_DEVICE="", FONNTE_ACCOUNT_TOKEN=None, FONNTE_DEVICE_TOKEN=token
    )
    assert "it broke" in text


@pytest.mark.weekly
@ON_EACH_CORE
def test_options_in_configuration_file(alerts: Alerts) -> None:
    alerts.hosts = ["a"]
    config = alerts.space.folder / "ansible.cfg"
    config.write_text(
        "[defaults]\ncallbacks_enabled = fonnte.whatsapp.notify\n"
        f"[callback_fonnte_notify]\ndevice = {SENDER}\ntarget = {PERSON}, 081200023002\nwhen = always\n"
        "detail = names\ntimeout = 20\ncheck_mode = true\n",
        encoding="utf-8",
    )
    unset = dict.fromkeys(("ANSIBLE_CALLBACKS_ENABLED", "FONNTE_NOTIFY_DEVICE", "FONNTE_NOTIFY_TARGET"))
    texts = alerts.run([play_of(fail())], words=("--check",), ANSIBLE_CONFIG=str(config), **unset)
    assert texts == ["Ansible: site0.yml (check mode) has failed\nHosts: a\nTask: Deploy"] * 2


@ON_EACH_CORE
@pytest.mark.parametrize("output", JSON_OUTPUTS)
def test_standard_output_stays_json(alerts: Alerts, output: str) -> None:
    for token in (None, "wrong-token"):
        texts = alerts.run([play_of(fail())], **_output(output), **({"FONNTE_ACCOUNT_TOKEN": token} if token else {}))
        assert len(texts) == (0 if token else 1) and ("was not sent" in alerts.space.errors) is bool(token)
        documents = alerts.output.splitlines() if output == "lines" else [alerts.output]
        assert documents and all(isinstance(json.loads(document), dict) for document in documents)


@pytest.mark.weekly
@ON_EACH_CORE
def test_collection_next_to_playbook_is_used(alerts: Alerts) -> None:
    """Ansible finds the callback in the directory collections next to the playbook."""
    shutil.copytree(INSTALLED, alerts.space.folder / "collections" / "ansible_collections" / "fonnte" / "whatsapp")
    (text,) = alerts.run([play_of(fail())], ANSIBLE_COLLECTIONS_PATH=str(alerts.space.home))
    assert "it broke" in text and alerts.space.errors == ""


@pytest.mark.weekly
@ON_EACH_CORE
def test_run_without_recap_sends_nothing(alerts: Alerts) -> None:
    """The documentation of the callback lists such runs."""
    assert alerts.run([play_of(ok()), play_of(ok(), hosts="{{ undefined_hosts }}")], code=4) == []


@pytest.mark.weekly
@ON_EACH_CORE
def test_ad_hoc_command_sends_nothing(alerts: Alerts) -> None:
    env = {"ANSIBLE_CALLBACKS_ENABLED": "fonnte.whatsapp.notify", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true"}
    env |= {"FONNTE_NOTIFY_DEVICE": SENDER, "FONNTE_NOTIFY_TARGET": PERSON, "FONNTE_NOTIFY_WHEN": "always"}
    alerts.space.run("ansible", "localhost", "-m", "ansible.builtin.fail", env=env, code=FAILED)
    assert alerts.sandbox.outbox() == []


@pytest.mark.parametrize("core", CORES if RUNNER else [])
@pytest.mark.parametrize("way", [pytest.param("run", marks=pytest.mark.weekly), "worker"])
def test_alert_of_ansible_runner(sandbox: Sandbox, tmp_path: Path, core: str, way: str) -> None:
    """ansible-runner, which AWX uses, sets its own callback for the output."""
    alerts = Alerts(sandbox, tmp_path, core)
    job = tmp_path / "job"
    for name in ("project", "inventory", "env", "worker"):
        (job / name).mkdir(parents=True)
    (job / "project" / "site.yml").write_text(json.dumps([play_of(fail())]), encoding="utf-8")
    (job / "inventory" / "hosts").write_text("localhost ansible_connection=local\n", encoding="utf-8")
    runner, words = f"{RUNNER}/ansible-runner", f"{job} --playbook site.yml"
    command = f"{runner} run {words}"
    if way == "worker":
        command = (
            f"{runner} transmit {words} | {runner} worker --private-data-dir {tmp_path}/w | {runner} process {job}"
        )
    environment: Mapping[str, Any] = {
        "PATH": f"{CORES[core]}{os.pathsep}{os.defpath}",
        "HOME": str(alerts.space.home),
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_CALLBACKS_ENABLED": "fonnte.whatsapp.notify",
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
        "FONNTE_NOTIFY_DEVICE": SENDER,
        "FONNTE_NOTIFY_TARGET": PERSON,
    }
    done = subprocess.run(
        ["bash", "-c", command],
        env=dict(environment),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "failed=1" in done.stdout, done.stdout + done.stderr
    (message,) = sandbox.outbox()
    assert message["message"].split("\n") == [
        "Ansible: site.yml has failed",
        "Hosts: localhost",
        "Task: Deploy",
        "Error: localhost: it broke",
    ]
