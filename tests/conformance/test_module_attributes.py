# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes in each module's documentation are true: its examples run in check mode, normally, and again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.conformance.test_examples import (
    BEFORE,
    CODE,
    INSTALLED,
    MODULES,
    examples_of,
    run,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import EVERY_PAGE
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

Json = dict[str, Any]
NAMES = [path.stem for path in MODULES]
GROUP = yaml.safe_load((INSTALLED / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]["fonnte"]
PREDICTED, AGAIN = "in check mode: ", "again: "
# The words in the details of partial support that name the reason: a change in every run, or a change without a diff.
CHANGES_AGAIN = {
    "fonnte_device_qr": "each run fetches a new code",
    "fonnte_doctor": "it writes to the scratch device every time",
}
NO_DIFF = {
    "fonnte_device": "A code sent with O(request_otp) is not part of the device",
    "fonnte_doctor": "Shows the facts in O(dest).",
    "fonnte_sheet": "Sheets are not shown.",
}
# Tasks for attributes that no example covers.
MORE: dict[str, list[Json]] = {
    "fonnte_doctor": [
        {"name": "Write down what is found without writing", "fonnte.whatsapp.fonnte_doctor": {"dest": "~/facts.json"}}
    ]
}


@pytest.fixture(scope="session")
def attributes() -> dict[str, Json]:
    """Return the attributes of each module, as ansible-doc shows them."""
    program = Path(sys.executable).parent / "ansible-doc"
    command = [program, "--json", "--type", "module", *(f"fonnte.whatsapp.{name}" for name in NAMES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return {name.rpartition(".")[2]: shown["doc"]["attributes"] for name, shown in json.loads(done.stdout).items()}


@dataclass(frozen=True)
class Three:
    """The results of an example: in check mode, in the run, and in the next run."""

    name: str
    predicted: Json
    done: Json
    again: Json

    def diffs(self, which: Json) -> list[Json]:
        """Return the diffs with differences in a result or in the items of a loop. A diff may be a list of diffs."""
        given = [one.get("diff") or [] for one in which.get("results", [which])]
        shown: list[Json] = [diff for one in given for diff in (one if isinstance(one, list) else [one])]
        return [diff for diff in shown if diff.get("prepared") or diff.get("before") != diff.get("after")]


def wait_for_the_person(control_url: str) -> Json:
    """Return a task that waits until the simulated person has linked a device."""
    return {
        "name": "Wait for the person",
        "ansible.builtin.uri": {"url": f"{control_url}/state"},
        "register": "state",
        "until": "state.json.accounts | map(attribute='devices') | flatten | selectattr('linked') | length > 0",
        "retries": 120,
        "delay": 1,
    }


def thrice(task: Json, module: str, control_url: str) -> Iterator[Json]:
    """Yield an example of the module in check mode, as a normal task, and again; a task of another module only once."""
    if f"fonnte.whatsapp.{module}" not in task:
        yield task
        return
    copy = {key: value for key, value in task.items() if key != "register"}
    yield {**copy, "name": PREDICTED + task["name"], "check_mode": True, "diff": True}
    yield {**task, "diff": True}
    if (task[f"fonnte.whatsapp.{module}"] or {}).get("method") == "code":
        yield wait_for_the_person(control_url)
    yield {**copy, "name": AGAIN + task["name"], "diff": True}


class Stage:
    """The environment in which the examples of a module run."""

    def __init__(self, module: str, sandbox: Sandbox, folder: Path, patch: pytest.MonkeyPatch) -> None:
        (path,) = [path for path in MODULES if path.stem == module]
        self.module, self.sandbox, self.folder = module, sandbox, folder
        self.examples: list[Json] = [*examples_of(path), *MORE.get(module, [])]
        self.reported = folder / "reported"
        patch.setenv("ANSIBLE_CALLBACK_PLUGINS", str(Path(__file__).parent / "callback_plugins"))
        patch.setenv("ANSIBLE_CALLBACKS_ENABLED", "reported")
        patch.setenv("FONNTE_TESTS_REPORTED", str(self.reported))
        BEFORE.get(module, lambda sandbox, folder: None)(sandbox, folder)
        sandbox.next_otp(CODE)

    def play(self, tasks: list[Json], *words: str) -> dict[str, Json]:
        """Run tasks, and return the result of each by its name."""
        self.reported.write_text("", encoding="utf-8")
        variables = {"otp_from_whatsapp": CODE, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        playbook = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
        path = self.folder / "playbook.yml"
        path.write_text(yaml.safe_dump(playbook, allow_unicode=True), encoding="utf-8")
        with Person(self.sandbox, ("code",)):
            run(["ansible-playbook", str(path), *words], self.sandbox, self.folder)
        lines = [json.loads(line) for line in self.reported.read_text(encoding="utf-8").splitlines()]
        return {line["task"]: line["reported"] for line in lines}

    def thrice(self) -> list[Three]:
        """Run every example of the module three times."""
        tasks = [copy for task in self.examples for copy in thrice(task, self.module, self.sandbox.control_url)]
        reported = self.play(tasks)
        names = [task["name"] for task in self.examples if f"fonnte.whatsapp.{self.module}" in task]
        return [Three(name, reported[PREDICTED + name], reported[name], reported[AGAIN + name]) for name in names]


@pytest.mark.parametrize("module", NAMES if EVERY_PAGE else ["fonnte_fleet"])
def test_module_has_its_documented_attributes(
    module: str, attributes: dict[str, Json], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = attributes[module]
    stage = Stage(module, sandbox, tmp_path, monkeypatch)
    runs = stage.thrice()
    assert runs
    assert ("action_group" in claims) is (module in GROUP)
    assert claims["platform"]["platforms"] == "posix" and claims["check_mode"]["support"] == "full"
    for one in runs:
        # The simulated person may link the device between the two, which changes the result.
        linked = one.done.get("connected") and one.predicted.get("connected") is False
        assert one.predicted["changed"] == one.done["changed"] or linked, (
            f"{one.name}: check mode foresaw something else"
        )
    stage.sandbox.clear_journal()
    stage.play(stage.examples, "--check")
    assert stage.sandbox.writes() == [], "check mode wrote"
    _shows_differences(module, runs, claims["diff_mode"])
    _is_idempotent(module, runs, claims["idempotent"])


def _shows_differences(module: str, runs: list[Three], claim: Json) -> None:
    shown = [one for one in runs if one.diffs(one.done)]
    silent = [
        one.name for one in runs if one.done["changed"] and not (one.diffs(one.done) and one.diffs(one.predicted))
    ]
    if claim["support"] in ("N/A", "none"):
        assert shown == []
        return
    assert shown, "nothing shows it: there is no diff at all"
    assert not silent or _says(claim, NO_DIFF.get(module)), f"changed, and no diff shows it: {silent}"


def _is_idempotent(module: str, runs: list[Three], claim: Json) -> None:
    again = [one.name for one in runs if one.again["changed"]]
    changed = [one.name for one in runs if one.done["changed"]]
    if claim["support"] == "N/A":
        assert changed == again == []
    elif claim["support"] == "none":
        assert changed == again != []
    else:
        assert set(changed) - set(again), "nothing shows it: no example changed something and was unchanged then"
        assert not again or _says(claim, CHANGES_AGAIN.get(module)), f"changed again: {again}"


def _says(claim: Json, words: str | None) -> bool:
    """Return whether the support is partial, with these words in its details."""
    return claim["support"] == "partial" and words is not None and words in " ".join(claim["details"])
