# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request relies on a list response of at most 30 seconds, and the list is requested again a few times."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.clock import Moment
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import StaleListError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._reconcile.list_age import (
    MAX_NEW_LISTS,
    is_stale,
    require_fresh,
    send_with_fresh_list,
)


@pytest.mark.parametrize(("age", "stale"), [(0.0, False), (30.0, False), (30.5, True), (3600.0, True)])
def test_a_response_is_valid_for_30_seconds(age: float, stale: bool) -> None:
    seconds = [0.0]
    requested = Moment.now(lambda: seconds[0])
    seconds[0] = age
    assert is_stale(requested) is stale
    if stale:
        with pytest.raises(StaleListError) as caught:
            require_fresh(requested)
        assert not caught.value.may_be_applied and not caught.value.transient
    else:
        require_fresh(requested)


def test_device_token_without_a_list_has_no_age() -> None:
    require_fresh(None)
    assert not is_stale(None)


@pytest.mark.parametrize("slow", range(MAX_NEW_LISTS + 2))
def test_list_is_requested_again_a_few_times(slow: int) -> None:
    sent: list[int] = []
    lists: list[int] = []

    def send() -> str:
        sent.append(len(lists))
        if len(sent) <= slow:
            raise StaleListError("the list is too old", "run the playbook again")
        return "sent"

    def list_again() -> None:
        lists.append(1)

    if slow > MAX_NEW_LISTS:
        with pytest.raises(StaleListError):
            send_with_fresh_list(send, list_again)
    else:
        assert send_with_fresh_list(send, list_again) == "sent"
    # A list precedes each attempt except the first one.
    assert sent == list(range(min(slow, MAX_NEW_LISTS) + 1))
