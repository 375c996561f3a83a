# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record is encrypted, complete or absent, and never claims unknown values."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    ForeignRecordError,
    MissingLibraryError,
    RecordError,
    RecordLockedError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record import encryption
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.backend import Phase
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.directory import RecordDirectory
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import is_name, owner_of
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.entries import (
    DeviceRecord,
    Entry,
    EntryStatus,
    NumberRecord,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.file_backend import FileBackend
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_functions, replace_os

ENDPOINT = "https://api.example.com"
TOKEN = "token-of-a-device"
AT = "2026-11-22T09:00:00Z"
LATER = "2026-11-22T10:00:00Z"
URL = "https://user:secret@h.example.com/path?key=s3cret"


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(str(tmp_path / "records"), ENDPOINT)


def files_in(store: RecordStore) -> list[str]:
    """Return the names in the directory except those of locks, sorted."""
    return sorted(name for name in os.listdir(store.folder) if not name.endswith(".lock"))


def full_record() -> DeviceRecord:
    sent = {"autoread": True, "webhook": URL, "quick": False, "webhook_status": ""}
    return (
        DeviceRecord(otp_requested_at=AT, number="08123456789")
        .mark_confirmed(sent, AT)
        .mark_pending({"target": "628123456789"}, LATER)
    )


# Status of entries


def test_setting_is_in_doubt_from_the_request_until_the_success() -> None:
    sent = {"webhook": URL, "quick": True, "name": "Toko"}
    begun = DeviceRecord().mark_pending(sent, AT)
    assert begun.entries == {
        "webhook": Entry(URL, AT, EntryStatus.IN_DOUBT),
        "quick": Entry(True, AT, EntryStatus.IN_DOUBT),
    }
    assert begun.mark_confirmed(sent, LATER).entries == {"webhook": Entry(URL, LATER), "quick": Entry(True, LATER)}


def test_sending_the_recorded_value_again_causes_no_doubt() -> None:
    record = DeviceRecord().mark_confirmed({"webhook": URL}, AT)
    assert record.mark_pending({"webhook": URL}, LATER) == record


def test_value_in_doubt_stays_in_doubt_when_it_is_sent_again() -> None:
    record = DeviceRecord().mark_pending({"webhook": URL}, AT).mark_pending({"webhook": URL}, LATER)
    assert record.entries["webhook"] == Entry(URL, LATER, EntryStatus.IN_DOUBT)


def test_unsent_setting_keeps_its_status() -> None:
    record = full_record().mark_pending({"quick": True}, LATER)
    assert record.entries["webhook"] == Entry(URL, AT)
    assert record.entries["quick"] == Entry(True, LATER, EntryStatus.IN_DOUBT)


def test_cleared_webhook_is_unconfirmed() -> None:
    record = DeviceRecord().mark_pending({"webhook": ""}, AT).mark_confirmed({"webhook": ""}, LATER)
    assert record.entries == {"webhook": Entry("", LATER, EntryStatus.UNCONFIRMED)}


def test_webhooks_of_a_new_device_are_recorded_as_empty() -> None:
    assert DeviceRecord().set_known({"webhook": ""}, AT).entries == {"webhook": Entry("", AT, EntryStatus.RECORDED)}


def test_new_record_is_empty() -> None:
    new = DeviceRecord()
    assert (new.entries, new.otp_requested_at, new.number, new.carried, new.stamps) == ({}, None, "", frozenset(), ())
    assert NumberRecord("present", AT) == NumberRecord("present", AT, {}, "")
    assert (NumberRecord("present", AT).device_file, NumberRecord("present", AT).number) == ("", "")


def test_sent_stamp_is_kept_next_to_the_last_one_until_the_success() -> None:
    stamped = DeviceRecord().mark_confirmed({"quick": True}, AT, "a1b2c")
    assert stamped.stamps == ("a1b2c",)
    begun = stamped.mark_pending({"quick": False}, LATER, "d3e4f")
    assert begun.stamps == ("a1b2c", "d3e4f")
    assert begun.mark_pending({"quick": True}, LATER, "a1b2c").stamps == ("a1b2c", "d3e4f", "a1b2c")
    assert begun.mark_pending({"quick": True}, LATER, "g5h6i").mark_pending(
        {"quick": False}, LATER, "d3e4f"
    ).stamps == (
        "a1b2c",
        "g5h6i",
        "d3e4f",
    )
    assert DeviceRecord().mark_pending({"quick": True}, LATER, "a1b2c").stamps == ("", "a1b2c")
    assert begun.mark_pending({"quick": False}, LATER).stamps == ("a1b2c", "d3e4f")
    assert begun.mark_confirmed({"quick": False}, LATER, "d3e4f").stamps == ("d3e4f",)
    assert begun.mark_confirmed({"quick": False}, LATER).stamps == ()


def test_confirmed_or_attested_settings_leave_others_unchanged() -> None:
    record = DeviceRecord(number="0812").mark_confirmed({"quick": True}, AT)
    quick, resend = Entry(True, AT), Entry(False, LATER)
    assert record.mark_confirmed({"resend": False}, LATER).entries == {"quick": quick, "resend": resend}
    assert record.set_known({"resend": False}, LATER).entries == {"quick": quick, "resend": resend}
    attested = record.attest({"resend": False}, LATER, "Sari")
    assert attested.entries == {"quick": quick, "resend": Entry(False, LATER, EntryStatus.ATTESTED, "Sari")}
    assert attested.number == "0812"


def test_dropped_setting_is_unknown() -> None:
    record = DeviceRecord(number="0812", carried=frozenset({"quick", "resend"})).mark_confirmed({"quick": True}, AT)
    left = record.mark_confirmed({"resend": False, "personal": True}, AT).drop(["quick", "personal"])
    assert left.entries == {"resend": Entry(False, AT)}
    assert (left.carried, left.number) == (frozenset({"resend"}), "0812")


# The format


RECORD_DATA = {
    "format": 1,
    "entries": {
        "webhook": [URL, AT, "recorded"],
        "webhook_status": ["", AT, "unconfirmed"],
        "quick": [True, LATER, "in_doubt"],
        "resend": [False, AT, "attested", "Sari"],
    },
    "otp_requested_at": LATER,
    "number": "08123456789",
    "carried": ["quick", "webhook"],
    "stamps": ["a1b2c", "d3e4f"],
    "declared_by": {"webhook": "device"},
}
RECORD = DeviceRecord(
    {
        "webhook": Entry(URL, AT),
        "webhook_status": Entry("", AT, EntryStatus.UNCONFIRMED),
        "quick": Entry(True, LATER, EntryStatus.IN_DOUBT),
        "resend": Entry(False, AT, EntryStatus.ATTESTED, "Sari"),
    },
    LATER,
    "08123456789",
    frozenset({"webhook", "quick"}),
    ("a1b2c", "d3e4f"),
    {"webhook": "device"},
)
NOTE_DATA = {
    "format": 1,
    "state": "creating",
    "at": AT,
    "sent": {"personal": True},
    "device_file": "device-0123",
    "number": "08123456789",
}


def test_device_record_format_is_unchanged() -> None:
    assert RECORD.to_json() == RECORD_DATA
    assert DeviceRecord.from_json(RECORD_DATA) == RECORD
    bare = {"format": 1, "entries": {}, "otp_requested_at": None, "number": "", "carried": [], "stamps": []}
    assert DeviceRecord.from_json(bare) == DeviceRecord()
    for missing in ("number", "carried", "stamps"):
        with pytest.raises(ValueError):
            DeviceRecord.from_json({key: value for key, value in bare.items() if key != missing})


def test_creation_entry_format_is_unchanged() -> None:
    note = NumberRecord.from_json(NOTE_DATA)
    assert note == NumberRecord("creating", AT, {"personal": True}, "device-0123") and note.number == "08123456789"
    assert note.to_json() == NOTE_DATA
    bound = {**NOTE_DATA, "bound": True}
    assert (
        NumberRecord.from_json(bound).is_bound
        and NumberRecord.from_json(bound).to_json() == bound
        and not note.is_bound
    )
    for state in ("creating", "present", "deleted"):
        assert NumberRecord.from_json({**NOTE_DATA, "state": state}).state == state


def test_names_and_keys_match_the_format(store: RecordStore) -> None:
    """A change of either loses every record of every user."""
    device, note = store.device(TOKEN), store.number("account", "08123456789")
    assert device.name == "device-acb61d6b144fb6f65cdd6cf3dd71f068"
    assert note.name == "number-43638e8d5e3c854148637e4922b16b4b"
    os.makedirs(store.folder)
    Path(device.path).write_bytes(encrypted_by_hand(TOKEN, "device", device.name, RECORD_DATA))
    Path(note.path).write_bytes(encrypted_by_hand("account", "number", note.name, NOTE_DATA))
    assert device.load() == (RECORD, "")
    assert note.load() == (NumberRecord.from_json(NOTE_DATA), "")


def encrypted_by_hand(
    secret: str, kind: str, name: str, data: t.Any, endpoint: str = ENDPOINT, inner: str = ""
) -> bytes:
    """Encrypt as the format describes, without the code under test."""
    info = f"fonnte.whatsapp/record/1\0{kind}\0{name}\0{endpoint}".encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
    plain = json.dumps({**data, "file": inner or name}).encode()
    plain += b" " * (-len(plain) % 16)
    nonce = bytes(range(12))
    return name.encode() + b":" + base64.urlsafe_b64encode(b"\x01" + nonce + AESGCM(key).encrypt(nonce, plain, None))


def test_encrypted_string_is_bound_to_its_kind_endpoint_and_name(store: RecordStore) -> None:
    file = store.device(TOKEN)
    os.makedirs(store.folder)
    other = "device-" + "9" * 32
    for wrong in (
        encrypted_by_hand(TOKEN, "number", file.name, RECORD_DATA),
        encrypted_by_hand(TOKEN, "device", file.name, RECORD_DATA, endpoint="https://elsewhere.example.com"),
        encrypted_by_hand(TOKEN, "device", file.name, RECORD_DATA, inner=other),
        file.name.encode() + encrypted_by_hand(TOKEN, "device", other, RECORD_DATA)[len(other) :],
        base64.urlsafe_b64encode(bytes(61)),
        base64.urlsafe_b64encode(b"\x02" + bytes(60)),
    ):
        Path(file.path).write_bytes(wrong)
        assert file.load() == (None, f"the record {file.path} is damaged")


def test_entry_of_another_file_is_reported_as_foreign(store: RecordStore) -> None:
    mine, other = store.number("account", "08123456789"), store.number("account", "08123456780")
    other.save(NumberRecord("creating", AT, {"webhook": URL}))
    os.rename(other.path, mine.path)
    assert mine.load() == (None, f"the record {mine.path} contains the entry of another file, {other.name}")
    with pytest.raises(ForeignRecordError, match="find out who else can write"):
        mine.read()
    assert store.creation_entries("account") == {}
    mine.save(NumberRecord("present", AT))
    (aside,) = store.damaged()
    assert owner_of(Path(store.folder, aside).read_bytes()) == other.name


def test_unknown_setting_in_a_creation_entry_is_ignored() -> None:
    assert NumberRecord.from_json({**NOTE_DATA, "sent": {"colour": "red", "quick": True}}).sent == {"quick": True}


# The file


def test_saved_record_is_loaded(store: RecordStore) -> None:
    file = store.device(TOKEN)
    assert file.load() == (None, "")
    file.save(full_record())
    assert store.device(TOKEN).load() == (full_record(), "")


def test_saved_creation_entry_is_loaded(store: RecordStore) -> None:
    note = NumberRecord("creating", AT, {"personal": True}, "device-0123")
    store.number("account", "08123456789").save(note)
    assert store.number("account", "+628123456789".lstrip("+")).load() == (note, "")


def test_record_is_private_and_encrypted(store: RecordStore) -> None:
    file = store.device(TOKEN)
    with file.lock(1):
        file.save(full_record())
    store.number("account-token", "08123456789").save(NumberRecord("present", AT, {}, file.name))
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700
    names = os.listdir(store.folder)
    assert len(names) == 4
    for name in names:
        path = os.path.join(store.folder, name)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        content = Path(path).read_bytes()
        for secret in (TOKEN, "account-token", "s3cret", "h.example.com", "8123456789", "webhook"):
            assert secret.encode() not in content and secret not in name


def test_endpoints_accounts_and_devices_have_separate_files(tmp_path: Path) -> None:
    here, there = RecordStore(str(tmp_path), ENDPOINT), RecordStore(str(tmp_path), "http://127.0.0.1:8900")
    names = {
        here.device(TOKEN).name,
        there.device(TOKEN).name,
        here.device("another").name,
        here.number("account", "08123456789").name,
        here.number("account", "08123456780").name,
        here.number("another", "08123456789").name,
        there.number("account", "08123456789").name,
    }
    assert len(names) == 7


def test_record_cannot_be_decrypted_with_another_token(store: RecordStore) -> None:
    file, other = store.device(TOKEN), store.device("another")
    file.save(full_record())
    os.rename(file.path, other.path)
    content, problem = other.load()
    assert content is None and "entry of another file" in problem and other.path in problem
    # An attacker who also changes the name in the string has a string that decrypts under no name.
    Path(other.path).write_bytes(Path(other.path).read_bytes().replace(file.name.encode(), other.name.encode()))
    assert other.load() == (None, f"the record {other.path} is damaged")


@pytest.mark.parametrize("cut", [0, 1, 20, 100, -1])
def test_truncated_record_is_not_used(store: RecordStore, cut: int) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    whole = Path(file.path).read_bytes()
    Path(file.path).write_bytes(whole[:cut])
    content, problem = file.load()
    assert content is None and "damaged" in problem


def test_record_that_is_no_text_is_damaged(store: RecordStore) -> None:
    file = store.device(TOKEN)
    os.makedirs(store.folder)
    Path(file.path).write_bytes(b"gAAAA\xff\xfe")
    content, problem = file.load()
    assert content is None and "damaged" in problem


def test_changed_byte_makes_the_record_unreadable(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    whole = Path(file.path).read_bytes()
    for place in range(0, len(whole), 7):
        Path(file.path).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert file.load()[0] is None


def test_unreadable_record_is_moved_aside_and_never_overwritten(store: RecordStore) -> None:
    file = store.device(TOKEN)
    os.makedirs(store.folder)
    Path(file.path).write_bytes(b"not sealed")
    file.save(full_record())
    assert file.load() == (full_record(), "")
    aside = [name for name in os.listdir(store.folder) if ".damaged-" in name]
    assert len(aside) == 1
    assert Path(store.folder, aside[0]).read_bytes() == b"not sealed"


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"format": 2, "entries": {}},
        {"format": 1, "entries": []},
        {"format": 1, "number": "", "entries": {"webhook": "x"}},
        {"format": 1, "number": "", "entries": {"webhook": ["x", "at"]}},
        {"format": 1, "number": "", "entries": {"webhook": [True, AT, "recorded"]}},
        {"format": 1, "number": "", "entries": {"quick": ["true", AT, "recorded"]}},
        {"format": 1, "number": "", "entries": {"quick": [True, 1, "recorded"]}},
        {"format": 1, "number": "", "entries": {"quick": [True, AT, "believed"]}},
        {"format": 1, "entries": {}, "otp_requested_at": 5, "number": ""},
        {"format": 1, "entries": {}, "otp_requested_at": AT},
        {"format": 1, "entries": {}, "otp_requested_at": AT, "number": 62},
        {"format": 2, "number": "", "entries": {}},
        {"format": 1, "number": "", "entries": {}, "carried": {}},
        {"format": 1, "number": "", "entries": {}, "carried": [[]]},
        {"format": 1, "number": "", "entries": {}, "stamps": {}},
        {"format": 1, "number": "", "entries": {}, "stamps": [5]},
        {"format": 1, "number": "", "entries": {"quick": {"value": 1, "at": 2, "by": 3}}},
        {"format": 1, "number": "", "entries": {"quick": [True, AT]}},
        {"format": 1, "number": "", "entries": {"quick": [True, AT, "attested", 5]}},
        {"format": 1, "number": "", "entries": {"quick": [True, AT, "attested", "Sari", "more"]}},
    ],
)
def test_device_record_of_another_structure_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        DeviceRecord.from_json(data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"format": 1, "state": "purged", "at": AT, "sent": {}, "device_file": ""},
        {"format": 2, "state": "present", "at": AT, "sent": {}, "device_file": ""},
        {"format": 1, "state": "present", "at": 1, "sent": {}, "device_file": ""},
        {"format": 1, "state": "present", "at": AT, "sent": [], "device_file": ""},
        {"format": 1, "state": "present", "at": AT, "sent": {"quick": "on"}, "device_file": ""},
        {"format": 1, "state": "present", "at": AT, "sent": {}, "device_file": None},
        {"format": 1, "state": "present", "at": AT, "sent": {}, "device_file": "", "number": None},
        {"format": 1, "state": "present", "at": AT, "sent": {}, "device_file": "", "number": "", "bound": 1},
        [],
    ],
)
def test_creation_entry_of_another_structure_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        NumberRecord.from_json(data)


