# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths, lists, output, certificates and become: the cases that test_environments.py does not cover."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.control_nodes import (
    ACCOUNT,
    FIRST,
    INSTALLED,
    NEW,
    SECOND,
    ControlNode,
    tree,
    variables,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import sample
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox


@pytest.fixture
def node(sandbox: Sandbox, tmp_path: Path) -> Iterator[ControlNode]:
    """Yield a control node; check after the test that no file was added to the installed collection."""
    before = tree(INSTALLED)
    yield ControlNode(sandbox, tmp_path)
    assert {path for path in tree(INSTALLED) - before if "__pycache__" not in path} == set()


# Paths


@pytest.mark.weekly
def test_adopt_reads_sheet_relative_to_working_directory(node: ControlNode) -> None:
    done = node.playbook("adopt", *variables(adopt_dest="out"))
    assert done.returncode == 0, done.stdout
    done = node.playbook("adopt", *variables(adopt_dest="out", adopt_sheet="out/hidden.csv"), pwd="stale")
    assert done.returncode == 0, done.stdout


def test_record_path_is_relative_to_working_directory(node: ControlNode) -> None:
    node.declare(node.project, "Toko Proyek")
    done = node.playbook("provision", *variables(provision_files="clients"), pwd="stale", FONNTE_RECORD_PATH="record")
    assert done.returncode == 0, done.stdout
    assert tree(node.project / "record"), tree(node.project)


@pytest.mark.weekly
def test_missing_file_is_reported_with_absolute_path(node: ControlNode) -> None:
    done = node.playbook("provision", *variables(provision_files="clients"), pwd="missing")
    assert done.returncode != 0 and f"There is no {node.project}/clients" in done.stdout


@pytest.mark.weekly
def test_role_reads_files_relative_to_working_directory(node: ControlNode) -> None:
    """The playbook is in another directory."""
    node.declare(node.project, "Toko Proyek")
    play = {"hosts": "localhost", "gather_facts": False, "roles": [{"role": "fonnte.whatsapp.fleet"}]}
    (node.home / "play.yml").write_text(json.dumps([{**play, "vars": {"fleet_files": "clients"}}]), encoding="utf-8")
    done = node.run("ansible-playbook", node.home / "play.yml")
    assert done.returncode == 0 and NEW in node.numbers(), done.stdout


@pytest.mark.weekly
def test_playbooks_refuse_to_write_into_installed_collection(node: ControlNode) -> None:
    """The next installation would delete files that a playbook writes into this working directory."""
    for name, words in {
        "adopt": variables(adopt_dest="out"),
        "record": variables(record_operation="backup", record_file="backup.json"),
        "audit": variables(audit_files=str(node.project / "clients"), audit_dest="report"),
        "doctor": variables(doctor_dest="facts.json", doctor_device=NEW, doctor_consent=True),
    }.items():
        node.declare(node.project, "Toko Lama", number=FIRST)
        done = node.playbook(name, *words, cwd=INSTALLED)
        assert done.returncode != 0 and "installed collection" in done.stdout, (name, done.stdout)


# Lists, names and files, as users write them


@pytest.mark.weekly
def test_provision_files_accepts_string_with_commas(node: ControlNode) -> None:
    """A comma at the end is refused: it is the part of "a, b" that Ansible keeps."""
    node.declare(node.project, "Toko Proyek")
    node.declare(node.home, "Toko Lain", number="081200016009")
    files = f"clients/client.yml,{node.home}/clients/client.yml"
    done = node.playbook("provision", "--check", "-e", f"provision_files={files}")
    assert done.returncode == 0 and "2 devices are declared" in done.stdout, done.stdout
    cut = node.playbook("provision", "--check", "-e", "provision_files=clients/client.yml, clients")
    assert cut.returncode != 0 and "provision_files" in cut.stdout and "comma" in cut.stdout, cut.stdout


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("name", "words"),
    sample(
        [
            ("link", "link_devices=081200016001, 081200016002"),
            ("decommission", "decommission_devices=081200016001, 081200016002"),
            ("dropped_off", "dropped_off_targets=081200016001, 081200016002"),
            ("link", "link_devices=081200016001 081200016002"),
            ("decommission", "decommission_devices=081200016001 081200016002"),
            ("provision", "provision_files=clients clients"),
            ("audit", "audit_files=clients clients"),
            ("audit", "audit_dest=my report"),
            ("adopt", "adopt_dest=my directory"),
            ("record", "record_file=my record.json"),
            ("doctor", "doctor_dest=my facts.json"),
        ],
        4,
    ),
)
def test_value_that_ansible_cut_at_a_space_is_refused(node: ControlNode, name: str, words: str) -> None:
    more = variables(dropped_off_senders=[FIRST]) if name == "dropped_off" else ()
    done = node.playbook(name, "-e", words, *more)
    assert done.returncode != 0 and words.partition("=")[0] in done.stdout and "comma" in done.stdout, done.stdout
    assert node.sandbox.journal() == [] and "Nothing was" in done.stdout


