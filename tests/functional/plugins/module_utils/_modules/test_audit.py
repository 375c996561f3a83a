# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module fonnte_audit against the sandbox: its reads, its output, and its failures."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import now_text
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.last_events import LastEvents
from ansible_collections.fonnte.whatsapp.tests.conformance.prometheus_text import parse, value
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller

NUMBERS = [f"08120000000{index}" for index in range(1, 5)]
URL = "https://user:pw@hooks.example.com/s3cr3t-path?key=s3cr3t"


def declared(**more: t.Any) -> list[dict[str, t.Any]]:
    """Return three declared devices. Those with a webhook have the settings that Fonnte needs to call it."""
    chats = {"autoread": True, "personal": True} if "webhook" in more else {}
    return [{"device": number, "name": f"Toko {index}", **chats, **more} for index, number in enumerate(NUMBERS[:3])]


@pytest.fixture
def account(controller: Controller) -> Controller:
    """Return a control node with three declared devices, one of them edited manually, and an undeclared one."""
    token = controller.sandbox.account_token
    controller.sandbox.reset(accounts=[{"token": token, "plan": "Super", "devices": [{"number": NUMBERS[3]}]}])
    controller.run("fleet", devices=declared(webhook=URL), handle_unknown="ignore")
    for number in NUMBERS[:3]:
        controller.sandbox.link(number)
    controller.sandbox.edit(NUMBERS[0], name="Lain")
    controller.sandbox.clear_journal()
    return controller


def kinds(result: dict[str, t.Any]) -> list[tuple[str | None, str, str | None]]:
    return [(found["device"], found["kind"], found["field"]) for found in result["findings"]]


@pytest.mark.parametrize("check", [True, False])
def test_audit_reads_the_list_once_and_writes_only_its_report(account: Controller, tmp_path: Path, check: bool) -> None:
    before, world = account.record_files(), account.sandbox.state()["accounts"]
    times = {path.name: path.stat().st_mtime_ns for path in account.records.iterdir()}
    report = account.run("audit", check, devices=declared(webhook=URL), dest=str(tmp_path / "report"))
    assert [call["path"] for call in account.sandbox.journal()] == ["/get-devices"]
    assert account.record_files() == before and account.sandbox.state()["accounts"] == world
    assert {path.name: path.stat().st_mtime_ns for path in account.records.iterdir()} == times
    assert not report.result["changed"] and report.warnings == []
    assert kinds(report.result) == [
        (NUMBERS[0], "drift", "name"),
        (NUMBERS[3], "unlisted", None),
    ]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "audit.csv",
        "audit.html",
        "audit.json",
        "audit.txt",
    ]
    assert report.result["text"] == (tmp_path / "report" / "audit.txt").read_text(encoding="utf-8")


