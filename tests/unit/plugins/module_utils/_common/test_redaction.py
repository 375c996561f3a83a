# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The visible parts of a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import (
    MASK,
    MAX_TEXT_LENGTH,
    Redactor,
    is_origin,
    origin,
    printable,
    truncate,
)

KEY = "key-of-the-test"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:pass@h.example.com/path?query=1", "https://h.example.com"),
        ("http://h.example.com:8080/", "http://h.example.com:8080"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]:443"),
    ],
)
def test_url_is_shown_as_host_and_digest(url: str, host: str) -> None:
    shown = Redactor(KEY).url(url)
    assert shown.startswith(f"{host}/…#") and len(shown) == len(host) + 9
    assert origin(url) == host


def test_empty_url_is_shown_as_empty() -> None:
    assert Redactor(KEY).url("") == ""


def test_digest_depends_on_the_url_and_the_key() -> None:
    one = Redactor(KEY)
    assert one.url("https://h.example.com/a") != one.url("https://h.example.com/b")
    assert one.url("https://h.example.com/a") == Redactor(KEY).url("https://h.example.com/a")
    assert one.url("https://h.example.com/a") != Redactor("another").url("https://h.example.com/a")


def test_url_without_a_path_is_an_origin() -> None:
    assert is_origin("https://h.example.com") and is_origin("https://h.example.com:81/")
    assert not is_origin("https://h.example.com/x") and not is_origin("https://u@h.example.com")
    assert not is_origin("https://h.example.com/?a")


def test_text_of_the_service_is_sanitized() -> None:
    redactor = Redactor(KEY, ["012345", None, ""])
    text = redactor.text(
        "webhook url https://u:p@h.example.com/s3cret?x=y refused for 012345\x1b[31m\nby key-of-the-test"
    )
    assert "s3cret" not in text and "u:p" not in text and "012345" not in text and KEY not in text
    assert "https://h.example.com/…#" in text and MASK in text
    assert text.isprintable()


def test_long_text_is_truncated() -> None:
    assert len(Redactor(KEY).text("x" * 100_000)) == MAX_TEXT_LENGTH + 1


@given(st.text())
def test_any_text_is_printable_and_without_the_key(text: str) -> None:
    shown = Redactor(KEY).text(text + KEY)
    assert shown.isprintable() and KEY not in shown


@given(st.text())
def test_any_text_can_be_shown_as_a_url(text: str) -> None:
    Redactor(KEY).url(text)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("PT Sinar \u2013 caf\u00e9", "PT Sinar \u2013 caf\u00e9"),
        ("a\nb\x1b[31m", "a?b?[31m"),
        ("\u202eevil\u2066", "?evil?"),
        ("half \ud83d", "half ?"),
        ("\U0001f468\u200d\U0001f373", "\U0001f468?\U0001f373"),
        ("", ""),
    ],
)
def test_invisible_characters_are_marked(text: str, reported: str) -> None:
    assert printable(text) == reported
    assert printable(text, " ") == reported.replace("?", " ")
    assert printable(text, kept=text) == text


@pytest.mark.parametrize(("text", "reported"), [("", ""), ("abc", "abc"), ("abcd", "abc\u2026")])
def test_text_beyond_the_length_is_truncated(text: str, reported: str) -> None:
    assert truncate(text, 3) == reported
