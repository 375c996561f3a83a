# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the event source."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events import config as _config
from ansible_collections.fonnte.whatsapp.plugins.module_utils._events.config import (
    NAMES,
    digest,
    match_path,
    parse_options,
)

SECRET = "Zk3-9xTq7LmPw2Rb"
NEW = "Qm5_8vYs1HdNk4Wc"


def options(**args: t.Any) -> t.Any:
    return parse_options({"secret": SECRET, **args}, {})


def test_defaults_of_the_options() -> None:
    plain = options()
    assert (plain.host, plain.port, plain.tls, plain.body_limit) == ("127.0.0.1", 5000, None, 1024 * 1024)
    assert (plain.limits.waiting, plain.limits.duplicates_within, plain.limits.return_tokens) == (1000, 1200.0, False)
    assert not plain.limits.numbers and not plain.exposed


def test_strings_from_templates_are_converted() -> None:
    reported = options(port="5001", queue_size=" 7 ", return_tokens="True", devices="0812-0000-1001, 6281200001002")
    assert (reported.port, reported.limits.waiting, reported.limits.return_tokens) == (5001, 7, True)
    assert reported.limits.numbers == {"6281200001001", "6281200001002"}
    assert options(certfile="", keyfile="", return_tokens="no").tls is None
    assert options(own_messages="", last_events_file="") == options(own_messages="drop")
    assert options(own_messages="keep").limits.keep_own_messages is True


@pytest.mark.parametrize("option", [option for option in NAMES if option != "secret"])
def test_option_without_a_value_is_ignored(option: str) -> None:
    assert options(**{option: None}) == options()


def test_spellings_of_one_device_are_one_number() -> None:
    reported = options(devices=["0812-0000-1001", "+6281200001001", 6281200001001])
    assert reported.limits.numbers == {"6281200001001"}


def test_secret_is_read_from_the_environment() -> None:
    assert parse_options({}, {"FONNTE_EVENTS_SECRET": SECRET}).secrets == (digest(SECRET),)
    assert parse_options({"secret": SECRET}, {"FONNTE_EVENTS_SECRET": "other"}).secrets == (digest(SECRET),)


@pytest.mark.parametrize("value", [[NEW, SECRET], (NEW, SECRET), f"{NEW},{SECRET}", f" {NEW} , {SECRET} "])
def test_several_secrets_are_a_list_or_a_string_with_commas(value: t.Any) -> None:
    several = options(secret=value)
    assert several.secrets == (digest(NEW), digest(SECRET))
    assert several.limits.secrets == (NEW, SECRET)
    if isinstance(value, str):
        assert parse_options({}, {"FONNTE_EVENTS_SECRET": value}) == several


