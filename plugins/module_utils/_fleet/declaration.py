# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Parse the declaration of a fleet: clients, their devices, and shared defaults. Pure: needs no token and no network.

The data comes from one file, from a file per client, or from host variables. Each of these is a source with a name, and
every problem contains the name of its source. No problem repeats a value that may be a secret.
"""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass, field, replace

from .._common.errors import OptionError
from .._common.phone_numbers import has_country, international, parse_number
from .._device.settings import WRITE_ONLY, significant
from .._options.fleet_members import ENTRY, ENTRY_DEFAULTS
from .._options.policy import check_name_length
from .entry_values import check_own_token, check_value, slug

DEVICES, CLIENTS = "fleet_devices", "fleet_clients"
DEFAULTS, PACKAGES = "fleet_defaults", "fleet_packages"
NAMES = (CLIENTS, DEVICES, DEFAULTS, PACKAGES)
# The name of the run's account, and of the file with the tokens of devices without a client.
NO_CLIENT = "account"

CONTACT = ("name", "whatsapp", "email")
CLIENT = ("name", "contacts", "account_token", "package", "defaults", "devices")
# The options that defaults and packages can set for many devices.
COMMON = tuple(option for option in ENTRY_DEFAULTS if option != "name")

Values = t.Mapping[str, t.Any]


class Unresolved:
    """A value that is unknown here: a template, or a string that ansible-vault has encrypted.

    Two values with the same text are equal, so a comparison of declarations detects a change.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unresolved) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        # Messages must not contain the text: it is a template, and Ansible prints the messages.
        return "a value that is not readable here"


@dataclass(frozen=True)
class Client:
    """A client of an agency: the owner of devices.

    Attributes:
        place: The source that declares it.
        name: Its name; empty for devices without a client.
        contacts: The people to contact when a phone must be linked: dictionaries with the keys in ``CONTACT``.
        token: The token of the client's account; empty if its devices are in the account of the run.
    """

    place: str
    name: str = ""
    contacts: tuple[Values, ...] = ()
    token: str | Unresolved = ""


@dataclass(frozen=True)
class FleetDevice:
    """A device with all settings that it inherits.

    Attributes:
        client: Its owner.
        number: Its digits as declared; empty if the number is unknown here.
        entry: Its entry for the option ``devices`` of fonnte_fleet.
        place: Its source, and the position of the entry in it.
    """

    client: Client
    number: str
    entry: Values
    place: str = ""


@dataclass(frozen=True)
class FleetData:
    """The parsed declaration: the valid devices and clients of all sources, and a sentence for each problem."""

    devices: tuple[FleetDevice, ...] = ()
    clients: tuple[Client, ...] = ()
    problems: tuple[str, ...] = ()

    def in_account(self, token: str) -> FleetData:
        """Return a copy in which clients that declare this token, that of the run, belong to the account of the run."""
        if not token:
            return self
        devices = tuple(
            replace(one, client=replace(one.client, token="")) if one.client.token == token else one
            for one in self.devices
        )
        return replace(self, devices=devices)


def read_fleet(sources: Values, stamped: bool = False) -> FleetData:
    """Parse all sources of a declaration, and return their devices, clients and problems together.

    Args:
        sources: The data of each source by its name. A list is a list of clients.
        stamped: Whether the names must leave room for a signature suffix (stamp).
    """
    reader = DeclarationParser(stamped)
    sources = {where: {CLIENTS: said} if _is_list(said) else said for where, said in sources.items()}
    good = {where: said for where, said in sources.items() if reader.check_source(where, said)}
    common = reader.parse_common({where: said for where, said in good.items() if not _declares(said)})
    for where, said in good.items():
        reader.parse_packages(where, said.get(PACKAGES))
    for where, said in good.items():
        if _declares(said):
            reader.parse_source(where, said, common)
    reader.report_duplicates()
    return FleetData(tuple(reader.devices), tuple(reader.clients), tuple(reader.problems))


def _declares(said: Values) -> bool:
    return said.get(DEVICES) is not None or said.get(CLIENTS) is not None