def test_last_events_are_evidence(account: Controller, tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    events = LastEvents("2020-01-01T00:00:00Z")
    events.record("6281200000001", "incoming", "2020-02-01T00:00:00Z")
    events.record("6281200000002", "incoming", now_text())
    path.write_bytes(events.encode())
    report = account.run("audit", devices=declared(webhook=URL), last_events=str(path), dest=str(tmp_path / "report"))
    assert [number for number, kind, _field in kinds(report.result) if kind == "no_events"] == [NUMBERS[0], NUMBERS[2]]
    data = json.loads((tmp_path / "report" / "audit.json").read_text(encoding="utf-8"))
    assert [one["last_event"] and one["last_event"]["kind"] for one in data["devices"]] == ["incoming"] * 2 + [None] * 2
    assert data["limits"]["no_events_for"] == 7 and report.result["summary"]["kinds"]["no_events"] == 2
    long = account.run("audit", devices=declared(webhook=URL), last_events=str(path), no_events_for=36500)
    assert long.result["summary"]["kinds"]["no_events"] == 0
    with pytest.raises(FonnteError, match="no_events: 2"):
        account.run("audit", devices=declared(webhook=URL), last_events=str(path), fail_on=["no_events"])


@pytest.mark.parametrize("content", [None, "{}", "fleet_devices: []"])
def test_invalid_file_of_last_events_is_refused_before_any_request(
    account: Controller, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "last.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(OptionError, match="Option last_events: "):
        account.run("audit", devices=declared(webhook=URL), last_events=str(path))
    with pytest.raises(OptionError, match="Option no_events_for: "):
        account.run("audit", devices=declared(webhook=URL), no_events_for=0)
    assert account.sandbox.journal() == []


def test_title_and_owner_are_masked(account: Controller, tmp_path: Path) -> None:
    tokens = [account.sandbox.device(number)["token"] for number in NUMBERS]
    result = account.run(
        "audit",
        devices=declared(webhook=URL),
        title=f"Audit {tokens[3]}",
        contact=f"Ani {tokens[3]}",
        style=f"/* {tokens[2]} */",
        owners={NUMBERS[0]: f"Ani {account.sandbox.account_token}", NUMBERS[1]: tokens[2]},
        dest=str(tmp_path / "report"),
    ).result
    shown = [path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()] + [json.dumps(result)]
    assert len(shown) == 5
    for text in shown:
        assert not any(token in text for token in [*tokens, account.sandbox.account_token])


def test_files_contain_no_secret(account: Controller, tmp_path: Path) -> None:
    tokens = [account.sandbox.device(number)["token"] for number in account.sandbox.devices()]
    account.sandbox.edit(NUMBERS[1], name=account.sandbox.device(NUMBERS[1])["token"])
    account.run("audit", devices=declared(webhook=URL + "2", quick=True), dest=str(tmp_path / "report"))
    written = sorted((tmp_path / "report").iterdir())
    assert [path.name for path in written] == ["audit.csv", "audit.html", "audit.json", "audit.txt"]
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert not any(secret in text for secret in [*tokens, account.sandbox.account_token, "s3cr3t", "user:pw"])
        assert path.suffix == ".txt" or "https://hooks.example.com/…#" in text


def test_new_control_node_has_more_unknown_settings(account: Controller, tmp_path: Path) -> None:
    found = account.run("audit", devices=declared(webhook=URL), record_path=str(tmp_path / "new")).result
    assert [kind for _device, kind, _field in kinds(found)] == ["drift", *["unknown"] * 6, "unlisted"]
    assert not (tmp_path / "new").exists()


def test_stamps_are_evaluated(account: Controller, tmp_path: Path) -> None:
    account.run("fleet", devices=declared(webhook=URL), handle_unknown="ignore", handle_write_only="stamped")
    elsewhere = {"record_path": str(tmp_path / "new"), "handle_write_only": "stamped"}
    found = account.run("audit", devices=declared(webhook=URL), **elsewhere).result
    assert [kind for _device, kind, _field in kinds(found)] == ["unlisted"]


def test_only_findings_in_fail_on_are_failures(account: Controller, tmp_path: Path) -> None:
    audit: dict[str, t.Any] = {"devices": declared(webhook=URL, quick=True)}
    allowed = account.run("audit", **audit, fail_on=["missing", "disconnected", "package_ended"])
    assert {"drift", "unknown"} <= {kind for _device, kind, _field in kinds(allowed.result)}
    with pytest.raises(FonnteError) as fault:
        account.run("audit", **audit, fail_on=["unknown"], dest=str(tmp_path / "report"))
    assert str(fault.value) == (
        "Auditing the account: there are findings that fail_on names (unknown: 3); read "
        f"{tmp_path / 'report' / 'audit.html'}."
    )
    assert fault.value.partial_result["files"] and (tmp_path / "report" / "audit.html").exists()
    with pytest.raises(FonnteError, match="unlisted: 1.; read findings in the result"):
        account.run("audit", **audit, fail_on=["unlisted"])


def test_file_names_can_be_chosen(account: Controller, tmp_path: Path) -> None:
    names = {"html": "laporan.html", "json": "", "csv": "", "txt": ""}
    page = {"contact": "Ani\u202e <Budi>", "style": ":root{--accent:red}"}
    result = account.run(
        "audit", devices=[], dest=str(tmp_path / "r"), language="id", title="Milik <Ani>", **names, **page
    )
    assert result.result["files"] == {"html": str(tmp_path / "r" / "laporan.html")}
    text = (tmp_path / "r" / "laporan.html").read_text(encoding="utf-8")
    assert '<html lang="id">' in text and "Milik &lt;Ani&gt;" in text
    assert "hubungi <bdi>Ani\ufffd &lt;Budi&gt;</bdi>." in text and ":root{--accent:red}</style>" in text
    assert account.run("audit", devices=[]).result["files"] == {}


@pytest.mark.parametrize("check", [True, False])
def test_metrics_are_written_without_a_secret(account: Controller, tmp_path: Path, check: bool) -> None:
    """Neither a name that is a token nor a webhook is in the file, and no other file is needed."""
    tokens = [account.sandbox.device(number)["token"] for number in account.sandbox.devices()]
    account.sandbox.edit(NUMBERS[1], name=tokens[1])
    account.sandbox.edit(NUMBERS[2], quota=7)
    account.sandbox.unlink(NUMBERS[2])
    path = tmp_path / "fonnte.prom"
    result = account.run("audit", check, devices=declared(webhook=URL), prom=str(path)).result
    assert result["files"] == {"prom": str(path)} and list(tmp_path.glob("*.*")) == [path]
    text = path.read_text(encoding="utf-8")
    assert not any(secret in text for secret in [*tokens, account.sandbox.account_token, "s3cr3t", "user:pw", "http"])
    found = parse(text)
    links = {number: value(found, "fonnte_device_linked", device=number) for number in NUMBERS}
    assert links == {NUMBERS[0]: 1, NUMBERS[1]: 1, NUMBERS[2]: 0, NUMBERS[3]: 0}
    assert value(found, "fonnte_device_quota", report="fonnte", device=NUMBERS[2]) == 7
    assert value(found, "fonnte_audit_findings", kind="drift") == result["summary"]["kinds"]["drift"] == 2
    assert abs((value(found, "fonnte_audit_timestamp_seconds") or 0) - time.time()) < 3600
    assert (value(found, "fonnte_audit_duration_seconds") or 0) > 0


@pytest.mark.parametrize("name", ["none/audit.prom", "audit.txt"])
def test_metrics_that_cannot_be_written_are_found_before_a_request(
    account: Controller, tmp_path: Path, name: str
) -> None:
    with pytest.raises(OptionError, match="Option prom"):
        account.run("audit", devices=declared(), prom=str(tmp_path / name))
    assert account.sandbox.journal() == []


def test_failed_audit_keeps_the_last_metrics(account: Controller, tmp_path: Path) -> None:
    path = tmp_path / "audit.prom"
    path.write_text("last\n")
    account.sandbox.fault("html", path="/get-devices", code=503, times=None)
    with pytest.raises(FonnteError):
        account.run("audit", devices=declared(), prom=str(path))
    assert path.read_text() == "last\n"


def test_owners_and_defaults(account: Controller, tmp_path: Path) -> None:
    owners = {"+62 812-0000-0001": "PT Satu", "081200000004": None}
    account.run("audit", devices=declared(), defaults={"quick": True}, owners=owners, dest=str(tmp_path))
    data = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert [device["owner"] for device in data["devices"]] == ["PT Satu", "", "", ""]
    assert all("quick" in [found["field"] for found in device["findings"]] for device in data["devices"][:3])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"owners": {"0812": "x"}}, "Option owners: it has 4 digits"),
        ({"owners": {NUMBERS[0]: "x", "62" + NUMBERS[0][1:]: "y"}}, "has two owners"),
        ({"dest": ""}, "Option dest: it is empty"),
        ({"dest": "/dev/null/x"}, "Option dest: /dev/null is not a directory"),
        ({"html": "../x"}, "Option html: it is not the name of a file"),
        ({"style": "</style><b>"}, "Option style: it contains < or NUL"),
        ({"style": "b{}\0"}, "Option style: it contains < or NUL"),
        ({"expires_within": -1}, "Option expires_within: -1 is out of range"),
        ({"concurrency": 0}, "Option concurrency"),
        ({"devices": [{"device": NUMBERS[0]}, {"device": "62" + NUMBERS[0][1:]}]}, "are one device"),
        ({"record_max_age": "x"}, "Option"),
    ],
)
def test_invalid_options_are_refused_before_any_request(
    account: Controller, options: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(OptionError) as fault:
        account.run("audit", **{"devices": declared(), **options})
    assert words in str(fault.value) and account.sandbox.journal() == []


def test_each_device_is_requested_without_an_account_token(account: Controller) -> None:
    token = account.sandbox.device(NUMBERS[0])["token"]
    devices = [{"device": NUMBERS[0], "device_token": token, "name": "Toko 0"}, {"device_token": "wrong-token"}]
    result = account.run("audit", devices=devices, account_token=None).result
    assert [kind for _device, kind, _field in kinds(result)] == ["drift", *["no_longer_declared"] * 3, "not_checked"]
    assert result["summary"]["listed"] is None and result["summary"]["free_devices"] is None
    assert "wrong-token" not in json.dumps(result)


def test_missing_device_without_a_name_is_a_finding(account: Controller) -> None:
    result = account.run("audit", devices=[{"device": "081200000099"}]).result
    assert ("081200000099", "missing", "device") in kinds(result)


def test_damaged_record_is_reported(account: Controller) -> None:
    for path in account.records.glob("device-*"):
        if path.is_file() and not path.name.endswith(".lock"):
            path.write_bytes(b"x")
    report = account.run("audit", devices=declared(webhook=URL))
    assert len(report.warnings) == 3 and report.result["summary"]["kinds"]["unknown"] == 6


def test_unavailable_service_is_one_error(account: Controller, tmp_path: Path) -> None:
    account.sandbox.fault("status", path="/get-devices", code=503)
    with pytest.raises(FonnteError) as fault:
        account.run("audit", devices=declared(), dest=str(tmp_path / "r"), api_retries=0)
    assert str(fault.value).startswith("Auditing the account: ") and not (tmp_path / "r").exists()


def test_undeclared_device_with_an_equivalent_number_is_a_finding(controller: Controller, tmp_path: Path) -> None:
    devices = [{"number": "0811111111", "name": "shop A"}, {"number": "62811111111", "name": "bank B"}]
    controller.sandbox.reset(accounts=[{"token": controller.sandbox.account_token, "devices": devices}])
    declared = [{"device": "0811111111", "name": "shop A"}]
    owners = {"0811111111": "Client A"}
    found = controller.run("audit", devices=declared, owners=owners, dest=str(tmp_path / "report")).result
    assert [one for one in kinds(found) if one[1] == "unlisted"] == [("62811111111", "unlisted", None)]
    # It does not belong to the client.
    devices = json.loads((tmp_path / "report" / "audit.json").read_text(encoding="utf-8"))["devices"]
    assert {one["device"]: one["owner"] for one in devices} == {"0811111111": "Client A", "62811111111": ""}


def test_delivery_risks_are_the_same_in_check_mode_and_are_no_warnings(account: Controller) -> None:
    devices = [
        {"device": NUMBERS[0], "name": "Toko 0", "webhook": "https://n8n.local/s3cr3t", "personal": False},
        {"device": NUMBERS[1], "name": "Toko 1", "webhook": URL, "webhook_status": URL},
    ]
    results = [account.run("audit", check, devices=devices, unlisted="ignore") for check in (True, False)]
    assert results[0].result["findings"] == results[1].result["findings"] and results[0].warnings == []
    found = [one for one in results[0].result["findings"] if one["kind"] == "delivery_risk"]
    assert [(one["device"], one["field"], one["reason"], one["found"]) for one in found] == [
        (NUMBERS[0], "personal", "incoming_off", "personal"),
        (NUMBERS[0], "webhook", "local_host", "webhook"),
        (NUMBERS[1], "webhook", "shared_url", "webhook, webhook_status"),
    ]
    assert "s3cr3t" not in json.dumps(results[0].result)
    with pytest.raises(FonnteError, match="delivery_risk: 3"):
        account.run("audit", devices=devices, fail_on=["delivery_risk"])


# --- receivers ----------------------------------------------------------------------------------------------------


def sinks(account: Controller) -> list[dict[str, t.Any]]:
    """Return declared devices whose webhooks are sinks: an accepting one of two devices, and a failing one."""
    account.sandbox.sink_answers("broken", 500, times=9)
    good, bad = (f"{account.sandbox.sink_url(name)}/s3cr3t?key=s3cr3t" for name in ("good", "broken"))
    hooks = [{"webhook": good}, {"webhook": good, "webhook_connect": bad, "webhook_status": bad}, {}]
    return [{**device, **hook} for device, hook in zip(declared(), hooks, strict=True)]


def test_receivers_are_checked_on_request_only(account: Controller, tmp_path: Path) -> None:
    devices = sinks(account)
    for options, check in (({}, False), ({"allow_private": True}, False), ({"check_receivers": True}, True)):
        report = account.run("audit", check, devices=devices, **options)
        assert report.result["receivers"] is None
        assert [text for text in report.warnings if "check_receivers" in text] == (
            ["In check mode, no request is sent to a receiver: check_receivers has no effect."] if check else []
        )
    assert account.sandbox.sink("good") == account.sandbox.sink("broken") == []


def test_receivers_are_checked_once_with_a_request_without_a_secret(account: Controller, tmp_path: Path) -> None:
    devices = sinks(account)
    options: dict[str, t.Any] = {"check_receivers": True, "allow_private": True, "unlisted": "ignore"}
    result = account.run("audit", devices=devices, dest=str(tmp_path / "report"), **options).result
    good, bad = result["receivers"]
    assert (good["outcome"], good["status"], good["devices"]) == ("ok", 200, NUMBERS[:2])
    assert (bad["outcome"], bad["status"], bad["devices"]) == ("status", 500, NUMBERS[1:2])
    found = [one for one in result["findings"] if one["kind"] == "receiver_failed"]
    assert [(one["device"], one["field"], one["found"], one["reason"], one["declared"]) for one in found] == [
        (NUMBERS[1], "webhook_connect", 500, "status", bad["url"])
    ]
    for name in ("good", "broken"):
        (request,) = account.sandbox.sink(name)
        assert request["body"] == {"device": ""} and request["content_type"] == "application/json"
    assert "Receivers that accept events: 1 of 2." in result["text"]
    shown = {path.suffix: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}
    assert all("HTTP 500" in text and "s3cr3t" not in text for text in shown.values()) and len(shown) == 4
    assert "s3cr3t" not in json.dumps(result)
    assert json.loads(shown[".json"])["receivers"] == result["receivers"]
    assert [call["path"] for call in account.sandbox.journal()] == ["/get-devices"]
    with pytest.raises(FonnteError, match="receiver_failed: 1"):
        account.run("audit", devices=devices, fail_on=["receiver_failed"], **options)


def test_private_receiver_gets_no_request(account: Controller) -> None:
    devices = sinks(account)
    result = account.run("audit", devices=devices, check_receivers=True, language="id").result
    assert {one["outcome"] for one in result["receivers"]} == {"refused"}
    found = [one for one in result["findings"] if one["kind"] == "receiver_failed"]
    assert len(found) == 3 and all("allow_private" in one["text"] and one["found"] is None for one in found)
    assert account.sandbox.sink("good") == account.sandbox.sink("broken") == []


def test_unavailable_service_prevents_the_check_of_receivers(account: Controller) -> None:
    devices = sinks(account)
    account.sandbox.fault("status", path="/get-devices", code=503)
    with pytest.raises(FonnteError):
        account.run("audit", devices=devices, check_receivers=True, allow_private=True, api_retries=0)
    assert account.sandbox.sink("good") == []


def test_report_without_receivers_is_empty(account: Controller) -> None:
    result = account.run("audit", devices=declared(), check_receivers=True).result
    assert result["receivers"] == [] and "accept events: 0 of 0" in result["text"]
