# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid input fails with one clear sentence before any request."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    MARK,
    OTP,
    Player,
    Task,
    TaskResult,
    device,
    device_info,
    group_info,
    message,
    number_info,
    record,
    record_info,
    webhook_config,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import ACCOUNT, World
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

NUMBER = "081200004001"
GOOD = device(device=NUMBER, name="Toko Satu")

# An invalid task, and words of its error: the name of the option, and the required action or the problem.
BAD: dict[str, tuple[Task, tuple[str, ...]]] = {
    "name-of-1": (GOOD.but(name="T"), ("name", "2 to 30")),
    "name-of-31": (GOOD.but(name="T" * 31), ("name", "2 to 30")),
    "number-with-letters": (GOOD.but(device="0812-ABCD-001"), ("device", '"A"')),
    "number-of-7": (GOOD.but(device="0812000"), ("device", "8 to 15")),
    "number-of-16": (GOOD.but(device="0812000040010000"), ("device", "8 to 15")),
    "number-empty": (GOOD.but(device=""), ("device",)),
    "number-unquoted-and-short": (GOOD.but(device=293601736), ("device", "quote")),
    "number-in-a-list-unquoted": (device_info(devices=[NUMBER, 293601736]), ("devices", "quote")),
    "number-by-its-alias": (GOOD.but(device=None, number="0812000"), ("device", "8 to 15")),
    "no-device": (device(name="Toko Satu"), ("device", "device_token")),
    "target-with-letters": (GOOD.but(resend=True, target="0812-ABCD-001"), ("target",)),
    "country-in-letters": (GOOD.but(country_code="ID"), ("country_code",)),
    "webhook-ftp": (GOOD.but(webhook=f"ftp://files.example.com/{MARK}"), ("webhook", "http")),
    "webhook-without-a-host": (webhook_config(device=NUMBER, webhook_status=f"https:///{MARK}"), ("webhook_status",)),
    "webhook-with-a-space": (
        webhook_config(device=NUMBER, webhook_chaining=f"https://h.example.com/a {MARK}"),
        ("webhook_chaining",),
    ),
    "account-token-empty": (GOOD.but(account_token=""), ("account_token", "empty")),
    "device-token-empty": (GOOD.but(device_token=""), ("device_token", "empty")),
    "token-with-a-line-break": (GOOD.but(account_token=f"token-{MARK}\n"), ("account_token",)),
    "token-with-a-space": (device_info(account_token=f"token {MARK}"), ("account_token",)),
    "token-not-ascii": (GOOD.but(device_token=f"tokén-{MARK}"), ("device_token",)),
    "one-token-for-both": (GOOD.but(device_token=ACCOUNT), ("device_token", "account_token")),
    "endpoint-of-no-scheme": (GOOD.but(api_endpoint="api.example.com"), ("api_endpoint", "http")),
    "endpoint-of-another-scheme": (GOOD.but(api_endpoint="ftp://api.example.com"), ("api_endpoint", "http")),
    "endpoint-plain-http": (GOOD.but(api_endpoint="http://api.example.com"), ("api_endpoint", "https")),
    "endpoint-like-loopback": (device_info(api_endpoint="http://127.0.0.1.example.com"), ("api_endpoint", "https")),
    "ca-path-missing": (GOOD.but(ca_path="/nonexistent/ca.pem"), ("ca_path",)),
    "timeout-of-0": (GOOD.but(api_timeout=0), ("api_timeout",)),
    "retries-below-0": (GOOD.but(api_retries=-1), ("api_retries",)),
    "delay-below-0": (GOOD.but(api_retry_max_delay=-1), ("api_retry_max_delay",)),
    "record-age-in-words": (GOOD.but(record_max_age="a month"), ("record_max_age", "30d")),
    "otp-with-present": (GOOD.but(otp=OTP), ("otp", "absent")),
    "otp-with-disconnected": (GOOD.but(state="disconnected", otp=OTP), ("otp", "absent")),
    "request-with-present": (GOOD.but(request_otp=True), ("request_otp", "absent")),
    "otp-unquoted": (device(device=NUMBER, state="absent", otp=147193), ("otp", "quote")),
    "otp-of-words": (device(device=NUMBER, state="absent", otp="four seven"), ("otp",)),
    "absent-and-a-webhook": (
        webhook_config(device=NUMBER, state="absent", webhook="https://hooks.example.com/a"),
        ("webhook", "absent"),
    ),
    "backup-without-a-path": (record(operation="backup"), ("path", "operation is backup")),
    "path-to-forget": (
        record(operation="forget", devices=[NUMBER], path="/nonexistent/backup.json"),
        ("path", "operation is forget"),
    ),
    "forget-nothing": (record(operation="forget"), ("devices", "orphans: true")),
    "overwrite-in-a-backup": (
        record(operation="backup", path="/nonexistent/backup.json", overwrite=True),
        ("overwrite", "operation is backup"),
    ),
    "restore-from-nothing": (record(operation="restore", path="/nonexistent/backup.json"), ("no file", "path")),
    "backup-to-nowhere": (record(operation="backup", path="/nonexistent/backup.json"), ("/nonexistent", "written")),
    "forget-an-unquoted-number": (record(operation="forget", devices=[293601736]), ("devices", "quote")),
    "groups-refreshed-too-often": (
        group_info(device=NUMBER, refresh=True, refresh_after=1),
        ("refresh_after", "60"),
    ),
    "group-without-a-name": (message(device=NUMBER, target=["group:"], message="hello"), ("target[0]", "name")),
    "group-with-a-comma-in-one-string": (
        message(device=NUMBER, target="group:Toko, Jakarta", message="hello"),
        ("target", "a list"),
    ),
    "numbers-some-of-which-are-wrong": (
        number_info(device=NUMBER, numbers=["081200002001", "0812", "x"]),
        ("numbers[1]", "numbers[2]"),
    ),
    "numbers-without-a-zero": (number_info(device=NUMBER, numbers=["81200002001"]), ("numbers[0]", "leading zero")),
    "numbers-of-no-device": (number_info(numbers=["081200002001"]), ("device",)),
    "record-of-an-unquoted-number": (record_info(devices=[293601736]), ("devices", "quote")),
}
# Errors that Ansible itself finds.
FOUND_BY_ANSIBLE: dict[str, tuple[Task, tuple[str, ...]]] = {
    "state-unknown": (GOOD.but(state="gone"), ("state",)),
    "option-unknown": (GOOD.but(webhok="https://hooks.example.com/a"), ("webhok",)),
    "flag-in-words": (GOOD.but(autoread="perhaps"), ("autoread",)),
    "operation-unknown": (record(operation="delete"), ("operation",)),
    "operation-that-only-reads": (record(operation="status"), ("operation",)),
    "operation-missing": (record(devices=[NUMBER]), ("operation",)),
    "operation-to-look": (record_info(operation="backup"), ("operation",)),
    "policy-unknown": (GOOD.but(handle_write_only="never"), ("handle_write_only",)),
}