@pytest.mark.weekly
def test_each_declaration_file_of_directory_is_read(node: ControlNode) -> None:
    """This includes files with an uppercase extension, in a directory with special characters in its name."""
    folder = node.project / "clients [2026] *"
    node.declare(folder, "Toko Proyek")
    (folder / "clients" / "client.yml").rename(folder / "B.YML")
    done = node.playbook("provision", *variables(provision_files="clients [2026] *"))
    assert done.returncode == 0 and NEW in node.numbers(), done.stdout


# Output


@pytest.mark.weekly
def test_progress_is_printed_to_standard_error(node: ControlNode) -> None:
    """The line about a service that does not respond contains its URL."""
    node.sandbox.set_options(latency=15.0)
    task = {"fonnte.whatsapp.fonnte_device_info": {}}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
    (node.project / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    done = subprocess.run(
        [node.programs / "ansible-playbook", "play.yml"],
        env=node.environment(ANSIBLE_STDOUT_CALLBACK="minimal"),
        cwd=node.project,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert "has not responded for" in done.stderr and node.sandbox.url in done.stderr, done
    assert "has not responded for" not in done.stdout, done


# Certificates


@pytest.mark.weekly
def test_custom_certificate_authority_for_playbooks(tmp_path: Path) -> None:
    """The authority is in FONNTE_CA_PATH or in the variable fonnte_ca_path."""
    with Sandbox(tls="valid") as sandbox:
        node = ControlNode(sandbox, tmp_path)
        node.declare(node.project, "Toko Proyek")
        for name, words in {
            "provision": variables(provision_files="clients"),
            "audit": variables(audit_files="clients"),
            "adopt": variables(adopt_dest="out"),
            "record": (),
            "doctor": variables(doctor_consent=False),
            "link": variables(link_devices=FIRST),
            "decommission": (*variables(decommission_devices=[SECOND], decommission_sure=True), "--check"),
        }.items():
            refused = node.playbook(name, *words)
            assert refused.returncode != 0 and "certificate" in refused.stdout, (name, refused.stdout)
            assert "FONNTE_CA_PATH" in refused.stdout, (name, refused.stdout)
            done = node.playbook(name, *words, FONNTE_CA_PATH=sandbox.ca)
            assert done.returncode == 0, (name, done.stdout)
            done = node.playbook(name, *words, *variables(fonnte_ca_path=sandbox.ca))
            assert done.returncode == 0, (name, done.stdout)


# Becoming another user


def test_become_in_variables_of_all_hosts_is_ignored(node: ControlNode) -> None:
    """No playbook needs root, and a machine may have no sudo. test_environments.py tests the other playbooks."""
    inventory = node.home / "inventory"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts").write_text("localhost ansible_connection=local\n", encoding="utf-8")
    (inventory / "group_vars" / "all.yml").write_text(
        json.dumps({"ansible_become": True, "ansible_become_user": "nobody", "ansible_become_exe": "no-such-program"}),
        encoding="utf-8",
    )
    words = variables(dropped_off_targets=["6281200002001"], dropped_off_senders=[FIRST])
    done = node.playbook("dropped_off", "-i", inventory, *words, "--check")
    assert done.returncode == 0, done.stdout
    assert ACCOUNT not in done.stdout
