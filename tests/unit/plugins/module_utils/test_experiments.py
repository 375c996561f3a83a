# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from replies: no call is made here. And the record's folder, seen from outside."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._errors import RefusedError, UnreadableError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._experiments import (
    Caller,
    Finding,
    Round,
    conclude_add_number,
    conclude_empty_webhook,
    conclude_omitted,
    conclude_profile_number,
    conclude_refusal_status,
    conclude_update_without_device,
    conclude_webhook_probe,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._folder import folder_state, short_lived
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import RecordStore
from ansible_collections.fonnte.whatsapp.plugins.module_utils._redact import Redactor

LOCAL, ABROAD = "081200000001", "6281200000001"


def refused(text: str, path: str = "/update-device", status: int | None = 200) -> RefusedError:
    return RefusedError(path, text, text, status)


INPUT, BODY = refused("input invalid"), refused("invalid/empty body value")
STRANGE = refused("come back tomorrow")


@pytest.mark.parametrize(
    ("rounds", "value"),
    [
        ([Round(True, True, True), Round(False, False, False)], "keeps"),
        ([Round(True, True, False)], "resets"),
        # A default that is on looks like keeping, until autoread is off.
        ([Round(True, True, True), Round(False, False, True)], "resets"),
        ([Round(True, True, True)], None),
        ([Round(False, False, False)], None),
        # A list that lags behind shows neither.
        ([Round(True, False, False)], None),
        ([Round(True, False, True)], None),
        ([Round(True, None, None)], None),
        ([Round(True, True, None)], None),
        ([Round(True, True, True), Round(False, True, True)], None),
    ],
)
def test_omitted(rounds: list[Round], value: str | None) -> None:
    assert conclude_omitted(rounds).value == value


@pytest.mark.parametrize(
    ("refusal", "control", "after", "value"),
    [
        (None, None, LOCAL, "works"),
        (None, None, "", None),
        (None, None, ABROAD, None),
        (INPUT, None, LOCAL, "refused"),
        # The same update is refused with its number as well: something else is wrong with it.
        (INPUT, INPUT, LOCAL, None),
        (BODY, None, LOCAL, None),
        (STRANGE, None, LOCAL, None),
    ],
)
def test_update_without_device(
    refusal: RefusedError | None, control: RefusedError | None, after: str, value: str | None
) -> None:
    assert conclude_update_without_device(refusal, control, LOCAL, after).value == value


@pytest.mark.parametrize(
    ("refusal", "value"),
    [
        (None, "not_called"),
        (refused("webhook url is not responding"), "called"),
        (refused("webhook urls are for paid packages"), None),
        (INPUT, None),
        (BODY, None),
        (STRANGE, None),
    ],
)
def test_webhook_probe(refusal: RefusedError | None, value: str | None) -> None:
    finding = conclude_webhook_probe(refusal)
    assert finding.value == value
    assert ("concluded" in finding.because) == (value == "not_called")


@pytest.mark.parametrize(
    ("refusal", "control", "value"),
    [
        (None, None, "accepted"),
        (BODY, None, "refused"),
        (BODY, BODY, None),
        (INPUT, None, None),
        (STRANGE, None, None),
    ],
)
def test_empty_webhook(refusal: RefusedError | None, control: RefusedError | None, value: str | None) -> None:
    assert conclude_empty_webhook(refusal, control).value == value


@pytest.mark.parametrize(
    ("given", "stored", "value"),
    [
        (LOCAL, LOCAL, "verbatim"),
        (LOCAL, ABROAD, "international"),
        (LOCAL, "+" + ABROAD, None),
        (ABROAD, ABROAD, None),
        (ABROAD, LOCAL, None),
    ],
)
def test_add_number(given: str, stored: str, value: str | None) -> None:
    assert conclude_add_number(given, stored).value == value


@pytest.mark.parametrize(
    ("shown", "connected", "value"),
    [
        (LOCAL, True, None),
        (ABROAD, True, None),
        (ABROAD, False, None),
        ("6281277777777", True, "linked"),
        ("6281277777777", None, "linked"),
    ],
)
def test_profile_number(shown: str, connected: bool | None, value: str | None) -> None:
    assert conclude_profile_number(shown, LOCAL, connected).value == value


