# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module fonnte_sheet, without Ansible: the contents of each file, and when no file is written."""

from __future__ import annotations

import csv
import json
import stat
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules import sheet as _module_sheet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput, ModuleResult
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

A, B, C = "081200000001", "6281200000002", "081200000003"
URL = "https://user:s3cr3t@hooks.example.com/s3cr3t"
DEVICES: list[dict[str, t.Any]] = [
    {"device": A, "name": "Toko Satu - kasir", "autoread": True, "quick": None},
    {"device": B, "name": "Toko Dua - kasir", "autoread": False, "quick": None},
    {"device": C, "name": "yes", "autoread": None, "quick": None},
]


class Workspace:
    """A directory to which an account is imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, devices: list[dict[str, t.Any]] | None = None, check: bool = False, no_log: bool = False, **params: t.Any
    ) -> ModuleResult:
        given = {"dest": str(self.folder), "devices": DEVICES if devices is None else devices, **params}
        complete = {option: given.get(option, spec.get("default")) for option, spec in _module_sheet.SHEET.items()}
        return _module_sheet.run_sheet(ModuleInput(complete, {}, check_mode=check, prints_secrets=not no_log))

    def sheet(self, name: str = "hidden.csv", **params: t.Any) -> ModuleResult:
        return self.run(sheet=str(self.folder / name), **params)

    def declared(self, name: str = "devices.yml") -> list[dict[str, t.Any]]:
        return yaml.safe_load((self.folder / name).read_text("utf-8"))["fleet_devices"]

    def files(self) -> dict[str, str]:
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_text("utf-8") for path in files}

    def fill(self, **cells: dict[str, str]) -> None:
        """Fill in cells of the CSV file, by device and column, as a spreadsheet saves them."""
        path = self.folder / "hidden.csv"
        text = path.read_text("utf-8-sig")
        rows = list(csv.DictReader(text.splitlines(), delimiter=";" if text.startswith("device;") else ","))
        for row in rows:
            row.update(cells.get("d" + row["device"].replace("-", ""), {}))
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0], delimiter=";")
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "fonnte")


def test_first_run_declares_the_listed_settings(workspace: Workspace) -> None:
    report = workspace.run()
    assert workspace.declared() == [
        {"device": A, "name": "Toko Satu - kasir", "autoread": True},
        {"device": C, "name": "yes"},
        {"device": B, "name": "Toko Dua - kasir", "autoread": False},
    ]
    assert report.result["devices"] == [A, C, B] and report.warnings == []
    assert [Path(path).name for path in report.result["files"]] == ["devices.yml", "hidden.csv", "hidden.yml"]
    assert stat.S_IMODE(workspace.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in workspace.folder.iterdir()} == {0o600}
    before = workspace.files()
    again = workspace.run()
    assert not again.result["changed"] and again.result["files"] == [] and again.result["diff"] == []
    assert workspace.files() == before


def test_check_mode_predicts_and_writes_nothing(workspace: Workspace) -> None:
    predicted = workspace.run(check=True).result
    assert not workspace.folder.exists()
    assert predicted == workspace.run().result
    workspace.fill(d081200000001={"webhook": URL})
    before = workspace.files()
    predicted = workspace.sheet(check=True).result
    assert predicted["changed"] and workspace.files() == before
    assert predicted == workspace.sheet().result


def test_existing_directory_keeps_its_mode_and_files_are_private(workspace: Workspace) -> None:
    workspace.folder.mkdir()
    workspace.folder.chmod(0o755)
    (workspace.folder / "devices.yml").write_text("fleet_devices: []\n")
    workspace.run()
    assert stat.S_IMODE(workspace.folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((workspace.folder / "devices.yml").stat().st_mode) == 0o600


def test_new_devices_are_added_and_typed_values_stay(workspace: Workspace) -> None:
    workspace.run(DEVICES[:1])
    workspace.fill(d081200000001={"quick": "yes"})
    notes = "# my note\n" + (workspace.folder / "devices.yml").read_text().replace("Toko Satu - kasir", "Toko Satu")
    (workspace.folder / "devices.yml").write_text(notes)
    assert workspace.run().result["devices"] == [C, B]
    assert (workspace.folder / "devices.yml").read_text().startswith("# my note\n")
    assert workspace.declared()[0]["name"] == "Toko Satu" and len(workspace.declared()) == 3
    assert workspace.sheet(return_settings=True, no_log=True).result["settings"] == [{"device": A, "quick": True}]


@pytest.mark.parametrize("spelling", ["0812-0000-0001", "+62 812 0000 0001", "6281200000001"])
def test_device_declared_in_another_spelling_is_not_added(workspace: Workspace, spelling: str) -> None:
    workspace.folder.mkdir()
    (workspace.folder / "clients").mkdir()
    (workspace.folder / "clients" / "old.yml").write_text(f"fleet_devices:\n- device: '{spelling}'\n")
    assert workspace.run().result["devices"] == [C, B]
    workspace.fill(d081200000001={"quick": "no"})
    assert workspace.sheet().result["devices"] == [A]
    assert workspace.declared("clients/old.yml") == [{"device": spelling, "quick": False}]


def test_each_client_has_a_file(workspace: Workspace) -> None:
    workspace.run(clients="^(.+?) - ")
    assert sorted(name for name in workspace.files() if name.startswith("clients")) == [
        "clients/others.yml",
        "clients/toko-dua.yml",
        "clients/toko-satu.yml",
    ]
    assert [device["device"] for device in workspace.declared("clients/others.yml")] == [C]
    moved = [{**DEVICES[0], "name": "Lain - kasir"}, *DEVICES[1:]]
    assert not workspace.run(moved, clients="^(.+?) - ").result["changed"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Toko A - 1", "toko a - 2"], ['"Toko A"', '"toko a"', "toko-a.yml"]),
        (["Toko & A - 1", "Toko A - 2"], ['"Toko & A"', '"Toko A"']),
        (["Others - 1", "Toko - 2"], ['"Others"', "those that match no client"]),
        (["!!! - 1", "Toko - 2"], ['"!!!"', "no file can be named"]),
    ],
)
def test_clients_with_the_same_file_name_are_an_error_that_names_both(
    workspace: Workspace, names: list[str], words: list[str]
) -> None:
    devices = [{"device": number, "name": name} for number, name in zip([A, C], names, strict=False)]
    with pytest.raises(OptionError) as caught:
        workspace.run(devices, clients="^(.+?) - ")
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert not workspace.folder.exists()


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".hidden", "Ü日本", "CON", "a\nb"])
def test_client_file_names_cannot_leave_the_directory(workspace: Workspace, name: str) -> None:
    workspace.run([{"device": A, "name": f"{name} - 1"}], clients=r"(?s)^(.+?) - ")
    (file,) = (workspace.folder / "clients").iterdir()
    assert file.suffix == ".yml" and not file.name.startswith(".")


@pytest.mark.parametrize(("clients", "words"), [("(", "not a regular expression"), ("^.+", "no group")])
def test_invalid_client_expression_is_refused(workspace: Workspace, clients: str, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        workspace.run(clients=clients)
    assert words in str(caught.value)


def test_devices_that_cannot_be_declared_are_skipped_with_a_warning(workspace: Workspace) -> None:
    devices = [
        {"device": A, "name": " Toko ", "autoread": True},
        {"device": "6281200000001", "name": "Toko"},
        {"device": "0812", "name": "Kurz"},
        {"device": C, "name": "Toko ", "autoread": False},
    ]
    report = workspace.run(devices)
    assert workspace.declared() == [{"device": C, "autoread": False}]
    assert [warning.split(":")[0] for warning in report.warnings] == [
        "Device 0812 is left out",
        "Device 081200000001 is left out",
        "The name of device 081200000003 is not declared",
        "Device 6281200000001 is left out",
    ]
    (workspace.folder / "hidden.csv").write_text("device,quick\n0812,yes\n")
    with pytest.raises(FonnteError) as caught:
        workspace.run(devices, sheet=str(workspace.folder / "hidden.csv"))
    assert caught.value.warnings == report.warnings


def test_filled_csv_sheet_updates_the_declarations(workspace: Workspace) -> None:
    workspace.run()
    workspace.fill(
        d081200000001={"webhook": URL, "webhook_status": "none", "quick": "no"},
        d6281200000002={"target": "0812-9999-0000", "country_code": "62", "resend": "yes"},
    )
    report = workspace.sheet()
    first, third, second = workspace.declared()
    assert first == {**_shown(DEVICES[0]), "quick": False, "webhook": URL, "webhook_status": ""}
    assert second == {**_shown(DEVICES[1]), "resend": True, "target": "081299990000", "country_code": "62"}
    assert third == {"device": C, "name": "yes"}
    assert report.result["devices"] == [A, B] and report.warnings == []
    assert [Path(path).name for path in report.result["files"]] == ["devices.yml"]
    assert "s3cr3t" not in json.dumps(report.result)
    assert report.result["diff"][0]["after"][A]["webhook"] == "https://hooks.example.com/…"
    assert not workspace.sheet().result["changed"]


def _shown(device: dict[str, t.Any]) -> dict[str, t.Any]:
    return {option: device[option] for option in ("device", "name", "autoread")}


def test_filled_yaml_sheet_updates_the_declarations(workspace: Workspace) -> None:
    workspace.run()
    path = workspace.folder / "hidden.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("quick:\n", "quick: yes\n", 1).replace("webhook:\n", f"webhook: {URL}\n", 1), "utf-8")
    workspace.sheet("hidden.yml")
    assert workspace.declared()[0] == {**_shown(DEVICES[0]), "quick": True, "webhook": URL}


def test_nothing_is_written_if_a_cell_is_invalid(workspace: Workspace) -> None:
    workspace.run()
    workspace.fill(
        d081200000001={"webhook": URL, "quick": "s3cr3t"},
        d6281200000002={"webhook": "s3cr3t"},
        d081200000003={"device": "8,12E+10"},
    )
    before = workspace.files()
    with pytest.raises(FonnteError) as caught:
        workspace.sheet()
    text = str(caught.value)
    assert text.startswith(
        f"Reading the sheet {workspace.folder}/hidden.csv: 3 cells are wrong: row 2 (0812-0000-0001), "
    )
    assert text.endswith("; correct the sheet and run again.")
    wrong = caught.value.partial_result["wrong"]
    assert [(one["row"], one["column"]) for one in wrong] == [
        ("row 2", "quick"),
        ("row 3", "device"),
        ("row 4", "webhook"),
    ]
    assert "s3cr3t" not in text + json.dumps(wrong)
    assert workspace.files() == before


def test_device_declared_by_no_file_or_by_two_is_refused(workspace: Workspace) -> None:
    workspace.run()
    (workspace.folder / "clients").mkdir()
    (workspace.folder / "clients" / "a.yml").write_text(f"fleet_devices:\n- device: '{B}'\n")
    declared = (workspace.folder / "devices.yml").read_text().replace(A, "081200000009")
    (workspace.folder / "devices.yml").write_text(declared)
    workspace.fill(d081200000001={"quick": "no"}, d6281200000002={"quick": "no"})
    with pytest.raises(FonnteError) as caught:
        workspace.sheet()
    first, second = caught.value.partial_result["wrong"]
    assert (first["device"], first["problem"]) == (A, "no file declares it")
    assert second["device"] == B and "devices.yml and " in second["problem"]


def test_replaced_value_is_reported(workspace: Workspace) -> None:
    workspace.run()
    workspace.fill(d081200000001={"webhook": URL, "quick": "no"})
    workspace.sheet()
    workspace.fill(d081200000001={"webhook": "https://hooks.example.com/other", "quick": "no"})
    (warning,) = workspace.sheet().warnings
    assert "webhook of device 081200000001" in warning and "hooks" not in warning
    assert workspace.declared()[0]["webhook"] == "https://hooks.example.com/other"


def test_encrypted_value_is_kept_and_reported(workspace: Workspace) -> None:
    workspace.run()
    path = workspace.folder / "devices.yml"
    path.write_text(path.read_text().replace("    autoread: true\n", '    webhook: "{{ vault_hook }}"\n'))
    workspace.fill(d081200000001={"webhook": URL})
    report = workspace.sheet()
    assert not report.result["changed"] and "is encrypted or a template" in report.warnings[0]


def test_account_without_devices(workspace: Workspace) -> None:
    assert workspace.run([]).result["devices"] == []
    assert sorted(workspace.files()) == ["hidden.csv", "hidden.yml"]
    assert not workspace.run([], clients="^(.+?) - ").result["changed"]
    assert workspace.sheet(devices=[]).result["devices"] == []


def test_returned_settings_without_no_log_cause_a_warning(workspace: Workspace) -> None:
    workspace.run()
    workspace.fill(d081200000001={"webhook": "none"})
    assert "no no_log" in workspace.sheet(return_settings=True).warnings[0]
    report = workspace.sheet(return_settings=True, no_log=True)
    assert report.warnings == [] and report.result["settings"] == [{"device": A, "webhook": ""}]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("devices.yml", "fleet_devices: [", "not valid YAML"),
        ("devices.yml", "$ANSIBLE_VAULT;1.1;AES256\n61\n", "encrypted with ansible-vault"),
        ("hidden.yml", "devices: {", "not valid YAML"),
        ("hidden.csv", "a,b\n", "no column device"),
    ],
)
def test_unreadable_file_stops_the_run(workspace: Workspace, name: str, text: str, words: str) -> None:
    workspace.folder.mkdir()
    (workspace.folder / name).write_text(text)
    with pytest.raises(FonnteError) as caught:
        workspace.run()
    assert words in str(caught.value) and str(workspace.folder / name) in str(caught.value)
    assert workspace.files() == {name: text}


def test_missing_sheet_is_refused(workspace: Workspace) -> None:
    with pytest.raises(FonnteError) as caught:
        workspace.sheet("other.csv")
    assert "there is no sheet" in str(caught.value)


@pytest.mark.parametrize("name", ["devices.yml", "hidden.csv", "clients"])
def test_wrong_file_type_is_refused(workspace: Workspace, name: str) -> None:
    workspace.folder.mkdir()
    if name == "clients":
        (workspace.folder / name).write_text("x")
    else:
        (workspace.folder / name).mkdir()
    with pytest.raises(FonnteError) as caught:
        workspace.run()
    assert "cannot be read" in str(caught.value)


def test_unwritable_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FonnteError) as caught:
        Workspace(tmp_path / "file" / "fonnte").run()
    assert "cannot be" in str(caught.value)


def test_failed_write_keeps_the_previous_files(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.run()
    workspace.fill(d081200000001={"quick": "no"})
    before = workspace.files()

    def fail(*_paths: str, **_where: int) -> None:
        raise OSError(28, "No space left on device")

    replace_os(monkeypatch, replace=fail)
    with pytest.raises(FonnteError) as caught:
        workspace.sheet()
    assert "No space left" in str(caught.value) and workspace.files() == before