def test_setting_of_a_newer_release_is_ignored() -> None:
    data = {
        **DeviceRecord().to_json(),
        "entries": {"colour": ["red", AT, "recorded"], "quick": [True, AT, "recorded"]},
    }
    assert DeviceRecord.from_json(data).entries == {"quick": Entry(True, AT)}


def test_directory_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = RecordStore(str(tmp_path / "file" / "records"), ENDPOINT)
    file = store.device(TOKEN)
    for action in (
        lambda: file.save(full_record()),
        lambda: store.file(file.name).write(b"sealed"),
        lambda: file.lock(0).__enter__(),
    ):
        with pytest.raises(RecordError, match="record_path") as caught:
            action()
        assert store.folder in str(caught.value)


def test_check_writable_creates_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    RecordStore(str(tmp_path / "new" / "records"), ENDPOINT).check_writable()
    assert not (tmp_path / "new").exists()
    with pytest.raises(RecordError, match="Not a directory") as caught:
        RecordStore(str(tmp_path / "file" / "records"), ENDPOINT).check_writable()
    assert str(tmp_path / "file" / "records") in str(caught.value)


def test_directory_without_permission_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_os(monkeypatch, access=lambda path, mode: False)
    with pytest.raises(RecordError, match="Permission denied") as caught:
        RecordStore(str(tmp_path), ENDPOINT).check_writable()
    assert str(tmp_path) in str(caught.value)


