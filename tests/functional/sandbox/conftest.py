# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for all tests of this directory, reset before each."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

# Tests of the plugins on old Pythons have neither library, and need not test the sandbox.
USABLE = sys.version_info >= (3, 10) and all(importlib.util.find_spec(name) for name in ("aiohttp", "requests"))
collect_ignore_glob = [] if USABLE else ["test_*.py"]

NUMBER = "628111111111"
OTHER = "628222222222"


class Api:
    """A client of the API with one persistent session."""

    def __init__(self, sandbox):
        import requests

        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False

    def reply(self, path, token, fields=None, **options):
        """Return the complete HTTP response."""
        options.setdefault("timeout", 10)
        return self.session.post(
            self.sandbox.url + path,
            data=fields or {},
            headers={"Authorization": token},
            **options,
        )

    def __call__(self, path, token, **fields):
        return self.reply(path, token, fields).json()

    def account(self, path, **fields):
        """Send a request with the account token."""
        return self(path, self.sandbox.account_token, **fields)

    def add(self, number=NUMBER, name="one", **fields):
        """Add a device; return its token."""
        reply = self.account("/add-device", name=name, device=number, **fields)
        assert reply["status"] is True, reply
        return reply["token"]

    def update(self, token, number=NUMBER, name="one", **fields):
        """Update a device with the fields that are always sent."""
        return self("/update-device", token, name=name, device=number, **fields)


@pytest.fixture(scope="session")
def running_sandbox():
    from tests.sandbox.driver import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox):
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture(scope="session")
def running_api(running_sandbox):
    return Api(running_sandbox)


@pytest.fixture
def api(running_api, sandbox):
    return running_api


@pytest.fixture
def token(api):
    """Return the token of a device with the number NUMBER."""
    return api.add()


@pytest.fixture
def number():
    return NUMBER


@pytest.fixture
def other():
    return OTHER
