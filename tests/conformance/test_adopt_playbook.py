# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of an account whose devices were created by hand: from the first device list to the first change.

The playbooks adopt and provision run by their names, as users run them, with the highest verbosity.
"""

from __future__ import annotations

import csv
import io
import os
import random
import re
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import MARK, snapshot
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES, USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

ON_EACH_CORE = pytest.mark.parametrize("core", [CORES[core] for core in USUAL_CORES], ids=USUAL_CORES)
ACCOUNT = f"account-{MARK}"
FLAGS = ("personal", "group", "quick", "resend")
# Options of the collection, and the service's names of them.
WEBHOOKS = {f"webhook{end}": f"webhook{end.replace('_', '')}" for end in ("", "_connect", "_status", "_chaining")}
# Names of devices that a reader of YAML or CSV could misread.
NAMES = ("yes", "0812", "a: b #c", "{{ 1 + 1 }}", "'quoted\"", "=1+1", "Toko 日本 😀", "null", "- x")


@dataclass
class Office:
    """A machine on which a user imports an account: a home, a record, and a directory for the files."""

    sandbox: Sandbox
    home: Path
    core: Path = CORES["newest"]

    @property
    def dest(self) -> Path:
        return self.home / "fonnte"

    @property
    def record(self) -> Path:
        return self.home / "record"

    def play(self, playbook: str, *words: str, **variables: object) -> tuple[int, str]:
        """Run a playbook of the collection by its name, and return its exit code and output."""
        env = {
            **os.environ,
            "HOME": str(self.home),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_INJECT_INVOCATION": "1",
            "FONNTE_API_ENDPOINT": self.sandbox.url,
            "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
            "FONNTE_RECORD_PATH": str(self.record),
        }
        given = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        command = [self.core / "ansible-playbook", "-vvvv", "--diff", *words, f"fonnte.whatsapp.{playbook}", *given]
        done = subprocess.run(command, env=env, cwd=self.home, capture_output=True, text=True, timeout=600, check=False)
        output = done.stdout + done.stderr
        secrets = {MARK, *(device["token"] for device in self.sandbox.devices().values())}
        for secret in secrets:
            assert secret not in output, output[max(0, output.index(secret) - 600) :][:1000]
        assert "Traceback" not in output
        return done.returncode, output

    def adopt(self, *words: str, **variables: object) -> str:
        """Run adopt, which must succeed, and return its output."""
        code, output = self.play("adopt", *words, adopt_dest=self.dest, **variables)
        assert code == 0, output
        return output

    def provision(self, *words: str, files: Path) -> str:
        """Run provision, which must succeed, and return its output."""
        code, output = self.play("provision", *words, provision_files=files)
        assert code == 0, output
        return output

    def world(self, devices: list[Json]) -> None:
        """Reset the sandbox to devices that were created by hand."""
        self.sandbox.reset(accounts=[{"token": ACCOUNT, "devices": devices}])


@pytest.fixture
def office(sandbox: Sandbox, tmp_path: Path) -> Office:
    return Office(sandbox, tmp_path)


def changed(output: str) -> int:
    """Return the number of changed tasks in the recap."""
    (count,) = re.findall(r"^localhost .*changed=(\d+)", output, re.MULTILINE)
    return int(count)


def made_by_hand(count: int, seed: int) -> list[Json]:
    """Return devices with settings that no file declares."""
    chance = random.Random(seed)
    spellings = ("0812{:08d}", "62813{:08d}", "6281400{:08d}")
    return [
        {
            "number": chance.choice(spellings).format(index),
            "token": f"device-{MARK}-{index}",
            "name": NAMES[index] if index < len(NAMES) else f"Klien {index % 4} - {index}",
            "package": "Super",
            "autoread": chance.random() < 0.5,
            "settings": {
                **{flag: chance.random() < 0.5 for flag in FLAGS},
                "target": chance.choice(["081299990000", "6281299990001"]),
                "countryCode": chance.choice(["62", "60"]),
                **{wire: chance.choice(["", _url(chance, wire)]) for wire in WEBHOOKS.values()},
            },
        }
        for index in range(count)
    ]


def _url(chance: random.Random, wire: str) -> str:
    return f"https://user:{MARK}@hooks.example.com/{wire}/{MARK}{chance.randrange(10**6)}?a=b,c;d&key={MARK}%20"


def looked_up(device: Json, chance: random.Random) -> dict[str, str]:
    """Return the cells that a person types into a row, in random spellings; some settings are left out."""
    settings = device["settings"]
    words = {True: ["yes", "ON", "TRUE", "ya"], False: ["no", "off", "FALSE", "tidak"]}
    cells = {flag: chance.choice(words[settings[flag]]) for flag in FLAGS}
    number = settings["target"]
    cells["target"] = chance.choice([number, f"{number[:4]}-{number[4:]}", f"{number[:3]} {number[3:]}"])
    cells["country_code"] = settings["countryCode"]
    cells.update({option: settings[wire] or "none" for option, wire in WEBHOOKS.items()})
    return {column: cell for column, cell in cells.items() if chance.random() < 0.9}


def fill_csv(path: Path, devices: Mapping[str, Json], chance: random.Random) -> None:
    """Fill in a sheet as a spreadsheet saves it, with semicolons and a byte order mark."""
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert len(rows) == len(devices)
    for row in rows:
        row.update(looked_up(devices[row["device"].replace("-", "")], chance))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode("utf-8"))


def fill_yaml(path: Path, devices: Mapping[str, Json], chance: random.Random) -> None:
    """Fill in a sheet as a person does with an editor, with a value after each colon."""
    lines = []
    cells: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines():
        found = re.match(r'  - device: "(\d+)"$', line)
        if found:
            cells = looked_up(devices[found.group(1)], chance)
        column = line.strip().rstrip(":")
        lines.append(f"{line} {cells.pop(column)}" if line.endswith(":") and column in cells else line)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def without(states: Mapping[str, Json], number: str) -> dict[str, Json]:
    return {known: state for known, state in states.items() if known != number}


def test_import_of_sixty_devices_and_first_change(office: Office) -> None:
    office.world(made_by_hand(60, seed=60))
    made = office.sandbox.devices()
    office.adopt(adopt_clients="'^(Klien .) - '")
    clients = office.dest / "clients"
    assert sorted(path.name for path in clients.iterdir()) == [*(f"klien-{n}.yml" for n in range(4)), "others.yml"]

    sheet = office.dest / "hidden.csv"
    fill_csv(sheet, made, random.Random(1))
    output = office.adopt(adopt_sheet=sheet)
    assert changed(output) == 2
    for number in made:
        assert f"(item={number})" in output
    assert {stat.S_IMODE(path.stat().st_mode) for path in clients.iterdir()} == {0o600}

    recorded = ("-e", "fleet_handle_write_only=recorded")
    output = office.provision("--check", *recorded, files=clients)
    assert changed(output) == 0
    assert office.sandbox.writes() == [] and office.sandbox.devices() == made

    (number,) = [known for known, device in made.items() if device["name"] == NAMES[2]]
    wanted = not made[number]["settings"]["autoread"]
    exchange(clients / "others.yml", number, "autoread", str(wanted).lower())
    output = office.provision(*recorded, files=clients)
    assert "60 devices are declared. 0 created, 1 updated, 0 disconnected, 59 unchanged." in output
    (write,) = office.sandbox.writes()
    assert write["path"] == "/update-device" and write["number"] == number
    now = office.sandbox.devices()
    assert without(now, number) == without(made, number)
    expected = {**made[number], "settings": {**made[number]["settings"], "autoread": wanted}}
    assert now[number] == expected


def exchange(path: Path, number: str, option: str, value: str) -> None:
    """Replace the value of a device's option in a declaration file."""
    text = path.read_text("utf-8")
    start = text.index(f"{option}: ", text.index(f'"{number}"'))
    path.write_text(text[:start] + f"{option}: {value}" + text[text.index("\n", start) :], "utf-8")


