# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of a QR code is complete or refused. Its file is complete and private, or it does not exist."""

from __future__ import annotations

import base64
import os
import stat
import struct
import threading
import zlib
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.qr_image import (
    check_dest,
    image_path,
    probe_dest,
    read_image,
    remove_image,
    write_image,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, OptionError
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os
from ansible_collections.fonnte.whatsapp.tests.sandbox.pairing import qr_png

NUMBER = "081200000001"

TEXT = qr_png("a token", 0.0)
PNG = base64.b64decode(TEXT)
SIGNATURE, HEADER_END = PNG[:8], 8 + 12 + 13
SIDE = struct.unpack_from(">I", PNG, 16)[0]
OTHER = base64.b64decode(qr_png("another token", 0.0))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(header: tuple[int, ...], pixels: bytes, *more: bytes) -> bytes:
    return b"".join(
        (SIGNATURE, chunk(b"IHDR", struct.pack(">IIBBBBB", *header)), *more, chunk(b"IDAT", zlib.compress(pixels)))
    ) + chunk(b"IEND", b"")


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/PNG;base64,{TEXT}",
        "\r\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)) + "\n",
    ],
    ids=["bare", "data-url", "shouted", "in-lines"],
)
def test_image_equals_the_response(text: str) -> None:
    assert read_image(text) == PNG


@pytest.mark.parametrize(
    ("header", "pixels"),
    [
        ((9, 2, 1, 0, 0, 0, 0), b"\0\xaa\x80" * 2),
        ((3, 2, 8, 2, 0, 0, 0), (b"\0" + b"abc" * 3) * 2),
        ((2, 2, 8, 6, 0, 0, 0), (b"\0" + b"abcd" * 2) * 2),
        ((2, 2, 4, 3, 0, 0, 0), b"\0\x11" * 2),
        # An interlaced image has some more lines, and so some more bytes.
        ((2, 2, 8, 0, 0, 0, 1), b"\0a\0b\0cd"),
    ],
)
def test_every_png_variant_is_accepted(header: tuple[int, ...], pixels: bytes) -> None:
    picture = png(header, pixels, chunk(b"tEXt", b"a\0b"))
    assert read_image(encoded(picture)) == picture


