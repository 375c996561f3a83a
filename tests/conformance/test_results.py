# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The format of results, and the warnings."""

from __future__ import annotations

import re

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import device_token, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    MARK,
    device,
    device_info,
    webhook_config,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

FIRST, SECOND, NEW = "081200007001", "081200007002", "081200007009"
DEVICE_KEYS = {
    "device",
    "name",
    "connected",
    "package",
    "quota",
    "expires",
    "autoread",
    "personal",
    "group",
    "quick",
    "resend",
    "target",
    "country_code",
    "webhook",
    "webhook_connect",
    "webhook_status",
    "webhook_chaining",
}
SHOWN = re.compile(r"https://hooks\.example\.com(:8443)?/…#[0-9a-f]{6}")


@pytest.mark.smoke
def test_webhook_is_shown_as_host_and_digest(world: World) -> None:
    """The digest is equal in check mode and in the run, and differs if any part of the URL changes."""
    world.begin(there(FIRST))
    base = f"https://user-{MARK}:pass-{MARK}@hooks.example.com:8443/path-{MARK}?key={MARK}"
    urls = [f"{base}&n=1", f"{base}&n=2", base.replace("/path-", "/PATH-"), base.replace(":pass-", ":word-")]
    tasks = [device(device=FIRST, webhook=url) for url in urls]
    predicted = [reported["device"]["webhook"] for reported in world.play(*tasks, check=True).reported]
    run = world.play(*tasks, webhook_config(device=FIRST, webhook=urls[-1]), device_info(recorded=True))
    given = [reported["device"]["webhook"] for reported in run.reported[: len(tasks)]]
    assert predicted == given
    assert all(SHOWN.fullmatch(shown) for shown in given), given
    assert len(set(given)) == len(urls), f"a change does not show: {given}"
    for reported, before, after in zip(run.reported[1:], given, given[1:], strict=False):
        if reported.changed:
            assert (reported["diff"]["before"]["webhook"], reported["diff"]["after"]["webhook"]) == (before, after)
    assert run.reported[-2]["webhooks"] == {
        "webhook": given[-1],
        "webhook_connect": None,
        "webhook_status": None,
        "webhook_chaining": None,
    }
    assert run.reported[-1]["devices"][0]["recorded"]["webhook"]["value"] == given[-1]


def test_device_always_has_the_same_keys(world: World) -> None:
    """This applies to a device that is created, read, unchanged, or found by its token; unknown values are null."""
    world.begin(there(FIRST, quota=0, linked=True, expires=1_900_000_000))
    run = world.play(
        device(device=NEW, name="Toko Baru"),
        device(device=NEW, name="Toko Baru"),
        device(device=FIRST, name="Toko Lama"),
        webhook_config(device=FIRST, webhook="https://hooks.example.com"),
        device(device_token=device_token(FIRST), account_token=None),
        device_info(devices=[FIRST]),
        device_info(account_token=None, device_token=device_token(FIRST)),
    )
    for reported in run.reported:
        found = reported["devices"][0] if "devices" in reported.result else reported["device"]
        assert set(found) == DEVICE_KEYS, sorted(set(found) ^ DEVICE_KEYS)
    known = run.reported[2]["device"]
    assert (known["quota"], known["connected"], known["expires"]) == (0, True, "2030-03-17T17:46:40Z"), known
    assert known["autoread"] is False and known["quick"] is None
    assert run.reported[0]["device"]["connected"] is False


@pytest.mark.weekly
def test_token_is_shown_only_with_return_tokens(world: World) -> None:
    """The task warns, unless it has no_log."""
    world.begin()
    returning = device(device=NEW, name="Toko Baru", return_tokens=True)
    hidden, unreported = world.play(returning.named(no_log=True), device(device=NEW)).reported
    assert "censored" in hidden.result and "token" not in unreported.result
    token = world.devices()[NEW]["token"]
    shown, listed = world.play(returning, device_info(return_tokens=True), may_show=[token]).reported
    for reported in (shown, listed):
        assert any("no_log" in warning for warning in reported.warnings), reported.warnings
    assert shown["token"] == token and listed["devices"][0]["token"] == token


@pytest.mark.weekly
def test_warnings_name_risks_of_tasks(world: World) -> None:
    """A task without risks has no warning except the one about the empty record."""
    world.begin(there(FIRST), there(SECOND))
    quiet = {"handle_unknown": "ignore"}
    tasks = {
        "autoread": device(device=FIRST, autoread=False, webhook="https://hooks.example.com/a", **quiet),
        "http": device(device=FIRST, webhook_connect="http://hooks.example.com/a", autoread=True, **quiet),
        "target": device(device=FIRST, resend=True, **quiet),
        "not created": device(device=NEW, state="disconnected"),
        "validate_certs": device(device=SECOND, validate_certs=False),
        "mistyped": device(device=NEW, state="absent"),
        "earlier": webhook_config(device=NEW, webhook="https://hooks.example.com/a"),
        "": device(
            device=SECOND,
            name="Toko Dua",
            autoread=True,
            personal=True,
            webhook="https://hooks.example.com/b",
            resend=True,
            target="081200009001",
            webhook_connect="https://hooks.example.com/c",
            **quiet,
        ),
    }
    for words, reported in zip(tasks, world.play(*tasks.values(), check=True).reported, strict=False):
        assert not reported.failed, reported.message
        if words:
            assert any(words in warning for warning in reported.warnings), (
                f'no warning says "{words}": {reported.warnings}'
            )
        else:
            # In check mode the record stays empty, and the devices of the account were created by hand.
            (explained,) = reported.warnings
            assert "is empty, and the account has devices" in explained


@pytest.mark.weekly
def test_webhooks_of_missing_device_fail_in_run_and_warn_in_check_mode(world: World) -> None:
    """Check mode predicts the change, since an earlier task may create the device."""
    world.begin()
    task = webhook_config(device=NEW, webhook="https://hooks.example.com/a")
    predicted, reported = world.run_task(task, check=True), world.run_task(task)
    assert predicted["operations"] == ["update"] and predicted.changed and predicted.warnings, predicted.result
    assert reported.failed and NEW in reported.message and not reported.changed, reported.result
    created, given, again = world.play(device(device=NEW, name="Toko Baru"), task, task).reported
    assert created["operations"] == ["create"] and not again.changed
    for key in ("changed", "operations", "changed_fields", "reasons"):
        assert given[key] == predicted[key], f"{key} was predicted as {predicted[key]!r} and came as {given[key]!r}"


@pytest.mark.weekly
def test_refusal_of_full_account_is_reported(world: World) -> None:
    """The error quotes the service and names the device, which is not created."""
    world.begin(*(there(f"0812000080{number:02d}") for number in range(10)))
    reported = world.run_task(device(device=NEW, name="Toko Baru"))
    assert reported.failed and "too much free device" in reported.message and NEW in reported.message, reported.result
    assert NEW not in world.devices() and not reported.changed
