# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of declaration files, derived from the table of settings, for completion and marks in editors.

``make schema`` writes docs/declaration.schema.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.phone_numbers import (
    MAX_DIGITS,
    MIN_DIGITS,
    MIN_UNQUOTED_DIGITS,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import (
    BY_OPTION,
    NAME_LENGTH,
    ValueType,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import COMMON, CONTACT
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.fleet_members import ENTRY, ENTRY_DEFAULTS

PATH = "docs/declaration.schema.json"
Json = dict[str, Any]

# Ansible fills in templates before the values are checked.
TEMPLATE: Json = {"type": "string", "pattern": r"\{\{|\{%"}
NUMBER_TEXT = rf"^[ +().\-]*(?:[0-9][ +().\-]*){{{MIN_DIGITS},{MAX_DIGITS}}}$"
# A spreadsheet writes 6281200000001.0 and 6,281E+12.
NOT_A_NUMBER = r"^[0-9]+[.][0-9]?$|[eE]"
NUMBER: Json = {
    "anyOf": [
        {"type": "string", "pattern": NUMBER_TEXT, "not": {"pattern": NOT_A_NUMBER}},
        {"type": "integer", "minimum": 10 ** (MIN_UNQUOTED_DIGITS - 1), "maximum": 10**MAX_DIGITS - 1},
    ]
}
TEXT_TYPES: dict[ValueType, Json] = {
    ValueType.NAME: {
        "type": "string",
        "minLength": NAME_LENGTH[0],
        "maxLength": NAME_LENGTH[1],
        "pattern": r"^\S(.*\S)?$",
    },
    ValueType.URL: {"type": "string", "pattern": r"^$|^[hH][tT][tT][pP][sS]?://[!-~]+$"},
    ValueType.NUMBER: {"anyOf": [{"const": ""}, NUMBER]},
    ValueType.COUNTRY: {
        "anyOf": [{"type": "string", "pattern": "^[0-9]{1,4}$"}, {"type": "integer", "minimum": 0, "maximum": 9999}]
    },
    ValueType.FLAG: {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "on", "off", "true", "false"]}]},
}
MEANINGS: dict[ValueType, str] = {
    ValueType.NAME: "The name, 2 to 30 characters; 23 with a stamp.",
    ValueType.URL: "A webhook. '' clears it.",
    ValueType.NUMBER: "A phone number in quotes. '' for none.",
    ValueType.COUNTRY: "A country code, such as '62'. '0' sends the target unchanged.",
    ValueType.FLAG: "true or false.",
}


def option_schema(option: str) -> Json:
    """Return the schema of an option of a device; null means not managed."""
    setting = BY_OPTION.get(option)
    if setting is not None:
        value = {"description": MEANINGS[setting.value_type], "anyOf": [TEXT_TYPES[setting.value_type]]}
    elif "choices" in ENTRY[option]:
        value = {"anyOf": [{"enum": list(ENTRY[option]["choices"])}]}
    else:
        value = {"anyOf": [{"type": "string", "minLength": 1}]}
    return {**value, "anyOf": [*value["anyOf"], {"type": "null"}, TEMPLATE]}


def closed(properties: Json, **more: Any) -> Json:
    """Return the schema of a dictionary that has only these keys."""
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


def declaration_schema() -> Json:
    """Return the schema of a file of declarations."""
    common = {option: option_schema(option) for option in COMMON}
    number = {"description": "The number, in quotes.", "anyOf": [NUMBER, {"type": "null"}, TEMPLATE]}
    own = {option: option_schema(option) for option in (*ENTRY_DEFAULTS, "device_token")}
    device = closed(
        {"device": number, "number": number, **own, "package": {"type": ["string", "null"]}},
        anyOf=[
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
            for name in ("device", "number", "device_token")
        ],
        **{"not": {"required": ["device", "number"]}},
    )
    contact = closed({key: {"type": ["string", "integer"]} for key in CONTACT}, minProperties=1)
    client = closed(
        {
            "name": {"type": "string", "pattern": r"\S"},
            "contacts": {"type": ["array", "null"], "items": contact},
            "account_token": {"type": "string", "minLength": 1},
            "package": {"type": ["string", "null"]},
            "defaults": {"anyOf": [{"$ref": "#/$defs/defaults"}, {"type": "null"}]},
            "devices": {"type": ["array", "null"], "items": {"$ref": "#/$defs/device"}},
        },
        required=["name"],
    )
    lists = {"fleet_clients": "client", "fleet_devices": "device"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Copyright (c) 2026, fonnte.whatsapp contributors. GNU General Public License v3.0+ (see "
        "LICENSES/GPL-3.0-or-later.txt)",
        "title": "Devices of a WhatsApp account, for the role fonnte.whatsapp.fleet",
        **closed(
            {
                **{key: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for key, name in lists.items()},
                "fleet_defaults": {"$ref": "#/$defs/defaults"},
                "fleet_packages": {"type": "object", "additionalProperties": {"$ref": "#/$defs/defaults"}},
            },
            minProperties=1,
        ),
        "$defs": {"client": client, "defaults": closed(common), "device": device},
    }


def main(path: Path) -> None:
    """Write the file."""
    text = json.dumps(declaration_schema(), indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
