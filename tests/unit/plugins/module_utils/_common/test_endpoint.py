# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints: the host that the check accepts is the host that requests connects to."""

from __future__ import annotations

import ipaddress

import hypothesis.strategies as st
import pytest
import requests
import urllib3
from hypothesis import example, given

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.endpoint import (
    check_endpoint,
    check_proxies,
    environment_proxies,
    is_loopback,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError, VariableError

EVIL = [
    "http://[::1].evil.example",
    "http://[::1]evil.example",
    "http://[::1]:80.evil.example",
    "http://[::1%25.evil.example]",
    "http://[::1%lo]",
    "http://[::ffff:127.0.0.1]",
    "http://[::127.0.0.1]",
    "http://[0:0:0:0:0:ffff:7f00:1]",
    "http://[127.0.0.1]",
    "http://[v1.::1]",
    "http://[localhost]",
    "http://127.0.0.1@evil.example",
    "http://127.0.0.1:80@evil.example",
    "http://localhost%40evil.example",
    "http://127.0.0.1\\@evil.example",
    "http://evil.example\\@127.0.0.1",
    "http://127.0.0.1\\.evil.example",
    "http:\\\\127.0.0.1",
    "http://127.0.0.1#@evil.example",
    "http://evil.example#@127.0.0.1",
    "http://evil.example?@127.0.0.1",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://localhost.",
    "http://127.0.0.1.",
    "http://127.1",
    "http://127.0.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.0.0.1",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://127.0.0.1%2eevil.example",
    "http://%31%32%37.0.0.1",
    "http://0",
    "http://0.0.0.0",
    "http://[::]",
    "http://\u2460\u2461\u2466.0.0.1",
    "http://127\u30020\u30020\u30021",
    "http://\uff4cocalhost",
    "http://loc\u00adalhost",
    "http://localho\u017ft",
    "https://\u212aelvin.example",
    "http://127.0.0.1 .evil.example",
    "http://127.0.0.1\t.evil.example",
    "http://127.0.0.1\n.evil.example",
    " http://127.0.0.1",
    "http://127.0.0.1 ",
    "http://127.0.0.1\n",
    "http:// 127.0.0.1",
    "http:///127.0.0.1",
    "http:127.0.0.1",
    "http:/127.0.0.1",
    "//127.0.0.1",
    "http://127.0.0.1:",
    "http://127.0.0.1:x",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:\u0661",
    "http://127.0.0.1:80:90",
    "http://.",
    "http://-",
    "https://api.fonnte.com/a b",
    "https://api.fonnte.com/\u202e",
    "https://api.fonnte.com/\x00",
    "https://api.fonnte.com\\evil",
    "https://user@api.fonnte.com",
    "https://api.fonnte.com?",
    "https://api.fonnte.com#",
    "file:///etc/passwd",
    "http+unix://x",
    "",
]


@pytest.mark.parametrize("endpoint", EVIL)
def test_ambiguous_host_is_refused(endpoint: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_endpoint(endpoint)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "endpoint",
    [
        "HTTP://LOCALHOST:8900",
        "http://[::1]",
        "http://[0:0:0:0:0:0:0:1]:8900/",
        "http://127.255.255.254/a/b//",
        "https://[2001:db8::1]:443",
        "https://[::ffff:192.0.2.1]",
        "https://a_b.example.com/x%20y/;z@=&",
        "https://xn--bcher-kva.example",
        "https://127.1",
        "https://api.fonnte.com.",
    ],
)
def test_unambiguous_endpoint_is_accepted(endpoint: str) -> None:
    given = endpoint.rstrip("/").replace("HTTP://LOCALHOST", "http://localhost")
    assert check_endpoint(endpoint) == given.replace("]:443", "]")
    _compare(endpoint)


@pytest.mark.parametrize(
    "spelling", ["HTTPS://api.fonnte.com", "https://API.Fonnte.com/", "https://api.fonnte.com:443"]
)
def test_spellings_of_one_address_have_one_record(spelling: str) -> None:
    assert check_endpoint(spelling) == "https://api.fonnte.com"
    assert check_endpoint(spelling.rstrip("/") + "/A") == "https://api.fonnte.com/A"


PARTS = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "HTTP://",
            "http:",
            "//",
            "/",
            "\\",
            "@",
            ":",
            "#",
            "?",
            "%",
            "%25",
            "%40",
            "%2e",
            ".",
        ),
        *("[", "]", "[::1]", "::1", "::ffff:", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "0"),
        *("localhost", "LOCALHOST", "evil.example", "api.fonnte.com", "80", "65536", " ", "\t", "\n", "\x00", "\u202e"),
        *(
            "\u3002",
            "\uff0e",
            "\uff0f",
            "\uff20",
            "\uff1a",
            "\u2460",
            "\u00ad",
            "\u212a",
            "\u017f",
            "xn--",
            "user",
            "-",
        ),
    ]
)


