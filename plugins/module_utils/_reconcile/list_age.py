# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Check the age of the response that identifies a device, before each request that relies on it.

The right device: while a request waits, a person can give the number of its device to another device.
"""

from __future__ import annotations

import typing as t

from .._api.cache import MAX_CACHE_SECONDS
from .._common.clock import Moment
from .._common.errors import StaleListError

# How often the list for one request is requested again because the service or the network was too slow.
MAX_NEW_LISTS = 3

Result = t.TypeVar("Result")


def is_stale(identified_at: Moment | None) -> bool:
    """Return whether a response is too old to identify the device of a request.

    Args:
        identified_at: When the response was requested; None if a token alone identifies the device, which has no age.
    """
    return identified_at is not None and identified_at.age() > MAX_CACHE_SECONDS


def require_fresh(identified_at: Moment | None) -> None:
    """Raise StaleListError if a response is too old. A guard calls it last, immediately before the request is sent."""
    if is_stale(identified_at):
        raise StaleListError(
            f"the request was delayed for over {MAX_CACHE_SECONDS:g} s, and the device may be another one by now",
            "run the playbook again: nothing was sent",
        )


def send_with_fresh_list(send: t.Callable[[], Result], list_again: t.Callable[[], None]) -> Result:
    """Return the result of a request, with a new list for each attempt that was prevented because its list was too old.

    Args:
        send: Sends the request, with a guard that calls ``require_fresh``.
        list_again: Requests the list again, and checks that it still has the device.

    Raises:
        StaleListError: Each list became too old before the request could be sent.
    """
    for _turn in range(MAX_NEW_LISTS):
        try:
            return send()
        except StaleListError:
            list_again()
    return send()
