# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, lists and environment variables as users write them: they are used, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.control_nodes import ControlNode, variables
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox


@pytest.fixture
def node(sandbox: Sandbox, tmp_path: Path) -> ControlNode:
    return ControlNode(sandbox, tmp_path)


@pytest.mark.weekly
@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize(
    ("encoding", "problem"),
    [
        ("utf-16", "is saved as UTF-16"),
        ("cp1252", "is not saved as UTF-8 (byte E9 in line 3, which is é in Windows-1252)"),
    ],
)
def test_declaration_in_another_encoding_is_refused(
    node: ControlNode, encoding: str, problem: str, offline: bool
) -> None:
    (node.project / "clients").mkdir()
    text = 'fleet_devices:\n  - device: "081200016001"\n    name: Café\n'
    (node.project / "clients" / "shop.yml").write_text(text, encoding=encoding)
    runs = [("provision", {"provision_files": "clients", "provision_offline": offline})]
    for name, words in [*runs, *([] if offline else [("audit", {"audit_files": "clients"})])]:
        done = node.playbook(name, *variables(**words))
        reported = done.stdout.replace(r"\u00e9", "é")
        assert done.returncode != 0 and f"shop.yml {problem}; save it as UTF-8." in reported, done.stdout
    assert node.sandbox.journal() == []


@pytest.mark.weekly
@pytest.mark.parametrize("kinds", ["drift,missing", "missing,drift", ["missing"]])
def test_audit_fail_on_accepts_list_or_string(node: ControlNode, kinds: Any) -> None:
    node.declare(node.project, "Toko Proyek")
    done = node.playbook("audit", *variables(audit_files="clients", audit_fail_on=kinds))
    assert done.returncode != 0 and "findings that audit_fail_on names: missing" in done.stdout, done.stdout
    done = node.playbook("audit", *variables(audit_files="clients", audit_fail_on="drift_recorded,unlisted"))
    assert "findings that audit_fail_on names: missing" not in done.stdout, done.stdout


@pytest.mark.parametrize("name", ["https_proxy", pytest.param("ALL_PROXY", marks=pytest.mark.weekly)])
def test_invalid_proxy_variable_is_named(node: ControlNode, name: str) -> None:
    node.declare(node.project, "Toko Proyek")
    surroundings = {name: "http://[s3cret", "FONNTE_API_ENDPOINT": "https://api.fonnte.invalid"}
    done = node.playbook("provision", *variables(provision_files="clients"), **surroundings)
    words = " ".join(done.stdout.split())
    assert done.returncode != 0 and f"Environment variable {name}: its value is not the address of a proxy" in words, (
        done.stdout
    )
    assert "s3cret" not in done.stdout
