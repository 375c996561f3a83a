# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of settings, and the values that it allows to declare, send and read."""

from __future__ import annotations

import pytest

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._device.settings import (
    BY_OPTION,
    RECORDED,
    SETTINGS,
    WEBHOOKS,
    ReadSource,
    Setting,
    ValueType,
    from_wire,
    to_wire,
    validate,
)


def test_options_and_api_names_are_unique() -> None:
    assert len({setting.option for setting in SETTINGS}) == len(SETTINGS) == len(BY_OPTION)
    assert len({setting.wire for setting in SETTINGS}) == len(SETTINGS)


def test_readable_settings_match_the_api_documentation() -> None:
    assert [setting.option for setting in SETTINGS if ReadSource.LIST in setting.readable] == ["name", "autoread"]
    assert [setting.option for setting in SETTINGS if ReadSource.PROFILE in setting.readable] == ["name"]
    assert [setting.option for setting in SETTINGS if setting.on_add] == ["name", "autoread", "personal", "group"]
    assert WEBHOOKS == ("webhook", "webhook_connect", "webhook_status", "webhook_chaining")
    assert "name" not in RECORDED and len(RECORDED) == len(SETTINGS) - 1


def test_contradictory_row_is_refused() -> None:
    with pytest.raises(ValueError, match="only settings that add-device accepts"):
        Setting("new", "new", ValueType.FLAG, frozenset({ReadSource.ADDED}))
    with pytest.raises(ValueError, match="no response contains a webhook"):
        Setting("hook", "hook", ValueType.URL, frozenset({ReadSource.LIST}))


def test_flags_are_sent_as_true_and_false() -> None:
    sent = to_wire({"autoread": False, "quick": True, "webhook_status": "", "country_code": "62"})
    assert sent == {"autoread": "false", "quick": "true", "webhookstatus": "", "countryCode": "62"}


@pytest.mark.parametrize(("raw", "value"), [("on", True), ("off", False), ("true", True), (False, False)])
def test_flag_is_read_in_each_spelling(raw: object, value: bool) -> None:
    assert from_wire({"autoread": raw}, ReadSource.LIST) == {"autoread": value}


@pytest.mark.parametrize("raw", ["ON", "", None, 1, ["on"], {"on": 1}])
def test_invalid_flag_is_ignored(raw: object) -> None:
    assert from_wire({"autoread": raw}, ReadSource.LIST) == {}


def test_only_settings_that_a_response_shows_are_read() -> None:
    item = {"name": "Toko", "autoread": "on", "personal": "on", "webhook": "https://x.example.com"}
    assert from_wire(item, ReadSource.LIST) == {"name": "Toko", "autoread": True}
    assert from_wire(item, ReadSource.PROFILE) == {"name": "Toko"}
    assert from_wire(item, ReadSource.ADDED) == {"name": "Toko", "autoread": True, "personal": True}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("name", "ab"),
        ("name", "a" * 30),
        ("name", "Toko Ñandú 🛒"),
        ("webhook", ""),
        ("webhook", "http://u:p@h.example.com:8080/a?b=c#d"),
        ("webhook_status", "https://[2001:db8::1]/x"),
        ("country_code", "62"),
        ("country_code", "0"),
        ("quick", False),
    ],
)
def test_valid_value_is_unchanged(option: str, value: object) -> None:
    assert validate(option, value) == value


@pytest.mark.parametrize("written", ["+62 (0)812 3456 789", "0062 812 3456 789"])
def test_target_that_cannot_be_dialed_is_refused(written: str) -> None:
    with pytest.raises(OptionError, match='Option target: .*cannot be dialed; write "628123456789"'):
        validate("target", written)


def test_target_is_parsed_as_a_number() -> None:
    assert validate("target", "+62 812-3456-789") == "628123456789"
    with pytest.raises(OptionError, match="quote it"):
        validate("target", 81234567)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("name", "a"),
        ("name", "a" * 31),
        ("name", "two\nlines"),
        ("name", "bell\x07"),
        ("name", " leading"),
        ("name", "trailing "),
        ("webhook", "ftp://h.example.com/"),
        ("webhook", "https://"),
        ("webhook", "https://h.example.com:port/"),
        ("webhook", "https://h.example.com:0/"),
        ("webhook", "https://[::1/"),
        ("webhook", "https://h.example.com/a b"),
        ("webhook", "https://h.example.com/\r\nX: y"),
        ("webhook", "https://hé.example.com/"),
        ("webhook", "h.example.com"),
        ("country_code", "+62"),
        ("country_code", ""),
        ("country_code", "12345"),
        ("quick", "yes"),
    ],
)
def test_invalid_value_is_refused_with_the_option_name(option: str, value: object) -> None:
    with pytest.raises(OptionError) as caught:
        validate(option, value)
    assert str(caught.value).startswith(f"Option {option}: ")
    # A URL may contain a secret, and the message is logged.
    assert "h.example.com" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["Ibu \U0001f468\u200d\U0001f373", "Toko\u00a0Satu", "Bu \u2764\ufe0f", "\u0645\u062a\u062c\u0631"]
)
def test_existing_device_names_can_be_declared(name: str) -> None:
    assert validate("name", name) == name


@pytest.mark.parametrize(
    ("name", "code"),
    [("Toko\nSatu", "U+000A"), ("Toko\x1b[1m", "U+001B"), ("Toko\u2028x", "U+2028"), ("Toko\x7f", "U+007F")],
)
def test_control_character_in_a_name_is_refused_by_its_code(name: str, code: str) -> None:
    with pytest.raises(OptionError, match=f"character 5 is {code.replace('+', '[+]')}"):
        validate("name", name)
