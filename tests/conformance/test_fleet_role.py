# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role fleet: its results and its refusals, with no secret in the output at the highest verbosity."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import CORES as PROGRAMS
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

SECRET = "s3cr3t-of-a-webhook"
PLAYBOOK = [{"hosts": "localhost", "gather_facts": False, "roles": [{"role": "fonnte.whatsapp.fleet"}]}]
DEVICES: list[dict[str, Any]] = [
    {"device": "081200000001", "name": "Toko Satu", "webhook": f"https://user:{SECRET}@hooks.example.com/{SECRET}"},
    {"device": "081200000002", "name": "Toko Dua", "quick": True, "autoread": False},
]
CORES = [Path(sys.executable).parent, *(Path(path) for path in [os.environ.get("FONNTE_TESTS_OLDEST")] if path)]
ON_USUAL_CORES = pytest.mark.parametrize("core", [PROGRAMS[core] for core in USUAL_CORES], ids=USUAL_CORES)


def play(core: Path, sandbox: Sandbox, folder: Path, *words: str, **variables: Any) -> tuple[int, str]:
    """Run the role with the highest verbosity and its variables in a file; return the exit code and the output."""
    return play_this(PLAYBOOK, core, sandbox, folder, *words, **variables)


def play_this(
    playbook: list[dict[str, Any]], core: Path, sandbox: Sandbox, folder: Path, *words: str, **variables: Any
) -> tuple[int, str]:
    """Run a playbook in the same way."""
    (folder / "playbook.yml").write_text(json.dumps(playbook), encoding="utf-8")
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    env = {
        **os.environ,
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_INJECT_INVOCATION": "1",
        "FONNTE_API_ENDPOINT": sandbox.url,
        "FONNTE_ACCOUNT_TOKEN": sandbox.account_token,
    }
    command = [core / "ansible-playbook", "-vvvv", "--diff", "-e", f"@{folder / 'variables.json'}", *words]
    done = subprocess.run(
        [*command, folder / "playbook.yml"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    assert SECRET not in output and sandbox.account_token not in output
    return done.returncode, output


@pytest.mark.parametrize("core", CORES, ids=lambda core: "oldest" if core != CORES[0] else "newest")
def test_fleet_is_applied_without_secrets_in_output(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"fleet_devices": DEVICES, "fleet_defaults": {"autoread": True, "group": True}}
    assert play(core, sandbox, tmp_path, "--check", **arguments)[0] == 0
    assert sandbox.writes() == []
    assert play(core, sandbox, tmp_path, **arguments)[0] == 0
    first, second = sandbox.device("081200000001"), sandbox.device("081200000002")
    assert first["settings"]["webhook"] == DEVICES[0]["webhook"]
    assert first["settings"]["autoread"] and first["settings"]["group"]
    assert second["settings"]["quick"] and second["settings"]["group"] and not second["settings"]["autoread"]
    sandbox.clear_journal()
    code, output = play(core, sandbox, tmp_path, **arguments)
    assert code == 0 and "changed=0" in output and sandbox.writes() == []


@pytest.mark.weekly
@ON_USUAL_CORES
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": "Toko", "webhook": f"https://hooks.example.com/{SECRET}"}, "device"),
        ({"device": "081200000003", "webhok": f"https://hooks.example.com/{SECRET}"}, "webhok"),
        ({"device": "081200000003", "name": "T", "webhook": f"https://hooks.example.com/{SECRET}"}, "1 character;"),
    ],
    ids=["no-number", "typo", "short-name"],
)
def test_invalid_entry_is_reported(
    core: Path, wrong: dict[str, Any], word: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    code, output = play(core, sandbox, tmp_path, fleet_devices=[wrong])
    assert code != 0 and word in output
    assert sandbox.writes() == []


def declare(folder: Path, name: str, said: Any) -> None:
    """Write a declaration file."""
    (folder / "clients").mkdir(exist_ok=True)
    (folder / "clients" / name).write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")


# A complete declaration: an update puts no write-only setting at risk.
WHOLE = {
    **dict.fromkeys(["autoread", "personal"], True),
    **dict.fromkeys(["group", "quick", "resend"], False),
    **dict.fromkeys(["webhook", "webhook_connect", "webhook_status", "webhook_chaining"], ""),
}
HOOK = f"https://user:{SECRET}@hooks.example.com/{SECRET}"
OTHER = f"account-{SECRET}"
BUNGA = {
    "name": "Toko Bunga",
    "contacts": [{"name": "Cashier", "whatsapp": "081200009001"}],
    "package": "cashier",
    "devices": [{"device": "081200000001", "name": "Bunga Satu"}, {"device": "081200000002", "name": "Bunga Dua"}],
}
WARUNG = {
    "name": "Warung",
    "account_token": "{{ warung_token }}",
    "defaults": {"quick": True},
    "devices": [{"device": "081200000003", "name": "Warung", "webhook": HOOK}],
}
COMMON = {"fleet_defaults": WHOLE, "fleet_packages": {"cashier": {"webhook": HOOK}}}
FILES = {"fleet_files": "clients", "warung_token": OTHER}


def two_accounts(sandbox: Sandbox, folder: Path) -> None:
    """Create two accounts, and declare a client of each in a separate file."""
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}, {"token": OTHER, "plan": "Super"}])
    declare(folder, "fleet.yml", COMMON)
    declare(folder, "toko-bunga.yml", {"fleet_clients": [BUNGA]})
    declare(folder, "warung.yaml", {"fleet_clients": [WARUNG]})


