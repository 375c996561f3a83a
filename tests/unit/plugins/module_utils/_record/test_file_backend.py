# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record as files: the state after a power failure, the meaning of a nonce, and the cost of a write."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import RecordError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Phase, Write
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import Cipher, Place
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.group_commit import GroupCommit
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.lock_files import (
    LENGTH,
    is_closed,
    is_open,
    new_content,
)
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

NAME = "device-" + "2" * 32
OTHER = "device-" + "3" * 32


def text(content: str, name: str = NAME) -> bytes:
    return Cipher("a-token", Place(name, "device", "https://h")).encrypt({"content": content})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "records"


@pytest.fixture
def backend(folder: Path) -> FileBackend:
    return FileBackend(RecordDirectory(str(folder)))


def put(backend: FileBackend, content: bytes, phase: Phase, name: str = NAME) -> None:
    backend.put([Write(name, content, backend.read([name])[name])], phase)


def present(folder: Path) -> bytes | None:
    """Return the string as another process reads it."""
    return FileBackend(RecordDirectory(str(folder))).read([NAME])[NAME].text


# States after a power failure


def test_partial_confirmation_leaves_the_pending_or_the_confirmed_entry(backend: FileBackend, folder: Path) -> None:
    doubt, sure = text("doubt"), text("sure")
    with backend.lock([NAME], 0):
        put(backend, doubt, Phase.BEGIN)
        begun = (folder / NAME).read_bytes()
        put(backend, sure, Phase.CONFIRM)
    whole = (folder / NAME).read_bytes()
    assert begun == doubt and whole.startswith(begun)
    for length in range(len(begun), len(whole) + 1):
        for rest in (b"", bytes(len(whole) - length)):
            (folder / NAME).write_bytes(whole[:length] + rest)
            assert present(folder) == (sure if length == len(whole) else doubt), (length, rest[:3])


def test_page_of_zeros_in_a_confirmation_leaves_the_pending_entry(backend: FileBackend, folder: Path) -> None:
    doubt = text("doubt")
    with backend.lock([NAME], 0):
        put(backend, doubt, Phase.BEGIN)
        put(backend, text("sure"), Phase.CONFIRM)
    whole = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(whole[: len(doubt)] + bytes(40) + whole[len(doubt) + 40 :])
    assert present(folder) == doubt


def test_nothing_is_appended_to_a_truncated_entry(backend: FileBackend, folder: Path) -> None:
    with backend.lock([NAME], 0):
        put(backend, text("doubt"), Phase.BEGIN)
        put(backend, text("sure"), Phase.CONFIRM)
    whole = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(whole[:-5])
    last = text("last")
    put(FileBackend(RecordDirectory(str(folder))), last, Phase.CONFIRM)
    assert (folder / NAME).read_bytes() == last and present(folder) == last


def test_nothing_is_appended_to_a_replaced_file(backend: FileBackend, folder: Path) -> None:
    last = text("last")
    with backend.lock([NAME], 0):
        put(backend, text("doubt"), Phase.BEGIN)
        (folder / "precious").write_bytes(b"keep")
        (folder / NAME).unlink()
        os.link(folder / "precious", folder / NAME)
        put(backend, last, Phase.CONFIRM)
    assert (folder / "precious").read_bytes() == b"keep" and present(folder) == last


def test_full_disk_leaves_the_pending_entry(
    backend: FileBackend, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt, write = text("doubt"), os.write

    def full(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[: len(data) // 2])

    with backend.lock([NAME], 0):
        put(backend, doubt, Phase.BEGIN)
        with monkeypatch.context() as patch:
            replace_os(patch, write=full)
            with pytest.raises(RecordError, match="No space left"):
                put(backend, text("sure"), Phase.CONFIRM)
        assert (folder / NAME).read_bytes() == doubt
        last = text("last")
        put(backend, last, Phase.CONFIRM)
    assert present(folder) == last


def test_earlier_values_do_not_stay_in_the_file(backend: FileBackend, folder: Path) -> None:
    with backend.lock([NAME], 0):
        put(backend, text("a"), Phase.BEGIN)
        put(backend, text("b"), Phase.CONFIRM)
        for phase in (Phase.BEGIN, Phase.EDIT):
            last = text("c")
            put(backend, last, phase)
            assert (folder / NAME).read_bytes() == last


# Nonces


def test_nonce_changes_at_every_write_and_is_open_between_begin_and_confirm(backend: FileBackend, folder: Path) -> None:
    lock, seen = folder / f"{NAME}.lock", []
    with backend.lock([NAME], 0):
        assert lock.read_bytes() == b""
        for phase in (Phase.BEGIN, Phase.CONFIRM, Phase.BEGIN, Phase.EDIT, Phase.BEGIN):
            put(backend, text("a"), phase)
            seen.append(lock.read_bytes())
            assert len(seen[-1]) == LENGTH and is_open(seen[-1]) is (phase is Phase.BEGIN)
    # The run has ended, and its request with it.
    assert is_closed(lock.read_bytes()) and len({content[:-1] for content in [*seen, lock.read_bytes()]}) == 6


@pytest.mark.parametrize(
    "content",
    [b"", b"0123456789abcdef", new_content(False) + b"c", b"x" * LENGTH],
    ids=["empty", "short", "long", "no flag"],
)
def test_lock_without_a_complete_nonce_is_stale(folder: Path, backend: FileBackend, content: bytes) -> None:
    """The nonce of an earlier release has sixteen bytes."""
    folder.mkdir()
    (folder / f"{NAME}.lock").write_bytes(content)
    mark = backend.mark([NAME])
    assert list(backend.stale(mark, [NAME])) == [NAME]
    with backend.lock([NAME], 0):
        assert list(backend.stale(mark, [NAME])) == [NAME]
        put(backend, text("a"), Phase.EDIT)
    assert not backend.stale(backend.mark([NAME]), [NAME])


@pytest.mark.parametrize("most", [0, 1, 2])
def test_unmarked_entry_is_stale_unless_all_were_marked(folder: Path, most: int) -> None:
    backend = FileBackend(RecordDirectory(str(folder)), max_marked=most)
    for name in (NAME, OTHER):
        put(backend, text("a", name), Phase.EDIT, name)
    mark = backend.mark([OTHER])
    with backend.lock([NAME, OTHER], 0):
        assert list(backend.stale(mark, [NAME, OTHER])) == ([] if most == 2 else [NAME])


def test_entry_that_was_never_locked_is_not_stale(backend: FileBackend, folder: Path) -> None:
    mark = backend.mark()
    assert not backend.stale(mark, [NAME]) and not folder.exists()
    with backend.lock([NAME], 0):
        assert not backend.stale(mark, [NAME])


# Cost


def test_one_sync_completes_all_waiting_writes() -> None:
    commits, entered, go, runs = GroupCommit(), threading.Event(), threading.Event(), []

    def slow() -> None:
        runs.append(1)
        entered.set()
        go.wait(30)

    threads = [threading.Thread(target=commits.commit, args=(slow,)) for _thread in range(9)]
    threads[0].start()
    assert entered.wait(30)
    for thread in threads[1:]:
        thread.start()
    while commits._asked < 9:
        threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join(30)
    # The first sync began before the others had requested one.
    assert len(runs) == 2


def test_failed_sync_completes_no_write() -> None:
    commits, results = GroupCommit(), iter([OSError("broken"), None])

    def sync() -> None:
        result = next(results)
        if result is not None:
            raise result

    with pytest.raises(OSError):
        commits.commit(sync)
    commits.commit(sync)
    assert next(results, "both were run") == "both were run"
