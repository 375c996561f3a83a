# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data that a process keeps from one run to the next, and data that it must not keep."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.cache import DeviceListCache, ProcessCache
from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.wire import Connection
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import Moment
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.models import Device, DeviceList
from ansible_collections.fonnte.whatsapp.tests.operating_system import replace_os

HERE = Connection("https://api.example.com", 5.0, 2, 1.0, True, None)
A, B = "081200000001", "6281200000002"
DEVICES = (Device(number=A, token="token-a"), Device(number=B, token="token-b"))


def listed(kept: DeviceListCache) -> DeviceList:
    """Return a list that is requested now."""
    return DeviceList(DEVICES, fetched_at=kept.moment())


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_connections_and_lists_are_shared_by_their_context() -> None:
    keep = ProcessCache()
    assert keep.transport(HERE) is keep.transport(replace(HERE))
    assert keep.listing(HERE, "account") is keep.listing(HERE, "account")
    for other in (replace(HERE, endpoint="https://other.example.com"), replace(HERE, verify=False)):
        assert keep.transport(other) is not keep.transport(HERE)
        assert keep.listing(other, "account") is not keep.listing(HERE, "account")
    assert keep.listing(HERE, "another") is not keep.listing(HERE, "account")


def test_changed_proxy_opens_another_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = ProcessCache()
    before = keep.transport(HERE)
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    assert keep.transport(HERE) is not before


def test_forked_process_has_an_empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = ProcessCache()
    parents = keep.transport(HERE), keep.listing(HERE, "account")
    replace_os(monkeypatch, getpid=lambda: -1)
    assert keep.transport(HERE) is not parents[0] and keep.listing(HERE, "account") is not parents[1]


class Session:
    """A connection that can always be used."""

    def is_usable(self) -> bool:
        return True

    def close(self) -> None:
        pass


def test_two_accounts_that_begin_at_once_share_a_connection() -> None:
    keep = ProcessCache()
    found: list[Session] = []
    other = threading.Thread(target=lambda: found.append(keep.connection("place", Session)))

    def create() -> Session:
        other.start()
        # Without a lock, the other account is done long before.
        other.join(0.5)
        return Session()

    first = keep.connection("place", create)
    other.join()
    assert found == [first] and keep.connection("place", Session) is first


def test_clear_removes_connections_and_lists() -> None:
    keep = ProcessCache()
    before = keep.transport(HERE), keep.listing(HERE, "account")
    keep.clear()
    assert keep.transport(HERE) is not before[0] and keep.listing(HERE, "account") is not before[1]


def test_list_is_valid_for_its_max_age(clock: Clock) -> None:
    kept = DeviceListCache(30.0, clock=clock)
    assert kept.get(A, "") is None
    listing = listed(kept)
    kept.put(listing)
    clock.seconds += 30
    assert kept.get(A, "") is listing
    clock.seconds += 1
    assert kept.get(A, "") is None


@pytest.mark.parametrize("written", ["token-b", B, "0" + B[2:]])
def test_write_invalidates_only_its_device(clock: Clock, written: str) -> None:
    kept = DeviceListCache(clock=clock)
    listing = listed(kept)
    kept.put(listing)
    kept.invalidate(written)
    assert kept.get(A, "token-a") is listing
    assert kept.get("0" + B[2:], "") is None and kept.get(B, "") is None
    # Without a number, the affected device is unknown.
    assert kept.get("", "token-a") is None
    clock.seconds += 1
    listing = listed(kept)
    kept.put(listing)
    assert kept.get(B, "token-b") is listing


def test_write_during_the_list_request_invalidates_the_device(clock: Clock) -> None:
    kept = DeviceListCache(clock=clock)
    listing = listed(kept)
    kept.invalidate(A)
    kept.put(listing)
    assert kept.get(A, "") is None


def test_workers_may_invalidate_devices_while_a_list_is_stored(clock: Clock) -> None:
    kept = DeviceListCache(clock=clock)
    kept.invalidate(A)
    listing = listed(kept)
    worker = threading.Thread(target=kept.invalidate, args=(B,))

    class Interrupting(Moment):
        """A moment: while it is compared, another worker invalidates a device, unless a lock prevents this."""

        def is_before(self, other: Moment) -> bool:
            if worker.ident is None:
                worker.start()
                # The worker waits for the list, or it has ended long before.
                worker.join(1.0)
            return super().is_before(other)

    listing.fetched_at = Interrupting(listing.fetched_at.steady, listing.fetched_at.number, clock)
    kept.put(listing)
    worker.join()
    assert kept.get(B, "") is None and kept.get(A, "") is listing


def test_older_list_that_arrives_later_is_not_stored(clock: Clock) -> None:
    kept = DeviceListCache(clock=clock)
    early = DeviceList([], fetched_at=kept.moment())
    kept.invalidate(A)
    listing = listed(kept)
    kept.put(listing)
    kept.put(early)
    assert kept.get(A, "token-a") is listing


@pytest.mark.parametrize("survives", [True, False])
def test_error_drops_the_list_unless_it_survives_errors(clock: Clock, survives: bool) -> None:
    kept = DeviceListCache(survives_errors=survives, clock=clock)
    listing = listed(kept)
    kept.put(listing)
    kept.invalidate_on_error("token-a")
    assert kept.get(A, "") is None
    assert (kept.get(B, "") is listing) is survives