@pytest.mark.parametrize(
    ("value", "option", "words"),
    [
        ([], "secret", "it is empty"),
        ([SECRET, ""], "secret[1]", "it has 0 characters"),
        (f"{SECRET},", "secret[1]", "it has 0 characters"),
        ([None, SECRET], "secret[0]", "it is not a string"),
        ([NEW, "short"], "secret[1]", "it has 5 characters"),
        ([NEW, SECRET, NEW], "secret[2]", "the list has it twice"),
        ([f"{NEW}{place}" for place in range(9)], "secret", "it has 9 secrets"),
        ({"a": SECRET}, "secret", "it is not a string"),
    ],
)
def test_invalid_list_of_secrets_is_refused_and_not_shown(value: t.Any, option: str, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        options(secret=value)
    assert str(caught.value).startswith(f"Option {option}: ") and words in str(caught.value)
    assert SECRET not in str(caught.value) and NEW not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "it is empty"),
        (None, "it is empty"),
        ("short", "it has 5 characters"),
        ("x" * 129, "it has 129 characters"),
        (1234567890123456, "it is not a string"),
        ("{{ fonnte_secret }}", "a character that a URL would change"),
        ("Zk3/9xTq7LmPw2Rb", "a character that a URL would change"),
        ("Zk3 9xTq7LmPw2Rb", "a character that a URL would change"),
        ("Zk3-9xTq7LmPw2Rb\n", "a character that a URL would change"),
        ("Zk3é9xTq7LmPw2Rb", "a character that a URL would change"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
        ("passwordpassword", "easy to guess"),
        ("abcdefghabcdefgh", "easy to guess"),
        ("1234567890123456", "easy to guess"),
        ("abcdefghijklmnop", "easy to guess"),
        ("Zk3-9xTqZk3-9xTq", "easy to guess"),
    ],
)
def test_invalid_secret_is_refused_and_not_shown(secret: t.Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        options(secret=secret)
    assert str(caught.value).startswith("Option secret: ") and words in str(caught.value)
    assert "\n" not in str(caught.value)
    if secret and isinstance(secret, str):
        assert secret.strip() not in str(caught.value)


@given(st.text("0123456789abcdef", min_size=48, max_size=48))
def test_random_secret_is_almost_never_refused(secret: str) -> None:
    # The output of secrets.token_hex(24), except strings that Hypothesis shrinks to repetitions.
    if len(set(secret)) >= 12:
        try:
            options(secret=secret)
        except OptionError as error:
            assert "easy to guess" in str(error)


@pytest.mark.parametrize(
    ("args", "option", "words"),
    [
        ({"prot": 5000}, "prot", "there is no such option"),
        ({"port": "http"}, "port", "from 0 to 65535"),
        ({"port": 65536}, "port", "from 0 to 65535"),
        ({"port": -1}, "port", "from 0 to 65535"),
        ({"port": True}, "port", "from 0 to 65535"),
        ({"host": ""}, "host", "neither a host name"),
        ({"host": "a b"}, "host", "neither a host name"),
        ({"host": 5}, "host", "neither a host name"),
        ({"body_limit": 10}, "body_limit", "from 1024"),
        ({"queue_size": 0}, "queue_size", "from 1 to"),
        ({"duplicates_within": "20m"}, "duplicates_within", "whole number"),
        ({"return_tokens": "maybe"}, "return_tokens", "true or false"),
        ({"devices": []}, "devices", "list of numbers"),
        ({"devices": {"a": 1}}, "devices", "list of numbers"),
        ({"devices": ["0812", "x"]}, "devices[0]", "4 digits"),
        ({"devices": ["081200001001", "Toko Satu"]}, "devices[1]", "only digits"),
        ({"devices": [81200001]}, "devices[0]", "quote it"),
        ({"devices": ["81200001001"]}, "devices[0]", "leading zero"),
        ({"settle": 601}, "settle", "from 0 to 600"),
        ({"keyfile": "/nowhere"}, "keyfile", "certfile is not set"),
        ({"cafile": "/nowhere"}, "cafile", "certfile is not set"),
        ({"certfile": "/nowhere"}, "certfile", "No such file"),
        ({"certfile": 5}, "certfile", "not a path"),
        ({"own_messages": "no"}, "own_messages", "drop, keep"),
        ({"own_messages": True}, "own_messages", "drop, keep"),
        ({"own_messages": ["drop"]}, "own_messages", "drop, keep"),
        ({"last_events_file": "last.json"}, "last_events_file", "not an absolute path"),
        ({"last_events_file": "~/last.json"}, "last_events_file", "not an absolute path"),
        ({"last_events_file": "/nowhere/last.json"}, "last_events_file", "there is no directory /nowhere"),
        ({"last_events_file": "/"}, "last_events_file", "is a directory"),
        ({"last_events_file": 5}, "last_events_file", "not a path"),
    ],
)
def test_invalid_option_is_named(args: dict[str, t.Any], option: str, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        options(**args)
    assert str(caught.value).startswith(f"Option {option}: ") and words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    with pytest.raises(OptionError, match="Option certfile: certificate and key cannot be loaded"):
        options(certfile=str(tmp_path / "empty.pem"))


@pytest.mark.parametrize(
    ("host", "exposed"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("hooks", True)],
)
def test_exposed_is_set_for_hosts_other_than_loopback(host: str, exposed: bool) -> None:
    assert options(host=host).exposed is exposed


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (f"/{SECRET}", (True, None)),
        (f"/{SECRET}/", (True, None)),
        (f"/{SECRET}/chaining", (True, "chaining")),
        (f"/{SECRET}/connect", (True, "connect")),
        (f"/{SECRET}/other", (False, "other")),
        (f"/{SECRET}/connect/more", (False, "connect/more")),
        (f"/{SECRET[:-1]}", (False, None)),
        (f"/{SECRET}x", (False, None)),
        (f"/{SECRET.lower()}", (False, None)),
        ("/", (False, None)),
        ("", (False, None)),
        ("//", (False, None)),
        ("/\udcff", (False, None)),
    ],
)
def test_path_must_match_the_secret_and_may_name_the_kind(path: str, answer: tuple[bool, str | None]) -> None:
    index, kind = match_path(path, [digest(SECRET)])
    assert (index == 0) is answer[0]
    if index is not None:
        assert kind == answer[1]
    # The place of the secret is returned, and all secrets are compared.
    index, kind = match_path(path, [digest(NEW), digest(SECRET), digest("other")])
    assert (index == 1) is answer[0]


def test_each_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(_given: bytes, secret: bytes) -> bool:
        compared.append(secret)
        return _given == secret

    monkeypatch.setattr(_config.hmac, "compare_digest", compare)
    secrets = [digest(NEW), digest(SECRET)]
    for path in (f"/{NEW}", f"/{SECRET}", "/wrong", f"/{NEW}/x/y"):
        compared.clear()
        match_path(path, secrets)
        assert compared == secrets
