# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for a Python runs each candidate: a shim that fails is no Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import interpreters

OWN = "%d.%d" % sys.version_info[:2]


@pytest.fixture
def shim(tmp_path: Path) -> str:
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_shim_that_fails_is_no_python(shim: str) -> None:
    assert interpreters.probe(shim, OWN) is None
    assert interpreters.probe(shim + "-that-does-not-exist", OWN) is None


def test_python_of_another_version_is_refused() -> None:
    assert interpreters.probe(sys.executable, "3.1") is None
    assert interpreters.probe(sys.executable, OWN)


def test_link_leads_to_a_python_that_runs(shim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "PYTHONS", tmp_path / "links")
    monkeypatch.setattr(interpreters, "MINORS", (OWN,))
    monkeypatch.setattr(interpreters, "_candidates", lambda minor: [shim, sys.executable])
    # Set and removed, so that monkeypatch removes the value that link sets.
    monkeypatch.setenv(interpreters.LINKED, "")
    monkeypatch.delenv(interpreters.LINKED)
    monkeypatch.setenv("PATH", "/usr/bin")
    interpreters.link()
    assert list(interpreters.available()) == [OWN]
    assert interpreters.probe(interpreters.available()[OWN], OWN)


def test_first_wanted_version_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "available", lambda: {"3.11": "a", "3.12": "b"})
    assert interpreters.newest_of(("3.13", "3.12", "3.11")) == "3.12"
    with pytest.raises(interpreters.NoInterpreter, match="looked for 3.9"):
        interpreters.newest_of(("3.9",))


def test_parts_that_cannot_run_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "available", lambda: {"3.7": "a", "3.13": "b"})
    assert interpreters.not_covered() == []
    monkeypatch.setattr(interpreters, "available", lambda: {"3.11": "a"})
    assert [sentence.split(",")[0] for sentence in interpreters.not_covered()] == [
        "not run: ansible-core 2.20 and newer",
        "not run: modules on a Python 3.7 target",
    ]