@pytest.mark.weekly
@ON_EACH_CORE
def test_import_with_yaml_sheet_and_check_mode(office: Office, core: Path) -> None:
    office.core = core
    office.world(made_by_hand(6, seed=6))
    made = office.sandbox.devices()
    assert "6 devices would be newly declared" in office.adopt("--check")
    assert not office.dest.exists() and not office.record.exists()
    assert changed(office.adopt()) == 1
    assert changed(office.adopt()) == 0
    assert stat.S_IMODE(office.dest.stat().st_mode) == 0o700
    declared = yaml.load((office.dest / "devices.yml").read_text("utf-8"), Loader=UnsafeLoader)["fleet_devices"]
    assert {device["device"]: device["name"] for device in declared} == {
        number: device["name"] for number, device in made.items()
    }

    sheet = office.dest / "hidden.yml"
    fill_yaml(sheet, made, random.Random(2))
    before = snapshot(office.dest), snapshot(office.record)
    assert changed(office.adopt("--check", adopt_sheet=sheet)) == 2
    assert (snapshot(office.dest), snapshot(office.record)) == before
    assert changed(office.adopt(adopt_sheet=sheet)) == 2
    assert changed(office.adopt(adopt_sheet=sheet)) == 0
    recorded = ("-e", "fleet_handle_write_only=recorded")
    assert changed(office.provision("--check", *recorded, files=office.dest / "devices.yml")) == 0
    assert changed(office.provision(*recorded, files=office.dest / "devices.yml")) == 0
    assert office.sandbox.writes() == [] and office.sandbox.devices() == made


