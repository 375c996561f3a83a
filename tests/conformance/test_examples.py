# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run each example in the documentation of modules and plugins, and each playbook on the pages, without changes."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

INSTALLED = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / "ansible_collections" / "fonnte" / "whatsapp"
MODULES = sorted(INSTALLED.glob("plugins/modules/*.py"))
# Plugins whose examples are tasks.
IN_TASKS = sorted([*INSTALLED.glob("plugins/lookup/*.py"), *INSTALLED.glob("plugins/filter/*.py")])
INVENTORIES = sorted(INSTALLED.glob("plugins/inventory/*.py"))
# Pages that other tests run completely, since they need other devices, other hosts, or a playbook that fails.
ELSEWHERE = ("inventory.md", "notify.md", "secrets.md", "tokens-for-applications.md")
DOCUMENTS = [
    INSTALLED / "README.md",
    # Not the pages in Bahasa Indonesia: a unit test compares their playbooks with those of the English pages.
    *(path for path in sorted(INSTALLED.glob("docs/*.md")) if path.name not in ELSEWHERE and not path.match("*.id.md")),
    *sorted(INSTALLED.glob("roles/*/README.md")),
]
CODE = "047193"


def examples_of(plugin: Path) -> Any:
    """Return EXAMPLES: a list of tasks, or an inventory."""
    name = f"ansible_collections.fonnte.whatsapp.plugins.{plugin.parent.name}.{plugin.stem}"
    return yaml.safe_load(importlib.import_module(name).EXAMPLES)


