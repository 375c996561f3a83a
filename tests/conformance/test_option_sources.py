# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Common options: from the task, from the action group's defaults, from the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    device,
    device_info,
    device_qr,
    doctor,
    group_info,
    message,
    number_info,
    record,
    record_info,
    webhook_config,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World

NUMBER, PHONE = "081200008101", "081200008102"
HOOK = "https://hooks.example.com/defaults"


def service_facts(folder: Path, endpoint: str) -> Path:
    """Write a file of facts as the API behavior check does, and return its path."""
    path = folder / f"facts-{len(list(folder.iterdir()))}.json"
    content = {"format": 1, "endpoint": endpoint, "found_at": "2026-11-22T09:30:00Z", "facts": {"omitted": "keeps"}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_each_module_accepts_defaults_of_action_group(world: World, tmp_path: Path) -> None:
    """Every module accepts every common option, so that one module_defaults is enough for a play."""
    world.begin(there(NUMBER), there(PHONE, linked=True, package="Super"))
    elsewhere = tmp_path / "elsewhere"
    facts = service_facts(tmp_path, world.sandbox.url)
    defaults = {
        "account_token": ACCOUNT,
        "device_token": device_token(NUMBER),
        "api_endpoint": world.sandbox.url,
        "api_timeout": 9.5,
        "api_retries": 1,
        "api_retry_max_delay": 2.5,
        "validate_certs": False,
        "ca_path": DEFAULT_CA_BUNDLE_PATH,
        "record_path": str(elsewhere),
        "record_max_age": "30d",
        "service_facts_path": str(facts),
    }
    unset = {"account_token": None, "api_retries": None}
    tasks = [
        device(device=NUMBER, name="Toko Satu", quick=True, **unset),
        device(device=NUMBER, state="disconnected", **unset),
        webhook_config(device=NUMBER, webhook=HOOK, **unset),
        device_info(recorded=True, **unset),
        record_info(**unset),
        doctor(**unset),
        message(device=NUMBER, target=["081200002001"], message="hello", connect_only=False, **unset),
        device_qr(device=NUMBER, dest=str(tmp_path / "qr.png"), **unset),
        record(operation="backup", path=str(tmp_path / "backup.json"), **unset),
        group_info(device=PHONE, device_token=device_token(PHONE), refresh=True, **unset),
        number_info(device=PHONE, device_token=device_token(PHONE), numbers=["081200002001"], **unset),
    ]
    run = world.play(*tasks, defaults=defaults, env={"FONNTE_API_ENDPOINT": "https://nowhere.example.com"})
    for task, reported in zip(tasks, run.reported, strict=False):
        assert not reported.failed, f"{task}: {reported.message}"
        assert any("validate_certs" in warning for warning in reported.warnings), reported.result
    assert [reported["changed"] for reported in run.reported] == [
        True,
        False,
        True,
        False,
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert set(run.reported[3]["devices"][0]["recorded"]) >= {"quick", "webhook"}
    assert run.reported[4]["folder"] == str(elsewhere) and run.reported[4]["devices"][0]["recorded"] is True
    assert elsewhere.is_dir() and not world.player.record.exists()


def test_environment_variables_set_options(world: World, tmp_path: Path) -> None:
    """A variable sets its option, the task takes precedence, and an empty variable counts as unset."""
    world.begin(there(NUMBER))
    there_too = tmp_path / "by-environment"
    unset = {"account_token": None, "api_retries": None}
    run = world.play(
        device(device=NUMBER, name="Toko Satu", **unset),
        webhook_config(device=NUMBER, webhook=HOOK, **unset),
        device_info(**unset),
        device_info(account_token="not-this-one"),
        device(**unset),
        env={
            "FONNTE_ACCOUNT_TOKEN": ACCOUNT,
            "FONNTE_RECORD_PATH": str(there_too),
            "FONNTE_API_RETRIES": "0",
            "FONNTE_API_TIMEOUT": "",
            "FONNTE_API_RETRY_MAX_DELAY": "",
            "FONNTE_DEVICE_TOKEN": "",
        },
    )
    assert [reported.failed for reported in run.reported] == [False, False, False, True, True], [
        reported.message for reported in run.reported
    ]
    assert "unknown user" in run.reported[3].message and "device" in run.reported[4].message
    assert there_too.is_dir() and not world.player.record.exists()


@pytest.mark.weekly
def test_service_facts_path_from_environment(world: World, tmp_path: Path) -> None:
    """The variable is used, the task takes precedence, and a file that cannot be used is an error."""
    world.begin(there(NUMBER))
    right = service_facts(tmp_path, world.sandbox.url)
    other = service_facts(tmp_path, "https://another.example.com")
    run = world.play(
        device_info(),
        device_info(service_facts_path=str(right)),
        device(device=NUMBER, name="Toko Satu", service_facts_path=str(tmp_path / "missing.json")),
        env={"FONNTE_SERVICE_FACTS_PATH": str(other)},
    )
    assert [reported.failed for reported in run.reported] == [True, False, True], [
        reported.message for reported in run.reported
    ]
    assert "another.example.com" in run.reported[0].message and "fonnte.whatsapp.doctor" in run.reported[2].message
    assert world.calls() == ["/get-devices"]


def test_default_record_is_in_home(world: World) -> None:
    """The record is in ~/.ansible/fonnte if no path is set."""
    world.begin(there(NUMBER))
    reported = world.run_task(device(device=NUMBER, quick=True), env={"FONNTE_RECORD_PATH": None})
    assert reported["operations"] == ["update"]
    assert list((world.player.home / ".ansible" / "fonnte").glob("device-*"))


def test_netrc_proxies_and_ca_bundles_are_ignored_for_loopback(world: World, tmp_path: Path) -> None:
    """The requests contain the token of the task, and go directly to the loopback address."""
    world.begin(there(NUMBER))
    netrc = world.player.home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password other\n", encoding="utf-8")
    netrc.chmod(0o600)
    nowhere = "http://127.0.0.1:9"
    run = world.play(
        device(device=NUMBER, name="Toko Satu"),
        device_info(),
        env={
            "http_proxy": nowhere,
            "HTTP_PROXY": nowhere,
            "ALL_PROXY": nowhere,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "missing.pem"),
            "NETRC": str(netrc),
        },
    )
    assert not any(reported.failed for reported in run.reported), [reported.message for reported in run.reported]
    assert {call["token"] for call in world.sandbox.journal()} == {ACCOUNT, device_token(NUMBER)}
