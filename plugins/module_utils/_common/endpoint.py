# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The address of the service: validation of URLs, loopback addresses, and proxies of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
import urllib.request
from urllib.parse import urlsplit

from .errors import OptionError, VariableError

# URL parsers disagree on other URLs, and the HTTP library parses the URL again when it connects.
_ENDPOINT = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[0-9a-z_.-]+)(?::(?P<port>[0-9]{1,5}))?(?:/[^\s\\?#]*)?",
    re.IGNORECASE | re.ASCII,
)
# A proxy may have a user name and a password.
_PROXY = re.compile(
    r"(?:https?|socks[45][ah]?)://(?:[^\s/?#@]*@)?(?P<host>\[[0-9a-f:.]+\]|[0-9a-z_.-]+)(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE | re.ASCII,
)
_LARGEST_PORT = 65535
# The limits for host names.
_LONGEST_LABEL, _LONGEST_HOST = 63, 253


def check_endpoint(endpoint: str) -> str:
    """Validate an endpoint, and return it without a trailing slash, with scheme and host in lowercase.

    Only URLs that all parsers interpret in the same way are accepted.

    Raises:
        OptionError: The endpoint is not a URL to which a token may be sent.
    """
    option = "api_endpoint"
    found = _ENDPOINT.fullmatch(endpoint)
    if found is None and re.match(r"https?://[^/]*@|https?://[^?#]+[?#]", endpoint, re.IGNORECASE):
        raise OptionError(option, "it has a user name, a query or a fragment", "set only scheme, host, port and path")
    host = _host(found.group("host")) if found else ""
    if found is None or not host or not _is_port(found.group("port")):
        raise OptionError(option, "it is not an http:// or https:// URL", "leave it out to use https://api.fonnte.com")
    if not endpoint.isprintable() or not endpoint.isascii():
        raise OptionError(
            option, "it has characters outside of ASCII", "write the host in its xn-- form and the path URL-encoded"
        )
    if found.group("scheme").lower() == "http" and not is_loopback(host):
        raise OptionError(option, f"plain http to {host} would expose the token to the network", "use https://")
    scheme, rest = found.group("scheme").lower(), endpoint[endpoint.index("//") + 2 :]
    place, slash, path = rest.partition("/")
    # Another spelling of one address must not have a separate record.
    place = re.sub(r":%s$" % _DEFAULT_PORTS[scheme], "", place.lower())
    return f"{scheme}://{place}{slash}{path}".rstrip("/")


_DEFAULT_PORTS = {"http": "0*80", "https": "0*443"}


def _host(written: str) -> str:
    """Return a host in lowercase and without brackets; an empty string if it is invalid."""
    if not written.startswith("["):
        labels = written[:-1].split(".") if written.endswith(".") else written.split(".")
        fits = len(written) <= _LONGEST_HOST and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
        return written.lower() if fits and re.search(r"[0-9a-z]", written, re.IGNORECASE) else ""
    try:
        return str(ipaddress.IPv6Address(written[1:-1]))
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address, without a DNS lookup.

    These are ``localhost``, 127.0.0.0/8 in the form of four decimal numbers, and ``::1``.
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        # Newer Python versions also count an IPv6 address that contains an IPv4 loopback address.
        return address == ipaddress.IPv6Address("::1") and "%" not in host
    return address.is_loopback


def check_proxies(url: str) -> None:
    """Check that the environment's proxy for a URL is valid.

    Raises:
        VariableError: It is invalid. The message does not contain the value, which may have a password.
    """
    proxies = environment_proxies(url)
    scheme = next((scheme for scheme in (urlsplit(url).scheme.lower(), "all") if proxies.get(scheme)), "")
    proxy = proxies.get(scheme, "")
    if not proxy or _is_proxy(proxy if "://" in proxy else f"http://{proxy}"):
        return
    variable = next(name for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()) if os.environ.get(name))
    raise VariableError(
        variable,
        "its value is not the address of a proxy",
        "write it as http://HOST:PORT, or unset it",
    )


def _is_proxy(proxy: str) -> bool:
    found = _PROXY.fullmatch(proxy)
    return found is not None and bool(_host(found.group("host"))) and _is_port(found.group("port"))


def _is_port(port: str | None) -> bool:
    return port is None or int(port) in range(1, _LARGEST_PORT + 1)


def environment_proxies(url: str) -> dict[str, str]:
    """Return the proxies for a URL, as ``requests`` expects them, from environment variables only."""
    host = urlsplit(url).hostname or ""
    # The type stubs lack proxy_bypass_environment, which reads no_proxy from the environment only.
    library: t.Any = urllib.request
    if is_loopback(host) or library.proxy_bypass_environment(host):
        return {}
    return urllib.request.getproxies_environment()
