# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices are selected by client, by file, and by number."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import read_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.selection import select_devices

FLEET = read_fleet(
    {
        "/fonnte/clients/bunga.yml": {
            "fleet_clients": [
                {"name": "Toko Bunga", "devices": [{"device": "081200000001"}, {"device": "6281200000002"}]},
                {"name": "Toko Mawar", "devices": [{"device": "081200000003"}]},
            ]
        },
        "/fonnte/others.yml": {"fleet_devices": [{"device": "081200000004"}]},
    }
)


@pytest.mark.parametrize(
    ("names", "last"),
    [
        (["Toko Bunga"], "12"),
        (["toko-bunga"], "12"),
        (["bunga"], "123"),
        (["bunga.yml", "Toko Mawar"], "123"),
        (["/fonnte/others.yml"], "4"),
        (["0812-0000-0002"], "2"),
        (["+62 812 0000 0001", "others"], "14"),
    ],
)
def test_clients_files_and_numbers_select_devices(names: list[str], last: str) -> None:
    assert [device.number[-1] for device in select_devices(FLEET, names).devices] == list(last)


@pytest.mark.parametrize(
    ("name", "advice"),
    [("toko-bungaa", "Toko Bunga"), ("other", "others"), ("081200000009", "write the name"), ("", "write the name")],
)
def test_name_that_selects_nothing_is_an_error(name: str, advice: str) -> None:
    with pytest.raises(OptionError) as caught:
        select_devices(FLEET, ["Toko Mawar", name])
    assert f"no client, file or number is {name}" in str(caught.value) and advice in str(caught.value)
