# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invariant *bound*: an attacker without a token cannot move a value from one device to another.

The attacker can write to record and backup. It is a separate process, under a second user if the tests run as root,
that permutes, links, copies, truncates and replaces files of a record that a group shares, and strings of its backup.
Between these actions, runs of the owner read, write, back up and restore. No device ever gets the values of another
one, and no file outside is written.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, RecordError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backup import read_backup, write_backup
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import is_name, owner_of
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import DeviceRecord, NumberRecord
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.files import EncryptedFile
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore

ENDPOINT = "https://api.example.com"
ACCOUNT = "token-of-the-account"
AT = "2026-11-22T09:00:00Z"
# One account has the same secret for all its numbers: only the binding separates their entries.
DEVICES, NUMBERS = 2, 4
PLACES = st.integers(0, DEVICES + NUMBERS - 1)
# The distance between two files.
DISTANCES = st.integers(1, DEVICES + NUMBERS - 1)
PRECIOUS = "a file of the user, with more than sixteen bytes"
OTHER_UID = 65534

ATTACKER = """
import json, os, sys
group, user = map(int, sys.argv[1:])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
os.umask(0)

def put_away(name):
    if os.path.isdir(name) and not os.path.islink(name):
        os.rmdir(name)
    elif os.path.lexists(name):
        os.unlink(name)

def swap(one, other):
    os.rename(one, one + ".swap")
    os.rename(other, one)
    os.rename(one + ".swap", other)

def read(name):
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return os.read(descriptor, 10000)
    finally:
        os.close(descriptor)

def copy(one, other):
    write(other, read(one))

def write(name, data):
    put_away(name)
    with open(name, "wb") as stream:
        stream.write(data)
    os.chmod(name, 0o666)

def relabel(one, other):
    write(other, other.encode() + b":" + read(one).partition(b":")[2])

def symlink(name, target):
    put_away(name)
    os.symlink(target, name)

def link(name, target):
    put_away(name)
    os.link(target, name)

def pipe(name):
    put_away(name)
    os.mkfifo(name, 0o666)

def directory(name):
    put_away(name)
    os.mkdir(name)

def truncate(name, length):
    if os.path.isfile(name) and not os.path.islink(name):
        os.truncate(name, length)

def strings(path, one, other, how):
    with open(path) as stream:
        data = json.load(stream)
    files = data["files"]
    if how == "swap":
        files[one], files[other] = files[other], files[one]
    elif how == "copy":
        files[one] = files[other]
    else:
        files[one] = one + ":" + files[other].partition(":")[2]
    with open(path, "w") as stream:
        json.dump(data, stream)

for line in sys.stdin:
    act, *args = json.loads(line)
    try:
        globals()[act](*args)
        done = True
    except (OSError, KeyError, ValueError):
        done = False
    print(json.dumps(done), flush=True)
"""


