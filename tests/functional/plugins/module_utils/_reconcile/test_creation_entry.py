# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The creation entry of a number: its values are sent only to the device that this creation has created."""

from __future__ import annotations

import typing as t
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common import clock as _clock
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import now_text
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    FonnteError,
    PolicyError,
    ResponseLostError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile import engine as _engine
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.files import EncryptedFile
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

A, A_ABROAD = "081111111111", "6281111111111"
URL = "https://first.example.com/hook?key=s3cret"
STATUS = "https://first.example.com/status?key=s3cret"
OTHER = "https://second.example.com/hook?key=s3cret"
FIRST: dict[str, t.Any] = {"name": "Toko Satu", "personal": True, "webhook": URL, "webhook_status": STATUS}
HOOKS = ("webhook", "webhook_connect", "webhook_status", "webhook_chaining")
ALL: dict[str, t.Any] = {
    "personal": True,
    "group": False,
    "quick": False,
    "resend": False,
    "webhook": URL,
    "webhook_status": STATUS,
    "webhook_connect": "",
    "webhook_chaining": "",
}


def store(controller: Controller) -> RecordStore:
    return RecordStore(str(controller.records), controller.sandbox.url)


def entry(controller: Controller) -> EncryptedFile[NumberRecord]:
    return store(controller).number(controller.sandbox.account_token, A)


def unavailable(controller: Controller, path: str, when: str = "before") -> None:
    """Have the service fail each request to a path."""
    controller.sandbox.fault("status", path=path, code=503, when=when, times=None)


def created_halfway(controller: Controller, when: str = "update", **more: t.Any) -> bytes:
    """Begin the creation of the first device, and return a copy of its entry as an attacker could take it."""
    if when == "update":
        unavailable(controller, "/update-device")
    else:
        # The response is lost, and so are all later ones.
        controller.sandbox.fault("reset", path="/add-device", at="start", when="after")
        controller.sandbox.fault("status", path="/get-devices", code=503, when="before", skip=1, times=None)
    with pytest.raises(FonnteError):
        controller.device(A, **{**FIRST, **more})
    controller.sandbox.clear_faults()
    found = entry(controller).read()
    assert found is not None and found.state == "creating"
    return entry(controller).encrypted() or b""


def put_back(controller: Controller, copy: bytes) -> None:
    Path(entry(controller).path).write_bytes(copy)


def sent(controller: Controller, number: str) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], controller.sandbox.device(number)["settings"])


def has_nothing_of_the_first(controller: Controller, number: str) -> bool:
    settings = sent(controller, number)
    return URL not in settings.values() and STATUS not in settings.values()


def recreate(controller: Controller, **settings: t.Any) -> None:
    """Delete the first device in the dashboard, and create another one with its number for another client."""
    controller.sandbox.purge(A)
    controller.device(A, **{"name": "Toko Dua", **settings})


WHEN = pytest.mark.parametrize("when", ["update", "add"])


@WHEN
@pytest.mark.parametrize("policy", ["recorded", "stamped"])
@pytest.mark.parametrize("own", [{}, {"webhook": OTHER}], ids=["bare", "with a webhook"])
def test_old_entry_sends_nothing_to_the_next_device_of_the_number(
    controller: Controller, when: str, policy: str, own: dict[str, t.Any]
) -> None:
    """With a record and a stamp of this device, or without."""
    copy = created_halfway(controller, when)
    recreate(controller, handle_write_only=policy, **own)
    put_back(controller, copy)
    predicted = controller.device(A, True, name="Toko Tiga", handle_write_only=policy)
    report = controller.device(A, name="Toko Tiga", handle_write_only=policy)
    assert has_nothing_of_the_first(controller, A) and sent(controller, A)["webhook"] == own.get("webhook", "")
    for key in ("changed_fields", "reasons", "carried", "at_risk", "diff"):
        assert predicted.result[key] == report.result[key], key


@WHEN
def test_old_entry_sends_nothing_to_a_device_without_a_record(controller: Controller, when: str) -> None:
    copy = created_halfway(controller, when)
    controller.sandbox.purge(A)
    controller.sandbox.reset(
        accounts=[{"token": controller.sandbox.account_token, "devices": [{"number": A, "name": "Toko Dua"}]}]
    )
    put_back(controller, copy)
    report = controller.device(A, name="Toko Tiga")
    assert has_nothing_of_the_first(controller, A) and report.result["carried"] == {}
    assert "webhook" in report.result["at_risk"]


@WHEN
def test_old_entry_sends_nothing_to_another_spelling_of_the_number(controller: Controller, when: str) -> None:
    copy = created_halfway(controller, when)
    controller.sandbox.purge(A)
    controller.device(A_ABROAD, name="Toko Dua")
    put_back(controller, copy)
    controller.device(A_ABROAD, name="Toko Tiga")
    assert has_nothing_of_the_first(controller, A_ABROAD)


@WHEN
def test_restored_backup_sends_nothing_to_the_next_device(controller: Controller, when: str, tmp_path: Path) -> None:
    copy = created_halfway(controller, when)
    recreate(controller)
    genuine = entry(controller).encrypted() or b""
    put_back(controller, copy)
    backup = str(tmp_path / "backup.json")
    controller.run("record", operation="backup", path=backup)
    put_back(controller, genuine)
    controller.run("record", operation="restore", path=backup, overwrite=True)
    controller.device(A, name="Toko Tiga")
    assert has_nothing_of_the_first(controller, A)


