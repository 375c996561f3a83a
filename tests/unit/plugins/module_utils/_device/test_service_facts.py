# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of facts about the service is written completely, and used only if it is valid."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from dataclasses import fields
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.service_facts import (
    ServiceFacts,
    find_facts,
    load_facts,
    save_facts,
)
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os
from ansible_collections.fonnte.whatsapp.tests.sandbox.readings import VALUES

HERE = "https://api.example.com"
AT = "2026-11-22T09:30:00Z"
ALL = ServiceFacts(
    omitted="resets",
    empty_webhook="refused",
    add_number="international",
    refusal_status=400,
    update_without_device="refused",
    webhook_probe="called",
    listing="partial",
    profile_number="linked",
)


def written(folder: Path, **changes: t.Any) -> str:
    content = {"format": 1, "endpoint": HERE, "found_at": AT, "facts": {"omitted": "keeps"}, **changes}
    path = folder / "facts.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def refused(path: str, endpoint: str = HERE) -> str:
    with pytest.raises(OptionError) as caught:
        load_facts(path, endpoint, "service_facts_path")
    sentence = str(caught.value)
    assert sentence.startswith("Option service_facts_path: ") and sentence.endswith(".") and "\n" not in sentence
    return sentence


# The variants that the API behavior check cannot determine: it deletes no device of a user, and sends no message. Those of
# /validate change no decision of a module.
NOT_DETERMINED = {
    "otp_scope",
    "own_messages",
    "message_status",
    "url_without_message",
    "validate_numbers",
    "validate_unlinked",
}


def test_each_fact_is_a_behavior_variant_of_the_sandbox() -> None:
    assert {one.name for one in fields(ServiceFacts)} == set(VALUES) - NOT_DETERMINED
    for name, value in ALL.known().items():
        assert value in VALUES[name]


@pytest.mark.parametrize("facts", [ALL, ServiceFacts(), ServiceFacts(refusal_status=200, listing="partial")])
def test_written_facts_are_read(tmp_path: Path, facts: ServiceFacts) -> None:
    path = tmp_path / "facts.json"
    save_facts(str(path), HERE, facts, AT, "dest")
    assert load_facts(str(path), HERE, "service_facts_path") == facts
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == {"format": 1, "endpoint": HERE, "found_at": AT, "facts": facts.known()}
    assert [entry.name for entry in tmp_path.iterdir()] == ["facts.json"]


def test_file_is_readable_for_others(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        save_facts(str(tmp_path / "facts.json"), HERE, ALL, AT, "dest")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "facts.json").stat().st_mode) == 0o644


def test_failed_write_keeps_the_previous_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "facts.json"
    save_facts(str(path), HERE, ALL, AT, "dest")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    replace_os(monkeypatch, fsync=full)
    with pytest.raises(OptionError, match=r"Option dest: .*No space left on device"):
        save_facts(str(path), HERE, ServiceFacts(), AT, "dest")
    assert load_facts(str(path), HERE, "dest") == ALL
    assert [entry.name for entry in tmp_path.iterdir()] == ["facts.json"]


def test_link_is_read_and_replaced(tmp_path: Path) -> None:
    shared, link = tmp_path / "shared.json", tmp_path / "facts.json"
    save_facts(str(shared), HERE, ALL, AT, "dest")
    link.symlink_to(shared)
    assert load_facts(str(link), HERE, "dest") == ALL
    save_facts(str(link), HERE, ServiceFacts(), AT, "dest")
    assert not link.is_symlink() and load_facts(str(shared), HERE, "dest") == ALL


def test_missing_file_is_an_error_that_names_the_playbook(tmp_path: Path) -> None:
    path = str(tmp_path / "none.json")
    assert f"there is no file {path}" in refused(path) and "fonnte.whatsapp.doctor" in refused(path)
    assert find_facts(path, HERE, "dest") is None


@pytest.mark.parametrize("endpoint", ["https://api.example.org", "http://api.example.com", HERE + "/v2"])
def test_file_of_another_service_is_refused(tmp_path: Path, endpoint: str) -> None:
    sentence = refused(written(tmp_path), endpoint)
    assert HERE in sentence and endpoint in sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format is not 1"),
        ({"format": True}, "format is not 1"),
        ({"facts": ["omitted"]}, "no facts"),
        ({"endpoint": None}, "not name its service"),
        ({"endpoint": "file:///etc"}, "not name its service"),
        ({"facts": {"omitted": "perhaps"}}, 'omitted cannot be "perhaps"'),
        ({"facts": {"omitted": ["keeps"]}}, "omitted cannot be"),
        ({"facts": {"omitted": "x" * 5000}}, "omitted cannot be"),
        ({"facts": {"listing": "complete"}}, "listing cannot be"),
        ({"facts": {"profile_number": "registered"}}, "profile_number cannot be"),
        ({"facts": {"empty_webhook": "clears"}}, "empty_webhook cannot be"),
        ({"facts": {"refusal_status": "400"}}, "refusal_status cannot be"),
        ({"facts": {"refusal_status": True}}, "refusal_status cannot be"),
        ({"facts": {"refusal_status": 302}}, "refusal_status cannot be"),
        ({"facts": {"refusal_status": 503}}, "refusal_status cannot be"),
        ({"facts": {"refusal_status": 200.0}}, "refusal_status cannot be"),
    ],
)
def test_invalid_facts_are_refused(tmp_path: Path, changes: dict[str, t.Any], words: str) -> None:
    sentence = refused(written(tmp_path, **changes))
    assert words in sentence and len(sentence) < 600


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 20000, b" " * 70000])
def test_file_with_other_content_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(raw)
    assert "this release cannot use" in refused(str(path))


def test_directory_or_empty_path_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(str(tmp_path))
    assert "empty" in refused("")


def test_fact_of_a_newer_release_is_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, facts={"omitted": "keeps", "otp_scope": "device", "speed": 3, "listing": None})
    assert load_facts(path, HERE, "service_facts_path") == ServiceFacts(omitted="keeps")


def test_newer_facts_replace_older_ones() -> None:
    older = ServiceFacts(omitted="keeps", listing="partial")
    assert older.merged_with(ServiceFacts(omitted="resets", refusal_status=400)) == ServiceFacts(
        omitted="resets", listing="partial", refusal_status=400
    )