BROKEN: dict[str, str] = {
    "nothing": "",
    "no base64": "<html>",
    "base64 with something in it": TEXT[:40] + "*" + TEXT[40:],
    "base64 cut short": TEXT[:-3],
    "letters beyond ASCII": TEXT + "é",
    "another prefix": f"data:image/jpeg;base64,{TEXT}",
    "no PNG": encoded(b"GIF89a" + PNG[6:]),
    "only the signature": encoded(SIGNATURE),
    "half": encoded(PNG[: len(PNG) // 2]),
    "without its end": encoded(PNG[:-12]),
    "its last byte missing": encoded(PNG[:-1]),
    "something after its end": encoded(PNG + b"\0"),
    "another one after its end": encoded(PNG + PNG[8:]),
    "a bit turned in the pixels": encoded(PNG[:200] + bytes([PNG[200] ^ 1]) + PNG[201:]),
    "a bit turned in a kind": encoded(PNG.replace(b"IDAT", b"IDAU")),
    "a length beyond the end": encoded(PNG[:8] + b"\x7f\xff\xff\xff" + PNG[12:]),
    "no header": encoded(SIGNATURE + PNG[HEADER_END:]),
    "no pixels": encoded(PNG[:HEADER_END] + chunk(b"IEND", b"")),
    "a header that is too short": encoded(SIGNATURE + chunk(b"IHDR", b"\0\0\0\1") + PNG[HEADER_END:]),
    "too few pixels": encoded(png((9, 3, 8, 0, 0, 0, 0), b"\0" * 29)),
    "too many pixels": encoded(png((9, 3, 8, 0, 0, 0, 0), b"\0" * 31)),
    "no width": encoded(png((0, 3, 8, 0, 0, 0, 0), b"\0" * 3)),
    "a wall": encoded(png((100_000, 3, 8, 0, 0, 0, 0), b"\0")),
    "an unknown colour type": encoded(png((1, 1, 8, 5, 0, 0, 0), b"\0a")),
    "pixels that are not packed": encoded(
        SIGNATURE + PNG[8:HEADER_END] + chunk(b"IDAT", b"pixels") + chunk(b"IEND", b"")
    ),
    "pixels without the end of the packing": encoded(
        SIGNATURE
        + PNG[8:HEADER_END]
        + chunk(b"IDAT", zlib.compress(b"\0" * SIDE * (SIDE + 1))[:-4])
        + chunk(b"IEND", b"")
    ),
    "pixels that never end": encoded(
        SIGNATURE + PNG[8:HEADER_END] + chunk(b"IDAT", zlib.compress(b"\0" * 40_000_000)) + chunk(b"IEND", b"")
    ),
    "a megabyte and more": "A" * 1_500_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_data_that_is_not_one_complete_image_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="^it (is|breaks) ") as caught:
        read_image(text)
    assert len(str(caught.value)) < 60 and str(caught.value).isprintable()


def test_damaged_image_is_refused() -> None:
    """A flipped bit is detected at any position."""
    for place in range(8, len(PNG), 7):
        with pytest.raises(ValueError):
            read_image(encoded(PNG[:place] + bytes([PNG[place] ^ 0x10]) + PNG[place + 1 :]))


# The file


def test_file_is_private_for_any_umask_and_previous_mode(tmp_path: Path) -> None:
    path = tmp_path / "qr.png"
    path.write_bytes(OTHER)
    path.chmod(0o666)
    before = os.umask(0)
    try:
        write_image(str(path), PNG)
    finally:
        os.umask(before)
    assert path.read_bytes() == PNG and stat.S_IMODE(path.stat().st_mode) == 0o600
    os.umask(0o777)
    try:
        write_image(str(path), OTHER)
    finally:
        os.umask(before)
    assert path.read_bytes() == OTHER and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["qr.png"]


def test_file_is_private_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also between the creation of the file and the change of its mode."""
    modes: list[int] = []
    real = os.fchmod

    def fchmod(descriptor: int, mode: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor, mode)

    replace_os(monkeypatch, fchmod=fchmod)
    before = os.umask(0)
    try:
        write_image(str(tmp_path / "qr.png"), PNG)
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_reader_never_sees_a_partial_file(tmp_path: Path) -> None:
    path, over, seen = tmp_path / "qr.png", threading.Event(), set()
    write_image(str(path), PNG)

    def look() -> None:
        while not over.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    for turn in range(100):
        write_image(str(path), OTHER if turn % 2 else PNG)
    over.set()
    reader.join()
    assert seen <= {PNG, OTHER} and seen


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failed_write_keeps_the_previous_file_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, fault: BaseException
) -> None:
    path = tmp_path / "qr.png"
    write_image(str(path), PNG)

    def fail(*_unused: object, **_named: object) -> None:
        raise fault

    replace_os(monkeypatch, **{call: fail})
    with pytest.raises((FonnteError, KeyboardInterrupt)) as caught:
        write_image(str(path), OTHER)
    if isinstance(caught.value, FonnteError):
        assert f"cannot be written to {path} (No space left on device); " in str(caught.value)
    assert path.read_bytes() == PNG and os.listdir(tmp_path) == ["qr.png"]


def test_temporary_files_of_other_runs_are_kept(tmp_path: Path) -> None:
    mine, others = tmp_path / ".qr.png.abc.new", tmp_path / ".other.png.abc.new"
    for path in (mine, others):
        path.write_bytes(b"half")
    os.utime(others, (0, 0))
    write_image(str(tmp_path / "qr.png"), PNG)
    assert mine.exists() and others.exists()


def test_link_of_the_same_user_is_replaced(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link.png"
    folder.mkdir()
    link.symlink_to(folder / "qr.png")
    check_dest(str(link))
    write_image(str(link), PNG)
    assert link.read_bytes() == PNG and not link.is_symlink() and os.listdir(folder) == []


@pytest.mark.parametrize("where", ["the file", "its folder"])
def test_link_of_another_user_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "qr.png").write_bytes(OTHER)
    if where == "the file":
        folder.mkdir()
        (folder / "qr.png").symlink_to(elsewhere / "qr.png")
    else:
        folder.symlink_to(elsewhere)
    link = folder / "qr.png" if where == "the file" else folder
    if os.getuid() == 0:
        os.chown(link, 4711, 4711, follow_symlinks=False)
    else:
        # The link belongs to this user, so the process must appear as another user.
        replace_os(monkeypatch, geteuid=lambda: os.getuid() + 1)
    for check in (check_dest, lambda path: write_image(path, PNG)):
        with pytest.raises(OptionError, match="is a symbolic link of another user"):
            check(str(folder / "qr.png"))
    assert (elsewhere / "qr.png").read_bytes() == OTHER


@pytest.mark.parametrize(
    ("dest", "words"),
    [
        ("none/qr.png", "there is no directory "),
        ("notes.txt/codes/", "there is no directory "),
        ("notes.txt", "is not a PNG, so it is not replaced"),
        ("pipe", "is not a PNG, so it is not replaced"),
        ("notes.txt/qr.png", "there is no directory "),
    ],
)
def test_unsuitable_destination_is_refused_before_the_request(tmp_path: Path, dest: str, words: str) -> None:
    (tmp_path / "notes.txt").write_text("Not a picture")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match=words) as caught:
        check_dest(str(tmp_path) + "/" + dest)
    assert str(caught.value).startswith("Option dest: ")


def test_unwritable_directory_is_refused_before_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_os(monkeypatch, access=lambda path, mode: False)
    with pytest.raises(OptionError, match=f"the directory {tmp_path} cannot be written to"):
        check_dest(str(tmp_path / "qr.png"))


def test_empty_file_and_older_image_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "older.png").write_bytes(OTHER)
    for name in ("empty.png", "older.png", "new.png", ""):
        check_dest(str(tmp_path / name))


@pytest.mark.parametrize(
    ("number", "name"), [("081200000001", "081200000001.png"), ("../../+62 81", "6281.png"), ("٣", "device.png")]
)
def test_file_in_a_directory_is_named_by_the_digits_of_the_number(tmp_path: Path, number: str, name: str) -> None:
    assert image_path(str(tmp_path), number) == str(tmp_path / name)
    assert image_path(str(tmp_path) + "/new/", number) == str(tmp_path / "new" / name)


def test_relative_file_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert image_path("qr.png", "081200000001") == str(tmp_path / "qr.png")


def test_only_an_unchanged_image_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "qr.png"
    write_image(str(path), PNG)
    assert not remove_image(str(path), OTHER) and path.exists()
    assert not remove_image(str(path), PNG[:-1]) and path.exists()
    assert remove_image(str(path), PNG) and not path.exists()
    assert remove_image(str(path), PNG)


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_missing_directory_is_created_as_private(tmp_path: Path, umask: int) -> None:
    dest = f"{tmp_path}/above/codes/"
    before = os.umask(umask)
    try:
        check_dest(dest)
        assert not (tmp_path / "above").exists()
        probe_dest(dest, NUMBER)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "above" / "codes").stat().st_mode) == 0o700
    assert os.listdir(dest) == [] and image_path(dest, NUMBER) == f"{dest}{NUMBER}.png"


def test_parent_directory_of_a_file_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no directory"):
        check_dest(str(tmp_path / "codes" / "qr.png"))
    with pytest.raises(FonnteError):
        probe_dest(str(tmp_path / "codes" / "qr.png"), NUMBER)
    assert os.listdir(tmp_path) == []


def test_no_directory_is_created_through_a_link_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "shared").symlink_to(tmp_path / "victim")
    if os.getuid() == 0:
        os.chown(tmp_path / "shared", 4711, 4711, follow_symlinks=False)
    else:
        replace_os(monkeypatch, geteuid=lambda: os.getuid() + 1)
    dest = f"{tmp_path}/shared/codes/"
    with pytest.raises(OptionError, match="is a symbolic link of another user"):
        check_dest(dest)
    # Also through a link that was created after the check.
    with pytest.raises(FonnteError, match="is a symbolic link of another user"):
        probe_dest(dest, NUMBER)
    assert os.listdir(tmp_path / "victim") == []
