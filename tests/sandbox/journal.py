# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of all requests that arrived at the API, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

# The device list of a large fleet would fill the memory if it were kept for every request.
LONGEST_LISTING = 100


@dataclass(frozen=True)
class Entry:
    """One request. ``reached``: the service received it (no fault came first). ``applied``: it was accepted.

    ``reply`` and ``status`` are the response of the service, even if a fault then kept it from the client.
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
    """A bounded journal: the oldest entries are removed first. ``n`` is never reused, so a gap is visible."""

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
        """Return the entries after number ``n``."""
        return (asdict(entry) for entry in self._entries if entry.n > n)

    def clear(self) -> None:
        """Remove all entries; the numbering continues."""
        self._entries.clear()


def _shortened(reply: object) -> object:
    if isinstance(reply, dict) and isinstance(reply.get("data"), list) and len(reply["data"]) > LONGEST_LISTING:
        return {**reply, "data": f"{len(reply['data'])} devices, left out of the journal"}
    return reply
