# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Import existing devices: decide which declarations and sheets are written.

Both runs, the one that writes sheets and the one that reads a filled sheet, result in a new ``Folder``. The files that
change follow from it. Nothing is written before all changes are known, and check mode ends there. No request is sent in
this file.
"""

from __future__ import annotations

import os
import re
import typing as t
import unicodedata
from dataclasses import dataclass, field, replace

from .._common.atomic_files import write_all
from .._common.destinations import check_links, make_directory
from .._common.errors import OptionError
from .._common.input_files import read_whole
from .._common.phone_numbers import NumberIndex, parse_number
from .._common.redaction import printable
from .._common.yaml_edit import YamlEditError, is_unresolved, pairs, to_data
from .._device.settings import NAME_LENGTH, Settings, Value, validate
from .._device.stamp import LENGTH as STAMP_LENGTH
from .declaration_files import DeclarationFile, Declared, Places, equals, new_file, with_devices, with_settings
from .declaration_files import read as read_declarations
from .sheet_errors import sheet_error
from .sheet_rows import ValidatedRow, check
from .sheets import (
    CellError,
    Listed,
    Sheet,
    csv_with,
    decode,
    is_sheet,
    read_csv,
    read_yaml,
    yaml_with,
)

DEVICES = "devices.yml"
CLIENTS = "clients"
OTHERS = "others"
HIDDEN_YAML = "hidden.yml"
HIDDEN_CSV = "hidden.csv"


@dataclass(frozen=True)
class ListedDevice:
    """A device that the account lists, with the settings that can be declared."""

    number: str
    name: str = ""
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    """The files of a directory, by their relative paths.

    Attributes:
        path: The directory.
        declarations: The files of declarations.
        sheets: The contents of the two sheets; empty for a sheet that does not exist.
    """

    path: str
    declarations: t.Mapping[str, DeclarationFile]
    sheets: t.Mapping[str, str]

    def full(self, name: str) -> str:
        """Return the path of a file for the user."""
        return os.path.join(self.path, name)


@dataclass(frozen=True)
class AdoptionResult:
    """The result of an import.

    Attributes:
        folder: The new content of the directory.
        numbers: The devices that are added, or that have a filled row.
        settings: The settings of the filled rows.
        warnings: The warnings to report.
    """

    folder: Folder
    numbers: tuple[str, ...]
    settings: tuple[Settings, ...] = ()
    warnings: tuple[str, ...] = ()


# --- devices of the account ---------------------------------------------------------------------------------------


def list_devices(devices: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[list[ListedDevice], list[str]]:
    """Return the devices that can be declared, and warnings about the others.

    Args:
        devices: The devices as the module fonnte_device_info returns them.
    """
    listed = {str(device.get("device")): device for device in devices}
    index = NumberIndex(listed)
    found, warnings = [], []
    for number, device in sorted(listed.items()):
        problem = _problem_with(number, index)
        if problem:
            warnings.append(f"Device {number} is left out: {problem}.")
            continue
        one, warning = _to_listed_device(number, device)
        found.append(one)
        warnings += warning
    return found, [*warnings, *_unstamped_warning(found)]


def _unstamped_warning(found: t.Sequence[ListedDevice]) -> t.Iterator[str]:
    """Yield a warning for devices whose names leave no room for a stamp."""
    unstamped = [device.number for device in found if "handle_write_only" in device.settings]
    if unstamped:
        yield (
            f"{len(unstamped)} devices get no stamp, since their names have more than {NAME_LENGTH[1] - STAMP_LENGTH} "
            f"characters: {', '.join(unstamped)}. For these, other machines need a backup of the record, made with the "
            "playbook record, or a shared record, or you shorten the names."
        )


def _problem_with(number: str, listed: NumberIndex) -> str:
    try:
        digits = parse_number(number, "device")
    except OptionError as fault:
        return f"{fault.problem}, and {fault.advice}"
    twins = [other for other in listed.spellings(digits) if other != number]
    return f"it is the same phone as {twins[0]}; check in the dashboard which of the two is in use" if twins else ""


def _to_listed_device(number: str, device: t.Mapping[str, t.Any]) -> tuple[ListedDevice, list[str]]:
    settings: dict[str, Value] = {}
    warnings = []
    for option in ("name", "autoread"):
        value = device.get(option)
        try:
            if value is not None:
                settings[option] = validate(option, value)
        except OptionError as fault:
            warnings.append(f"The {option} of device {number} is not declared: {fault.problem}; {fault.advice}.")
    if len(str(settings.get("name", ""))) > NAME_LENGTH[1] - STAMP_LENGTH:
        # provision uses stamps, and a stamp has no room next to this name.
        settings["handle_write_only"] = "recorded"
    return ListedDevice(number, str(device.get("name") or ""), settings), warnings


# --- the first run: declarations and empty sheets -----------------------------------------------------------------


def add_undeclared(
    folder: Folder, found: t.Sequence[ListedDevice], clients: str | None, separator: str
) -> AdoptionResult:
    """Return the directory with every device declared and in both sheets. Existing entries stay unchanged.

    Args:
        folder: The present content of the directory.
        found: The devices of the account.
        clients: A regular expression for names, whose first group is the client. Each client has its own file.
        separator: The separator of the cells in a new CSV file.

    Raises:
        OptionError: The expression is invalid, or two clients would share a file.
    """
    declared = Places(folder.declarations.values())
    new = [device for device in found if not declared.find(device.number)]
    declarations = dict(folder.declarations)
    for (name, client), devices in _by_file(new, found, clients).items():
        file = declarations.get(name) or new_file(folder.full(name), client)
        declarations[name] = with_devices(file, [{"device": one.number, **one.settings} for one in devices])
    rows = [Listed(device.number, device.name) for device in found]
    sheets = {
        HIDDEN_YAML: yaml_with(folder.sheets[HIDDEN_YAML], folder.full(HIDDEN_YAML), rows),
        HIDDEN_CSV: csv_with(folder.sheets[HIDDEN_CSV], folder.full(HIDDEN_CSV), rows, separator),
    }
    return AdoptionResult(
        replace(folder, declarations=declarations, sheets=sheets),
        tuple(device.number for device in new),
        warnings=tuple(_moved_warning(folder, declared, found, clients)),
    )


def _moved_warning(
    folder: Folder, declared: Places, found: t.Sequence[ListedDevice], clients: str | None
) -> t.Iterator[str]:
    """Yield the reason why an expression for clients has no effect on devices that are declared already."""
    files = [file.path for device in found for file, _place in declared.find(device.number) if clients]
    stay = files.count(folder.full(DEVICES))
    if stay:
        yield (
            f"{stay} devices stay in {folder.full(DEVICES)}, because adopt_clients (clients) applies to new "
            "devices only. To give each client a file, move this file away and run again; then fill in the sheet again."
        )


def _by_file(
    new: t.Sequence[ListedDevice], found: t.Sequence[ListedDevice], clients: str | None
) -> dict[tuple[str, str], list[ListedDevice]]:
    """Return the new devices by their file and client. All devices are checked for clients with the same file name."""
    if clients is None:
        return {(DEVICES, ""): list(new)} if new else {}
    names = _file_names([client for client in (_client(clients, device.name) for device in found) if client])
    files: dict[tuple[str, str], list[ListedDevice]] = {}
    for device in new:
        client = _client(clients, device.name)
        name = names[client] if client else OTHERS
        files.setdefault((f"{CLIENTS}/{name}.yml", client), []).append(device)
    return files


def _client(clients: str, name: str) -> str:
    """Return the client in the name of a device; empty if there is none."""
    problem = ""
    try:
        pattern = re.compile(clients)
    except re.error as fault:
        problem = f"it is not a regular expression ({fault})"
    else:
        problem = "" if pattern.groups else "it has no group"
    if problem:
        raise OptionError("clients", problem, "write an expression such as ^(.+?) - whose first group is the client")
    match = pattern.search(name)
    return (match.group(1) or "").strip() if match else ""


def _file_names(clients: t.Iterable[str]) -> dict[str, str]:
    """Return a file name for each client: lowercase letters and digits of any script, otherwise dashes."""
    names: dict[str, str] = {}
    owners = {OTHERS: "those that match no client"}
    for client in sorted(set(clients)):
        name = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", client).lower()).strip("-")
        if not name:
            raise OptionError(
                "clients", f'no file can be named after the client "{printable(client)}"', "rename its devices"
            )
        if name in owners:
            raise OptionError(
                "clients",
                f'the client "{printable(client)}" and {_quoted(owners[name])} would share the file {name}.yml',
                "rename devices in the dashboard, or use another expression",
            )
        names[client] = name
        owners[name] = client
    return names


def _quoted(owner: str) -> str:
    return owner if owner.startswith("those that") else f'"{printable(owner)}"'


# --- the second run: a filled sheet -------------------------------------------------------------------------------


def import_sheet(folder: Folder, found: t.Sequence[ListedDevice], sheet: Sheet, path: str) -> AdoptionResult:
    """Return the directory with the settings of a filled sheet in its declarations.

    Raises:
        SheetError: The sheet has invalid cells. They are all in ``partial_result``, under ``wrong``.
    """
    filled, wrong = check(sheet, [device.number for device in found])
    filled = [row for row in filled if row.settings]
    settings: dict[str, dict[str, Settings]] = {}
    warnings: list[str] = []
    index = Places(folder.declarations.values())
    for row in filled:
        places = index.find(row.number)
        if len(places) != 1:
            wrong.append(_misplaced(row, places))
            continue
        file, declared = places[0]
        settings.setdefault(file.path, {})[declared.number] = row.settings
        warnings += _differences(file, declared, row)
    if wrong:
        raise sheet_error(wrong, path)
    declarations = {
        name: with_settings(file, settings.get(file.path, {})) for name, file in folder.declarations.items()
    }
    return AdoptionResult(
        replace(folder, declarations=declarations),
        tuple(row.number for row in filled),
        tuple({"device": row.number, **row.settings} for row in filled),
        tuple(warnings),
    )


def _misplaced(row: ValidatedRow, places: t.Sequence[tuple[DeclarationFile, Declared]]) -> CellError:
    if places:
        files = " and ".join(file.path for file, _declared in places)
        return CellError(row.row.place, row.number, "device", f"it is declared in {files}", "remove one of the two")
    return CellError(row.row.place, row.number, "device", "no file declares it", "run again without the sheet")


def _differences(file: DeclarationFile, declared: Declared, row: ValidatedRow) -> t.Iterator[str]:
    """Yield a warning for each setting whose declared value differs from that in the sheet."""
    there = pairs(declared.node)
    for option, value in row.settings.items():
        if option not in there or equals(there[option], option, value):
            continue
        where = f"{option} of device {row.number} in {file.path}"
        if is_unresolved(there[option]):
            yield f"The {where} is encrypted or a template, and was not changed. Check that it matches the sheet."
        elif to_data(there[option]):
            yield f"The {where} was different, and now matches the sheet."


# --- files --------------------------------------------------------------------------------------------------------


def check_folder(option: str, path: str) -> None:
    """Refuse a directory if it, or its directory of clients, is a symbolic link of another user.

    Raises:
        OptionError: There is such a link.
    """
    for directory in (path, os.path.join(path, CLIENTS)):
        check_links(option, directory)


def open_folder(path: str) -> Folder:
    """Return the content of a directory; a directory that does not exist is empty.

    Raises:
        YamlEditError: A file cannot be read.
    """
    names = [DEVICES, *sorted(f"{CLIENTS}/{name}" for name in _list_declaration_files(os.path.join(path, CLIENTS)))]
    texts = {name: read_text(os.path.join(path, name)) for name in [*names, HIDDEN_YAML, HIDDEN_CSV]}
    declarations = {
        name: read_declarations(os.path.join(path, name), texts[name] or "")
        for name in names
        if texts[name] is not None
    }
    return Folder(path, declarations, {name: texts[name] or "" for name in (HIDDEN_YAML, HIDDEN_CSV)})


def _list_declaration_files(path: str) -> list[str]:
    try:
        return [name for name in os.listdir(path) if name.endswith((".yml", ".yaml")) and not name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as fault:
        problem = fault.strerror or "it cannot be listed"
    raise YamlEditError(f"{path} cannot be read: {problem}", "check who owns it")


def read_text(path: str) -> str | None:
    """Return the text of a file with its line ends unchanged; None if the file does not exist."""
    try:
        raw = read_whole(path)
    except FileNotFoundError:
        return None
    except OSError as fault:
        problem = fault.strerror or "a disk error"
    else:
        return decode(raw, path)
    raise YamlEditError(f"{path} cannot be read: {problem}", "check who owns it")


def read_sheet(path: str) -> Sheet:
    """Return a sheet that a person has filled in: YAML according to its name, otherwise CSV."""
    text = read_text(path)
    if text is None:
        raise YamlEditError(f"there is no sheet {path}", "run once without a sheet, which creates one")
    return read_csv(text, path) if is_sheet(path) else read_yaml(text, path)


def changed_files(before: Folder, after: Folder) -> dict[str, str]:
    """Return the new contents of the files that change, by their relative paths."""
    old = {**{name: file.text for name, file in before.declarations.items()}, **before.sheets}
    new = {**{name: file.text for name, file in after.declarations.items()}, **after.sheets}
    return {name: text for name, text in new.items() if text != old.get(name)}


def write(path: str, texts: t.Mapping[str, str]) -> None:
    """Write files that only their owner can read into a directory, none before all of them are on the disk.

    A directory that exists keeps its permissions. A link in the place of a file is replaced.

    Raises:
        YamlEditError: The directory or a file cannot be written.
    """
    problem = ""
    try:
        files = {os.path.join(path, name): text.encode("utf-8") for name, text in texts.items()}
        for directory in dict.fromkeys([path, *map(os.path.dirname, files)]):
            make_directory(directory, 0o700)
        write_all(files, 0o600)
    except OSError as fault:
        problem = fault.strerror or "a disk error"
    if problem:
        raise YamlEditError(f"{path} cannot be written: {problem}", "name another directory, or check who owns it")