def test_unreadable_file_is_reported_and_not_used(store: RecordStore) -> None:
    file = store.device(TOKEN)
    os.makedirs(file.path)
    content, problem = file.load()
    assert content is None and "cannot be read" in problem


def test_failed_write_keeps_the_previous_record_and_no_temporary_file(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store.device(TOKEN)
    file.save(full_record())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    replace_os(monkeypatch, fsync=full)
    with pytest.raises(RecordError, match="No space left on device"):
        file.save(DeviceRecord())
    assert files_in(store) == [file.name]
    assert file.load() == (full_record(), "")


def test_saving_none_removes_the_record(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    file.save(None, Phase.CONFIRM)
    assert file.load() == (None, "") and not os.path.exists(file.path)
    file.save(full_record(), Phase.CONFIRM)
    assert file.load() == (full_record(), "")


def test_pending_entry_is_synced_with_its_directory_before_a_request(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace = os.replace

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        done.append("folder" if stat.S_ISDIR(status.st_mode) else f"file of {status.st_size} bytes")

    def rename(source: str, target: str, **where: int) -> None:
        done.append("name")
        replace(source, target, **where)

    replace_os(monkeypatch, fsync=fsync)
    replace_os(monkeypatch, replace=rename)
    file = store.device(TOKEN)
    with file.lock(1):
        for phase in (Phase.BEGIN, Phase.EDIT):
            done.clear()
            file.save(full_record(), phase)
            size = os.stat(file.path).st_size
            assert size > 100 and done == [f"file of {size} bytes", "name", "folder"]
        done.clear()
        # A confirmation is appended: after a power failure the pending entry remains, and nothing else.
        file.save(full_record(), Phase.CONFIRM)
        assert done == [] and os.stat(file.path).st_size > size
    store.device("another").save(full_record(), Phase.CONFIRM)
    assert done == [f"file of {size} bytes", "name"]


def test_temporary_files_of_killed_runs_are_not_read(store: RecordStore) -> None:
    file = store.device(TOKEN)
    os.makedirs(store.folder)
    for name in (file.name, "device-" + "9" * 32):
        Path(store.folder, f".{name}.0123.new").write_bytes(b"x" * 5000)
    file.save(full_record())
    assert file.load() == (full_record(), "")
    # Another run may use the file of another device at the moment.
    assert files_in(store) == [f".device-{'9' * 32}.0123.new", file.name]


def test_record_saved_without_a_lock_is_private(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600


def test_no_file_stays_open(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    before = len(os.listdir("/dev/fd"))
    for _round in range(3):
        file.save(full_record())
        with pytest.raises(RecordLockedError), file.lock(1), RecordStore(store.folder, ENDPOINT).device(TOKEN).lock(0):
            pass
    assert len(os.listdir("/dev/fd")) == before


def test_failed_remove_sync_or_move_names_the_directory(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store.device(TOKEN)
    os.makedirs(file.path)
    for action in (file.remove, lambda: file.save(full_record())):
        with pytest.raises(RecordError, match="cannot be read") as caught:
            action()
        assert store.folder in str(caught.value)
    os.rmdir(file.path)
    Path(file.path).write_bytes(b"damaged")
    replace_os(monkeypatch, replace=lambda source, target, **where: os.rmdir("/no such folder"))
    with pytest.raises(RecordError, match="No such file or directory") as caught:
        store.device(TOKEN).save(full_record())
    assert store.folder in str(caught.value)


def test_removing_a_missing_entry_is_no_error(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.remove()
    store.discard(file.name)
    assert file.encrypted() is None and not store.has(file.name)


def test_has_finds_an_entry_by_its_name_in_the_directory(store: RecordStore) -> None:
    file = store.device(TOKEN)
    assert not store.has("") and not store.has(file.name)
    file.save(full_record())
    assert store.has(file.name) and store.has("elsewhere/" + file.name) and not store.has("")
    assert not store.has("device-" + "0" * 32)


def test_only_device_records_can_be_discarded(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    outside = Path(store.folder).parent / "device-precious"
    outside.write_text("keep")
    note = Path(store.folder, "number-0123")
    note.write_text("keep")
    # With this directory, a path could leave the record.
    os.mkdir(os.path.join(store.folder, "device-"))
    for name in ("", "number-0123", "../device-precious", "device-/../../device-precious"):
        store.discard(name)
    assert outside.exists() and note.exists() and os.path.exists(file.path)
    store.discard(file.name)
    assert not os.path.exists(file.path)


def test_missing_cryptography_is_reported(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    encryption.load_library.cache_clear()
    assert store.device(TOKEN).load() == (None, "")
    with pytest.raises(MissingLibraryError) as caught:
        store.device(TOKEN).save(full_record())
    assert caught.value.library == "cryptography" and "cryptography" in caught.value.trace


def test_writability_is_checked_at_the_nearest_existing_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def access(path: str, mode: int) -> bool:
        asked.append((path, mode))
        return True

    replace_os(monkeypatch, access=access)
    monkeypatch.chdir(tmp_path)
    RecordStore(os.path.join("new", "records"), ENDPOINT).check_writable()
    assert asked == [(os.getcwd(), os.W_OK | os.X_OK)]


# The lock


def test_waiting_for_a_lock_polls_until_the_timeout(
    store: RecordStore,
) -> None:
    clock = [1000.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    backend = FileBackend(RecordDirectory(store.folder), sleep=sleep, clock=lambda: clock[0])
    other = RecordStore(store.folder, ENDPOINT, backend).device(TOKEN)
    with store.device(TOKEN).lock(1):
        with pytest.raises(RecordLockedError, match=r"for over 0\.25 s; wait for it to end"), other.lock(0.25):
            pass
        # One more poll if the sum of the steps is slightly less than the quarter, due to rounding.
        assert 5 <= len(waits) <= 6 and set(waits) == {0.05}
        waits.clear()
        with pytest.raises(RecordLockedError), other.lock(0):
            pass
        assert waits == []


def test_file_system_without_locks_is_named(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    replace_functions(monkeypatch, "fcntl", flock=refuse)
    with pytest.raises(RecordError, match="No locks available") as caught, store.device(TOKEN).lock(1):
        pass
    assert store.folder in str(caught.value)


# Record maintenance


def test_creation_entry_is_readable_only_with_its_account_and_endpoint(store: RecordStore) -> None:
    store.number("account", "08123456789").save(NumberRecord("present", AT))
    (name,) = store.names()
    assert {file: note.number for file, note in store.creation_entries("account").items()} == {name: "08123456789"}
    assert store.creation_entries("another") == {}
    assert RecordStore(store.folder, "https://elsewhere.example.com").creation_entries("account") == {}


def test_only_encrypted_files_have_valid_names(store: RecordStore) -> None:
    file = store.device(TOKEN)
    assert store.names() == store.damaged() == []
    with file.lock(1):
        file.save(full_record())
    aside = file.name + ".damaged-1790000000"
    for name in (file.name + ".new", aside, "device-short", "number-" + "g" * 32, "README"):
        Path(store.folder, name).write_bytes(b"")
    assert store.names() == [file.name] and store.damaged() == [aside]


def test_encrypted_string_is_recognized_by_its_format(store: RecordStore) -> None:
    file = store.device(TOKEN)
    file.save(full_record())
    sealed = Path(file.path).read_bytes()
    assert owner_of(sealed) == file.name and store.file(file.name).encrypted() == sealed
    bare = sealed.partition(b":")[2]
    for text in (b"", b"gAAAAA", bare, sealed[:-4], sealed[4:], sealed + b"\n", b"h" + sealed[1:], sealed + b"===="):
        assert owner_of(text) == ""


def test_unreadable_file_is_named(store: RecordStore) -> None:
    file = store.number("account", "08123456789")
    os.makedirs(file.path)
    with pytest.raises(RecordError, match="cannot be read") as caught:
        file.encrypted()
    assert file.path in str(caught.value)
    assert store.creation_entries("account") == {}


def test_record_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="record_path"):
        RecordStore(str(tmp_path / "file"), ENDPOINT).names()
    with pytest.raises(RecordError, match="Not a directory"):
        RecordStore(str(tmp_path / "file"), ENDPOINT).damaged()


def test_names_are_sorted(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [kind + digit * 32 for kind in ("device-", "number-") for digit in "09af"]
    os.makedirs(store.folder)
    replace_os(monkeypatch, listdir=lambda folder: names[::-1])
    assert store.names() == names


def test_valid_name_is_complete_and_has_no_path() -> None:
    assert is_name("device-" + "0a" * 16) and is_name("number-" + "9f" * 16)
    for name in ("", "device-" + "0A" * 16, "./device-" + "0a" * 16, "device-" + "0a" * 16 + ".lock", "number-0a"):
        assert not is_name(name)


def test_creation_entries_are_found_among_other_files(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, moved = store.number("account", "08123456789"), "number-" + "f" * 32
    note = encrypted_by_hand("account", "number", ours.name, NOTE_DATA)
    nameless = encrypted_by_hand("account", "number", ours.name, {**NOTE_DATA, "number": ""})
    files = {"device-" + "0" * 32: b"", "number-" + "0" * 32: b"not sealed", ours.name: note, moved: note}
    assert {name: found.number for name, found in store.creation_entries_in(files, "account").items()} == {
        ours.name: "08123456789"
    }
    assert store.creation_entries_in({ours.name: nameless}, "account") == {}
    os.makedirs(store.folder)
    Path(ours.path).write_bytes(note)
    assert list(store.creation_entries("account")) == [ours.name]
    # Another run removes it between the listing and the read.
    monkeypatch.setattr(RecordDirectory, "read", lambda self, name: None)
    assert store.creation_entries("account") == {}


@pytest.mark.parametrize(
    ("length", "form"), [(45, True), (61, True), (29, False), (44, False), (46, False), (60, False), (13, False)]
)
def test_encrypted_string_has_complete_blocks(length: int, form: bool) -> None:
    name = b"device-" + b"0a" * 16
    assert bool(owner_of(name + b":" + base64.urlsafe_b64encode(b"\x01" + bytes(length - 1)))) is form
    assert not owner_of(name + b":" + base64.urlsafe_b64encode(b"\x81" + bytes(length - 1)))
