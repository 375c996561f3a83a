# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option service_facts_path of each module."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import (
    ServiceFacts,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import build_context
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

HERE = "https://api.example.com"
AT = "2026-11-22T09:30:00Z"
ALL = ServiceFacts(
    omitted="resets",
    empty_webhook="refused",
    add_number="international",
    refusal_status=400,
    update_without_device="refused",
    webhook_probe="called",
    listing="partial",
    profile_number="linked",
)


def written(folder: Path, **changes: t.Any) -> str:
    content = {"format": 1, "endpoint": HERE, "found_at": AT, "facts": {"omitted": "keeps"}, **changes}
    path = folder / "facts.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_every_module_reads_the_facts_before_any_request(controller: Controller, tmp_path: Path) -> None:
    other = written(tmp_path)
    for module in ("device", "webhook_config", "device_info"):
        params = {} if module == "device_info" else {"device": "081200000001"}
        with pytest.raises(OptionError, match="Option service_facts_path: .*api.example.com"):
            controller.run(module, True, service_facts_path=other, **params)
    assert controller.sandbox.journal() == []


def test_run_context_contains_the_facts(controller: Controller, tmp_path: Path) -> None:
    """The address is compared as in the record: a slash at its end is ignored."""
    path = written(tmp_path, endpoint=controller.sandbox.url, facts=ALL.known())
    params = {**DEFAULTS, **controller.common, "api_endpoint": controller.sandbox.url + "/"}
    assert build_context({**params, "service_facts_path": path}, {})[0].facts == ALL
    assert build_context(params, {})[0].facts == ServiceFacts()


DEFAULTS: dict[str, t.Any] = {
    "device_token": None,
    "validate_certs": True,
    "ca_path": None,
    "record_max_age": None,
    "service_facts_path": None,
}
