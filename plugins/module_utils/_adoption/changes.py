# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The changes of declaration files in a form that may be shown: URLs without their secret part."""

from __future__ import annotations

import typing as t

from .._common.redaction import origin
from .._common.yaml_edit import pairs, to_data
from .._device.settings import BY_OPTION, ValueType
from .adopt import Folder
from .declaration_files import DeclarationFile


def describe_changes(before: Folder, after: Folder) -> list[dict[str, t.Any]]:
    """Return a diff of the declarations that change, by device. Of a URL, it contains only the host."""
    changes = []
    for name, file in after.declarations.items():
        old = _settings_by_number(before.declarations.get(name))
        new = _settings_by_number(file)
        different = [number for number in new if old.get(number) != new[number]]
        if different:
            changes.append(
                {
                    "before_header": file.path,
                    "after_header": file.path,
                    "before": {number: _masked(old[number]) for number in different if number in old},
                    "after": {number: _masked(new[number]) for number in different},
                }
            )
    return changes


def _settings_by_number(file: DeclarationFile | None) -> dict[str, dict[str, str]]:
    if file is None:
        return {}
    return {
        device.number: {
            option: to_data(node) or "" for option, node in pairs(device.node).items() if option in BY_OPTION
        }
        for device in file.devices
    }


def _masked(settings: t.Mapping[str, str]) -> dict[str, str]:
    return {
        option: f"{origin(text)}/…" if text and BY_OPTION[option].value_type is ValueType.URL else text
        for option, text in settings.items()
    }