class UnsafeLoader(yaml.SafeLoader):
    """Loads strings with the tag ``!unsafe``, which Ansible must not render as templates."""


UnsafeLoader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


@pytest.mark.weekly
@ON_EACH_CORE
def test_adopt_reports_all_wrong_cells_at_once_and_changes_nothing(office: Office, core: Path) -> None:
    office.core = core
    office.world(made_by_hand(3, seed=3))
    first, second, third = sorted(office.sandbox.devices())
    office.adopt()
    sheet = office.dest / "hidden.csv"
    sheet.write_text(
        f"device;quick;webhook\n{first};https://x.example.com/{MARK};hooks.example.com/{MARK}\n"
        f"6,281E+12;yes;none\n{second};no;https://hooks.example.com/{MARK}\n{third};0;\n"
    )
    before = snapshot(office.dest)
    code, output = office.play("adopt", adopt_dest=office.dest, adopt_sheet=sheet)
    assert code != 0 and "4 cells are wrong" in output
    for place in (f"row 2 ({first}), column webhook", "row 3, column device"):
        assert place in output
    # Cells with the same error are in one sentence.
    assert "column quick of 2 devices: it is neither yes nor no" in output
    assert f"row 2 ({first}), row 5 ({third})" in output
    assert snapshot(office.dest) == before and not office.record.exists()
    assert {call["path"] for call in office.sandbox.journal()} == {"/get-devices"}


class NoneOmitted(random.Random):
    """Each cell of a sheet is filled in, with the first of its spellings."""

    def random(self) -> float:
        return 0.0


@pytest.mark.weekly
@ON_EACH_CORE
def test_failed_stamps_are_reported_once_and_not_as_written(office: Office, core: Path) -> None:
    office.core = core
    office.world(made_by_hand(2, seed=4))
    made = office.sandbox.devices()
    office.adopt()
    fill_yaml(office.dest / "hidden.yml", made, NoneOmitted())
    assert "of this machine would have these settings" in office.adopt(
        "--check", adopt_sheet=office.dest / "hidden.yml"
    )
    refusal = {"status": False, "reason": "input invalid"}
    office.sandbox.fault("status", path="/update-device", code=200, body=refusal, times=None)
    code, output = office.play(
        "adopt", adopt_dest=office.dest, adopt_sheet=office.dest / "hidden.yml", adopt_share="stamp"
    )
    summary = output[output.index("Next steps") :]
    assert code == 2 and "Stamps are missing: correct the errors below" in summary
    assert all(summary.count(f"device {number}") == 1 for number in made), summary


