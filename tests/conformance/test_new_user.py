# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first weeks of a new user, by the documentation: import, new devices, a colleague, drift, and a device that leaves.

Each step checks the message at its turning point, in the output of the default callback.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.test_adopt_playbook import ACCOUNT, Office, UnsafeLoader
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

EXISTING = [f"08120001{index:04d}" for index in range(40)]
NEW = [f"08120002{index:04d}" for index in range(10)]
HOOK = "https://hooks.example.com/shop"
OTP = "047193"


class User(Office):
    """A person with a home directory. Colleagues have another one and the same sandbox."""

    def run(self, playbook: str, *words: str, **variables: object) -> tuple[int, str]:
        """Run a playbook as a user does, without -v; return the exit code and the output in one line of words."""
        code, output = self.play(playbook, *words, **variables)
        assert ACCOUNT not in output
        return code, output


@pytest.fixture
def user(sandbox: Sandbox, tmp_path: Path) -> User:
    home = tmp_path / "user"
    home.mkdir()
    sandbox.reset(accounts=[{"token": ACCOUNT, "devices": [by_hand(n) for n in EXISTING]}])
    return User(sandbox, home)


def by_hand(number: str) -> dict[str, Any]:
    """Return a device as it was created in the dashboard; resend is on, and has no target."""
    settings = {"personal": True, "group": False, "quick": False, "resend": True, "webhook": f"{HOOK}/{number}"}
    # One name is too long for a stamp, and one looks like a template.
    special = {EXISTING[1]: "Toko Serba Ada Cabang Bekasi", EXISTING[2]: "Toko {{ 7 * 7 }}"}
    name = special.get(number, f"Toko {number[-4:]}")
    return {"number": number, "name": name, "package": "Super", "autoread": True, "linked": True, "settings": settings}


def headings(output: str) -> list[str]:
    return re.findall(r"^TASK \[(.*?)\]", output, re.MULTILINE)


def fill(sheet: Path) -> None:
    """Fill the sheet as the dashboard shows the devices."""
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        digits = re.sub(r"\D", "", row["device"])
        row.update(personal="yes", group="no", quick="no", resend="yes", target="none", country_code="62")
        row.update(webhook=f"{HOOK}/{digits}", webhook_connect="none", webhook_status="none", webhook_chaining="none")
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def add_new(path: Path) -> None:
    """Declare ten more devices in the file."""
    rest = {"group": False, "quick": False, "resend": False, "webhook_connect": "", "webhook_status": ""}
    entries = [
        {"device": n, "name": f"Baru {n[-4:]}", "autoread": True, "personal": True, "webhook": HOOK, **rest}
        for n in NEW
    ]
    text = "".join(f"  - {json.dumps({**entry, 'webhook_chaining': ''})}\n" for entry in entries)
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_first_weeks_of_a_new_user(user: User, tmp_path: Path) -> None:
    declared = user.dest / "devices.yml"
    # Import: a listing, a sheet, and the record.
    code, output = user.run("adopt", adopt_dest=user.dest)
    assert code == 0 and "40 devices are newly declared" in output
    content = yaml.load(declared.read_text("utf-8"), Loader=UnsafeLoader)["fleet_devices"]
    assert content[1]["handle_write_only"] == "recorded" and content[2]["name"] == "Toko {{ 7 * 7 }}"
    fill(user.dest / "hidden.csv")
    code, output = user.run("adopt", adopt_dest=user.dest, adopt_sheet=user.dest / "hidden.csv")
    assert code == 0 and "How do other machines (a colleague, CI, AWX) get" in output
    assert user.sandbox.writes() == []

    # Without a choice, provision reports that only this machine has the settings.
    code, output = user.run("provision", "--check", provision_files=declared)
    assert code == 0 and "Only this control node knows the attested settings of device" in output
    assert "writes a stamp, so that other control nodes can check them" in output
    assert "0 created, 39 updated, 0 disconnected, 1 unchanged" in output
    # The answer: stamps.
    sheet = user.dest / "hidden.csv"
    code, output = user.run("adopt", adopt_dest=user.dest, adopt_sheet=sheet, adopt_share="stamp")
    assert code == 0 and "Some devices have no stamp" in output
    assert f"1 devices get no stamp, since their names have more than 23 characters: {EXISTING[1]}" in output
    assert len(user.sandbox.writes()) == 39

    # Ten new devices: the limit of free devices shows in check mode.
    add_new(declared)
    code, output = user.run("provision", "--check", provision_files=declared)
    assert code == 0 and "10 created, 0 updated, 0 disconnected, 40 unchanged" in output
    code, output = user.run("provision", provision_files=declared)
    assert code == 0 and "10 created" in output and "To be linked to a phone: 10." in output
    assert f'Created (10): {NEW[0]} "Baru 0000"' in output.replace('\\"', '"')

    # A colleague with an empty home directory: the stamps prove all but the device with the long name.
    home = tmp_path / "colleague"
    home.mkdir()
    colleague = User(user.sandbox, home)
    code, output = colleague.run("provision", "--check", provision_files=declared)
    assert code == 0 and "49 unchanged" in output and "would clear" not in output

    # Drift in the dashboard: the audit shows it, and provision reconciles this device alone.
    user.sandbox.edit(EXISTING[5], name="Salah")
    code, output = user.run("audit", audit_files=declared)
    assert code == 0 and "Salah" in output
    user.sandbox.clear_journal()
    code, output = user.run("provision", provision_files=declared, fleet_only=EXISTING[5])
    assert code == 0 and "1 device is declared. 0 created, 1 updated" in output
    assert [call["number"] for call in user.sandbox.writes()] == [EXISTING[5]]

    # A removed line stays in effect, and is reported.
    text = declared.read_text("utf-8")
    line = re.search(rf'    webhook: "{HOOK}/{EXISTING[6]}"\n', text)
    assert line is not None
    declared.write_text(text.replace(line[0], ""), "utf-8")
    code, output = user.run("provision", "--check", provision_files=declared)
    assert f"Device {EXISTING[6]} no longer declares webhook, and still has the recorded value" in output
    assert "To clear it, declare webhook: ''; to keep it" in output
    code, output = user.run("audit", audit_files=declared)
    assert "is no longer declared, and is still" in output
    declared.write_text(text, "utf-8")

    # A device leaves. A mistyped number is no success, and the declaration must go, too.
    code, output = user.run("decommission", decommission_devices="081299999999", decommission_sure="true")
    assert code != 0 and "NOT FOUND" in output
    leaving = {"decommission_devices": EXISTING[7], "decommission_names": {EXISTING[7]: listed_name(user, EXISTING[7])}}
    code, output = user.run("decommission", "-e", json.dumps(leaving))
    assert code == 0 and "waiting for its code" in output
    with_code = {**leaving, "decommission_otps": {EXISTING[7]: user.sandbox.otp(EXISTING[7])}}
    code, output = user.run("decommission", "-e", json.dumps(with_code))
    assert code == 0 and "from the declaration: otherwise the next provision run creates them again" in output
    assert EXISTING[7] not in user.sandbox.devices()


def listed_name(user: User, number: str) -> str:
    """Return the name as the dashboard shows it, with its stamp."""
    name = str(user.sandbox.device(number)["name"])
    assert re.search(r" ~[0-9A-Za-z]{5}$", name)
    return name
