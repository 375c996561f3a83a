# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run on an account with devices and an empty record explains first why settings count as changed."""

from __future__ import annotations

import shutil
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

A, B = "081200000001", "081200000002"
URL = "https://hooks.example.com/a"
TASKS: dict[str, dict[str, t.Any]] = {
    "device": {"device": A, "name": "Toko 1", "webhook": URL},
    "webhook_config": {"device": A, "webhook": URL},
    "fleet": {"devices": [{"device": number, "name": "Toko 1", "webhook": URL} for number in (A, B)]},
}


@pytest.fixture(autouse=True)
def two(controller: Controller) -> None:
    devices = [{"number": number, "name": "Toko 1", "package": "Super"} for number in (A, B)]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])


def explained(controller: Controller, module: str, check: bool = False, **params: t.Any) -> list[int]:
    """Run a module, and return the indexes of the explanation in its warnings."""
    try:
        warnings = controller.run(module, check, handle_unknown="ignore", **params).warnings
    except FonnteError as fault:
        warnings = fault.warnings
    return [
        place
        for place, text in enumerate(warnings)
        if "is empty, and the account has devices" in text
        and all(
            word in text
            for word in ("stamped", "fonnte.whatsapp.record", "FONNTE_RECORD_PATH", str(controller.records))
        )
    ]


@pytest.mark.parametrize("module", TASKS)
def test_empty_record_is_explained_first_and_once(controller: Controller, module: str) -> None:
    assert explained(controller, module, True, **TASKS[module]) == [0]
    assert explained(controller, module, **TASKS[module]) == [0]
    assert explained(controller, module, **TASKS[module]) == []
    # This repeats in the next pod.
    shutil.rmtree(controller.records)
    assert explained(controller, module, **TASKS[module]) == [0]


def test_location_of_the_record_is_part_of_the_reason(controller: Controller) -> None:
    """The records of tests are below the directory for temporary files."""
    report = controller.run("device", **TASKS["device"])
    assert "which is for temporary files." in report.warnings[0]


def test_loop_explains_it_only_for_the_first_device(controller: Controller) -> None:
    assert explained(controller, "device", **TASKS["device"]) == [0]
    assert explained(controller, "device", **{**TASKS["device"], "device": B}) == []


def test_new_device_next_to_others_explains_it_too(controller: Controller) -> None:
    """Otherwise the record would no longer be empty when the others are processed."""
    assert explained(controller, "device", **{**TASKS["device"], "device": "081200000003"}) == [0]


def test_device_token_explains_it_too(controller: Controller) -> None:
    token = controller.sandbox.device(A)["token"]
    task = {"account_token": None, "device_token": token, "webhook": URL}
    assert explained(controller, "device", **task) == [0]


@pytest.mark.parametrize("module", TASKS)
def test_failed_run_explains_it_too(controller: Controller, module: str) -> None:
    assert explained(controller, module, handle_write_only="error", **TASKS[module]) == [0]


@pytest.mark.parametrize("policy", ["stamped", "always_update", "attest"])
def test_other_evidence_needs_no_record(controller: Controller, policy: str) -> None:
    for module, task in TASKS.items():
        assert explained(controller, module, True, handle_write_only=policy, **task) == []


def test_readable_settings_need_no_record(controller: Controller) -> None:
    assert explained(controller, "device", device=A, name="Toko 2", autoread=True) == []
    assert explained(controller, "fleet", devices=[{"device": A, "name": "Toko 3"}]) == []


def test_first_device_of_an_account_is_not_explained(controller: Controller) -> None:
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "plan": "Super"}])
    for module in ("device", "fleet"):
        assert explained(controller, module, True, **TASKS[module]) == []
    assert explained(controller, "fleet", **TASKS["fleet"]) == []
    assert explained(controller, "device", **TASKS["device"]) == []


def test_deletion_needs_no_record(controller: Controller) -> None:
    assert explained(controller, "device", device=A, state="absent", request_otp=True) == []
