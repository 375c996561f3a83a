# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call that arrived at the API, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

# A listing of a large fleet, kept for every call, would fill the memory.
LONGEST_LISTING = 100


@dataclass(frozen=True)
class Entry:
    """One call. ``reached``: the service saw it (no fault came first). ``applied``: it was accepted.

    ``reply`` and ``status`` are the service's own answer, even when a fault then kept it from the client.
    """

    n: int
    at: float
    path: str
    method: str
    token: str
    number: str | None
    form: dict[str, str]
    write: bool
    reached: bool
    applied: bool
    status: int | None
    reply: object
    fault: str | None


class Journal:
    """Bounded: the oldest entries go first. ``n`` counts on, so that a gap can be seen."""

    def __init__(self, limit: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._n = 0

    def __len__(self) -> int:
        return len(self._entries)

    def write_down(self, **fields: Any) -> None:
        """Append an entry; see ``Entry`` for the fields."""
        self._n += 1
        fields["reply"] = _shortened(fields.get("reply"))
        self._entries.append(Entry(n=self._n, **fields))

    def since(self, n: int) -> Iterator[dict[str, object]]:
        """The entries after number ``n``."""
        return (asdict(entry) for entry in self._entries if entry.n > n)

    def clear(self) -> None:
        """Forget the entries; numbers count on."""
        self._entries.clear()


def _shortened(reply: object) -> object:
    if isinstance(reply, dict) and isinstance(reply.get("data"), list) and len(reply["data"]) > LONGEST_LISTING:
        return {**reply, "data": f"{len(reply['data'])} devices, left out of the journal"}
    return reply