@given(parts=st.lists(PARTS, min_size=1, max_size=8), start=st.sampled_from(["", "http://", "https://"]))
@example(parts=["[::1]", ".", "evil.example"], start="http://")
def test_accepted_endpoint_is_the_host_of_the_connection(parts: list[str], start: str) -> None:
    endpoint = start + "".join(parts)
    try:
        check_endpoint(endpoint)
    except OptionError:
        return
    _compare(endpoint)


@given(text=st.text(max_size=20), start=st.sampled_from(["http://", "https://", "http://127.0.0.1", "http://[::1]"]))
def test_text_after_the_host_does_not_change_the_connection(text: str, start: str) -> None:
    try:
        check_endpoint(start + text)
    except OptionError:
        return
    _compare(start + text)


def _compare(endpoint: str) -> None:
    """Check that requests would connect to the host in the endpoint, and without TLS only to loopback."""
    url = check_endpoint(endpoint) + "/get-devices"
    try:
        prepared = requests.Request("POST", url).prepare()
    except requests.exceptions.InvalidURL:
        return
    assert prepared.url is not None
    with urllib3.PoolManager() as manager:
        pool = manager.connection_from_url(prepared.url)
    assert pool.host.strip("[]").rstrip(".") and pool.host.lower() in endpoint.lower()
    host = pool.host.strip("[]")
    if pool.scheme == "http":
        assert host == "localhost" or ipaddress.ip_address(host).is_loopback
        assert is_loopback(host) and "%" not in host
    assert prepared.url.endswith("/get-devices") and prepared.url.count("://") == 1


def test_ipv4_address_mapped_to_ipv6_is_not_loopback_on_any_python() -> None:
    assert is_loopback("::1") and is_loopback("127.9.9.9")
    assert not any(map(is_loopback, ["::ffff:127.0.0.1", "::ffff:7f00:1", "::1%lo", "::", "127.1", "localhost.", ""]))


SERVICE = "https://api.fonnte.com"


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY"):
            monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    [
        "http://[s3cret",
        "http://",
        "s3cret:port",
        "http://s3cret host:3128",
        "http://s3cret:99999",
        "http://s3cret:0",
        "ftp://s3cret:21",
        "http://s3cret..example:1",
        f"http://{'s3cret' * 11}.example",
        "http://s3cret@",
        "'http://s3cret.example'",
    ],
)
def test_invalid_proxy_is_named_without_its_value(no_proxies: pytest.MonkeyPatch, variable: str, proxy: str) -> None:
    no_proxies.setenv(variable, proxy)
    with pytest.raises(VariableError) as caught:
        check_proxies(SERVICE)
    assert str(caught.value).startswith(f"Environment variable {variable}: its value is not the address of a proxy; ")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy.example:3128",
        "https://user:p%40ss@proxy.example:3128/",
        "proxy.example:3128",
        "proxy",
        "socks5h://127.0.0.1:1080",
        "http://[::1]:3128",
        "http://proxy_1.example.",
    ],
)
def test_proxy_that_requests_accepts_is_accepted(no_proxies: pytest.MonkeyPatch, proxy: str) -> None:
    no_proxies.setenv("https_proxy", proxy)
    check_proxies(SERVICE)
    assert environment_proxies(SERVICE)["https"] == proxy
    urllib3.util.parse_url(proxy)


def test_unused_proxy_is_not_checked(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("http_proxy", "http://[")
    check_proxies(SERVICE)
    check_proxies("http://127.0.0.1:80")
    no_proxies.setenv("https_proxy", "http://[")
    no_proxies.setenv("no_proxy", "fonnte.com")
    check_proxies(SERVICE)


@pytest.mark.parametrize("host", ["a..example", ".example", f"{'a' * 64}.example", ".".join(["a" * 60] * 5)])
def test_unresolvable_host_is_refused(host: str) -> None:
    with pytest.raises(OptionError, match="is not an http:// or https:// URL"):
        check_endpoint(f"https://{host}")
