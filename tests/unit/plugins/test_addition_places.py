# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each request, module and finding must also be in places that no code derives: a test for each place."""

from __future__ import annotations

import functools
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.endpoints import ENDPOINTS, NON_IDEMPOTENT
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.findings import Kind
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import texts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import REFUSALS, RefusalKind
from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_audit
from ansible_collections.fonnte.whatsapp.tests.browser.samples import everything
from ansible_collections.fonnte.whatsapp.tests.control_node import MODULES
from ansible_collections.fonnte.whatsapp.tests.fault_injection.cell_run import NEVER_TWICE
from ansible_collections.fonnte.whatsapp.tests.fault_injection.scenarios import SCENES
from ansible_collections.fonnte.whatsapp.tests.sandbox.api import ROUTES

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "audit.schema.json").read_text(encoding="utf-8"))


@functools.cache
def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# /update-device refuses an unknown token with another text.
OTHER_REFUSAL = ("/update-device",)
# The checks of messages count them in the outbox.
COUNTED = ("/send",)

REQUEST_PLACES: dict[str, t.Callable[[str], bool]] = {
    "the sandbox: ROUTES of tests/sandbox/api.py": lambda path: path in ROUTES,
    "its refusal of an unknown token: REFUSALS of _common/errors.py": lambda path: (
        path in OTHER_REFUSAL or any(one.call == path and one.kind is RefusalKind.INVALID_TOKEN for one in REFUSALS)
    ),
    "a scene, with the module that sends it: SCENES of tests/fault_injection/scenarios.py": lambda path: any(
        scene.call == path for scene in SCENES
    ),
    "the requests that are applied once: NEVER_TWICE of tests/fault_injection/cell_run.py": lambda path: (
        path in NEVER_TWICE + COUNTED or ENDPOINTS[path].retry is not NON_IDEMPOTENT
    ),
}


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("place", REQUEST_PLACES)
def test_request_is_in_each_place(place: str, path: str) -> None:
    assert REQUEST_PLACES[place](path), f"add {path} to {place}"


ALL_MODULES = sorted(path.stem[len("fonnte_") :] for path in ROOT.glob("plugins/modules/fonnte_*.py"))
# They send no request to the service.
LOCAL = ("link_changes", "sheet")
FUNCTIONAL = "tests/functional/plugins/module_utils"


def named(file: str, *but: str) -> t.Callable[[str], bool]:
    """Return a check that a test file has a run or a task of a module, except of some."""
    return lambda name: name in but or re.search(rf'\b{name}\(|"(fonnte_)?{name}"', read(file)) is not None


MODULE_PLACES: dict[str, t.Callable[[str], bool]] = {
    "an action plugin: plugins/action": lambda name: (ROOT / "plugins" / "action" / f"fonnte_{name}.py").exists(),
    "the modules that tests run: MODULES of tests/control_node.py": lambda name: name in MODULES,
    "the scenes: SCENES of tests/fault_injection/scenarios.py": lambda name: (
        name == "audit" or any(scene.module == name for scene in SCENES)
    ),
    "the guide: docs/docsite/rst/guide.rst": lambda name: f"fonnte_{name}#module" in read("docs/docsite/rst/guide.rst"),
    "the table: README.id.md": lambda name: f"`fonnte_{name}`" in read("README.id.md"),
    # They run through their role or in tests with files.
    "the tasks of tests: tests/conformance/playbooks.py": lambda name: (
        name in ("audit", "fleet") or f"def {name}(" in read("tests/conformance/playbooks.py")
    ),
    "the options of tests: tests/conformance/test_option_sources.py": named(
        "tests/conformance/test_option_sources.py", "audit", "fleet"
    ),
    **{
        f"the tests of {what}: {file}": named(file, *but)
        for what, file, *but in (
            ("options", f"{FUNCTIONAL}/_options/test_common_options.py", "doctor"),
            ("numbers in spreadsheets", f"{FUNCTIONAL}/test_spreadsheet_numbers.py"),
            ("hostile responses", f"{FUNCTIONAL}/test_fuzz_responses.py"),
            ("secrets", f"{FUNCTIONAL}/_common/test_redacted_responses.py"),
        )
    },
}


@pytest.mark.parametrize("name", [name for name in ALL_MODULES if name not in LOCAL])
@pytest.mark.parametrize("place", MODULE_PLACES)
def test_module_is_in_each_place(place: str, name: str) -> None:
    assert MODULE_PLACES[place](name), f"add fonnte_{name} to {place}"


FINDING_PLACES: dict[str, t.Callable[[Kind], bool]] = {
    **{
        f"its texts: {start}_ in _TABLE of _audit/messages.py": lambda kind, start=start: any(
            key == f"{start}_{kind.value}" or (start == "say" and key.startswith(f"say_{kind.value}_"))
            for key in texts()
        )
        for start in ("kind", "mean", "todo", "say")
    },
    "the sample of tests: everything() of tests/browser/samples.py": lambda kind: everything().counts()[kind] > 0,
    "the JSON schema: kind_name, and the counts, in docs/audit.schema.json": lambda kind: (
        kind.value in SCHEMA["$defs"]["kind_name"]["enum"] and f'"{kind.value}": {{' in json.dumps(SCHEMA)
    ),
    "the table: docs/audit.md": lambda kind: f"| `{kind.value}` |" in read("docs/audit.md"),
    "the table: docs/audit.id.md": lambda kind: f"| `{kind.value}` |" in read("docs/audit.id.md"),
    "fail_on: plugins/modules/fonnte_audit.py": lambda kind: (
        kind.value in (fail_on := yaml.safe_load(fonnte_audit.DOCUMENTATION)["options"]["fail_on"])["choices"]
        and f"V({kind.value})" in " ".join(fail_on["description"])
    ),
    "audit_fail_on: roles/audit/meta/argument_specs.yml": lambda kind: (
        f"- {kind.value}\n" in read("roles/audit/meta/argument_specs.yml")
    ),
}


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
@pytest.mark.parametrize("place", FINDING_PLACES)
def test_finding_is_in_each_place(place: str, kind: Kind) -> None:
    assert FINDING_PLACES[place](kind), f"add the finding {kind.value} to {place}"


def test_schema_has_the_number_of_findings() -> None:
    kinds = SCHEMA["properties"]["kinds"]
    assert (kinds["minItems"], kinds["maxItems"]) == (len(Kind), len(Kind)), (
        f"set minItems and maxItems of kinds in docs/audit.schema.json to {len(Kind)}"
    )
