# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new account token does not orphan the creation entries that were written under the old one."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleResult
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.files import EncryptedFile
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

OLD_TOKEN = "the-token-that-was-replaced"
AT = "2026-11-22T09:00:00Z"
A, B, C = "081200000001", "081200000002", "081200000003"
BEGUN = NumberRecord("creating", AT, {"webhook": "https://client-a.example.com/secret"})
DELETED = NumberRecord("deleted", AT)


@pytest.fixture
def rotated(controller: Controller) -> Controller:
    """A control node whose account has a new token since the last run."""
    entry(controller, OLD_TOKEN, A).save(BEGUN)
    entry(controller, OLD_TOKEN, B).save(DELETED)
    return controller


def entry(controller: Controller, token: str, number: str) -> EncryptedFile[NumberRecord]:
    return RecordStore(str(controller.records), controller.sandbox.url).number(token, number)


def new(controller: Controller, number: str) -> EncryptedFile[NumberRecord]:
    return entry(controller, controller.sandbox.account_token, number)


def migrate(controller: Controller, check: bool = False, **params: t.Any) -> ModuleResult:
    report = controller.run("record", check, operation="migrate", **{"old_account_token": OLD_TOKEN, **params})
    # The request with the new token is the only one, and the sandbox refuses each other token.
    assert OLD_TOKEN not in str(report) and [call["path"] for call in controller.sandbox.journal()] == ["/get-devices"]
    controller.sandbox.clear_journal()
    return report


def files(controller: Controller) -> dict[str, bytes]:
    return {name: text for name, text in controller.record_files().items() if not name.endswith(".lock")}


def test_entries_are_migrated_to_the_new_token_and_old_files_removed(rotated: Controller) -> None:
    before = files(rotated)
    expected = migrate(rotated, True).result
    assert files(rotated) == before and expected["changed"]
    done = migrate(rotated).result
    for key in ("changed", "changed_files", "changed_devices", "kept", "missing"):
        assert done[key] == expected[key], key
    assert done["changed_devices"] == [A, B] and len(done["changed_files"]) == 4
    assert new(rotated, A).read() == BEGUN and new(rotated, B).read() == DELETED
    assert set(files(rotated)) == {new(rotated, A).name, new(rotated, B).name}
    again = migrate(rotated).result
    assert not again["changed"] and again["changed_files"] == []


def test_interrupted_creation_is_continued_after_a_migration(rotated: Controller) -> None:
    """The device exists: the settings of the interrupted creation are in doubt, and are sent with the update."""
    rotated.device(A, name="Toko")
    os.unlink(new(rotated, A).path)
    for path in rotated.records.glob("device-*"):
        path.unlink()
    store = RecordStore(str(rotated.records), rotated.sandbox.url)
    device_file = store.device(rotated.sandbox.device(A)["token"]).name
    entry(rotated, OLD_TOKEN, A).save(replace(BEGUN, device_file=device_file, is_bound=True))
    rotated.sandbox.clear_journal()
    migrate(rotated)
    rotated.device(A, name="Toko Dua")
    assert rotated.sandbox.device(A)["settings"]["webhook"] == BEGUN.sent["webhook"]


def test_only_the_named_numbers_are_migrated(rotated: Controller) -> None:
    result = migrate(rotated, devices=["+62 812-0000-0002", C]).result
    assert result["changed_devices"] == [B] and result["missing"] == [C]
    assert entry(rotated, OLD_TOKEN, A).read() == BEGUN and new(rotated, A).read() is None


def test_entry_written_with_the_new_token_is_kept(rotated: Controller) -> None:
    newer = NumberRecord("present", AT, {}, "device-" + "0" * 32)
    new(rotated, A).save(newer)
    report = migrate(rotated)
    assert report.result["kept"] == [entry(rotated, OLD_TOKEN, A).name] and report.result["changed_devices"] == [B]
    assert new(rotated, A).read() == newer and "They are not used any more" in report.warnings[-1]


def test_entry_changed_during_the_migration_is_migrated_in_its_new_state(
    rotated: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run with the old token ends while the migration waits for its lock."""
    present = NumberRecord("present", AT, {}, "device-0123456789abcdef0123456789abcdef")
    lock = EncryptedFile.lock
    ended: list[str] = []

    def end_first(file: EncryptedFile[t.Any], seconds: float) -> t.ContextManager[None]:
        if not ended:
            ended.append(file.name)
            entry(rotated, OLD_TOKEN, A).save(present)
        return lock(file, seconds)

    monkeypatch.setattr(EncryptedFile, "lock", end_first)
    report = migrate(rotated, devices=[A])
    assert new(rotated, A).load()[0] is None and entry(rotated, OLD_TOKEN, A).load()[0] == present
    assert not report.result["changed"] and any("Run it again" in warning for warning in report.warnings)
    again = migrate(rotated, devices=[A])
    assert again.result["changed"] and again.warnings == []
    assert new(rotated, A).load()[0] == present and entry(rotated, OLD_TOKEN, A).load()[0] is None


def test_interrupted_migration_is_completed(rotated: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: RecordDirectory, name: str) -> t.NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(RecordDirectory, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        migrate(rotated)
    monkeypatch.undo()
    rotated.sandbox.clear_journal()
    assert new(rotated, A).read() == entry(rotated, OLD_TOKEN, A).read() == BEGUN
    assert migrate(rotated).result["kept"] == []
    assert entry(rotated, OLD_TOKEN, A).read() is None and new(rotated, A).read() == BEGUN


def test_backup_written_with_the_old_token_is_restored_and_migrated(rotated: Controller, tmp_path: Path) -> None:
    path = str(tmp_path / "backup.json")
    rotated.run("record", operation="backup", path=path)
    for name in files(rotated):
        (rotated.records / name).unlink()
    rotated.run("record", operation="restore", path=path)
    rotated.sandbox.clear_journal()
    migrate(rotated)
    assert new(rotated, A).read() == BEGUN and new(rotated, B).read() == DELETED


def test_unknown_new_token_changes_nothing(rotated: Controller) -> None:
    before = files(rotated)
    with pytest.raises(FonnteError, match="Listing the account's devices"):
        migrate(rotated, account_token="a-token-with-a-mistake")
    assert files(rotated) == before


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"old_account_token": None}, "it is not set, and operation is migrate"),
        ({"old_account_token": ""}, "it is empty"),
        ({"operation": "backup", "path": "/x"}, "it has no meaning, since operation is backup"),
        ({"account_token": None, "device_token": "token"}, "there is no new token to migrate to"),
        ({"account_token": OLD_TOKEN}, "it is the same as account_token"),
        ({"path": "/x"}, "it has no meaning, since operation is migrate"),
    ],
)
def test_invalid_option_is_refused_before_any_request(controller: Controller, params: t.Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        controller.run("record", **{"operation": "migrate", "old_account_token": OLD_TOKEN, **params})
    assert controller.sandbox.journal() == [] and not controller.records.exists()