@dataclass
class DeclarationParser:
    """Collects the devices, clients and problems of a declaration."""

    stamped: bool
    devices: list[FleetDevice] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    packages: dict[str, Values] = field(default_factory=dict)
    package_places: dict[str, str] = field(default_factory=dict)

    def add_problem(self, where: str, text: str) -> None:
        """Add a problem: a sentence without its full stop."""
        self.problems.append(f"{where}: {text.rstrip('.')}.")

    # Sources

    def check_source(self, where: str, said: object) -> bool:
        """Return whether a source has the correct form."""
        said = said if isinstance(said, t.Mapping) else {}
        if not any(said.get(name) is not None for name in NAMES):
            self.problems.append(
                f"{where} has no list {CLIENTS} or {DEVICES}; name only files that declare devices, or the "
                "settings that they share."
            )
            return False
        others = sorted(str(key) for key in said if key not in NAMES)
        if others:
            self.problems.append(f"{where} has {', '.join(others)}; it may have {', '.join(NAMES)} only.")
        shapes = {
            name: _is_list(said[name]) if name in (CLIENTS, DEVICES) else isinstance(said[name], t.Mapping)
            for name in NAMES
            if said.get(name) is not None
        }
        for name in (name for name, fits in shapes.items() if not fits):
            kind = "a list" if name in (CLIENTS, DEVICES) else "a dictionary"
            self.problems.append(f"In {where} {name} is not {kind}.")
        return not others and all(shapes.values())

    def parse_common(self, sources: Values) -> Values:
        """Return the defaults for all sources: those of the source that declares no device."""
        found = [where for where, said in sources.items() if said.get(DEFAULTS) is not None]
        if len(found) > 1:
            self.problems.append(
                f"{' and '.join(found)} declare no device, and each has {DEFAULTS} for all files; keep one of them."
            )
        return self.parse_settings(found[0], DEFAULTS, sources[found[0]][DEFAULTS]) if found else {}

    def parse_packages(self, where: str, packages: Values | None) -> None:
        """Add the packages of a source."""
        for name, settings in (packages or {}).items():
            if name in self.packages:
                self.problems.append(
                    f"The package {name} is in {self.package_places[name]} and in {where}; remove one."
                )
                continue
            self.package_places[name] = where
            self.packages[name] = self.parse_settings(where, f"{PACKAGES}.{name}", settings)

    def parse_source(self, where: str, said: Values, common: Values) -> None:
        """Add the clients and devices of a source."""
        start = {**common, **self.parse_settings(where, DEFAULTS, said.get(DEFAULTS))}
        for place, entry in enumerate(said.get(CLIENTS) or ()):
            self.parse_client(where, f"{CLIENTS}[{place}]", entry, start)
        nobody = Client(where)
        for place, entry in enumerate(said.get(DEVICES) or ()):
            self.parse_device(f"{where}: {DEVICES}[{place}]", nobody, entry, start, None)

    # Clients

    def parse_client(self, where: str, place: str, entry: object, start: Values) -> None:
        """Add a client and its devices."""
        if not isinstance(entry, t.Mapping):
            self.add_problem(where, f"{place} is not a dictionary with a name and devices")
            return
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip():
            self.add_problem(where, f"{place} has no name; give the client a name, in quotes if it is a number")
            return
        label = f"{where}: {name}"
        self.report_unknown(label, entry, CLIENT)
        token, before = self.parse_token(label, entry), len(self.devices)
        client = Client(where, name, self.parse_contacts(label, entry.get("contacts")), token or "")
        self.clients.append(client)
        own = self.parse_settings(label, "defaults", entry.get("defaults"))
        devices = entry.get("devices")
        if devices is not None and not _is_list(devices):
            self.add_problem(label, "devices is not a list")
            return
        for index, device in enumerate(devices or ()):
            self.parse_device(f"{label}: devices[{index}]", client, device, start, own, entry.get("package"))
        if token is None:
            # Without their account, these devices would be in the account of the run. They were parsed only to find
            # their problems.
            del self.devices[before:]

    def parse_contacts(self, label: str, contacts: object) -> tuple[Values, ...]:
        """Return the valid contacts of a client."""
        if contacts is not None and not _is_list(contacts):
            self.add_problem(label, f"contacts is not a list of dictionaries with {', '.join(CONTACT)}")
            return ()
        good = []
        for index, contact in enumerate(t.cast("t.Sequence[object]", contacts or ())):
            if isinstance(contact, t.Mapping) and contact and set(contact) <= set(CONTACT):
                good.append(contact)
            else:
                self.add_problem(label, f"contacts[{index}] is not a dictionary with some of {', '.join(CONTACT)}")
        return tuple(good)

    def parse_token(self, label: str, entry: Values) -> str | Unresolved | None:
        """Return the token of the client's account: empty if it has none, None if it is invalid."""
        if "account_token" not in entry:
            return ""
        token = entry["account_token"]
        if isinstance(token, Unresolved):
            return token
        try:
            return check_own_token(token)
        except OptionError as fault:
            self.add_problem(label, str(fault))
            return None

    # Devices and settings

    def parse_device(
        self, label: str, client: Client, entry: object, start: Values, own: Values | None, package: object = None
    ) -> None:
        """Add a device with its settings and those that it inherits.

        A setting of the device overrides that of its client, then that of its package, then the defaults.
        """
        if not isinstance(entry, t.Mapping):
            self.add_problem(label, "it is not a dictionary with the number as device")
            return
        place, written = label, entry.get("device", entry.get("number"))
        if written is not None and not isinstance(written, (t.Mapping, list, Unresolved)):
            label = f"{label} ({written})"
        before = len(self.problems)
        inherited = self.parse_package(label, entry.get("package", package))
        settings = self.parse_settings(
            label,
            "",
            {key: value for key, value in entry.items() if key not in ("device", "number", "package")},
            ENTRY,
        )
        number = self.parse_number(label, entry)
        merged = {**start, **inherited, **(own or {}), **settings}
        # A name that is too long for any device is already reported.
        if self.stamped and len(self.problems) == before and merged.get("handle_write_only") in (None, "stamped"):
            self.check(label, check_name_length, merged.get("name"))
        if len(self.problems) == before:
            # Keep the country code of a number that was written with it.
            named = {"device": f"+{number}" if has_country(written) else number} if number else {}
            kept = {option: value for option, value in merged.items() if value is not None}
            self.devices.append(FleetDevice(client, number, {**named, **kept}, place))

    def parse_number(self, label: str, entry: Values) -> str:
        """Return the digits of a device; empty if only its token identifies it, or the number cannot be read here."""
        if "device" in entry and "number" in entry:
            self.add_problem(label, "it has device and number, which are two names of one option; remove one")
        value = entry.get("device", entry.get("number"))
        if isinstance(value, Unresolved) or (value is None and entry.get("device_token") is not None):
            return ""
        if value is None:
            self.add_problem(label, "no device is named; set device to its number, in quotes")
            return ""
        try:
            return parse_number(value, "device")
        except OptionError as fault:
            self.add_problem(label, str(fault))
            return ""

    def parse_package(self, label: str, name: object) -> Values:
        """Return the settings of a package by its name."""
        if name is None or isinstance(name, Unresolved):
            return {}
        if not isinstance(name, str) or name not in self.packages:
            self.add_problem(
                label,
                f"there is no package {name}; {PACKAGES} has {', '.join(sorted(map(str, self.packages))) or 'none'}",
            )
            return {}
        return self.packages[name]

    def parse_settings(self, label: str, place: str, settings: object, allowed: t.Collection[str] = COMMON) -> Values:
        """Return the settings whose options are allowed, and report unknown options and invalid values."""
        if settings is None:
            return {}
        label = f"{label}: {place}" if place else label
        if not isinstance(settings, t.Mapping):
            self.add_problem(label, "it is not a dictionary of settings")
            return {}
        self.report_unknown(label, settings, allowed)
        for option, value in settings.items():
            if option in allowed and value is not None and not isinstance(value, Unresolved):
                self.check(label, check_value, option, value)
        return {option: value for option, value in settings.items() if option in allowed}

    def report_unknown(self, label: str, settings: Values, allowed: t.Collection[str]) -> None:
        """Report the options that are not allowed here."""
        for option in settings:
            if option not in allowed:
                meant = difflib.get_close_matches(str(option), allowed, n=1, cutoff=0.75)
                known = f"{meant[0]} may be meant" if meant else f"it may have {', '.join(allowed)}"
                self.add_problem(label, f"{option} is unknown here; {known}")

    def check(self, label: str, check: t.Callable[..., object], *values: object) -> None:
        """Run a check with some values, and report its error as a problem."""
        try:
            check(*values)
        except OptionError as fault:
            self.add_problem(label, str(fault))

    def report_duplicates(self) -> None:
        """Report devices and clients that are declared more than once."""
        places: dict[str, list[str]] = {}
        for device in self.devices:
            if device.number:
                places.setdefault(international(device.number), []).append(f"as {device.number} in {device.place}")
        for named in places.values():
            if len(named) > 1:
                self.problems.append(f"One device is declared more than once, {' and '.join(named)}; remove one.")
        names: dict[str, list[str]] = {}
        for client in self.clients:
            names.setdefault(slug(client.name), []).append(f"{client.name} in {client.place}")
        for client in self.clients:
            if slug(client.name) == NO_CLIENT:
                self.problems.append(
                    f"The client {client.name} in {client.place} has the name that is reserved for devices of no "
                    "client; rename it."
                )
        for clients in names.values():
            if len(clients) > 1:
                self.problems.append(f"Two clients have one name, {' and '.join(clients)}; merge them, or rename one.")


def _is_list(value: object) -> bool:
    return isinstance(value, t.Sequence) and not isinstance(value, (str, bytes))


def unmanaged_hidden(device: FleetDevice) -> tuple[str, ...]:
    """Return the significant write-only settings that a device does not declare; an update may reset them."""
    return tuple(option for option in significant(WRITE_ONLY, device.entry) if option not in device.entry)
