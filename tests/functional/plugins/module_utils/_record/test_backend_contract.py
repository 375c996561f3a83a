# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of every place that stores a record. An implementation adds itself to ``PLACES``."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    RecordChangedError,
    RecordError,
    RecordLockedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Backend, Phase, Stored, Write
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.backend import PostgresqlBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import Cipher, Place
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend

NOTE, DEVICE, OTHER = (f"{kind}-{digit * 32}" for kind, digit in (("number", "1"), ("device", "2"), ("device", "3")))


class Crash(BaseException):
    """The process ends, and runs no more of its code."""


# Returns a connection of another control node to the same place at each call.
Connect = t.Callable[[], Backend]
# The constructors of new places, by name. A database server is started when its first test begins.
Places = t.Callable[[pytest.FixtureRequest, Path], Connect]


def _directory(_request: pytest.FixtureRequest, folder: Path) -> Connect:
    return lambda: FileBackend(RecordDirectory(str(folder / "records")))


def _database(server: str) -> Places:
    def create(request: pytest.FixtureRequest, _folder: Path) -> Connect:
        url = request.getfixturevalue(server).create_database()
        return lambda: PostgresqlBackend(url)

    return create


PLACES: dict[str, Places] = {
    "files": _directory,
    "newest PostgreSQL": _database("postgresql_server"),
    "oldest PostgreSQL": _database("oldest_postgresql_server"),
}


@pytest.fixture(params=PLACES)
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Connect:
    return PLACES[request.param](request, tmp_path)


@pytest.fixture
def here(connect: Connect) -> Backend:
    return connect()


@pytest.fixture
def there(connect: Connect) -> Backend:
    return connect()


def text(name: str, content: str) -> bytes:
    """Return an encrypted string for an entry, since a place may refuse other strings."""
    return Cipher("a-token", Place(name, name.partition("-")[0], "https://h")).encrypt({"content": content})


def put(backend: Backend, name: str, content: bytes | None, phase: Phase = Phase.EDIT) -> Stored:
    """Write a string over the present one."""
    return backend.put([Write(name, content, backend.read([name])[name])], phase)[name]


def texts(backend: Backend, *names: str) -> list[bytes | None]:
    return [stored.text for stored in backend.read(names).values()]


# Strings


def test_empty_place_has_no_entries(here: Backend) -> None:
    assert here.names() == [] and here.damaged() == [] and here.warnings() == [] and here.is_empty()
    assert texts(here, NOTE, DEVICE) == [None, None]


def test_every_node_reads_the_written_strings(here: Backend, there: Backend) -> None:
    first, second = text(NOTE, "a"), text(DEVICE, "b")
    absent = here.read([NOTE, DEVICE])
    written = here.put([Write(NOTE, first, absent[NOTE]), Write(DEVICE, second, absent[DEVICE])], Phase.EDIT)
    assert {name: stored.text for name, stored in written.items()} == {NOTE: first, DEVICE: second}
    assert there.read([NOTE, DEVICE]) == here.read([NOTE, DEVICE]) == written
    assert there.names() == [DEVICE, NOTE]


@pytest.mark.parametrize("phases", [(Phase.EDIT, Phase.EDIT), (Phase.BEGIN, Phase.CONFIRM)])
def test_each_write_has_another_revision(here: Backend, phases: tuple[Phase, Phase]) -> None:
    revisions = [here.read([DEVICE])[DEVICE].revision]
    with here.lock([DEVICE], 0):
        for number in range(9):
            revisions.append(put(here, DEVICE, text(DEVICE, str(number)), phases[number % 2]).revision)
    assert len(set(revisions)) == 10


def test_last_of_many_writes_counts(here: Backend, there: Backend) -> None:
    with here.lock([DEVICE], 0):
        for number in range(12):
            last = text(DEVICE, str(number))
            put(here, DEVICE, last, Phase.CONFIRM if number % 3 else Phase.BEGIN)
            assert texts(here, DEVICE) == texts(there, DEVICE) == [last]


def test_entry_can_be_removed(here: Backend, there: Backend) -> None:
    put(here, DEVICE, text(DEVICE, "a"))
    assert not there.is_empty()
    put(here, DEVICE, None)
    assert texts(there, DEVICE) == [None] and there.names() == []
    put(there, DEVICE, text(DEVICE, "b"))
    assert here.names() == [DEVICE]


