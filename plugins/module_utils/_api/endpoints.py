# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The endpoints of the service's API: a row for each, with its token and with the failures after which it is repeated.

A request to another path cannot be created. How long a repetition waits is in ``retry.py``; what a refusal means is in
``REFUSALS`` of ``_common/errors.py``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """The failures after which a request is sent again.

    Attributes:
        after_broken_responses: Whether also when the service may have carried out the request.
        statuses: The HTTP statuses of such a response.
    """

    after_broken_responses: bool
    statuses: frozenset[int]


READ = RetryPolicy(True, frozenset({429, 500, 502, 503, 504}))
# A 429 states that the request was not carried out.
WRITE = RetryPolicy(False, frozenset({429}))
# Sent again only when no request can have reached the service.
NON_IDEMPOTENT = RetryPolicy(False, frozenset())


class TokenKind(enum.Enum):
    """Whose token a request carries."""

    ACCOUNT = "account"
    DEVICE = "device"


@dataclass(frozen=True)
class Endpoint:
    """One path of the API."""

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
        # It changes no setting. But a pairing code may show on the phone, and a second one replaces it: so it is sent
        # again only when the service has not carried it out. _linking/link.py requests a QR code that was lost again.
        Endpoint("/qr", TokenKind.DEVICE, WRITE),
    )
}


def find_endpoint(path: str) -> Endpoint:
    """Return the row of a path.

    Raises:
        ValueError: It has none.
    """
    if path not in ENDPOINTS:
        raise ValueError(f"there is no endpoint {path}; add a row to ENDPOINTS in _api/endpoints.py")
    return ENDPOINTS[path]