class Attack(RuleBasedStateMachine):
    """Devices and numbers of one account, their backup, and an attacker without a token."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.home.chmod(0o711)
        group = OTHER_UID if os.geteuid() == 0 else os.getgid()
        self.shared = self._shared("shared", group)
        self.folder = self._shared("records", group)
        self.outside = self.home / "outside"
        self.outside.mkdir()
        self.precious = self.outside / "precious"
        self.precious.write_text(PRECIOUS)
        self.precious.chmod(0o600)
        self.backup = str(self.shared / "backup.json")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", ATTACKER, str(group), str(OTHER_UID)],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _shared(self, name: str, group: int) -> Path:
        path = self.home / name
        path.mkdir()
        os.chown(path, -1, group)
        path.chmod(0o2770)
        return path

    def teardown(self) -> None:
        self.process.communicate()
        shutil.rmtree(self.home)

    # The runs of the owner: each is a separate process, so each has its own store

    def device(self, index: int) -> EncryptedFile[DeviceRecord]:
        return RecordStore(str(self.folder), ENDPOINT).device(f"token-{index}")

    def note(self, index: int) -> EncryptedFile[NumberRecord]:
        return RecordStore(str(self.folder), ENDPOINT).number(ACCOUNT, f"62811111111{index}")

    def files(self) -> list[EncryptedFile[t.Any]]:
        return [*map(self.device, range(DEVICES)), *map(self.note, range(NUMBERS))]

    def content(self, place: int) -> DeviceRecord | NumberRecord:
        url = f"https://client-{place}.example.com/secret"
        if place < DEVICES:
            return DeviceRecord(number=f"62811111111{place}").mark_confirmed({"webhook": url}, AT)
        return NumberRecord("creating", AT, {"webhook": url})

    @initialize()
    def begin(self) -> None:
        for place in range(DEVICES + NUMBERS):
            self.write(place)
        self.back_up()

    @rule(place=PLACES)
    def write(self, place: int) -> None:
        file = self.files()[place]
        with contextlib.suppress(RecordError), file.lock(0):
            file.save(self.content(place))
            assert file.read() == self.content(place)

    @rule(place=PLACES)
    def clean(self, place: int) -> None:
        """Remove the files that do not belong to the record, as the error message requires."""
        for name in (self.files()[place].path, f"{self.files()[place].path}.lock"):
            if os.path.isdir(name) and not os.path.islink(name):
                os.rmdir(name)
            elif os.path.lexists(name) and (os.path.islink(name) or not os.path.isfile(name)):
                os.unlink(name)

    @rule()
    def back_up(self) -> None:
        store = RecordStore(str(self.folder), ENDPOINT)
        with contextlib.suppress(FonnteError):
            found = {name: store.file(name).encrypted() or b"" for name in store.names()}
            write_backup(self.backup, {name: text for name, text in found.items() if owner_of(text) == name})
            if os.geteuid() == 0:
                os.chown(self.backup, OTHER_UID, -1)

    @rule(checked=st.booleans())
    def restore(self, checked: bool) -> None:
        """Restore the whole backup. Files whose token is not given are restored without a check."""
        with contextlib.suppress(FonnteError, ValueError):
            strings = read_backup(self.backup)
            known = {file.name: file for file in self.files()}
            if checked:
                for name, text in strings.items():
                    known[name].decrypt(text)
            store = RecordStore(str(self.folder), ENDPOINT)
            for name, text in strings.items():
                with store.file(name).lock(0):
                    store.file(name).write(text)

    # The attacker

    def attack(self, act: str, *args: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([act, *args]) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline()

    def name(self, place: int, lock: bool) -> str:
        return self.files()[place].name + (".lock" if lock else "")

    def other(self, place: int, distance: int) -> int:
        return (place + distance) % (DEVICES + NUMBERS)

    @rule(one=PLACES, distance=DISTANCES, act=st.sampled_from(["relabel", "swap", "copy"]))
    def move(self, one: int, distance: int, act: str) -> None:
        self.attack(act, self.name(one, False), self.name(self.other(one, distance), False))

    @rule(
        place=PLACES,
        lock=st.booleans(),
        act=st.sampled_from(["symlink", "link"]),
        goal=st.sampled_from(["precious", "new", "record", "directory"]),
    )
    def lead_elsewhere(self, place: int, lock: bool, act: str, goal: str) -> None:
        goals = {
            "precious": str(self.precious),
            "new": str(self.outside / "new"),
            "record": self.name(self.other(place, 1), False),
            "directory": str(self.outside),
        }
        self.attack(act, self.name(place, lock), goals[goal])

    @rule(place=PLACES, lock=st.booleans(), act=st.sampled_from(["pipe", "directory", "put_away"]))
    def replace(self, place: int, lock: bool, act: str) -> None:
        self.attack(act, self.name(place, lock))

    @rule(place=PLACES, length=st.sampled_from([0, 1, 38, 39, 40, 41, 100, 200, 1 << 40]))
    def truncate(self, place: int, length: int) -> None:
        self.attack("truncate", self.name(place, False), length)

    @rule(one=PLACES, distance=DISTANCES, how=st.sampled_from(["relabel", "swap", "copy"]))
    def change_backup(self, one: int, distance: int, how: str) -> None:
        names = self.name(one, False), self.name(self.other(one, distance), False)
        self.attack("strings", self.backup, *names, how)

    # Invariants

    @invariant()
    def each_has_its_own_values_or_none(self) -> None:
        for place, file in enumerate(self.files()):
            assert file.load()[0] in (None, self.content(place))

    @invariant()
    def nothing_outside_is_written(self) -> None:
        assert os.listdir(self.outside) == ["precious"] and self.precious.read_text() == PRECIOUS
        assert all(is_name(name.partition(".")[0]) or name.startswith(".") for name in os.listdir(self.folder))


# The number of the random walks of test_stateful.py: more on demand, and once a week.
ATTACKS = int(os.environ.get("FONNTE_WALKS", "25"))
Attack.TestCase.settings = settings(
    max_examples=ATTACKS,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAttack = Attack.TestCase