def kept(core: Path, file: Path, password: str) -> dict[str, str]:
    """Return the tokens in an encrypted file."""
    assert file.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;") and file.stat().st_mode & 0o777 == 0o600
    secret = file.with_suffix(".password")
    secret.write_text(password, encoding="utf-8")
    command = [core / "ansible-vault", "view", "--vault-password-file", secret, file]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    secret.unlink()
    tokens: dict[str, str] = yaml.safe_load(text)["fonnte_device_tokens"]
    return tokens


@ON_USUAL_CORES
def test_clients_with_separate_accounts(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    safe = {**FILES, "fleet_tokens_dest": str(tmp_path / "tokens"), "fleet_tokens_password": SECRET}
    declare(tmp_path, "fleet.yml", {**COMMON, "fleet_defaults": {**WHOLE, "personal": False}})
    code, output = play(core, sandbox, tmp_path, "--check", **safe)
    assert code == 0 and "3 devices are declared. Expected result of a run: 3 created" in output
    # One warning for the devices of all accounts.
    words = " ".join(output.split())
    assert words.count("[WARNING]: Fonnte may not send incoming chats") == 1 and "applies to 2 devices" in words
    assert sandbox.writes() == [] and not (tmp_path / "tokens").exists()

    declare(tmp_path, "fleet.yml", COMMON)
    code, output = play(core, sandbox, tmp_path, **safe)
    assert code == 0 and r"081200000001 · \"Bunga Satu\" · Toko Bunga · ask Cashier, 081200009001" in output
    there = sandbox.devices()
    assert {number: device["settings"]["webhook"] for number, device in there.items()} == dict.fromkeys(there, HOOK)
    assert [there[number]["settings"]["quick"] for number in sorted(there)] == [False, False, True]
    first, second = sandbox.state()["accounts"]
    assert [len(account["devices"]) for account in (first, second)] == [2, 1]
    tokens = {number: device["token"] for number, device in there.items()}
    assert not any(token in output for token in tokens.values())
    bunga = kept(core, tmp_path / "tokens" / "toko-bunga.yml", SECRET)
    assert bunga == {number: tokens[number] for number in ("081200000001", "081200000002")}
    assert kept(core, tmp_path / "tokens" / "warung.yml", SECRET) == {"081200000003": tokens["081200000003"]}

    sandbox.clear_journal()
    code, output = play(core, sandbox, tmp_path, **safe)
    assert code == 0 and "changed=0" in output and sandbox.writes() == []

    # A missing file is written again, without the device that its client no longer declares.
    (tmp_path / "tokens" / "toko-bunga.yml").unlink()
    declare(tmp_path, "toko-bunga.yml", {"fleet_clients": [{**BUNGA, "devices": BUNGA["devices"][:1]}]})
    code, output = play(core, sandbox, tmp_path, **safe, fleet_unlisted="report")
    assert code == 0 and "changed=1" in output and sandbox.writes() == []
    assert "Not declared: 1 device of account account: 081200000002." in output
    assert kept(core, tmp_path / "tokens" / "toko-bunga.yml", SECRET) == {"081200000001": tokens["081200000001"]}

    sandbox.clear_journal()
    code, output = play(core, sandbox, tmp_path, **{**safe, "fleet_tokens_password": "another"})
    assert code != 0 and "fleet_tokens_password does not decrypt it" in output and "toko-bunga.yml" in output
    assert sandbox.journal() == []


@pytest.mark.weekly
def test_tokens_are_passed_to_command(sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    given = tmp_path / "given"
    script = tmp_path / "give"
    script.write_text(f'#!/bin/sh\necho "$FONNTE_CLIENT $FONNTE_DEVICE $(cat)" >> "{given}"\n', encoding="utf-8")
    script.chmod(0o700)
    command = {**FILES, "fleet_tokens_command": [str(script)]}
    assert play(CORES[0], sandbox, tmp_path, "--check", **command)[0] == 0 and not given.exists()
    assert play(CORES[0], sandbox, tmp_path, **command)[0] == 0
    whose = {"081200000001": "Toko Bunga", "081200000002": "Toko Bunga", "081200000003": "Warung"}
    lines = [f"{whose[number]} {number} {device['token']}" for number, device in sandbox.devices().items()]
    assert sorted(given.read_text(encoding="utf-8").splitlines()) == sorted(lines)

    # No device is new in the second run.
    code, output = play(CORES[0], sandbox, tmp_path, **command)
    assert code == 0 and "changed=0" in output and len(given.read_text(encoding="utf-8").splitlines()) == 3
    assert play(CORES[0], sandbox, tmp_path, **command, fleet_tokens_of="all")[0] == 0
    assert sorted(given.read_text(encoding="utf-8").splitlines()) == sorted(lines * 2)

    code, output = play(
        CORES[0], sandbox, tmp_path, **{**command, "fleet_tokens_command": ["false"]}, fleet_tokens_of="all"
    )
    assert code != 0 and "The command false of fleet_tokens_command failed for Toko Bunga." in output


@pytest.mark.weekly
def test_account_that_cannot_be_read_prevents_all_writes(sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    code, output = play(CORES[0], sandbox, tmp_path, **{**FILES, "warung_token": f"nobody-{SECRET}"})
    assert code != 0 and "token" in output and sandbox.writes() == []
    sandbox.clear_journal()
    code, output = play(CORES[0], sandbox, tmp_path, **{**FILES, "warung_token": ""})
    assert code != 0 and "warung.yaml: Warung: Option account_token: it is empty" in output and sandbox.journal() == []


def test_safety_limits_apply_to_all_accounts_together(sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    code, output = play(CORES[0], sandbox, tmp_path, **FILES, fleet_max_create=2)
    assert code != 0 and "would create 3 devices in 2 accounts, and fleet_max_create is 2" in output
    assert sandbox.writes() == []
    assert play(CORES[0], sandbox, tmp_path, **FILES, fleet_max_create=3)[0] == 0
    sandbox.clear_journal()
    declare(tmp_path, "fleet.yml", {**COMMON, "fleet_packages": {"cashier": {"webhook": ""}}})
    declare(tmp_path, "warung.yaml", {"fleet_clients": [{**WARUNG, "defaults": {"state": "disconnected"}}]})
    for word in ("--check", "--diff"):
        code, output = play(CORES[0], sandbox, tmp_path, word, **FILES, fleet_max_clear=1)
        assert code != 0 and "would clear webhooks of 2 devices in 2 accounts, and fleet_max_clear is 1" in output
    assert sandbox.writes() == []


@pytest.mark.weekly
def test_failed_canary_prevents_work_on_other_accounts(sandbox: Sandbox, tmp_path: Path) -> None:
    two_accounts(sandbox, tmp_path)
    sandbox.fault("status", path="/add-device", code=400, body={"status": False, "reason": "no"}, times=None)
    code, output = play(CORES[0], sandbox, tmp_path, **FILES, fleet_canary=1)
    assert code != 0 and "Not attempted, since another account failed: warung." in output
    assert tried(sandbox) == {sandbox.account_token}
    sandbox.clear_journal()
    code, output = play(CORES[0], sandbox, tmp_path, **FILES)
    assert code != 0 and "Not attempted" not in output
    assert tried(sandbox) == {sandbox.account_token, OTHER}


def tried(sandbox: Sandbox) -> set[str]:
    """Return the tokens of the accounts that received a request to create a device."""
    return {entry["token"] for entry in sandbox.journal() if entry["path"] == "/add-device"}


@pytest.mark.weekly
def test_fleet_in_variables_of_hosts(sandbox: Sandbox, tmp_path: Path) -> None:
    inventory: dict[str, Any] = {"clients": {"hosts": {"toko-bunga": {"fleet_clients": [{**BUNGA, "package": None}]}}}}
    (tmp_path / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    words = ["-i", str(tmp_path / "inventory.json")]
    hosts = {"fleet_hosts": "{{ groups.clients }}", "fleet_defaults": WHOLE}
    assert play(CORES[0], sandbox, tmp_path, *words, **hosts)[0] == 0
    assert sorted(sandbox.devices()) == ["081200000001", "081200000002"]
    code, output = play(CORES[0], sandbox, tmp_path, *words, **{**hosts, "fleet_hosts": ["toko-bunga"]})
    assert code == 0 and "changed=0" in output
    code, output = play(CORES[0], sandbox, tmp_path, *words, **{**hosts, "fleet_hosts": ["warung"]})
    assert code != 0 and "The inventory has no group or host warung." in output
    # The name of a group means its hosts.
    code, output = play(CORES[0], sandbox, tmp_path, *words, **{**hosts, "fleet_hosts": "clients"})
    assert code == 0 and "changed=0" in output
    inventory["clients"]["hosts"]["warung"] = {}
    (tmp_path / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    code, output = play(CORES[0], sandbox, tmp_path, *words, **hosts)
    assert code != 0 and "warung has no variable fleet_clients" in output


@pytest.mark.weekly
def test_update_that_may_reset_settings_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """By default, the role requires a declaration of write-only settings, unless the user accepts their loss."""
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [{"number": "081200000001", "name": "Old"}]}])
    partly = {"fleet_devices": [{"device": "081200000001", "name": "New"}], "fleet_max_clear": 4}
    code, output = play(CORES[0], sandbox, tmp_path, **partly)
    assert code != 0 and "neither declared nor recorded: personal, group, quick, resend, target" in output
    assert sandbox.writes() == []
    # The target of forwarded attachments cannot be declared as empty, and has no effect while resend is off.
    assert play(CORES[0], sandbox, tmp_path, **partly, fleet_defaults=WHOLE)[0] == 0
    assert sandbox.device("081200000001")["name"].startswith("New ~")


def provision(sandbox: Sandbox, folder: Path, *words: str, **env: str) -> tuple[int, str]:
    """Run the playbook provision by its name, in a separate directory."""
    return by_name("provision", CORES[0], folder, *words, **env)


def by_name(name: str, core: Path, folder: Path, *words: str, **env: str) -> tuple[int, str]:
    """Run a playbook of the collection by its name, in a separate directory."""
    command = [core / "ansible-playbook", f"fonnte.whatsapp.{name}", "-vvvv", *words]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FONNTE_")}
    full = {**kept, "HOME": str(folder), "ANSIBLE_HOME": str(folder / ".ansible"), **env}
    done = subprocess.run(command, cwd=folder, env=full, capture_output=True, text=True, timeout=120, check=False)
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, done.stdout


def test_offline_check_of_pull_request_needs_no_token(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "earlier").mkdir()
    for name, said in (("fleet.yml", COMMON), ("bunga.yml", {"fleet_clients": [BUNGA]})):
        declare(tmp_path, name, said)
        (tmp_path / "earlier" / name).write_text(json.dumps(said), encoding="utf-8")
    offline = ["-e", "provision_offline=true", "-e", "provision_files=clients", "-e", "provision_earlier=earlier"]
    code, output = provision(sandbox, tmp_path, *offline, "--check")
    assert code == 0 and "2 devices, 1 client, 1 account, 2 files. No problems. Nothing changes." in output

    declare(
        tmp_path, "fleet.yml", {**COMMON, "fleet_packages": {"cashier": {"webhook": f"https://example.com/{SECRET}"}}}
    )
    declare(tmp_path, "warung.yml", {"fleet_clients": [WARUNG]})
    # A file that is encrypted as a whole is decrypted, or fails the check.
    password = tmp_path / "password"
    password.write_text("test-password", encoding="utf-8")
    with_password = ["--vault-password-file", str(password)]
    mawar = {"name": "Toko Mawar", "devices": [{"device": "081200000009", "name": "Toko Mawar"}]}
    declare(tmp_path, "vault.yml", {"fleet_clients": [mawar]})
    vault = [str(CORES[0] / "ansible-vault"), "encrypt", *with_password, str(tmp_path / "clients" / "vault.yml")]
    subprocess.run(vault, check=True, capture_output=True, env={**os.environ, "HOME": str(tmp_path)})
    code, output = provision(sandbox, tmp_path, *offline)
    assert code != 0 and "vault.yml is encrypted, and cannot be decrypted" in output
    code, output = provision(sandbox, tmp_path, *offline, "-e", "provision_report=change.md", *with_password)
    report = (tmp_path / "change.md").read_text(encoding="utf-8")
    assert code == 0 and SECRET not in report
    assert "### webhook: https\u200b://hooks.example.com/… → https\u200b://example.com/… (2)" in report
    assert "### New (2)" in report and "Toko Mawar" in report
    assert "2 accounts" in report

    wrong = {**BUNGA, "devices": [*BUNGA["devices"], {"device": "6281200000001", "name": "T", "webhook": SECRET}]}
    declare(tmp_path, "bunga.yml", {"fleet_clients": [wrong]})
    code, output = provision(sandbox, tmp_path, *offline, *with_password)
    assert code != 0
    for words in ("Option name: it has 1 character;", "Option webhook: it is not a URL"):
        assert f"bunga.yml: Toko Bunga: devices[2] (6281200000001): {words}" in output
    assert sandbox.journal() == []


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "There is nothing to read. Name the files that declare the devices"),
        (["-e", "provision_files=nowhere"], "There is no {}/nowhere."),
        (["-e", "provision_hosts=nobody"], "The inventory has no group or host nobody."),
        (["-e", "provision_files=empty"], "{}/empty has no file whose name ends with .yml."),
        (
            ["-e", "provision_files=clients", "-e", "provision_offline=true", "-e", "provision_earlier=x"],
            "There is no {}/x",
        ),
    ],
)
def test_provision_names_missing_sources(words: list[str], says: str, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    declare(tmp_path, "fleet.yml", COMMON)
    code, output = provision(sandbox, tmp_path, *words)
    assert code != 0 and says.format(tmp_path) in output and sandbox.journal() == []


@ON_USUAL_CORES
def test_empty_record_is_explained_once(core: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """As in a pod, which has a new record for each run."""
    two_accounts(sandbox, tmp_path)
    by_record = {**FILES, "fleet_handle_write_only": "recorded", "fleet_handle_unknown": "ignore"}
    assert play(core, sandbox, tmp_path, **by_record)[0] == 0
    for _pod in range(2):
        (tmp_path / ".ansible" / "fonnte").rename(tmp_path / f"record-{_pod}")
        code, output = play(core, sandbox, tmp_path, **by_record)
        warnings = " ".join(output.split()).split("[WARNING]: ")[1:]
        reported = [place for place, text in enumerate(warnings) if "is empty, and the account has devices" in text]
        assert code == 0 and len(reported) == 1, warnings
        assert all(
            word in warnings[reported[0]] for word in ("stamped", "fonnte.whatsapp.record", "FONNTE_RECORD_PATH")
        )
    code, output = play(core, sandbox, tmp_path, **by_record)
    assert code == 0 and "changed=0" in output and "is empty, and" not in " ".join(output.split())
