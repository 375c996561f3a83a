# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record between two requests: bound to its device, and never a reason to lose a success."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import now_text
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import RecordError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Phase, Stored, Write
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

A, B = "081200000001", "081200000002"
URL = "https://h.example.com/a?key=s3cret"
FULL: dict[str, t.Any] = {"name": "Toko Satu", "autoread": True, "personal": True, "webhook": URL, "quick": False}


def test_creation_entry_of_another_device_is_not_used(controller: Controller) -> None:
    """An attacker swaps two files; a new name of one device must not send the webhook of the other."""
    records = RecordStore(str(controller.records), controller.sandbox.url)
    for number in (A, B):
        controller.device(number, name="Toko")
        records.device(controller.sandbox.device(number)["token"]).remove()
    first, second = (records.number(controller.sandbox.account_token, number) for number in (A, B))
    first.save(NumberRecord("creating", now_text(), {"webhook": URL}))
    second.save(NumberRecord("creating", now_text()))
    os.rename(first.path, f"{first.path}.aside")
    os.rename(second.path, first.path)
    os.rename(f"{first.path}.aside", second.path)
    report = controller.device(B, name="Toko Dua")
    assert controller.sandbox.device(B)["settings"]["webhook"] == ""
    assert any(f"contains the entry of another file, {first.name}" in warning for warning in report.warnings)
    predicted = controller.device(A, True, name="Toko Dua")
    assert any(f"contains the entry of another file, {second.name}" in warning for warning in predicted.warnings)


@pytest.mark.parametrize("failing", [Phase.CONFIRM, Phase.BEGIN])
def test_success_that_cannot_be_recorded_is_still_a_success(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, failing: Phase
) -> None:
    """The request was carried out. If it were reported as failed, the user would repeat it."""
    real = FileBackend.put

    def full(self: FileBackend, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        if phase is failing and any(call["path"] == "/update-device" for call in controller.sandbox.writes()):
            raise RecordError("the record cannot be written (No space left on device)", "free disk space")
        return real(self, writes, phase)

    monkeypatch.setattr(FileBackend, "put", full)
    report = controller.device(A, **FULL)
    assert report.result["changed"] and report.result["operations"] == ["create", "update"]
    assert sum("succeeded, but it could not be recorded" in text for text in report.warnings) == (
        failing is Phase.CONFIRM
    )
    monkeypatch.undo()
    # The pending entry from before the request remains, so nothing is claimed.
    again = controller.device(A, True, **FULL)
    assert again.result["changed"] == (failing is Phase.CONFIRM)


def test_deletion_that_cannot_be_recorded_is_still_a_deletion(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.device(A, name="Toko")
    controller.device(A, state="absent", request_otp=True)
    code = controller.sandbox.otp(A)

    real = FileBackend.put

    def full(self: FileBackend, writes: t.Sequence[Write], phase: Phase) -> dict[str, Stored]:
        if any(write.text is None for write in writes):
            raise RecordError("the record cannot be written (No space left on device)", "free disk space")
        return real(self, writes, phase)

    monkeypatch.setattr(FileBackend, "put", full)
    report = controller.device(A, state="absent", otp=code)
    assert report.result["changed"] and report.result["operations"] == ["delete"]
    assert any("succeeded, but it could not be recorded" in text for text in report.warnings)
