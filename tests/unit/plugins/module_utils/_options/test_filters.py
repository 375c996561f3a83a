# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listed devices that match a given number."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.filters import find_spellings

SHOP, BANK = "0811111111", "62811111111"


@pytest.mark.parametrize(
    ("listed", "number", "meant"),
    [
        ([SHOP], BANK, [SHOP]),
        ([SHOP, BANK], SHOP, [SHOP]),
        ([SHOP, BANK], "+62 811-111-111", [BANK]),
        ([SHOP, BANK], "0062811111111", [SHOP, BANK]),
        # The same digits in two spellings, and one number twice.
        ([BANK, "+62 811-111-111"], BANK, ["+62 811-111-111", BANK]),
        ([SHOP, SHOP], SHOP, [SHOP, SHOP]),
        ([SHOP], "0822222222", []),
    ],
)
def test_number_matches_its_spellings(listed: list[str], number: str, meant: list[str]) -> None:
    devices = [Device(one, "token") for one in listed]
    assert find_spellings(devices, [number]) == {number: meant}
