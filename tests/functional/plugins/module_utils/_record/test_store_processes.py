# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lock of a device excludes another process."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import (
    RecordError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.store import RecordStore

ENDPOINT = "https://api.example.com"
TOKEN = "token-of-a-device"


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(str(tmp_path / "records"), ENDPOINT)


def _hold(folder: str, held: multiprocessing.synchronize.Event, end: multiprocessing.synchronize.Event) -> None:
    with RecordStore(folder, ENDPOINT).device(TOKEN).lock(5):
        held.set()
        end.wait(60)


def test_lock_of_a_device_excludes_another_process(store: RecordStore) -> None:
    context = multiprocessing.get_context("spawn")
    held, end = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(store.folder, held, end))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(RecordError, match="another run"):
            with store.device(TOKEN).lock(0.1):
                pass
        with store.device("another").lock(0.1):
            pass
    finally:
        end.set()
        other.join(60)
    with store.device(TOKEN).lock(5):
        pass
