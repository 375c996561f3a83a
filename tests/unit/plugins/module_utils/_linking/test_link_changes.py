# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of links since the last run, and the file that stores them."""

from __future__ import annotations

import errno
import json
import os
import stat
import typing as t
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking import link_changes, run_claim, run_identity
from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.run_claim import OtherRunError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.run_identity import RunIdentity
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.link_changes import (
    LINK_CHANGES,
    run_link_changes,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import ModuleInput, run_command
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_locks import hold_lock
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

A, B, NEVER = "081200000001", "081200000002", "081200000003"


class Watch:
    """A schedule that compares devices with one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, operation: str = "compare", check: bool = False, **linked: bool | None) -> dict[str, t.Any]:
        """Run the module; the devices are A, B and NEVER, by their names."""
        numbers = {"a": A, "b": B, "never": NEVER}
        devices = [{"device": numbers[name], "name": name, "connected": on} for name, on in linked.items()]
        params = {**dict.fromkeys(LINK_CHANGES), "devices": devices, "path": str(self.path), "operation": operation}
        return run_command(run_link_changes, ModuleInput(params, {}, check_mode=check)).result

    def report(self, **linked: bool | None) -> tuple[list[str], list[str]]:
        """Compare, and store that the changes were reported; return the names of dropped and recovered devices."""
        found = self.run(**linked)
        self.run("start", **linked)
        self.run("finish", **linked)
        return names(found, "dropped"), names(found, "recovered")


def names(found: dict[str, t.Any], group: str) -> list[str]:
    return [device["name"] for device in found[group]]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path / "state" / "links.json")


def test_each_change_is_reported_once_and_a_device_that_was_never_linked_is_not(watch: Watch) -> None:
    assert watch.report(a=True, b=True, never=False) == ([], [])
    assert watch.report(a=False, b=True, never=False) == (["a"], [])
    assert watch.report(a=False, b=True, never=False) == ([], [])
    assert watch.report(a=True, b=False, never=False) == (["b"], ["a"])
    assert watch.report(a=True, b=False, never=True) == ([], [])
    assert watch.report(a=True, b=True, never=False) == (["never"], ["b"])


def test_first_run_reports_no_change(watch: Watch) -> None:
    found = watch.run(a=True, b=False)
    assert found["first"] and found["changed"] and names(found, "never_linked") == ["b"]
    assert (found["dropped"], found["recovered"]) == ([], [])
    again = watch.run(a=True, b=False)
    assert not again["first"] and not again["changed"]


def test_change_without_a_message_is_returned_again(watch: Watch) -> None:
    watch.run(a=True)
    for _run in range(3):
        assert names(watch.run(a=False), "dropped") == ["a"]
    for _run in range(3):
        watch.run("start", a=False)
        watch.run("cancel", a=False)
    assert [(one["name"], one["repeated"]) for one in watch.run(a=False)["dropped"]] == [("a", False)]


def test_change_in_doubt_is_repeated_once(watch: Watch) -> None:
    """Two messages are sent at most, and the second one is marked. A refusal of the second one does not count."""
    watch.run(a=True)
    watch.run("start", a=False)
    assert [(one["name"], one["repeated"]) for one in watch.run(a=False)["dropped"]] == [("a", True)]
    watch.run("start", a=False)
    watch.run("cancel", a=False)
    assert [(one["name"], one["repeated"]) for one in watch.run(a=False)["dropped"]] == [("a", True)]
    watch.run("start", a=False)
    assert watch.report(a=False) == ([], [])
    assert watch.report(a=True) == ([], ["a"])


def test_device_that_returns_during_a_doubt_is_reported_as_recovered(watch: Watch) -> None:
    watch.run(a=True)
    watch.run("start", a=False)
    found = watch.run(a=True)
    assert [(one["name"], one["repeated"]) for one in found["recovered"]] == [("a", True)]
    assert watch.report(a=True) == ([], ["a"])
    assert watch.report(a=True) == ([], [])


def test_refused_message_about_a_return_keeps_the_doubt_about_the_drop(watch: Watch) -> None:
    watch.report(a=True)
    watch.run("start", a=False)
    # The response was lost. The device is back, and the message about its return is refused for certain.
    assert names(watch.run(a=True), "recovered") == ["a"]
    watch.run("start", a=True)
    watch.run("cancel", a=True)
    # It drops again: its only message may never have been sent.
    found = watch.run(a=False)
    assert names(found, "dropped") == ["a"] and found["dropped"][0]["repeated"]


def test_refused_message_keeps_the_doubt_about_a_device_that_is_not_in_it(watch: Watch) -> None:
    watch.report(a=True, b=True)
    watch.run("start", a=False, b=True)
    watch.run("start", b=False)
    watch.run("cancel", b=False)
    found = watch.run(a=True, b=False)
    assert names(found, "recovered") == ["a"] and names(found, "dropped") == ["b"]
    assert found["recovered"][0]["repeated"] and not found["dropped"][0]["repeated"]


def test_device_that_is_first_linked_while_a_message_fails_can_drop_off_later(watch: Watch) -> None:
    watch.run(a=True, never=False)
    watch.run(a=False, never=True)
    watch.run("start", a=False, never=True)
    watch.run("cancel", a=False, never=True)
    assert names(watch.run(a=False, never=False), "dropped") == ["a", "never"]


def test_omitted_and_unknown_devices_keep_their_state(watch: Watch) -> None:
    watch.report(a=True, b=True)
    assert watch.report(a=None) == ([], [])
    assert watch.report(a=False, b=False) == (["a", "b"], [])


def test_check_mode_returns_the_changes_and_stores_none(watch: Watch) -> None:
    assert watch.run(check=True, a=True)["changed"] and not watch.path.parent.exists()
    watch.run(a=True)
    before = watch.path.read_bytes()
    predicted = watch.run(check=True, a=False, b=True)
    assert names(predicted, "dropped") == ["a"] and predicted["diff"]["before"].encode() == before
    assert B in predicted["diff"]["after"] and B not in predicted["diff"]["before"]
    for operation in ("start", "finish", "cancel"):
        assert watch.run(operation, check=True, a=False, b=True)["changed"]
    assert watch.path.read_bytes() == before


def test_only_the_owner_can_read_the_file(watch: Watch) -> None:
    before = os.umask(0)
    try:
        watch.run(a=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(watch.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(watch.path.parent.stat().st_mode) == 0o700


DAMAGED = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"{}",
    b'{"format": "fonnte.whatsapp/link-changes", "version": 2, "devices": {}}',
    b'{"format": "fonnte.whatsapp/link-changes", "version": 1, "devices": []}',
    b'{"format": "fonnte.whatsapp/link-changes", "version": 1, "devices": {"1": {"connected": 1, "in_doubt": 0}}}',
    b'{"format": "fonnte.whatsapp/link-changes", "version": 1, "devices": {"1": {"connected": true, "in_doubt": 9}}}',
    b'{"format": "fonnte.whatsapp/link-changes", "version": 1, "devices": {"1": null}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("operation", ["compare", "start", "finish", "cancel"])
def test_damaged_file_is_an_error_and_stays(watch: Watch, content: bytes, operation: str) -> None:
    watch.path.parent.mkdir()
    watch.path.write_bytes(content)
    with pytest.raises(FonnteError, match="is not the state of an earlier run; restore it, or remove it"):
        watch.run(operation, a=True)
    assert watch.path.read_bytes() == content


def test_unreadable_file_is_an_error(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.run(a=True)

    def deny(path: str) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(link_changes, "read_whole", deny)
    with pytest.raises(FonnteError, match="cannot be read .Permission denied.; check who owns the file"):
        watch.run(a=False)


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_full_disk_keeps_the_last_state(watch: Watch, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    watch.run(a=True)
    before = watch.path.read_bytes()

    def fail(*_arguments: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        replace_os(patch, **{function: fail})
        with pytest.raises(FonnteError, match="No space left on device.; free disk space"):
            watch.run("start", a=False)
    assert watch.path.read_bytes() == before and sorted(os.listdir(watch.path.parent)) == [
        ".links.json.lock",
        watch.path.name,
    ]
    assert names(watch.run(a=False), "dropped") == ["a"]


def test_symbolic_link_is_replaced_and_its_target_stays(watch: Watch, tmp_path: Path) -> None:
    watch.run(a=True)
    target = tmp_path / "mine.json"
    watch.path.rename(target)
    watch.path.symlink_to(target)
    before = target.read_bytes()
    assert watch.report(a=False) == (["a"], [])
    assert target.read_bytes() == before and not watch.path.is_symlink()


# Two runs at a time

THIS, ENDED = RunIdentity(run_identity._machine(), os.getpid(), run_identity._start_of(os.getpid())), "0"


def in_run(watch: Watch, run: RunIdentity | None, operation: str = "compare", check: bool = False) -> dict[str, t.Any]:
    """Run the module in a run; A is disconnected."""
    params = {"devices": [{"device": A, "connected": False}], "path": str(watch.path), "operation": operation}
    return run_link_changes(ModuleInput(params, {}, check_mode=check), lambda: run).result


def stored_claim(watch: Watch) -> t.Any:
    return json.loads(watch.path.read_bytes()).get("run")


@pytest.mark.parametrize("operations", [["compare"], ["compare", "start"], ["start"]])
def test_run_that_reports_changes_excludes_others(watch: Watch, operations: list[str]) -> None:
    watch.run(a=True)
    for operation in operations:
        in_run(watch, THIS, operation)
    before, other = watch.path.read_bytes(), replace(THIS, pid=os.getppid(), started="1")
    for operation, check in (("compare", False), ("compare", True), ("start", False), ("finish", False)):
        for run in (other, None):
            with pytest.raises(
                OtherRunError, match=rf"another run \(process {os.getpid()}\) has used .*links.json since"
            ):
                in_run(watch, run, operation, check)
    assert watch.path.read_bytes() == before
    in_run(watch, THIS, "finish")
    assert stored_claim(watch) is None and in_run(watch, other)["dropped"] == []


def test_claim_is_released_by_a_refused_message(watch: Watch) -> None:
    watch.run(a=True)
    for operation in ("compare", "start", "cancel"):
        in_run(watch, THIS, operation)
        assert bool(stored_claim(watch)) is (operation != "cancel")


def test_claim_ends_with_its_process(watch: Watch) -> None:
    watch.run(a=True)
    in_run(watch, replace(THIS, started=ENDED), "start")
    assert in_run(watch, THIS)["dropped"][0]["repeated"] and stored_claim(watch)["pid"] == os.getpid()
    in_run(watch, THIS, "finish")


def test_claim_of_another_machine_is_valid_for_minutes(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.run(a=True)
    in_run(watch, replace(THIS, machine="another boot"))
    with pytest.raises(
        OtherRunError, match="another run on another machine has used .*; after 4 minutes it is ignored"
    ):
        in_run(watch, THIS)
    at = datetime.now(timezone.utc)
    for seconds in (run_claim.FOREIGN_SECONDS + 2, -3600.0):
        # A clock that was set back does not block all runs.
        with monkeypatch.context() as patch:
            patch.setattr(run_claim, "now", lambda seconds=seconds: at + timedelta(seconds=seconds))
            assert in_run(watch, THIS, check=True)["dropped"]


def test_run_without_an_identity_claims_nothing(watch: Watch) -> None:
    watch.run(a=True)
    in_run(watch, None, "start")
    assert stored_claim(watch) is None and in_run(watch, THIS)["dropped"][0]["repeated"]


def test_unchanged_links_are_not_claimed(watch: Watch) -> None:
    watch.report(a=False)
    before = watch.path.stat().st_ino
    assert not in_run(watch, THIS)["changed"] and watch.path.stat().st_ino == before and stored_claim(watch) is None


def test_comparison_claims_once_and_predicts_no_claim(watch: Watch) -> None:
    watch.run(a=True)
    assert not in_run(watch, THIS, check=True)["changed"] and stored_claim(watch) is None
    assert not in_run(watch, THIS)["changed"]
    before = watch.path.stat().st_ino
    assert not in_run(watch, THIS)["changed"] and watch.path.stat().st_ino == before


def test_lock_that_another_task_holds_is_an_error_after_a_while(watch: Watch) -> None:
    watch.run(a=True)
    waited: list[float] = []
    params = {"devices": [], "path": str(watch.path), "operation": "compare"}
    with hold_lock(str(watch.path), 0), pytest.raises(OtherRunError, match="another run has held .* for 10 seconds"):
        run_link_changes(ModuleInput(params, {}, pause=waited.append))
    assert 9.9 < sum(waited) < 10.1
    assert not watch.run(a=True)["changed"]


@pytest.mark.parametrize(
    "wrong",
    [{"pid": "1"}, {"pid": True}, {"pid": 0}, {"machine": None}, {"started": 1}, {"at": "now"}, {"at": None}, None],
)
def test_invalid_claim_is_a_damaged_file(watch: Watch, wrong: dict[str, object] | None) -> None:
    claim = {"machine": "m", "pid": 1, "started": "1", "at": "2026-11-20T00:00:00Z"}
    run = None if wrong is None else {**claim, **wrong}
    watch.path.parent.mkdir()
    state = {"format": link_changes.FORMAT, "version": 1, "run": run, "devices": {}}
    watch.path.write_text(json.dumps(state))
    with pytest.raises(FonnteError, match="is not the state of an earlier run"):
        watch.run(a=True)


@pytest.mark.parametrize("devices", [[{}], [{"device": 812, "connected": True}], [{"device": A, "connected": "yes"}]])
def test_other_devices_are_refused(tmp_path: Path, devices: list[dict[str, object]]) -> None:
    params = {"devices": devices, "path": str(tmp_path / "links.json"), "operation": "compare"}
    with pytest.raises(OptionError, match=r"devices\[0\]"):
        run_command(run_link_changes, ModuleInput(params, {}))


@pytest.mark.parametrize("path", ["", "links/"])
def test_path_must_name_a_file(path: str) -> None:
    with pytest.raises(OptionError, match="path"):
        run_command(run_link_changes, ModuleInput({"devices": [], "path": path, "operation": "compare"}, {}))


@given(st.dictionaries(st.text(), st.tuples(st.booleans(), st.integers(0, link_changes.MAX_MESSAGES)), max_size=5))
def test_stored_state_is_read_back(state: dict[str, tuple[bool, int]]) -> None:
    """The service may return any string as a number."""
    stored = {number: link_changes.Known(*known) for number, known in state.items()}
    assert link_changes._parse(json.loads(link_changes.state_bytes(stored))).devices == stored


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["queued", "refused", "lost"])), max_size=12))
def test_no_change_is_lost_or_reported_more_than_twice(runs: list[tuple[bool, str]]) -> None:
    """In each order of links and results of messages, the recipients know the last state, or it is repeated."""
    state: dict[str, link_changes.Known] = {A: link_changes.Known(True)}
    reported: list[bool] = [True]
    tries = 0
    for connected, outcome in [*runs, (True, "queued"), (True, "queued")]:
        found = link_changes.compare(state, [link_changes.Change(A, None, connected)])
        if not found.dropped and not found.recovered:
            state = dict(found.seen)
            continue
        tries = tries + 1 if reported[-1] is connected and outcome != "refused" else 0
        assert tries <= link_changes.MAX_MESSAGES
        state = link_changes.start(found)
        again = link_changes.compare(state, [link_changes.Change(A, None, connected)])
        if outcome == "queued":
            state = link_changes.finish(again)
        elif outcome == "refused":
            state = link_changes.cancel(again)
        if outcome != "refused":
            reported.append(connected)
    assert link_changes.compare(state, [link_changes.Change(A, None, True)]).recovered == ()
    assert reported[-1] is True


def test_number_with_two_states_is_unknown(tmp_path: Path) -> None:
    """The service may list a number twice. Each run would otherwise report that it changed, without end."""

    def run(operation: str, *states: bool) -> dict[str, t.Any]:
        devices = [{"device": A, "name": "a", "connected": state} for state in states]
        params = {
            **dict.fromkeys(LINK_CHANGES),
            "devices": devices,
            "path": str(tmp_path / "x"),
            "operation": operation,
        }
        return run_command(run_link_changes, ModuleInput(params, {})).result

    run("compare", True)
    for states in ((True, False), (False, True)):
        found = run("compare", *states)
        assert not found["dropped"] and not found["recovered"] and not found["changed"]
    assert names(run("compare", False, False), "dropped") == ["a"]
