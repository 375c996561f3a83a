# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The endpoints of the service's API, with the kind of token and the retry policy of each.

A request to any other path cannot be created. ``retry.py`` contains the delays of retries, ``REFUSALS`` in
``_common/errors.py`` the meanings of refusals.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """The failures after which a request is sent again.

    Attributes:
        after_broken_responses: Whether to retry even if the service may have carried out the request.
        statuses: The HTTP statuses after which to retry.
    """

    after_broken_responses: bool
    statuses: frozenset[int]


READ = RetryPolicy(True, frozenset({429, 500, 502, 503, 504}))
# A 429 means that the request was not carried out.
WRITE = RetryPolicy(False, frozenset({429}))
# Sent again only if no request can have reached the service.
NON_IDEMPOTENT = RetryPolicy(False, frozenset())


class TokenKind(enum.Enum):
    """The kind of token that a request needs."""

    ACCOUNT = "account"
    DEVICE = "device"


@dataclass(frozen=True)
class Endpoint:
    """A path of the API, with its kind of token and its retry policy."""

    path: str
    token: TokenKind
    retry: RetryPolicy


ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("/get-devices", TokenKind.ACCOUNT, READ),
        Endpoint("/device", TokenKind.DEVICE, READ),
        Endpoint("/update-device", TokenKind.DEVICE, WRITE),
        Endpoint("/disconnect", TokenKind.DEVICE, WRITE),
        Endpoint("/add-device", TokenKind.ACCOUNT, NON_IDEMPOTENT),
        Endpoint("/delete-device", TokenKind.DEVICE, NON_IDEMPOTENT),
        Endpoint("/send", TokenKind.DEVICE, NON_IDEMPOTENT),
        Endpoint("/status", TokenKind.DEVICE, READ),
        Endpoint("/get-whatsapp-group", TokenKind.DEVICE, READ),
        # Each request queries the phone, and the service warns that many of them can lead to a ban.
        Endpoint("/fetch-group", TokenKind.DEVICE, NON_IDEMPOTENT),
        # It only reads. But a request whose response was lost may still run, and two at a time interfere with each other.
        Endpoint("/validate", TokenKind.DEVICE, WRITE),
        # It changes no setting, but a second pairing code replaces the one that the phone may show. So it is sent again
        # only if the service has not carried it out. _linking/link.py repeats the request for a lost QR code.
        Endpoint("/qr", TokenKind.DEVICE, WRITE),
    )
}


def find_endpoint(path: str) -> Endpoint:
    """Return the endpoint of a path.

    Raises:
        ValueError: The API has no such endpoint.
    """
    if path not in ENDPOINTS:
        raise ValueError(f"there is no endpoint {path}; add a row to ENDPOINTS in _api/endpoints.py")
    return ENDPOINTS[path]
