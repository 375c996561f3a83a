# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses and host names: from where they can be reached, in every spelling."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.addresses import (
    Reach,
    address_reach,
    is_local_url,
)

PRIVATE = [
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "::1",
    "fc00::1",
    "fdff::1",
    "::ffff:127.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2002:c0a8:101:1::5",
]
RESERVED = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:0.0.0.0",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700::1",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",
]


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        *((address, Reach.PRIVATE) for address in PRIVATE),
        *((address, Reach.RESERVED) for address in RESERVED),
        *((address, Reach.PUBLIC) for address in PUBLIC),
    ],
)
def test_reach_of_an_address(address: str, reach: Reach) -> None:
    assert address_reach(address) is reach


@pytest.mark.parametrize("text", ["", "hooks.example.com", "1.2.3", "127.0.0.1:80", "::1::"])
def test_other_text_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        address_reach(text)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_public_address_is_global_according_to_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address_reach(str(address)) is Reach.PUBLIC and not str(address).startswith(("64:ff9b:", "::ffff:", "2002:")):
        assert address.is_global and not address.is_multicast


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "hooks.localhost",
        "n8n",
        "n8n.local",
        "n8n.LOCAL.",
        "host.docker.internal",
        "server.home.arpa",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "192.168.0.10:8080",
        "10.1",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.1]:5000",
        "[fe80::1%25eth0]",
        "user:password@192.168.0.1",
    ],
)
def test_host_of_this_network_is_local(host: str) -> None:
    assert is_local_url(f"https://{host}/hook")


@pytest.mark.parametrize(
    "host",
    [
        "hooks.example.com",
        "local.example.com",
        "localhost.example.com",
        "10.example.com",
        "1.1.1.1",
        "16843009",
        "[2606:4700::1]",
        "user:127.0.0.1@hooks.example.com",
    ],
)
def test_host_of_the_internet_is_not_local(host: str) -> None:
    assert not is_local_url(f"https://{host}/127.0.0.1?localhost#local")


def test_url_without_a_host_is_not_local() -> None:
    assert not is_local_url("") and not is_local_url("https:///x") and not is_local_url("https://[::1/x")
