# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of the values that were last applied: when it is evidence, and when it is lost or damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.cases import FOUR, code_sent, there
from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    MARK,
    OTP,
    device,
    device_info,
    snapshot,
    webhook_config,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.scenarios import World

NUMBER, OTHER = "081200005001", "081200005002"
HOOK, NEW_HOOK = f"https://hooks.example.com/{MARK}-old", f"https://hooks.example.com/{MARK}-new"
DECLARED = device(device=NUMBER, webhook=HOOK, quick=True)
ALONE = device(device=NUMBER, webhook=HOOK, quick=True, handle_write_only="error")


def _device_records(world: World) -> list[Path]:
    """Return the files with applied values, without locks and files of numbers."""
    return sorted(path for path in world.player.record.glob("device-*") if "." not in path.name)


@pytest.mark.weekly
def test_evidence_depends_on_handle_write_only_and_record_max_age(world: World) -> None:
    """The reasons and the evidence in the result show the effect of the options."""
    world.begin(there(NUMBER))
    unknown, first, known, updated, always, young, old = world.play(
        ALONE,
        DECLARED,
        ALONE,
        ALONE.but(webhook=NEW_HOOK),
        DECLARED.but(handle_write_only="always_update"),
        DECLARED.but(record_max_age="1h"),
        DECLARED.but(record_max_age="0s"),
    ).reported
    assert unknown.failed and any(option in unknown.message for option in ("webhook", "quick")), unknown.result
    assert first["reasons"] == {"webhook": "no_record", "quick": "no_record"}, first.result
    assert not known.failed and not known.changed, "what is recorded as declared is no error"
    assert known["evidence"]["webhook"]["source"] == "recorded" and known["evidence"]["webhook"]["at"], known.result
    assert updated["reasons"] == {"webhook": "differs"}, "what is recorded and differs is updated"
    assert always["reasons"] == {"webhook": "differs", "quick": "always"} and always.changed
    assert not young.changed
    assert old["reasons"] == {"webhook": "expired", "quick": "expired"}, old.result
    assert world.writes() == ["/update-device"] * 4


@pytest.mark.smoke
def test_damaged_record_counts_as_missing(world: World) -> None:
    """The task warns, and moves the file aside instead of overwriting it. Check mode does not touch it."""
    world.begin(there(NUMBER), there(OTHER))
    world.play(DECLARED, device(device=OTHER, quick=True))
    damaged = _device_records(world)
    assert len(damaged) == 2
    for path in damaged:
        path.write_bytes(b"not a record")
    before = snapshot(world.player.record)
    predicted = world.run_task(DECLARED, check=True)
    assert snapshot(world.player.record) == before, "check mode touched a damaged record"
    given, again = world.play(DECLARED, DECLARED).reported
    for reported in (predicted, given):
        assert any("damaged" in warning for warning in reported.warnings), reported.result
        assert reported["reasons"] == {"webhook": "no_record", "quick": "no_record"}, reported.result
    assert not again.changed and not any("damaged" in warning for warning in again.warnings), again.result
    aside = [path for path in world.player.record.iterdir() if path.read_bytes() == b"not a record"]
    assert len(aside) == 2 and len(set(aside) & set(damaged)) == 1, f"one was to be set aside: {aside}"


@pytest.mark.weekly
def test_lost_record_applies_settings_again(world: World) -> None:
    """The reason is no_record, and undeclared settings are at risk."""
    world.begin(there(NUMBER))
    world.run_task(DECLARED)
    shutil.rmtree(world.player.record)
    predicted, given, again = (
        world.run_task(DECLARED, check=True),
        *world.play(DECLARED, DECLARED).reported,
    )
    assert predicted["reasons"] == given["reasons"] == {"webhook": "no_record", "quick": "no_record"}
    assert set(FOUR[1:]) <= set(given["at_risk"])
    assert not again.changed


