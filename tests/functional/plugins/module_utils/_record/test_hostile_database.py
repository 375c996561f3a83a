# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database server that repeats passwords, is silent, or sends too much: the error contains no secret."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import RecordError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.limits import SessionLimits
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.database.session import DatabaseSession
from ansible_collections.fonnte.whatsapp.tests.postgresql_fake import (
    Behavior,
    be_silent,
    hostile_server,
    repeat_password,
    send_rows,
    trickle,
)

PASSWORD = "Ex@mple-p4ssword"
QUOTED = "Ex%40mple-p4ssword"


def refusal(port: int, query: str = "", user: str = "user", limits: SessionLimits | None = None) -> str:
    session = DatabaseSession(f"postgresql://{user}@127.0.0.1:{port}/db{query}", "SELECT 1", limits=limits)
    with pytest.raises(RecordError) as caught:
        session.open()
    assert f"the record's database at postgresql://127.0.0.1:{port}/db cannot be reached" in str(caught.value)
    return str(caught.value)


def in_url(_folder: Path, _patch: pytest.MonkeyPatch) -> dict[str, str]:
    return {"user": f"user:{QUOTED}"}


def in_environment(_folder: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    patch.setenv("PGPASSWORD", PASSWORD)
    return {}


def in_password_file(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    passwords = folder / "pgpass"
    passwords.touch(mode=0o600)
    passwords.write_text(f"*:*:*:user:{PASSWORD}\n")
    patch.setenv("PGPASSFILE", str(passwords))
    return {}


def in_service_file(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    services = folder / "services"
    services.write_text(f"[record]\npassword={PASSWORD}\n")
    patch.setenv("PGSERVICEFILE", str(services))
    return {"query": "?service=record"}


@pytest.mark.parametrize("source", [in_url, in_environment, in_password_file, in_service_file])
def test_refused_password_is_not_repeated(
    source: t.Callable[[Path, pytest.MonkeyPatch], dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = source(tmp_path, monkeypatch)
    with hostile_server(repeat_password) as port:
        text = refusal(port, **given)
    assert "password authentication failed" in text and "check user name, password, database and certificates" in text
    shown = text.replace("password authentication failed", "").replace(" ", "")
    for form in (PASSWORD, PASSWORD[::-1], PASSWORD[:6], QUOTED, PASSWORD.encode().hex(), "|"):
        assert form not in shown


@pytest.mark.parametrize("behavior", [be_silent, trickle])
def test_query_without_a_response_times_out(behavior: Behavior) -> None:
    with hostile_server(behavior) as port:
        text = refusal(port, user=f"user:{QUOTED}", limits=SessionLimits(seconds=0.3))
    assert "(it did not answer within 0.3 s)" in text


def test_oversized_response_is_an_error() -> None:
    # Its time is not limited here, so only its size ends it.
    limits = SessionLimits(seconds=float("inf"), size=8 << 20)
    with hostile_server(send_rows) as port:
        text = refusal(port, user=f"user:{QUOTED}", limits=limits)
    assert "(its response is larger than 8 MB)" in text
