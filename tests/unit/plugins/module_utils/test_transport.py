# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent, what is sent again, and when a call ends."""

from __future__ import annotations

import concurrent.futures
import logging
import time
import typing as t
from email.utils import formatdate
from pathlib import Path

import pytest
from ansible_collections.fonnte.whatsapp.plugins.module_utils import _session
from ansible_collections.fonnte.whatsapp.plugins.module_utils._errors import (
    BusyError,
    CallError,
    MissingLibraryError,
    OptionError,
    UnansweredError,
    UnreachableError,
    UnreadableError,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._retry import BoundedRetry
from ansible_collections.fonnte.whatsapp.plugins.module_utils._transport import (
    Connection,
    Reply,
    Transport,
    check_endpoint,
    environment_proxies,
    is_loopback,
)
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

LIST, PROFILE, ADD, UPDATE, DISCONNECT, DELETE, LINK = (
    "/get-devices",
    "/device",
    "/add-device",
    "/update-device",
    "/disconnect",
    "/delete-device",
    "/qr",
)
READS, WRITES, ONCE = (LIST, PROFILE), (UPDATE, DISCONNECT, LINK), (ADD, DELETE)


def connect(sandbox: Sandbox, **changes: t.Any) -> Transport:
    settings: dict[str, t.Any] = {
        "endpoint": sandbox.url,
        "timeout": 0.5,
        "retries": 3,
        "longest_delay": 0.05,
        "verify": True,
        "ca_path": sandbox.ca,
    }
    return Transport(Connection(**{**settings, **changes}))


def post(sandbox: Sandbox, path: str = LIST, **changes: t.Any) -> Reply:
    return connect(sandbox, **changes).post(path, sandbox.account_token, {})


def tries(sandbox: Sandbox, path: str) -> int:
    return len([entry for entry in sandbox.journal() if entry["path"] == path])


# Side by side


def test_no_more_calls_at_a_time_than_allowed_in_however_many_threads(sandbox: Sandbox) -> None:
    sandbox.set_options(latency=0.2)
    transport = connect(sandbox, pool_size=2)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _number: transport.post(LIST, sandbox.account_token, {}), range(6)))
    assert all(reply.body["status"] is True for reply in replies)
    at = sorted(entry["at"] for entry in sandbox.journal())
    # Three rounds of two: a call is written down when its answer goes out.
    assert all(at[number + 2] - at[number] > 0.15 for number in range(4))
    # One after another they would take a second.
    assert at[-1] - at[0] < 0.9


# Endpoints


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.fonnte.com",
        "http://127.0.0.1:8900",
        "http://127.8.9.1",
        "http://[::1]:80",
        "http://localhost/",
        "https://gw.example.com/fonnte/",
    ],
)
def test_an_endpoint_to_which_a_token_may_be_sent(endpoint: str) -> None:
    assert check_endpoint(endpoint) == endpoint.rstrip("/")


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://api.fonnte.com", "plain http"),
        ("http://localhost.example.com", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
        ("http://0.0.0.0", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("ftp://api.fonnte.com", "not an http"),
        ("api.fonnte.com", "not an http"),
        ("https://", "not an http"),
        ("https://[::1", "not an http"),
        ("https://api.fonnte.com:x", "not an http"),
        ("https://user:secret@api.fonnte.com", "user name"),
        ("https://api.fonnte.com?a=secret", "query"),
        ("https://api.fonnte.com#a", "fragment"),
    ],
)
def test_an_endpoint_to_which_no_token_may_be_sent(endpoint: str, words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        check_endpoint(endpoint)
    assert str(caught.value).startswith("Option api_endpoint: ") and "secret" not in str(caught.value)


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.255.0.1", "::1"]))
    assert not any(map(is_loopback, ["", "localhost.", "128.0.0.1", "::2", "example.com", "0"]))


# What is sent again


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reset", {"when": "before"}),
        ("reset", {"when": "after"}),
        ("reset", {"when": "after", "at": "middle"}),
        ("truncated", {"when": "after", "short": True}),
        ("hang", {}),
        *[("status", {"code": code}) for code in (429, 500, 502, 503, 504)],
        *[("status", {"code": code, "headers": {"Retry-After": "0"}}) for code in (429, 503)],
        ("status", {"code": 429, "headers": {"Retry-After": "soon"}}),
    ],
)
def test_a_read_is_repeated_after_a_passing_fault(
    sandbox: Sandbox, path: str, kind: str, more: dict[str, t.Any]
) -> None:
    sandbox.reset(accounts=[{"token": sandbox.account_token, "devices": [{"number": "081200000001"}]}])
    token = sandbox.account_token if path == LIST else sandbox.device("081200000001")["token"]
    sandbox.fault(kind, path=path, times=2, **more)
    assert connect(sandbox, timeout=0.2).post(path, token, {}).body["status"] is True
    assert tries(sandbox, path) == 3