@WHEN
@pytest.mark.parametrize("policy", ["handle_unknown", "handle_write_only"])
def test_recent_entry_of_another_device_relaxes_no_policy(controller: Controller, when: str, policy: str) -> None:
    copy = created_halfway(controller, when)
    controller.sandbox.reset(
        accounts=[{"token": controller.sandbox.account_token, "devices": [{"number": A, "name": "Toko Dua"}]}]
    )
    put_back(controller, copy)
    with pytest.raises(PolicyError):
        controller.device(A, name="Toko Tiga", webhook_connect=OTHER, **{policy: "error"})
    assert controller.sandbox.writes() == []


def test_interrupted_creation_sends_nothing_to_a_device_from_the_dashboard(controller: Controller) -> None:
    """Without an attacker: the account has both spellings, and they share one entry."""
    controller.sandbox.set_readings(add_number="verbatim")
    created_halfway(controller)
    first = controller.sandbox.device(A)["token"]
    both = [
        {"number": A, "name": "Toko Satu", "token": first},
        {"number": A_ABROAD, "name": "Toko Dua", "webhook": OTHER},
    ]
    controller.sandbox.reset(
        readings={"add_number": "verbatim"}, accounts=[{"token": controller.sandbox.account_token, "devices": both}]
    )
    controller.device(A_ABROAD, name="Toko Tiga", webhook_status=OTHER)
    assert has_nothing_of_the_first(controller, A_ABROAD)
    # The creation of the first one is pending, and is continued.
    again = controller.device(A, name="Toko Satu Baru")
    assert sent(controller, A)["webhook"] == URL and sent(controller, A)["webhookstatus"] == STATUS
    assert "webhook" not in again.result["at_risk"]


def test_entry_is_bound_before_the_next_request(controller: Controller) -> None:
    copy = created_halfway(controller)
    device_file = store(controller).device(controller.sandbox.device(A)["token"])
    found = entry(controller).decrypt(copy)
    assert found.is_creation_of(device_file.name) and not found.is_creation_of("device-" + "0" * 32)
    assert controller.device(A, **FIRST).result["operations"] == ["update"]
    ended = entry(controller).read()
    assert ended is not None and (ended.state, ended.device_file, ended.is_bound) == (
        "present",
        device_file.name,
        False,
    )


def test_bound_creation_continues_with_settings_that_another_task_does_not_declare(controller: Controller) -> None:
    created_halfway(controller)
    store(controller).device(controller.sandbox.device(A)["token"]).remove()
    report = controller.device(A, name="Toko Baru")
    assert sent(controller, A)["webhook"] == URL and sent(controller, A)["personal"] is True
    assert set(report.result["carried"]) >= {"webhook", "webhook_status", "personal"}


@pytest.mark.parametrize("days", [0, 400, -400])
def test_policy_applies_to_an_interrupted_creation_at_any_time(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """Another task must not reset settings that others may have set since; the interrupted task may complete."""
    created_halfway(controller)
    later = _clock.now() + timedelta(days=days)
    monkeypatch.setattr(_engine, "now", lambda: later)
    for task in ({"name": "Toko Baru"}, {**FIRST, "webhook": OTHER}, {**FIRST, "quick": True}):
        with pytest.raises(PolicyError, match="may reset settings"):
            controller.device(A, handle_unknown="error", **task)
    assert controller.device(A, True, name="Toko Baru").result["at_risk"]
    report = controller.device(A, handle_unknown="error", handle_write_only="error", **FIRST)
    assert report.result["operations"] == ["update"] and report.result["at_risk"]
    assert any("may reset settings" in warning for warning in report.warnings)


@pytest.mark.parametrize("policies", [{}, {"handle_unknown": "error", "handle_write_only": "error"}])
@WHEN
def test_same_task_continues_its_creation(controller: Controller, when: str, policies: dict[str, t.Any]) -> None:
    """After a lost response too; then its declarations cover everything that is unknown."""
    created_halfway(controller, when, **ALL, **policies)
    predicted = controller.device(A, True, **{**FIRST, **ALL}, **policies)
    report = controller.device(A, **{**FIRST, **ALL}, **policies)
    assert sent(controller, A)["webhook"] == URL and sent(controller, A)["personal"] is True
    for key in ("changed_fields", "reasons", "carried", "at_risk", "diff"):
        assert predicted.result[key] == report.result[key], key
    assert not controller.device(A, **{**FIRST, **ALL}, **policies).result["changed"]


def test_declared_value_is_sent_after_a_lost_response_and_undeclared_is_not(controller: Controller) -> None:
    created_halfway(controller, "add")
    report = controller.device(A, name="Toko Satu", webhook=OTHER)
    assert report.result["reasons"]["webhook"] == "in_doubt" and report.result["carried"] == {}
    assert "webhook_status" in report.result["at_risk"]
    assert sent(controller, A)["webhook"] == OTHER and sent(controller, A)["webhookstatus"] == ""


def test_entry_of_an_earlier_release_is_bound_to_no_device(controller: Controller) -> None:
    """It names the record of the device that had the number before, not of the created one."""
    controller.device(A, name="Toko Dua")
    device_file = store(controller).device(controller.sandbox.device(A)["token"])
    device_file.remove()
    entry(controller).save(NumberRecord("creating", now_text(), {"webhook": URL}, device_file.name))
    controller.device(A, name="Toko Tiga")
    assert has_nothing_of_the_first(controller, A)


def test_lost_response_with_a_policy_does_not_claim_that_nothing_changed(controller: Controller) -> None:
    controller.sandbox.fault("reset", path="/add-device", at="start", when="after")
    with pytest.raises(ResponseLostError, match="a policy or safety limit forbids the rest") as caught:
        controller.device(A, **FIRST, handle_unknown="error")
    assert (
        "nothing was changed" not in str(caught.value) and "webhook_connect" in caught.value.partial_result["at_risk"]
    )
    assert A in controller.sandbox.devices() and has_nothing_of_the_first(controller, A)
