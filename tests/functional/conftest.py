# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One sandbox for all functional tests of a worker, and modules that run without Ansible."""

from __future__ import annotations

import os
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.tests import hypothesis_profile
from ansible_collections.fonnte.whatsapp.tests.control_node import Controller
from ansible_collections.fonnte.whatsapp.tests.postgresql import (
    oldest_postgresql_server,
    postgresql_server,
    record_url,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

__all__ = ["hypothesis_profile", "oldest_postgresql_server", "postgresql_server", "record_url"]


def pytest_configure(config: pytest.Config) -> None:
    """Ignore what asyncio of Python 3.10 leaves open: its transport of TLS does not close if the peer ends first."""
    if sys.version_info < (3, 11):
        config.addinivalue_line("filterwarnings", "ignore:unclosed transport <asyncio.sslproto:ResourceWarning")


@pytest.fixture(scope="session")
def running_sandbox() -> t.Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def controller(sandbox: Sandbox, tmp_path: Path) -> Controller:
    return Controller(sandbox, tmp_path)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies and tokens of the user's environment."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("FONNTE_"):
            monkeypatch.delenv(name)
