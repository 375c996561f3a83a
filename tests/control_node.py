# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the modules without Ansible, for tests that run them thousands of times."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import read_steady_clock
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import audit as _module_audit
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import device as _module_device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import device_info as _module_info
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import device_qr as _module_qr
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import doctor as _module_doctor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import fleet as _module_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import group_info as _module_group_info
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import message as _module_message
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import number_info as _module_number_info
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import record as _module_record
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import record_info as _module_record_info
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import (
    ModuleInput,
    ModuleResult,
    run_command,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import Spec, resolve_aliases

from .sandbox.driver import Sandbox

MODULES: dict[str, tuple[Spec, t.Callable[[ModuleInput], ModuleResult]]] = {
    "device": (_module_device.DEVICE, _module_device.run_device),
    "webhook_config": (_module_device.WEBHOOK_CONFIG, _module_device.run_webhook_config),
    "device_info": (_module_info.DEVICE_INFO, _module_info.run_device_info),
    "audit": (_module_audit.AUDIT, _module_audit.run_audit),
    "fleet": (_module_fleet.FLEET, _module_fleet.run_fleet),
    "group_info": (_module_group_info.GROUP_INFO, _module_group_info.run_group_info),
    "number_info": (_module_number_info.NUMBER_INFO, _module_number_info.run_number_info),
    "message": (_module_message.MESSAGE, _module_message.run_message),
    "record": (_module_record.RECORD, _module_record.run_record),
    "record_info": (_module_record_info.RECORD_INFO, _module_record_info.run_record_info),
    "doctor": (_module_doctor.DOCTOR, _module_doctor.run_doctor),
    "device_qr": (_module_qr.DEVICE_QR, _module_qr.run_device_qr),
}


def _complete(spec: Spec, given: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return options as Ansible passes them: with defaults, and None for omitted options, also in entries."""
    complete = {option: given.get(option, description.get("default")) for option, description in spec.items()}
    for option, description in spec.items():
        entry, value = description.get("options"), complete[option]
        if entry and isinstance(value, list):
            complete[option] = [_complete(entry, item) for item in value]
        elif entry and isinstance(value, dict):
            complete[option] = _complete(entry, value)
    return complete


class Controller:
    """A control node with its own record or a database, and settings for fast tests."""

    def __init__(self, sandbox: Sandbox, folder: Path, record_url: str = "") -> None:
        self.sandbox = sandbox
        self.records = folder / "records"
        self.environment: dict[str, str] = {}
        # The messages that tasks have shown before they ended.
        self.shown: list[str] = []
        # The images of QR codes that tasks have drawn.
        self.drawn: list[bytes] = []
        # The time of waits: a pause takes no real time, and on_pause changes the service meanwhile.
        self.waited = 0.0
        # Held while a fleet is planned.
        self.planning = threading.Lock()
        self.interrupted = threading.Event()
        self.found_work: list[bool] = []
        self.on_pause: t.Callable[[float], object] = lambda waited: None
        self.common: dict[str, t.Any] = {
            "account_token": sandbox.account_token,
            "api_endpoint": sandbox.url,
            **({"record_url": record_url} if record_url else {"record_path": str(self.records)}),
            "api_timeout": 2.0,
            "api_retries": 2,
            "api_retry_max_delay": 0.2,
        }

    def complete(self, module: str, **params: t.Any) -> dict[str, t.Any]:
        """Return all options of a module as Ansible would pass them."""
        spec, _command = MODULES[module]
        given = resolve_aliases(spec, {**self.common, **params})
        unknown = set(given) - set(spec)
        assert not unknown, f"no option of {module}: {unknown}"
        return _complete(spec, given)

    def run(self, module: str, check: bool = False, **params: t.Any) -> ModuleResult:
        """Run a module; raise FonnteError if it fails."""
        complete = self.complete(module, **params)
        given = resolve_aliases(MODULES[module][0], {**self.common, **params})
        task = ModuleInput(
            complete,
            self.environment,
            check_mode=check,
            raw_params=given,
            notify=self.shown.append,
            draw=self.drawn.append,
            clock=lambda: read_steady_clock() + self.waited,
            pause=self._pause,
            planning=self.planning,
            interrupted=self.interrupted.is_set,
            found_work=self.found_work.append,
        )
        return run_command(MODULES[module][1], task)

    def _pause(self, seconds: float) -> None:
        assert seconds >= 0, seconds
        self.waited += seconds
        self.on_pause(self.waited)

    def device(self, device: t.Any, check: bool = False, **params: t.Any) -> ModuleResult:
        """Run fonnte_device."""
        return self.run("device", check, device=device, **params)

    def record_files(self) -> dict[str, bytes]:
        """Return the contents of the record's files."""
        return {path.name: path.read_bytes() for path in self.records.iterdir()} if self.records.exists() else {}
