# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Requests and responses of the HTTP transport."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .endpoints import Endpoint, find_endpoint


@dataclass(frozen=True)
class Connection:
    """How the service is reached. Times are in seconds.

    Attributes:
        pool_size: How many calls at a time, in however many threads, and so how many connections.
    """

    endpoint: str
    timeout: float
    retries: int
    longest_delay: float
    verify: bool
    ca_path: str | None
    pool_size: int = 4


@dataclass(frozen=True)
class Upload:
    """A file that goes out with a form.

    Attributes:
        name: The name of its field.
        filename: What the service takes it to be called.
    """

    name: str
    filename: str
    content: bytes = field(repr=False)


Guard = t.Callable[[], None]


@dataclass(frozen=True)
class Request:
    """What goes out over the wire.

    Attributes:
        path: One of ``ENDPOINTS``; another one is a ValueError.
        method: POST, with the token in a header and the form in the body; or GET, with all of it in the URL.
        guard: Called before each try, and again when its connection is open, immediately before the request is sent;
            it raises FonnteError to prevent the request.
    """

    path: str
    token: str = field(repr=False)
    form: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    upload: Upload | None = None
    method: str = "POST"
    guard: Guard | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        find_endpoint(self.path)

    @property
    def endpoint(self) -> Endpoint:
        """The row of its path."""
        return find_endpoint(self.path)


@dataclass(frozen=True)
class HttpResponse:
    """What came back over the wire.

    Attributes:
        patience: The seconds that it asks to wait; None if it asks for none.
        location: Where a redirect leads.
    """

    status: int
    body: bytes
    retry_after: float | None = None
    location: str = ""


# The start of a private-looking body is no help and may hold anything: only its kind is told.
NO_RESPONSE = "a proxy or a maintenance page may stand in front of the service: run the play again later"