def test_damaged_string_is_kept_aside(here: Backend) -> None:
    old, new = text(DEVICE, "a"), text(DEVICE, "b")
    put(here, DEVICE, old)
    here.put([Write(DEVICE, new, here.read([DEVICE])[DEVICE], keep_damaged=True)], Phase.BEGIN)
    assert texts(here, DEVICE) == [new] and here.names() == [DEVICE]
    assert [name.partition(".")[0] for name in here.damaged()] == [DEVICE]


# Compare and set


def test_write_replaces_only_the_string_of_the_plan(here: Backend, there: Backend) -> None:
    put(here, DEVICE, text(DEVICE, "a"))
    planned = here.read([DEVICE])[DEVICE]
    theirs = text(DEVICE, "theirs")
    put(there, DEVICE, theirs)
    with here.lock([DEVICE], 0):
        # A second attempt with the same plan fails as well: the check must not refresh it.
        for _try in range(2):
            with pytest.raises(RecordChangedError):
                here.put([Write(DEVICE, text(DEVICE, "b"), planned)], Phase.BEGIN)
    assert texts(here, DEVICE) == [theirs]


def test_write_to_a_missing_entry_does_not_replace_a_new_one(here: Backend, there: Backend) -> None:
    planned = here.read([DEVICE])[DEVICE]
    put(there, DEVICE, text(DEVICE, "theirs"))
    with pytest.raises(RecordChangedError):
        here.put([Write(DEVICE, text(DEVICE, "b"), planned)], Phase.EDIT)


def test_no_string_is_written_if_one_of_them_has_changed(here: Backend, there: Backend) -> None:
    planned = here.read([NOTE, DEVICE])
    put(there, DEVICE, text(DEVICE, "theirs"))
    with pytest.raises(RecordChangedError):
        here.put([Write(name, text(name, "b"), planned[name]) for name in (NOTE, DEVICE)], Phase.BEGIN)
    assert texts(here, NOTE) == [None]


def test_run_continues_from_its_own_writes(here: Backend) -> None:
    with here.lock([DEVICE], 0):
        written = put(here, DEVICE, text(DEVICE, "a"), Phase.BEGIN)
        last = text(DEVICE, "b")
        here.put([Write(DEVICE, last, written)], Phase.CONFIRM)
    assert texts(here, DEVICE) == [last]


# Marks


def test_nothing_is_stale_if_no_run_has_written(here: Backend) -> None:
    put(here, DEVICE, text(DEVICE, "a"))
    mark = here.mark([NOTE, DEVICE])
    assert not here.stale(mark, [NOTE, DEVICE])
    with here.lock([NOTE, DEVICE], 0):
        assert not here.stale(mark, [NOTE, DEVICE])


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("phase", Phase)
def test_write_of_another_run_since_the_mark_is_detected(
    here: Backend, there: Backend, existed: bool, phase: Phase
) -> None:
    if existed:
        put(here, DEVICE, text(DEVICE, "a"))
    mark = here.mark([DEVICE, OTHER])
    put(there, DEVICE, text(DEVICE, "theirs"), phase)
    with here.lock([DEVICE, OTHER], 0):
        assert list(here.stale(mark, [DEVICE, OTHER])) == [DEVICE]
        mark = here.mark([DEVICE, OTHER])
        assert not here.stale(mark, [DEVICE, OTHER])
    assert not here.stale(here.mark([DEVICE]), [DEVICE])


def test_removal_by_another_run_is_detected(here: Backend, there: Backend) -> None:
    put(here, DEVICE, text(DEVICE, "a"))
    mark = here.mark([DEVICE])
    put(there, DEVICE, None)
    with here.lock([DEVICE], 0):
        assert list(here.stale(mark, [DEVICE])) == [DEVICE]


def test_mark_is_invalid_for_an_entry_with_a_request_in_progress(here: Backend, there: Backend) -> None:
    with there.lock([DEVICE], 0):
        written = put(there, DEVICE, text(DEVICE, "doubt"), Phase.BEGIN)
        mark = here.mark([DEVICE])
        there.put([Write(DEVICE, text(DEVICE, "sure"), written)], Phase.CONFIRM)
    with here.lock([DEVICE], 0):
        assert list(here.stale(mark, [DEVICE])) == [DEVICE] and not here.left_open([DEVICE])