def test_a_read_gives_up_after_its_retries(sandbox: Sandbox) -> None:
    sandbox.fault("status", path=LIST, code=502, times=None)
    with pytest.raises(UnreadableError, match="HTTP 502"):
        post(sandbox)
    assert tries(sandbox, LIST) == 4


def test_a_read_gives_up_on_bodies_that_break_off(sandbox: Sandbox) -> None:
    sandbox.fault("reset", path=LIST, when="after", at="middle", times=None)
    with pytest.raises(UnansweredError, match="broke off"):
        post(sandbox)
    assert tries(sandbox, LIST) == 4


def test_no_retries_means_one_try(sandbox: Sandbox) -> None:
    for kind, more in (("status", {"code": 503}), ("reset", {"when": "after", "at": "middle"})):
        sandbox.clear_journal()
        sandbox.clear_faults()
        sandbox.fault(kind, path=LIST, times=None, **more)
        with pytest.raises(CallError):
            post(sandbox, retries=0)
        assert tries(sandbox, LIST) == 1


@pytest.mark.parametrize("path", [*WRITES, *ONCE])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reset", {"when": "before"}),
        ("reset", {"when": "after", "at": "middle"}),
        ("hang", {}),
        *[("status", {"code": code}) for code in (500, 502, 503, 504)],
        # urllib3 alone would repeat this one.
        ("status", {"code": 503, "headers": {"Retry-After": "0"}}),
        ("status", {"code": 413, "headers": {"Retry-After": "0"}}),
    ],
)
def test_a_write_that_may_have_been_applied_is_never_repeated(
    sandbox: Sandbox, path: str, kind: str, more: dict[str, t.Any]
) -> None:
    sandbox.fault(kind, path=path, times=None, **more)
    with pytest.raises(CallError) as caught:
        post(sandbox, path, timeout=0.1)
    assert caught.value.may_be_applied is (more.get("code") != 413)
    assert tries(sandbox, path) == 1


@pytest.mark.parametrize("path", WRITES)
def test_an_update_may_follow_a_429(sandbox: Sandbox, path: str) -> None:
    sandbox.fault("status", path=path, code=429, times=2, headers={"Retry-After": "0"})
    assert post(sandbox, path).body["status"] is False
    assert tries(sandbox, path) == 3


@pytest.mark.parametrize("path", ONCE)
def test_a_creation_or_a_code_never_follows_a_429(sandbox: Sandbox, path: str) -> None:
    sandbox.fault("status", path=path, code=429, times=None)
    with pytest.raises(BusyError) as caught:
        post(sandbox, path)
    assert not caught.value.may_be_applied and tries(sandbox, path) == 1


