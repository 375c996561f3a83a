# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Service endpoints: validation, loopback detection, proxies."""

from __future__ import annotations

import ipaddress
import typing as t
import urllib.request
from urllib.parse import urlsplit

from .errors import OptionError


def check_endpoint(endpoint: str) -> str:
    """Return the endpoint without a trailing slash.

    Raises:
        OptionError: It is not a URL to which a token may be sent.
    """
    option = "api_endpoint"
    try:
        parts = urlsplit(endpoint)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise OptionError(option, "it is not an http:// or https:// URL", "leave it out to use https://api.fonnte.com")
    if parts.username is not None or "?" in endpoint or "#" in endpoint:
        raise OptionError(option, "it has a user name, a query or a fragment", "give scheme, host, port and path only")
    if parts.scheme == "http" and not is_loopback(host):
        raise OptionError(option, f"plain http to {host} would show the token to the network", "use https://")
    return endpoint.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host name can only be this machine: no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def environment_proxies(url: str) -> dict[str, str]:
    """Return the proxies for a URL as ``requests`` takes them, from the environment's variables alone."""
    host = urlsplit(url).hostname or ""
    # The type stubs do not know the function that reads no_proxy from the environment alone.
    library: t.Any = urllib.request
    if is_loopback(host) or library.proxy_bypass_environment(host):
        return {}
    return urllib.request.getproxies_environment()
