# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The module fonnte_sheet: import existing devices into declarations and a sheet."""

from __future__ import annotations

import typing as t

from .._adoption.adopt import (
    add_undeclared,
    changed_files,
    check_folder,
    import_sheet,
    list_devices,
    open_folder,
    read_sheet,
    write,
)
from .._adoption.changes import describe_changes
from .._common.atomic_files import foreign_warnings
from .._common.destinations import check_destination
from .._common.errors import FonnteError
from .._device.settings import WEBHOOKS, Settings
from .._options.common import Spec
from .._reconcile.result import Result
from .task import ModuleInput, ModuleResult

# The separators for the cells of a sheet.
SEPARATORS: dict[str, str] = {"comma": ",", "semicolon": ";"}

# The module only reads and writes files and sends no requests, so it has none of the common options.
SHEET: Spec = {
    "devices": {"type": "list", "elements": "dict", "required": True},
    "dest": {"type": "path", "required": True},
    "clients": {"type": "str"},
    "separator": {"type": "str", "choices": list(SEPARATORS), "default": "comma"},
    "sheet": {"type": "path"},
    "return_settings": {"type": "bool", "default": False},
}


def run_sheet(task: ModuleInput) -> ModuleResult:
    """Write declarations and a sheet of existing devices, or read a filled sheet (module fonnte_sheet)."""
    params = task.params
    check_destination("dest", params["dest"])
    check_folder("dest", params["dest"])
    before = open_folder(params["dest"])
    found, warnings = list_devices(params["devices"])
    try:
        if params["sheet"]:
            used = import_sheet(before, found, read_sheet(params["sheet"]), params["sheet"])
        else:
            used = add_undeclared(before, found, params["clients"], SEPARATORS[params["separator"]])
    except FonnteError as fault:
        fault.warnings = warnings
        raise
    texts = changed_files(before, used.folder)
    warnings += foreign_warnings(used.folder.full(name) for name in texts)
    if texts and not task.check_mode:
        write(params["dest"], texts)
    result: Result = {
        "changed": bool(texts),
        "devices": list(used.numbers),
        "files": [used.folder.full(name) for name in sorted(texts)],
        "diff": describe_changes(before, used.folder),
    }
    if params["return_settings"]:
        result["settings"] = list(used.settings)
        warnings += settings_warnings(task)
    return ModuleResult(
        result, [*warnings, *used.warnings], _urls(used.settings) if params["return_settings"] else set()
    )


def settings_warnings(task: ModuleInput) -> list[str]:
    """Return the warning for webhooks in a result that Ansible prints."""
    if not task.prints_secrets:
        return []
    return [
        "return_settings puts the URLs of webhooks into the result, and the task has no no_log: true: "
        "they are printed and logged."
    ]


def _urls(settings: t.Iterable[Settings]) -> set[str]:
    """Return the webhooks in the settings of a result, to mask them."""
    return {str(value) for row in settings for option, value in row.items() if option in WEBHOOKS and value}