def test_failed_run_closes_its_entries(here: Backend, there: Backend) -> None:
    with pytest.raises(ValueError), there.lock([DEVICE], 0):
        put(there, DEVICE, text(DEVICE, "doubt"), Phase.BEGIN)
        raise ValueError("its response was lost")
    mark = here.mark([DEVICE])
    with here.lock([DEVICE], 0):
        assert not here.left_open([DEVICE]) and not here.stale(mark, [DEVICE])


def test_entry_left_open_by_a_dead_run_is_stale_and_reported_once(here: Backend, there: Backend) -> None:
    with pytest.raises(Crash), there.lock([DEVICE], 0):
        put(there, DEVICE, text(DEVICE, "doubt"), Phase.BEGIN)
        raise Crash
    mark = here.mark([DEVICE])
    with here.lock([DEVICE], 0):
        assert list(here.left_open([DEVICE])) == [DEVICE] == list(here.stale(mark, [DEVICE]))
        put(here, DEVICE, text(DEVICE, "sure"))
    mark = here.mark([DEVICE])
    with here.lock([DEVICE], 0):
        assert not here.left_open([DEVICE]) and not here.stale(mark, [DEVICE])


def test_entry_left_open_by_a_dead_run_is_reported_until_a_run_has_written(here: Backend, there: Backend) -> None:
    """A run that fails before its first write has not found out whether the request of the dead run was applied."""
    with pytest.raises(Crash), there.lock([DEVICE], 0):
        put(there, DEVICE, text(DEVICE, "doubt"), Phase.BEGIN)
        raise Crash
    for _run in range(2):
        with pytest.raises(ValueError), here.lock([DEVICE], 0):
            assert list(here.left_open([DEVICE])) == [DEVICE]
            raise ValueError("the list cannot be read")
    assert list(here.stale(here.mark([DEVICE]), [DEVICE])) == [DEVICE]


def test_mark_of_another_place_is_invalid(here: Backend, tmp_path: Path) -> None:
    other = FileBackend(RecordDirectory(str(tmp_path / "elsewhere")))
    assert list(here.stale(other.mark([DEVICE]), [DEVICE])) == [DEVICE]


# Locks


def test_held_entry_cannot_be_locked_by_another_run(connect: Connect, here: Backend, there: Backend) -> None:
    with here.lock([NOTE, DEVICE], 0):
        for names in ([NOTE], [DEVICE], [DEVICE, OTHER]):
            with pytest.raises(RecordLockedError, match="another run"), there.lock(names, 0.1):
                pass
        with there.lock([OTHER], 0):
            pass
    with there.lock([NOTE, DEVICE], 0):
        pass


def test_several_entries_are_all_locked_or_none(here: Backend, there: Backend) -> None:
    with here.lock([DEVICE], 0):
        with pytest.raises(RecordLockedError), there.lock([NOTE, DEVICE], 0):
            pass
        with here.lock([NOTE], 0):
            pass


def test_run_waits_for_the_lock_of_another_one(here: Backend, there: Backend) -> None:
    held, order = threading.Event(), []

    def work() -> None:
        with there.lock([DEVICE], 0):
            held.set()
            order.append("theirs")

    with here.lock([DEVICE], 0):
        thread = threading.Thread(target=work)
        # The other run would fail immediately; this one waits without a limit.
        order.append("ours")
    thread.start()
    held.wait(30)
    with here.lock([DEVICE], 30):
        order.append("ours again")
    thread.join(30)
    assert order == ["ours", "theirs", "ours again"]


def test_write_fails_if_another_run_holds_the_lock(here: Backend, there: Backend) -> None:
    with here.lock([DEVICE], 0), pytest.raises(RecordLockedError):
        put(there, DEVICE, text(DEVICE, "a"))
    assert texts(here, DEVICE) == [None]


def test_held_locks_are_verified(here: Backend) -> None:
    with here.lock([DEVICE], 0):
        here.verify_held()


# The place


def test_place_and_its_entries_have_names(here: Backend) -> None:
    here.check_writable()
    assert here.place and DEVICE in here.label(DEVICE)
    health = here.health()
    assert health.writable and health.place


def test_lock_and_change_errors_are_record_errors() -> None:
    assert issubclass(RecordLockedError, RecordError) and issubclass(RecordChangedError, RecordError)
