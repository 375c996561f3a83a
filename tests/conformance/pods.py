# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods: ``ansible-playbook`` with a new home, another user, and no files of an earlier run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ansible_collections.fonnte.whatsapp.tests.conformance.playbooks import Player, Task, start_words
from ansible_collections.fonnte.whatsapp.tests.postgresql import Server
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Json, Sandbox

# The first id of users without an entry in the user database, as OpenShift assigns them to pods.
FIRST_UID = 1000650000
# A limit for an overloaded machine; no test depends on the time that passes.
GENEROUS_SECONDS = 120
Result = TypeVar("Result")


@functools.cache
def why_no_other_users() -> str:
    """Return why a pod cannot run as another user here; empty if it can."""
    if os.geteuid() != 0:
        return "only root can run pods as other users"
    program = str(Path(sys.executable).parent / "ansible-playbook")
    try:
        with _folder() as folder:
            os.chown(folder, FIRST_UID, FIRST_UID)
            env = {**os.environ, "HOME": str(folder), "ANSIBLE_HOME": str(folder / "none")}
            words = [*start_words(FIRST_UID), program, "--version"]
            subprocess.run(words, env=env, cwd="/", check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as exc:
        return f"another user cannot run {program}: {exc}"
    return ""


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a directory that every user can enter, unlike the directories of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="fonnte-pod-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def start_pod(sandbox: Sandbox, uid: int | None = None) -> Iterator[Player]:
    """Yield a pod, which starts without files and is removed at the end."""
    with _folder() as folder:
        pod = Player(folder, sandbox, in_process=True, uid=uid)
        yield pod
        assert not pod.record.exists(), "a pod has written a record to files"


def run_at_once(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run functions in threads that start together, and return their results in order."""
    results: dict[int, Result] = {}
    begin = threading.Barrier(len(works))

    def run(place: int) -> None:
        begin.wait()
        results[place] = works[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(works))]


# Killing


def kill_in_the_middle(pod: Player, task: Task, env: dict[str, str | None], chance: random.Random, calls: int) -> int:
    """Start a run, kill all its processes, and return the number of requests that the service had received.

    Args:
        chance: Chooses the moment: the number of the request, and a few milliseconds after it.
        calls: The number of requests of a complete run.
    """
    sandbox = pod.sandbox
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    book = pod.directory / "killed.yml"
    book.write_text(json.dumps([{**play, "tasks": [{f"fonnte.whatsapp.{task.module}": task.args}]}]), encoding="utf-8")
    words = ["-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "-e", "fonnte_in_process=true"]
    after, pause = chance.randrange(calls), chance.uniform(0.0, 0.02)
    before = len(sandbox.journal())
    output = pod.directory / "killed.output"
    with (
        output.open("wb") as stream,
        subprocess.Popen(
            [*pod.start_words, pod.programs / "ansible-playbook", *words, book],
            env=pod.environment(pod.directory / "killed.reported", env),
            cwd=pod.directory,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        ) as process,
    ):
        while len(sandbox.journal()) - before <= after and process.poll() is None:
            pass
        time.sleep(pause)
        kill_pod(pod, process.pid)
    received = len(sandbox.journal()) - before
    assert received > after, output.read_text(encoding="utf-8", errors="replace")
    return received


def kill_pod(pod: Player, group: int) -> None:
    """Kill the process group of a run, and its workers, each of which Ansible starts in a separate session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    mark = f"HOME={pod.home}\0".encode()
    give_up = time.monotonic() + GENEROUS_SECONDS
    while left := [process for process in Path("/proc").glob("[0-9]*") if _has(process, mark)]:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)
        assert time.monotonic() < give_up, f"{len(left)} processes of a killed run stay"


def _has(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes()
    except OSError:
        return False


def wait_until_unlocked(server: Server, database: str) -> float:
    """Wait until no session holds a lock of the record, and return the seconds that it took."""
    began = time.monotonic()
    while server.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
        f"AND database = (SELECT oid FROM pg_database WHERE datname = '{database}')"
    ) != [(0,)]:
        assert time.monotonic() - began < GENEROUS_SECONDS, "the locks of a killed run stay"
    return time.monotonic() - began


def count_applied(sandbox: Sandbox, path: str) -> dict[str, int]:
    """Return how often the service has applied a request, by number."""
    entries: list[Json] = [entry for entry in sandbox.journal() if entry["path"] == path and entry["applied"]]
    numbers = [str(entry["number"]) for entry in entries]
    return {number: numbers.count(number) for number in numbers}
