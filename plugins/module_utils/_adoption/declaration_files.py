# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Files that declare devices: variables of the role fleet. People edit these files, so their layout is preserved."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._common import yaml_edit as yaml_text
from .._common.errors import OptionError
from .._common.phone_numbers import NumberIndex, parse_number
from .._common.yaml_edit import YamlEditError
from .._device.settings import BY_OPTION, Settings, ValueType
from .._fleet.declaration import CLIENTS, DEFAULTS, PACKAGES
from .._fleet.declaration import DEVICES as LIST

if t.TYPE_CHECKING:
    import yaml

# A file that has only these declares no device: they apply to the other files.
SHARED = {DEFAULTS, PACKAGES}

_HEAD = """\
---
# Devices of a Fonnte account. The playbook fonnte.whatsapp.provision and the role fonnte.whatsapp.fleet read this file.
#
# A setting that is omitted is not managed: it keeps its value, as far as that can be known.
# The URL of a webhook is a secret. Once there are any in this file, encrypt it: ansible-vault encrypt FILE

"""
_NO_DEVICES = f"{LIST}: []\n"


@dataclass(frozen=True)
class Declared:
    """A device in a file: its number as it is written there, and the position of its settings."""

    number: str
    node: yaml.MappingNode


@dataclass(frozen=True)
class DeclarationFile:
    """A file of declarations, as it is on the disk or as it will be.

    Attributes:
        path: Its path.
        text: Its content.
        devices: Its devices.
    """

    path: str
    text: str
    devices: tuple[Declared, ...] = ()

    def numbers(self) -> list[str]:
        """Return the numbers of its devices, as they are written."""
        return [device.number for device in self.devices]


def read(path: str, text: str) -> DeclarationFile:
    """Parse a file of declarations.

    Raises:
        YamlEditError: It is not a file of declarations.
    """
    text = yaml_text.ending_with_newline(text)
    contents = yaml_text.pairs(yaml_text.compose(text, path))
    clients = contents.get(CLIENTS)
    lists = [yaml_text.pairs(client).get("devices") for client in yaml_text.mappings(clients)] if clients else []
    is_shared = bool(contents) and set(contents) <= SHARED
    if LIST in contents or (clients is None and not is_shared):
        # Last, because new devices are added to this list.
        lists.append(_list_of(path, text))
    devices = []
    for node in (node for listed in lists if listed is not None for node in yaml_text.mappings(listed)):
        number = yaml_text.to_data(yaml_text.pairs(node).get("device"))
        # An entry without a device is ignored here: the role reports it.
        if number is not None:
            devices.append(Declared(number, node))
    return DeclarationFile(path, text, tuple(devices))


def new_file(path: str, client: str = "") -> DeclarationFile:
    """Return a file that declares no device yet, of a client or of none."""
    owned = f"{CLIENTS}:\n  - name: {yaml_text.render(client)}\n    devices: []\n"
    return read(path, _HEAD + (owned if client else _NO_DEVICES))


def _list_of(path: str, text: str) -> yaml.Node:
    """Return the list that new devices are added to: ``fleet_devices``, or the devices of the only client."""
    contents = yaml_text.pairs(yaml_text.compose(text, path))
    clients = yaml_text.mappings(contents.get(CLIENTS))
    listed = contents.get(LIST)
    if listed is None and len(clients) == 1:
        listed = yaml_text.pairs(clients[0]).get("devices")
    if listed is None or not (yaml_text.is_empty(listed) or yaml_text.is_list(listed)):
        raise YamlEditError(f"{path} has no list {LIST}", f"add the line {LIST}: [] to it, or move it elsewhere")
    return listed


def with_devices(file: DeclarationFile, new: t.Sequence[Settings]) -> DeclarationFile:
    """Return the file with added devices. Each of them is its number under ``device``, and its settings."""
    if not new:
        return file
    edits = yaml_text.append(file.text, _list_of(file.path, file.text), new)
    changed = _read_again(file, edits)
    wanted = _contents(file) + [{key: _text(value) for key, value in entry.items()} for entry in new]
    return _verify_roundtrip(file, changed, wanted)


def with_settings(file: DeclarationFile, settings: t.Mapping[str, Settings]) -> DeclarationFile:
    """Return the file with new settings for devices, by their numbers as the file has them."""
    edits: list[yaml_text.Edit] = []
    wanted = _contents(file)
    for device, contents in zip(file.devices, wanted):
        there = yaml_text.pairs(device.node)
        new = {
            option: value
            for option, value in settings.get(device.number, {}).items()
            if option not in there
            or not (yaml_text.is_unresolved(there[option]) or equals(there[option], option, value))
        }
        edits += yaml_text.set_keys(file.text, device.node, new)
        contents.update((option, _text(value)) for option, value in new.items())
    return _verify_roundtrip(file, _read_again(file, edits), wanted) if edits else file


def equals(node: yaml.Node, option: str, value: str | bool) -> bool:
    """Return whether a file has this value; the spelling of a number does not matter."""
    text = yaml_text.to_data(node)
    if BY_OPTION[option].value_type is ValueType.NUMBER and text is not None and isinstance(value, str):
        return _same_digits(text, value)
    return yaml_text.equals(node, value)


def _same_digits(one: str, other: str) -> bool:
    try:
        return parse_number(one, "target") == parse_number(other, "target")
    except OptionError:
        return False


def _read_again(file: DeclarationFile, edits: t.Iterable[yaml_text.Edit]) -> DeclarationFile | None:
    try:
        return read(file.path, yaml_text.apply(file.text, edits))
    except YamlEditError:
        return None


def _verify_roundtrip(
    file: DeclarationFile, changed: DeclarationFile | None, wanted: list[dict[str, str | None]]
) -> DeclarationFile:
    if changed is None or _contents(changed) != wanted or _has_duplicates(changed):
        raise YamlEditError(
            f"{file.path} is written in a way that cannot be changed safely",
            f"write {LIST} as a list with a dash for each device, without anchors",
        )
    return changed


def _has_duplicates(file: DeclarationFile) -> bool:
    """Return whether a device has a setting twice, such as because of an alias."""
    keys = [yaml_text.keys(device.node) for device in file.devices]
    return any(len(set(one)) < len(one) for one in keys)


def _contents(file: DeclarationFile) -> list[dict[str, str | None]]:
    return [
        {key: yaml_text.to_data(value) for key, value in yaml_text.pairs(device.node).items()}
        for device in file.devices
    ]


def _text(value: str | bool) -> str | None:
    return yaml_text.render(value) if isinstance(value, bool) else value


class Places:
    """An index of the places where files declare devices."""

    def __init__(self, files: t.Iterable[DeclarationFile]) -> None:
        self._places = [(file, device) for file in files for device in file.devices]
        self._by_spelling: dict[str, list[int]] = {}
        for index, (_file, device) in enumerate(self._places):
            self._by_spelling.setdefault(device.number, []).append(index)
        self._numbers = NumberIndex(self._by_spelling)

    def find(self, number: str) -> list[tuple[DeclarationFile, Declared]]:
        """Return each place of a device. The same spelling of the number takes precedence over other spellings."""
        spellings = [number] if number in self._by_spelling else self._numbers.find(parse_number(number, "device"))
        # In the order of the files, independent of the spelling.
        found = sorted(index for spelling in spellings for index in self._by_spelling[spelling])
        return [self._places[index] for index in found]
