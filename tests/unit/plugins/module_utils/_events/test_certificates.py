# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A renewed certificate is used without a restart; one that cannot be loaded is never used."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.certificates import CertificateFiles


class Loads:
    """A replacement for OpenSSL: it returns a new context each time, or fails."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    def __call__(self) -> ssl.SSLContext:
        self.count += 1
        if self.fails:
            raise OptionError("certfile", "certificate and key cannot be loaded (X)", "check certfile")
        return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "cert.pem", tmp_path / "key.pem"]
    for path in paths:
        path.write_text("first")
    return paths


def replace(path: Path, content: str) -> None:
    """Replace a file as a renewal does: with another file under the same name."""
    new = path.with_suffix(".new")
    new.write_text(content)
    os.replace(new, path)


def test_unchanged_files_are_loaded_once(files: list[Path]) -> None:
    load = Loads()
    certificate = CertificateFiles([str(path) for path in files], load)
    assert len({id(certificate.context()) for _time in range(5)}) == 1 and load.count == 1


def test_a_renewed_certificate_is_used_for_the_next_connection(files: list[Path]) -> None:
    load = Loads()
    reported: list[str | None] = []
    certificate = CertificateFiles([str(path) for path in files], load, reported.append)
    before = certificate.context()
    replace(files[0], "second")
    assert certificate.context() is not before and reported == [None] and load.count == 2
    assert certificate.context() is certificate.context() and load.count == 2


def test_incomplete_renewal_keeps_the_previous_certificate_and_is_tried_once(files: list[Path]) -> None:
    load = Loads()
    reported: list[str | None] = []
    certificate = CertificateFiles([str(path) for path in files], load, reported.append)
    before = certificate.context()
    load.fails = True
    replace(files[0], "second")
    assert [certificate.context() for _time in range(100)] == [before] * 100
    assert load.count == 2 and len(reported) == 1 and "cannot be loaded" in str(reported[0])
    files[1].unlink()
    assert certificate.context() is before and load.count == 3
    load.fails = False
    replace(files[1], "second")
    assert certificate.context() is not before and reported[-1] is None
