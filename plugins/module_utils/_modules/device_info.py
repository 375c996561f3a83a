# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_device_info: list the devices of an account."""

from __future__ import annotations

from .._inventory.device_info import device_info
from .._options.common import API, Spec, build_context, common_warnings
from .._options.filters import FILTERS
from .._options.policy import max_age
from .task import ModuleInput, ModuleResult, token_warnings

DEVICE_INFO: Spec = {
    **API,
    **FILTERS,
    "profile": {"type": "bool", "default": False},
    "recorded": {"type": "bool", "default": False},
    "return_tokens": {"type": "bool", "default": False, "no_log": False},
}


def run_device_info(task: ModuleInput) -> ModuleResult:
    """List the devices of an account (module fonnte_device_info)."""
    # The option has no effect here, but every module validates it, so that errors in module_defaults are found.
    max_age(task.params["record_max_age"])
    context, redactor = build_context(task.params, task.environment, task.cache, finder=task.secrets)
    result, warnings = device_info(context, redactor, task.params)
    reported = [*common_warnings(task.params), *warnings, *token_warnings(task)]
    return ModuleResult(result, reported, {device["token"] for device in result["devices"] if device.get("token")})
