# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Select some of the declared devices: by client, by file, or by number. Pure."""

from __future__ import annotations

import difflib
import os.path
import typing as t
from dataclasses import replace

from .._common.errors import OptionError
from .._common.phone_numbers import canonical
from .declaration import FleetData, FleetDevice
from .entry_values import slug

ONLY = "only"


def select_devices(fleet: FleetData, names: t.Sequence[str]) -> FleetData:
    """Return the fleet with the selected devices alone.

    Args:
        fleet: All devices. The problems of the whole declaration are kept.
        names: Clients, files (with or without a directory and ``.yml``), and numbers in any spelling.

    Raises:
        OptionError: A name selects no device; a similar name is suggested.
    """
    selected: set[int] = set()
    for name in names:
        found = [place for place, device in enumerate(fleet.devices) if _is_selected(device, name)]
        if not found:
            raise OptionError(ONLY, f"no client, file or number is {name}", _suggest(fleet, name))
        selected.update(found)
    return replace(fleet, devices=tuple(fleet.devices[place] for place in sorted(selected)))


def _is_selected(device: FleetDevice, name: str) -> bool:
    client, place = device.client.name, device.client.place
    if name == place or (client and (name == client or slug(client) == slug(name))):
        return True
    file = os.path.basename(place)
    if os.sep not in name and name in (file, os.path.splitext(file)[0]):
        return True
    digits = "".join(letter for letter in name if letter.isdigit())
    return bool(digits) and not name.strip("0123456789 +-.()") and canonical(digits) == canonical(device.number)


def _suggest(fleet: FleetData, name: str) -> str:
    known = {device.client.name for device in fleet.devices} | {
        os.path.splitext(os.path.basename(device.client.place))[0] for device in fleet.devices
    }
    near = difflib.get_close_matches(name, sorted(filter(None, known)), n=3, cutoff=0.6)
    return f"{' or '.join(near)} may be meant" if near else "write the name of a client or of a file, or a number"