@pytest.mark.weekly
def test_record_that_cannot_be_written_fails_before_first_write(world: World, tmp_path: Path) -> None:
    """This applies to each kind of write request. Check mode only warns, and fonnte_device_info still works."""
    regular = tmp_path / "a-file"
    regular.write_text("", encoding="utf-8")
    world.begin(there(NUMBER, linked=True), there(OTHER))
    code_sent(OTHER)(world.sandbox)
    world.writes()
    before = world.devices()
    bad = {"record_path": str(regular / "record")}
    tasks = [
        device(device="081200005009", name="Toko Baru", **bad),
        device(device=NUMBER, name="Toko Lain", **bad),
        device(device=NUMBER, state="disconnected", **bad),
        device(device=NUMBER, state="absent", request_otp=True, **bad),
        device(device=OTHER, state="absent", otp=OTP, **bad),
        webhook_config(device=NUMBER, webhook=HOOK, **bad),
    ]
    for task, reported in zip(tasks, world.play(*tasks).reported, strict=False):
        assert reported.failed and "record" in reported.message and "record_path" in reported.message, (
            f"{task}: {reported.result}"
        )
    assert world.writes() == []
    assert world.devices() == before
    *predicted, info = world.play(*tasks, device_info(**bad), check=True).reported
    assert all(reported.changed and not reported.failed for reported in predicted), [
        reported.result for reported in predicted
    ]
    assert all("A real run from here would fail" in reported.warnings[-1] for reported in predicted)
    assert len(info["devices"]) == 2


def test_only_owner_can_read_record(world: World) -> None:
    """Names and contents of the files show neither the number nor a webhook."""
    world.begin(there(NUMBER))
    world.run_task(DECLARED)
    assert world.player.record.stat().st_mode & 0o777 == 0o700
    files = [path for path in world.player.record.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    for path in files:
        reported = path.name.encode() + path.read_bytes()
        assert (
            NUMBER.encode() not in reported and NUMBER[1:].encode() not in reported and b"hooks.example" not in reported
        )


@pytest.mark.weekly
def test_update_without_response_is_in_doubt(world: World) -> None:
    """Values in doubt are never "unchanged", and each later update sends them again."""
    world.begin(there(NUMBER))
    world.run_task(DECLARED)
    world.sandbox.fault("reset", path="/update-device", times=None)
    cut_off = world.run_task(DECLARED.but(webhook=NEW_HOOK))
    world.sandbox.clear_faults()
    assert cut_off.failed and NUMBER in cut_off.message, cut_off.result
    predicted = world.run_task(DECLARED.but(webhook=NEW_HOOK), check=True)
    assert predicted["reasons"] == {"webhook": "in_doubt"}, predicted.result
    assert predicted["evidence"]["webhook"]["source"] == "in_doubt"
    renamed, declared = world.play(device(device=NUMBER, name="Toko Ragu"), DECLARED.but(webhook=NEW_HOOK)).reported
    assert set(renamed["carried"]) == {"webhook", "quick"}, renamed.result
    assert world.devices()[NUMBER]["settings"]["webhook"] == NEW_HOOK
    assert not declared.changed, "the success of the rename has reported that the webhook is applied"


@pytest.mark.weekly
def test_record_of_purged_device_is_not_used(world: World) -> None:
    """The record belongs to the token: the recreated device starts without one, and a warning explains it."""
    world.begin()
    created = device(device=NUMBER, name="Toko Satu", webhook=HOOK)
    world.run_task(created)
    world.sandbox.purge(NUMBER)
    predicted = world.run_task(created, check=True)
    given, again = world.play(created, created).reported
    for reported in (predicted, given):
        assert reported["recreated"] and reported["operations"] == ["create", "update"], reported.result
        assert any("token" in warning and "linked" in warning for warning in reported.warnings), reported.warnings
    assert not again.changed and not again["recreated"]


@pytest.mark.weekly
def test_each_endpoint_has_its_own_record(world: World) -> None:
    """A sandbox and the real account share no record, even if number and token are equal."""
    world.begin(there(NUMBER))
    elsewhere = world.sandbox.url.replace("127.0.0.1", "localhost")
    given, other = world.play(DECLARED, DECLARED.but(api_endpoint=elsewhere)).reported
    assert given["reasons"] == other["reasons"] == {"webhook": "no_record", "quick": "no_record"}
