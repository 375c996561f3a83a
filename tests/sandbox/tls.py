# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority and a server certificate for one run: a valid one, or one with a chosen defect."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

WRONG_HOST = "elsewhere.invalid"


@dataclass(frozen=True)
class Tls:
    """The TLS context of the server, and the CA that a client should trust."""

    context: ssl.SSLContext
    ca: Path


def make(kind: str, host: str, folder: Path) -> Tls:
    """Write ``ca.pem`` and ``server.pem`` to the directory; ``kind`` is one of ``cli.TLS_KINDS``."""
    authority = trustme.CA()
    ca, server = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(ca)
    server.touch(mode=0o600)
    if kind == "self-signed":
        # The certificate of another CA, which no client trusts.
        other = trustme.CA()
        server.write_bytes(other.private_key_pem.bytes() + other.cert_pem.bytes())
    else:
        hosts = [WRONG_HOST] if kind == "wrong-host" else sorted({host, "localhost", "127.0.0.1", "::1"})
        yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
        leaf = authority.issue_cert(*hosts, not_after=yesterday if kind == "expired" else None)
        server.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return Tls(context=context, ca=ca)
