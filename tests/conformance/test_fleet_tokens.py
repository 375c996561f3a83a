# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role fleet exports to a client only the tokens of the client's devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.test_fleet_role import CORES, SECRET, declare, kept, play
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SHOP, BANK = "0811111111", "62811111111"
CLIENT = {"name": "Client A", "devices": [{"device": SHOP, "name": "shop A"}]}


def _begin(sandbox: Sandbox, folder: Path, *devices: dict[str, Any]) -> dict[str, Any]:
    """Create an account with devices, declare the shop of a client, and return the variables for an export."""
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super", "devices": list(devices)}])
    declare(folder, "client.yml", {"fleet_clients": [CLIENT]})
    return {
        "fleet_files": "clients",
        "fleet_tokens_dest": str(folder / "tokens"),
        "fleet_tokens_password": SECRET,
        "fleet_tokens_of": "all",
    }


@pytest.mark.parametrize("order", [1, pytest.param(-1, marks=pytest.mark.weekly)])
def test_token_of_equivalent_number_is_not_exported(sandbox: Sandbox, tmp_path: Path, order: int) -> None:
    devices = [{"number": SHOP, "name": "shop A"}, {"number": BANK, "name": "bank B"}][::order]
    safe = _begin(sandbox, tmp_path, *devices)
    code, output = play(CORES[0], sandbox, tmp_path, **safe)
    assert code == 0, output[-3000:]
    assert kept(CORES[0], tmp_path / "tokens" / "client-a.yml", SECRET) == {SHOP: sandbox.device(SHOP)["token"]}


@pytest.mark.weekly
def test_token_of_two_devices_is_not_exported(sandbox: Sandbox, tmp_path: Path) -> None:
    devices = [{"number": number, "name": name} for number, name in ((SHOP, "shop A"), ("62822222222", "bank B"))]
    safe = _begin(sandbox, tmp_path, *devices)
    sandbox.fault("mutate", path="/get-devices", times=None, set_each={"token": "one-token-of-two-devices"})
    code, output = play(CORES[0], sandbox, tmp_path, **safe)
    assert code != 0 and "one token for several devices" in output
    assert SHOP in output and "62822222222" in output and "one-token-of-two-devices" not in output
    file = tmp_path / "tokens" / "client-a.yml"
    assert not file.exists() or kept(CORES[0], file, SECRET) == {}
