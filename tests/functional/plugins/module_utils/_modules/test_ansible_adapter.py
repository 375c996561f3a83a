# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that are passed to Ansible for masking."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.inventory.data import InventoryData
from ansible.module_utils import basic
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.fonnte.whatsapp.plugins.inventory import fonnte
from ansible_collections.fonnte.whatsapp.plugins.lookup import fonnte_token
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import ansible_adapter as _run
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.link_changes import LINK_CHANGES
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput, ModuleResult
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.filters import FILTERS
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

A = "081200000001"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the values that an Ansible with built-in masking (2.22 and newer) was requested to mask."""
    reported: set[str] = set()
    monkeypatch.setattr(_run, "register_secrets", reported.update)
    return reported


@pytest.mark.parametrize("value", [" ", "-", "", "no"])
def test_values_too_short_for_secrets_are_not_masked(value: str) -> None:
    assert _run.hidden_values({value, "s3cret-token"}, {}) == {"s3cret-token"}


def test_secrets_are_registered_if_ansible_masks_them(registered: set[str]) -> None:
    assert _run.mask_secrets({"s3cret", "other"})
    assert registered == {"s3cret", "other"}
    assert not _run.prints_secrets(no_log=False)


def test_older_ansible_does_not_mask_and_needs_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_run, "register_secrets", None)
    assert not _run.mask_secrets({"s3cret"})
    assert _run.prints_secrets(no_log=False) and not _run.prints_secrets(no_log=True)


@pytest.mark.parametrize(
    ("module", "params"), [("device", {"device": A, "name": "Toko"}), ("device_info", {"devices": [A]})]
)
def test_returned_tokens_are_registered_as_secrets(
    controller: Controller, module: str, params: dict[str, t.Any]
) -> None:
    controller.device(A, name="Toko")
    token = controller.sandbox.device(A)["token"]
    report = controller.run(module, return_tokens=True, **params)
    assert token in str(report.result) and report.secrets == {token}
    report = controller.run(module, **params)
    assert token not in str(report.result) and report.secrets == set()
    assert token not in repr(report)


def test_system_log_contains_no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [{"device": A, "name": "Toko", "connected": True, "token": "s3cret-token"}]
    arguments = {"devices": devices, "path": "links.json", "operation": "compare"}
    lines: list[str] = []
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    # The format of the arguments, since ansible-core 2.19.
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, line, **_more: lines.append(line))

    def command(task: ModuleInput) -> ModuleResult:
        assert task.params == arguments
        return ModuleResult({})

    with pytest.raises(SystemExit):
        _run.run_module(LINK_CHANGES, command)
    (line,) = lines
    assert line == "Invoked with devices=NOT_LOGGING_PARAMETER path=links.json operation=compare"


def test_missing_device_has_no_token(controller: Controller) -> None:
    report = controller.run("device", True, device=A, name="Toko", return_tokens=True)
    assert report.result["token"] is None and report.secrets == set()


def options(controller: Controller, **given: t.Any) -> dict[str, t.Any]:
    """Return options of a plugin as Ansible passes them."""
    common = {option: controller.common[option] for option in ACCOUNT if option in controller.common}
    defaults = {option: row.get("default") for option, row in {**ACCOUNT, **FILTERS}.items()}
    return {**defaults, **common, **given}


def test_lookup_registers_returned_tokens(controller: Controller, registered: set[str]) -> None:
    controller.device(A, name="Toko")
    controller.device("081200000002", name="Toko")
    token = controller.sandbox.device(A)["token"]
    lookup = fonnte_token.LookupModule()
    lookup.set_options = lambda **_given: None
    lookup.get_option = options(controller, on_missing="error").get
    assert lookup.run([A]) == [token]
    assert registered == {token, controller.sandbox.account_token}


@pytest.mark.parametrize("returned", [True, False])
def test_inventory_registers_returned_tokens(controller: Controller, registered: set[str], returned: bool) -> None:
    controller.device(A, name="Toko")
    inventory = fonnte.InventoryModule()
    inventory.inventory = InventoryData()
    inventory.loader = DataLoader()
    inventory.templar = Templar(inventory.loader)
    inventory.get_option = options(controller, hostname="name", return_tokens=returned).get
    inventory._parse("fonnte.yml", True, ProcessCache())
    token = controller.sandbox.device(A)["token"]
    (host,) = inventory.inventory.hosts.values()
    assert host.name == "Toko" and host.vars.get("fonnte_token") == (token if returned else None)
    assert registered == {controller.sandbox.account_token, *([token] if returned else [])}


class _Module:
    """A module without parameters, which stores its result."""

    def __init__(self, _spec: t.Any) -> None:
        self.params: dict[str, t.Any] = {}
        self.given: dict[str, t.Any] = {}
        self.no_log_values: set[str] = set()
        self.no_log = self.check_mode = False
        self.results: list[dict[str, t.Any]] = []
        created.append(self)

    def exit_json(self, **result: t.Any) -> None:
        self.results.append(result)


created: list[_Module] = []


@pytest.mark.parametrize("core", ["before 2.22", "since 2.22"])
def test_module_runs_with_and_without_a_masking_function(monkeypatch: pytest.MonkeyPatch, core: str) -> None:
    registered: list[str] = []
    monkeypatch.setattr(_run, "register_secrets", registered.extend if core == "since 2.22" else None)
    monkeypatch.setattr(_run, "_module_class", lambda: _Module)
    _run.run_module({}, lambda _task: ModuleResult({"changed": False}, [], {"a-secret-token"}))
    assert created.pop().results == [{"changed": False}]
    assert registered == (["a-secret-token"] if core == "since 2.22" else [])