def playbooks_of(document: Path) -> list[list[Any]]:
    """Return the YAML blocks of a page that are complete playbooks."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    read = [yaml.safe_load(block) for block in blocks]
    # A rulebook has hosts too; tests/eda runs rulebooks.
    return [block for block in read if isinstance(block, list) and "hosts" in block[0] and "sources" not in block[0]]


def play(playbook: list[Any], sandbox: Sandbox, folder: Path) -> str:
    """Run a playbook as a user would, and return its output."""
    path = folder / "playbook.yml"
    path.write_text(yaml.safe_dump(playbook, allow_unicode=True), encoding="utf-8")
    return run(["ansible-playbook", str(path)], sandbox, folder)


def run(command: list[str], sandbox: Sandbox, folder: Path) -> str:
    """Run a program of Ansible as a user would, and return its output."""
    env = {
        **os.environ,
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": sandbox.account_token,
        # For the example of a token that was replaced.
        "FONNTE_OLD_ACCOUNT_TOKEN": "old-account-token-of-an-example",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


GROUPS = [
    {"id": f"12036304{place}@g.us", "name": name}
    for place, name in enumerate(("Tim Gudang", "Toko, Jakarta | Bandung"))
]


def _can_send(sandbox: Sandbox, folder: Path) -> None:
    """Create a linked device that may send attachments and has two groups that Fonnte has fetched; and an attachment."""
    sender = {"number": "081200001001", "linked": True, "package": "Super", "groups": GROUPS}
    fetched = {"fetched_groups": GROUPS, "groups_fetched": True}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [{**sender, **fetched}]}])
    (folder / "files").mkdir()
    (folder / "files" / "invoice.pdf").write_bytes(b"%PDF-1.7")


def _has_a_client(sandbox: Sandbox, folder: Path) -> None:
    """Create a linked device with the name in the documentation."""
    device = {"number": "081200001001", "name": "Toko Satu", "linked": True}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [device]}])


def _was_made_by_hand(sandbox: Sandbox, folder: Path) -> None:
    """Create the devices of two clients."""
    devices = [{"number": f"08120000100{n}", "name": f"Toko {n} - kasir"} for n in (1, 2)]
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": devices}])


Prepare = Callable[[Sandbox, Path], None]
# The setup for the examples of a module or a page.
BEFORE: dict[str, Prepare] = {
    "fonnte_message": _can_send,
    "fonnte_group_info": _can_send,
    "fonnte_number_info": _can_send,
    "groups-and-numbers": _can_send,
    "fonnte_sheet": _was_made_by_hand,
    "messages": _can_send,
    "decommission": _has_a_client,
    # An audit creates no device.
    "audit": _has_a_client,
}
# Pages on which a second run sends requests too: the message again, and the request for a code, which Fonnte refuses.
CALLS_AGAIN = ("messages", "groups-and-numbers", "decommission")


def _name(example: Path) -> str:
    """Return the name of a module or a page; of a README, the name of its directory."""
    return example.parent.name if example.stem == "README" else example.stem


def _prepare(example: Path, sandbox: Sandbox, folder: Path) -> None:
    if _name(example) in BEFORE:
        BEFORE[_name(example)](sandbox, folder)


# Each module has an integration target, too. The examples of the others are weekly.
EACH_CHANGE = ("fonnte_device", "fonnte_fleet")


@pytest.mark.parametrize(
    "module",
    [pytest.param(path, marks=[] if path.stem in EACH_CHANGE else [pytest.mark.weekly]) for path in MODULES],
    ids=lambda path: path.stem,
)
def test_the_examples_of_a_module(module: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    _prepare(module, sandbox, tmp_path)
    sandbox.next_otp(CODE)
    play_tasks(module, sandbox, tmp_path)


@pytest.mark.parametrize("plugin", IN_TASKS, ids=lambda path: path.stem)
def test_the_examples_of_a_plugin(plugin: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    devices = [{"number": number} for number in ("081200001001", "081200001002")]
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": devices}])
    play_tasks(plugin, sandbox, tmp_path)


@pytest.mark.parametrize("plugin", INVENTORIES, ids=lambda path: path.stem)
def test_the_examples_of_an_inventory(plugin: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    device = {"number": "081200001001", "name": "Klien - Satu", "quota": 5}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [device]}])
    example = examples_of(plugin)
    graphs = []
    for content in ({"plugin": example["plugin"]}, example):
        source = tmp_path / "fonnte.yml"
        source.write_text(yaml.safe_dump(content), encoding="utf-8")
        graphs.append(run(["ansible-inventory", "-i", str(source), "--graph"], sandbox, tmp_path))
    assert graphs[0].splitlines() == ["@all:", "  |--@ungrouped:", "  |  |--081200001001"]
    for group in ("dropped", "poor", "package_free"):
        assert f"  |--@{group}:\n  |  |--Klien_-_Satu\n" in graphs[1]


def play_tasks(plugin: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """Run the examples as the tasks of a play, none of which may be skipped."""
    tasks = examples_of(plugin)
    variables = {"otp_from_whatsapp": CODE, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    playbook = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
    # The simulated person types pairing codes. No task waits for a scan of the QR codes.
    with Person(sandbox, ("code",)):
        output = play(playbook, sandbox, tmp_path)
    assert tasks
    for task in tasks:
        assert f"TASK [{task['name']}]" in output
    assert "skipped=0" in output and "ignored=0" in output


def test_examples_of_fonnte_device_create_and_rename_devices(sandbox: Sandbox, tmp_path: Path) -> None:
    (module,) = [path for path in MODULES if path.stem == "fonnte_device"]
    test_the_examples_of_a_module(module, sandbox, tmp_path)
    assert {number: device["name"] for number, device in sandbox.devices().items()} == {
        "081200001001": "Toko Satu Bandung",
        "081200001002": "Toko Dua",
    }


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("document", "index"),
    [(path, index) for path in DOCUMENTS for index in range(len(playbooks_of(path)))],
    ids=lambda value: value.parent.name + "-" + value.name if isinstance(value, Path) else str(value),
)
def test_playbooks_of_page(document: Path, index: int, sandbox: Sandbox, tmp_path: Path) -> None:
    _prepare(document, sandbox, tmp_path)
    with Person(sandbox):
        play(playbooks_of(document)[index], sandbox, tmp_path)
    assert sandbox.devices()
    if _name(document) in CALLS_AGAIN:
        assert sandbox.writes()
        return
    sandbox.clear_journal()
    assert "changed=0" in play(playbooks_of(document)[index], sandbox, tmp_path)
    assert sandbox.writes() == []
