# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One record in a database: pods without files, concurrent jobs, and tasks that cannot use it."""

from __future__ import annotations

import collections
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import (
    Player,
    Run,
    Task,
    device,
    device_info,
    doctor,
    group_info,
    message,
    number_info,
    record,
    record_info,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import USUAL_CORES
from ansible_collections.fonnte.whatsapp.tests.postgresql import (
    PASSWORD,
    QUOTED_PASSWORD,
    Server,
    postgresql_server,
    record_url,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

__all__ = ["postgresql_server", "record_url"]

FIRST, SECOND = "081200001001", "081200001002"
HOOK = "https://h.example.com/s3cr3t-of-the-hook"
OLDEST = os.environ.get("FONNTE_TESTS_OLDEST")
CORES = {"newest": None, **({"oldest": Path(OLDEST)} if OLDEST else {})}


def fleet(count: int, **settings: object) -> Task:
    devices = [{"device": f"0812{index:08}", "name": f"Toko {index}", **settings} for index in range(count)]
    return Task("fonnte_fleet", {"devices": devices, "handle_unknown": "ignore"})


def using(sandbox: Sandbox, url: str = "") -> dict[str, str | None]:
    """Return the environment of a job: its token, and the database."""
    return {"FONNTE_ACCOUNT_TOKEN": sandbox.account_token, **({"FONNTE_RECORD_URL": url} if url else {})}


def created(sandbox: Sandbox) -> collections.Counter[str]:
    """Return how often each number was created."""
    return collections.Counter(
        entry["number"] for entry in sandbox.journal() if entry["path"] == "/add-device" and entry["applied"]
    )


def play_at_once(pods: Sequence[Player], task: Task, env: dict[str, str | None]) -> list[Run]:
    runs: dict[int, Run] = {}

    def work(place: int) -> None:
        runs[place] = pods[place].play(task, env=env)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(pods))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [runs[place] for place in range(len(pods))]


@pytest.mark.parametrize("core", USUAL_CORES)
def test_pods_without_files_act_like_one_machine(core: str, sandbox: Sandbox, record_url: str, tmp_path: Path) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    env = using(sandbox, record_url)
    changed = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        pod = Player(folder, sandbox, CORES[core], in_process=True)
        predicted = pod.play(fleet(5, quick=True, webhook=HOOK), check=True, env=env).only()
        done = pod.play(fleet(5, quick=True, webhook=HOOK), device(device="081200000001", quick=True), env=env)
        assert predicted.changed == done.reported[0].changed and predicted["diff"] == done.reported[0]["diff"]
        assert not done.reported[0].failed and not done.reported[1].changed
        assert not pod.record.exists(), "nothing is written to files"
        changed.append(done.reported[0].changed)
    assert changed == [True, False, False] and set(created(sandbox).values()) == {1}


@pytest.mark.weekly
def test_concurrent_jobs_create_each_device_once(sandbox: Sandbox, record_url: str, tmp_path: Path) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "plan": "Super"}])
    pods = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        pods.append(Player(folder, sandbox, in_process=True))
    runs = play_at_once(pods, fleet(10, quick=True), using(sandbox, record_url))
    for run in runs:
        assert not run.only().failed, run.only().result
        assert run.only()["summary"]["failed"] == run.only()["summary"]["in_doubt"] == 0
    assert len(created(sandbox)) == 10 and set(created(sandbox).values()) == {1}
    assert not pods[0].play(fleet(10, quick=True), env=using(sandbox, record_url)).only().changed


@pytest.mark.weekly
def test_every_module_with_record_uses_database(
    sandbox: Sandbox, player: Player, record_url: str, postgresql_server: Server, tmp_path: Path
) -> None:
    env = using(sandbox, record_url)
    reported = player.play(
        device(device=FIRST, name="Toko", quick=True),
        device(device=FIRST, webhook=HOOK, handle_write_only="attest"),
        record_info(),
        record(operation="backup", path=str(tmp_path / "backup.json")),
        record(operation="forget", devices=[FIRST]),
        record(operation="restore", path=str(tmp_path / "backup.json")),
        device_info(recorded=True),
        doctor(device=FIRST),
        device(device=FIRST, name="Toko", quick=True, webhook=HOOK),
        env=env,
    ).reported
    assert [one.failed for one in reported] == [False] * 9, [one.message for one in reported]
    assert reported[2]["folder"].startswith("postgresql://127.0.0.1:") and reported[2]["writable"]
    assert reported[5].changed and not reported[8].changed
    run = player.play_by_name("record", env=env)
    assert "can be written" in run.output and "postgresql://127.0.0.1:" in run.output