@pytest.mark.weekly
def test_adopt_names_missing_variable_or_sheet(office: Office) -> None:
    office.world([])
    code, output = office.play("adopt")
    assert code != 0 and "adopt_dest=~/fonnte" in output
    # As in a file of variables that has the name without a value.
    code, output = office.play("adopt", "-e", '{"adopt_dest": null}')
    assert code != 0 and "adopt_dest=~/fonnte" in output
    code, output = office.play("adopt", adopt_dest=office.dest, adopt_sheet=office.home / "none.csv")
    assert code != 0 and "there is no sheet" in output


def declare(path: Path, *devices: Mapping[str, Any], **others: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({"fleet_devices": list(devices), **others}), "utf-8")
    return path


@pytest.mark.weekly
@ON_EACH_CORE
def test_provision_reads_files_of_several_clients(office: Office, core: Path) -> None:
    """Each file has its own defaults, templates are rendered, and one of the files is encrypted."""
    office.core = core
    office.world([])
    clients = office.home / "clients"
    url = f"https://hooks.example.com/{MARK}"
    hook = f"{{{{ '{url}' }}}}"
    declare(clients / "a.yml", {"device": "081200000001", "name": "Satu"}, fleet_defaults={"quick": True})
    declare(clients / "b.yml", {"device": "081200000002", "name": "Dua", "webhook": hook, "autoread": True})
    (clients / "README.md").write_text("no file of devices")
    (office.home / "password").write_text("only here")
    vault = [core / "ansible-vault", "encrypt", "--vault-password-file", office.home / "password", clients / "b.yml"]
    subprocess.run(vault, check=True, capture_output=True, env={**os.environ, "HOME": str(office.home)})
    password = ("--vault-password-file", str(office.home / "password"))
    office.provision("--check", *password, files=clients)
    assert office.sandbox.writes() == []
    office.provision(*password, files=clients)
    first, second = office.sandbox.device("081200000001"), office.sandbox.device("081200000002")
    assert first["settings"]["quick"] and not second["settings"]["quick"]
    assert second["settings"]["webhook"] == url
    assert changed(office.provision(*password, files=clients)) == 0

    code, output = office.play("provision", provision_files=clients)
    assert code != 0 and f"{clients}/b.yml is encrypted; add --ask-vault-pass" in output


@pytest.mark.weekly
@ON_EACH_CORE
def test_provision_refuses_contradictory_or_invalid_files(office: Office, core: Path) -> None:
    office.core = core
    office.world([])
    clients = office.home / "clients"
    declare(clients / "a.yml", {"device": "081200000001", "webhook": f"https://h.example.com/{MARK}"})
    declare(clients / "b.yml", {"device": "+62 812-0000-0001", "name": "Satu"})
    code, output = office.play("provision", provision_files=clients)
    assert code != 0 and f"as 081200000001 in {clients}/a.yml: fleet_devices[0] and as 6281200000001 in" in output

    declare(clients / "b.yml", webhook=f"https://h.example.com/{MARK}")
    (clients / "c.yml").write_text(f"devices: [https://h.example.com/{MARK}]\n")
    code, output = office.play("provision", provision_files=clients)
    assert code != 0 and f"{clients}/b.yml has webhook" in output and f"{clients}/c.yml has no list" in output

    (clients / "c.yml").write_text(f"fleet_devices: https://h.example.com/{MARK}: [\n")
    code, output = office.play("provision", provision_files=clients)
    assert code != 0 and f"{clients}/c.yml is not valid YAML; correct line 1" in output

    code, output = office.play("provision", provision_files=office.home / "none.yml")
    assert code != 0 and f"There is no {office.home}/none.yml" in output
    code, output = office.play("provision")
    assert code != 0 and "Name the files that declare the devices" in output
    assert office.sandbox.journal() == []