@pytest.mark.parametrize("path", [*READS, *WRITES, *ONCE])
def test_a_connection_that_is_refused_is_tried_again_and_has_reached_nobody(
    sandbox: Sandbox, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(UnreachableError, match="Connection refused") as caught:
        post(sandbox, path, endpoint="http://127.0.0.1:1", longest_delay=20.0)
    assert not caught.value.may_be_applied
    assert len(waits) == 2 and 0.5 <= waits[0] <= 1.5 and 1.0 <= waits[1] <= 3.0


# Retry-After


def test_a_wait_beyond_the_limit_fails_at_once_and_says_how_long(sandbox: Sandbox) -> None:
    for path, code in ((LIST, 429), (LIST, 503), (UPDATE, 429)):
        sandbox.clear_journal()
        sandbox.fault("status", path=path, code=code, headers={"Retry-After": "3600"})
        with pytest.raises(BusyError, match="asks to wait 3600 s.*api_retry_max_delay"):
            post(sandbox, path)
        assert tries(sandbox, path) == 1


def test_a_wait_within_the_limit_is_obeyed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    sandbox.fault("status", path=LIST, code=429, times=2, headers={"Retry-After": "7"})
    post(sandbox, longest_delay=10.0)
    assert waits == [7.0, 7.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        (" 5 ", 5.0),
        ("soon", None),
        ("", None),
        ("-3", None),
        ("1e3", None),
        ("9" * 400, 21600.0),
    ],
)
def test_the_seconds_of_a_header(header: str | None, seconds: float | None) -> None:
    assert BoundedRetry.seconds(header) == seconds


def test_the_seconds_of_a_date() -> None:
    assert BoundedRetry.seconds(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=2)
    assert BoundedRetry.seconds(formatdate(time.time() - 100, usegmt=True)) == 0.0
    assert BoundedRetry.seconds("Mon, 99 Foo 2026 99:99:99 GMT") is None


# When a call ends


@pytest.mark.parametrize("more", [{"headers": False}, {"headers": True}])
def test_a_reply_that_trickles_ends_with_the_whole_call(sandbox: Sandbox, more: dict[str, t.Any]) -> None:
    sandbox.fault("trickle", path=LIST, when="after", interval=0.05, **more)
    began = time.monotonic()
    transport = connect(sandbox, timeout=0.1)
    with pytest.raises(UnansweredError, match="within 1 s"):
        transport.post(LIST, sandbox.account_token, {})
    assert time.monotonic() - began < 2
    assert transport.post(LIST, sandbox.account_token, {}).body["status"] is True


def test_a_reply_that_is_too_large_is_not_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "LARGEST_BODY", 1_000_000)
    for chunked in (True, False):
        sandbox.fault("huge", path=LIST, megabytes=3, chunked=chunked)
        with pytest.raises(UnreadableError, match="larger than"):
            post(sandbox)


def test_a_connection_closed_while_idle_is_not_noticed(sandbox: Sandbox) -> None:
    transport = connect(sandbox)
    sandbox.fault("close_idle", path=LIST, when="after")
    for _turn in range(2):
        assert transport.post(LIST, sandbox.account_token, {}).body["status"] is True
        time.sleep(0.1)


