# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Network addresses of webhooks: from where an IP address or a host name can be reached. Pure: no DNS lookup.

The tables are those of the IANA registries of special-purpose addresses. The properties of ``ipaddress`` differ between
the versions of Python.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
import socket
import typing as t
from urllib.parse import urlsplit


class Reach(enum.Enum):
    """From where an address can be reached.

    Attributes:
        PUBLIC: From the internet.
        PRIVATE: From this machine, or from its network only: a loopback or private address.
        RESERVED: Neither: an unspecified, link-local (with the metadata services of clouds), multicast, documentation
            or reserved address.
    """

    PUBLIC = "public"
    PRIVATE = "private"
    RESERVED = "reserved"


_V4_PRIVATE = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
_V4_RESERVED = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "169.254.0.0/16",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            # Multicast, reserved, and the limited broadcast.
            "224.0.0.0/3",
        ),
    )
)
_V6_PRIVATE = tuple(map(ipaddress.IPv6Network, ("::1/128", "fc00::/7")))
# The only part of the IPv6 address space that is assigned to hosts on the internet, and its exceptions.
_V6_PUBLIC = ipaddress.IPv6Network("2000::/3")
_V6_RESERVED = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
# IPv6 networks whose addresses contain an IPv4 address, with the position of its last bit: IPv4-mapped, IPv4-translated,
# NAT64, and 6to4.
_V4_INSIDE = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (("::ffff:0:0/96", 0), ("::ffff:0:0:0/96", 0), ("64:ff9b::/96", 0), ("2002::/16", 80))
)

# Names that no public DNS resolves: multicast DNS, this machine, and the private networks of organizations and homes.
_LOCAL_SUFFIXES = (".local", ".localhost", ".localdomain", ".internal", ".home.arpa")


def address_reach(text: str) -> Reach:
    """Return from where an IP address can be reached. It may have a zone, as in ``fe80::1%eth0``.

    Raises:
        ValueError: It is not an IP address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return _v4_reach(address)
    for network, shift in _V4_INSIDE:
        if address in network:
            return _v4_reach(ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    if _is_in(address, _V6_PRIVATE):
        return Reach.PRIVATE
    return Reach.PUBLIC if address in _V6_PUBLIC and not _is_in(address, _V6_RESERVED) else Reach.RESERVED


def _v4_reach(address: ipaddress.IPv4Address) -> Reach:
    if _is_in(address, _V4_PRIVATE):
        return Reach.PRIVATE
    return Reach.RESERVED if _is_in(address, _V4_RESERVED) else Reach.PUBLIC


def _is_in(address: t.Any, networks: t.Iterable[t.Any]) -> bool:
    return any(address in network for network in networks)


def is_local_url(url: str) -> bool:
    """Return whether only this machine or its network can reach the host of a URL, as far as its spelling shows.

    Every spelling of an address counts, such as ``http://2130706433`` and ``http://0x7f.1`` for 127.0.0.1.
    """
    if not url:
        return False
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    return bool(host) and _is_local_host(host)


# The devices of a fleet usually have few hosts.
@functools.lru_cache(maxsize=256)
def _is_local_host(host: str) -> bool:
    try:
        return address_reach(host) is not Reach.PUBLIC
    except ValueError:
        pass
    try:
        return address_reach(socket.inet_ntoa(socket.inet_aton(host))) is not Reach.PUBLIC
    except (OSError, UnicodeError):
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)