@pytest.mark.weekly
def test_groups_are_refreshed_once_and_numbers_are_locked_in_a_database(
    sandbox: Sandbox, player: Player, record_url: str
) -> None:
    phone = {"number": SECOND, "linked": True, "groups": [{"id": "120363041@g.us", "name": "Gudang"}]}
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [phone]}])
    env = using(sandbox, record_url)
    reported = player.play(
        group_info(device=SECOND, refresh=True),
        group_info(device=SECOND, refresh=True),
        number_info(device=SECOND, numbers=[FIRST]),
        env=env,
    ).reported
    assert [one.failed for one in reported] == [False] * 3, [one.message for one in reported]
    assert [one["refreshed"] for one in reported[:2]] == [True, False] and reported[2]["registered"] == [FIRST]
    assert player.play(group_info(device=SECOND, refresh=True), env=env).only()["refreshed"] is False


# The reason in the error message, and the keywords of a task with this error.
ELSEWHERE = {
    "the task is async": {"async": 60, "poll": 1},
    "the task becomes another user": {"become": True, "become_user": "nobody"},
}


@pytest.mark.weekly
@pytest.mark.parametrize("given", ["in the task", "in the environment", "in the environment of the task"])
def test_task_outside_worker_process_fails_before_first_request(
    given: str, sandbox: Sandbox, tmp_path: Path, record_url: str
) -> None:
    player = Player(tmp_path, sandbox, in_process=True)
    (tmp_path / "ordinary").mkdir()
    ordinary = Player(tmp_path / "ordinary", sandbox, in_process=False)
    sandbox.clear_journal()
    option = {"record_url": record_url} if given == "in the task" else {}
    keywords = {"environment": {"FONNTE_RECORD_URL": record_url}} if given.endswith("of the task") else {}
    tasks = [
        device(device=FIRST, name="Toko", **option),
        record_info(**option),
        message(device=FIRST, target=SECOND, message="Hello", **option),
    ]
    env = using(sandbox, record_url if given == "in the environment" else "")
    elsewhere = [task.named(**keywords, **more) for more in ELSEWHERE.values() for task in tasks]
    runs = [player.play(*elsewhere, env=env), ordinary.play(*(task.named(**keywords) for task in tasks), env=env)]
    reasons = [*ELSEWHERE, "fonnte_in_process is false"]
    reported = [one for run in runs for one in run.reported]
    for reason, one in zip([reason for reason in reasons for _task in tasks], reported, strict=True):
        assert one.failed and "Option record_url: the record is in a database" in one.message and reason in one.message
    assert sandbox.journal() == []
    for secret in (PASSWORD, QUOTED_PASSWORD, record_url):
        assert not any(secret in run.output for run in runs)


def test_other_python_interpreter_fails_before_first_request(sandbox: Sandbox, player: Player, record_url: str) -> None:
    sandbox.clear_journal()
    task = {"fonnte.whatsapp.fonnte_device": {"device": FIRST, "name": "Toko"}, "ignore_errors": True}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
    words = ("-e", "ansible_python_interpreter=/usr/bin/python3")
    one = player.play_book([play], *words, env=using(sandbox, record_url)).only()
    assert one.failed and "ansible_python_interpreter is /usr/bin/python3" in one.message
    assert sandbox.journal() == []


def test_database_error_shows_no_password(
    sandbox: Sandbox, player: Player, record_url: str, postgresql_server: Server
) -> None:
    wrong = record_url.replace(QUOTED_PASSWORD, "wr%40ng-s3cr3t")
    unencoded = record_url.replace(QUOTED_PASSWORD, "wr@ng-s3cr3t")
    unreadable = record_url.replace(QUOTED_PASSWORD, "wr%zzng-s3cr3t")
    nowhere = postgresql_server.url("postgres", port=1)
    sandbox.clear_journal()
    texts: Json = {
        wrong: "password authentication failed",
        unencoded: "has a character with a meaning in URLs",
        unreadable: "PostgreSQL's library cannot read it",
        nowhere: "cannot be reached",
    }
    for url, text in texts.items():
        one = player.play(device(device=FIRST, name="Toko"), env=using(sandbox, url)).only()
        assert one.failed and text in one.message, one.message
    assert sandbox.writes() == []


@pytest.mark.weekly
def test_missing_database_library_is_named(sandbox: Sandbox, player: Player, record_url: str, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "psycopg"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    env = {**using(sandbox, record_url), "PYTHONPATH": str(hidden.parent)}
    one = player.play(device(device=FIRST, name="Toko"), env=env).only()
    assert one.failed and "psycopg" in one.message and sys.executable.rpartition("/")[0] in one.message
