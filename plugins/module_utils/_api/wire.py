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
    """The configuration of the connections to the service. Times are in seconds.

    Attributes:
        endpoint: The address of the service, as returned by check_endpoint.
        timeout: The timeout for connecting, and for each receive.
        retries: The maximum number of retries.
        longest_delay: The maximum delay before a retry.
        verify: Whether to verify the certificate of the service.
        ca_path: A file or directory with certificates of authorities; None for the default ones.
        pool_size: The maximum number of concurrent requests and of kept-alive connections, for all threads together.
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
    """A file that is uploaded with a form.

    Attributes:
        name: The name of the form field.
        filename: The filename that the service gets.
        content: The content of the file.
    """

    name: str
    filename: str
    content: bytes = field(repr=False)


Guard = t.Callable[[], None]


@dataclass(frozen=True)
class Request:
    """A request to the API.

    Attributes:
        path: A key of ``ENDPOINTS``; another one raises ValueError.
        token: The account token or device token.
        form: The form fields.
        upload: The uploaded file; None without one.
        method: POST, with the token in a header and the form in the body; or GET, with all of it in the URL.
        guard: Called before each attempt, and again when its connection is open, immediately before the request is
            sent; raises FonnteError to prevent the request.
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
        """The endpoint of the path."""
        return find_endpoint(self.path)


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response.

    Attributes:
        status: The HTTP status.
        body: The decompressed body.
        retry_after: The delay that the service requests, in seconds; None without one.
        location: The target of a redirect.
    """

    status: int
    body: bytes
    retry_after: float | None = None
    location: str = ""


# The start of an unknown body does not help, and may contain secrets, so messages only name its kind.
NO_RESPONSE = "a proxy or a maintenance page may be in front of the service: run the playbook again later"