@pytest.mark.parametrize(
    ("refusal", "value"),
    [
        (refused("unknown user", "/get-devices", 200), 200),
        (refused("unknown user", "/get-devices", 401), 401),
        (refused("unknown user", "/get-devices", None), None),
        (refused("come back tomorrow", "/get-devices", 403), None),
        (None, None),
    ],
)
def test_refusal_status(refusal: RefusedError | None, value: int | None) -> None:
    assert conclude_refusal_status(refusal).value == value


def test_what_the_service_said_is_told() -> None:
    """Where nothing follows, the user has the words to report."""
    findings: list[Finding] = [
        conclude_update_without_device(STRANGE, None, LOCAL, LOCAL),
        conclude_webhook_probe(STRANGE),
        conclude_empty_webhook(STRANGE, None),
        conclude_empty_webhook(BODY, STRANGE),
        conclude_refusal_status(STRANGE),
    ]
    assert all("come back tomorrow" in finding.because for finding in findings)


def test_the_journal_masks_what_an_answer_repeats() -> None:
    class Talkative:
        def profile(self, token: str) -> t.Any:
            raise UnreadableError(f"somebody said {token}", "do not listen", False)

    calls = Caller(t.cast(t.Any, Talkative()), Redactor("account-s3cret", ["device-s3cret"]))
    with pytest.raises(UnreadableError):
        calls.profile("device-s3cret", LOCAL, "tokens")
    assert [(entry.device, entry.reply) for entry in calls.entries] == [(LOCAL, "somebody said ********")]


# The record's folder

MOUNTS = """22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
24 22 0:21 / /run rw - tmpfs tmpfs rw
25 22 0:22 / /mnt/two\\040words rw - tmpfs tmpfs rw
26 22 0:23 / /srv rw - tmpfs tmpfs rw
27 26 8:2 / /srv rw - ext4 /dev/sda2 rw
28 22 0:24 / /var/lib/layers rw - overlay overlay rw
not a line of this kind
"""
CONTAINER = "22 1 0:50 / / rw,relatime - overlay overlay rw\n30 22 8:1 / /data rw - ext4 /dev/sda1 rw\n"


@pytest.mark.parametrize(
    ("place", "mounts", "words"),
    [
        ("/home/user/record", MOUNTS, ""),
        ("/run/record", MOUNTS, "in memory (tmpfs at /run)"),
        ("/running/record", MOUNTS, ""),
        ("/mnt/two words/record", MOUNTS, "in memory"),
        ("/srv/record", MOUNTS, ""),
        ("/var/lib/layers/record", MOUNTS, ""),
        ("/home/user/record", CONTAINER, "gone with the container"),
        ("/data/record", CONTAINER, ""),
        ("/temporary/record", MOUNTS, "emptied from time to time"),
        ("/temporary-not/record", MOUNTS, ""),
        ("/home/user/record", "", ""),
    ],
)
def test_what_will_not_last(place: str, mounts: str, words: str) -> None:
    signs = short_lived(place, mounts, "/temporary")
    assert [words in sign for sign in signs] == ([True] if words else [])


def state_of(folder: Path) -> dict[str, t.Any]:
    return folder_state(RecordStore(str(folder), "https://api.example.com"))


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    state = state_of(tmp_path / "not" / "there")
    assert (state["exists"], state["writable"], state["owner"], state["mode"]) == (False, True, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    folder.mkdir()
    folder.chmod(0o770)
    before = os.stat(folder)
    state = state_of(folder)
    assert (state["exists"], state["writable"], state["mode"]) == (True, True, "0770")
    assert state["owner"] and any("others than its owner" in doubt for doubt in state["doubts"])
    assert os.stat(folder) == before and list(folder.iterdir()) == []
    folder.chmod(0o700)
    assert not any("others than its owner" in doubt for doubt in state_of(folder)["doubts"])


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "record").write_text("", encoding="utf-8")
    state = state_of(tmp_path / "record")
    assert not state["writable"] and any("cannot be written" in doubt for doubt in state["doubts"])


def test_a_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "record"
    folder.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4242)
    assert any("belongs to" in doubt for doubt in state_of(folder)["doubts"])