def test_a_call_leaves_nothing_in_the_logs_of_the_libraries(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert post(sandbox).body["status"] is True
    assert caplog.records == []


# Replies


@pytest.mark.parametrize(
    ("fault", "words", "may_be_applied"),
    [
        ({"kind": "html", "code": 200}, "not JSON", True),
        ({"kind": "html", "code": 404}, "not JSON", False),
        ({"kind": "empty"}, "an empty reply", True),
        ({"kind": "list"}, "not an object", True),
        ({"kind": "status", "code": 405, "body": "Method Not Allowed"}, "HTTP 405", False),
        ({"kind": "status", "code": 200, "body": "[" * 50_000}, "not JSON", True),
        ({"kind": "status", "code": 500, "body": {"status": False, "reason": "x"}}, "HTTP 500", True),
    ],
)
def test_a_reply_that_is_no_answer(sandbox: Sandbox, fault: dict[str, t.Any], words: str, may_be_applied: bool) -> None:
    sandbox.fault(path=UPDATE, **fault)
    with pytest.raises(UnreadableError, match=words) as caught:
        post(sandbox, UPDATE)
    assert caught.value.may_be_applied is may_be_applied


@pytest.mark.parametrize(
    "fault", [{"kind": "html", "code": 200}, {"kind": "empty"}, {"kind": "list"}, {"kind": "truncated"}]
)
def test_a_read_that_is_answered_with_nothing_is_made_once_more(sandbox: Sandbox, fault: dict[str, t.Any]) -> None:
    sandbox.fault(path=LIST, **fault)
    assert post(sandbox).body["status"] is True
    sandbox.fault(path=LIST, **{**fault, "times": 2})
    with pytest.raises(UnreadableError):
        post(sandbox)
    sandbox.fault(path=LIST, **fault)
    with pytest.raises(UnreadableError):
        post(sandbox, retries=0)


def test_a_page_that_says_not_found_is_not_read_again(sandbox: Sandbox) -> None:
    sandbox.fault("html", path=LIST, code=404)
    with pytest.raises(UnreadableError):
        post(sandbox)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_never_followed(sandbox: Sandbox, code: int) -> None:
    sandbox.fault("redirect", path=LIST, code=code, location=f"{sandbox.sink_url('thief')}?x=s3cret")
    with pytest.raises(UnreadableError, match="redirect to http://127.0.0.1:") as caught:
        post(sandbox)
    assert "s3cret" not in str(caught.value)
    assert sandbox.sink("thief") == []


@pytest.mark.parametrize("location", ["http://[", "//[x", "https://user:s3cret@h.example.com/", ""])
def test_a_redirect_to_nonsense_is_no_traceback(sandbox: Sandbox, location: str) -> None:
    sandbox.fault("redirect", path=LIST, location=location)
    with pytest.raises(UnreadableError, match="redirect") as caught:
        post(sandbox)
    assert "s3cret" not in str(caught.value)


# What the machine has no say in


def test_nothing_of_the_machine_changes_what_is_sent(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password taken\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "none"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(sandbox).body["status"] is True
    assert sandbox.journal()[-1]["token"] == sandbox.account_token


def test_proxies_come_from_the_environment_and_never_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    assert environment_proxies("https://api.fonnte.com")["https"] == "http://proxy.example.com:3128"
    assert environment_proxies("https://127.0.0.1:8900") == {}
    monkeypatch.setenv("no_proxy", "fonnte.com")
    assert environment_proxies("https://api.fonnte.com") == {}


def test_a_proxy_that_is_down_has_let_nothing_through(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(UnreachableError, match="proxy variables"):
        post(sandbox, endpoint="https://api.example.com", retries=0)


def test_without_requests_the_library_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "REQUESTS_MISSING", "ImportError")
    with pytest.raises(MissingLibraryError, match="requests"):
        post(sandbox)


# TLS


@pytest.mark.parametrize(
    ("tls", "words"), [("expired", "expired"), ("wrong-host", "match"), ("self-signed", "self.signed")]
)
def test_a_certificate_that_is_not_good_stops_the_call_before_the_token_is_sent(tls: str, words: str) -> None:
    with Sandbox(tls=tls) as sandbox:
        with pytest.raises(UnreachableError, match=f"certificate was refused.*{words}"):
            post(sandbox, ADD, ca_path=sandbox.ca if tls != "self-signed" else None)
        assert sandbox.journal() == []


def test_a_certificate_of_an_own_authority_needs_ca_path_or_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(tls="valid") as sandbox:
        assert post(sandbox).body["status"] is True
        with pytest.raises(UnreachableError, match="certificate was refused.*ca_path"):
            post(sandbox, ca_path=None)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.ca))
        with pytest.raises(UnreachableError, match="certificate was refused"):
            post(sandbox, ca_path=None)
        assert post(sandbox, verify=False, ca_path=None).body["status"] is True


def test_a_ca_path_that_is_not_there_is_an_error_before_any_call(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Option ca_path"):
        post(sandbox, ca_path=str(tmp_path / "none.pem"))
    assert sandbox.journal() == []


def test_a_ca_path_that_holds_no_certificate_is_an_error_before_any_call(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no certificate")
    with pytest.raises(OptionError, match="Option ca_path: it holds no certificates"):
        post(sandbox, ca_path=str(tmp_path / "note.txt"))


@pytest.mark.parametrize("host", ["a..example.com", "a" * 64 + ".example.com"])
def test_a_host_name_that_cannot_be_one_is_no_traceback(sandbox: Sandbox, host: str) -> None:
    with pytest.raises(UnreachableError, match="cannot be reached"):
        post(sandbox, endpoint=f"https://{host}", retries=0)
