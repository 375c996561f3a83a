# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in other spellings are found in any position, and ordinary words are unchanged."""

from __future__ import annotations

import base64
import html
import json
import typing as t
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import (
    MAX_EXAMINED_LENGTH,
    Redactor,
    masking,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import (
    MANY,
    MASK,
    MAX_LAYERS,
    SecretFinder,
)

TOKEN = 'Ex@mple!t0ken+of#a"test_-x'
NUMBER = "081200000001"


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS: dict[str, t.Callable[[str], str]] = {
    "plain": str,
    "URL-encoded": lambda secret: quote(secret, safe=""),
    "URL-encoded in small letters": lambda secret: quote(secret, safe="").lower(),
    "as a form": quote_plus,
    "every character URL-encoded": lambda secret: "".join(f"%{letter:02x}" for letter in secret.encode()),
    "URL-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON-escaped": lambda secret: json.dumps(secret)[1:-1],
    "JSON-escaped as PHP does": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "every character JSON-escaped": lambda secret: "".join(f"\\u{ord(letter):04X}" for letter in secret),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)),
    "HTML-escaped": html.escape,
    "in base64": in_base64,
    "in base64 without padding": lambda secret: in_base64(secret).rstrip("="),
    "in base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "in base64, URL-encoded": lambda secret: quote(in_base64(secret), safe=""),
    "in base64 of JSON": lambda secret: in_base64(json.dumps({"Authorization": secret})),
    "in base64 behind a byte": lambda secret: in_base64("x" + secret + "y"),
    "in base64 behind two bytes": lambda secret: in_base64("xx" + secret),
    "in capitals": str.upper,
    "in small letters": str.lower,
    "in small letters in base64": lambda secret: in_base64(secret.lower()),
    "in base64 of base64": lambda secret: in_base64(in_base64(secret)),
    "in base64 three times": lambda secret: in_base64(in_base64(in_base64(secret))),
    "URL-encoded twice, in base64": lambda secret: in_base64(quote(quote(secret, safe=""), safe="")),
    "JSON in JSON, in base64": lambda secret: in_base64(json.dumps(json.dumps(secret))),
    "in base64, URL-encoded, in base64": lambda secret: in_base64(quote(in_base64(secret), safe="")),
}


def shows(text: str, secret: str) -> bool:
    """Return whether six consecutive characters of any spelling are in a string."""
    return any(
        spelled[place : place + 6] in text
        for name, spell in SPELLINGS.items()
        if "behind" not in name and "of JSON" not in name
        for spelled in [spell(secret)]
        for place in range(len(spelled) - 5)
    )


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("frame", ["{}", "before {} after", 'token="{}",x', "a/{}/b", "x{}"])
@pytest.mark.parametrize("others", [0, MANY + 1])
def test_each_spelling_is_masked(name: str, frame: str, others: int) -> None:
    finder = SecretFinder([TOKEN, *(f"another-token-{number:010}" for number in range(others))])
    masked = finder.mask(frame.format(SPELLINGS[name](TOKEN)))
    assert MASK in masked and not shows(masked, TOKEN), masked


@given(
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=30),
    name=st.sampled_from(sorted(SPELLINGS)),
    before=st.text(max_size=10),
    after=st.text(max_size=10),
)
def test_any_secret_is_masked_in_each_spelling(secret: str, name: str, before: str, after: str) -> None:
    masked = SecretFinder([secret]).mask(f"{before} {SPELLINGS[name](secret)} {after}")
    assert MASK in masked and secret.lower() not in masked.lower()
    assert SPELLINGS[name](secret) not in masked


@pytest.mark.parametrize("name", ["HTML-escaped", "URL-encoded", "JSON-escaped"])
@pytest.mark.parametrize("secret", ["0000000000<\\", "000000000<\\n", "0000&lt;0000%41<"])
def test_secret_may_contain_escape_characters(name: str, secret: str) -> None:
    assert SecretFinder([secret]).mask(f"a {SPELLINGS[name](secret)} b") == f"a {MASK} b"


@given(text=st.text(), secrets=st.lists(st.text(min_size=12), max_size=3))
def test_string_without_a_secret_is_unchanged(text: str, secrets: list[str]) -> None:
    if not any(secret.lower() in text.lower() for secret in secrets):
        assert SecretFinder(secrets).mask(text) == text


@pytest.mark.parametrize(
    "text",
    ["Toko Satu", "device not found", "081200001234", "webhook url is dead", "test", "TEST", "aGVsbG8gd29ybGQ="],
)
def test_ordinary_words_are_unchanged(text: str) -> None:
    finder = SecretFinder(["Test-token-Satu", "1234", "toko", "a", TOKEN])
    assert finder.mask_data({"name": [text]}) == {"name": [text]}


def test_short_secret_is_masked_unencoded_only_in_text_of_the_service() -> None:
    finder = SecretFinder(["123456"])
    assert finder.mask("code 123456 is wrong") == f"code {MASK} is wrong"
    assert finder.mask_data("device 6281234567") == "device 6281234567"
    assert finder.mask_data(f"code {in_base64('123456')}") == f"code {MASK}"
    assert finder.mask_data("code %31%32%33%34%35%36") == f"code {MASK}"


