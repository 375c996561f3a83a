# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The safety limits of a fleet: the limits that a plan counts towards, and the amounts left after all first plans."""

from __future__ import annotations

import threading
import typing as t

from .._common.errors import SafetyLimitError
from .._reconcile.state import CREATE, DISCONNECT, Plan

MAX_CREATE, MAX_CLEAR, MAX_DISCONNECT = "max_create", "max_clear", "max_disconnect"
FREE_LIMIT = "free_device_limit"
_PHRASES = {
    MAX_CREATE: "create it",
    MAX_CLEAR: "clear webhooks of it",
    MAX_DISCONNECT: "disconnect it",
    FREE_LIMIT: "create it",
}


def find_limits(plan: Plan) -> frozenset[str]:
    """Return the names of the limits that a plan counts towards."""
    counts = {
        MAX_CREATE: CREATE in plan.operations,
        MAX_CLEAR: plan.loses_webhooks,
        MAX_DISCONNECT: DISCONNECT in plan.operations,
        FREE_LIMIT: CREATE in plan.operations,
    }
    return frozenset(limit for limit, counted in counts.items() if counted)


class Allowance:
    """The amounts of the limits that are left for the later plans of a run. Its workers share it.

    A device is planned again under its lock, and after a lost response. That plan may need more than the first plan,
    which was counted before the first write, because the device was changed in the meantime.

    Args:
        left: For the name of each limit that is set, the number of further devices that it allows.
    """

    def __init__(self, left: t.Mapping[str, int]) -> None:
        self._left = dict(left)
        self._taken: set[tuple[int, str]] = set()
        self._lock = threading.Lock()

    def require(self, index: int, counted: frozenset[str], plan: Plan) -> None:
        """Count the limits that a later plan needs and its first plan did not need.

        Args:
            index: The index of the entry; each limit is counted once for an entry.
            counted: The limits that its first plan counts towards.
            plan: The later plan.

        Raises:
            SafetyLimitError: A limit does not allow it.
        """
        with self._lock:
            for limit in sorted(find_limits(plan) - counted):
                if limit not in self._left or (index, limit) in self._taken:
                    continue
                if self._left[limit] <= 0:
                    raise SafetyLimitError(
                        f"it was changed while the run was under way, so that the run would {_PHRASES[limit]}, "
                        f"and {limit} does not allow one more",
                        f"list the device; if the change is intended, run again with a higher {limit}",
                    )
                self._left[limit] -= 1
                self._taken.add((index, limit))
