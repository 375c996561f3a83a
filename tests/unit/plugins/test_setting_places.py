# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of the table of settings must also be in places that no code derives: a test for each place and setting."""

from __future__ import annotations

import functools
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.doc_fragments.members import ModuleDocFragment as Members
from ansible_collections.fonnte.whatsapp.plugins.doc_fragments.webhooks import ModuleDocFragment as Webhooks
from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption.sheets import GUIDE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.messages import LANGUAGES, Messages
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import (
    SETTINGS,
    ReadSource,
    Setting,
    ValueType,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import SETTING_OPTIONS
from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_device
from ansible_collections.fonnte.whatsapp.tests.sandbox.model import DEFAULTS

ROOT = Path(__file__).parents[3]


@functools.cache
def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def option_names(data: object, key: str) -> t.Iterator[set[str]]:
    """Yield the names in each ``options`` or ``suboptions`` of documentation."""
    if isinstance(data, dict):
        if isinstance(data.get(key), dict):
            yield set(data[key])
        for value in data.values():
            yield from option_names(value, key)


def documents(text: str, setting: Setting) -> bool:
    """Return whether each list of the settings of a device has the setting; settings of many devices have no name."""
    loaded = yaml.safe_load(text)
    lists = [
        names for key in ("options", "suboptions") for names in option_names(loaded, key) if "country_code" in names
    ]
    if setting.option == "name":
        lists = [names for names in lists if "device" in names]
    return bool(lists) and all(setting.option in names for names in lists)


def is_in_audit_schema(setting: Setting) -> bool:
    def choices(data: t.Any) -> t.Iterator[list[t.Any]]:
        if isinstance(data, dict):
            if "country_code" in data.get("enum", ()):
                yield data["enum"]
            data = list(data.values())
        for value in data if isinstance(data, list) else ():
            yield from choices(value)

    found = list(choices(json.loads(read("docs/audit.schema.json"))))
    return bool(found) and all(setting.option in one for one in found)


def in_device_documentation(setting: Setting) -> bool:
    webhooks = set(yaml.safe_load(Webhooks.DOCUMENTATION)["options"])
    own = set(yaml.safe_load(fonnte_device.DOCUMENTATION)["options"])
    return setting.option in (webhooks if setting.value_type is ValueType.URL else own | webhooks)


def contains(page: str, form: str = "{option}", where: str = "write_only") -> t.Callable[[Setting], bool]:
    """Return a check that a file contains a setting in some form; one that the list shows may be absent."""

    def check(setting: Setting) -> bool:
        shown = where == "write_only" and ReadSource.LIST in setting.readable
        return shown or form.format(option=setting.option, wire=setting.wire) in read(page)

    return check


# The required places of a setting, and how a test checks them. Places that are derived from the table are not here.
PLACES: dict[str, t.Callable[[Setting], bool]] = {
    "the options: SETTING_OPTIONS of _options/common.py": lambda setting: setting.option in SETTING_OPTIONS,
    "the module: plugins/modules/fonnte_device.py, or the fragment webhooks": in_device_documentation,
    "an entry of a fleet: plugins/doc_fragments/members.py": lambda setting: documents(Members.DOCUMENTATION, setting),
    "the role audit: roles/audit/meta/argument_specs.yml": lambda setting: documents(
        read("roles/audit/meta/argument_specs.yml"), setting
    ),
    "the JSON schema: docs/audit.schema.json": is_in_audit_schema,
    "the JSON schema of declarations: run make schema": contains(
        "docs/declaration.schema.json", '"{option}": {{', "all"
    ),
    "the results: device in RETURN of plugins/modules/fonnte_device.py": lambda setting: (
        setting.option in yaml.safe_load(fonnte_device.RETURN)["device"]["contains"]
    ),
    "the import: playbooks/adopt.yml": contains("playbooks/adopt.yml", '{option}: "{{{{ adopt_device.{option} '),
    "the head of the sheet: GUIDE of _adoption/sheets.py": lambda setting: (
        ReadSource.LIST in setting.readable or re.search(rf"\b{setting.option}\b[^:]*:", "\n".join(GUIDE)) is not None
    ),
    "the sheet: docs/import.md": contains("docs/import.md", "`{option}`"),
    "the sheet: docs/import.id.md": contains("docs/import.id.md", "`{option}`"),
    "the write-only settings: docs/evidence.md": lambda setting: (
        setting.value_type is ValueType.URL or contains("docs/evidence.md", "`{option}`")(setting)
    ),
    "the service of tests/simulation: DEFAULTS of service.py": lambda setting: (
        setting.option == "name" or contains("tests/simulation/service.py", '"{wire}"', "all")(setting)
    ),
    "the cases: HIDDEN and EVERYTHING of tests/conformance/cases.py": contains(
        "tests/conformance/cases.py", '"{option}"'
    ),
    "the keys of results: DEVICE_KEYS of tests/conformance/test_results.py": contains(
        "tests/conformance/test_results.py", '"{option}"', "all"
    ),
    "the sandbox: DEFAULTS of tests/sandbox/model.py": lambda setting: (
        setting.option in ("name", "country_code") or setting.wire in DEFAULTS
    ),
    **{
        f"its name in {language}: _TABLE of _audit/messages.py": lambda setting, language=language: bool(
            Messages(language)("set_" + setting.option)
        )
        for language in LANGUAGES
    },
}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.option)
@pytest.mark.parametrize("place", PLACES)
def test_setting_is_in_each_place(place: str, setting: Setting) -> None:
    try:
        found = PLACES[place](setting)
    except KeyError:
        found = False
    assert found, f"add the setting {setting.option} to {place}"
