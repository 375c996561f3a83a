# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that modules write to: no symbolic link of another user redirects a write."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._adoption import adopt
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api import qr_image
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit import exports
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.destinations import (
    check_destination,
    read_descriptor,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import ServiceFacts, save_facts
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.audit import AUDIT, check_options
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.doctor import facts_file
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.record import record_request
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.sheet import run_sheet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backup import write_backup
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

PNG = b"\x89PNG\r\n\x1a\n"
OTHER_USER = 65534


def link_of_another(link: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create a link that belongs to another user than that of the process."""
    link.symlink_to(target)
    if os.getuid() == 0:
        os.chown(link, OTHER_USER, OTHER_USER, follow_symlinks=False)
    else:
        user = os.getuid() + 1
        replace_os(monkeypatch, geteuid=lambda: user)


def sheet(dest: Path) -> object:
    params = {"devices": [{"device": "081200000001", "name": "Toko - kasir"}], "dest": str(dest), "clients": "^(.+?) -"}
    defaults = {"separator": "comma", "sheet": None, "return_settings": False}
    return run_sheet(ModuleInput({**params, **defaults}, {}))


def audit(dest: Path) -> object:
    defaults = {name: option.get("default") for name, option in AUDIT.items()}
    return check_options({**defaults, "dest": str(dest)})


def backup(dest: Path) -> object:
    names = ("orphans", "overwrite", "old_account_token", "devices")
    return record_request({**dict.fromkeys(names), "operation": "backup", "path": str(dest / "b.json")})


def doctor(dest: Path) -> object:
    return facts_file({"dest": str(dest / "facts.json"), "api_endpoint": "https://api.example.com"})


# Each checks its destination before any request.
MODULES: dict[str, t.Callable[[Path], object]] = {
    "sheet": sheet,
    "audit": audit,
    "backup": backup,
    "doctor": doctor,
    "picture": lambda dest: qr_image.check_dest(str(dest / "qr.png")),
}
WRITERS: dict[str, t.Callable[[Path], object]] = {
    "sheet": lambda dest: adopt.write(str(dest), {"clients/toko.yml": "a declaration"}),
    "audit": lambda dest: exports.write_files(str(dest), {"audit.txt": "a report"}),
    "backup": lambda dest: write_backup(str(dest / "b.json"), {}),
    "facts": lambda dest: save_facts(str(dest / "f.json"), "https://x.example", ServiceFacts(), "2026-11-22", "dest"),
    "picture": lambda dest: qr_image.write_image(str(dest / "qr.png"), PNG),
}


@pytest.mark.parametrize("below", ["", "above/"])
@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_link_of_another_user_is_refused_before_any_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, below: str
) -> None:
    target = tmp_path / "target"
    (target / "dest").mkdir(parents=True)
    target.chmod(0o755)
    link = tmp_path / "link"
    link_of_another(link, target, monkeypatch)
    with pytest.raises(OptionError, match=f"{link} is a symbolic link of another user") as caught:
        MODULES[name](link / "dest" if below else link)
    assert str(caught.value).startswith(f"Option {'path' if name == 'backup' else 'dest'}: ")
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    assert [path.name for path in target.rglob("*")] == ["dest"]


def test_link_of_another_user_as_clients_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dest, target = tmp_path / "dest", tmp_path / "target"
    dest.mkdir()
    target.mkdir()
    link_of_another(dest / "clients", target, monkeypatch)
    with pytest.raises(OptionError, match=f"{dest}/clients is a symbolic link of another user"):
        sheet(dest)
    assert os.listdir(target) == []


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_link_of_another_user_created_after_the_check_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    link_of_another(tmp_path / "dest", target, monkeypatch)
    with pytest.raises(FonnteError, match="symbolic link of another user"):
        WRITERS[name](tmp_path / "dest")
    assert os.listdir(target) == [] and stat.S_IMODE(target.stat().st_mode) == 0o755


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_link_of_the_same_user_is_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "a" / "target").mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "dest").symlink_to("../absolute/./target")
    WRITERS[name](tmp_path / "absolute" / "dest")
    assert len(os.listdir(tmp_path / "a" / "target")) == 1


def test_directory_replaced_while_an_image_is_written_has_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, moved, target = tmp_path / "folder", tmp_path / "moved", tmp_path / "target"
    folder.mkdir()
    target.mkdir()
    real = qr_image.remove_stale_temp_files

    def replace(*given: t.Any) -> None:
        real(*given)
        folder.rename(moved)
        folder.symlink_to(target)

    monkeypatch.setattr(qr_image, "remove_stale_temp_files", replace)
    qr_image.write_image(str(folder / "qr.png"), PNG)
    assert os.listdir(target) == [] and os.listdir(moved) == ["qr.png"]


def test_endless_links_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OptionError, match="cannot be opened"):
        audit(tmp_path / "loop")


def test_parent_directory_without_list_permission_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "home" / "dest").mkdir(parents=True)
    (tmp_path / "home").chmod(0o311)
    try:
        write_backup(str(tmp_path / "home" / "dest" / "b.json"), {})
    finally:
        (tmp_path / "home").chmod(0o755)
    assert os.listdir(tmp_path / "home" / "dest") == ["b.json"]


@pytest.mark.parametrize("path", ["~/state.json", "/srv/~/.ansible/state.json", "~"])
def test_path_below_missing_home_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Playbooks put the working directory before a "~" that could not be replaced, as in a pod without a home."""
    monkeypatch.setenv("HOME", "~")
    with pytest.raises(OptionError, match="^Option dest: .* needs a home directory, .*; set HOME, or name a path "):
        check_destination("dest", path)
    check_destination("dest", "/srv/state~/~x")
    monkeypatch.setenv("HOME", "/home/you")
    check_destination("dest", path)


@pytest.mark.parametrize(("limit", "wanted"), [(100, b"one two"), (7, b"one two"), (5, b"one t")])
def test_file_is_read_whole_or_up_to_the_limit(monkeypatch: pytest.MonkeyPatch, limit: int, wanted: bytes) -> None:
    """Some file systems return less than a whole file."""
    read, write = os.pipe()
    os.write(write, b"one two")
    os.close(write)
    few = os.read
    replace_os(monkeypatch, read=lambda descriptor, size: few(descriptor, min(size, 2)))
    assert read_descriptor(read, limit) == wanted
    with pytest.raises(OSError):
        os.fstat(read)