def test_requested_token_is_returned() -> None:
    finder = SecretFinder([TOKEN])
    result = {"devices": [{"token": TOKEN, "name": TOKEN}], "token": f"x{TOKEN}", "changed": True, "quota": 3}
    assert finder.mask_data(result) == {
        "devices": [{"token": TOKEN, "name": MASK}],
        "token": f"x{MASK}",
        "changed": True,
        "quota": 3,
    }


def test_all_parts_of_an_error_are_masked() -> None:
    fault = FonnteError(f"it says {in_base64(TOKEN)}", f"see {TOKEN.upper()}")
    fault.operation, fault.warnings, fault.partial_result = f"Asking {TOKEN}", [quote(TOKEN, safe="")], {"msg": TOKEN}
    with pytest.raises(FonnteError) as caught, masking(SecretFinder([TOKEN])):
        raise fault
    assert str(caught.value) == f"Asking {MASK}: it says {MASK}; see {MASK}."
    assert (caught.value.warnings, caught.value.partial_result) == ([MASK], {"msg": MASK})


@pytest.mark.parametrize("name", SPELLINGS)
def test_truncated_text_shows_no_part_of_a_secret(name: str) -> None:
    redactor = Redactor("key-of-the-test", [TOKEN])
    spelled = SPELLINGS[name](TOKEN) + " "
    for shift in range(0, 60, 7):
        shown = redactor.text("y" * shift + " " + spelled * (MAX_EXAMINED_LENGTH // len(spelled) + 2))
        assert not shows(shown, TOKEN)


@pytest.mark.parametrize("name", SPELLINGS)
def test_secret_parts_of_a_url_are_masked_in_each_spelling(name: str) -> None:
    url = "https://user:p4ss-word@h.example.com/s3cret-path/x?key=v4lue-of-key"
    shown = Redactor("key-of-the-test").text(f"refused: {SPELLINGS[name](url)}", sent=[url])
    for part in ("p4ss-word", "s3cret-path", "v4lue-of-key"):
        assert not shows(shown, part), shown


@given(
    layers=st.lists(st.sampled_from([in_base64, lambda text: quote(text, safe=""), json.dumps]), max_size=MAX_LAYERS)
)
def test_nested_encodings_are_masked_to_the_documented_depth(layers: list[t.Callable[[str], str]]) -> None:
    text = TOKEN
    for encode in layers:
        text = encode(text)
    masked = SecretFinder([TOKEN]).mask(f"before {text} after")
    assert MASK in masked and not shows(masked, TOKEN) and masked.startswith("before ") and masked.endswith(" after")


@pytest.mark.parametrize(
    "url, repeated",
    [
        ("https://h.example/hooks/correcthorsebatterystaple", "hooks/correcthorsebatterystaple"),
        ("https://h.example/hooks/correcthorsebatterystaple", "correcthorsebatterystaple"),
        ("https://h.example/hooks/a/b", "hooks/a/b"),
        ("https://h.example/hooks/in?a=1", "hooks/in?a=1"),
        ("https://h.example/x?a=1&BareSecretFlag99", "BareSecretFlag99"),
        ("https://h.example/x?a=1&flag", "flag"),
        ("https://h.example/x?key=word", "word"),
    ],
)
def test_each_part_of_a_sent_url_is_masked(url: str, repeated: str) -> None:
    shown = Redactor("key-of-the-test").text(f"refused: {repeated}!", sent=[url])
    assert shown == f"refused: {MASK}!"


def test_ordinary_words_in_the_path_of_a_url_stay_readable() -> None:
    shown = Redactor("key-of-the-test").text("webhook is not reachable", sent=["https://h.example/webhook"])
    assert shown == "webhook is not reachable"


class Interrupted(str):
    """A string, during whose search another worker adds a secret."""

    def __new__(cls, text: str, finder: SecretFinder) -> Interrupted:
        created = super().__new__(cls, text)
        created.finder = finder
        return created

    finder: SecretFinder

    def _add(self) -> None:
        count = len(self.finder.known())
        self.finder.add([f"pin-{count:02d}", f"token {count:02d} {TOKEN}"])

    def translate(self, table: t.Any) -> Interrupted:
        return Interrupted(super().translate(table), self.finder)

    def find(self, *arguments: t.Any) -> int:
        self._add()
        return super().find(*arguments)

    def __contains__(self, part: object) -> bool:
        self._add()
        return str.__contains__(self, t.cast(str, part))


def test_secret_can_be_added_while_another_worker_searches() -> None:
    finder = SecretFinder(["pin-x1", "pin-x2", "a long secret", "another long secret"])
    assert finder.mask(Interrupted("the number is wrong", finder)) == "the number is wrong"
    assert len(finder.known()) > 4


@pytest.mark.parametrize("short", [True, False])
def test_text_that_is_searched_while_its_secret_is_added_is_searched_again(
    short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder, search = SecretFinder(["another long secret"]), SecretFinder.spans

    def spans(self: SecretFinder, text: str, short: bool = True) -> t.Any:
        found = search(self, text, short)
        self.add([TOKEN])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(SecretFinder, "spans", spans)
        finder.mask(f"token {TOKEN}", short)
    assert finder.mask(f"token {TOKEN}", short) == f"token {MASK}"