@pytest.fixture(scope="module")
def refused(
    running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, TaskResult], list[Json]]:
    """Run all invalid tasks in one process; return the result of each, and the requests."""
    world = World(running_sandbox, Player(tmp_path_factory.mktemp("bad-input"), running_sandbox))
    world.begin(there(NUMBER, token=device_token(NUMBER)))
    inputs = {**BAD, **FOUND_BY_ANSIBLE}
    run = world.play(*(task for task, unused in inputs.values()))
    return dict(zip(inputs, run.reported, strict=False)), running_sandbox.journal()


# The bar keeps these tests on one worker: see the scheduler in conftest.py.
@pytest.mark.parametrize("name", [*BAD, *FOUND_BY_ANSIBLE], ids=lambda name: f"bad|{name}")
def test_invalid_input_fails_with_sentence_that_names_option(
    name: str, refused: tuple[dict[str, TaskResult], list[Json]]
) -> None:
    """The error is one sentence, and the task reports no change."""
    reported = refused[0]
    assert reported[name].failed, f"{name} was taken: {reported[name].result}"
    assert not reported[name].changed
    message = reported[name].message
    for words in {**BAD, **FOUND_BY_ANSIBLE}[name][1]:
        assert words in message, f'"{words}" is not in "{message}"'
    if name in BAD:
        assert message.endswith(".") and "\n" not in message and len(message) < 300, f"not a clear sentence: {message}"


@pytest.mark.parametrize("every", ["bad|no-calls"])
def test_invalid_input_sends_no_request(every: str, refused: tuple[dict[str, TaskResult], list[Json]]) -> None:
    """The journal of the sandbox is empty."""
    assert [(call["path"], call["form"]) for call in refused[1]] == [], every


def test_missing_token_is_reported_by_each_module(world: World) -> None:
    """The error names the option and the variable; an empty variable counts as unset."""
    world.begin(there(NUMBER))
    without = {"account_token": None}
    run = world.play(
        device(device=NUMBER, name="Toko Satu", **without),
        webhook_config(device=NUMBER, state="absent", **without),
        device_info(**without),
        record_info(**without),
        group_info(device=NUMBER, **without),
        number_info(device=NUMBER, numbers=["081200002001"], **without),
        record(operation="forget", devices=[NUMBER], **without),
        env={"FONNTE_ACCOUNT_TOKEN": "", "FONNTE_DEVICE_TOKEN": ""},
    )
    for reported in run.reported:
        assert reported.failed and "account_token" in reported.message and "FONNTE_ACCOUNT_TOKEN" in reported.message, (
            reported.message
        )
    assert world.calls() == []


@pytest.mark.parametrize("in_process", [True, False])
def test_null_number_is_refused_despite_token_in_environment(world: World, in_process: bool) -> None:
    """This applies to each name of the option, in-process and as a module."""
    world.begin(there(NUMBER, token=device_token(NUMBER)))
    # Not the play method of the world, which removes options with null.
    run = world.player.play(
        device(device=None, state="disconnected").named(vars={"fonnte_in_process": in_process}),
        device(number=None, state="absent", request_otp=True).named(vars={"fonnte_in_process": in_process}),
        webhook_config(device=None, state="absent").named(vars={"fonnte_in_process": in_process}),
        env={"FONNTE_DEVICE_TOKEN": device_token(NUMBER)},
    )
    assert [reported.message.split(":")[0] for reported in run.reported] == [
        "Option device",
        "Option number",
        "Option device",
    ]
    assert all("it is null" in reported.message for reported in run.reported) and world.calls() == []
